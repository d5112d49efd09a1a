"""Camera motion, held against truth that is built, and against dense flow on real videos; peers on the same pictures.

Here: clips through encoder, decoder and scan, and what came of them. Not here: the clips (`camera_clips`), the peers
(`camera_peers`), and statements about single pairs (`tests.stages.camera.test_motion`).
"""

import platform
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import av
import cv2
import numpy as np
import numpy.typing as npt
import torch

from schemas.config import DescribeConfig, ProbeConfig, ScanConfig
from schemas.media import ListedSource, Source
from schemas.signals import SliceScan
from stages.camera.motion import camera_motion
from stages.camera.terms import camera_term, mean_camera
from stages.media.probe import probe_source
from stages.scan.proxies import Image, ProxyMaker
from stages.scan.slice_scan import scan_slice
from tests.benchmarks.camera_clips import HEIGHT, WIDTH, Clip, ClipSpec, clip_specs, render, scenes
from tests.benchmarks.camera_peers import Transform, ecc, farneback
from tests.benchmarks.camera_real import correlations
from tests.benchmarks.figures import Figure, at_least, at_most
from tests.benchmarks.footage import real_videos
from tests.corpus import write_video

Vectors = npt.NDArray[np.float64]
"""(N, 4): pan, tilt, zoom and roll as displacement of the picture's edge in picture widths, per second."""

Answer = TypeVar("Answer")

SAME_WAY = 0.9
"""Cosine of the angle between measured and true motion, from which the direction counts as right."""
PEERS = ("Farneback, proxy", "Farneback, full size", "ECC, proxy")
PEERS_EVERY = 3
"""Peers, which take most of the time, are run on every third clip."""
ENCODER = {"crf": "23", "preset": "veryfast"}
if platform.machine() in ("x86_64", "AMD64"):
    # With AVX-512, x264 does not write the same bits twice, and the figures below changed by two clips from run to run.
    ENCODER["x264-params"] = "asm=SSE4.2"
MIN_TERM_SPEED = 1.5
"""Clips whose motion is this many times its moving threshold must be called by its name."""


@dataclass(frozen=True)
class Measured:
    """One clip: truth and measurements pair by pair, and as a whole."""

    spec: ClipSpec
    truth: Vectors
    ours: Vectors
    peers: dict[str, Vectors]
    """Empty where only ours was run."""
    ms: dict[str, list[float]]
    """Milliseconds that each method took for a pair."""
    mean: Vectors
    """(1, 4)"""
    term: str
    shake: tuple[float, float]
    """True and measured, widths per second."""
    subject_ratio: float


def measure(say: Callable[[str], None] = lambda _: None, *, quick: bool = False) -> list[Figure]:
    """All figures; where `quick`, of so few clips that they mean nothing."""
    with _one_thread():
        return _measure(say, quick=quick)


@contextmanager
def _one_thread() -> Iterator[None]:
    """As a worker of the product has it; threads that wait for each other are most of the time otherwise."""
    before = cv2.getNumThreads(), torch.get_num_threads()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before[0])
        torch.set_num_threads(before[1])


def _measure(say: Callable[[str], None], *, quick: bool) -> list[Figure]:
    stills = scenes(real_videos())
    specs = clip_specs()[:: 12 if quick else 1]
    say(f"{len(specs)} clips of {len(stills)} real pictures")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        clips = [_measured(spec, render(spec, stills), path, at % PEERS_EVERY == 0) for at, spec in enumerate(specs)]
    say("real videos beside dense flow")
    return [
        *_pair_figures(clips),
        *_clip_figures(clips),
        *_term_figures(clips),
        _unrelated(stills),
        *correlations(real_videos(), quick=quick),
        _speed(clips),
    ]


def _measured(spec: ClipSpec, clip: Clip, path: Path, with_peers: bool) -> Measured:
    write_video(path, clip.frames, spec.fps, gop=50, options=ENCODER)
    source, scan = _scanned(path)
    frame_of = {pts: number for number, pts in enumerate(scan.frames.pts)}
    pairs = list(zip(scan.motion.start_pts, scan.motion.end_pts, strict=True))
    seconds = np.array([(end - start) * float(scan.span.time_base.fraction) for start, end in pairs])
    full, proxy = _lumas(path, source, {pts for pair in pairs for pts in pair} if with_peers else set())
    true = [clip.motion(frame_of[start], frame_of[end]) for start, end in pairs]
    peers: dict[str, Vectors] = {}
    ms: dict[str, list[float]] = {"ours": [_took(camera_motion, proxy[a], proxy[b])[1] for a, b in pairs]}
    methods = zip(PEERS, (farneback, farneback, ecc), (proxy, full, proxy), strict=True)
    for name, method, lumas in methods if with_peers else ():
        answers = [_took(method, lumas[start], lumas[end]) for start, end in pairs]
        scale = WIDTH / lumas[pairs[0][0]].shape[1]
        peers[name] = _vectors([(turn, scale * shift) for (turn, shift), _ in answers], seconds)
        ms[name] = [took for _, took in answers]
    means = mean_camera(scan.motion, scan.span)
    if means is None:
        raise ValueError(f"no motion was measured of {spec}")
    truth = _vectors(true, seconds)
    return Measured(
        spec, truth, _signal_vectors(scan), peers, ms, _as_vectors(*(np.array([rate]) for rate in means.motions)),
        camera_term(means, DescribeConfig()), (_shake(truth, seconds), means.shake), means.subject_ratio,
    )  # fmt: skip


