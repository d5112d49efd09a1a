"""Questions with open answers, each of a task from the task list and resting on evidence.

Here: the request, the answer's form, and reading it. Not here: the words of the prompt (`prompts/qa.j2`), wrong options
(`annotators.distractors`), or judging whether a question can be answered unseen.

After VideoEspresso: a question that is meant to needs several frames, and none is subjective or open-ended. How that is
told from the wording, what gives an answer away and every limit are ours.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import Field

from annotators.annotator import Abstention, Annotator, Reading, Request
from annotators.answers import Answer, SeenEvidence
from annotators.facts import measured_facts
from annotators.likeness import contains, likeness, said_seconds, words
from annotators.pictures import pictures
from annotators.subject import ClipSubject, UnsoundError, sound_text
from annotators.told import captions_told
from schemas.asking import QAConfig
from schemas.evidence import Evidence
from schemas.label import Label, QAItem
from schemas.provenance import Provenance
from schemas.taxonomy import QATask
from schemas.time import Span

EVENT_FAMILY = "etbench"
"""Family whose questions are about when something happens, so that they name times."""
MOST_QUESTION_CHARS = 300
"""Ours."""
MOST_ANSWER_CHARS = 600
"""Ours; room for a list of timed events."""
MOST_EVIDENCE = 4
"""Pieces of evidence of one question. Ours; keeps a small model from never coming to an end."""
EVENT_TOLERANCE_S = 0.5
"""How far from its evidence a time that an event's question or answer names may lie. Ours."""
SAME_QUESTION = 0.9
"""Two questions with one answer and at least this alike are the same question. Ours."""
SAME_TASK = 0.8
"""Likeness from which a task is known by its description: small models copy that in place of the name. Ours."""
MOST_ITEMS = 20
"""As many as may be asked for."""

_UNFIT = (
    ("speaks to the viewer or asks for an opinion", re.compile(
        r"\byour?\b|\b(?:do|should|can|would) (?:we|i)\b|\b(?:opinions?|favou?rite|best part)\b"
        r"|\bmost (?:beautiful|interesting|impressive|enjoyable)\b|\b(?:beautiful|interesting|enjoyable)\W*$")),
    ("asks for a guess", re.compile(
        r"\b(?:might|probably|(?:could|may|must) have)\b|\b(?:most|is|are) likely\b|^\W*(?:imagine|suppose|guess)\b")),
    ("is open-ended", re.compile(
        r"^\W*(?:describe|discuss|explain|list|tell|elaborate|summari[sz]e|write)\b|\b(?:anything|what) else\b"
        r"|\bin (?:detail|general)\b|\bwhat lessons?\b")),
    ("speaks of what the asker was given and not of the clip", re.compile(
        r"\b(?:frame|image|evidence|fact) (?:number )?[0-9]|\bmeasured facts?\b"
        r"|\baccording to the (?:given |provided |above )?(?:captions?|descriptions?|summary|facts|data)\b"
        r"|\bin the (?:given |provided |above )?(?:description|summary)\b")),
)  # fmt: skip
"""Wordings that make a question unfit, outside of what it quotes. Ours."""
_QUOTED = re.compile(r'"[^"]*"|\u201c[^\u201d]*\u201d')


@dataclass(frozen=True)
class _Asked:
    """A question whose parts can stand each by itself."""

    task: QATask
    question: str
    answer: str
    span: Span
    evidence: tuple[Evidence, ...]


class QuestionAnswer(Answer):
    """One question."""

    task: str = Field(description="name of the task, as listed")
    question: str = Field(description="one sentence that ends with a question mark")
    answer: str = Field(description="the right answer, in few words")
    start_s: float = Field(description="what the question is about: seconds from the clip's start")
    end_s: float = Field(description="seconds from the clip's start")
    evidence: list[SeenEvidence] = Field(min_length=1, max_length=MOST_EVIDENCE)


class QAAnswer(Answer):
    """What a model asks about a clip."""

    items: list[QuestionAnswer] = Field(min_length=1, max_length=MOST_ITEMS)


def request(subject: ClipSubject, config: QAConfig) -> Request | Abstention:
    """The clip's pictures, facts and captions, and the tasks to choose from."""
    tasks = _tasks(config)
    if not tasks:
        return Abstention(f"the task list has no task of the families {', '.join(config.families) or 'named: none is'}")
    shown = pictures(subject, config)
    facts = measured_facts(subject) if config.facts else ()
    captions = captions_told(subject, config.token_budget)
    if not (shown or facts or captions):
        return Abstention("there is nothing to ask from: no pictures, no facts and no captions")
    values = {
        "duration_s": subject.duration_s,
        "captions": captions,
        "tasks": [{"name": task.name, "description": task.description} for task in tasks],
        "n_items": config.items_per_clip,
        "min_evidence": config.min_evidence,
        "names_times": any(task.family == EVENT_FAMILY for task in tasks),
    }
    return Request(values=values, pictures=shown, facts=facts)


def read(subject: ClipSubject, answer: QAAnswer, config: QAConfig, provenance: Provenance) -> Reading:
    """One label a question; one with anything wrong is left out, with everything that is wrong with it."""
    sound: list[_Asked] = []
    problems: list[str] = []
    if len(answer.items) > config.items_per_clip:
        problems.append(f"{len(answer.items)} questions; {config.items_per_clip} are the most")
    for number, item in enumerate(answer.items[: config.items_per_clip], 1):
        what = f"question {number}"
        try:
            asked = _asked(subject, item, what, config, provenance.model)
        except UnsoundError as error:
            problems.append(str(error))
            continue
        wrong = [*_wording(asked, what), *_resting(asked, what, config.min_evidence), *_repeating(asked, sound, what)]
        if asked.task.family == EVENT_FAMILY:
            wrong += _timing(subject, asked, what)
        problems += wrong
        if not wrong:
            sound.append(asked)
    return Reading(tuple(_label(subject, asked, provenance) for asked in sound), tuple(problems))


