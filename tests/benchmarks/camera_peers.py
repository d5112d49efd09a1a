"""Other ways to measure a camera's motion between two pictures, with the same result as ours.

Here: Farneback's dense flow with a robust fit, and the alignment of Evangelidis and Psarakis. RAFT is no peer here: its
weights come with torchvision, which is not among the dependencies.
"""

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from stages.scan.proxies import Image

Transform = tuple[complex, complex]
"""Turn and shift that carry content of the first picture onto the second, pixels from the centre, y downwards."""
Method = Callable[[Image, Image], Transform]

AT_REST: Transform = (1 + 0j, 0j)


def farneback_flow(first: Image, second: Image) -> npt.NDArray[np.float32]:
    """(H, W, 2) flow in pixels (Farneback 2003), with the settings that its users take."""
    flow = cv2.calcOpticalFlowFarneback(
        first, second, np.zeros((*first.shape, 2), np.float32), 0.5, 5, 15, 3, 5, 1.2, 0
    )
    return np.asarray(flow, dtype=np.float32)


def farneback(first: Image, second: Image) -> Transform:
    """A similarity transform fitted to the dense flow, what does not follow it weighing less and less."""
    flow = farneback_flow(first, second)[2::4, 2::4]
    y, x = np.mgrid[2 : first.shape[0] : 4, 2 : first.shape[1] : 4]
    start = (x - (first.shape[1] - 1) / 2 + 1j * (y - (first.shape[0] - 1) / 2)).ravel()
    end = start + (flow[:, :, 0] + 1j * flow[:, :, 1]).ravel()
    weight = np.ones(len(start))
    turn, shift = AT_REST
    for _ in range(10):
        middle, target = np.average(start, weights=weight), np.average(end, weights=weight)
        away = start - middle
        turn = complex(np.vdot(weight * away, end - target) / np.vdot(weight * away, away).real)
        shift = complex(target - turn * middle)
        miss = np.abs(turn * start + shift - end)
        weight = 1 / (1 + (miss / max(0.2, 1.5 * float(np.median(miss)))) ** 2) ** 2
    return turn, shift


def ecc(first: Image, second: Image) -> Transform:
    """Alignment by the enhanced correlation coefficient (Evangelidis and Psarakis 2008); at rest where it fails."""
    matrix = np.eye(2, 3, dtype=np.float32)
    stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 50, 1e-4)
    try:
        _, found = cv2.findTransformECC(first, second, matrix, cv2.MOTION_AFFINE, stop)
    except cv2.error:
        return AT_REST
    centre = np.array([(first.shape[1] - 1) / 2, (first.shape[0] - 1) / 2])
    shift = found[:, :2] @ centre + found[:, 2] - centre
    turn = complex(found[0, 0] + found[1, 1], found[1, 0] - found[0, 1]) / 2
    return turn, complex(shift[0], shift[1])
