"""Decisions and the three things a step can return: Result, Rejection or Failure.

Here: `Verdict` and the records that account for every unit. Not here: how a verdict is reached.
"""

from typing import Literal

from pydantic import Field, SerializeAsAny

from schemas.base import Record


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
