"""The annotators that ask a model, in the grid's order: each comes after those whose labels it reads.

Here: the table. Not here: what any of them does, or the annotators that ask nobody (`annotators.measured`,
`annotators.fragments`).
"""

from typing import Any

from annotators import (
    caption,
    checklist,
    counterfactual,
    dense_text,
    distractors,
    editing,
    key_moments,
    names,
    qa,
    reasoning,
    sv6d,
    tool_traces,
)
from annotators.annotator import Annotator

ASKING: tuple[Annotator[Any], ...] = (
    caption.ANNOTATOR,
    names.ANNOTATOR,
    qa.ANNOTATOR,
    dense_text.ANNOTATOR,
    distractors.ANNOTATOR,
    reasoning.ANNOTATOR,
    sv6d.ANNOTATOR,
    counterfactual.ANNOTATOR,
    checklist.ANNOTATOR,
    editing.ANNOTATOR,
    key_moments.ANNOTATOR,
    tool_traces.ANNOTATOR,
)
