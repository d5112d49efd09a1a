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


def test_settings_prints_a_recipe_that_reads_back(tmp_path: Path) -> None:
    printed = reelproof("settings", "--set", "split.max_clip_s=12").stdout
    assert yaml.safe_load(printed)["split"]["max_clip_s"] == 12
    recipe = tmp_path / "mine.yaml"
    recipe.write_text(printed)
    assert reelproof("settings", "--recipe", str(recipe)).stdout == printed
