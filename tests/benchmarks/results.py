"""RESULTS.md: what was measured, on which kind of machine, and when.

Here: one section for each benchmark and kind of machine; measuring again replaces its own section and leaves the
others, and what people wrote beside them, as they are. Not here: measuring, or the table on a terminal (`jobs.bench`).
"""

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.benchmarks.figures import Figure, spell, spell_target
from tests.benchmarks.machine import machine_kind, versions

RESULTS = Path(__file__).parent / "RESULTS.md"
_HEAD = """# Results

Figures of `reelproof bench`, written by `reelproof bench --write-results`. Peers run in the same minutes, on the same
inputs and the same cores; what the figures mean is in their notes.
"""
_COLUMNS = ("figure", "value", "target", "holds", "peers", "limit", "note")


def write_results(benchmark: str, figures: Sequence[Figure], path: Path = RESULTS) -> None:
    """Put one benchmark's figures in the place of those that this kind of machine had before."""
    text = path.read_text(encoding="utf-8") if path.exists() else _HEAD
    head, *sections = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    title = f"## {benchmark}: {machine_kind()}"
    new = f"{title}\n\n{dt.datetime.now(dt.UTC):%Y-%m-%d}. {versions()}.\n\n{_table(figures)}\n"
    kept = [new if section.splitlines()[0] == title else section.rstrip() + "\n" for section in sections]
    path.write_text("\n".join([head.rstrip() + "\n", *kept, *([] if new in kept else [new])]), encoding="utf-8")


def _table(figures: Iterable[Figure]) -> str:
    lines = [_row(_COLUMNS), _row("---" for _ in _COLUMNS)]
    for figure in figures:
        peers = ", ".join(f"{name} {spell(value)}" for name, value in figure.peer.items())
        holds = {None: "", True: "yes", False: "**no**"}[figure.holds]
        limit = "" if figure.limit is None else spell(figure.limit)
        value = f"{spell(figure.value)} {figure.unit}".rstrip()
        lines.append(_row((figure.name, value, spell_target(figure), holds, peers, limit, figure.note)))
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
