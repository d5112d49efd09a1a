"""Arrow schemas derived from the records, and exact conversion both ways.

Here: `arrow_type`, `rows_to_table`, `table_to_rows`, and the schema of a cell. Not here: files (`pipeline.store`).
"""

import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Union

import pyarrow as pa

from schemas.base import ArrowType, Record
from schemas.verdict import Failure, Rejection, Result

_SCALARS: Mapping[type, pa.DataType] = {
    int: pa.int64(),
    float: pa.float64(),
    str: pa.string(),
    bool: pa.bool_(),
    bytes: pa.binary(),
}


def arrow_type(annotation: Any) -> pa.DataType:
    """The Arrow type of a field's annotation. Raises TypeError for what the tables do not support."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    if isinstance(annotation, type) and issubclass(annotation, Record):
        return pa.struct(record_fields(annotation))
    if origin is Literal:
        return arrow_type(type(arguments[0]))
    if origin is typing.Annotated:
        given = [extra.arrow_type for extra in arguments[1:] if isinstance(extra, ArrowType)]
        return given[0] if given else arrow_type(arguments[0])
    if origin in (Union, types.UnionType):
        (some,) = (argument for argument in arguments if argument is not type(None))
        return arrow_type(some)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return pa.list_(arrow_type(arguments[0]))
    raise TypeError(f"no Arrow type for {annotation!r}")


def record_fields(model: type[Record]) -> list[pa.Field]:
    """The Arrow fields of a record, computed ones last."""
    fields = []
    for name, info in model.model_fields.items():
        given = [extra.arrow_type for extra in info.metadata if isinstance(extra, ArrowType)]
        fields.append(pa.field(name, given[0] if given else arrow_type(info.annotation)))
    for name, computed in model.model_computed_fields.items():
        fields.append(pa.field(name, arrow_type(computed.return_type)))
    return fields


def record_schema(model: type[Record]) -> pa.Schema:
    """Schema of a table with one row a record."""
    return pa.schema(record_fields(model))


def cell_schema(value: type[Record]) -> pa.Schema:
    """Schema of a cell: who the unit is, what became of it, and the one part that belongs to that outcome."""
    return pa.schema(
        [
            pa.field("unit_id", pa.string()),
            pa.field("subject", pa.string()),
            pa.field("outcome", pa.string()),
            pa.field("result", arrow_type(value)),
            pa.field("rejection", pa.struct([f for f in record_fields(Rejection) if f.name == "verdict"])),
            pa.field("failure", pa.struct([pa.field(n, pa.string()) for n in ("kind", "message", "traceback")])),
        ]
    )


StepRecord = Result | Rejection | Failure


def cell_row(record: StepRecord) -> dict[str, Any]:
    """One row of a cell."""
    row: dict[str, Any] = {"unit_id": record.unit_id, "subject": record.subject}
    row |= {"outcome": "result", "result": None, "rejection": None, "failure": None}
    if isinstance(record, Result):
        return row | {"result": record.value.model_dump()}
    if isinstance(record, Rejection):
        return row | {"outcome": "rejection", "rejection": {"verdict": record.verdict.model_dump()}}
    failure = {"kind": record.kind, "message": record.message, "traceback": record.traceback}
    return row | {"outcome": "failure", "failure": failure}


def row_record(row: Mapping[str, Any], value: type[Record]) -> StepRecord:
    """The record that a cell's row holds. The inverse of `cell_row`."""
    who = {"unit_id": row["unit_id"], "subject": row["subject"]}
    if row["outcome"] == "result":
        return Result(**who, value=value.model_validate(row["result"]))
    if row["outcome"] == "rejection":
        return Rejection(**who, **row["rejection"])
    return Failure(**who, **row["failure"])


def records_to_table(records: Iterable[Record], model: type[Record]) -> pa.Table:
    """A table with one row a record. Raises pyarrow.ArrowInvalid where a value does not fit its column."""
    return pa.Table.from_pylist([record.model_dump() for record in records], schema=record_schema(model))


def table_to_records(table: pa.Table, model: type[Record]) -> Sequence[Record]:
    """The records of a table, validated. The inverse of `records_to_table`."""
    return [model.model_validate(row) for row in table.to_pylist()]
