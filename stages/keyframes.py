"""Which frame samples stand for a clip: a table of strategies over stored samples and signals.

Here: choosing among the JPEG samples that the scan kept, and decoding one. Not here: decoding video.
"""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from schemas.config import DescribeConfig
from schemas.media import Clip, FrameSample, Shot
from schemas.signals import Keyframe, SliceScan
from schemas.time import Span
from stages.errors import MediaError, StageError

Item = TypeVar("Item")

Strategy = Callable[[Clip, SliceScan, DescribeConfig], tuple[Keyframe, ...]]
"""Chooses a clip's keyframes, in presentation order: `keyframes_per_clip` of them where there are as many samples;
without a sample there is none."""


def choose_keyframes(clip: Clip, scan: SliceScan, config: DescribeConfig) -> tuple[Keyframe, ...]:
    """The clip's keyframes by the configured strategy.

    Raises StageError where a sample is none of the decoded frames.
    """
    return STRATEGIES[config.keyframe_strategy](clip, scan, config)


def middle_sharpest(clip: Clip, scan: SliceScan, config: DescribeConfig) -> tuple[Keyframe, ...]:
    """Ours: of each shot the sharpest sample in the middle half, for frames near a transition are seldom typical.

    Keyframes are shared out over the shots by length; a shot with several is divided into as many equal stretches and
    each has its own. Where there are more shots than keyframes, an even selection of shots is kept. Black frames are
    chosen only where the clip has nothing else.
    """
    chosen: list[Keyframe] = []
    for shot, count in _shared_out(clip.shots, config.keyframes_per_clip):
        for stretch in _stretches(shot, count):
            chosen += _sharpest_near_middle(samples_in(scan, shot.span), stretch, clip, scan)
    if not chosen:
        whole = (Fraction(clip.span.start_pts), Fraction(clip.span.end_pts))
        chosen += _sharpest_near_middle(samples_in(scan, clip.span), whole, clip, scan)
    lit = [keyframe for keyframe in chosen if not scan.frames.is_black[frame_index(keyframe.sample, scan, clip.name)]]
    return tuple(lit or chosen)


STRATEGIES: Mapping[str, Strategy] = {"middle_sharpest": middle_sharpest}
"""Every strategy by the name that the configuration uses."""


def samples_in(scan: SliceScan, span: Span) -> tuple[FrameSample, ...]:
    """The frame samples inside a span, in presentation order."""
    return tuple(sorted((s for s in scan.frame_samples if span.holds(s.pts)), key=lambda sample: sample.pts))


def evenly_chosen(items: Sequence[Item], count: int) -> list[Item]:
    """At most `count` of the items: the middles of `count` equal stretches of the row."""
    if len(items) <= count:
        return list(items)
    return [items[(2 * position + 1) * len(items) // (2 * count)] for position in range(count)]


def frame_index(sample: FrameSample, scan: SliceScan, name: str) -> int:
    """Position of a sample among the slice's frames. Raises StageError where it is none of them."""
    index = int(np.searchsorted(scan.frames.pts, sample.pts))
    if index == len(scan.frames.pts) or scan.frames.pts[index] != sample.pts:
        raise StageError(f"{name}: the frame sample at pts {sample.pts} is none of the decoded frames")
    return index


def decode_sample(sample: FrameSample, name: str, flags: int = cv2.IMREAD_COLOR) -> NDArray[np.uint8]:
    """The sample's RGB picture, shape (height, width, 3), uint8; `flags` are those of `cv2.imdecode`, for colour.

    Raises MediaError, naming the file `name`, where the bytes are no JPEG.
    """
    picture = cv2.imdecode(np.frombuffer(sample.jpeg, np.uint8), flags) if sample.jpeg else None
    if picture is None:
        raise MediaError(f"{name}: the frame sample at pts {sample.pts} is no readable JPEG")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)


def _shared_out(shots: Sequence[Shot], count: int) -> list[tuple[Shot, int]]:
    """How many of `count` keyframes each shot gets: one each, and the rest where a keyframe stands for most time."""
    kept = evenly_chosen(shots, count)
    shares = [1] * len(kept)
    for _ in range(count - len(kept) if kept else 0):
        seconds = [shot.span.duration_s / share for shot, share in zip(kept, shares, strict=True)]
        shares[seconds.index(max(seconds))] += 1
    return list(zip(kept, shares, strict=True))


def _stretches(shot: Shot, count: int) -> list[tuple[Fraction, Fraction]]:
    """A shot's span in `count` equal parts, in ticks."""
    start, length = shot.span.start_pts, Fraction(shot.span.end_pts - shot.span.start_pts, count)
    return [(start + length * part, start + length * (part + 1)) for part in range(count)]


def _sharpest_near_middle(
    samples: Sequence[FrameSample], stretch: tuple[Fraction, Fraction], clip: Clip, scan: SliceScan
) -> list[Keyframe]:
    """The keyframe of one stretch, or none where it holds no sample."""
    start, end = stretch
    middle, quarter = (start + end) / 2, (end - start) / 4
    inside = [(sample, frame_index(sample, scan, clip.name)) for sample in samples if start <= sample.pts < end]
    candidates = [pair for pair in inside if not scan.frames.is_black[pair[1]]] or inside
    candidates = [pair for pair in candidates if abs(pair[0].pts - middle) <= quarter] or candidates
    if not candidates:
        return []
    sharpness = scan.frames.sharpness
    sample, frame = max(candidates, key=lambda pair: (sharpness[pair[1]], -abs(pair[0].pts - middle)))
    return [Keyframe(sample=sample, strategy="middle_sharpest", sharpness=sharpness[frame])]
