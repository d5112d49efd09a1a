"""A question put to models with its options in turn at every place, and which option an answer means.

Here: `Question`, `Trial`, and `Choosing`, which asks. Not here: what follows from the answers (`leakage`,
`question_class`), or which trials there are (the statistics, which the judges are given).
"""

import asyncio
import re
import string
import unicodedata
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from pydantic import Field

from annotators.annotator import Request
from annotators.answers import Answer
from annotators.endpoint.chat import BudgetReachedError, Chat, ChatRequest, EndpointUnusableError
from annotators.inquiry import AnswerError, InvalidAnswerError, TooLargeError
from annotators.judges.panel import Panel, single_prompt
from annotators.pictures import Picture
from schemas.asking import EndpointConfig
from schemas.judging import JudgeConfig
from schemas.label import Label
from schemas.verdict import Opinion

T = TypeVar("T")

MAX_TOLD_CHARS = 120
"""Of an answer as opinions and messages quote it. Ours."""
_LEAD = re.compile(r"(?:the )?(?:right |correct )?(?:option|answer|choice)(?: is)?(?!\w)")
"""What models put before a letter. Ours."""
_MARKS = " \"'`.,:;!?()[]{}<>*_#=-\u2018\u2019\u201c\u201d"
"""What models put around a letter or a text. Ours."""

IsRight = Callable[[str, str], bool]
"""Whether an answer in words means the same as the right one: answer, right one."""


class ChosenAnswer(Answer):
    """What a model chooses, or says where there are no options."""

    answer: str = Field(description="the letter or number of one option, or a few words where there are no options")


@dataclass(frozen=True)
class Question:
    """What a label asks, whichever its kind."""

    text: str
    options: tuple[str, ...]
    """A single one is the answer of an open-ended question."""
    answer_index: int

    @classmethod
    def of(cls, label: Label) -> "Question | None":
        """The question of a label; None where it asks none."""
        if label.qa is not None:
            return cls(label.qa.question, label.qa.options, label.qa.answer_index)
        if label.trace is not None:
            return cls(label.trace.question, label.trace.options, label.trace.answer_index)
        return None

    @property
    def is_open(self) -> bool:
        """Whether there is nothing to choose from."""
        return len(self.options) == 1

    @property
    def answer(self) -> str:
        """Text of the right option."""
        return self.options[self.answer_index]

    def rotated(self, by: int) -> tuple[str, ...]:
        """The options, beginning with the one at place `by`; past the last one it goes on from the first."""
        start = by % len(self.options)
        return self.options[start:] + self.options[:start]


@dataclass(frozen=True)
class Trial:
    """One try at a question."""

    endpoint: str
    rotation: int
    """Place of the option that is shown first."""
    seed: int
    """Of the sampling: the same question in the same order is another request with another seed."""


@dataclass(frozen=True)
class Shown:
    """What a model is shown beside the question."""

    values: Mapping[str, Any]
    """What the template may use beside question, options, names and pictures."""
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True)
class Tried:
    """What came of a trial."""

    trial: Trial
    judge: str
    """Model as its server calls it; as the settings call it where no answer came."""
    outcome: Literal["right", "wrong", "none"]
    said: str
    """What was chosen, or why there is no answer."""
    cost_usd: float = 0.0
    error: AnswerError | None = field(default=None, compare=False)
    """Why there is no answer."""

    def opinion(self, about: str) -> Opinion:
        """The trial as a verdict keeps it."""
        return Opinion(judge=self.judge, about=about, outcome=self.outcome, reason=self.said)


class Choosing:
    """Asks a judge's models which option is right. Holds nothing of any label.

    Args:
        judge: name of the judge, which is also that of its section below `verify`.
        config: the judge's section, prompt written out.
        endpoints: all endpoints of the run.
        is_right: judges answers to open-ended questions.
    """

    def __init__(
        self, judge: str, config: JudgeConfig, endpoints: Mapping[str, EndpointConfig], is_right: IsRight
    ) -> None:
        self._judge, self._config, self._endpoints, self._is_right = judge, config, endpoints, is_right
        self._prompt = single_prompt(config, judge)
        # What an answer may be stands in the schema, so that each set of names has a form of its own.
        self._panels: dict[tuple[str, ...], Panel[ChosenAnswer]] = {}

    def independent(self, label: Label) -> tuple[str, ...]:
        """Endpoints whose model neither wrote nor revised the label. Raises NotIndependentError where there is none."""
        return self._panel(()).independent(label)

    def takes_pictures(self, endpoint: str) -> bool:
        """Whether the model can be shown pictures at all."""
        return self._endpoints[endpoint].sees

    def request(self, trial: Trial, question: Question, shown: Shown) -> ChatRequest:
        """What is sent for a trial. Raises TooLargeError or PromptError."""
        names = option_names(question.options)
        return self._panel(names).request(trial.endpoint, _made(trial, question, names, shown), trial.seed)

    async def tried(
        self, trial: Trial, question: Question, shown: Shown, chats: Mapping[str, Chat], *, afresh: bool
    ) -> Tried:  # fmt: skip
        """What comes of a trial; no answer that can be read is an outcome too.

        `afresh` asks again where the reply that was kept is of no use, and pays for no other. Raises TooLargeError,
        PromptError or AskingError.
        """
        found = await self._once(trial, question, shown, chats, afresh=False)
        if found.outcome == "none" and afresh:
            found = await self._once(trial, question, shown, chats, afresh=True)
        return found

    async def _once(
        self, trial: Trial, question: Question, shown: Shown, chats: Mapping[str, Chat], *, afresh: bool
    ) -> Tried:  # fmt: skip
        names = option_names(question.options)
        made = _made(trial, question, names, shown)
        try:
            heard = await self._panel(names).ask(trial.endpoint, made, chats, afresh=afresh, seed=trial.seed)
        except TooLargeError:
            raise  # of the question itself: no other trial would fare better
        except AnswerError as error:
            return Tried(trial, self._endpoints[trial.endpoint].model, "none", str(error), error=error)
        return self._read(trial, question, names, heard.model, heard.answer.answer, heard.cost_usd)

    def _read(
        self, trial: Trial, question: Question, names: tuple[str, ...], model: str, answer: str, cost_usd: float
    ) -> Tried:  # fmt: skip
        said = _quoted(answer)
        if question.is_open:
            if not said:
                return _unread(trial, model, "said nothing", cost_usd)
            outcome: Literal["right", "wrong"] = "right" if self._is_right(answer, question.answer) else "wrong"
            return Tried(trial, model, outcome, f"said {said!r}", cost_usd)
        shown = question.rotated(trial.rotation)
        place = chosen(answer, names, shown)
        if place is None:
            return _unread(trial, model, f"said {said!r}, which is not one of the options", cost_usd)
        is_right = (place + trial.rotation) % len(shown) == question.answer_index
        told = f"chose {names[place]}: {_quoted(shown[place])}"
        return Tried(trial, model, "right" if is_right else "wrong", told, cost_usd)

    def _panel(self, names: tuple[str, ...]) -> Panel[ChosenAnswer]:
        if names not in self._panels:
            choices = {"answer": names} if names else {}
            self._panels[names] = Panel(
                self._judge, ChosenAnswer, self._prompt, self._config, self._endpoints, choices=choices
            )
        return self._panels[names]


