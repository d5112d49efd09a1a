"""Tables of counts that add up: one row a thing counted, exact under any order of merging.

Here: `Tally`, its kinds and `merged`. Not here: what is counted (`data_cards.statistics`).
"""

from collections.abc import Iterable
from typing import ClassVar, Literal, Self, TypeVar

from pydantic import Field

from schemas.base import Record
from schemas.dataset import DatasetSplit
from schemas.evidence import Modality
from schemas.signals import CameraTerm

CheckOutcome = Literal["confirmed", "contradicted", "unchecked"]

Checked = Literal[Modality, "words"]
"""What a check is of: evidence of one modality, or what labels say in their own words."""


class Tally(Record):
    """One row of a table of counts: rows with equal keys add up, the others stand beside each other.

    Everything that is summed is an integer, microseconds and nanodollars included, so that merging is exact and
    does not depend on the order of the parts.
    """

    keys: ClassVar[tuple[str, ...]] = ("name",)
    """Fields that say what was counted."""
    sums: ClassVar[tuple[str, ...]] = ("count",)
    """Fields that add up."""

    @property
    def key(self) -> tuple[str | int, ...]:
        """What was counted; tables are sorted by it."""
        return tuple(getattr(self, name) for name in self.keys)

    def __add__(self, other: Self) -> Self:
        return self.replace(**{name: getattr(self, name) + getattr(other, name) for name in self.sums})


class NamedTally(Tally):
    """How often a term occurred."""

    name: str
    count: int = Field(default=1, ge=0)


class SplitTally(Tally):
    """One split of the data set."""

    keys: ClassVar[tuple[str, ...]] = ("name",)
    sums: ClassVar[tuple[str, ...]] = ("samples", "labels", "frames", "size_bytes", "duration_us")

    name: DatasetSplit
    samples: int = Field(ge=0)
    labels: int = Field(ge=0)
    frames: int = Field(ge=0)
    size_bytes: int = Field(ge=0)
    duration_us: int = Field(ge=0)
    """Microseconds of video."""


class DurationBin(Tally):
    """Clips at least `start_s` and less than `end_s` long."""

    keys: ClassVar[tuple[str, ...]] = ("start_s",)

    start_s: int
    end_s: int | None
    """None where the bin has no end."""
    count: int = Field(default=1, ge=0)


class ResolutionTally(Tally):
    """Clips of one display size, in pixels."""

    keys: ClassVar[tuple[str, ...]] = ("width", "height")

    width: int
    height: int
    count: int = Field(default=1, ge=0)


class ShotCountTally(Tally):
    """Clips with one number of shots."""

    keys: ClassVar[tuple[str, ...]] = ("n_shots",)

    n_shots: int
    count: int = Field(default=1, ge=0)


class CameraTally(Tally):
    """Camera segments of one term."""

    sums: ClassVar[tuple[str, ...]] = ("count", "duration_us")

    name: CameraTerm
    count: int = Field(default=1, ge=0)
    duration_us: int = Field(ge=0)
    """Microseconds of video."""


class ValueTally(Tally):
    """SV6D values: one attribute with one value."""

    keys: ClassVar[tuple[str, ...]] = ("dimension", "attribute", "value")

    dimension: str
    attribute: str
    value: str
    count: int = Field(default=1, ge=0)


class AnswerTally(Tally):
    """QA items with `n_options` options whose right one stands at `position`, 0 for the first."""

    keys: ClassVar[tuple[str, ...]] = ("n_options", "position")

    n_options: int
    position: int
    count: int = Field(default=1, ge=0)


class CheckTally(Tally):
    """Pieces of evidence of one modality with one outcome of their check; without a check they are `unchecked`.

    Statements of labels in their own words are rows of `words`; those that no signal decides have no check.
    """

    keys: ClassVar[tuple[str, ...]] = ("modality", "outcome")

    modality: Checked
    outcome: CheckOutcome
    count: int = Field(default=1, ge=0)


class OriginTally(Tally):
    """Labels of one origin: which annotator, model and prompt, and what they used up."""

    keys: ClassVar[tuple[str, ...]] = (
        "annotator", "annotator_version", "code_version", "model", "model_revision", "prompt_name", "prompt_sha256",
    )  # fmt: skip
    sums: ClassVar[tuple[str, ...]] = ("count", "input_tokens", "output_tokens", "cost_nanodollars")

    annotator: str
    annotator_version: str
    code_version: str
    model: str
    """`none` where no model was asked."""
    model_revision: str
    prompt_name: str
    prompt_sha256: str
    count: int = Field(default=1, ge=0)
    input_tokens: int = Field(ge=0)
    output_tokens: int = Field(ge=0)
    cost_nanodollars: int = Field(ge=0)
    """Billionths of a US dollar."""


Row = TypeVar("Row", bound=Tally)


def merged(rows: Iterable[Row]) -> tuple[Row, ...]:
    """The rows with equal keys added up, sorted by key."""
    table: dict[tuple[str | int, ...], Row] = {}
    for row in rows:
        table[row.key] = table[row.key] + row if row.key in table else row
    return tuple(table[key] for key in sorted(table))
