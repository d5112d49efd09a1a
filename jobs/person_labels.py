"""SV6D labels that a person wrote down: CSV or JSON lines, one value a line, in seconds from the clip's start.

Here: reading a file and making labels of it; `docs/agreement.md` describes the form. Not here: what they are compared
with (`jobs.agreement`).
"""

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jobs.agreement_errors import LabelFileError
from pipeline.grid import CODE_VERSION
from schemas.evidence import Evidence
from schemas.label import Label, SV6DSegment, SV6DValue
from schemas.provenance import Provenance
from schemas.taxonomy import SV6DTaxonomy
from schemas.time import Span, TimeBase

ENDINGS = (".csv", ".jsonl")
COLUMNS = ("clip_id", "start_s", "end_s", "dimension", "attribute", "value")
SEGMENT, DURATION = "segment", "duration_s"
PERSON = "person"
LONGEST_S = 1e7
"""A later time than this is a slip: it is four months."""
MICROSECONDS = TimeBase(numerator=1, denominator=1_000_000)
"""Of clips that no run knows."""
_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Line:
    """One value of one segment, as it was written."""

    number: int
    """In the file, from 1."""
    clip_id: str
    start_s: float
    end_s: float
    dimension: str
    attribute: str
    value: str
    segment: str
    """Which segment of the clip it belongs to; empty where the times say."""
    duration_s: float | None
    """Of the clip, where the file tells."""


@dataclass(frozen=True)
class LabelFile:
    """A file that was read."""

    path: str
    lines: tuple[Line, ...]

    @cached_property
    def by_clip(self) -> dict[str, list[Line]]:
        """The lines of each clip, clips in the order in which they first come."""
        found: dict[str, list[Line]] = {}
        for line in self.lines:
            found.setdefault(line.clip_id, []).append(line)
        return found

    def longest_s(self, clip_id: str) -> tuple[float | None, float]:
        """The clip's duration, where the file tells it, and the largest end of its segments, in seconds."""
        lines = self.by_clip.get(clip_id, [])
        told = next((line.duration_s for line in lines if line.duration_s is not None), None)
        return told, max((line.end_s for line in lines), default=0.0)


