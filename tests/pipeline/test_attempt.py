"""The child process of an isolated step: it goes on while records are stored, and each unit has its own clock."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.attempt import IsolatedAttempts, Unit
from schemas.config import RunConfig
from schemas.media import ListedSource
from schemas.verdict import Failure, Result
from tests.pipeline.toy import calls, measure


@pytest.fixture
def attempts() -> Iterator[IsolatedAttempts]:
    made = IsolatedAttempts(measure, RunConfig(), timeout_s=3.0)
    yield made
    made.close()


def units(folder: Path, *names: str) -> list[Unit]:
    uri = str(folder / "calls")
    return [
        Unit(name, name, ListedSource(source_id=name, uri=uri, name=name, size_bytes=1, version="1")) for name in names
    ]


def test_the_next_unit_is_worked_on_before_anybody_asks_for_its_record(
    tmp_path: Path, attempts: IsolatedAttempts
) -> None:
    records = attempts.many(units(tmp_path, "a", "b", "c"), lambda _: None)
    assert next(records).unit_id == "a"
    deadline = time.monotonic() + 10
    while calls(tmp_path) != ["a", "b"] and time.monotonic() < deadline:
        time.sleep(0.02)
    # One ahead, and no more: what waits is held in memory.
    assert calls(tmp_path) == ["a", "b"]
    assert [record.unit_id for record in records] == ["b", "c"]


def test_waiting_for_the_child_is_not_part_of_a_units_time(tmp_path: Path, attempts: IsolatedAttempts) -> None:
    records = list(attempts.many(units(tmp_path, "slow-a", "slow-b", "slow-c"), lambda _: None))
    assert [type(record) for record in records] == [Result, Result, Result]


def test_units_that_crash_or_hang_one_after_the_other_cost_only_themselves(
    tmp_path: Path, attempts: IsolatedAttempts
) -> None:
    names = ("crash-a", "crash-b", "hang-a", "crash-c", "a", "hang-b", "b")
    records = list(attempts.many(units(tmp_path, *names), lambda _: None))
    assert [record.unit_id for record in records] == list(names)
    kinds = [record.kind if isinstance(record, Failure) else "result" for record in records]
    assert kinds == ["crash", "crash", "timeout", "crash", "result", "timeout", "result"]


def test_a_record_that_is_known_is_not_made_again(tmp_path: Path, attempts: IsolatedAttempts) -> None:
    (known,) = attempts.many(units(tmp_path, "b"), lambda _: None)
    records = attempts.many(units(tmp_path, "a", "b", "c"), lambda unit: known if unit.unit_id == "b" else None)
    assert [record.unit_id for record in records] == ["a", "b", "c"]
    assert calls(tmp_path) == ["b", "a", "c"]


def test_letting_go_of_the_records_ends_what_is_under_way(tmp_path: Path, attempts: IsolatedAttempts) -> None:
    records = attempts.many(units(tmp_path, "a", "hang", "b"), lambda _: None)
    assert next(records).unit_id == "a"
    records.close()  # type: ignore[attr-defined]
    begin = time.monotonic()
    assert isinstance(attempts(units(tmp_path, "c")[0]), Result)
    assert time.monotonic() - begin < 30
