"""What became of a label is followed through all judges, and a decision keeps what the person saw."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.fates import label_places, outdated_decisions, part_fates
from pipeline.grid import Run
from pipeline.plan import steps_of
from pipeline.reviews import MADE_BY_EVIDENCE, decided, decisions, standing, write_decisions
from pipeline.store import Store
from schemas.arrow import StepRecord
from schemas.base import Record
from schemas.config import RunConfig
from schemas.judging import CriticConfig, LeakageConfig, VerifyConfig
from schemas.label import REVIEW_RULE, ClipLabels, VerifiedLabel
from schemas.media import PartSlice
from schemas.review import ReviewDecision, label_version
from schemas.verdict import Failure, Rejection, Result, Verdict
from stages.evidence.check import OPTIONS_RULE, RULE, SPAN_RULE, WORDS_RULE
from tests.data_cards import builders
from tests.pipeline.cells import write_cell

CLIP = builders.make_clip()
LABELS = tuple(builders.qa_label(CLIP, number) for number in range(6))
CONFIG = RunConfig(
    verify=VerifyConfig(leakage=LeakageConfig(enabled=True), critic=CriticConfig(enabled=True)),
)

PASSED = ("verify.evidence", "verify.wording", "verify.priors")
"""Rules of the judges before those that ask a model: all labels but the first come past them."""


def write(store: Store, table: str, value: type[Record], records: Sequence[StepRecord]) -> None:
    write_cell(store, table, 0, value, records)


def verdict(number: int, rule: str, decision: str = "keep") -> Verdict:
    return Verdict.model_validate(
        {"subject_id": LABELS[number].label_id, "decision": decision, "rule": rule, "score": 0.8, "threshold": 0.3,
         "reason": f"{rule} says so"}
    )  # fmt: skip


def result(found: VerifiedLabel) -> Result:
    return Result(unit_id=found.label.label_id, subject="a label", value=found)


def rejection(number: int, rule: str) -> Rejection:
    return Rejection(unit_id=LABELS[number].label_id, subject="a label", verdict=verdict(number, rule, "reject"))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Six labels: turned down by each of three judges, failed, not seen by all yet, and kept and bettered."""
    store = Store(str(tmp_path))
    write(store, "parts", PartSlice, ())
    found = ClipLabels(clip_id=CLIP.clip_id, labels=LABELS)
    write(store, "annotate.measured", ClipLabels, [Result(unit_id=CLIP.clip_id, subject="a clip", value=found)])
    checked = [builders.kept(label) for label in LABELS]
    write(store, "verify.evidence", VerifiedLabel, [rejection(0, "verify.evidence"), *map(result, checked[1:])])
    for judge, rule in (("verify.wording", "verify.wording"), ("verify.questions", "verify.priors")):
        checked[1:] = [kept.judged(verdict(number, rule)) for number, kept in enumerate(checked[1:], 1)]
        write(store, judge, VerifiedLabel, list(map(result, checked[1:])))
    seen = {number: checked[number].judged(verdict(number, "verify.leakage")) for number in (2, 4, 5)}
    failure = Failure(unit_id=LABELS[3].label_id, subject="a label", kind="refused", message="the model refused")
    records: list[StepRecord] = [
        rejection(1, "verify.leakage"),
        result(seen[2]),
        failure,
        result(seen[4]),
        result(seen[5]),
    ]
    write(store, "verify.leakage", VerifiedLabel, records)
    bettered = LABELS[5].replace(qa=builders.qa_label(CLIP, 5, "bettered").qa)
    last = seen[5].judged(verdict(5, "verify.critic"), label=bettered, route="dpo", preferred_over="{}")
    write(store, "verify.critic", VerifiedLabel, [rejection(2, "verify.critic"), result(last)])
    return Run(store=store, config=CONFIG, steps=steps_of(CONFIG))


