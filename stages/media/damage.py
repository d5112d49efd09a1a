"""Damage met while a file is read, told in one sentence per kind and stretch of the file.

Here: the kinds of damage that we notice, and how they are merged and worded. Not here: noticing them
(`stages.media.decode`), or what ffmpeg itself complains of (`stages.media.complaints`).
"""

from dataclasses import dataclass, field

from schemas.time import TimeBase

PACKET_LOST = "packet|could not be decoded"
PACKET_DAMAGED = "packet|came in incomplete or damaged"
FRAME_DAMAGED = "frame|came out damaged"
FRAME_LATE = "frame|left out because time did not move forward"
READ_ERROR = "read error|lost a stretch of the file"
"""What is counted, and what became of it; the sentence is made of both."""


@dataclass
class DamageLog:
    """Collects what went wrong while reading, merged into one sentence per kind and stretch of a file."""

    time_base: TimeBase
    max_sentences: int = 20
    gap_s: float = 1.0
    """Events of one kind that lie closer together than this are one stretch."""
    _stretches: list[tuple[str, float, float, int]] = field(default_factory=list)
    """Kind, seconds of the first and the last event, number of events."""

    def note(self, kind: str, pts: int | None) -> None:
        """Count one event of a kind (`PACKET_LOST` …). Where its time is unknown, it joins the stretch before."""
        last_s = self._stretches[-1][2] if self._stretches else 0.0
        now_s = last_s if pts is None else self.time_base.seconds(pts)
        for i, (known, start_s, end_s, count) in enumerate(self._stretches):
            if known == kind and start_s - self.gap_s < now_s < end_s + self.gap_s:
                self._stretches[i] = (kind, min(start_s, now_s), max(end_s, now_s), count + 1)
                return
        self._stretches.append((kind, now_s, now_s, 1))

    def sentences(self) -> list[str]:
        """What happened, in the order in which it was met, bounded by `max_sentences`."""
        told = []
        for kind, start_s, _, count in self._stretches[: self.max_sentences]:
            what, consequence = kind.split("|")
            told.append(f"{count} {what}{'s' * (count != 1)} near {start_s:.2f} s {consequence}")
        rest = len(self._stretches) - len(told)
        return [*told, f"and {rest} more damaged stretches"] if rest else told
