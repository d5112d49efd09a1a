"""Vocabularies as data: the SV6D dimensions with their values, the QA task list, and the ontology of editing.

Here: loading and validating the YAML files in `schemas/taxonomies/`, or a user's own in their place. Not here: what any
annotator says with these words.
"""

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import BeforeValidator, Field, model_validator

from schemas.base import Record


class Attribute(Record):
    """One attribute of a dimension."""

    name: str
    description: str
    values: tuple[str, ...] = ()
    """Allowed values; empty where the value is free text."""
    measured: bool = False
    """Whether the measured annotator can fill it."""
    ordered: bool = False
    """Whether the values stand on a scale, from one end to the other: neighbours are nearer than the ends."""
    groups: tuple[tuple[str, ...], ...] = ()
    """Values that are nearer to each other than to the rest."""

    @model_validator(mode="after")
    def _groups_its_own_values(self) -> Self:
        unknown = [value for group in self.groups for value in group if value not in self.values]
        if unknown:
            raise ValueError(f"{self.name} groups values that it does not have: {', '.join(unknown)}")
        if self.ordered and not self.values:
            raise ValueError(f"{self.name} has no values that could be ordered")
        return self


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

    def attribute(self, dimension: str, name: str) -> Attribute | None:
        """The attribute of that name in that dimension; None where there is none."""
        attributes = (a for d in self.dimensions if d.name == dimension for a in d.attributes)
        return next((attribute for attribute in attributes if attribute.name == name), None)

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


@cache
def sv6d_taxonomy() -> SV6DTaxonomy:
    """The SV6D taxonomy that is shipped."""
    return SV6DTaxonomy.model_validate(_shipped("sv6d.yaml"))


@cache
def qa_tasks() -> QATaskList:
    """The QA task list that is shipped."""
    return QATaskList.model_validate(_shipped("qa_tasks.yaml"))


def _shipped(name: str) -> object:
    return yaml.safe_load(resources.files("schemas").joinpath("taxonomies", name).read_text())


def _from_file(value: object) -> object:
    """The content of a YAML file, where a setting names one: the run then carries the vocabulary itself."""
    if not isinstance(value, str):
        return value
    try:
        return yaml.safe_load(Path(value).read_text())
    except (OSError, yaml.YAMLError) as error:
        raise ValueError(f"cannot read the vocabulary {value!r}: {' '.join(str(error).split())}") from error


TaxonomySetting = Annotated[SV6DTaxonomy, BeforeValidator(_from_file)]
"""A taxonomy in a configuration: written out, or the path of a YAML file like `schemas/taxonomies/sv6d.yaml`."""

TasksSetting = Annotated[QATaskList, BeforeValidator(_from_file)]
"""A task list in a configuration: written out, or the path of a YAML file like `schemas/taxonomies/qa_tasks.yaml`."""


class EditingValue(Record):
    """One value of a dimension of editing, with what is generally said of it."""

    name: str
    description: str
    """A sentence that holds for any video; questions put it into the words of one."""
    words: tuple[str, ...] = ()
    """Words and short phrases that name it; empty where no option is held against it."""


class EditingDimension(Record):
    """One thing about a shot, or about the joint of two, that can be recognised, explained and judged."""

    name: str
    title: str
    """What it is called in a sentence, without an article."""
    description: str
    exclusive: bool = True
    """Whether an option that names its value may name no other; colours may stand beside each other."""
    values: tuple[EditingValue, ...] = Field(min_length=2)

    def value(self, name: str) -> EditingValue | None:
        """The value of that name; None where there is none."""
        return next((value for value in self.values if value.name == name), None)


class EditingOntology(Record):
    """The dimensions of editing (after VEU-Bench)."""

    name: str
    version: str
    dimensions: tuple[EditingDimension, ...]

    def dimension(self, name: str) -> EditingDimension | None:
        """The dimension of that name; None where there is none."""
        return next((dimension for dimension in self.dimensions if dimension.name == name), None)


@cache
def editing_ontology() -> EditingOntology:
    """The ontology of editing that is shipped."""
    return EditingOntology.model_validate(_shipped("editing.yaml"))


OntologySetting = Annotated[EditingOntology, BeforeValidator(_from_file)]
"""An ontology in a configuration: written out, or the path of a YAML file like `schemas/taxonomies/editing.yaml`."""
