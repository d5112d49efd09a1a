"""Checks of claims about the editing: transitions, how many there are, shots, and how long a stretch lasts.

Here: those checks. Not here: the table of all checks (`stages.evidence.claims`), or what follows for the label
(`stages.evidence.check`).
"""

from typing import Literal

from schemas.evidence import Claim
from schemas.media import Transition
from schemas.time import Span
from stages.evidence.measurements import Finding, Measurements, compare


def check_transition(claim: Claim, span: Span, measurements: Measurements) -> Finding:
    """A transition of the claimed kind and number: a cut within so many frames, a slow one by its overlap."""
    if not measurements.transitions:
        return Finding("contradicted", "no transition was measured in the clip or at its edges")
    same_kind = [t for t in measurements.transitions if claim.text in (None, t.kind)]
    if same_kind:
        likeliest = min(same_kind, key=lambda transition: _distance(transition, span, measurements))
        finding = _is_there(likeliest, span, measurements)
        if finding.outcome == "confirmed" and claim.value is not None:
            return _numbered(likeliest, claim, measurements)
        if finding.outcome == "confirmed":
            return finding
    nearest = min(measurements.transitions, key=lambda transition: _distance(transition, span, measurements))
    if claim.text in (None, nearest.kind):
        return _is_there(nearest, span, measurements)
    return _other_kind(nearest, claim.text or "", span, measurements)


def _distance(transition: Transition, span: Span, measurements: Measurements) -> tuple[float, int]:
    """Smaller for the transition that a claim more likely means."""
    apart = measurements.frames_between(transition.span.start_pts, span.start_pts)
    return (-transition.span.iou(span), apart)


def _is_there(transition: Transition, span: Span, measurements: Measurements) -> Finding:
    """Whether a transition happens where a span says; for a slow one, an instant within it is enough."""
    if transition.kind == "cut":
        limit = measurements.config.cut_tolerance_frames
        apart = measurements.frames_between(transition.span.start_pts, span.start_pts)
        reason = f"the nearest cut is {apart} frames away, tolerance {limit}"
        outcome: Literal["confirmed", "contradicted"] = "confirmed" if apart <= limit else "contradicted"
        return Finding(outcome, reason, float(apart), transition.kind, float(limit))
    is_instant_inside = span.start_pts == span.end_pts and transition.span.holds(span.start_pts)
    overlap, least = 1.0 if is_instant_inside else transition.span.iou(span), measurements.config.gradual_min_iou
    when = f"[{transition.span.start_s:.3f} s, {transition.span.end_s:.3f} s)"
    reason = f"the {transition.kind} measured at {when} overlaps by {overlap:.2f}, at least {least:.2f} is asked"
    return Finding("confirmed" if overlap >= least else "contradicted", reason, overlap, transition.kind, least)


def _other_kind(nearest: Transition, claimed: str, span: Span, measurements: Measurements) -> Finding:
    """What is nearest is of another kind; `gradual` is a slow one whose kind nobody could tell."""
    when = nearest.span.start_s
    if nearest.kind == "gradual" and claimed != "cut" and nearest.span.overlap_s(span) > 0:
        return Finding("unchecked", f"a slow transition of unknown kind lies at {when:.3f} s", when, nearest.kind)
    apart = measurements.frames_between(nearest.span.start_pts, span.start_pts)
    reason = f"claimed {claimed}, but the nearest transition is a {nearest.kind} at {when:.3f} s, {apart} frames away"
    return Finding("contradicted", reason, float(apart), nearest.kind)


def _numbered(transition: Transition, claim: Claim, measurements: Measurements) -> Finding:
    """Whether the transition found is the one of that number in the clip."""
    inside = measurements.transitions_in(measurements.clip_span)
    number = inside.index(transition) + 1 if transition in inside else 0
    outcome: Literal["confirmed", "contradicted"] = "confirmed" if number == claim.value else "contradicted"
    reason = f"it is transition {number} of {len(inside)} in the clip, claimed {claim.value:g}"
    return Finding(outcome, reason, float(number), transition.kind, 0.0)


def check_transition_count(claim: Claim, span: Span, measurements: Measurements) -> Finding:
    """How many transitions lie inside the span."""
    return compare(float(len(measurements.transitions_in(span))), claim.value, 0.0, "the number of transitions")


def check_shot(claim: Claim, span: Span, measurements: Measurements) -> Finding:
    """Whether the span is one shot from end to end, and the one of the claimed number."""
    if not measurements.shots:
        return Finding("contradicted", "the clip lies in no shot")
    limit = measurements.config.cut_tolerance_frames

    def apart(shot: Span) -> int:
        starts = measurements.frames_between(shot.start_pts, span.start_pts)
        return max(starts, measurements.frames_between(shot.end_pts, span.end_pts))

    number, shot = min(enumerate(measurements.shots, 1), key=lambda numbered: apart(numbered[1]))
    if apart(shot) > limit:
        bounds = f"[{shot.start_s:.3f} s, {shot.end_s:.3f} s)"
        reason = f"the nearest shot is {bounds}, {apart(shot)} frames off, tolerance {limit}"
        return Finding("contradicted", reason, float(apart(shot)), threshold=float(limit))
    if claim.value is not None and claim.value != number:
        return Finding("contradicted", f"it is shot {number} of the clip, claimed {claim.value:g}", float(number))
    return Finding("confirmed", f"shot {number}, {apart(shot)} frames off", float(apart(shot)), threshold=float(limit))


def check_duration(claim: Claim, span: Span, measurements: Measurements) -> Finding:
    """How long the span lasts; the tolerance is in frames of the slice's mean length."""
    n_frames = max(1, len(measurements.scan.frames.pts))
    tolerance = measurements.config.duration_tolerance_frames * measurements.scan.span.duration_s / n_frames
    return compare(span.duration_s, claim.value, tolerance, "the length of the span in seconds")
