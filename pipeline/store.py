"""The store: a run's folder, local or remote, with its cells as Parquet files that appear whole or not at all.

Here: paths, atomic writing, footers, column-projected reading. Not here: what a cell means (`pipeline.grid`).
"""

import contextlib
import posixpath
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout
from pydantic import ValidationError

from pipeline.columns import binary_leaves, rows_to_batch
from schemas.cell import CellInfo
from stages.errors import one_line

_FOOTER_KEY = "reelproof"
_FLUSH_BYTES = 4 * 2**20
"""Rows are written as a row group when they weigh this much, or with the first row that weighs more by itself."""
_READ_BYTES = 2**20
"""Arrow data that becomes Python objects at one go: numbers grow about tenfold then."""
_HIDDEN = ".writing-"


_THREADS = 16
"""Footers that are read at the same time."""


class StoreInUseError(Exception):
    """Another run is writing to the folder."""


class StoreUnusableError(Exception):
    """Nothing can be written to the folder, or nothing here reaches it."""


class Store:
    """One run's folder behind fsspec: `DIR`, `s3://bucket/run`, `gs://…`, `hf://…` or `memory://…`."""

    def __init__(self, uri: str) -> None:
        """Raises StoreUnusableError where nothing here speaks the URL's protocol, or nobody answers there."""
        self.uri = uri
        try:
            self.fs, self.root = fsspec.url_to_fs(uri)
            self.fs.exists(self.root)
        except Exception as error:  # every file system's library has errors of its own
            raise StoreUnusableError(f"{uri!r} cannot be reached: {one_line(error)}") from error
        self.is_local = "file" in (self.fs.protocol if isinstance(self.fs.protocol, tuple) else (self.fs.protocol,))

    def path(self, relative: str) -> str:
        """The file system's own path of a file below the run's folder."""
        return posixpath.join(self.root, relative)

    def locate(self, relative: str) -> str:
        """What to show a person who wants to open the file."""
        return self.path(relative) if self.is_local else posixpath.join(self.uri.rstrip("/"), relative)

    def cell_path(self, table: str, row: int) -> str:
        """Path of a cell below the run's folder."""
        return f"tables/{table}/part-{row:05d}.parquet"

    # whole files

    def exists(self, relative: str) -> bool:
        """Whether the file is there."""
        return bool(self.fs.exists(self.path(relative)))

    def size(self, relative: str) -> int | None:
        """Bytes of a file; None where it is not there."""
        try:
            return int(self.fs.info(self.path(relative))["size"])
        except FileNotFoundError:
            return None

    def read_bytes(self, relative: str) -> bytes:
        """The file's content. Raises FileNotFoundError."""
        return bytes(self.fs.cat_file(self.path(relative)))

    def write_bytes(self, relative: str, data: bytes) -> None:
        """Write a file so that a reader sees either the old content or the new."""
        with self.writing(relative) as local:
            local.write_bytes(data)

    def remove(self, relative: str) -> None:
        """Delete a file that may already be gone."""
        with contextlib.suppress(FileNotFoundError):
            self.fs.rm_file(self.path(relative))

    def names(self, folder: str) -> list[str]:
        """Names of finished files and of folders in a folder below the run's, sorted; empty where it does not exist."""
        self.fs.invalidate_cache()
        try:
            entries = self.fs.ls(self.path(folder), detail=False)
        except FileNotFoundError:
            return []
        names = (posixpath.basename(entry.rstrip("/")) for entry in entries)
        return sorted(name for name in names if name and not name.startswith("."))

    @contextlib.contextmanager
    def writing(self, relative: str) -> Iterator[Path]:
        """A local path to write to; the content takes the file's place in one move when the block ends well.

        Object stores put a file whole; a local folder gets it by rename from a hidden folder beside it.
        """
        name = posixpath.basename(relative)
        if not self.is_local:
            with tempfile.TemporaryDirectory(prefix="reelproof-") as folder:
                yield Path(folder) / name
                self.fs.makedirs(posixpath.dirname(self.path(relative)), exist_ok=True)
                self.fs.put_file(str(Path(folder) / name), self.path(relative))
                self.fs.invalidate_cache()
            return
        target = Path(self.path(relative))
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=_HIDDEN, dir=target.parent) as folder:
            yield Path(folder) / name
            (Path(folder) / name).replace(target)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other runs out of a local folder while the block lasts; the lock goes when its process dies.

        Raises StoreInUseError where another run has it, and StoreUnusableError where there can be no such folder.
        Buckets have no such lock.
        """
        if not self.is_local:
            yield
            return
        lock = FileLock(Path(self.root) / ".lock")
        try:
            Path(self.root).mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0)
        except Timeout as error:
            raise StoreInUseError(f"another run is writing to {self.uri!r}: wait for it, or end it") from error
        except OSError as error:
            cause = error.strerror or str(error)
            raise StoreUnusableError(f"cannot write to {self.uri!r} ({cause}): name another folder") from error
        try:
            yield
        finally:
            lock.release()

    def remove_leftovers(self) -> None:
        """Delete half-written files of a run that was killed. The folder must be locked."""
        if self.is_local:
            for pattern in (f"{_HIDDEN}*", f"*/{_HIDDEN}*", f"tables/*/{_HIDDEN}*", f"replies/*/{_HIDDEN}*"):
                for hidden in Path(self.root).glob(pattern):
                    shutil.rmtree(hidden, ignore_errors=True)

    # cells

    def rows(self, table: str) -> list[int]:
        """Numbers of the cells that a table has."""
        names = self.names(f"tables/{table}")
        return [int(name[5:-8]) for name in names if name.startswith("part-") and name.endswith(".parquet")]

    def info(self, table: str, row: int) -> CellInfo | None:
        """The footer of a cell; None where there is no such cell or its file is not one of ours."""
        try:
            with self._open(table, row) as file:
                metadata = pq.read_metadata(file).metadata or {}
            return CellInfo.model_validate_json(metadata[_FOOTER_KEY.encode()])
        except (FileNotFoundError, KeyError, pa.ArrowInvalid, ValidationError):
            return None

    def read(self, table: str, row: int, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
        """The rows of a cell as dictionaries; no more than a row group is in memory, and few rows of it as objects.

        Only the named columns are read, with all that is under them: `result.clip`, or `result.shots[].index` for a
        field of the items of a list. Raises KeyError where the cell has no such column.
        """
        with self._open(table, row) as file, pq.ParquetFile(file) as parquet:
            columns = None if columns is None else _parquet_columns(parquet, columns)
            for group in range(parquet.num_row_groups):
                for batch in parquet.iter_batches(batch_size=64, row_groups=[group], columns=columns):
                    yield from _rows(batch)

    @contextlib.contextmanager
    def write_cell(self, table: str, row: int, schema: pa.Schema) -> "Iterator[CellWriter]":
        """A writer for a cell that comes into being when the block ends well and `close` was told its footer."""
        with self.writing(self.cell_path(table, row)) as local:
            writer = CellWriter(local, schema)
            try:
                yield writer
            finally:
                writer.abandon()

    def remove_cell(self, table: str, row: int) -> None:
        """Delete a cell that may already be gone."""
        self.remove(self.cell_path(table, row))

    def _open(self, table: str, row: int) -> Any:
        return self.fs.open(self.path(self.cell_path(table, row)), "rb")


class StoreSnapshot(Store):
    """A run's folder at one moment, to be looked through: each table is listed once, its footers are read at once.

    For what asks after every cell, several times over: in a bucket each answer takes some hundredths of a second.
    """

    def __init__(self, store: Store) -> None:
        self.uri, self.fs, self.root, self.is_local = store.uri, store.fs, store.root, store.is_local
        self._infos: dict[str, dict[int, CellInfo | None]] = {}

    def rows(self, table: str) -> list[int]:
        """Numbers of the cells that the table had when it was first asked after."""
        return list(self._table(table))

    def info(self, table: str, row: int) -> CellInfo | None:
        """The footer that a cell had; None as in `Store`."""
        return self._table(table).get(row)

    def _table(self, table: str) -> dict[int, CellInfo | None]:
        if table not in self._infos:
            rows = super().rows(table)
            with ThreadPoolExecutor(_THREADS) as threads:
                self._infos[table] = dict(zip(rows, threads.map(partial(super().info, table), rows), strict=True))
        return self._infos[table]


def _rows(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    at_once = max(1, batch.num_rows * _READ_BYTES // max(1, batch.nbytes))
    for start in range(0, batch.num_rows, at_once):
        yield from batch.slice(start, at_once).to_pylist()


def _parquet_columns(parquet: pq.ParquetFile, names: Sequence[str]) -> list[str]:
    leaves = [parquet.schema.column(index).path for index in range(len(parquet.schema))]
    wanted = [name.replace("[]", ".list.element") for name in names]
    for name in wanted:
        if not any(leaf == name or leaf.startswith(f"{name}.") for leaf in leaves):
            raise KeyError(f"no column {name!r}")
    return wanted


class CellWriter:
    """Rows of one cell, flushed to disk as they grow."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._schema = schema
        packed, others = binary_leaves(schema)
        compression = dict.fromkeys(packed, "none") | dict.fromkeys(others, "zstd")
        self._parquet = pq.ParquetWriter(path, schema, compression=compression, use_dictionary=others)
        self._pending: list[pa.RecordBatch] = []
        self._pending_bytes = 0

    def add(self, row: dict[str, Any]) -> None:
        """One row. Raises pyarrow.ArrowInvalid or ArrowTypeError where a value does not fit its column."""
        self._take(rows_to_batch([row], self._schema))

    def add_all(self, rows: Iterable[dict[str, Any]]) -> None:
        """Row after row, each let go before it is written: its pictures may be large. Raises what `add` raises."""
        for row in rows:
            batch = rows_to_batch([row], self._schema)
            del row
            self._take(batch)
            del batch

    def _take(self, batch: pa.RecordBatch) -> None:
        if self._pending_bytes + batch.nbytes > _FLUSH_BYTES:
            self._flush()
        self._pending.append(batch)
        self._pending_bytes += batch.nbytes
        if self._pending_bytes > _FLUSH_BYTES:
            self._flush()

    def close(self, info: CellInfo) -> None:
        """Write the footer: the cell is complete."""
        self._flush()
        self._parquet.add_key_value_metadata({_FOOTER_KEY: info.model_dump_json()})
        self._parquet.close()

    def abandon(self) -> None:
        """Let go of the file, complete or not."""
        if self._parquet.is_open:
            self._parquet.close()

    def _flush(self) -> None:
        if self._pending:
            self._parquet.write_table(pa.Table.from_batches(self._pending, schema=self._schema).combine_chunks())
            self._pending.clear()
            self._pending_bytes = 0
