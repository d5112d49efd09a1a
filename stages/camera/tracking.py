"""Following points from one picture into the next, and the motions that many of them share.

Here: one corner a cell, its flow, and candidates for the camera's motion. Not here: which of them is the camera's
(`stages.camera.motion`), and how exact it gets (`stages.camera.alignment`).
"""

import math
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from stages.camera.alignment import Lattice, Similarity
from stages.scan.proxies import Image

Positions = npt.NDArray[np.complex64]
"""(N,) x + iy, pixels from the centre of the picture."""

MIN_CORNER_STRENGTH = 2e-6
"""Smallest eigenvalue of the gradient matrix, as OpenCV scales it, below which a point has nothing to hold on to."""
WINDOW = 9
LEVELS = 3
"""Window, in pixels, and halvings of the picture of the Lucas-Kanade tracker."""
MIN_POINTS = 8
"""Fewer points than this carry no camera model. Ours."""
DRAWS = 64
"""Pairs of points that a motion is guessed from. Ours."""
MIN_BASE_SHARE = 1 / 8
"""Points closer together than this share of the picture width say little about scale and angle. Ours."""
AGREE_SHARE_OF_WIDTH = 0.7 / 160
"""Distance, as a share of the picture width, up to which a point agrees with a motion. Ours."""


@dataclass(frozen=True)
class Corners:
    """Points to follow: arrays have one row a point."""

    points: npt.NDArray[np.float32]
    """(N, 2) x and y, pixels."""
    cell: npt.NDArray[np.int64]
    """Number of the cell that the point was chosen for."""

    def within(self, wanted: npt.NDArray[np.bool_]) -> "Corners":
        """Those of some cells; `wanted` is (cells,)."""
        chosen = wanted[self.cell]
        return Corners(self.points[chosen], self.cell[chosen])


@dataclass(frozen=True)
class Flow:
    """Where corners went: all arrays have one row a corner."""

    cell: npt.NDArray[np.int64]
    """Number of the cell that the corner was chosen for."""
    start: Positions
    end: Positions
    error: npt.NDArray[np.float32]
    """Mean absolute difference of the windows, grey levels."""
    is_found: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Candidate:
    """A motion that points share."""

    motion: Similarity
    n_points: int


def corners(luma: Image, where: Lattice) -> Corners:
    """The best corner of each cell (Shi and Tomasi 1994) that has one.

    They are looked for at half size, where they are found as well and for a quarter of the cost.
    """
    half = cv2.resize(luma, (where.width // 2, where.height // 2), interpolation=cv2.INTER_AREA)
    strength = cv2.cornerMinEigenVal(half, 3)
    # The window of a point near the border would leave the picture.
    strength[:2], strength[-2:], strength[:, :2], strength[:, -2:] = 0, 0, 0, 0
    (rows, columns), side = where.cells_shape, where.cell_side // 2
    top, left = (edge // 2 for edge in where.cells_origin)
    inner = strength[top : top + rows * side, left : left + columns * side]
    cells = inner.reshape(rows, side, columns, side).transpose(0, 2, 1, 3).reshape(rows * columns, side * side)
    best = cells.argmax(axis=1)
    chosen = np.flatnonzero(cells[np.arange(len(cells)), best] > MIN_CORNER_STRENGTH)
    best = best[chosen]
    x = (chosen % columns) * side + best % side + left
    y = (chosen // columns) * side + best // side + top
    return Corners((np.stack([x, y], axis=1) * 2 + 0.5).astype(np.float32), chosen)


def flow(first: Image, second: Image, corners: Corners, where: Lattice) -> Flow:
    """Follows corners by pyramidal Lucas-Kanade (Bouguet 2000)."""
    points = corners.points
    if not len(points):
        nowhere = np.zeros(0, np.complex64)
        return Flow(corners.cell, nowhere, nowhere, np.zeros(0, np.float32), np.zeros(0, bool))
    there, status, error = cv2.calcOpticalFlowPyrLK(
        first, second, points, np.empty_like(points), winSize=(WINDOW, WINDOW), maxLevel=LEVELS,
        criteria=(cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 5, 0.05), minEigThreshold=1e-5,
    )  # fmt: skip
    x, y = there[:, 0], there[:, 1]
    is_inside = (x > 0) & (x < where.width) & (y > 0) & (y < where.height)
    start, end = _positions(points, where), _positions(np.asarray(there, dtype=np.float32), where)
    is_found = (status.ravel() == 1) & is_inside
    # What the tracker leaves where it loses a point is no number.
    return Flow(corners.cell, start, end, np.where(is_found, error.ravel(), np.float32(0)), is_found)


def _positions(points: npt.NDArray[np.float32], where: Lattice) -> Positions:
    return np.asarray(points.view(np.complex64)[:, 0] - np.complex64(where.centre), dtype=np.complex64)


def candidates(seen: Flow, width: int, most: int, enough: float = math.inf) -> list[Candidate]:
    """Up to `most` motions, each that of many points which share none of those before it.

    One that `enough` points share is the last.

    Consensus among pairs of points (Fischler and Bolles 1981) with a fixed list of draws and the truncated cost of
    MSAC (Torr and Zisserman 2000), improved once by least squares.
    """
    start, end = seen.start[seen.is_found], seen.end[seen.is_found]
    agree, found = AGREE_SHARE_OF_WIDTH * width, list[Candidate]()
    while len(found) < most and len(start) >= MIN_POINTS:
        guess = _consensus(start, end, agree, MIN_BASE_SHARE * width)
        if guess is None:
            break
        turn, shift = guess
        near = np.abs(turn * start + shift - end) < 1.5 * agree
        if near.sum() < 3:
            break
        turn, shift = _least_squares(start[near], end[near])
        distance = np.abs(turn * start + shift - end)
        found.append(Candidate(Similarity(turn, shift), int((distance < agree).sum())))
        if found[-1].n_points >= enough:
            break
        is_left = distance > 1.5 * agree
        start, end = start[is_left], end[is_left]
    return found


def _consensus(start: Positions, end: Positions, agree: float, min_base: float) -> tuple[complex, complex] | None:
    """Turn and shift of the pair of points that most others agree with."""
    one, other = (_draws() * len(start)).astype(np.int64)
    base = start[one] - start[other]
    is_wide = np.abs(base) > min_base
    if not is_wide.any():
        return None
    one, other, base = one[is_wide], other[is_wide], base[is_wide]
    turns = (end[one] - end[other]) / base
    shifts = end[one] - turns * start[one]
    miss = np.multiply.outer(turns, start)
    miss += shifts[:, None]
    miss -= end
    best = np.minimum(miss.real**2 + miss.imag**2, agree**2).sum(axis=1).argmin()
    return complex(turns[best]), complex(shifts[best])


def _least_squares(start: Positions, end: Positions) -> tuple[complex, complex]:
    middle, target = start.mean(), end.mean()
    away = start - middle
    turn = complex(np.vdot(away, end - target) / np.vdot(away, away))
    return turn, complex(target - turn * middle)


@cache
def _draws() -> npt.NDArray[np.float64]:
    """(2, DRAWS) in [0, 1): the same for every pair of pictures, so that the same pictures give the same figures."""
    return np.random.default_rng(0).random((2, DRAWS))
