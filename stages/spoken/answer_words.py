"""The words of questions and answers whose form is fixed: times, positions, phrases for transitions and motions.

Here: reading them, and the record of a question. Not here: whether an answer is right (`stages.spoken.answers`). Read
apart from the annotators that write them, so that a slip of theirs is not repeated here.
"""

import re
from dataclasses import dataclass

from schemas.media import Transition
from schemas.time import Span
from stages.evidence.measurements import Finding, Measurements
from stages.spoken.vocabulary import ORDINAL, ordinal_number

SAID_S = 0.05
"""What is left open by times that are said in tenths of a second."""

KINDS = {
    "hard cut": "cut",
    "dissolve": "dissolve",
    "fade through black": "fade_out_in",
    "wipe": "wipe",
    "fade in from black": "fade_in",
    "fade out to black": "fade_out",
    "fade through white": "fade_white",
    "slow change to another shot": "gradual",
}
TERMS = {
    "the camera stays still": "static",
    "the camera pans to the left": "pan_left",
    "the camera pans to the right": "pan_right",
    "the camera tilts up": "tilt_up",
    "the camera tilts down": "tilt_down",
    "the camera zooms in": "zoom_in",
    "the camera zooms out": "zoom_out",
    "the picture rotates clockwise": "roll_clockwise",
    "the picture rotates counterclockwise": "roll_counterclockwise",
}

_TIME = re.compile(r"(?<![\d.])(\d{1,5}\.\d) s\b")
_ORDINAL = re.compile(rf"\b({ORDINAL})\b", re.IGNORECASE)
_QUOTED = re.compile("“([^”]*)”")
_KIND = re.compile(rf"\b(?:({ORDINAL}) )?({'|'.join(KINDS)})\b", re.IGNORECASE)


@dataclass(frozen=True)
class Asked:
    """A question with one of its options, to be held against the signals of a clip."""

    question: str
    answer: str
    others: tuple[str, ...]
    """The other options."""
    measurements: Measurements

    @property
    def slack_s(self) -> float:
        """How far off a time in tenths may be: its rounding and the tolerance for cuts."""
        return SAID_S + self.measurements.config.cut_tolerance_frames * self.measurements.frame_s

    def shows(self, span: Span, when_s: float) -> bool:
        """Whether a span, from its first to its last instant, holds a time from the clip's start."""
        start, end = self.measurements.seconds(span.start_pts), self.measurements.seconds(span.end_pts)
        return start - self.slack_s <= when_s <= end + self.slack_s


def found(is_right: bool, reason: str, measured: float | None, threshold: float | None = None) -> Finding:
    """The finding for an answer that is surely right or surely wrong."""
    return Finding("confirmed" if is_right else "contradicted", reason, measured, threshold=threshold)


def times(text: str) -> list[float]:
    """Every time in tenths of a second, outside quotations."""
    return [float(time) for time in _TIME.findall(_QUOTED.sub(" ", text))]


def ordinals(text: str) -> list[int]:
    """Every position that is named, from 1."""
    return [number for word in _ORDINAL.findall(_QUOTED.sub(" ", text)) if (number := ordinal_number(word))]


def quotation(text: str) -> str | None:
    """What stands in the first pair of quotation marks."""
    quoted = _QUOTED.search(text)
    return quoted[1] if quoted else None


def kind_named(text: str) -> tuple[str, int | None] | None:
    """The kind of transition that is named, and its position among those of its kind, from 1, where one is given."""
    named = _KIND.search(text)
    if named is None:
        return None
    return KINDS[named[2].casefold()], ordinal_number(named[1]) if named[1] else None


def of_kind(kind: str, measurements: Measurements) -> tuple[Transition, ...]:
    """The clip's transitions of a kind, in order."""
    return tuple(t for t in measurements.transitions_in(measurements.clip_span) if t.kind == kind)


def term_named(text: str) -> str | None:
    """The camera term that a phrase names; the longest phrase that the text holds decides."""
    held = [phrase for phrase in TERMS if phrase in text.casefold()]
    return TERMS[max(held, key=len)] if held else None
