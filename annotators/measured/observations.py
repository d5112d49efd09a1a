"""Evidence of the measured annotator: one sentence and one checkable claim for each thing that was measured.

Here: a function per kind of observation, `ClipFacts` in, `Evidence` out. Not here: checking them
(`stages.evidence.check`).
"""

from annotators.measured.facts import ClipFacts, ordinal
from schemas.evidence import Claim, Evidence, Modality, Quantity
from schemas.signals import CameraSegment, TextDetection
from schemas.time import Span

SOURCE = "measured"

TRANSITION_PHRASES = {
    "cut": "a hard cut",
    "dissolve": "a dissolve",
    "fade_out_in": "a fade through black",
    "wipe": "a wipe",
    "fade_in": "a fade in from black",
    "fade_out": "a fade out to black",
    "fade_white": "a fade through white",
    "gradual": "a slow change to another shot",
}
CAMERA_PHRASES = {
    "static": "the camera stays still",
    "pan_left": "the camera pans to the left",
    "pan_right": "the camera pans to the right",
    "tilt_up": "the camera tilts up",
    "tilt_down": "the camera tilts down",
    "zoom_in": "the camera zooms in",
    "zoom_out": "the camera zooms out",
    "roll_clockwise": "the picture rotates clockwise",
    "roll_counterclockwise": "the picture rotates counterclockwise",
    "handheld": "the camera shakes as if held by hand",
    "mixed": "the camera moves in several ways at once",
}


def sentence(text: str) -> str:
    """The text with a capital letter and a full stop."""
    return f"{text[0].upper()}{text[1:]}."


def transition_seen(facts: ClipFacts, number: int) -> Evidence:
    """The transition at position `number` of the clip; the claim's value is that position counted from 1."""
    transition = facts.transitions[number]
    when = f"at {facts.time(transition.span.start_pts)}"
    if transition.span.start_pts < transition.span.end_pts:
        when = facts.stretch(transition.span)
    text = f"there is {TRANSITION_PHRASES[transition.kind]} {when}"
    return _evidence(transition.span, "cut", text, "transition", transition.kind, number + 1)


def transition_count_seen(facts: ClipFacts) -> Evidence:
    """How many transitions the whole clip holds."""
    count = len(facts.transitions)
    text = f"the clip holds {count or 'no'} transition{'' if count == 1 else 's'}"
    return _evidence(facts.span, "cut", text, "transition_count", value=count)


def shot_seen(facts: ClipFacts, index: int) -> Evidence:
    """One shot from end to end; the claim's value is its position counted from 1."""
    name = f"{ordinal(index)} shot" if len(facts.shots) > 1 else "only shot"
    text = f"the {name} of the clip runs {facts.stretch(facts.shots[index].span)}"
    return _evidence(facts.shots[index].span, "cut", text, "shot", value=index + 1)


def duration_seen(span: Span, what: str) -> Evidence:
    """How long `span` lasts."""
    return _evidence(span, "cut", f"{what} lasts {span.duration_s:.1f} s", "duration", value=round(span.duration_s, 4))


def luma_seen(facts: ClipFacts, index: int) -> Evidence:
    """Mean luma of one shot."""
    value = facts.shots[index].luma_mean
    text = f"the mean brightness of the {ordinal(index)} shot is {value:.0%} of full white"
    return _shot_evidence(facts, index, "frame", text, "luma_mean", value)


def luma_spread_seen(facts: ClipFacts, index: int) -> Evidence:
    """Luma spread of one shot."""
    value = facts.shots[index].luma_spread
    text = f"brightness spreads by {value:.2f} about its mean in the {ordinal(index)} shot"
    return _shot_evidence(facts, index, "frame", text, "luma_spread", value)


def saturation_seen(facts: ClipFacts, index: int) -> Evidence:
    """Mean saturation of one shot."""
    value = facts.shots[index].saturation_mean
    text = f"the mean colour saturation of the {ordinal(index)} shot is {value:.0%}"
    return _shot_evidence(facts, index, "colour", text, "saturation_mean", value)


def sharpness_seen(facts: ClipFacts, index: int) -> Evidence:
    """Mean sharpness of one shot."""
    value = facts.shots[index].sharpness
    text = f"detail in the {ordinal(index)} shot, as variance of the Laplacian, is {value:.0f}"
    return _shot_evidence(facts, index, "frame", text, "sharpness", value)


def colour_seen(facts: ClipFacts, index: int, name: str, share: float) -> Evidence:
    """How much of one shot a colour covers."""
    text = f"{name} covers {share:.0%} of the picture in the {ordinal(index)} shot"
    return _evidence(facts.shots[index].span, "colour", text, "colour", name, round(share, 4))


def camera_seen(facts: ClipFacts, segment: CameraSegment) -> Evidence:
    """What the camera does during one segment."""
    text = f"{CAMERA_PHRASES[segment.term]} {facts.stretch(segment.span)}"
    return _evidence(segment.span, "motion", text, "camera_motion", segment.term)


def shake_seen(facts: ClipFacts, segment: CameraSegment) -> Evidence:
    """How much the camera shakes during one segment."""
    text = f"the camera strays by {segment.shake:.3f} picture widths per second {facts.stretch(segment.span)}"
    return _evidence(segment.span, "motion", text, "shake", value=round(segment.shake, 5))


def text_seen(facts: ClipFacts, text: TextDetection) -> Evidence:
    """One text on one frame; the claim's value is the height of its middle, 0 top to 1 bottom."""
    end_pts = min(text.pts + facts.frame_ticks, facts.span.end_pts)
    span = Span(start_pts=text.pts, end_pts=end_pts, time_base=facts.span.time_base)
    observation = f"the text {quoted(text.text)} is on the screen at {facts.time(text.pts)}"
    return _evidence(span, "text", observation, "text", text.text, round((text.top + text.bottom) / 2, 4))


def no_text_seen(facts: ClipFacts) -> Evidence:
    """No text in the whole clip."""
    return _evidence(facts.span, "text", "no text is found on the screen in the clip", "no_text")


def frozen_seen(facts: ClipFacts, span: Span) -> Evidence:
    """The picture stands still during `span`."""
    return _evidence(span, "motion", f"the picture stands still {facts.stretch(span)}", "frozen")


def no_freeze_seen(facts: ClipFacts) -> Evidence:
    """The picture nowhere stands still in the clip."""
    return _evidence(facts.span, "motion", "the picture nowhere stands still in the clip", "no_freeze")


def aspect_seen(facts: ClipFacts) -> Evidence:
    """Shape of the picture."""
    width, height = facts.description.display_width, facts.description.display_height
    text = f"the picture is {width} wide and {height} high"
    return _evidence(facts.span, "frame", text, "aspect_ratio", value=round(width / height, 4))


def quoted(text: str) -> str:
    """The text in quotation marks, on one line."""
    return f"“{' '.join(text.split())}”"


def _shot_evidence(
    facts: ClipFacts, index: int, modality: Modality, text: str, quantity: Quantity, value: float
) -> Evidence:
    return _evidence(facts.shots[index].span, modality, text, quantity, value=round(value, 5))


def _evidence(
    span: Span, modality: Modality, observation: str, quantity: Quantity, text: str | None = None,
    value: float | None = None,
) -> Evidence:  # fmt: skip
    claim = Claim(quantity=quantity, text=text, value=value)
    return Evidence(span=span, modality=modality, observation=sentence(observation), claim=claim, source=SOURCE)
