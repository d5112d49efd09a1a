"""The grid: parts down, steps across, one Parquet file a cell. A cell with the right fingerprint is done.

Here: `Step`, `Inputs`, and `Cell`, which knows whether it is done and how to compute itself.
Not here: which steps there are (`pipeline.plan`), and in which order and where cells are computed (the runners).
"""

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal

from pipeline.attempt import Attempts, IsolatedAttempts, Unit, Worker
from pipeline.fingerprint import fingerprint
from pipeline.store import Store, StoreSnapshot
from pipeline.walk import Walk
from schemas.arrow import StepRecord, cell_row, cell_schema, row_record
from schemas.base import Record
from schemas.cell import CellInfo, FileStamp
from schemas.config import RunConfig
from schemas.verdict import Result

if TYPE_CHECKING:
    from annotators.endpoint.budget import Accounts, Snapshot
    from pipeline.asking import Asking, AskingAttempts

CODE_VERSION = version("reelproof")

Axis = Literal["page", "part", "shard", "corpus"]
"""What the rows of a column are. Each kind is listed in a table of its own; the corpus is a single row."""

ASKED_EVERY_S = 0.5

AXIS_TABLE: dict[Axis, str] = {"page": "listing", "part": "parts", "shard": "shards"}


@dataclass(frozen=True)
class Step:
    """A column of the grid."""

    name: str
    """Also the name of its section in the configuration and of its folder of cells."""
    unit: str
    axis: Axis
    takes: str | tuple[str, ...]
    """The table, or tables, whose results are, or hand on, this step's units."""
    reads: tuple[str, ...]
    """Steps whose cells it reads; the table of its axis apart."""
    value: type[Record]
    """What a result holds."""
    units: "Callable[[Inputs], Iterator[Unit]]"
    """The units of one cell, in order."""
    worker: Callable[[RunConfig], Worker] | None = None
    """Makes the function from a unit's payload to a record or a verdict; expensive state is made here, once."""
    asker: "Callable[[RunConfig], Asking] | None" = None
    """Of a step that asks a model, in place of `worker`: makes who asks. Many units are under way at once."""
    version: str = "1"
    """Raised when the same inputs and settings would give another result."""
    settings: tuple[str, ...] = ()
    """Sections of the configuration that decide what it makes, where it is not the one of its own name."""
    decisions: str = ""
    """A table on the same axis that need not be there, and decides where it is: what people decided."""
    hands_on: Callable[[Any], int] = field(default=lambda _: 1)
    """How many units a result hands to the next step."""
    needs_whole_corpus: bool = False
    """Whether each cell depends on all cells of the steps it reads: the leg ends before it."""
    cuts_off: bool = False
    """Whether later steps depend on the cell's content only, not on how it came about."""
    is_isolated: bool = False
    """Whether the worker runs in a child process that may die alone."""
    timeout_s: Callable[[RunConfig], float] = field(default=lambda _: float("inf"))
    """Wall clock for one unit, for isolated steps."""
    cpus: float = 1.0
    """Cores that a worker keeps busy."""
    records: "Callable[[CellTask], Iterator[StepRecord]] | None" = None
    """How a cell's records come about, where it is not simply one attempt per unit."""
    after: "Callable[[Run], None] | None" = None
    """What is left to do once the whole column is complete."""


@dataclass(frozen=True)
class Run:
    """What every cell of a run has in common."""

    store: Store
    config: RunConfig
    steps: tuple[Step, ...]
    retry_failures: bool = False
    budget: "Accounts | None" = None
    """What asking models may cost, and has; None where no step asks."""

    def snapshot(self) -> "Run":
        """The run with what its folder holds now, to be looked through and not to be written to."""
        return self if isinstance(self.store, StoreSnapshot) else replace(self, store=StoreSnapshot(self.store))

    def step(self, name: str) -> Step:
        """The step of that name. Raises KeyError."""
        return {step.name: step for step in self.steps}[name]

    def rows(self, step: Step) -> list[int]:
        """The rows that the column of a step has now."""
        return [0] if step.axis == "corpus" else self.store.rows(AXIS_TABLE[step.axis])


