"""Laying one picture on another by their brightness: how well a camera motion fits, and the motion refined.

Here: `Similarity`, `Lattice` and `Alignment`. Not here: where the first guess of the motion comes from
(`stages.camera.tracking`), or what is made of it (`stages.camera.motion`).
"""

import math
from dataclasses import dataclass
from functools import cache, cached_property

import cv2
import numpy as np
import numpy.typing as npt

from stages.scan.proxies import Image

Floats = npt.NDArray[np.float32]

LATTICE_POINTS = 1200
"""Pixels, evenly spread, on which two pictures are compared: the cost is the same whatever their shape. Ours."""
CELLS = 144
"""Cells that the picture is divided into; each has one vote, however strong its texture. Ours."""
GRADIENT_FLOOR = 1.0
"""Grey levels per pixel: gradients are divided by their local mean plus this, so that a quiet background counts."""
BORDER_WEIGHT = 1.0
"""How much more a pixel at the border counts than one in the middle when two motions compete: subjects are filmed in
the middle. Ours."""
NEIGHBOURS = 5
"""Lattice points, each way, that a pixel is judged together with: about a cell. Ours."""
MOST_MISS_PIXELS = 2.0
"""A neighbour that misses by more counts as one that misses by this much. Ours."""
MATCH_PIXELS = 0.4
"""Misalignment at which a pixel's say for a motion has dropped to a quarter."""
WIDE_SPREAD = 0.8
"""Of the places that support a motion; 1 for a picture that is even all over. Ours."""
LEAST_SUPPORT = 1e-6
"""Less support than this spreads nowhere."""
OUTSIDE = 1e4
"""Stands for the misalignment, in pixels, of what the second picture does not show."""

_SOBEL_SCALE = 1 / 8
_DAMPING_OF_ALL = 1e-3 * np.eye(7)
_DAMPING_OF_EACH = 1 + 1e-4 * np.eye(7)


@dataclass(frozen=True)
class Similarity:
    """Where content moves to: `turn * position + shift`, positions in pixels from the centre, x + iy, y downwards."""

    turn: complex
    shift: complex