def option_names(options: Sequence[str]) -> tuple[str, ...]:
    """What the options are called: letters, or numbers where an option is itself one of the letters.

    Empty for an open-ended question. After Z come AA, AB and so on.
    """
    count = len(options)
    if count == 1:
        return ()
    letters = tuple(_letters(place) for place in range(count))
    numbers = tuple(str(place + 1) for place in range(count))
    texts = {_without_lead(_folded(option)) for option in options}
    for names in (letters, numbers):
        if not texts & {_folded(name) for name in names}:
            return names
    return letters


def chosen(said: str, names: Sequence[str], options: Sequence[str]) -> int | None:
    """Place of the option that an answer means: by its name, its text, or both. None for no option, or several.

    `b`, `(B)`, `B.`, `option B`, `B) a dog` and `a dog` all mean the option B that reads `a dog`.
    """
    whole, texts = _folded(said), [_folded(option) for option in options]
    bare = _without_lead(whole)
    found = {place for place, text in enumerate(texts) if text and text == whole}
    for as_said in (whole.strip(_MARKS), bare):
        found = found or {place for place, text in enumerate(texts) if as_said and text.strip(_MARKS) == as_said}
    for place, name in enumerate(names):
        rest = bare.removeprefix(_folded(name))
        if rest != bare and not rest[:1].isalnum() and rest.strip(_MARKS) in ("", texts[place].strip(_MARKS)):
            found.add(place)
    return found.pop() if len(found) == 1 else None


async def together(tries: Iterable[Awaitable[T]]) -> list[T]:
    """All that is awaited, under way together, in order.

    Where some of it raises, the rest is finished first, for its replies are paid; what ends a run is raised before
    what ends one label.
    """
    done = await asyncio.gather(*tries, return_exceptions=True)
    errors = [error for error in done if isinstance(error, BaseException)]
    if errors:
        raise min(errors, key=lambda error: not isinstance(error, BudgetReachedError | EndpointUnusableError))
    return [one for one in done if not isinstance(one, BaseException)]


def require_answers(tried: Sequence[Tried], most_failed: int, what: str) -> None:
    """Raises the last trial's AnswerError where more than `most_failed` of the trials came to nothing."""
    errors = [one.error for one in tried if one.error is not None]
    if len(errors) > most_failed:
        raise type(errors[-1])(f"{len(errors)} of {len(tried)} trials {what} gave no answer; the last: {errors[-1]}")


def judges_of(tried: Iterable[Tried]) -> tuple[str, ...]:
    """The models that answered, each once, in order."""
    return tuple(dict.fromkeys(one.judge for one in tried if one.outcome != "none"))


def _made(trial: Trial, question: Question, names: Sequence[str], shown: Shown) -> Request:
    """The question as the template is given it; each option is one line, so that none can pass for two."""
    options = zip(names, question.rotated(trial.rotation), strict=False)
    lines = "\n".join(f"{name}. {' '.join(option.split())}" for name, option in options)
    values = {**shown.values, "question": question.text, "options": lines, "names": names}
    return Request(values=values, pictures=shown.pictures)


def _unread(trial: Trial, model: str, told: str, cost_usd: float) -> Tried:
    return Tried(trial, model, "none", told, cost_usd, InvalidAnswerError(f"{model} {told}"))


def _letters(place: int) -> str:
    """A to Z, then AA, AB and so on."""
    size = len(string.ascii_uppercase)
    before = _letters(place // size - 1) if place >= size else ""
    return before + string.ascii_uppercase[place % size]


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _without_lead(folded: str) -> str:
    """A folded answer without marks around it, and without the words that only lead up to it."""
    bare = folded.strip(_MARKS)
    lead = _LEAD.match(bare)
    return bare[lead.end() :].strip(_MARKS) if lead else bare


def _quoted(text: str) -> str:
    folded = " ".join(text.split())
    return folded if len(folded) <= MAX_TOLD_CHARS else folded[: MAX_TOLD_CHARS - 1] + "…"
