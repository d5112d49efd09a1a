"""Labels: claims about a clip, each with evidence and provenance.

Here: `Label` with its kinds. Not here: the taxonomies their values come from (`schemas.taxonomy`).
"""

from typing import Any, Literal, Self, get_args

from pydantic import Field, model_validator

from schemas.base import Record
from schemas.evidence import Evidence, EvidenceCheck
from schemas.provenance import Provenance
from schemas.time import Span
from schemas.verdict import Verdict

LabelKind = Literal["caption", "qa", "sv6d", "checklist", "moments", "trace"]

REVIEW_RULE = "review"
"""Rule of a verdict that a person gave."""

ReasoningRole = Literal["observe", "locate", "relate", "infer", "conclude"]


class Box(Record):
    """A place in the picture: axis-aligned, shares of width and height, origin top left."""

    left: float = Field(ge=0, le=1)
    top: float = Field(ge=0, le=1)
    right: float = Field(ge=0, le=1)
    bottom: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _has_an_inside(self) -> Self:
        if self.right <= self.left or self.bottom <= self.top:
            raise ValueError(f"a box ends right of and below where it starts, not {self!r}")
        return self


class Caption(Record):
    """A description of the clip or of a stretch of it: the label's span."""

    text: str
    level: Literal["clip", "event", "transition"] = "clip"
    """What it describes: the whole clip, one event in it, or what changes from one shot to the next."""


class ReasoningStep(Record):
    """One step from what is seen to the answer."""

    role: ReasoningRole
    text: str
    span: Span
    evidence: tuple[int, ...] = Field(min_length=1)
    """Positions in the label's evidence that this step rests on."""
    frame_pts: int | None = None
    """The frame that it rests on, on the source's timeline; None where it rests on no single one."""
    box: Box | None = None
    """Where on that frame to look; None where the whole picture is meant."""


class QAItem(Record):
    """A question with one right option; an open-ended one has that option alone."""

    task: str
    """Name of the task in the task list (`schemas/taxonomies/qa_tasks.yaml`)."""
    question: str
    options: tuple[str, ...] = Field(min_length=1)
    answer_index: int = Field(ge=0)
    reasoning: tuple[ReasoningStep, ...] = ()

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


class ChecklistItem(Record):
    """One thing that a good answer to a checklist's prompt says or shows; a judge marks it good, medium or poor."""

    text: str
    evidence: tuple[int, ...] = Field(min_length=1)
    """Positions in the label's evidence."""


class Checklist(Record):
    """A task with what its answer is marked by (after RULER-Bench)."""

    task: str
    """Name of the task in the task list."""
    prompt: str
    """What whoever is judged is asked to do."""
    items: tuple[ChecklistItem, ...] = Field(min_length=1)


class Moment(Record):
    """A stretch that answers a query."""

    span: Span
    saliency: float = Field(ge=0, le=1)
    """How well it does, 1 best."""
    evidence: tuple[int, ...] = Field(min_length=1)
    """Positions in the label's evidence."""


class KeyMoments(Record):
    """A query with every moment of the clip that answers it (after PeakClips and QVHighlights)."""

    query: str
    moments: tuple[Moment, ...] = Field(min_length=1)


ToolName = Literal["overview", "fetch_frame", "zoom_in", "answer"]


class ToolTurn(Record):
    """One turn of a tool trace: what is thought, what is called, and the frames that come back."""

    thought: str
    tool: ToolName
    """`overview`: frames over the whole clip; `zoom_in`: more frames of a span; `fetch_frame`: one frame; `answer`."""
    span: Span
    """Where the tool looks."""
    frames_pts: tuple[int, ...]
    """Frames that the tool returns; empty for `answer`."""
    evidence: tuple[int, ...] = Field(min_length=1)
    """Positions in the label's evidence."""


class ToolTrace(Record):
    """How somebody with tools for looking comes to the answer of a question (after VideoThinker, FrameThinker)."""

    question: str
    options: tuple[str, ...] = Field(min_length=1)
    answer_index: int = Field(ge=0)
    turns: tuple[ToolTurn, ...] = Field(min_length=2)
    """In order; the last one answers, and no other does."""

    @model_validator(mode="after")
    def _ends_with_its_answer(self) -> Self:
        if self.answer_index >= len(self.options):
            raise ValueError(f"answer {self.answer_index} of {len(self.options)} options")
        if [turn.tool == "answer" for turn in self.turns] != [False] * (len(self.turns) - 1) + [True]:
            raise ValueError("the last turn, and only the last, answers")
        return self


