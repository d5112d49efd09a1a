"""What an annotator that asks a model is: a request made from a subject, and labels read from the answer.

Here: the interface. Not here: asking, repairing and counting (`annotators.ask`), or which annotators there are
(`annotators.table`).

An annotator is two pure functions. `request` chooses what the prompt's template and the model are shown; `read` turns
a parsed answer into labels and says of each part that cannot stand why, in words that the model can act on: it is
asked once to repair them, and what still fails is recorded.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from annotators.answers import Answer
from annotators.pictures import Picture
from schemas.label import Label
from schemas.provenance import Provenance

A = TypeVar("A", bound=Answer)


@dataclass(frozen=True)
class Abstention:
    """Why a subject is not asked about at all."""

    reason: str


@dataclass(frozen=True)
class Request:
    """What a model is asked about one subject."""

    values: Mapping[str, Any]
    """What the template may use beside `facts` and `pictures`. Text from the video goes through the filter `data`."""
    pictures: tuple[Picture, ...] = ()
    facts: tuple[str, ...] = ()
    """Measured facts in words, most important first: the last ones are left out where the budget is short."""


@dataclass(frozen=True)
class Reading:
    """What was read from an answer."""

    labels: tuple[Label, ...]
    """New ones with an empty `label_id`; revised ones with the id they have."""
    problems: tuple[str, ...] = field(default=())
    """What cannot stand, one sentence each."""


@dataclass(frozen=True)
class Annotator(Generic[A]):
    """One annotator."""

    name: str
    """Also the name of its section below `annotate`, of its step, and of its prompt."""
    version: str
    """Raised when the same answer would be read differently."""
    unit: Literal["clip", "label", "slice"]
    """What one request is about."""
    answer: type[A]
    request: Callable[[Any, Any], Request | Abstention]
    """From the subject and the annotator's section of the configuration."""
    read: Callable[[Any, A, Any, Provenance], Reading]
    """From the subject, the answer, the section, and the provenance that labels get. Never raises for what a model
    said."""
    kind: Literal["caption", "qa", "sv6d", "checklist", "moments", "trace"]
    """Kind of the labels that it makes or revises."""
    most: Callable[[Any], Mapping[str, int]] = field(default=lambda _: {})
    """From the section: the most items of lists in the answer, by the name of their field. The schema that is sent says
    so, for small models write lists without end."""
    after: tuple[str, ...] = ()
    """Annotators whose labels it reads, where they are switched on; of a label unit, those whose labels are units."""
    revises: bool = False
    """Whether it changes labels of earlier annotators, and makes none of its own."""
