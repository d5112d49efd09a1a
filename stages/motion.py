"""Camera and subject motion between two luma proxies.

Here: tracking points, the camera model, and the motion series of a slice. Not here: naming the motion
("pan left", "handheld"), which reads these series later, and shot boundaries (`stages.transitions`).
"""

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, fields

import cv2
import numpy as np
import numpy.typing as npt

from schemas.config import ScanConfig
from schemas.media import Transition
from schemas.signals import MotionSignals
from schemas.time import TimeBase
from stages.proxies import Image, Proxy

Points = npt.NDArray[np.float32]
"""(N, 2) float32 pixel positions, x then y."""

CELL_COLUMNS = 10
"""Cells across the picture in which points are chosen: a busy subject must not outvote a quiet background. Ours."""
POINTS_PER_CELL = 3
MIN_CORNER_STRENGTH = 4e-6
"""Smallest eigenvalue of the gradient matrix, as OpenCV scales it, below which a point has nothing to hold on to."""
MIN_POINTS = 12
"""Fewer tracked points than this carry no camera model. Ours."""
MAX_ROUND_TRIP_PIXELS = 0.4
"""A point that, tracked forwards and back again, ends farther from where it began than this is lost. Ours."""
INLIER_SHARE_OF_WIDTH = 1 / 200
"""Residual, as a share of the picture width, up to which a point follows the camera. Ours."""
ENOUGH_EXPLAINED = 0.5
"""Share of the corners that a first attempt must explain to be taken at once. Ours."""
LEAST_EXPLAINED = 0.3
"""Share of the corners that the camera model must explain: what moves with fewer is a subject. Ours."""
MAX_SCALE_CHANGE = 1.6
"""A scale change between two frames beyond this is a failed fit, not a zoom. Ours."""


@dataclass(frozen=True)
class CameraMotion:
    """What happened between two pictures: the same units as `MotionSignals`, but per pair instead of per second."""

    pan_widths: float = 0.0
    tilt_heights: float = 0.0
    zoom: float = 0.0
    roll_degrees: float = 0.0
    inlier_ratio: float = 0.0
    subject_motion_widths: float = 0.0


def camera_motion(first: Image, second: Image) -> CameraMotion:
    """The similarity transform that carries most of one luma picture onto the next.

    The corners of each part of the picture (Shi and Tomasi 1994) are tracked by pyramidal Lucas-Kanade (Bouguet 2000),
    a similarity transform is fitted by RANSAC (Fischler and Bolles 1981), and read at the centre of the picture. The
    combination and its checks are ours.

    Args:
        first: (H, W) uint8, the earlier picture.
        second: (H, W) uint8, the later one.

    Returns:
        Signs as in `MotionSignals`; all zero with `inlier_ratio` 0 where too few points can be tracked and agree.
    """
    corners = _corners(first)
    if len(corners) < MIN_POINTS:
        return CameraMotion()
    best = _explain(first, second, corners, (0.0, 0.0))
    if best is None or best.n_inliers < ENOUGH_EXPLAINED * len(corners):
        # A fast pan lies beyond the tracker's reach: try again from where the picture as a whole seems to have gone.
        again = _explain(first, second, corners, _whole_shift(first, second))
        best = max((fit for fit in (best, again) if fit), key=lambda fit: fit.n_inliers, default=None)
    if best is None or best.n_inliers < LEAST_EXPLAINED * len(corners):
        return CameraMotion()
    height, width = first.shape
    matrix = best.matrix
    return CameraMotion(
        pan_widths=-float(matrix[0, 2]) / width,
        tilt_heights=float(matrix[1, 2]) / height,
        zoom=math.log(math.hypot(matrix[0, 0], matrix[1, 0])),
        # The picture's y axis points down, so a positive angle turns the content clockwise.
        roll_degrees=math.degrees(math.atan2(matrix[1, 0], matrix[0, 0])),
        inlier_ratio=best.n_inliers / best.n_tracked,
        subject_motion_widths=best.median_residual / width,
    )


@dataclass(frozen=True)
class _Fit:
    matrix: npt.NDArray[np.float64]
    """2x3 similarity transform about the centre of the picture, pixels."""
    n_tracked: int
    n_inliers: int
    median_residual: float
    """Pixels, over all tracked points."""


def _explain(first: Image, second: Image, corners: Points, shift: tuple[float, float]) -> _Fit | None:
    """The camera model of the corners that can be tracked from `shift` on; None where too few can, or none fits."""
    before, after = track(first, second, corners, shift)
    if len(before) < MIN_POINTS:
        return None
    height, width = first.shape
    centre = np.array([(width - 1) / 2, (height - 1) / 2], dtype=np.float32)
    before, after = before - centre, after - centre
    # OpenCV draws RANSAC's samples from the generator of the calling thread.
    cv2.setRNGSeed(0)
    matrix, is_inlier = cv2.estimateAffinePartial2D(
        before, after, ransacReprojThreshold=INLIER_SHARE_OF_WIDTH * width, maxIters=400, confidence=0.995
    )
    if matrix is None or not np.isfinite(matrix).all():
        return None
    if not 1 / MAX_SCALE_CHANGE < math.hypot(matrix[0, 0], matrix[1, 0]) < MAX_SCALE_CHANGE:
        return None
    residuals = np.linalg.norm(before @ matrix[:, :2].T + matrix[:, 2] - after, axis=1)
    return _Fit(np.asarray(matrix, dtype=np.float64), len(before), int(is_inlier.sum()), float(np.median(residuals)))


