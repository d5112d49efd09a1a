"""Scenes: neighbouring shots that belong together, with boundaries where neighbours are least alike (TDC).

Here: similarities of neighbours, and grouping by them. Not here: stitching look-alike shots (`stages.clips.stitch`), or
what becomes of the groups (`stages.clips.split`).
"""

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from schemas.media import FrameSample, Shot
from schemas.signals import SliceScan
from stages.errors import StageError
from stages.pictures.embedding import Embedder, Embeddings, cosine
from stages.pictures.samples import samples_in


def group_scenes(
    shots: Sequence[Shot],
    similarities: Sequence[float],
    min_similarity: float,
    min_ticks: Fraction,
    max_ticks: Fraction,
) -> list[tuple[Shot, ...]]:
    """Groups of neighbouring shots, in order: every shot is in one.

    TDC puts scene boundaries where the similarity of neighbours is lowest, and is given their number. Ours: there is
    one wherever similarity is below a threshold, and a scene that is too long is cut at its lowest similarity, again
    and again, where possible so that no part is too short; of equal similarities at the one nearest to its middle. A
    single shot is not cut.

    Args:
        shots: in order, without overlap.
        similarities: of each shot and the next, one fewer than there are shots.
        min_similarity: below it two neighbours are never of one scene.
        min_ticks: a part that lasts less is too short.
        max_ticks: a scene that lasts more is too long.
    """
    gaps = [gap for gap, similarity in enumerate(similarities) if similarity < min_similarity]
    starts, ends = [0, *(gap + 1 for gap in gaps)], [*(gap + 1 for gap in gaps), len(shots)]
    parts = itertools.chain.from_iterable(
        _fitting(shots, similarities, start, end, min_ticks, max_ticks)
        for start, end in zip(starts, ends, strict=True)
        if start < end
    )
    return [tuple(shots[start:end]) for start, end in parts]


def _fitting(
    shots: Sequence[Shot],
    similarities: Sequence[float],
    start: int,
    end: int,
    min_ticks: Fraction,
    max_ticks: Fraction,
) -> Iterator[tuple[int, int]]:
    """Shots `[start, end)` in parts that are short enough, as far as that is possible without cutting a shot."""
    waiting = [(start, end)]
    while waiting:
        start, end = waiting.pop()
        if end - start == 1 or _ticks(shots, start, end) <= max_ticks:
            yield start, end
            continue
        cuts = range(start + 1, end)
        long_enough = [cut for cut in cuts if min(_ticks(shots, start, cut), _ticks(shots, cut, end)) >= min_ticks]
        cut = min(long_enough or cuts, key=lambda cut: (similarities[cut - 1], _off_middle(shots, start, cut, end)))
        waiting += [(cut, end), (start, cut)]


def _ticks(shots: Sequence[Shot], start: int, end: int) -> int:
    return shots[end - 1].span.end_pts - shots[start].span.start_pts


def _off_middle(shots: Sequence[Shot], start: int, cut: int, end: int) -> int:
    return abs(_ticks(shots, start, cut) - _ticks(shots, cut, end))


def adjacent_similarities(embeddings: Embeddings) -> NDArray[np.float32]:
    """Cosine of each row and the next: shape (N - 1,)."""
    vectors = embeddings.astype(np.float32)
    return np.asarray((vectors[:-1] * vectors[1:]).sum(axis=1), np.float32)


def shot_similarities(
    shots: Sequence[Shot], scan: SliceScan, embedder: Embedder, window: int, name: str
) -> list[float | None]:
    """How alike the shots on both sides of each boundary are, by embedding; one fewer than there are shots.

    The best cosine, -1 to 1, of a sample of the `window` shots before and one of the `window` shots after: of each shot
    the first and the last sample. With one shot on each side, that is what lies nearest to the boundary; with two, a
    dialogue whose views alternate holds together, as in Kender and Yeo's shot coherence (1998). None where the shots on
    one side hold no sample.

    Raises:
        StageError: the scan's pictures were not read.
        MediaError: a frame sample is no JPEG.
    """
    if not scan.frame_samples:
        raise StageError(f"{name}: split.embedder is {embedder.name}, and the scan of {scan.slice_id} has no pictures")
    ends = [_first_and_last(scan, shot) for shot in shots]
    embeddings = embedder.embed_samples([sample for pair in ends for sample in pair], name)
    edges = np.cumsum([0, *(len(pair) for pair in ends)])
    similarities: list[float | None] = []
    for gap in range(1, len(shots)):
        first, last = max(0, gap - window), min(len(shots), gap + window)
        before, after = embeddings[edges[first] : edges[gap]], embeddings[edges[gap] : edges[last]]
        similarities.append(float(cosine(before, after).max()) if len(before) and len(after) else None)
    return similarities


def _first_and_last(scan: SliceScan, shot: Shot) -> tuple[FrameSample, ...]:
    samples = samples_in(scan, shot.span)
    return samples[:1] if len(samples) == 1 else (*samples[:1], *samples[-1:])
