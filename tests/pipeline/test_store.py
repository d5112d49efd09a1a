"""A cell appears whole or not at all, wherever the run lives."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.store import Store, StoreInUseError, StoreSnapshot
from schemas.arrow import cell_row, cell_schema
from schemas.cell import CellInfo
from schemas.media import FrameSample
from schemas.time import Span, TimeBase
from schemas.verdict import Result

INFO = CellInfo(
    fingerprint="f", identity="f", units=1, results=1, rejections=0, failures=0, hands_on=1, code_version="0"
)
ROW = cell_row(
    Result(unit_id="u", subject="s", value=Span(start_pts=0, end_pts=1, time_base=TimeBase(numerator=1, denominator=2)))
)


@pytest.fixture(params=["local", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return Store(str(tmp_path / "run") if request.param == "local" else f"memory://{uuid.uuid4()}/run")


def write(store: Store, row: int = 0) -> None:
    with store.write_cell("scan", row, cell_schema(Span)) as writer:
        writer.add(ROW)
        writer.close(INFO)


def test_a_cell_reads_back_with_its_footer(store: Store) -> None:
    write(store, 3)
    assert store.rows("scan") == [3]
    assert store.info("scan", 3) == INFO
    assert [row["unit_id"] for row in store.read("scan", 3)] == ["u"]


def test_a_snapshot_tells_of_one_moment_and_asks_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    write(store, 3)
    write(store, 5)
    store.write_bytes(store.cell_path("scan", 7), b"torn")
    before = StoreSnapshot(store)
    opened = list[tuple[str, int]]()

    def open_(self: Store, table: str, row: int, real: Callable[..., Any] = Store._open) -> Any:
        opened.append((table, row))
        return real(self, table, row)

    monkeypatch.setattr(Store, "_open", open_)
    for _ in range(2):
        assert before.rows("scan") == [3, 5, 7]
        assert [before.info("scan", row) for row in (3, 5, 7, 9)] == [INFO, INFO, None, None]
        assert before.rows("split") == []
    assert sorted(opened) == [("scan", 3), ("scan", 5), ("scan", 7)]
    store.remove_cell("scan", 3)
    write(store, 9)
    assert before.rows("scan") == [3, 5, 7]
    assert StoreSnapshot(store).rows("scan") == [5, 7, 9]
    assert [row["unit_id"] for row in before.read("scan", 5)] == ["u"]


def test_only_the_named_columns_are_read(store: Store) -> None:
    write(store)
    assert list(store.read("scan", 0, ["result.start_pts"])) == [{"result": {"start_pts": 0}}]


def test_large_rows_are_written_as_they_come_and_read_in_their_order(store: Store) -> None:
    with store.write_cell("scan", 0, cell_schema(FrameSample)) as writer:
        for pts in range(12):
            sample = FrameSample(pts=pts, width=1, height=1, jpeg=bytes([pts]) * 2**20)
            writer.add(cell_row(Result(unit_id=f"u{pts}", subject="s", value=sample)))
        writer.close(INFO)
    assert pq.read_metadata(store.fs.open(store.path(store.cell_path("scan", 0)))).num_row_groups > 2
    assert [row["result"]["pts"] for row in store.read("scan", 0)] == list(range(12))
    assert [set(row["result"]["jpeg"]) for row in store.read("scan", 0, ["result.jpeg"])] == [{n} for n in range(12)]


def test_a_cell_that_breaks_off_leaves_nothing(store: Store) -> None:
    with pytest.raises(pa.ArrowTypeError), store.write_cell("scan", 0, cell_schema(Span)) as writer:
        writer.add(ROW | {"unit_id": 7})
    assert store.rows("scan") == []
    assert store.info("scan", 0) is None


def test_an_old_cell_stands_until_the_new_one_is_complete(store: Store) -> None:
    write(store)
    with pytest.raises(RuntimeError), store.write_cell("scan", 0, cell_schema(Span)):
        raise RuntimeError
    assert store.info("scan", 0) == INFO


def test_a_file_that_is_no_cell_counts_as_missing(store: Store) -> None:
    store.write_bytes(store.cell_path("scan", 0), b"not parquet")
    assert store.info("scan", 0) is None


def test_what_a_killed_run_left_half_written_is_removed(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    write(store)
    leftover = tmp_path / "tables/scan/.writing-abcd1234/part-00001.parquet"
    leftover.parent.mkdir()
    leftover.write_bytes(b"half")
    store.remove_leftovers()
    assert not leftover.exists()
    assert store.rows("scan") == [0]


def test_files_are_sized_and_removed(store: Store) -> None:
    store.write_bytes("shards/train-000000.tar", b"12345")
    assert store.size("shards/train-000000.tar") == 5
    assert store.names("shards") == ["train-000000.tar"]
    store.remove("shards/train-000000.tar")
    store.remove("shards/train-000000.tar")
    assert store.size("shards/train-000000.tar") is None
    assert store.names("nowhere") == []


def test_two_runs_cannot_write_to_one_folder(tmp_path: Path) -> None:
    first, second = Store(str(tmp_path)), Store(str(tmp_path))
    refused = pytest.raises(StoreInUseError, match="another run is writing")
    with first.locked(), refused, second.locked():
        pass
    with second.locked():
        pass
