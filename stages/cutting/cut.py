"""Cutting a clip out of its source: a playable mp4 that holds exactly the frames of the clip's span.

Here: choosing among the ways, encoding with the ffmpeg binary, and checking what was written. Not here: opening the
source (`stages.cutting.clip_source`), copying packets (`stages.cutting.remux`), or which clips there are
(`stages.clips.split`).

Three ways, tried in this order. *Copy*: the span starts at a keyframe and its packets stand together. *Encode*: ffmpeg
reads the source and trims on exact pts. *Feed*: ffmpeg encodes the frames that `decode_span` yields; for containers
without pts, where ffmpeg's own clock differs from ours, and for damaged files, where it may lose other frames.
"""

import contextlib
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import av
import ffmpeg
import imageio_ffmpeg
import numpy as np
from av.container import InputContainer

from schemas.config import PackageConfig
from schemas.media import Clip
from stages.cutting.clip_source import ClipSource, open_source
from stages.cutting.remux import copy_packets
from stages.errors import CutError, MediaError
from stages.media.damage import DamageLog
from stages.media.decode import decode_span
from stages.media.demux import FORMATS, PROTOCOLS, demux_video, main_video_stream, open_media, stores_pts

_SEEK_MARGIN_S = 10.0
"""How far before a span ffmpeg starts reading: coarse seeks in transport streams may land late."""

_ENCODER_THREADS = 4
"""Fixed, because x264's output depends on it."""

_TURN = {0: "", 90: "transpose=1", 180: "hflip,vflip", 270: "transpose=2"}


@dataclass(frozen=True)
class CutClip:
    """What was written."""

    n_frames: int
    is_stream_copy: bool
    """True where packets were copied, False where the clip was encoded again."""


def cut_clip(clip: Clip, source_path: Path, destination: Path, config: PackageConfig) -> CutClip:
    """Write the clip as an mp4 that holds exactly the frames of its span, the first one at time 0.

    Args:
        clip: the span, and how many frames decoding it gave.
        source_path: a local copy of the clip's source.
        destination: the mp4 to write; replaced where it exists, absent after an error.
        config: quality, sound, and the wall-clock limit of each ffmpeg process.

    Raises:
        MediaError: the source cannot be opened or decoded.
        CutError: no way of cutting gave exactly `clip.n_frames` frames, or ffmpeg failed or ran out of time.
    """
    try:
        with open_source(clip, source_path, config) as source:
            if copy_packets(source, destination) and _is_the_clip(source, destination):
                return CutClip(n_frames=clip.n_frames, is_stream_copy=True)
            _encode_somehow(source, destination, config)
            return CutClip(n_frames=clip.n_frames, is_stream_copy=False)
    except BaseException:
        destination.unlink(missing_ok=True)
        raise


def _is_the_clip(source: ClipSource, copy: Path) -> bool:
    """Whether a copy holds as many frames as the clip, from the first one on."""
    return _count_frames(copy, source.clip) == source.clip.n_frames and _starts_alike(source.first, copy)


def _starts_alike(first: av.VideoFrame, destination: Path) -> bool:
    """Whether the copy begins with the source's frame: what is marked as a keyframe may need packets before it."""
    with open_media(destination, destination.name) as container:
        video = main_video_stream(container, destination.name)
        copied = next(decode_span(container, video, None, [], destination.name), None)
        return copied is not None and copied.pts == 0 and np.array_equal(copied.to_ndarray(), first.to_ndarray())


def _encode_somehow(source: ClipSource, destination: Path, config: PackageConfig) -> None:
    """Let ffmpeg read the source; where that cannot or does not give the right frames, feed them to it."""
    clip, counts = source.clip, []
    for is_fed in (False, True) if stores_pts(source.container) else (True,):
        _run(_command(source, destination, config, is_fed), config.timeout_s, clip, _feeder(source) if is_fed else None)
        counts.append(_count_frames(destination, clip))
        if counts[-1] == clip.n_frames:
            return
    raise CutError(f"{clip.name}: {clip.clip_id} should hold {clip.n_frames} frames, the mp4 holds {counts[-1]}")


