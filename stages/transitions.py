"""Where one shot gives way to the next: collecting what the search needs, hard cuts, and all transitions in order.

Here: PySceneDetect's cuts, kept where the picture really changes, and structural cuts, a rule of ours. Not here:
measuring frames (`stages.similarity`), fades (`stages.fades`), dissolves (`stages.blends`), or making shots of it all.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from scenedetect import FrameTimecode
from scenedetect.detectors import AdaptiveDetector

from schemas.config import ScanConfig
from schemas.media import Transition
from schemas.signals import FrameSignals, MotionSignals
from schemas.time import Span, TimeBase
from stages.blends import find_dissolves
from stages.fades import find_fades
from stages.proxies import Proxy
from stages.series import Found, Series, slice_series
from stages.similarity import Histogram, histogram_intersection

FLASH_S = 0.1
"""A change that is undone within this time is a flash or a damaged frame, not a cut."""
FLASH_RETURN = 0.4
"""A change is undone where the pictures around it differ by less than this share of the change itself."""
HELD_S = 0.5
"""Changes within this time, pictures held between them, are compared with each other:"""
HELD_MAX_RATIO = 2.0
"""one that exceeds their median by this factor is a cut,"""
HELD_MAX_CHANGE = 0.5
"""and so is one after which the picture (one minus correlation) is another altogether."""
LIGHTING_CORRELATION = 0.95
"""Above this correlation of thumbnails, and below this histogram distance, only the light changed, not the shot."""
LIGHTING_HISTOGRAM_DISTANCE = 0.2
STRUCTURE_MIN_CHANGE = 0.3
"""One minus correlation of thumbnails: a lone peak this high is a cut even where colour hardly changes,"""
STRUCTURE_MIN_RATIO = 4.0
"""if it is this many times the largest change within `STRUCTURE_WINDOW` frames,"""
STRUCTURE_MIN_CONTENT = 4.0
"""and the content distance (0 to 255) is at least this: below lies noise on a dark or flat picture."""
STRUCTURE_WINDOW = 4


class TransitionFinder:
    """Collects what finding transitions needs while a slice is decoded (about a kilobyte a frame), then finds them."""

    def __init__(self, time_base: TimeBase, config: ScanConfig) -> None:
        self._time_base, self._config = time_base, config
        self._adaptive = AdaptiveDetector(
            adaptive_threshold=config.cut_adaptive_threshold,
            min_content_val=config.cut_min_content,
            window_width=config.cut_window_frames,
            min_scene_len=1,
        )
        self._cuts: list[int] = []
        self._thumbnails: list[npt.NDArray[np.uint8]] = []
        self._histograms: list[npt.NDArray[np.float16]] = []

    def add(self, proxy: Proxy, histogram: Histogram) -> None:
        """Takes the next frame of the slice and its hue-saturation histogram."""
        # The detector counts frames; exact timestamps are looked up by frame number, so any rate will do.
        found = self._adaptive.process_frame(FrameTimecode(len(self._thumbnails), 25.0), proxy.bgr)
        self._cuts += [cut.frame_num for cut in found]
        self._thumbnails.append(proxy.thumbnail)
        self._histograms.append(histogram.astype(np.float16))

    def transitions(self, frames: FrameSignals, camera: MotionSignals, end_pts: int) -> tuple[Transition, ...]:
        """All transitions of the slice, in order, without overlap.

        Args:
            frames: the series of the same frames.
            camera: motion between frames of the slice, pairs across cuts included.
            end_pts: end of the last frame, ticks.
        """
        thumbnails, histograms = np.stack(self._thumbnails), np.stack(self._histograms).astype(np.float32)
        series = slice_series(frames, camera, thumbnails, histograms, end_pts, self._time_base)
        cuts = _cuts(series, self._cuts)
        fades = find_fades(series, [cut.start for cut in cuts], self._config)
        sharp = [cut for cut in cuts if not any(fade.start <= cut.start <= fade.end for fade in fades)]
        found = sorted([*sharp, *fades, *find_dissolves(series, [*sharp, *fades], self._config)], key=lambda f: f.start)
        return tuple(self._transition(series, one) for one in found)

    def _transition(self, series: Series, found: Found) -> Transition:
        start, end = int(series.pts[found.start]), int(series.pts[found.end])
        before, after = max(found.start - 1, 0), min(found.end, len(series.looks) - 1)
        return Transition(
            kind=found.kind,
            span=Span(start_pts=start, end_pts=end, time_base=self._time_base),
            score=found.score,
            similarity=histogram_intersection(series.histograms[before], series.histograms[after]),
            detector=found.detector,
        )


def _cuts(series: Series, adaptive: Iterable[int]) -> list[Found]:
    """Hard cuts: the detector's and the structural ones, without flashes and changes of light."""
    is_light = series.change < 1 - LIGHTING_CORRELATION
    is_light &= series.histogram_distance < LIGHTING_HISTOGRAM_DISTANCE
    detector = dict.fromkeys(_structural_cuts(series), "reelproof.structure")
    detector |= dict.fromkeys(adaptive, "pyscenedetect.adaptive")
    frames = [frame for frame in sorted(detector) if not is_light[frame] and not _is_flash(series, frame)]
    frames = [frame for frame in frames if not _is_held_motion(series, frame)]
    # Where a frame mixes both sides of a cut, both of its edges are found; the first shows the new shot.
    firsts = [frame for frame in frames if frame - 1 not in frames or _is_own_shot(series, frame)]
    return [Found("cut", frame, frame, float(series.content[frame]), detector[frame]) for frame in firsts]


