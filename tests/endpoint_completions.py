"""Replies of the stand-in endpoint: their content, their tokens and what they cost.

Here: chat completions, whole or in chunks. Not here: HTTP and faults (`tests.endpoint_server`).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.endpoint import Log, Plan
from tests.endpoint_answers import Filler, duration_in

_THOUGHTS = "The picture shows something. I should say what it is, in JSON."
_REFUSAL = "I cannot help with that."


@dataclass(frozen=True)
class Completion:
    """An answer with its tokens."""

    body: dict[str, Any]
    n_pictures: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int


def completion_of(plan: Plan, body: Mapping[str, Any], fault: str) -> Completion:
    """The reply to a request, as the fault bends it."""
    prompt = "\n".join(texts(body))
    answer = _answer(plan, body, prompt, fault)
    message: dict[str, Any] = {"role": "assistant", "content": answer, "refusal": None}
    finish = {"filtered": "content_filter", "truncated": "length"}.get(fault, "stop")
    if fault == "refused":
        message |= {"content": None, "refusal": _REFUSAL}
    elif plan.thoughts == "tags":
        message["content"] = f"<think>\n{_THOUGHTS}\n</think>\n\n{answer}"
    elif plan.thoughts == "field":
        message["reasoning_content"] = _THOUGHTS
    n_pictures = len(pictures(body))
    n_input = 20 + len(prompt) // 4 + 100 * n_pictures
    n_output = 1 + len(answer) // 4 + (len(_THOUGHTS) // 4 if plan.thoughts else 0)
    n_cached = int(n_input * plan.cached_share)
    reply: dict[str, Any] = {
        "id": "chatcmpl-stand-in", "object": "chat.completion", "created": 1,
        "model": body.get("model", "stand-in"),
        "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}],
    }  # fmt: skip
    if plan.with_usage:
        reply["usage"] = {
            "prompt_tokens": n_input, "completion_tokens": n_output, "total_tokens": n_input + n_output,
            "prompt_tokens_details": {"cached_tokens": n_cached},
        }  # fmt: skip
    return Completion(reply, n_pictures, n_input, n_cached, n_output)


def _answer(plan: Plan, body: Mapping[str, Any], prompt: str, fault: str) -> str:
    if fault == "invalid":
        return '{"nothing": "that was asked for"}'
    schema = body.get("response_format", {}).get("json_schema", {}).get("schema")
    if plan.answer is not None:
        made = plan.answer(body)
    elif schema is not None:
        seed = f"{plan.seed} {hashlib.sha256(prompt.encode()).hexdigest()}"
        made = Filler(schema, seed, duration_in(prompt, plan.duration_s)).answer()
    else:
        made = {"answer": "something is seen"}
    text = made if isinstance(made, str) else json.dumps(made)
    return text[: len(text) // 2] if fault == "truncated" else text


def count(plan: Plan, log: Log, key: str, completion: Completion, discount: float = 1.0) -> None:
    """A reply was delivered, and is paid; input that was cached costs as much as other input."""
    log.successes[key] += 1
    log.input_tokens += completion.input_tokens
    log.output_tokens += completion.output_tokens
    log.n_pictures += completion.n_pictures
    cost = completion.input_tokens * plan.input_usd_per_million + completion.output_tokens * plan.output_usd_per_million
    log.cost_usd += discount * cost / 1e6


def chunks(body: Mapping[str, Any], completion: Completion) -> list[dict[str, Any]]:
    """A reply as the chunks of a stream."""
    whole = completion.body
    message = whole["choices"][0]["message"]
    head = {"id": whole["id"], "object": "chat.completion.chunk", "created": 1, "model": whole["model"]}
    pieces: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    for name in ("reasoning_content", "content", "refusal"):
        text = message.get(name) or ""
        pieces += [{name: text[start : start + 40]} for start in range(0, len(text), 40)]
    made = [{**head, "choices": [{"index": 0, "delta": piece, "finish_reason": None}]} for piece in pieces]
    finish = whole["choices"][0]["finish_reason"]
    made.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    if (body.get("stream_options") or {}).get("include_usage") and "usage" in whole:
        made.append({**head, "choices": [], "usage": whole["usage"]})
    return made


def _parts(body: Mapping[str, Any]) -> list[Any]:
    parts: list[Any] = []
    for message in body.get("messages", []):
        content = message.get("content")
        parts += [{"type": "text", "text": content}] if isinstance(content, str) else content or []
    return parts


def texts(body: Mapping[str, Any]) -> list[str]:
    """Texts of the messages."""
    return [part["text"] for part in _parts(body) if part.get("type") == "text"]


def pictures(body: Mapping[str, Any]) -> list[Any]:
    """Pictures of the messages."""
    return [part for part in _parts(body) if part.get("type") == "image_url"]
