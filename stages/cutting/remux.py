"""Copying a clip's packets into an mp4, without decoding and encoding them.

Here: which packets are the clip's, their new timestamps, and the muxing of picture and sound. Not here: whether what
was written is the clip (`stages.cutting.cut`), or reading packets (`stages.media.demux`).
"""

import itertools
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias, cast

import av
from av.audio.stream import AudioStream
from av.packet import Packet as AnyPacket
from av.video.stream import VideoStream

from stages.cutting.clip_source import ClipSource
from stages.media.damage import DamageLog
from stages.media.demux import Packet, packets_from_keyframe, stores_pts

AudioPacket: TypeAlias = "AnyPacket[AudioStream]"
MediaPacket: TypeAlias = "AnyPacket[VideoStream] | AnyPacket[AudioStream]"

_COPIED_VIDEO = frozenset({"h264", "hevc", "av1", "vp9", "mpeg4"})
_COPIED_AUDIO = frozenset({"aac", "mp3", "opus", "ac3", "eac3", "flac", "alac"})
"""What players expect in an mp4."""

_REORDERING = 32
"""Packets to look at beyond the end of a span. H.264 and HEVC reorder across at most 16 frames."""


def copy_packets(source: ClipSource, destination: Path) -> bool:
    """Copy the clip's packets where they are exactly its frames; False where they are not, whatever was written.

    True is no proof: what is marked as a keyframe may need packets before it. Raises MediaError where the source cannot
    be positioned.
    """
    if not stores_pts(source.container) or source.rotation_degrees:
        return False
    if source.video.codec_context.codec.canonical_name not in _COPIED_VIDEO:
        return False
    if source.audio is not None and source.audio.codec_context.codec.canonical_name not in _COPIED_AUDIO:
        return False
    packets = _packets_to_copy(source)
    if len(packets) != source.clip.n_frames:
        return False
    _retime(packets, source.first_pts)
    sound = _audio_packets(source, source.audio) if source.audio is not None else []
    try:
        _mux(source, [*packets, *sound], destination)
    except av.error.FFmpegError:
        # The muxer does not take this stream as it is.
        return False
    return True


def _packets_to_copy(source: ClipSource) -> list[Packet]:
    """The span's packets in decode order; none where they do not start at a keyframe or do not stand together."""
    span, inside, beyond = source.clip.span, list[Packet](), 0
    damage = DamageLog(span.time_base)
    packets = packets_from_keyframe(source.container, source.video, span, damage, source.clip.name)
    # Seeking may have found an earlier keyframe than the one that the clip starts at.
    for packet in itertools.dropwhile(lambda packet: packet.pts != source.first_pts, packets):
        if (
            packet.pts is None
            or packet.is_discard
            or packet.pts < source.first_pts
            or (beyond and packet.pts < span.end_pts)
        ):
            return []
        if packet.pts < span.end_pts:
            inside.append(packet)
        elif (beyond := beyond + 1) >= _REORDERING:
            break
    return inside if inside and inside[0].is_keyframe and not damage.sentences() else []


def _retime(packets: list[Packet], first_pts: int) -> None:
    """Let the first frame begin at 0, and give each packet a dts: increasing, never after its pts, as late as possible.

    The dts is worked out anew because demuxers do not know the first ones after a seek.
    """
    pts = [cast("int", packet.pts) - first_pts for packet in packets]
    ordered = sorted(pts)
    delay = max(early - own for early, own in zip(ordered, pts, strict=True))
    for packet, early, own in zip(packets, ordered, pts, strict=True):
        packet.pts, packet.dts = own, early - delay


def _audio_packets(source: ClipSource, audio: AudioStream) -> list[AudioPacket]:
    """Sound packets that begin within the clip, counted from its first frame."""
    base = audio.time_base or Fraction(1, audio.codec_context.sample_rate)
    start = round(source.first_pts * source.clip.span.time_base.fraction / base)
    end = round(source.clip.span.end_pts * source.clip.span.time_base.fraction / base)
    try:
        source.container.seek(start - round(2 / base), stream=audio)
    except av.error.FFmpegError:
        source.container.seek(-(2**40), stream=audio, backward=False)
    inside = []
    for packet in source.container.demux(audio):
        if packet.pts is not None and packet.pts >= end:
            break
        if packet.pts is not None and packet.size and packet.pts >= start:
            packet.pts -= start
            packet.dts = packet.pts
            inside.append(packet)
    return inside


def _mux(source: ClipSource, packets: Sequence[MediaPacket], destination: Path) -> None:
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    base = source.clip.span.time_base
    if base.numerator == 1:
        # Otherwise the muxer would choose a finer scale; this way ticks in the clip are ticks of the source.
        options["video_track_timescale"] = str(base.denominator)
    with av.open(f"file:{destination.absolute()}", "w", format="mp4", options=options) as target:
        video = target.add_stream_from_template(source.video)
        video.time_base = base.fraction
        streams: dict[int, VideoStream | AudioStream] = {source.video.index: video}
        if source.audio is not None:
            streams[source.audio.index] = target.add_stream_from_template(source.audio)
        for packet in sorted(packets, key=lambda packet: (packet.dts or 0) * packet.time_base):
            packet.stream = streams[packet.stream_index]
            target.mux(packet)
