"""Clips whose truth is written down first: a list of shots becomes a scan, and `stages` describes the clip in it.

Here: `ShotSpec`, `build_clip` and `varied_clip`. Not here: what is expected of labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from random import Random
from typing import get_args

import numpy as np

from schemas.config import DescribeConfig
from schemas.media import Clip, EdgeKind, Shot, Transition, TransitionKind
from schemas.signals import (
    CameraTerm,
    ClipDescription,
    FrameSignals,
    MotionSignals,
    PaletteColour,
    SampleSignals,
    SliceScan,
    TextDetection,
)
from schemas.time import Span, TimeBase
from stages.describe import describe_clip
from tests.annotators.truth import Stretch, TrueShot, Truth

FPS = 25
TICKS = 512
"""Ticks of one frame."""
BASE = TimeBase(numerator=1, denominator=FPS * TICKS)
START = 7 * TICKS
"""The slice's first pts, so that nothing can rest on it being 0."""
PAIR_FRAMES = 3
DESCRIBE = DescribeConfig()

MOTIONS: dict[str, tuple[float, float, float, float]] = {
    "static": (0.0, 0.0, 0.0, 0.0),
    "pan_right": (0.15, 0.0, 0.0, 0.0),
    "pan_left": (-0.15, 0.0, 0.0, 0.0),
    "tilt_up": (0.0, 0.15, 0.0, 0.0),
    "tilt_down": (0.0, -0.15, 0.0, 0.0),
    "zoom_in": (0.0, 0.0, 0.2, 0.0),
    "zoom_out": (0.0, 0.0, -0.2, 0.0),
    "roll_clockwise": (0.0, 0.0, 0.0, 10.0),
    "roll_counterclockwise": (0.0, 0.0, 0.0, -10.0),
    "mixed": (0.15, 0.15, 0.0, 0.0),
    "unclear": (0.03, 0.0, 0.0, 0.0),
}
"""Pan, tilt, zoom and roll that each term is measured from."""


@dataclass(frozen=True)
class TextSpec:
    """A text that stands through a shot, and the frame of the shot that it is read on."""

    text: str
    frame: int = 20
    middle: float = 0.5


@dataclass(frozen=True)
class ShotSpec:
    """One shot, and how it gives way to the next."""

    n_frames: int = 75
    luma: float = 0.42
    luma_spread: float = 0.18
    saturation: float = 0.35
    sharpness: float = 600.0
    colours: tuple[tuple[str, float], ...] = (("green", 0.6), ("blue", 0.15))
    camera: tuple[CameraTerm, ...] = ("static",)
    """Motions one after the other, each as long as the others."""
    frozen: tuple[int, int] | None = None
    """First frame that shows the held picture, and the first that shows another, within the shot."""
    texts: tuple[TextSpec, ...] = ()
    joint: TransitionKind = "cut"
    joint_frames: int = 0


