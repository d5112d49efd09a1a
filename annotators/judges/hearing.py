"""All models of a judge asked at the same time: who answered, who did not, what they were shown, what it took.

Here: one round of asking. Not here: one model (`annotators.judges.panel`), or what follows from the answers (the
judges).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Generic, TypeVar

from annotators.annotator import Request
from annotators.answers import Answer
from annotators.endpoint.chat import Chat, ChatRequest, Reply
from annotators.inquiry import AnswerError
from annotators.judges.panel import Heard, Panel
from annotators.pictures import Picture, evenly
from schemas.verdict import Opinion

A = TypeVar("A", bound=Answer)

SILENT = "none"
"""Outcome of the opinion of a model whose answer is none."""


class Listener:
    """A chat that keeps what comes through it."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self.replies: list[Reply] = []
        """In the order in which they came."""

    async def reply(self, request: ChatRequest, *, afresh: bool = False) -> tuple[Reply, bool]:
        """See `annotators.endpoint.chat.Chat`."""
        found = await self._chat.reply(request, afresh=afresh)
        self.replies.append(found[0])
        return found

    @property
    def cost_usd(self) -> float:
        """Of all replies."""
        return sum(reply.cost_usd for reply in self.replies)


@dataclass(frozen=True)
class Shown:
    """What of a request a model was shown: the budget may have left something out."""

    pictures: tuple[Picture, ...]
    """With the numbers that they have in the prompt."""
    facts: tuple[str, ...]
    """The first so many."""

    @property
    def told(self) -> str:
        """In words: `4 frames and 12 measured facts`."""
        return f"{counted(len(self.pictures), 'frame')} and {counted(len(self.facts), 'measured fact')}"


@dataclass(frozen=True)
class Answered(Generic[A]):
    """A model that answered."""

    heard: Heard[A]
    shown: Shown
    replies: tuple[Reply, ...]
    """All that it took, repairs among them."""


@dataclass(frozen=True)
class Round(Generic[A]):
    """What came of asking all."""

    answered: tuple[Answered[A], ...]
    """At least one, in the order in which the endpoints are named."""
    silent: tuple[Opinion, ...] = ()
    """Of each model whose answer is none, with the reason."""
    cost_usd: float = field(default=0.0)
    """Of all replies, also those that no answer could be read from."""

    @property
    def judges(self) -> tuple[str, ...]:
        """The models that answered, each once."""
        return tuple(dict.fromkeys(one.heard.model for one in self.answered))

    @property
    def looked_at(self) -> str:
        """What they were shown, in words; where that differs, each way once."""
        return " or ".join(dict.fromkeys(one.shown.told for one in self.answered))


@dataclass(frozen=True)
class _Silence:
    endpoint: str
    error: AnswerError
    cost_usd: float


async def hear(
    panel: Panel[A], requests: Mapping[str, Request], chats: Mapping[str, Chat], *, afresh: bool
) -> Round[A]:  # fmt: skip
    """What the models say, each asked its own request, by endpoint.

    A model whose answer is none is silent where another answers. Raises AnswerError where all are silent, and
    AskingError where a reply does not come at all; what else was sent has come by then, and is kept.
    """
    asked = (_one(panel, name, made, chats[name], afresh=afresh) for name, made in requests.items())
    came = await asyncio.gather(*asked, return_exceptions=True)
    for one in came:
        if isinstance(one, BaseException):
            raise one
    answered = tuple(one for one in came if isinstance(one, Answered))
    silences = [one for one in came if isinstance(one, _Silence)]
    if not answered:
        raise silences[0].error
    cost_usd = sum(reply.cost_usd for one in answered for reply in one.replies)
    cost_usd += sum(one.cost_usd for one in silences)
    return Round(answered, tuple(_opinion(panel, one) for one in silences), cost_usd)


def shown(made: Request, request: ChatRequest) -> Shown:
    """What of `made` is in the request: pictures evenly chosen, and the first facts."""
    text = "\n".join(_texts(request))
    facts = takewhile(lambda fact: fact in text, made.facts)
    return Shown(tuple(evenly(made.pictures, request.n_pictures)) if request.n_pictures else (), tuple(facts))


def counted(count: int, what: str) -> str:
    """A number of things: `1 frame`, `2 frames`, `no frames`."""
    return f"{count or 'no'} {what}{'' if count == 1 else 's'}"


async def _one(
    panel: Panel[A], endpoint: str, made: Request, chat: Chat, *, afresh: bool
) -> Answered[A] | _Silence:  # fmt: skip
    listener = Listener(chat)
    try:
        request = panel.request(endpoint, made)
        heard = await panel.ask(endpoint, made, {endpoint: listener}, afresh=afresh)
    except AnswerError as error:
        return _Silence(endpoint, error, listener.cost_usd)
    return Answered(heard, shown(made, request), tuple(listener.replies))


def _opinion(panel: Panel[A], silence: _Silence) -> Opinion:
    model = panel.inquiries[silence.endpoint].endpoint.model
    return Opinion(judge=model, about="the whole label", outcome=SILENT, reason=str(silence.error))


def _texts(request: ChatRequest) -> Sequence[str]:
    """All words of a request."""
    found: list[str] = []
    for message in request.body["messages"]:
        content = message["content"]
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        found += [part["text"] for part in parts if part["type"] == "text"]
    return found
