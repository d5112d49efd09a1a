"""`reelproof run`: from a request to a filled grid.

Here: putting listing, grid, runner and progress together. Not here: options (`jobs.cli`) and steps (`pipeline.plan`).
"""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from annotators.endpoint.budget import Ledger, Limits, Tally
from annotators.endpoint.replies import Replies
from jobs.dry_run import print_forecast
from jobs.progress import show_progress
from jobs.status import print_outcome
from pipeline import run_file
from pipeline.grid import GridError, Run, Watcher, up_to
from pipeline.listing import find_sources, update_listing
from pipeline.local import run_local
from pipeline.plan import LAST_STEP_BEFORE_ASKING, steps_of
from pipeline.settings import load_config
from pipeline.store import Store
from pipeline.summary import summarize
from schemas.summary import RunSummary

_WIDTH = 100
"""Characters a line where nobody sees how wide the screen is."""


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line."""

    inputs: tuple[str, ...]
    output: str
    recipe: str = "default"
    settings: tuple[str, ...] = ()
    runner: str = "ray"
    until: str | None = None
    retry_failures: bool = False
    quiet: bool = False
    limits: Limits = field(default_factory=Limits)
    """How much asking models may cost, earlier runs of the folder included."""
    dry_run: bool = False
    """Measure, and tell what asking would take, without asking."""


@dataclass(frozen=True)
class Filled:
    """What came of filling the grid."""

    run: Run
    summary: RunSummary

    @property
    def has_failed(self) -> bool:
        """Whether units failed."""
        return any(step.failures for step in self.summary.steps)


def run_request(request: Request) -> bool:
    """Fill the grid as asked, and print what came of it. True where units failed. Raises what `fill_grid` raises."""
    filled = fill_grid(request)
    if request.dry_run:
        print_forecast(filled.run, Console(width=None if sys.stdout.isatty() else _WIDTH))
        return False
    print_outcome(filled.run, filled.summary)
    return filled.has_failed


def fill_grid(request: Request) -> Filled:
    """Fill the grid as asked.

    Raises GridError, ListingError, SettingsError, StoreInUseError or EndpointUnusableError where the request itself is
    wrong, and BudgetReachedError where asking went as far as it may; what was done stays.
    """
    run, inputs, recipe = _open(request)
    up_to(run.steps, request.until)
    found = find_sources(inputs)
    with run.store.locked(), show_progress(quiet=request.quiet) as watch:
        run.store.remove_leftovers()
        missing = update_listing(run.store, found.sources, run.config.grid.page_size)
        if missing:
            watch.says(f"{missing} videos of earlier runs are not among the inputs now; they stay in the data set")
        if found.skipped:
            skipped = ", ".join(f"{count} {suffix}" for suffix, count in found.skipped.most_common(5))
            watch.says(f"passed over files without a video's ending: {skipped}")
        file = run_file.begin(run, inputs, recipe, dict(found.skipped))
        _fill(run, request, watch)
        run_file.end(run, file)
    filled = run.snapshot()
    return Filled(filled, summarize(filled))


def _open(request: Request) -> tuple[Run, tuple[str, ...], str]:
    store = Store(request.output)
    if request.inputs:
        inputs, recipe = tuple(_absolute(text) for text in request.inputs), request.recipe
        config = load_config(recipe, request.settings)
    else:
        if not store.exists(run_file.NAME):
            raise GridError(f"{request.output!r} holds no run to go on with: name its videos with --input")
        before = run_file.load(store)
        inputs, recipe = before.inputs, before.recipe
        config = load_config(recipe, request.settings, base=before.config)
    budget = None
    if config.asking():
        earlier = sum(Replies(store).tallies().values(), Tally())
        budget = Ledger(request.limits, earlier)
    run = Run(store=store, config=config, steps=steps_of(config), retry_failures=request.retry_failures, budget=budget)
    return run, inputs, recipe


def _absolute(text: str) -> str:
    return text if "://" in text else str(Path(text).expanduser().absolute())


def _fill(run: Run, request: Request, watch: Watcher) -> None:
    until = LAST_STEP_BEFORE_ASKING if request.dry_run else request.until
    if request.runner == "local":
        run_local(run, until, watch)
        return
    # Read when Ray is loaded. A leg of many steps has more workers than Ray expects on few cores: they share the cores.
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", "worker processes have been started on node")
    from pipeline.ray_runner import run_ray  # Ray takes seconds to load

    run_ray(run, until, watch)
