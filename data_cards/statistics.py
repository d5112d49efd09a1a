"""What a data set holds, counted: one record per data set, that adds up over parts.

Here: `DatasetStatistics` and `statistics_of` one sample. Not here: the rows that are counted (`data_cards.tallies`),
the funnel of the run (`schemas.summary`), or how any of it is shown (`data_cards.card`, `data_cards.report`).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from pydantic import Field, computed_field

from data_cards.tallies import (
    AnswerTally,
    CameraTally,
    CheckOutcome,
    CheckTally,
    DurationBin,
    NamedTally,
    OriginTally,
    ResolutionTally,
    ShotCountTally,
    SplitTally,
    ValueTally,
    merged,
)
from schemas.base import Record
from schemas.dataset import PackagedSample
from schemas.label import LabelKind, VerifiedLabel
from schemas.media import TransitionKind
from schemas.signals import ClipDescription
from schemas.taxonomy import SV6DTaxonomy, sv6d_taxonomy

DURATION_EDGES_S = (0, 1, 2, 3, 5, 8, 12, 20, 30, 60, 120)
"""Where the bins of the duration histogram start, in seconds; the last one has no end."""

FREE_TEXT = "(free text)"
"""Stands for the values of an attribute that the taxonomy leaves open, so that tallies stay small."""


class DatasetStatistics(Record):
    """What some samples hold together. `DatasetStatistics()` is that of no sample; those of parts add up with `+`."""

    samples: int = Field(default=0, ge=0)
    labels: int = Field(default=0, ge=0)
    shots: int = Field(default=0, ge=0)
    """Shots inside the packaged clips."""
    evidence: int = Field(default=0, ge=0)
    """Pieces of evidence that the labels name."""
    reasoning_steps: int = Field(default=0, ge=0)
    reviewed: int = Field(default=0, ge=0)
    """Labels that a person accepted."""
    stream_copies: int = Field(default=0, ge=0)
    """Clips whose packets were copied; the others were encoded again."""
    clips_with_text_measured: int = Field(default=0, ge=0)
    clips_with_text: int = Field(default=0, ge=0)
    clips_with_freeze: int = Field(default=0, ge=0)
    clips_with_black: int = Field(default=0, ge=0)
    splits: tuple[SplitTally, ...] = ()
    durations: tuple[DurationBin, ...] = ()
    resolutions: tuple[ResolutionTally, ...] = ()
    shots_per_clip: tuple[ShotCountTally, ...] = ()
    transitions: tuple[NamedTally, ...] = ()
    """Transitions inside the packaged clips by kind."""
    camera: tuple[CameraTally, ...] = ()
    label_kinds: tuple[NamedTally, ...] = ()
    qa_tasks: tuple[NamedTally, ...] = ()
    question_classes: tuple[NamedTally, ...] = ()
    """What questions need, of those that were classified."""
    routes: tuple[NamedTally, ...] = ()
    """Training sets that labels suit, of those that a critic saw."""
    sv6d_values: tuple[ValueTally, ...] = ()
    answers: tuple[AnswerTally, ...] = ()
    checks: tuple[CheckTally, ...] = ()
    origins: tuple[OriginTally, ...] = ()

    def __add__(self, other: "DatasetStatistics") -> "DatasetStatistics":
        values = {name: (getattr(self, name), getattr(other, name)) for name in type(self).model_fields}
        return DatasetStatistics(
            **{
                name: ours + theirs if isinstance(ours, int) else merged((*ours, *theirs))
                for name, (ours, theirs) in values.items()
            }
        )

    @computed_field  # type: ignore[prop-decorator]
    @property
    def duration_s(self) -> float:
        """Seconds of the packaged clips together."""
        return sum(split.duration_us for split in self.splits) / 1_000_000

    @computed_field  # type: ignore[prop-decorator]
    @property
    def size_bytes(self) -> int:
        """Bytes of the samples' members together, tar headers apart."""
        return sum(split.size_bytes for split in self.splits)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def tokens(self) -> int:
        """Input and output tokens that the kept labels used up."""
        return sum(origin.input_tokens + origin.output_tokens for origin in self.origins)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def cost_usd(self) -> float:
        """US dollars that the kept labels cost."""
        return sum(origin.cost_nanodollars for origin in self.origins) / 1_000_000_000

    def checks_with(self, outcome: CheckOutcome) -> int:
        """Pieces of evidence with that outcome, over all modalities; statements are not among them."""
        return sum(check.count for check in self.checks if check.outcome == outcome and check.modality != "words")


