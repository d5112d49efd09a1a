"""One form of question to one model: prompt, pictures, schema, reply, parsed answer.

Here: `Inquiry`, for whoever asks, and the ways in which a reply is no answer. Not here: what follows from an answer
(`annotators.ask` for annotators, `annotators.judges` for judges), sending (`annotators.endpoint.client`).
"""

import base64
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Generic, TypeVar

from annotators.annotator import Request
from annotators.answer_schema import Limits, json_schema
from annotators.answers import Answer
from annotators.endpoint.chat import ChatRequest, Message, Reply, chat_request
from annotators.endpoint.prices import OPENAI_ADDRESS, address, tariff
from annotators.endpoint.tokens import request_tokens
from annotators.pictures import Picture, evenly
from annotators.prompts import prompt_sha256, render
from schemas.asking import AskConfig, EndpointConfig
from schemas.prompt import Prompt

A = TypeVar("A", bound=Answer)

_EVIDENCE = ("evidence", "summary_evidence", "new_evidence")
"""Fields of answers that list evidence, or numbers of pieces of it."""


class AnswerError(Exception):
    """A reply that nothing can be made of; `kind` is the kind of the failure that the unit becomes."""

    kind: ClassVar[str] = "invalid"


class InvalidAnswerError(AnswerError):
    """The answer cannot stand, even after the model was shown what is wrong."""


class TruncatedAnswerError(AnswerError):
    """The answer was cut off at the token limit."""

    kind = "truncated"


class RefusedAnswerError(AnswerError):
    """The model, or a filter before it, would not answer."""

    kind = "refused"


class EmptyAnswerError(AnswerError):
    """There was no text in the reply."""

    kind = "empty"


class TooLargeError(AnswerError):
    """Even without pictures and facts the request takes more than `token_budget`."""

    kind = "too_large"


@dataclass(frozen=True)
class Form(Generic[A]):
    """What is asked in, apart from who is asked."""

    section: str
    """Of the configuration: `annotate.qa`, `verify.leakage`."""
    ledger_name: str
    """Under which requests are counted."""
    answer: type[A]
    most: dict[str, int] = field(default_factory=dict)
    """Most items of lists in the answer, by the name of their field."""
    choices: dict[str, Sequence[str]] = field(default_factory=dict)
    """What a text in the answer may be, by the name of its field."""

    @property
    def name(self) -> str:
        """Name of the schema that is sent."""
        return self.section.rpartition(".")[2]


class Inquiry(Generic[A]):
    """Makes requests of one form to one model, and says what is no answer. Holds nothing of any unit."""

    def __init__(self, form: Form[A], prompt: Prompt, config: AskConfig, endpoint: EndpointConfig) -> None:
        # Whoever reads the answer must know that no picture was shown.
        self.config = config if endpoint.sees else config.replace(pictures="none")
        self.form, self.prompt, self.endpoint = form, prompt, endpoint
        # OpenAI's own server refuses a schema that limits texts.
        most_chars = None if address(endpoint) == OPENAI_ADDRESS else config.max_text_chars
        most = dict.fromkeys(_EVIDENCE, config.max_evidence) | form.most
        nulls = frozenset() if config.claims else frozenset({"claim"})
        self._schema = json_schema(form.answer, Limits(most, form.choices, most_chars, nulls))
        self._tariff = tariff(endpoint).pictures
        self.prompt_sha256 = prompt_sha256(prompt)

    def request(self, made: Request) -> ChatRequest:
        """The request with as many pictures, and then facts, as the budget has room for.

        Pictures that stay keep their numbers, so that what is said of them can be found again. Raises TooLargeError or
        PromptError.
        """
        for n_pictures in range(len(made.pictures), 0, -1):
            request = self._rendered(made, evenly(made.pictures, n_pictures), made.facts)
            if self._fits(request):
                return request
        # One picture is worth more than the last facts.
        for pictures in (evenly(made.pictures, 1), []) if made.pictures else ([],):
            request = self._rendered(made, pictures, made.facts[: self._most_facts(made, pictures)])
            if self._fits(request):
                return request
        budget = f"{self.form.section}.token_budget"
        raise TooLargeError(f"the question alone takes more than {budget} ({self.config.token_budget})")

    def require_answer(self, reply: Reply) -> None:
        """Raises an AnswerError where the reply holds no whole answer."""
        if reply.outcome == "truncated":
            limit = self.config.max_tokens
            raise TruncatedAnswerError(
                f"the answer of {reply.model} was cut off: raise {self.form.section}.max_tokens ({limit})"
            )
        if reply.outcome == "refused":
            raise RefusedAnswerError(
                f"{reply.model} refused: {' '.join(reply.text.split())[:200] or 'no reason given'}"
            )
        if reply.outcome == "empty":
            raise EmptyAnswerError(f"the reply of {reply.model} holds no text ({reply.finish_reason})")

    def _most_facts(self, made: Request, pictures: Sequence[Picture]) -> int:
        """How many facts there is room for beside the pictures."""

        def is_too_much(count: int) -> bool:
            return not self._fits(self._rendered(made, pictures, made.facts[:count]))

        return bisect_left(range(1, len(made.facts) + 1), True, key=is_too_much)

    def _fits(self, request: ChatRequest) -> bool:
        return request_tokens(request, self._tariff) <= self.config.token_budget

    def _rendered(self, made: Request, pictures: Sequence[Picture], facts: Sequence[str]) -> ChatRequest:
        system, user = render(self.prompt, {**made.values, "pictures": pictures, "facts": facts})
        messages: list[Message] = [
            {"role": "system", "content": system},
            {"role": "user", "content": _content(user, pictures)},
        ]
        return chat_request(
            self.form.ledger_name, self.endpoint, self.config, messages, pictures, self.form.name, self._schema
        )


def _content(text: str, pictures: Sequence[Picture]) -> str | list[dict[str, Any]]:
    if not pictures:
        return text
    parts: list[dict[str, Any]] = [{"type": "text", "text": text}]
    for picture in pictures:
        url = f"data:image/jpeg;base64,{base64.b64encode(picture.jpeg).decode()}"
        parts += [{"type": "text", "text": picture.told}, {"type": "image_url", "image_url": {"url": url}}]
    return parts


def repairing(request: ChatRequest, reply: Reply, problems: Sequence[str]) -> ChatRequest:
    """The same conversation, with the answer that cannot stand and what is wrong with it."""
    listed = "\n".join(f"- {problem}" for problem in problems)
    asked = (
        f"This answer cannot be used as it is:\n{listed}\n"
        "Give the whole answer again with this put right, as one JSON object that fits the schema."
    )
    messages = [
        *request.body["messages"],
        {"role": "assistant", "content": reply.text},
        {"role": "user", "content": asked},
    ]
    return replace(request, body={**request.body, "messages": messages})
