"""Strategies for keyframes that look at stored signals only: no model, no picture is decoded.

Here: pure functions from candidates to positions. Not here: the table of strategies (`stages.keyframes.strategies`), or
those that compare embeddings (`stages.keyframes.by_embeddings`).
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from scipy.signal import find_peaks

from schemas.config import DescribeConfig
from stages.keyframes.candidates import Candidates, Positions, in_stretch
from stages.pictures.samples import evenly_chosen

Ticks = tuple[int, int]
"""`[start, end)`."""


def middle_sharpest(candidates: Candidates, count: int, config: DescribeConfig) -> Positions:
    """Ours: of each shot the sharpest sample in the middle half, for frames near a transition are seldom typical.

    Keyframes are shared out over the shots by length; a shot with several is divided into as many equal stretches and
    each has its own. Where there are more shots than keyframes, an even selection of shots is kept. A stretch without a
    candidate has none.
    """
    del config
    shared = shared_out(candidates.shots, count)
    stretches = [stretch for shot, share in shared for stretch in _stretches(shot, share)]
    chosen = [position for stretch in stretches for position in _sharpest_near_middle(candidates, stretch)]
    start, end = candidates.clip
    return chosen or _sharpest_near_middle(candidates, (Fraction(start), Fraction(end)))


def variation_peaks(candidates: Candidates, count: int, config: DescribeConfig) -> Positions:
    """ChronoForge-RL: samples at local maxima of a variation score, for there something new begins.

    Ours: the score is the mean HSV difference a frame since the sample before, as stored; a peak at either end counts;
    of many peaks the most prominent are kept. In order of prominence.
    """
    del config
    padded = np.concatenate([[-1.0], candidates.variation.astype(np.float64), [-1.0]])
    peaks, properties = find_peaks(padded, prominence=0)
    by_prominence = np.argsort(-properties["prominences"], kind="stable")
    return [int(peak) - 1 for peak in peaks[by_prominence][:count]]


def slow_frames(candidates: Candidates, count: int, config: DescribeConfig) -> Positions:
    """Keye-VL-1.5: the slow frames, which differ from the slow frame before them in many patches.

    Ours: of too many an even selection.
    """
    del config
    return evenly_chosen([int(position) for position in np.flatnonzero(candidates.is_slow)], count)


def evenly_spaced(candidates: Candidates, count: int, config: DescribeConfig) -> Positions:
    """IG-VLM: samples evenly over the clip: the nearest to the middle of each of `count` equal stretches, in order.

    Ours: a sample that is the nearest to two middles counts once.
    """
    del config
    start, end = candidates.clip
    middles = start + (np.arange(count) + 0.5) * ((end - start) / count)
    nearest = np.abs(candidates.pts[:, None] - middles[None, :]).argmin(axis=0)
    return sorted({int(position) for position in nearest})


def shared_out(shots: Sequence[Ticks], count: int) -> list[tuple[Ticks, int]]:
    """How many of `count` keyframes each shot gets: one each, and the rest where a keyframe stands for most time."""
    kept = evenly_chosen(shots, count)
    shares = [1] * len(kept)
    for _ in range(count - len(kept) if kept else 0):
        ticks = [Fraction(end - start, share) for (start, end), share in zip(kept, shares, strict=True)]
        shares[ticks.index(max(ticks))] += 1
    return list(zip(kept, shares, strict=True))


def _stretches(shot: Ticks, count: int) -> list[tuple[Fraction, Fraction]]:
    """A shot's span in `count` equal parts, in ticks."""
    start, length = shot[0], Fraction(shot[1] - shot[0], count)
    return [(start + length * part, start + length * (part + 1)) for part in range(count)]


def _sharpest_near_middle(candidates: Candidates, stretch: tuple[Fraction, Fraction]) -> Positions:
    """The keyframe of one stretch, or none where it holds no candidate."""
    start, end = stretch
    middle, quarter = (start + end) / 2, (end - start) / 4
    inside = in_stretch(candidates, start, end)
    distance = {position: abs(int(candidates.pts[position]) - middle) for position in inside}
    central = [position for position in inside if distance[position] <= quarter] or inside
    best = max(central, key=lambda position: (candidates.sharpness[position], -distance[position]), default=None)
    return [] if best is None else [best]
