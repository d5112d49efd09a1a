"""What keyframes are chosen from: a clip's usable frame samples, with everything stored about them as arrays.

Shape legend: N = candidates, D = length of an embedding.
Here: gathering that, and filling up a choice that is too small. Not here: the strategies
(`stages.keyframes.by_signals`, `stages.keyframes.by_embeddings`).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from schemas.config import DescribeConfig
from schemas.media import Clip, FrameSample
from schemas.signals import SliceScan
from stages.errors import StageError
from stages.pictures.embedding import Embedder, Embeddings
from stages.pictures.samples import frame_index, samples_in


@dataclass(frozen=True)
class Candidates:
    """The samples of a clip that may become its keyframes, in presentation order, N of them."""

    pts: NDArray[np.int64]
    """(N,) strictly increasing, in ticks."""
    clip: tuple[int, int]
    """`[start, end)` of the clip, in ticks."""
    shots: tuple[tuple[int, int], ...]
    """`[start, end)` of each shot of the clip, in ticks."""
    sharpness: NDArray[np.float32]
    """(N,) variance of the Laplacian."""
    variation: NDArray[np.float32]
    """(N,) mean HSV difference a frame since the candidate before, 0 to 255; 0 for the first."""
    is_slow: NDArray[np.bool_]
    """(N,) slow frames in the sense of Keye-VL-1.5."""
    embeddings: Embeddings
    """(N, D) rows of length 1; (0, 0) where the strategy asks for none."""

    def __len__(self) -> int:
        return len(self.pts)


Positions = list[int]
"""Which candidates: different positions, in the order of preference or of time, as the strategy says."""

Chooser = Callable[[Candidates, int, DescribeConfig], Positions]
"""Chooses at most as many candidates as the second argument says, at least one; there is at least one candidate."""


def usable_samples(clip: Clip, scan: SliceScan) -> tuple[FrameSample, ...]:
    """The samples worth showing: those in a shot that are not black; else any that is not black; else any.

    A sample in a transition shows two shots at once, and one in a fade hardly anything.
    Raises StageError where a sample is none of the decoded frames.
    """
    samples = samples_in(scan, clip.span)
    lit = [sample for sample in samples if not scan.frames.is_black[frame_index(sample, scan, clip.name)]]
    in_shots = [sample for sample in lit if any(shot.span.holds(sample.pts) for shot in clip.shots)]
    black_in_shots = [sample for sample in samples if any(shot.span.holds(sample.pts) for shot in clip.shots)]
    return tuple(in_shots or lit or black_in_shots or samples)


def gather(samples: Sequence[FrameSample], clip: Clip, scan: SliceScan, embedder: Embedder | None) -> Candidates:
    """Everything stored about these samples; `embedder` is None where their embeddings are not needed.

    Raises StageError where the scan measured no signals of a sample.
    """
    frames = [frame_index(sample, scan, clip.name) for sample in samples]
    return Candidates(
        pts=np.array([sample.pts for sample in samples], np.int64),
        clip=(clip.span.start_pts, clip.span.end_pts),
        shots=tuple((shot.span.start_pts, shot.span.end_pts) for shot in clip.shots),
        sharpness=np.array([scan.frames.sharpness[frame] for frame in frames], np.float32),
        variation=_variation(np.asarray(scan.frames.content_distance, np.float32), frames),
        is_slow=_is_slow(samples, clip, scan),
        embeddings=embedder.embed_samples(samples, clip.name) if embedder else np.zeros((0, 0), np.float16),
    )


def filled_up(chosen: Iterable[int], candidates: Candidates, count: int) -> Positions:
    """The positions of a choice, and after them of further candidates, up to `count` in all.

    Each further one is the farthest in time from those before it, the earlier of two.
    """
    positions = list(chosen)
    pts = candidates.pts.astype(np.float64)
    while len(positions) < min(count, len(candidates)):
        if not positions:
            middle = sum(candidates.clip) / 2
            positions.append(int(np.argmin(np.abs(pts - middle))))
            continue
        distance = np.abs(pts[:, None] - pts[positions][None, :]).min(axis=1)
        positions.append(int(np.argmax(distance)))
    return positions


def in_stretch(candidates: Candidates, start: Fraction | int, end: Fraction | int) -> Positions:
    """Positions of the candidates in `[start, end)`, in ticks."""
    return [position for position, pts in enumerate(candidates.pts.tolist()) if start <= pts < end]


def _variation(content_distance: NDArray[np.float32], frames: Sequence[int]) -> NDArray[np.float32]:
    """Means over the frames after one candidate up to the next."""
    total = np.concatenate([[0.0], np.cumsum(content_distance, dtype=np.float64)])
    ends = np.array(frames, np.int64) + 1
    variation = np.zeros(len(frames), np.float32)
    variation[1:] = np.diff(total[ends]) / np.maximum(np.diff(ends), 1)
    return variation


def _is_slow(samples: Sequence[FrameSample], clip: Clip, scan: SliceScan) -> NDArray[np.bool_]:
    slow = dict(zip(scan.samples.pts, scan.samples.is_slow, strict=True))
    unknown = next((sample for sample in samples if sample.pts not in slow), None)
    if unknown is not None:
        raise StageError(f"{clip.name}: the scan measured no signals of the frame sample at pts {unknown.pts}")
    return np.array([slow[sample.pts] for sample in samples], np.bool_)
