"""What is said of light, colour, text, speech and stillness, held against the signals.

Here: one check per quantity, as lenient as the words are loose. Not here: the table of all of them
(`stages.spoken.checks`), or the strict checks of evidence (`stages.evidence.claims`).
"""

from collections.abc import Mapping, Sequence

import numpy as np

from schemas.evidence import Claim
from schemas.time import Span
from stages.evidence.claims import CHECKS
from stages.evidence.measurements import Finding, Measurements, compare
from stages.spoken.forms import Said, no_such_shot, touches, widened

MOST_HELD, LEAST_HELD = 0.5, 0.25
"""Ours: shares of a named stretch for which a picture must be held, and below which it is not what is said."""
NEIGHBOURS: Mapping[str, tuple[str, ...]] = {
    "black": ("grey", "blue", "brown"),
    "white": ("grey", "yellow"),
    "grey": ("black", "white", "blue", "green", "brown"),
    "red": ("pink", "orange", "brown", "purple"),
    "orange": ("red", "yellow", "brown", "pink"),
    "yellow": ("orange", "green", "brown", "white"),
    "green": ("yellow", "blue", "grey", "brown"),
    "blue": ("purple", "green", "grey", "black"),
    "purple": ("blue", "pink", "red"),
    "pink": ("red", "purple", "orange", "white"),
    "brown": ("orange", "red", "grey", "green", "black", "yellow"),
}
"""Colours that people may mean by the same word. Ours."""


def check_said_light(said: Said, measurements: Measurements) -> Finding:
    """How bright a numbered shot is."""
    if said.shot is None or said.claim.value is None:
        return Finding("unchecked", "no shot is named")
    if said.shot > len(measurements.shots):
        return no_such_shot(said.shot, measurements)
    lumas = measurements.scan.frames.luma_mean[measurements.frames(measurements.shots[said.shot - 1])]
    if not len(lumas):
        return Finding("unchecked", "the shot has no frame")
    tolerance = measurements.config.luma_tolerance + said.slack
    return compare(float(np.mean(lumas)), said.claim.value, tolerance, "mean brightness of the shot")


def check_said_text(said: Said, measurements: Measurements) -> Finding:
    """Confirmed where it is read; contradicted only where, at a time that is named, other text is read and not this."""
    if not measurements.description.text_is_measured:
        return Finding("unchecked", "text was not looked for")
    span = widened(said, measurements)
    finding = CHECKS["text"](Claim(quantity="text", text=said.claim.text), _with_end(span), measurements)
    if finding.outcome == "confirmed":
        return finding
    at_most_s = 2 * (measurements.config.words_time_slack_s + said.slack)
    is_moment = said.is_timed and said.span.duration_s <= at_most_s
    read = [text for text in measurements.description.text if _with_end(span).holds(text.pts)]
    if finding.outcome == "contradicted" and is_moment and read and not said.is_loose and (finding.measured or 0) < 0.5:
        return finding
    return Finding("unchecked", finding.reason, finding.measured, finding.measured_text, finding.threshold)


def _with_end(span: Span) -> Span:
    return span.replace(end_pts=span.end_pts + 1)


def check_said_no_text(said: Said, measurements: Measurements) -> Finding:
    """That no text is seen; one reading alone does not contradict it."""
    finding = CHECKS["no_text"](said.claim, said.span, measurements)
    if finding.outcome == "contradicted" and (finding.measured or 0) < 2:
        # A single reading may be a texture that looks like letters.
        return Finding("unchecked", finding.reason, finding.measured, finding.measured_text, finding.threshold)
    return finding


def check_said_colour(said: Said, measurements: Measurements) -> Finding:
    """The share of a colour in the shots that the span meets; `mostly` of some of them is enough."""
    name, config = said.claim.text or "", measurements.config
    if said.shot is not None:
        if said.shot > len(measurements.shots):
            return no_such_shot(said.shot, measurements)
        return CHECKS["colour"](said.claim, measurements.shots[said.shot - 1], measurements)
    span = widened(said, measurements)
    palettes = [s.palette for s in measurements.description.shots if s.palette and touches(s.span, span)]
    if not palettes:
        return Finding("unchecked", "no palette was measured there")
    share = max(sum(colour.share for colour in palette if colour.name == name) for palette in palettes)
    close = (name, *NEIGHBOURS.get(name, ()))
    widest = max(sum(colour.share for colour in palette if colour.name in close) for palette in palettes)
    unnamed = max(1 - sum(colour.share for colour in palette) for palette in palettes)
    reason = f"{name} covers at most {share:.2f} of a shot, with colours close to it {widest:.2f}"
    if share >= config.words_min_colour_share:
        return Finding("confirmed", reason, share, threshold=config.words_min_colour_share)
    if widest + max(0.0, unnamed) < config.words_max_colour_share:
        return Finding("contradicted", reason, widest, threshold=config.words_max_colour_share)
    return Finding("unchecked", reason, share)


