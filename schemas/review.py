"""What people decided about labels: it wins over every judge.

Here: the record. Not here: reading decisions from files (`jobs.review`), or their place in the grid
(`pipeline.reviews`).
"""

from typing import Literal

from pydantic import Field

from schemas.base import Record


class ReviewDecision(Record):
    """One person's decision about one label."""

    label_id: str = Field(min_length=1)
    clip_id: str = Field(min_length=1)
    decision: Literal["accept", "reject"]
    reviewer: str = ""
    """Who decided, as they call themselves."""
    note: str = ""
    """Why, in their words."""
