"""Where one shot gives way to the next: all transitions of a slice, from what its scan keeps.

Here: the detectors by name, and putting cuts, fades, wipes and dissolves in order. Not here: measuring frames
(`stages.scan.scoring`), the rules for each kind (`stages.transitions.cuts`, `stages.transitions.fades`,
`stages.transitions.wipes`, `stages.transitions.blends`), or making shots of it all (`stages.clips.split`).
"""

from collections.abc import Callable

import cv2
import numpy as np
from scenedetect import FrameTimecode
from scenedetect.detectors import AdaptiveDetector

from schemas.config import ScanConfig
from schemas.media import Transition
from schemas.signals import FrameSignals, MotionSignals
from schemas.time import Span, TimeBase
from stages.transitions.blends import find_dissolves
from stages.transitions.cuts import find_cuts
from stages.transitions.fades import find_fades
from stages.transitions.fusion import fuse
from stages.transitions.light import find_blazes
from stages.transitions.series import Found, Series, SliceLooks, slice_series
from stages.transitions.transnet import transnet_scores
from stages.transitions.wipes import find_wipes


def find_transitions(
    looks: SliceLooks,
    frames: FrameSignals,
    camera: MotionSignals,
    end_pts: int,
    time_base: TimeBase,
    config: ScanConfig,
    device: str = "cpu",
) -> tuple[Transition, ...]:
    """All transitions of a slice, in order, without overlap.

    Args:
        looks: what the scan kept of the slice's pictures; with `rgb` where `config.shot_detector` is in `READS_RGB`.
        frames: the series of the same frames.
        camera: motion between frames of the slice, pairs across cuts included.
        end_pts: end of the last frame, ticks.
        time_base: of all timestamps.
        config: the detector and its thresholds.
        device: where a network runs: `cpu` or `cuda`.

    Raises:
        StageError: the detector's package is not installed.
        ValueError: the detector reads RGB pictures, and there are none.
    """
    series = slice_series(looks, frames, camera, end_pts, time_base)
    found = DETECTORS[config.shot_detector](series, looks, config, device)
    return tuple(_transition(series, one, time_base) for one in found)


def find_by_signals(series: Series, config: ScanConfig) -> list[Found]:
    """Transitions by rules on the cheap signals alone, in order."""
    blazes = find_blazes(series)
    cuts = [cut for cut in find_cuts(series, config) if not any(start <= cut.start <= end for start, end in blazes)]
    fades = find_fades(series, [cut.start for cut in cuts], config)
    found = [cut for cut in cuts if not any(f.start <= cut.start < f.end + f.ends_plain for f in fades)]
    found += fades
    found += find_wipes(series, _stretches(found, blazes), config)
    found += find_dissolves(series, _stretches(found, blazes), config)
    return sorted(found, key=lambda one: one.start)


def _by_signals(series: Series, _: SliceLooks, config: ScanConfig, __: str) -> list[Found]:
    return find_by_signals(series, config)


def _by_transnet(series: Series, looks: SliceLooks, config: ScanConfig, device: str) -> list[Found]:
    return fuse(series, find_by_signals(series, config), transnet_scores(_rgb(looks), device), config)


def _by_pyscenedetect(series: Series, looks: SliceLooks, config: ScanConfig, _: str) -> list[Found]:
    """What PySceneDetect's AdaptiveDetector says of the small pictures."""
    detector = AdaptiveDetector(
        adaptive_threshold=config.cut_adaptive_threshold,
        min_content_val=config.cut_min_content,
        window_width=config.cut_window_frames,
        min_scene_len=1,
    )
    # The detector counts frames; exact timestamps are looked up by frame number, so any rate will do.
    pictures = (cv2.cvtColor(picture, cv2.COLOR_RGB2BGR) for picture in _rgb(looks))
    cuts = [cut for n, bgr in enumerate(pictures) for cut in detector.process_frame(FrameTimecode(n, 25.0), bgr)]
    places = [int(cut.frame_num) for cut in cuts]
    return [Found("cut", at, at, float(series.content[at]), "pyscenedetect.adaptive") for at in places]


Detector = Callable[[Series, SliceLooks, ScanConfig, str], list[Found]]
"""Finds the transitions of a slice, in order, without overlap."""

DETECTORS: dict[str, Detector] = {
    "signals": _by_signals, "transnetv2": _by_transnet, "pyscenedetect": _by_pyscenedetect,
}  # fmt: skip
"""By the name that `scan.shot_detector` gives."""
READS_RGB = frozenset({"transnetv2", "pyscenedetect"})
"""Detectors that need `SliceLooks.rgb`."""


def _rgb(looks: SliceLooks) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    if looks.rgb is None:
        raise ValueError(f"detectors {sorted(READS_RGB)} need the RGB pictures of the slice")
    return looks.rgb


def _stretches(found: list[Found], blazes: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """What a gradual transition may not reach into, in order, as `[start, end)`; overlapping stretches are joined."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted([*((one.start, one.end) for one in found), *blazes]):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def _transition(series: Series, found: Found, time_base: TimeBase) -> Transition:
    before, after = max(found.start - 1, 0), min(found.end, len(series) - 1)
    shared = np.minimum(series.histograms[before], series.histograms[after]).sum(dtype=np.float64)
    return Transition(
        kind=found.kind,
        span=Span(start_pts=int(series.pts[found.start]), end_pts=int(series.pts[found.end]), time_base=time_base),
        score=found.score,
        similarity=float(np.clip(shared, 0.0, 1.0)),
        detector=found.detector,
    )
