"""What `status` prints: every figure whole, whatever the screen, and each trouble once."""

import pytest
from rich.table import Table

from jobs.status import _problem_lines
from jobs.tables import print_table
from schemas.summary import Problem


def test_a_table_in_a_narrow_place_keeps_every_name_and_figure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    table = Table("judge", "labels in", "kept", "rejected", "asks", box=None)
    row = ("verify.question_class", "1,234,567", "1,234,000", "567", "judge-a, judge-b")
    table.add_row(*row)
    print_table(table)
    shown = capsys.readouterr().out
    assert "…" not in shown
    assert all(cell in shown for cell in row)


def failed(name: str, cause: str) -> Problem:
    subject = f"{name} [0.00 s, 5.00 s)"
    return Problem(outcome="failure", step="annotate.qa", subject=subject, kind="invalid", message=f"{name}: {cause}")


def test_failures_that_say_the_same_are_told_once_so_that_others_are_seen() -> None:
    lines = list(_problem_lines([*[failed("a.mp4", "no answer")] * 12, failed("b.mp4", "too long")]))
    assert lines[:2] == [
        "failure at annotate.qa: a.mp4: no answer (12 times)",
        "failure at annotate.qa: b.mp4: too long",
    ]
    assert not any("more of failure" in line for line in lines)


def test_what_is_not_shown_is_counted() -> None:
    lines = list(
        _problem_lines([failed(f"{number}.mp4", "no answer") for number in range(10)] + [failed("x", "y")] * 3)
    )
    assert lines[10] == "… and 3 more of failure, in the report"


def test_a_rejection_names_its_file_once() -> None:
    rejection = Problem(
        outcome="rejection", step="probe", subject="a.mkv", kind="probe.has_video", message="a.mkv: it holds no video"
    )
    assert list(_problem_lines([rejection])) == ["rejected by probe.has_video: 1, for example a.mkv: it holds no video"]
