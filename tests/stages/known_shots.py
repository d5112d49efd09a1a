"""Pictures of shots joined by hand, and what the scan's rules make of them.

Here: real and synthetic shots, joins, and the way from pictures to transitions. Not here: expectations.
"""

from collections.abc import Iterable
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np

from schemas.config import ScanConfig
from schemas.media import Transition
from schemas.signals import FrameSignals, MotionSignals
from schemas.time import Span, TimeBase
from stages.camera.motion import MotionTrack, join_tracks
from stages.scan.proxies import Proxy, ProxyBatch
from stages.scan.scoring import Scorer
from stages.transitions.detectors import find_transitions
from stages.transitions.series import Series, SliceLooks, slice_series
from tests.corpus import Picture, moving_crop, textured_frame

SAMPLE = Path(__file__).parents[2] / "jobs" / "samples" / "bunny.mp4"
HEIGHT, WIDTH, FPS = 90, 160, 25
BASE = TimeBase.of(Fraction(1, 12800))
TICKS = 512


@cache
def real_frames() -> tuple[Picture, ...]:
    with av.open(str(SAMPLE)) as container:
        decoded = container.decode(video=0)
        small = (f.to_ndarray(format="rgb24", width=320, height=180, interpolation="AREA") for f in decoded)
        return tuple(np.asarray(picture, dtype=np.uint8) for picture in small)


def real_shot(
    count: int, first: int = 0, *, pan_px: float = 0, tilt_px: float = 0, zoom: float = 1, roll_degrees: float = 0
) -> list[Picture]:
    """Real footage that plays, seen through a camera that moves over it; the signs are those of `moving_crop`."""
    crops = []
    for number, picture in enumerate(real_frames()[first : first + count]):
        turn = cv2.getRotationMatrix2D((WIDTH, HEIGHT), -roll_degrees * number, zoom**number)
        matrix = np.asarray(turn, dtype=np.float64)
        matrix[:, 2] += np.array([-pan_px, tilt_px]) * number - np.array([WIDTH, HEIGHT]) / 2
        crop = cv2.warpAffine(picture, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT_101)
        crops.append(np.asarray(crop, dtype=np.uint8))
    return crops


def shot(
    seed: int, count: int, *, pan_px: float = 0, tilt_px: float = 0, zoom: float = 1, roll_degrees: float = 0
) -> list[Picture]:
    """A camera over a synthetic texture."""
    scene = textured_frame(seed, 2 * HEIGHT, 2 * WIDTH)
    view = {"pan_px": pan_px, "tilt_px": tilt_px, "roll_degrees": roll_degrees}
    return list(moving_crop(scene, count, HEIGHT, WIDTH, start=None, zoom=zoom, **view))


def graded(pictures: Iterable[Picture], gain: tuple[float, float, float], mirrored: bool = True) -> list[Picture]:
    turned = (picture[:, ::-1] if mirrored else picture for picture in pictures)
    return [np.clip(picture * np.array(gain), 0, 255).astype(np.uint8) for picture in turned]


def dissolved(before: list[Picture], after: list[Picture], length: int) -> list[Picture]:
    """The last `length` frames of one shot blend into the first of the other."""
    weights = (np.arange(length) + 1) / (length + 1)
    pairs = zip(before[-length:], after[:length], weights, strict=True)
    blend = [np.asarray(cv2.addWeighted(a, 1 - w, b, w, 0), dtype=np.uint8) for a, b, w in pairs]
    return [*before[:-length], *blend, *after[length:]]


def faded(pictures: list[Picture], gains: Iterable[float]) -> list[Picture]:
    return [np.asarray(picture * gain, dtype=np.uint8) for picture, gain in zip(pictures, gains, strict=True)]


def coded(picture: Picture, seed: int) -> Picture:
    """With the grain that a camera or codec leaves, so that no two frames are equal."""
    noise = np.random.default_rng(seed).integers(-2, 3, picture.shape, dtype=np.int16)
    return np.asarray(np.clip(picture + noise, 0, 255), dtype=np.uint8)


def found(pictures: Iterable[Picture], config: ScanConfig | None = None, grain: bool = True) -> tuple[Transition, ...]:
    config = config or ScanConfig()
    looks, signals, camera, end_pts = measured(pictures, config, grain)
    return find_transitions(looks, signals, camera, end_pts, BASE, config)


def series_of(pictures: Iterable[Picture]) -> Series:
    """What the rules for transitions read of these pictures."""
    looks, signals, camera, end_pts = measured(pictures, ScanConfig(), grain=True)
    return slice_series(looks, signals, camera, end_pts, BASE)


def measured(
    pictures: Iterable[Picture], config: ScanConfig, grain: bool
) -> tuple[SliceLooks, FrameSignals, MotionSignals, int]:
    """What the scan keeps of these pictures: looks, series of frames, motion, and the end of the last frame."""
    numbered = enumerate(pictures)
    proxies = [Proxy.of_rgb(1000 + TICKS * n, coded(p, n + 1) if grain else p) for n, p in numbered]
    track = MotionTrack(BASE, config)
    for proxy in proxies:
        track.add(proxy.pts, proxy.luma)
    scores = Scorer(config, "cpu", with_rgb=True).score(ProxyBatch.of([proxies[0], *proxies]))
    series = {name: getattr(scores, name) for name in FrameSignals.model_fields if name != "pts"}
    signals = FrameSignals(pts=[proxy.pts for proxy in proxies], **series)
    looks = SliceLooks(scores.thumbnails, scores.chroma, scores.histograms, scores.rgb)
    return looks, signals, join_tracks([track]).signals(()), 1000 + TICKS * len(proxies)


def frames(transitions: Iterable[Transition]) -> list[tuple[str, int, int]]:
    """Kind, first frame, end frame."""
    spans = [(t.kind, t.span.start_pts - 1000, t.span.end_pts - 1000) for t in transitions]
    assert all(start % TICKS == end % TICKS == 0 for _, start, end in spans)
    return [(kind, start // TICKS, end // TICKS) for kind, start, end in spans]


def assert_overlaps(transitions: tuple[Transition, ...], kind: str, start: int, end: int) -> None:
    truth = Span(start_pts=1000 + TICKS * start, end_pts=1000 + TICKS * end, time_base=BASE)
    assert [t.kind for t in transitions] == [kind]
    assert transitions[0].span.iou(truth) >= 0.5, frames(transitions)
