"""data-juicer's video operators as a peer: it needs other packages than ours, so it runs in a Python of its own.

Here: both ends of a pipe. That Python runs this file, so nothing but the standard library may be imported at the top.
It answers its version once its operators are loaded, then one line of seconds for each line `[operator, path]`.
Not here: what the seconds are compared with (`tests.benchmarks.scan_speed`).
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

MOTION, SPLIT = "data-juicer motion score", "data-juicer scene split"


class DataJuicer:
    """A process of the given Python that waits for videos, its operators loaded.

    Raises ImportError, in one line, where they cannot be loaded.
    """

    def __init__(self, python: str, script: Path = Path(__file__)) -> None:
        self._python, self._told = python, tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        # data-juicer installs what it misses while it runs; a benchmark changes nobody's packages.
        env = {**os.environ, "PIP_NO_INDEX": "1", "UV_OFFLINE": "1"}
        self._process = subprocess.Popen(
            [python, "-I", str(script)], bufsize=0, env=env,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._told,
        )  # fmt: skip
        self.version = self._answer(ImportError)

    def __call__(self, operator: str, path: str) -> float:
        """Seconds that the operator itself took, by the clock of its process. Raises RuntimeError where it fails."""
        _pipe(self._process.stdin).write(json.dumps([operator, path]).encode() + b"\n")
        return float(self._answer(RuntimeError))

    def close(self) -> None:
        """End the process: it ends where no more can be asked."""
        self._process.communicate()
        self._told.close()

    def _answer(self, error: type[Exception]) -> str:
        answer = _pipe(self._process.stdout).readline().decode().strip()
        if not answer:
            code = self._process.wait()
            self._told.seek(0)
            last = self._told.read().decode(errors="replace").strip().rpartition("\n")[2]
            self.close()
            raise error(f"data-juicer ended in {self._python!r} with exit code {code}: {last}")
        return answer


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def serve(version: str, operators: Mapping[str, Callable[[str], float]]) -> None:
    """Answer until nobody asks any more; what operators print, and programs that they start, goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    answers.write(f"{version}\n")
    for line in sys.stdin:
        operator, path = json.loads(line)
        answers.write(f"{operators[operator](path)}\n")


def _serve_data_juicer() -> None:
    """Load both operators, at their defaults, with all that they would otherwise load within the clock; then serve."""
    from importlib.metadata import version

    from data_juicer.ops.filter.video_motion_score_filter import VideoMotionScoreFilter
    from data_juicer.ops.mapper.video_split_by_scene_mapper import VideoSplitBySceneMapper
    from data_juicer.utils.constant import Fields, StatsKeys

    def motion_score(path: str) -> float:
        sample: dict[str, Any] = {"videos": [path], Fields.stats: {}}
        seconds = _timed(motion.compute_stats_single, sample)
        if min(sample[Fields.stats][StatsKeys.video_motion_score]) < 0:
            raise RuntimeError(f"no motion measured in {path}")
        return seconds

    def scene_split(path: str) -> float:
        sample: dict[str, Any] = {"videos": [path]}
        seconds = _timed(split.process_single, sample)
        # It goes on where ffmpeg or the detector failed.
        if not all(Path(scene).exists() and Path(scene).stat().st_size for scene in sample["videos"]):
            raise RuntimeError(f"scenes of {path} were not written")
        return seconds

    motion = VideoMotionScoreFilter()
    motion.setup_model()
    with tempfile.TemporaryDirectory(prefix="reelproof-bench-") as folder:
        split = VideoSplitBySceneMapper(save_dir=folder)
        serve(version("py-data-juicer"), {MOTION: motion_score, SPLIT: scene_split})


def _timed(work: Callable[[dict[str, Any]], object], sample: dict[str, Any]) -> float:
    begin = time.perf_counter()
    work(sample)
    return time.perf_counter() - begin


if __name__ == "__main__":
    _serve_data_juicer()
