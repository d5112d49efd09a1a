"""Films with known truth for planted errors: shots, joins, camera moves, colours, text, stills and black.

Here: what each film is made of, its pictures, its truth in frames, and the way through the real stages. Not here: the
errors that are planted in its labels (`tests.planted_errors`).
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from annotators.measured import annotate_clip
from schemas.config import DescribeConfig, MeasuredConfig, ProbeConfig, ScanConfig, SplitConfig
from schemas.label import Label
from schemas.media import ListedSource, Source
from schemas.signals import ClipDescription, SliceScan
from schemas.time import Span
from stages.clips.split import split_slice
from stages.describe import describe_clip
from stages.media.probe import probe_source
from stages.pictures.text import TextReader, make_reader, resolve_text_setting
from stages.scan.slice_scan import scan_slice
from stages.speech.voice import make_voice, resolve_speech_setting
from tests.corpus import Picture, moving_crop, textured_frame, write_video

FPS = 25
JoinKind = Literal["cut", "dissolve", "fade_out_in", "wipe"]
MOVES = {
    "static": {},
    "pan_right": {"pan_px": 0.008}, "pan_left": {"pan_px": -0.008},
    "tilt_up": {"tilt_px": 0.008}, "tilt_down": {"tilt_px": -0.008},
    "zoom_in": {"zoom": 1.006}, "zoom_out": {"zoom": 1 / 1.006},
    "roll_clockwise": {"roll_degrees": 0.4}, "roll_counterclockwise": {"roll_degrees": -0.4},
}  # fmt: skip
"""Per frame: pan in picture widths, tilt in picture heights, zoom as a factor, roll in degrees."""
TINTS = {
    "red": (190, 30, 35), "green": (40, 140, 60), "blue": (40, 70, 200), "yellow": (235, 215, 40),
    "grey": (128, 128, 128), "white": (235, 235, 235), "dark": (35, 35, 40),
}  # fmt: skip


@dataclass(frozen=True)
class FilmShot:
    """One shot, and how it gives way to the next."""

    n_frames: int
    tint: str
    moves: tuple[str, ...] = ("static",)
    """One after the other, each as long as the others."""
    text: str = ""
    held: tuple[int, int] | None = None
    """First frame that shows the held picture, and the first that shows another; within the shot."""
    join: JoinKind = "cut"
    join_frames: int = 0
    """Of the last shot neither is shown."""


@dataclass(frozen=True)
class Film:
    """A whole film."""

    name: str
    width: int
    height: int
    shots: tuple[FilmShot, ...]


@dataclass(frozen=True)
class Stretch:
    """Something true from one frame to another, of the film."""

    what: str
    start: int
    end: int

    def overlap(self, start: int, end: int) -> int:
        """Frames that it shares with others."""
        return min(self.end, end) - max(self.start, start)


@dataclass
class FilmTruth:
    """What the film's maker knows of it, in frames."""

    shots: list[tuple[int, int]] = field(default_factory=list)
    joins: list[Stretch] = field(default_factory=list)
    camera: list[Stretch] = field(default_factory=list)
    texts: list[Stretch] = field(default_factory=list)
    held: list[Stretch] = field(default_factory=list)
    lumas: list[float] = field(default_factory=list)
    """Mean luma of each frame as drawn, 0 to 1."""


@dataclass(frozen=True)
class Measured:
    """One clip of a film through the real stages, with its labels."""

    film: Film
    truth: FilmTruth
    description: ClipDescription
    scan: SliceScan
    describe: DescribeConfig
    labels: tuple[Label, ...]

    def frame(self, pts: int) -> int:
        """The film's frame at an instant."""
        return round(self.description.clip.span.time_base.seconds(pts - self.scan.frames.pts[0]) * FPS)

    def frames(self, span: Span) -> tuple[int, int]:
        """The film's frames of a span."""
        return self.frame(span.start_pts), self.frame(span.end_pts)


def _film(name: str, size: tuple[int, int], *shots: FilmShot) -> Film:
    return Film(name, *size, shots)


