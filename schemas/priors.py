"""What the text-only probe found: how far questions can be guessed from their words, before and after filtering.

Here: `PriorsReport` and its parts, which the card shows. Not here: how it is found (`stages.priors.probe`).
"""

from typing import Literal

from pydantic import Field

from schemas.base import Record

ArtefactKind = Literal["position", "length", "number", "majority", "wording", "probe"]
"""What gives a right option away: its place, its length, its number among the others' numbers, its text being right
far too often, single words in it, or all of these weighed together by the classifier."""

EVERYTHING = "all questions"
"""Name of the row that counts every question."""


class Artefact(Record):
    """One rule that picks the right option without the video more often than chance does."""

    kind: ArtefactKind
    stratum: str
    """The group that it was found in, or `the other groups together`."""
    rule: str
    """The rule in words: `the right option is the longest`."""
    n_items: int
    """Questions that the rule says something about."""
    n_right: int
    """Those where it is right."""
    expected: float
    """Those where it would be right by chance."""
    statistic: float
    """Chi-square of the places against a uniform distribution (`position`), else the rule's distance from chance in
    standard deviations."""
    p_value: float
    """Corrected for every rule of its kind that was tried in the stratum, and not yet for other kinds and strata."""
    n_flagged: int
    """Questions that it gives away."""


class GuessRate(Record):
    """How often the classifier guesses the right option of questions that it did not learn from."""

    n_items: int
    chance: float = Field(ge=0, le=1)
    """Mean of one over the number of options."""
    accuracy: float = Field(ge=0, le=1)
    interval_low: float = Field(ge=0, le=1)
    interval_high: float = Field(ge=0, le=1)
    """95 % confidence interval of the accuracy (Wilson)."""


class GroupPriors(Record):
    """One group of questions: a task of one annotator, or all of them."""

    group: str
    before: GuessRate
    after: GuessRate | None
    """The classifier learned afresh from what is kept; None where too little is kept to say."""
    n_flagged: int
    """Questions that something predicts beyond chance."""
    n_rejected: int
    """Questions that go."""
    is_tested: bool
    """Whether the group has questions enough to be tested on its own."""


class PriorsReport(Record):
    """What can be guessed from questions and options alone, over a data set."""

    n_items: int
    """Questions with options; the probe judges these."""
    n_open_ended: int
    """Questions without options to choose from, which the probe leaves alone."""
    n_fitted: int
    """Questions that the classifier learned from; the others it only predicts. 0 where nothing could be said."""
    held_out_by: Literal["source", "question", "nothing"]
    """What never lies on both sides of learning and predicting; `nothing` where nothing was learned."""
    action: Literal["reject", "flag", "rebalance"]
    significance: float
    n_tests: int
    """Tests that the significance is shared among."""
    overall: GroupPriors | None
    """None where there are too few questions to say anything."""
    groups: tuple[GroupPriors, ...]
    """By name."""
    artefacts: tuple[Artefact, ...]
    """The most striking first."""
    notes: tuple[str, ...]
    """What could not be said, and why; one sentence each."""
