"""Inputs of the speed benchmark: long videos of usual sizes and codecs, made of real footage once and kept.

Here: joining, scaling and encoding with ffmpeg, into a folder of the system's temporary directory named by content.
Not here: videos whose truth is known (`tests.corpus`), or what is measured on these.
"""

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import imageio_ffmpeg

SAMPLES = Path(__file__).parents[2] / "jobs" / "samples"
SUFFIXES = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".webm")
VIDEOS_VARIABLE = "REELPROOF_BENCH_VIDEOS"
"""Environment variable that names a folder with more real videos."""

FPS = 25
STRETCH_S = 6.0
"""Longest stretch that is taken from one source at a time, so that the footage changes as a programme does."""

H264 = ("-c:v", "libx264", "-preset", "fast", "-crf", "20")
VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-row-mt", "1", "-b:v", "2M")
HEVC = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error", "-crf", "24")

Say = Callable[[str], None]
"""Told what is being done, one line at a time."""


@dataclass(frozen=True)
class Footage:
    """An input, and what to call it."""

    name: str
    path: Path
    n_frames: int
    duration_s: float
    megabits_per_s: float


@dataclass(frozen=True)
class Stretch:
    """A piece of a real video."""

    path: Path
    start_s: float
    duration_s: float


def ffmpeg(*arguments: str) -> list[str]:
    """The command line of the ffmpeg that the product brings along."""
    return [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", "-loglevel", "error", "-y", *arguments]


def has_encoder(name: str) -> bool:
    """Whether this ffmpeg can write the codec."""
    told = subprocess.run(ffmpeg("-encoders"), capture_output=True, text=True, check=True).stdout
    return f" {name} " in told


def real_videos(folder: Path | None = None) -> list[Path]:
    """The real videos to build from, in order of their names: the folder's, or the samples that the package brings.

    Without `folder`, the environment variable may name one. Files that hold no picture are left out. Raises
    FileNotFoundError where the folder holds no video.
    """
    named = os.environ.get(VIDEOS_VARIABLE)
    place = folder or (Path(named) if named else SAMPLES)
    found = sorted(path for path in place.iterdir() if path.suffix in SUFFIXES) if place.is_dir() else []
    videos = [path for path in found if _duration_s(path) >= 1]
    if not videos:
        raise FileNotFoundError(f"no video in {str(place)!r}: name a folder of videos with --videos")
    return videos


class Footages:
    """Makes inputs where they are not there yet."""

    def __init__(self, videos: Sequence[Path], say: Say) -> None:
        self._videos, self._say = videos, say
        self._folder = Path(tempfile.gettempdir()) / "reelproof-bench"
        self._folder.mkdir(exist_ok=True)
        self._content = _digest(*(f"{path.name} {_file_digest(path)}" for path in videos))

    def encoded(self, name: str, width: int, height: int, duration_s: float, codec: Sequence[str]) -> Footage:
        """Pieces of all the real videos in turn, scaled to fill the picture, without sound."""
        stretches = _stretches(self._videos, duration_s)
        inputs: list[str] = []
        for piece in stretches:
            inputs += ["-ss", f"{piece.start_s:.3f}", "-t", f"{piece.duration_s:.3f}", "-i", str(piece.path)]
        fill = (
            f"scale={width}:{height}:force_original_aspect_ratio=increase:flags=bicubic,crop={width}:{height},"
            f"fps={FPS},setsar=1,format=yuv420p,setpts=PTS-STARTPTS"
        )
        chains = [f"[{number}:v:0]{fill}[v{number}]" for number in range(len(stretches))]
        joined = "".join(f"[v{number}]" for number in range(len(stretches)))
        graph = ";".join([*chains, f"{joined}concat=n={len(stretches)}:v=1[out]"])
        arguments = [*inputs, "-filter_complex", graph, "-map", "[out]", "-t", f"{duration_s:g}", *codec]
        return self._kept(name, arguments, ".webm" if codec is VP9 else ".mp4")

    def looped(self, name: str, footage: Footage, duration_s: float) -> Footage:
        """The same stream over and over, not encoded again."""
        arguments = ["-stream_loop", "-1", "-i", str(footage.path), "-t", f"{duration_s:g}", "-c", "copy"]
        return self._kept(name, arguments, footage.path.suffix)

    def _kept(self, name: str, arguments: Sequence[str], suffix: str) -> Footage:
        readable = name.replace(" ", "-").replace(".", "")
        path = self._folder / f"{readable}-{_digest(self._content, *arguments)}{suffix}"
        if not path.exists():
            self._say(f"making {name} …")
            with tempfile.TemporaryDirectory(dir=self._folder) as folder:
                half = Path(folder) / f"half{suffix}"
                _run(ffmpeg(*arguments, str(half)), name)
                half.replace(path)
        return _facts(name, path)


def _run(command: Sequence[str], name: str) -> None:
    """Run to the end; what ffmpeg says of damaged sources matters only where it fails."""
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode:
        raise RuntimeError(f"{name} cannot be made: {finished.stderr.strip()[-500:]}")


def _stretches(videos: Sequence[Path], duration_s: float) -> list[Stretch]:
    """Pieces of the videos in turn, each going on where its last piece ended, until there is enough."""
    lengths = {path: _duration_s(path) for path in videos}
    at = dict.fromkeys(videos, 0.0)
    pieces: list[Stretch] = []
    total_s = 0.0
    while total_s < duration_s + 1:
        for path in videos:
            length_s = min(STRETCH_S, lengths[path] - at[path])
            pieces.append(Stretch(path, at[path], length_s))
            total_s += length_s
            # Half a second at the end holds too few frames to show anything.
            at[path] = at[path] + length_s if at[path] + length_s < lengths[path] - 0.5 else 0.0
    return pieces


def _duration_s(path: Path) -> float:
    """Seconds of the first video stream as the header says; 0 where there is none."""
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            if stream.duration is not None and stream.time_base is not None:
                return float(stream.duration * stream.time_base)
            return (container.duration or 0) / 1e6
    except (av.FFmpegError, IndexError):
        return 0.0


def _facts(name: str, path: Path) -> Footage:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        n_frames = sum(packet.size > 0 for packet in container.demux(stream))
        duration_s = n_frames / float(stream.average_rate or FPS)
    return Footage(name, path, n_frames, duration_s, path.stat().st_size * 8 / duration_s / 1e6)


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]
