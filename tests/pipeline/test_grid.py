"""A cell that exists with the right fingerprint is done; every unit ends as exactly one record."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.attempt import WorkerStartError
from pipeline.grid import GridError, Run, Watcher, cell_states, up_to
from pipeline.local import run_local
from schemas.cell import CellInfo
from schemas.config import RunConfig, SplitConfig
from tests.pipeline.toy import calls, make_run, steps, unable


def run_all(run: Run) -> dict[str, list[CellInfo]]:
    run_local(run, None, Watcher())
    infos = {step.name: [run.store.info(step.name, row) for row in run.rows(step)] for step in run.steps}
    return {name: [info for info in column if info] for name, column in infos.items()}


def outcomes(run: Run, step: str) -> dict[str, str]:
    rows = (found for row in run.store.rows(step) for found in run.store.read(step, row))
    return {found["unit_id"]: found["outcome"] for found in rows}


def test_every_unit_ends_as_a_result_a_rejection_or_a_failure(tmp_path: Path) -> None:
    run = make_run(tmp_path, [["a", "long", "broken"], ["b"]], steps())
    infos = run_all(run)
    assert outcomes(run, "scan") == {"a": "result", "long": "rejection", "broken": "failure", "b": "result"}
    assert [(i.units, i.results, i.rejections, i.failures) for i in infos["scan"]] == [(3, 1, 1, 1), (1, 1, 0, 0)]
    assert sum(info.units for info in infos["split"]) == sum(info.hands_on for info in infos["scan"])


def test_a_second_run_computes_nothing(tmp_path: Path) -> None:
    run = make_run(tmp_path, [["a", "broken"]], steps())
    first = run_all(run)
    assert run_all(run) == first
    assert calls(tmp_path) == ["a", "broken"]


def test_a_changed_setting_makes_its_step_stale_and_nothing_to_the_left(tmp_path: Path) -> None:
    run = make_run(tmp_path, [["a"]], steps())
    before = run_all(run)
    changed = replace(run, config=RunConfig(split=SplitConfig(min_clip_s=9.0)))
    assert cell_states(changed) == {"scan": {0: "done"}, "split": {0: "stale"}}
    after = run_all(changed)
    assert after["scan"] == before["scan"]
    assert after["split"][0].fingerprint != before["split"][0].fingerprint
    assert calls(tmp_path) == ["a"]


def test_a_new_version_of_a_step_makes_everything_from_it_on_stale(tmp_path: Path) -> None:
    run = make_run(tmp_path, [["a"]], steps())
    run_all(run)
    scan, split = run.steps
    newer = replace(run, steps=(replace(scan, version="2"), split))
    assert cell_states(newer) == {"scan": {0: "stale"}, "split": {0: "stale"}}


def test_where_a_step_cuts_off_change_only_its_content_counts(tmp_path: Path) -> None:
    run = make_run(tmp_path, [["a"]], steps(cuts_off=True))
    before = run_all(run)
    scan, split = run.steps
    after = run_all(replace(run, steps=(replace(scan, version="2"), split)))
    assert calls(tmp_path) == ["a", "a"]
    assert after["split"] == before["split"]


def test_an_appended_page_leaves_earlier_cells_alone(tmp_path: Path) -> None:
    before = run_all(make_run(tmp_path, [["a"]], steps()))
    after = run_all(make_run(tmp_path, [["a"], ["b"]], steps()))
    assert after["scan"][:1] == before["scan"]
    assert calls(tmp_path) == ["a", "b"]


def test_a_lost_cell_is_computed_again(tmp_path: Path) -> None:
    run = make_run(tmp_path, [["a"], ["b"]], steps())
    before = run_all(run)
    run.store.remove_cell("scan", 1)
    assert cell_states(run)["scan"] == {0: "done", 1: "missing"}
    assert cell_states(run)["split"] == {0: "done", 1: "stale"}
    assert run_all(run) == before


def test_failures_stay_failures_until_a_retry_is_asked_for(tmp_path: Path) -> None:
    run = make_run(tmp_path, [["a", "broken", "long"], ["b"]], steps())
    run_all(run)
    (tmp_path / "mended").touch()
    run_all(run)
    assert outcomes(run, "scan")["broken"] == "failure"
    run_all(replace(run, retry_failures=True))
    assert outcomes(run, "scan") == {"a": "result", "broken": "result", "long": "rejection", "b": "result"}
    assert outcomes(run, "split") == {"a": "result", "broken": "result", "b": "result"}
    assert calls(tmp_path) == ["a", "broken", "long", "b", "broken"]
    assert set(cell_states(run)["split"].values()) == {"done"}


def test_a_failure_says_what_and_why_and_keeps_its_traceback(tmp_path: Path) -> None:
    run = make_run(tmp_path, [["broken"]], steps())
    run_all(run)
    (found,) = run.store.read("scan", 0)
    assert found["failure"]["kind"] == "ValueError"
    assert found["failure"]["message"] == "broken: nothing in it"
    assert "Traceback" in found["failure"]["traceback"]


def test_a_crash_or_a_hang_costs_only_its_own_unit(tmp_path: Path) -> None:
    run = make_run(tmp_path, [["a", "crash", "b", "hang", "c"]], steps(is_isolated=True, timeout_s=3.0))
    run_all(run)
    found = {row["unit_id"]: row for row in run.store.read("scan", 0)}
    assert {unit: row["outcome"] for unit, row in found.items()} == {
        "a": "result", "crash": "failure", "b": "result", "hang": "failure", "c": "result",
    }  # fmt: skip
    assert found["crash"]["failure"]["kind"] == "crash"
    assert "11" in found["crash"]["failure"]["message"]
    assert found["hang"]["failure"]["kind"] == "timeout"
    assert "3 s" in found["hang"]["failure"]["message"]


def test_a_worker_that_cannot_start_ends_the_run_with_the_reason(tmp_path: Path) -> None:
    scan, _ = steps(is_isolated=True)
    run = make_run(tmp_path, [["a"]], (replace(scan, worker=unable),))
    with pytest.raises(WorkerStartError, match="'unable' cannot start: ImportError: no model for 160 pixels"):
        run_all(run)
    assert run.store.rows("scan") == []


def test_a_step_that_does_not_exist_is_answered_with_those_that_do(tmp_path: Path) -> None:
    run = make_run(tmp_path, [["a"]], steps())
    assert [step.name for step in up_to(run.steps, "scan")] == ["scan"]
    with pytest.raises(GridError, match="scan, split"):
        up_to(run.steps, "scam")
