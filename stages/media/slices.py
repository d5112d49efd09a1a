"""The slices that a source is worked in.

Here: where they begin and end, and their records. Not here: the timeline that is divided (`stages.media.content`), or
the division of a slice into shots and clips (`stages.clips.split`).
"""

import math

import numpy as np
from numpy.typing import NDArray

from schemas.media import ListedSource, Slice
from schemas.time import Span
from stages.media.content import Content


def content_slices(listed: ListedSource, sha256: str, content: Content, max_slice_s: float) -> tuple[Slice, ...]:
    """The slices of a source in order: every frame lies in exactly one, and each starts where decoding can start.

    Args:
        listed: the source.
        sha256: of its bytes, in hexadecimal.
        content: its timeline.
        max_slice_s: longest slice; see `slice_bounds`.
    """
    starts = np.union1d(content.pts[:1], content.keyframe_pts[content.keyframe_pts > content.pts[0]])
    bounds = slice_bounds(starts, content.end_pts, content.time_base.ticks(max_slice_s))
    frames = np.searchsorted(content.pts, bounds)
    return tuple(
        Slice(
            slice_id=f"{listed.source_id}-{index:03d}",
            source_id=listed.source_id,
            uri=listed.uri,
            name=listed.name,
            content_sha256=sha256,
            index=index,
            n_slices=len(bounds) - 1,
            span=Span(start_pts=bounds[index], end_pts=bounds[index + 1], time_base=content.time_base),
            n_frames=int(frames[index + 1] - frames[index]),
        )
        for index in range(len(bounds) - 1)
    )


def slice_bounds(keyframe_pts: NDArray[np.int64], end_pts: int, max_ticks: int) -> list[int]:
    """Where slices begin and end: keyframes at most `max_ticks` apart, about evenly spread, and the end.

    A slice is longer only where no keyframe lies within reach; then it ends at the next one.

    Args:
        keyframe_pts: strictly increasing ticks of shape (keyframes,); the first is where the source starts.
        end_pts: where it ends.
        max_ticks: longest slice.
    """
    bounds = [int(keyframe_pts[0])]
    while (rest := end_pts - bounds[-1]) > max_ticks:
        ahead = keyframe_pts[keyframe_pts > bounds[-1]]
        if not len(ahead):
            break
        within = ahead[ahead <= bounds[-1] + max_ticks]
        target = bounds[-1] + rest / math.ceil(rest / max(1, max_ticks))
        bounds.append(int(within[np.abs(within - target).argmin()] if len(within) else ahead[0]))
    return [*bounds, end_pts]
