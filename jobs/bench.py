"""`reelproof bench`: figures of speed and accuracy, beside peers and limits.

Here: which benchmarks there are, the table and the JSON. Not here: measuring. The benchmarks are modules of
`tests.benchmarks` and stay in the source tree, with the peers they need; they are imported only when they run.
"""

import contextlib
import importlib
import inspect
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

_MODULES = {"scan": "scan_speed.py", "truth": "*_truth.py", "annotate": "annotate_speed.py", "leakage": "leakage.py",
            "errors": "planted_errors.py"}  # fmt: skip
"""Files of each benchmark; every one has a function `measure` that returns figures."""
NAMES = tuple(_MODULES)
VIDEOS_VARIABLE = "REELPROOF_BENCH_VIDEOS"
"""Environment variable that tells benchmarks of a folder with more real videos."""

_FOLDER = Path(__file__).parents[1] / "tests" / "benchmarks"
_WIDTH = 140
"""Characters a line where nobody sees how wide the screen is."""


class BenchError(Exception):
    """A benchmark that was asked for is not there, or cannot run; one line that says why."""


@dataclass(frozen=True)
class BenchRequest:
    """What was asked for on the command line."""

    names: tuple[str, ...]
    videos: str | None = None
    data_juicer: str | None = None
    quick: bool = False
    as_json: bool = False
    write_results: bool = False


def run_benchmarks(request: BenchRequest) -> bool:
    """Measure, and print what came of it. True where every target holds. Raises BenchError."""
    names = _known(request)
    told = Console(stderr=True)
    figures: list[Any] = []
    for name in names:
        found = list(
            _measured(name, request, lambda line: told.print(line, highlight=False, markup=False, soft_wrap=True))
        )
        if request.write_results:
            _module("results").write_results(name, found)
        figures += found
    if request.as_json:
        sys.stdout.write(json.dumps([asdict(figure) for figure in figures], indent=2, ensure_ascii=False) + "\n")
    else:
        print_table(figures, Console(width=None if sys.stdout.isatty() else _WIDTH))
    return all(figure.holds is not False for figure in figures)


def _known(request: BenchRequest) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(request.names)) or NAMES
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise BenchError(f"no benchmark {unknown[0]!r}: there are {', '.join(NAMES)}")
    if not _FOLDER.is_dir():
        raise BenchError("benchmarks are not part of the installed package: run this in a checkout of the source")
    if request.quick and request.write_results:
        raise BenchError("--quick makes no figures worth keeping: leave out --write-results")
    if request.videos is not None and not Path(request.videos).is_dir():
        raise BenchError(f"--videos {request.videos!r} is no folder")
    if request.data_juicer is not None and shutil.which(request.data_juicer) is None:
        raise BenchError(f"--data-juicer {request.data_juicer!r} is no Python that can be started")
    return names


def _measured(name: str, request: BenchRequest, say: Callable[[str], None]) -> Iterator[Any]:
    """The figures of one benchmark; what its modules print goes to standard error, like progress."""
    if request.videos is not None:
        os.environ[VIDEOS_VARIABLE] = str(Path(request.videos).absolute())
    for path in benchmark_files(name):
        say(f"{name}: {path.stem}")
        measure = _module(path.stem).measure
        wishes = {"say": say, "quick": request.quick, "data_juicer": request.data_juicer}
        asked = {key: value for key, value in wishes.items() if key in inspect.signature(measure).parameters}
        try:
            with contextlib.redirect_stdout(sys.stderr):
                found = measure(**asked)
        except (FileNotFoundError, ImportError) as error:
            raise BenchError(str(error)) from error
        yield from found


def benchmark_files(name: str) -> list[Path]:
    """The modules of a benchmark, in the order in which they run; tests of them are named alike."""
    return [path for path in sorted(_FOLDER.glob(_MODULES[name])) if not path.name.startswith("test_")]


def _module(name: str) -> ModuleType:
    try:
        return importlib.import_module(f"tests.benchmarks.{name}")
    except ImportError as error:
        raise BenchError(
            f"benchmark {name} cannot be loaded ({error}): install the extras `models` and `test`"
        ) from error


def print_table(figures: Sequence[Any], console: Console) -> None:
    """Print figures with their targets, peers and limits, and how many targets hold."""
    words = _module("figures")
    table = Table(
        Column("figure", ratio=5, overflow="fold"), Column("value", justify="right", no_wrap=True),
        Column("target", justify="right", no_wrap=True), "", Column("peers", ratio=3, overflow="fold"),
        Column("limit", justify="right", no_wrap=True), expand=True, box=None, padding=(0, 2, 1, 0),
    )  # fmt: skip
    for figure in figures:
        name = Text(figure.name)
        if figure.note:
            name.append(f"\n{figure.note}", style="dim")
        mark = {None: Text(""), True: Text("✓", style="green"), False: Text("✗", style="bold red")}[figure.holds]
        peers = "\n".join(f"{peer} {words.spell(value)}" for peer, value in figure.peer.items())
        limit = "" if figure.limit is None else words.spell(figure.limit)
        value = f"{words.spell(figure.value)} {figure.unit}".rstrip()
        table.add_row(name, value, words.spell_target(figure), mark, Text(peers), limit)
    console.print(table)
    judged = [figure for figure in figures if figure.holds is not None]
    console.print(f"{sum(figure.holds for figure in judged)} of {len(judged)} targets hold", highlight=False)
