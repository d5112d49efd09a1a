"""Opening a media file safely, and its packets from the keyframe from which a span can be decoded.

Here: what every module that touches media files shares, and seeking. Not here: frames (`stages.media.decode`), telling
of damage (`stages.media.damage`), facts about a file (`stages.media.probe`).
"""

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias, TypeVar

import av
from av.audio.stream import AudioStream
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.packet import Packet as AnyPacket
from av.video.stream import VideoStream

from schemas.time import Span, TimeBase
from stages.errors import MediaError, UnsafeMediaError
from stages.media.damage import PACKET_DAMAGED, READ_ERROR, DamageLog

Packet: TypeAlias = "AnyPacket[VideoStream]"
S = TypeVar("S", VideoStream, AudioStream)

FORMATS = ("mov", "mp4", "matroska", "webm", "avi", "mpegts", "mpeg", "flv", "asf", "ogg", "mxf", "mpegvideo", "m4v",
           "h264", "hevc")  # fmt: skip
"""Demuxers that are used, as ffmpeg names them: containers that hold their own data, and raw streams. Playlists,
concatenation scripts and image patterns can make the reader open other files and are never used."""

PROTOCOLS = ("file", "pipe")

RAW_FORMATS = frozenset({"h264", "hevc", "mpegvideo", "m4v"})
"""Bare codec streams, without any timestamps."""

_SIGNATURES = (
    (4, b"ftyp", "MP4"), (4, b"moov", "MP4"), (4, b"mdat", "MP4"), (0, b"\x1a\x45\xdf\xa3", "Matroska"),
    (8, b"AVI ", "AVI"), (0, b"FLV", "FLV"), (0, b"OggS", "Ogg"), (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "ASF"),
    (0, b"\x00\x00\x01\xba", "MPEG"), (0, b"\x06\x0e\x2b\x34", "MXF"), (0, b"\x47\x40", "MPEG-TS"),
)  # fmt: skip

_BACK_OFF_S = (0, 0.25, 1, 4, 16, 64, 256)
"""Some demuxers seek only roughly; each try aims this much earlier."""

_MAX_GROUP = 1000
"""Packets after which a group of pictures counts as too long to be kept in memory, and is decoded at once."""

_MAX_READ_ERRORS = 32
"""Consecutive errors of the demuxer after which the rest of the file counts as lost."""


@contextmanager
def open_media(path: Path, name: str, decode_on: str = "cpu") -> Iterator[InputContainer]:
    """Open a local media file for reading, as hostile input: listed formats and local protocols only.

    Args:
        path: the local file.
        name: what to call the file in errors.
        decode_on: `cpu`, or `cuda` for a GPU's decoder (NVDEC), whose frames come back to the machine's own memory;
            streams that it does not know are decoded on the CPU.

    Raises:
        UnsafeMediaError: the file is a playlist, a script or of a format that is not listed.
        MediaError: it does not exist, is empty, is no media file, its header cannot be read, or there is no such GPU.
    """
    container = _open(path, name) if decode_on == "cpu" else _open_on_gpu(path, name, decode_on)
    try:
        yield container
    finally:
        container.close()


def main_video_stream(container: InputContainer, name: str) -> VideoStream:
    """The first video stream that is no cover picture. Raises MediaError where there is none."""
    pictures = [s for s in container.streams.video if av.stream.Disposition.attached_pic not in s.disposition]
    for stream in pictures:
        # A stream that no decoder is known for has no codec context.
        if stream.codec_context is not None and stream.codec_context.width and stream.codec_context.height:
            return stream
    raise MediaError(f"{name}: {'its video is of an unknown codec or size' if pictures else 'it holds no video'}")


def stores_pts(container: InputContainer) -> bool:
    """Whether the container stores presentation timestamps; `stages.media.decode` says what holds for the others."""
    return container.format.name != "avi" and container.format.name not in RAW_FORMATS


def seconds_per_tick(stream: VideoStream, name: str = "stream") -> Fraction:
    """The stream's time base. Raises MediaError where the container gives none."""
    if not stream.time_base:
        raise MediaError(f"{name}: its video stream has no time base")
    return stream.time_base


def ticks_per_frame(stream: VideoStream) -> int:
    """The usual distance of two frames, from the header's frame rate, in ticks of the stream's time base."""
    rate = stream.average_rate or stream.guessed_rate or 25
    return max(1, round(1 / (rate * seconds_per_tick(stream))))


def demux_video(container: InputContainer, stream: VideoStream, damage: DamageLog) -> Iterator[Packet]:
    """The stream's packets in decode order from where the container stands, each with a pts where one is known.

    Where the container stores no pts, `packet.pts` is the decode timestamp. Empty packets (AVI's "nothing new here")
    are left out. Packets that an edit list hides are among them (`is_discard`): others need them, though no frame comes
    of them. Damage that the demuxer reports is noted and skipped.
    """
    raw_ticks = ticks_per_frame(stream) if container.format.name in RAW_FORMATS else 0
    position = 0
    packets = read_packets(container, stream, lambda packet: packet.dts, lambda dts: damage.note(READ_ERROR, dts))
    for packet in packets:
        if not packet.size:
            continue
        if raw_ticks:
            packet.pts = packet.dts = position * raw_ticks
        elif packet.pts is None or not stores_pts(container):
            packet.pts = packet.dts
        if packet.is_corrupt:
            damage.note(PACKET_DAMAGED, packet.pts)
        position += 1
        yield packet