@dataclass(frozen=True)
class Lattice:
    """Evenly spread pixels of a picture, and the cells that it is divided into. One is kept for each picture size."""

    height: int
    width: int
    step: int
    """Pixels between neighbours, both ways."""
    rows: slice
    columns: slice
    x: Floats
    """(P,) positions from the centre, pixels."""
    y: Floats
    nearness_to_border: Floats
    """(P,), 0 in the middle to 1 at the border."""
    moments: Floats
    """(6, P): 1, x, y, x², y² and xy, in units of the picture's width and height."""
    cell: npt.NDArray[np.int64]
    """(P,) number of the cell that each pixel lies in."""
    cell_side: int
    """Pixels; even."""
    cells_shape: tuple[int, int]
    """Rows and columns of cells; what is left over lies evenly at the borders, and belongs to the nearest cell."""

    @cached_property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the lattice."""
        return len(range(self.height)[self.rows]), len(range(self.width)[self.columns])

    @cached_property
    def n_cells(self) -> int:
        """Number of cells."""
        return self.cells_shape[0] * self.cells_shape[1]

    @cached_property
    def is_chequered(self) -> npt.NDArray[np.bool_]:
        """(cells,) every other cell, as the fields of one colour on a chessboard."""
        row, column = np.divmod(np.arange(self.n_cells), self.cells_shape[1])
        return np.asarray((row + column) % 2 == 0)

    @cached_property
    def centre(self) -> complex:
        """Centre of the picture, pixels."""
        return complex((self.width - 1) / 2, (self.height - 1) / 2)

    @cached_property
    def cells_origin(self) -> tuple[int, int]:
        """Top and left of the first cell, pixels; even."""
        rows, columns = self.cells_shape
        return (self.height - rows * self.cell_side) // 4 * 2, (self.width - columns * self.cell_side) // 4 * 2


@cache
def lattice(height: int, width: int) -> Lattice:
    """The lattice of pictures of this size."""
    step = max(1, round(math.sqrt(height * width / LATTICE_POINTS)))
    # Neither the first nor the last line or column: there the gradient is guesswork.
    rows = slice(1 + (height - 3) % step // 2, height - 1, step)
    columns = slice(1 + (width - 3) % step // 2, width - 1, step)
    side = 2 * max(4, round(math.sqrt(height * width / CELLS) / 2))
    shape = max(1, height // side), max(1, width // side)
    at_x, at_y = (grid.ravel() for grid in np.meshgrid(np.arange(width)[columns], np.arange(height)[rows]))
    top, left = (height - shape[0] * side) // 4 * 2, (width - shape[1] * side) // 4 * 2
    row, column = np.clip((at_y - top) // side, 0, shape[0] - 1), np.clip((at_x - left) // side, 0, shape[1] - 1)
    x, y = (at_x - (width - 1) / 2).astype(np.float32), (at_y - (height - 1) / 2).astype(np.float32)
    return Lattice(
        height=height, width=width, step=step, rows=rows, columns=columns, x=x, y=y,
        nearness_to_border=np.maximum(np.abs(x) / (width / 2), np.abs(y) / (height / 2)),
        moments=_moments(x / np.float32(width), y / np.float32(height)),
        cell=(row * shape[1] + column).astype(np.int64), cell_side=side, cells_shape=shape,
    )  # fmt: skip


def _moments(x: Floats, y: Floats) -> Floats:
    return np.stack([np.ones_like(x), x, y, x * x, y * y, x * y])


@dataclass(frozen=True)
class Fit:
    """A camera motion with the change of light that goes with it."""

    motion: Similarity
    gain: float = 0.0
    """Relative change of contrast about middle grey, in tenths."""
    offset: float = 0.0
    """Change of brightness, grey levels."""


class Alignment:
    """Two pictures of one size to be laid on each other by a similarity transform.

    Refining is the inverse compositional Gauss-Newton method (Baker and Matthews 2004) with the robust weights of
    Geman and McClure, as motion is estimated by Odobez and Bouthemy 1995, with a change of light among the unknowns.
    Dividing by the local gradient makes every residual a misalignment in pixels, and a pixel weighs less where those
    around it miss too: a subject's pixels that happen to fit would drag the camera along. Both are ours.
    """

    def __init__(self, first: Image, second: Image, where: Lattice) -> None:
        """Both (H, W) uint8; `where` must be the lattice of that size."""
        self.where = where
        smooth, other = cv2.GaussianBlur(first, (3, 3), 0), cv2.GaussianBlur(second, (3, 3), 0)
        self._second = other.astype(np.float32)
        self._luma = smooth[where.rows, where.columns].ravel().astype(np.float32)
        along_x, along_y = (
            gradient[where.rows, where.columns].ravel() * np.float32(_SOBEL_SCALE)
            for gradient in cv2.spatialGradient(smooth)
        )
        self.gradient_energy: Floats = along_x * along_x + along_y * along_y
        """(P,) squared gradient of the first picture, squared grey levels per pixel."""
        local = self._around(self.gradient_energy)
        self._per_grey_level: Floats = 1 / np.sqrt(local + np.float32(GRADIENT_FLOOR**2))
        self._texture: Floats = local * self._per_grey_level**2
        """(P,) 0 where there is nothing to see, up to 1."""
        self._per_texture_around: Floats = np.reciprocal(self._around(self._texture) + np.float32(1e-3))
        say = self._texture * (1 + BORDER_WEIGHT * where.nearness_to_border)
        self._say: Floats = (say / max(float(say.sum()), 1e-6)).astype(np.float32)
        self._residuals: dict[Fit, Floats] = {}
        self._system = self._linear_system(along_x * self._per_grey_level, along_y * self._per_grey_level)

    def _linear_system(self, along_x: Floats, along_y: Floats) -> Floats:
        """(7, P): the residual's derivative by the six unknowns, and room for the residual itself."""
        x, y = self.where.x, self.where.y
        system = np.empty((7, len(x)), np.float32)
        system[0], system[1] = along_x * x + along_y * y, along_y * x - along_x * y
        system[2], system[3] = along_x, along_y
        system[4], system[5] = (self._luma - 128) * self._per_grey_level * np.float32(0.1), self._per_grey_level
        return system

    def residual(self, fit: Fit) -> Floats:
        """(P,) misalignment, in pixels, that the fit leaves at each pixel of the lattice; `OUTSIDE` where unseen.

        Not to be written to: they are kept, as each fit is judged before it is refined.
        """
        if fit not in self._residuals:
            self._residuals[fit] = self._residual(fit)
        return self._residuals[fit]

    def _residual(self, fit: Fit) -> Floats:
        where, turn = self.where, fit.motion.turn
        corner = complex(where.x[0], where.y[0])
        start, step = turn * corner + fit.motion.shift + where.centre, turn * where.step
        matrix = np.array([[step.real, -step.imag, start.real], [step.imag, step.real, start.imag]])
        moved = cv2.warpAffine(
            self._second, matrix, where.shape[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT, borderValue=-1e4,
        ).ravel()  # fmt: skip
        light = np.float32(fit.gain) * self._system[4] + np.float32(fit.offset) * self._system[5]
        left = np.asarray((moved - self._luma) * self._per_grey_level - light, dtype=np.float32)
        left[moved < 0] = OUTSIDE
        return left

    def refined(self, fit: Fit, scale_pixels: float) -> Fit:
        """One step towards the best fit; a pixel misaligned by `scale_pixels` weighs a quarter of an aligned one.

        Where its surroundings are misaligned by as much, it weighs a quarter of that again.
        """
        self._system[6] = self.residual(fit)
        weight = self._weight_among_neighbours(self._system[6], scale_pixels)
        # Not by numpy's product of matrices: it may start threads, which costs more than the product itself. OpenCV's
        # is twice as fast where it needs not convert.
        normal = np.asarray(cv2.mulTransposed((self._system * weight).astype(np.float64), False), dtype=np.float64)
        # An unknown that nothing in the picture tells stays as it is.
        normal += _DAMPING_OF_ALL
        normal *= _DAMPING_OF_EACH
        _, step = cv2.solve(normal[:6, :6], -normal[:6, 6:], flags=cv2.DECOMP_CHOLESKY)
        one, other, x, y, gain, offset = (float(value) for value in step.ravel())
        turn, shift = fit.motion.turn, fit.motion.shift
        motion = Similarity(turn * complex(1 + one, other), turn * complex(x, y) + shift)
        return Fit(motion, fit.gain - gain, fit.offset - offset)

    def support(self, fit: Fit) -> float:
        """Share of the textured picture that the fit aligns, 0 to 1, the border counting more than the middle."""
        return float(self._says(fit).sum())

    def standing(self, fit: Fit) -> float:
        """How well the fit stands as the camera's, when it competes: support, less where that is spread narrowly.

        The spread is the determinant's root of the covariance of the supporting places, 1 for an even picture: a
        subject may be strong in texture, but what moves with the camera lies all around it. Beyond `WIDE_SPREAD` it
        says no more: bars, titles and logos at the border spread widest, and are not the scene.
        """
        sums = np.einsum("kp,p->k", self.where.moments, self._says(fit))
        support, x, y, xx, yy, xy = (float(value) for value in sums)
        if support < LEAST_SUPPORT:
            return 0.0
        across, down, askew = xx - x * x / support, yy - y * y / support, xy - x * y / support
        spread = 12 * math.sqrt(max(across * down - askew * askew, 0)) / support
        return support * min(spread, WIDE_SPREAD)

    def _says(self, fit: Fit) -> Floats:
        """(P,) share of the picture's support that each pixel gives to the fit."""
        return _weight(self.residual(fit), MATCH_PIXELS) ** 2 * self._say

    def _weight_among_neighbours(self, residual: Floats, scale_pixels: float) -> Floats:
        """(P,) square root of a pixel's weight; surroundings without texture tell nothing of it."""
        per_square = np.float32(1 / scale_pixels**2)
        squares = residual * residual
        around = self._around(np.minimum(squares, np.float32(MOST_MISS_PIXELS**2)) * self._texture)
        around *= self._per_texture_around
        for misses in (squares, around):
            misses *= per_square
            misses += np.float32(1)
        squares *= around
        weight: Floats = np.divide(np.float32(1), squares, out=squares)
        return weight

    def _around(self, values: Floats) -> Floats:
        """(P,) mean over each pixel and its neighbours on the lattice."""
        square = values.reshape(self.where.shape)
        return np.asarray(cv2.blur(square, (NEIGHBOURS, NEIGHBOURS)), dtype=np.float32).ravel()

    def grey_levels(self, residual: Floats) -> Floats:
        """(P,) what a residual amounts to in grey levels."""
        return residual / self._per_grey_level


def _weight(residual: Floats, scale_pixels: float) -> Floats:
    """(P,) square root of the weight of Geman and McClure."""
    weight: Floats = residual * np.float32(1 / scale_pixels)
    weight *= weight
    weight += np.float32(1)
    return np.divide(np.float32(1), weight, out=weight)