class Inputs:
    """What one cell may read."""

    def __init__(self, run: Run, step: Step, row: int) -> None:
        self.run, self.step, self.row = run, step, row

    def listed(self, model: type[Record]) -> Iterator[Any]:
        """The records in this row of the axis' own table: a page's sources, a part's slices, a shard's clips."""
        for row in self.run.store.read(AXIS_TABLE[self.step.axis], self.row):
            yield model.model_validate(row["result"])

    def rows_of(self, name: str) -> list[int]:
        """The rows of a step's column that this cell depends on."""
        step = self.run.step(name)
        if step.axis == "corpus":
            return [0]
        if self.step.needs_whole_corpus or self.step.axis == "corpus":
            return self.run.rows(step)
        if self.step.axis == "shard" and step.axis == "part":
            rows = self.run.store.read(AXIS_TABLE["shard"], self.row, ["result.part"])
            return sorted({row["result"]["part"] for row in rows})
        return [self.row]

    def results(self, name: str, without: tuple[str, ...] = (), only_row: int | None = None) -> Iterator[Any]:
        """The results in a step's cells, in order. Fields in `without` are not read and take their defaults.

        `only_row` restricts the reading to one of the rows this cell depends on.
        """
        model = self.run.step(name).value
        wanted = [f"result.{field}" for field in model.model_fields if field not in without]
        for row in self.rows_of(name) if only_row is None else [only_row]:
            for found in self.run.store.read(name, row, ["outcome", *wanted]):
                if found["outcome"] == "result":
                    yield model.model_validate(found["result"])

    def identities(self) -> list[list[str]] | None:
        """What this cell's fingerprint takes from its inputs; None where one of them is not there yet."""
        own = [] if self.step.axis == "corpus" else [(AXIS_TABLE[self.step.axis], self.row)]
        cells = own + [(name, row) for name in self.step.reads for row in self.rows_of(name)]
        infos = [(table, self.run.store.info(table, row)) for table, row in cells]
        if any(info is None for _, info in infos):
            return None
        if self.step.decisions:
            infos.append((self.step.decisions, self.run.store.info(self.step.decisions, self.row)))
        return [[table, info.identity] for table, info in infos if info is not None]


@dataclass(frozen=True)
class CellTask:
    """A cell being computed."""

    inputs: Inputs
    worker: "StepWorker"
    files: list[FileStamp]
    """Files beside the table that belong to the cell; whoever writes one adds it."""

    @property
    def store(self) -> Store:
        """Where the run lives."""
        return self.inputs.run.store

    @property
    def config(self) -> RunConfig:
        """The run's configuration."""
        return self.inputs.run.config


@dataclass
class _Tally:
    """What a cell's footer says of its records, counted while they become rows."""

    step: Step
    has_digests: bool
    outcomes: Counter[str] = field(default_factory=Counter)
    hands_on: int = 0
    digests: list[str] = field(default_factory=list)

    def row(self, record: StepRecord) -> dict[str, Any]:
        """The record's row, counted."""
        row = cell_row(record)
        self.outcomes[row["outcome"]] += 1
        self.hands_on += self.step.hands_on(record.value) if isinstance(record, Result) else 0
        self.digests.append(fingerprint(row) if self.has_digests else "")
        return row


class StepWorker:
    """Computes the cells of one step. Made once per process; keeps the step's expensive state."""

    def __init__(self, run: Run, step: Step) -> None:
        self.run, self.step = run, step

    @cached_property
    def attempt(self) -> "Attempts | IsolatedAttempts | AskingAttempts":
        """Who makes the attempts; started with the first cell that is not done."""
        return _attempts(self.run, self.step)

    def close(self) -> None:
        """End what was started."""
        if "attempt" in self.__dict__:
            self.attempt.close()

    def telling(self, watch: "Watcher") -> contextlib.AbstractContextManager[None]:
        """Tell the watcher how asking goes while the block lasts, where the step asks."""
        if self.step.asker is None:
            return contextlib.nullcontext()

        def tell() -> None:
            snapshot = self.attempt.snapshot() if "attempt" in self.__dict__ else None
            if snapshot is not None:
                watch.asked(snapshot)

        return repeating(tell, ASKED_EVERY_S)

    def ensure(self, row: int) -> CellInfo:
        """Make sure that a cell is done, and return its footer. Raises GridError where its inputs are missing."""
        done = finished(self.run, self.step, row)
        if done is not None:
            return done
        inputs = Inputs(self.run, self.step, row)
        expected = cell_fingerprint(inputs)
        if expected is None:
            raise GridError(f"cell {self.step.name}/{row} cannot be computed: its inputs are not complete")
        present = self.run.store.info(self.step.name, row)
        is_retry = present is not None and present.fingerprint == expected and has_files(self.run.store, present)
        return self._compute(inputs, expected, is_retry=is_retry)

    def _compute(self, inputs: Inputs, expected: str, *, is_retry: bool) -> CellInfo:
        step, store = self.step, self.run.store
        settled = self._settled(inputs.row) if is_retry else frozenset()
        tally = _Tally(step, has_digests=step.cuts_off or is_retry)
        task = CellTask(inputs=inputs, worker=self, files=[])
        with store.write_cell(step.name, inputs.row, cell_schema(step.value)) as writer:
            writer.add_all(map(tally.row, step.records(task) if step.records else self.attempts(inputs, settled)))
            identity = fingerprint(expected, tally.digests) if is_retry else expected
            info = CellInfo(
                fingerprint=expected,
                identity=fingerprint(tally.digests) if step.cuts_off else identity,
                units=tally.outcomes.total(),
                results=tally.outcomes["result"],
                rejections=tally.outcomes["rejection"],
                failures=tally.outcomes["failure"],
                hands_on=tally.hands_on,
                files=tuple(task.files),
                code_version=CODE_VERSION,
            )
            writer.close(info)
        return info

    def attempts(self, inputs: Inputs, settled: frozenset[str] = frozenset()) -> Iterator[StepRecord]:
        """One record per unit: the earlier one where it is settled, a new attempt elsewhere."""
        earlier = Walk(lambda: self._earlier(inputs.row), lambda record: record.unit_id)

        def known(unit: Unit) -> StepRecord | None:
            return earlier.to(unit.unit_id) if unit.unit_id in settled else None

        return self.attempt.many(self.step.units(inputs), known)

    def _settled(self, row: int) -> frozenset[str]:
        """The units of a cell whose records a retry of failures leaves as they are."""
        rows = self.run.store.read(self.step.name, row, ["unit_id", "outcome"])
        return frozenset(found["unit_id"] for found in rows if found["outcome"] != "failure")

    def _earlier(self, row: int) -> Iterator[StepRecord]:
        return (row_record(found, self.step.value) for found in self.run.store.read(self.step.name, row))