def track(first: Image, second: Image, corners: Points, shift: tuple[float, float]) -> tuple[Points, Points]:
    """The corners, (N, 2), that can be followed from the first (H, W) uint8 picture into the second and back again.

    The search begins at the corner plus `shift` (x, y pixels). Returns where they were and where they are, both (M, 2).
    """
    guess = np.asarray(shift, dtype=np.float32)
    there, found = _follow(first, second, corners, corners + guess)
    back, found_back = _follow(second, first, there, there - guess)
    is_kept = found & found_back & (np.linalg.norm(corners - back, axis=1) < MAX_ROUND_TRIP_PIXELS)
    return corners[is_kept], there[is_kept]


def _follow(first: Image, second: Image, points: Points, guess: Points) -> tuple[Points, npt.NDArray[np.bool_]]:
    """Where the points of the first picture are in the second, and which were found."""
    there, found, _ = cv2.calcOpticalFlowPyrLK(
        first, second, points, guess.copy(), winSize=(15, 15), maxLevel=3, flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
        criteria=(cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 30, 0.01), minEigThreshold=1e-4,
    )  # fmt: skip
    return np.asarray(there, dtype=np.float32), np.asarray(found).ravel() == 1


def _whole_shift(first: Image, second: Image) -> tuple[float, float]:
    """Translation of the whole picture by phase correlation (Kuglin and Hines 1975), x and y in pixels."""
    window = cv2.createHanningWindow(first.shape[::-1], cv2.CV_32F)
    (x, y), _ = cv2.phaseCorrelate(first.astype(np.float32), second.astype(np.float32), window)
    return x, y


def _corners(luma: Image) -> Points:
    """The strongest corners of each cell of the picture, (N, 2) float32."""
    strength = cv2.cornerMinEigenVal(luma, 5)
    # A corner is the strongest within two pixels, and not so near the border that its window leaves the picture.
    is_corner = (strength >= cv2.dilate(strength, np.ones((5, 5), np.uint8))) & (strength > MIN_CORNER_STRENGTH)
    is_corner[:3], is_corner[-3:], is_corner[:, :3], is_corner[:, -3:] = False, False, False, False
    y, x = np.nonzero(is_corner)
    cell_side = luma.shape[1] / CELL_COLUMNS
    cells = (y // cell_side).astype(np.int64) * CELL_COLUMNS + (x // cell_side).astype(np.int64)
    order = np.lexsort((-strength[y, x], cells))
    _, first_of_cell = np.unique(cells[order], return_index=True)
    rank = np.arange(len(order)) - np.repeat(first_of_cell, np.diff(np.append(first_of_cell, len(order))))
    kept = order[rank < POINTS_PER_CELL]
    return np.stack([x[kept], y[kept]], axis=1).astype(np.float32)


class MotionMeter:
    """Collects the motion series of one slice: pairs of frames about `motion_rate_hz` times a second.

    Frames are taken where the source's clock enters a new tick of that rate; each is paired with the one taken before.
    One proxy is kept.
    """

    def __init__(self, time_base: TimeBase, config: ScanConfig) -> None:
        self._time_base = time_base
        self._rate_hz = config.motion_rate_hz
        self._last: Proxy | None = None
        self._pts: list[tuple[int, int]] = []
        self._values = {field.name: array("f") for field in fields(CameraMotion)}

    def add(self, proxy: Proxy) -> None:
        """Takes the next frame of the slice."""
        last = self._last
        if last is not None and clock_tick(last.pts, self._time_base, self._rate_hz) == clock_tick(
            proxy.pts, self._time_base, self._rate_hz
        ):
            return
        self._last = proxy
        if last is None:
            return
        motion = camera_motion(last.luma, proxy.luma)
        self._pts.append((last.pts, proxy.pts))
        for name, series in self._values.items():
            series.append(getattr(motion, name))

    def signals(self, transitions: Sequence[Transition]) -> MotionSignals:
        """The series per second, without the pairs whose frames lie on two sides of a hard cut."""
        cuts = np.array([t.span.start_pts for t in transitions if t.kind == "cut"], dtype=np.int64)
        start, end = np.array(self._pts, dtype=np.int64).reshape(-1, 2).T
        is_kept = np.searchsorted(cuts, start, side="right") == np.searchsorted(cuts, end, side="right")
        seconds = (end - start) * float(self._time_base.fraction)
        value = {name: np.array(series, dtype=np.float64) for name, series in self._values.items()}
        inlier_ratio = value.pop("inlier_ratio")
        per_s = {name: (series / seconds)[is_kept] for name, series in value.items()}
        return MotionSignals(
            start_pts=start[is_kept],
            end_pts=end[is_kept],
            pan_widths_per_s=per_s["pan_widths"],
            tilt_heights_per_s=per_s["tilt_heights"],
            zoom_per_s=per_s["zoom"],
            roll_degrees_per_s=per_s["roll_degrees"],
            inlier_ratio=inlier_ratio[is_kept],
            subject_motion_widths_per_s=per_s["subject_motion_widths"],
        )


def clock_tick(pts: int, time_base: TimeBase, rate_hz: float) -> int:
    """Number of the tick, at `rate_hz` on the source's clock, that `pts` falls into."""
    numerator, denominator = rate_hz.as_integer_ratio()
    return pts * time_base.numerator * numerator // (time_base.denominator * denominator)
