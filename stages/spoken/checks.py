"""What was said in a sentence, held against the signals.

Here: `check_spoken`, with checks as lenient as words are loose: a thing is said of *some* time in a span, and what the
words leave open is left open. Not here: the strict checks of evidence (`stages.evidence.claims`), reading sentences
(`stages.spoken.claims`), the camera (`stages.spoken.camera`).
"""

from collections.abc import Callable, Mapping

from schemas.evidence import Quantity
from schemas.time import Span
from stages.evidence.measurements import Finding, Measurements, compare
from stages.spoken import picture as spoken_picture
from stages.spoken.camera import check_said_camera, travels_at
from stages.spoken.forms import Ordered, Said, Spoken, Timed, no_such_shot, touches, widened

MIN_COUNTED_S = 0.5
"""Ours: where a shot is shorter, a viewer may miss it, and no count in words is contradicted."""
ALSO_CALLED: Mapping[str, tuple[str, ...]] = {
    "cut": ("wipe", "dissolve", "gradual", "fade_out_in", "fade_in", "fade_out", "fade_white"),
    "fade_out": ("fade_out_in", "gradual"),
    "fade_in": ("fade_out_in", "gradual"),
    "fade_out_in": ("fade_out", "fade_in", "gradual"),
    "fade_white": ("gradual",),
}
"""Kinds of transition that loose words may mean besides."""


def check_spoken(spoken: Spoken, measurements: Measurements) -> Finding:
    """Whether the signals bear out what was said. What they cannot decide is `unchecked`."""
    if isinstance(spoken, Timed):
        return _check_time(spoken, measurements)
    if isinstance(spoken, Ordered):
        return _check_order(spoken, measurements)
    if spoken.is_timed and not _meets_clip(spoken.span, spoken.slack, measurements):
        when = measurements.seconds(spoken.span.start_pts)
        return Finding("contradicted", f"{when:.2f} s lies outside the clip", when)
    check = SAID_CHECKS.get(spoken.claim.quantity)
    return check(spoken, measurements) if check else Finding("unchecked", "nothing measures this")


def _meets_clip(span: Span, slack_s: float, measurements: Measurements) -> bool:
    clip = measurements.clip_span
    ticks = clip.time_base.ticks(slack_s + measurements.config.words_time_slack_s)
    return span.start_pts <= clip.end_pts + ticks and span.end_pts >= clip.start_pts - ticks


def _check_time(timed: Timed, measurements: Measurements) -> Finding:
    length = measurements.clip_span.duration_s
    latest = length + timed.when.slack_s + measurements.config.words_time_slack_s
    reason = f"{timed.when.end_s:g} s is named, and the clip lasts {length:.2f} s"
    outcome = Finding("contradicted", reason, length, threshold=latest)
    return outcome if timed.when.end_s > latest else Finding("unchecked", reason, length, threshold=latest)


def _check_transition(said: Said, measurements: Measurements) -> Finding:
    """A transition of the kind somewhere in the span; one at the clip's very edge leaves it open."""
    span = widened(said, measurements)
    near = [t for t in measurements.transitions if touches(t.span, span)]
    inside = measurements.transitions_in(measurements.clip_span)
    kinds, seen = {t.kind for t in near}, {t.kind for t in near if t in inside}
    told = ", ".join(sorted(kinds)) or "no transition"
    reason = f"a {said.claim.text or 'transition'} is said to be there, and {told} is measured"
    n_near = float(len(near))
    if said.claim.text in seen or (said.claim.text is None and seen):
        return Finding("confirmed", reason, n_near, told)
    is_open = bool(kinds & _also(said)) or said.claim.text in kinds or (said.claim.text is None and bool(kinds))
    # In the dark, another slow change may be taken for a fade; a cut is none.
    is_fade = said.is_loose and (said.claim.text or "").startswith("fade") and kinds != {"cut"}
    is_open = is_open or (is_fade and spoken_picture.is_dark(span, measurements))
    return Finding("unchecked" if is_open else "contradicted", reason, n_near, told)


def _also(said: Said) -> set[str]:
    """What else the words may mean; a slow change whose kind could not be told may be any slow one."""
    if said.is_loose:
        return {"gradual", *ALSO_CALLED.get(said.claim.text or "", ())}
    return set() if said.claim.text == "cut" else {"gradual"}


