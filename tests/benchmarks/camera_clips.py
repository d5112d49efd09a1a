"""Short videos of a camera that moves in a known way over a real picture, with or without a subject that moves too.

Here: scenes, the list of clips, and rendering them with the exact motion between any two frames. Not here: what is
measured on them (`camera_truth`).
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import av
import cv2
import numpy as np

from schemas.signals import CameraTerm
from tests.corpus import Picture, picture_of

HEIGHT, WIDTH = 180, 320
CLIP_S = 1.0
SCENE_WIDTH = 960
SCENE_MOMENTS = (0.75, 0.5, 0.95)
"""Shares of a video's length at which a picture is taken. Those at 0.25 and 0.1 chose the product's constants."""
RATES_FPS = (25, 60, 24, 30, 50)
SPEEDS = {
    "pan": (0.03, 0.06, 0.12, 0.25, 0.5, 1.0),
    "tilt": (0.05, 0.1, 0.2, 0.5, 1.0),
    "zoom": (0.05, 0.1, 0.2, 0.4, 0.6),
    "roll": (3.0, 6.0, 12.0, 25.0, 40.0),
}
"""Widths, heights, logarithms of scale and degrees per second."""
SHAKES = (0.08, 0.15, 0.3)
"""Root mean square speed of a shaking camera, widths per second."""
SHARES = (0.0, 0.15, 0.3)
"""Of the picture, that a subject covers."""
TERMS: dict[str, tuple[CameraTerm, CameraTerm]] = {
    "pan": ("pan_right", "pan_left"), "tilt": ("tilt_up", "tilt_down"), "zoom": ("zoom_in", "zoom_out"),
    "roll": ("roll_clockwise", "roll_counterclockwise"),
}  # fmt: skip


@dataclass(frozen=True)
class Rates:
    """Steady camera motion; units and signs of `MotionSignals`."""

    pan: float = 0.0
    tilt: float = 0.0
    zoom: float = 0.0
    roll: float = 0.0


@dataclass(frozen=True)
class ClipSpec:
    """One clip."""

    kind: str
    """`static`, a motion of `SPEEDS`, `several`, or `shake`."""
    seed: int
    rates: Rates = Rates()
    shake: float = 0.0
    subject_share: float = 0.0
    fps: int = 25
    condition: str = "clean"
    """Or `noise`, `dark`, `soft`."""

    @property
    def term(self) -> CameraTerm:
        """What the motion is called."""
        if self.kind in TERMS:
            return TERMS[self.kind][0 if getattr(self.rates, self.kind) > 0 else 1]
        names: dict[str, CameraTerm] = {"static": "static", "several": "mixed", "shake": "handheld"}
        return names[self.kind]


@dataclass(frozen=True)
class View:
    """Where the camera looks: picture position p, x + iy from its centre, shows the scene at `centre + turn * p`."""

    centre: complex
    turn: complex


@dataclass
class Clip:
    """The frames of a clip, and where the camera looked at each."""

    frames: list[Picture]
    views: list[View] = field(default_factory=list)

    def motion(self, first: int, second: int) -> tuple[complex, complex]:
        """Turn and shift that carry content of one frame onto another, pixels from the centre, y downwards."""
        before, after = self.views[first], self.views[second]
        return before.turn / after.turn, (before.centre - after.centre) / after.turn


def clip_specs() -> list[ClipSpec]:
    """Every clip of the benchmark."""
    seeds, specs = itertools.count(), list[ClipSpec]()
    for share in SHARES:
        specs += [ClipSpec("static", next(seeds), subject_share=share) for _ in range(8)]
        specs += [ClipSpec("shake", next(seeds), shake=shake, subject_share=share) for shake in SHAKES * 2]
        specs += [ClipSpec("several", next(seeds), _several(seed), subject_share=share) for seed in range(10)]
        for kind, speeds in SPEEDS.items():
            for speed in speeds:
                seed = next(seeds)
                specs.append(ClipSpec(kind, seed, Rates(**{kind: speed * (-1) ** seed}), subject_share=share))
    for condition in ("noise", "dark", "soft"):
        specs += [ClipSpec("static", next(seeds), condition=condition) for _ in range(2)]
        for kind, speeds in SPEEDS.items():
            for speed in speeds[2:4]:
                seed = next(seeds)
                specs.append(ClipSpec(kind, seed, Rates(**{kind: speed * (-1) ** seed}), condition=condition))
    return [replace(spec, fps=RATES_FPS[spec.seed % len(RATES_FPS)]) for spec in specs]


def _several(seed: int) -> Rates:
    random = np.random.default_rng(seed)
    sign = random.choice([-1.0, 1.0], 4)
    pan, tilt, zoom, roll = sign * random.uniform((0.1, 0.1, 0.1, 6), (0.5, 0.5, 0.4, 25))
    return Rates(float(pan), float(tilt), float(zoom), float(roll))


def scenes(videos: Sequence[Path], least: int = 6) -> list[Picture]:
    """Stills of the videos, one each and more of each where there are fewer videos than `least`."""
    stills: list[Picture] = []
    for moment in SCENE_MOMENTS:
        for video in videos if len(stills) < least else ():
            still = _still(video, moment)
            scale = SCENE_WIDTH / still.shape[1]
            method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
            size = SCENE_WIDTH, round(still.shape[0] * scale)
            enlarged = np.asarray(cv2.resize(still, size, interpolation=method), dtype=np.uint8)
            stills += [enlarged] if _is_textured(enlarged) else []
    return stills


def _still(video: Path, moment: float) -> Picture:
    with av.open(str(video)) as container:
        count = sum(1 for _ in container.decode(video=0))
    with av.open(str(video)) as container:
        frames = itertools.islice(container.decode(video=0), int((count - 1) * moment), None)
        return picture_of(next(frames))


def _is_textured(picture: Picture) -> bool:
    """Whether there is something to see in most parts of the picture: a title or black shows no camera motion."""
    small = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (96, 54), interpolation=cv2.INTER_AREA)
    parts = small.reshape(6, 9, 8, 12).transpose(0, 2, 1, 3).reshape(48, -1)
    return bool((parts.std(axis=1) > 6).mean() > 0.6)


def render(spec: ClipSpec, stills: Sequence[Picture]) -> Clip:
    """The frames of a clip, with its truth."""
    random = np.random.default_rng(spec.seed)
    still = stills[spec.seed % len(stills)]
    if spec.condition == "soft":
        still = np.asarray(cv2.GaussianBlur(still, (0, 0), 8), dtype=np.uint8)
    views = list(_views(spec, still, random))
    frames = [_seen(still, view) for view in views]
    if spec.subject_share:
        _put_subject(frames, stills[(spec.seed + 1 + len(stills) // 2) % len(stills)], spec, random)
    return Clip([_under(frame, spec.condition, random) for frame in frames], views)


def _views(spec: ClipSpec, still: Picture, random: np.random.Generator) -> Iterator[View]:
    """Where the camera looks, frame by frame."""
    height, width = still.shape[:2]
    centre = complex(width / 2 + random.uniform(-60, 60), height / 2 + random.uniform(-40, 40))
    # Two scene pixels a picture pixel, so that the picture is as sharp as a camera's.
    turn = 2 * complex(np.exp(1j * random.uniform(-0.1, 0.1)))
    frequencies, phases = random.uniform(1.5, 5, (2, 3)), random.uniform(0, 2 * math.pi, (2, 3))
    rates = spec.rates
    for number in range(round(CLIP_S * spec.fps) + 1):
        yield View(centre, turn)
        waves = spec.shake / math.sqrt(3) * np.sin(2 * math.pi * frequencies * number / spec.fps + phases).sum(axis=1)
        step = complex((rates.pan + waves[0]) * WIDTH, -rates.tilt * HEIGHT + waves[1] * WIDTH) / spec.fps
        centre += turn * step
        turn *= complex(np.exp(complex(-rates.zoom, -math.radians(rates.roll)) / spec.fps))


def _seen(still: Picture, view: View) -> Picture:
    start = view.centre - view.turn * complex((WIDTH - 1) / 2, (HEIGHT - 1) / 2)
    matrix = np.array([[view.turn.real, -view.turn.imag, start.real], [view.turn.imag, view.turn.real, start.imag]])
    flags = cv2.INTER_AREA if abs(view.turn) < 1 else cv2.INTER_LINEAR
    seen = cv2.warpAffine(
        cv2.GaussianBlur(still, (3, 3), 0), matrix, (WIDTH, HEIGHT), flags=flags | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101,
    )  # fmt: skip
    return np.asarray(seen, dtype=np.uint8)


def _put_subject(frames: list[Picture], other: Picture, spec: ClipSpec, random: np.random.Generator) -> None:
    """An ellipse cut from another picture crosses the frames at a speed of its own."""
    area, aspect = spec.subject_share * WIDTH * HEIGHT / math.pi, random.uniform(0.7, 1.4)
    half_height = min(math.sqrt(area / aspect), 0.48 * HEIGHT)
    half_width = area / half_height
    size = int(2 * half_width) + 1, int(2 * half_height) + 1
    patch = cv2.resize(other, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    way = complex(np.exp(1j * random.uniform(0, 2 * math.pi))) * random.uniform(0.05, 0.25) * WIDTH * CLIP_S
    middle = complex(random.uniform(0.35, 0.65) * WIDTH, random.uniform(0.4, 0.6) * HEIGHT)
    for number, frame in enumerate(frames):
        place = middle + way * (number / len(frames) - 0.5)
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        cv2.ellipse(mask, ((place.real, place.imag), (2 * half_width, 2 * half_height), 0), 255, -1)
        share = cv2.GaussianBlur(mask, (3, 3), 0)[:, :, None].astype(np.float32) / 255
        matrix = np.array([[1, 0, place.real - half_width], [0, 1, place.imag - half_height]])
        moved = cv2.warpAffine(patch, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT_101)
        frame[:] = (frame * (1 - share) + moved * share).astype(np.uint8)


def _under(frame: Picture, condition: str, random: np.random.Generator) -> Picture:
    if condition == "dark":
        return np.asarray(frame * np.float32(0.25), dtype=np.uint8)
    if condition == "noise":
        return np.clip(frame + random.normal(0, 6, (HEIGHT, WIDTH, 1)), 0, 255).astype(np.uint8)
    return frame
