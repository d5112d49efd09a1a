"""The models that a judge asks, each with its own form of the question, and none about what it wrote itself.

Here: `Panel`. Not here: what is asked and what follows from the answers (the judges).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from annotators.annotator import Request
from annotators.answer_schema import UnreadableError, parse_answer
from annotators.answers import Answer
from annotators.endpoint.chat import Chat, ChatRequest, Reply
from annotators.inquiry import AnswerError, Form, Inquiry, InvalidAnswerError, repairing
from schemas.asking import EndpointConfig
from schemas.judging import JudgeConfig
from schemas.label import Label
from schemas.prompt import Prompt

A = TypeVar("A", bound=Answer)


class NotIndependentError(AnswerError):
    """Every model that could judge has written or revised the label."""

    kind = "not_independent"


@dataclass(frozen=True)
class Heard(Generic[A]):
    """What a model said, and what it took."""

    endpoint: str
    model: str
    """As the server calls itself."""
    answer: A
    cost_usd: float
    """Of all replies that it took, repairs among them."""


class Panel(Generic[A]):
    """Asks the models of a judge in one form.

    Args:
        judge: name of the judge, which is also that of its section below `verify`.
        answer: what a model fills in.
        prompt: what it is asked with.
        config: the judge's section.
        endpoints: all endpoints of the run; those that `config.endpoints` names are asked.
        most: most items of lists in the answer, by the name of their field.
        choices: what a text in the answer may be, by the name of its field.
    """

    def __init__(
        self, judge: str, answer: type[A], prompt: Prompt, config: JudgeConfig, endpoints: Mapping[str, EndpointConfig],
        *, most: Mapping[str, int] | None = None, choices: Mapping[str, Sequence[str]] | None = None,
    ) -> None:  # fmt: skip
        section = f"verify.{judge}"
        form = Form(section, section, answer, dict(most or {}), dict(choices or {}))
        self._answer = answer
        self._max_repairs = config.max_repairs
        self.inquiries: dict[str, Inquiry[A]] = {
            name: Inquiry(form, prompt, config.replace(endpoint=name), endpoints[name]) for name in config.endpoints
        }
        """By endpoint."""

    def independent(self, label: Label) -> tuple[str, ...]:
        """Endpoints whose model neither wrote nor revised the label. Raises NotIndependentError where there is none."""
        authors = {bare_model(author.model) for author in (label.provenance, *label.revisions)}
        free = tuple(name for name, one in self.inquiries.items() if bare_model(one.endpoint.model) not in authors)
        if not free:
            models = ", ".join(one.endpoint.model for one in self.inquiries.values())
            raise NotIndependentError(f"{models} would judge what it wrote: name another model in `endpoints`")
        return free

    def sees(self, endpoint: str) -> bool:
        """Whether a model is shown pictures."""
        return self.inquiries[endpoint].config.pictures != "none"

    def request(self, endpoint: str, made: Request, seed: int | None = None) -> ChatRequest:
        """The request to one model; `seed` stands in for that of the settings. Raises TooLargeError or PromptError."""
        request = self.inquiries[endpoint].request(made)
        return request if seed is None else replace(request, body={**request.body, "seed": seed})

    async def ask(
        self, endpoint: str, made: Request, chats: Mapping[str, Chat], *, afresh: bool, seed: int | None = None
    ) -> Heard[A]:
        """What one model answers; an answer that cannot be read is asked for again, as often as the settings allow.

        Raises AnswerError or AskingError.
        """
        request = self.request(endpoint, made, seed)
        replies: list[Reply] = []
        while True:
            reply, _ = await chats[endpoint].reply(request, afresh=afresh)
            replies.append(reply)
            self.inquiries[endpoint].require_answer(reply)
            try:
                answer = parse_answer(reply.text, self._answer)
            except UnreadableError as error:
                if len(replies) > self._max_repairs:
                    raise InvalidAnswerError(_unreadable(reply, error)) from None
                request = repairing(request, reply, error.problems)
                continue
            return Heard(endpoint, reply.model, answer, sum(one.cost_usd for one in replies))


def bare_model(name: str) -> str:
    """A model's name apart from where it is and from which day: servers call themselves by longer names. Ours.

    `Qwen/Qwen3-VL-8B` is `qwen3-vl-8b`, and `gpt-5-mini-2026-08-07` is `gpt-5-mini`.
    """
    return _OF_A_DAY.sub("", name.casefold().rsplit("/", 1)[-1])


_OF_A_DAY = re.compile(r"(?:[-@:](?:\d{4}-\d{2}-\d{2}|\d{8}|\d{4}|latest|preview))+$")


def _unreadable(reply: Reply, error: UnreadableError) -> str:
    return f"the answer of {reply.model} cannot be read: {'; '.join(error.problems)}"


def single_prompt(config: JudgeConfig, judge: str) -> Prompt:
    """The prompt that the run carries. Raises ValueError where it was not written out."""
    if config.prompt is None:
        raise ValueError(f"the prompt of verify.{judge} is not written out")
    return config.prompt
