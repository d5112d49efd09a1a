"""The frame samples that a scan kept: finding those of a span, thinning them out evenly, decoding one.

Here: JPEG samples and their place among the slice's frames. Not here: choosing among them
(`stages.keyframes.strategies`), or decoding video (`stages.media.decode`).
"""

from collections.abc import Sequence
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from schemas.media import FrameSample
from schemas.signals import SliceScan
from schemas.time import Span
from stages.errors import MediaError, StageError

Item = TypeVar("Item")

Picture = NDArray[np.uint8]
"""RGB, shape (height, width, 3), 0 to 255."""


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


def decode_sample(sample: FrameSample, name: str, flags: int = cv2.IMREAD_COLOR) -> Picture:
    """The sample's RGB picture, shape (height, width, 3), uint8; `flags` are those of `cv2.imdecode`, for colour.

    Raises MediaError, naming the file `name`, where the bytes are no JPEG.
    """
    picture = cv2.imdecode(np.frombuffer(sample.jpeg, np.uint8), flags) if sample.jpeg else None
    if picture is None:
        raise MediaError(f"{name}: the frame sample at pts {sample.pts} is no readable JPEG")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)
