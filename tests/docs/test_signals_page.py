"""The page on signals names every number that the scan leaves, and everything it points to is there."""

import re
from pathlib import Path
from typing import get_args

import pytest

from schemas.base import Record
from schemas.config import RunConfig
from schemas.media import Transition, TransitionKind
from schemas.signals import CameraTerm, FrameSignals, MotionSignals, SampleSignals, SliceScan
from stages.keyframes.strategies import STRATEGIES

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "signals.md"
MAX_PICTURE_BYTES = 300_000


def section(title: str) -> str:
    """The text under a heading of the page."""
    (found,) = re.findall(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.mark.parametrize(
    ("title", "record"),
    [
        ("Frame signals", FrameSignals),
        ("Sample signals", SampleSignals),
        ("Motion signals", MotionSignals),
        ("Transitions", Transition),
    ],
)
def test_every_signal_is_defined_in_its_own_row(title: str, record: type[Record]) -> None:
    first_cells = "\n".join(line.split("|")[1] for line in section(title).splitlines() if line.startswith("|"))
    assert set(re.findall(r"`(\w+)`", first_cells)) == set(record.model_fields)


@pytest.mark.parametrize(
    ("title", "names"),
    [
        ("Transitions", get_args(TransitionKind)),
        ("Camera terms", get_args(CameraTerm)),
        ("Keyframes", tuple(STRATEGIES)),
        ("Speech", tuple(name for name in SliceScan.model_fields if name.startswith("speech"))),
    ],
)
def test_every_kind_term_and_strategy_is_explained(title: str, names: tuple[str, ...]) -> None:
    assert [name for name in names if f"`{name}`" not in section(title)] == []


def test_every_setting_that_is_named_exists_and_has_the_value_told() -> None:
    told = re.findall(r"`(scan|describe)\.(\w+)`(?: \(([\d.]+)[^)]*\))?", PAGE.read_text())
    assert len(told) > 10
    for part, name, value in told:
        setting = getattr(getattr(RunConfig(), part), name)
        assert value in ("", f"{setting:g}" if isinstance(setting, int | float) else setting), f"{part}.{name}"


def test_every_file_that_is_named_exists() -> None:
    text = PAGE.read_text()
    named = {PAGE.parent / link for link in re.findall(r"\]\(([^)#]+)\)", text)}
    named |= {ROOT / path for path in re.findall(r"`(stages/\w+\.py)`", text)}
    assert [str(path) for path in sorted(named) if not path.exists()] == []


def test_the_picture_is_light_enough_for_a_page() -> None:
    assert 20_000 < (PAGE.parent / "signals.png").stat().st_size < MAX_PICTURE_BYTES
