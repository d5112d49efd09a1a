"""A question while it is being made: its options, its chain of reasoning and the evidence the chain rests on.

Here: `Draft`, `Abstention`, `Reasoning`, and how a draft becomes a `QAItem`. Not here: what is asked (`qa_*`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from annotators.measured.draw import Draw
from schemas.evidence import Evidence
from schemas.label import Label, QAItem, ReasoningRole, ReasoningStep
from schemas.provenance import Provenance
from schemas.time import Span


@dataclass(frozen=True)
class Abstention:
    """Why nothing was asked."""

    reason: str


class Reasoning:
    """Collects the steps of one chain; evidence cited twice is kept once."""

    def __init__(self) -> None:
        self._evidence: list[Evidence] = []
        self._steps: list[ReasoningStep] = []

    def step(self, role: ReasoningRole, text: str, span: Span, *seen: Evidence) -> None:
        """Adds a step over `span` that rests on `seen`."""
        cited = tuple(self._cite(evidence) for evidence in seen)
        self._steps.append(ReasoningStep(role=role, text=text, span=span, evidence=cited))

    def _cite(self, evidence: Evidence) -> int:
        if evidence not in self._evidence:
            self._evidence.append(evidence)
        return self._evidence.index(evidence)

    @property
    def steps(self) -> tuple[ReasoningStep, ...]:
        """The chain so far."""
        return tuple(self._steps)

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """What the chain cites, in order of first mention."""
        return tuple(self._evidence)


@dataclass(frozen=True)
class Draft:
    """One question with its right answer, apart from the wrong ones."""

    question: str
    answer: str
    distractors: tuple[str, ...]
    span: Span
    """What the question speaks of."""
    reasoning: Reasoning = field(repr=False)

    def item(self, task: str, draw: Draw) -> QAItem:
        """The item, with its options in an order that `draw` decides."""
        options = draw.shuffled((self.answer, *self.distractors))
        return QAItem(
            task=task,
            question=self.question,
            options=tuple(options),
            answer_index=options.index(self.answer),
            reasoning=self.reasoning.steps,
        )

    def label(self, clip_id: str, task: str, draw: Draw, provenance: Provenance) -> Label:
        """The item as a label without an id."""
        return Label(
            label_id="",
            clip_id=clip_id,
            kind="qa",
            span=self.span,
            qa=self.item(task, draw),
            evidence=self.reasoning.evidence,
            provenance=provenance,
        )


def numbered(labels: Iterable[Label], annotator: str) -> tuple[Label, ...]:
    """The labels of one clip with ids that follow from their order."""
    return tuple(
        label.replace(label_id=f"{label.clip_id}-{annotator}-{number:03d}") for number, label in enumerate(labels)
    )


Drafts = tuple[Draft, ...] | Abstention
"""What the maker of a task's questions returns."""
