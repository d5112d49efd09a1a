"""Exact time: integer pts on a rational time base, and half-open spans of it.

Here: `TimeBase`, `Span` and interval arithmetic. Seconds are always derived, never stored as the truth.
"""

from fractions import Fraction
from typing import Self

from pydantic import Field, computed_field, model_validator

from schemas.base import Record


class TimeBase(Record):
    """Seconds per tick, as a fraction in lowest terms."""

    numerator: int = Field(gt=0)
    denominator: int = Field(gt=0)

    @classmethod
    def of(cls, value: Fraction) -> Self:
        """The time base equal to `value` seconds per tick."""
        return cls(numerator=value.numerator, denominator=value.denominator)

    @property
    def fraction(self) -> Fraction:
        """Seconds per tick."""
        return Fraction(self.numerator, self.denominator)

    def seconds(self, pts: int) -> float:
        """Presentation time of `pts` in seconds."""
        return float(pts * self.fraction)

    def ticks(self, seconds: float) -> int:
        """The tick nearest to `seconds`."""
        return round(Fraction(seconds) / self.fraction)


class Span(Record):
    """`[start_pts, end_pts)` on one source's video timeline; empty where both are equal (a hard cut)."""

    start_pts: int
    """First tick inside."""
    end_pts: int
    """First tick after."""
    time_base: TimeBase
    """Seconds per tick."""

    @model_validator(mode="after")
    def _is_ordered(self) -> Self:
        if self.end_pts < self.start_pts:
            raise ValueError(f"a span cannot end before it starts: [{self.start_pts}, {self.end_pts})")
        return self

    @computed_field  # type: ignore[prop-decorator]
    @property
    def start_s(self) -> float:
        """Start, seconds on the source's timeline."""
        return self.time_base.seconds(self.start_pts)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def end_s(self) -> float:
        """End, seconds on the source's timeline."""
        return self.time_base.seconds(self.end_pts)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.time_base.seconds(self.end_pts - self.start_pts)

    def holds(self, pts: int) -> bool:
        """Whether the instant `pts` lies inside."""
        return self.start_pts <= pts < self.end_pts

    def covers(self, other: "Span") -> bool:
        """Whether `other` lies wholly inside."""
        self._require_same_base(other)
        return self.start_pts <= other.start_pts and other.end_pts <= self.end_pts

    def overlap_s(self, other: "Span") -> float:
        """Seconds that both spans share."""
        self._require_same_base(other)
        ticks = min(self.end_pts, other.end_pts) - max(self.start_pts, other.start_pts)
        return self.time_base.seconds(max(0, ticks))

    def iou(self, other: "Span") -> float:
        """Temporal intersection over union, 0 to 1. Two equal spans give 1, even empty ones."""
        if self == other:
            return 1.0
        shared = self.overlap_s(other)
        union = self.duration_s + other.duration_s - shared
        return shared / union if union > 0 else 0.0

    def clamp(self, other: "Span") -> "Span | None":
        """The stretch of this span inside `other`; None where they do not meet."""
        self._require_same_base(other)
        start, end = max(self.start_pts, other.start_pts), min(self.end_pts, other.end_pts)
        return Span(start_pts=start, end_pts=end, time_base=self.time_base) if start < end else None

    def shift(self, seconds: float) -> "Span":
        """The same span, moved by `seconds`."""
        ticks = self.time_base.ticks(seconds)
        return self.replace(start_pts=self.start_pts + ticks, end_pts=self.end_pts + ticks)

    def _require_same_base(self, other: "Span") -> None:
        if self.time_base != other.time_base:
            raise ValueError(f"spans on different time bases: {self.time_base} and {other.time_base}")
