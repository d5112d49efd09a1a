"""Built videos of the transition benchmark on disk: what each holds, encoded once and kept.

Here: building and encoding the video of a job, into a folder of the system's temporary directory, named by all that
decides its content. Not here: what is in it (`transition_joins`, `transition_negatives`), or who looks at it
(`transition_truth`).
"""

import hashlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np

from tests.benchmarks import transition_joins, transition_negatives, transition_shots
from tests.benchmarks.transition_joins import Truth, programme, random_joins
from tests.benchmarks.transition_negatives import negative
from tests.benchmarks.transition_shots import FPS, shot_paths, stretches
from tests.corpus import Picture, write_video

ENCODER = {"crf": "23", "preset": "veryfast", "threads": "1"}
"""Of x264. Its default preset takes nearly three times as long, longer than any detector but the network."""
_FOLDER = "reelproof-bench"
_PACKAGES = ("av", "numpy", "opencv-python-headless")
"""Packages that decide what a video looks like."""


@dataclass(frozen=True)
class Job:
    """One video to build and to look at; `name` is that of a negative, or empty for a programme."""

    seed: int
    index: int
    name: str
    count: int
    """Transitions of a programme, frames of a negative."""
    has_transnet: bool
    device: str


def kept(job: Job) -> tuple[tuple[Truth, ...], Path]:
    """What the video of a job holds, and its path; built only where an earlier run has not left it."""
    folder = Path(tempfile.gettempdir()) / _FOLDER
    folder.mkdir(exist_ok=True)
    name = job.name or "programme"
    stem = f"{name}-{_digest(_decided_by(), *(str(each) for each in (job.seed, job.index, job.name, job.count)))}"
    path, note = folder / f"{stem}.mp4", folder / f"{stem}.json"
    if not path.exists():
        with tempfile.TemporaryDirectory(dir=folder) as half:
            truth, built = build(job, Path(half))
            told = built.with_suffix(".json")
            told.write_text(json.dumps([asdict(one) for one in truth]), encoding="utf-8")
            told.replace(note)
            # Last: where the video is, its truth is.
            built.replace(path)
    return tuple(Truth(**one) for one in json.loads(note.read_text(encoding="utf-8"))), path


def build(job: Job, folder: Path) -> tuple[tuple[Truth, ...], Path]:
    """Encodes the video of a job as H.264 of 320x180 at 25 frames per second. Returns what it holds, and its path."""
    random = np.random.default_rng((job.seed, job.index))
    truth: tuple[Truth, ...] = ()
    frames: Iterator[Picture]
    if job.name:
        frames = negative(random, stretches(), job.name, job.count)
    else:
        made = programme(random, stretches(), random_joins(random, job.count))
        truth, frames = made.truth(), made.frames()
    path = folder / f"{job.index}{job.name}.mp4"
    return truth, write_video(path, frames, FPS, gop=2 * FPS, options=ENCODER)


@cache
def _decided_by() -> str:
    """Digest of the footage, of the code that builds from it, and of the packages that it builds with."""
    code = (transition_joins, transition_negatives, transition_shots)
    files = [*shot_paths(), *(Path(module.__file__ or "") for module in code), Path(__file__)]
    files.append(Path(write_video.__code__.co_filename))
    contents = (hashlib.sha256(file.read_bytes()).hexdigest() for file in files)
    return _digest(*contents, *(f"{package} {version(package)}" for package in _PACKAGES))


def _digest(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]