class Label(Record):
    """A claim about a clip: exactly one of the parts that its kind names."""

    label_id: str
    """`<clip_id>-<annotator>-<number>`; who revises a label leaves it."""
    clip_id: str
    kind: LabelKind
    span: Span
    """What the label speaks of, on the source's timeline."""
    caption: Caption | None = None
    qa: QAItem | None = None
    sv6d: SV6DSegment | None = None
    checklist: Checklist | None = None
    moments: KeyMoments | None = None
    trace: ToolTrace | None = None
    evidence: tuple[Evidence, ...] = Field(min_length=1)
    provenance: Provenance
    """Who made it."""
    revisions: tuple[Provenance, ...] = ()
    """Who changed it since, in order: gave names, wrote wrong options, reasoned."""

    @model_validator(mode="after")
    def _is_of_its_kind(self) -> Self:
        present = [kind for kind in get_args(LabelKind) if getattr(self, kind) is not None]
        if present != [self.kind]:
            raise ValueError(f"a label of kind {self.kind!r} must have exactly that part, and has {present}")
        return self

    @model_validator(mode="after")
    def _cites_evidence_it_has(self) -> Self:
        wrong = [index for part in self.citing for index in part.evidence if not 0 <= index < len(self.evidence)]
        if wrong:
            raise ValueError(f"evidence {wrong} cited, but the label has {len(self.evidence)}")
        return self

    @property
    def citing(self) -> "tuple[ReasoningStep | SV6DValue | ChecklistItem | Moment | ToolTurn, ...]":
        """The parts of the label that cite evidence."""
        steps = self.qa.reasoning if self.qa else ()
        values = self.sv6d.values if self.sv6d else ()
        items = self.checklist.items if self.checklist else ()
        moments = self.moments.moments if self.moments else ()
        turns = self.trace.turns if self.trace else ()
        return (*steps, *values, *items, *moments, *turns)

    @property
    def spans(self) -> tuple[tuple[str, Span], ...]:
        """Every span that the label itself names, with what it is called; evidence apart."""
        named = [("the label's span", self.span)]
        named += [(f"reasoning step {n}", step.span) for n, step in enumerate(self.qa.reasoning if self.qa else (), 1)]
        named += [(f"moment {n}", m.span) for n, m in enumerate(self.moments.moments if self.moments else (), 1)]
        named += [(f"turn {n}", turn.span) for n, turn in enumerate(self.trace.turns if self.trace else (), 1)]
        return tuple(named)

    @property
    def frames_pts(self) -> tuple[int, ...]:
        """Every frame that the label names, on the source's timeline."""
        steps = self.qa.reasoning if self.qa else ()
        turns = self.trace.turns if self.trace else ()
        of_steps = [step.frame_pts for step in steps if step.frame_pts is not None]
        return (*of_steps, *(pts for turn in turns for pts in turn.frames_pts))


class ClipLabels(Record):
    """What one annotator said of one unit: a clip, a label, or a slice's clips."""

    clip_id: str
    """The clip, or the slice where the unit is a slice; each label has its own clip's id."""
    labels: tuple[Label, ...]
    """New labels, and revised ones with the id they had."""
    abstentions: tuple[str, ...] = ()
    """Tasks for which the annotator had nothing it could prove or ask, with the reason."""
    invalid: tuple[str, ...] = ()
    """Parts of the model's answer that were left out even after it was asked to repair them, with the reason."""


QuestionClass = Literal["llm_answerable", "semantic", "temporal", "others"]
"""What a question needs (VBenchComp's classes): no video, frames in any order, frames in order, or none of these."""

Route = Literal["sft", "grpo", "dpo"]
"""The training set that a label suits (after ReAgent-V)."""


class VerifiedLabel(Record):
    """A label that the judges so far kept, with every check and verdict that was made."""

    label: Label
    checks: tuple[EvidenceCheck, ...]
    verdicts: tuple[Verdict, ...] = Field(min_length=1)
    """In the order of the judges; a person's comes last, and wins."""
    question_class: QuestionClass | None = None
    """Of a question that was classified."""
    route: Route | None = None
    """Where a critic saw the label."""
    preferred_over: str | None = None
    """Of the route `dpo`: what the label said before the critic's reflection bettered it, as JSON."""

    @property
    def is_reviewed(self) -> bool:
        """Whether a person decided: no judge is asked any more."""
        return self.verdicts[-1].rule == REVIEW_RULE

    def judged(self, verdict: Verdict, **changes: Any) -> "VerifiedLabel":
        """The label with one more verdict, and whatever else the judge changes."""
        return self.replace(verdicts=(*self.verdicts, verdict), **changes)
