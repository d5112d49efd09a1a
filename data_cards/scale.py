"""A clip's timeline as a scale from 0 to 100 per cent.

Here: `Scale`, which turns seconds and spans on the source's timeline into places and words. Not here: what lies at
these places (`data_cards.timeline`).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.time import Span


@dataclass(frozen=True)
class Scale:
    """Maps the source's timeline to 0 to 100 per cent of the clip."""

    start_s: float
    duration_s: float

    @classmethod
    def of(cls, span: Span) -> "Scale":
        """The scale on which `span` is the whole."""
        return cls(start_s=span.start_s, duration_s=max(span.duration_s, 1e-9))

    def at(self, seconds: float) -> float:
        """Place of an instant in per cent, kept inside the clip."""
        return round(min(100.0, max(0.0, 100 * (seconds - self.start_s) / self.duration_s)), 3)

    def band(self, span: Span) -> tuple[float, float]:
        """Left edge and width of a span in per cent; the width is 0 for a cut."""
        left = self.at(span.start_s)
        return left, round(self.at(span.end_s) - left, 3)

    def places(self, spans: Iterable[Span]) -> str:
        """Spans as the page's script reads them: `left,width;left,width`."""
        bands = sorted({self.band(span) for span in spans})
        return ";".join(f"{left:g},{width:g}" for left, width in bands)

    def text(self, span: Span) -> str:
        """A span in words, relative to the clip: `at 4.00 s` or `4.00 to 7.25 s`."""
        start_s, end_s = span.start_s - self.start_s, span.end_s - self.start_s
        return f"at {start_s:.2f} s" if span.start_pts == span.end_pts else f"{start_s:.2f} to {end_s:.2f} s"
