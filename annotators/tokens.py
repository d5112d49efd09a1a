"""How many tokens a request will take, before it is sent.

Here: estimates. Not here: what a server counted (`annotators.completion`), prices and the rules' figures
(`annotators.prices`).

Text is counted by a rule of ours: one token for each 3.6 bytes of UTF-8, rounded up. English prose has about 4.5 bytes
a token, JSON and numbers about 3, Chinese and Japanese about 3: the estimate is high for prose and about right for the
rest. It never needs a tokenizer, which would differ from model to model.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from annotators.chat import ChatRequest
from annotators.prices import PictureRule, Tariff, Usage

BYTES_PER_TOKEN = 3.6
TOKENS_PER_MESSAGE = 4
"""For the marks around each message. Ours."""
DEFAULT_OUTPUT_TOKENS = 4096
"""Of a request that names no limit. Ours."""


@dataclass(frozen=True)
class Estimate:
    """What a request will take at most, as far as can be told before."""

    input_tokens: int
    output_tokens: int
    """The most that the request allows."""
    cost_usd: float | None
    """None where the price is unknown."""

    @property
    def tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens


def estimate(request: ChatRequest, tariff: Tariff) -> Estimate:
    """Tokens and cost of a request that is answered at the full length it allows."""
    input_tokens = request_tokens(request, tariff.pictures)
    output_tokens = _most_output(request.body)
    usage = Usage(input_tokens=input_tokens, output_tokens=output_tokens)
    return Estimate(input_tokens, output_tokens, tariff.cost_usd(usage))


def request_tokens(request: ChatRequest, rule: PictureRule) -> int:
    """Input tokens: all texts of the messages, the schema of the answer, and the pictures."""
    messages = request.body.get("messages", ())
    texts = sum(text_tokens(text) for message in messages for text in _texts(message.get("content")))
    schema = request.body.get("response_format")
    schema_tokens = text_tokens(json.dumps(schema, ensure_ascii=False)) if schema else 0
    is_low = [part.get("image_url", {}).get("detail") == "low" for part in _picture_parts(request.body)]
    is_low += [False] * (len(request.picture_sizes) - len(is_low))
    pictures = sum(
        picture_tokens(rule, width, height, is_low=low)
        for (width, height), low in zip(request.picture_sizes, is_low, strict=False)
    )
    return texts + schema_tokens + pictures + TOKENS_PER_MESSAGE * len(messages)


def text_tokens(text: str) -> int:
    """Tokens of a text by the rule above; 0 for an empty one."""
    return math.ceil(len(text.encode("utf-8", "surrogatepass")) / BYTES_PER_TOKEN)


def picture_tokens(rule: PictureRule, width: int, height: int, *, is_low: bool = False) -> int:
    """Tokens of a picture of that size in pixels; `is_low` where it is sent with `detail: low`."""
    if rule.kind == "tiles":
        return rule.base + (0 if is_low else rule.each * _openai_tiles(width, height, rule.side))
    if rule.kind == "patches":
        return rule.base + math.ceil(_openai_patches(width, height, rule.side, rule.most) * rule.times)
    if rule.kind == "grid":
        cells = max(1, round(width / rule.side)) * max(1, round(height / rule.side))
        return rule.base + min(rule.most, max(rule.least, cells))
    if rule.kind == "fixed_tiles":
        is_small = max(width, height) <= rule.small
        return rule.each * (1 if is_small else math.ceil(width / rule.side) * math.ceil(height / rule.side))
    scale = min(1.0, rule.side / max(width, height))
    return math.ceil(width * height * scale**2 / rule.each)


def _openai_tiles(width: int, height: int, side: int) -> int:
    """Tiles after the picture was made to fit 2048 x 2048 and its shorter side 768."""
    scale = min(1.0, 2048 / max(width, height))
    scale *= min(1.0, 768 / (min(width, height) * scale))
    return math.ceil(round(width * scale, 6) / side) * math.ceil(round(height * scale, 6) / side)


def _openai_patches(width: int, height: int, side: int, most: int) -> int:
    """Patches, after a picture with too many was made smaller until whole patches fill one of its sides."""
    patches = math.ceil(width / side) * math.ceil(height / side)
    if patches <= most:
        return patches
    shrink = math.sqrt(side**2 * most / (width * height))
    across, down = width * shrink / side, height * shrink / side
    shrink *= min(_fill(across), _fill(down))
    across, down = round(width * shrink / side, 6), round(height * shrink / side, 6)
    return min(most, math.ceil(across) * math.ceil(down))


def _fill(patches: float) -> float:
    """What a side is multiplied by so that it holds whole patches only; 1 where it holds less than one."""
    return math.floor(patches) / patches if patches >= 1 else 1.0


def _texts(content: object) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, list | tuple):
        yield from (part["text"] for part in content if isinstance(part, Mapping) and isinstance(part.get("text"), str))


def _picture_parts(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for message in body.get("messages", ()):
        content = message.get("content")
        if isinstance(content, list | tuple):
            yield from (part for part in content if isinstance(part, Mapping) and part.get("type") == "image_url")


def _most_output(body: Mapping[str, Any]) -> int:
    for name in ("max_completion_tokens", "max_tokens"):
        if isinstance(body.get(name), int):
            return int(body[name])
    return DEFAULT_OUTPUT_TOKENS