def packets_from_keyframe(
    container: InputContainer, stream: VideoStream, span: Span | None, damage: DamageLog, name: str
) -> Iterator[Packet]:
    """Packets from a keyframe from which every frame of the span can be decoded and timed; None is the first one.

    Raises MediaError where the file cannot be positioned.
    """
    found = _seek(container, stream, span.start_pts, damage) if span else None
    if found and not stores_pts(container):
        # One group of pictures more: frames that a keyframe needs but cannot be decoded after a seek (open groups)
        # must not be missing when the frames of the span are counted.
        (head, _) = found
        found = _seek(container, stream, head.pts - 1, damage) if head.pts is not None else None
    if found:
        return itertools.chain([found[0]], found[1])
    _rewind(container, stream, name)
    packets = itertools.dropwhile(lambda packet: not packet.is_keyframe, demux_video(container, stream, damage))
    return (
        packets if span is None else _without_early_groups(packets, span.start_pts, 1 if stores_pts(container) else 2)
    )


def keyframe_near(container: InputContainer, stream: VideoStream, pts: int, within: range) -> int | None:
    """The pts of a keyframe near `pts`, a little before or after it; None where seeking finds none `within`."""
    for head, _ in _landings(container, stream, pts, DamageLog(TimeBase.of(seconds_per_tick(stream)))):
        if head.pts in within and not head.is_discard:
            return head.pts
        if (head.pts or 0) < within.start:
            break
    return None


def _open_on_gpu(path: Path, name: str, device: str) -> InputContainer:
    try:
        return _open(path, name, HWAccel(device, allow_software_fallback=True))
    except MediaError as error:
        # What is wrong with the file itself is told as it is told elsewhere.
        _open(path, name).close()
        message = f"{name}: the GPU's decoder cannot be opened ({error.__cause__}): set grid.decode_on=cpu"
        raise MediaError(message) from error


def _open(path: Path, name: str, gpu: HWAccel | None = None) -> InputContainer:
    if not path.is_file():
        raise MediaError(f"{name}: no such file")
    if path.stat().st_size == 0:
        raise MediaError(f"{name}: the file is empty")
    options = {"format_whitelist": ",".join(FORMATS), "protocol_whitelist": ",".join(PROTOCOLS)}
    try:
        # The explicit protocol keeps a file's name from being read as another protocol or as an option.
        return av.open(f"file:{path.absolute()}", mode="r", options=options, hwaccel=gpu)
    except av.error.ArgumentError:
        # What ffmpeg answers when it knows the format and the list does not.
        raise UnsafeMediaError(f"{name}: a playlist, script, image or rare format, which is never opened") from None
    except av.error.FFmpegError as error:
        container = _recognise(path)
        if container is None:
            raise MediaError(f"{name}: not a media file ({error.strerror})") from error
        raise MediaError(f"{name}: {container} file whose header is cut off or damaged ({error.strerror})") from error


def _recognise(path: Path) -> str | None:
    with path.open("rb") as file:
        start = file.read(16)
    return next((kind for at, mark, kind in _SIGNATURES if start[at : at + len(mark)] == mark), None)


def read_packets(
    container: InputContainer,
    stream: S,
    time: Callable[["AnyPacket[S]"], int | None],
    lost: Callable[[int | None], None],
) -> Iterator["AnyPacket[S]"]:
    """All packets to the end of the file; reading goes on after an error, though PyAV's iterator ends there.

    `lost` is told of each error, with the time of the last packet that had one.
    """
    errors, last = 0, None
    while errors < _MAX_READ_ERRORS:
        try:
            for packet in container.demux(stream):
                found = time(packet)
                errors, last = 0, found if found is not None else last
                yield packet
            return
        except av.error.EOFError:
            return
        except av.error.FFmpegError:
            errors += 1
            lost(last)


def _without_early_groups(packets: Iterator[Packet], pts: int, n_groups: int) -> Iterator[Packet]:
    """The packets from the keyframe on that starts the last `n_groups` groups of pictures before `pts`.

    Where seeking is impossible, reading what lies before a span is cheap, and decoding it is not.
    """
    groups: deque[list[Packet]] = deque(maxlen=n_groups)
    for packet in packets:
        if not groups or (packet.is_keyframe and packet.pts is not None and packet.pts <= pts):
            groups.append([])
        groups[-1].append(packet)
        if len(groups[-1]) == _MAX_GROUP or (packet.dts is not None and packet.dts > pts):
            break
    yield from itertools.chain.from_iterable(groups)
    yield from packets


def _seek(
    container: InputContainer, stream: VideoStream, pts: int, damage: DamageLog
) -> tuple[Packet, Iterator[Packet]] | None:
    """A keyframe with a pts at or before `pts`, and the packets after it; None where seeking finds none."""
    landings = _landings(container, stream, pts, damage)
    return next(((head, packets) for head, packets in landings if (head.pts or 0) <= pts), None)


def _landings(
    container: InputContainer, stream: VideoStream, pts: int, damage: DamageLog
) -> Iterator[tuple[Packet, Iterator[Packet]]]:
    """The keyframe at which reading comes to stand when it seeks to `pts`, with the packets after it; ever earlier."""
    for back_s in _BACK_OFF_S if container.format.name not in RAW_FORMATS else ():
        try:
            container.seek(pts - round(back_s / seconds_per_tick(stream)), stream=stream)
        except av.error.FFmpegError:
            return
        packets = demux_video(container, stream, damage)
        head = next((packet for packet in packets if packet.is_keyframe), None)
        if head is not None and head.pts is not None:
            yield head, packets


def _rewind(container: InputContainer, stream: VideoStream, name: str) -> None:
    try:
        if container.format.name in RAW_FORMATS:
            container.seek(0, unsupported_byte_offset=True)
        else:
            # Forward from before everything: looking backward for a time before the first packet may find nothing.
            container.seek(-(2**40), stream=stream, backward=False)
    except av.error.FFmpegError as error:
        raise MediaError(f"{name}: reading cannot start over ({error.strerror})") from error
