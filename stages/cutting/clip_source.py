"""A clip's source, opened for cutting.

Here: the streams that are cut, and the clip's first frame, from which both ways of cutting count time. Not here:
copying (`stages.cutting.remux`), encoding (`stages.cutting.cut`), or what opening any file safely takes
(`stages.media.demux`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from schemas.config import PackageConfig
from schemas.media import Clip
from schemas.time import TimeBase
from stages.errors import CutError
from stages.media.decode import decode_span
from stages.media.demux import main_video_stream, open_media, seconds_per_tick


@dataclass(frozen=True)
class ClipSource:
    """An open source, and what cutting needs to know of it."""

    path: Path
    clip: Clip
    container: InputContainer
    video: VideoStream
    audio: AudioStream | None
    """None where sound is not wanted or there is none."""
    first: av.VideoFrame
    """The clip's first frame."""

    @property
    def first_pts(self) -> int:
        """Of the clip's first frame, ticks of the clip's time base."""
        return cast("int", self.first.pts)

    @property
    def first_s(self) -> float:
        """The same in seconds."""
        return self.clip.span.time_base.seconds(self.first_pts)

    @property
    def rotation_degrees(self) -> int:
        """Clockwise turn by which the picture is to be shown: 0, 90, 180 or 270."""
        return round(-self.first.rotation / 90) * 90 % 360


@contextmanager
def open_source(clip: Clip, path: Path, config: PackageConfig) -> Iterator[ClipSource]:
    """Open a clip's source and decode the clip's first frame.

    Args:
        clip: what will be cut.
        path: a local copy of its source.
        config: says whether sound is wanted.

    Raises:
        MediaError: the file cannot be opened or decoded.
        CutError: its time base is not the clip's, or no frame of the clip could be decoded.
    """
    with open_media(path, clip.name) as container:
        video = main_video_stream(container, clip.name)
        if TimeBase.of(seconds_per_tick(video, clip.name)) != clip.span.time_base:
            raise CutError(f"{clip.name}: {clip.clip_id} was planned on another time base than {video.time_base}")
        first = next(decode_span(container, video, clip.span, [], clip.name), None)
        if first is None:
            raise CutError(f"{clip.name}: {clip.clip_id} should hold {clip.n_frames} frames, but none could be decoded")
        audio = (
            next((s for s in container.streams.audio if s.codec_context is not None), None) if config.audio else None
        )
        yield ClipSource(path, clip, container, video, audio, first)
