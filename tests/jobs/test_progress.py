"""The live panel tells how asking goes: rates over the last seconds, what is in flight, what it has cost so far."""

import io
from dataclasses import replace

import pytest
from rich.console import Console
from rich.progress import Progress, TextColumn

from annotators.endpoint.budget import Snapshot, Tally
from jobs.progress import _Bars, _Rates
from pipeline.plan import STEPS
from schemas.cell import CellInfo

QA = next(step for step in STEPS if step.name == "annotate.qa")
CRITIC = next(step for step in STEPS if step.name == "verify.critic")
DONE = CellInfo(fingerprint="", identity="", units=9, results=9, rejections=0, failures=0, hands_on=9, code_version="0")
START = Snapshot(0.0, Tally(requests=7, cost_usd=0.5), {"qa": Tally(requests=100, input_tokens=900, output_tokens=100)})


def test_rates_are_those_since_the_first_snapshot_that_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("jobs.progress.time.monotonic", lambda: now[0])
    rates = _Rates()
    rates.line(START)
    now[0] = 104.0
    later = {"qa": Tally(requests=120, input_tokens=1800, output_tokens=200, in_flight=8, kept=3, cost_usd=0.25)}
    line = rates.line(replace(START, by_annotator=later))
    assert line == "120 replies, 3 kept, 8 in flight, 5.0/s, 250 tokens/s, $0.7500"


def test_what_was_given_up_is_told() -> None:
    assert "2 failed" in _Rates().line(Snapshot(0.0, Tally(), {"qa": Tally(failed=2)}))


def test_the_panel_is_one_line_that_is_there_once_something_is_asked() -> None:
    shown = io.StringIO()
    columns = TextColumn("{task.description}"), TextColumn("{task.fields[told]}")
    with Progress(*columns, console=Console(file=shown, width=120, force_terminal=True)) as progress:
        bars = _Bars(progress)
        bars.starts(QA, 4)
        bars.asked(START)
        bars.asked(START)
        assert [task.description for task in progress.tasks] == ["annotate.qa", "asked"]
        assert "100 replies" in progress.tasks[1].fields["told"]
        assert "projected" not in progress.tasks[1].fields["told"]


def test_the_cost_is_projected_from_the_cells_that_are_done() -> None:
    with Progress(TextColumn("{task.fields[told]}"), console=Console(file=io.StringIO())) as progress:
        bars = _Bars(progress)
        bars.starts(QA, 4)
        bars.done("annotate.qa", 0, DONE)
        bars.asked(Snapshot(0.0, Tally(cost_usd=0.5), {"qa": Tally(requests=9, cost_usd=0.25)}))
        assert progress.tasks[1].fields["told"].endswith("$0.7500, $1.5000 projected")


def test_what_judges_ask_is_shown_and_projected_too() -> None:
    with Progress(TextColumn("{task.fields[told]}"), console=Console(file=io.StringIO())) as progress:
        bars = _Bars(progress)
        for step in (QA, CRITIC):
            bars.starts(step, 4)
        bars.done("annotate.qa", 0, DONE)
        bars.done("verify.critic", 0, DONE)
        spent = {"qa": Tally(requests=9, cost_usd=0.25), "verify.critic": Tally(requests=1, cost_usd=0.5)}
        bars.asked(Snapshot(0.0, Tally(), spent))
        assert progress.tasks[2].fields["told"].endswith("$0.7500, $3.0000 projected")
