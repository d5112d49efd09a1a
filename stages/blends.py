"""Dissolves, and slow changes of no known kind: stretches whose frames are linear blends of their two ends.

Here: our rule. Contrast and detail must dip as those of a blend of unrelated pictures do: a moving camera changes the
picture without that dip. Not here: cuts (`stages.transitions`) and fades (`stages.fades`), which bound the search.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.config import ScanConfig
from schemas.media import TransitionKind
from stages.series import CHUNK_FRAMES, MIN_RAMP_FRAMES, Floats, Found, Series, correlations

BLEND_MAX_ERROR = 0.08
"""Mean squared deviation from the linear blend, as a share of the ends' mean squared difference."""
MOVING_MAX_ERROR = 0.16
"""The same where the shots themselves move and everything else is clear."""
BLEND_MIN_DIFFERENCE = 12.0
"""Root mean square luma difference (0 to 255) of the two ends."""
BLEND_LIMITS = (0.4, 0.85, 0.93)
"""Smallest share seen of the dip, in contrast and in detail, that a blend of unrelated pictures has; largest
correlation of the ends' thumbnails; largest intersection of their histograms. Beyond these they show one scene."""
GRADUAL_LIMITS = (0.6, 0.5, 0.8)
"""The same for errors up to `MOVING_MAX_ERROR`: a slow change whose kind is left open."""
CLEAR_LIMITS = (0.75, 0.3, 0.6)
"""The same for errors up to `MOVING_MAX_ERROR`: a dissolve."""
MOVE_MIN_INLIERS = 0.7
"""Share of tracked points that the camera model must explain, pair by pair, to prove that the shot goes on."""
MOVE_LEAST = (0.08, 0.08, 0.08, 5.0)
"""Pan in widths, tilt in heights, logarithm of zoom and roll in degrees: a smaller motion explains no new picture."""
BLEND_PROBES = 9
"""Frames inside a candidate that are compared with the blend."""
LENGTH_STEP = 1.2
"""Ratio of neighbouring candidate lengths."""


def find_dissolves(series: Series, known: list[Found], config: ScanConfig) -> list[Found]:
    """Dissolves and gradual changes in the stretches between the transitions that are known, not in order."""
    edges = sorted((found.start, found.end) for found in known)
    starts, ends = [0, *(end for _, end in edges)], [*(start for start, _ in edges), len(series.looks)]
    shortest = max(MIN_RAMP_FRAMES, math.ceil(series.length(config.min_dissolve_s)))
    longest = series.length(config.max_dissolve_s)
    lengths = {round(shortest * LENGTH_STEP**step) for step in range(64) if shortest * LENGTH_STEP**step <= longest}
    found: list[Found] = []
    for start, end in zip(starts, ends, strict=True):
        found += _dissolves_between(series, start, end, sorted(lengths | {longest}))
    return found


_Candidate = tuple[int, float, int, int]
"""Rank, strength, last clean frame before, frames between."""


def _dissolves_between(series: Series, start: int, end: int, lengths: list[int]) -> list[Found]:
    """The best candidates of one stretch `[start, end)`, strongest first, none overlapping another."""
    candidates: list[_Candidate] = []
    for length in lengths:
        for chunk in range(start, end - length - 1, CHUNK_FRAMES):
            firsts = np.arange(chunk, min(chunk + CHUNK_FRAMES, end - length - 1))
            # The cheapest of the conditions first: it leaves few candidates whose pictures must be compared.
            firsts = firsts[_dip(series.detail, firsts, firsts + length + 1, np.zeros(len(firsts))) > BLEND_LIMITS[0]]
            candidates += _candidates(series, firsts, length) if len(firsts) else []
    taken: list[Found] = []
    for _, _, before, length in sorted(candidates, reverse=True):
        ends = before, before + length + 1
        if _is_free(ends, taken):
            refined = _corners(series, *ends, start, end)
            one = _blend_found(series, refined) if _is_free(refined, taken) else None
            one = one or _blend_found(series, ends)
            taken += [one] if one else []
    return taken


def _candidates(series: Series, firsts: npt.NDArray[np.int64], length: int) -> list[_Candidate]:
    """Those of the stretches of `length` frames after the frames `firsts` that may be gradual transitions."""
    blend = _blend(series, firsts, firsts + length + 1)
    rank, strengths = blend.rank(), blend.strength()
    return [(int(rank[at]), float(strengths[at]), int(firsts[at]), length) for at in np.nonzero(rank)[0]]


def _is_free(ends: tuple[int, int], taken: list[Found]) -> bool:
    """Whether a transition between these clean frames leaves each one taken its own clean frames."""
    return all(ends[1] <= other.start - 1 or other.end <= ends[0] for other in taken)


def _blend_found(series: Series, ends: tuple[int, int]) -> Found | None:
    """The transition between two clean frames; None where there is none."""
    blend = _blend(series, np.array(ends[:1]), np.array(ends[1:]))
    rank = int(blend.rank()[0])
    if rank == 0 or _is_camera_move(series, *ends):
        return None
    kind: TransitionKind = "dissolve" if rank > 1 else "gradual"
    return Found(kind, ends[0] + 1, ends[1], float(blend.difference[0]), "reelproof.blend")


