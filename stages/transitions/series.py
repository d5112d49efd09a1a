"""A slice as the rules for transitions read it, one row a frame, and a transition in frame numbers.

Here: what the scan keeps of each picture, and putting the series together. Not here: measuring frames
(`stages.scan.scoring`), or the rules (`stages.transitions.detectors` and the modules that it calls).
Shape legend: T = frames, D = pixels of a thumbnail.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.media import TransitionKind
from schemas.signals import FrameSignals, MotionSignals
from schemas.time import TimeBase

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Looks = npt.NDArray[np.float32]

MIN_RAMP_FRAMES = 3
"""Frames inside a fade or dissolve below which a ramp cannot be told from a jump."""
LOOK_SHAPES = {"thumbnails": (18, 32), "chroma": (9, 16, 2), "histograms": (128,), "rgb": (27, 48, 3)}
"""Shapes of what is kept of one frame."""
CHUNK_FRAMES = 500
"""Frames, or candidates that start at them, that are looked at together: bounds the memory."""
FLAT_DEVIATION = 2.0
"""Standard deviation of luma (0 to 255) below which a thumbnail is flat: its structure is noise."""


@dataclass(frozen=True)
class SliceLooks:
    """What the scan keeps of the T pictures of a slice, for finding transitions. Raises ValueError for other shapes."""

    thumbnails: npt.NDArray[np.uint8]
    """(T, 18, 32) luma, full range, area-averaged."""
    chroma: npt.NDArray[np.uint8]
    """(T, 9, 16, 2) Cb and Cr; 128 is colourless."""
    histograms: npt.NDArray[np.float16]
    """(T, 128) hue-saturation histograms that sum to 1."""
    rgb: npt.NDArray[np.uint8] | None = None
    """(T, 27, 48, 3), only for the detectors in `READS_RGB` of `stages.transitions.detectors`."""

    def __post_init__(self) -> None:
        found = {"thumbnails": self.thumbnails.shape, "chroma": self.chroma.shape, "histograms": self.histograms.shape}
        if self.rgb is not None:
            found["rgb"] = self.rgb.shape
        for name, shape in found.items():
            if shape != (len(self.thumbnails), *LOOK_SHAPES[name]):
                raise ValueError(
                    f"{name} of {len(self.thumbnails)} frames must be (T, *{LOOK_SHAPES[name]}), not {shape}"
                )


@dataclass(frozen=True)
class Series:
    """What the rules read, one row a frame."""

    pts: npt.NDArray[np.int64]
    """(T + 1,): one timestamp a frame, and the end of the last."""
    looks: npt.NDArray[np.uint8]
    """(T, D) thumbnails without the pixels that stay black throughout, such as letterbox bars; 0 to 255."""
    thumbnails: npt.NDArray[np.uint8]
    """(T, 18, 32) whole thumbnails."""
    chroma: npt.NDArray[np.uint8]
    """(T, 9, 16, 2) Cb and Cr."""
    is_shown: Flags
    """(9, 16) which places of the picture are not black throughout."""
    histograms: npt.NDArray[np.float16]
    change: Floats
    """(T,) one minus correlation with the thumbnail before, 0 to 2; 1 where either is flat, 0 where both are."""
    content: Floats
    histogram_distance: Floats
    luma: Floats
    """(T,) mean luma, 0 to 1."""
    spread: Floats
    """(T,) standard deviation of luma, 0 to 0.5."""
    detail: Floats
    """(T,) variance of the Laplacian of the thumbnail: too coarse for grain, which no blend takes away."""
    is_frozen: Flags
    camera: MotionSignals
    ticks_per_s: float

    def __len__(self) -> int:
        """Frames."""
        return len(self.looks)

    def length(self, seconds: float) -> int:
        """Frames in `seconds`, at the slice's mean rate."""
        ticks_per_frame = (self.pts[-1] - self.pts[0]) / (len(self.pts) - 1)
        return round(seconds * self.ticks_per_s / float(ticks_per_frame))

    def difference(self, first: int, second: int) -> float:
        """Mean absolute luma difference of two thumbnails, 0 to 255."""
        return float(np.abs(self.looks[first].astype(np.float32) - self.looks[second]).mean())


@dataclass(frozen=True)
class Found:
    """A transition in frame numbers: frame `start` is the first that shows the new shot, `end` the first clean one."""

    kind: TransitionKind
    start: int
    end: int
    score: float
    detector: str
    ends_plain: bool = False
    """Whether it ends in black or white: a cut to the next shot then belongs to it."""


