"""What a run holds in memory depends on its largest unit, not on how many units there are."""

import contextlib
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import imageio_ffmpeg
import psutil
import pytest

from tests.corpus import numbered_frames, write_video
from tests.product import ROOT, start

REEL = ROOT / "jobs" / "samples" / "reel.mp4"

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peaks are read from Linux's /proc")


def peaks_mib(folder: Path, n_units: int, mebibytes: int) -> tuple[float, float]:
    """Peak memory of a run's own process and of its child, in MiB."""
    command = [sys.executable, "-m", "tests.pipeline.bulky", str(folder), str(n_units), str(mebibytes)]
    told = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=True).stdout
    own, child = told.split()
    return float(own), float(child)


def test_memory_does_not_grow_with_the_number_of_units(tmp_path: Path) -> None:
    # 12 MiB and 192 MiB of pictures; what may differ is what an allocator keeps.
    few, many = peaks_mib(tmp_path / "few", 4, 3), peaks_mib(tmp_path / "many", 64, 3)
    for peak_of_few, peak_of_many in zip(few, many, strict=True):
        assert peak_of_many < peak_of_few + 40


def repeated(video: Path, seconds: int, destination: Path) -> Path:
    """A video that goes on and on, without encoding it again."""
    destination.parent.mkdir()
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-stream_loop", "-1", "-i", str(video)]
    subprocess.run([*command, "-c", "copy", "-t", str(seconds), str(destination)], check=True, timeout=60)
    return destination


def peaks_of_processes_mib(*arguments: str) -> list[float]:
    """The peak of each process of a run, in MiB, the largest first."""
    command, peaks = start(*arguments), dict[int, float]()
    while command.poll() is None:
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in [psutil.Process(command.pid), *psutil.Process(command.pid).children(recursive=True)]:
                with contextlib.suppress(OSError):
                    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
                    # A process that is ending tells no figure any more.
                    peaks[process.pid] = int(found[1]) / 1024 if found else peaks.get(process.pid, 0.0)
        with contextlib.suppress(subprocess.TimeoutExpired):
            command.wait(0.05)
    assert command.returncode == 0
    return sorted(peaks.values(), reverse=True)


@pytest.mark.slow
def test_a_scan_of_an_hour_takes_the_memory_of_a_scan_of_a_few_minutes(tmp_path: Path) -> None:
    video = write_video(tmp_path / "v.mp4", numbered_frames(40, 144, 256), fps=2, gop=8, options={"bf": "0"})
    settings = ("--runner", "local", "--until", "scan", "--quiet")
    inputs = {seconds: repeated(video, seconds, tmp_path / f"{seconds}" / "v.mp4") for seconds in (180, 3600)}
    short, long = (
        peaks_of_processes_mib("run", "--input", str(path), "--output", str(tmp_path / f"run-{seconds}"), *settings)
        for seconds, path in inputs.items()
    )
    # The process that decodes, and the one that writes the table.
    for of_short, of_long in zip(short[:2], long[:2], strict=True):
        assert of_short > 0
        assert of_long < 1.1 * of_short


@pytest.mark.slow
@pytest.mark.skipif(find_spec("rapidocr") is None, reason="text is what takes the memory")
def test_describing_ten_minutes_takes_the_memory_of_describing_two(tmp_path: Path) -> None:
    peaks: dict[int, float] = {}
    for seconds in (120, 600):
        video = repeated(REEL, seconds, tmp_path / f"{seconds}" / "v.mp4")
        arguments = ("run", "--input", str(video), "--output", str(tmp_path / f"run-{seconds}"), "--runner", "local")
        peaks_of_processes_mib(*arguments, "--quiet", "--until", "split")
        # What is scanned already: the largest process is the one that describes.
        peaks[seconds] = peaks_of_processes_mib(*arguments, "--quiet", "--until", "describe")[0]
    # Holes in a heap would make it 1.6 times as much, and more with every minute.
    assert peaks[600] < 1.3 * peaks[120]
