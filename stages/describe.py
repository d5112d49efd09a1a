"""What was measured of one clip: figures, palette and camera of each shot, stills, text, speech, keyframes.

Here: putting the scan's signals together over a clip's frames. Not here: how any of them is measured; no video is
decoded.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from schemas.config import DescribeConfig
from schemas.media import Clip, FrameSample, Shot
from schemas.signals import ClipDescription, ContactSheet, Keyframe, ShotFigures, SliceScan, TextDetection
from schemas.time import Span
from stages.camera.terms import camera_segments
from stages.errors import StageError
from stages.keyframes.contact_sheet import contact_sheet
from stages.keyframes.strategies import choose_keyframes
from stages.pictures.colour import palette
from stages.pictures.embedding import Embedder
from stages.pictures.samples import evenly_chosen, frame_index, samples_in
from stages.pictures.text import TextReader
from stages.spans import pieces

MAX_PALETTE_SAMPLES = 8
"""Frame samples of a shot that its palette is over."""

MIN_TEXT_LUMA_SPREAD = 0.02
"""Spread of luma (0 to 0.5) below which a picture is too even to hold readable text."""


def describe_clip(
    clip: Clip,
    scan: SliceScan,
    config: DescribeConfig,
    reader: TextReader | None,
    embedder: Embedder | None = None,
) -> ClipDescription:
    """The description of one clip.

    Figures are means over the clip's frames (luma and saturation 0 to 1, sharpness the variance of the Laplacian). A
    shot's are over its own frames, so that no transition counts. `reader` is None where text is not measured,
    `embedder` where pictures are not embedded.

    Raises:
        StageError: the clip is not of this scan, or its keyframes need an embedder and there is none.
        MediaError: a frame sample is no JPEG.
    """
    if clip.slice_id != scan.slice_id:
        raise StageError(f"{clip.name}: clip {clip.clip_id} was given the scan of slice {scan.slice_id}")
    whole = _figures(clip.span, scan, clip)
    keyframes = choose_keyframes(clip, scan, config, embedder)
    return ClipDescription(
        clip=clip,
        display_width=scan.display_width,
        display_height=scan.display_height,
        luma_mean=whole.luma_mean,
        luma_spread=whole.luma_spread,
        saturation_mean=whole.saturation_mean,
        sharpness=whole.sharpness,
        shots=tuple(_shot_figures(shot, clip, scan, config) for shot in clip.shots),
        frozen_spans=_frozen_spans(clip, scan, config),
        black_spans=_black_spans(clip, scan, config),
        text_is_measured=reader is not None,
        text=_text(clip, scan, config, reader) if reader is not None else (),
        speech=pieces(scan.speech, clip.span),
        speech_is_measured=scan.speech_is_measured,
        embedder=embedder.name if embedder is not None else "none",
        keyframes=keyframes,
        contact_sheet=_contact_sheet(keyframes, clip, config),
    )


@dataclass(frozen=True)
class _Figures:
    luma_mean: float
    luma_spread: float
    saturation_mean: float
    sharpness: float


def _frames_of(span: Span, scan: SliceScan) -> tuple[int, int]:
    """First frame of a span, and the first after it."""
    first, end = np.searchsorted(scan.frames.pts, (span.start_pts, span.end_pts))
    return int(first), int(end)


def _figures(span: Span, scan: SliceScan, clip: Clip) -> _Figures:
    first, end = _frames_of(span, scan)
    if first >= end:
        raise StageError(f"{clip.name}: no frame of the scan lies in [{span.start_s:.3f} s, {span.end_s:.3f} s)")
    frames = scan.frames
    series = (frames.luma_mean, frames.luma_spread, frames.saturation_mean, frames.sharpness)
    return _Figures(*(float(np.mean(values[first:end])) for values in series))


def _shot_figures(shot: Shot, clip: Clip, scan: SliceScan, config: DescribeConfig) -> ShotFigures:
    figures = _figures(shot.span, scan, clip)
    samples = evenly_chosen(samples_in(scan, shot.span), MAX_PALETTE_SAMPLES)
    return ShotFigures(
        index=shot.index,
        span=shot.span,
        luma_mean=figures.luma_mean,
        luma_spread=figures.luma_spread,
        saturation_mean=figures.saturation_mean,
        sharpness=figures.sharpness,
        palette=palette(samples, clip.name),
        camera=camera_segments(scan.motion, shot.span, config),
    )


def _text(clip: Clip, scan: SliceScan, config: DescribeConfig, reader: TextReader) -> tuple[TextDetection, ...]:
    """Text on a few samples of each shot; black and even pictures are not read, for there is nothing on them."""
    detections: list[TextDetection] = []
    for shot in clip.shots:
        readable = [sample for sample in samples_in(scan, shot.span) if _may_hold_text(sample, scan, clip)]
        for sample in evenly_chosen(readable, config.text_samples_per_shot):
            detections += reader.read(sample, clip.name)
    return tuple(detections)


def _may_hold_text(sample: FrameSample, scan: SliceScan, clip: Clip) -> bool:
    frame = frame_index(sample, scan, clip.name)
    return not scan.frames.is_black[frame] and scan.frames.luma_spread[frame] >= MIN_TEXT_LUMA_SPREAD


def _contact_sheet(keyframes: Sequence[Keyframe], clip: Clip, config: DescribeConfig) -> ContactSheet | None:
    if config.keyframe_strategy != "contact_sheet" or not keyframes:
        return None
    return contact_sheet([keyframe.sample for keyframe in keyframes], config, clip.name)


def _frozen_spans(clip: Clip, scan: SliceScan, config: DescribeConfig) -> tuple[Span, ...]:
    """Stretches of one picture, from the first frame that shows it: a frozen frame repeats the one before.

    A frame by itself is none, however long it is shown: the first of a slice has nothing before it to repeat.
    """
    first, end = _frames_of(clip.span, scan)
    held = ((max(first + a - 1, first), first + b) for a, b in _runs(scan.frames.is_frozen[first:end]))
    return _spans(((a, b) for a, b in held if b - a > 1), clip, scan, config.min_freeze_s)


def _black_spans(clip: Clip, scan: SliceScan, config: DescribeConfig) -> tuple[Span, ...]:
    first, end = _frames_of(clip.span, scan)
    runs = _runs(scan.frames.is_black[first:end])
    return _spans(((first + a, first + b) for a, b in runs), clip, scan, config.min_black_s)


def _runs(flags: Sequence[bool]) -> list[tuple[int, int]]:
    """Stretches `[start, end)` of set flags."""
    edges = np.flatnonzero(np.diff(np.array([False, *flags, False], np.int8)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def _spans(frames: Iterable[tuple[int, int]], clip: Clip, scan: SliceScan, min_s: float) -> tuple[Span, ...]:
    """Frame ranges as spans, without those shorter than `min_s`."""
    boundaries = (*scan.frames.pts, scan.span.end_pts)
    spans = (clip.span.replace(start_pts=boundaries[start], end_pts=boundaries[end]) for start, end in frames)
    return tuple(span for span in spans if span.duration_s >= min_s)
