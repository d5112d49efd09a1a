"""Wipes: a border runs over the picture, and every place turns from the old shot to the new when it passes.

Here: our rule, for borders of any shape. Each place must step once from the picture before to the picture after, and
far beyond what the shots themselves move; the times of these steps must spread over the wipe, and neighbouring places
must step at nearly the same time. Not here: dissolves, where all places change together (`stages.transitions.blends`).
Shape legend: P = places, 9 rows by 16 columns of them, letterbox bars left out.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from schemas.config import ScanConfig
from stages.transitions.blends import is_camera_move
from stages.transitions.series import CHUNK_FRAMES, Flags, Found, Looks, Series, correlations, gaps, starts_within

Frames = npt.NDArray[np.int64]

GRID = (9, 16)
"""Rows and columns of the places."""
MIN_WIPE_S = 0.2
LENGTH_STEP = 1.25
"""Ratio of neighbouring candidate lengths."""
START_STEPS = 3
"""Places at which a candidate is tried within its own length."""
MIN_DIFFERENCE = 18.0
"""Root mean square difference of the ends over luma and chroma, summed, 0 to 255."""
MAX_CORRELATION = 0.8
"""Largest correlation of the ends' luma: beyond it they show one scene."""
PROBES = ((0.25, 0.0, 0.75), (0.5, 0.12, 0.9), (0.75, 0.25, 0.98))
"""Places inside a candidate, and between which shares of the way from first to last picture it must be there."""
MIDDLE_REST = (0.06, 0.9)
"""What a blend leaves unexplained of the middle picture, as a share of the ends' squared difference: a quarter in a
wipe, little in a dissolve, more where the shots move."""
MAX_ERROR = 0.25
"""Mean squared deviation from one step per place, over the ends' mean squared difference: a few hundredths where the
shots stand still."""
MAX_ERROR_RATIO = 0.6
"""The same over the deviation from a linear blend."""
TELLING = 0.25
"""Squared difference of the ends, over its mean, from which a place tells whether there was a border,"""
FAINT = 0.1
"""and, once there was one, from which it tells when the border passed."""
MIN_TELLING = 0.5
"""Share of telling places."""
MIN_SPREAD = 0.14
"""Standard deviation of the times of the steps, as a share of the wipe: 0.29 where the border moves evenly."""
MAX_AT_ONCE = 0.29
"""Share of the places that step in one frame,"""
MAX_AT_ONCE_SHORT = 3.0, 0.36
"""or, where the wipe is short, this multiple of what an even border passes in a frame, but no more than that share."""
MAX_ROUGHNESS = 0.62
"""Mean difference of neighbouring places' times over the standard deviation of all: about 1.1 without any order."""
PASSAGE = 8
"""A border passes a place within the wipe's length over this. The largest change of a place within that time tells by
itself, without the ends, when it stepped:"""
MIN_PEAK = 5.0
"""that change over the median one of the place, in the median place: a shot that moves has two or three,"""
CLEAR_PEAK = 0.5
"""least such change of a place that tells, over that of the median place,"""
MIN_AGREEMENT = 0.8
"""and share of the places that must step when the ends say they do, give or take a tenth of the wipe."""
MIN_STEP_SHARE = 0.6
"""Change of the median place within a sixth of the wipe, over its whole change: in a dissolve it is less."""
MAX_PATH = 2.3
"""Length of the way of the median place through colour, over the distance of its ends: longer where a camera moves."""
MIN_DETAIL = 0.4
"""Least detail on the way over the lesser detail of the ends: a camera that is thrown about blurs the picture."""
MAX_SAMENESS = 1.2
"""Intersection of the ends' histograms plus the mean change of the shots outside the wipe, over that inside: a shot
that changes as much without a wipe, and keeps its colours, is one that moves."""
EDGE_SHARE = 0.1
"""Share of the places whose steps, first and last, do not say when the wipe begins and ends: they may be noise."""


@dataclass(frozen=True)
class _Wipe:
    """A candidate: last clean frame before, first clean frame after, and how strong a change it is."""

    strength: float
    before: int
    after: int
    difference: float
    limits: tuple[int, int]
    """The stretch `[start, end)` that it lies in."""


def find_wipes(series: Series, known: list[tuple[int, int]], config: ScanConfig) -> list[Found]:
    """Wipes between known stretches `[start, end)`, sorted; none reaches into one of them."""
    places = _places(series)
    length, candidates = max(4.0, float(series.length(MIN_WIPE_S))), list[_Wipe]()
    while length <= series.length(config.max_dissolve_s):
        candidates += _candidates(series, places, gaps(known, len(series)), round(length))
        length *= LENGTH_STEP
    taken: list[_Wipe] = []
    for wipe in sorted(candidates, key=lambda one: -one.strength):
        is_free = all(wipe.after <= other.before + 1 or other.after <= wipe.before + 1 for other in taken)
        if is_free and _is_between_shots(series, places, wipe):
            taken.append(wipe)
    return [Found("wipe", o.before + 1, o.after, o.difference, "reelproof.wipe") for o in _merged(taken)]