WIDE, SMALL, SQUARE, TALL = (320, 180), (256, 144), (240, 240), (180, 320)
FILMS: tuple[Film, ...] = (
    _film("cuts", WIDE, FilmShot(80, "red", ("pan_right",)), FilmShot(110, "blue", text="HARBOUR NIGHT"),
          FilmShot(60, "green", ("tilt_up",)), FilmShot(90, "yellow", ("zoom_in",))),
    _film("dissolve", WIDE, FilmShot(100, "blue", ("pan_left",), join="dissolve", join_frames=25),
          FilmShot(120, "yellow", ("static", "pan_right")), FilmShot(75, "dark", ("zoom_out",), text="LAST TRAIN")),
    _film("fades", SMALL, FilmShot(90, "green", ("tilt_down",), join="fade_out_in", join_frames=30),
          FilmShot(100, "red", ("zoom_in",)), FilmShot(70, "grey", ("pan_left",))),
    _film("wipe", WIDE, FilmShot(85, "yellow", ("pan_right",), join="wipe", join_frames=20),
          FilmShot(95, "dark", ("roll_clockwise",)), FilmShot(65, "blue", ("tilt_up",), text="MARKET STREET")),
    _film("held", WIDE, FilmShot(120, "green", ("pan_right",), held=(50, 80)), FilmShot(90, "red", ("tilt_down",)),
          FilmShot(80, "white", ("pan_left",))),
    _film("square", SQUARE, FilmShot(75, "red", ("zoom_out",)),
          FilmShot(130, "blue", ("pan_left", "static"), text="OPEN LATE"),
          FilmShot(75, "yellow", ("tilt_up",), join="dissolve", join_frames=20), FilmShot(75, "green")),
    _film("tall", TALL, FilmShot(100, "dark", ("tilt_up",)), FilmShot(60, "white", ("zoom_in",)),
          FilmShot(140, "green", ("tilt_down", "static"))),
    _film("single", WIDE, FilmShot(260, "blue", ("pan_right", "static", "pan_left"), text="ONE LONG TAKE")),
    _film("many", SMALL, FilmShot(40, "red"), FilmShot(45, "blue", ("pan_right",)), FilmShot(50, "green"),
          FilmShot(55, "yellow", ("pan_left",)), FilmShot(60, "dark", ("zoom_in",)),
          FilmShot(65, "white", ("tilt_up",)), FilmShot(70, "grey")),
    _film("slow", WIDE, FilmShot(90, "red", join="dissolve", join_frames=40),
          FilmShot(110, "green", ("pan_left",), join="fade_out_in", join_frames=40),
          FilmShot(100, "yellow", ("zoom_out",))),
    _film("turns", SQUARE, FilmShot(90, "grey", ("roll_counterclockwise",)), FilmShot(90, "red", ("roll_clockwise",)),
          FilmShot(90, "blue", ("zoom_in",), text="SPINNING WHEEL")),
    _film("stills", SMALL, FilmShot(100, "yellow", ("pan_left",), held=(40, 65)),
          FilmShot(80, "blue", ("tilt_up",), join="fade_out_in", join_frames=24),
          FilmShot(120, "green", ("pan_right",), held=(60, 95))),
    _film("titles", WIDE, FilmShot(80, "dark", text="CHAPTER TWO"), FilmShot(100, "red", ("pan_right",)),
          FilmShot(90, "blue", text="THE WINTER GARDEN"), FilmShot(80, "green", ("tilt_down",))),
    _film("equal", WIDE, FilmShot(75, "red", ("pan_left",)), FilmShot(75, "blue", ("pan_right",)),
          FilmShot(75, "green", ("tilt_up",)), FilmShot(75, "yellow", ("tilt_down",))),
)  # fmt: skip
"""None of them is, or holds, anything of the sample reel."""
QUICK = ("cuts", "held", "wipe", "slow")
"""Films for a test that must be quick."""


