"""What is known of one clip, ready to be spoken of: times from the clip's start, shots by order, shots' joints.

Here: `ClipFacts` and the words for order and time. Not here: claims (`observations`) or questions (`qa_*`).
"""

from dataclasses import dataclass
from functools import cached_property

from schemas.config import MeasuredConfig
from schemas.media import Transition
from schemas.signals import CameraSegment, ClipDescription, ShotFigures, TextDetection
from schemas.time import Span

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")

MOVING_TERMS = (
    "pan_left", "pan_right", "tilt_up", "tilt_down", "zoom_in", "zoom_out", "roll_clockwise", "roll_counterclockwise",
)  # fmt: skip
"""Camera terms that name one motion with its direction."""

CLEAR_TERMS = ("static", *MOVING_TERMS)
"""Camera terms that a question may ask for; `handheld`, `mixed` and `unclear` leave room for argument."""

MIN_MOTION_S = 1.8
"""Ours: shorter camera motions are not asked about; what was measured as one could be the mean of two."""
MIN_TEXT_SCORE = 0.9
"""Ours: a text that is spoken of was recognised with at least this confidence …"""
MIN_TEXT_LETTERS = 4
"""… and has at least this many letters and digits."""


def ordinal(index: int) -> str:
    """The word for a position counted from 0: `first`, `second` … `11th`."""
    if index < len(ORDINALS):
        return ORDINALS[index]
    number = index + 1
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


@dataclass(frozen=True)
class ClipFacts:
    """One clip's description with the annotator's settings; every question is made from this alone."""

    description: ClipDescription
    config: MeasuredConfig

    @property
    def span(self) -> Span:
        """The clip, on the source's timeline."""
        return self.description.clip.span

    @property
    def shots(self) -> tuple[ShotFigures, ...]:
        """The clip's shots in order."""
        return self.description.shots

    @property
    def transitions(self) -> tuple[Transition, ...]:
        """The clip's transitions in order."""
        return self.description.clip.transitions

    @cached_property
    def frame_ticks(self) -> int:
        """Ticks of one frame, as the clip's mean."""
        return max(1, round((self.span.end_pts - self.span.start_pts) / max(1, self.description.clip.n_frames)))

    @cached_property
    def joints_fit(self) -> bool:
        """Whether each transition joins two neighbouring shots exactly, with no shot black from end to end."""
        if len(self.shots) != len(self.transitions) + 1:
            return False
        joined = zip(self.transitions, self.shots[:-1], self.shots[1:], strict=True)
        fit = all((t.span.start_pts, t.span.end_pts) == (a.span.end_pts, b.span.start_pts) for t, a, b in joined)
        return fit and not any(self.is_mostly(shot.span, self.description.black_spans) for shot in self.shots)

    @cached_property
    def has_unnamed_transition(self) -> bool:
        """Whether some slow change's kind could not be told; then it may be no transition at all to a viewer."""
        return any(transition.kind == "gradual" for transition in self.transitions)

    @cached_property
    def camera_is_clear(self) -> bool:
        """Whether the camera's motion is known and nameable throughout every shot."""
        return all(shot.camera for shot in self.shots) and all(s.term in CLEAR_TERMS for _, s in self.camera)

    @property
    def camera(self) -> tuple[tuple[int, CameraSegment], ...]:
        """Every camera segment in order, with the position of its shot."""
        return tuple((index, segment) for index, shot in enumerate(self.shots) for segment in shot.camera)

    def seconds(self, pts: int) -> float:
        """Seconds from the clip's start."""
        return self.span.time_base.seconds(pts - self.span.start_pts)

    def tenths(self, pts: int) -> int:
        """Tenths of a second from the clip's start, nearest."""
        return round(self.seconds(pts) * 10)

    def pts_at(self, tenths: int) -> int:
        """The instant that many tenths of a second after the clip's start."""
        return self.span.start_pts + self.span.time_base.ticks(tenths / 10)

    def time(self, pts: int) -> str:
        """An instant in words: `3.4 s`."""
        return say_tenths(self.tenths(pts))

    def stretch(self, span: Span) -> str:
        """A span in words: `from 3.2 s to 5.8 s`."""
        return f"from {self.time(span.start_pts)} to {self.time(span.end_pts)}"

    def shot_at(self, pts: int) -> int | None:
        """Position of the shot that shows at `pts`; None during a gradual transition."""
        return next((index for index, shot in enumerate(self.shots) if shot.span.holds(pts)), None)

    @cached_property
    def sure_texts(self) -> tuple[TextDetection, ...]:
        """Text read with little doubt: words rather than specks that look like letters."""
        return tuple(
            text
            for text in self.description.text
            if text.score >= MIN_TEXT_SCORE and sum(c.isalnum() for c in text.text) >= MIN_TEXT_LETTERS
        )

    def texts_in(self, index: int) -> tuple[TextDetection, ...]:
        """Whatever was read in one shot."""
        return tuple(text for text in self.description.text if self.shots[index].span.holds(text.pts))

    def is_mostly(self, span: Span, others: tuple[Span, ...]) -> bool:
        """Whether `others` together cover more than half of `span`."""
        return sum(span.overlap_s(other) for other in others) > span.duration_s / 2

    def touches(self, span: Span, others: tuple[Span, ...]) -> bool:
        """Whether any of `others` shares an instant with `span`."""
        return any(span.overlap_s(other) > 0 for other in others)

    def transition_before(self, index: int) -> Transition | None:
        """The transition that leads into a shot; None at the clip's start. Asks for `joints_fit`."""
        return self.transitions[index - 1] if index > 0 else None

    def is_cut_off(self, index: int) -> bool:
        """Whether a shot is only the piece of a longer one that falls into the clip."""
        shot = self.description.clip.shots[index]
        return bool({shot.starts_with, shot.ends_with} & {"length_limit", "slice_boundary"})

    def has_sharp_edges(self, index: int) -> bool:
        """Whether a shot begins and ends at a hard cut or at the clip's edge, so that its length is beyond doubt."""
        before = self.transitions[index - 1 : index] if index > 0 else ()
        return all(transition.kind == "cut" for transition in (*before, *self.transitions[index : index + 1]))


def say_tenths(tenths: int) -> str:
    """Tenths of a second in words: `3.4 s`."""
    return f"{tenths // 10}.{tenths % 10} s"


def lower_first(text: str) -> str:
    """The sentence as it reads after a comma."""
    return text[0].lower() + text[1:]
