"""Statements about the per-frame signals: each has its documented meaning, unit and edge cases."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenedetect import FrameTimecode, StatsManager
from scenedetect.detectors import ContentDetector

from schemas.config import ScanConfig
from stages.proxies import Proxy
from stages.similarity import (
    FrameMeter,
    SlowFrames,
    StructuralSimilarity,
    content_distance,
    histogram_intersection,
    hs_histogram,
    hsv_patches,
    patch_similarity,
)
from tests.corpus import Picture, textured_frame

BLUE, WHITE = (0, 0, 255), (255, 255, 255)
"""Colours whose HSV vectors are far enough apart for the published threshold; those of blue and yellow are not."""

seeds = st.integers(0, 10_000)


def proxy(picture: Picture, pts: int = 0) -> Proxy:
    return Proxy(pts=pts, bgr=np.ascontiguousarray(picture[:, :, ::-1]))


def grey(value: int, height: int = 90, width: int = 160) -> Picture:
    return np.full((height, width, 3), value, np.uint8)


def noisy(picture: Picture, spread: float, seed: int = 0) -> Picture:
    noise = np.random.default_rng(seed).normal(0, spread, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


@settings(max_examples=15, deadline=None)
@given(first=seeds, second=seeds)
def test_content_distance_is_the_figure_that_pyscenedetect_thresholds(first: int, second: int) -> None:
    frames = [proxy(textured_frame(seed, 90, 160)) for seed in (first, second)]
    detector = ContentDetector()
    detector.stats_manager = StatsManager()
    for number, frame in enumerate(frames):
        detector.process_frame(FrameTimecode(number, 25.0), frame.bgr)
    (theirs,) = detector.stats_manager.get_metrics(FrameTimecode(1, 25.0), [ContentDetector.FRAME_SCORE_KEY])
    assert content_distance(frames[0].hsv, frames[1].hsv) == pytest.approx(theirs, abs=1e-9)


@settings(max_examples=15, deadline=None)
@given(first=seeds, second=seeds)
def test_histograms_sum_to_one_and_their_intersection_is_symmetric(first: int, second: int) -> None:
    one, other = (hs_histogram(proxy(textured_frame(seed, 90, 160)).hsv) for seed in (first, second))
    assert one.sum() == pytest.approx(1.0, abs=1e-5)
    assert histogram_intersection(one, one) == pytest.approx(1.0, abs=1e-5)
    assert histogram_intersection(one, other) == histogram_intersection(other, one)
    assert 0 <= histogram_intersection(one, other) <= 1


def test_noise_on_a_dark_picture_does_not_change_its_colours() -> None:
    first, second = (hs_histogram(proxy(noisy(grey(8), 4, seed)).hsv) for seed in (1, 2))
    assert histogram_intersection(first, second) > 0.99


def ssim_by_definition(first: Picture, second: Picture) -> float:
    """Wang et al. 2004, one window at a time, in double precision."""
    at = np.arange(11) - 5.0
    kernel = np.exp(-(at[:, None] ** 2 + at**2) / (2 * 1.5**2))
    kernel /= kernel.sum()
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    windows = [np.lib.stride_tricks.sliding_window_view(p.astype(float), (11, 11)) for p in (first, second)]
    mean_x, mean_y = ((w * kernel).sum(axis=(2, 3)) for w in windows)
    variance_x, variance_y = ((w**2 * kernel).sum(axis=(2, 3)) for w in windows)
    variance_x, variance_y = variance_x - mean_x**2, variance_y - mean_y**2
    covariance = (windows[0] * windows[1] * kernel).sum(axis=(2, 3)) - mean_x * mean_y
    above = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    return float(np.mean(above / ((mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2))))


@pytest.mark.parametrize("spread", [0, 5, 30])
def test_structural_similarity_is_that_of_wang(spread: float) -> None:
    first = proxy(textured_frame(1, 40, 60)).luma
    second = proxy(noisy(textured_frame(1, 40, 60), spread)).luma
    measure = StructuralSimilarity()
    assert measure.next(first) == 1.0
    assert measure.next(second) == pytest.approx(ssim_by_definition(first, second), abs=1e-3)


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


def test_signals_of_known_pictures() -> None:
    meter = FrameMeter(ScanConfig())
    white_half = grey(0)
    white_half[:, 80:] = 255
    pictures = [
        grey(128),
        grey(128),
        grey(0),
        noisy(grey(6), 1),
        white_half,
        np.broadcast_to([255, 0, 0], (90, 160, 3)),
    ]
    for number, picture in enumerate(pictures):
        meter.add(proxy(np.asarray(picture, dtype=np.uint8), 10 * number))
    frames = meter.signals()
    assert frames.pts == (0, 10, 20, 30, 40, 50)
    assert frames.luma_mean == pytest.approx([128 / 255, 128 / 255, 0, 6 / 255, 0.5, 76 / 255], abs=0.004)
    assert frames.luma_spread[4] == pytest.approx(0.5)
    assert frames.saturation_mean[5] == pytest.approx(1.0)
    assert frames.is_black == (False, False, True, True, False, False)
    assert frames.is_frozen == (False, True, False, False, False, False)
    assert frames.is_slow[0]
    first = (frames.content_distance[0], frames.histogram_distance[0], frames.structural_similarity[0])
    assert (*first, frames.patch_similarity[0]) == (0.0, 0.0, 1.0, 1.0)


def test_a_dark_picture_that_shows_something_is_not_black() -> None:
    picture = grey(5)
    picture[40:50, 60:100] = 120
    meter = FrameMeter(ScanConfig())
    meter.add(proxy(picture))
    assert meter.signals().luma_mean[0] < ScanConfig().black_luma
    assert meter.signals().is_black == (False,)


def test_blur_lowers_sharpness() -> None:
    picture = noisy(textured_frame(5, 90, 160), 10)
    meter = FrameMeter(ScanConfig())
    for size in (1, 3, 7, 15):
        meter.add(proxy(np.asarray(cv2.blur(picture, (size, size)), dtype=np.uint8), size))
    sharpness = meter.signals().sharpness
    assert list(sharpness) == sorted(sharpness, reverse=True)
    assert sharpness[0] > 10 * sharpness[-1]
