"""One attempt at one unit: whatever happens, exactly one record comes back.

Here: the only broad `except`s of the pipeline, and the child process in which hostile media may crash or hang.
Not here: what is attempted (`pipeline.work`), or what becomes of the record (`pipeline.grid`).
"""

import itertools
import multiprocessing
import os
import pickle
import tempfile
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from schemas.arrow import StepRecord
from schemas.base import Record
from schemas.config import RunConfig
from schemas.verdict import Failure, Rejection, Result, Verdict

if TYPE_CHECKING:
    from annotators.endpoint.budget import Snapshot

Worker = Callable[[Any], Record | Verdict]
"""From a unit's payload to what the step makes of it, or the verdict that turns it away."""

WorkerFactory = Callable[[RunConfig], Worker]
"""A function of the top level of a module, so that a child process can be told of it."""


@dataclass(frozen=True)
class Unit:
    """What a step processes at one go."""

    unit_id: str
    subject: str
    """What a person calls it: file name and span."""
    payload: Any
    """Argument of the step's worker."""


Known = Callable[[Unit], StepRecord | None]
"""The record that a unit has already, where it needs no new attempt."""


def in_turn(one: Callable[[Unit], StepRecord], units: Iterable[Unit], known: Known) -> Iterator[StepRecord]:
    """Records of units, one unit after the other."""
    for unit in units:
        record = known(unit)
        yield one(unit) if record is None else record


def detach_from_terminal() -> None:
    """Give this process, and whatever it starts, an empty standard input.

    Workers run in the background of the terminal that the run was started from. A program that touches the terminal
    there (ffmpeg does, and some libraries start it when they are imported) is stopped by the kernel, and the run would
    stand still without a word.
    """
    with Path(os.devnull).open() as nothing:
        os.dup2(nothing.fileno(), 0)


class WorkerStartError(Exception):
    """A step's worker cannot be made: something is missing that every unit needs."""


class Attempts:
    """Attempts in this process."""

    def __init__(self, factory: WorkerFactory, config: RunConfig) -> None:
        try:
            self._worker = factory(config)
        except Exception as error:
            raise WorkerStartError(f"worker {factory.__name__!r} cannot start: {error}") from error

    def __call__(self, unit: Unit) -> StepRecord:
        """The unit's record. Never raises for what the unit does."""
        return attempt(self._worker, unit)

    def many(self, units: Iterable[Unit], known: Known) -> Iterator[StepRecord]:
        """The units' records in order: the known one where there is one, a new attempt elsewhere."""
        return in_turn(self, units, known)

    def snapshot(self) -> "Snapshot | None":
        """How asking goes: nobody is asked."""
        return None

    def close(self) -> None:
        """Nothing to end."""


