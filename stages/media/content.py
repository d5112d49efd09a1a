"""What a file's packets amount to: the timeline of its content, and what is odd about it.

Here: tallying timestamps and settling them. Not here: reading packets (`stages.media.demux`), or caps
(`stages.media.probe`).

The timeline is the one that `decode_span` follows: it begins at the first keyframe, every pts counts once, and
containers without pts (AVI, raw streams) count by their decode timestamps; an undamaged file therefore decodes to
exactly as many frames as its timeline has.
"""

from array import array
from dataclasses import dataclass, field, replace

import av
import numpy as np
from numpy.typing import NDArray

from schemas.time import TimeBase
from stages.media.demux import Packet, ticks_per_frame

_MAX_GAPS_TOLD = 10

_MISSING_END_S = 1.0
"""A file that ends this much before its header says is told about."""


@dataclass(frozen=True)
class Content:
    """What the packets say. N = frames."""

    time_base: TimeBase
    pts: NDArray[np.int64]
    """N, strictly increasing."""
    keyframe_pts: NDArray[np.int64]
    """Strictly increasing, among `pts`."""
    end_pts: int
    """End of the last frame."""
    problems: tuple[str, ...]

    @property
    def duration_s(self) -> float:
        """From the first frame to the end of the last."""
        return self.time_base.seconds(self.end_pts - int(self.pts[0]))


@dataclass
class Tally:
    """Timestamps as they are read, in decode order. Eight bytes a frame, so that long files fit in memory."""

    pts: "array[int]" = field(default_factory=lambda: array("q"))
    keyframe_pts: "array[int]" = field(default_factory=lambda: array("q"))
    last_pts: int = 0
    last_duration: int = 0
    """Of the packet with the greatest pts; 0 where the file does not say."""
    last_dts: int | None = None
    steps_back: int = 0

    origin_pts: int | None = None
    """Of the first keyframe: where decoding can start, even if an edit list hides it."""
    n_hidden: int = 0

    def add(self, packet: Packet) -> None:
        """Takes the next packet; frames that an edit list hides, and those before the first keyframe, do not count."""
        if self.origin_pts is None and packet.is_keyframe:
            self.origin_pts = packet.pts
        self.n_hidden += packet.is_discard
        if packet.pts is None or packet.is_discard or self.origin_pts is None:
            return
        if packet.is_keyframe:
            self.keyframe_pts.append(packet.pts)
        if not self.pts or packet.pts > self.last_pts:
            self.last_pts, self.last_duration = packet.pts, packet.duration or 0
        self.pts.append(packet.pts)
        if packet.dts is not None:
            self.steps_back += self.last_dts is not None and packet.dts < self.last_dts
            self.last_dts = packet.dts


def settle(tally: Tally, origin_pts: int, time_base: TimeBase, problems: list[str], stream: av.VideoStream) -> Content:
    """The timeline in presentation order, from the first keyframe on.

    Args:
        tally: of all packets; there is at least one timestamp.
        origin_pts: of the first keyframe, ticks.
        time_base: of all timestamps.
        problems: what is known to be wrong with the file; what is odd about the timeline is added to it.
        stream: for what its header promises.
    """
    read = np.frombuffer(tally.pts, dtype=np.int64)
    shown = read[read >= origin_pts]
    pts = np.unique(shown)
    if len(pts) < len(shown):
        problems.append(f"{len(shown) - len(pts)} frames share their timestamp with another and are left out")
    if tally.steps_back:
        problems.append(f"decode timestamps step back {tally.steps_back} times")
    usual = round(float(np.median(np.diff(pts)))) if len(pts) > 1 else ticks_per_frame(stream)
    problems.extend(_gaps(pts, usual, time_base))
    content = Content(
        time_base=time_base,
        pts=pts,
        keyframe_pts=np.unique(np.frombuffer(tally.keyframe_pts, dtype=np.int64)),
        end_pts=int(pts[-1]) + (tally.last_duration or usual),
        problems=tuple(problems),
    )
    # A demuxer may shorten the duration of a file that is cut off, but it repeats the header's count of frames.
    counted_s = (stream.frames - tally.n_hidden) / (stream.average_rate or 1)
    promised_s = float(max((stream.duration or 0) * time_base.fraction, counted_s))
    if content.duration_s < promised_s - _MISSING_END_S:
        told = f"the file holds {content.duration_s:.2f} s of video, its header promises {promised_s:.2f} s"
        return replace(content, problems=(*content.problems, told))
    return content


def _gaps(pts: NDArray[np.int64], usual: int, time_base: TimeBase) -> list[str]:
    """Where an otherwise regular video pauses: some demuxers lose damaged stretches without a word."""
    intervals = np.diff(pts)
    irregular = np.flatnonzero(np.abs(intervals - usual) > 1)
    if len(irregular) > 0.05 * len(intervals):
        return []
    at = irregular[intervals[irregular] > 4 * usual]
    ends = [(time_base.seconds(int(pts[i]) + usual), time_base.seconds(int(pts[i + 1]))) for i in at[:_MAX_GAPS_TOLD]]
    told = [f"no frames from {start_s:.2f} s to {end_s:.2f} s" for start_s, end_s in ends]
    return [*told, f"and {len(at) - len(told)} more gaps"] if len(at) > len(told) else told
