"""Checks of single claims against what was measured, one function per quantity in one table.

Here: checks of light, colour, camera, text, stillness and speech, and `CHECKS`. Not here: checks of the editing
(`stages.evidence.claims_editing`), what all are made on (`stages.evidence.measurements`), what follows for a label
(`stages.evidence.check`).
"""

from collections.abc import Callable, Mapping
from difflib import SequenceMatcher
from typing import Literal

import numpy as np

from schemas.config import DescribeConfig
from schemas.evidence import Claim, Quantity
from schemas.signals import TextDetection
from schemas.time import Span
from stages.camera.terms import CameraMeans, camera_term, mean_camera
from stages.evidence.claims_editing import check_duration, check_shot, check_transition, check_transition_count
from stages.evidence.measurements import Finding, Measurements, compare

Check = Callable[[Claim, Span, Measurements], Finding]


def _no_crossing(span: Span, measurements: Measurements) -> Finding | None:
    """The contradiction where a span that should lie in one shot does not."""
    transition = measurements.crossed_by(span)
    if transition is None:
        return None
    when = transition.span.start_s
    return Finding("contradicted", f"the span crosses a {transition.kind} at {when:.3f} s", when, transition.kind)


def _frame_mean(series: str, tolerance: str, *, is_relative: bool = False) -> Check:
    """A check of the mean over the span's frames of one of `FrameSignals`' series."""

    def check(claim: Claim, span: Span, measurements: Measurements) -> Finding:
        if crossing := _no_crossing(span, measurements):
            return crossing
        values = np.asarray(getattr(measurements.scan.frames, series)[measurements.frames(span)], np.float64)
        if not values.size:
            return Finding("contradicted", "the span holds no frame")
        limit = float(getattr(measurements.config, tolerance))
        limit = limit * abs(claim.value) if is_relative and claim.value is not None else limit
        return compare(float(values.mean()), claim.value, limit, f"mean {series} over the span")

    return check


def check_camera_motion(claim: Claim, span: Span, measurements: Measurements) -> Finding:
    """The term for the mean camera motion over the span, by the same rule that describes clips."""
    means, refusal = _camera(span, measurements)
    if means is None:
        return refusal
    term = camera_term(means, measurements.describe)
    measured, threshold = _deciding(claim.text or term, means, measurements.describe)
    reason = f"measured {term} (pan {means.pan_widths_per_s:.3f}, tilt {means.tilt_heights_per_s:.3f}, "
    reason += f"zoom {means.zoom_per_s:.3f}, roll {means.roll_degrees_per_s:.1f}), claimed {claim.text}"
    if term == "unclear" or claim.text is None:
        return Finding("unchecked", reason, measured, term, threshold)
    return Finding("confirmed" if term == claim.text else "contradicted", reason, measured, term, threshold)


def _camera(span: Span, measurements: Measurements) -> tuple[CameraMeans | None, Finding]:
    crossing = _no_crossing(span, measurements)
    if crossing:
        return None, crossing
    return mean_camera(measurements.scan.motion, span), Finding("unchecked", "no motion was measured inside the span")


def _deciding(term: str, means: CameraMeans, describe: DescribeConfig) -> tuple[float, float]:
    """The figure that a term rests on, with what it is held against."""
    if term.startswith("pan"):
        return means.pan_widths_per_s, describe.moving_widths_per_s
    if term.startswith("tilt"):
        return means.tilt_heights_per_s, describe.moving_widths_per_s
    if term.startswith("zoom"):
        return means.zoom_per_s, describe.moving_zoom_per_s
    if term.startswith("roll"):
        return means.roll_degrees_per_s, describe.moving_roll_degrees_per_s
    if term == "handheld":
        return means.shake, describe.handheld_shake
    travel = float(np.hypot(means.pan_widths_per_s, means.tilt_heights_per_s))
    return travel, describe.static_widths_per_s if term == "static" else describe.moving_widths_per_s


def check_shake(claim: Claim, span: Span, measurements: Measurements) -> Finding:
    """How far the camera strays from its mean motion."""
    means, refusal = _camera(span, measurements)
    if means is None:
        return refusal
    return compare(means.shake, claim.value, measurements.config.shake_tolerance, "shake over the span")


