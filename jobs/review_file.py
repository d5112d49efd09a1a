"""The files that people decide in: CSV from us, CSV or JSON from them.

Here: reading choices, writing the table of labels, and cells that no spreadsheet takes for formulas. Not here: what a
choice does (`jobs.review`).
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

COLUMNS = (
    "clip_id", "label_id", "label_version", "source", "start_s", "end_s", "kind", "task", "question", "options",
    "answer", "text", "outcome", "rule", "reason", "score", "threshold", "question_class", "route", "decided",
    "decision", "reviewer", "note",
)  # fmt: skip
"""Of the table of labels. Of these, a file with decisions needs `decision`, and `label_id` or `clip_id`."""

DECISIONS: Mapping[str, Literal["accept", "reject"]] = {
    **dict.fromkeys(("accept", "accepted", "keep", "kept", "yes", "y", "ok", "true", "1"), "accept"),
    **dict.fromkeys(("reject", "rejected", "drop", "remove", "no", "n", "false", "0"), "reject"),
}
"""Words that people decide with, in any case."""

MAX_CELL_CHARS = 32_000
"""Spreadsheets hold 32,767 characters in a cell."""

_MAX_FIELD_CHARS = 2**24
_FORMULA = re.compile(r"'*\s*[=+\-@＝＋－＠\t\r\n]")  # noqa: RUF001 - full-width signs start formulas too
_GUARDED = re.compile("'" + _FORMULA.pattern)


class ReviewError(Exception):
    """A file or request that cannot be followed; the message is one line."""


@dataclass(frozen=True)
class Choice:
    """One decision as a person wrote it down."""

    where: str
    """Place in the file: `line 3`."""
    label_id: str
    """Empty where all labels of the clip are meant."""
    clip_id: str
    decision: Literal["accept", "reject"]
    reviewer: str
    note: str
    version: str
    """Version of the label that the person saw; empty where the file does not say."""


@dataclass(frozen=True)
class Choices:
    """What a file decides."""

    made: tuple[Choice, ...]
    undecided: int
    """Rows that leave the decision open."""


def guarded(text: str) -> str:
    """`text` as a spreadsheet shows it and computes nothing; an apostrophe goes before what would be a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """The inverse of `guarded`."""
    return text[1:] if _GUARDED.match(text) else text


def write_table(path: str, rows: Iterable[Mapping[str, str]]) -> int:
    """Write the table of labels as CSV, and return how many there are.

    Raises ReviewError where there is such a file already, for it may hold somebody's work, or none can be written.
    """
    target, count = Path(path), 0
    if target.exists():
        raise ReviewError(f"{path} is there already, and may hold decisions: name another file")
    part = target.with_name(f".{target.name}.writing")
    try:
        # The mark at the beginning tells spreadsheets that this is UTF-8.
        with part.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, restval="", extrasaction="raise")
            writer.writeheader()
            for row in rows:
                writer.writerow({name: guarded(text[:MAX_CELL_CHARS]) for name, text in row.items()})
                count += 1
        part.replace(target)
    except OSError as error:
        raise ReviewError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    return count


def read_choices(path: str) -> Choices:
    """What a CSV or JSON file decides.

    CSV may be separated by commas, semicolons or tabs, and be UTF-8 with or without a mark, UTF-16, or what Western
    European spreadsheets write. Raises ReviewError naming the file, the line and the cause.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ReviewError(f"{path} cannot be read: {error.strerror}") from error
    text = _text(path, data)
    found = _json_rows(path, text) if text.lstrip()[:1] in ("[", "{") else _csv_rows(path, text)
    made, undecided = [], 0
    for where, row in found:
        if not any(row.values()):
            continue
        if not row.get("decision"):
            undecided += 1
            continue
        made.append(_choice(path, where, row))
    return Choices(tuple(made), undecided)


def _choice(path: str, where: str, row: Mapping[str, str]) -> Choice:
    word = row["decision"]
    decision = DECISIONS.get(word.casefold())
    if decision is None:
        raise ReviewError(f"{path}, {where}: no decision {word[:40]!r}; write accept or reject")
    label_id, clip_id = row.get("label_id", ""), row.get("clip_id", "")
    if not label_id and not clip_id:
        raise ReviewError(f"{path}, {where}: neither label_id nor clip_id says what is decided about")
    return Choice(
        where=where, label_id=label_id, clip_id=clip_id, decision=decision, reviewer=row.get("reviewer", ""),
        note=row.get("note", ""), version=row.get("label_version", ""),
    )  # fmt: skip


def _text(path: str, data: bytes) -> str:
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise ReviewError(f"{path} is a workbook and not CSV: save it as CSV UTF-8")
    try:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return data.decode("utf-16")
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = data.decode("cp1252")
        except UnicodeDecodeError as error:
            raise ReviewError(f"{path} is not text: save it as CSV UTF-8") from error
    if "\0" in text:
        raise ReviewError(f"{path} is not text: save it as CSV UTF-8")
    return text


def _csv_rows(path: str, text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Rows by column, each with its place."""
    csv.field_size_limit(_MAX_FIELD_CHARS)
    lines = text.splitlines(keepends=True)
    # What some spreadsheets write before the header to tell others the separator.
    start = 1 if lines and re.fullmatch(r"sep=.\s*", lines[0]) else 0
    header, delimiter = _header(path, lines[start] if len(lines) > start else "")
    reader = csv.reader(io.StringIO("".join(lines[start + 1 :]), newline=""), delimiter=delimiter, strict=True)
    line = start + 2
    try:
        for cells in reader:
            if len(cells) > len(header) and any(cells[len(header) :]):
                raise ReviewError(f"{path}, line {line}: {len(cells)} cells under {len(header)} columns")
            yield f"line {line}", {name: unguarded(cell).strip() for name, cell in zip(header, cells, strict=False)}
            line = start + 2 + reader.line_num
    except csv.Error as error:
        raise ReviewError(f"{path}, line {line}: not CSV: {error}") from error


def _header(path: str, line: str) -> tuple[list[str], str]:
    for delimiter in ",;\t":
        (cells,) = csv.reader([line], delimiter=delimiter) if line.strip() else ([],)
        names = [cell.strip().casefold() for cell in cells]
        if "decision" in names and {"label_id", "clip_id"} & set(names):
            repeated = {name for name in names if name in COLUMNS and names.count(name) > 1}
            if repeated:
                raise ReviewError(f"{path}, line 1: column {min(repeated)} is there more than once")
            return names, delimiter
    raise ReviewError(f"{path}, line 1: no CSV with the columns decision and label_id (or clip_id)")


def _json_rows(path: str, text: str) -> Iterator[tuple[str, dict[str, str]]]:
    try:
        found: Any = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        line = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise ReviewError(f"{path}{line}: not JSON") from error
    rows = found.get("decisions") if isinstance(found, dict) else found
    if not isinstance(rows, list):
        raise ReviewError(f"{path}: neither a list of decisions nor an object that holds one under `decisions`")
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict) or not all(value is None or isinstance(value, str) for value in row.values()):
            raise ReviewError(f"{path}, item {number}: not an object whose values are texts")
        yield f"item {number}", {name: (value or "").strip() for name, value in row.items()}