def _is_camera_move(series: Series, before: int, after: int) -> bool:
    """Whether one camera motion, measured without a break, carries the first picture away."""
    camera = series.camera
    start, end = np.asarray(camera.start_pts), np.asarray(camera.end_pts)
    inside = (start < series.pts[after]) & (end > series.pts[before])
    if not inside.any() or np.asarray(camera.inlier_ratio)[inside].min() < MOVE_MIN_INLIERS:
        return False
    seconds = (end - start)[inside] / series.ticks_per_s
    rates = (camera.pan_widths_per_s, camera.tilt_heights_per_s, camera.zoom_per_s, camera.roll_degrees_per_s)
    moved = [abs(float(np.asarray(rate)[inside] @ seconds)) for rate in rates]
    return any(way > least for way, least in zip(moved, MOVE_LEAST, strict=True))


@dataclass(frozen=True)
class _Blend:
    """How well the frames between pairs of clean frames fit a linear blend of the two; arrays have one row a pair."""

    difference: Floats
    """Root mean square luma difference of the two ends, 0 to 255."""
    correlation: Floats
    similarity: Floats
    """Intersection of the ends' histograms, 0 to 1."""
    error: Floats
    """Mean squared deviation from the blend over `difference` squared."""
    contrast_dip: Floats
    """See `_dip`."""
    detail_dip: Floats

    def rank(self) -> npt.NDArray[np.int64]:
        """What each pair may be the ends of: 3 and 2 a dissolve, 1 a slow change of a kind left open, 0 nothing."""
        fits = (self.error < BLEND_MAX_ERROR) & self._within(BLEND_LIMITS)
        is_moving = self.error < MOVING_MAX_ERROR
        rank = np.select(
            [fits, is_moving & self._within(CLEAR_LIMITS), is_moving & self._within(GRADUAL_LIMITS)], [3, 2, 1]
        )
        return np.where(self.difference > BLEND_MIN_DIFFERENCE, rank, 0).astype(np.int64)

    def strength(self) -> Floats:
        """How much of a change the pair is, less what the blend leaves unexplained: the search takes the largest."""
        return self.difference**2 * (1 - self.error / MOVING_MAX_ERROR)

    def _within(self, limits: tuple[float, float, float]) -> npt.NDArray[np.bool_]:
        min_dip, max_correlation, max_similarity = limits
        is_dipped = np.minimum(self.contrast_dip, self.detail_dip) > min_dip
        return is_dipped & (self.correlation < max_correlation) & (self.similarity < max_similarity)


def _blend(series: Series, before: npt.NDArray[np.int64], after: npt.NDArray[np.int64]) -> _Blend:
    """Holds a few frames between each pair against its blend. All pairs must be equally far apart."""
    first, second = series.looks[before].astype(np.float32), series.looks[after].astype(np.float32)
    step = second - first
    square = np.maximum((step**2).mean(axis=1), 1e-6)
    correlation = correlations(first, second)
    error, probes = np.zeros(len(before)), _probes(before, after)
    for offset, weight in probes:
        error += ((series.looks[before + offset] - first - weight * step) ** 2).mean(axis=1)
    return _Blend(
        difference=np.sqrt(square),
        correlation=correlation,
        similarity=np.minimum(series.histograms[before], series.histograms[after]).sum(axis=1),
        error=error / len(probes) / square,
        contrast_dip=_dip(series.variance, before, after, correlation),
        detail_dip=_dip(series.detail, before, after, np.zeros(len(before))),
    )


def _dip(figure: Floats, before: npt.NDArray[np.int64], after: npt.NDArray[np.int64], correlation: Floats) -> Floats:
    """How far a variance falls below the line between its ends, as a share of what it does in a blend of the two."""
    ends = figure[before], figure[after]
    shared = correlation * np.sqrt(ends[0] * ends[1])
    seen, predicted = np.zeros(len(before)), np.zeros(len(before))
    for offset, weight in _probes(before, after):
        line = (1 - weight) * ends[0] + weight * ends[1]
        seen += line - figure[before + offset]
        predicted += line - (1 - weight) ** 2 * ends[0] - weight**2 * ends[1] - 2 * weight * (1 - weight) * shared
    return seen / np.maximum(predicted, 1e-6)


def _probes(before: npt.NDArray[np.int64], after: npt.NDArray[np.int64]) -> list[tuple[int, float]]:
    """Frames after `before` that are looked at, each with the weight that the later picture should have there."""
    length = int(after[0] - before[0])
    offsets = np.unique(np.linspace(1, length - 1, BLEND_PROBES).round().astype(int))
    return [(int(offset), float(offset) / length) for offset in offsets]


def _corners(series: Series, before: int, after: int, start: int, end: int) -> tuple[int, int]:
    """The last clean frame before and the first after, where the weight of the later picture best fits a ramp.

    Every place of the two corners within half the candidate's length of its ends is tried, inside `[start, end)`.
    """
    reach = (after - before) // 2
    low, high = max(start, before - reach), min(end, after + reach + 1)
    looks = series.looks[low:high].astype(np.float32)
    step = looks[after - low] - looks[before - low]
    weights = (looks - looks[before - low]) @ step / float(step @ step)
    at, best = np.arange(high - low), (math.inf, before, after)
    for top in range(max(0, before - low - reach), before - low + reach // 2 + 1):
        for bottom in range(max(top + MIN_RAMP_FRAMES + 1, after - low - reach // 2), high - low):
            error = float(np.mean((weights - np.clip((at - top) / (bottom - top), 0, 1)) ** 2))
            best = min(best, (error, low + top, low + bottom))
    return best[1], best[2]