def statistics_of(
    sample: PackagedSample,
    description: ClipDescription,
    labels: Sequence[VerifiedLabel],
    taxonomy: SV6DTaxonomy | None = None,
) -> DatasetStatistics:
    """The statistics of one packaged sample.

    Args:
        sample: the sample as it lies in its shard.
        description: what was measured of its clip.
        labels: the labels that were kept, in any order.
        taxonomy: tells closed values from free text, which is counted together; ours where there is none.

    Raises:
        ValueError: the three do not belong to one clip.
    """
    clip = description.clip
    strangers = {clip.clip_id, *(kept.label.clip_id for kept in labels)} - {sample.clip_id}
    if strangers:
        raise ValueError(f"{sample.source_name}: sample {sample.clip_id} cannot be counted with {sorted(strangers)}")
    evidence = sum(len(kept.label.evidence) for kept in labels)
    items = [kept.label.qa for kept in labels if kept.label.qa]
    kinds: list[LabelKind] = [kept.label.kind for kept in labels]
    segments = [segment for shot in description.shots for segment in shot.camera]
    transitions: list[TransitionKind] = [transition.kind for transition in clip.transitions]
    return DatasetStatistics(
        samples=1,
        labels=len(labels),
        shots=len(clip.shots),
        evidence=evidence,
        reasoning_steps=sum(len(item.reasoning) for item in items),
        reviewed=sum(kept.is_reviewed for kept in labels),
        stream_copies=int(sample.is_stream_copy),
        clips_with_text_measured=int(description.text_is_measured),
        clips_with_text=int(bool(description.text)),
        clips_with_freeze=int(bool(description.frozen_spans)),
        clips_with_black=int(bool(description.black_spans)),
        splits=(_split_tally(sample, len(labels)),),
        durations=(_duration_bin(sample.span.duration_s),),
        resolutions=(ResolutionTally(width=description.display_width, height=description.display_height),),
        shots_per_clip=(ShotCountTally(n_shots=len(clip.shots)),),
        transitions=_named(transitions),
        camera=merged(CameraTally(name=s.term, duration_us=_microseconds(s.span.duration_s)) for s in segments),
        label_kinds=_named(kinds),
        qa_tasks=_named(item.task for item in items),
        question_classes=_named(kept.question_class for kept in labels if kept.question_class),
        routes=_named(kept.route for kept in labels if kept.route),
        sv6d_values=merged(_value_tallies(labels, taxonomy or sv6d_taxonomy())),
        answers=merged(AnswerTally(n_options=len(item.options), position=item.answer_index) for item in items),
        checks=merged(_check_tallies(labels)),
        origins=merged(_origin_tally(kept) for kept in labels),
    )


def _named(names: Iterable[str]) -> tuple[NamedTally, ...]:
    return tuple(NamedTally(name=name, count=count) for name, count in sorted(Counter(names).items()))


def _microseconds(seconds: float) -> int:
    return round(Fraction(seconds) * 1_000_000)


def _split_tally(sample: PackagedSample, n_labels: int) -> SplitTally:
    return SplitTally(
        name=sample.split,
        samples=1,
        labels=n_labels,
        frames=sample.n_frames,
        size_bytes=sample.n_bytes,
        duration_us=_microseconds(sample.span.duration_s),
    )


def _duration_bin(duration_s: float) -> DurationBin:
    position = max(index for index, edge_s in enumerate(DURATION_EDGES_S) if edge_s <= duration_s)
    ends_s: tuple[int | None, ...] = (*DURATION_EDGES_S[1:], None)
    return DurationBin(start_s=DURATION_EDGES_S[position], end_s=ends_s[position])


def _value_tallies(labels: Sequence[VerifiedLabel], taxonomy: SV6DTaxonomy) -> Iterator[ValueTally]:
    closed = {
        (dimension.name, attribute.name)
        for dimension in taxonomy.dimensions
        for attribute in dimension.attributes
        if attribute.values
    }
    for kept in labels:
        for value in kept.label.sv6d.values if kept.label.sv6d else ():
            is_closed = (value.dimension, value.attribute) in closed
            text = value.value if is_closed else FREE_TEXT
            yield ValueTally(dimension=value.dimension, attribute=value.attribute, value=text)


def _check_tallies(labels: Sequence[VerifiedLabel]) -> Iterator[CheckTally]:
    for kept in labels:
        outcomes = {check.evidence_index: check.outcome for check in kept.checks if check.evidence_index is not None}
        for index, evidence in enumerate(kept.label.evidence):
            yield CheckTally(modality=evidence.modality, outcome=outcomes.get(index, "unchecked"))
        yield from (
            CheckTally(modality="words", outcome=check.outcome) for check in kept.checks if check.statement is not None
        )


def _origin_tally(kept: VerifiedLabel) -> OriginTally:
    origin = kept.label.provenance
    return OriginTally(
        annotator=origin.annotator,
        annotator_version=origin.annotator_version,
        code_version=origin.code_version,
        model=origin.model,
        model_revision=origin.model_revision,
        prompt_name=origin.prompt_name,
        prompt_sha256=origin.prompt_sha256,
        input_tokens=origin.input_tokens,
        output_tokens=origin.output_tokens,
        cost_nanodollars=round(Fraction(origin.cost_usd) * 1_000_000_000),
    )