def film_named(name: str) -> Film:
    """One of the films."""
    return next(film for film in FILMS if film.name == name)


def _shot_pictures(film: Film, number: int, before: int, after: int) -> list[Picture]:
    """A shot with so many frames before and after it, for the joins on either side."""
    shot = film.shots[number]
    scene = _scene(shot.tint, 97 * number + sum(map(ord, film.name)), film)
    lengths = [end - start for start, end in _moves_at(shot)]
    lengths[0] += before
    lengths[-1] += after
    pictures: list[Picture] = []
    where = (scene.shape[1] / 2, scene.shape[0] / 2)
    for move, length in zip(shot.moves, lengths, strict=True):
        view = dict(MOVES[move])
        view["pan_px"] = view.get("pan_px", 0.0) * film.width
        view["tilt_px"] = view.get("tilt_px", 0.0) * film.height
        pictures += moving_crop(scene, length, film.height, film.width, start=where, **view)
        where = (where[0] + view["pan_px"] * length, where[1] - view["tilt_px"] * length)
    random = np.random.default_rng(number)
    pictures = [_grained(picture, random) for picture in pictures]
    if shot.held:
        start, end = (frame + before for frame in shot.held)
        # What comes after goes on from where it was held.
        pictures[start:] = [pictures[start]] * (end - start) + pictures[start : len(pictures) - (end - start)]
    return [_with_text(picture, shot.text) for picture in pictures]


