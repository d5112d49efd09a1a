"""Shots joined by transitions of every kind, frame by frame, with the truth about each.

Here: cuts, dissolves, fades to black and white, wipes of several shapes, and programmes made of them. Not here: shots
(`transition_shots`), or what is no transition although it looks like one (`transition_negatives`).
Shape legend: H, W = 180, 320. A weight is the share of the later shot, 0 to 1.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.transition_shots import FPS, HEIGHT, WIDTH, Random, Stretch, View, random_view
from tests.corpus import Picture

Kind = Literal["cut", "dissolve", "fade", "wipe"]
KIND_SHARES: dict[Kind, float] = {"cut": 0.4, "dissolve": 0.24, "fade": 0.16, "wipe": 0.2}
RELATED_SHARE = 0.35
"""Share of joins whose two shots are of one source and one grade."""
MAX_FACING_CORRELATION = 0.8
"""Largest luma correlation of the two pictures at a join: beyond it nobody could see the cut."""
MIN_FACING_DIFFERENCE = 14.0
"""Smallest mean absolute difference of them, 0 to 255."""

Weights = NDArray[np.float32]


@dataclass(frozen=True)
class Join:
    """What joins two shots: `lengths` are frames down, held and up for a fade, one number otherwise, none for a cut."""

    kind: Kind
    name: str
    lengths: tuple[int, ...] = ()

    @property
    def n_frames(self) -> int:
        """Frames that show neither shot alone."""
        return sum(self.lengths)


@dataclass(frozen=True)
class Truth:
    """A transition of a built video: `[start, end)` in frames, from the first that changes; empty for a cut."""

    kind: Kind
    name: str
    start: int
    end: int


@dataclass(frozen=True)
class Programme:
    """Views, the clean frames that each shows, and the joins between them."""

    views: tuple[View, ...]
    clean: tuple[int, ...]
    joins: tuple[Join, ...]

    def truth(self) -> tuple[Truth, ...]:
        """The transitions, in order."""
        found, at = [], 0
        for clean, join in zip(self.clean[:-1], self.joins, strict=True):
            at += clean
            found.append(Truth(join.kind, join.name, at, at + join.n_frames))
            at += join.n_frames
        return tuple(found)

    def frames(self) -> Iterator[Picture]:
        """All pictures; a shot's clean frames are its frames from 0 on, its transition before them is negative."""
        for number, (view, clean) in enumerate(zip(self.views, self.clean, strict=True)):
            yield from view.frames(0, clean)
            if number < len(self.joins):
                yield from joined(self.joins[number], view, clean, self.views[number + 1])


