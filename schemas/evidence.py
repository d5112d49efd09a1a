"""What on the timeline supports a label, stated so that a program can check it.

Here: `Claim`, `Evidence` and the outcome of a check. Not here: the checking (`stages.evidence.check`).
"""

from typing import Literal, Self

from pydantic import Field, model_validator

from schemas.base import Record
from schemas.time import Span

Modality = Literal["cut", "motion", "text", "speech", "colour", "frame", "caption"]

Quantity = Literal[
    "transition",  # text: TransitionKind; the span starts where it happens; value: its number in the clip, from 1
    "transition_count",  # value: transitions inside the span
    "shot",  # the span is exactly one shot of the clip; value: its number in the clip, from 1
    "camera_motion",  # text: CameraTerm, over the span
    "shake",  # value: picture widths per second, over the span
    "luma_mean",  # value: 0 to 1, mean over the span
    "luma_spread",  # value: 0 to 0.5, mean over the span
    "saturation_mean",  # value: 0 to 1, mean over the span
    "sharpness",  # value: variance of the Laplacian, mean over the span
    "colour",  # text: basic colour term; value: its share of the pixels over the span
    "text",  # text: what is written on the screen at some time in the span; value: height of its middle, 0 is the top
    "no_text",  # no text was found in the span
    "frozen",  # the picture stands still throughout the span
    "no_freeze",  # the picture nowhere stands still in the span
    "black",  # the picture is black throughout the span
    "speech",  # somebody speaks during at least `verify.evidence.speech_min_share` of the span
    "no_speech",  # nobody speaks in the span
    "aspect_ratio",  # value: display width over height
    "duration",  # value: seconds; the span is what is measured
]


class Claim(Record):
    """The checkable core of an observation: which quantity has which value over the evidence's span."""

    quantity: Quantity
    text: str | None = None
    value: float | None = None


class Evidence(Record):
    """What on the timeline supports a label."""

    span: Span
    """Where to look, on the source's timeline."""
    modality: Modality
    observation: str
    """What is seen there, one sentence."""
    claim: Claim | None
    """The observation in checkable form; None where no signal measures it."""
    source: str
    """Who saw it: `measured`, or the name of a model."""


class EvidenceCheck(Record):
    """One piece of evidence, or one statement of the label, held against the measurements."""

    evidence_index: int | None = Field(default=None, ge=0)
    """Position in the label's evidence; None where a statement was checked."""
    statement: str | None = None
    """Where the statement stands and its words: `caption: The camera pans left.`; None where evidence was checked."""
    outcome: Literal["confirmed", "contradicted", "unchecked"]
    measured: float | None
    """The number that decided it, in the unit of the claim's quantity."""
    measured_text: str | None
    """The measured term, where the claim is a term."""
    threshold: float | None
    """What the difference from the claim was held against."""
    reason: str

    @model_validator(mode="after")
    def _is_of_one_thing(self) -> Self:
        if (self.evidence_index is None) == (self.statement is None):
            raise ValueError("a check is of a piece of evidence or of a statement")
        return self
