"""How the command ends: its exit code is its own, and nothing that it started goes on."""

import os
import subprocess
import sys
import time
import uuid
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.corpus import textured_frame, write_video
from tests.product import COMMAND, ROOT

MARK = "REELPROOF_TEST_MARK"


def processes_with(mark: str) -> list[str]:
    """Names of the living processes that were given a mark in their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and process.environ().get(MARK) == mark:
                found.append(process.name())
        except psutil.Error:
            continue
    return found


@pytest.mark.parametrize("runner", ["local", "ray"])
def test_no_process_outlives_a_run(runner: str, tmp_path: Path) -> None:
    videos, mark = tmp_path / "videos", uuid.uuid4().hex
    videos.mkdir()
    for number in range(2):
        write_video(videos / f"video-{number}.mp4", [textured_frame(number, 54, 96)] * 10, fps=25)
    arguments = ["run", "-i", str(videos), "-o", str(tmp_path / "run"), "--runner", runner, "--until", "split", "-q"]
    command = [*COMMAND, *arguments]
    assert subprocess.run(command, cwd=ROOT, env=os.environ | {MARK: mark}, check=False).returncode == 0
    limit = time.monotonic() + 20
    while processes_with(mark) and time.monotonic() < limit:
        time.sleep(0.2)
    assert processes_with(mark) == []


def test_an_output_that_nobody_reads_to_the_end_is_no_error(tmp_path: Path) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    write_video(videos / "video.mp4", [np.full((54, 96, 3), 90, np.uint8)] * 10, fps=25)
    settings = subprocess.Popen([*COMMAND, "settings"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert settings.stdout is not None
    assert settings.stderr is not None
    settings.stdout.close()
    assert settings.stderr.read() == b""


LOSES_THE_FIRST = """
import contextlib, signal, time
import jobs.cli
signal.signal(signal.SIGINT, jobs.cli._interrupt)
with contextlib.suppress(KeyboardInterrupt):
    signal.raise_signal(signal.SIGINT)
try:
    time.sleep(60)
except KeyboardInterrupt:
    jobs.cli.end_process(jobs.cli.EXIT_INTERRUPTED)
"""


def test_an_interrupt_that_is_lost_comes_again() -> None:
    assert subprocess.run([sys.executable, "-c", LOSES_THE_FIRST], cwd=ROOT, timeout=50, check=False).returncode == 130
