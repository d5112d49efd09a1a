"""How far two sets of SV6D segments agree: matched in time, compared in six dimensions, with faults counted.

Here: `agreement` of one clip and `overall` of many. Not here: distances between values (`stages.sv6d.distance`), what
one set is like (`stages.sv6d.segments`), or what samples of one author share (`stages.sv6d.consensus`).

The idea is that of Leum-VL's objective: Hungarian-matched temporal alignment, a semantic distance in each dimension of
SV6D, and a regulariser of quality. The formula is ours. For segments i of A and j of B

    cost(i, j) = alpha (1 - IoU) + (1 - alpha) sum_d w_d distance_d + quality_weight * quality(i, j)

where the weights w_d of the dimensions that i or j speaks of are scaled to the sum 1, distance_d is the mean over the
attributes of d that either speaks of (`missing_distance` where only one does), and quality(i, j) is the largest
difference of their faults. Segments that share no time are no pair. Pairs are chosen so that the costs of all pairs
and the penalties of all unmatched segments come to the least; a pair dearer than two unmatched segments is none. With
the pair's agreement s(i, j) = 1 - cost(i, j) / (2 unmatched_penalty), which is 0 for such a pair, that is the matching
with the largest sum, and the whole is

    agreement(A, B) = 2 sum s(i, j) / (|A| + |B|),   1 where both are empty.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from schemas.agreement import Agreement, AgreementFigures, DimensionAgreement, MatchedPair, OverallAgreement, SetQuality
from schemas.judging import AgreementConfig, DimensionWeights
from schemas.label import Label
from schemas.taxonomy import SV6DTaxonomy
from schemas.time import Span
from stages.errors import StageError
from stages.sv6d.distance import ValueDistances
from stages.sv6d.segments import Floats, Indices, Key, Said, SegmentSet, bounds_s, segment_of, segment_set
from stages.texts.embedding import TextEmbedder, make_text_embedder

_SAME = 1e-9
"""Distance of values that are the same but for rounding."""


def agreement(
    a: Sequence[Label],
    b: Sequence[Label],
    clip_span: Span,
    taxonomy: SV6DTaxonomy,
    config: AgreementConfig,
    embedder: TextEmbedder | None = None,
) -> Agreement:
    """How far two sets of segments of one clip agree; either may be empty.

    Exact whatever the order: agreement(a, b) is agreement(b, a) with the sides exchanged, and the order of the segments
    within a set changes nothing but their positions.

    Args:
        a: labels of the kind `sv6d`, all of one clip.
        b: the same, of the same clip.
        clip_span: the clip, to tell what lies outside.
        taxonomy: the values that are known, with what is near.
        config: weights and penalties.
        embedder: compares free text; without it the one that `config` names is made, which may load a model.

    Raises:
        StageError: a label is of another kind, or of another clip; or the embedder is not to be had.
    """
    _require_one_clip((*a, *b))
    embedder = embedder or make_text_embedder(config.embedder, "agreement.embedder")
    order_a, order_b = _canonical(a), _canonical(b)
    is_turned = [key for key, _ in order_b] < [key for key, _ in order_a]
    if is_turned:
        a, b, order_a, order_b = b, a, order_b, order_a
    first = segment_set([a[index] for _, index in order_a], clip_span)
    second = segment_set([b[index] for _, index in order_b], clip_span)
    distances = ValueDistances(taxonomy, config, embedder)
    compared = _Compared(first, second, tuple(_blocks(first, second, taxonomy, distances)), config)
    found = compared.outcome([index for _, index in order_a], [index for _, index in order_b])
    return turned(found) if is_turned else found


def overall(clips: Sequence[Agreement]) -> OverallAgreement:
    """Many clips as one: agreement, time and faults weighted by segments, dimensions by what was compared in them.

    That is the agreement of all segments at once, matched within their clips. Without any segments it is 1.
    """
    weights = [one.segments for one in clips]
    weights_a, weights_b = [one.segments_a for one in clips], [one.segments_b for one in clips]
    return OverallAgreement(
        clips=len(clips),
        agreement=_mean([one.agreement for one in clips], weights, 1.0),
        temporal=_mean([one.temporal for one in clips], weights, 1.0),
        dimensions=_pooled(clips),
        segments_a=sum(weights_a),
        segments_b=sum(weights_b),
        matched=sum(one.matched for one in clips),
        quality_a=_pooled_quality([one.quality_a for one in clips], weights_a),
        quality_b=_pooled_quality([one.quality_b for one in clips], weights_b),
    )


def turned(found: Agreement) -> Agreement:
    """The same with the sides exchanged."""
    pairs = sorted((pair.replace(a=pair.b, b=pair.a) for pair in found.pairs), key=lambda pair: pair.a)
    dimensions = tuple(one.replace(only_a=one.only_b, only_b=one.only_a) for one in found.dimensions)
    return found.replace(
        pairs=tuple(pairs), dimensions=dimensions, segments_a=found.segments_b, segments_b=found.segments_a,
        quality_a=found.quality_b, quality_b=found.quality_a,
        unmatched_a=found.unmatched_b, unmatched_b=found.unmatched_a,
    )  # fmt: skip


def _require_one_clip(labels: Iterable[Label]) -> None:
    clips = sorted({label.clip_id for label in labels})
    if len(clips) > 1:
        raise StageError(
            f"segments are compared within one clip, and these are of {len(clips)}: {clips[0]}, {clips[1]}"
        )


def _canonical(labels: Sequence[Label]) -> list[tuple[object, int]]:
    """What tells each label from others, and its position, in an order that does not depend on the one given."""
    keyed = []
    for index, label in enumerate(labels):
        values = sorted((v.dimension, v.attribute, v.value, len(v.evidence)) for v in segment_of(label).values)
        seen = sorted((*bounds_s(one.span), one.observation) for one in label.evidence)
        keyed.append(((*bounds_s(label.span), values, seen), index))
    return sorted(keyed)


@dataclass(frozen=True)
class _Block:
    """What two sets say of one attribute."""

    key: Key
    rows: Indices
    """Segments of the first set that speak of it, and below of the second."""
    columns: Indices
    distances: Floats
    """(rows, columns): 0 to 1."""


def _blocks(
    first: SegmentSet, second: SegmentSet, taxonomy: SV6DTaxonomy, distances: ValueDistances
) -> Iterable[_Block]:
    """A block for each attribute that either set speaks of, in the taxonomy's order."""
    order = [(d.name, a.name) for d in taxonomy.dimensions for a in d.attributes]
    known = {key: number for number, key in enumerate(order)}
    silent = Said(np.zeros(0, np.intp), (), np.zeros(0, np.intp))
    for key in sorted({*first.said, *second.said}, key=lambda key: (known.get(key, len(known)), key)):
        one, other = first.said.get(key, silent), second.said.get(key, silent)
        between = np.zeros((len(one.rows), len(other.rows)))
        if between.size:
            between = _between(distances.between(*key, one.values, other.values), one, other)
        yield _Block(key, one.rows, other.rows, between)