def _command(source: ClipSource, destination: Path, config: PackageConfig, is_fed: bool) -> list[str]:
    """Arguments of the ffmpeg binary. Names are absolute and carry their protocol, so none can be read as an option."""
    safe = {"protocol_whitelist": ",".join(PROTOCOLS), "format_whitelist": ",".join((*FORMATS, "nut"))}
    near_s = source.first_s - _SEEK_MARGIN_S
    coarse = {"ss": near_s, "seek_timestamp": 1, "noaccurate_seek": None} if near_s > _start_s(source.container) else {}
    file = ffmpeg.input(f"file:{source.path.absolute()}", **safe, **coarse)
    picture = ffmpeg.input("pipe:0", format="nut", **safe)["v:0"] if is_fed else file[str(source.video.index)]
    streams = [picture] if source.audio is None else [picture, file[str(source.audio.index)]]
    output: dict[str, Any] = {
        "vf": _video_filter(source, is_fed), "fps_mode": "passthrough", "enc_time_base": "filter",
        "c:v": "libx264", "crf": config.crf, "preset": config.preset, "pix_fmt": "yuv420p",
        "threads": _ENCODER_THREADS, "map_metadata": -1, "map_chapters": -1, "movflags": "+faststart",
        "fflags": "+bitexact", "flags:v": "+bitexact", "flags:a": "+bitexact", "format": "mp4",
    }  # fmt: skip
    if source.clip.span.time_base.numerator == 1:
        output["video_track_timescale"] = source.clip.span.time_base.denominator
    if source.audio is not None:
        end_s = source.clip.span.end_s
        sound = f"atrim=start={source.first_s:.6f}:end={end_s:.6f},asetpts=PTS-{source.first_s:.6f}/TB"
        output |= {"af": sound, "c:a": "aac"}
    command = ffmpeg.output(*streams, f"file:{destination.absolute()}", **output)
    command = command.global_args("-nostdin", "-copyts", "-v", "error").overwrite_output()
    return cast("list[str]", ffmpeg.compile(command, cmd=imageio_ffmpeg.get_ffmpeg_exe()))


def _video_filter(source: ClipSource, is_fed: bool) -> str:
    span = source.clip.span
    exact = _TURN[source.rotation_degrees] if is_fed else f"trim=start_pts={span.start_pts}:end_pts={span.end_pts}"
    # 4:2:0 needs even sizes: an odd last row or column is left out, so that no picture is resampled.
    even = "crop=max(2\\,trunc(iw/2)*2):max(2\\,trunc(ih/2)*2):0:0"
    return ",".join(part for part in (exact, "setpts=PTS-STARTPTS", even) if part)


def _start_s(container: InputContainer) -> float:
    return (container.start_time or 0) / av.time_base


def _feeder(source: ClipSource) -> Callable[[BinaryIO], None]:
    """What writes the clip's frames, as `decode_span` yields them, into ffmpeg's standard input as raw NUT."""

    def feed(pipe: BinaryIO) -> None:
        clip, base = source.clip, source.clip.span.time_base.fraction
        first = source.first
        with av.open(pipe, "w", format="nut") as target:
            raw = target.add_stream("rawvideo", rate=source.video.average_rate or 25)
            raw.width, raw.height, raw.pix_fmt = first.width, first.height, "yuv420p"
            raw.time_base = raw.codec_context.time_base = base
            if source.video.sample_aspect_ratio:
                raw.codec_context.sample_aspect_ratio = source.video.sample_aspect_ratio
            for frame in decode_span(source.container, source.video, clip.span, [], clip.name):
                even = frame.reformat(width=first.width, height=first.height, format="yuv420p")
                even.pts, even.time_base = cast("int", frame.pts) - source.first_pts, base
                target.mux(raw.encode(even))
            target.mux(raw.encode(None))

    return feed


def _run(arguments: list[str], timeout_s: float, clip: Clip, feed: Callable[[BinaryIO], None] | None) -> None:
    """Run ffmpeg under a wall clock, `feed` (if any) writing to its standard input. Raises CutError where it fails."""
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(  # noqa: S603 - a list of our own making, and no shell
            arguments,
            stdin=subprocess.PIPE if feed else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
        )
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            process.kill()

        clock = threading.Timer(timeout_s, expire)
        deadline = time.monotonic() + timeout_s
        clock.start()
        try:
            if feed and process.stdin:
                # A broken pipe means that ffmpeg has given up; its own words, below, say why.
                with contextlib.suppress(BrokenPipeError, av.error.PyAVCallbackError), process.stdin as pipe:
                    feed(cast("BinaryIO", pipe))
            process.wait()
        finally:
            clock.cancel()
            process.kill()
            process.wait()
        complaints.seek(0)
        said = complaints.read().decode(errors="replace").strip().splitlines()
    # On a busy machine the process may end, late, before the clock's thread gets its turn: late is late.
    if expired.is_set() or time.monotonic() > deadline:
        raise CutError(f"{clip.name}: {clip.clip_id} was not encoded within {timeout_s:g} s")
    if process.returncode:
        raise CutError(f"{clip.name}: {clip.clip_id} could not be encoded: {said[-1] if said else process.returncode}")


def _count_frames(path: Path, clip: Clip) -> int:
    """Video packets in the written mp4; 0 where it cannot be read or does not begin at time 0."""
    try:
        with open_media(path, clip.name) as container:
            video = main_video_stream(container, clip.name)
            packets = demux_video(container, video, DamageLog(clip.span.time_base))
            pts = [packet.pts for packet in packets if not packet.is_discard]
    except MediaError:
        return 0
    return len(pts) if 0 in pts else 0