def _scanned(path: Path) -> tuple[Source, SliceScan]:
    size_bytes = path.stat().st_size
    listed = ListedSource(source_id="truth", uri=str(path), name=path.name, size_bytes=size_bytes, version="1")
    source = probe_source(listed, path, ProbeConfig())
    if not isinstance(source, Source):
        raise TypeError(f"the benchmark's own video was refused: {source}")
    return source, scan_slice(source.slices[0], source.video, path, ScanConfig())


def _lumas(path: Path, source: Source, in_full: set[int]) -> tuple[dict[int, Image], dict[int, Image]]:
    """By pts: the luma of the decoded frame, of those `in_full`, and of the product's proxy of every frame."""
    maker, full, proxy = ProxyMaker(source.video, ScanConfig(), path.name), dict[int, Image](), dict[int, Image]()
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            small = maker.proxy(frame)
            if small.pts in in_full:
                full[small.pts] = np.asarray(frame.to_ndarray(format="gray"), dtype=np.uint8)
            proxy[small.pts] = small.luma
    return full, proxy


def _took(method: Callable[[Image, Image], Answer], first: Image, second: Image) -> tuple[Answer, float]:
    start = time.perf_counter()
    answer = method(first, second)
    return answer, 1000 * (time.perf_counter() - start)


def _as_vectors(pan: Vectors, tilt: Vectors, zoom: Vectors, roll_degrees: Vectors) -> Vectors:
    return np.stack([pan, tilt * HEIGHT / WIDTH, zoom / 2, np.radians(roll_degrees) / 2], axis=1)


def _vectors(transforms: Sequence[Transform], seconds: Vectors) -> Vectors:
    turn, shift = np.array(transforms, dtype=complex).reshape(-1, 2).T
    per_pair = shift.real / -WIDTH, shift.imag / HEIGHT, np.log(np.abs(turn)), np.degrees(np.angle(turn))
    return _as_vectors(*(value / seconds for value in per_pair))


def _signal_vectors(scan: SliceScan) -> Vectors:
    motion = scan.motion
    series = motion.pan_widths_per_s, motion.tilt_heights_per_s, motion.zoom_per_s, motion.roll_degrees_per_s
    return _as_vectors(*(np.asarray(values, dtype=np.float64) for values in series))


def _shake(truth: Vectors, seconds: Vectors) -> float:
    """As the product defines it, from the true motion: a height counts as a width."""
    translation = truth[:, :2] * [1, WIDTH / HEIGHT]
    mean = np.average(translation, axis=0, weights=seconds)
    return float(np.sqrt(np.average((translation - mean) ** 2, axis=0, weights=seconds).sum()))


def _errors(truth: Vectors, measured: Vectors) -> Vectors:
    """Length of the difference over length of the truth."""
    return np.asarray(np.linalg.norm(measured - truth, axis=1) / np.linalg.norm(truth, axis=1))


def _is_same_way(truth: Vectors, measured: Vectors) -> npt.NDArray[np.bool_]:
    lengths = np.linalg.norm(truth, axis=1) * np.linalg.norm(measured, axis=1)
    return np.asarray((truth * measured).sum(axis=1) > SAME_WAY * np.maximum(lengths, 1e-12))


def _moving(clips: Sequence[Measured]) -> list[Measured]:
    return [clip for clip in clips if clip.spec.kind not in ("static", "shake")]


def _pair_figures(clips: Sequence[Measured]) -> Iterator[Figure]:
    moving = [clip for clip in _moving(clips) if clip.peers]
    truth = np.concatenate([clip.truth for clip in moving])
    ours = np.concatenate([clip.ours for clip in moving])
    others = {name: np.concatenate([clip.peers[name] for clip in moving]) for name in PEERS}
    note = f"{len(truth)} pairs of {len(moving)} clips; subjects cover up to 30 %; peers on the same pairs"
    right = {name: float(_is_same_way(truth, other).mean()) for name, other in others.items()}
    yield at_least(
        "camera direction, pair by pair", float(_is_same_way(truth, ours).mean()), "share", 0.99, right, note=note
    )
    for name, share in (("median", 0.5), ("90th percentile", 0.9)):
        peer = {who: float(np.quantile(_errors(truth, other), share)) for who, other in others.items()}
        value = float(np.quantile(_errors(truth, ours), share))
        yield at_most(f"camera magnitude error, pair by pair, {name}", value, "relative", 0.1, peer, note=note)