def check_said_speech(said: Said, measurements: Measurements) -> Finding:
    """Speech that is heard at some time of the span."""
    if not measurements.scan.speech_is_measured:
        return Finding("unchecked", "speech was not measured")
    heard_s = sum(speech.overlap_s(widened(said, measurements)) for speech in measurements.scan.speech)
    reason = f"speech is heard for {heard_s:.2f} s"
    return Finding("confirmed" if heard_s > 0 else "contradicted", reason, heard_s, threshold=0.0)


def check_said_no_speech(said: Said, measurements: Measurements) -> Finding:
    """That nobody speaks; a little of what sounds like speech does not contradict it."""
    finding = CHECKS["no_speech"](said.claim, said.span, measurements)
    is_little = (finding.measured or 0.0) < measurements.config.words_min_speech_share
    if finding.outcome == "contradicted" and is_little:
        return Finding("unchecked", finding.reason, finding.measured)
    return finding


def check_said_frozen(said: Said, measurements: Measurements) -> Finding:
    """A picture that is held in the span; for at least half of a stretch that is named."""
    span = widened(said, measurements)
    held_s = sum(run.overlap_s(span) for run in measurements.held)
    said_s = said.span.duration_s if said.is_timed else 0.0
    if said_s > 0:
        share = held_s / said_s
        reason = f"one picture is held for {held_s:.2f} s of {said_s:.2f} s"
        if share >= MOST_HELD:
            return Finding("confirmed", reason, held_s, threshold=MOST_HELD * said_s)
        is_open = share >= LEAST_HELD
        return Finding("unchecked" if is_open else "contradicted", reason, held_s, threshold=LEAST_HELD * said_s)
    if any(touches(run, span) for run in measurements.held):
        return Finding("confirmed", "one picture is held there", held_s)
    longest_s = _longest_run(measurements.scan.frames.is_frozen[measurements.frames(span)]) * measurements.frame_s
    limit, reason = 0.5 * measurements.describe.min_freeze_s, f"one picture is held for at most {longest_s:.3f} s"
    # Where neither the camera nor much else moves, only noise tells a held picture from a living one.
    is_still = any(s.term == "static" and s.span.overlap_s(span) > 0 for shot in measurements.camera for s in shot)
    is_open = is_still or longest_s >= limit
    return Finding("unchecked" if is_open else "contradicted", reason, longest_s, threshold=limit)


def _longest_run(flags: Sequence[bool]) -> int:
    longest = run = 0
    for is_up in flags:
        run = run + 1 if is_up else 0
        longest = max(longest, run)
    return longest


def check_said_no_freeze(said: Said, measurements: Measurements) -> Finding:
    """That no picture is held."""
    span = said.span if measurements.clip_span.covers(said.span) else measurements.clip_span
    return CHECKS["no_freeze"](said.claim, span, measurements)


def check_said_black(said: Said, measurements: Measurements) -> Finding:
    """That the picture is black at some time of the span."""
    span = widened(said, measurements)
    if any(measurements.scan.frames.is_black[measurements.frames(span)]):
        return Finding("confirmed", "the picture is black there", 1.0)
    darkest, limit = _darkest(span, measurements), measurements.config.words_max_black_luma
    if darkest is None:
        return Finding("unchecked", "the span has no frame")
    reason = f"the darkest picture there has a mean luma of {darkest:.2f}, black is below {limit:.2f}"
    return Finding("contradicted" if darkest > limit else "unchecked", reason, darkest, threshold=limit)


def is_dark(span: Span, measurements: Measurements) -> bool:
    """Whether the picture is anywhere in the span as dark as black may be."""
    darkest = _darkest(span, measurements)
    return darkest is not None and darkest <= measurements.config.words_max_black_luma


def _darkest(span: Span, measurements: Measurements) -> float | None:
    lumas = measurements.scan.frames.luma_mean[measurements.frames(span)]
    return float(min(lumas)) if len(lumas) else None
