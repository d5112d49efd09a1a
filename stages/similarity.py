"""What one frame looks like and how far it is from the one before: luma, colour, structure, patches.

Shape legend: H, W = proxy height and width. Here: measures on proxies and the per-frame series they make.
Not here: camera motion (`stages.motion`), deciding what is a cut (`stages.transitions`).
"""

from array import array
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from schemas.config import ScanConfig
from schemas.signals import FrameSignals
from stages.proxies import Image, Proxy

FloatImage = npt.NDArray[np.float32]
FloatPatches = npt.NDArray[np.float32]
Histogram = npt.NDArray[np.float32]
"""(128,) float32 that sums to 1: 16 hue bins by 8 saturation bins."""

HISTOGRAM_BINS = (16, 8)
MIN_COLOUR_VALUE = 24
"""HSV value below which hue and saturation are noise: such pixels count as colourless. Ours."""
BLACK_MAX_SPREAD = 0.04
"""Standard deviation of luma (0 to 1) above which a dark frame shows something. Ours."""
PATCH_PIXELS = 28
"""Side of a patch (Keye-VL-1.5)."""
PATCH_COLUMNS = 8
"""Patches across the picture. The published rule leaves the picture's size open; this many across is ours."""

_SSIM_C1, _SSIM_C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_SSIM_SIGMA, _SSIM_RADIUS = 1.5, 5


def hs_histogram(hsv: Image) -> Histogram:
    """Joint hue-saturation histogram of an (H, W, 3) uint8 OpenCV HSV picture; its 128 bins sum to 1.

    Pixels too dark to have a colour are counted as colourless (ours): their hue would be noise.
    """
    coloured = cv2.inRange(hsv, (0, 0, MIN_COLOUR_VALUE), (255, 255, 255))
    counts = cv2.calcHist([hsv], [0, 1], coloured, list(HISTOGRAM_BINS), [0, 180, 0, 256]).ravel()
    n_pixels = hsv.shape[0] * hsv.shape[1]
    counts[0] += n_pixels - cv2.countNonZero(coloured)
    return np.asarray(counts / n_pixels, dtype=np.float32)


def histogram_intersection(first: Histogram, second: Histogram) -> float:
    """Share of two histograms that overlaps, 0 to 1."""
    return float(min(1.0, np.minimum(first, second).sum()))


def content_distance(first_hsv: Image, second_hsv: Image) -> float:
    """Mean absolute difference of hue, saturation and value, 0 to 255: PySceneDetect's ContentDetector figure.

    Hue is compared without its wrap-around, as PySceneDetect does, so that its thresholds keep their meaning.
    """
    return float(cv2.norm(first_hsv, second_hsv, cv2.NORM_L1)) / first_hsv.size


class StructuralSimilarity:
    """SSIM of each luma picture with the one before (Wang et al. 2004), 11x11 Gaussian window, mean over the picture.

    The statistics of a picture are kept for the next call, so that each is blurred once.
    """

    def __init__(self) -> None:
        self._last: tuple[FloatImage, FloatImage, FloatImage] | None = None

    def next(self, luma: Image) -> float:
        """SSIM of `luma`, (H, W) uint8 with H, W > 10, with the picture of the last call; 1 on the first."""
        picture = luma.astype(np.float32)
        mean = _blur(picture)
        variance = _blur(picture * picture) - mean * mean
        last, self._last = self._last, (picture, mean, variance)
        if last is None:
            return 1.0
        last_picture, last_mean, last_variance = last
        product = mean * last_mean
        covariance = _blur(picture * last_picture) - product
        above = (2 * product + _SSIM_C1) * (2 * covariance + _SSIM_C2)
        below = (mean * mean + last_mean * last_mean + _SSIM_C1) * (variance + last_variance + _SSIM_C2)
        return float(np.clip(np.mean(above / below), -1.0, 1.0))


def _blur(picture: FloatImage) -> FloatImage:
    """Gaussian means where the whole window lies inside the picture."""
    size = (2 * _SSIM_RADIUS + 1, 2 * _SSIM_RADIUS + 1)
    blurred = cv2.GaussianBlur(picture, size, _SSIM_SIGMA)
    return np.asarray(blurred[_SSIM_RADIUS:-_SSIM_RADIUS, _SSIM_RADIUS:-_SSIM_RADIUS], dtype=np.float32)


