"""Batches are what Arrow makes of the same rows, and pictures are not packed twice."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.columns import binary_leaves, rows_to_batch
from schemas.arrow import cell_schema
from schemas.signals import SliceScan

SAMPLE = pa.struct([pa.field("pts", pa.int64()), pa.field("jpeg", pa.binary())])
SCHEMA = pa.schema(
    [
        pa.field("name", pa.string()),
        pa.field("samples", pa.list_(SAMPLE)),
        pa.field("clips", pa.list_(pa.struct([pa.field("keyframes", pa.list_(SAMPLE))]))),
        pa.field("cover", SAMPLE),
    ]
)

samples = st.none() | st.fixed_dictionaries({"pts": st.none() | st.integers(0, 9), "jpeg": st.none() | st.binary()})
clips = st.none() | st.fixed_dictionaries({"keyframes": st.none() | st.lists(samples, max_size=3)})
rows = st.fixed_dictionaries(
    {
        "name": st.none() | st.text(),
        "samples": st.none() | st.lists(samples, max_size=4),
        "clips": st.none() | st.lists(clips, max_size=3),
        "cover": samples,
    }
)


@settings(deadline=None)
@given(st.lists(rows, max_size=4))
def test_a_batch_holds_its_rows(given_rows: list[dict[str, Any]]) -> None:
    batch = rows_to_batch(given_rows, SCHEMA)
    batch.validate(full=True)
    assert batch.to_pylist() == given_rows


def test_a_value_that_does_not_fit_its_column_is_an_error() -> None:
    row = {"name": "a", "samples": [{"pts": "soon", "jpeg": b""}], "clips": None, "cover": None}
    with pytest.raises((pa.ArrowInvalid, pa.ArrowTypeError)):
        rows_to_batch([row], SCHEMA)
    with pytest.raises((pa.ArrowInvalid, pa.ArrowTypeError, TypeError)):
        rows_to_batch([{**row, "samples": [{"pts": 1, "jpeg": 7}]}], SCHEMA)


def test_the_columns_that_hold_bytes_are_named_as_parquet_names_them(tmp_path: Path) -> None:
    schema = cell_schema(SliceScan)
    pq.write_table(schema.empty_table(), tmp_path / "empty.parquet")
    columns = pq.ParquetFile(tmp_path / "empty.parquet").schema
    packed, others = binary_leaves(schema)
    assert packed == ["result.frame_samples.list.element.jpeg"]
    assert sorted(packed + others) == sorted(columns.column(index).path for index in range(len(columns)))
