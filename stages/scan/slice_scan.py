"""The one decode pass: every frame of a slice is decoded once, made small, measured and let go.

Here: dividing the slice among threads, and putting together its `SliceScan`. Not here: what one thread does
(`stages.scan.stretch`), what is measured (`stages.scan.scoring`, `stages.camera.motion`), or finding transitions
(`stages.transitions.detectors`).
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from schemas.config import ScanConfig
from schemas.media import Slice, VideoStream
from schemas.signals import FrameSignals, SampleSignals, SliceScan
from schemas.time import Span
from stages.camera.motion import join_tracks
from stages.errors import MediaError
from stages.media.complaints import complaints, complaints_on
from stages.media.decode import divide_span
from stages.media.demux import main_video_stream, open_media
from stages.scan.scoring import Scorer, Scores
from stages.scan.similarity import SlowFrames
from stages.scan.stretch import Sampled, Stretch, decode_stretch, join_samples, join_scores
from stages.spans import pieces
from stages.speech.spans import Speech, find_speech
from stages.speech.voice import Voice
from stages.transitions.detectors import READS_RGB, find_transitions
from stages.transitions.series import SliceLooks

MIN_STRETCH_S = 4.0
"""Shortest stretch in seconds: each opens the file anew, and is joined with its neighbours."""
STRETCHES_PER_THREAD = 4
"""Stretches take unequal time, and begin where a keyframe lies: with a few for each thread, the longest first, none
waits long for the others at the end."""


def scan_slice(
    slice_: Slice,
    source: VideoStream,
    path: Path,
    config: ScanConfig,
    *,
    threads: int = 2,
    device: str = "cpu",
    decode_on: str = "cpu",
    voice: Voice | None = None,
) -> SliceScan:
    """Decode one slice once and measure it.

    The slice is divided at keyframes into a few stretches for each thread; what comes out does not depend on their
    number. What is kept grows with the slice by about a kilobyte a
    frame, and by the frame samples.

    Args:
        slice_: the stretch of the source to decode, on the stream's own time base.
        source: facts about the stream: picture size, aspect and rotation as a player shows them.
        path: local file that holds the source.
        config: sizes, rates and thresholds.
        threads: stretches decoded at the same time.
        device: where PyTorch scores the pictures, and runs a detector's network: `cpu` or `cuda`.
        decode_on: where frames are decoded, as `open_media` takes it.
        voice: tells speech from other sound, in one more thread; None where speech is not measured.

    Raises:
        MediaError: the file cannot be opened or positioned, or no frame of the slice can be decoded.
        ValueError: the slice is on another time base than the stream.
    """
    scorer = Scorer(config, device, with_rgb=config.shot_detector in READS_RGB)
    with complaints_on():
        spans = _divide(slice_, path, threads)
        # A pool of its own: a thread that has heard all would decode one stretch more than `threads` allows.
        with ThreadPoolExecutor(max_workers=threads) as pool, ThreadPoolExecutor(max_workers=1) as ear:
            hearing = ear.submit(find_speech, path, slice_, config, voice) if voice is not None else None
            longest_first = sorted(spans, key=lambda span: span.start_pts - span.end_pts)
            decode = partial(decode_stretch, path, source=source, config=config, scorer=scorer, name=slice_.name)
            jobs = {span: pool.submit(decode, span=span, decode_on=decode_on) for span in longest_first}
            stretches = [jobs[span].result() for span in spans]
            speech = hearing.result() if hearing is not None else Speech()
    problems = [sentence for stretch in stretches for sentence in stretch.problems]
    problems += complaints([message for stretch in stretches for message in stretch.messages])
    stretches = [stretch for stretch in stretches if stretch.pts]
    if not stretches:
        cause = f" ({problems[0]})" if problems else ""
        raise MediaError(f"{slice_.name}: no frame can be decoded from {_spell(slice_.span)}{cause}")
    scan = _joined(
        stretches, tuple(dict.fromkeys([*problems, *speech.problems])), slice_, source, config, scorer, device
    )
    return scan.replace(speech=pieces(speech.spans, scan.span), speech_is_measured=speech.is_measured)


def _divide(slice_: Slice, path: Path, threads: int) -> tuple[Span, ...]:
    if threads == 1:
        return (slice_.span,)
    with open_media(path, slice_.name) as container:
        stream = main_video_stream(container, slice_.name)
        count = threads * STRETCHES_PER_THREAD
        return divide_span(container, stream, slice_.span, count, MIN_STRETCH_S, slice_.name)


def _joined(
    stretches: Sequence[Stretch],
    problems: tuple[str, ...],
    slice_: Slice,
    source: VideoStream,
    config: ScanConfig,
    scorer: Scorer,
    device: str,
) -> SliceScan:
    """The record of a slice, from its stretches in order."""
    pts = [pts for stretch in stretches for pts in stretch.pts]
    end_pts = pts[-1] + _last_duration(stretches[-1], pts, source, slice_.span)
    span = slice_.span.replace(start_pts=pts[0], end_pts=end_pts)
    scores = join_scores(stretches, scorer)
    frames = FrameSignals(
        pts=pts, **{name: getattr(scores, name) for name in FrameSignals.model_fields if name != "pts"}
    )
    pairs = join_tracks([stretch.motion for stretch in stretches])
    transitions = find_transitions(_looks(scores), frames, pairs.signals(()), end_pts, span.time_base, config, device)
    samples = join_samples(stretches, config.sample_fps, span)
    return SliceScan(
        slice_id=slice_.slice_id,
        source_id=slice_.source_id,
        span=span,
        display_width=source.display_width,
        display_height=source.display_height,
        frames=frames,
        motion=pairs.signals(transitions),
        samples=_sample_signals(samples, config),
        transitions=transitions,
        frame_samples=tuple(sampled.sample for sampled in samples),
        problems=problems,
    )


def _looks(scores: Scores) -> SliceLooks:
    rgb = scores.rgb if scores.rgb.size else None
    return SliceLooks(scores.thumbnails, scores.chroma, scores.histograms, rgb)


def _sample_signals(samples: Sequence[Sampled], config: ScanConfig) -> SampleSignals:
    rule = SlowFrames(config)
    found = [rule.next(sampled.hsv) for sampled in samples]
    return SampleSignals(
        pts=[sampled.sample.pts for sampled in samples],
        patch_similarity=np.array([similarity for similarity, _ in found]),
        is_slow=[is_slow for _, is_slow in found],
    )


def _last_duration(stretch: Stretch, pts: Sequence[int], source: VideoStream, span: Span) -> int:
    """Ticks that the last frame lasts: as the file says, or as long as the one before, or by the mean rate."""
    if stretch.last_duration:
        return stretch.last_duration
    if len(pts) > 1:
        return pts[-1] - pts[-2]
    rate = source.fps_from_content or source.fps_from_header or 25.0
    return max(1, round(1 / (rate * float(span.time_base.fraction))))


def _spell(span: Span) -> str:
    return f"{span.start_s:.3f} s to {span.end_s:.3f} s"
