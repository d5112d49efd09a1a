"""What the README tells a newcomer works as it stands: its three files are taken from it, word for word."""

import re
import shutil
import sys
from pathlib import Path

import pyarrow.parquet as pq

from tests.product import ROOT, reelproof

PACKAGES = ("schemas", "stages", "annotators", "pipeline", "jobs", "data_cards")


def blocks() -> list[str]:
    """The Python blocks of the section on adding a step."""
    section = (ROOT / "README.md").read_text().split("## Add a step")[1].split("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL)


def test_a_step_takes_the_three_files_that_the_readme_shows(tmp_path: Path) -> None:
    stage, row, test = blocks()
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests", tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "stages/flicker.py").write_text(stage)
    (tmp_path / "tests/stages/test_flicker.py").write_text(test)
    plan = (tmp_path / "pipeline/plan.py").read_text()
    before_dedup = '    Step(\n        name="dedup"'
    assert plan.count(before_dedup) == 1
    plan = plan.replace(before_dedup, row + before_dedup).replace(
        'reads=("describe", ALL_JUDGED),\n        value=PackagedSample',
        'reads=("describe", ALL_JUDGED, "flicker"),\n        value=PackagedSample',
    )
    (tmp_path / "pipeline/plan.py").write_text("from stages import flicker\n" + plan)

    import subprocess

    passed = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/stages/test_flicker.py"],
        cwd=tmp_path, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert passed.returncode == 0, passed.stdout
    output = tmp_path / "run"
    bunny = str(ROOT / "jobs/samples/bunny.mp4")
    finished = reelproof("run", "--input", bunny, "--output", str(output), "--runner", "local", cwd=tmp_path)
    assert finished.returncode == 0, finished.stderr
    (found,) = pq.read_table(next(output.glob("tables/flicker/*.parquet"))).to_pylist()
    assert 0 < found["result"]["luma_change"] < 1
    assert "flicker" in finished.stdout
    assert b'"figures": {"flicker": {"clip_id"' in next(output.glob("shards/*.tar")).read_bytes()
