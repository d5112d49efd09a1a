"""What an annotator is given: a clip, or the clips of a slice, with all that is known so far.

Here: `ClipSubject`, `SliceSubject`, and turning times that a model says into spans. Not here: pictures for a model
(`annotators.pictures`), facts in words (`annotators.facts`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import get_args

from annotators.answers import SeenBox, SeenClaim, SeenEvidence
from schemas.evidence import Claim, Evidence, Quantity
from schemas.label import Box, Label
from schemas.media import Clip, FrameSample, TransitionKind
from schemas.signals import CameraTerm, ClipDescription
from schemas.time import Span

TIME_TOLERANCE_S = 0.15
"""How far outside the clip a time may lie and still mean its edge: models round. Ours."""

_COLOURS = ("black", "white", "grey", "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown")
_TERMS: Mapping[Quantity, tuple[str, ...]] = {
    "transition": get_args(TransitionKind),
    "camera_motion": tuple(term for term in get_args(CameraTerm) if term != "unclear"),
    "colour": _COLOURS,
}
"""What the text of a claim may be, where measurements know only some words for it."""
_SAME_TERM = {"gray": "grey", "hard_cut": "cut"}


class UnsoundError(Exception):
    """Part of an answer that cannot stand; the message says why, in words that a model can act on."""


@dataclass(frozen=True)
class ClipSubject:
    """One clip."""

    description: ClipDescription
    """With keyframes."""
    samples: tuple[FrameSample, ...] = ()
    """All frame samples of the clip, in order; empty where the setting `pictures` does not ask for them."""
    labels: Mapping[str, tuple[Label, ...]] = field(default_factory=dict)
    """What earlier annotators said of the clip, by annotator, each label in its latest state."""
    about: Label | None = None
    """The label to go on from, where the unit is a label."""

    @property
    def clip(self) -> Clip:
        """The clip itself."""
        return self.description.clip

    @property
    def duration_s(self) -> float:
        """Length of the clip."""
        return self.clip.span.duration_s

    def seconds(self, pts: int) -> float:
        """Seconds from the clip's start."""
        return self.clip.span.time_base.seconds(pts - self.clip.span.start_pts)

    def pts(self, seconds: float, what: str = "time") -> int:
        """The tick so many seconds after the clip's start; a little outside means its edge.

        Raises UnsoundError where it lies outside the clip.
        """
        if not -TIME_TOLERANCE_S <= seconds <= self.duration_s + TIME_TOLERANCE_S:
            raise UnsoundError(
                f"{what} {seconds:g} s is outside the clip, which runs from 0 to {self.duration_s:.2f} s"
            )
        span = self.clip.span
        return min(max(span.start_pts + span.time_base.ticks(seconds), span.start_pts), span.end_pts)

    def span(self, start_s: float, end_s: float, what: str = "span", *, may_be_empty: bool = False) -> Span:
        """The span between two times from the clip's start.

        Raises UnsoundError where it leaves the clip, ends before it starts, or holds nothing.
        """
        if not (math.isfinite(start_s) and math.isfinite(end_s)) or end_s < start_s:
            raise UnsoundError(f"{what} ends at {end_s:g} s, before it starts at {start_s:g} s")
        start, end = self.pts(start_s, f"the start of {what}"), self.pts(end_s, f"the end of {what}")
        if start == end and not may_be_empty:
            raise UnsoundError(f"{what} from {start_s:g} s to {end_s:g} s holds nothing")
        return Span(start_pts=start, end_pts=end, time_base=self.clip.span.time_base)

    def evidence(self, seen: SeenEvidence, source: str, what: str = "evidence") -> Evidence:
        """Evidence as a label holds it; what is seen at one moment is seen for the length of a frame.

        Raises UnsoundError where its span, its words or its claim cannot stand.
        """
        observation = sound_text(seen.observation, f"the observation of {what}")
        claim = _claim(seen.claim, what) if seen.claim else None
        span = self.span(seen.start_s, seen.end_s, f"the span of {what}", may_be_empty=True)
        if span.start_pts == span.end_pts and not (claim and claim.quantity == "transition"):
            span = self._frame_at(span.start_pts)
        return Evidence(span=span, modality=seen.modality, observation=observation, claim=claim, source=source)

    def _frame_at(self, pts: int) -> Span:
        """A span of a frame's mean length from `pts`, or up to the clip's end."""
        whole = self.clip.span
        length = max(1, (whole.end_pts - whole.start_pts) // max(1, self.clip.n_frames))
        start = max(whole.start_pts, min(pts, whole.end_pts - length))
        return Span(start_pts=start, end_pts=min(start + length, whole.end_pts), time_base=whole.time_base)


@dataclass(frozen=True)
class SliceSubject:
    """A slice with its labelled clips, in order."""

    slice_id: str
    clips: tuple[ClipSubject, ...]


Subject = ClipSubject | SliceSubject


def _claim(seen: SeenClaim, what: str) -> Claim | None:
    """A claim with what its quantity takes and nothing else; None where that is missing, for nothing is claimed then.

    Raises UnsoundError for a term that no measurement knows.
    """
    if seen.quantity == "transition_count":
        return None if seen.value is None else Claim(quantity=seen.quantity, value=seen.value)
    if seen.quantity in ("frozen", "black", "speech", "no_speech"):
        return Claim(quantity=seen.quantity)
    text, terms = " ".join(seen.text.split()), _TERMS.get(seen.quantity)
    if terms:
        text = text.casefold().replace(" ", "_").replace("-", "_")
        text = _SAME_TERM.get(text, text)
    if terms and text and text not in terms:
        raise UnsoundError(f"{what} claims the {seen.quantity} {text!r}, which is none of {', '.join(terms)}")
    if not text and seen.quantity != "transition":
        return None
    return Claim(quantity=seen.quantity, text=text or None)


def box_of(seen: SeenBox, what: str = "box") -> Box:
    """A box as a label holds it. Raises UnsoundError where it leaves the picture or has no inside."""
    edges = {"left": seen.left, "top": seen.top, "right": seen.right, "bottom": seen.bottom}
    outside = [f"{name} {value:g}" for name, value in edges.items() if not 0 <= value <= 1]
    if outside:
        raise UnsoundError(f"{what}: {', '.join(outside)} not between 0 and 1")
    if seen.right <= seen.left or seen.bottom <= seen.top:
        raise UnsoundError(f"{what}: right must be greater than left, and bottom greater than top")
    return Box(**edges)


def sound_text(text: str, what: str, most_chars: int = 2000) -> str:
    """The text without surrounding and repeated space. Raises UnsoundError where nothing is left, or far too much."""
    folded = " ".join(text.split())
    if not folded:
        raise UnsoundError(f"{what} is empty")
    if len(folded) > most_chars:
        raise UnsoundError(f"{what} has {len(folded)} characters; {most_chars} are the most")
    return folded


def latest(labels: Sequence[Label]) -> tuple[Label, ...]:
    """Of several states of one label the last, at the place of the first."""
    found: dict[str, Label] = {}
    for label in labels:
        found[label.label_id] = label
    return tuple(found.values())
