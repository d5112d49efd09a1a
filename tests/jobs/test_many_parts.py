"""A run of several parts over Ray asks within one budget, whichever worker asks and in whichever leg."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.answerer import sound_answer
from tests.corpus import textured_frame, write_video
from tests.endpoint import Plan, Server, endpoint
from tests.product import assert_accounted_for, reelproof, status

SETTINGS = (
    "--set", "describe.text=none", "--set", "annotate.sv6d.enabled=true", "--set", "verify.veracity.enabled=true",
    "--set", "annotate.sv6d.max_tokens=400", "--model", "writer", "--judge-model", "judge",
)  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with endpoint(Plan(answer=sound_answer)) as found:
        yield found


def fill(run: Path, base_url: str, runner: str, *more: str) -> subprocess.CompletedProcess[str]:
    arguments = ("--input", str(run.parent / "videos"), "--output", str(run), "--runner", runner)
    return reelproof("run", *arguments, *SETTINGS, "--base-url", base_url, *more)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory, server: Server) -> Path:
    """A run over three videos, and so of three parts, measured up to where asking begins."""
    folder = tmp_path_factory.mktemp("parts")
    (folder / "videos").mkdir()
    for number in range(3):
        frames = [np.roll(textured_frame(number, 108, 192), 2 * index, axis=1) for index in range(75)]
        write_video(folder / "videos" / f"video-{number}.mp4", frames, fps=25)
    finished = fill(folder / "measured", server.base_url, "local", "--until", "dedup")
    assert finished.returncode == 0, finished.stderr
    assert len(list(folder.glob("measured/tables/parts/*"))) == 3
    return folder / "measured"


def begun(measured: Path, name: str) -> Path:
    return Path(shutil.copytree(measured, measured.parent / name))


def tokens_by_step(run: Path) -> dict[str, int]:
    return {one["annotator"]: one["input_tokens"] + one["output_tokens"] for one in status(run)["asked"]}


def test_no_leg_spends_what_another_has_spent_already(measured: Path, server: Server) -> None:
    whole, run = begun(measured, "whole"), begun(measured, "run")
    assert fill(whole, server.base_url, "local").returncode == 0
    tokens = tokens_by_step(whole)
    # Annotators and judges ask in two legs: what is enough for each of them alone is not enough for both.
    limit = tokens["sv6d"] + tokens["verify.veracity"] - 1
    stopped = fill(run, server.base_url, "ray", "--max-tokens", str(limit))
    assert stopped.returncode == 3, stopped.stdout + stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert stopped.stderr.strip().splitlines()[-1].startswith("reelproof: budget reached: ")
    assert tokens["sv6d"] <= sum(tokens_by_step(run).values()) <= limit
    assert fill(run, server.base_url, "local").returncode == 0
    assert tokens_by_step(run) == tokens
    assert_accounted_for(run)


def test_an_endpoint_that_cannot_be_asked_is_told_in_one_line(measured: Path) -> None:
    finished = fill(begun(measured, "nobody"), "http://127.0.0.1:1/v1", "ray")
    assert finished.returncode == 2, finished.stdout + finished.stderr
    assert "Traceback" not in finished.stderr
    assert finished.stderr.strip().splitlines()[-1].startswith("reelproof: endpoint default: no connection")
