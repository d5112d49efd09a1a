"""A label worded better after criticism: which of its texts may change, and what the new ones must keep.

Here: the request, the answer's form, and reading it. Not here: whether the new one is better
(`annotators.judges.critic`).

That a label which critics prefer after reflection makes a pair to learn preferences from is ReAgent-V's. What may
change and what must stay is ours: spans, evidence, options and which of them is right were measured and judged before,
so that an answer changes only where it stands alone, and no number, time or quoted text is added.
"""

import re
from collections.abc import Iterator, Sequence

from pydantic import Field

from annotators.annotator import Request
from annotators.answers import Answer
from annotators.judges.critique import Criticism, request_about
from annotators.reasoning import MOST_STEP_CHARS, MOST_STEPS, agrees
from annotators.subject import ClipSubject, UnsoundError, sound_text
from schemas.asking import AskConfig
from schemas.label import Label, QAItem, ReasoningStep

_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_QUOTED = re.compile(r"\"([^\"]+)\"|\u201c([^\u201d]+)\u201d|\u00ab([^\u00bb]+)\u00bb")


class StepWords(Answer):
    """New words of one step."""

    number: int = Field(description="of the step, from 1")
    text: str = Field(description="one or two sentences")


class ReflectionAnswer(Answer):
    """What a model makes of a label."""

    caption: str | None = Field(description="the caption in better words, null where none is asked for")
    answer: str | None = Field(description="the answer in better words, null where none is asked for")
    steps: list[StepWords] = Field(max_length=MOST_STEPS, description="steps in better words")


def changeable(label: Label) -> tuple[str, ...]:
    """Which texts of a label may be worded anew: `caption`, `answer`, `steps`; none of most kinds."""
    if label.caption:
        return ("caption",)
    if label.qa is None:
        return ()
    answer = ("answer",) if len(label.qa.options) == 1 else ()
    return (*answer, "steps") if label.qa.reasoning else answer


def reflection_request(subject: ClipSubject, label: Label, criticism: Criticism, config: AskConfig) -> Request:
    """The label with what critics said of it."""
    said = [f"{one.about}: {one.score:g}. {one.reason}" for one in criticism.opinions if one.score is not None]
    values = {"reflection": changeable(label), "criticism": "\n".join(said), "axes": [], "inapplicable": []}
    return request_about(subject, label, config, values)


def bettered(label: Label, answer: ReflectionAnswer) -> Label:
    """The label with its new words; nothing else is changed. Raises UnsoundError where they cannot stand."""
    new = label
    if label.caption:
        text = sound_text(answer.caption or "", "the new caption")
        new = label.replace(caption=label.caption.replace(text=text))
    elif label.qa:
        new = label.replace(qa=_item(label.qa, answer))
    if new == label:
        raise UnsoundError("nothing is worded otherwise")
    added = list(_added(_texts(label), _texts(new)))
    if added:
        raise UnsoundError(f"the new words have {', '.join(map(repr, added))}, which the old ones have not")
    return new


def _item(item: QAItem, answer: ReflectionAnswer) -> QAItem:
    if len(item.options) == 1 and answer.answer is not None:
        item = item.replace(options=(sound_text(answer.answer, "the new answer"),))
    if not item.reasoning:
        return item
    steps = list(item.reasoning)
    for words in answer.steps:
        if not 1 <= words.number <= len(steps):
            raise UnsoundError(f"there is no step {words.number}; there are {len(steps)}")
        text = sound_text(words.text, f"the new text of step {words.number}", MOST_STEP_CHARS)
        steps[words.number - 1] = steps[words.number - 1].replace(text=text)
    _require_right_end(steps, item)
    return item.replace(reasoning=tuple(steps))


def _require_right_end(steps: Sequence[ReasoningStep], item: QAItem) -> None:
    for step in steps:
        if step.role == "conclude" and not agrees(step.text, item):
            raise UnsoundError("the conclusion does not come to the right answer")


def _texts(label: Label) -> str:
    """All words of a label that may change, and those beside them that new words may repeat."""
    if label.caption:
        return label.caption.text
    if label.qa:
        return "\n".join((label.qa.question, *label.qa.options, *(step.text for step in label.qa.reasoning)))
    return ""


def _added(old: str, new: str) -> Iterator[str]:
    """Numbers and quoted texts that only the new words have."""
    known = set(_NUMBER.findall(old))
    yield from (number for number in dict.fromkeys(_NUMBER.findall(new)) if number not in known)
    folded = " ".join(old.split()).casefold()
    quoted = (next(text for text in found if text) for found in _QUOTED.findall(new))
    yield from (text for text in quoted if " ".join(text.split()).casefold() not in folded)