def read_label_file(path: str) -> LabelFile:
    """The values of a file, checked one by one. Raises LabelFileError."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise LabelFileError(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    rows = _json_rows(path, text) if path.lower().endswith(".jsonl") else _csv_rows(path, text)
    lines = tuple(_line(path, number, row) for number, row in rows)
    if not lines:
        raise LabelFileError(f"{path} holds no labels")
    file = LabelFile(path, lines)
    _require_one_duration_each(file)
    _segments(file)
    return file


def labels_of(file: LabelFile, clip_id: str, clip: Span, taxonomy: SV6DTaxonomy) -> tuple[tuple[Label, ...], list[str]]:
    """The labels of one clip on its source's timeline, and what the taxonomy does not know of their values.

    A person's word is the evidence: it is said to be seen throughout the segment.
    """
    base, unknown = clip.time_base, list[str]()
    labels = []
    for number, lines in enumerate(_segments(file)[clip_id]):
        first = lines[0]
        start, end = (clip.start_pts + base.ticks(seconds) for seconds in (first.start_s, first.end_s))
        span = Span(start_pts=start, end_pts=end, time_base=base)
        values = [_value(line, taxonomy) for line in lines]
        unknown += [_unknown(line, value, taxonomy) for line, value in zip(lines, values, strict=True)]
        evidence = Evidence(span=span, modality="frame", observation="A person says so.", claim=None, source=PERSON)
        labels.append(
            Label(
                label_id=f"{clip_id}-{PERSON}-{number:03d}", clip_id=clip_id, kind="sv6d", span=span,
                sv6d=SV6DSegment(values=tuple(values)), evidence=(evidence,),
                provenance=Provenance(annotator=PERSON, annotator_version="1", code_version=CODE_VERSION),
            )
        )  # fmt: skip
    return tuple(labels), [one for one in unknown if one]


def _csv_rows(path: str, text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    header = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=header.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = [name.strip() for name in reader.fieldnames or ()]
        missing = [name for name in COLUMNS if name not in names]
        if missing:
            raise LabelFileError(f"{path}, line 1: no column {missing[0]!r}; the columns are {', '.join(COLUMNS)}")
        reader.fieldnames = names
        for row in reader:
            if None in row:
                raise LabelFileError(f"{path}, line {reader.line_num}: more cells than the first line has columns")
            yield reader.line_num, row
    except csv.Error as error:
        # The inner reader counts the line that it could not read, too.
        raise LabelFileError(f"{path}, line {reader.reader.line_num}: {error}") from error


def _json_rows(path: str, text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    # Not splitlines: JSON may hold other signs that end a line.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise LabelFileError(f"{path}, line {number}: no JSON ({' '.join(str(error).split())})") from error
        if not isinstance(row, dict):
            raise LabelFileError(f"{path}, line {number}: an object with {', '.join(COLUMNS)} is wanted")
        yield number, row


def _line(path: str, number: int, row: Mapping[str, Any]) -> Line:
    where = f"{path}, line {number}"
    clip_id, dimension, attribute, value = (
        _text(row, name, where) for name in ("clip_id", "dimension", "attribute", "value")
    )
    start_s, end_s = (_seconds(row.get(name), name, where) for name in ("start_s", "end_s"))
    if end_s < start_s:
        raise LabelFileError(f"{where}: the segment ends at {end_s:g} s, before it starts at {start_s:g} s")
    segment, duration = row.get(SEGMENT), row.get(DURATION)
    duration_s = None if _is_empty(duration) else _seconds(duration, DURATION, where)
    if duration_s == 0:
        raise LabelFileError(f"{where}: a clip of 0 s has no segments")
    return Line(
        number=number, clip_id=clip_id, start_s=start_s, end_s=end_s, dimension=dimension, attribute=attribute,
        value=value, segment="" if segment is None else str(segment).strip(), duration_s=duration_s,
    )  # fmt: skip


def _text(row: Mapping[str, Any], name: str, where: str) -> str:
    value = row.get(name)
    if _is_empty(value):
        raise LabelFileError(f"{where}: {name} is empty")
    if not isinstance(value, str):
        raise LabelFileError(f"{where}: {name} is a text, not {value!r:.60}")
    return value.strip()


def _seconds(value: Any, name: str, where: str) -> float:
    if _is_empty(value):
        raise LabelFileError(f"{where}: {name} is empty")
    try:
        seconds = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        seconds = math.nan
    if not math.isfinite(seconds):
        raise LabelFileError(f"{where}: {name} is a number of seconds, not {value!r:.60}")
    if not 0 <= seconds <= LONGEST_S:
        raise LabelFileError(f"{where}: {name} counts seconds from the clip's start, and {seconds:g} is none such")
    return seconds


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _segments(file: LabelFile) -> dict[str, list[list[Line]]]:
    """Lines by clip and segment. Raises LabelFileError where a segment has two sets of times."""
    found: dict[str, dict[object, list[Line]]] = {}
    for line in file.lines:
        key = line.segment or (line.start_s, line.end_s)
        lines = found.setdefault(line.clip_id, {}).setdefault(key, [])
        if lines and (line.start_s, line.end_s) != (lines[0].start_s, lines[0].end_s):
            other = f"{lines[0].start_s:g} s to {lines[0].end_s:g} s in line {lines[0].number}"
            said = f"segment {line.segment!r} lies at {line.start_s:g} s to {line.end_s:g} s, and at {other}"
            raise LabelFileError(f"{file.path}, line {line.number}: {said}")
        lines.append(line)
    return {clip_id: list(by_key.values()) for clip_id, by_key in found.items()}


def _require_one_duration_each(file: LabelFile) -> None:
    for clip_id, lines in file.by_clip.items():
        told = [line for line in lines if line.duration_s is not None]
        other = next((line for line in told if line.duration_s != told[0].duration_s), None)
        if other is not None:
            both = f"{other.duration_s:g} s long, and {told[0].duration_s:g} s in line {told[0].number}"
            raise LabelFileError(f"{file.path}, line {other.number}: the clip {clip_id} is {both}")


def _value(line: Line, taxonomy: SV6DTaxonomy) -> SV6DValue:
    """The value with its names as the taxonomy writes them, where it knows them."""
    dimension = _as_listed(line.dimension, [one.name for one in taxonomy.dimensions])
    attributes = [a.name for one in taxonomy.dimensions if one.name == dimension for a in one.attributes]
    attribute = _as_listed(line.attribute, attributes)
    known = taxonomy.attribute(dimension, attribute)
    value = _as_listed(line.value, known.values if known else ())
    return SV6DValue(dimension=dimension, attribute=attribute, value=value, evidence=(0,))


def _as_listed(name: str, listed: "list[str] | tuple[str, ...]") -> str:
    """`Close-up` for `close_up`: the listed name that is the same apart from case and what separates words."""
    return next((one for one in listed if _fold(one) == _fold(name)), name)


def _fold(name: str) -> str:
    return "_".join(name.casefold().replace("-", " ").replace("_", " ").split())


def _unknown(line: Line, value: SV6DValue, taxonomy: SV6DTaxonomy) -> str:
    if taxonomy.allows(value.dimension, value.attribute, value.value):
        return ""
    return f"line {line.number}: {value.dimension}.{value.attribute} = {value.value[:60]!r}"
