"""Run again, and only what is missing or stale is computed; killed at any moment, the end is the same."""

import json
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from tests.corpus import textured_frame, write_video
from tests.product import cells, reelproof, results, rows, start, status, written_at


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six short videos, each of two shots."""
    folder = tmp_path_factory.mktemp("videos")
    for number in range(6):
        write(folder, number)
    return folder


def write(folder: Path, number: int) -> None:
    frames = [
        np.roll(textured_frame(2 * number + shot, 108, 192), 2 * index, axis=1)
        for shot in range(2)
        for index in range(60)
    ]
    write_video(folder / f"video-{number}.mp4", frames, fps=25)


def arguments(videos: Path, output: Path) -> list[str]:
    """A run of several parts in which every shot is a clip and all of them train."""
    settings = (
        "grid.max_slices_per_part=2", "split.stitch_min_similarity=2",
        "plan.validation_fraction=0", "plan.test_fraction=0",
    )  # fmt: skip
    return ["run", "--input", str(videos), "--output", str(output), *(word for s in settings for word in ("--set", s))]


def run(videos: Path, output: Path, *more: str) -> subprocess.CompletedProcess[str]:
    finished = reelproof(*arguments(videos, output), *more)
    assert finished.returncode == 0, finished.stderr
    return finished


@pytest.fixture(scope="module")
def finished(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nobody disturbed, by the local runner."""
    output = tmp_path_factory.mktemp("undisturbed") / "run"
    run(videos, output, "--runner", "local")
    return output


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished run that a test may go on with."""
    shutil.copytree(finished, tmp_path / "run")
    return tmp_path / "run"


def test_ray_leaves_the_same_tables_and_shards_as_the_local_loop(videos: Path, finished: Path, tmp_path: Path) -> None:
    run(videos, tmp_path / "run", "--runner", "ray")
    assert_same(tmp_path / "run", finished)


def assert_same(one: Path, other: Path) -> None:
    mine, theirs = cells(one), cells(other)
    assert mine.keys() == theirs.keys()
    for path, table in theirs.items():
        assert mine[path] == table, path
    shards = sorted(path.name for path in other.glob("shards/*"))
    assert sorted(path.name for path in one.glob("shards/*")) == shards
    for name in shards:
        assert (one / "shards" / name).read_bytes() == (other / "shards" / name).read_bytes(), name
    assert [path for path in one.rglob("*") if path.name.startswith(".writing-")] == []


@pytest.mark.parametrize("runner", ["local", "ray"])
def test_a_second_run_computes_no_cell(videos: Path, copy: Path, runner: str) -> None:
    before = written_at(copy)
    run(videos, copy, "--runner", runner)
    assert written_at(copy) == before


def test_a_run_goes_on_without_naming_its_videos_again(copy: Path) -> None:
    before = written_at(copy)
    assert reelproof("run", "--output", str(copy), "--runner", "local").returncode == 0
    assert written_at(copy) == before


def test_a_changed_split_decodes_nothing_again(videos: Path, copy: Path) -> None:
    before = written_at(copy)
    run(videos, copy, "--runner", "local", "--set", "split.max_clip_s=2.2")
    after = written_at(copy)
    changed = {path.split("/")[1] for path in after if after[path] != before.get(path)}
    assert "split" in changed
    assert changed.isdisjoint({"listing", "probe", "parts", "scan"})
    assert max(clip["clip"]["n_frames"] for clip in results(copy, "describe")) <= 55


def test_added_videos_leave_earlier_cells_alone(videos: Path, copy: Path, tmp_path: Path) -> None:
    more = tmp_path / "more"
    more.mkdir()
    write(more, 7)
    before = written_at(copy)
    run(videos, copy, "--runner", "local", "--input", str(more))
    after = written_at(copy)
    costly = ("probe", "parts", "scan", "split", "describe", "annotate.measured", "verify.evidence")
    old = [path for path in before if path.split("/")[1] in costly]
    assert {path: after[path] for path in old} == {path: before[path] for path in old}
    assert status(copy)["sources"] == 7
    assert len(results(copy, "package")) == 14


def test_a_replaced_video_replaces_its_labels(videos: Path, tmp_path: Path) -> None:
    own = tmp_path / "videos"
    shutil.copytree(videos, own)
    run(own, tmp_path / "run", "--runner", "local")
    frames = [np.roll(textured_frame(99, 108, 192), 2 * index, axis=1) for index in range(75)]
    write_video(own / "video-3.mp4", frames, fps=25)
    run(own, tmp_path / "run", "--runner", "local")
    packaged = [
        sample["n_frames"] for sample in results(tmp_path / "run", "package") if "3.mp4" in sample["source_name"]
    ]
    assert packaged == [75]
    assert len(results(tmp_path / "run", "package")) == 11
    assert status(tmp_path / "run")["cells"]["stale"] == 0


def test_a_deleted_shard_is_packed_again(videos: Path, copy: Path) -> None:
    (tar,) = copy.glob("shards/train-*.tar")
    content = tar.read_bytes()
    tar.unlink()
    assert status(copy)["cells"]["stale"] >= 1
    run(videos, copy, "--runner", "local")
    assert tar.read_bytes() == content


def test_shards_that_the_plan_no_longer_has_are_removed(videos: Path, copy: Path) -> None:
    run(videos, copy, "--runner", "local", "--set", "plan.max_samples_per_shard=5")
    assert len(list(copy.glob("shards/train-*.tar"))) > 1
    run(videos, copy, "--runner", "local")
    assert [path.name for path in copy.glob("shards/*.tar")] == ["train-000000.tar"]
    assert status(copy)["cells"]["stale"] == 0


def test_failed_videos_are_tried_again_only_when_asked(videos: Path, tmp_path: Path) -> None:
    own = tmp_path / "videos"
    shutil.copytree(videos, own)
    times = (own / "video-0.mp4").stat()
    good = (own / "video-0.mp4").read_bytes()
    # As long as the good one, so that storage tells them apart by nothing: a network share that had a bad moment.
    (own / "video-0.mp4").write_bytes(bytes(len(good)))
    os.utime(own / "video-0.mp4", ns=(times.st_atime_ns, times.st_mtime_ns))
    output = tmp_path / "run"
    command = (*arguments(own, output), "--runner", "local")
    assert reelproof(*command).returncode == 1
    (own / "video-0.mp4").write_bytes(good)
    os.utime(own / "video-0.mp4", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert reelproof(*command).returncode == 1
    assert reelproof(*command, "--retry-failures").returncode == 0
    assert [row["outcome"] for row in rows(output, "probe")] == ["result"] * 6
    assert len(results(output, "package")) == 12


@pytest.mark.slow
@pytest.mark.parametrize("runner", ["local", "ray"])
def test_killed_at_ten_random_moments_the_end_is_the_same(
    runner: str, videos: Path, finished: Path, tmp_path: Path
) -> None:
    output, moments = tmp_path / "run", random.Random(7)  # noqa: S311 - moments, no secrets
    longest_s = 12.0 if runner == "local" else 15.0
    for _ in range(10):
        process = start(*arguments(videos, output), "--runner", runner)
        time.sleep(moments.uniform(0.5, longest_s))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    run(videos, output, "--runner", runner)
    assert_same(output, finished)
    assert json.loads((output / "run.json").read_text())["ended_at"]


def test_an_interrupt_says_how_to_go_on(videos: Path, tmp_path: Path) -> None:
    process = start(*arguments(videos, tmp_path / "run"), "--runner", "local")
    deadline = time.monotonic() + 60
    while not list((tmp_path / "run").glob("tables/probe/*.parquet")) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "run the same command again" in errors
    assert "Traceback" not in errors
