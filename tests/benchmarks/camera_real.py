"""Camera motion on real videos, where there is no truth, beside dense flow at full size.

Here: pairs of real frames, and how ours goes along with the flow. Not here: known motion (`camera_truth`).
"""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

from schemas.config import DescribeConfig, ScanConfig
from stages.motion import camera_motion
from stages.proxies import Image
from tests.benchmarks.camera_peers import farneback_flow
from tests.benchmarks.figures import Figure, at_least

PAIRS_PER_VIDEO = 25
FIRST_S = 60.0
"""Of each video, that pairs are taken from."""
MIN_CORRELATION = 0.5
"""Pictures less alike than this lie on two sides of a cut, or of something else that is no motion."""
MAX_FLOW_WIDTH = 640
"""Larger frames are halved until they are no wider: dense flow has a reach in pixels."""

Speeds = npt.NDArray[np.float64]
"""(N, 2) pan in widths and tilt in heights per second."""


def correlations(videos: Sequence[Path], *, quick: bool = False) -> Iterator[Figure]:
    """How pan, tilt and speed of translation go along with the median of Farneback's flow."""
    rows = [row for video in videos for row in _rows(video, 4 if quick else PAIRS_PER_VIDEO)]
    ours, small, full = (np.array([row[column] for row in rows]) for column in (0, 1, 2))
    trusted = np.array([row[3] for row in rows]) >= DescribeConfig().min_inlier_ratio
    note = (
        f"{trusted.sum()} of {len(rows)} pairs of {len(videos)} videos, those whose estimate the product trusts; pairs "
        "across cuts left out. RAFT not run: its weights are not among the dependencies"
    )
    if trusted.sum() < 3:
        return
    for name, of in (("pan", _pan), ("tilt", _tilt), ("speed", _speed)):
        value = _correlation(of(ours[trusted]), of(full[trusted]))
        peer = {"Farneback, proxy": _correlation(of(small[trusted]), of(full[trusted]))}
        yield at_least(f"real videos, correlation of {name} with dense flow", value, "r", 0.9, peer, note=note)
    value, note = _correlation(_speed(ours), _speed(full)), f"{len(rows)} pairs, those not trusted included"
    peer = {"Farneback, proxy": _correlation(_speed(small), _speed(full))}
    yield Figure("real videos, correlation of speed, all pairs", value, "r", peer=peer, note=note)


_Row = tuple[tuple[float, float], tuple[float, float], tuple[float, float], float]


def _rows(video: Path, most: int) -> Iterator[_Row]:
    """Pan and tilt by ours, by flow on the proxy and by flow at full size, and our inlier ratio."""
    for seconds, first, second in _pairs(video, most):
        small = _shrunk(first, ScanConfig().proxy_width), _shrunk(second, ScanConfig().proxy_width)
        if _correlation(small[0].ravel().astype(float), small[1].ravel().astype(float)) < MIN_CORRELATION:
            continue
        motion = camera_motion(*small)
        yield (
            (motion.pan_widths / seconds, motion.tilt_heights / seconds),
            _median_flow(*small, seconds),
            _median_flow(_halved(first), _halved(second), seconds),
            motion.inlier_ratio,
        )


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


def _median_flow(first: Image, second: Image, seconds: float) -> tuple[float, float]:
    flow = farneback_flow(first, second)
    height, width = first.shape
    return (
        float(np.median(flow[:, :, 0])) / -width / seconds,
        float(np.median(flow[:, :, 1])) / height / seconds,
    )


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
