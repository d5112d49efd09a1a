"""What a chat completion says: text, outcome and tokens, from all the servers that mean slightly different things.

Here: reading the body of a reply, whole or streamed. Not here: sending (`annotators.client`), parsing the answer
(`annotators.ask`).
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotators.chat import Outcome
from annotators.prices import Usage
from annotators.tokens import text_tokens

_CUT_OFF = {"length", "max_tokens", "model_length", "max_output_tokens"}
_FILTERED = {"content_filter", "content_filtered", "safety", "prohibited_content", "refusal", "recitation", "blocklist"}
_THOUGHTS = re.compile(r"\s*(?:<(think|thinking|seed:think)>|\[THINK\])(.*?)(?:</\1>|\[/THINK\])", re.DOTALL)
_OPENING = re.compile(r"\s*(?:<(?:think|thinking|seed:think)>|\[THINK\])")
_CLOSING = re.compile(r"</(?:think|thinking|seed:think)>|\[/THINK\]")
_FINAL_CHANNEL = "<|channel|>final<|message|>"
_MARK_AT_END = re.compile(r"(?:<\|(?:end|return|im_end)\|>\s*)+$")


class BrokenReplyError(Exception):
    """What came back is no chat completion: cut off, not JSON, or without a choice."""


class WrittenError(Exception):
    """The server wrote an error into a reply whose status was good."""

    def __init__(self, status: int, body: object) -> None:
        super().__init__(f"an error in a good reply, status {status}")
        self.status = status
        self.body = body

    @classmethod
    def of(cls, body: object) -> "WrittenError":
        """From an error object, or a body that holds one; status 500 where it names none."""
        error = body.get("error", body) if isinstance(body, Mapping) else body
        code = error.get("code") if isinstance(error, Mapping) else None
        try:
            status = int(str(code))
        except ValueError:
            status = 500
        return cls(status if 400 <= status <= 599 else 500, body)


@dataclass(frozen=True)
class Completion:
    """One answer of a model, thoughts cut off and counted."""

    model: str
    outcome: Outcome
    text: str
    finish_reason: str
    usage: Usage
    usage_is_estimated: bool


def parsed_body(content: bytes) -> Mapping[str, Any]:
    """The JSON object of a reply. Raises BrokenReplyError."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BrokenReplyError(f"the body is not JSON ({type(error).__name__}, {len(content)} bytes)") from None
    if not isinstance(body, Mapping):
        raise BrokenReplyError(f"the body is JSON, but {type(body).__name__} where an object was expected")
    return body


def read_completion(body: Mapping[str, Any], n_input_estimated: int) -> Completion:
    """What a whole reply says; `n_input_estimated` counts where the server counts nothing.

    Raises BrokenReplyError or WrittenError.
    """
    if body.get("error") and not body.get("choices"):
        raise WrittenError.of(body)
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, Sequence) and choices else None
    message = choice.get("message") if isinstance(choice, Mapping) else None
    if not isinstance(choice, Mapping) or not isinstance(message, Mapping):
        raise BrokenReplyError("no choices in the reply")
    if isinstance(choice.get("error"), Mapping):
        raise WrittenError.of(choice)
    parts = _Parts(
        model=_text(body.get("model")), content=_joined(message.get("content")),
        thoughts=_text(message.get("reasoning_content")) or _text(message.get("reasoning")),
        refusal=_text(message.get("refusal")), finish_reason=_text(choice.get("finish_reason")),
    )  # fmt: skip
    return parts.completion(body.get("usage"), n_input_estimated)


class StreamedCompletion:
    """A reply that comes in chunks."""

    def __init__(self) -> None:
        self._model = ""
        self._pieces: dict[str, list[str]] = {"content": [], "thoughts": [], "refusal": []}
        self._finish_reason = ""
        self._usage: object = None

    def add(self, chunk: object) -> None:
        """One chunk, as parsed JSON. Raises BrokenReplyError or WrittenError."""
        if not isinstance(chunk, Mapping):
            raise BrokenReplyError("a chunk of the stream is no object")
        if chunk.get("error"):
            raise WrittenError.of(chunk)
        self._model = _text(chunk.get("model")) or self._model
        self._usage = chunk.get("usage") or self._usage
        choices = chunk.get("choices")
        choice = choices[0] if isinstance(choices, Sequence) and choices else None
        if not isinstance(choice, Mapping):
            return
        delta = choice.get("delta")
        if isinstance(delta, Mapping):
            self._pieces["content"].append(_joined(delta.get("content")))
            self._pieces["thoughts"].append(_text(delta.get("reasoning_content")) or _text(delta.get("reasoning")))
            self._pieces["refusal"].append(_text(delta.get("refusal")))
        self._finish_reason = _text(choice.get("finish_reason")) or self._finish_reason

    def completion(self, n_input_estimated: int) -> Completion:
        """All of it. Raises BrokenReplyError where the stream ended before the model did."""
        if not self._finish_reason:
            raise BrokenReplyError("the stream ended before the reply did")
        joined = {name: "".join(pieces) for name, pieces in self._pieces.items()}
        parts = _Parts(model=self._model, finish_reason=self._finish_reason, **joined)
        return parts.completion(self._usage, n_input_estimated)


