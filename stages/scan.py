"""The one decode pass: every frame of a slice is decoded once, made small, measured and let go.

Here: driving the meters over the frames and putting together their `SliceScan`. Not here: what any of them measures
(`stages.similarity`, `stages.motion`, `stages.transitions`), or decoding itself (`stages.decode`).
"""

from pathlib import Path

import av

from schemas.config import ScanConfig
from schemas.media import FrameSample, Slice, VideoStream
from schemas.signals import SliceScan
from schemas.time import Span
from stages.complaints import decoder_complaints
from stages.decode import decode_span, main_video_stream, open_media
from stages.errors import MediaError
from stages.motion import MotionMeter, clock_tick
from stages.proxies import ProxyMaker
from stages.similarity import FrameMeter
from stages.transitions import TransitionFinder


def scan_slice(slice_: Slice, source: VideoStream, path: Path, config: ScanConfig) -> SliceScan:
    """Decode one slice once and measure it.

    What is kept grows with the slice by about a kilobyte a frame, and by the frame samples.

    Args:
        slice_: the stretch to decode, on the stream's own time base.
        source: facts about the stream: picture size, aspect and rotation as a player shows them.
        path: local file that holds the source.
        config: sizes, rates and thresholds.

    Raises:
        MediaError: the file cannot be opened or positioned, or no frame of the slice can be decoded.
        ValueError: the slice is on another time base than the stream.
    """
    problems: list[str] = []
    watch = _Watch(slice_, source, config)
    with open_media(path, slice_.name) as container:
        stream = main_video_stream(container, slice_.name)
        stream.thread_count, stream.thread_type = config.threads, "SLICE" if config.threads == 1 else "AUTO"
        with decoder_complaints(problems):
            for frame in decode_span(container, stream, slice_.span, problems, slice_.name):
                watch.see(frame)
    if watch.n_frames == 0:
        cause = f" ({problems[0]})" if problems else ""
        raise MediaError(f"{slice_.name}: no frame can be decoded from {_spell(slice_.span)}{cause}")
    return watch.result(tuple(problems))


class _Watch:
    """The meters of one slice."""

    def __init__(self, slice_: Slice, source: VideoStream, config: ScanConfig) -> None:
        self._slice, self._source, self._config = slice_, source, config
        self._time_base = slice_.span.time_base
        self._proxies = ProxyMaker(source, config, slice_.name)
        self._frames = FrameMeter(config)
        self._motion = MotionMeter(self._time_base, config)
        self._transitions = TransitionFinder(self._time_base, config)
        self._samples: list[FrameSample] = []
        self._sample_tick: int | None = None
        self._first_pts = self._last_pts = self._end_pts = 0
        self.n_frames = 0

    def see(self, frame: av.VideoFrame) -> None:
        """Measures the next frame."""
        proxy = self._proxies.proxy(frame)
        self._first_pts = self._first_pts if self.n_frames else proxy.pts
        self._end_pts = proxy.pts + self._duration(frame, proxy.pts)
        self._last_pts = proxy.pts
        self.n_frames += 1
        self._transitions.add(proxy, self._frames.add(proxy))
        self._motion.add(proxy)
        tick = clock_tick(proxy.pts, self._time_base, self._config.sample_fps)
        if tick != self._sample_tick:
            self._sample_tick = tick
            self._samples.append(self._proxies.sample(frame))

    def result(self, problems: tuple[str, ...]) -> SliceScan:
        """What was seen."""
        signals = self._frames.signals()
        transitions = self._transitions.transitions(signals, self._motion.signals(()), self._end_pts)
        return SliceScan(
            slice_id=self._slice.slice_id,
            source_id=self._slice.source_id,
            span=Span(start_pts=self._first_pts, end_pts=self._end_pts, time_base=self._time_base),
            display_width=self._source.display_width,
            display_height=self._source.display_height,
            frames=signals,
            motion=self._motion.signals(transitions),
            transitions=transitions,
            frame_samples=tuple(self._samples),
            problems=problems,
        )

    def _duration(self, frame: av.VideoFrame, pts: int) -> int:
        """Ticks that the frame lasts: as the file says, or as long as the one before, or by the mean rate."""
        if frame.duration:
            return int(frame.duration)
        if self.n_frames:
            return pts - self._last_pts
        rate = self._source.fps_from_content or self._source.fps_from_header or 25.0
        return max(1, round(1 / (rate * float(self._time_base.fraction))))


def _spell(span: Span) -> str:
    return f"{span.start_s:.3f} s to {span.end_s:.3f} s"
