"""Single shots in which something happens that detectors take for a transition.

Here: flashes, explosions, lightning, pans, shake, subtitles, lamps, focus and subjects over one view. Not here: joins.
Shape legend: H, W = 180, 320.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import cv2
import numpy as np

from tests.benchmarks.transition_joins import mixed
from tests.benchmarks.transition_shots import FPS, HEIGHT, WIDTH, Camera, Random, Stretch, View, random_view
from tests.corpus import Picture, textured_frame

Effect = Callable[[Random, View, int], Iterator[Picture]]
"""Pictures of a view, this many, to which something happens about once in two seconds."""

_WHITE = np.full((HEIGHT, WIDTH, 3), 255, dtype=np.uint8)


def negative(random: Random, stretches: tuple[Stretch, ...], name: str, count: int) -> Iterator[Picture]:
    """`count` frames of one shot with the effect of this name."""
    still = name in ("fast_pan", "shake")
    return EFFECTS[name](random, random_view(random, stretches, 0.0 if still else 1.0), count)


def _times(random: Random, count: int, last: int) -> list[int]:
    """Frames at which something begins, about two seconds apart, the last early enough to end."""
    return [int(at + random.integers(0, FPS)) for at in range(FPS // 2, count - last - FPS, 2 * FPS)]


def _flashes(random: Random, view: View, count: int) -> Iterator[Picture]:
    """A photographer's flash: one to three frames of white or of a picture burnt out."""
    strength = np.zeros(count, dtype=np.float32)
    for at in _times(random, count, 4):
        strength[at : at + int(random.integers(1, 4))] = random.uniform(0.5, 1.0)
    return (mixed(view.frame(n), _WHITE, strength[n]) for n in range(count))


def _explosions(random: Random, view: View, count: int) -> Iterator[Picture]:
    """A ball of light that fills the picture within three frames and dies away within a second."""
    strength = np.zeros(count, dtype=np.float32)
    for at in _times(random, count, 30):
        peak, decay = random.uniform(0.8, 1.3), random.uniform(4, 10)
        curve = np.concatenate([peak * np.array([0.3, 0.7, 1.0]), peak * np.exp(-np.arange(27) / decay)])
        strength[at : at + 30] = np.where(curve > 0.03, curve, 0)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    centre = random.uniform(0.2, 0.8, size=2)
    distance = np.hypot(rows / HEIGHT - centre[0], columns / WIDTH - centre[1]).astype(np.float32)
    flame = np.broadcast_to(np.array([255, 225, 170], dtype=np.uint8), (HEIGHT, WIDTH, 3))
    return (mixed(view.frame(n), flame, np.clip(strength[n] * (1.5 - distance), 0, 1)) for n in range(count))


def _lightning(random: Random, view: View, count: int) -> Iterator[Picture]:
    """A night that flickers: up to eight frames at random gains, blue."""
    gain = np.full(count, 0.5)
    for at in _times(random, count, 10):
        gain[at : at + 8] = random.choice([0.5, 1.0, 1.6, 2.2], size=8)
    tint = np.array([0.9, 0.95, 1.15])
    return (np.clip(view.frame(n) * (gain[n] * tint), 0, 255).astype(np.uint8) for n in range(count))


def _fast_pans(random: Random, view: View, count: int) -> Iterator[Picture]:
    """A camera that is thrown about: one to three picture widths a second, blurred as its shutter would."""
    speed = np.zeros(count)
    for at in _times(random, count, 20):
        length = int(random.integers(8, 20))
        shape = np.sin(np.pi * (np.arange(length) + 0.5) / length)
        speed[at : at + length] = random.choice([-1, 1]) * random.uniform(1.0, 3.0) * WIDTH / FPS * shape
    place = np.cumsum(speed)
    # The crop is tight, so that there is picture to pan over.
    tight = replace(view, crop=0.45, camera=Camera())
    for number in range(count):
        moved = replace(tight, camera=Camera(pan_px=place[number] / number if number else 0.0))
        width = max(1, round(abs(speed[number]) / 2))
        picture = moved.frame(number)
        yield np.asarray(cv2.blur(picture, (width, 1)) if width > 1 else picture, dtype=np.uint8)


