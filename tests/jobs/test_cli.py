"""The command line answers: help that explains, wrong requests in one line with exit code 2."""

from pathlib import Path

import pytest
import yaml

from tests.product import reelproof


@pytest.mark.parametrize("command", ["run", "demo", "status", "report", "settings", "bench"])
def test_help_explains_every_option(command: str) -> None:
    finished = reelproof(command, "--help")
    assert finished.returncode == 0
    assert "Usage: reelproof" in finished.stdout


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["run", "--output", "{}/run"], "name its videos with --input"),
        (["run", "--input", "{}/nowhere", "--output", "{}/run"], "does not exist"),
        (["run", "--input", "{}", "--output", "{}/run"], "no video in"),
        (["run", "--input", "{}", "--output", "{}/run", "--set", "split.max=3"], "did you mean split.max_clip_s?"),
        (["run", "--input", "{}", "--output", "{}/run", "--recipe", "nope"], "no recipe 'nope'"),
        (["run", "--input", "{}", "--output", "{}/run", "--until", "scann"], "the steps are probe, scan"),
        (["status", "{}"], "holds no run"),
        (["report", "{}"], "holds no run"),
    ],
)
def test_a_wrong_request_is_one_line_and_exit_code_2(arguments: list[str], answer: str, tmp_path: Path) -> None:
    finished = reelproof(*(argument.format(tmp_path) for argument in arguments))
    assert finished.returncode == 2
    assert answer in finished.stderr
    assert finished.stderr.count("\n") == 1
    assert "Traceback" not in finished.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["run", "--input", "{}/video.mp4", "--output", "{}/video.mp4"], "name another folder"),
        (["demo", "--output", "{}/video.mp4/below"], "name another folder"),
        (["run", "--input", "{}/video.mp4", "--output", "s4://bucket/run"], "'s4://bucket/run' cannot be reached"),
        (["run", "--input", "s4://bucket", "--output", "{}/run"], "input 's4://bucket' cannot be reached"),
        (["status", "{}/video.mp4"], "is a file: name the folder of a run"),
        (["report", "{}/video.mp4"], "is a file: name the folder of a run"),
        (["agreement", "{}/video.mp4", "{}/video.mp4"], "is a file: name the folder of a run"),
        (["run", "--input", "{}/latin.txt", "--output", "{}/run"], "is not text in UTF-8"),
        (["settings", "--recipe", "{}/latin.txt"], "is not text in UTF-8"),
    ],
)
def test_a_file_that_cannot_be_what_it_is_given_as_is_told_in_one_line(
    arguments: list[str], answer: str, tmp_path: Path
) -> None:
    (tmp_path / "video.mp4").write_bytes(b"no folder")
    (tmp_path / "latin.txt").write_bytes("Vidéo.mp4\n".encode("latin-1"))
    finished = reelproof(*(argument.format(tmp_path) for argument in arguments))
    assert finished.returncode == 2
    assert answer in finished.stderr
    assert "Traceback" not in finished.stderr
    assert finished.stderr.count("\n") == 1


def test_settings_prints_a_recipe_that_reads_back(tmp_path: Path) -> None:
    printed = reelproof("settings", "--set", "split.max_clip_s=12").stdout
    assert yaml.safe_load(printed)["split"]["max_clip_s"] == 12
    recipe = tmp_path / "mine.yaml"
    recipe.write_text(printed)
    assert reelproof("settings", "--recipe", str(recipe)).stdout == printed
