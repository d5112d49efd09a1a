"""Every question of the data set looked at together, once: near-duplicates, and what can be guessed from words alone.

Here: the column `survey`, which finds them, and the units of `verify.questions`, which acts on what it found. Not here:
how they are found (`stages.texts.duplicates`, `stages.priors.probe`).
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pipeline.attempt import Unit, Worker
from pipeline.grid import Inputs
from pipeline.judged_units import kept_labels, previous_judge
from schemas.config import RunConfig
from schemas.label import Label, QAItem, VerifiedLabel
from schemas.survey import QuestionFinding, QuestionSurvey
from schemas.verdict import Verdict

if TYPE_CHECKING:
    from stages.priors.items import ProbeItem

SURVEY = "survey"
SECTIONS = ("verify.duplicates", "verify.priors")


class NoSurveyError(Exception):
    """What looks at all questions together failed, so none of them can be judged by it."""


def dataset(inputs: Inputs) -> Iterator[Unit]:
    """The one unit: the labels of the whole corpus, read as they are asked for."""
    yield Unit("dataset", inputs.run.config.card.title, inputs)


def version() -> str:
    """The survey's version with that of the contrasts that tell questions apart."""
    from schemas.word_lists import contrasts_sha256

    return f"1-{contrasts_sha256()[:8]}"


def surveyor(config: RunConfig) -> Worker:
    """Finds near-duplicate questions, and of the others those that their words give away."""
    from stages.priors.probe import probe
    from stages.texts.duplicates import find_duplicates, question_text
    from stages.texts.embedding import make_text_embedder

    duplicates, priors = config.verify.duplicates, config.verify.priors
    setting = "verify.duplicates.embedder"
    embedder = make_text_embedder(duplicates.embedder, setting) if duplicates.enabled else None

    def work(inputs: Inputs) -> QuestionSurvey:
        sources = {unique.clip.clip_id: unique.clip.source_id for unique in inputs.results("dedup")}
        asked = [
            (kept, text) for kept in inputs.results(previous_judge(inputs))
            if (text := question_text(kept.label, sources[kept.label.clip_id], is_settled=kept.is_reviewed)) is not None
        ]  # fmt: skip
        repeated = find_duplicates([text for _, text in asked], embedder, duplicates) if embedder else {}
        gone = {label_id for label_id, verdict in repeated.items() if verdict.decision == "reject"}
        items = [
            _probe_item(kept.label, item, sources[kept.label.clip_id]) for kept, _ in asked
            if (item := kept.label.qa) is not None and not kept.is_reviewed and kept.label.label_id not in gone
        ]  # fmt: skip
        report, guessable = probe(items, priors) if priors.enabled else (None, dict[str, Verdict]())
        findings = (*_gathered(repeated.values()), *_gathered(guessable.values()))
        return QuestionSurvey(n_questions=len(asked), priors=report, findings=findings)

    return work


def surveyed_labels(inputs: Inputs) -> Iterator[Unit]:
    """The labels of a part, each with the verdicts that the survey reached on it; None where there was no survey."""
    found: dict[str, list[Verdict]] = {}
    surveys = list(inputs.results(SURVEY))
    for finding in (finding for survey in surveys for finding in survey.findings):
        for label_id in finding.label_ids:
            found.setdefault(label_id, []).append(finding.verdict)
    for unit in kept_labels(inputs):
        verdicts = tuple(found.get(unit.unit_id, ())) if surveys else None
        yield Unit(unit.unit_id, unit.subject, (unit.payload, verdicts))


def act_on_survey(config: RunConfig) -> Worker:
    """Turns away what the survey says should go; what it only remarks on stays, with the remark."""
    del config

    def work(payload: tuple[VerifiedLabel, tuple[Verdict, ...] | None]) -> VerifiedLabel | Verdict:
        kept, verdicts = payload
        if kept.is_reviewed:
            return kept
        if verdicts is None:
            raise NoSurveyError("the questions could not be looked at together: see the failure at `survey`")
        for verdict in verdicts:
            if verdict.decision == "reject":
                return verdict.replace(subject_id=kept.label.label_id)
            kept = kept.judged(verdict.replace(subject_id=kept.label.label_id))
        return kept

    return work


def _gathered(verdicts: Iterable[Verdict]) -> tuple[QuestionFinding, ...]:
    """Verdicts that differ in nothing but their questions together, in the order of their first question's id."""
    alike: dict[Verdict, list[str]] = {}
    for verdict in sorted(verdicts, key=lambda verdict: verdict.subject_id):
        alike.setdefault(verdict.replace(subject_id=""), []).append(verdict.subject_id)
    return tuple(QuestionFinding(verdict=verdict, label_ids=tuple(ids)) for verdict, ids in alike.items())


def _probe_item(label: Label, item: QAItem, source_id: str) -> "ProbeItem":
    from stages.priors.items import ProbeItem

    return ProbeItem(
        label_id=label.label_id, group=f"{label.provenance.annotator}/{item.task}", question=item.question,
        options=item.options, answer_index=item.answer_index, source_id=source_id,
    )  # fmt: skip
