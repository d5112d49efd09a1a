"""Vocabularies as data: the SV6D dimensions with their values, and the QA task list.

Here: loading and validating the YAML files in `schemas/taxonomies/`, or a user's own in their place.
"""

from functools import cache
from importlib import resources
from pathlib import Path

import yaml
from pydantic import Field

from schemas.base import Record


class Attribute(Record):
    """One attribute of a dimension."""

    name: str
    description: str
    values: tuple[str, ...] = ()
    """Allowed values; empty where the value is free text."""
    measured: bool = False
    """Whether the measured annotator can fill it."""


class Dimension(Record):
    """One of the six dimensions of SV6D."""

    name: str
    description: str
    attributes: tuple[Attribute, ...] = Field(min_length=1)


class SV6DTaxonomy(Record):
    """The six dimensions."""

    name: str
    version: str
    dimensions: tuple[Dimension, ...]

    def allows(self, dimension: str, attribute: str, value: str) -> bool:
        """Whether the taxonomy knows the attribute and permits the value."""
        for candidate in (d for d in self.dimensions if d.name == dimension):
            for known in (a for a in candidate.attributes if a.name == attribute):
                return not known.values or value in known.values
        return False


class QATask(Record):
    """One kind of question."""

    name: str
    family: str
    """Where the task comes from: `measured`, or the paper's name."""
    description: str


class QATaskList(Record):
    """The tasks an annotator may ask about."""

    name: str
    version: str
    tasks: tuple[QATask, ...]

    def names(self, family: str) -> tuple[str, ...]:
        """Names of one family's tasks, in order."""
        return tuple(task.name for task in self.tasks if task.family == family)


def _read(path: Path | None, default: str) -> object:
    text = path.read_text() if path else resources.files("schemas").joinpath("taxonomies", default).read_text()
    return yaml.safe_load(text)


@cache
def sv6d_taxonomy(path: Path | None = None) -> SV6DTaxonomy:
    """The SV6D taxonomy: ours, or the one at `path`. Raises pydantic.ValidationError where the file is not one."""
    return SV6DTaxonomy.model_validate(_read(path, "sv6d.yaml"))


@cache
def qa_tasks(path: Path | None = None) -> QATaskList:
    """The QA task list: ours, or the one at `path`. Raises pydantic.ValidationError where the file is not one."""
    return QATaskList.model_validate(_read(path, "qa_tasks.yaml"))
