"""Asking a model for one unit's labels: prompt, pictures, reply, answer, at most so many repairs, labels.

Here: `Asker`, which is the same for every annotator. Not here: what is asked and read (`annotators.annotator`), sending
and keeping replies (`annotators.endpoint.client`), or units and cells (`pipeline`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotators.annotator import Abstention, Annotator, Reading
from annotators.answer_schema import UnreadableError, parse_answer
from annotators.answers import Answer
from annotators.endpoint.chat import Chat, ChatRequest, Reply
from annotators.inquiry import Form, Inquiry, InvalidAnswerError, repairing
from annotators.subject import ClipSubject, Subject
from schemas.asking import AskConfig, EndpointConfig
from schemas.label import ClipLabels, Label
from schemas.provenance import Provenance


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
        form = Form(
            f"annotate.{annotator.name}", annotator.name, annotator.answer,
            dict(annotator.most(config)), dict(annotator.choices(config)),
        )  # fmt: skip
        self._inquiry: Inquiry[Answer] = Inquiry(form, config.prompt, config, endpoint)
        self._annotator, self._endpoint, self._code_version = annotator, endpoint, code_version
        self._config = self._inquiry.config

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Names of the endpoints that are asked."""
        return (self._config.endpoint,)

    async def answered(self, payload: Subject, chats: Mapping[str, Chat], *, afresh: bool) -> ClipLabels:
        """See `labels`; what every step that asks has."""
        return await self.labels(payload, chats[self._config.endpoint], afresh=afresh)

    def first_request(self, subject: Subject) -> ChatRequest | Abstention:
        """What is sent first for a subject. Raises TooLargeError or PromptError."""
        made = self._annotator.request(subject, self._config)
        if isinstance(made, Abstention):
            return made
        return self._inquiry.request(made)

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
            if rounds:
                request = repairing(request, rounds[-1].reply, rounds[-1].reading.problems)
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
        self._inquiry.require_answer(reply)
        try:
            answer: Answer = parse_answer(reply.text, self._annotator.answer)
        except UnreadableError as error:
            return _Round(reply, Reading((), error.problems))
        return _Round(reply, self._annotator.read(subject, answer, self._config, self._provenance(reply)))

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
            prompt_name=f"{self._inquiry.prompt.name}/{self._inquiry.prompt.version}",
            prompt_sha256=self._inquiry.prompt_sha256,
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


def _divided(total: int, parts: int) -> list[int]:
    """A whole number in parts that differ by one at most."""
    return [total // parts + (part < total % parts) for part in range(parts)]
