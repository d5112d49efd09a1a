"""What was said: a claim in a sentence, with the span that it speaks of and what its words leave open.

Here: the records, and the span in which a thing must have happened. Not here: reading sentences
(`stages.spoken.claims`), or checking (`stages.spoken.checks`).
"""

from dataclasses import dataclass

from schemas.evidence import Claim
from schemas.time import Span
from stages.evidence.measurements import Finding, Measurements
from stages.spoken.vocabulary import When


@dataclass(frozen=True)
class Said:
    """A claim: somewhere in its span, or of the whole clip where that is its quantity's nature."""

    claim: Claim
    span: Span
    """Where; may leave the clip."""
    slack: float
    """What rounding leaves open, in the unit of what was rounded: seconds of a time or length, shares of a share."""
    words: str
    """The sentence, quotations and times blanked out."""
    is_timed: bool = False
    """Whether the sentence itself names the span."""
    is_loose: bool = False
    """Whether the words may mean neighbouring things as well, such as any change of shot by `cuts to`."""
    shot: int | None = None
    """The shot that is spoken of by its position, from 1; the span is then the clip."""


@dataclass(frozen=True)
class Timed:
    """A time that was named, which must lie in the clip."""

    when: When
    clip: Span
    words: str


@dataclass(frozen=True)
class Ordered:
    """Two events of which the first is said to come before the second."""

    first: Said
    second: Said
    words: str


Spoken = Said | Timed | Ordered


def widened(said: Said, measurements: Measurements) -> Span:
    """The span in which something must have happened: the one that is said, with what times leave open, in the clip."""
    clip = measurements.clip_span
    slack_s = measurements.config.words_time_slack_s + (said.slack if said.is_timed else 0.0)
    ticks = clip.time_base.ticks(slack_s)
    start = min(max(clip.start_pts, said.span.start_pts - ticks), clip.end_pts)
    return clip.replace(start_pts=start, end_pts=max(start, min(clip.end_pts, said.span.end_pts + ticks)))


def touches(one: Span, other: Span) -> bool:
    """Whether two spans share an instant, their very ends included."""
    return one.start_pts <= other.end_pts and other.start_pts <= one.end_pts


def no_such_shot(number: int, measurements: Measurements) -> Finding:
    """The contradiction where a shot is spoken of that the clip has not."""
    count = len(measurements.shots)
    return Finding("contradicted", f"shot {number} is spoken of, and the clip has {count}", float(count))
