"""Statements about wipes, fades to white, plain pictures, and what only looks like a transition."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from schemas.config import ScanConfig
from schemas.media import Transition
from stages.transitions.detectors import DETECTORS, READS_RGB
from stages.transitions.series import SliceLooks
from tests.benchmarks.transition_joins import WIPES
from tests.corpus import Picture, textured_frame
from tests.stages.known_shots import (
    HEIGHT,
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

WHITE = np.full((HEIGHT, WIDTH, 3), 255, dtype=np.uint8)


def wiped(before: list[Picture], after: list[Picture], shape: str, length: int) -> list[Picture]:
    pairs = zip(before[-length:], after[:length], strict=True)
    joined = []
    for number, (first, second) in enumerate(pairs):
        weights = cv2.resize(WIPES[shape]((number + 1) / (length + 1)), (WIDTH, HEIGHT))[:, :, None]
        joined.append(np.asarray(first * (1 - weights) + second * weights, dtype=np.uint8))
    return [*before[:-length], *joined, *after[length:]]


@pytest.mark.parametrize("shape", ["left", "down", "diagonal", "iris_open", "clock", "barn_doors"])
def test_a_wipe_is_found_whatever_its_shape(shape: str) -> None:
    before, after = real_shot(42), graded(real_shot(42, 60), (0.5, 0.9, 1.3))
    assert_overlaps(found(wiped(before, after, shape, 12)), "wipe", 30, 42)


@pytest.mark.parametrize("shape", ["right", "up", "iris_open"])
def test_a_wipe_between_moving_shots_is_found(shape: str) -> None:
    before = real_shot(60, pan_px=1.2, zoom=1.004)
    after = graded(real_shot(60, 60, pan_px=-1.0, tilt_px=0.5), (0.5, 0.9, 1.3))
    assert_overlaps(found(wiped(before, after, shape, 20)), "wipe", 40, 60)


def test_a_wipe_inside_a_letterbox_is_found() -> None:
    pictures = wiped(shot(1, 45), shot(2, 45), "right", 15)
    for picture in pictures:
        picture[:20], picture[-20:] = 0, 0
    assert_overlaps(found(pictures), "wipe", 30, 45)


@pytest.mark.parametrize("n_white", [2, 10])
def test_a_fade_through_white_is_one_transition(n_white: int) -> None:
    before, after = real_shot(40), graded(real_shot(40, 60), (0.5, 0.9, 1.3))
    ramp = (np.arange(10) + 1) / 11
    up = [np.asarray(p * (1 - w) + 255 * w, dtype=np.uint8) for p, w in zip(before[30:], ramp, strict=True)]
    down = [np.asarray(p * w + 255 * (1 - w), dtype=np.uint8) for p, w in zip(after[:10], ramp, strict=True)]
    transitions = found([*before[:30], *up, *[WHITE] * n_white, *down, *after[10:]])
    assert_overlaps(transitions, "fade_white", 30, 50 + n_white)


@pytest.mark.parametrize(("down", "white", "up"), [(10, 3, 20), (14, 8, 14), (8, 8, 16)])
def test_the_first_trace_of_a_dull_picture_is_no_cut(down: int, white: int, up: int) -> None:
    """Correlation tells nothing of a picture that is nearly white: it jumps where the fade leaves white."""
    dull = [np.asarray(60 + 0.25 * (p - p.mean()), dtype=np.uint8) for p in real_shot(60, 60)]
    towards = dissolved(dull, [WHITE] * (down + white), down)
    back = dissolved([WHITE] * up, real_shot(60), up)
    assert_overlaps(found(towards + back), "fade_white", 60 - down, 60 + white + up)


def test_a_dissolve_that_begins_and_ends_slowly_is_found_whole() -> None:
    before, after = real_shot(60), graded(real_shot(60, 60), (0.5, 0.9, 1.3))
    share = (np.arange(20) + 1) / 21
    pairs = zip(before[-20:], after[:20], share * share * (3 - 2 * share), strict=True)
    blend = [np.asarray(cv2.addWeighted(a, 1 - w, b, w, 0), dtype=np.uint8) for a, b, w in pairs]
    ((kind, start, end),) = frames(found([*before[:-20], *blend, *after[20:]]))
    assert kind == "dissolve"
    assert abs(start - 40) <= 2
    assert abs(end - 60) <= 2


def test_a_fade_ends_where_the_next_cut_is() -> None:
    rise = [*np.linspace(0, 1, 12), *[1.0] * 18]
    pictures = faded(real_shot(20, 20), np.linspace(1, 0, 20)) + faded(real_shot(30, 40), rise)
    fade, cut = found(real_shot(20) + pictures + graded(real_shot(30, 90), (0.5, 0.9, 1.3)))
    assert_overlaps((fade,), "fade_out_in", 20, 52)
    assert frames([cut]) == [("cut", 70, 70)]


def test_a_shot_in_the_dark_is_not_the_black_of_a_fade() -> None:
    dark = [np.asarray(picture * 0.2, dtype=np.uint8) for picture in shot(3, 50)]
    cut, dissolve = found(real_shot(30) + dissolved(dark, real_shot(40, 20), 20))
    assert frames([cut]) == [("cut", 30, 30)]
    assert_overlaps((dissolve,), "dissolve", 60, 80)


def test_a_cut_from_one_plain_colour_to_another_is_found() -> None:
    pictures = [np.full((HEIGHT, WIDTH, 3), level, dtype=np.uint8) for level in [90] * 20 + [140] * 20]
    assert frames(found(pictures)) == [("cut", 20, 20)]


def subtitled(pictures: list[Picture]) -> list[Picture]:
    """A plate with a line of text over the lower quarter, from frame 15 to 45."""
    shown = [picture.copy() for picture in pictures]
    for picture in shown[15:45]:
        cv2.rectangle(picture, (0, 66), (WIDTH, 88), (10, 10, 60), -1)
        cv2.putText(picture, "A subtitle", (8, 82), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 2)
    return shown


def flashed(pictures: list[Picture]) -> list[Picture]:
    """A photographer's flash that lasts three frames."""
    return [
        *pictures[:30],
        *[np.asarray(0.3 * p + 0.7 * WHITE, dtype=np.uint8) for p in pictures[30:33]],
        *pictures[33:],
    ]


