"""A set of SV6D segments as arrays: where they lie, what each says, and what is at fault with it.

Here: `SegmentSet`. Not here: how two sets are held against each other (`stages.sv6d.agreement`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.agreement import SetQuality
from schemas.evidence import Evidence
from schemas.label import Label, SV6DSegment
from schemas.time import Span
from stages.errors import StageError

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Key = tuple[str, str]
"""Dimension and attribute."""

TOUCH_S = 1e-6
"""Times no further apart than this are one: they may come from different time bases."""


@dataclass(frozen=True)
class Said:
    """What the segments of a set say of one attribute."""

    rows: Indices
    """Segments that speak of it, in order, each once."""
    values: tuple[str, ...]
    """Their values, segment by segment; a segment may give several."""
    starts: Indices
    """Where each segment's values begin."""


@dataclass(frozen=True)
class SegmentSet:
    """N segments of one clip."""

    start_s: Floats
    """(N,) on the source's timeline."""
    end_s: Floats
    said: Mapping[Key, Said]
    faults: Floats
    """(N, 3), 0 to 1: missing evidence, outside the clip, overlap; see `SetQuality`."""

    def __len__(self) -> int:
        return len(self.start_s)

    @property
    def quality(self) -> SetQuality:
        """The faults, each as its mean over the segments; none where there are no segments."""
        means = self.faults.mean(axis=0) if len(self) else np.zeros(3)
        missing, outside, overlap = (float(mean) for mean in means)
        return SetQuality(missing_evidence=missing, outside=outside, overlap=overlap)


def segment_set(labels: Sequence[Label], clip: Span) -> SegmentSet:
    """The segments of these labels, in their order. Raises StageError where a label is of another kind."""
    segments = [segment_of(label) for label in labels]
    spans = np.array([bounds_s(label.span) for label in labels], np.float64).reshape(-1, 2)
    start_s, end_s = spans[:, 0], spans[:, 1]
    said = _said(segments)
    missing = np.array([_missing_evidence(label, clip) for label in labels], np.float64)
    outside = _outside(start_s, end_s, clip.start_s, clip.end_s)
    faults = np.column_stack([missing, outside, _overlap(start_s, end_s, said)])
    return SegmentSet(start_s=start_s, end_s=end_s, said=said, faults=faults)


def segment_of(label: Label) -> SV6DSegment:
    """The label's segment. Raises StageError where it is a label of another kind."""
    if label.sv6d is None:
        raise StageError(f"label {label.label_id} is of the kind {label.kind}: only sv6d segments can be compared")
    return label.sv6d


def bounds_s(span: Span) -> tuple[float, float]:
    """Start and end in seconds: what `Span` says of itself, without fractions in between."""
    base = span.time_base
    return span.start_pts * base.numerator / base.denominator, span.end_pts * base.numerator / base.denominator


def _said(segments: Sequence[SV6DSegment]) -> dict[Key, Said]:
    """What is said of each attribute that any segment speaks of."""
    by_key: dict[Key, dict[int, list[str]]] = {}
    for row, segment in enumerate(segments):
        for value in segment.values:
            by_key.setdefault((value.dimension, value.attribute), {}).setdefault(row, []).append(value.value)
    return {key: _of_one(by_row) for key, by_row in by_key.items()}


def _of_one(by_row: Mapping[int, list[str]]) -> Said:
    counts = [len(values) for values in by_row.values()]
    starts = np.cumsum([0, *counts[:-1]]).astype(np.intp)
    return Said(np.array(list(by_row), np.intp), tuple(v for values in by_row.values() for v in values), starts)


def _missing_evidence(label: Label, clip: Span) -> float:
    """Share of the label's values of which nothing is seen in its span and in the clip."""
    own, whole = bounds_s(label.span), bounds_s(clip)
    shows = [_is_seen(evidence, own) and _is_seen(evidence, whole) for evidence in label.evidence]
    values = segment_of(label).values
    return sum(not any(shows[index] for index in value.evidence) for value in values) / len(values)


def _is_seen(evidence: Evidence, inside: tuple[float, float]) -> bool:
    """Whether evidence says something and touches a stretch: a cut lies where one shot ends and the next begins."""
    start_s, end_s = bounds_s(evidence.span)
    is_there = start_s <= inside[1] + TOUCH_S and inside[0] <= end_s + TOUCH_S
    return is_there and bool(evidence.observation.strip())


def _outside(start_s: Floats, end_s: Floats, clip_start_s: float, clip_end_s: float) -> Floats:
    """(N,) share of each span outside the clip; an empty span is in or out."""
    length = end_s - start_s
    shared = np.minimum(end_s, clip_end_s) - np.maximum(start_s, clip_start_s)
    is_in = shared >= -TOUCH_S
    share = 1 - np.clip(shared, 0, None) / np.where(length > 0, length, 1)
    rounding = TOUCH_S / np.where(length > 0, length, 1)
    return np.where(length > 0, np.where(share > rounding, np.clip(share, 0, 1), 0.0), np.where(is_in, 0.0, 1.0))


def _overlap(start_s: Floats, end_s: Floats, said: Mapping[Key, Said]) -> Floats:
    """(N,) mean, over the attributes of a segment, of the share in which another one speaks of the same.

    Segments may lie over each other where they speak of different things: a shot and the clip as a whole.
    """
    total, count = np.zeros(len(start_s)), np.zeros(len(start_s))
    for one in said.values():
        total[one.rows] += _covered_again(start_s[one.rows], end_s[one.rows])
        count[one.rows] += 1
    return np.asarray(total / np.maximum(count, 1))


def _covered_again(start_s: Floats, end_s: Floats) -> Floats:
    """(K,) share of each span that another of them covers too."""
    bounds, at = np.unique(np.concatenate([start_s, end_s]), return_inverse=True)
    starts, ends = at[: len(start_s)], at[len(start_s) :]
    size = len(bounds)
    depth = np.cumsum(np.bincount(starts, minlength=size) - np.bincount(ends, minlength=size))[:-1]
    twice_s = np.concatenate([[0.0], np.cumsum(np.where(depth > 1, np.diff(bounds), 0.0))])
    length = end_s - start_s
    share = (twice_s[ends] - twice_s[starts]) / np.where(length > 0, length, 1)
    return np.where(length > 0, np.clip(share, 0, 1), 0.0)
