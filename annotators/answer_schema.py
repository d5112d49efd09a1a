"""From a type of answer to the JSON schema a server is given, and from a reply's text back to the answer.

Here: `json_schema` and `parse_answer`. Not here: what the parts of an answer must hold beyond their types (each
annotator's `read`).
"""

import json
import re
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from annotators.answers import Answer

A = TypeVar("A", bound=Answer)

MAX_PROBLEMS = 8
"""Violations that a model is told of at one go. Ours."""

_DROPPED = frozenset({"title", "default", "minLength", "maxLength"})
_CODE_FENCE = re.compile(r"^```[a-zA-Z]*\s*\n(.*?)\n?```\s*$", re.DOTALL)


class UnreadableError(Exception):
    """A reply that is no answer of the wanted form; `problems` says why, in words a model can act on."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def json_schema(
    answer: type[Answer], most: Mapping[str, int] | None = None, most_chars: int | None = None
) -> dict[str, Any]:
    """The schema of an answer, as strict servers want it: every field required, nothing further allowed.

    Args:
        answer: its type.
        most: most items of lists, by the name of their field.
        most_chars: of every text; None leaves texts without a limit.
    """
    schema: dict[str, Any] = _strict(answer.model_json_schema(), most or {}, most_chars)
    return schema


def _strict(schema: Any, most: Mapping[str, int], most_chars: int | None) -> Any:
    if isinstance(schema, list):
        return [_strict(item, most, most_chars) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    # Below `properties` and `$defs` keys are names of ours, not words of JSON Schema.
    named = {
        key: {name: _limited(name, _strict(part, most, most_chars), most) for name, part in schema[key].items()}
        for key in ("properties", "$defs")
        if key in schema
    }
    kept = {
        key: _strict(value, most, most_chars)
        for key, value in schema.items()
        if key not in _DROPPED and key not in named
    }
    if "properties" in named:
        kept |= {"additionalProperties": False, "required": list(named["properties"])}
    if most_chars is not None and kept.get("type") == "string" and "enum" not in kept:
        kept["maxLength"] = most_chars
    return kept | named


def _limited(name: str, part: Any, most: Mapping[str, int]) -> Any:
    return part | {"maxItems": most[name]} if name in most and part.get("type") == "array" else part


def parse_answer(text: str, answer: type[A]) -> A:
    """The answer in a reply: the text itself, the inside of a code fence, or the first JSON object in it.

    Raises UnreadableError where there is no such object, or it does not fit the schema.
    """
    try:
        return answer.model_validate(_object_in(text))
    except ValidationError as error:
        problems = [f"{_place(found['loc'])}: {found['msg']}" for found in error.errors()[:MAX_PROBLEMS]]
        raise UnreadableError(tuple(problems)) from error


def _object_in(text: str) -> Any:
    stripped = text.strip()
    if fenced := _CODE_FENCE.match(stripped):
        stripped = fenced[1].strip()
    start = stripped.find("{")
    if start < 0:
        raise UnreadableError(("the answer holds no JSON object",))
    try:
        found, _ = json.JSONDecoder().raw_decode(stripped[start:])
    except ValueError as error:
        raise UnreadableError((f"the answer is no JSON: {error}",)) from error
    return found


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "the answer"
