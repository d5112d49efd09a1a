"""The funnel of a run, counted from its cells: what `status`, the card and the report all tell.

Here: reading footers and the few columns that counting needs. Not here: how any of it is shown.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from annotators.endpoint.replies import Replies
from pipeline.fates import judge_names, outdated_decisions
from pipeline.grid import CellState, Run, Step, cell_states
from pipeline.reviews import TABLE
from pipeline.survey import SURVEY
from schemas.cell import CellInfo
from schemas.priors import PriorsReport
from schemas.summary import Asked, Count, JudgeSummary, Problem, ReviewSummary, RunSummary, StepSummary


def summarize(run: Run) -> RunSummary:
    """The run in figures, as its cells stand now."""
    run = run.snapshot()
    infos = {step.name: _infos(run, step) for step in run.steps}
    states = cell_states(run)
    labels = list(_columns(run, last_judge(run), infos, ["result.label.kind", "result.label.qa.task"]))
    kinds = Counter(row["label"]["kind"] for row in labels)
    tasks = Counter(row["label"]["qa"]["task"] for row in labels if row["label"]["qa"])
    shots = _columns(run, "split", infos, ["result.shots[].index"])
    packaged = _columns(run, "package", infos, ["result.span.start_s", "result.span.end_s"])
    asked = tuple(_asked(run))
    problems = list(find_problems(run))
    steps = tuple(_step_summary(run, step, infos, states[step.name]) for step in run.steps)
    return RunSummary(
        sources=_listed(run),
        slices=_total(infos["probe"], "hands_on"),
        shots=sum(len(row["shots"]) for row in shots),
        clips=_total(infos["split"], "hands_on"),
        labels=len(labels),
        samples=_total(infos.get("package", {}), "results"),
        duration_s=sum(row["span"]["end_s"] - row["span"]["start_s"] for row in packaged),
        labels_by_kind=_counts(kinds),
        labels_by_task=_counts(tasks),
        rejections=_counts(Counter(problem.kind for problem in problems if problem.outcome == "rejection")),
        failures=_counts(Counter(problem.kind for problem in problems if problem.outcome == "failure")),
        damaged=sum(problem.outcome == "damage" for problem in problems),
        steps=steps,
        asked=asked,
        judges=tuple(_judges(run, steps, asked)),
        reviews=_reviews(run),
        priors=_priors(run, infos),
        tokens=sum(one.input_tokens + one.output_tokens for one in asked),
        cost_usd=sum(one.cost_usd for one in asked),
    )


def last_judge(run: Run) -> str:
    """The step whose results are the labels that every judge kept."""
    return judge_names(run)[-1]


def find_problems(run: Run) -> Iterator[Problem]:
    """Everything that did not come out whole, in the grid's order: rejections, failures, and damage that was survived.

    Clips that `split` turned down are among the rejections.
    """
    run = run.snapshot()
    for step in run.steps:
        for row, info in _infos(run, step).items():
            if info.rejections or info.failures:
                yield from _problem_rows(run, step.name, row)
            if step.name == "split":
                yield from _split_verdicts(run, row)
            if step.name in _TELLS_OF_DAMAGE:
                yield from _damage(run, step.name, row)


_TELLS_OF_DAMAGE = ("probe", "scan")
"""Steps whose results list problems."""


def _problem_rows(run: Run, step: str, row: int) -> Iterator[Problem]:
    for found in run.store.read(step, row, ["subject", "outcome", "rejection", "failure"]):
        if found["outcome"] == "rejection":
            verdict = found["rejection"]["verdict"]
            kind, message = verdict["rule"], verdict["reason"]
        elif found["outcome"] == "failure":
            kind, message = found["failure"]["kind"], found["failure"]["message"]
        else:
            continue
        yield Problem(outcome=found["outcome"], step=step, subject=found["subject"], kind=kind, message=message)


def _split_verdicts(run: Run, row: int) -> Iterator[Problem]:
    for found in run.store.read("split", row, ["subject", "result.verdicts"]):
        for verdict in (found["result"] or {}).get("verdicts") or ():
            if verdict["decision"] == "reject":
                subject = f"{found['subject']} {verdict['subject_id']}"
                kind, message = verdict["rule"], verdict["reason"]
                yield Problem(outcome="rejection", step="split", subject=subject, kind=kind, message=message)


def _damage(run: Run, step: str, row: int) -> Iterator[Problem]:
    for found in run.store.read(step, row, ["subject", "result.problems"]):
        problems = (found["result"] or {}).get("problems") or ()
        if problems:
            message = f"{found['subject']}: {'; '.join(problems)}"
            yield Problem(outcome="damage", step=step, subject=found["subject"], kind="damage", message=message)


def _infos(run: Run, step: Step) -> dict[int, CellInfo]:
    infos = {row: run.store.info(step.name, row) for row in run.rows(step)}
    return {row: info for row, info in infos.items() if info is not None}


def _columns(run: Run, name: str, infos: dict[str, dict[int, CellInfo]], columns: list[str]) -> Iterator[Any]:
    for row in infos.get(name, {}):
        for found in run.store.read(name, row, ["outcome", *columns]):
            if found["outcome"] == "result":
                yield found["result"]


def _asked(run: Run) -> Iterator[Asked]:
    """What was asked, counted from the kept replies: they are there also where a cell never came to its end."""
    for who, tally in sorted(Replies(run.store).tallies().items()):
        step = who if "." in who else f"annotate.{who}"
        names = run.config.asked_by(step) if step in run.config.asking() else ()
        yield Asked(
            annotator=who,
            model=", ".join(dict.fromkeys(run.config.endpoints[name].model for name in names)),
            replies=tally.requests,
            input_tokens=tally.input_tokens,
            output_tokens=tally.output_tokens,
            cost_usd=tally.cost_usd,
        )


def _judges(run: Run, steps: Iterable[StepSummary], asked: Iterable[Asked]) -> Iterator[JudgeSummary]:
    """Judges are steps as all others; what they cost is what the replies to them did."""
    by_step = {one.annotator: one for one in asked}
    for step in (step for step in steps if step.step in judge_names(run)):
        paid = by_step.get(step.step)
        names = run.config.asked_by(step.step) if step.step in run.config.asking() else ()
        yield JudgeSummary(
            step=step.step, units=step.units, kept=step.results, rejected=step.rejections, failed=step.failures,
            models=tuple(dict.fromkeys(run.config.endpoints[name].model for name in names)),
            replies=paid.replies if paid else 0, cost_usd=paid.cost_usd if paid else 0.0,
        )  # fmt: skip


def _reviews(run: Run) -> ReviewSummary:
    made = Counter[str]()
    for row in run.store.rows(TABLE):
        made.update(found["result"]["decision"] for found in run.store.read(TABLE, row, ["result.decision"]))
    without_effect = sum(1 for _ in outdated_decisions(run))
    return ReviewSummary(accepted=made["accept"], rejected=made["reject"], without_effect=without_effect)


def _priors(run: Run, infos: dict[str, dict[int, CellInfo]]) -> PriorsReport | None:
    found = (row["priors"] for row in _columns(run, SURVEY, infos, ["result.priors"]))
    return next((PriorsReport.model_validate(report) for report in found if report is not None), None)


def _step_summary(
    run: Run, step: Step, infos: dict[str, dict[int, CellInfo]], states: dict[int, CellState]
) -> StepSummary:
    done = Counter(states.values())
    return StepSummary(
        step=step.name,
        unit=step.unit,
        units=sum(_handed(run, step, name, infos) for name in _taken(step)),
        results=_total(infos[step.name], "results"),
        rejections=_total(infos[step.name], "rejections"),
        failures=_total(infos[step.name], "failures"),
        cells_done=done["done"],
        cells_stale=done["stale"],
        cells_missing=done["missing"],
    )


def _taken(step: Step) -> tuple[str, ...]:
    return (step.takes,) if isinstance(step.takes, str) else step.takes


def _handed(run: Run, step: Step, taken: str, infos: dict[str, dict[int, CellInfo]]) -> int:
    """Units that a table hands to a step: what its results hand on, or the results themselves where they are units."""
    if taken == "dataset":
        return 1
    if taken == "listing":
        return _listed(run)
    is_same = taken in infos and run.step(taken).unit == step.unit and step.unit != "label"
    return _total(infos.get(taken, {}), "results" if is_same else "hands_on")


def _listed(run: Run) -> int:
    infos = (run.store.info("listing", row) for row in run.store.rows("listing"))
    return sum(info.units for info in infos if info is not None)


def _total(infos: dict[int, CellInfo], name: str) -> int:
    return sum(getattr(info, name) for info in infos.values())


def _counts(counter: Counter[str]) -> tuple[Count, ...]:
    return tuple(Count(name=name, count=count) for name, count in counter.most_common())
