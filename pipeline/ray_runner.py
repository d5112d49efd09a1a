"""The Ray runner: the same cells as the local one, computed by actors through one Ray Data plan a leg.

Here: legs, resources and the adapter around `StepWorker`. Tokens (row numbers) travel through Ray; the store holds the
data. Not here: anything about what a cell holds.
"""

import contextlib
import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import ray
from ray.data import ActorPoolStrategy, DataContext, Dataset
from ray.exceptions import RayError

from annotators.endpoint.budget import Ledger
from annotators.endpoint.chat import BudgetReachedError, EndpointUnusableError
from pipeline.attempt import WorkerStartError, detach_from_terminal
from pipeline.grid import ASKED_EVERY_S, GridError, Run, Step, StepWorker, Watcher, finished, repeating, up_to
from pipeline.quiet import native_stderr_closed
from pipeline.shared_budget import SharedBudget
from pipeline.store import Store
from schemas.cell import CellInfo
from schemas.config import RunConfig

_OBJECT_STORE_BYTES = 200 * 2**20
"""Enough for tokens; nothing else is put there."""

_RELAY_EVERY_S = 0.3

MOST_ASKING = 2
"""Workers of a step that asks a model: each has many requests under way, and while one ends a cell the other has begun
the next. Ours."""


@dataclass(frozen=True)
class RunSpec:
    """What an actor needs to join a run."""

    uri: str
    config: RunConfig
    retry_failures: bool
    budget: SharedBudget | None = None

    def open(self) -> Run:
        """The run, with a store of this process's own."""
        from pipeline.plan import steps_of  # an actor imports the stages only when it starts

        return Run(
            store=Store(self.uri),
            config=self.config,
            steps=steps_of(self.config),
            retry_failures=self.retry_failures,
            budget=self.budget,
        )


class Tally:
    """Collects what was done, for the driver to show, and what ended the run."""

    def __init__(self) -> None:
        self._cells: list[tuple[str, int, CellInfo]] = []
        self._end: Exception | None = None

    def add(self, step: str, row: int, info: CellInfo) -> None:
        """A cell is done."""
        self._cells.append((step, row, info))

    def take(self) -> list[tuple[str, int, CellInfo]]:
        """The cells done since the last call."""
        cells, self._cells = self._cells, []
        return cells

    def end(self, error: Exception) -> None:
        """The run has to end with this; the first one counts."""
        self._end = self._end or error

    def ended_by(self) -> Exception | None:
        """What the run has to end with."""
        return self._end


