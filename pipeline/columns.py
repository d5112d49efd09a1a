"""Rows as Arrow columns, and how their columns lie in a Parquet file, so that pictures are copied as seldom as can be.

Here: building a batch from dictionaries, and the writer's options. Not here: schemas (`schemas.arrow`), or when what is
written (`pipeline.store`).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa


def rows_to_batch(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.RecordBatch:
    """What `RecordBatch.from_pylist` gives, without growing a buffer step by step where many pictures lie in a row.

    Raises pyarrow.ArrowInvalid or ArrowTypeError where a value does not fit its column.
    """
    return pa.RecordBatch.from_arrays([_array([row[f.name] for row in rows], f.type) for f in schema], schema=schema)


def binary_leaves(schema: pa.Schema) -> tuple[list[str], list[str]]:
    """Parquet paths of the columns that hold bytes (pictures, packed by themselves), and of all the others."""
    kinds = dict(leaf for field in schema for leaf in _leaves(field.name, field.type))
    packed = [path for path, kind in kinds.items() if kind == pa.binary()]
    return packed, [path for path in kinds if path not in packed]


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    if not _holds_binary(kind):
        return pa.array(values, kind)
    present = [value for value in values if value is not None]
    if pa.types.is_struct(kind):
        blank = dict.fromkeys((field.name for field in kind), None)
        whole = [blank if value is None else value for value in values]
        children = [_array([value[field.name] for value in whole], field.type) for field in kind]
        mask = pa.array([value is None for value in values], pa.bool_())
        return pa.StructArray.from_arrays(children, fields=list(kind), mask=mask)
    lengths = np.cumsum([0, *(0 if value is None else len(value) for value in values)])
    if len(present) < len(values) or lengths[-1] > np.iinfo(np.int32).max:
        return pa.array(values, kind)
    offsets = pa.array(lengths, pa.int32())
    if pa.types.is_list(kind):
        items = _array([item for value in present for item in value], kind.value_type)
        return pa.ListArray.from_arrays(offsets, items, type=kind)
    return pa.Array.from_buffers(kind, len(values), [None, offsets.buffers()[1], pa.py_buffer(b"".join(present))])


def _holds_binary(kind: pa.DataType) -> bool:
    return any(leaf == pa.binary() for _, leaf in _leaves("", kind))


def _leaves(path: str, kind: pa.DataType) -> Iterator[tuple[str, pa.DataType]]:
    if pa.types.is_struct(kind):
        for field in kind:
            yield from _leaves(f"{path}.{field.name}", field.type)
    elif pa.types.is_list(kind):
        yield from _leaves(f"{path}.list.element", kind.value_type)
    else:
        yield path, kind