def test_each_label_is_told_with_its_judge_and_all_verdicts_so_far(run: Run) -> None:
    fates = part_fates(run, 0)
    assert [fate.label.label_id for fate in fates] == [label.label_id for label in LABELS]
    assert [(fate.outcome, fate.step, [one.rule for one in fate.verdicts]) for fate in fates] == [
        ("rejected", "verify.evidence", ["verify.evidence"]),
        ("rejected", "verify.leakage", [*PASSED, "verify.leakage"]),
        ("rejected", "verify.critic", [*PASSED, "verify.leakage", "verify.critic"]),
        ("failed", "verify.leakage", [*PASSED]),
        ("pending", "verify.leakage", [*PASSED, "verify.leakage"]),
        ("kept", "verify.critic", [*PASSED, "verify.leakage", "verify.critic"]),
    ]
    assert fates[3].failure == "refused: the model refused"
    assert fates[5].label.qa
    assert (fates[5].label.qa.task, fates[5].route) == ("bettered", "dpo")
    assert fates[5].made == label_version(LABELS[5]) != label_version(fates[5].label)
    assert {place.label_id for place in label_places(run)} == {label.label_id for label in LABELS}


@pytest.mark.parametrize("number", [1, 2, 5])
def test_an_accepted_label_stays_what_the_person_saw_with_every_verdict(number: int, run: Run) -> None:
    fate = part_fates(run, 0)[number]
    decision = ReviewDecision(
        label_id=fate.label.label_id, clip_id=CLIP.clip_id, decision="accept", made=fate.made, seen=fate.verified
    )
    write_decisions(run.store, 0, [decision])
    read = decisions(run.store, 0)[fate.label.label_id]
    assert read == decision
    made = decided(LABELS[number], builders.kept(LABELS[number]), read)
    assert isinstance(made, VerifiedLabel)
    assert made.is_reviewed
    assert made.label == fate.label
    assert [one.rule for one in made.verdicts] == [*(one.rule for one in fate.verdicts), REVIEW_RULE]
    assert (made.route, made.preferred_over) == (fate.route, fate.preferred_over)


def test_a_label_that_a_person_turned_down_is_shown_as_they_saw_it(run: Run) -> None:
    fate = part_fates(run, 0)[5]
    decision = ReviewDecision(
        label_id=fate.label.label_id, clip_id=CLIP.clip_id, decision="reject", made=fate.made, seen=fate.verified
    )
    write_decisions(run.store, 0, [decision])
    turned_down = decided(LABELS[5], builders.kept(LABELS[5]), decision)
    assert isinstance(turned_down, Verdict)
    record = Rejection(unit_id=fate.label.label_id, subject="a label", verdict=turned_down)
    write(run.store, "verify.evidence", VerifiedLabel, [record])
    after = next(one for one in part_fates(run, 0) if one.label.label_id == fate.label.label_id)
    assert after.outcome == "rejected"
    assert after.label == fate.label
    assert [one.rule for one in after.verdicts] == [*(one.rule for one in fate.verdicts), REVIEW_RULE]
    assert after.verified == fate.verified


@pytest.mark.parametrize("rule", MADE_BY_EVIDENCE)
def test_what_measurements_say_now_takes_the_place_of_what_they_said_then(rule: str) -> None:
    assert set(MADE_BY_EVIDENCE) == {RULE, WORDS_RULE, OPTIONS_RULE, SPAN_RULE}
    then, now = verdict(0, rule, "reject"), verdict(0, rule, "reject").replace(reason="measured anew")
    seen = VerifiedLabel(label=LABELS[0], checks=(), verdicts=(then,))
    decision = ReviewDecision(label_id=then.subject_id, clip_id=CLIP.clip_id, decision="accept", seen=seen)
    made = decided(LABELS[0], now, decision)
    assert isinstance(made, VerifiedLabel)
    assert made.verdicts[:-1] == (now,)
    assert made.verdicts[-1].rule == REVIEW_RULE


def test_a_decision_stands_while_the_label_says_the_same(run: Run) -> None:
    label = LABELS[0]
    decision = ReviewDecision(
        label_id=label.label_id, clip_id=CLIP.clip_id, decision="reject", made=label_version(label)
    )
    other = label.replace(qa=builders.qa_label(CLIP, 1).qa)
    assert standing(decision, label) is decision
    assert standing(decision, label.replace(evidence=(*label.evidence, label.evidence[0]))) is decision
    assert standing(decision, other) is None
    assert standing(decision.replace(made=""), other) is not None
    assert standing(None, label) is None
    gone = decision.replace(label_id="gone")
    write_decisions(run.store, 0, [decision, gone, decision.replace(label_id=LABELS[1].label_id)])
    assert [one.label_id for one in outdated_decisions(run)] == sorted([LABELS[1].label_id, "gone"])
    write_decisions(run.store, 0, [])
    assert list(outdated_decisions(run)) == []