def _attempts(run: Run, step: Step) -> "Attempts | IsolatedAttempts | AskingAttempts":
    """Who makes the attempts of a step."""
    if step.asker is not None:
        from pipeline.asking import AskingAttempts  # loads the client, which few processes need

        return AskingAttempts(step.asker, run.config, run.store, run.budget, afresh=run.retry_failures)
    if step.worker is None:
        raise GridError(f"step {step.name} has neither a worker nor an asker")
    if step.is_isolated and run.config.grid.isolate:
        return IsolatedAttempts(step.worker, run.config, step.timeout_s(run.config))
    return Attempts(step.worker, run.config)


@contextlib.contextmanager
def repeating(act: Callable[[], None], every_s: float) -> Iterator[None]:
    """Act again and again from a thread of its own while the block lasts, and once more at its end."""
    ended = threading.Event()

    def go_on() -> None:
        is_last = False
        while not is_last:
            is_last = ended.wait(every_s)
            act()

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class Watcher:
    """Is told how a run goes. This one keeps it to itself."""

    def starts(self, step: Step, n_rows: int) -> None:
        """A column begins."""

    def done(self, step: str, row: int, info: CellInfo) -> None:
        """A cell is done, whether it was computed now or before."""

    def asked(self, snapshot: "Snapshot") -> None:
        """How asking models goes; told about twice a second while a step asks."""

    def says(self, line: str) -> None:
        """Something a person should know."""


def up_to(steps: tuple[Step, ...], until: str | None) -> tuple[Step, ...]:
    """The steps up to the one named, or all of them. Raises GridError where there is no such step."""
    if until is None:
        return steps
    names = [step.name for step in steps]
    if until not in names:
        raise GridError(f"no step {until!r}; the steps are {', '.join(names)}")
    return steps[: names.index(until) + 1]


class GridError(Exception):
    """The grid is not in a state in which what was asked for can be done."""


def cell_fingerprint(inputs: Inputs) -> str | None:
    """What a cell's fingerprint must be, given its inputs as they are now; None where one is missing."""
    identities = inputs.identities()
    if identities is None:
        return None
    return fingerprint(settings_fingerprint(inputs.step, inputs.run.config), identities)


def settings_fingerprint(step: Step, config: RunConfig) -> str:
    """Hash of a step's name, version and the settings that decide what it makes."""
    return fingerprint(step.name, step.version, *(config.deciding(name) for name in step.settings or (step.name,)))


def finished(run: Run, step: Step, row: int) -> CellInfo | None:
    """The footer of a cell that needs no work; None where it is missing, stale, or has failures to retry."""
    present = run.store.info(step.name, row)
    if present is None or (run.retry_failures and present.failures):
        return None
    expected = cell_fingerprint(Inputs(run, step, row))
    return present if present.fingerprint == expected and has_files(run.store, present) else None


def has_files(store: Store, info: CellInfo) -> bool:
    """Whether the files that belong to a cell are there, with the size they had."""
    return all(store.size(stamp.path) == stamp.size_bytes for stamp in info.files)


CellState = Literal["done", "stale", "missing"]


def cell_states(run: Run) -> dict[str, dict[int, CellState]]:
    """How every cell stands, judged by the inputs as they are now. A cell right of a stale one is stale itself."""
    states: dict[str, dict[int, CellState]] = {}
    for step in run.steps:
        states[step.name] = {row: _cell_state(run, step, row, states) for row in run.rows(step)}
    return states


def _cell_state(run: Run, step: Step, row: int, states: dict[str, dict[int, CellState]]) -> CellState:
    present = run.store.info(step.name, row)
    if present is None:
        return "missing"
    inputs = Inputs(run, step, row)
    before = [states[name].get(other, "missing") for name in step.reads for other in inputs.rows_of(name)]
    is_done = (
        all(state == "done" for state in before)
        and present.fingerprint == cell_fingerprint(inputs)
        and has_files(run.store, present)
    )
    return "done" if is_done else "stale"
