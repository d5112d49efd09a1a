"""What a request costs: prices of models, and the rule by which each counts pictures.

Here: reading `prices.yaml`, and which of its entries an endpoint gets. Not here: counting tokens
(`annotators.tokens`), or what was spent (`annotators.budget`).
"""

import functools
import os
from datetime import date
from importlib import resources
from typing import Literal
from urllib.parse import urlsplit

import yaml
from pydantic import Field

from schemas.asking import EndpointConfig
from schemas.base import Record

OPENAI_ADDRESS = "https://api.openai.com/v1"
ADDRESS_VARIABLE = "OPENAI_BASE_URL"
BATCH_DISCOUNT = 0.5
"""What the Batch API multiplies prices by where `prices.yaml` says nothing else of a model."""
_ENDS = ("", "-", ":", "@")
"""What may follow the beginning of a model's name that an entry gives: `gpt-5` is no price for `gpt-5.9`."""


class PictureRule(Record):
    """How a family of models counts a picture as tokens; `annotators.tokens.picture_tokens` does it."""

    kind: Literal["tiles", "patches", "grid", "fixed_tiles", "area"]
    words: str
    """The rule as a person would say it."""
    as_of: date
    base: int = 0
    """Tokens that every picture takes beside its size."""
    each: int = 1
    """Tokens of one tile; pixels of one token for `area`."""
    side: int = 512
    """Pixels: side of a tile or patch; for `area` the longest side a picture is left with."""
    small: int = 0
    """Pixels: pictures with no longer side are one tile."""
    least: int = 1
    most: int = 2**31
    """Fewest and most tokens, or patches."""
    times: float = 1.0


class Usage(Record):
    """Tokens of one reply."""

    input_tokens: int = Field(default=0, ge=0)
    cached_input_tokens: int = Field(default=0, ge=0)
    """Those of the input tokens that the server had in its own cache."""
    output_tokens: int = Field(default=0, ge=0)
    """Hidden reasoning included."""
    reasoning_tokens: int = Field(default=0, ge=0)


class Tariff(Record):
    """Prices in USD per million tokens; None where nobody knows them."""

    input: float | None = Field(default=None, ge=0)
    cached: float | None = Field(default=None, ge=0)
    output: float | None = Field(default=None, ge=0)
    pictures: PictureRule

    @property
    def is_known(self) -> bool:
        """Whether a cost can be told."""
        return self.input is not None and self.output is not None

    def cost_usd(self, usage: Usage) -> float | None:
        """What the tokens cost; None where the price is unknown."""
        if self.input is None or self.output is None:
            return None
        cached_price = self.input if self.cached is None else self.cached
        cached = min(usage.cached_input_tokens, usage.input_tokens)
        fresh = usage.input_tokens - cached
        return (fresh * self.input + cached * cached_price + usage.output_tokens * self.output) / 1e6


class _Entry(Record):
    """One model of `prices.yaml`."""

    input: float | None = None
    cached: float | None = None
    output: float | None = None
    batch: float = BATCH_DISCOUNT
    pictures: str
    as_of: date


class _PriceList(Record):
    pictures: dict[str, PictureRule]
    models: dict[str, _Entry]


def tariff(endpoint: EndpointConfig) -> Tariff:
    """Prices of an endpoint, and its rule for pictures.

    Its own settings win; a server on this machine costs nothing; the rest is in `prices.yaml`. With `way: batch` all of
    them are multiplied by the model's batch discount, also those of the settings.
    """
    entry = _entry(endpoint.model)
    rules = _price_list().pictures
    rule = rules[entry.pictures if entry else "default"]
    discount = 1.0 if endpoint.way == "chat" else entry.batch if entry else BATCH_DISCOUNT
    if is_local(address(endpoint)):
        prices: tuple[float | None, float | None, float | None] = (0.0, 0.0, 0.0)
    else:
        prices = (entry.input, entry.cached, entry.output) if entry else (None, None, None)
    input_price, cached_price, output_price = prices
    if endpoint.input_usd_per_million is not None:
        input_price, cached_price = endpoint.input_usd_per_million, None
    if endpoint.output_usd_per_million is not None:
        output_price = endpoint.output_usd_per_million
    return Tariff(
        input=_times(input_price, discount), cached=_times(cached_price, discount),
        output=_times(output_price, discount), pictures=rule,
    )  # fmt: skip


def prices_as_of(model: str) -> date | None:
    """Of which day the prices of a model are; None where there are none."""
    entry = _entry(model)
    return entry.as_of if entry and entry.input is not None else None


def address(endpoint: EndpointConfig) -> str:
    """Where the endpoint is: its setting, `OPENAI_BASE_URL`, or OpenAI's own; without a slash at its end."""
    return (endpoint.base_url or os.environ.get(ADDRESS_VARIABLE, "") or OPENAI_ADDRESS).strip().rstrip("/")


def is_local(url: str) -> bool:
    """Whether an address is on this machine."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:  # half a bracket of an IPv6 address
        return False
    return host in ("localhost", "::1", "0.0.0.0") or host.endswith(".localhost") or _is_loopback(host)  # noqa: S104


def _is_loopback(host: str) -> bool:
    numbers = host.split(".")
    return len(numbers) == 4 and numbers[0] == "127" and all(number.isdigit() for number in numbers)


def _times(price: float | None, discount: float) -> float | None:
    return None if price is None else price * discount


def _entry(model: str) -> _Entry | None:
    """The longest entry that begins the model's name."""
    name = model.lower().rsplit("/", 1)[-1]
    fitting = [key for key in _price_list().models if name.startswith(key) and name[len(key) :][:1] in _ENDS]
    return _price_list().models[max(fitting, key=len)] if fitting else None


@functools.cache
def _price_list() -> _PriceList:
    text = resources.files("annotators").joinpath("prices.yaml").read_text(encoding="utf-8")
    return _PriceList.model_validate(yaml.safe_load(text))
