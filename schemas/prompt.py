"""Prompts as data: what a model is asked with, carried by the configuration so that a changed text makes labels stale.

Here: `Prompt` and reading its file form. Not here: the prompts that are shipped, or rendering (`annotators.prompts`).
"""

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BeforeValidator

from schemas.base import Record

_FENCE = "---\n"


class Prompt(Record):
    """A Jinja template with its header."""

    name: str
    version: str
    purpose: str
    """One sentence: what it makes a model do."""
    template: str
    """Jinja source with the blocks `system` and `user`."""
    is_shipped: bool = False
    """Whether it is one of ours."""

    @classmethod
    def parse(cls, text: str) -> "Prompt":
        """A prompt from its file form: a YAML header between two lines of `---`, then the template.

        Raises ValueError where the header is missing or not understood.
        """
        if not text.startswith(_FENCE) or _FENCE not in text[len(_FENCE) :]:
            raise ValueError("a prompt starts with a header between two lines of `---`: name, version, purpose")
        header, template = text[len(_FENCE) :].split(_FENCE, 1)
        values = yaml.safe_load(header)
        if not isinstance(values, dict):
            raise ValueError("a prompt's header has the keys name, version and purpose")
        return cls.model_validate({key: str(value) for key, value in values.items()} | {"template": template.strip()})


def _from_file(value: object) -> object:
    """The prompt in a file, where a setting names one."""
    if not isinstance(value, str):
        return value
    try:
        return Prompt.parse(Path(value).read_text())
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ValueError(f"cannot read the prompt {value!r}: {' '.join(str(error).split())}") from error


PromptSetting = Annotated[Prompt | None, BeforeValidator(_from_file)]
"""A prompt in a configuration: written out, or the path of a file like those in `annotators/prompts/`. None is the one
that is shipped; it is written out before a run starts."""
