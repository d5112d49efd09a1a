"""Decisions and the three things a step can return: Result, Rejection or Failure.

Here: `Verdict` and the records that account for every unit. Not here: how a verdict is reached.
"""

from typing import Literal

from pydantic import Field, SerializeAsAny

from schemas.base import Record


class Opinion(Record):
    """What one judge said of one claim, or in one trial: kept also where others disagree."""

    judge: str
    """A model as its server calls it, or `measured`."""
    about: str
    """The claim, the axis, or the trial (`options rotated by 2`)."""
    outcome: str
    """A claim: `supported`, `contradicted` or `absent`; a trial: `right`, `wrong` or `none`; an axis: `scored`."""
    score: float | None = None
    """An axis: 0 to 5. A claim that was measured: the number."""
    pts: int | None = None
    """The frame that is cited, on the source's timeline."""
    reason: str = ""


class Verdict(Record):
    """A decision about a clip or label, with what decided it."""

    subject_id: str
    """Id of the clip or label."""
    decision: Literal["keep", "reject"]
    rule: str
    """Name of the rule, `<section>.<setting>` where a setting decides."""
    score: float | None
    """What was measured."""
    threshold: float | None
    """What it was held against."""
    reason: str
    """One sentence a person understands."""
    looked_at: str = ""
    """What the judge was shown: the signals, the words alone, so many frames."""
    judges: tuple[str, ...] = ()
    """Models that were asked; empty where nothing but measurements and words decided."""
    trials: int | None = None
    """How often somebody tried, where the score is a rate."""
    interval_low: float | None = None
    """Where the score is a rate: its 95 % confidence interval."""
    interval_high: float | None = None
    opinions: tuple[Opinion, ...] = ()
    """Who said what, one for each claim, trial or axis and judge."""
    cost_usd: float = Field(default=0.0, ge=0)
    """Of the replies that it rests on."""


class Result(Record):
    """A unit that came through, and what the step made of it."""

    unit_id: str
    subject: str
    """What a person calls the unit: file name and span."""
    value: SerializeAsAny[Record]


class Rejection(Record):
    """A unit that a rule turned away."""

    unit_id: str
    subject: str
    verdict: Verdict


class Failure(Record):
    """A unit that could not be processed."""

    unit_id: str
    subject: str
    kind: str
    """Class of the error, or `timeout` or `crash`."""
    message: str
    """One line: the file and the cause."""
    traceback: str = Field(default="", repr=False)


Outcome = Literal["result", "rejection", "failure"]
