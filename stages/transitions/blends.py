"""Dissolves, and slow changes of no known kind: stretches whose frames are linear blends of their two ends.

Here: our rule. Contrast and detail must dip as those of a blend of unrelated pictures do: a moving camera changes the
picture without that dip. Not here: cuts (`stages.transitions.detectors`) and fades (`stages.transitions.fades`), which
bound the search.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from schemas.config import ScanConfig
from schemas.media import TransitionKind
from stages.transitions.series import MIN_RAMP_FRAMES, Floats, Found, Series, correlations, gaps, starts_within

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
FAST_MAX_ERROR = 0.35
"""The error where the shots move so fast that only the dip tells,"""
FAST_LIMITS = (0.7, 0.4, 0.5)
"""the same limits for it,"""
FAST_MIN_UNDERSHOOT = 0.6
"""and what undershoot (see `_undershoot`) contrast and detail must then both show."""
STEP_MAX_RATIO = 3.0
"""Largest change between two frames inside a blend, as a multiple of their mean: beyond it something else jumped."""
MAX_DETAIL_DIP = 1.5
"""A lens out of focus loses more detail than a blend can: the dip is at most this multiple of a blend's,"""
MAX_DETAIL_UNDERSHOOT = 1.7
"""and the undershoot (see `_undershoot`) at most this."""
MIN_UNDERSHOOT = 0.2
"""What undershoot a blend shows at least in contrast or in detail,"""
OPEN_MIN_UNDERSHOOT = 0.3
"""in both of them where the shots move so much that the kind would otherwise stay open,"""
SAME_COLOURS = (0.72, 0.26)
"""and, where the ends' histograms intersect by more than the first, in contrast at least the second."""
SHORT_FRAMES = 5
"""Frames inside a blend up to which no undershoot can be seen."""
FAINT_MIN_UNDERSHOOT = 0.3
"""Undershoot in contrast of what `is_faint_blend` takes for a dissolve;"""
FAINT_AROUND, FAINT_LEAST_AROUND = 4, 2
"""its ends are seen as many frames off as a fourth of its length, and at least two."""
FITS, CLEAR, OPEN, FAST, NONE = 4, 3, 2, 1, 0
"""What two frames may be the ends of, the surest first: a dissolve that fits, one whose shots move, a slow change of a
kind left open, a dissolve between shots that move fast, nothing."""
MOVE_MIN_INLIERS = 0.7
"""Share of tracked points that the camera model must explain, pair by pair, to prove that the shot goes on."""
MOVE_LEAST = (0.08, 0.08, 0.08, 5.0)
"""Pan in widths, tilt in heights, logarithm of zoom and roll in degrees: a smaller motion explains no new picture."""
BLEND_PROBES = 9
"""Frames inside a candidate that are compared with the blend."""
CHUNK_STARTS = 1000
"""Frames at which candidates start that are looked at together: bounds the memory."""
START_STEPS = 4
"""Places at which a candidate is tried within its own length."""
LENGTH_STEP = 1.2
"""Ratio of neighbouring candidate lengths."""


def find_dissolves(series: Series, known: list[tuple[int, int]], config: ScanConfig) -> list[Found]:
    """Dissolves and gradual changes between known stretches `[start, end)`, sorted; none reaches into one of them."""
    shortest = max(MIN_RAMP_FRAMES, math.ceil(series.length(config.min_dissolve_s)))
    longest = series.length(config.max_dissolve_s)
    lengths = {round(shortest * LENGTH_STEP**step) for step in range(64) if shortest * LENGTH_STEP**step <= longest}
    stretches = gaps(known, len(series))
    candidates = [one for length in sorted(lengths | {longest}) for one in _candidates(series, stretches, length)]
    taken: list[Found] = []
    for one in sorted(candidates, reverse=True):
        ends = one.before, one.before + one.length + 1
        if _is_free(ends, taken):
            refined = _corners(series, *ends, *one.limits)
            found = _blend_found(series, refined) if _is_free(refined, taken) else None
            found = found or _blend_found(series, ends)
            taken += [found] if found else []
    return taken


class _Candidate(NamedTuple):
    """What may be a gradual transition. In order, the best comes last."""

    rank: int
    strength: float
    before: int
    """Last clean frame before it."""
    length: int
    """Frames between the clean ones."""
    limits: tuple[int, int]
    """The stretch `[start, end)` that it lies in."""


