"""What the camera does: means of the motion signals over a span, the term they amount to, and segments of one motion.

Here: arithmetic on `MotionSignals`. Not here: how motion is measured (`stages.camera.motion`), or what is said about
it.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.config import DescribeConfig
from schemas.signals import CameraSegment, CameraTerm, MotionSignals
from schemas.time import Span

SPLIT_PENALTY = 4.0
"""Squared error, in units of the noise, that a further segment must save for each doubling of the number of pairs."""

MIN_DOMINANCE = 2.0
"""A motion is claimed alone only if, each as a multiple of its moving threshold, it is this much above the others."""

_NORMAL_DEVIATIONS_PER_MAD = 1.4826

_LEAST = 1e-6
"""Stands in for a threshold of zero where it divides."""

_SIGNED_TERMS: tuple[tuple[CameraTerm, CameraTerm], ...] = (
    ("pan_right", "pan_left"),
    ("tilt_up", "tilt_down"),
    ("zoom_in", "zoom_out"),
    ("roll_clockwise", "roll_counterclockwise"),
)
"""Terms of the four motions where positive and where negative, in the order that the signals are stacked here."""


@dataclass(frozen=True)
class CameraMeans:
    """Motion signals averaged over a span, each pair of frames weighing as much as it lasts.

    A pair of which no camera model could be had lowers `inlier_ratio`, and has no say in the rest.
    """

    pan_widths_per_s: float
    tilt_heights_per_s: float
    zoom_per_s: float
    roll_degrees_per_s: float
    shake: float
    """Standard deviation of the translation about its mean, picture widths per second; heights count as widths."""
    subject_ratio: float
    """Share of the textured picture that moves otherwise than the camera, 0 to 1."""
    subject_motion_widths_per_s: float
    inlier_ratio: float
    n_pairs: int
    """Pairs of frames that the means are over."""

    @property
    def motions(self) -> tuple[float, float, float, float]:
        """Pan, tilt, zoom and roll."""
        return self.pan_widths_per_s, self.tilt_heights_per_s, self.zoom_per_s, self.roll_degrees_per_s


def mean_camera(motion: MotionSignals, span: Span) -> CameraMeans | None:
    """Means over the pairs of frames wholly inside `span`; None where there is no such pair."""
    first, last = _pairs_inside(motion, span)
    return _mean_of_pairs(motion, first, last) if first < last else None


def camera_term(means: CameraMeans, config: DescribeConfig) -> CameraTerm:
    """The one term for the means, and `unclear` wherever a claim could be wrong.

    The first rule that applies decides:

    - `unclear`: less than `min_inlier_ratio` of the picture follows the camera model.
    - `handheld`: the shake is at least `handheld_shake`, and no smaller than the mean translation.
    - `mixed`: two or more of pan, tilt, zoom and roll are above their moving thresholds.
    - `pan_right`, `pan_left`, `tilt_up`, `tilt_down`, `zoom_in`, `zoom_out`, `roll_clockwise`, `roll_counterclockwise`:
      this motion alone is above its moving threshold and, both as multiples of their thresholds, at least
      `MIN_DOMINANCE` times the next; else `unclear`.
    - `static`: every motion is below its static threshold, and the shake below `static_shake`.
    - `unclear`: all else.

    Pan is held against the translation thresholds in picture widths, tilt in picture heights. All rules are ours.
    """
    if means.inlier_ratio < config.min_inlier_ratio:
        return "unclear"
    travel = float(np.hypot(means.pan_widths_per_s, means.tilt_heights_per_s))
    if means.shake >= config.handheld_shake and means.shake >= travel:
        return "handheld"
    strengths = [abs(value) / max(moving, _LEAST) for value, moving in zip(means.motions, _moving(config), strict=True)]
    n_moving = sum(strength > 1 for strength in strengths)
    if n_moving > 1:
        return "mixed"
    if n_moving == 1:
        second, first = sorted(strengths)[-2:]
        largest = strengths.index(first)
        positive, negative = _SIGNED_TERMS[largest]
        name = positive if means.motions[largest] > 0 else negative
        return name if first >= MIN_DOMINANCE * second else "unclear"
    is_still = all(abs(value) < limit for value, limit in zip(means.motions, _static(config), strict=True))
    return "static" if is_still and means.shake <= config.static_shake else "unclear"


def camera_segments(motion: MotionSignals, span: Span, config: DescribeConfig) -> tuple[CameraSegment, ...]:
    """Consecutive stretches of `span`, each with one camera motion; empty where no pair of frames lies inside.

    The four motions are fitted with constants on segments of at least `min_camera_segment_s` such that squared error
    plus a penalty per segment is least (optimal partitioning, Jackson et al. 2005, exact by dynamic programming);
    neighbours with the same term are then joined. Scales and penalty are ours. Segments begin and end with pairs.
    """
    first, last = _pairs_inside(motion, span)
    if first >= last:
        return ()
    starts = [first + start for start in _partition(motion, first, last, span, config)]
    bounds = _join_equal_terms(motion, [*starts, last], config)
    return tuple(_segment(motion, start, end, span, config) for start, end in itertools.pairwise(bounds))


def _static(config: DescribeConfig) -> tuple[float, float, float, float]:
    translation = config.static_widths_per_s
    return translation, translation, config.static_zoom_per_s, config.static_roll_degrees_per_s


def _moving(config: DescribeConfig) -> tuple[float, float, float, float]:
    translation = config.moving_widths_per_s
    return translation, translation, config.moving_zoom_per_s, config.moving_roll_degrees_per_s


def _pairs_inside(motion: MotionSignals, span: Span) -> tuple[int, int]:
    """First pair wholly inside the span, and the first after the last; pairs are in presentation order."""
    first = int(np.searchsorted(motion.start_pts, span.start_pts, side="left"))
    last = int(np.searchsorted(motion.end_pts, span.end_pts, side="right"))
    return first, max(first, last)


def _durations(motion: MotionSignals, first: int, last: int) -> NDArray[np.float64]:
    return np.subtract(motion.end_pts[first:last], motion.start_pts[first:last]).astype(np.float64)


def _motions(motion: MotionSignals, first: int, last: int) -> NDArray[np.float64]:
    """Pan, tilt, zoom and roll of the pairs, shape (pairs, 4)."""
    series = (motion.pan_widths_per_s, motion.tilt_heights_per_s, motion.zoom_per_s, motion.roll_degrees_per_s)
    return np.stack([np.asarray(values[first:last], np.float64) for values in series], axis=1)


def _mean_of_pairs(motion: MotionSignals, first: int, last: int) -> CameraMeans:
    durations = _durations(motion, first, last)
    inlier_ratio = np.asarray(motion.inlier_ratio[first:last], np.float64)
    weights = durations * (inlier_ratio > 0) if inlier_ratio.any() else durations
    values = _motions(motion, first, last)
    means = np.average(values, axis=0, weights=weights)
    variances = np.average((values[:, :2] - means[:2]) ** 2, axis=0, weights=weights)
    pan, tilt, zoom, roll = (float(mean) for mean in means)
    return CameraMeans(
        pan_widths_per_s=pan,
        tilt_heights_per_s=tilt,
        zoom_per_s=zoom,
        roll_degrees_per_s=roll,
        shake=float(np.sqrt(variances.sum())),
        subject_ratio=float(np.average(motion.subject_ratio[first:last], weights=weights)),
        subject_motion_widths_per_s=float(np.average(motion.subject_motion_widths_per_s[first:last], weights=weights)),
        inlier_ratio=float(np.average(inlier_ratio, weights=durations)),
        n_pairs=last - first,
    )


def _partition(motion: MotionSignals, first: int, last: int, span: Span, config: DescribeConfig) -> list[int]:
    """Starts of the segments, as positions among the pairs `first` to `last`; the first is 0."""
    values = _motions(motion, first, last)
    # A doubtful estimate must not found a segment of its own.
    weights = np.maximum(np.asarray(motion.inlier_ratio[first:last], np.float64), 0.05)
    errors = _SquaredErrors(values / np.maximum(np.maximum(_noise(values), _static(config)), _LEAST), weights)
    start_pts, end_pts = np.asarray(motion.start_pts[first:last]), np.asarray(motion.end_pts[first:last])
    min_ticks = config.min_camera_segment_s / float(span.time_base.fraction)

    n_pairs = last - first
    penalty = SPLIT_PENALTY * np.log2(max(2, n_pairs))
    least, previous = np.full(n_pairs + 1, np.inf), np.zeros(n_pairs + 1, int)
    least[0] = -penalty
    for end in range(1, n_pairs + 1):
        is_long_enough = end_pts[end - 1] - start_pts[:end] >= min_ticks
        starts = np.flatnonzero(is_long_enough & np.isfinite(least[:end]))
        if starts.size:
            totals = least[starts] + errors.of(starts, end) + penalty
            least[end], previous[end] = totals.min(), starts[totals.argmin()]
    return _walk_back(previous, n_pairs) if np.isfinite(least[n_pairs]) else [0]


class _SquaredErrors:
    """Weighted squared error of any stretch of a series about its mean, from running sums.

    `values` has shape (n, motions), `weights` shape (n,), positive.
    """

    def __init__(self, values: NDArray[np.float64], weights: NDArray[np.float64]) -> None:
        weights = weights[:, None]
        self._weights = _running_sum(weights)
        self._values = _running_sum(weights * values)
        self._squares = _running_sum(weights * values**2)

    def of(self, starts: NDArray[np.int_], end: int) -> NDArray[np.float64]:
        """Errors of the stretches from each of `starts` to `end`, summed over the motions."""
        sums, weights = self._values[end] - self._values[starts], self._weights[end] - self._weights[starts]
        return np.asarray((self._squares[end] - self._squares[starts] - sums**2 / weights).sum(axis=1))


def _running_sum(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])


def _walk_back(previous: NDArray[np.int_], end: int) -> list[int]:
    starts: list[int] = []
    while end > 0:
        end = int(previous[end])
        starts.append(end)
    return starts[::-1]


def _noise(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard deviation of each motion from pair to pair, from differences so that real changes do not count."""
    if len(values) < 2:
        return np.zeros(values.shape[1])
    differences = np.diff(values, axis=0)
    return np.asarray(_NORMAL_DEVIATIONS_PER_MAD * np.median(np.abs(differences), axis=0) / np.sqrt(2))