def hsv_patches(hsv: Image) -> FloatPatches:
    """The 28x28 patches of an (H, W, 3) uint8 HSV picture, each scaled to length 1; a black patch is all zeros.

    The picture is first brought to 8 patches across and as many rows as keep them square (ours). Returns
    (P, 2352) float32.
    """
    rows = max(1, round(PATCH_COLUMNS * hsv.shape[0] / hsv.shape[1]))
    size = (PATCH_COLUMNS * PATCH_PIXELS, rows * PATCH_PIXELS)
    # Nearest neighbour: hue is an angle, and the mean of two hues may be a third colour.
    picture = cv2.resize(hsv, size, interpolation=cv2.INTER_NEAREST).astype(np.float32)
    grid = picture.reshape(rows, PATCH_PIXELS, PATCH_COLUMNS, PATCH_PIXELS * 3).swapaxes(1, 2)
    patches = grid.reshape(rows * PATCH_COLUMNS, PATCH_PIXELS * PATCH_PIXELS * 3)
    lengths = np.sqrt(np.einsum("pi,pi->p", patches, patches))
    return np.asarray(patches / np.maximum(lengths, 1.0)[:, None], dtype=np.float32)


def patch_similarity(first: FloatPatches, second: FloatPatches, threshold: float) -> float:
    """Share of patches from `hsv_patches` whose cosine exceeds `threshold`, 0 to 1 (Keye-VL-1.5).

    Patches black in both pictures are ignored; where that leaves none the pictures are the same, and the share is 1.
    A patch black in one picture only has cosine 0: it has changed.
    """
    is_counted = first.any(axis=1) | second.any(axis=1)
    if not is_counted.any():
        return 1.0
    cosines = np.einsum("pi,pi->p", first, second)
    return float(np.mean(cosines[is_counted] > threshold))


class SlowFrames:
    """Tells slow from fast frames: a frame is slow where too few patches match the last slow frame (Keye-VL-1.5)."""

    def __init__(self, config: ScanConfig) -> None:
        self._patch_threshold = config.patch_similarity
        self._frame_threshold = config.slow_frame_similarity
        self._last_slow: FloatPatches | None = None

    def next(self, hsv: Image) -> tuple[float, bool]:
        """Similarity of an (H, W, 3) HSV proxy to the last slow frame, and whether it is slow; the first one is."""
        patches = hsv_patches(hsv)
        if self._last_slow is None:
            self._last_slow = patches
            return 1.0, True
        similarity = patch_similarity(self._last_slow, patches, self._patch_threshold)
        is_slow = similarity < self._frame_threshold
        if is_slow:
            self._last_slow = patches
        return similarity, is_slow


@dataclass(frozen=True)
class _Last:
    proxy: Proxy
    histogram: Histogram


class FrameMeter:
    """Collects the per-frame series of one slice, proxy by proxy, in a few dozen bytes a frame."""

    def __init__(self, config: ScanConfig) -> None:
        self._config = config
        self._structure = StructuralSimilarity()
        self._slow_frames = SlowFrames(config)
        self._last: _Last | None = None
        self._pts = array("q")
        self._series = {name: array("f") for name in FrameSignals.model_fields if name != "pts"}

    def add(self, proxy: Proxy) -> Histogram:
        """Measures the next frame. Returns its hue-saturation histogram, (128,) float32."""
        histogram = hs_histogram(proxy.hsv)
        patches, is_slow = self._slow_frames.next(proxy.hsv)
        values = self._look(proxy) | self._change(proxy, histogram)
        values |= {"patch_similarity": patches, "is_slow": is_slow}
        self._pts.append(proxy.pts)
        for name, series in self._series.items():
            series.append(values[name])
        self._last = _Last(proxy, histogram)
        return histogram

    def signals(self) -> FrameSignals:
        """The series collected so far."""
        return FrameSignals(pts=self._pts, **self._series)

    def _look(self, proxy: Proxy) -> dict[str, float]:
        mean, deviation = cv2.meanStdDev(proxy.luma)
        luma, spread = mean.item() / 255.0, deviation.item() / 255.0
        _, sharpness = cv2.meanStdDev(cv2.Laplacian(proxy.luma, cv2.CV_16S))
        return {
            "luma_mean": luma,
            "luma_spread": spread,
            "saturation_mean": cv2.mean(proxy.hsv)[1] / 255.0,
            "sharpness": sharpness.item() ** 2,
            "is_black": luma < self._config.black_luma and spread < BLACK_MAX_SPREAD,
        }

    def _change(self, proxy: Proxy, histogram: Histogram) -> dict[str, float]:
        similarity = self._structure.next(proxy.luma)
        if self._last is None:
            names = ("content_distance", "histogram_distance", "is_frozen")
            return {"structural_similarity": similarity} | dict.fromkeys(names, 0.0)
        difference = float(cv2.norm(proxy.luma, self._last.proxy.luma, cv2.NORM_L1)) / proxy.luma.size
        return {
            "content_distance": content_distance(proxy.hsv, self._last.proxy.hsv),
            "histogram_distance": 1.0 - histogram_intersection(histogram, self._last.histogram),
            "structural_similarity": similarity,
            "is_frozen": difference < self._config.frozen_difference,
        }
