"""No file grows with the number of frames or clips one by one: a thousand videos leave cells and shards."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.corpus import textured_frame, write_video
from tests.product import assert_accounted_for, reelproof, results

N_VIDEOS = 1000


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_thousand_videos_leave_a_few_files(tmp_path: Path) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    kinds = []
    for seed in range(4):
        frames = [np.roll(textured_frame(seed, 48, 64), index, axis=1) for index in range(21)]
        kinds.append(write_video(tmp_path / f"kind-{seed}.mp4", frames, fps=10))
    for number in range(N_VIDEOS):
        shutil.copy(kinds[number % len(kinds)], videos / f"video-{number:04d}.mp4")
    output = tmp_path / "run"
    finished = reelproof(
        "run",
        "--input",
        str(videos),
        "--output",
        str(output),
        "--set",
        "describe.text=none",
        "--set",
        "scan.motion_rate_hz=1",
        timeout_s=560,
    )
    assert finished.returncode == 0, finished.stderr
    assert len(results(output, "package")) == N_VIDEOS
    assert_accounted_for(output)
    files = [path for path in output.rglob("*") if path.is_file()]
    assert len(files) < 120, len(files)