def _check_count(said: Said, measurements: Measurements) -> Finding:
    """A number of shots, cuts or transitions of the clip, by whatever a viewer may count."""
    inside = measurements.transitions_in(measurements.clip_span)
    n_sure = sum(t.kind != "gradual" for t in inside)
    n_cuts, n_joins = sum(t.kind == "cut" for t in inside), sum(t.kind not in ("fade_in", "fade_out") for t in inside)
    allowed = {
        "shot": {len(inside) + 1, n_sure + 1, n_joins + 1, len(measurements.shots)},
        "cut": {n_cuts, len(inside), n_sure, n_joins},
        "hard cut": {n_cuts},
        None: {len(inside), n_sure, n_joins},
    }[said.claim.text]
    best = {"shot": len(inside) + 1, "cut": n_cuts, "hard cut": n_cuts, None: len(inside)}[said.claim.text]
    claimed, what = said.claim.value, said.claim.text or "transition"
    reason = f"{best} {what}{'' if best == 1 else 's'} are measured in the clip, {claimed:g} are said"
    if claimed == best:
        return Finding("confirmed", reason, float(best), threshold=0.0)
    is_open = claimed in allowed or any(shot.duration_s < MIN_COUNTED_S for shot in measurements.shots)
    # An uncounted slow change may be none, or more than one.
    is_open = is_open or (n_sure < len(inside) and said.claim.text != "hard cut")
    return Finding("unchecked" if is_open else "contradicted", reason, float(best), threshold=0.0)


def _check_duration(said: Said, measurements: Measurements) -> Finding:
    span = measurements.clip_span
    if said.shot is not None:
        if said.shot > len(measurements.shots):
            return no_such_shot(said.shot, measurements)
        span = measurements.shots[said.shot - 1]
    tolerance = said.slack + measurements.config.duration_tolerance_frames * measurements.frame_s
    if said.is_loose:
        tolerance += measurements.config.words_duration_tolerance * span.duration_s
    return compare(span.duration_s, said.claim.value, tolerance, "the length in seconds")


def _check_shot(said: Said, measurements: Measurements) -> Finding:
    """Where a numbered shot runs, as far as its times are rounded."""
    number = int(said.claim.value or 1)
    if number > len(measurements.shots):
        return no_such_shot(number, measurements)
    shot = measurements.shots[number - 1]
    apart = max(abs(shot.start_pts - said.span.start_pts), abs(shot.end_pts - said.span.end_pts))
    apart_s = shot.time_base.seconds(apart)
    limit = said.slack + measurements.config.cut_tolerance_frames * measurements.frame_s
    reason = f"shot {number} lies {apart_s:.3f} s from where it is said to run, tolerance {limit:.3f} s"
    return Finding("confirmed" if apart_s <= limit else "contradicted", reason, apart_s, threshold=limit)


def _check_order(ordered: Ordered, measurements: Measurements) -> Finding:
    """Contradicted where each of the first lies after each of the second; confirmed the other way round."""
    first, second = (_occurrences(said, measurements) for said in (ordered.first, ordered.second))
    if not first or not second:
        return Finding("unchecked", "one of the two is not measured in the clip")
    slack = measurements.clip_span.time_base.ticks(measurements.config.words_time_slack_s)
    gap = min(span.start_pts for span in first) - max(span.end_pts for span in second)
    gap_s = measurements.clip_span.time_base.seconds(gap)
    if gap >= -slack and min(s.start_pts for s in first) > max(s.start_pts for s in second) + slack:
        return Finding("contradicted", f"what is said to come first begins {gap_s:.2f} s after the other ends", gap_s)
    if max(span.start_pts for span in first) < min(span.start_pts for span in second):
        return Finding("confirmed", "they come in that order", gap_s)
    return Finding("unchecked", "they overlap, or come more than once", gap_s)


def _occurrences(said: Said, measurements: Measurements) -> tuple[Span, ...]:
    text = said.claim.text
    if said.claim.quantity == "transition":
        also = ALSO_CALLED.get(text or "", ()) if said.is_loose and text != "cut" else ()
        return tuple(t.span for t in measurements.transitions_in(measurements.clip_span) if t.kind in (text, *also))
    if said.claim.quantity == "camera_motion":
        return travels_at(text or "", measurements)
    if said.claim.quantity == "frozen":
        return measurements.held
    return measurements.description.black_spans if said.claim.quantity == "black" else ()


SaidCheck = Callable[[Said, Measurements], Finding]

SAID_CHECKS: Mapping[Quantity, SaidCheck] = {
    "transition": _check_transition,
    "transition_count": _check_count,
    "shot": _check_shot,
    "camera_motion": lambda said, measurements: check_said_camera(said, widened(said, measurements), measurements),
    "luma_mean": spoken_picture.check_said_light,
    "colour": spoken_picture.check_said_colour,
    "text": spoken_picture.check_said_text,
    "no_text": spoken_picture.check_said_no_text,
    "frozen": spoken_picture.check_said_frozen,
    "no_freeze": spoken_picture.check_said_no_freeze,
    "black": spoken_picture.check_said_black,
    "speech": spoken_picture.check_said_speech,
    "no_speech": spoken_picture.check_said_no_speech,
    "duration": _check_duration,
}
"""How what is said of each quantity is checked; the others are never read from sentences."""