def _shake(random: Random, view: View, count: int) -> Iterator[Picture]:
    """A camera that is carried at a run, and struck now and then."""
    jolt = random.normal(0, 0.012 * WIDTH, size=(count, 2))
    for at in _times(random, count, 4):
        jolt[at : at + 2] += random.choice([-1, 1], size=2) * random.uniform(0.05, 0.15) * WIDTH
    for number in range(count):
        matrix = np.array([[1.15, 0, jolt[number, 0] - 24], [0, 1.15, 0.6 * jolt[number, 1] - 13]])
        shifted = cv2.warpAffine(view.frame(number), matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT_101)
        yield np.asarray(shifted, dtype=np.uint8)


def _subtitles(random: Random, view: View, count: int) -> Iterator[Picture]:
    """Large lines of text, and plates with text, that come and go at once."""
    times = [*_times(random, count, 4), count]
    for number, picture in enumerate(view.frames(0, count)):
        shown = sum(at <= number for at in times)
        if shown % 2:
            picture = picture.copy()
            if shown % 4 == 1:
                cv2.rectangle(picture, (0, 125), (WIDTH, 172), (20, 20, 60), -1)
            for line, text in enumerate((f"Subtitle number {shown}", "that comes at once")):
                cv2.putText(picture, text, (14, 145 + 22 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (255, 255, 255), 2)
        yield picture


def _lamps(random: Random, view: View, count: int) -> Iterator[Picture]:
    """Light that is switched on and off."""
    times = _times(random, count, 4)
    dim = random.uniform(0.45, 0.7)
    for number, picture in enumerate(view.frames(0, count)):
        on = sum(at <= number for at in times) % 2
        yield picture if on else np.asarray(picture * dim, dtype=np.uint8)


def _focus(random: Random, view: View, count: int) -> Iterator[Picture]:
    """A lens that loses the picture and finds it again within a second."""
    blur = np.zeros(count)
    for at in _times(random, count, 24):
        blur[at : at + 24] = random.uniform(4, 12) * np.sin(np.pi * np.arange(24) / 24)
    for number, picture in enumerate(view.frames(0, count)):
        soft = cv2.GaussianBlur(picture, (0, 0), float(blur[number])) if blur[number] > 0.3 else picture
        yield np.asarray(soft, dtype=np.uint8)


def _subjects(random: Random, view: View, count: int) -> Iterator[Picture]:
    """Something large that crosses close to the camera within half a second."""
    width, height = int(random.integers(90, 160)), int(random.integers(120, 180))
    subject = textured_frame(int(random.integers(1000)), height, width)
    left = np.full(count, WIDTH)
    for at in _times(random, count, 16):
        left[at : at + 16] = np.linspace(-width, WIDTH, 16)
    for number, picture in enumerate(view.frames(0, count)):
        visible = slice(max(0, left[number]), min(WIDTH, left[number] + width))
        picture = picture.copy()
        picture[HEIGHT - height :, visible] = subject[:, visible.start - left[number] : visible.stop - left[number]]
        yield picture


def _plain(random: Random, view: View, count: int) -> Iterator[Picture]:
    """A camera that moves and nothing else."""
    pan_px, tilt_px, zoom = random.uniform(-6, 6), random.uniform(-3, 3), float(np.exp(random.uniform(-0.01, 0.01)))
    back = replace(view, camera=Camera(pan_px, tilt_px, zoom, float(random.uniform(-0.6, 0.6))))
    half = count // 2
    return (back.frame(n if n < half else 2 * half - n) for n in range(count))


EFFECTS: dict[str, Effect] = {
    "flash": _flashes, "explosion": _explosions, "lightning": _lightning, "fast_pan": _fast_pans, "shake": _shake,
    "subtitle": _subtitles, "lamp": _lamps, "focus": _focus, "subject": _subjects, "moving_camera": _plain,
}  # fmt: skip
"""What may happen in a shot that is no transition, by name."""
