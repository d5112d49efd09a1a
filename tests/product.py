"""The product as its users meet it: the command in a process of its own, and what it leaves behind."""

import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

COMMAND = [sys.executable, "-m", "jobs.cli"]
DEMO_SETTINGS = ("--runner", "local")
ROOT = Path(__file__).parent.parent


def reelproof(
    *arguments: str, cwd: Path = ROOT, env: dict[str, str] | None = None, timeout_s: float = 280
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, cwd=cwd, env=env, timeout=timeout_s)


def start(*arguments: str) -> subprocess.Popen[str]:
    """Start the command in a process group of its own, and do not wait for it."""
    return subprocess.Popen(
        [*COMMAND, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )


def status(run: Path) -> dict[str, Any]:
    """`reelproof status --json`."""
    finished = reelproof("status", str(run), "--json")
    assert finished.returncode == 0, finished.stderr
    told: dict[str, Any] = json.loads(finished.stdout)
    return told


def cells(run: Path) -> dict[str, list[dict[str, Any]]]:
    """Every row of every cell, by the cell's path."""
    return {
        str(path.relative_to(run)): pq.read_table(path).to_pylist() for path in sorted(run.glob("tables/*/*.parquet"))
    }


def written_at(run: Path) -> dict[str, int]:
    """When each cell was written, in nanoseconds: a cell that is not computed again keeps its time."""
    return {str(path.relative_to(run)): path.stat().st_mtime_ns for path in sorted(run.glob("tables/*/*.parquet"))}


def rows(run: Path, step: str) -> Iterator[dict[str, Any]]:
    """The rows of one step's cells."""
    for path in sorted(run.glob(f"tables/{step}/*.parquet")):
        yield from pq.read_table(path).to_pylist()


def results(run: Path, step: str) -> list[Any]:
    """The results of one step."""
    return [row["result"] for row in rows(run, step) if row["outcome"] == "result"]


def labels(run: Path, step: str) -> list[Any]:
    """The labels in an annotate step's results."""
    return [label for found in results(run, step) for label in found["labels"]]


def _annotators(run: Path) -> list[str]:
    return sorted(path.name for path in run.glob("tables/annotate.*"))


def _annotated(run: Path) -> dict[str, int]:
    """Units of each annotate step: clips, slices for `names`, questions for those that go on from them."""
    handed = dict.fromkeys(_annotators(run), len(results(run, "dedup")))
    questions = {name: len(labels(run, name)) for name in ("annotate.qa", "annotate.dense_text")}
    units = {
        "annotate.names": len(results(run, "split")),
        "annotate.distractors": sum(questions.values()),
        "annotate.reasoning": sum(questions.values()),
        "annotate.tool_traces": questions["annotate.qa"],
    }
    return {name: units.get(name, clips) for name, clips in handed.items()}


def assert_accounted_for(run: Path) -> None:
    """Inputs = results + rejections + failures at every step, counted from the rows themselves."""
    handed = {
        "probe": len(list(rows(run, "listing"))),
        "scan": sum(len(source["slices"]) for source in results(run, "probe")),
        "split": len(results(run, "scan")),
        "describe": sum(len(split["clips"]) for split in results(run, "split")),
        "dedup": len(results(run, "describe")),
        **_annotated(run),
        "verify.evidence": len({label["label_id"] for name in _annotators(run) for label in labels(run, name)}),
        "plan": len(results(run, "dedup")),
        "package": len(results(run, "plan")),
        "card": 1,
    }
    told = status(run)["steps"]
    judges = [name for name in told if name.startswith("verify.")]
    handed |= {judge: len(results(run, before)) for before, judge in pairwise(judges)}
    handed |= {"survey": 1} if "survey" in told else {}
    for step, units in handed.items():
        outcomes = [row["outcome"] for row in rows(run, step)]
        counted = {name: outcomes.count(name) for name in ("result", "rejection", "failure")}
        assert len(outcomes) == units == sum(counted.values()), step
        assert told[step]["units"] == units, step
        assert [told[step][name] for name in ("results", "rejections", "failures")] == list(counted.values()), step
