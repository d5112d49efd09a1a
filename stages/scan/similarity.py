"""Slow and fast frames (Keye-VL-1.5), and how alike two histograms are.

Here: patches of frame samples, and the rule that reads them. Not here: what is measured on every frame
(`stages.scan.scoring`), camera motion (`stages.camera.motion`), deciding what is a cut
(`stages.transitions.detectors`).
"""

import cv2
import numpy as np
import numpy.typing as npt

from schemas.config import ScanConfig
from stages.scan.proxies import Image

FloatPatches = npt.NDArray[np.float32]
Histogram = npt.NDArray[np.float32]
"""(128,) float32 that sums to 1: 16 hue bins by 8 saturation bins."""


PATCH_PIXELS = 28
"""Side of a patch (Keye-VL-1.5)."""
PATCH_COLUMNS = 8
"""Patches across the picture. The published rule leaves the picture's size open; this many across is ours."""


def histogram_intersection(first: Histogram, second: Histogram) -> float:
    """Share of two histograms that overlaps, 0 to 1."""
    return float(min(1.0, np.minimum(first, second).sum()))


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
