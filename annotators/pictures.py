"""The pictures that a model is shown: chosen, numbered, and no larger than asked for.

Here: `Picture` and choosing by the setting `pictures`. Not here: what is measured (`annotators.facts`), or what
pictures cost (`annotators.endpoint.tokens`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import cv2
import numpy as np

from annotators.subject import ClipSubject
from schemas.asking import AskConfig
from schemas.media import FrameSample

_QUALITY = 85

Item = TypeVar("Item")


@dataclass(frozen=True)
class Picture:
    """One picture as a model is shown it."""

    number: int
    """From 1, as the prompt calls it."""
    pts: int | None
    """Of the frame, on the source's timeline; None for a contact sheet."""
    time_s: float | None
    """The same in seconds from the clip's start; None also where a model is not to know when a frame was."""
    width: int
    height: int
    jpeg: bytes = field(repr=False)
    caption: str = ""
    """What is said of a contact sheet; empty for a frame."""

    @property
    def told(self) -> str:
        """What stands before it in a message; a frame without its time has no number either, so no order is told."""
        if self.caption:
            return "Contact sheet:"
        return "Frame:" if self.time_s is None else f"Frame {self.number} at {self.time_s:.2f} s:"

    def without_time(self) -> "Picture":
        """The same frame as it is shown where its place in the clip is not to be told."""
        return replace(self, pts=None, time_s=None)


def pictures(subject: ClipSubject, config: AskConfig) -> tuple[Picture, ...]:
    """The pictures of a clip, in order of time, as the settings choose them."""
    description = subject.description
    if config.pictures == "none":
        return ()
    if config.pictures == "contact_sheet":
        return _contact_sheet(subject, config)
    if config.pictures == "samples":
        chosen = _at_rate(subject, config.fps)
    else:
        chosen = [keyframe.sample for keyframe in description.keyframes]
    return numbered(subject, evenly(sorted(chosen, key=lambda sample: sample.pts), config.max_pictures), config)


def numbered(subject: ClipSubject, samples: Sequence[FrameSample], config: AskConfig) -> tuple[Picture, ...]:
    """Frame samples as pictures, numbered from 1."""
    return tuple(
        Picture(number, sample.pts, subject.seconds(sample.pts), *_resized(sample, config.picture_width))
        for number, sample in enumerate(samples, 1)
    )


def evenly(items: Sequence[Item], most: int) -> list[Item]:
    """At most so many items, spread evenly, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    if most == 1:
        return [items[len(items) // 2]]
    return [items[round(place)] for place in np.linspace(0, len(items) - 1, most)]


def _at_rate(subject: ClipSubject, fps: float) -> list[FrameSample]:
    """For each tick of a clock of `fps` from the first sample on, the sample nearest to it.

    Samples lie on frames, so a little off their own clock: the first one after each tick would leave some out.
    """
    start = subject.samples[0].pts if subject.samples else 0
    nearest: dict[int, tuple[float, FrameSample]] = {}
    for sample in subject.samples:
        place = (subject.seconds(sample.pts) - subject.seconds(start)) * fps
        tick = math.floor(place + 0.5)
        nearest[tick] = min(nearest.get(tick, (1.0, sample)), (abs(place - tick), sample), key=lambda found: found[0])
    return [sample for _, sample in nearest.values()]


def _contact_sheet(subject: ClipSubject, config: AskConfig) -> tuple[Picture, ...]:
    sheet = subject.description.contact_sheet
    if sheet is None:
        return ()
    times = ", ".join(f"{subject.seconds(pts):.2f} s" for pts in sheet.pts)
    caption = f"{sheet.columns} columns and {sheet.rows} rows in reading order, at {times}"
    sample = FrameSample(pts=sheet.pts[0], width=sheet.width, height=sheet.height, jpeg=sheet.jpeg)
    return (Picture(1, None, None, *_resized(sample, config.picture_width * 2), caption=caption),)


def _resized(sample: FrameSample, width: int) -> tuple[int, int, bytes]:
    if sample.width <= width:
        return sample.width, sample.height, sample.jpeg
    picture = np.asarray(cv2.imdecode(np.frombuffer(sample.jpeg, np.uint8), cv2.IMREAD_COLOR))
    size = width, max(1, round(sample.height * width / sample.width))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    _, packed = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return *size, packed.tobytes()