def exploded(pictures: list[Picture]) -> list[Picture]:
    """Light that fills the picture within two frames and dies away within a second."""
    strength = np.zeros(len(pictures))
    strength[20:45] = [0.5, *np.exp(-np.arange(24) / 6)]
    light = np.full_like(WHITE, (255, 225, 170))
    return [np.asarray(p * (1 - s) + light * s, dtype=np.uint8) for p, s in zip(pictures, strength, strict=True)]


def lightened(pictures: list[Picture]) -> list[Picture]:
    """Lightning over a night: gains that change from frame to frame."""
    gains = np.full(len(pictures), 0.5)
    gains[20:26] = [2.0, 1.0, 2.2, 0.5, 1.6, 1.0]
    return [np.clip(p * gain, 0, 255).astype(np.uint8) for p, gain in zip(pictures, gains, strict=True)]


def shaken(pictures: list[Picture]) -> list[Picture]:
    """A camera that is struck: the picture jumps by a tenth of its width, and back a little later."""
    moved = [np.roll(picture, 14, axis=1) for picture in pictures[20:40]]
    return [*pictures[:20], *moved, *pictures[40:]]


def panned(pictures: list[Picture]) -> list[Picture]:
    """A camera that whips around by two widths within half a second, and stops."""
    scene = np.hstack([textured_frame(seed, HEIGHT, WIDTH) for seed in (3, 4, 5)])
    places = np.concatenate([np.zeros(20), 320 * (1 - np.cos(np.linspace(0, np.pi, 13))) / 2, np.full(27, 320)])
    assert len(places) == len(pictures)
    return [np.ascontiguousarray(scene[:, int(left) : int(left) + WIDTH]) for left in places]


@pytest.mark.parametrize("event", [subtitled, flashed, exploded, lightened, shaken])
def test_what_happens_in_a_shot_is_no_transition(event: Callable[[list[Picture]], list[Picture]]) -> None:
    assert frames(found(event(real_shot(60, pan_px=0.3)))) == []


def test_a_fast_pan_is_no_cut() -> None:
    assert [one for one in found(panned(shot(1, 60))) if one.kind == "cut"] == []


