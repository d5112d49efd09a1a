"""What became of every label of a part, whichever judge it met last: what people are shown and decide about.

Here: following labels through the cells of the judges. Not here: what a decision makes of a label
(`pipeline.reviews`), or how fates are shown (`data_cards`, `jobs.review`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.grid import Inputs, Run
from pipeline.reviews import TABLE, decisions, standing
from pipeline.units import latest_labels
from schemas.label import REVIEW_RULE, Label, VerifiedLabel
from schemas.review import LabelFate, ReviewDecision, label_version
from schemas.verdict import Verdict


@dataclass(frozen=True)
class LabelPlace:
    """Where in the grid a label lies."""

    part: int
    label_id: str
    clip_id: str


def label_places(run: Run) -> Iterator[LabelPlace]:
    """Every label that an annotator has now, part by part; one that was revised comes once."""
    for row in run.rows(run.step("verify.evidence")):
        found: dict[str, str] = {}
        for name in _annotated(run, row):
            for read in run.store.read(name, row, ["result.labels[].label_id", "result.labels[].clip_id"]):
                labels = (read["result"] or {}).get("labels") or ()
                found.update((label["label_id"], label["clip_id"]) for label in labels)
        yield from (LabelPlace(row, label_id, clip_id) for label_id, clip_id in found.items())


def part_fates(run: Run, row: int) -> list[LabelFate]:
    """What became of the labels of a part, by clip, each clip's in the order of their annotators.

    Labels in the cells of judges that no annotator holds any more are left out: those cells are out of date.
    """
    labels = _labels(run, row)
    met = _met_last(run, row)
    decided = decisions(run.store, row)
    judges = judge_names(run)
    fates = (
        _fate(label, met.get(label_id), standing(decided.get(label_id), label), judges[-1])
        for label_id, label in labels.items()
    )
    order: dict[str, int] = {}
    for label in labels.values():
        order.setdefault(label.clip_id, len(order))
    return sorted(fates, key=lambda fate: order[fate.label.clip_id])


def outdated_decisions(run: Run) -> Iterator[ReviewDecision]:
    """Decisions without effect: about labels that are no longer there, or say something else by now."""
    for row in run.store.rows(TABLE):
        labels = _labels(run, row)
        for label_id, decision in decisions(run.store, row).items():
            label = labels.get(label_id)
            if label is None or standing(decision, label) is None:
                yield decision


def judge_names(run: Run) -> list[str]:
    """The steps that judge labels, in the order in which they do."""
    return [step.name for step in run.steps if step.name.startswith("verify.")]


@dataclass(frozen=True)
class _Met:
    """The last judge that a label met."""

    judge: str
    row: Mapping[str, Any]
    passed: Mapping[str, Any] | None
    """The label as the judge before let it through."""


def _met_last(run: Run, row: int) -> dict[str, _Met]:
    """The last judge that each label met; the first that did not keep it ends its way."""
    met: dict[str, _Met] = {}
    for judge in judge_names(run):
        if run.store.info(judge, row) is None:
            break
        for found in run.store.read(judge, row, ["unit_id", "outcome", "result", "rejection", "failure"]):
            before = met.get(found["unit_id"])
            if before is None or before.row["outcome"] == "result":
                met[found["unit_id"]] = _Met(judge, found, before.row["result"] if before else None)
    return met


def _fate(label: Label, met: _Met | None, decision: ReviewDecision | None, last_judge: str) -> LabelFate:
    made = label_version(label)
    if met is None:
        return LabelFate(label=label, made=made, outcome="pending", step=f"annotate.{label.provenance.annotator}")
    if met.row["outcome"] == "result":
        kept = VerifiedLabel.model_validate(met.row["result"])
        return _fate_of(kept, made, "kept" if met.judge == last_judge else "pending", met.judge)
    passed = VerifiedLabel.model_validate(met.passed) if met.passed else None
    if met.row["outcome"] == "failure":
        failure = f"{met.row['failure']['kind']}: {met.row['failure']['message']}"
        if passed is None:
            return LabelFate(label=label, made=made, outcome="failed", step=met.judge, failure=failure)
        return _fate_of(passed, made, "failed", met.judge, failure=failure)
    verdict = Verdict.model_validate(met.row["rejection"]["verdict"])
    if passed is None and verdict.rule == REVIEW_RULE and decision is not None:
        passed = decision.seen
    rejected = passed.judged(verdict) if passed else VerifiedLabel(label=label, checks=(), verdicts=(verdict,))
    return _fate_of(rejected, made, "rejected", met.judge)


def _fate_of(judged: VerifiedLabel, made: str, outcome: str, step: str, **more: str) -> LabelFate:
    values = {name: getattr(judged, name) for name in VerifiedLabel.model_fields}
    return LabelFate.model_validate({**values, "made": made, "outcome": outcome, "step": step, **more})


def _labels(run: Run, row: int) -> dict[str, Label]:
    inputs = Inputs(run, run.step("verify.evidence"), row)
    return {label.label_id: label for label in latest_labels(inputs, _annotated(run, row))}


def _annotated(run: Run, row: int) -> list[str]:
    """The annotate steps whose cells are there."""
    names = [step.name for step in run.steps if step.name.startswith("annotate.")]
    return [name for name in names if run.store.info(name, row) is not None]