def check_colour(claim: Claim, span: Span, measurements: Measurements) -> Finding:
    """The share of a colour over the span, from the palettes of the shots it meets, by how much it meets each."""
    if crossing := _no_crossing(span, measurements):
        return crossing
    meets = [(shot, shot.span.overlap_s(span)) for shot in measurements.description.shots if shot.palette]
    total = sum(overlap for _, overlap in meets)
    if total <= 0 or claim.text is None:
        return Finding("unchecked", "no palette was measured there, or the claim names no colour")
    shares = [overlap * sum(c.share for c in shot.palette if c.name == claim.text) for shot, overlap in meets]
    share, tolerance = sum(shares) / total, measurements.config.colour_share_tolerance
    if claim.value is None:
        outcome: Literal["confirmed", "contradicted"] = "confirmed" if share >= tolerance else "contradicted"
        return Finding(outcome, f"{claim.text} covers {share:.2f} of the picture", share, threshold=tolerance)
    return compare(share, claim.value, tolerance, f"the share of {claim.text}")


def check_text(claim: Claim, span: Span, measurements: Measurements) -> Finding:
    """Whether text recognition read the claimed text in the span, and at the claimed height.

    Only some frames are read. Where none of the span's was, the same text elsewhere in its shots leaves it open.
    """
    if not measurements.description.text_is_measured or not claim.text:
        return Finding("unchecked", "text was not looked for, or the claim quotes none")
    limit = measurements.config.text_min_similarity
    detections = [text for text in measurements.description.text if span.holds(text.pts)]
    shots = [shot.span for shot in measurements.description.shots if shot.span.overlap_s(span) > 0]
    nearby = [t for t in measurements.description.text if any(shot.holds(t.pts) for shot in shots)]
    best, score = _most_similar(claim.text, detections)
    if best is None or score < limit:
        other, other_score = _most_similar(claim.text, nearby)
        if other is not None and other_score >= limit:
            reason = f"{other.text!r} is read in the same shot, but not in the span"
            return Finding("unchecked", reason, other_score, other.text, limit)
        read = f"the most similar text read is {best.text!r}" if best else "no text is read in the span"
        return Finding("contradicted", f"{read}, similarity {score:.2f}", score, best.text if best else None, limit)
    if claim.value is not None:
        middle = (best.top + best.bottom) / 2
        return compare(middle, claim.value, measurements.config.text_position_tolerance, "the middle of the text")
    return Finding("confirmed", f"{best.text!r} is read, similarity {score:.2f}", score, best.text, limit)


def _most_similar(claimed: str, detections: list[TextDetection]) -> tuple[TextDetection | None, float]:
    scored = [(text_similarity(claimed, detection.text), detection) for detection in detections]
    score, best = max(scored, key=lambda pair: pair[0], default=(0.0, None))
    return best, score


def text_similarity(first: str, second: str) -> float:
    """How alike two texts are apart from case and spacing, 0 to 1 (Ratcliff and Obershelp's ratio)."""
    return SequenceMatcher(None, "".join(first.split()).casefold(), "".join(second.split()).casefold()).ratio()


def check_no_text(_claim: Claim, span: Span, measurements: Measurements) -> Finding:
    """Whether text recognition read nothing in the span."""
    if not measurements.description.text_is_measured:
        return Finding("unchecked", "text was not looked for")
    found = [text for text in measurements.description.text if span.holds(text.pts)]
    if found:
        reason = f"{len(found)} texts are read in the span, such as {found[0].text!r}"
        return Finding("contradicted", reason, float(len(found)), found[0].text, 0.0)
    return Finding("confirmed", "no text is read in the span", 0.0, threshold=0.0)


