"""The signals of a clip as short series for plots: as many points as a screen shows, with peaks kept.

Here: cutting out and thinning. Not here: the plot (`data_cards.report`).
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from schemas.media import Clip
from schemas.signals import SliceScan

MAX_POINTS = 240

Plotted = tuple[str, str, tuple[float, ...], tuple[float, ...]]
"""Name, unit, times in seconds on the source's timeline, values."""


def clip_series(scan: SliceScan, clip: Clip) -> Iterator[Plotted]:
    """The clip's luma, change, similarity, camera and subject motion; each at most `MAX_POINTS` long."""
    pts = np.asarray(scan.frames.pts, dtype=np.int64)
    inside = np.flatnonzero((pts >= clip.span.start_pts) & (pts < clip.span.end_pts))
    seconds = pts * float(clip.span.time_base.fraction)
    # The first frame's difference is from the frame before the clip, which is none of the clip's business.
    for name, unit, series, frames in (
        ("luma", "0 to 1", scan.frames.luma_mean, inside),
        ("content distance", "0 to 255", scan.frames.content_distance, inside[1:]),
        ("similarity", "SSIM", scan.frames.structural_similarity, inside[1:]),
    ):
        yield name, unit, *_thinned(seconds[frames], np.asarray(series)[frames])
    starts = np.asarray(scan.motion.start_pts, dtype=np.int64)
    ends = np.asarray(scan.motion.end_pts, dtype=np.int64)
    inside = np.flatnonzero((starts >= clip.span.start_pts) & (ends <= clip.span.end_pts))
    middles = ((starts + ends) / 2)[inside] * float(clip.span.time_base.fraction)
    camera = np.hypot(scan.motion.pan_widths_per_s, scan.motion.tilt_heights_per_s)[inside]
    yield "camera motion", "widths per s", *_thinned(middles, camera)
    subject = np.asarray(scan.motion.subject_motion_widths_per_s)[inside]
    yield "subject motion", "widths per s", *_thinned(middles, subject)


def _thinned(
    times_s: npt.NDArray[np.floating], values: npt.NDArray[np.floating]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Of each run of points keep the lowest and the highest, in order, so that a peak of one frame survives."""
    if len(values) <= MAX_POINTS:
        kept = np.arange(len(values))
    else:
        runs = np.array_split(np.arange(len(values)), MAX_POINTS // 2)
        kept = np.unique([run[pick] for run in runs for pick in (values[run].argmin(), values[run].argmax())])
    return tuple(times_s[kept].round(4).tolist()), tuple(values[kept].astype(float).round(5).tolist())
