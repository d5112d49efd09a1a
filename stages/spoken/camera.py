"""What is said of the camera, held against its motion: by segments of one motion, and by how far it travels at most.

Here: the check and the travel. Not here: measuring motion (`stages.camera.motion`), or terms (`stages.camera.terms`).
The rule is ours: words such as `slowly pans left` are denied only where the camera nowhere gets far in that direction.
"""

import numpy as np
from numpy.typing import NDArray

from schemas.time import Span
from stages.evidence.measurements import Finding, Measurements
from stages.spoken.forms import Said

MIN_KNOWN_SHARE = 0.8
"""Ours: share of the time for which the camera's motion must be known for words about it to be contradicted."""
_SERIES = {
    "pan": "pan_widths_per_s", "tilt": "tilt_heights_per_s", "zoom": "zoom_per_s", "roll": "roll_degrees_per_s",
}  # fmt: skip
_POSITIVE = ("pan_right", "tilt_up", "zoom_in", "roll_clockwise")
_NEGATIVE = ("pan_left", "tilt_down", "zoom_out", "roll_counterclockwise")
_MOVING = ("pan_", "tilt_", "zoom_", "roll_")


def check_said_camera(said: Said, span: Span, measurements: Measurements) -> Finding:
    """Whether the camera does, at some time of the span, what is said; `static` is said of all of it."""
    term = said.claim.text or ""
    if term == "static":
        return _check_static(span, measurements)
    seen = [s for shot in measurements.camera for s in shot if s.term == term and s.span.overlap_s(span) > 0]
    travel, known = greatest_travel(term, span, measurements)
    limit = _limit(term, measurements)
    reason = f"the camera travels at most {travel:.3f} that way, {limit:g} would be seen"
    if seen:
        return Finding("confirmed", f"{term} is measured there; {reason}", travel, term, limit)
    main, config = _main_term(span, measurements), measurements.config
    most = config.words_max_subject_ratio_opposite if main == _opposite(term) else config.words_max_subject_ratio
    if travel >= limit or known < MIN_KNOWN_SHARE or _subject_ratio(span, measurements) > most:
        return Finding("unchecked", reason, travel, main, limit)
    return Finding("contradicted", reason, travel, main, limit)


def _check_static(span: Span, measurements: Measurements) -> Finding:
    segments = [(s, s.span.overlap_s(span)) for shot in measurements.camera for s in shot]
    total = sum(overlap for _, overlap in segments)
    if total <= 0:
        return Finding("unchecked", "no motion was measured there")
    moving = sum(overlap for s, overlap in segments if s.term.startswith(_MOVING)) / total
    still = sum(overlap for s, overlap in segments if s.term == "static") / total
    limit = measurements.config.words_min_moving_share
    reason = f"the camera clearly moves for {moving:.0%} of the time and is static for {still:.0%}"
    if moving >= limit and _subject_ratio(span, measurements) <= measurements.config.words_max_subject_ratio_opposite:
        return Finding("contradicted", reason, moving, _main_term(span, measurements), limit)
    return Finding("confirmed" if still > 0.99 else "unchecked", reason, moving, threshold=limit)


def greatest_travel(term: str, span: Span, measurements: Measurements) -> tuple[float, float]:
    """How far the camera gets that way on any stretch within one shot of the span, and the share of time it is known.

    The travel is in picture widths or heights, natural logarithm of scale, or degrees.
    """
    farthest, known_s, total_s = 0.0, 0.0, 0.0
    for shot in measurements.shots:
        inside = shot.clamp(span)
        if inside is None:
            continue
        total_s += inside.duration_s
        steps, seconds = _steps(term, inside, measurements)
        known_s += seconds
        # The largest sum of consecutive steps (Kadane).
        run = 0.0
        for step in steps:
            run = max(0.0, run + float(step))
            farthest = max(farthest, run)
    return farthest, known_s / total_s if total_s > 0 else 0.0


def travels_at(term: str, measurements: Measurements) -> tuple[Span, ...]:
    """Where in the clip the camera does something; a bare `pan`, `tilt` or `zoom` means either way."""
    segments = [s for shot in measurements.camera for s in shot]
    return tuple(s.span for s in segments if s.term == term or s.term.startswith(f"{term}_"))


def _steps(term: str, span: Span, measurements: Measurements) -> tuple[NDArray[np.float64], float]:
    """The motion of each trusted pair of frames in the span, positive in the term's direction, and their seconds."""
    motion = measurements.scan.motion
    starts, ends = np.asarray(motion.start_pts), np.asarray(motion.end_pts)
    first = int(np.searchsorted(starts, span.start_pts, side="left"))
    last = max(first, int(np.searchsorted(ends, span.end_pts, side="right")))
    seconds = (ends[first:last] - starts[first:last]) * float(span.time_base.fraction)
    is_known = np.asarray(motion.inlier_ratio[first:last]) >= measurements.describe.min_inlier_ratio
    values = np.asarray(getattr(motion, _SERIES[term.partition("_")[0]])[first:last], np.float64)
    sign = 1.0 if term in _POSITIVE else -1.0
    # Pairs may lie apart; what lies between them moves as they do.
    step = np.diff(starts[first:last], append=ends[last - 1] if last > first else 0) * float(span.time_base.fraction)
    lasts = np.maximum(seconds, step)
    return np.asarray((sign * values * lasts)[is_known]), float(lasts[is_known].sum())


def _limit(term: str, measurements: Measurements) -> float:
    config = measurements.config
    by_kind = {"zoom": config.words_min_zoom, "roll": config.words_min_roll_degrees}
    return by_kind.get(term.partition("_")[0], config.words_min_travel)


def _subject_ratio(span: Span, measurements: Measurements) -> float:
    """Mean share of the picture that moves otherwise than the camera, 0 to 1; 1 where nothing was measured."""
    segments = [(s, s.span.overlap_s(span)) for shot in measurements.camera for s in shot]
    total = sum(overlap for _, overlap in segments)
    return sum(s.subject_ratio * overlap for s, overlap in segments) / total if total > 0 else 1.0


def _opposite(term: str) -> str | None:
    """The motion the other way on the same axis."""
    ways = dict(zip(_POSITIVE, _NEGATIVE, strict=True)) | dict(zip(_NEGATIVE, _POSITIVE, strict=True))
    return ways.get(term)


def _main_term(span: Span, measurements: Measurements) -> str | None:
    """The term of the segment that covers most of the span."""
    segments = [s for shot in measurements.camera for s in shot if s.span.overlap_s(span) > 0]
    return max(segments, key=lambda s: s.span.overlap_s(span)).term if segments else None