@pytest.mark.parametrize("detector", ["signals", "transnetv2"])
def test_a_lens_that_loses_focus_is_no_dissolve(detector: str) -> None:
    blur = np.concatenate([np.zeros(20), 5 * np.sin(np.linspace(0, np.pi, 24)), np.zeros(16)])
    pictures = [
        np.asarray(cv2.GaussianBlur(p, (0, 0), sigma), dtype=np.uint8) if sigma > 0.2 else p
        for p, sigma in zip(real_shot(60), blur, strict=True)
    ]
    assert frames(by(detector, pictures)) == []


def by(name: str, pictures: list[Picture]) -> tuple[Transition, ...]:
    return found(pictures, ScanConfig.model_validate({"shot_detector": name}))


@pytest.mark.parametrize("detector", sorted(DETECTORS))
def test_every_detector_finds_a_cut_where_it_is(detector: str) -> None:
    pictures = real_shot(30) + graded(real_shot(30, 60), (0.5, 0.9, 1.3))
    assert frames(by(detector, pictures)) == [("cut", 30, 30)]


def test_the_network_and_the_signals_together_name_a_dissolve_and_a_wipe() -> None:
    first, second, third = real_shot(52), graded(real_shot(60, 40), (0.5, 0.9, 1.3)), real_shot(50, 80, zoom=1.002)
    pictures = wiped(dissolved(first, second, 12), third, "left", 12)
    transitions = by("transnetv2", pictures)
    assert [one.kind for one in transitions] == ["dissolve", "wipe"]
    assert "transnetv2" in transitions[0].detector


def test_the_network_finds_a_cut_that_changes_half_of_the_picture() -> None:
    pictures = real_shot(30) + graded(real_shot(30, 60), (0.5, 0.9, 1.3))
    for picture in pictures:
        picture[HEIGHT // 2 :] = 40
    assert frames(found(pictures)) == []
    (cut,) = by("transnetv2", pictures)
    assert (frames([cut]), cut.detector) == ([("cut", 30, 30)], "transnetv2")


def test_of_a_dissolve_the_network_sees_the_end_that_the_signals_do_not() -> None:
    pictures = moving_dissolve(2.0, 24, (0.5, 0.9, 1.3))
    ((_, start, _),) = frames(found(pictures))
    (both,) = by("transnetv2", pictures)
    assert (both.kind, both.detector) == ("dissolve", "transnetv2+reelproof.blend")
    ((_, first, last),) = frames([both])
    assert start - first >= 4
    assert abs(first - 36) <= 1
    assert abs(last - 60) <= 1


@pytest.mark.parametrize("detector", ["signals", "transnetv2"])
@pytest.mark.parametrize("length", [24, 45])
def test_a_dissolve_between_fast_shots_is_found(detector: str, length: int) -> None:
    assert_overlaps(by(detector, moving_dissolve(5.0, length, (0.7, 0.9, 1.1))), "dissolve", 60 - length, 60)


def moving_dissolve(pan_px: float, length: int, gain: tuple[float, float, float]) -> list[Picture]:
    """Two shots that pan against each other; the dissolve ends at frame 60."""
    after = graded(real_shot(60, 40, pan_px=-pan_px, tilt_px=1.0), gain)
    return dissolved(real_shot(60, pan_px=pan_px), after, length)


def test_a_lamp_that_the_network_takes_for_a_cut_is_none() -> None:
    pictures = graded(real_shot(30), (0.4, 0.4, 0.4), mirrored=False) + real_shot(30, 30)
    assert frames(by("transnetv2", pictures)) == []


def test_pictures_of_another_size_are_refused() -> None:
    luma, chroma = np.zeros((3, 18, 32), np.uint8), np.zeros((3, 9, 16, 2), np.uint8)
    histograms = np.zeros((3, 128), np.float16)
    with pytest.raises(ValueError, match=r"chroma of 3 frames must be \(T, \*\(9, 16, 2\)\), not \(2, 9, 16, 2\)"):
        SliceLooks(luma, chroma[:2], histograms)
    with pytest.raises(ValueError, match="rgb"):
        SliceLooks(luma, chroma, histograms, np.zeros((3, 48, 27, 3), np.uint8))


def test_detectors_that_read_rgb_are_detectors() -> None:
    assert set(DETECTORS) > READS_RGB