@dataclass(frozen=True)
class _Parts:
    """A reply's pieces, before they are judged."""

    model: str
    content: str
    thoughts: str
    refusal: str
    finish_reason: str

    def completion(self, usage: object, n_input_estimated: int) -> Completion:
        text, said_thoughts = _without_thoughts(self.content)
        thoughts = self.thoughts + said_thoughts
        counted, is_estimated = _usage(usage, n_input_estimated, text + self.refusal, thoughts)
        outcome = self._outcome(text)
        shown = self.refusal if outcome == "refused" and self.refusal else text
        return Completion(self.model, outcome, _sound(shown), self.finish_reason, counted, is_estimated)

    def _outcome(self, text: str) -> Outcome:
        reason = self.finish_reason.lower()
        if self.refusal or reason in _FILTERED:
            return "refused"
        if reason in _CUT_OFF:
            return "truncated"
        return "success" if text.strip() else "empty"


def _without_thoughts(content: str) -> tuple[str, str]:
    """The answer, and the thoughts that stood before it.

    An answer that begins as JSON is left alone: marks inside it are what it speaks of.
    """
    if _FINAL_CHANNEL in content and content.lstrip().startswith("<|"):
        thoughts, _, answer = content.rpartition(_FINAL_CHANNEL)
        return _MARK_AT_END.sub("", answer), thoughts
    if content.lstrip()[:1] in ("{", "["):
        return (content, "") if not _OPENING.match(content) else _cut(content)
    return _cut(content)


def _cut(content: str) -> tuple[str, str]:
    match = _THOUGHTS.match(content)
    if match:
        return content[match.end() :].lstrip(), match.group(2)
    if _OPENING.match(content):  # it thought until the end
        return "", content
    closing = _CLOSING.search(content)  # the opening mark was part of the prompt
    return (content[closing.end() :].lstrip(), content[: closing.start()]) if closing else (content, "")


def _usage(usage: object, n_input_estimated: int, text: str, thoughts: str) -> tuple[Usage, bool]:
    """Tokens as the server counted them, and whether any of them had to be estimated."""
    counted = usage if isinstance(usage, Mapping) else {}
    n_input, n_output = _count(counted, "prompt_tokens"), _count(counted, "completion_tokens")
    total = _count(counted, "total_tokens")
    is_estimated = not n_input or (n_output is None)
    if n_input and total and n_output is not None:
        n_output = max(n_output, total - n_input)  # some leave hidden reasoning out of the completion
    n_thoughts = _count(_inner(counted, "completion_tokens_details"), "reasoning_tokens") or 0
    n_cached = _count(_inner(counted, "prompt_tokens_details"), "cached_tokens")
    if n_cached is None:
        n_cached = _count(counted, "prompt_cache_hit_tokens") or 0
    n_input = n_input or n_input_estimated
    if n_output is None:
        n_output = text_tokens(text) + text_tokens(thoughts)
    n_thoughts = n_thoughts or min(text_tokens(thoughts), n_output)
    usage_counted = Usage(
        input_tokens=n_input, cached_input_tokens=min(n_cached, n_input), output_tokens=n_output,
        reasoning_tokens=min(n_thoughts, n_output),
    )  # fmt: skip
    return usage_counted, is_estimated


def _inner(counted: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = counted.get(name)
    return inner if isinstance(inner, Mapping) else {}


def _count(counted: Mapping[str, Any], name: str) -> int | None:
    value = counted.get(name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**53
    return int(value) if value is not None and is_number else None


def _joined(content: object) -> str:
    """Text of a message's content, which some give in parts, thoughts among them."""
    if isinstance(content, Sequence) and not isinstance(content, str):
        parts = [part for part in content if isinstance(part, Mapping) and part.get("type") in ("text", "output_text")]
        return "".join(_text(part.get("text")) for part in parts)
    return _text(content)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _sound(text: str) -> str:
    """Text that can be written as UTF-8: halves of characters, which JSON allows, become question marks."""
    return text.encode("utf-8", "replace").decode()
