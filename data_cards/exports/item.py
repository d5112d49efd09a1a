"""One packaged sample as an export meets it, and what a format is.

Here: `ExportItem`, `Format`, `Skipped` and running over labels. Not here: any one shape (a module each), reading shards
or writing files (`jobs.export`).
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from schemas.dataset import DatasetSplit
from schemas.label import LabelKind

SAMPLE_SCHEMA = "reelproof-sample/1"

Row = dict[str, Any]
"""One row of an export, ready for JSON."""
LabelJson = Mapping[str, Any]
"""A label as a sample's JSON holds it."""


class SampleError(ValueError):
    """A sample's JSON that is not what `package` writes."""


@dataclass(frozen=True)
class ExportItem:
    """One sample, with what a row may name."""

    split: DatasetSplit
    shard: str
    """Name of the shard without its ending."""
    clip_id: str
    video: str
    """Path of the clip's mp4 below the export's folder."""
    source_name: str
    """Name of the video that the clip was cut from."""
    duration_s: float
    """Of the clip."""
    sample: Mapping[str, Any]
    """The sample's JSON."""

    @property
    def labels(self) -> tuple[LabelJson, ...]:
        """The clip's labels, in order."""
        return tuple(self.sample["labels"])

    def seconds(self, span: Mapping[str, Any]) -> tuple[float, float]:
        """Start and end of a span, seconds from the packaged clip's start, to the millisecond."""
        start_s, end_s = float(span["start_in_clip_s"]), float(span["end_in_clip_s"])
        return round(max(start_s, 0.0), 3), round(min(end_s, self.duration_s), 3)

    def is_whole(self, span: Mapping[str, Any]) -> bool:
        """Whether a span is the clip from end to end."""
        return self.seconds(span) == (0.0, round(self.duration_s, 3))

    def instant(self, pts: int) -> float:
        """Seconds from the clip's start of a tick on the source's timeline, to the millisecond."""
        span = self.sample["span"]
        base = span["time_base"]
        return round(float((pts - span["start_pts"]) * base["numerator"] / base["denominator"]), 3)


@dataclass(frozen=True)
class Skipped:
    """A label that a format cannot express."""

    kind: str
    reason: str


@dataclass(frozen=True)
class Format:
    """One published shape of annotations."""

    name: str
    file_kind: Literal["json", "jsonl"]
    """`json`: one list; `jsonl`: one row a line. As the shape is published."""
    about: str
    """Whose shape it is, in a few words."""
    left_out: str
    """What of a sample the shape cannot hold, and what ours fills in where it asks for more than is known."""
    rows: Callable[[ExportItem], Iterator[Row | Skipped]]
    """Of one sample: every label is in a row, or skipped exactly once."""


@dataclass
class Tally:
    """What became of the samples' labels."""

    samples: int = 0
    rows: int = 0
    labels: int = 0
    """Labels that are in a row."""
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Labels that are not, by kind and reason."""

    def of(self, made: Format, item: ExportItem) -> Iterator[Row]:
        """The sample's rows, counted as they pass."""
        n_skipped = 0
        for row in made.rows(item):
            if isinstance(row, Skipped):
                self.skipped[row.kind, row.reason] += 1
                n_skipped += 1
            else:
                self.rows += 1
                yield row
        self.samples += 1
        self.labels += len(item.labels) - n_skipped


def export_item(split: DatasetSplit, shard: str, video: str, sample: Any) -> ExportItem:
    """A packaged sample's JSON as an item. Raises SampleError where it is no such JSON."""
    if not isinstance(sample, Mapping) or sample.get("schema") != SAMPLE_SCHEMA:
        raise SampleError(f"a sample of {shard} is not of the form {SAMPLE_SCHEMA}")
    try:
        span = sample["span"]
        return ExportItem(
            split=split,
            shard=shard,
            clip_id=sample["clip_id"],
            video=video,
            source_name=sample["source"]["name"],
            duration_s=float(span["end_in_clip_s"] - span["start_in_clip_s"]),
            sample={**sample, "labels": list(sample["labels"])},
        )
    except (KeyError, TypeError) as error:
        raise SampleError(f"a sample of {shard} lacks {error}") from error


Express = Callable[[ExportItem, LabelJson], Row | str]
"""A label as a row, or why it is none."""


def by_kind(kinds: Mapping[LabelKind, Express | str]) -> Callable[[ExportItem], Iterator[Row | Skipped]]:
    """Rows of samples label by label, each kind by its own function; a text says why a kind is never expressed."""
    missing = set(get_args(LabelKind)) - set(kinds)
    if missing:
        raise ValueError(f"nothing is said of labels of kind {sorted(missing)}")

    def rows(item: ExportItem) -> Iterator[Row | Skipped]:
        for label in item.labels:
            express = kinds.get(label["kind"], "this version knows no such kind")
            made = express if isinstance(express, str) else express(item, label)
            yield Skipped(label["kind"], made) if isinstance(made, str) else made

    return rows
