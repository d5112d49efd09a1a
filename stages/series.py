"""A slice as the rules for transitions read it, one row a frame, and a transition in frame numbers.

Here: putting the series together from signals and thumbnails. Not here: measuring frames (`stages.similarity`), or the
rules (`stages.transitions`, `stages.fades`, `stages.blends`). Shape legend: T = frames, D = pixels of a thumbnail.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.media import TransitionKind
from schemas.signals import FrameSignals, MotionSignals
from schemas.time import TimeBase

Floats = npt.NDArray[np.float64]
Looks = npt.NDArray[np.float32]

MIN_RAMP_FRAMES = 3
"""Frames inside a fade or dissolve below which a ramp cannot be told from a jump."""
CHUNK_FRAMES = 2000
"""Frames, or candidates that start at them, that are looked at together: bounds the memory."""


@dataclass(frozen=True)
class Series:
    """What the rules read, one row a frame."""

    pts: npt.NDArray[np.int64]
    """(T + 1,): one timestamp a frame, and the end of the last."""
    looks: npt.NDArray[np.uint8]
    """(T, D) thumbnails without the pixels that stay black throughout, such as letterbox bars; 0 to 255."""
    histograms: Looks
    change: Floats
    """(T,) one minus correlation with the thumbnail before, 0 to 2; 1 where either is flat, 0 where both are."""
    content: Floats
    histogram_distance: Floats
    level: Floats
    """(T,) root mean square luma, 0 to 1."""
    variance: Floats
    """(T,) variance of luma, 0 to 255 scale."""
    detail: Floats
    """(T,) variance of the Laplacian of the thumbnail: too coarse for grain, which no blend takes away."""
    is_black: npt.NDArray[np.bool_]
    is_frozen: npt.NDArray[np.bool_]
    camera: MotionSignals
    ticks_per_s: float

    def length(self, seconds: float) -> int:
        """Frames in `seconds`, at the slice's mean rate."""
        ticks_per_frame = (self.pts[-1] - self.pts[0]) / (len(self.pts) - 1)
        return round(seconds * self.ticks_per_s / float(ticks_per_frame))


@dataclass(frozen=True)
class Found:
    """A transition in frame numbers: frame `start` is the first that shows the new shot, `end` the first clean one."""

    kind: TransitionKind
    start: int
    end: int
    score: float
    detector: str


def slice_series(
    frames: FrameSignals,
    camera: MotionSignals,
    thumbnails: npt.NDArray[np.uint8],
    histograms: Looks,
    end_pts: int,
    time_base: TimeBase,
) -> Series:
    """Puts together what the rules read.

    Args:
        frames: the series of the slice's T frames.
        camera: motion between these frames, pairs across cuts included.
        thumbnails: (T, 18, 32) luma, 0 to 255.
        histograms: hue-saturation histograms, one row a frame.
        end_pts: end of the last frame, ticks of `time_base`.
        time_base: of all timestamps.
    """
    looks = thumbnails.reshape(len(thumbnails), -1)
    is_used = looks.max(axis=0) > 32
    looks = looks[:, is_used] if is_used.mean() > 0.2 else looks
    starts = range(0, len(looks), CHUNK_FRAMES)
    chunks = (looks[at : at + CHUNK_FRAMES + 1].astype(np.float32) for at in starts)
    spread = np.asarray(frames.luma_spread)
    return Series(
        pts=np.array([*frames.pts, end_pts], dtype=np.int64),
        looks=looks,
        histograms=histograms,
        change=np.concatenate([[0.0], *(1 - correlations(chunk[:-1], chunk[1:]) for chunk in chunks)]),
        content=np.asarray(frames.content_distance),
        histogram_distance=np.asarray(frames.histogram_distance),
        level=np.hypot(frames.luma_mean, spread),
        variance=(255 * spread) ** 2,
        detail=np.concatenate([_detail(thumbnails[at : at + CHUNK_FRAMES]) for at in starts]),
        is_black=np.asarray(frames.is_black),
        is_frozen=np.asarray(frames.is_frozen),
        camera=camera,
        ticks_per_s=float(1 / time_base.fraction),
    )


def _detail(thumbnails: npt.NDArray[np.uint8]) -> Floats:
    """Variance of the discrete Laplacian of each (18, 32) thumbnail."""
    looks = thumbnails.astype(np.int16)
    inner = looks[:, 1:-1, 1:-1]
    laplacian = looks[:, :-2, 1:-1] + looks[:, 2:, 1:-1] + looks[:, 1:-1, :-2] + looks[:, 1:-1, 2:] - 4 * inner
    return np.asarray(laplacian.reshape(len(looks), -1).var(axis=1, dtype=np.float32), dtype=np.float64)


def correlations(first: Looks, second: Looks) -> Floats:
    """Correlation of two (T, D) stacks of thumbnails row by row, (T,); 0 where one of the two is flat, 1 where both."""
    first, second = first - first.mean(axis=1, keepdims=True), second - second.mean(axis=1, keepdims=True)
    deviations = first.std(axis=1), second.std(axis=1)
    is_flat = deviations[0] < 2, deviations[1] < 2
    value = (first * second).mean(axis=1) / np.maximum(deviations[0] * deviations[1], 1e-6)
    value = np.where(is_flat[0] | is_flat[1], 0.0, value)
    return np.where(is_flat[0] & is_flat[1], 1.0, value).astype(np.float64)
