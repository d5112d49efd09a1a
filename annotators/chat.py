"""One request to a chat endpoint and the reply to it, as they are sent, kept and counted.

Here: the records, and the interface that annotators ask through. Not here: sending (`annotators.client`), or what is
asked (`annotators.ask`).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pydantic import Field

from schemas.asking import AskConfig, EndpointConfig
from schemas.base import Record

if TYPE_CHECKING:
    from annotators.pictures import Picture

Message = Mapping[str, Any]
"""A message as OpenAI's chat completions take it: `role` and `content`, which is text or a list of parts."""

Outcome = Literal["success", "truncated", "refused", "empty"]
"""What came back: an answer, one cut off at the token limit, a refusal (also by a content filter), or no text."""


@dataclass(frozen=True)
class ChatRequest:
    """Everything that decides a reply, and whom it is for."""

    annotator: str
    """For the ledger; no part of the key."""
    endpoint: str
    """Name of the endpoint in the configuration; for the ledger, no part of the key."""
    body: Mapping[str, Any]
    """The fields of the request as they are sent: model, messages with their pictures, sampling, response_format."""
    n_pictures: int
    picture_sizes: tuple[tuple[int, int], ...]
    """Width and height of each picture, for counting tokens."""

    @property
    def key(self) -> str:
        """Hash of the body: the same question to the same model with the same settings has the same key."""
        packed = json.dumps(self.body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(packed.encode()).hexdigest()


class Reply(Record):
    """What came back for a request, kept for good: nothing is paid twice."""

    key: str
    annotator: str
    endpoint: str
    model: str
    """As the server calls itself."""
    outcome: Outcome
    text: str
    """The answer as it came; a refusal's own words."""
    finish_reason: str
    input_tokens: int = Field(ge=0)
    cached_input_tokens: int = Field(default=0, ge=0)
    """Those of the input tokens that the server had in its own cache."""
    output_tokens: int = Field(ge=0)
    """Hidden reasoning included."""
    reasoning_tokens: int = Field(default=0, ge=0)
    usage_is_estimated: bool = False
    """Whether the server counted no tokens, so that they were counted here, by `annotators.tokens`."""
    cost_usd: float = Field(ge=0)
    latency_s: float = Field(ge=0)
    attempts: int = Field(ge=1)
    received_at: str
    """UTC, ISO 8601."""


class AskingError(Exception):
    """Base of what can go wrong with a request; the message is one line and holds no key."""


class ReplyFailedError(AskingError):
    """The request failed for good, or as often as is tried: the unit becomes a failure, others go on."""


class EndpointUnusableError(AskingError):
    """No request can succeed: wrong address, key or model. The run ends; the message says what to set."""


class BudgetReachedError(AskingError):
    """The next request could exceed the budget: it is not sent, and the run ends resumably."""


class Chat(Protocol):
    """Whoever replies: the client with its cache, its budget and its limits."""

    async def reply(self, request: ChatRequest, *, afresh: bool = False) -> tuple[Reply, bool]:
        """The reply, and whether it was kept from before.

        `afresh` asks again where the kept reply is known to be of no use. Raises AskingError.
        """
        ...


def chat_request(
    annotator: str,
    endpoint: EndpointConfig,
    config: AskConfig,
    messages: Sequence[Message],
    pictures: "Sequence[Picture]",
    schema_name: str,
    schema: Mapping[str, Any],
) -> ChatRequest:
    """A request as the endpoint takes it."""
    body: dict[str, Any] = {
        "model": endpoint.model,
        "messages": list(messages),
        "temperature": config.temperature,
        "top_p": config.top_p,
        "max_tokens": config.max_tokens,
    }
    if config.seed is not None:
        body["seed"] = config.seed
    if endpoint.structured == "json_schema":
        body["response_format"] = {
            "type": "json_schema", "json_schema": {"name": schema_name, "strict": True, "schema": dict(schema)},
        }  # fmt: skip
    elif endpoint.structured == "json_object":
        body["response_format"] = {"type": "json_object"}
    body |= endpoint.extra_body
    sizes = tuple((picture.width, picture.height) for picture in pictures)
    return ChatRequest(annotator, config.endpoint, body, len(pictures), sizes)