def programme(random: Random, stretches: tuple[Stretch, ...], joins: list[Join], motion: float = 1.0) -> Programme:
    """Shots of one to three seconds for these joins, neighbours of which look different."""
    views = [random_view(random, stretches, motion)]
    clean = [int(random.integers(20, 60)) for _ in range(len(joins) + 1)]
    for join, length in zip(joins, clean, strict=False):
        last = views[-1].frame(length + join.n_frames // 2)
        is_related = bool(random.random() < RELATED_SHARE)
        for _ in range(30):
            view = random_view(random, stretches, motion)
            if is_related:
                view = _related(random, view, views[-1], stretches)
            if _differ(last, view.frame(-(join.n_frames // 2))):
                break
        views.append(view)
    return Programme(tuple(views), tuple(clean), tuple(joins))


def _related(random: Random, view: View, last: View, stretches: tuple[Stretch, ...]) -> View:
    """The view, but of the source that was last seen, and graded alike: as one scene is cut from several cameras."""
    same = [stretch for stretch in stretches if stretch.source == last.stretch.source]
    stretch = same[int(random.integers(len(same)))]
    # One footage in two crops of one size would be a camera that was knocked.
    is_apart = max(view.crop / last.crop, last.crop / view.crop) > 1.25
    is_mirrored = view.is_mirrored if is_apart else not last.is_mirrored
    graded = replace(view, gain=last.gain, gamma=last.gamma, grain=last.grain)
    return replace(graded, stretch=stretch, is_mirrored=is_mirrored)


def _differ(first: Picture, second: Picture) -> bool:
    small = [
        cv2.cvtColor(cv2.resize(p, (32, 18), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY) for p in (first, second)
    ]
    correlation = np.corrcoef(small[0].ravel(), small[1].ravel())[0, 1]
    difference = np.abs(first.astype(np.int16) - second).mean()
    return bool(correlation < MAX_FACING_CORRELATION and difference > MIN_FACING_DIFFERENCE)


def random_joins(random: Random, count: int) -> list[Join]:
    """Joins of all kinds in random order, every kind by its share of `count`."""
    kinds: list[Kind] = []
    for kind, share in KIND_SHARES.items():
        kinds += [kind] * round(share * count)
    kinds = (kinds + ["cut"] * count)[:count]
    random.shuffle(kinds)
    return [random_join(random, kind) for kind in kinds]


def random_join(random: Random, kind: Kind) -> Join:
    """A join of a kind: dissolves last 0.2 to 2 s, wipes 0.3 to 1.5 s, each ramp of a fade 0.2 to 1 s."""
    if kind == "cut":
        return Join("cut", "cut")
    if kind == "dissolve":
        return Join(kind, str(random.choice(["linear", "linear", "eased"])), (_frames(random, 0.2, 2.0),))
    if kind == "wipe":
        return Join(kind, str(random.choice(list(WIPES))), (_frames(random, 0.3, 1.5),))
    down, up = (_frames(random, 0.2, 1.0) for _ in range(2))
    shape = random.choice(["out_in", "out", "in"], p=[0.7, 0.15, 0.15])
    lengths = {"out_in": (down, int(random.integers(0, 12)), up), "out": (down, 4, 0), "in": (0, 4, up)}[str(shape)]
    return Join(kind, f"{random.choice(['black', 'white'])} {shape}", lengths)


def _frames(random: Random, least_s: float, most_s: float) -> int:
    return round(FPS * float(np.exp(random.uniform(np.log(least_s), np.log(most_s)))))


def joined(join: Join, before: View, start: int, after: View) -> Iterator[Picture]:
    """The frames between the shots: the earlier goes on from its frame `start`, the later arrives at its frame 0."""
    if join.kind == "fade":
        yield from _faded(join, before, start, after)
        return
    for number in range(join.n_frames):
        share = (number + 1) / (join.n_frames + 1)
        first, second = before.frame(start + number), after.frame(number - join.n_frames)
        if join.name == "eased":
            share = share * share * (3 - 2 * share)
        yield mixed(first, second, WIPES[join.name](share) if join.kind == "wipe" else np.float32(share))


def _faded(join: Join, before: View, start: int, after: View) -> Iterator[Picture]:
    down, held, up = join.lengths
    colour = np.full((HEIGHT, WIDTH, 3), 255 if join.name.startswith("white") else 0, dtype=np.uint8)
    for number in range(down):
        yield mixed(before.frame(start + number), colour, np.float32((number + 1) / (down + 1)))
    for _ in range(held):
        yield colour
    for number in range(up):
        yield mixed(colour, after.frame(number - up), np.float32((number + 1) / (up + 1)))


def mixed(first: Picture, second: Picture, weight: Weights | np.float32) -> Picture:
    """`weight` of the second picture, one number or an (H, W) map, over the first."""
    weights = weight[:, :, None] if isinstance(weight, np.ndarray) else weight
    return np.asarray(np.round(first * (1 - weights) + second * weights), dtype=np.uint8)


_ROWS, _COLUMNS = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
_X, _Y = _COLUMNS / (WIDTH - 1), _ROWS / (HEIGHT - 1)
_CENTRE_X, _CENTRE_Y = np.abs(2 * _X - 1), np.abs(2 * _Y - 1)
_RADIUS = np.hypot((2 * _X - 1) * WIDTH / HEIGHT, 2 * _Y - 1)
_ANGLE = np.arctan2(2 * _X - 1, 1 - 2 * _Y) / (2 * np.pi) % 1.0


def _swept(order: Weights, softness: float) -> "Sweep":
    return Sweep((order - order.min()) / np.ptp(order), softness)


@dataclass(frozen=True)
class Sweep:
    """A wipe as the order, 0 to 1, in which pixels turn into the later picture, with an edge that is this soft."""

    order: Weights
    softness: float

    def __call__(self, share: float) -> Weights:
        """(H, W) weights at this share of the wipe's time."""
        edge = max(self.softness, 1e-3)
        return np.asarray(np.clip((share * (1 + edge) - self.order) / edge, 0, 1), dtype=np.float32)


WIPES: dict[str, Sweep] = {
    "left": _swept(1 - _X, 0.0),
    "right": _swept(_X, 0.03),
    "up": _swept(1 - _Y, 0.0),
    "down": _swept(_Y, 0.03),
    "diagonal": _swept(_X + _Y, 0.05),
    "counter_diagonal": _swept(1 - _X + _Y, 0.0),
    "iris_open": _swept(_RADIUS, 0.03),
    "iris_close": _swept(-_RADIUS, 0.0),
    "barn_doors": _swept(_CENTRE_X, 0.0),
    "barn_doors_close": _swept(1 - _CENTRE_Y, 0.02),
    "box": _swept(np.maximum(_CENTRE_X, _CENTRE_Y), 0.0),
    "clock": _swept(_ANGLE, 0.01),
}
"""Shapes of wipes by name."""
