"""Cells written by hand, for tests of a step that needs nothing else of the grid."""

from collections.abc import Sequence

from pipeline.grid import CODE_VERSION
from pipeline.store import Store
from schemas.arrow import StepRecord, cell_row, cell_schema
from schemas.base import Record
from schemas.cell import CellInfo


def write_cell(store: Store, table: str, row: int, value: type[Record], records: Sequence[StepRecord]) -> None:
    """A cell with these records, whose fingerprint is its own name."""
    name = f"{table}/{row}"
    info = CellInfo(
        fingerprint=name, identity=name, units=len(records), results=0, rejections=0, failures=0, hands_on=0, files=(),
        code_version=CODE_VERSION,
    )  # fmt: skip
    with store.write_cell(table, row, cell_schema(value)) as writer:
        writer.add_all(map(cell_row, records))
        writer.close(info)