def _merged(wipes: list[_Wipe]) -> list[_Wipe]:
    """The wipes in order, those joined that follow each other at once: parts of one whose halves differ unequally."""
    merged: list[_Wipe] = []
    for wipe in sorted(wipes, key=lambda one: one.before):
        if merged and wipe.limits == merged[-1].limits and wipe.before <= merged[-1].after + 1:
            last = merged.pop()
            wipe = replace(max(last, wipe, key=lambda one: one.strength), before=last.before, after=wipe.after)
        merged.append(wipe)
    return merged


def _places(series: Series) -> Looks:
    """(T, P, 3) float32: mean luma, Cb and Cr of each place that is not black throughout."""
    count = len(series)
    luma = series.thumbnails.reshape(count, GRID[0], 2, GRID[1], 2).mean(axis=(2, 4), dtype=np.float32)
    chroma = series.chroma.reshape(count, -1, 2).astype(np.float32)
    return np.concatenate([luma.reshape(count, -1, 1), chroma], axis=2)[:, series.is_shown.ravel()]


def _candidates(series: Series, places: Looks, stretches: list[tuple[int, int]], length: int) -> list[_Wipe]:
    """The wipes of about `length` frames inside the stretches; many of them may be one and the same."""
    found: list[_Wipe] = []
    for firsts, limits in starts_within(stretches, length + 2, max(1, length // START_STEPS), CHUNK_FRAMES):
        may_be = _may_be_wipes(places, firsts, length)
        left, bounds = firsts[may_be], limits[may_be]
        is_change = _sameness(series, places, left, left + length + 1, bounds) < MAX_SAMENESS
        for first, (start, end) in zip(left[is_change].tolist(), bounds[is_change].tolist(), strict=True):
            wipe = _wipe(places[first : first + length + 2], first, series.is_shown, (start, end))
            found += [wipe] if wipe else []
    return found


def _may_be_wipes(places: Looks, firsts: Frames, length: int) -> Flags:
    """Which stretches begin and end in unlike pictures, and on the way show some of both."""
    is_wipe: Flags = np.asarray(_distance(places, firsts, firsts + length + 1) > MIN_DIFFERENCE / np.sqrt(3))
    if not is_wipe.any():
        return is_wipe
    left = firsts[is_wipe]
    before, after = places[left], places[left + length + 1]
    step = (after - before).reshape(len(left), -1)
    square = np.maximum(np.einsum("nd,nd->n", step, step), 1e-6)
    passes = correlations(before[:, :, 0], after[:, :, 0]) < MAX_CORRELATION
    for share, least, most in PROBES:
        middle = (places[left + round(share * (length + 1))] - before).reshape(len(left), -1)
        weight = np.einsum("nd,nd->n", middle, step) / square
        passes &= (weight > least) & (weight < most)
        if share == 0.5:
            rest = np.einsum("nd,nd->n", middle, middle) / square - weight**2
            passes &= (rest > MIDDLE_REST[0]) & (rest < MIDDLE_REST[1])
    is_wipe[is_wipe] = passes
    return is_wipe


def _wipe(places: Looks, first: int, is_shown: Flags, limits: tuple[int, int]) -> _Wipe | None:
    """The wipe in (L + 2, P, 3) pictures, of which the first and the last are clean; None where there is none."""
    length = len(places) - 1
    from_before = ((places - places[0]) ** 2).sum(axis=2)
    from_after = ((places - places[-1]) ** 2).sum(axis=2)
    square = from_before[-1]
    # Before its step a place is held against the first picture, from the step on against the last.
    cost = np.zeros((length + 2, places.shape[1]), dtype=np.float64)
    cost[1:] += np.cumsum(from_before, axis=0)
    cost[:-1] += np.cumsum(from_after[::-1], axis=0)[::-1]
    times = cost.argmin(axis=0)
    total = length * float(square.mean())
    error = float(cost.min(axis=0).mean()) / total
    weight = np.linspace(0, 1, length + 1, dtype=np.float32)[:, None, None]
    blend_error = float(((places - places[0] - weight * (places[-1] - places[0])) ** 2).sum(axis=(0, 2)).mean()) / total
    telling = square > TELLING * square.mean()
    if error > min(MAX_ERROR, MAX_ERROR_RATIO * blend_error) or telling.mean() < MIN_TELLING:
        return None
    passed, clear, peak = _passage(places)
    agree = np.abs(passed - times)[telling & clear] <= max(1, length / 10)
    if peak < MIN_PEAK or not agree.any() or agree.mean() < MIN_AGREEMENT:
        return None
    if not (_is_border(times, telling, is_shown, length) and _is_border(passed, clear, is_shown, length)):
        return None
    # A place steps when the border has passed half of it. What steps first and last may be noise.
    early, late = np.quantile(times[square > FAINT * square.mean()], [EDGE_SHARE, 1 - EDGE_SHARE])
    margin = EDGE_SHARE / (1 - 2 * EDGE_SHARE) * (late - early)
    before, after = max(0, round(early - margin) - 2), min(length, round(late + margin) + 1)
    strength = float(square.mean()) * float(telling.mean()) * (1 - error / (MAX_ERROR_RATIO * blend_error))
    return _Wipe(strength, first + before, first + after, float(np.sqrt(square.mean())), limits)


def _passage(places: Looks) -> tuple[Frames, Flags, float]:
    """When each of the P places changes most, which of them change clearly, and the median peak (see `PASSAGE`)."""
    reach = max(2, round((len(places) - 1) / PASSAGE))
    change = np.sqrt(((places[reach:] - places[:-reach]) ** 2).sum(axis=2))
    most = change.max(axis=0)
    peak = float(np.median(most / np.maximum(np.median(change, axis=0), 1)))
    return change.argmax(axis=0) + (reach + 1) // 2, most > CLEAR_PEAK * np.median(most), peak


def _is_border(times: Frames, telling: Flags, is_shown: Flags, length: int) -> bool:
    """Whether the (P,) times at which places step are those of a border that runs over the picture."""
    told = times[telling]
    spread = float(told.std())
    multiple, most = MAX_AT_ONCE_SHORT
    at_once = max(MAX_AT_ONCE, min(multiple / length, most))
    if spread < MIN_SPREAD * length or np.bincount(told).max() > at_once * len(told):
        return False
    grid, known = np.zeros(GRID, dtype=np.int64), np.zeros(GRID, dtype=bool)
    grid[is_shown], known[is_shown] = times, telling
    across = np.abs(np.diff(grid, axis=1))[known[:, 1:] & known[:, :-1]]
    down = np.abs(np.diff(grid, axis=0))[known[1:] & known[:-1]]
    steps = np.concatenate([across, down])
    return bool(len(steps) > 0 and steps.mean() < MAX_ROUGHNESS * spread)


def _is_between_shots(series: Series, places: Looks, wipe: _Wipe) -> bool:
    """Whether the places go straight from one steady picture to another, which a moving camera does not do to them."""
    inside = places[wipe.before : wipe.after + 1]
    length = len(inside) - 1
    distance = np.sqrt(((inside[-1] - inside[0]) ** 2).sum(axis=1))
    telling = distance**2 > TELLING * float((distance**2).mean())
    reach = min(length, max(3, length // 6))
    steps = np.sqrt(((inside[reach:] - inside[:-reach]) ** 2).sum(axis=2)).max(axis=0)
    path = np.sqrt((np.diff(inside, axis=0) ** 2).sum(axis=2)).sum(axis=0)
    if float(np.median((steps / np.maximum(distance, 1))[telling])) < MIN_STEP_SHARE:
        return False
    if float(np.median((path / np.maximum(distance, 1))[telling])) > MAX_PATH:
        return False
    detail = series.detail[wipe.before : wipe.after + 1]
    if detail.min() < MIN_DETAIL * min(detail[0], detail[-1]) or is_camera_move(series, wipe.before, wipe.after):
        return False
    ends = np.array([wipe.before]), np.array([wipe.after])
    return bool(_sameness(series, places, *ends, np.array([wipe.limits]))[0] < MAX_SAMENESS)


def _sameness(series: Series, places: Looks, before: Frames, after: Frames, limits: Frames) -> npt.NDArray[np.float32]:
    """How much the ends share their colours, plus how much the shots around change within half the wipe's length.

    One value for each pair of `before` and `after`, all equally far apart; `limits` (pairs, 2) bound the look outside.
    """
    if not len(before):
        return np.zeros(0, dtype=np.float32)
    reach, (first, last) = max(2, int(after[0] - before[0]) // 2), (limits - (0, 1)).T
    early = _distance(places, np.maximum(before - reach, first), before)
    late = _distance(places, after, np.minimum(after + reach, last))
    # Where there is no look at one shot, the other speaks for both.
    has_early, has_late = before - first > reach // 2, last - after > reach // 2
    change = np.where(has_early, early, late) + np.where(has_late, late, early)
    shared = np.minimum(series.histograms[before], series.histograms[after]).sum(axis=1, dtype=np.float32)
    return np.asarray(shared + change / 2 / np.maximum(_distance(places, before, after), 1e-6), dtype=np.float32)


def _distance(places: Looks, first: Frames, second: Frames) -> npt.NDArray[np.float32]:
    """Root mean square difference of pairs of pictures."""
    step = (places[second] - places[first]).reshape(len(first), -1)
    return np.asarray(np.sqrt(np.einsum("nd,nd->n", step, step) / step.shape[1]), dtype=np.float32)
