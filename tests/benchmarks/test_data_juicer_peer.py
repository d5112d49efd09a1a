"""The pipe to data-juicer's Python, with an operator of the test's own in the place of data-juicer's."""

import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.benchmarks.data_juicer_peer import SPLIT, DataJuicer
from tests.product import ROOT

SCRIPT = f"""
import subprocess, sys
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
from tests.benchmarks.data_juicer_peer import serve

def measure(path):
    print("found 3 scenes", flush=True)
    subprocess.run(["echo", "frame 7"], check=True)
    return Path(path).stat().st_size / 1000

serve("9.8.7", {{{SPLIT!r}: measure}})
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    return path


def test_seconds_come_back_whatever_an_operator_prints_or_starts(script: Path, tmp_path: Path) -> None:
    video = tmp_path / 'a "b" ü.mp4'
    with closing(DataJuicer(sys.executable, script)) as juicer:
        assert juicer.version == "9.8.7"
        for size in (1500, 250):
            video.write_bytes(bytes(size))
            assert juicer(SPLIT, str(video)) == size / 1000


def test_an_operator_that_fails_is_one_line(script: Path) -> None:
    with (
        closing(DataJuicer(sys.executable, script)) as juicer,
        pytest.raises(
            RuntimeError, match=r"^data-juicer ended in '.*' with exit code 1: FileNotFoundError: .*nowhere'$"
        ),
    ):
        juicer(SPLIT, "/nowhere")


def test_a_python_without_data_juicer_is_one_line() -> None:
    with pytest.raises(ImportError, match=r"with exit code 1: ModuleNotFoundError: No module named 'data_juicer'$"):
        DataJuicer(sys.executable)
