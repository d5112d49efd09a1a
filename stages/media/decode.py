"""Decoding exactly the frames of a span, in order, with exact timestamps.

Here: frames, and where a span can be divided so that its stretches are decoded side by side.
Not here: opening and packets (`stages.media.demux`), telling of damage (`stages.media.damage`), measuring
(`stages.scan.slice_scan`).

Whose timestamps: most containers store a pts with each packet, and that is the frame's. AVI and raw streams store
none (`stores_pts` is False). For them the rule is ours: the group of pictures that starts at a keyframe owns the decode
timestamps of its packets, and its frames take them in the order in which they are shown. The first frame of such a
file therefore lies at 0, a lost frame shifts nothing beyond its own group, and the answer is the same wherever
decoding starts.
"""

import itertools
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from schemas.time import Span, TimeBase
from stages.media.damage import FRAME_DAMAGED, FRAME_LATE, PACKET_LOST, DamageLog
from stages.media.demux import (
    Packet,
    keyframe_near,
    packets_from_keyframe,
    seconds_per_tick,
    stores_pts,
    ticks_per_frame,
)

_MAX_STARTS = 3
"""Keyframes at which decoding a span is tried to start; a refresh is through before the next one begins."""

_MAX_HELD = 32
"""Packets that are shown after a span and held back: more than any codec lets one frame overtake."""


def decode_span(
    container: InputContainer, stream: VideoStream, span: Span | None, problems: list[str], name: str
) -> Iterator[av.VideoFrame]:
    """Decode the frames whose exact pts lies in `span`, in strictly increasing pts (ticks of `stream.time_base`).

    Decoding starts at the keyframe at or before the span. A source's timeline starts at its first keyframe: what
    precedes it cannot be decoded. Damaged packets are skipped and told in `problems`, one sentence a stretch.

    Args:
        container: an open file; it is positioned anew.
        stream: its video stream.
        span: what to decode, on the stream's own time base; None is all of it.
        problems: receives the sentences when decoding ends.
        name: what to call the file in errors.

    Raises:
        ValueError: the span is on another time base.
        MediaError: the file cannot be positioned.
    """
    if span is not None:
        _require_time_base(span, stream, name)
    frames, damage = _frames_from_keyframe(container, stream, span, name)
    try:
        yield from _inside(frames, span, damage)
    finally:
        problems.extend(sentence for sentence in damage.sentences() if sentence not in problems)


