"""The live panel tells how asking goes: rates over the last seconds, what is in flight, what it has cost so far."""

import io
from dataclasses import replace

import pytest
from rich.console import Console
from rich.progress import Progress, TextColumn

from annotators.endpoint.budget import Snapshot, Tally
from jobs.progress import _Bars, _Rates

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
        assert progress.tasks == []
        bars.asked(START)
        bars.asked(START)
        assert [task.description for task in progress.tasks] == ["asked"]
        assert "100 replies" in progress.tasks[0].fields["told"]
