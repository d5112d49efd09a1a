"""Asking a model for one unit's labels: prompt, pictures, reply, answer, at most so many repairs, labels.

Here: `Asker`, which is the same for every annotator. Not here: what is asked and read (`annotators.annotator`), sending
and keeping replies (`annotators.client`), or units and cells (`pipeline`).
"""

import base64
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from annotators.annotator import Abstention, Annotator, Reading, Request
from annotators.answer_schema import UnreadableError, json_schema, parse_answer
from annotators.answers import Answer
from annotators.chat import Chat, ChatRequest, Message, Reply, chat_request
from annotators.pictures import Picture, evenly
from annotators.prices import OPENAI_ADDRESS, address, tariff
from annotators.prompts import prompt_sha256, render
from annotators.subject import ClipSubject, Subject
from annotators.tokens import request_tokens
from schemas.asking import AskConfig, EndpointConfig
from schemas.label import ClipLabels, Label
from schemas.provenance import Provenance


class AnswerError(Exception):
    """A reply that no label can be made of; `kind` is the kind of the failure that the unit becomes."""

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
class _Round:
    """One reply and what was read from it."""

    reply: Reply
    reading: Reading


class Asker:
    """Asks one model on behalf of one annotator. Holds nothing of any unit."""

    def __init__(
        self,
        annotator: Annotator[Any],
        config: AskConfig,
        endpoint: EndpointConfig,
        code_version: str,
    ) -> None:
        """`config.prompt` must be there."""
        if config.prompt is None:
            raise ValueError(f"the prompt of {annotator.name} is not written out")
        # Whoever reads the answer must know that no picture was shown.
        shown = config if endpoint.sees else config.replace(pictures="none")
        self._annotator, self._config, self._endpoint = annotator, shown, endpoint
        self._prompt, self._code_version = config.prompt, code_version
        # OpenAI's own server refuses a schema that limits texts.
        most_chars = None if address(endpoint) == OPENAI_ADDRESS else config.max_text_chars
        self._schema = json_schema(annotator.answer, annotator.most(config), most_chars)
        self._pictures = tariff(endpoint).pictures
        self._sha256 = prompt_sha256(config.prompt)

    @property
    def endpoint(self) -> str:
        """Name of the endpoint that is asked."""
        return self._config.endpoint

    def first_request(self, subject: Subject) -> ChatRequest | Abstention:
        """What is sent first for a subject. Raises TooLargeError or PromptError."""
        made = self._annotator.request(subject, self._config)
        if isinstance(made, Abstention):
            return made
        return self._fitted(made)

    async def labels(self, subject: Subject, chat: Chat, *, afresh: bool = False) -> ClipLabels:
        """Everything the model says of a subject that can stand.

        `afresh` asks again where a reply was kept: for a unit that failed before and is retried.

        Raises AnswerError where nothing can, and AskingError where no reply comes.
        """
        unit_id = subject.clip.clip_id if isinstance(subject, ClipSubject) else subject.slice_id
        request = self.first_request(subject)
        if isinstance(request, Abstention):
            return ClipLabels(clip_id=unit_id, labels=(), abstentions=(request.reason,))
        rounds: list[_Round] = []
        while not rounds or (rounds[-1].reading.problems and len(rounds) <= self._config.max_repairs):
            request = _repairing(request, rounds[-1]) if rounds else request
            rounds.append(await self._round(subject, request, chat, afresh=afresh))
        best = max(reversed(rounds), key=lambda one: len(one.reading.labels))
        problems = best.reading.problems
        if not best.reading.labels and problems:
            raise InvalidAnswerError(f"{self._told(rounds)}: {'; '.join(problems)}")
        labels = self._finished(best, rounds, subject)
        nothing = () if labels else ("the model had nothing to say",)
        return ClipLabels(clip_id=unit_id, labels=labels, abstentions=nothing, invalid=problems)

    async def _round(self, subject: Subject, request: ChatRequest, chat: Chat, *, afresh: bool) -> _Round:
        reply, _ = await chat.reply(request, afresh=afresh)
        self._require_answer(reply)
        try:
            answer: Answer = parse_answer(reply.text, self._annotator.answer)
        except UnreadableError as error:
            return _Round(reply, Reading((), error.problems))
        return _Round(reply, self._annotator.read(subject, answer, self._config, self._provenance(reply)))

    def _require_answer(self, reply: Reply) -> None:
        section = f"annotate.{self._annotator.name}"
        if reply.outcome == "truncated":
            limit = self._config.max_tokens
            raise TruncatedAnswerError(f"the answer of {reply.model} was cut off: raise {section}.max_tokens ({limit})")
        if reply.outcome == "refused":
            raise RefusedAnswerError(
                f"{reply.model} refused: {' '.join(reply.text.split())[:200] or 'no reason given'}"
            )
        if reply.outcome == "empty":
            raise EmptyAnswerError(f"the reply of {reply.model} holds no text ({reply.finish_reason})")

    def _told(self, rounds: Sequence[_Round]) -> str:
        repairs = len(rounds) - 1
        asked = f", asked {repairs} time{'' if repairs == 1 else 's'} to repair it" if repairs else ""
        return f"the answer of {rounds[-1].reply.model} cannot stand{asked}"

    def _provenance(self, reply: Reply) -> Provenance:
        config = self._config
        return Provenance(
            annotator=self._annotator.name,
            annotator_version=self._annotator.version,
            code_version=self._code_version,
            model=reply.model or self._endpoint.model,
            model_revision=self._endpoint.revision,
            prompt_name=f"{self._prompt.name}/{self._prompt.version}",
            prompt_sha256=self._sha256,
            temperature=config.temperature,
            top_p=config.top_p,
            seed=config.seed,
            max_tokens=config.max_tokens,
            reply_key=reply.key,
        )

    def _finished(self, best: _Round, rounds: Sequence[_Round], subject: Subject) -> tuple[Label, ...]:
        """The labels with their ids, and with what all rounds together took."""
        labels = best.reading.labels
        replies = [one.reply for one in rounds]
        shares = zip(
            _divided(sum(reply.input_tokens for reply in replies), len(labels)),
            _divided(sum(reply.output_tokens for reply in replies), len(labels)),
            strict=True,
        )
        cost_usd = sum(reply.cost_usd for reply in replies) / max(1, len(labels))
        spent = [
            {"repairs": len(rounds) - 1, "input_tokens": read, "output_tokens": written, "cost_usd": cost_usd}
            for read, written in shares
        ]
        about = subject.about if isinstance(subject, ClipSubject) else None
        return tuple(self._finish(label, number, spent[number], about) for number, label in enumerate(labels))

    def _finish(self, label: Label, number: int, spent: dict[str, Any], about: Label | None) -> Label:
        if label.label_id:
            *earlier, own = label.revisions
            return label.replace(revisions=(*earlier, own.replace(**spent)))
        name = self._annotator.name
        if about is not None:
            name += about.label_id.removeprefix(about.clip_id)
        provenance = label.provenance.replace(**spent)
        return label.replace(label_id=f"{label.clip_id}-{name}-{number:03d}", provenance=provenance)

    def _fitted(self, made: Request) -> ChatRequest:
        """The request with as many pictures, and then facts, as the budget has room for.

        Pictures that stay keep their numbers, so that what is said of them can be found again.
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
        budget = f"annotate.{self._annotator.name}.token_budget"
        raise TooLargeError(f"the question alone takes more than {budget} ({self._config.token_budget})")

    def _most_facts(self, made: Request, pictures: Sequence[Picture]) -> int:
        """How many facts there is room for beside the pictures."""

        def is_too_much(count: int) -> bool:
            return not self._fits(self._rendered(made, pictures, made.facts[:count]))

        return bisect_left(range(1, len(made.facts) + 1), True, key=is_too_much)

    def _fits(self, request: ChatRequest) -> bool:
        return request_tokens(request, self._pictures) <= self._config.token_budget

    def _rendered(self, made: Request, pictures: Sequence[Picture], facts: Sequence[str]) -> ChatRequest:
        system, user = render(self._prompt, {**made.values, "pictures": pictures, "facts": facts})
        messages: list[Message] = [
            {"role": "system", "content": system},
            {"role": "user", "content": _content(user, pictures)},
        ]
        name = self._annotator.name
        return chat_request(name, self._endpoint, self._config, messages, pictures, name, self._schema)


def _content(text: str, pictures: Sequence[Picture]) -> str | list[dict[str, Any]]:
    if not pictures:
        return text
    parts: list[dict[str, Any]] = [{"type": "text", "text": text}]
    for picture in pictures:
        told = f"Frame {picture.number} at {picture.time_s:.2f} s:" if picture.time_s is not None else "Contact sheet:"
        url = f"data:image/jpeg;base64,{base64.b64encode(picture.jpeg).decode()}"
        parts += [{"type": "text", "text": told}, {"type": "image_url", "image_url": {"url": url}}]
    return parts


def _repairing(request: ChatRequest, failed: _Round) -> ChatRequest:
    """The same conversation, with the answer that cannot stand and what is wrong with it."""
    problems = "\n".join(f"- {problem}" for problem in failed.reading.problems)
    asked = (
        f"This answer cannot be used as it is:\n{problems}\n"
        "Give the whole answer again with this put right, as one JSON object that fits the schema."
    )
    messages = [
        *request.body["messages"],
        {"role": "assistant", "content": failed.reply.text},
        {"role": "user", "content": asked},
    ]
    return replace(request, body={**request.body, "messages": messages})


def _divided(total: int, parts: int) -> list[int]:
    """A whole number in parts that differ by one at most."""
    return [total // parts + (part < total % parts) for part in range(parts)]
