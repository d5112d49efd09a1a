"""Models that answer for `verify.leakage` and `verify.question_class`: a sound one, and ones of known ability.

Here: `first_option` for the dispatch of `tests.answerer`, and `Answerer`, a `Plan.answer` that knows some answers and
guesses the others. They read prompts as a model does, by their words.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Made = dict[str, Any]


def first_option(told: str, _duration_s: float) -> Made:
    """Always the first option, whatever is shown: over all rotations it is right exactly as often as guessing is."""
    _, options = question_in(told)
    return {"answer": next(iter(options), "something that nobody can know")}


BLIND_MAKERS = {"leakage": first_option, "question_class": first_option}
"""By the name of the schema in the request."""


def question_in(told: str) -> tuple[str, dict[str, str]]:
    """The question of a prompt, and its options by the name that they have there; none for an open-ended one."""
    question, options = (
        re.search(rf"^{before}[^\n]*\n<data (\w+)>\n(.*?)\n</data \1>", told, re.MULTILINE | re.DOTALL)
        for before in ("The question:", "Its options")
    )
    assert question is not None, told
    lines = options[2].split("\n") if options else []
    return question[2], dict(line.split(". ", 1) for line in lines)


def n_pictures(body: Mapping[str, Any]) -> int:
    """Pictures in a request."""
    return sum(part["type"] == "image_url" for part in _parts(body))


def frames_told(body: Mapping[str, Any]) -> list[str]:
    """What stands before each picture of a request."""
    return [part["text"] for part in _parts(body)[1:] if part["type"] == "text"]


def _parts(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What the user's first message is made of: the prompt, then pictures with what is said of each."""
    content = next(message["content"] for message in body["messages"] if message["role"] == "user")
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


@dataclass(frozen=True)
class Answerer:
    """Knows what it knows; otherwise draws from the request, or takes the first option."""

    knows: Mapping[str, str] = field(default_factory=dict)
    """Answer by question: known without the video."""
    in_any_order: Mapping[str, str] = field(default_factory=dict)
    """Known where frames are shown."""
    in_order: Mapping[str, str] = field(default_factory=dict)
    """Known where frames are shown with their times."""
    from_captions: Mapping[str, str] = field(default_factory=dict)
    """Known where captions are told."""
    otherwise: Literal["guesses", "first"] = "guesses"

    def __call__(self, body: Mapping[str, Any]) -> Made:
        """The answer to one request."""
        told = str(_parts(body)[0]["text"])
        question, options = question_in(told)
        answer = self._known(body, told).get(question)
        if not options:
            return {"answer": answer or "something that nobody can know"}
        found = [name for name, text in options.items() if text == answer]
        return {"answer": found[0] if found else self._guess(body, list(options))}

    def _known(self, body: Mapping[str, Any], told: str) -> dict[str, str]:
        known = dict(self.knows)
        if "described the clip so" in told:
            known |= self.from_captions
        if n_pictures(body):
            known |= self.in_any_order
        if any("at" in line for line in frames_told(body)):
            known |= self.in_order
        return known

    def _guess(self, body: Mapping[str, Any], names: list[str]) -> str:
        if self.otherwise == "first":
            return names[0]
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).digest()
        return names[int.from_bytes(digest[:8], "big") % len(names)]