class CellActor:
    """Computes one step's cells in a Ray actor."""

    def __init__(self, spec: RunSpec, step: str, tally: Any) -> None:
        detach_from_terminal()
        run = spec.open()
        self._worker = StepWorker(run, run.step(step))
        self._step, self._tally = step, tally

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Make sure that the cells of a batch of rows are done, and hand the rows on."""
        for row in batch["row"]:
            try:
                info = self._worker.ensure(int(row))
            except _ENDS_THE_RUN as error:
                # Ray Data raises an error of its own in place of ours.
                ray.get(self._tally.end.remote(error))
                raise
            self._tally.add.remote(self._step, int(row), info)
        return batch


def legs(steps: Iterable[Step]) -> list[list[Step]]:
    """Consecutive steps over the same axis, cut where a step must see the whole corpus."""
    found: list[list[Step]] = []
    for step in steps:
        last = found[-1][-1] if found else None
        if last and last.axis == step.axis and last.after is None and not step.needs_whole_corpus:
            found[-1].append(step)
        else:
            found.append([step])
    return found


def shares(steps: list[Step], cluster_cpus: float) -> dict[str, float]:
    """Cores to ask for per worker of each step.

    What the plan says, where the cluster has room for two workers of every step in the leg. Otherwise so little that as
    many workers of every step fit as there are cores: they share the cores, and no core waits for another step.
    """
    wanted = sum(step.cpus for step in steps)
    scale = 1.0 if cluster_cpus >= 2 * wanted else 1 / max(wanted, 1.0)
    return {step.name: int(step.cpus * scale * 1000) / 1000 for step in steps}


def pool_sizes(steps: list[Step], cluster_cpus: float, n_rows: int) -> dict[str, int]:
    """Most workers of each step that the cluster has room for beside one worker of each other step."""
    share = shares(steps, cluster_cpus)
    spare = cluster_cpus - sum(share.values())
    most = {name: min(1 + int(spare / of_one), int(cluster_cpus)) for name, of_one in share.items()}
    asking = {step.name for step in steps if step.asker}
    return {name: max(1, min(n_rows, count, MOST_ASKING if name in asking else count)) for name, count in most.items()}


def run_ray(run: Run, until: str | None, watch: Watcher) -> None:
    """Fill the grid up to the step `until`. Ray is started when a leg has work for it.

    Ray is left running: `ray.shutdown` ends the process that calls it, at once and with exit code 1, where another of
    Ray's own threads reaches for what it takes down. The console script ends Ray's processes.
    """
    has_told = False
    for leg in legs(up_to(run.steps, until)):
        for step in leg:
            watch.starts(step, len(run.rows(step)))
        rows = _pending(run, leg, watch)
        if len(rows) == 1:
            _run_here(run, leg, rows[0], watch)
        elif rows:
            _connect()
            has_told = has_told or _tell_of_shared_cores(leg, watch)
            _run_leg(run, leg, rows, watch)
        for step in leg:
            if step.after:
                step.after(run)


def _pending(run: Run, leg: list[Step], watch: Watcher) -> list[int]:
    """Rows of a leg with a cell to compute. The watcher is told of the others."""
    pending = []
    for row in run.rows(leg[0]):
        done = [(step.name, finished(run, step, row)) for step in leg]
        if any(info is None for _, info in done):
            pending.append(row)
            continue
        for name, info in done:
            if info is not None:
                watch.done(name, row, info)
    return pending


def _run_here(run: Run, leg: list[Step], row: int, watch: Watcher) -> None:
    """A single row: there is nothing to distribute, and starting actors would take longer than most such rows."""
    for step in leg:
        worker = StepWorker(run, step)
        try:
            with worker.telling(watch):
                watch.done(step.name, row, worker.ensure(row))
        finally:
            worker.close()


def _connect() -> None:
    if ray.is_initialized():
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    with native_stderr_closed():
        if os.environ.get("RAY_ADDRESS"):
            ray.init(log_to_driver=False, logging_level=logging.ERROR)
        else:
            ray.init(
                include_dashboard=False,
                object_store_memory=_OBJECT_STORE_BYTES,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )


def _cluster_cpus() -> float:
    return float(ray.cluster_resources().get("CPU", 1))  # type: ignore[no-untyped-call]


def _tell_of_shared_cores(leg: list[Step], watch: Watcher) -> bool:
    cpus = _cluster_cpus()
    share = shares(leg, cpus)
    if all(share[step.name] == step.cpus for step in leg):
        return False
    names = ", ".join(step.name for step in leg)
    watch.says(f"{cpus:g} cores are fewer than two workers each of {names} would use: workers share the cores")
    return True


def _run_leg(run: Run, leg: list[Step], rows: list[int], watch: Watcher) -> None:
    budget = _shared_budget(run, leg)
    spec = RunSpec(run.store.uri, run.config, run.retry_failures, budget)
    cpus = _cluster_cpus()
    share, sizes = shares(leg, cpus), pool_sizes(leg, cpus, len(rows))
    _quieten()
    tally = ray.remote(num_cpus=0)(Tally).remote()
    tokens: Dataset = ray.data.from_items([{"row": row} for row in rows], override_num_blocks=len(rows))
    for step in leg:
        tokens = tokens.map_batches(
            CellActor,
            batch_size=1,
            compute=ActorPoolStrategy(min_size=1, max_size=sizes[step.name], max_tasks_in_flight_per_actor=2),
            fn_constructor_args=(spec, step.name, tally),
            num_cpus=share[step.name],
        )
    try:
        with _relaying(tally, watch), _telling(budget, watch):
            done = sorted(int(token["row"]) for token in tokens.iter_rows())
    except RayError:
        _raise_what_ended(tally)
        raise
    if done != sorted(rows):
        raise RuntimeError(f"Ray returned {len(done)} of {len(rows)} rows of {leg[0].name}")
    if budget is not None and isinstance(run.budget, Ledger):
        run.budget.go_on_from(budget.snapshot())


def _raise_what_ended(tally: Any) -> None:
    """Raise the error of ours that a worker met, if it was one."""
    found: Exception | None = ray.get(tally.ended_by.remote())
    if found is not None:
        raise found from None


_ENDS_THE_RUN = (BudgetReachedError, EndpointUnusableError, GridError, WorkerStartError)
"""Errors that a person can do something about: told as they are, apart from Ray's own words."""


def _shared_budget(run: Run, leg: list[Step]) -> SharedBudget | None:
    """The accounts of a leg, which go on from what was spent before it; None where it asks nobody."""
    if not isinstance(run.budget, Ledger) or not any(step.asker for step in leg):
        return None
    return SharedBudget.start(run.budget.limits, run.budget.snapshot())


def _telling(budget: SharedBudget | None, watch: Watcher) -> contextlib.AbstractContextManager[None]:
    """Tell the watcher how asking goes."""
    if budget is None:
        return contextlib.nullcontext()
    return repeating(lambda: watch.asked(budget.snapshot()), ASKED_EVERY_S)


def _relaying(tally: Any, watch: Watcher) -> contextlib.AbstractContextManager[None]:
    """Tell the watcher of cells as they are done."""

    def relay() -> None:
        for step, row, info in ray.get(tally.take.remote()):
            watch.done(step, row, info)

    return repeating(relay, _RELAY_EVERY_S)


def _quieten() -> None:
    context = DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    # What it would say of an error with its traceback is told in one line where it is caught.
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