class IsolatedAttempts:
    """Attempts in a child process that is replaced when it dies or takes longer than `timeout_s` for a unit.

    Records come back through a file: a pipe would hold a record's pictures a second time, at both of its ends.
    """

    def __init__(self, factory: WorkerFactory, config: RunConfig, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._folder = tempfile.TemporaryDirectory(prefix="reelproof-")
        context = multiprocessing.get_context("spawn")
        prepared = (factory, config, self._folder.name)
        self._pool = ProcessPool(max_workers=1, context=context, initializer=_prepare, initargs=prepared)
        self._numbers = itertools.count()
        if trouble := self._pool.schedule(_trouble_at_start).result():
            self.close()
            raise WorkerStartError(f"worker {factory.__name__!r} cannot start: {trouble}")

    def __call__(self, unit: Unit) -> StepRecord:
        """The unit's record. Never raises for what the unit does."""
        return self._record(self._begin(unit))

    def many(self, units: Iterable[Unit], known: Known) -> Iterator[StepRecord]:
        """The units' records in order: the known one where there is one, a new attempt elsewhere.

        One unit waits for the child while it works on another: it goes on at once, and not when the record that it left
        has been read and stored.
        """
        under_way: deque[StepRecord | _Begun] = deque()
        try:
            for unit in units:
                record = known(unit)
                under_way.append(self._begin(unit) if record is None else record)
                if len(under_way) > 1:
                    yield self._record(under_way.popleft())
            while under_way:
                yield self._record(under_way.popleft())
        finally:
            for begun in under_way:
                if isinstance(begun, _Begun):
                    begun.future.cancel()  # type: ignore[no-untyped-call]

    def _begin(self, unit: Unit) -> "_Begun":
        path = Path(self._folder.name) / f"record-{next(self._numbers)}"
        # The clock starts when the child takes the unit up.
        return _Begun(unit, path, self._pool.schedule(_attempt_prepared, args=(unit, path), timeout=self._timeout_s))

    def _record(self, begun: "StepRecord | _Begun") -> StepRecord:
        if not isinstance(begun, _Begun):
            return begun
        try:
            begun.future.result()
        except FutureTimeoutError:
            return failure(begun.unit, "timeout", f"took longer than {self._timeout_s:g} s")
        except ProcessExpired as error:
            return failure(begun.unit, "crash", f"the process died while working on it (exit code {error.exitcode})")
        with begun.path.open("rb") as file:
            record: StepRecord = pickle.load(file)  # noqa: S301 - our own child wrote it, into a folder of our own
        begun.path.unlink()
        return record

    def snapshot(self) -> "Snapshot | None":
        """How asking goes: nobody is asked."""
        return None

    def close(self) -> None:
        """End the child process."""
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()
        self._folder.cleanup()


@dataclass(frozen=True)
class _Begun:
    """A unit that the child works on, or will, and where it leaves the record."""

    unit: Unit
    path: Path
    future: "ProcessFuture[None]"


_prepared: list[Worker | str] = []
"""The child's worker, or why there is none; the initializer of a process pool has no other place to leave it."""


def _prepare(factory: WorkerFactory, config: RunConfig, folder: str) -> None:
    detach_from_terminal()
    # What a child that dies leaves behind goes with the parent's folder.
    tempfile.tempdir = folder
    try:
        _prepared[:] = [factory(config)]
    except Exception as error:  # noqa: BLE001 - told to the parent, which ends the run with it
        _prepared[:] = [f"{type(error).__name__}: {error}"]


def _trouble_at_start() -> str:
    return _prepared[0] if isinstance(_prepared[0], str) else ""


def _attempt_prepared(unit: Unit, path: Path) -> None:
    """Leave the unit's record in a file."""
    worker = _prepared[0]
    if isinstance(worker, str):
        record: StepRecord = failure(unit, "crash", f"the process that took over cannot start: {worker}")
    else:
        record = attempt(worker, unit)
    with path.open("wb") as file:
        pickle.dump(record, file, protocol=pickle.HIGHEST_PROTOCOL)


def attempt(worker: Worker, unit: Unit) -> StepRecord:
    """One attempt, here and now. Never raises for what the worker does."""
    try:
        value = worker(unit.payload)
    except Exception as error:  # noqa: BLE001 - one bad unit must cost nobody else anything; it becomes a row
        return failure(unit, error_kind(error), str(error) or "no message", traceback.format_exc())
    return record_of(unit, value)


def record_of(unit: Unit, value: Record | Verdict) -> StepRecord:
    """What a worker made of a unit, as its record."""
    if isinstance(value, Verdict):
        return Rejection(unit_id=unit.unit_id, subject=unit.subject, verdict=value)
    return Result(unit_id=unit.unit_id, subject=unit.subject, value=value)


def error_kind(error: Exception) -> str:
    """The kind of failure that an error stands for: what it calls itself, else its class."""
    return str(getattr(error, "kind", type(error).__name__))


def failure(unit: Unit, kind: str, cause: str, trace: str = "") -> Failure:
    """The record of a unit that could not be processed; its message is one line that names the unit."""
    line = " ".join(cause.split())
    name = unit.subject.split(" [")[0]
    message = line if name in line else f"{name}: {line}"
    return Failure(unit_id=unit.unit_id, subject=unit.subject, kind=kind, message=message, traceback=trace)
