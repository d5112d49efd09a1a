"""Strategies for keyframes that compare the embeddings of a clip's samples.

Here: pure functions from candidates to positions. Not here: the table of strategies (`stages.keyframes.strategies`),
those on stored signals (`stages.keyframes.by_signals`), or making embeddings (`stages.pictures.embedding`).
"""

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2

from schemas.config import DescribeConfig
from stages.clips.scenes import adjacent_similarities
from stages.keyframes.candidates import Candidates, Positions
from stages.pictures.embedding import cosine
from stages.pictures.samples import evenly_chosen

KMEANS_SEED = 0
"""KTV's."""
KMEANS_STARTS = 8
"""Starts of which the tightest clusters count, for one alone often settles on poor ones. Ours."""
KMEANS_ROUNDS = 50
"""More than a clip's few dozen samples need to settle."""


def kmeans(candidates: Candidates, count: int, config: DescribeConfig) -> Positions:
    """KTV: k-means on the embeddings (k-means++, seed 0), and of each cluster the sample nearest to its centre.

    KTV has 12 clusters whatever the video; here there are as many as keyframes. In order of time. Ours: the best of a
    few starts counts; there are no more clusters than pictures that differ.
    """
    del config
    vectors = candidates.embeddings.astype(np.float64)
    n_clusters = min(count, len(np.unique(vectors, axis=0)))
    seed = np.random.default_rng(KMEANS_SEED)
    distances = [_distances_to_centres(vectors, n_clusters, seed) for _ in range(KMEANS_STARTS)]
    tightest = min(distances, key=lambda each: float((each.min(axis=1) ** 2).sum()))
    return sorted({int(position) for position in tightest.argmin(axis=0)})


def redundancy_removal(candidates: Candidates, count: int, config: DescribeConfig) -> Positions:
    """VideoEspresso: a sample is dropped where it is too similar to the last one kept; the first is kept.

    VideoEspresso compares captions; comparing embeddings of the pictures, the threshold
    (`describe.redundancy_max_similarity`) and taking an even selection where too many are left are ours.
    """
    kept = [0]
    similarities = cosine(candidates.embeddings, candidates.embeddings)
    for position in range(1, len(candidates)):
        if similarities[kept[-1], position] <= config.redundancy_max_similarity:
            kept.append(position)
    return evenly_chosen(kept, count)


def any_k(candidates: Candidates, count: int, config: DescribeConfig) -> Positions:
    """K-frames: keyframes come from scenes, and any number can be had: the first `count` of one ranking.

    So the choice under a smaller budget is part of the choice under a larger one. K-frames lets a trained model pick
    scenes for a question; without one, ours: a scene ends where the similarity of neighbouring samples falls below
    `describe.any_k_min_similarity`; each scene, the longest first, gives the sample most like its mean, and further
    ones go where a keyframe stands for most samples, each the farthest in time from those of its scene. In order of
    rank.
    """
    scenes = _scenes(candidates, config.any_k_min_similarity)
    chosen: list[Positions] = [[] for _ in scenes]
    ranking: Positions = []
    while len(ranking) < min(count, len(candidates)):
        weights = [_weight(scene, taken) for scene, taken in zip(scenes, chosen, strict=True)]
        best = weights.index(max(weights))
        position = _next_of_scene(candidates, scenes[best], chosen[best])
        chosen[best].append(position)
        ranking.append(position)
    return ranking


def grow_key_clips(candidates: Candidates, anchors: Sequence[int], config: DescribeConfig) -> list[tuple[int, int]]:
    """F2C: key frames grown into key clips that together keep to a token budget: `[start, end)` in ticks, by anchor.

    F2C finds a length and a size of the pictures for a question. Ours, without one and at one size: every key clip has
    its anchor at least; then always the neighbouring sample that is most like the anchor of the clip beside it joins
    that clip, until the budget (`describe.key_clip_token_budget`, at `describe.key_clip_tokens_per_frame`) is used up.
    A key clip stays inside its shot, and takes no sample of another.
    """
    similarities = cosine(candidates.embeddings, candidates.embeddings)
    shots = [_shot_of(candidates, position) for position in range(len(candidates))]
    bounds = [(anchor, anchor) for anchor in anchors]
    taken = set(anchors)
    for _ in range(config.key_clip_token_budget // config.key_clip_tokens_per_frame - len(anchors)):
        offers = [
            (number, beside)
            for number, (first, last) in enumerate(bounds)
            for beside in (first - 1, last + 1)
            if 0 <= beside < len(candidates) and beside not in taken and shots[beside] == shots[first]
        ]
        if not offers:
            break
        number, beside = max(offers, key=lambda offer: similarities[anchors[offer[0]], offer[1]])
        bounds[number] = (min(bounds[number][0], beside), max(bounds[number][1], beside))
        taken.add(beside)
    return [_ticks(candidates, first, last, shots[first]) for first, last in bounds]


def _distances_to_centres(
    vectors: NDArray[np.float64], n_clusters: int, seed: np.random.Generator
) -> NDArray[np.float64]:
    """Of each vector from each centre, after one start: shape (N, number of clusters)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # an empty cluster: its centre stays where it started
        centres, _ = kmeans2(vectors, n_clusters, iter=KMEANS_ROUNDS, minit="++", seed=seed)
    return np.asarray(np.linalg.norm(vectors[:, None, :] - centres[None, :, :], axis=2), np.float64)


def _scenes(candidates: Candidates, min_similarity: float) -> list[range]:
    """Runs of neighbouring candidates that are alike."""
    similarities = adjacent_similarities(candidates.embeddings)
    ends = [int(gap) + 1 for gap in np.flatnonzero(similarities < min_similarity)]
    starts = [0, *ends]
    return [range(start, end) for start, end in zip(starts, [*ends, len(candidates)], strict=True)]


def _weight(scene: range, taken: Positions) -> tuple[bool, float]:
    """How much a scene deserves the next keyframe."""
    if len(taken) == len(scene):
        return False, -1.0
    return not taken, len(scene) / max(1, len(taken))


def _next_of_scene(candidates: Candidates, scene: range, taken: Positions) -> int:
    vectors = candidates.embeddings[scene.start : scene.stop].astype(np.float32)
    if not taken:
        return scene.start + int(np.argmax(vectors @ vectors.mean(axis=0)))
    pts = candidates.pts[scene.start : scene.stop]
    distance = np.abs(pts[:, None] - candidates.pts[taken][None, :]).min(axis=1)
    return scene.start + int(np.argmax(distance))


def _shot_of(candidates: Candidates, position: int) -> tuple[int, int]:
    """The shot that holds a candidate; the whole clip for one in a transition."""
    pts = int(candidates.pts[position])
    return next(((start, end) for start, end in candidates.shots if start <= pts < end), candidates.clip)


def _ticks(candidates: Candidates, first: int, last: int, shot: tuple[int, int]) -> tuple[int, int]:
    """From the first sample to the sample after the last, or to the end of the shot."""
    following = int(candidates.pts[last + 1]) if last + 1 < len(candidates) else shot[1]
    return int(candidates.pts[first]), min(following, shot[1])
