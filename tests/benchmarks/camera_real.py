"""Camera motion on real videos, where there is no truth, beside dense flow at full size.

Here: pairs of real frames, how ours goes along with the flow, and who is right where they part: the median of the flow
follows a subject that fills half of the picture, and loses what moves fast. Not here: known motion (`camera_truth`).
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

from schemas.config import DescribeConfig, ScanConfig
from stages.camera.motion import camera_motion
from stages.scan.proxies import Image
from tests.benchmarks.camera_peers import farneback_flow
from tests.benchmarks.figures import Figure, at_least

PAIRS_PER_VIDEO = 25
FIRST_S = 60.0
"""Of each video, that pairs are taken from."""
MIN_CORRELATION = 0.5
"""Pictures less alike than this lie on two sides of a cut, or of something else that is no motion."""
MAX_FLOW_WIDTH = 640
"""Larger frames are halved until they are no wider: dense flow has a reach in pixels."""
PARTED = 0.02
"""Ours and the flow say different things from here on, widths per second; a height counts as a width."""

Speeds = npt.NDArray[np.float64]
"""(N, 2) pan in widths and tilt in heights per second."""


Speed = tuple[float, float]
"""Pan in widths and tilt in heights per second."""


@dataclass(frozen=True)
class _Row:
    """One pair of frames."""

    ours: Speed
    proxy_flow: Speed
    full_flow: Speed
    inlier_ratio: float
    ours_left: float
    flow_left: float
    """Mean difference of the pictures, grey levels, after the translation of ours or of the flow was undone."""

    @property
    def has_parted(self) -> bool:
        """Whether ours and the flow at full size say different things."""
        return float(np.hypot(*np.subtract(self.ours, self.full_flow))) > PARTED


def correlations(videos: Sequence[Path], *, quick: bool = False) -> Iterator[Figure]:
    """How pan, tilt and speed of translation go along with the median of Farneback's flow."""
    rows = [row for video in videos for row in _rows(video, 4 if quick else PAIRS_PER_VIDEO)]
    trusted = [row for row in rows if row.inlier_ratio >= DescribeConfig().min_inlier_ratio]
    note = (
        f"{len(trusted)} of {len(rows)} pairs of {len(videos)} videos, those whose estimate the product trusts; pairs "
        "across cuts left out. RAFT not run: its weights are not among the dependencies"
    )
    if len(trusted) < 3:
        return
    for name, of in (("pan", _pan), ("tilt", _tilt), ("speed", _speed)):
        value, peer = _with_full_flow(trusted, of)
        yield at_least(f"real videos, correlation of {name} with dense flow", value, "r", 0.9, peer, note=note)
    value, peer = _with_full_flow(rows, _speed)
    note = f"{len(rows)} pairs, those not trusted included"
    yield Figure("real videos, correlation of speed, all pairs", value, "r", peer=peer, note=note)
    parted = [row for row in trusted if row.has_parted]
    if parted:
        value = float(np.mean([row.ours_left < row.flow_left for row in parted]))
        note = (
            f"{len(parted)} of {len(trusted)} pairs, where the two are {PARTED:g} widths per second or more apart: "
            "whose translation, undone, leaves the smaller mean difference of the full-size pictures"
        )
        yield Figure("real videos, ours nearer than dense flow where they part", value, "share", note=note)


def _with_full_flow(rows: Sequence[_Row], of: Callable[[Speeds], Speeds]) -> tuple[float, dict[str, float]]:
    """Correlation of ours, and of the flow on the proxy, with the flow at full size."""
    ours, small, full = (
        of(np.array([getattr(row, who) for row in rows])) for who in ("ours", "proxy_flow", "full_flow")
    )
    return _correlation(ours, full), {"Farneback, proxy": _correlation(small, full)}


def _rows(video: Path, most: int) -> Iterator[_Row]:
    for seconds, first, second in _pairs(video, most):
        small = _shrunk(first, ScanConfig().proxy_width), _shrunk(second, ScanConfig().proxy_width)
        if _correlation(small[0].ravel().astype(float), small[1].ravel().astype(float)) < MIN_CORRELATION:
            continue
        motion, large = camera_motion(*small), (_halved(first), _halved(second))
        ours, flow = (motion.pan_widths / seconds, motion.tilt_heights / seconds), _median_flow(*large, seconds)
        yield _Row(
            ours, _median_flow(*small, seconds), flow, motion.inlier_ratio, _left(*large, ours, seconds),
            _left(*large, flow, seconds),
        )  # fmt: skip


def _pairs(video: Path, most: int) -> list[tuple[float, Image, Image]]:
    """Pairs as far apart as the scan takes them, evenly spread over the video's beginning: seconds, and lumas."""
    taken: list[tuple[float, Image]] = []
    rate_hz, last_tick = ScanConfig().motion_rate_hz, None
    with av.open(str(video)) as container:
        frames = container.decode(video=0)
        while (frame := _next(frames)) is not None and (frame.time or 0) < FIRST_S:
            tick = int((frame.time or 0) * rate_hz)
            if tick != last_tick:
                taken.append((float(frame.time or 0), np.asarray(frame.to_ndarray(format="gray"), dtype=np.uint8)))
            last_tick = tick
    pairs = [(b[0] - a[0], a[1], b[1]) for a, b in itertools.pairwise(taken)]
    return pairs[:: max(1, len(pairs) // most)]


def _next(frames: Iterator[av.VideoFrame]) -> av.VideoFrame | None:
    """The next frame; None at the end, and at damage."""
    try:
        return next(frames, None)
    except av.FFmpegError:
        return None


def _shrunk(luma: Image, width: int) -> Image:
    size = width, max(18, round(width * luma.shape[0] / luma.shape[1]))
    return np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _halved(luma: Image) -> Image:
    width = luma.shape[1]
    while width > MAX_FLOW_WIDTH:
        width //= 2
    return luma if width == luma.shape[1] else _shrunk(luma, width)


def _median_flow(first: Image, second: Image, seconds: float) -> Speed:
    flow = farneback_flow(first, second)
    height, width = first.shape
    return (
        float(np.median(flow[:, :, 0])) / -width / seconds,
        float(np.median(flow[:, :, 1])) / height / seconds,
    )


def _left(first: Image, second: Image, speed: Speed, seconds: float) -> float:
    height, width = first.shape
    back = np.array([[1, 0, -speed[0] * seconds * width], [0, 1, speed[1] * seconds * height]])
    moved = cv2.warpAffine(
        second, back, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    return float(cv2.absdiff(first, np.asarray(moved, dtype=np.uint8)).mean())


def _pan(speeds: Speeds) -> Speeds:
    return speeds[:, 0]


def _tilt(speeds: Speeds) -> Speeds:
    return speeds[:, 1]


def _speed(speeds: Speeds) -> Speeds:
    return np.asarray(np.hypot(speeds[:, 0], speeds[:, 1]))


def _correlation(first: Speeds, second: Speeds) -> float:
    if first.std() == 0 or second.std() == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])