@dataclass
class _Tape:
    """Everything measured, as it is laid down shot after shot."""

    luma: list[float] = field(default_factory=list)
    spread: list[float] = field(default_factory=list)
    saturation: list[float] = field(default_factory=list)
    sharpness: list[float] = field(default_factory=list)
    frozen: list[bool] = field(default_factory=list)
    motion: list[tuple[int, int, tuple[float, float, float, float]]] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    shots: list[tuple[int, int]] = field(default_factory=list)

    def add(self, shot: ShotSpec) -> None:
        """A shot and the transition after it."""
        first = len(self.luma)
        self.shots.append((first, first + shot.n_frames))
        n_frames = shot.n_frames + shot.joint_frames
        self.luma += [shot.luma] * n_frames
        self.spread += [shot.luma_spread] * n_frames
        self.saturation += [shot.saturation] * n_frames
        self.sharpness += [shot.sharpness] * n_frames
        start, end = shot.frozen or (0, 0)
        self.frozen += [start < frame < end for frame in range(n_frames)]
        for frame in range(0, shot.n_frames - PAIR_FRAMES, PAIR_FRAMES):
            term = shot.camera[frame * len(shot.camera) // shot.n_frames]
            self.motion.append((first + frame, first + frame + PAIR_FRAMES, MOTIONS[term]))
        joint_start = first + shot.n_frames
        self.transitions.append(_transition(shot.joint, joint_start, joint_start + shot.joint_frames))


def span_of(first_frame: int, end_frame: int) -> Span:
    """The span of frames `first_frame` to `end_frame` of the slice."""
    return Span(start_pts=START + first_frame * TICKS, end_pts=START + end_frame * TICKS, time_base=BASE)


def build_clip(
    shots: Sequence[ShotSpec], *, text_is_measured: bool = True, slice_id: str = "film-000", lead_frames: int = 60
) -> tuple[ClipDescription, SliceScan]:
    """A clip of these shots inside a longer slice, described by `stages.describe` from hand-made signals.

    A shot of another kind leads in and another out, so that the clip begins and ends at cuts. Palettes and texts come
    from the specification, for there are no pictures.
    """
    tape = _Tape()
    lead = ShotSpec(n_frames=lead_frames, luma=0.8, saturation=0.7, camera=("mixed",))
    for shot in (lead, *shots[:-1], replace(shots[-1], joint="cut", joint_frames=0), lead):
        tape.add(shot)
    tape.transitions.pop()
    scan = _scan(tape, slice_id)
    clip = _clip(tape, scan, len(shots))
    described = describe_clip(clip, scan, DESCRIBE, None)
    figures = tuple(figure.replace(palette=_palette(spec)) for figure, spec in zip(described.shots, shots, strict=True))
    texts = [_detection(t, tape.shots[n][0]) for n, spec in enumerate(shots, 1) for t in spec.texts]
    return described.replace(shots=figures, text=tuple(texts), text_is_measured=text_is_measured), scan


@cache
def varied_clip(seed: int) -> tuple[tuple[ShotSpec, ...], ClipDescription, SliceScan]:
    """A clip of one to six shots, unlike the clip of any other seed."""
    random = Random(seed)  # noqa: S311 (test data)
    shots = tuple(_varied_shot(random) for _ in range(random.randint(1, 6)))
    return shots, *build_clip(shots, slice_id=f"film{seed}-000")


def _varied_shot(random: Random) -> ShotSpec:
    colours = random.sample(("green", "blue", "red", "grey", "brown", "yellow", "black"), 2)
    terms: list[CameraTerm] = [term for term in get_args(CameraTerm) if term in MOTIONS]
    kind: TransitionKind = random.choice(("cut", "cut", "dissolve", "fade_out_in", "gradual"))
    n_frames = random.randint(40, 160)
    start = random.randint(5, n_frames - 30)
    texts = [TextSpec(random.choice(("BIG BUCK BUNNY", "Harvest time")), random.randint(5, n_frames - 5))]
    return ShotSpec(
        n_frames=n_frames,
        luma=random.choice((0.12, 0.4, 0.42, 0.7)),
        luma_spread=random.uniform(0.05, 0.3),
        saturation=random.uniform(0.05, 0.8),
        sharpness=random.uniform(50, 3000),
        colours=((colours[0], random.uniform(0.4, 0.7)), (colours[1], 0.2)),
        camera=tuple(random.choices(terms, k=random.choice((1, 1, 2)))),
        frozen=(start, start + random.randint(14, 25)) if random.random() < 0.2 else None,
        texts=tuple(texts) if random.random() < 0.25 else (),
        joint=kind,
        joint_frames=0 if kind == "cut" else random.randint(10, 30),
    )


def _transition(kind: TransitionKind, start: int, end: int) -> Transition:
    return Transition(kind=kind, span=span_of(start, end), score=1.0, similarity=0.7, detector="specification")


def _palette(shot: ShotSpec) -> tuple[PaletteColour, ...]:
    return tuple(PaletteColour(name=name, red=1, green=2, blue=3, share=share) for name, share in shot.colours)


def _detection(text: TextSpec, first_frame: int) -> TextDetection:
    pts = span_of(first_frame + text.frame, first_frame + text.frame).start_pts
    top, bottom = text.middle - 0.05, text.middle + 0.05
    return TextDetection(text=text.text, score=0.97, pts=pts, left=0.2, top=top, right=0.8, bottom=bottom)


def _scan(tape: _Tape, slice_id: str) -> SliceScan:
    n_frames = len(tape.luma)
    zeros, ones = [0.0] * n_frames, [1.0] * n_frames
    frames = FrameSignals(
        pts=[START + frame * TICKS for frame in range(n_frames)],
        luma_mean=tape.luma,
        luma_spread=tape.spread,
        saturation_mean=tape.saturation,
        content_distance=zeros,
        histogram_distance=zeros,
        structural_similarity=ones,
        moving_ratio=zeros,
        sharpness=tape.sharpness,
        is_black=[False] * n_frames,
        is_frozen=tape.frozen,
    )
    # A steady hand's tremor, so that no series is unnaturally constant.
    tremor = 0.004 * (-1.0) ** np.arange(len(tape.motion))
    motions = np.array([values for _, _, values in tape.motion])
    motion = MotionSignals(
        start_pts=[START + first * TICKS for first, _, _ in tape.motion],
        end_pts=[START + end * TICKS for _, end, _ in tape.motion],
        pan_widths_per_s=motions[:, 0] + tremor,
        tilt_heights_per_s=motions[:, 1],
        zoom_per_s=motions[:, 2],
        roll_degrees_per_s=motions[:, 3],
        inlier_ratio=[0.9] * len(tape.motion),
        subject_ratio=[0.05] * len(tape.motion),
        subject_motion_widths_per_s=[0.01] * len(tape.motion),
    )
    return SliceScan(
        slice_id=slice_id,
        source_id="film",
        span=span_of(0, n_frames),
        display_width=1280,
        display_height=720,
        frames=frames,
        motion=motion,
        samples=SampleSignals(pts=[], patch_similarity=[], is_slow=[]),
        transitions=tuple(tape.transitions),
        frame_samples=(),
    )


def _clip(tape: _Tape, scan: SliceScan, n_shots: int) -> Clip:
    bounds = tape.shots[1 : n_shots + 1]
    span = span_of(bounds[0][0], bounds[-1][1])
    edges: list[EdgeKind] = [transition.kind for transition in tape.transitions]
    shots = [
        Shot(index=n, span=span_of(a, b), n_frames=b - a, starts_with=edges[n - 1], ends_with=edges[n])
        for n, (a, b) in enumerate(bounds, 1)
    ]
    return Clip(
        clip_id=f"{scan.slice_id}-{round(span.start_s * 1000):08d}-{round(span.end_s * 1000):08d}",
        source_id="film",
        slice_id=scan.slice_id,
        uri="film.mp4",
        name="film.mp4",
        span=span,
        n_frames=bounds[-1][1] - bounds[0][0],
        shots=tuple(shots),
        transitions=tuple(tape.transitions[1:n_shots]),
    )


def truth_of(shots: Sequence[ShotSpec]) -> Truth:
    """What the specification makes true, in seconds from the clip's start."""
    true_shots, transitions, texts, freezes, first = [], [], [], [], 0
    for shot in shots:
        end = first + shot.n_frames
        steps = [first + shot.n_frames * n // len(shot.camera) for n in range(len(shot.camera))] + [end]
        camera = tuple(_stretch(t, a, b) for t, a, b in zip(shot.camera, steps[:-1], steps[1:], strict=True))
        true_shots.append(TrueShot(first / FPS, end / FPS, shot.luma, dict(shot.colours), camera))
        texts += [_stretch(text.text, first, end) for text in shot.texts]
        if shot.frozen:
            freezes.append(_stretch("freeze", first + shot.frozen[0], first + shot.frozen[1]))
        transitions.append(_stretch(shot.joint, end, end + shot.joint_frames))
        first = end + shot.joint_frames
    return Truth(tuple(true_shots), tuple(transitions[:-1]), tuple(texts), tuple(freezes))


def _stretch(what: str, start: int, end: int) -> Stretch:
    return Stretch(what, start / FPS, end / FPS)
