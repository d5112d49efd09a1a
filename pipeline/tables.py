"""The tables that say which rows the grid has: listed sources by page, slices by part, clips by shard.

Here: writing such a row, and bringing a table in line with what it should hold. Their content is their identity.
Not here: how pages, parts and shards are made up (`pipeline.listing`, `pipeline.parts`, `stages.shards`).
"""

from collections.abc import Iterator, Sequence
from typing import Any

from pipeline.fingerprint import fingerprint
from pipeline.grid import CODE_VERSION
from pipeline.store import Store
from schemas.arrow import cell_row, cell_schema
from schemas.base import Record
from schemas.cell import CellInfo
from schemas.verdict import Result


def read_row(store: Store, table: str, row: int, model: type[Record]) -> Iterator[Any]:
    """The records of one row of a table, in order."""
    for found in store.read(table, row):
        yield model.model_validate(found["result"])


def write_row(store: Store, table: str, row: int, results: Sequence[Result], model: type[Record]) -> bool:
    """Make a row hold these records; False where it already does."""
    cells = [cell_row(result) for result in results]
    identity = fingerprint(cells)
    present = store.info(table, row)
    if present is not None and present.identity == identity:
        return False
    with store.write_cell(table, row, cell_schema(model)) as writer:
        for cell in cells:
            writer.add(cell)
        count = len(cells)
        writer.close(
            CellInfo(
                fingerprint=identity,
                identity=identity,
                units=count,
                results=count,
                rejections=0,
                failures=0,
                hands_on=count,
                code_version=CODE_VERSION,
            )
        )
    return True
