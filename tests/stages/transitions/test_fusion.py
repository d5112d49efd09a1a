"""Statements about joining what the network says, frame by frame, with what the signals found."""

import numpy as np
import pytest

from schemas.config import ScanConfig
from schemas.media import TransitionKind
from stages.transitions.fusion import DETECTOR, fuse
from stages.transitions.series import Found, Series
from stages.transitions.transnet import TransNetScores
from tests.stages.known_shots import dissolved, graded, real_shot, series_of

N_FRAMES = 80


@pytest.fixture(scope="module")
def one_shot() -> Series:
    return series_of(real_shot(N_FRAMES))


@pytest.fixture(scope="module")
def two_shots() -> Series:
    """The first dissolves into the second from frame 30 to frame 50."""
    return series_of(dissolved(real_shot(50), graded(real_shot(50, 70), (0.5, 0.9, 1.3)), 20))


def says(*stretches: tuple[int, int, float], single: float = 0.9) -> TransNetScores:
    """A network that sees transitions in stretches `[start, end)`, each with a probability, and one peak in each."""
    scores = TransNetScores(np.zeros(N_FRAMES, np.float32), np.full(N_FRAMES, 0.01, np.float32))
    for start, end, many in stretches:
        scores.many[start:end] = many
        scores.single[(start + end) // 2] = single
    return scores


def fused(series: Series, found: list[Found], scores: TransNetScores) -> list[tuple[TransitionKind, int, int]]:
    return [(one.kind, one.start, one.end) for one in fuse(series, found, scores, ScanConfig())]


def by_signals(kind: TransitionKind, start: int, end: int) -> Found:
    return Found(kind, start, end, 0.5, "reelproof")


@pytest.mark.parametrize("kind", ["cut", "dissolve", "gradual", "fade_out_in", "fade_white"])
def test_what_the_network_does_not_see_at_all_is_dropped(one_shot: Series, kind: TransitionKind) -> None:
    length = 0 if kind == "cut" else 10
    assert fused(one_shot, [by_signals(kind, 30, 30 + length)], says()) == []


def test_a_wipe_that_the_network_does_not_see_stays(one_shot: Series) -> None:
    assert fused(one_shot, [by_signals("wipe", 30, 40)], says()) == [("wipe", 30, 40)]


def test_what_the_signals_take_for_a_wipe_is_a_dissolve_where_the_network_sees_the_same_stretch(
    one_shot: Series,
) -> None:
    wipe = by_signals("wipe", 30, 40)
    assert fused(one_shot, [wipe], says((31, 42, 0.9))) == [("dissolve", 30, 42)]
    assert fused(one_shot, [wipe], says((37, 50, 0.9))) == [("wipe", 30, 40)]


def test_a_slow_transition_lasts_as_long_as_either_sees_it(one_shot: Series) -> None:
    (both,) = fuse(one_shot, [by_signals("gradual", 28, 40)], says((33, 46, 0.9)), ScanConfig())
    assert (both.kind, both.start, both.end, both.detector) == ("dissolve", 28, 46, f"{DETECTOR}+reelproof")


def test_the_network_sees_less_and_less_of_a_transition_towards_its_ends(one_shot: Series) -> None:
    steep = says((30, 50, 0.3), (36, 44, 0.9))
    assert fused(one_shot, [by_signals("dissolve", 34, 46)], steep) == [("dissolve", 30, 50)]
    parted = says((30, 34, 0.3), (38, 46, 0.9))
    assert fused(one_shot, [by_signals("dissolve", 38, 46)], parted) == [("dissolve", 30, 46)]
    apart = says((20, 28, 0.3), (38, 46, 0.9))
    assert fused(one_shot, [by_signals("dissolve", 38, 46)], apart) == [("dissolve", 38, 46)]


def test_a_dissolve_far_longer_than_the_network_sees_it_is_as_the_network_has_it(one_shot: Series) -> None:
    assert fused(one_shot, [by_signals("dissolve", 10, 60)], says((30, 46, 0.9))) == [("dissolve", 30, 46)]


def test_a_fade_of_which_the_network_sees_the_other_half_goes_both_ways(one_shot: Series) -> None:
    found = [by_signals("fade_in", 40, 50)]
    assert fused(one_shot, found, says((28, 45, 0.9))) == [("fade_out_in", 28, 50)]
    assert fused(one_shot, found, says((39, 45, 0.9))) == [("fade_in", 39, 50)]
    found = [by_signals("fade_out", 40, 50)]
    assert fused(one_shot, found, says((44, 60, 0.9))) == [("fade_out_in", 40, 60)]


def test_a_jump_inside_a_fade_is_part_of_it(one_shot: Series) -> None:
    found = [by_signals("fade_white", 30, 40), by_signals("cut", 43, 43)]
    assert fused(one_shot, found, says((30, 60, 0.9))) == [("fade_white", 30, 60)]


def test_what_reaches_beyond_an_earlier_transition_begins_at_its_end(one_shot: Series) -> None:
    found = [by_signals("dissolve", 20, 40), by_signals("wipe", 44, 60)]
    assert fused(one_shot, found, says((22, 48, 0.9))) == [("dissolve", 20, 48), ("wipe", 48, 60)]


def test_a_dissolve_that_only_the_network_sees_must_look_like_one(one_shot: Series, two_shots: Series) -> None:
    scores = says((32, 48, 0.9), single=0.2)
    assert fused(two_shots, [], scores) == [("dissolve", 32, 48)]
    assert fused(one_shot, [], scores) == []
    assert fused(two_shots, [], says((32, 48, 0.45), single=0.2)) == []


def test_a_cut_that_only_the_network_sees_must_change_the_picture(one_shot: Series) -> None:
    two = series_of(real_shot(40) + graded(real_shot(40, 60), (0.5, 0.9, 1.3)))
    assert fused(two, [], says((39, 40, 0.9))) == [("cut", 40, 40)]
    assert fused(one_shot, [], says((39, 40, 0.9))) == []
    assert fused(two, [], says((39, 40, 0.9), single=0.4)) == []
