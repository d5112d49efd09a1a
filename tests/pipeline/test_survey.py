"""All questions are looked at together once: what their words give away goes, wherever in the corpus it lies."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.grid import Run, StepWorker
from pipeline.plan import steps_of
from pipeline.store import Store
from pipeline.survey import SURVEY
from schemas.config import RunConfig
from schemas.dataset import UniqueClip
from schemas.judging import PriorsConfig, VerifyConfig
from schemas.label import Label, QAItem, VerifiedLabel
from schemas.media import PartSlice
from schemas.verdict import Result, Verdict
from tests.data_cards import builders
from tests.pipeline.cells import write_cell
from tests.planted_questions import STATISTICAL, PlantedQuestion, planted

PLANTED = planted(3)
PARTS = 3


def label_of(question: PlantedQuestion, number: int) -> Label:
    """A planted question on a clip of its video, said by the annotator of its group."""
    annotator, task = question.item.group.split("/")
    base = builders.qa_label(builders.make_clip(), number)
    item = QAItem(task=task, question=question.item.question, options=question.item.options,
                  answer_index=question.item.answer_index)  # fmt: skip
    return base.replace(
        label_id=question.item.label_id, clip_id=f"{question.item.source_id}-clip-{number}", qa=item,
        provenance=base.provenance.replace(annotator=annotator),
    )  # fmt: skip


def run_with(labels: Sequence[Label], folder: Path, config: RunConfig) -> Run:
    """A run in which these labels have come as far as the survey, spread over parts."""
    store = Store(str(folder))
    for part in range(PARTS):
        members = labels[part::PARTS]
        clips = [
            builders.make_clip().replace(clip_id=label.clip_id, source_id=label.clip_id.split("-clip-")[0])
            for label in members
        ]
        write_cell(store, "parts", part, PartSlice, ())
        write_cell(store, "dedup", part, UniqueClip, [
            Result(unit_id=clip.clip_id, subject="a clip", value=UniqueClip(clip=clip, method="none")) for clip in clips
        ])  # fmt: skip
        write_cell(store, "verify.wording", part, VerifiedLabel, [
            Result(unit_id=label.label_id, subject="a label", value=kept(label)) for label in members
        ])  # fmt: skip
    return Run(store=store, config=config, steps=steps_of(config))


def kept(label: Label) -> VerifiedLabel:
    verdict = Verdict(
        subject_id=label.label_id, decision="keep", rule="verify.wording", score=0.0, threshold=0.0, reason="fine"
    )
    return VerifiedLabel(label=label, checks=(), verdicts=(verdict,))


def judged(run: Run) -> tuple[dict[str, str], set[str]]:
    """By label the rule that turned it away, and the labels that stay."""
    StepWorker(run, run.step(SURVEY)).ensure(0)
    worker = StepWorker(run, run.step("verify.questions"))
    gone: dict[str, str] = {}
    stay: set[str] = set()
    for part in range(PARTS):
        info = worker.ensure(part)
        assert info.units == info.results + info.rejections
        for row in run.store.read("verify.questions", part):
            if row["outcome"] == "rejection":
                gone[row["unit_id"]] = row["rejection"]["verdict"]["rule"]
                assert row["rejection"]["verdict"]["subject_id"] == row["unit_id"]
            else:
                stay.add(row["unit_id"])
                rules = [verdict["rule"] for verdict in row["result"]["verdicts"]]
                assert rules == ["verify.wording", "verify.duplicates", "verify.priors"]
    return gone, stay


def test_questions_of_all_parts_are_judged_together(tmp_path: Path) -> None:
    labels = [label_of(question, number) for number, question in enumerate(PLANTED)]
    gone, stay = judged(run_with(labels, tmp_path, RunConfig()))
    assert len(gone) + len(stay) == len(labels)
    spoiled = {question.item.label_id for question in PLANTED if question.kind in STATISTICAL}
    sound = {question.item.label_id for question in PLANTED if question.kind is None}
    assert len(spoiled & set(gone)) >= 0.9 * len(spoiled)
    assert len(sound & set(gone)) <= 0.05 * len(sound)
    assert set(gone.values()) == {"verify.priors"}


def test_what_is_only_flagged_stays_and_says_so(tmp_path: Path) -> None:
    config = RunConfig(verify=VerifyConfig(priors=PriorsConfig(action="flag")))
    labels = [label_of(question, number) for number, question in enumerate(PLANTED)]
    run = run_with(labels, tmp_path, config)
    gone, _ = judged(run)
    assert not gone
    (survey,) = run.store.read(SURVEY, 0)
    report = survey["result"]["priors"]
    assert report["overall"]["n_flagged"] > 0
    assert report["overall"]["n_rejected"] == 0


def test_a_repeated_question_goes_and_is_no_question_of_the_probe(tmp_path: Path) -> None:
    first = label_of(PLANTED[-1], 0)
    again = first.replace(label_id="z-again")
    run = run_with([first, again, label_of(PLANTED[-2], 1)], tmp_path, RunConfig())
    StepWorker(run, run.step(SURVEY)).ensure(0)
    (survey,) = run.store.read(SURVEY, 0)
    rejects = [found for found in survey["result"]["findings"] if found["verdict"]["decision"] == "reject"]
    assert [found["label_ids"] for found in rejects] == [["z-again"]]
    assert rejects[0]["verdict"]["rule"] == "verify.duplicates"
    assert survey["result"]["n_questions"] == 3
    assert survey["result"]["priors"]["n_items"] == 2


@pytest.mark.parametrize("off", ["duplicates", "priors"])
def test_either_half_can_be_off(off: str, tmp_path: Path) -> None:
    section = VerifyConfig.model_validate({off: {"enabled": False}})
    run = run_with([label_of(PLANTED[0], 0)], tmp_path, RunConfig(verify=section))
    StepWorker(run, run.step(SURVEY)).ensure(0)
    (survey,) = run.store.read(SURVEY, 0)
    assert (survey["result"]["priors"] is None) == (off == "priors")


def test_with_both_halves_off_there_is_no_column() -> None:
    section = VerifyConfig.model_validate({"duplicates": {"enabled": False}, "priors": {"enabled": False}})
    names = [step.name for step in steps_of(RunConfig(verify=section))]
    assert SURVEY not in names
    assert "verify.questions" not in names


def test_without_a_survey_no_question_passes_unjudged(tmp_path: Path) -> None:
    run = run_with([label_of(PLANTED[0], 0)], tmp_path, RunConfig())
    write_cell(run.store, SURVEY, 0, run.step(SURVEY).value, ())
    info = StepWorker(run, run.step("verify.questions")).ensure(0)
    assert (info.results, info.failures) == (0, 1)
    (row,) = run.store.read("verify.questions", 0)
    assert "see the failure at `survey`" in row["failure"]["message"]