def _structural_cuts(series: Series) -> list[int]:
    """Frames whose picture stands alone in how little it resembles the one before."""
    padded = np.pad(series.change, STRUCTURE_WINDOW)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * STRUCTURE_WINDOW + 1).copy()
    windows[:, STRUCTURE_WINDOW] = 0
    is_cut = series.change > STRUCTURE_MIN_CHANGE
    is_cut &= series.change > STRUCTURE_MIN_RATIO * windows.max(axis=1)
    is_cut &= series.content > STRUCTURE_MIN_CONTENT
    return [int(frame) for frame in np.nonzero(is_cut)[0]]


def _difference(series: Series, first: int, second: int) -> float:
    """Mean absolute luma difference of two thumbnails, 0 to 255."""
    return float(np.abs(series.looks[first].astype(np.float32) - series.looks[second]).mean())


def _is_flash(series: Series, frame: int) -> bool:
    """Whether the picture before `frame` comes back within `FLASH_S` of a change at or shortly before `frame`."""
    reach = max(1, series.length(FLASH_S))
    change = _difference(series, frame - 1, frame)
    pairs = ((last, last + gap) for gap in range(2, reach + 2) for last in range(frame - gap, frame))
    return any(
        _difference(series, last, back) < FLASH_RETURN * change
        for last, back in pairs
        if last >= 0 and back < len(series.looks)
    )


def _is_held_motion(series: Series, frame: int) -> bool:
    """Whether the change is one of several alike between held pictures, as where a low frame rate was filled up."""
    reach = series.length(HELD_S)
    near = np.arange(max(1, frame - reach), min(len(series.looks), frame + reach + 1))
    steps = series.content[near[(near != frame) & ~series.is_frozen[near]]]
    if not series.is_frozen[max(0, frame - 1)] or len(steps) < 2:
        return False
    return bool(series.change[frame] < HELD_MAX_CHANGE and series.content[frame] < HELD_MAX_RATIO * np.median(steps))


def _is_own_shot(series: Series, frame: int) -> bool:
    """Whether the single frame before the cut at `frame` is a picture of its own, not a mix of its neighbours."""
    if frame < 2:
        return False
    before, middle, after = series.looks[frame - 2 : frame + 1].astype(np.float32)
    step = after - before
    weight = float(np.clip((middle - before) @ step / max(float(step @ step), 1e-6), 0, 1))
    rest = middle - before - weight * step
    return float(rest @ rest) > 0.25 * float(step @ step)
