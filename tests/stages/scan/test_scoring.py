"""Statements about the figures of frames: each has its documented meaning, unit and edge cases."""

import itertools

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scenedetect import FrameTimecode, StatsManager
from scenedetect.detectors import ContentDetector

from schemas.config import ScanConfig
from stages.scan.proxies import BT601, Proxy, ProxyBatch
from stages.scan.scoring import PAIRWISE, Scorer, Scores, hue_saturation_histograms, resolve_device, to_hsv, window_ssim
from tests.corpus import Picture, moving_crop, textured_frame

HEIGHT, WIDTH = 90, 160
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]

seeds = st.integers(0, 10_000)


def grey(value: int) -> Picture:
    return np.full((HEIGHT, WIDTH, 3), value, np.uint8)


def noisy(picture: Picture, spread: float, seed: int = 0) -> Picture:
    noise = np.random.default_rng(seed).normal(0, spread, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def scores_of(pictures: list[Picture], device: str = "cpu", config: ScanConfig | None = None) -> Scores:
    proxies = [Proxy.of_rgb(number, np.asarray(picture, dtype=np.uint8)) for number, picture in enumerate(pictures)]
    return Scorer(config or ScanConfig(), device, with_rgb=True).score(ProxyBatch.of([proxies[0], *proxies]))


def hsv_of(rgb: Picture) -> torch.Tensor:
    return to_hsv(torch.from_numpy(rgb.copy()).permute(2, 0, 1)[None].float())


@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_hue_saturation_and_value_are_scaled_as_opencv_does(seed: int) -> None:
    rgb = np.random.default_rng(seed).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    theirs = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV).astype(np.float32)
    difference = np.abs(hsv_of(rgb)[0].permute(1, 2, 0).numpy() - theirs)
    difference[..., 0] = np.minimum(difference[..., 0], 180 - difference[..., 0])
    assert difference.max() <= 1.0


@settings(max_examples=15, deadline=None)
@given(first=seeds, second=seeds)
def test_content_distance_is_the_figure_that_pyscenedetect_thresholds(first: int, second: int) -> None:
    proxies = [Proxy.of_rgb(0, textured_frame(seed, HEIGHT, WIDTH)) for seed in (first, second)]
    detector = ContentDetector()
    detector.stats_manager = StatsManager()
    for number, proxy in enumerate(proxies):
        detector.process_frame(FrameTimecode(number, 25.0), np.ascontiguousarray(proxy.rgb[..., ::-1]))
    (theirs,) = detector.stats_manager.get_metrics(FrameTimecode(1, 25.0), [ContentDetector.FRAME_SCORE_KEY])
    ours = Scorer(ScanConfig(), "cpu").score(ProxyBatch.of(proxies)).content_distance[0]
    # Theirs rounds hue, saturation and value of each pixel; near grey that moves hue by several degrees.
    assert ours == pytest.approx(theirs, rel=0.02, abs=0.5)


@settings(max_examples=15, deadline=None)
@given(seed=seeds)
def test_histograms_sum_to_one_and_their_distance_lies_between_none_and_all(seed: int) -> None:
    scores = scores_of([textured_frame(seed, HEIGHT, WIDTH), textured_frame(seed + 1, HEIGHT, WIDTH), grey(90)])
    assert scores.histograms.astype(np.float32).sum(axis=1) == pytest.approx(1.0, abs=2e-3)
    assert scores.histogram_distance[0] == 0
    assert (scores.histogram_distance >= 0).all()
    assert (scores.histogram_distance <= 1 + 1e-6).all()


def test_every_pixel_of_a_plain_colour_lies_in_the_bin_of_its_hue_and_saturation() -> None:
    plain = np.broadcast_to(np.array([0, 200, 100], np.uint8), (10, 10, 3))
    (histogram,) = hue_saturation_histograms(hsv_of(np.asarray(plain)))
    hue, saturation = 75, 255
    assert histogram[hue * 16 // 180 * 8 + saturation * 8 // 256] == 1


def test_noise_on_a_dark_picture_does_not_change_its_colours() -> None:
    assert scores_of([noisy(grey(8), 4, 1), noisy(grey(8), 4, 2)]).histogram_distance[1] < 0.01


def ssim_by_definition(first: Picture, second: Picture) -> Picture:
    """Wang et al. 2004 over uniform windows of 8x8 that lie 4 apart, one window at a time, in double precision."""
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    found = []
    for top in range(0, first.shape[0] - 7, 4):
        for left in range(0, first.shape[1] - 7, 4):
            x, y = (p[top : top + 8, left : left + 8].astype(float) for p in (first, second))
            covariance = ((x - x.mean()) * (y - y.mean())).mean()
            above = (2 * x.mean() * y.mean() + c1) * (2 * covariance + c2)
            found.append(above / ((x.mean() ** 2 + y.mean() ** 2 + c1) * (x.var() + y.var() + c2)))
    return np.array(found)


@pytest.mark.parametrize("spread", [0, 5, 30])
@pytest.mark.parametrize("size", [(40, 60), (18, 37), (91, 33)])
def test_structural_similarity_is_that_of_wang_window_by_window(size: tuple[int, int], spread: float) -> None:
    pictures = [textured_frame(1, *size)[..., 0], noisy(textured_frame(1, *size), spread)[..., 0]]
    (windows,) = window_ssim(torch.from_numpy(np.stack(pictures)).float())
    assert windows.numpy() == pytest.approx(ssim_by_definition(*pictures), abs=2e-3)


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 1.0])
def test_the_moving_ratio_is_the_share_of_the_picture_that_changes(share: float) -> None:
    still, other = noisy(grey(120), 40, 1), noisy(grey(120), 40, 2)
    moved = still.copy()
    moved[:, : round(share * WIDTH)] = other[:, : round(share * WIDTH)]
    assert scores_of([still, moved]).moving_ratio[1] == pytest.approx(share, abs=0.05)


