"""`reelproof bench`: figures that a person and a program can read, and an exit code that says whether targets hold."""

import importlib
import io
import json
import math
import sys
from pathlib import Path

import pytest
from rich.console import Console

from jobs.bench import NAMES, benchmark_files, print_table
from tests.benchmarks.figures import Figure, at_least, at_most
from tests.benchmarks.results import RESULTS
from tests.product import ROOT, reelproof

PACKAGES = ("schemas", "stages", "annotators", "data_cards", "pipeline", "jobs")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_scan_benchmark_runs_and_its_exit_code_follows_its_figures() -> None:
    before = RESULTS.read_bytes() if RESULTS.exists() else None
    finished = reelproof("bench", "scan", "--quick", "--json", timeout_s=840)
    figures = json.loads(finished.stdout)
    assert finished.returncode == (1 if any(figure["holds"] is False for figure in figures) else 0), finished.stderr
    names = [figure["name"] for figure in figures]
    assert len(set(names)) == len(names)
    assert all(math.isfinite(figure["value"]) and figure["value"] > 0 for figure in figures)
    wanted = ("whole scan over bare decode", "PySceneDetect", "frames scanned a second", "peak memory", "scoring alone")
    assert [start for start in wanted if not any(name.startswith(start) for name in names)] == []
    first = figures[0]
    assert first["limit"] == 1
    assert {"PySceneDetect adaptive", "ffmpeg decode + JPEG"} <= set(first["peer"])
    assert "round 1: whole scan" in finished.stderr
    assert (RESULTS.read_bytes() if RESULTS.exists() else None) == before


def test_the_table_shows_targets_peers_limits_and_what_does_not_hold() -> None:
    figures = [
        at_most(
            "time over decode", 1.08, "times", 1.15, peer={"PySceneDetect": 2.2}, limit=1.0, note="in three rounds"
        ),
        at_least("share found", 0.973, "", 0.98),
        Figure("frames", 21_340.4, "frames/s"),
    ]
    shown = io.StringIO()
    print_table(figures, Console(file=shown, width=140))
    lines = {line.split("  ")[0]: " ".join(line.split()) for line in shown.getvalue().splitlines()}
    assert lines["time over decode"] == "time over decode 1.08 times ≤ 1.15 ✓ PySceneDetect 2.2 1"
    assert "in three rounds" in lines
    assert lines["share found"] == "share found 0.973 ≥ 0.98 ✗"
    assert lines["frames"] == "frames 21,340 frames/s"
    assert "1 of 2 targets hold" in lines


def test_help_explains_every_option() -> None:
    finished = reelproof("bench", "--help")
    assert finished.returncode == 0
    assert "Usage: reelproof bench" in finished.stdout
    options = ("--videos", "--data-juicer", "--quick", "--json", "--write-results")
    assert [option for option in options if option not in finished.stdout] == []


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["scann"], "no benchmark 'scann': there are scan, truth, annotate, leakage, errors"),
        (["scan", "--videos", "{}/nowhere"], "is no folder"),
        (["scan", "--videos", "{}"], "no video in"),
        (["scan", "--data-juicer", "{}/python"], "is no Python that can be started"),
        (["scan", "--quick", "--write-results"], "leave out --write-results"),
    ],
)
def test_a_wrong_request_is_one_line_and_exit_code_2(arguments: list[str], answer: str, tmp_path: Path) -> None:
    finished = reelproof("bench", *(argument.format(tmp_path) for argument in arguments))
    assert finished.returncode == 2
    assert answer in finished.stderr.splitlines()[-1]
    assert finished.stdout == ""
    assert "Traceback" not in finished.stderr


@pytest.mark.slow
def test_a_python_without_data_juicer_is_one_line_and_exit_code_2() -> None:
    finished = reelproof("bench", "scan", "--quick", "--data-juicer", sys.executable)
    assert finished.returncode == 2
    assert "No module named 'data_juicer'" in finished.stderr.splitlines()[-1]
    assert "Traceback" not in finished.stderr


def test_an_installed_package_says_that_benchmarks_need_the_source(tmp_path: Path) -> None:
    for package in PACKAGES:
        (tmp_path / package).symlink_to(ROOT / package)
    finished = reelproof("bench", "scan", cwd=tmp_path)
    assert finished.returncode == 2
    assert finished.stderr == (
        "reelproof: benchmarks are not part of the installed package: run this in a checkout of the source\n"
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_module_of_a_benchmark_measures(name: str) -> None:
    modules = [importlib.import_module(f"tests.benchmarks.{path.stem}") for path in benchmark_files(name)]
    assert modules
    assert all(callable(module.measure) for module in modules)
