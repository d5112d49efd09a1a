"""Where things lie on a clip's timeline: records become places in per cent of its length and in pixels of height.

Here: the lanes and ticks. Not here: the scale (`data_cards.scale`), the keyframes above it (`data_cards.thumbnails`),
or what it looks like (`templates/timeline.html.j2`).
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from data_cards import wording
from data_cards.scale import Scale
from data_cards.thumbnails import Thumbnail, thumbnails_of
from schemas.media import Shot, Transition
from schemas.signals import ClipDescription, TextDetection
from schemas.time import Span

LaneKind = Literal["edits", "shots", "camera", "text", "speech", "still", "series"]

MAX_TEXT_ROWS = 3
_TICK_STEPS_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0)
_LEADER_HEIGHT, _AXIS_HEIGHT, _GAP = 22, 20, 4


@dataclass(frozen=True)
class Mark:
    """One thing on a lane."""

    left: float
    """Per cent of the clip."""
    width: float
    """Per cent of the clip; 0 for an instant."""
    kind: str
    label: str
    title: str
    """The whole of it, for whoever points at it."""
    row: int = 0
    start: float = 0.0
    """Left edge in per cent of the box that mark and label share; left of the mark where the clip ends soon."""
    room: float = 0.0
    """Width of that box in per cent."""


@dataclass(frozen=True)
class Lane:
    """One row of the timeline."""

    kind: LaneKind
    name: str
    height: int
    """Pixels."""
    note: str = ""
    title: str = ""
    """The whole of it, for whoever points at it."""
    marks: tuple[Mark, ...] = ()
    points: str = ""
    """A series as SVG points in a box of 1000 x 100."""
    top: int = 0


@dataclass(frozen=True)
class Timeline:
    """Everything that is drawn for one clip."""

    height: int
    axis_top: int
    leader_height: int
    lanes: tuple[Lane, ...]
    ticks: tuple[tuple[float, str], ...]
    thumbnails: tuple[Thumbnail, ...] = field(repr=False)
    summary: str
    """The timeline in words, for whoever cannot see it."""


def timeline_of(description: ClipDescription, series: Sequence[Lane]) -> Timeline:
    """Lays out one clip; `series` are the lanes of its signals, drawn last."""
    clip, scale = description.clip, Scale.of(description.clip.span)
    lanes = [
        Lane("edits", "edits", 15, marks=_edit_labels(clip.transitions, scale)),
        Lane("shots", "shots", 28, marks=_shots(clip.shots, scale) + _transitions(clip.transitions, scale)),
        Lane("camera", "camera", 22, marks=_camera(description, scale)),
        *_text_lane(description, scale),
        *_speech_lane(description, scale),
        *_still_lane(description, scale),
        *series,
    ]
    top = _LEADER_HEIGHT if description.keyframes else 0
    placed = []
    for lane in lanes:
        placed.append(Lane(**{**vars(lane), "top": top}))
        top += lane.height + (0 if lane.kind == "edits" else _GAP)
    return Timeline(
        height=top + _AXIS_HEIGHT,
        axis_top=top,
        leader_height=_LEADER_HEIGHT if description.keyframes else 0,
        lanes=tuple(placed),
        ticks=_ticks(scale),
        thumbnails=thumbnails_of(description, scale),
        summary=_in_words(description, scale),
    )


def series_lane(name: str, unit: str, times_s: Sequence[float], values: Sequence[float], scale: Scale) -> Lane:
    """A series as a line between its own least and greatest value, which the note states.

    Where these lie within a quarter of their size, the scale is wider, so that noise does not look like an event.
    A unit that begins with a digit is a scale (`0 to 1`) and is not set behind the figures.
    """
    low, high = min(values, default=0.0), max(values, default=0.0)
    reach = max(high - low, max(abs(low), abs(high)) / 4) or 1.0
    floor = (low + high - reach) / 2
    points = " ".join(
        f"{10 * scale.at(time_s):.1f},{96 - 92 * (value - floor) / reach:.1f}"
        for time_s, value in zip(times_s, values, strict=True)
    )
    if not values:
        return Lane("series", name, 36, note="not measured", title=name)
    decimals = max(0, 2 - math.ceil(math.log10(max(abs(low), abs(high), 1e-6))))
    reach_text = f"{low:.{decimals}f} to {high:.{decimals}f}"
    is_scale = not unit or unit[0].isdigit()
    title = (
        f"{name}: {reach_text} on a scale of {unit}" if is_scale and unit else f"{name}: {reach_text} {unit}".rstrip()
    )
    return Lane("series", name, 36, note=reach_text if is_scale else f"{reach_text} {unit}", title=title, points=points)


def _edit_labels(transitions: Sequence[Transition], scale: Scale) -> tuple[Mark, ...]:
    marks: list[Mark] = []
    for transition in transitions:
        left, width = scale.band(transition.span)
        middle = left + width / 2
        if not marks or middle - marks[-1].left >= 11:
            label = wording.term(transition.kind)
            marks.append(Mark(middle, 0, transition.kind, label, f"{label} {scale.text(transition.span)}"))
    return tuple(marks)


def _shots(shots: Sequence[Shot], scale: Scale) -> tuple[Mark, ...]:
    marks = []
    for number, shot in enumerate(shots, start=1):
        left, width = scale.band(shot.span)
        label = f"{number} · {shot.span.duration_s:.1f} s" if width >= 14 else str(number) if width >= 4 else ""
        title = f"Shot {number}, {scale.text(shot.span)}, {shot.n_frames} frames"
        marks.append(Mark(left, width, "shot odd" if number % 2 else "shot", label, title))
    return tuple(marks)


def _transitions(transitions: Sequence[Transition], scale: Scale) -> tuple[Mark, ...]:
    return tuple(
        Mark(*scale.band(t.span), t.kind, "", f"{wording.term(t.kind)} {scale.text(t.span)}, score {t.score:.2f}")
        for t in transitions
    )


def _camera(description: ClipDescription, scale: Scale) -> tuple[Mark, ...]:
    marks = []
    for segment in (segment for shot in description.shots for segment in shot.camera):
        left, width = scale.band(segment.span)
        label = wording.term(segment.term) if width >= 1.3 * len(segment.term) else ""
        title = (
            f"{wording.term(segment.term)} {scale.text(segment.span)}: pan {segment.pan_widths_per_s:+.3f} widths/s, "
            f"tilt {segment.tilt_heights_per_s:+.3f} heights/s, zoom {segment.zoom_per_s:+.3f} /s, "
            f"roll {segment.roll_degrees_per_s:+.1f} degrees/s"
        )
        marks.append(Mark(left, width, segment.term.split("_")[0], label, title))
    return tuple(marks)


def _text_lane(description: ClipDescription, scale: Scale) -> list[Lane]:
    """On-screen text, each wording from its first to its last sighting in a shot, in rows that do not overlap."""
    if not description.text_is_measured:
        return [Lane("text", "text", 16, note="not read")]
    ends = [-1.0] * MAX_TEXT_ROWS
    marks, left_out = [], 0
    for text, span, sightings in _sightings(description):
        left, width = scale.band(span)
        room = max(width, min(1.1 * len(text) + 2, 40.0))
        start = min(left, 100.0 - room)
        row = next((index for index, end in enumerate(ends) if start > end), None)
        if row is None:
            left_out += 1
            continue
        ends[row] = start + room
        title = f"“{text}” {scale.text(span)}, read on {sightings} frame{'' if sightings == 1 else 's'}"
        marks.append(Mark(left, width, "text", wording.plain_line(text, 60), title, row=row, start=start, room=room))
    rows = 1 + max((mark.row for mark in marks), default=0)
    note = f"and {left_out} more" if left_out else "" if marks else "none found"
    return [Lane("text", "text", 18 * rows, note=note, marks=tuple(marks))]


def _sightings(description: ClipDescription) -> list[tuple[str, Span, int]]:
    """Text, from its first to its last sighting, number of sightings: per shot, in order of time."""

    def shot_of(detection: TextDetection) -> int:
        starts = [shot.span.start_pts for shot in description.clip.shots]
        return sum(start <= detection.pts for start in starts)

    def key(detection: TextDetection) -> tuple[int, str]:
        return shot_of(detection), " ".join(detection.text.split()).casefold()

    time_base = description.clip.span.time_base
    rows = []
    for _, group in itertools.groupby(sorted(description.text, key=lambda d: (key(d), d.pts)), key=key):
        seen = list(group)
        span = Span(start_pts=seen[0].pts, end_pts=seen[-1].pts, time_base=time_base)
        rows.append((wording.plain_line(seen[0].text), span, len({detection.pts for detection in seen})))
    return sorted(rows, key=lambda row: (row[1].start_pts, row[0]))


def _speech_lane(description: ClipDescription, scale: Scale) -> list[Lane]:
    """Where somebody speaks; no lane where nobody listened, for most data sets are made of pictures only."""
    if not description.speech_is_measured:
        return []
    marks = tuple(
        Mark(*scale.band(span), "speech", "speech" if scale.band(span)[1] >= 9 else "", f"speech {scale.text(span)}")
        for span in description.speech
    )
    return [Lane("speech", "speech", 16, note="" if marks else "none found", marks=marks)]


def _still_lane(description: ClipDescription, scale: Scale) -> list[Lane]:
    named = [("still", span) for span in description.frozen_spans] + [
        ("black", span) for span in description.black_spans
    ]
    marks = tuple(
        Mark(*scale.band(span), kind, kind if scale.band(span)[1] >= 7 else "", f"{kind} {scale.text(span)}")
        for kind, span in named
    )
    return [Lane("still", "still", 16, marks=marks)] if marks else []


def _ticks(scale: Scale) -> tuple[tuple[float, str], ...]:
    """Round times, at most nine, none so near the right end that its label would be cut off."""
    step_s = next((step for step in _TICK_STEPS_S if scale.duration_s / step <= 8), 1200.0)
    count = int(scale.duration_s / step_s + 1e-9)
    ticks = [(round(100 * index * step_s / scale.duration_s, 3), f"{index * step_s:g}") for index in range(count + 1)]
    return tuple(
        (place, f"{text} s" if index == 0 else text) for index, (place, text) in enumerate(ticks) if place <= 98
    )


def _in_words(description: ClipDescription, scale: Scale) -> str:
    edits = [f"{wording.term(edit.kind)} {scale.text(edit.span)}" for edit in description.clip.transitions]
    shots = f"{len(description.clip.shots)} shot{'' if len(description.clip.shots) == 1 else 's'}"
    return f"Timeline of {scale.duration_s:.2f} s with {shots}: " + (", ".join(edits) or "no transition")