def _candidates(series: Series, stretches: list[tuple[int, int]], length: int) -> list[_Candidate]:
    """Gradual transitions that may have `length` frames, inside the stretches."""
    found: list[_Candidate] = []
    for firsts, limits in starts_within(stretches, length + 2, max(1, length // START_STEPS), CHUNK_STARTS):
        # The cheapest of the conditions first: it leaves few candidates whose pictures must be compared.
        is_dipped = _dip(series.detail, firsts, firsts + length + 1, np.zeros(len(firsts))) > BLEND_LIMITS[0]
        left, bounds = firsts[is_dipped], limits[is_dipped]
        if not len(left):
            continue
        blend = _blend(series, left, left + length + 1)
        rank, strength = blend.rank(), blend.strength()
        for at in np.flatnonzero(rank):
            (start, end), before = bounds[at].tolist(), int(left[at])
            found.append(_Candidate(int(rank[at]), float(strength[at]), before, length, (start, end)))
    return found


def _is_free(ends: tuple[int, int], taken: list[Found]) -> bool:
    """Whether a transition between these clean frames leaves each one taken its own clean frames."""
    return all(ends[1] <= other.start - 1 or other.end <= ends[0] for other in taken)


def _blend_found(series: Series, ends: tuple[int, int]) -> Found | None:
    """The transition between two clean frames; None where there is none."""
    blend = _blend(series, np.array(ends[:1]), np.array(ends[1:]))
    rank = int(blend.rank()[0])
    if rank == NONE or _jumps(series, *ends) or is_camera_move(series, *ends):
        return None
    contrast, detail = _undershoot(series.spread**2, *ends), _undershoot(series.detail, *ends)
    if blend.detail_dip[0] > MAX_DETAIL_DIP or detail > MAX_DETAIL_UNDERSHOOT:
        return None
    if max(contrast, detail) < MIN_UNDERSHOOT and ends[1] - ends[0] - 1 > SHORT_FRAMES:
        return None
    if blend.similarity[0] > SAME_COLOURS[0] and contrast < SAME_COLOURS[1]:
        return None
    if rank == FAST and min(contrast, detail) < FAST_MIN_UNDERSHOOT:
        return None
    is_clear = rank != OPEN or min(contrast, detail) > OPEN_MIN_UNDERSHOOT
    kind: TransitionKind = "dissolve" if is_clear else "gradual"
    return Found(kind, ends[0] + 1, ends[1], float(blend.difference[0]), "reelproof.blend")


def _undershoot(figure: Floats, before: int, after: int) -> float:
    """How far a variance falls below the lower of its ends, as a share of its fall in a blend: 1, give or take noise.

    In a blend of unrelated pictures it falls to the product over the sum of its ends, even where one of them is small.
    A lens that loses focus, or a light that dies away, only goes from one end to the other.
    """
    first, second = float(figure[before]), float(figure[after])
    low = min(first, second)
    return (low - float(figure[before : after + 1].min())) / max(low - first * second / max(first + second, 1e-9), 1e-9)


def _jumps(series: Series, before: int, after: int) -> bool:
    """Whether one step between two frames stands out from those of the whole stretch."""
    looks = series.looks[before : after + 1].astype(np.float32)
    steps = np.abs(np.diff(looks, axis=0)).mean(axis=1)
    return bool(steps.max() > STEP_MAX_RATIO * steps.mean())


def is_faint_blend(series: Series, start: int, end: int) -> bool:
    """Whether frames `[start, end)`, which others take for part of a dissolve, look like it beside those around them.

    They need not fit a linear blend, as `find_dissolves` asks: the shots may move too much for that.
    """
    around = max(FAINT_LEAST_AROUND, (end - start) // FAINT_AROUND)
    before, after = max(0, start - around), min(len(series) - 1, end + around)
    shared = float(np.minimum(series.histograms[before], series.histograms[after]).sum(dtype=np.float64))
    return (
        _undershoot(series.spread**2, before, after) > FAINT_MIN_UNDERSHOOT
        and _undershoot(series.detail, before, after) < MAX_DETAIL_UNDERSHOOT
        and shared < SAME_COLOURS[0]
        and not is_camera_move(series, before, after)
    )


def is_camera_move(series: Series, before: int, after: int) -> bool:
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
        """What each pair may be the ends of: `FITS`, `CLEAR`, `OPEN`, `FAST` or `NONE`."""
        fits = (self.error < BLEND_MAX_ERROR) & self._within(BLEND_LIMITS)
        is_moving = self.error < MOVING_MAX_ERROR
        is_fast = (self.error < FAST_MAX_ERROR) & self._within(FAST_LIMITS)
        levels = [fits, is_moving & self._within(CLEAR_LIMITS), is_moving & self._within(GRADUAL_LIMITS), is_fast]
        rank = np.select(levels, [FITS, CLEAR, OPEN, FAST], NONE)
        return np.where(self.difference > BLEND_MIN_DIFFERENCE, rank, NONE).astype(np.int64)

    def strength(self) -> Floats:
        """How much of a change the pair is, less what the blend leaves unexplained: the search takes the largest."""
        most = np.where(self.error < MOVING_MAX_ERROR, MOVING_MAX_ERROR, FAST_MAX_ERROR)
        return np.asarray(self.difference**2 * (1 - self.error / most))

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
    offsets, weights = _probes(before, after)
    rest = series.looks[before[:, None] + offsets] - first[:, None] - weights[:, None] * step[:, None]
    error = np.einsum("npd,npd->n", rest, rest) / (rest[0].size or 1)
    return _Blend(
        difference=np.sqrt(square),
        correlation=correlation,
        similarity=np.minimum(series.histograms[before], series.histograms[after]).sum(axis=1, dtype=np.float64),
        error=error / square,
        contrast_dip=_dip((255 * series.spread) ** 2, before, after, correlation),
        detail_dip=_dip(series.detail, before, after, np.zeros(len(before))),
    )


def _dip(figure: Floats, before: npt.NDArray[np.int64], after: npt.NDArray[np.int64], correlation: Floats) -> Floats:
    """How far a variance falls below the line between its ends, as a share of what it does in a blend of the two."""
    first, second = figure[before, None], figure[after, None]
    shared = correlation[:, None] * np.sqrt(first * second)
    offsets, weights = _probes(before, after)
    line = (1 - weights) * first + weights * second
    blend = (1 - weights) ** 2 * first + weights**2 * second + 2 * weights * (1 - weights) * shared
    seen = (line - figure[before[:, None] + offsets]).sum(axis=1)
    return np.asarray(seen / np.maximum((line - blend).sum(axis=1), 1e-6))


def _probes(
    before: npt.NDArray[np.int64], after: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Frames after `before` that are looked at, and the weight that the later picture should have at each."""
    length = int(after[0] - before[0])
    offsets = np.unique(np.linspace(1, length - 1, BLEND_PROBES).round().astype(np.int64))
    return offsets, (offsets / length).astype(np.float32)


def _corners(series: Series, before: int, after: int, start: int, end: int) -> tuple[int, int]:
    """The last clean frame before and the first after, where the weight of the later picture best fits a ramp.

    It may be a straight one, or eased: slow at both ends. Every place of the two corners within half the candidate's
    length of its ends is tried, inside `[start, end)`.
    """
    reach = (after - before) // 2
    low, high = max(start, before - reach), min(end, after + reach + 1)
    looks = series.looks[low:high].astype(np.float32)
    step = looks[after - low] - looks[before - low]
    weights = (looks - looks[before - low]) @ step / float(step @ step)
    tops = np.arange(max(0, before - low - reach), before - low + reach // 2 + 1)
    bottoms = np.arange(after - low - reach // 2, high - low)
    tops, bottoms = (grid.ravel() for grid in np.meshgrid(tops, bottoms, indexing="ij"))
    tops, bottoms = tops[bottoms - tops > MIN_RAMP_FRAMES], bottoms[bottoms - tops > MIN_RAMP_FRAMES]
    if not len(tops):
        return before, after
    ramps = np.clip((np.arange(high - low) - tops[:, None]) / (bottoms - tops)[:, None], 0, 1).astype(np.float32)
    straight, eased = (((weights - ramp) ** 2).mean(axis=1) for ramp in (ramps, ramps * ramps * (3 - 2 * ramps)))
    best = int(np.argmin(np.minimum(straight, eased)))
    return low + int(tops[best]), low + int(bottoms[best])
