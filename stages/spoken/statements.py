"""A label's words as single statements, each of which can be true or false by itself.

Here: `statements`. Not here: which of them can be measured (`stages.spoken.claims`), or who judges the others.
"""

from collections.abc import Iterator

from schemas.label import Label, QAItem, SV6DValue, ToolTrace
from schemas.statement import Statement
from schemas.time import Span
from stages.spoken.sentences import sentences

ANSWER = "answer"
"""Where a question and its right answer stand."""


def statements(label: Label) -> tuple[Statement, ...]:
    """Everything that the label says in words, in its order.

    Captions, reasoning steps, checklist items and queries are split into sentences; a question is one statement with
    its right answer, and so is each SV6D value. Wrong options say nothing. Thoughts of a tool trace are plans and stay
    out; its question does not.
    """
    return tuple(_all(label))


def value_text(value: SV6DValue) -> str:
    """An SV6D value in words: `camera motion: pan left`."""
    said = " ".join(value.value.replace("_", " ").split())
    return f"{value.dimension} {value.attribute}: {said}".replace("_", " ")


def value_place(value: SV6DValue) -> str:
    """Where an SV6D value stands."""
    return f"sv6d {value.dimension}/{value.attribute}"


def _all(label: Label) -> Iterator[Statement]:
    everything = tuple(range(len(label.evidence)))
    if label.caption:
        yield from _split(label.caption.text, "caption", label.span, everything)
    if label.qa:
        yield _answered(label.qa, label.span, everything)
        for number, step in enumerate(label.qa.reasoning, 1):
            yield from _split(step.text, f"reasoning step {number}", step.span, step.evidence, step.frame_pts)
    if label.trace:
        yield _answered(label.trace, label.span, everything)
    for value in label.sv6d.values if label.sv6d else ():
        yield Statement(text=value_text(value), place=value_place(value), span=label.span, evidence=value.evidence)
    for number, item in enumerate(label.checklist.items if label.checklist else (), 1):
        yield from _split(item.text, f"checklist item {number}", label.span, item.evidence)
    if label.moments:
        for number, moment in enumerate(label.moments.moments, 1):
            yield from _split(label.moments.query, f"moment {number}", moment.span, moment.evidence)


def _split(
    text: str, place: str, span: Span, evidence: tuple[int, ...], frame_pts: int | None = None
) -> Iterator[Statement]:
    for sentence in sentences(text):
        yield Statement(text=sentence, place=place, span=span, evidence=evidence, frame_pts=frame_pts)


def _answered(asked: QAItem | ToolTrace, span: Span, evidence: tuple[int, ...]) -> Statement:
    question, answer = (" ".join(text.split()) for text in (asked.question, asked.options[asked.answer_index]))
    return Statement(text=f"Question: {question} Answer: {answer}", place=ANSWER, span=span, evidence=evidence)
