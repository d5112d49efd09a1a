"""Checks as the report shows them: of a piece of evidence, and of what a label says in its own words.

Here: plain values for the templates. Not here: their look (`templates/label.html.j2`), or any checking.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from data_cards import wording
from data_cards.scale import Scale
from schemas.evidence import Claim, Evidence, EvidenceCheck
from schemas.label import VerifiedLabel
from schemas.review import LabelFate


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
    """Empty where the checks of a label that was turned down are not kept."""
    reason: str


@dataclass(frozen=True)
class StatementView:
    """One check of something that the label says in its own words."""

    place: str
    """Where the label says it: `caption`, `answer`."""
    text: str
    measured: str
    threshold: str
    outcome: str
    reason: str


def evidence_views(judged: VerifiedLabel | LabelFate, scale: Scale) -> tuple[EvidenceView, ...]:
    """Every piece of evidence with its check."""
    checks = {check.evidence_index: check for check in judged.checks if check.evidence_index is not None}
    return tuple(
        _evidence(index, item, checks.get(index), scale, is_checked=bool(checks))
        for index, item in enumerate(judged.label.evidence)
    )


def statement_views(judged: VerifiedLabel | LabelFate) -> tuple[StatementView, ...]:
    """Every check of a statement, in the order of the label's words."""
    return tuple(_statements(judged))


def _statements(judged: VerifiedLabel | LabelFate) -> Iterator[StatementView]:
    for check in judged.checks:
        if check.statement is not None:
            place, _, text = check.statement.partition(": ")
            yield StatementView(
                place=wording.term(place) if text else "",
                text=text or check.statement,
                measured=_measured(check),
                threshold=wording.figure(check.threshold),
                outcome=check.outcome,
                reason=check.reason,
            )


def _evidence(
    index: int, evidence: Evidence, check: EvidenceCheck | None, scale: Scale, *, is_checked: bool
) -> EvidenceView:
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
        outcome=check.outcome if check else "unchecked" if is_checked else "",
        reason=check.reason if check else "No check was made." if is_checked else "",
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
