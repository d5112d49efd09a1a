"""Keyframes above a timeline: small pictures, each as near its time as its neighbours allow.

Here: `Thumbnail`, where it lies and its picture. Not here: the lanes below (`data_cards.timeline`).
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from data_cards.scale import Scale
from schemas.media import FrameSample
from schemas.signals import ClipDescription

THUMBNAIL_WIDTH = 240
"""Pixels; twice the width at which thumbnails are shown, for dense screens."""


@dataclass(frozen=True)
class Thumbnail:
    """A keyframe above the timeline, with a line down to its time."""

    left: float
    """Left edge in per cent, moved so that thumbnails do not cover each other."""
    width: float
    at: float
    """Place of its time in per cent."""
    time: str
    source: str
    """The JPEG as a data URI."""
    aspect: float


def thumbnails_of(description: ClipDescription, scale: Scale) -> tuple[Thumbnail, ...]:
    """Each keyframe as near its time as its neighbours allow."""
    if not description.keyframes:
        return ()
    samples = sorted((keyframe.sample for keyframe in description.keyframes), key=lambda sample: sample.pts)
    aspect = samples[0].width / samples[0].height
    width = min(100 / len(samples), 18 * min(1.0, max(aspect, 0.75) / 1.3))
    time_base = description.clip.span.time_base
    places = [scale.at(time_base.seconds(sample.pts)) for sample in samples]
    lefts = _spread([place - width / 2 for place in places], width)
    return tuple(
        Thumbnail(
            left=round(left, 3),
            width=round(width, 3),
            at=place,
            time=f"{time_base.seconds(sample.pts) - scale.start_s:.2f} s",
            source=_data_uri(sample),
            aspect=round(aspect, 4),
        )
        for left, place, sample in zip(lefts, places, samples, strict=True)
    )


def _spread(lefts: Sequence[float], width: float) -> list[float]:
    """Pushes boxes of equal width apart, first to the right, then back from the right edge. They must fit."""
    pushed: list[float] = []
    for left in lefts:
        pushed.append(max(left, pushed[-1] + width if pushed else 0.0))
    limit = 100.0 - width
    for index in reversed(range(len(pushed))):
        pushed[index] = max(0.0, min(pushed[index], limit))
        limit = pushed[index] - width
    return pushed


def _data_uri(sample: FrameSample) -> str:
    """The picture, made smaller. What OpenCV cannot read stays as it is, and the browser shows its time instead."""
    jpeg = sample.jpeg
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) if sample.width > THUMBNAIL_WIDTH else None
    if picture is not None:
        size = (THUMBNAIL_WIDTH, max(1, round(THUMBNAIL_WIDTH * sample.height / sample.width)))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 78])[1].tobytes()
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")