def _scene(tint: str, seed: int, film: Film) -> Picture:
    """A large scene of one main colour: soft texture with shapes on it that a motion can be told by."""
    height, width = 4 * film.height, 4 * film.width
    texture = textured_frame(seed, height, width).astype(np.float32)
    scene = np.array(TINTS[tint], np.float32) + 0.3 * (texture - texture.mean(axis=(0, 1)))
    random = np.random.default_rng(seed)
    gains = np.ones((height, width, 1), np.float32)
    for _ in range(900):
        centre = (int(random.integers(width)), int(random.integers(height)))
        cv2.circle(gains, centre, int(random.integers(3, film.height // 10)), float(random.uniform(0.6, 1.25)), -1)
    return np.asarray(np.clip(scene * gains, 0, 255), np.uint8)


def _grained(picture: Picture, random: np.random.Generator) -> Picture:
    """With a sensor's noise, so that a static shot is no still."""
    noise = random.integers(-3, 4, (*picture.shape[:2], 1), dtype=np.int16)
    return np.asarray(np.clip(picture + noise, 0, 255), np.uint8)


def _with_text(picture: Picture, text: str) -> Picture:
    if not text:
        return picture
    marked, font = picture.copy(), cv2.FONT_HERSHEY_DUPLEX
    scale = 0.55 * picture.shape[1] / cv2.getTextSize(text, font, 1.0, 2)[0][0]
    width, height = cv2.getTextSize(text, font, scale, 2)[0]
    origin = ((picture.shape[1] - width) // 2, (3 * picture.shape[0]) // 4)
    cv2.rectangle(
        marked, (origin[0] - 6, origin[1] - height - 6), (origin[0] + width + 6, origin[1] + 8), (10, 10, 10), -1
    )
    cv2.putText(marked, text, origin, font, scale, (255, 255, 255), 2, cv2.LINE_AA)
    return np.asarray(marked, np.uint8)


def _moves_at(shot: FilmShot) -> list[tuple[int, int]]:
    steps = [shot.n_frames * n // len(shot.moves) for n in range(len(shot.moves) + 1)]
    return list(itertools.pairwise(steps))


def _mixed(kind: JoinKind, before: Picture, after: Picture, share: float) -> Picture:
    """A frame of a slow join, at a share strictly between 0 and 1."""
    if kind == "wipe":
        edge, mixed = round(share * before.shape[1]), before.copy()
        mixed[:, :edge] = after[:, :edge]
        return mixed
    if kind == "dissolve":
        return np.asarray(cv2.addWeighted(before, 1 - share, after, share, 0), np.uint8)
    # Down to black, a little while there, and up again.
    gain = max(0.0, abs(share - 0.5) - 0.1) / 0.4
    return np.asarray((before if share < 0.5 else after) * gain, np.uint8)


def pictures_of(film: Film) -> Iterator[Picture]:
    """Every frame of a film."""
    joins = [0, *(shot.join_frames for shot in film.shots[:-1]), 0]
    tail: list[Picture] = []
    for number, shot in enumerate(film.shots):
        drawn = _shot_pictures(film, number, joins[number], joins[number + 1])
        head = drawn[: joins[number]]
        for step, (before, after) in enumerate(zip(tail, head, strict=True), 1):
            yield _mixed(film.shots[number - 1].join, before, after, step / (len(head) + 1))
        yield from drawn[joins[number] : joins[number] + shot.n_frames]
        tail = drawn[joins[number] + shot.n_frames :]


def truth_of(film: Film) -> FilmTruth:
    """What is true of a film, from its specification; brightness from its pictures as drawn."""
    truth, first = FilmTruth(), 0
    joins = [0, *(shot.join_frames for shot in film.shots[:-1]), 0]
    for number, shot in enumerate(film.shots):
        end = first + shot.n_frames
        truth.shots.append((first, end))
        moves = _moves_at(shot)
        for place, (move, (a, b)) in enumerate(zip(shot.moves, moves, strict=True)):
            start = first + a - (joins[number] if place == 0 else 0)
            stop = first + b + (joins[number + 1] if place == len(moves) - 1 else 0)
            truth.camera += _around(Stretch(move, start, stop), shot, first)
        if shot.text:
            truth.texts.append(Stretch(shot.text, first - joins[number], end + joins[number + 1]))
        if shot.held:
            truth.held.append(Stretch("held", first + shot.held[0], first + shot.held[1]))
        if number + 1 < len(film.shots):
            truth.joins.append(Stretch(shot.join, end, end + shot.join_frames))
        first = end + joins[number + 1]
    truth.lumas = [float((p @ np.array([0.299, 0.587, 0.114])).mean()) / 255 for p in pictures_of(film)]
    return truth


def _around(move: Stretch, shot: FilmShot, first: int) -> list[Stretch]:
    """A camera motion, which stands still while its picture is held."""
    if shot.held is None:
        return [move]
    start, end = (first + frame for frame in shot.held)
    return [Stretch(move.what, move.start, start), Stretch("static", start, end), Stretch(move.what, end, move.end)]


@lru_cache
def _reader() -> tuple[DescribeConfig, TextReader | None]:
    config = resolve_text_setting(DescribeConfig())
    return config, make_reader(config)


def measured(film: Film, folder: Path, seeds: Sequence[int] = (0, 1)) -> list[Measured]:
    """Every clip of a film through the real stages, with the measured annotator's labels for each seed."""
    path = write_video(folder / f"{film.name}.mp4", pictures_of(film), fps=FPS, gop=100, options={"crf": "16"})
    listed = ListedSource(
        source_id=film.name, uri=str(path), name=path.name, size_bytes=path.stat().st_size, version="1"
    )
    source = probe_source(listed, path, ProbeConfig())
    assert isinstance(source, Source), source
    settings = resolve_speech_setting(ScanConfig())
    scan = scan_slice(source.slices[0], source.video, path, settings, voice=make_voice(settings))
    config, reader = _reader()
    split = split_slice(source.slices[0], scan, SplitConfig(stitch_min_similarity=0.0, max_clip_s=30.0))
    found, truth = [], truth_of(film)
    for clip in split.clips:
        description = describe_clip(clip, scan, config, reader)
        labels: list[Label] = []
        for seed in seeds:
            made = annotate_clip(description, MeasuredConfig(seed=seed, max_items_per_task=3), "1.2.3")
            labels += [label for label in made.labels if seed == seeds[0] or label.qa]
        found.append(Measured(film, truth, description, scan.replace(frame_samples=()), config, tuple(labels)))
    return found
