"""Dense questions on what is written on the screen: what, when, in which order and where.

Here: the request, the answer's form, and reading it. Not here: the words of the prompt (`prompts/dense_text.j2`), the
texts (`annotators.screen_texts`), or whether an answer fits them (`annotators.dense_text_rules`).

After DIVE: dense questions from timed on-screen text. That a model only words the questions, while evidence and all
that an answer may say come from the text that was read, is ours, as are the four tasks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from pydantic import Field

from annotators.annotator import Abstention, Annotator, Reading, Request
from annotators.answers import Answer
from annotators.dense_text_rules import Cited, answered_readings, problem_with, tasks_for
from annotators.facts import measured_facts
from annotators.measured import observations
from annotators.measured.facts import ClipFacts
from annotators.pictures import pictures
from annotators.screen_texts import MAX_TEXTS, ScreenText, screen_texts
from annotators.subject import ClipSubject, UnsoundError, sound_text
from schemas.asking import DenseTextConfig
from schemas.config import MeasuredConfig
from schemas.label import Label, QAItem
from schemas.provenance import Provenance

MAX_QUESTION_CHARS = 400
"""Longest question. Ours."""
MAX_ANSWER_CHARS = 400
"""Longest answer. Ours."""
MAX_TIMES = 8
"""Readings of one text whose times a model is told. Ours."""


class ItemAnswer(Answer):
    """One question."""

    task: str = Field(description="name of the task, as listed")
    texts: list[int] = Field(
        description="numbers of the listed texts that the question and its answer rest on", max_length=MAX_TEXTS
    )
    question: str
    answer: str


class DenseTextAnswer(Answer):
    """What a model asks about the text on a clip's screen."""

    items: list[ItemAnswer] = Field(max_length=24)


def request(subject: ClipSubject, config: DenseTextConfig) -> Request | Abstention:
    """The clip's pictures, its other facts, and its texts by number."""
    if not subject.description.text_is_measured:
        return Abstention("text was not looked for")
    if not subject.description.text:
        return Abstention("no text was found on the screen")
    texts = _texts(subject)
    if not texts:
        return Abstention("no text on the screen was surely read")
    # The texts are listed by number: told among the facts too, they would cost twice.
    description = subject.description.model_copy(update={"text": (), "text_is_measured": False})
    return Request(
        values={
            "duration_s": subject.duration_s,
            "texts": [_told(subject, number, text) for number, text in enumerate(texts, 1)],
            "tasks": tasks_for(texts),
            "max_items": config.items_per_clip,
        },
        pictures=pictures(subject, config),
        facts=measured_facts(replace(subject, description=description)) if config.facts else (),
    )


def read(subject: ClipSubject, answer: DenseTextAnswer, config: DenseTextConfig, provenance: Provenance) -> Reading:
    """One label a question that can stand."""
    labels: list[Label] = []
    problems: list[str] = []
    if len(answer.items) > config.items_per_clip:
        problems.append(f"{len(answer.items)} items; {config.items_per_clip} are the most")
    texts = _texts(subject)
    asked: set[str] = set()
    for number, item in enumerate(answer.items[: config.items_per_clip], 1):
        try:
            label = _label(subject, item, texts, f"item {number}", provenance)
        except UnsoundError as error:
            problems.append(str(error))
            continue
        question = label.qa.question.casefold() if label.qa else ""
        if question in asked:
            problems.append(f"item {number} asks an earlier question again")
            continue
        asked.add(question)
        labels.append(label)
    return Reading(tuple(labels), tuple(problems))


def _texts(subject: ClipSubject) -> tuple[ScreenText, ...]:
    return screen_texts(_facts(subject))


def _facts(subject: ClipSubject) -> ClipFacts:
    return ClipFacts(subject.description, MeasuredConfig())


def _told(subject: ClipSubject, number: int, text: ScreenText) -> dict[str, Any]:
    """A text as the template is given it."""
    places = (text.height, text.side) if text.height else ()
    times = [subject.seconds(reading.pts) for reading in text.readings[:MAX_TIMES]]
    return {"number": number, "text": text.text, "times_s": times, "place": " ".join(filter(None, places))}


def _label(
    subject: ClipSubject, item: ItemAnswer, texts: Sequence[ScreenText], who: str, provenance: Provenance
) -> Label:
    """The label of one item. Raises UnsoundError where it cannot stand."""
    cited = Cited(*_task_and_texts(item, texts, who), subject)
    question = sound_text(item.question, f"the question of {who}", MAX_QUESTION_CHARS)
    answer = sound_text(item.answer, f"the answer of {who}", MAX_ANSWER_CHARS)
    if problem := problem_with(cited, question, answer):
        raise UnsoundError(f"{who}: {problem}")
    facts = _facts(subject)
    readings = answered_readings(cited, answer)
    evidence = tuple(observations.text_seen(facts, reading) for reading in readings)
    start_pts = min(piece.span.start_pts for piece in evidence)
    span = subject.clip.span.replace(start_pts=start_pts, end_pts=max(piece.span.end_pts for piece in evidence))
    return Label(
        label_id="", clip_id=subject.clip.clip_id, kind="qa", span=span, evidence=evidence, provenance=provenance,
        qa=QAItem(task=cited.task, question=question, options=(answer,), answer_index=0),
    )  # fmt: skip


def _task_and_texts(
    item: ItemAnswer, texts: Sequence[ScreenText], who: str
) -> tuple[str, tuple[tuple[int, ScreenText], ...]]:
    """The task and the numbered texts that an item names. Raises UnsoundError where there are none such."""
    task = "_".join(item.task.casefold().replace("-", " ").replace("_", " ").split())
    offered = tasks_for(texts)
    if task not in offered:
        raise UnsoundError(f"the task of {who} is not one of {', '.join(offered) or 'none'}")
    missing = sorted({number for number in item.texts if not 1 <= number <= len(texts)})
    if missing:
        raise UnsoundError(f"{who} names text {', '.join(map(str, missing))}, but {len(texts)} are listed")
    return task, tuple(_numbered(item.texts, texts))


def _numbered(numbers: Sequence[int], texts: Sequence[ScreenText]) -> Iterator[tuple[int, ScreenText]]:
    for number in sorted(set(numbers)):
        yield number, texts[number - 1]


ANNOTATOR = Annotator(
    name="dense_text",
    version="1",
    unit="clip",
    kind="qa",
    answer=DenseTextAnswer,
    request=request,
    read=read,
    most=lambda config: {"items": config.items_per_clip},
)
