"""Everything that a label says in words and that can be measured, held against the signals.

Here: `check_words`. Not here: splitting (`stages.spoken.statements`), reading (`stages.spoken.claims`, `answer_claims`,
`value_claims`), or what follows for the label (`stages.evidence.check`).
"""

from collections.abc import Iterable, Iterator

from schemas.evidence import EvidenceCheck
from schemas.label import Label
from schemas.statement import Statement
from stages.evidence.measurements import Finding, Measurements
from stages.spoken.answers import answer_findings
from stages.spoken.checks import check_spoken
from stages.spoken.claims import spoken_claims
from stages.spoken.statements import ANSWER, statements, value_place
from stages.spoken.values import value_finding

MAX_STATEMENTS = 400
"""Ours: statements of one label beyond so many are not read."""
MAX_SHOWN_CHARS = 300
"""Ours: how much of a statement a check repeats."""


def check_words(label: Label, measurements: Measurements) -> tuple[EvidenceCheck, ...]:
    """One check for each thing in the label's words that the signals confirm or contradict.

    What they leave open has none. Asks for a label whose spans lie in the clip.
    """
    found: list[EvidenceCheck] = []
    for statement in statements(label)[:MAX_STATEMENTS]:
        found += _decided(statement, _findings(label, statement, measurements))
    return tuple(found)


def _findings(label: Label, statement: Statement, measurements: Measurements) -> Iterator[Finding]:
    asked = label.qa or label.trace
    if statement.place == ANSWER and asked:
        yield from answer_findings(asked, label.span, measurements)
    for value in label.sv6d.values if label.sv6d else ():
        if value_place(value) == statement.place and value.evidence == statement.evidence:
            finding = value_finding(value, label.span, measurements)
            if finding:
                yield finding
    for spoken in spoken_claims(statement, measurements.clip_span):
        yield check_spoken(spoken, measurements)


def _decided(statement: Statement, findings: Iterable[Finding]) -> Iterator[EvidenceCheck]:
    said = f"{statement.place}: {statement.text}"
    shown = said if len(said) <= MAX_SHOWN_CHARS else f"{said[: MAX_SHOWN_CHARS - 1]}…"
    for finding in findings:
        if finding.outcome != "unchecked":
            yield EvidenceCheck(
                statement=shown,
                outcome=finding.outcome,
                measured=finding.measured,
                measured_text=finding.measured_text,
                threshold=finding.threshold,
                reason=finding.reason,
            )
