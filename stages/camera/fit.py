"""The camera's motion between two pictures: one of those that points share, refined on the pictures themselves.

Here: finding, comparing and refining the motions that may be the camera's. Not here: following points
(`stages.camera.tracking`), aligning pictures (`stages.camera.alignment`), and what the motion amounts to
(`stages.camera.motion`).
"""

from dataclasses import dataclass
from functools import cache, cached_property

import cv2
import numpy as np

from stages.camera.alignment import Alignment, Fit, Floats, Lattice, Similarity
from stages.camera.tracking import Corners, Flow, candidates, corners, flow
from stages.scan.proxies import Image

AT_REST = Fit(Similarity(1, 0))
SURE_SUPPORT = 0.75
"""Share of the picture that a single step from rest must align to be taken without tracking points. Ours."""
SURE_SHARE = 0.75
"""Share of the points that one motion must explain to be taken without looking for another. Ours."""
RETRY_SHARE = 0.5
"""Where the first motion explains fewer points than this, others are looked for in the picture as a whole. Ours."""
MIN_SHIFT_PIXELS = 3.0
"""What moved by less, points are sure to find. Ours."""
MIN_PEAK = 0.06
"""Height of phase correlation, 1 where one picture is the other moved, from which it is no noise. Ours."""
PEAK_REACH = 3
"""Pixels around a peak that belong to it. Ours."""
RIVALS = 2
"""Motions that are held against each other. Ours."""
SCALES_PIXELS = (0.6, 0.4, 0.3, 0.3)
"""Misalignment at which a pixel's weight has dropped to a quarter, step by step of the refinement. Ours."""
NEAR_PIXELS = 2.0
"""Motions closer together than this may be taken for one by the points. Ours."""
SETTLED_PIXELS = 0.02
"""A step that moves the picture by less than this is the last. Ours."""


@dataclass(frozen=True)
class Pair:
    """Two pictures, and the points that are followed from the first into the second."""

    first: Image
    second: Image
    where: Lattice

    @cached_property
    def corners(self) -> Corners:
        """One a cell; looked for where they are first wanted."""
        return corners(self.first, self.where)

    def flow(self, points: Corners) -> Flow:
        """Where points went."""
        return flow(self.first, self.second, points, self.where)


def camera_fit(pair: Pair, alignment: Alignment) -> Fit:
    """The motion that stands best as the camera's; there always is one, right or wrong.

    Where a step from rest does not align the pictures, points are tracked, one a cell, and motions that many share are
    guessed by consensus; the one with the best standing (`Alignment.standing`) is refined. The combination is ours, the
    methods are named where they are used.
    """
    fit = _start(pair, alignment)
    for scale in SCALES_PIXELS[1:]:
        before, fit = fit, alignment.refined(fit, scale)
        if _pixels_between(before.motion, fit.motion, pair.where) < SETTLED_PIXELS:
            break
    return fit


def _start(pair: Pair, alignment: Alignment) -> Fit:
    # Most pairs hardly move: what a single step from rest aligns needs no points.
    rest = alignment.refined(AT_REST, SCALES_PIXELS[0])
    if alignment.support(rest) >= SURE_SUPPORT:
        return rest
    rivals = [alignment.refined(Fit(motion), SCALES_PIXELS[0]) for motion in _rivals(pair)]
    if len(rivals) == 1 and alignment.support(rivals[0]) >= SURE_SUPPORT:
        return rivals[0]
    if any(_pixels_between(rest.motion, rival.motion, pair.where) < NEAR_PIXELS for rival in rivals):
        # Points do not tell motions apart that differ by so little; a further step from rest may.
        rest = alignment.refined(rest, SCALES_PIXELS[1])
    return max([*rivals, rest], key=alignment.standing)


def _pixels_between(one: Similarity, other: Similarity, where: Lattice) -> float:
    """How far apart two motions carry what they move most, about, pixels."""
    return abs(other.shift - one.shift) + abs(other.turn - one.turn) * where.width / 2


def _rivals(pair: Pair) -> list[Similarity]:
    """Motions that may be the camera's: a single one where nearly all points agree. Every other cell has a point."""
    where = pair.where
    points = pair.corners.within(where.is_chequered)
    found = candidates(pair.flow(points), where.width, RIVALS, enough=SURE_SHARE * len(points.cell))
    motions = [candidate.motion for candidate in found]
    if not found or found[0].n_points < RETRY_SHARE * len(points.cell):
        # A fast pan lies beyond the tracker's reach, or a subject has the points: where large parts went may be right.
        shifts = whole_shifts(pair.first, pair.second)
        motions += [Similarity(1, shift) for shift in shifts if abs(shift) >= MIN_SHIFT_PIXELS]
    return motions


def whole_shifts(first: Image, second: Image) -> list[complex]:
    """Translations that large parts of the picture share, x + iy in whole pixels, the clearest first; at most `RIVALS`.

    By phase correlation (Kuglin and Hines 1975). A subject may have the highest peak; the camera then has the next.
    """
    window, (height, width) = _window(first.shape), first.shape
    before, after = (
        cv2.dft(picture * window, flags=cv2.DFT_COMPLEX_OUTPUT).view(np.complex64)[..., 0]
        for picture in (first, second)
    )
    cross = after * before.conj()
    cross /= np.abs(cross) + np.float32(1e-3)
    phases = cross.view(np.float32).reshape(height, width, 2)
    surface = np.asarray(cv2.idft(phases, flags=cv2.DFT_REAL_OUTPUT | cv2.DFT_SCALE))
    shifts: list[complex] = []
    for _ in range(RIVALS):
        row, column = divmod(int(surface.argmax()), width)
        if surface[row, column] < MIN_PEAK:
            break
        # The surface is periodic: what lies beyond its middle is a shift the other way.
        y, x = (row + height // 2) % height - height // 2, (column + width // 2) % width - width // 2
        shifts.append(complex(x, y))
        around = np.arange(-PEAK_REACH, PEAK_REACH + 1)
        surface[np.ix_((row + around) % height, (column + around) % width)] = 0
    return shifts


@cache
def _window(shape: tuple[int, ...]) -> Floats:
    return np.asarray(cv2.createHanningWindow(shape[::-1], cv2.CV_32F), dtype=np.float32)
