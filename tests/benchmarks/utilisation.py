"""How busy the cores are while a run scans: CPU seconds over wall seconds and cores.

Here: starting `reelproof run`, watching its processes, and telling when they scan. Linux only: it reads which process
has a video open. Not here: how fast a single scan is (`tests.benchmarks.scan_speed`).
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.benchmarks.contest import N_CORES
from tests.benchmarks.footage import Footage

_LOOK_EVERY_S = 0.2
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Busy:
    """One look at the run's processes."""

    at_s: float
    cpu_s: float
    """CPU seconds of all processes so far."""
    memory_bytes: int
    """Memory of all processes now; what they share counts in each."""
    is_scanning: bool
    """Whether one of them has a video open."""


@dataclass(frozen=True)
class Utilisation:
    """How a run used the machine while it scanned."""

    share: float
    """CPU over wall and cores, 0 to 1."""
    wall_s: float
    peak_memory_bytes: int
    """The most memory of all processes together at any look."""


@dataclass
class _Watch:
    """CPU seconds of a process and all it started; those that ended keep what they had when last seen."""

    root: psutil.Process
    videos: frozenset[str]
    cpu_s: dict[tuple[int, float], float] = field(default_factory=dict)

    def look(self) -> Busy:
        memory_bytes, is_scanning = 0, False
        for process in [self.root, *self.root.children(recursive=True)]:
            try:
                times = process.cpu_times()
                self.cpu_s[process.pid, process.create_time()] = times.user + times.system
                memory_bytes += process.memory_info().rss
                is_scanning |= any(opened.path in self.videos for opened in process.open_files())
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return Busy(time.perf_counter(), sum(self.cpu_s.values()), memory_bytes, is_scanning)


def scan_utilisation(inputs: Sequence[Footage], runner: str) -> Utilisation | None:
    """How a run uses two cores while it scans.

    From the first moment at which a process has a video open until the last: start-up of Ray and of the workers is
    left out, waiting for each other is not. None where the scan was too short to see. Raises RuntimeError where the run
    fails.
    """
    with tempfile.TemporaryDirectory(prefix="reelproof-bench-run-") as folder:
        probed = _command(inputs, folder, runner="local", until="probe")
        subprocess.run(probed, cwd=_ROOT, check=True, capture_output=True)
        with (Path(folder) / "told").open("w+") as told:
            command = _command(inputs, folder, runner=runner, until="scan")
            run = subprocess.Popen(command, cwd=_ROOT, stdout=told, stderr=told)
            looks = _watched(run, inputs)
            told.seek(0)
            if run.returncode:
                raise RuntimeError(f"the run ended with {run.returncode}: {told.read()[-1000:]}")
    return utilisation_of(looks)


def utilisation_of(looks: Sequence[Busy]) -> Utilisation | None:
    """What lies between the first and the last look at which a video was open; None where there are not two."""
    scanning = [number for number, look in enumerate(looks) if look.is_scanning]
    if len(scanning) < 2:
        return None
    looks = looks[scanning[0] : scanning[-1] + 1]
    wall_s = looks[-1].at_s - looks[0].at_s
    share = (looks[-1].cpu_s - looks[0].cpu_s) / (wall_s * N_CORES)
    return Utilisation(share, wall_s, max(look.memory_bytes for look in looks))


def _command(inputs: Sequence[Footage], folder: str, *, runner: str, until: str) -> list[str]:
    named = [word for footage in inputs for word in ("--input", str(footage.path))]
    where = ["--output", folder, "--runner", runner, "--until", until, "--quiet", "--set", "grid.device=cpu"]
    return [sys.executable, "-m", "jobs.cli", "run", *named, *where]


def _watched(run: "subprocess.Popen[bytes]", inputs: Sequence[Footage]) -> list[Busy]:
    watch = _Watch(psutil.Process(run.pid), frozenset(str(footage.path) for footage in inputs))
    looks: list[Busy] = []
    while run.poll() is None:
        try:
            looks.append(watch.look())
        except psutil.NoSuchProcess:
            break
        time.sleep(_LOOK_EVERY_S)
    run.wait()
    return looks
