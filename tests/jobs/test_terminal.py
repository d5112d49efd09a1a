"""On a terminal, as most people start it: progress is seen, and nothing waits for a key."""

import os
import pty
import re
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from tests.corpus import textured_frame, write_video
from tests.product import COMMAND, ROOT


def run_on_terminal(arguments: list[str], limit_s: float) -> tuple[int | None, str]:
    """Exit code and everything shown; None where it had not ended within the limit and was killed."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(ROOT)
        os.environ["COLUMNS"] = "120"
        os.execv(COMMAND[0], [*COMMAND, *arguments])  # noqa: S606 - the command under test
    shown, deadline = b"", time.monotonic() + limit_s
    os.set_blocking(terminal, False)
    while time.monotonic() < deadline:
        try:
            shown += os.read(terminal, 65536)
        except BlockingIOError:
            time.sleep(0.05)
        except OSError:  # the other end is closed: the command has ended
            _, status = os.waitpid(child, 0)
            return os.waitstatus_to_exitcode(status), re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", shown).decode()
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None, shown.decode()


@pytest.mark.parametrize("runner", ["local", "ray"])
def test_a_run_on_a_terminal_shows_its_progress_and_ends(runner: str, tmp_path: Path) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    for number in range(2):
        frames = [np.roll(textured_frame(number, 108, 192), 2 * index, axis=1) for index in range(60)]
        write_video(videos / f"video-{number}.mp4", frames, fps=25)
    arguments = ["run", "--input", str(videos), "--output", str(tmp_path / "run"), "--runner", runner]
    code, shown = run_on_terminal(arguments, limit_s=200)
    assert code == 0, shown[-3000:]
    assert re.search(r"scan +\S+ 2/2 2 slices", shown)
