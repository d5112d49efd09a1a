"""What an input is: container facts, content hash, what is refused, and the slices that it is worked in.

Here: reading every packet of a file once, without decoding more than its first frame, and holding it against the caps.
Not here: opening (`stages.media.demux`), what the packets amount to (`stages.media.content`), where slices end
(`stages.media.slices`).

Facts from the header and facts from the content are kept apart. Wall clocks and processes are the `pipeline`'s.
"""

import hashlib
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer

from schemas.config import ProbeConfig
from schemas.media import AudioStream, ListedSource, Source, VideoStream
from schemas.time import TimeBase
from schemas.verdict import Verdict
from stages.errors import MediaError
from stages.media.content import Content, Tally, settle
from stages.media.damage import DamageLog
from stages.media.decode import decode_span
from stages.media.demux import demux_video, main_video_stream, open_media, seconds_per_tick
from stages.media.slices import content_slices

_TRANSFERS = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "linear", 9: "log100", 10: "log316",
    11: "iec61966-2-4", 12: "bt1361e", 13: "iec61966-2-1", 14: "bt2020-10", 15: "bt2020-12", 16: "smpte2084",
    17: "smpte428", 18: "arib-std-b67",
}  # fmt: skip
"""ISO/IEC 23091-2 codes of transfer characteristics, as ffmpeg names them."""

_HASH_BLOCK_BYTES = 1 << 20


def probe_source(listed: ListedSource, path: Path, config: ProbeConfig) -> Source | Verdict:
    """Read every packet of one input and say what it is, or turn it away.

    Args:
        listed: the line of the listing.
        path: a local copy of the file.
        config: caps and the longest slice. Caps are checked as early as the figure is known: the size before anything
            is opened, length and frame count while packets are read. `timeout_s` is the caller's to enforce.

    Returns:
        The source with its slices; a rejecting verdict where a cap is exceeded or the file holds sound only.

    Raises:
        UnsafeMediaError: a playlist, script or format that is never opened.
        MediaError: empty, no media, an unreadable header, or nothing in it can be decoded.
    """
    size_bytes = path.stat().st_size if path.is_file() else 0
    if refusal := refuse_size(listed, size_bytes, config):
        return refusal
    with open_media(path, listed.name) as container:
        if _holds_sound_only(container):
            return _sound_only(listed)
        stream = main_video_stream(container, listed.name)
        if (pixels := stream.width * stream.height) > config.max_pixels:
            picture = f"pictures of {stream.width} x {stream.height} pixels"
            return _reject(listed, "max_pixels", pixels, config.max_pixels, picture)
        content = _read_content(container, stream, listed, config)
        if isinstance(content, Verdict):
            return content
        video = _video_facts(container, stream, content, listed.name)
        audio = _audio_facts(container)
        container_format = container.format.name
    sha256 = content_sha256(path)
    return Source(
        source_id=listed.source_id,
        uri=listed.uri,
        name=listed.name,
        size_bytes=size_bytes,
        content_sha256=sha256,
        container=container_format,
        video=video,
        audio=audio,
        problems=content.problems,
        slices=content_slices(listed, sha256, content, config.max_slice_s),
    )


def refuse_size(listed: ListedSource, size_bytes: int, config: ProbeConfig) -> Verdict | None:
    """The verdict on a file that is too large even to be fetched; None where it is not."""
    if size_bytes <= config.max_size_bytes:
        return None
    return _reject(listed, "max_size_bytes", size_bytes, config.max_size_bytes, f"{size_bytes} bytes")


def content_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_HASH_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _read_content(
    container: InputContainer, stream: av.VideoStream, listed: ListedSource, config: ProbeConfig
) -> Content | Verdict:
    time_base = TimeBase.of(seconds_per_tick(stream, listed.name))
    damage, tally = DamageLog(time_base), Tally()
    max_ticks = time_base.ticks(config.max_duration_s)
    for packet in demux_video(container, stream, damage):
        tally.add(packet)
        if len(tally.pts) > config.max_frames:
            return _reject(listed, "max_frames", len(tally.pts), config.max_frames, f"{len(tally.pts)} frames or more")
        if tally.pts and tally.last_pts - tally.pts[0] > max_ticks:
            seconds = time_base.seconds(tally.last_pts - tally.pts[0])
            return _reject(listed, "max_duration_s", seconds, config.max_duration_s, f"{seconds:.1f} s or more")
    if tally.origin_pts is None or not tally.pts:
        raise MediaError(f"{listed.name}: no keyframe in its video stream, so nothing can be decoded")
    return settle(tally, tally.origin_pts, time_base, damage.sentences(), stream)


def _video_facts(container: InputContainer, stream: av.VideoStream, content: Content, name: str) -> VideoStream:
    first = next(decode_span(container, stream, None, [], name), None)
    if first is None:
        raise MediaError(f"{name}: not one frame of its {_codec(stream)} video could be decoded")
    # ffmpeg counts the other way round, and a matrix may be off by a fraction of a degree.
    rotation_degrees = round(-first.rotation / 90) * 90 % 360
    display_width = max(1, round(stream.width * (stream.sample_aspect_ratio or 1)))
    display = (display_width, stream.height)
    intervals = np.diff(content.pts)
    return VideoStream(
        codec=_codec(stream),
        width=stream.width,
        height=stream.height,
        display_width=display[rotation_degrees in (90, 270)],
        display_height=display[rotation_degrees in (0, 180)],
        rotation_degrees=rotation_degrees,
        pixel_format=stream.codec_context.pix_fmt or first.format.name,
        time_base=content.time_base,
        is_interlaced=bool(first.interlaced_frame),
        color_transfer=_TRANSFERS.get(int(first.color_trc), "unknown"),
        fps_from_header=float(stream.average_rate or 0),
        fps_from_content=len(content.pts) / content.duration_s,
        n_frames_from_header=stream.frames,
        n_frames_from_content=len(content.pts),
        duration_s_from_header=_header_duration_s(container, stream),
        duration_s_from_content=content.duration_s,
        is_variable_frame_rate=len(intervals) > 0 and int(intervals.max() - intervals.min()) > 1,
        n_keyframes=len(content.keyframe_pts),
    )


def _codec(stream: av.VideoStream) -> str:
    return str(stream.codec_context.codec.canonical_name)


def _header_duration_s(container: InputContainer, stream: av.VideoStream) -> float:
    if stream.duration is not None and stream.time_base:
        return float(stream.duration * stream.time_base)
    return (container.duration or 0) / av.time_base


def _audio_facts(container: InputContainer) -> AudioStream | None:
    for stream in container.streams.audio:
        context = stream.codec_context
        if context is not None and context.sample_rate:
            channels = context.layout.nb_channels
            return AudioStream(
                codec=context.codec.canonical_name, sample_rate_hz=context.sample_rate, n_channels=channels
            )
    return None


def _holds_sound_only(container: InputContainer) -> bool:
    pictures = [s for s in container.streams.video if av.stream.Disposition.attached_pic not in s.disposition]
    return bool(container.streams.audio) and not pictures


def _reject(listed: ListedSource, setting: str, score: float, threshold: float, what: str) -> Verdict:
    return Verdict(
        subject_id=listed.source_id,
        decision="reject",
        rule=f"probe.{setting}",
        score=score,
        threshold=threshold,
        reason=f"{listed.name}: {what}; the limit is {threshold:g}",
    )


def _sound_only(listed: ListedSource) -> Verdict:
    reason = f"{listed.name}: it holds sound but no video"
    return Verdict(
        subject_id=listed.source_id, decision="reject", rule="probe.has_video", score=0, threshold=1, reason=reason
    )
