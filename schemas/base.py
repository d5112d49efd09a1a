"""The base of every record: a frozen pydantic model that refuses unknown fields.

Here: `Record`, the array-to-tuple field types, and how a record becomes plain rows and comes back.
Not here: any particular record, or Arrow (`schemas.arrow`).
"""

from collections.abc import Mapping
from typing import Annotated, Any, Self

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator


class Record(BaseModel):
    """A value that crosses a boundary: immutable, complete, with no field that nobody declared.

    Fields computed from others (`start_s` beside `start_pts`) are written out for readers of the tables, and
    ignored when the record is read back.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _drop_computed_fields(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and cls.model_computed_fields:
            return {key: value for key, value in values.items() if key not in cls.model_computed_fields}
        return values

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed, validated again."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self)(**{**fields, **changes})


class ArrowType:
    """Annotation that names the Arrow type of a field where the Python type alone does not."""

    def __init__(self, arrow_type: pa.DataType) -> None:
        self.arrow_type = arrow_type


def _series(dtype: str) -> Any:
    def to_tuple(values: Any) -> tuple[Any, ...]:
        return tuple(np.asarray(values, dtype=dtype).tolist())

    return to_tuple


Float32Series = Annotated[tuple[float, ...], BeforeValidator(_series("float32")), ArrowType(pa.list_(pa.float32()))]
"""One float per frame, held at float32 precision so that it survives the table unchanged."""

Int64Series = Annotated[tuple[int, ...], BeforeValidator(_series("int64")), ArrowType(pa.list_(pa.int64()))]
"""One integer per frame."""

BoolSeries = Annotated[tuple[bool, ...], BeforeValidator(_series("bool")), ArrowType(pa.list_(pa.bool_()))]
"""One flag per frame."""