def _flagged(flag: str, what: str, *, skip_first: bool) -> Check:
    """A check that one of `FrameSignals`' flags is up throughout the span."""

    def check(_claim: Claim, span: Span, measurements: Measurements) -> Finding:
        flags = getattr(measurements.scan.frames, flag)[measurements.frames(span)]
        # A held picture begins with a frame that differs from the one before it.
        flags = flags[1:] if skip_first else flags
        if not flags:
            return Finding("contradicted", "the span holds too few frames")
        n_others, limit = len(flags) - sum(flags), measurements.config.duration_tolerance_frames
        # Half of a short span would pass otherwise.
        limit = min(limit, (len(flags) - 1) // 2)
        reason = f"{n_others} of {len(flags)} frames {what}, tolerance {limit}"
        return Finding("contradicted" if n_others > limit else "confirmed", reason, float(n_others), None, float(limit))

    return check


def check_no_freeze(_claim: Claim, span: Span, measurements: Measurements) -> Finding:
    """Whether no picture is held in the span for as long as a freeze must last."""
    flags = measurements.scan.frames.is_frozen[measurements.frames(span)]
    offset, longest_s, start = measurements.frames(span).start, 0.0, None
    for position, is_frozen in enumerate((*flags, False)):
        if is_frozen and start is None:
            start = position
        if not is_frozen and start is not None:
            first = max(0, start - 1)
            held = measurements.frame_start(offset + position) - measurements.frame_start(offset + first)
            # A frame by itself is no freeze, however long it is shown.
            longest_s = max(longest_s, span.time_base.seconds(held) if position - first > 1 else 0.0)
            start = None
    limit = measurements.describe.min_freeze_s
    reason = f"one picture is held for at most {longest_s:.3f} s, a freeze lasts {limit:g} s"
    return Finding("contradicted" if longest_s >= limit else "confirmed", reason, longest_s, threshold=limit)


def check_speech(_claim: Claim, span: Span, measurements: Measurements) -> Finding:
    """Whether enough of the span is speech; the number is the share that is, 0 to 1."""
    share, limit = _speech_share(span, measurements), measurements.config.speech_min_share
    if share is None:
        return _UNHEARD
    reason = f"speech is heard during {share:.0%} of the span, at least {limit:.0%} must be"
    return Finding("confirmed" if share >= limit else "contradicted", reason, share, threshold=limit)


def check_no_speech(_claim: Claim, span: Span, measurements: Measurements) -> Finding:
    """Whether hardly any of the span is speech; the number is the share that is, 0 to 1."""
    share, limit = _speech_share(span, measurements), measurements.config.no_speech_max_share
    if share is None:
        return _UNHEARD
    reason = f"speech is heard during {share:.0%} of the span, at most {limit:.0%} may be"
    return Finding("confirmed" if share <= limit else "contradicted", reason, share, threshold=limit)


_UNHEARD = Finding("unchecked", "speech was not measured, or the span lasts no time")


def _speech_share(span: Span, measurements: Measurements) -> float | None:
    if not measurements.scan.speech_is_measured or span.duration_s <= 0:
        return None
    return sum(speech.overlap_s(span) for speech in measurements.scan.speech) / span.duration_s


def check_aspect_ratio(claim: Claim, _span: Span, measurements: Measurements) -> Finding:
    """Display width over height."""
    ratio = measurements.scan.display_width / measurements.scan.display_height
    return compare(ratio, claim.value, measurements.config.aspect_tolerance * ratio, "width over height")


CHECKS: Mapping[Quantity, Check] = {
    "transition": check_transition,
    "transition_count": check_transition_count,
    "shot": check_shot,
    "camera_motion": check_camera_motion,
    "shake": check_shake,
    "luma_mean": _frame_mean("luma_mean", "luma_tolerance"),
    "luma_spread": _frame_mean("luma_spread", "luma_tolerance"),
    "saturation_mean": _frame_mean("saturation_mean", "saturation_tolerance"),
    "sharpness": _frame_mean("sharpness", "sharpness_tolerance", is_relative=True),
    "colour": check_colour,
    "text": check_text,
    "no_text": check_no_text,
    "frozen": _flagged("is_frozen", "differ from the one before", skip_first=True),
    "no_freeze": check_no_freeze,
    "black": _flagged("is_black", "are not black", skip_first=False),
    "speech": check_speech,
    "no_speech": check_no_speech,
    "aspect_ratio": check_aspect_ratio,
    "duration": check_duration,
}
"""How each quantity is checked."""
