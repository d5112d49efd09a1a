"""One stretch of a slice: decoded by one thread, measured as it is decoded, and joined with its neighbours afterwards.

Here: what a stretch leaves, and joining so that the result does not depend on where the slice was divided. Not here:
dividing and the threads (`stages.scan.slice_scan`), and what any figure means (`stages.scan.scoring`,
`stages.camera.motion`).
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import av
import numpy as np

from schemas.config import ScanConfig
from schemas.media import FrameSample, VideoStream
from schemas.time import Span
from stages.camera.motion import MotionTrack, clock_tick
from stages.media.complaints import Messages, decoder_messages
from stages.media.decode import decode_span
from stages.media.demux import main_video_stream, open_media
from stages.scan.proxies import Image, Proxy, ProxyBatch, ProxyMaker
from stages.scan.scoring import PAIRWISE, GrowingScores, Scorer, Scores, joined

DEBLOCKING_MATTERS_BELOW = 2
"""Source widths in widths of a frame sample: pictures made this much smaller show no blocks anyway."""


@dataclass(frozen=True)
class Sampled:
    """A frame sample, with the picture that the rule for slow frames reads."""

    sample: FrameSample
    hsv: Image
    """(h, w, 3) uint8 proxy."""


@dataclass
class Stretch:
    """What the frames of one stretch left, in presentation order."""

    motion: MotionTrack
    pts: list[int] = field(default_factory=list)
    scores: Scores | None = None
    """Figures of its frames, once the last is decoded; None where there is none."""
    samples: list[Sampled] = field(default_factory=list)
    first: Proxy | None = None
    last: Proxy | None = None
    last_duration: int = 0
    """Ticks that the last frame lasts by the file, 0 where the file does not say."""
    problems: list[str] = field(default_factory=list)
    messages: Messages = field(default_factory=list)


def decode_stretch(
    path: Path, span: Span, source: VideoStream, config: ScanConfig, scorer: Scorer, name: str, decode_on: str = "cpu"
) -> Stretch:
    """Decode the frames of a span once and measure them.

    Raises:
        MediaError: the file cannot be opened or positioned, or a picture cannot be converted.
    """
    meter = _StretchMeter(span, source, config, scorer, name)
    found = meter.stretch
    with open_media(path, name, decode_on) as container, decoder_messages(found.messages):
        stream = main_video_stream(container, name)
        # Stretches are what runs side by side; a decoder's own threads would also speak in other threads' names.
        stream.thread_count, stream.thread_type = 1, "SLICE"
        if source.display_width >= DEBLOCKING_MATTERS_BELOW * config.sample_width:
            # Nothing is predicted from these frames, so what is left out cannot drift into others.
            stream.codec_context.options = {"skip_loop_filter": "noref"}
        for frame in decode_span(container, stream, span, found.problems, name):
            meter.see(frame)
    meter.finish()
    return found


class _StretchMeter:
    """Measures one stretch, frame by frame."""

    def __init__(self, span: Span, source: VideoStream, config: ScanConfig, scorer: Scorer, name: str) -> None:
        self._time_base = span.time_base
        self._scorer, self._sample_fps = scorer, config.sample_fps
        self._maker = ProxyMaker(source, config, name)
        self._batch: list[Proxy] = []
        self._tick: int | None = None
        self._scores = GrowingScores()
        self.stretch = Stretch(MotionTrack(span.time_base, config))

    def see(self, frame: av.VideoFrame) -> None:
        """Takes the next frame."""
        proxy, found = self._maker.proxy(frame), self.stretch
        if found.first is None:
            found.first = proxy
        found.last, found.last_duration = proxy, int(frame.duration or 0)
        found.pts.append(proxy.pts)
        found.motion.add(proxy.pts, proxy.luma)
        tick = clock_tick(proxy.pts, self._time_base, self._sample_fps)
        if tick != self._tick:
            self._tick = tick
            found.samples.append(Sampled(self._maker.sample(frame), proxy.hsv))
        self._batch = self._batch or [proxy]
        self._batch.append(proxy)
        if len(self._batch) > self._scorer.batch_frames:
            self._score_batch()

    def finish(self) -> None:
        """Ends the stretch: the frames that still wait are scored."""
        if len(self._batch) > 1:
            self._score_batch()
        self.stretch.scores = self._scores.whole()

    def _score_batch(self) -> None:
        self._scores.add(self._scorer.score(ProxyBatch.of(self._batch)))
        self._batch = self._batch[-1:]


def join_scores(stretches: Sequence[Stretch], scorer: Scorer) -> Scores:
    """The figures of all frames; the first frame of a later stretch is compared with the last of the one before."""
    whole = joined([stretch.scores for stretch in stretches if stretch.scores])
    pairwise = {name: np.array(getattr(whole, name)) for name in PAIRWISE}
    at = 0
    for before, after in itertools.pairwise(stretches):
        at += len(before.pts)
        if before.last and after.first:
            pair = scorer.score(ProxyBatch.of([before.last, after.first]))
            for name, values in pairwise.items():
                values[at] = getattr(pair, name)[0]
    return replace(whole, **pairwise)


def join_samples(stretches: Sequence[Stretch], sample_fps: float, span: Span) -> list[Sampled]:
    """The samples of all stretches, each of at least one frame.

    A later stretch's first frame is no sample where the clock has not gone on since the stretch before.
    """
    kept = list(stretches[0].samples)
    for before, after in itertools.pairwise(stretches):
        last, first = (clock_tick(pts, span.time_base, sample_fps) for pts in (before.pts[-1], after.pts[0]))
        kept += after.samples[1:] if last == first else after.samples
    return kept
