"""What a run amounts to: the funnel, as `status`, the card and the report all tell it."""

from typing import Literal

from pydantic import Field

from schemas.base import Record
from schemas.priors import PriorsReport


class Count(Record):
    """How often something occurred."""

    name: str
    count: int = Field(ge=0)


class StepSummary(Record):
    """One column of the grid. Complete columns have `units == results + rejections + failures`."""

    step: str
    unit: str
    units: int
    """Units that the steps before handed over."""
    results: int
    rejections: int
    failures: int
    cells_done: int
    cells_stale: int
    cells_missing: int


class Problem(Record):
    """Something that was turned away, that failed, or that came out though part of it was damaged."""

    outcome: Literal["rejection", "failure", "damage"]
    step: str
    subject: str
    kind: str
    """The rule of a rejection, the class of a failure; `damage` otherwise."""
    message: str


class Asked(Record):
    """What an annotator asked its model, over all runs of the folder: every reply that was paid is kept and counted."""

    annotator: str
    model: str
    """As the endpoint is asked for it; empty where the annotator is off by now."""
    replies: int
    input_tokens: int
    output_tokens: int
    cost_usd: float


class JudgeSummary(Record):
    """One judge, in the order in which they judge. Where it is complete, `units == kept + rejected + failed`."""

    step: str
    units: int
    """Labels that it was handed."""
    kept: int
    rejected: int
    failed: int
    models: tuple[str, ...] = ()
    """Models that it asks, as their endpoints are asked for them; empty where it asks nobody."""
    replies: int = 0
    """Kept replies, over all runs of the folder."""
    cost_usd: float = 0.0


class ReviewSummary(Record):
    """What people decided."""

    accepted: int = 0
    rejected: int = 0
    without_effect: int = 0
    """Those of them whose label is gone, or says something else by now."""


class RunSummary(Record):
    """The whole run in figures."""

    sources: int
    """Inputs listed."""
    slices: int
    shots: int
    clips: int
    """Clips that `split` kept."""
    labels: int
    """Labels that every judge kept."""
    samples: int
    """Samples packaged."""
    duration_s: float
    """Seconds of the packaged clips."""
    labels_by_kind: tuple[Count, ...]
    labels_by_task: tuple[Count, ...]
    """QA items by task."""
    rejections: tuple[Count, ...]
    """By rule, over all steps; clips that `split` turned down are among them."""
    failures: tuple[Count, ...]
    """By kind, over all steps."""
    damaged: int
    """Sources and slices that came out though part of them was damaged."""
    steps: tuple[StepSummary, ...]
    asked: tuple[Asked, ...] = ()
    """By annotator; empty where no model was asked."""
    judges: tuple[JudgeSummary, ...] = ()
    reviews: ReviewSummary = ReviewSummary()
    priors: PriorsReport | None = None
    """What the text-only probe found; None where it is off, or has not come to its end."""
    tokens: int
    """Of all replies, input and output."""
    cost_usd: float
