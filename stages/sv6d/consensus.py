"""What several samples of one author share: how far a label agrees with them, and which of its values they bear out.

Here: `consensus`, `consistency_of` and `trimmed`. Not here: the measure (`stages.sv6d.agreement`), asking for samples,
or the decision on a label. Aligning samples by the measure follows the idea of Leum-VL's objective; the vote is ours.
"""

from collections.abc import Sequence

from schemas.agreement import Consistency
from schemas.judging import AgreementConfig, ConsistencyConfig
from schemas.label import Label, SV6DSegment
from schemas.taxonomy import SV6DTaxonomy
from schemas.time import Span
from stages.errors import StageError
from stages.sv6d.agreement import agreement
from stages.sv6d.distance import ValueDistances
from stages.sv6d.segments import segment_of
from stages.texts.embedding import TextEmbedder, make_text_embedder

_Partner = tuple[float, Label]
"""A segment of another sample with the agreement of the pair."""


def consensus(
    samples: Sequence[Sequence[Label]],
    clip_span: Span,
    taxonomy: SV6DTaxonomy,
    config: AgreementConfig,
    embedder: TextEmbedder | None = None,
) -> tuple[Consistency, ...]:
    """For each label of the first sample, how the others bear it out.

    A value is borne out by a sample whose matched segment gives the same attribute a value at a distance below
    `config.same_below`. It is kept where at least half of the samples, its own among them, share it.

    Args:
        samples: at least two; what the author said of one clip each time. Any may be empty.
        clip_span: the clip.
        taxonomy: as for `agreement`.
        config: as for `agreement`.
        embedder: as for `agreement`.

    Raises:
        StageError: there are fewer than two samples, or what `agreement` raises.
    """
    if len(samples) < 2:
        raise StageError(f"samples are held against each other, and there are {len(samples)}")
    embedder = embedder or make_text_embedder(config.embedder, "agreement.embedder")
    distances = ValueDistances(taxonomy, config, embedder)
    own, *others = samples
    partners: list[list[_Partner | None]] = [[] for _ in own]
    for other in others:
        pairs = agreement(own, other, clip_span, taxonomy, config, embedder).pairs
        found = {pair.a: (pair.agreement, other[pair.b]) for pair in pairs}
        for index, of_label in enumerate(partners):
            of_label.append(found.get(index))
    return tuple(_consistency(label, of, distances, config) for label, of in zip(own, partners, strict=True))


def consistency_of(
    label: Label,
    own: Sequence[Label],
    others: Sequence[Sequence[Label]],
    clip_span: Span,
    taxonomy: SV6DTaxonomy,
    config: ConsistencyConfig,
    agreement_config: AgreementConfig,
    embedder: TextEmbedder | None = None,
) -> Consistency:
    """How the other samples bear out one label of its author's first sample, `own`, which holds the label.

    With `config.trim` off every value is kept. Raises StageError where `own` does not hold the label or there are no
    others, and what `agreement` raises.
    """
    place = next((index for index, one in enumerate(own) if one == label), None)
    if place is None:
        raise StageError(f"label {label.label_id} is not among the {len(own)} of its sample")
    found = consensus((own, *others), clip_span, taxonomy, agreement_config, embedder)[place]
    return found if config.trim else found.replace(kept=tuple(range(len(found.votes))))


def trimmed(label: Label, kept: Sequence[int]) -> Label:
    """The label with those of its values alone, in their order.

    All evidence stays, so that what cites it or checked it by its position stays right. Raises StageError where no
    value would be left, or a position is none of the label's.
    """
    values = segment_of(label).values
    wrong = [index for index in kept if not 0 <= index < len(values)]
    if wrong or not kept:
        what = f"no value {wrong[0]}" if wrong else "nothing left"
        raise StageError(f"label {label.label_id} of {len(values)} values: {what}")
    return label.replace(sv6d=SV6DSegment(values=tuple(values[index] for index in sorted(set(kept)))))


def _consistency(
    label: Label, partners: Sequence[_Partner | None], distances: ValueDistances, config: AgreementConfig
) -> Consistency:
    scores = tuple(partner[0] if partner else 0.0 for partner in partners)
    there = [segment_of(partner[1]) for partner in partners if partner]
    votes = tuple(
        1 + sum(_shares(other, value.dimension, value.attribute, value.value, distances, config) for other in there)
        for value in segment_of(label).values
    )
    n_samples = 1 + len(partners)
    return Consistency(
        label_id=label.label_id,
        agreement=min(1.0, sum(scores) / len(scores)),
        scores=scores,
        votes=votes,
        kept=tuple(index for index, count in enumerate(votes) if 2 * count >= n_samples),
    )


def _shares(
    other: SV6DSegment, dimension: str, attribute: str, value: str, distances: ValueDistances, config: AgreementConfig
) -> bool:
    said = [one.value for one in other.values if (one.dimension, one.attribute) == (dimension, attribute)]
    return bool(said) and bool(distances.between(dimension, attribute, [value], said).min() < config.same_below)
