"""Progress that a person can follow, and nothing where nobody looks.

Here: one bar a step on a terminal; silence in a pipe, but for what `says` reports on standard error.
"""

import contextlib
import sys
import time
from collections import deque
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from annotators.endpoint.budget import Snapshot
from pipeline.grid import Step, Watcher
from schemas.cell import CellInfo

_RATE_SNAPSHOTS = 20
"""About ten seconds: rates that neither jump nor lag. Ours."""


@contextlib.contextmanager
def show_progress(*, quiet: bool) -> Iterator[Watcher]:
    """A watcher that shows the run on standard error while the block lasts."""
    console = Console(stderr=True)
    if quiet or not sys.stderr.isatty():
        yield _Notes(console, quiet=quiet)
        return
    columns = (
        TextColumn("{task.description:<18}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TextColumn("{task.fields[told]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        yield _Bars(progress)


class _Notes(Watcher):
    """Only what a person should know."""

    def __init__(self, console: Console, *, quiet: bool) -> None:
        self._console, self._quiet = console, quiet

    def says(self, line: str) -> None:
        if not self._quiet:
            self._console.print(line, highlight=False, markup=False, soft_wrap=True)


class _Bars(Watcher):
    """One bar a step: cells done, units and failures so far."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}
        self._units: dict[str, tuple[str, int, int]] = {}
        self._asked: TaskID | None = None
        self._rates = _Rates()

    def starts(self, step: Step, n_rows: int) -> None:
        self._units[step.name] = (step.unit, 0, 0)
        self._tasks[step.name] = self._progress.add_task(step.name, total=n_rows, told="")

    def done(self, step: str, row: int, info: CellInfo) -> None:  # noqa: ARG002 - the watcher's interface
        unit, units, failures = self._units[step]
        units, failures = units + info.units, failures + info.failures
        self._units[step] = (unit, units, failures)
        told = f"{units} {unit}{'' if units == 1 else 's'}" + (f", {failures} failed" if failures else "")
        self._progress.update(self._tasks[step], advance=1, told=told)

    def asked(self, snapshot: Snapshot) -> None:
        if self._asked is None:
            self._asked = self._progress.add_task("asked", total=None, told="")
        self._progress.update(self._asked, told=self._rates.line(snapshot) + self._projected(snapshot))

    def _projected(self, snapshot: Snapshot) -> str:
        """What asking will come to, if the cells that are left cost what the done ones did; nothing before any is."""
        total_usd = snapshot.earlier.cost_usd
        for name, tally in snapshot.by_annotator.items():
            # Annotators are known by their own name, judges by that of their step.
            task = self._progress.tasks[self._tasks[name if "." in name else f"annotate.{name}"]]
            if not task.completed or not task.total:
                return ""
            total_usd += tally.cost_usd * task.total / task.completed
        return f", ${total_usd:.4f} projected" if snapshot.total.cost_usd else ""

    def says(self, line: str) -> None:
        self._progress.console.print(line, highlight=False, markup=False)


class _Rates:
    """Requests and tokens a second, over the last so many snapshots."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int, int]] = deque(maxlen=_RATE_SNAPSHOTS)

    def line(self, snapshot: Snapshot) -> str:
        """The live panel: rates, requests in flight, cost so far."""
        total = snapshot.total
        self._seen.append((time.monotonic(), total.requests, total.tokens))
        (start, requests, tokens), (end, *_) = self._seen[0], self._seen[-1]
        seconds = max(end - start, 1e-6)
        told = [f"{total.requests:,} replies", f"{total.kept:,} kept", f"{total.in_flight} in flight"]
        if end > start:
            told.append(f"{(total.requests - requests) / seconds:.1f}/s")
            told.append(f"{(total.tokens - tokens) / seconds:,.0f} tokens/s")
        told += [f"{total.failed:,} failed"] if total.failed else []
        return ", ".join([*told, f"${total.cost_usd + snapshot.earlier.cost_usd:.4f}"])
