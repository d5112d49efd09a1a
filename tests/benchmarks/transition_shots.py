"""Real shots for built videos: stretches of footage without a transition, seen through a moving, graded camera.

Here: reading footage, choosing its stretches, and views of them. Not here: joining shots (`transition_joins`).
Shape legend: T = frames, H, W = 180, 320.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from tests.corpus import Picture

Random = np.random.Generator
HEIGHT, WIDTH, FPS = 180, 320, 25
VIDEOS_VARIABLE = "REELPROOF_BENCH_VIDEOS"
"""Environment variable: a folder of more videos to cut shots from."""
SAMPLES = Path(__file__).parents[2] / "jobs" / "samples"
MAX_FRAMES = 2400
"""Frames read of each file."""
MAX_CHANGE = 16.0
"""Largest mean HSV difference of neighbouring frames inside a stretch: PySceneDetect's ContentDetector asks for 27."""
MAX_DRIFT = 0.5
"""Largest distance of hue-saturation histograms 12 frames apart inside a stretch: a dissolve exceeds it."""
EDGE_FRAMES = 10
"""Frames left out at both ends of a stretch, where the footage's own transitions may reach in."""
MIN_FRAMES = 25
MIN_LEVEL = 25.0
"""Mean and deviation, 0 to 255, below which a view is as good as black or plain."""


@dataclass(frozen=True)
class Stretch:
    """A run of frames that no rule splits: (T, H, W, 3) uint8 RGB of any size, and the file it is from."""

    frames: NDArray[np.uint8]
    source: str


@dataclass(frozen=True)
class Camera:
    """How a view moves over its footage, per frame."""

    pan_px: float = 0.0
    tilt_px: float = 0.0
    zoom: float = 1.0
    roll_degrees: float = 0.0


@dataclass(frozen=True)
class View:
    """One shot as it will be seen: where the stretch is entered, how fast it plays, the crop, the grade."""

    stretch: Stretch
    first: float
    speed: float
    crop: float
    """Share of the footage's width that the first frame shows."""
    centre: tuple[float, float]
    camera: Camera
    is_mirrored: bool
    gain: tuple[float, float, float]
    gamma: float
    grain: float
    """Standard deviation of added noise, 0 to 255."""
    seed: int

    def frame(self, number: int) -> Picture:
        """(H, W, 3) uint8 RGB of frame `number`, which may be negative."""
        return self._graded(self._crop(self._footage(number), number), number)

    def frames(self, start: int, end: int) -> Iterator[Picture]:
        """Frames `[start, end)`."""
        return (self.frame(number) for number in range(start, end))

    def _footage(self, number: int) -> Picture:
        """Footage plays forwards and backwards without end, so that it has no seam."""
        last = len(self.stretch.frames) - 1
        at = int(self.first + self.speed * number) % (2 * last)
        return np.asarray(self.stretch.frames[min(at, 2 * last - at)], dtype=np.uint8)

    def _crop(self, picture: Picture, number: int) -> Picture:
        rows, columns = picture.shape[:2]
        scale = min(self.crop * columns / WIDTH, rows / HEIGHT) / self.camera.zoom**number
        angle = np.deg2rad(self.camera.roll_degrees * number)
        turn = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        moved = scale * number * np.array([self.camera.pan_px, -self.camera.tilt_px])
        centre = np.array([columns * self.centre[0], rows * self.centre[1]]) + moved
        shift = centre - turn @ np.array([(WIDTH - 1) / 2, (HEIGHT - 1) / 2])
        matrix = np.column_stack([turn, shift]).astype(np.float64)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        crop = cv2.warpAffine(picture, matrix, (WIDTH, HEIGHT), flags=flags, borderMode=cv2.BORDER_REFLECT_101)
        return np.asarray(crop[:, ::-1] if self.is_mirrored else crop, dtype=np.uint8)

    def _graded(self, picture: Picture, number: int) -> Picture:
        levels = 255 * (np.arange(256) / 255) ** self.gamma
        tables = np.clip(levels[:, None] * np.asarray(self.gain), 0, 255).astype(np.uint8)
        graded = cv2.LUT(np.ascontiguousarray(picture), tables.reshape(1, 256, 3))
        if self.grain:
            noise = np.random.default_rng((self.seed, number % 8)).normal(0, self.grain, (HEIGHT, WIDTH, 1))
            graded = np.clip(graded + noise, 0, 255)
        return np.asarray(graded, dtype=np.uint8)


