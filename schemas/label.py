"""Labels: claims about a clip, each with evidence and provenance.

Here: `Label` with its three kinds. Not here: the taxonomies their values come from (`schemas.taxonomy`).
"""

from typing import Literal, Self

from pydantic import Field, model_validator

from schemas.base import Record
from schemas.evidence import Evidence, EvidenceCheck
from schemas.provenance import Provenance
from schemas.time import Span
from schemas.verdict import Verdict

LabelKind = Literal["caption", "qa", "sv6d"]

ReasoningRole = Literal["observe", "locate", "relate", "infer", "conclude"]


class Caption(Record):
    """A description of the clip or of a stretch of it."""

    text: str


class ReasoningStep(Record):
    """One step from what is seen to the answer."""

    role: ReasoningRole
    text: str
    span: Span
    evidence: tuple[int, ...] = Field(min_length=1)
    """Positions in the label's evidence that this step rests on."""


class QAItem(Record):
    """A multiple-choice question with one right option."""

    task: str
    """Name of the task in the task list (`schemas/taxonomies/qa_tasks.yaml`)."""
    question: str
    options: tuple[str, ...] = Field(min_length=2)
    answer_index: int = Field(ge=0)
    reasoning: tuple[ReasoningStep, ...]

    @model_validator(mode="after")
    def _has_one_right_option(self) -> Self:
        if self.answer_index >= len(self.options):
            raise ValueError(f"answer {self.answer_index} of {len(self.options)} options")
        folded = [" ".join(option.split()).casefold() for option in self.options]
        if len(set(folded)) < len(folded):
            raise ValueError(f"options repeat: {self.options}")
        return self

    @property
    def answer(self) -> str:
        """Text of the right option."""
        return self.options[self.answer_index]

    @property
    def answer_letter(self) -> str:
        """Letter of the right option, A for the first."""
        return chr(ord("A") + self.answer_index)


class SV6DValue(Record):
    """One attribute of a segment in one of the six dimensions."""

    dimension: str
    """`subject`, `aesthetics`, `camera`, `editing`, `narrative` or `dissemination`."""
    attribute: str
    """Name within the dimension, from the taxonomy."""
    value: str
    """Value from the taxonomy, or free text where the taxonomy leaves the attribute open."""
    evidence: tuple[int, ...] = Field(min_length=1)
    """Positions in the label's evidence."""


class SV6DSegment(Record):
    """Structural labels of one stretch of a clip (after Leum-VL's SV6D)."""

    values: tuple[SV6DValue, ...] = Field(min_length=1)


class Label(Record):
    """A claim about a clip: exactly one of a caption, a QA item or an SV6D segment."""

    label_id: str
    """`<clip_id>-<annotator>-<number>`."""
    clip_id: str
    kind: LabelKind
    span: Span
    """What the label speaks of, on the source's timeline."""
    caption: Caption | None = None
    qa: QAItem | None = None
    sv6d: SV6DSegment | None = None
    evidence: tuple[Evidence, ...] = Field(min_length=1)
    provenance: Provenance

    @model_validator(mode="after")
    def _is_of_its_kind(self) -> Self:
        present = [kind for kind in ("caption", "qa", "sv6d") if getattr(self, kind) is not None]
        if present != [self.kind]:
            raise ValueError(f"a label of kind {self.kind!r} must have exactly that part, and has {present}")
        return self

    @model_validator(mode="after")
    def _cites_evidence_it_has(self) -> Self:
        cited = [index for step in self.qa.reasoning for index in step.evidence] if self.qa else []
        cited += [index for value in self.sv6d.values for index in value.evidence] if self.sv6d else []
        wrong = [index for index in cited if not 0 <= index < len(self.evidence)]
        if wrong:
            raise ValueError(f"evidence {wrong} cited, but the label has {len(self.evidence)}")
        return self


class ClipLabels(Record):
    """What one annotator said of one clip."""

    clip_id: str
    labels: tuple[Label, ...]
    abstentions: tuple[str, ...] = ()
    """Tasks for which the annotator had nothing it could prove, with the reason."""


class VerifiedLabel(Record):
    """A label that a judge kept, with every check that was made."""

    label: Label
    checks: tuple[EvidenceCheck, ...]
    verdict: Verdict
