"""What a critic is asked and what it says: five axes and importance, read into a score.

Here: the axes, the request, the answer's form, and reading it. Not here: what follows from a score
(`annotators.judges.critic`), bettering a label (`annotators.judges.reflection`).

The five axes, 0 to 5, and importance of 10 are ReAgent-V's. What each axis asks, which kinds of labels it applies to,
and that the score is the plain mean of the axes are ours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from pydantic import Field

from annotators.annotator import Request
from annotators.answers import Answer
from annotators.facts import measured_facts, stretch
from annotators.inquiry import InvalidAnswerError
from annotators.judges.hearing import SILENT, Answered, Round
from annotators.judges.telling import KIND_WORDS, label_told
from annotators.pictures import pictures
from annotators.subject import ClipSubject
from annotators.told import evidence_told
from schemas.asking import AskConfig
from schemas.label import Label
from schemas.verdict import Opinion

AXES: Mapping[str, str] = {
    "visual_alignment": "does what it says agree with what the frames and the facts show?",
    "temporal_accuracy": "are its times, its order of events and its lengths right?",
    "option_disambiguation": "is exactly one option right, and is each of the others plausible but wrong?",
    "reasoning_specificity": "does each step say something of this clip that leads on to the answer?",
    "linguistic_precision": "is it worded clearly, precisely and without empty phrases?",
}
"""What is marked, and what is asked there."""
IMPORTANCE = "importance"
MOST = 5.0
"""The best mark of an axis."""
MOST_IMPORTANCE = 10.0


class CriticAnswer(Answer):
    """What a critic says of a label."""

    visual_alignment_reason: str
    visual_alignment: float | None = Field(ge=0, le=MOST)
    temporal_accuracy_reason: str
    temporal_accuracy: float | None = Field(ge=0, le=MOST)
    option_disambiguation_reason: str
    option_disambiguation: float | None = Field(ge=0, le=MOST)
    reasoning_specificity_reason: str
    reasoning_specificity: float | None = Field(ge=0, le=MOST)
    linguistic_precision_reason: str
    linguistic_precision: float | None = Field(ge=0, le=MOST)
    importance_reason: str
    importance: float = Field(ge=0, le=MOST_IMPORTANCE)


@dataclass(frozen=True)
class Criticism:
    """What all critics together say."""

    scores: Mapping[str, float]
    """Mean of the axes by endpoint, 0 to 5."""
    importance: float
    """Mean of the critics, 0 to 10."""
    n_axes: int
    """Axes that somebody marked."""
    opinions: tuple[Opinion, ...]
    """One for each critic and axis, then its importance; then those whose answer is none."""

    @property
    def score(self) -> float:
        """Mean of the critics."""
        return fmean(self.scores.values())


def applying(label: Label) -> tuple[str, ...]:
    """The axes that a label can be marked on, in order."""
    asks = label.qa or label.trace
    without = {
        "option_disambiguation": asks is None or len(asks.options) < 2,
        "reasoning_specificity": not (label.trace or (label.qa and label.qa.reasoning)),
    }
    return tuple(axis for axis in AXES if not without.get(axis, False))


def critic_request(subject: ClipSubject, label: Label, config: AskConfig) -> Request:
    """The label in words, with pictures, facts and the axes that apply."""
    axes = applying(label)
    values = {
        "reflection": (),
        "criticism": "",
        "axes": [{"name": axis, "asks": AXES[axis]} for axis in axes],
        "inapplicable": [axis for axis in AXES if axis not in axes],
    }
    return request_about(subject, label, config, values)


def request_about(subject: ClipSubject, label: Label, config: AskConfig, values: Mapping[str, object]) -> Request:
    """A request that shows a label with its evidence, and the clip."""
    about = {
        "duration_s": subject.duration_s,
        "kind": KIND_WORDS[label.kind],
        "when": stretch(subject, label.span),
        "label": label_told(subject, label),
        "evidence": evidence_told(subject, label.evidence),
    }
    facts = measured_facts(subject) if config.facts else ()
    return Request(values={**about, **values}, pictures=pictures(subject, config), facts=facts)


def criticism_of(label: Label, heard: Round[CriticAnswer]) -> Criticism:
    """The critics' answers as scores. Raises InvalidAnswerError where none of them marks an axis that applies."""
    axes = applying(label)
    marking = {one.heard.endpoint: marks for one in heard.answered if (marks := _marks(one.heard.answer, axes))}
    if not marking:
        raise InvalidAnswerError(f"{' and '.join(heard.judges)} marked none of the axes {', '.join(axes)}")
    answers = [one.heard.answer for one in heard.answered if one.heard.endpoint in marking]
    return Criticism(
        scores={endpoint: fmean(marks.values()) for endpoint, marks in marking.items()},
        importance=fmean(answer.importance for answer in answers),
        n_axes=len({axis for marks in marking.values() for axis in marks}),
        opinions=(*(opinion for one in heard.answered for opinion in _opinions(one, axes)), *heard.silent),
    )


def _marks(answer: CriticAnswer, axes: Sequence[str]) -> dict[str, float]:
    """The marks of axes that apply; one that a critic leaves null does not count."""
    found = {axis: getattr(answer, axis) for axis in axes}
    return {axis: mark for axis, mark in found.items() if mark is not None}


def _opinions(one: Answered[CriticAnswer], axes: Sequence[str]) -> list[Opinion]:
    answer, model = one.heard.answer, one.heard.model
    said = [(axis, getattr(answer, axis), getattr(answer, f"{axis}_reason")) for axis in (*axes, IMPORTANCE)]
    return [
        Opinion(
            judge=model, about=about, outcome=SILENT if mark is None else "scored", score=mark,
            reason=" ".join(reason.split()),
        )
        for about, mark, reason in said
    ]  # fmt: skip
