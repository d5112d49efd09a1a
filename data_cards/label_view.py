"""Labels as the report shows them: words, places on the timeline, and each check with its numbers.

Here: plain values for the templates. Not here: their look (`templates/label.html.j2`), or any checking.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from data_cards import wording
from data_cards.scale import Scale
from schemas.evidence import Claim, Evidence, EvidenceCheck
from schemas.label import Label, LabelKind, ReasoningStep, VerifiedLabel
from schemas.provenance import Provenance

_OUTCOMES = ("contradicted", "unchecked", "confirmed")
"""From the one that matters most."""


@dataclass(frozen=True)
class EvidenceView:
    """One piece of evidence and its check."""

    number: int
    """From 1, as the reasoning cites it."""
    modality: str
    observation: str
    source: str
    time: str
    places: str
    claim: str
    measured: str
    threshold: str
    outcome: str
    reason: str


@dataclass(frozen=True)
class StepView:
    """One step of a reasoning chain."""

    role: str
    text: str
    time: str
    places: str
    cites: str


@dataclass(frozen=True)
class ValueView:
    """One SV6D value."""

    attribute: str
    value: str
    places: str


@dataclass(frozen=True)
class LabelView:
    """One label."""

    label_id: str
    kind: LabelKind
    task: str
    title: str
    answer: str
    """Letter and text of the right option; empty where there is none."""
    time: str
    places: str
    bands: tuple[tuple[float, float], ...]
    options: tuple[tuple[str, str, bool], ...]
    """Letter, text, whether it is the right one."""
    steps: tuple[StepView, ...]
    dimensions: tuple[tuple[str, tuple[ValueView, ...]], ...]
    evidence: tuple[EvidenceView, ...]
    outcome: str
    """The outcome among its checks that matters most."""
    counts: tuple[tuple[str, int], ...]
    """How often each outcome occurs, those that occur."""
    origin: str


def label_view(kept: VerifiedLabel, scale: Scale) -> LabelView:
    """The label in words; times are relative to the clip, whose scale it is shown on."""
    label, qa = kept.label, kept.label.qa
    checks = {check.evidence_index: check for check in kept.checks}
    evidence = tuple(_evidence(index, item, checks.get(index), scale) for index, item in enumerate(label.evidence))
    found = [item.outcome for item in evidence]
    spans = [item.span for item in label.evidence]
    letters = [chr(ord("A") + index) for index in range(len(qa.options))] if qa else []
    return LabelView(
        label_id=label.label_id,
        kind=label.kind,
        task=qa.task if qa else "",
        title=_title(label),
        answer=f"{qa.answer_letter}  {qa.answer}" if qa else "",
        time=scale.text(label.span),
        places=scale.places(spans),
        bands=tuple(sorted({scale.band(span) for span in spans})),
        options=tuple((letters[i], text, i == qa.answer_index) for i, text in enumerate(qa.options)) if qa else (),
        steps=tuple(_step(step, label.evidence, scale) for step in qa.reasoning) if qa else (),
        dimensions=_dimensions(label, scale),
        evidence=evidence,
        outcome=next(outcome for outcome in _OUTCOMES if outcome in found),
        counts=tuple((outcome, found.count(outcome)) for outcome in reversed(_OUTCOMES) if outcome in found),
        origin=origin_text(label.provenance),
    )


def origin_text(origin: Provenance) -> str:
    """Who made a label, in one line."""
    words = [f"{origin.annotator} {origin.annotator_version}"]
    if origin.model != "none":
        words.append(" ".join(part for part in (origin.model, origin.model_revision) if part))
        words.append(f"prompt {origin.prompt_name} {origin.prompt_sha256[:8]}".rstrip())
        words += [f"temperature {origin.temperature:g}"] if origin.temperature is not None else []
        words.append(f"{wording.grouped(origin.input_tokens + origin.output_tokens)} tokens")
        words.append(wording.money(origin.cost_usd))
    return " · ".join(words)


def _title(label: Label) -> str:
    if label.qa:
        return label.qa.question
    if label.caption:
        return label.caption.text
    dimensions = dict.fromkeys(value.dimension for value in label.sv6d.values) if label.sv6d else {}
    return ", ".join(dimensions).capitalize()


def _evidence(index: int, evidence: Evidence, check: EvidenceCheck | None, scale: Scale) -> EvidenceView:
    return EvidenceView(
        number=index + 1,
        modality=evidence.modality,
        observation=evidence.observation,
        source=evidence.source,
        time=scale.text(evidence.span),
        places=scale.places([evidence.span]),
        claim=_claim(evidence.claim),
        measured=_measured(check) if check else wording.NONE,
        threshold=wording.figure(check.threshold) if check else wording.NONE,
        outcome=check.outcome if check else "unchecked",
        reason=check.reason if check else "No check was made.",
    )


def _measured(check: EvidenceCheck) -> str:
    number = wording.figure(check.measured)
    if check.measured_text is None:
        return number
    return wording.term(check.measured_text) + (f" ({number})" if check.measured is not None else "")


def _claim(claim: Claim | None) -> str:
    if claim is None:
        return wording.NONE
    values = [claim.text, None if claim.value is None else wording.figure(claim.value)]
    stated = ", ".join(value for value in values if value is not None)
    return wording.term(claim.quantity) + (f": {wording.term(stated)}" if stated else "")


def _step(step: ReasoningStep, evidence: Sequence[Evidence], scale: Scale) -> StepView:
    return StepView(
        role=step.role,
        text=step.text,
        time=scale.text(step.span),
        places=scale.places([step.span, *(evidence[index].span for index in step.evidence)]),
        cites=", ".join(str(index + 1) for index in step.evidence),
    )


def _dimensions(label: Label, scale: Scale) -> tuple[tuple[str, tuple[ValueView, ...]], ...]:
    groups: dict[str, list[ValueView]] = {}
    for value in label.sv6d.values if label.sv6d else ():
        places = scale.places(label.evidence[index].span for index in value.evidence)
        view = ValueView(wording.term(value.attribute), wording.term(value.value), places)
        groups.setdefault(value.dimension, []).append(view)
    return tuple((dimension, tuple(values)) for dimension, values in groups.items())


def grouped_by_kind(labels: Sequence[LabelView]) -> Mapping[str, Sequence[LabelView]]:
    """Labels by the heading they are shown under; headings without a label are left out."""
    headings: tuple[tuple[str, LabelKind], ...] = (
        ("Questions", "qa"),
        ("Structure (SV6D)", "sv6d"),
        ("Captions", "caption"),
    )
    grouped = {heading: [label for label in labels if label.kind == kind] for heading, kind in headings}
    return {heading: members for heading, members in grouped.items() if members}