def _clip_figures(clips: Sequence[Measured]) -> Iterator[Figure]:
    moving = _moving(clips)
    tests: dict[str, Callable[[ClipSpec], bool]] = {
        "": lambda _: True,
        ", no subject": lambda spec: spec.subject_share == 0 and spec.condition == "clean",
        ", subject of 15 %": lambda spec: 0 < spec.subject_share < 0.2,
        ", subject of 30 %": lambda spec: spec.subject_share > 0.2,
        ", noise, dark or soft": lambda spec: spec.condition != "clean",
    }
    groups = {name: [clip for clip in moving if test(clip.spec)] for name, test in tests.items()}
    for name, group in ((name, group) for name, group in groups.items() if group):
        truth = np.array([np.average(clip.truth, axis=0) for clip in group])
        mean = np.concatenate([clip.mean for clip in group])
        error, note = _errors(truth, mean), f"{len(group)} clips of about a second, mean motion"
        worst = sorted(zip(error, group, strict=True), key=lambda one: -one[0])[:2]
        note += "; worst: " + ", ".join(f"{_spell(clip.spec)} {value:.0%}" for value, clip in worst)
        yield at_least(f"camera direction{name}", float(_is_same_way(truth, mean).mean()), "share", 0.99, note=note)
        yield at_least(f"camera magnitude within 10 %{name}", float((error <= 0.1).mean()), "share", 0.95, note=note)


def _spell(spec: ClipSpec) -> str:
    rate = getattr(spec.rates, spec.kind, None)
    return f"{spec.kind}{'' if rate is None else f' {rate:+g}'} ({spec.subject_share:.0%} subject, {spec.condition})"


def _term_figures(clips: Sequence[Measured]) -> Iterator[Figure]:
    for kind, target in (("static", 0.99), ("shake", 0.95)):
        group = [clip for clip in clips if clip.spec.kind == kind]
        if group:
            right = float(np.mean([clip.term == clip.spec.term for clip in group]))
            wrong = sorted({clip.term for clip in group} - {group[0].spec.term})
            note = f"{len(group)} clips; called instead: {', '.join(wrong) or 'nothing else'}"
            yield at_least(f"{kind} camera called {group[0].spec.term}", right, "share", target, note=note)
    named = [clip for clip in _moving(clips) if _is_clear(clip.spec)]
    right = float(np.mean([clip.term == clip.spec.term for clip in named]))
    silent = float(np.mean([clip.term == "unclear" for clip in named]))
    note = f"{len(named)} clips at least {MIN_TERM_SPEED} times above their threshold; `unclear`: {silent:.1%}"
    yield at_least("moving camera called by its name", right, "share", 0.95, note=note)
    shaken = [clip.shake for clip in clips if clip.spec.kind == "shake"]
    if shaken:
        error = float(np.median([abs(found / true - 1) for true, found in shaken]))
        yield at_most("shake, median error", error, "relative", 0.1, note=f"{len(shaken)} clips")
    off = [abs(clip.subject_ratio - clip.spec.subject_share) for clip in clips if clip.spec.condition == "clean"]
    note = "mean deviation from the share of the picture; the measure counts cells with texture"
    yield Figure("subject ratio", float(np.mean(off)), "share", note=note)


def _is_clear(spec: ClipSpec) -> bool:
    describe = DescribeConfig()
    limits = {
        "pan": describe.moving_widths_per_s, "tilt": describe.moving_widths_per_s, "zoom": describe.moving_zoom_per_s,
        "roll": describe.moving_roll_degrees_per_s,
    }  # fmt: skip
    if spec.kind == "several":
        return True
    return bool(abs(getattr(spec.rates, spec.kind)) >= MIN_TERM_SPEED * limits[spec.kind])


def _unrelated(stills: Sequence[npt.NDArray[np.uint8]]) -> Figure:
    """Pairs across a cut: no camera model may be trusted. The second is upside down: stills may show one scene."""
    views = [render(ClipSpec("static", seed), [still]).frames[0] for seed, still in enumerate(stills)]
    lumas = [np.ascontiguousarray(view[::2, ::2, 1]) for view in views]
    trusted = [
        camera_motion(first, np.ascontiguousarray(second[::-1, ::-1])).inlier_ratio >= DescribeConfig().min_inlier_ratio
        for number, first in enumerate(lumas)
        for other, second in enumerate(lumas)
        if number != other
    ]
    return at_most("unrelated pictures trusted", float(np.mean(trusted)), "share", 0.01, note=f"{len(trusted)} pairs")


def _speed(clips: Sequence[Measured]) -> Figure:
    took = {
        name: float(np.median([ms for clip in clips if clip.peers for ms in clip.ms[name]]))
        for name in ("ours", *PEERS)
    }
    note = f"median of single calls on one thread; full size is {WIDTH}x{HEIGHT}"
    return at_most("camera motion of a pair", took.pop("ours"), "ms", 0.5, took, note=note)