def test_figures_of_known_pictures() -> None:
    white_half = grey(0)
    white_half[:, 80:] = 255
    red = np.broadcast_to(np.array([255, 0, 0], np.uint8), (HEIGHT, WIDTH, 3))
    scores = scores_of([grey(128), grey(128), grey(0), noisy(grey(6), 1), white_half, np.asarray(red)])
    assert scores.luma_mean == pytest.approx([128 / 255, 128 / 255, 0, 6 / 255, 0.5, 76 / 255], abs=0.004)
    assert scores.luma_spread[4] == pytest.approx(0.5)
    assert scores.saturation_mean[5] == pytest.approx(1.0, abs=0.01)
    assert scores.is_black.tolist() == [0, 0, 1, 1, 0, 0]
    assert scores.is_frozen.tolist() == [1, 1, 0, 0, 0, 0]
    assert scores.thumbnails[4, :, :16].max() == 0
    assert scores.thumbnails[4, :, 16:].min() == 255
    assert np.abs(scores.chroma[0].astype(int) - 128).max() <= 1
    assert np.abs(scores.rgb[5].astype(int) - [255, 0, 0]).max() <= 2


def test_a_first_frame_put_in_twice_differs_in_nothing_from_the_one_before() -> None:
    scores = scores_of([textured_frame(2, HEIGHT, WIDTH)])
    assert (scores.content_distance[0], scores.histogram_distance[0], scores.moving_ratio[0]) == (0, 0, 0)
    assert scores.structural_similarity[0] == pytest.approx(1.0, abs=1e-6)


def test_a_dark_picture_that_shows_something_is_not_black() -> None:
    picture = grey(5)
    picture[40:50, 60:100] = 120
    scores = scores_of([picture])
    assert scores.luma_mean[0] < ScanConfig().black_luma
    assert scores.is_black[0] == 0


@pytest.mark.parametrize("gain", [0.08, 0.15])
def test_a_dim_scene_is_not_black(gain: float) -> None:
    scores = scores_of([np.asarray(textured_frame(2, HEIGHT, WIDTH) * gain, dtype=np.uint8)])
    assert scores.luma_mean[0] < ScanConfig().black_luma
    assert scores.luma_spread[0] < 0.04
    assert scores.is_black[0] == 0


@pytest.mark.parametrize("level", [0, 8, 16])
@pytest.mark.parametrize("spread", [0, 2, 8])
def test_noise_on_black_is_black(level: int, spread: float) -> None:
    """Sixteen is the black of a video whose range is limited, and that does not say so."""
    assert scores_of([noisy(grey(level), spread)]).is_black[0] == 1


def test_blur_lowers_sharpness_which_is_the_variance_of_the_laplacian() -> None:
    picture = noisy(textured_frame(5, HEIGHT, WIDTH), 10)
    blurred = [np.asarray(cv2.blur(picture, (size, size)), dtype=np.uint8) for size in (1, 3, 7, 15)]
    sharpness = scores_of(blurred).sharpness
    assert list(sharpness) == sorted(sharpness, reverse=True)
    assert sharpness[0] > 10 * sharpness[-1]
    luma = Proxy.of_rgb(0, picture).luma
    by_opencv = cv2.Laplacian(luma, cv2.CV_64F)[1:-1, 1:-1].var()
    assert sharpness[0] == pytest.approx(by_opencv, rel=1e-3)


def test_figures_do_not_depend_on_how_frames_are_batched() -> None:
    frames = [np.asarray(f) for f in moving_crop(textured_frame(4, 300, 400), 70, HEIGHT, WIDTH, pan_px=2.0)]
    proxies = [Proxy.of_rgb(number, frame) for number, frame in enumerate(frames)]
    scorer = Scorer(ScanConfig(), "cpu")
    whole = scorer.score(ProxyBatch.of([proxies[0], *proxies]))
    for at in (1, 33, 69):
        alone = scorer.score(ProxyBatch.of(proxies[at - 1 : at + 1]))
        for name in ("luma_mean", "luma_spread", "sharpness", *PAIRWISE):
            assert getattr(alone, name)[0] == getattr(whole, name)[at], name


@pytest.mark.parametrize("device", DEVICES)
def test_devices_agree_with_double_precision_on_the_cpu(device: str) -> None:
    frames = [
        noisy(f, 3, n) for n, f in enumerate(moving_crop(textured_frame(6, 300, 400), 9, HEIGHT, WIDTH, pan_px=3))
    ]
    scores = scores_of(frames, device)
    proxies = [Proxy.of_rgb(0, f) for f in frames]
    luma = np.stack([p.luma for p in proxies]).astype(float)
    assert scores.luma_mean == pytest.approx(luma.mean(axis=(1, 2)) / 255, abs=1e-4)
    assert scores.luma_spread == pytest.approx(luma.std(axis=(1, 2)) / 255, abs=1e-4)
    ssim = [ssim_by_definition(*pair).mean() for pair in itertools.pairwise(luma)]
    assert scores.structural_similarity[1:] == pytest.approx(ssim, abs=1e-3)
    assert proxies[0].matrix == BT601


def test_a_gpu_that_is_not_there_is_refused_in_one_line() -> None:
    assert resolve_device("cpu") == "cpu"
    assert resolve_device("auto") in ("cpu", "cuda")
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match=r"finds no GPU: install its CUDA build, or set it to cpu"):
            resolve_device("cuda")
