"""What becomes of clips once they are labelled: duplicates, split and shard, the packaged sample.

Here: the records of `dedup`, `plan`, `package` and `card`. Not here: how they are decided (`stages`).
"""

from typing import Literal

from pydantic import Field

from schemas.base import Record
from schemas.media import Clip
from schemas.time import Span

DatasetSplit = Literal["train", "validation", "test"]


class UniqueClip(Record):
    """A clip that no earlier clip duplicates, and how that was decided."""

    clip: Clip
    method: str
    """How duplicates were looked for; `none` where nobody looked."""


class ShardAssignment(Record):
    """Which split, shard and place a clip got."""

    clip: Clip
    part: int
    """The part whose cells describe and label the clip."""
    split: DatasetSplit
    shard: str
    """Name of the shard without its ending: `train-000000`."""
    position: int
    """Place within the shard, from 0."""
    n_labels: int


class PackagedSample(Record):
    """One sample as it lies in its shard: one row of the shard's index."""

    sample_key: str
    """Key of the sample in the tar; the clip's id."""
    clip_id: str
    source_id: str
    source_name: str
    split: DatasetSplit
    shard: str
    span: Span
    n_frames: int
    """Frames in the packaged video: exactly those of the span."""
    n_labels: int
    n_bytes: int = Field(ge=0)
    """Bytes of the sample's members together, tar headers apart."""
    video_offset: int = Field(ge=0)
    """Byte offset of the mp4's first byte in the tar."""
    video_size_bytes: int = Field(ge=0)
    video_sha256: str
    json_offset: int = Field(ge=0)
    json_size_bytes: int = Field(ge=0)
    json_sha256: str
    is_stream_copy: bool
    """True where packets were copied, False where the clip was encoded again."""


class DatasetCard(Record):
    """What `card` wrote."""

    files: tuple[str, ...]
    """Paths below the run's folder."""
    n_samples: int
    n_labels: int
