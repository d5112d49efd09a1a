"""Every record survives the way through Arrow and Parquet unchanged."""

import io
import types
import typing
from typing import Any, Literal, Union

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import dataset, label, media, signals
from schemas.arrow import (
    StepRecord,
    arrow_type,
    cell_row,
    cell_schema,
    record_schema,
    records_to_table,
    row_record,
    table_to_records,
)
from schemas.base import ArrowType, Record
from schemas.time import Span, TimeBase
from schemas.verdict import Failure, Rejection, Result, Verdict

STEP_VALUES = [
    media.ListedSource,
    media.Source,
    media.PartSlice,
    signals.SliceScan,
    media.SliceSplit,
    signals.ClipDescription,
    dataset.UniqueClip,
    label.ClipLabels,
    label.VerifiedLabel,
    dataset.ShardAssignment,
    dataset.PackagedSample,
    dataset.DatasetCard,
]

PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    str: st.text(max_size=8),
    bool: st.booleans(),
    bytes: st.binary(max_size=8),
}


def any_of(annotation: Any) -> st.SearchStrategy[Any]:
    """Values for a field, straight from its annotation, so that no field is forgotten."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in PLAIN:
        return PLAIN[annotation]
    if isinstance(annotation, type) and issubclass(annotation, Record):
        return records(annotation)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, types.UnionType):
        return st.none() | any_of(next(argument for argument in arguments if argument is not type(None)))
    assert origin is tuple, annotation
    return st.lists(any_of(arguments[0]), max_size=2).map(tuple)


def records(model: type[Record]) -> st.SearchStrategy[Any]:
    """Unvalidated records: the tables must carry whatever fits the types."""
    if model is TimeBase:
        return st.just(TimeBase(numerator=1, denominator=90000))
    if model is Span:
        ends = st.tuples(PLAIN[int], PLAIN[int])
        return ends.map(
            lambda two: Span(start_pts=min(two), end_pts=max(two), time_base=TimeBase(numerator=1, denominator=25))
        )
    if model in (signals.FrameSignals, signals.MotionSignals, signals.SampleSignals):
        return st.integers(0, 3).flatmap(lambda length: _series(model, length))
    fields = {name: _any_in(info) for name, info in model.model_fields.items()}
    return st.fixed_dictionaries(fields).map(lambda values: model.model_construct(**values))


def _any_in(info: Any) -> st.SearchStrategy[Any]:
    """Values for a field, of no more precision than its column has."""
    given = [extra.arrow_type.value_type for extra in info.metadata if isinstance(extra, ArrowType)]
    if pa.float16() in given:
        return st.lists(st.floats(width=16, allow_nan=False, allow_infinity=False), max_size=3).map(tuple)
    return any_of(info.annotation)


def _series(model: type[Record], length: int) -> st.SearchStrategy[Any]:
    def one(info: Any) -> st.SearchStrategy[Any]:
        item = typing.get_args(info.annotation)[0]
        values = st.floats(width=32, allow_nan=False, allow_infinity=False) if item is float else PLAIN[item]
        return st.lists(values, min_size=length, max_size=length).map(tuple)

    return st.fixed_dictionaries({name: one(info) for name, info in model.model_fields.items()}).map(
        lambda values: model(**values)
    )


def through_parquet(table: pa.Table) -> pa.Table:
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return pq.read_table(buffer)


@pytest.mark.parametrize("model", STEP_VALUES, ids=lambda model: model.__name__)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_a_result_survives_the_table(model: type[Record], data: st.DataObject) -> None:
    value = data.draw(records(model))
    row = {"unit_id": "u", "subject": "s", "outcome": "result", "result": value.model_dump(), "rejection": None}
    table = pa.Table.from_pylist([row | {"failure": None}], schema=cell_schema(model))
    (found,) = through_parquet(table).to_pylist()
    again = found["result"]
    assert _without_computed(again, model) == _without_computed(value.model_dump(), model)


def _without_computed(value: Any, model: type[Record]) -> Any:
    """Lists and tuples alike, computed fields gone: what a record is made of."""
    if isinstance(value, dict):
        return {key: _without_computed(item, model) for key, item in value.items() if not _is_computed(value, key)}
    if isinstance(value, list | tuple):
        return [_without_computed(item, model) for item in value]
    return value


def _is_computed(value: dict[str, Any], key: str) -> bool:
    return "start_pts" in value and key in Span.model_computed_fields


@pytest.mark.parametrize("model", STEP_VALUES, ids=lambda model: model.__name__)
def test_the_schema_names_every_field(model: type[Record]) -> None:
    assert set(record_schema(model).names) == set(model.model_fields) | set(model.model_computed_fields)


def test_rejections_and_failures_survive_the_table() -> None:
    verdict = Verdict(
        subject_id="c", decision="reject", rule="split.min_clip_s", score=1.5, threshold=2.0, reason="short"
    )
    made: list[StepRecord] = [
        Rejection(unit_id="a", subject="a.mp4", verdict=verdict),
        Failure(unit_id="b", subject="b.mp4", kind="MediaError", message="b.mp4: empty", traceback="…"),
        Result(
            unit_id="c",
            subject="c.mp4",
            value=Span(start_pts=1, end_pts=2, time_base=TimeBase(numerator=1, denominator=5)),
        ),
    ]
    table = pa.Table.from_pylist([cell_row(record) for record in made], schema=cell_schema(Span))
    assert [row_record(row, Span) for row in through_parquet(table).to_pylist()] == made


def test_seconds_stand_beside_ticks_in_the_table() -> None:
    span = Span(start_pts=25, end_pts=50, time_base=TimeBase(numerator=1, denominator=25))
    table = records_to_table([span], Span)
    assert table.to_pylist()[0]["start_s"] == 1.0
    assert table_to_records(table, Span) == [span]


def test_a_type_without_a_column_is_refused() -> None:
    with pytest.raises(TypeError, match="no Arrow type"):
        arrow_type(complex)
