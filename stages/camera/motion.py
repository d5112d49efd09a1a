"""Camera and subject motion between two luma proxies, and the motion series of a slice.

Here: the figures of a pair, what does not follow the camera, and the series, measured stretch by stretch and joined.
Not here: which motion is the camera's (`stages.camera.fit`), naming it (`stages.camera.terms`), and shot boundaries
(`stages.transitions.detectors`).
"""

import itertools
import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from schemas.config import ScanConfig
from schemas.media import Transition
from schemas.signals import MotionSignals
from schemas.time import TimeBase
from stages.camera.alignment import MATCH_PIXELS, OUTSIDE, Alignment, Fit, Floats, lattice
from stages.camera.fit import Pair, camera_fit
from stages.scan.proxies import Image

INLIER_SHARE_OF_WIDTH = 1 / 200
"""Misalignment, as a share of the picture width, up to which a cell follows the camera. Ours."""
MIN_TEXTURE = 1.0
"""Mean squared gradient, grey levels per pixel, below which a cell shows no motion. Ours."""
MAX_NOISE = 4.0
"""Grey levels: more than this is not taken for noise. Ours."""
MIN_CELLS = 8
"""Fewer textured cells than this carry no camera model. Ours."""
LEAST_EXPLAINED = 0.3
"""Share of the textured cells that the camera model must explain: what moves with fewer is a subject. Ours."""
MAX_SCALE_CHANGE = 1.6
"""A scale change between two frames beyond this is a failed fit, not a zoom. Ours."""
OWN_MOTION = 0.7
"""Part of the difference that a cell's own motion may leave, to count as a subject's. Ours."""
N_HEAD = 2
"""Pictures kept of a stretch's beginning: where the first counts for nothing, the second takes its place."""
MIN_SUBJECT_CELLS = 2
"""Fewer cells than this have no speed worth telling. Ours."""


@dataclass(frozen=True)
class CameraMotion:
    """What happened between two pictures: the same units as `MotionSignals`, but per pair instead of per second."""

    pan_widths: float = 0.0
    tilt_heights: float = 0.0
    zoom: float = 0.0
    roll_degrees: float = 0.0
    inlier_ratio: float = 0.0
    subject_ratio: float = 0.0
    subject_motion_widths: float = 0.0


def camera_motion(first: Image, second: Image) -> CameraMotion:
    """The similarity transform that carries most of one luma picture onto the next, read at the centre.

    Args:
        first: (H, W) uint8, the earlier picture, at least 18 pixels each way.
        second: (H, W) uint8, the later one.

    Returns:
        Signs as in `MotionSignals`; all zero with `inlier_ratio` 0 where too little can be tracked and agrees.
    """
    where = lattice(*first.shape)
    pair, alignment = Pair(first, second, where), Alignment(first, second, where)
    fit = camera_fit(pair, alignment)
    turn, shift = fit.motion.turn, fit.motion.shift
    if not 1 / MAX_SCALE_CHANGE < abs(turn) < MAX_SCALE_CHANGE:
        return CameraMotion()
    split = _split(pair, alignment, fit)
    if split is None or split.inlier_ratio < LEAST_EXPLAINED:
        return CameraMotion()
    return CameraMotion(
        pan_widths=-shift.real / where.width,
        tilt_heights=shift.imag / where.height,
        zoom=math.log(abs(turn)),
        # The picture's y axis points down, so a positive angle turns the content clockwise.
        roll_degrees=math.degrees(math.atan2(turn.imag, turn.real)),
        inlier_ratio=split.inlier_ratio,
        subject_ratio=split.subject_ratio,
        subject_motion_widths=split.subject_motion_pixels / where.width,
    )


@dataclass(frozen=True)
class _Split:
    """What follows the camera, and what moves otherwise."""

    inlier_ratio: float
    subject_ratio: float
    subject_motion_pixels: float


