"""`reelproof status` and `reelproof report`: how a run stands, for people and for programs.

Here: tables on a terminal and JSON. Not here: the counting (`pipeline.summary`) and the page (`data_cards.report`).
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from data_cards.priors_view import priors_line
from data_cards.wording import plain_line
from jobs.tables import print_table
from pipeline import run_file
from pipeline.card_cell import write_report
from pipeline.grid import Run
from pipeline.plan import steps_of
from pipeline.store import Store
from pipeline.summary import find_problems, summarize
from schemas.summary import Problem, RunSummary

_PROBLEMS_SHOWN = 10


def open_run(directory: str) -> Run:
    """A finished or unfinished run. Raises GridError where there is none."""
    store = Store(directory)
    config = run_file.load(store).config
    return Run(store=store, config=config, steps=steps_of(config))


def print_status(directory: str, *, as_json: bool) -> None:
    """Print how a run stands."""
    run = open_run(directory).snapshot()
    summary = summarize(run)
    if as_json:
        Console().print_json(json.dumps(status_values(summary)), indent=2)
        return
    _print_funnel(Console(), run, summary)


def status_values(summary: RunSummary) -> dict[str, Any]:
    """The values of `status --json`."""
    values = summary.model_dump(mode="json")
    for name in ("labels_by_kind", "labels_by_task", "rejections", "failures"):
        values[name] = {count["name"]: count["count"] for count in values[name]}
    cells = Counter[str]()
    for step in summary.steps:
        cells.update(done=step.cells_done, stale=step.cells_stale, missing=step.cells_missing)
    values["cells"] = {name: cells[name] for name in ("done", "stale", "missing")}
    for name in ("steps", "judges"):
        values[name] = {step.pop("step"): step for step in values[name]}
    return values


def print_outcome(run: Run, summary: RunSummary) -> None:
    """Print what came of a run, and where to look."""
    console = Console()
    _print_funnel(console, run, summary)
    for title, path in (("shards", "shards"), ("card", "README.md"), ("report", "report/index.html")):
        if run.store.exists(path):
            console.print(f"{title:<7} {run.store.locate(path)}", highlight=False, markup=False, soft_wrap=True)


def rewrite_report(directory: str) -> str:
    """Write the report again, and return where it is."""
    run = open_run(directory)
    return run.store.locate(write_report(run))


def _print_funnel(console: Console, run: Run, summary: RunSummary) -> None:
    table = Table(
        "step", "unit", *(_right(name) for name in ("units", "results", "rejected", "failed", "cells")), box=None
    )
    for step in summary.steps:
        cells = f"{step.cells_done}"
        cells += f" +{step.cells_stale} stale" if step.cells_stale else ""
        cells += f" +{step.cells_missing} missing" if step.cells_missing else ""
        figures = (step.units, step.results, step.rejections, step.failures)
        table.add_row(step.step, step.unit, *(f"{figure:,}" for figure in figures), cells)
    print_table(table)
    console.print(
        f"\n{summary.sources} sources, {summary.slices} slices, {summary.shots} shots, {summary.clips} clips, "
        f"{summary.labels} labels, {summary.samples} samples ({summary.duration_s:.1f} s)"
        + (f", {summary.tokens:,} tokens, ${summary.cost_usd:.2f}" if summary.tokens else ""),
        highlight=False,
    )
    _print_judges(console, summary)
    _print_asked(console, summary)
    for line in _problem_lines(list(find_problems(run))):
        console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)


def _print_judges(console: Console, summary: RunSummary) -> None:
    """Who turned labels down; a run without a label to judge has nothing to tell."""
    if not any(judge.units for judge in summary.judges):
        return
    figures = ("labels in", "kept", "rejected", "failed", "replies", "USD")
    table = Table(Column("judge", no_wrap=True), *(_right(name) for name in figures), "asks", box=None)
    for judge in summary.judges:
        counts = (judge.units, judge.kept, judge.rejected, judge.failed, judge.replies)
        cost = f"{judge.cost_usd:.4f}" if judge.models else ""
        table.add_row(
            judge.step, *(f"{count:,}" for count in counts), cost, escape(", ".join(judge.models)) or "nobody"
        )
    console.print()
    print_table(table)
    if summary.priors:
        told = f"  text-only probe: {plain_line(priors_line(summary.priors))}"
        console.print(told, highlight=False, markup=False, soft_wrap=True)
    reviews = summary.reviews
    if reviews.accepted or reviews.rejected:
        lost = f", {reviews.without_effect} of them without effect" if reviews.without_effect else ""
        told = f"  people decided: {reviews.accepted:,} labels accepted, {reviews.rejected:,} rejected{lost}"
        console.print(told, highlight=False)


def _print_asked(console: Console, summary: RunSummary) -> None:
    if not summary.asked:
        return
    table = Table(
        "asked by", "model", *(_right(name) for name in ("replies", "tokens in", "tokens out", "USD")), box=None
    )
    for one in summary.asked:
        figures = (f"{one.replies:,}", f"{one.input_tokens:,}", f"{one.output_tokens:,}", f"{one.cost_usd:.4f}")
        table.add_row(one.annotator, one.model, *figures)
    console.print()
    print_table(table)


def _problem_lines(problems: Sequence[Problem]) -> Iterator[str]:
    """What did not come out whole: failures and damage, alike ones once; rejections by rule with an example."""
    for outcome in ("failure", "damage"):
        alike = Counter((problem.step, problem.message) for problem in problems if problem.outcome == outcome)
        for (step, message), count in list(alike.items())[:_PROBLEMS_SHOWN]:
            yield f"{outcome} at {step}: {message}" + (f" ({count:,} times)" if count > 1 else "")
        hidden = sum(list(alike.values())[_PROBLEMS_SHOWN:])
        if hidden:
            yield f"… and {hidden:,} more of {outcome}, in the report"
    rejected = [problem for problem in problems if problem.outcome == "rejection"]
    for rule, count in Counter(problem.kind for problem in rejected).most_common():
        example = next(problem for problem in rejected if problem.kind == rule)
        reason = example.message.removeprefix(f"{example.subject}: ")
        yield f"rejected by {rule}: {count}, for example {example.subject}: {reason}"
    if not rejected:
        yield "nothing was rejected"


def _right(name: str) -> Any:

    return Column(name, justify="right")