def _tasks(config: QAConfig) -> list[QATask]:
    return [task for task in config.tasks.tasks if task.family in config.families]


def _asked(subject: ClipSubject, item: QuestionAnswer, what: str, config: QAConfig, source: str) -> _Asked:
    """The question. Raises UnsoundError where a part of it cannot stand."""
    return _Asked(
        task=_task(item.task, what, config),
        question=sound_text(item.question, what, MOST_QUESTION_CHARS),
        answer=sound_text(item.answer, f"the answer of {what}", MOST_ANSWER_CHARS),
        span=subject.span(item.start_s, item.end_s, f"the stretch of {what}"),
        evidence=tuple(
            # A piece that is given twice is one piece.
            dict.fromkeys(
                subject.evidence(seen, source, f"evidence {number} of {what}")
                for number, seen in enumerate(item.evidence, 1)
            )
        ),
    )


def _task(said: str, what: str, config: QAConfig) -> QATask:
    """The task of that name, or the one whose description was copied. Raises UnsoundError where there is none."""
    tasks = _tasks(config)
    folded = "_".join(said.split(":")[0].casefold().split())
    for task in tasks:
        if task.name.casefold() == folded:
            return task
    alike = [(likeness(words(said), words(task.description)), task) for task in tasks]
    share, likest = max(alike, key=lambda found: found[0], default=(0.0, None))
    if likest and share >= SAME_TASK:
        return likest
    known = ", ".join(task.name for task in tasks)
    raise UnsoundError(f"the task of {what} is {said[:60]!r}; it must be one of: {known}")


def _wording(asked: _Asked, what: str) -> Iterator[str]:
    answered = words(asked.answer)
    if not asked.question.rstrip("\"'\u201d\u2019)").endswith(("?", "\uff1f", "\u061f")):
        yield f"{what} does not end with a question mark"
    if not answered:
        yield f"the answer of {what} has no words"
    if contains(words(asked.question), answered):
        yield f"{what} gives its answer away: {asked.answer!r} stands in it"
    own_words = _QUOTED.sub(" ", asked.question.casefold())
    for reason, pattern in _UNFIT:
        if found := pattern.search(own_words):
            yield f"{what} {reason}: {found[0].strip()!r}"


def _resting(asked: _Asked, what: str, least: int) -> Iterator[str]:
    """Whether there is enough evidence and, where a question must need several frames, some of it apart in time."""
    spans = [piece.span for piece in asked.evidence]
    if len(spans) < least:
        yield f"{what} rests on too few different pieces of evidence: {len(spans)}; at least {least} are needed"
    elif least > 1 and min(span.end_pts for span in spans) > max(span.start_pts for span in spans):
        yield f"the evidence of {what} lies at one time; it must lie at two times that do not overlap"


def _repeating(asked: _Asked, earlier: Sequence[_Asked], what: str) -> Iterator[str]:
    for other in earlier:
        if _is_same(asked, other):
            yield f"{what} repeats another: {other.question!r}"
            return


def _is_same(first: _Asked, second: _Asked) -> bool:
    one, two = words(first.question), words(second.question)
    if one == two:
        return True
    is_alike = min(likeness(one, two), likeness(two, one)) >= SAME_QUESTION
    return is_alike and words(first.answer) == words(second.answer)


def _timing(subject: ClipSubject, asked: _Asked, what: str) -> Iterator[str]:
    """What is wrong with the times that a question about an event names."""
    in_question, in_answer = said_seconds(asked.question), said_seconds(asked.answer)
    if not (in_question or in_answer):
        yield f"{what} is about an event, and names no time in seconds in question or answer"
    for second in dict.fromkeys((*in_question, *in_answer)):
        if second > subject.duration_s + EVENT_TOLERANCE_S:
            yield f"{what} names {second:g} s, outside the clip, which runs from 0 to {subject.duration_s:.2f} s"
        elif second in in_answer and not any(_reaches(subject, piece, second) for piece in asked.evidence):
            yield f"the answer of {what} names {second:g} s, where none of its evidence lies"


def _reaches(subject: ClipSubject, piece: Evidence, second: float) -> bool:
    start_s, end_s = subject.seconds(piece.span.start_pts), subject.seconds(piece.span.end_pts)
    return start_s - EVENT_TOLERANCE_S <= second <= end_s + EVENT_TOLERANCE_S


def _label(subject: ClipSubject, asked: _Asked, provenance: Provenance) -> Label:
    item = QAItem(task=asked.task.name, question=asked.question, options=(asked.answer,), answer_index=0)
    return Label(
        label_id="", clip_id=subject.clip.clip_id, kind="qa", span=asked.span, qa=item, evidence=asked.evidence,
        provenance=provenance,
    )  # fmt: skip


ANNOTATOR = Annotator(
    name="qa",
    version="1",
    unit="clip",
    kind="qa",
    answer=QAAnswer,
    request=request,
    read=read,
    most=lambda config: {"items": config.items_per_clip},
    after=("names", "caption"),
)
