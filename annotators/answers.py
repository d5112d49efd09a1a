"""What models are asked to answer in: the parts that the schemas of several annotators share.

Here: `Answer`, evidence as a model gives it, boxes. Not here: the answer of any one annotator (its module), asking
(`annotators.ask`).

Times are seconds from the clip's start; frames are numbered as the prompt numbers them. Field descriptions reach the
model as part of the schema.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.evidence import Modality


class Answer(BaseModel):
    """Base of everything that a model fills in. Unknown fields are passed over: models add them."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class SeenBox(Answer):
    """A place in a frame, shares of width and height from the top left corner."""

    left: float = Field(description="0 to 1")
    top: float = Field(description="0 to 1")
    right: float = Field(description="0 to 1, greater than left")
    bottom: float = Field(description="0 to 1, greater than top")


class SeenClaim(Answer):
    """An observation in a form that is checked against measurements."""

    quantity: Literal[
        "transition", "transition_count", "camera_motion", "text", "colour", "frozen", "black", "speech", "no_speech"
    ]
    text: str = Field(
        description="transition: cut, dissolve, fade_in, fade_out, fade_out_in, fade_white or wipe; camera_motion: "
        "static, pan_left, pan_right, tilt_up, tilt_down, zoom_in, zoom_out, roll_clockwise, roll_counterclockwise, "
        "handheld or mixed; text: what is written; colour: a basic colour; otherwise empty"
    )
    value: float | None = Field(description="transition_count: how many; otherwise null")


class SeenEvidence(Answer):
    """Something to be seen in the clip that supports what is said."""

    start_s: float = Field(description="seconds from the clip's start")
    end_s: float = Field(description="seconds from the clip's start, not before start_s")
    modality: Modality = Field(description="what it is seen in")
    observation: str = Field(description="what is seen there, one sentence")
    claim: SeenClaim | None = Field(description="the observation in checkable form, null where none fits")