def _join_equal_terms(motion: MotionSignals, bounds: Sequence[int], config: DescribeConfig) -> list[int]:
    """The bounds without those between two segments of the same term, until no such pair is left."""
    bounds = list(bounds)
    index = 1
    while index < len(bounds) - 1:
        before = camera_term(_mean_of_pairs(motion, bounds[index - 1], bounds[index]), config)
        after = camera_term(_mean_of_pairs(motion, bounds[index], bounds[index + 1]), config)
        joined = camera_term(_mean_of_pairs(motion, bounds[index - 1], bounds[index + 1]), config)
        if before == after == joined:
            del bounds[index]
            index = max(1, index - 1)
        else:
            index += 1
    return bounds


def _segment(motion: MotionSignals, first: int, last: int, span: Span, config: DescribeConfig) -> CameraSegment:
    means = _mean_of_pairs(motion, first, last)
    return CameraSegment(
        span=span.replace(start_pts=motion.start_pts[first], end_pts=motion.end_pts[last - 1]),
        term=camera_term(means, config),
        pan_widths_per_s=means.pan_widths_per_s,
        tilt_heights_per_s=means.tilt_heights_per_s,
        zoom_per_s=means.zoom_per_s,
        roll_degrees_per_s=means.roll_degrees_per_s,
        shake=means.shake,
        subject_ratio=means.subject_ratio,
        subject_motion_widths_per_s=means.subject_motion_widths_per_s,
        inlier_ratio=means.inlier_ratio,
    )
