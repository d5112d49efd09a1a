"""What people decided about labels, which wins over every judge, and what became of a label at all.

Here: the records, and how a label is known again. Not here: reading decisions from files (`jobs.review_file`), or their
place in the grid (`pipeline.reviews`).
"""

import hashlib
from typing import Literal

from pydantic import Field

from schemas.base import Record
from schemas.evidence import EvidenceCheck
from schemas.label import REVIEW_RULE, Label, QuestionClass, Route, VerifiedLabel
from schemas.verdict import Verdict

LabelOutcome = Literal["kept", "rejected", "failed", "pending"]
"""`pending`: not every judge has seen it yet."""


class ReviewDecision(Record):
    """One person's decision about one label."""

    label_id: str = Field(min_length=1)
    clip_id: str = Field(min_length=1)
    decision: Literal["accept", "reject"]
    reviewer: str = ""
    """Who decided, as they call themselves."""
    note: str = ""
    """Why, in their words."""
    made: str = ""
    """Version of the label as its annotators left it (`label_version`): the decision stands while that is the same.
    Empty: whatever the label says."""
    seen: VerifiedLabel | None = None
    """The label as the person saw it, with the verdicts so far, those of judges that are overruled among them; None
    where no judge had come to a verdict."""


class LabelFate(Record):
    """What became of a label at the judges."""

    label: Label
    """In its latest state: judges trim and better labels."""
    made: str
    """Version of the label as its annotators left it."""
    outcome: LabelOutcome
    step: str
    """The judge that turned it down or failed, or the last that saw it; its annotator where none did."""
    checks: tuple[EvidenceCheck, ...] = ()
    """Empty also where the label was turned down for its evidence."""
    verdicts: tuple[Verdict, ...] = ()
    """In order; the one that turned it down comes last."""
    failure: str = ""
    """Kind and message, of a label that failed."""
    question_class: QuestionClass | None = None
    route: Route | None = None
    preferred_over: str | None = None

    @property
    def verified(self) -> VerifiedLabel | None:
        """The label with all verdicts that judges came to, a person's left out; None where there are none."""
        verdicts = tuple(verdict for verdict in self.verdicts if verdict.rule != REVIEW_RULE)
        if not verdicts:
            return None
        return VerifiedLabel(
            label=self.label, checks=self.checks, verdicts=verdicts, question_class=self.question_class,
            route=self.route, preferred_over=self.preferred_over,
        )  # fmt: skip


def label_version(label: Label) -> str:
    """What tells whether a label still says the same: 16 hexadecimal digits over its words, options and spans.

    Who made it and what it rests on is left out: a decision is about what is said.
    """
    said = label.model_dump_json(exclude={"evidence", "provenance", "revisions"})
    return hashlib.sha256(said.encode()).hexdigest()[:16]