def divide_span(
    container: InputContainer, stream: VideoStream, span: Span, count: int, min_stretch_s: float, name: str
) -> tuple[Span, ...]:
    """Cut a span at keyframes into consecutive stretches of about equal length, which can be decoded side by side.

    `decode_span` over the stretches, one after the other, gives the frames that it gives over the span: same pictures,
    same pts. The pictures of an open group that are shown before its keyframe belong to the stretch before it.

    Args:
        container: an open file; it is positioned anew.
        stream: its video stream.
        span: what to divide, on the stream's own time base.
        count: most stretches.
        min_stretch_s: shortest stretch, in seconds; decoding to a stretch's end reads a little of the next one.
        name: what to call the file in errors.

    Returns:
        One to `count` spans; only the span itself where it is short, has no keyframe at the right places, or lies in a
        raw stream, which can only be read from its beginning.

    Raises:
        ValueError: the span is on another time base.
    """
    _require_time_base(span, stream, name)
    least = max(1, span.time_base.ticks(min_stretch_s))
    length = span.end_pts - span.start_pts
    count = min(count, length // least)
    bounds = [span.start_pts]
    for number in range(1, count):
        target = span.start_pts + length * number // count
        pts = keyframe_near(container, stream, target, range(bounds[-1] + least, span.end_pts - least + 1))
        if pts is not None:
            bounds.append(pts)
    ends = [*bounds[1:], span.end_pts]
    return tuple(span.replace(start_pts=start, end_pts=end) for start, end in zip(bounds, ends, strict=True))


def _require_time_base(span: Span, stream: VideoStream, name: str) -> None:
    if span.time_base.fraction != seconds_per_tick(stream, name):
        raise ValueError(f"{name}: span on time base {span.time_base.fraction}, stream on {stream.time_base}")


def _frames_from_keyframe(
    container: InputContainer, stream: VideoStream, span: Span | None, name: str
) -> tuple[Iterator[av.VideoFrame], DamageLog]:
    """Frames from a keyframe from which the decoder shows the span's beginning, and the log of damage met from there.

    Where pictures are refreshed piece by piece (intra refresh), what the file marks as a keyframe is only where a
    refresh begins, and a decoder that starts there shows nothing until it is through: another start is tried, earlier.
    """
    time_base, aim = TimeBase.of(seconds_per_tick(stream, name)), span
    for _ in range(_MAX_STARTS):
        damage = DamageLog(time_base)
        packets = packets_from_keyframe(container, stream, aim, damage, name)
        if not stores_pts(container):
            return _counted_frames(packets, stream, damage), damage
        head = next(packets, None)
        packets = packets if span is None else _until(packets, span.end_pts)
        rest = _timed_frames(itertools.chain([head] if head else [], packets), stream, damage)
        first = next(rest, None)
        frames = itertools.chain([first] if first else [], rest)
        if span is None or head is None or head.pts is None:
            break
        if first is not None and first.pts is not None and first.pts <= max(head.pts, span.start_pts):
            break
        aim = span.replace(start_pts=head.pts - 1)
    return frames, damage


def _until(packets: Iterable[Packet], end_pts: int) -> Iterator[Packet]:
    """The packets that frames before `end_pts` may need.

    One that is shown later is held back until one that is shown earlier follows, and may refer to it. A decoder that
    reads on until it shows the end has worked on several pictures for nothing, a keyframe among them.
    """
    held: list[Packet] = []
    for packet in packets:
        held.append(packet)
        if packet.pts is None or packet.pts < end_pts:
            yield from held
            held.clear()
        elif len(held) > _MAX_HELD:
            return


def _timed_frames(packets: Iterator[Packet], stream: VideoStream, damage: DamageLog) -> Iterator[av.VideoFrame]:
    """Frames with the pts of their packets, from the first keyframe on; one without continues from the frame before."""
    head = next(packets, None)
    if head is None:
        return
    expected = floor = head.pts
    for frame in _decode(itertools.chain([head], packets), stream, damage):
        if frame.pts is None:
            frame.pts = expected
        if frame.pts is None or (floor is not None and frame.pts < floor):
            # Shown before the keyframe that decoding starts at: its references are missing.
            continue
        expected = frame.pts + (frame.duration or ticks_per_frame(stream))
        yield frame


def _counted_frames(packets: Iterator[Packet], stream: VideoStream, damage: DamageLog) -> Iterator[av.VideoFrame]:
    """Frames of a file without pts; each group of pictures deals out its packets' decode timestamps in order."""
    free: deque[int] = deque()
    groups: list[int] = []

    def remembered() -> Iterator[Packet]:
        for packet in packets:
            if packet.pts is not None:
                free.append(packet.pts)
                if packet.is_keyframe:
                    groups.append(packet.pts)
            yield packet

    current = -1
    for frame in _decode(remembered(), stream, damage):
        # Until here frame.pts is the decode timestamp of the frame's own packet: it tells the group.
        group = bisect_right(groups, frame.pts) - 1 if frame.pts is not None else current
        if group > current:
            current = group
            while free and free[0] < groups[group]:
                free.popleft()
        if free:
            frame.pts = free.popleft()
            yield frame


def _decode(packets: Iterable[Packet], stream: VideoStream, damage: DamageLog) -> Iterator[av.VideoFrame]:
    """Every frame that the decoder gives, in its order; packets that it refuses are noted."""
    for packet in itertools.chain(packets, [None]):
        try:
            yield from stream.decode(packet)
        except av.error.EOFError:
            return
        except av.error.FFmpegError:
            damage.note(PACKET_LOST, packet.pts if packet else None)


def _inside(frames: Iterable[av.VideoFrame], span: Span | None, damage: DamageLog) -> Iterator[av.VideoFrame]:
    """The frames within the span whose time moves forward."""
    last_pts = None
    for frame in frames:
        if (pts := frame.pts) is None:
            continue
        if span is not None and pts >= span.end_pts:
            return
        if span is not None and pts < span.start_pts:
            continue
        if last_pts is not None and pts <= last_pts:
            damage.note(FRAME_LATE, pts)
            continue
        if frame.is_corrupt:
            damage.note(FRAME_DAMAGED, pts)
        last_pts = pts
        yield frame
