"""One thing that a label says in words, so that it can be checked or judged by itself.

Here: `Statement`. Not here: how a label is split into statements (`stages.spoken.statements`), or what becomes of them.
"""

from schemas.base import Record
from schemas.time import Span


class Statement(Record):
    """A sentence of a label, with where it stands and what it speaks of."""

    text: str
    """The words, on one line; of a question, the question with its right answer."""
    place: str
    """Where it stands in the label: `caption`, `answer`, `reasoning step 2`, `sv6d camera/motion`, `moment 1` …"""
    span: Span
    """What it speaks of: the step's or moment's span, else the label's."""
    evidence: tuple[int, ...] = ()
    """Positions in the label's evidence that it rests on."""
    frame_pts: int | None = None
    """The frame that it rests on, on the source's timeline; None where it rests on no single one."""
