"""From the whole corpus to shards: who goes where, and packing one shard.

Here: the cells of `plan` and `package`, and the files that belong to them. Not here: the rules (`stages.shards`) and
the cutting (`stages.cutting.cut`).
"""

import contextlib
import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq

from pipeline import units
from pipeline.attempt import Unit, attempt
from pipeline.grid import CellTask, Inputs, Run
from pipeline.local_copy import local_copy
from pipeline.parts import probed_sources
from pipeline.sample import sample_json
from pipeline.tables import write_row
from pipeline.work import CutFile
from schemas.arrow import StepRecord, records_to_table
from schemas.base import Record
from schemas.cell import FileStamp
from schemas.dataset import PackagedSample, ShardAssignment
from schemas.media import Clip
from schemas.verdict import Result
from stages.shards import ShardCandidate, ShardSample, assign_shards, write_shard

_HASH_CHUNK_BYTES = 2**20


def assigned_clips(inputs: Inputs) -> Iterator[Unit]:
    """Every clip with its split, shard and place, for `plan`."""
    bytes_per_s = {
        source.source_id: source.size_bytes / max(source.video.duration_s_from_content, 1e-3)
        for source in probed_sources(inputs.run)
    }
    n_labels = _label_counts(inputs)
    candidates = [
        ShardCandidate(
            clip=unique.clip,
            part=part,
            n_labels=n_labels[unique.clip.clip_id],
            estimated_size_bytes=_estimate(unique.clip, bytes_per_s),
        )
        for part, unique in units.corpus_clips(inputs)
    ]
    for assignment in assign_shards(candidates, inputs.run.config.plan):
        yield Unit(assignment.clip.clip_id, units.clip_subject(assignment.clip), assignment)


def _label_counts(inputs: Inputs) -> Counter[str]:
    counts: Counter[str] = Counter()
    for name in (name for name in inputs.step.reads if name.startswith("verify.")):
        for row in inputs.rows_of(name):
            for found in inputs.run.store.read(name, row, ["outcome", "result.label.clip_id"]):
                if found["outcome"] == "result":
                    counts[found["result"]["label"]["clip_id"]] += 1
    return counts


def _estimate(clip: Clip, bytes_per_s: dict[str, float]) -> int:
    return int(clip.span.duration_s * bytes_per_s[clip.source_id])


def update_shards(run: Run) -> None:
    """List the shards' clips, one row a shard, in the order in which shards first occur."""
    shards: dict[str, list[ShardAssignment]] = {}
    for assignment in Inputs(run, run.step("card"), 0).results("plan"):
        shards.setdefault(assignment.shard, []).append(assignment)
    for row, members in enumerate(shards.values()):
        results = [Result(unit_id=m.clip.clip_id, subject=units.clip_subject(m.clip), value=m) for m in members]
        write_row(run.store, "shards", row, results, ShardAssignment)
    for row in run.store.rows("shards"):
        if row >= len(shards):
            run.store.remove_cell("shards", row)


def pack_shard(task: CellTask) -> Iterator[StepRecord]:
    """Cut a shard's clips, write its tar and its index, and account for every clip.

    A clip that cannot be cut is a failure of its own and leaves the others where they are.
    """
    failed: list[StepRecord] = []
    subjects: dict[str, str] = {}
    name = next(task.inputs.listed(ShardAssignment)).shard
    with tempfile.TemporaryDirectory(prefix="reelproof-") as folder:
        samples = _cut_samples(task, Path(folder), failed, subjects)
        tar, index = f"shards/{name}.tar", f"shards/{name}.parquet"
        with task.store.writing(tar) as path:
            packaged = write_shard(path, samples, n_pictures=task.config.describe.keyframes_per_clip)
            task.files.append(_stamp(tar, path))
    with task.store.writing(index) as path:
        pq.write_table(records_to_table(packaged, PackagedSample), path, compression="zstd")
        task.files.append(_stamp(index, path))
    yield from failed
    for sample in packaged:
        yield Result(unit_id=sample.clip_id, subject=subjects[sample.clip_id], value=sample)


def _cut_samples(
    task: CellTask, folder: Path, failed: list[StepRecord], subjects: dict[str, str]
) -> Iterator[ShardSample]:
    video = folder / "clip.mp4"
    with SourceOnHand() as source:
        for unit in units.shard_clips(task.inputs):
            assignment, description, verified, figures = unit.payload
            record = source.fetch(unit, assignment.clip.uri)
            if isinstance(record, Result) and isinstance(record.value, LocalFile):
                cut = (assignment.clip, record.value.path, str(video))
                record = task.worker.attempt(Unit(unit.unit_id, unit.subject, cut))
            if not (isinstance(record, Result) and isinstance(record.value, CutFile)):
                failed.append(record)
                continue
            subjects[unit.unit_id] = unit.subject
            yield ShardSample(
                assignment=assignment,
                video=video,
                json=sample_json(assignment, description, verified, figures),
                jpegs=tuple(keyframe.sample.jpeg for keyframe in description.keyframes),
                n_frames=record.value.n_frames,
                is_stream_copy=record.value.is_stream_copy,
            )
            video.unlink()


class LocalFile(Record):
    """A source as a local file."""

    path: str


class SourceOnHand(contextlib.ExitStack):
    """The source fetched last, kept until another is asked for: a shard's clips come source by source."""

    def __init__(self) -> None:
        super().__init__()
        self._uri: str | None = None
        self._file: LocalFile | None = None

    def fetch(self, unit: Unit, uri: str) -> StepRecord:
        """The local file as a result for the unit, or the unit's failure where it cannot be had."""
        return attempt(self._fetch, Unit(unit.unit_id, unit.subject, uri))

    def _fetch(self, uri: str) -> LocalFile:
        if self._file is None or uri != self._uri:
            self.close()
            self._file = None
            self._file = LocalFile(path=str(self.enter_context(local_copy(uri))))
            self._uri = uri
        return self._file


def _stamp(relative: str, path: Path) -> FileStamp:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_HASH_CHUNK_BYTES):
            digest.update(chunk)
    return FileStamp(path=relative, size_bytes=path.stat().st_size, sha256=digest.hexdigest())


def remove_surplus_shards(run: Run) -> None:
    """Delete cells and files of shards that the plan no longer has."""
    rows = set(run.rows(run.step("package")))
    for row in run.store.rows("package"):
        if row not in rows:
            run.store.remove_cell("package", row)
    infos = [run.store.info("package", row) for row in rows]
    wanted = {stamp.path for info in infos if info for stamp in info.files}
    for name in run.store.names("shards"):
        if f"shards/{name}" not in wanted:
            run.store.remove(f"shards/{name}")
