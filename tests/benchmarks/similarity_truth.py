"""Similarity, held against truth that is built: freezes, black, moving patches, slow frames, through real encoding.

Here: videos whose frames are known to repeat, to be black or to move by a known share, and what the scan says of them.
Not here: transitions and camera motion (`transition_truth`, `camera_truth`), single definitions (`tests.stages`).
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from schemas.config import ProbeConfig, ScanConfig
from schemas.media import ListedSource, Source
from schemas.signals import SliceScan
from stages.media.probe import probe_source
from stages.scan.slice_scan import scan_slice
from tests.benchmarks.figures import Figure, at_least, at_most
from tests.corpus import Picture, moving_crop, textured_frame, write_video

REAL = Path(__file__).parents[2] / "jobs" / "samples" / "bunny.mp4"
HEIGHT, WIDTH, FPS = 180, 320, 25
BLUE, WHITE = (0, 0, 255), (255, 255, 255)
"""Colours that are no similar patches by the published rule."""
QUALITIES = ("18", "23", "28")
"""Constant rate factors of x264: from nearly lossless to what the web serves."""


def measure(n_rounds: int = 4) -> list[Figure]:
    """All figures; `n_rounds` videos of each kind and quality."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "truth.mp4"
        return [
            _freezes(path, n_rounds),
            _black(path, n_rounds),
            _moving(path, n_rounds),
            *_slow_frames(path, n_rounds),
        ]


def _freezes(path: Path, n_rounds: int) -> Figure:
    """Live stretches with a moving camera, and stretches that hold their last picture, as a broken stream does."""
    found, truth = [], []
    for seed in range(n_rounds):
        live = _moving_real_frames(seed)
        frames: list[Picture] = []
        is_held: list[bool] = []
        for length in np.random.default_rng(seed).integers(5, 25, size=8):
            frames += [next(live) for _ in range(10)]
            frames += [frames[-1]] * int(length)
            is_held += [False] * 10 + [True] * int(length)
        for quality in QUALITIES:
            scan = _scanned(path, frames, quality)
            found += list(scan.frames.is_frozen[1:])
            truth += is_held[1:]
    note = f"{len(truth)} frames, {sum(truth)} of them held; x264 at {', '.join(QUALITIES)}"
    return at_least("frozen frames", _f1(found, truth), "F1", 0.98, note=note)


def _black(path: Path, n_rounds: int) -> Figure:
    """Black with a sensor's noise, between dark scenes that show something."""
    found, truth = [], []
    for seed in range(n_rounds):
        random = np.random.default_rng(seed)
        live = _moving_real_frames(seed)
        frames: list[Picture] = []
        is_black: list[bool] = []
        for gain in random.permutation([0.15, 0.3, 0.6, 1.0]):
            frames += [np.asarray(next(live) * gain, dtype=np.uint8) for _ in range(10)]
            noise = random.normal(random.uniform(0, 8), 1.5, (10, HEIGHT, WIDTH, 1))
            frames += list(np.broadcast_to(np.clip(noise, 0, 255), (10, HEIGHT, WIDTH, 3)).astype(np.uint8))
            is_black += [False] * 10 + [True] * 10
        for quality in QUALITIES:
            found += list(_scanned(path, frames, quality).frames.is_black)
            truth += is_black
    return at_least("black frames", _f1(found, truth), "F1", 0.98, note=f"{len(truth)} frames, down to gain 0.15")


def _moving(path: Path, n_rounds: int) -> Figure:
    """A still real picture of which a known share is new texture on every frame."""
    errors: list[float] = []
    for seed in range(n_rounds):
        still = next(_moving_real_frames(seed))
        for share in (0.0, 0.1, 0.3, 0.6, 1.0):
            width = round(share * WIDTH)
            frames = []
            for number in range(20):
                frame = still.copy()
                frame[:, :width] = textured_frame(1000 * seed + number, HEIGHT, WIDTH)[:, :width]
                frames.append(frame)
            scan = _scanned(path, frames, "18")
            errors += [abs(ratio - share) for ratio in scan.frames.moving_ratio[1:]]
    return at_most("moving ratio, mean error", float(np.mean(errors)), "share", 0.05, note="shares from 0 to 1")


def _slow_frames(path: Path, n_rounds: int) -> list[Figure]:
    """A board of 8 by 4 patches, some of which change colour from sample to sample: every similarity is known."""
    errors: list[float] = []
    right: list[bool] = []
    for seed in range(n_rounds):
        random = np.random.default_rng(seed)
        board = random.integers(0, 2, (4, 8)).astype(bool)
        slow_board, frames, similarities, flags = board.copy(), [], [], []
        for sample in range(24):
            if sample:
                board = board ^ (random.random((4, 8)) < random.choice([0.0, 0.05, 0.3]))
            picture = np.where(board[..., None], BLUE, WHITE).astype(np.uint8)
            frames += [np.asarray(picture.repeat(48, axis=0).repeat(48, axis=1))] * 5
            similarity = float((board == slow_board).mean())
            is_slow = sample == 0 or similarity < 0.9
            slow_board = board.copy() if is_slow else slow_board
            similarities.append(similarity)
            flags.append(is_slow)
        samples = _scanned(path, frames, "18", fps=10).samples
        errors += list(np.abs(np.subtract(samples.patch_similarity, similarities)))
        right += [ours == true for ours, true in zip(samples.is_slow, flags, strict=True)]
    note = "the rule of Keye-VL-1.5 on boards of patches that change colour"
    return [
        at_least("slow frames", float(np.mean(right)), "share right", 0.99, note=note),
        at_most("patch similarity, largest error", float(max(errors)), "share", 0.01, note=note),
    ]


def _moving_real_frames(seed: int) -> Iterator[Picture]:
    """Real pictures under a camera that never rests: no two are the same."""
    random = np.random.default_rng(seed)
    with av.open(str(REAL)) as container:
        pictures = [f.to_ndarray(format="rgb24", width=640, height=360) for f in container.decode(video=0)]
    while True:
        texture = np.asarray(pictures[int(random.integers(len(pictures)))], dtype=np.uint8)
        speed = float(random.uniform(2, 5))
        yield from moving_crop(texture, 40, HEIGHT, WIDTH, start=(20.0, 100.0), pan_px=speed)


def _scanned(path: Path, frames: list[Picture], quality: str, fps: int = FPS) -> SliceScan:
    write_video(path, frames, fps, gop=50, options={"crf": quality, "preset": "veryfast"})
    size_bytes = path.stat().st_size
    listed = ListedSource(source_id="truth", uri=str(path), name=path.name, size_bytes=size_bytes, version="1")
    source = probe_source(listed, path, ProbeConfig())
    if not isinstance(source, Source):
        raise TypeError(f"the benchmark's own video was refused: {source}")
    return scan_slice(source.slices[0], source.video, path, ScanConfig())


def _f1(found: list[bool], truth: list[bool]) -> float:
    is_found, is_true = np.array(found, bool), np.array(truth, bool)
    return float(2 * (is_found & is_true).sum() / max(1, is_found.sum() + is_true.sum()))