def slice_series(
    looks: SliceLooks, frames: FrameSignals, camera: MotionSignals, end_pts: int, time_base: TimeBase
) -> Series:
    """Puts together what the rules read.

    Args:
        looks: what was kept of the pictures of the slice's T frames.
        frames: the series of the same frames.
        camera: motion between these frames, pairs across cuts included.
        end_pts: end of the last frame, ticks of `time_base`.
        time_base: of all timestamps.
    """
    flat = looks.thumbnails.reshape(len(looks.thumbnails), -1)
    is_used = flat.max(axis=0) > 32
    is_used = is_used if is_used.mean() > 0.2 else np.ones_like(is_used)
    used = flat[:, is_used]
    starts = range(0, len(used), CHUNK_FRAMES)
    chunks = (used[at : at + CHUNK_FRAMES + 1].astype(np.float32) for at in starts)
    return Series(
        pts=np.array([*frames.pts, end_pts], dtype=np.int64),
        looks=used,
        thumbnails=looks.thumbnails,
        chroma=looks.chroma,
        is_shown=is_used.reshape(9, 2, 16, 2).any(axis=(1, 3)),
        histograms=looks.histograms,
        change=np.concatenate([[0.0], *(1 - correlations(chunk[:-1], chunk[1:]) for chunk in chunks)]),
        content=np.asarray(frames.content_distance, dtype=np.float64),
        histogram_distance=np.asarray(frames.histogram_distance, dtype=np.float64),
        luma=np.asarray(frames.luma_mean, dtype=np.float64),
        spread=np.asarray(frames.luma_spread, dtype=np.float64),
        detail=np.concatenate([_detail(looks.thumbnails[at : at + CHUNK_FRAMES]) for at in starts]),
        is_frozen=np.asarray(frames.is_frozen, dtype=bool),
        camera=camera,
        ticks_per_s=float(1 / time_base.fraction),
    )


def _detail(thumbnails: npt.NDArray[np.uint8]) -> Floats:
    """Variance of the discrete Laplacian of each (18, 32) thumbnail."""
    looks = thumbnails.astype(np.float32)
    laplacian = looks[:, :-2, 1:-1] + looks[:, 2:, 1:-1] + looks[:, 1:-1, :-2] + looks[:, 1:-1, 2:]
    laplacian -= 4 * looks[:, 1:-1, 1:-1]
    flat = laplacian.reshape(len(looks), -1)
    return np.asarray(np.einsum("td,td->t", flat, flat) / flat.shape[1] - flat.mean(axis=1) ** 2, dtype=np.float64)


def correlations(first: Looks, second: Looks) -> Floats:
    """Correlation of two (T, D) stacks of thumbnails row by row, (T,); 0 where one of the two is flat, 1 where both."""
    n = first.shape[1]
    means = first.mean(axis=1, dtype=np.float64), second.mean(axis=1, dtype=np.float64)
    squares = (np.einsum("td,td->t", stack, stack, dtype=np.float64) / n for stack in (first, second))
    deviations = [np.sqrt(np.maximum(s - m * m, 0)) for s, m in zip(squares, means, strict=True)]
    is_flat = [deviation < FLAT_DEVIATION for deviation in deviations]
    product = np.einsum("td,td->t", first, second, dtype=np.float64) / n - means[0] * means[1]
    value = product / np.maximum(deviations[0] * deviations[1], 1e-6)
    value = np.where(is_flat[0] | is_flat[1], 0.0, value)
    return np.asarray(np.where(is_flat[0] & is_flat[1], 1.0, value), dtype=np.float64)


def runs(flags: Flags) -> list[tuple[int, int]]:
    """`[start, end)` of each run of true flags."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def gaps(known: Sequence[tuple[int, int]], n_frames: int) -> list[tuple[int, int]]:
    """What lies between known stretches `[start, end)`, which are sorted and do not overlap."""
    starts, ends = [0, *(end for _, end in known)], [*(start for start, _ in known), n_frames]
    return list(zip(starts, ends, strict=True))


def starts_within(
    stretches: Sequence[tuple[int, int]], n_frames: int, step: int, most: int
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Where candidates of `n_frames` frames may start inside stretches `[start, end)`: one every `step` frames.

    Those of all stretches together, for looking at each by itself would cost more than the look.

    Yields:
        (N,) first frames and the (N, 2) stretches that they lie in, at most `most` at once.
    """
    starts = [np.arange(start, end - n_frames + 1, step) for start, end in stretches]
    if not sum(map(len, starts)):
        return
    firsts, limits = np.concatenate(starts), np.repeat(np.array(stretches), [len(each) for each in starts], axis=0)
    for at in range(0, len(firsts), most):
        yield firsts[at : at + most], limits[at : at + most]
