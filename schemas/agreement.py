"""How far two sets of SV6D segments agree: figures for one clip, for many, and for one label among further samples.

Here: the records. Not here: how they come about (`stages.sv6d.agreement`, `stages.sv6d.consensus`), or settings
(`schemas.judging.AgreementConfig`).
"""

from pydantic import Field

from schemas.base import Record


class MatchedPair(Record):
    """Two segments that were matched, with what their match costs."""

    a: int = Field(ge=0)
    """Position of the segment among those of A."""
    b: int = Field(ge=0)
    iou: float = Field(gt=0, le=1)
    """Temporal intersection over union."""
    value_distance: float = Field(ge=0, le=1)
    """Weighted mean of the distances in the dimensions that either speaks of."""
    quality_distance: float = Field(ge=0, le=1)
    """The largest difference of their faults."""
    cost: float = Field(ge=0)
    """What the matching minimises: the three above, weighted."""
    agreement: float = Field(gt=0, le=1)
    """1 where the pair costs nothing, 0 where it costs as much as two unmatched segments."""


class DimensionAgreement(Record):
    """One dimension. What is counted is statements: an attribute that is said of a segment."""

    dimension: str
    agreement: float | None = Field(ge=0, le=1)
    """Mean of 1 - distance over the compared statements; None where none could be compared."""
    compared: int = Field(ge=0)
    """Statements that both segments of a matched pair make of the same attribute."""
    same: int = Field(ge=0)
    """Those of them with the same value."""
    only_a: int = Field(ge=0)
    """Statements of A without a counterpart: its partner does not speak of it, or there is no partner."""
    only_b: int = Field(ge=0)


class SetQuality(Record):
    """Faults of one set of segments, each the mean over its segments: 0 none, 1 throughout."""

    missing_evidence: float = Field(ge=0, le=1)
    """Share of a segment's values that cite nothing seen in the segment and in the clip."""
    outside: float = Field(ge=0, le=1)
    """Share of a segment's span that lies outside the clip."""
    overlap: float = Field(ge=0, le=1)
    """Share of a segment's span in which another segment of the same set speaks of the same attribute."""


class AgreementFigures(Record):
    """What is said of one clip and of many alike."""

    agreement: float = Field(ge=0, le=1)
    """Over all segments of both sides: 1 where they are the same, 0 where nothing matches."""
    temporal: float = Field(ge=0, le=1)
    """The same for their spans alone, matched by overlap whatever they say: mean overlap over all segments."""
    dimensions: tuple[DimensionAgreement, ...]
    """Those that either side speaks of, in the taxonomy's order."""
    segments_a: int = Field(ge=0)
    segments_b: int = Field(ge=0)
    matched: int = Field(ge=0)
    """Pairs."""
    quality_a: SetQuality
    quality_b: SetQuality

    @property
    def segments(self) -> int:
        """Segments of both sides: the weight of a clip among others."""
        return self.segments_a + self.segments_b


class Agreement(AgreementFigures):
    """Two sets of segments of one clip."""

    pairs: tuple[MatchedPair, ...]
    """In the order of A's segments."""
    unmatched_a: tuple[int, ...]
    """Positions of A's segments without a partner."""
    unmatched_b: tuple[int, ...]


class OverallAgreement(AgreementFigures):
    """Many clips: each weighs as much as the segments that both sides have on it."""

    clips: int = Field(ge=0)


class Consistency(Record):
    """One label held against further samples by its author."""

    label_id: str
    agreement: float = Field(ge=0, le=1)
    """Mean of the scores."""
    scores: tuple[float, ...]
    """Agreement with the label's partner in each of the other samples; 0 where it has none."""
    votes: tuple[int, ...]
    """For each of the label's values: samples that share it, its own included."""
    kept: tuple[int, ...]
    """Positions of the values that at least half of the samples share."""
