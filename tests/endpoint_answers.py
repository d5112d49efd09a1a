"""Made-up answers of the stand-in endpoint: anything that fits a JSON schema.

Here: filling in a schema. Not here: the server (`tests.endpoint_server`).

Times (`…_s`) lie within the clip, starts before ends; boxes have their right edge right of the left one; texts differ
from each other.
"""

import random
import re
from collections.abc import Mapping
from typing import Any

_WORDS = ("river", "lamp", "window", "dog", "street", "green", "slowly", "turns", "near", "old", "bright", "hand")
_LASTS = re.compile(r"lasts (\d+(?:\.\d+)?) seconds")
_FIRST_HALF, _SECOND_HALF = ("start", "left", "top", "begin", "from"), ("end", "right", "bottom", "to")


def duration_in(prompt: str, otherwise: float) -> float:
    """How long the prompt says that the clip lasts."""
    found = _LASTS.search(prompt)
    return float(found.group(1)) if found else otherwise


class Filler:
    """Values for one schema.

    Args:
        schema: as pydantic makes it, references and all.
        seed: the same seed gives the same answer.
        duration_s: latest time.
    """

    def __init__(self, schema: Mapping[str, Any], seed: str, duration_s: float) -> None:
        self._schema = schema
        self._random = random.Random(seed)  # noqa: S311
        self._duration_s = duration_s
        self._texts = 0

    def answer(self) -> Any:
        """A value that fits the schema."""
        return self._value(self._schema, "", 0)

    def _value(self, schema: Mapping[str, Any], name: str, index: int) -> Any:
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._random.choice(schema["enum"])
        for choice in ("anyOf", "oneOf"):
            if choice in schema:
                return self._value(self._random.choice(schema[choice]), name, index)
        kind = schema.get("type", "object" if "properties" in schema else "null")
        kind = self._random.choice(kind) if isinstance(kind, list) else kind
        if kind == "object":
            return {key: self._value(value, key, index) for key, value in schema.get("properties", {}).items()}
        if kind == "array":
            return self._array(schema, name)
        if kind in ("number", "integer"):
            return self._number(schema, name, index, is_whole=kind == "integer")
        if kind == "string":
            return self._text(schema)
        return self._random.random() < 0.5 if kind == "boolean" else None

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema:
            target: Any = self._schema
            for part in schema["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            schema = target
        return schema["allOf"][0] if "allOf" in schema else schema

    def _array(self, schema: Mapping[str, Any], name: str) -> list[Any]:
        if "prefixItems" in schema:
            return [self._value(item, name, index) for index, item in enumerate(schema["prefixItems"])]
        least = schema.get("minItems", 1)
        most = min(schema.get("maxItems", least + 1), least + 1)
        n_items = self._random.randint(least, max(least, most))
        return [self._value(schema.get("items", {}), name, index) for index in range(n_items)]

    def _number(self, schema: Mapping[str, Any], name: str, index: int, *, is_whole: bool) -> float:
        if name in ("number", "index"):
            return index + 1
        low: float = schema.get("minimum", schema.get("exclusiveMinimum", 0))
        high: float = schema.get("maximum", schema.get("exclusiveMaximum", low + 9 if is_whole else low + 1))
        if name.endswith("_s") and not is_whole:
            high = min(high, self._duration_s) if "maximum" in schema else self._duration_s
        first = name.split("_")[0]
        share = self._random.uniform(0.05, 0.95)
        share = share / 2 if first in _FIRST_HALF else (1 + share) / 2 if first in _SECOND_HALF else share
        value = low + (high - low) * share
        return round(value) if is_whole else round(value, 3)

    def _text(self, schema: Mapping[str, Any]) -> str:
        self._texts += 1
        words = f"{' '.join(self._random.choices(_WORDS, k=4))} {self._texts}"
        words = words.ljust(schema.get("minLength", 0), ".")
        return words[: schema["maxLength"]] if "maxLength" in schema else words