def _between(values: Floats, one: Said, other: Said) -> Floats:
    """From distances of values to distances of segments, where one segment may give several values.

    Each value is held against the nearest one of the other segment; both ways, averaged.
    """
    if len(one.values) == len(one.rows) and len(other.values) == len(other.rows):
        return values
    counts, counts_other = np.diff([*one.starts, len(one.values)]), np.diff([*other.starts, len(other.values)])
    there = np.add.reduceat(np.minimum.reduceat(values, other.starts, axis=1), one.starts, axis=0) / counts[:, None]
    back = np.add.reduceat(np.minimum.reduceat(values, one.starts, axis=0), other.starts, axis=1) / counts_other
    return np.asarray((there + back) / 2)


@dataclass(frozen=True)
class _Compared:
    """Two sets with everything that is held against each other; N and M are their sizes."""

    first: SegmentSet
    second: SegmentSet
    blocks: tuple[_Block, ...]
    config: AgreementConfig

    def outcome(self, places_a: Sequence[int], places_b: Sequence[int]) -> Agreement:
        """The agreement, in the callers' positions."""
        iou, values, quality = self._iou(), self._value_distance(), self._quality_distance()
        alpha = self.config.alpha
        cost = alpha * (1 - iou) + (1 - alpha) * values + self.config.quality_weight * quality
        worth = np.where(iou > 0, np.clip(1 - cost / (2 * self.config.unmatched_penalty), 0, 1), 0.0)
        rows, columns = linear_sum_assignment(worth, maximize=True)
        is_pair = worth[rows, columns] > 0
        rows, columns = rows[is_pair], columns[is_pair]
        pairs = [
            MatchedPair(
                a=places_a[i], b=places_b[j], iou=iou[i, j], value_distance=values[i, j],
                quality_distance=quality[i, j], cost=cost[i, j], agreement=worth[i, j],
            ) for i, j in zip(rows.tolist(), columns.tolist(), strict=True)
        ]  # fmt: skip
        total = len(self.first) + len(self.second)
        nearest = linear_sum_assignment(iou, maximize=True)
        return Agreement(
            agreement=_share(float(worth[rows, columns].sum()), total),
            temporal=_share(float(iou[nearest].sum()), total),
            dimensions=self._dimensions(rows, columns),
            segments_a=len(self.first),
            segments_b=len(self.second),
            matched=len(pairs),
            quality_a=self.first.quality,
            quality_b=self.second.quality,
            pairs=tuple(sorted(pairs, key=lambda pair: pair.a)),
            unmatched_a=tuple(sorted({*places_a} - {pair.a for pair in pairs})),
            unmatched_b=tuple(sorted({*places_b} - {pair.b for pair in pairs})),
        )

    def _iou(self) -> Floats:
        """(N, M) temporal intersection over union; 1 for equal spans, even empty ones."""
        a_start, a_end = self.first.start_s[:, None], self.first.end_s[:, None]
        b_start, b_end = self.second.start_s, self.second.end_s
        shared = np.clip(np.minimum(a_end, b_end) - np.maximum(a_start, b_start), 0, None)
        union = (a_end - a_start) + (b_end - b_start) - shared
        iou = np.clip(shared / np.where(union > 0, union, 1), 0, 1)
        return np.where((a_start == b_start) & (a_end == b_end), 1.0, iou)

    def _value_distance(self) -> Floats:
        """(N, M) weighted mean of the dimensions' distances."""
        shape = (len(self.first), len(self.second))
        total, weights = np.zeros(shape), np.zeros(shape)
        for dimension in dict.fromkeys(block.key[0] for block in self.blocks):
            distance, count = self._dimension_distance(dimension)
            weight = self.config.weights.of(dimension) * (count > 0)
            total += weight * distance
            weights += weight
        return np.asarray(np.clip(total / np.where(weights > 0, weights, 1), 0, 1))

    def _dimension_distance(self, dimension: str) -> tuple[Floats, Floats]:
        """(N, M) mean distance over the attributes that either segment speaks of, and how many those are."""
        shape, missing = (len(self.first), len(self.second)), self.config.missing_distance
        total, count = np.zeros(shape), np.zeros(shape)
        for block in (block for block in self.blocks if block.key[0] == dimension):
            speaks = np.zeros(shape[0], bool), np.zeros(shape[1], bool)
            speaks[0][block.rows], speaks[1][block.columns] = True, True
            either = speaks[0][:, None] | speaks[1]
            apart = missing * either
            apart[np.ix_(block.rows, block.columns)] = block.distances
            total += apart
            count += either
        return total / np.maximum(count, 1), count

    def _quality_distance(self) -> Floats:
        """(N, M) the largest difference between the faults of one and of the other."""
        differences = np.abs(self.first.faults[:, None, :] - self.second.faults[None])
        return np.asarray(differences.max(axis=2, initial=0.0))

    def _dimensions(self, rows: Indices, columns: Indices) -> tuple[DimensionAgreement, ...]:
        """What matched segments say in each dimension."""
        apart: dict[str, list[Floats]] = {}
        said = dict[str, tuple[int, int]]()
        for block in self.blocks:
            name = block.key[0]
            apart.setdefault(name, []).append(_compared_distances(block, rows, columns))
            before = said.get(name, (0, 0))
            said[name] = before[0] + len(block.rows), before[1] + len(block.columns)
        return tuple(_dimension(name, np.concatenate(found), *said[name]) for name, found in apart.items())


