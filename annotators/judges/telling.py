"""What a label says, in lines that a judge is told: its kind, its time, its words.

Here: wording. Not here: fencing it as data, which the prompts do with the filter `data`, or single statements
(`annotators.judges.veracity`).
"""

from collections.abc import Iterator, Sequence

from annotators.facts import stretch
from annotators.subject import ClipSubject
from schemas.label import Checklist, KeyMoments, Label, QAItem, SV6DSegment, ToolTrace

KIND_WORDS = {
    "caption": "a caption",
    "qa": "a question with its right answer",
    "sv6d": "a segment with values in dimensions of film grammar",
    "checklist": "a task with the points that answers are marked by",
    "moments": "a query with the moments that answer it",
    "trace": "the way of somebody with tools for looking to the answer of a question",
}
"""Kinds of labels, as a judge is told of them."""


def label_told(subject: ClipSubject, label: Label) -> str:
    """Everything that a label says, one thing a line; times are seconds from the clip's start."""
    return "\n".join(" ".join(line.split()) for line in _lines(subject, label))


def _lines(subject: ClipSubject, label: Label) -> Iterator[str]:
    if label.caption:
        yield label.caption.text
    if label.qa:
        yield from _asked(label.qa.question, label.qa.options, label.qa.answer_index)
        yield from _steps(subject, label.qa)
    if label.sv6d:
        yield from _values(label.sv6d)
    if label.checklist:
        yield from _points(label.checklist)
    if label.moments:
        yield from _moments(subject, label.moments)
    if label.trace:
        yield from _turns(subject, label.trace)


def _asked(question: str, options: Sequence[str], answer_index: int) -> Iterator[str]:
    yield f"Question: {question}"
    if len(options) > 1:
        yield from (f"Option ({chr(ord('A') + index)}): {option}" for index, option in enumerate(options))
        yield f"Right option: ({chr(ord('A') + answer_index)})"
    else:
        yield f"Answer: {options[answer_index]}"


def _steps(subject: ClipSubject, item: QAItem) -> Iterator[str]:
    for number, step in enumerate(item.reasoning, 1):
        yield f"Reasoning step {number} ({step.role}, {stretch(subject, step.span)}): {step.text}"


def _values(segment: SV6DSegment) -> Iterator[str]:
    for value in segment.values:
        yield f"{value.dimension}.{value.attribute}: {value.value}"


def _points(checklist: Checklist) -> Iterator[str]:
    yield f"Task: {checklist.prompt}"
    for number, item in enumerate(checklist.items, 1):
        yield f"Point {number}: {item.text}"


def _moments(subject: ClipSubject, moments: KeyMoments) -> Iterator[str]:
    yield f"Query: {moments.query}"
    for number, moment in enumerate(moments.moments, 1):
        yield f"Moment {number}: {stretch(subject, moment.span)}, saliency {moment.saliency:g} of 1"


def _turns(subject: ClipSubject, trace: ToolTrace) -> Iterator[str]:
    yield from _asked(trace.question, trace.options, trace.answer_index)
    for number, turn in enumerate(trace.turns, 1):
        yield f"Turn {number} ({turn.tool}, {stretch(subject, turn.span)}): {turn.thought}"
