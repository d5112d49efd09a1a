"""Statements about slow frames: patches are compared as published, with the last slow frame."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.config import ScanConfig
from stages.scan.proxies import Proxy
from stages.scan.similarity import SlowFrames, histogram_intersection, hsv_patches, patch_similarity
from tests.corpus import Picture, textured_frame

BLUE, WHITE = (0, 0, 255), (255, 255, 255)
"""Colours whose HSV vectors are far enough apart for the published threshold; those of blue and yellow are not."""


def proxy(picture: Picture) -> Proxy:
    return Proxy.of_rgb(0, picture)


def grey(value: int, height: int = 90, width: int = 160) -> Picture:
    return np.full((height, width, 3), value, np.uint8)


@settings(max_examples=15, deadline=None)
@given(values=st.lists(st.lists(st.floats(0.01, 1), min_size=8, max_size=8), min_size=2, max_size=2))
def test_histogram_intersection_is_the_shared_part(values: list[list[float]]) -> None:
    one, other = (np.array(v, np.float32) / np.float32(sum(v)) for v in values)
    assert histogram_intersection(one, one) == pytest.approx(1.0, abs=1e-5)
    assert histogram_intersection(one, other) == histogram_intersection(other, one)
    assert histogram_intersection(one, other) == pytest.approx(1 - np.abs(one - other).sum() / 2, abs=1e-5)


def test_patch_similarity_is_the_share_of_patches_that_stay() -> None:
    picture = textured_frame(3, 140, 224)
    changed = picture.copy()
    picture[:, :112], changed[:, :112] = BLUE, WHITE
    patches = [hsv_patches(proxy(p).hsv) for p in (picture, changed)]
    assert patch_similarity(patches[0], patches[0], 0.7) == 1.0
    assert patch_similarity(patches[0], patches[1], 0.7) == pytest.approx(0.5)


def test_patches_black_in_both_pictures_are_ignored() -> None:
    first, second = grey(0, 140, 224), grey(0, 140, 224)
    first[:, 112:], second[:, 168:] = BLUE, BLUE
    patches = [hsv_patches(proxy(p).hsv) for p in (first, second)]
    # Half of what is not black in both went black.
    assert patch_similarity(patches[0], patches[1], 0.7) == pytest.approx(0.5)


def test_two_black_frames_are_the_same_and_the_second_is_fast() -> None:
    slow = SlowFrames(ScanConfig())
    black = proxy(grey(0)).hsv
    assert slow.next(black) == (1.0, True)
    assert slow.next(black) == (1.0, False)
    assert slow.next(proxy(grey(200)).hsv) == (0.0, True)


def test_frames_are_compared_with_the_last_slow_frame_and_not_with_the_one_before() -> None:
    base = np.zeros((140, 224, 3), np.uint8)
    base[:] = BLUE
    slow = SlowFrames(ScanConfig())
    similarities, flags = [], []
    for halves in range(4):
        frame = base.copy()
        frame[:, : 14 * halves] = WHITE
        similarity, is_slow = slow.next(proxy(frame).hsv)
        similarities.append(similarity)
        flags.append(is_slow)
    assert flags == [True, False, True, False]
    assert similarities[2] == pytest.approx(7 / 8)