def _compared_distances(block: _Block, rows: Indices, columns: Indices) -> Floats:
    """The distances of the matched segments that both speak of the attribute."""
    at = np.searchsorted(block.rows, rows), np.searchsorted(block.columns, columns)
    both = np.isin(rows, block.rows) & np.isin(columns, block.columns)
    return np.asarray(block.distances[at[0][both], at[1][both]])


def _dimension(name: str, apart: Floats, said_a: int, said_b: int) -> DimensionAgreement:
    mean = float(np.clip(1 - apart.mean(), 0, 1)) if len(apart) else None
    compared = len(apart)
    return DimensionAgreement(
        dimension=name, agreement=mean, compared=compared, same=int((apart <= _SAME).sum()),
        only_a=said_a - compared, only_b=said_b - compared,
    )  # fmt: skip


def _share(total: float, segments: int) -> float:
    return min(1.0, 2 * total / segments) if segments else 1.0


def _pooled(clips: Sequence[AgreementFigures]) -> tuple[DimensionAgreement, ...]:
    by_name: dict[str, list[DimensionAgreement]] = {}
    for one in (one for clip in clips for one in clip.dimensions):
        by_name.setdefault(one.dimension, []).append(one)
    order = {name: number for number, name in enumerate(DimensionWeights.model_fields)}
    names = sorted(by_name, key=lambda name: order.get(name, len(order)))
    return tuple(_pooled_dimension(name, by_name[name]) for name in names)


def _pooled_dimension(name: str, found: Sequence[DimensionAgreement]) -> DimensionAgreement:
    compared = [one.compared for one in found]
    return DimensionAgreement(
        dimension=name,
        agreement=_mean([one.agreement or 0.0 for one in found], compared, 0.0) if sum(compared) else None,
        compared=sum(compared),
        same=sum(one.same for one in found),
        only_a=sum(one.only_a for one in found),
        only_b=sum(one.only_b for one in found),
    )


def _pooled_quality(found: Sequence[SetQuality], weights: Sequence[int]) -> SetQuality:
    figures = {name: _mean([getattr(one, name) for one in found], weights, 0.0) for name in SetQuality.model_fields}
    return SetQuality(**figures)


def _mean(figures: Sequence[float], weights: Sequence[int], otherwise: float) -> float:
    """The weighted mean of figures from 0 to 1; `otherwise` where nothing weighs."""
    total = sum(weights)
    return min(1.0, sum(f * w for f, w in zip(figures, weights, strict=True)) / total) if total else otherwise
