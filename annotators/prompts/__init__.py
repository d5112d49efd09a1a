"""Prompts: one Jinja file an annotator, with name, version and purpose in its header.

Here: reading and rendering them, and fencing text that is data. Not here: what is asked (the annotators), or settings
(`schemas.prompt`).
"""

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from schemas.prompt import Prompt

_FENCE_CHARS = 12
_CUT_OFF = " […]"
_CONTROL_TOKEN = re.compile(r"<(?=[|/!_\uff5cA-Za-z])|\[(?=/?[A-Za-z_]{2,16}\])")
"""Where a control token of some model could begin: `<|im_start|>`, `<s>`, `<<SYS>>`, `[INST]`."""
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_TEMPLATE_ERRORS = (TemplateError, ArithmeticError, LookupError, RecursionError, TypeError, ValueError)
"""A template is a program of its user's: what it does with values can fail in all these ways."""


class PromptError(Exception):
    """A prompt that cannot be rendered; one line that names it and the cause."""


def shipped(name: str) -> Prompt:
    """The prompt of an annotator that is shipped. Raises FileNotFoundError, or ValueError for a broken header."""
    return Prompt.parse(_folder().joinpath(f"{name}.j2").read_text(encoding="utf-8"))


def prompt_sha256(prompt: Prompt) -> str:
    """Hash of everything that decides what is rendered from the same values: the template and the shared rules."""
    shared = _folder().joinpath("rules.j2").read_text(encoding="utf-8")
    return hashlib.sha256((prompt.template + shared).encode()).hexdigest()


def render(prompt: Prompt, values: Mapping[str, Any]) -> tuple[str, str]:
    """The system and the user message. Raises PromptError."""
    try:
        template = _environment().from_string(prompt.template)
        context = template.new_context(dict(values))
        missing = [name for name in ("system", "user") if name not in template.blocks]
        if missing:
            raise PromptError(f"prompt {prompt.name!r} has no block {missing[0]!r}")
        system, user = ("".join(template.blocks[name](context)).strip() for name in ("system", "user"))
    except _TEMPLATE_ERRORS as error:
        raise PromptError(f"prompt {prompt.name!r}: {' '.join(str(error).split())}") from error
    return system, user


def fenced(text: object, most_chars: int | None = None) -> str:
    """Text from a video, a file or a model as data: between two lines that it cannot contain, cut to `most_chars`.

    The fence is a hash of the text, so that whoever wrote the text could not foresee it. Servers may read control
    tokens wherever they stand in a message, so a space comes after each `<` or `[` that could begin one. Ours.
    """
    content = _UNPRINTABLE.sub("", str(text).encode("utf-8", "replace").decode())
    if most_chars is not None and len(content) > most_chars:
        content = content[: max(0, most_chars - len(_CUT_OFF))] + _CUT_OFF
    content = _CONTROL_TOKEN.sub(lambda found: f"{found[0]} ", content)
    seed = content
    while (mark := _mark(seed)) in content:
        seed += mark
    return f"<data {mark}>\n{content}\n</data {mark}>"


def _mark(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()[:_FENCE_CHARS]


def _folder() -> Any:
    return resources.files("annotators").joinpath("prompts")


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(str(_folder())),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    environment.filters["data"] = fenced
    shared: Any = environment.get_template("rules.j2").module
    environment.globals |= {"rules": shared.rules, "data_rules": shared.data_rules, "clip": shared.clip}
    return environment


RULES_SHA256 = hashlib.sha256(_folder().joinpath("rules.j2").read_bytes()).hexdigest()
"""Hash of what all prompts share."""