def _split(pair: Pair, alignment: Alignment, fit: Fit) -> _Split | None:
    """Which textured cells follow the camera; None where there are too few.

    Difference over gradient is misalignment; what differs no more than the quietest fifth of the picture is noise. A
    cell follows where it is aligned or its point went with the camera; it belongs to a subject where it does not follow
    and its own motion explains it better than the camera's does.
    """
    is_shown, gradient, difference = _cells(alignment, fit)
    if is_shown.sum() < MIN_CELLS:
        return None
    differences = np.sort(difference[is_shown])
    noise = min(float(differences[len(differences) // 5]), MAX_NOISE**2)
    is_textured = is_shown & (gradient > max(MIN_TEXTURE, 1.5 * noise))
    n_textured = int(is_textured.sum())
    if n_textured < MIN_CELLS:
        return None
    limit = max(INLIER_SHARE_OF_WIDTH * pair.where.width, MATCH_PIXELS)
    # A displacement across the gradient does not show: on average half of its square does.
    is_aligned = difference - noise < 0.5 * limit**2 * gradient
    astray = is_textured & ~is_aligned
    n_follow = n_textured - int(astray.sum())
    if n_follow == n_textured:
        return _Split(1.0, 0.0, 0.0)
    seen = pair.flow(pair.corners.within(astray))
    excess = np.abs(fit.motion.turn * seen.start + fit.motion.shift - seen.end)
    # Where the light changes, the picture differs though nothing moved.
    n_follow += int((seen.is_found & (excess < limit)).sum())
    is_subject = seen.is_found & (excess >= limit) & (seen.error < OWN_MOTION * np.sqrt(difference[seen.cell]))
    n_subject = int(is_subject.sum())
    moved = _median(excess[is_subject]) if n_subject >= MIN_SUBJECT_CELLS else 0.0
    return _Split(n_follow / n_textured, n_subject / n_textured, moved)


def _median(values: Floats) -> float:
    """The median of a few values; numpy's own takes twenty times as long for so few."""
    ordered = np.sort(values)
    return float((ordered[(len(values) - 1) // 2] + ordered[len(values) // 2]) / 2)


def _cells(
    alignment: Alignment, fit: Fit
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Of each cell: whether the second picture shows half of it, mean squared gradient, mean squared difference."""
    where, residual = alignment.where, alignment.residual(fit)
    is_seen = residual < OUTSIDE
    n_seen, gradient, difference = (
        np.bincount(where.cell, values, where.n_cells)
        for values in (is_seen, alignment.gradient_energy * is_seen, alignment.grey_levels(residual) ** 2 * is_seen)
    )
    count = np.maximum(n_seen, 1)
    return n_seen * where.n_cells > 0.5 * len(residual), gradient / count, difference / count


class MotionTrack:
    """Collects the motion of one stretch of a slice: pairs of frames about `motion_rate_hz` times a second.

    Frames are taken where the source's clock enters a new tick of that rate; each is paired with the one taken before.
    Three pictures are kept, for the seams.
    """

    def __init__(self, time_base: TimeBase, config: ScanConfig) -> None:
        self.time_base = time_base
        self.rate_hz = config.motion_rate_hz
        self.taken_pts = array("q")
        """Of the frames taken."""
        self.values = {field.name: array("d") for field in fields(CameraMotion)}
        """Of the pairs of neighbours among them."""
        self.head: list[Image] = []
        """The first two pictures taken."""
        self.last: Image | None = None
        """The last one."""

    def tick(self, pts: int) -> int:
        """Number of the tick that `pts` falls into."""
        return clock_tick(pts, self.time_base, self.rate_hz)

    def add(self, pts: int, luma: Image) -> None:
        """Takes the next frame of the stretch; `luma` is (H, W) uint8, and is not changed afterwards."""
        if self.taken_pts and self.tick(pts) == self.tick(self.taken_pts[-1]):
            return
        if self.last is not None:
            motion = camera_motion(self.last, luma)
            for name, series in self.values.items():
                series.append(getattr(motion, name))
        self.taken_pts.append(pts)
        if len(self.head) < N_HEAD:
            self.head.append(luma)
        self.last = luma


@dataclass(frozen=True)
class MotionPairs:
    """The motion of a slice pair by pair, those across cuts included; arrays of one length."""

    time_base: TimeBase
    start_pts: npt.NDArray[np.int64]
    end_pts: npt.NDArray[np.int64]
    values: dict[str, npt.NDArray[np.float64]]
    """Fields of `CameraMotion`."""

    def signals(self, transitions: Sequence[Transition]) -> MotionSignals:
        """The series per second, without the pairs whose frames lie on two sides of a hard cut."""
        cuts = np.array([t.span.start_pts for t in transitions if t.kind == "cut"], dtype=np.int64)
        is_kept = np.searchsorted(cuts, self.start_pts, "right") == np.searchsorted(cuts, self.end_pts, "right")
        seconds = ((self.end_pts - self.start_pts) * float(self.time_base.fraction))[is_kept]
        value = {name: series[is_kept] for name, series in self.values.items()}
        return MotionSignals(
            start_pts=self.start_pts[is_kept],
            end_pts=self.end_pts[is_kept],
            pan_widths_per_s=value["pan_widths"] / seconds,
            tilt_heights_per_s=value["tilt_heights"] / seconds,
            zoom_per_s=value["zoom"] / seconds,
            roll_degrees_per_s=value["roll_degrees"] / seconds,
            inlier_ratio=value["inlier_ratio"],
            subject_ratio=value["subject_ratio"],
            subject_motion_widths_per_s=value["subject_motion_widths"] / seconds,
        )


def join_tracks(tracks: Sequence[MotionTrack]) -> MotionPairs:
    """The pairs of the whole slice from its stretches, in order; at least one.

    The same whatever the division: the pair across each seam is measured here, and a stretch's first frame counts for
    nothing where the clock has not gone on since the stretch before.
    """
    pts: list[int] = []
    values: dict[str, list[float]] = {field.name: [] for field in fields(CameraMotion)}
    last: Image | None = None
    for track in tracks:
        # A first frame that the undivided slice would not have taken.
        skipped = int(bool(pts and track.taken_pts) and track.tick(pts[-1]) == track.tick(track.taken_pts[0]))
        if len(track.taken_pts) <= skipped:
            continue
        seam = [camera_motion(last, track.head[skipped])] if last is not None else []
        pts += track.taken_pts[skipped:]
        for name, series in values.items():
            series += [getattr(motion, name) for motion in seam]
            series += track.values[name][skipped:]
        last = track.last
    pairs = np.array(list(itertools.pairwise(pts)), dtype=np.int64).reshape(-1, 2)
    arrays = {name: np.array(series, dtype=np.float64) for name, series in values.items()}
    return MotionPairs(tracks[0].time_base, pairs[:, 0], pairs[:, 1], arrays)


def clock_tick(pts: int, time_base: TimeBase, rate_hz: float) -> int:
    """Number of the tick, at `rate_hz` on the source's clock, that `pts` falls into."""
    numerator, denominator = rate_hz.as_integer_ratio()
    return pts * time_base.numerator * numerator // (time_base.denominator * denominator)
