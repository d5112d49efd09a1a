"""Statements about transitions: exact cuts, overlapping dissolves and fades, nothing where a shot merely changes."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.config import ScanConfig
from tests.corpus import Picture, textured_frame
from tests.stages.known_shots import (
    HEIGHT,
    TICKS,
    WIDTH,
    assert_overlaps,
    dissolved,
    faded,
    found,
    frames,
    graded,
    real_shot,
    shot,
)  # fmt: skip


@pytest.mark.parametrize("frame", [5, 12, 31])
def test_a_cut_is_found_at_the_first_frame_of_the_new_shot(frame: int) -> None:
    (cut,) = found(shot(1, frame, pan_px=1.0) + shot(2, 40, tilt_px=-1.0))
    assert frames([cut]) == [("cut", frame, frame)]
    assert cut.detector == "pyscenedetect.adaptive"
    assert cut.score > ScanConfig().cut_min_content
    assert cut.similarity < 0.5


def test_cuts_in_real_footage_are_exact() -> None:
    pictures = real_shot(30) + graded(real_shot(25, 40, pan_px=1.5), (0.6, 1.0, 1.2)) + real_shot(20, 90, zoom=1.01)
    assert frames(found(pictures)) == [("cut", 30, 30), ("cut", 55, 55)]


def test_a_cut_between_shots_of_the_same_colours_is_found() -> None:
    def dim(seed: int) -> list[Picture]:
        light = [cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) / 255.0 for p in shot(seed, 25)]
        return [(np.array([60, 90, 150]) * (0.9 + 0.8 * (v - v.mean()))[:, :, None]).astype(np.uint8) for v in light]

    (cut,) = found(dim(1) + dim(2))
    assert cut.score < ScanConfig().cut_min_content
    assert (frames([cut]), cut.detector) == ([("cut", 25, 25)], "reelproof.structure")


def test_a_cut_between_shots_of_one_coarse_shape_is_found() -> None:
    def sky_over_ground(seed: int, horizon: int, sky: tuple[int, int, int]) -> list[Picture]:
        above = (np.arange(HEIGHT) < horizon).astype(np.float32)[:, None]
        is_sky = np.asarray(cv2.GaussianBlur(above, (1, 25), 4.0))[:, :, None]
        base = is_sky * np.array(sky) + (1 - is_sky) * np.array([50, 60, 30])
        return [np.clip(base + 0.2 * picture - 20, 0, 255).astype(np.uint8) for picture in shot(seed, 20)]

    pictures = sky_over_ground(1, 36, (120, 160, 230)) + sky_over_ground(2, 50, (250, 180, 120))
    assert frames(found(pictures)) == [("cut", 20, 20)]


def test_a_cut_inside_a_letterbox_is_found() -> None:
    pictures = shot(1, 20) + shot(2, 20)
    for picture in pictures:
        picture[:25], picture[-25:] = 0, 0
    assert frames(found(pictures)) == [("cut", 20, 20)]


@pytest.mark.parametrize("length", [1, 2])
@pytest.mark.parametrize("flash", ["white", "other picture"])
def test_a_flash_is_no_cut(length: int, flash: str) -> None:
    pictures = real_shot(60, pan_px=0.5)
    for frame in range(30, 30 + length):
        pictures[frame] = np.full_like(pictures[0], 255) if flash == "white" else textured_frame(7, HEIGHT, WIDTH)
    assert frames(found(pictures)) == []


def test_two_cuts_close_together_that_do_not_lead_back_are_both_cuts() -> None:
    pictures = shot(1, 20) + shot(2, 4) + shot(3, 20)
    assert frames(found(pictures)) == [("cut", 20, 20), ("cut", 24, 24)]


def test_a_cut_that_one_frame_mixes_is_one_cut() -> None:
    assert frames(found(dissolved(shot(1, 20), shot(2, 21), 1))) == [("cut", 19, 19)]


def test_light_that_is_switched_on_is_no_cut() -> None:
    dim = graded(real_shot(40), (0.6, 0.6, 0.6), mirrored=False)
    assert frames(found(dim[:20] + real_shot(20, 20))) == []


MOVES: dict[str, dict[str, float]] = {
    "pan": {"pan_px": 1.5}, "fast_pan": {"pan_px": 8.0}, "tilt": {"tilt_px": 1.5}, "zoom": {"zoom": 1.01},
    "roll": {"roll_degrees": 1.0},
}  # fmt: skip


@pytest.mark.parametrize("scene", ["real", "synthetic"])
@pytest.mark.parametrize("move", MOVES)
def test_a_moving_camera_is_no_transition(scene: str, move: str) -> None:
    view = MOVES[move]
    pictures = real_shot(75, 0, **view) if scene == "real" else shot(3, 75, **view)
    assert frames(found(pictures)) == []


def test_a_subject_that_crosses_the_picture_is_no_transition() -> None:
    pictures, subject = real_shot(53), textured_frame(8, 70, 60)
    for number, picture in enumerate(pictures):
        left = 4 * number - 56
        visible = slice(max(0, left), min(WIDTH, left + 60))
        picture[10:80, visible] = subject[:, visible.start - left : visible.stop - left]
    assert frames(found(pictures)) == []


def test_a_held_picture_that_moves_on_is_no_cut() -> None:
    pictures = [picture for picture in real_shot(60)[::5] for _ in range(5)]
    assert frames(found(pictures, grain=False)) == []


Shots = Callable[[int], tuple[list[Picture], list[Picture]]]
BLUE = (0.5, 0.9, 1.3)
PAIRS: dict[str, Shots] = {
    "static": lambda n: (shot(1, 30 + n), shot(2, 30 + n)),
    "moving": lambda n: (shot(1, 30 + n, pan_px=1.0), shot(2, 30 + n, zoom=1.005)),
    "real": lambda n: (real_shot(30 + n), graded(real_shot(30 + n, 60), BLUE)),
    "real, moving": lambda n: (real_shot(30 + n, pan_px=1.0), graded(real_shot(30 + n, 60, tilt_px=0.5), BLUE)),
}  # fmt: skip


@pytest.mark.parametrize("length", [6, 13, 25])
@pytest.mark.parametrize("pair", PAIRS)
def test_a_dissolve_is_found_where_it_happens(pair: str, length: int) -> None:
    before, after = PAIRS[pair](length)
    transitions = found(dissolved(before, after, length))
    assert_overlaps(transitions, "dissolve", 30, 30 + length)
    assert transitions[0].similarity < 0.8


def test_what_is_longer_than_the_longest_dissolve_is_none() -> None:
    config = ScanConfig(max_dissolve_s=0.5)
    transitions = found(dissolved(shot(1, 90), shot(2, 90), 60), config)
    assert all(transition.span.duration_s <= 0.5 for transition in transitions)


@pytest.mark.parametrize("pair", ["static", "real, moving"])
@pytest.mark.parametrize("n_black", [1, 5, 20])
def test_a_fade_through_black_is_one_transition(pair: str, n_black: int) -> None:
    before, after = PAIRS[pair](15)
    ramp = (np.arange(15) + 1) / 16
    dark = faded(before, [1.0] * 30 + list(1 - ramp)), faded(after, list(ramp) + [1.0] * 30)
    pictures = dark[0] + [np.zeros((HEIGHT, WIDTH, 3), np.uint8)] * n_black + dark[1]
    assert_overlaps(found(pictures), "fade_out_in", 30, 60 + n_black)


def test_fades_at_the_ends_of_a_source_are_told_apart() -> None:
    ramp = [*np.linspace(0, 1, 20), *[1.0] * 30, *np.linspace(1, 0, 15)]
    fade_in, fade_out = found(faded(real_shot(65), ramp))
    assert_overlaps((fade_in,), "fade_in", 0, 19)
    assert_overlaps((fade_out,), "fade_out", 51, 65)
    assert fade_in.span.start_pts == 1000
    assert fade_out.span.end_pts == 1000 + 65 * TICKS


def test_a_cut_to_black_and_back_is_two_cuts() -> None:
    black = [np.zeros((HEIGHT, WIDTH, 3), np.uint8)] * 15
    assert frames(found(shot(1, 30) + black + shot(2, 30))) == [("cut", 30, 30), ("cut", 45, 45)]


def test_a_fade_out_that_ends_in_a_cut_lasts_until_the_new_shot() -> None:
    ramp = [1.0] * 20 + list(np.linspace(1, 0, 12))
    transitions = found(faded(shot(1, 32), ramp) + [np.zeros((HEIGHT, WIDTH, 3), np.uint8)] * 4 + shot(2, 30))
    assert_overlaps(transitions, "fade_out", 21, 36)
    assert frames(transitions)[0][2] == 36


KINDS = st.sampled_from(["cut", "dissolve", "fade"])


@settings(max_examples=8, deadline=None)
@given(plan=st.lists(st.tuples(st.integers(0, 50), st.integers(1, 40), KINDS), min_size=1, max_size=5))
def test_transitions_are_in_order_inside_the_slice_and_never_overlap(plan: list[tuple[int, int, str]]) -> None:
    pictures = shot(99, 10)
    for seed, length, kind in plan:
        new = shot(seed, length, pan_px=float(seed % 3))
        overlap = min(length, len(pictures), 12)
        if kind == "dissolve":
            pictures = dissolved(pictures, new, overlap)
        elif kind == "fade":
            pictures = pictures[:-overlap] + faded(pictures[-overlap:], np.linspace(1, 0, overlap)) + new
        else:
            pictures = pictures + new
    transitions = found(pictures)
    edges = [edge for t in transitions for edge in (t.span.start_pts, t.span.end_pts)]
    assert edges == sorted(edges)
    starts = [t.span.start_pts for t in transitions]
    assert len(set(starts)) == len(starts)
    assert all(1000 <= edge <= 1000 + TICKS * len(pictures) for edge in edges)


def test_a_slice_of_one_frame_has_no_transitions() -> None:
    assert found(shot(1, 1)) == ()