def random_view(random: Random, stretches: tuple[Stretch, ...], motion: float = 1.0) -> View:
    """A view of a random stretch that shows something; `motion` scales how much the camera moves: 0 holds it still."""
    while True:
        view = _any_view(random, stretches, motion)
        if all(view.frame(at).mean() > MIN_LEVEL and view.frame(at).std() > MIN_LEVEL for at in (-20, 0, 40)):
            return view


def _any_view(random: Random, stretches: tuple[Stretch, ...], motion: float) -> View:
    stretch = stretches[int(random.integers(len(stretches)))]
    strength = motion * random.choice([0.0, 1.0, 4.0], p=[0.5, 0.35, 0.15])
    level, tint = float(random.uniform(0.55, 1.2)), random.uniform(0.75, 1.25, size=3)
    return View(
        stretch=stretch,
        first=float(random.uniform(0, len(stretch.frames))),
        speed=float(random.choice([0.5, 1.0, 1.0, 1.0, 1.5])),
        crop=float(random.uniform(0.55, 1.0)),
        centre=(float(random.uniform(0.4, 0.6)), float(random.uniform(0.4, 0.6))),
        camera=Camera(
            pan_px=float(strength * random.uniform(-2, 2)),
            tilt_px=float(strength * random.uniform(-0.7, 0.7)),
            zoom=float(np.exp(strength * random.uniform(-0.003, 0.003))),
            roll_degrees=float(strength * random.uniform(-0.1, 0.1)),
        ),
        is_mirrored=bool(random.random() < 0.5),
        gain=(level * float(tint[0]), level * float(tint[1]), level * float(tint[2])),
        gamma=float(random.uniform(0.7, 1.5)),
        grain=float(random.choice([0.0, 0.0, 2.0, 4.0])),
        seed=int(random.integers(2**31)),
    )


def shot_paths() -> list[Path]:
    """The sample videos and the files of the folder that `REELPROOF_BENCH_VIDEOS` names."""
    paths = sorted(SAMPLES.glob("*.mp4"))
    if folder := os.environ.get(VIDEOS_VARIABLE):
        paths += sorted(path for path in Path(folder).iterdir() if path.is_file())
    return paths


@cache
def stretches() -> tuple[Stretch, ...]:
    """All stretches of the videos at `shot_paths`."""
    return tuple(stretch for path in shot_paths() for stretch in _stretches_of(path))


def _stretches_of(path: Path) -> Iterator[Stretch]:
    pictures = _pictures(path)
    if len(pictures) <= 2 * EDGE_FRAMES + MIN_FRAMES:
        return
    frames = np.stack(pictures)
    small = [cv2.cvtColor(cv2.resize(picture, (80, 45)), cv2.COLOR_RGB2HSV) for picture in frames]
    change = np.array([0.0] + [np.abs(a.astype(np.int16) - b).mean() for a, b in pairwise(small)])
    histograms = [cv2.calcHist([hsv], [0, 1], None, [16, 8], [0, 180, 0, 256]).ravel() / (80 * 45) for hsv in small]
    gap = 12
    drift = [0.5 * np.abs(a - b).sum() for a, b in zip(histograms[:-gap], histograms[gap:], strict=True)]
    is_split = (change > MAX_CHANGE) | (np.pad(drift, (gap // 2, gap - gap // 2)) > MAX_DRIFT)
    is_split |= np.array([not 0.08 < picture[:, :, 2].mean() / 255 < 0.95 for picture in small])
    edges = [0, *np.flatnonzero(is_split).tolist(), len(frames)]
    for start, end in pairwise(edges):
        if end - start > 2 * EDGE_FRAMES + MIN_FRAMES:
            yield Stretch(frames[start + EDGE_FRAMES : end - EDGE_FRAMES], path.name)


def _pictures(path: Path) -> list[Picture]:
    """The first frames of a file, at most 320 pixels wide; none where it holds no video."""
    pictures: list[Picture] = []
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                return []
            for frame in container.decode(video=0):
                height = round(WIDTH * frame.height / frame.width)
                keep = frame if frame.width <= WIDTH else frame.reformat(WIDTH, height, interpolation="AREA")
                pictures.append(np.asarray(keep.to_ndarray(format="rgb24"), dtype=np.uint8))
                if frame.is_corrupt:
                    return []
                if len(pictures) == MAX_FRAMES:
                    break
    except av.FFmpegError:
        return pictures
    return pictures
