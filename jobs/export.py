"""`reelproof export`: a run's packaged samples in a shape that others have published.

Here: reading shards, and what is written and told. Not here: the shapes (`data_cards.exports`), the folder that it goes
to (`jobs.export_folder`), or options (`jobs.cli`).
"""

import contextlib
import json
import re
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, get_args

from rich.console import Console

from data_cards.exports import FORMATS, ExportItem, Format, SampleError, Tally, export_item
from jobs.export_folder import AnnotationFile, ExportFolder, export_folder, is_empty
from pipeline import run_file
from pipeline.grid import CODE_VERSION, GridError
from pipeline.store import Store, StoreUnusableError
from schemas.dataset import DatasetSplit

SUMMARY = "export.json"
"""Written last: what was exported from where, what was skipped and why."""
SPLITS: tuple[DatasetSplit, ...] = get_args(DatasetSplit)
_SHARD = re.compile(rf"({'|'.join(SPLITS)})-\d+\.tar")


class ExportError(Exception):
    """The request cannot be met; the message is one line."""


@dataclass(frozen=True)
class ExportRequest:
    """What was asked for on the command line."""

    directory: str
    """Folder of the run, or of its shards where they were downloaded without the rest."""
    format: str
    to: str
    """Folder that does not exist yet, or is empty; local or a URL."""
    split: str = "all"
    videos: bool = True
    pictures: bool = False


@dataclass(frozen=True)
class Exported:
    """What an export wrote."""

    format: Format
    files: Mapping[str, str]
    """Annotation files by split, as a person would open them."""
    clips: int
    """Samples that a row names."""
    tally: Tally
    is_of_unfinished_run: bool


def export(request: ExportRequest) -> Exported:
    """Write the samples of a run in another shape: annotations by split, and the clips that a row names.

    The folder appears whole or not at all; in a bucket, `export.json` comes last. Raises ExportError where the request
    is wrong, or nothing in the run can be written in this shape.
    """
    made = FORMATS.get(request.format)
    if made is None:
        raise ExportError(f"there is no format {request.format!r}; there are {', '.join(FORMATS)}")
    source, target = _store(request.directory), _store(request.to)
    try:
        shards = _shards(source, request)
        if not is_empty(target):
            raise ExportError(f"{request.to!r} is not empty: name a folder that does not exist yet")
        with export_folder(target, SUMMARY) as folder, contextlib.ExitStack() as open_files:
            export_of = _Export(request, made, folder, open_files)
            for split, name in shards:
                export_of.add_shard(source, split, name)
            open_files.close()
            exported = export_of.outcome(target, is_unfinished=_is_unfinished(source))
            folder.add_text(SUMMARY, json.dumps(_summary(request, exported), indent=2, ensure_ascii=False))
    except OSError as error:
        raise ExportError(f"cannot export: {' '.join(str(error).split())}") from error
    return exported


def print_export(exported: Exported) -> None:
    """Print what was written, and what was skipped for which reason."""
    console, tally = Console(), exported.tally
    labels = tally.labels + tally.skipped.total()
    lines = [
        f"{exported.format.name}: {exported.format.about}",
        f"{tally.labels} of {labels} labels in {tally.rows} rows, on {exported.clips} of {tally.samples} clips",
    ]
    lines += [f"skipped {count} {kind}: {reason}" for (kind, reason), count in tally.skipped.most_common()]
    lines.append(f"left out of every row: {exported.format.left_out}")
    if exported.is_of_unfinished_run:
        lines.append("the run is not finished: this is what it has so far")
    lines += [f"{split:<10} {path}" for split, path in exported.files.items()]
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _store(uri: str) -> Store:
    try:
        return Store(uri)
    except StoreUnusableError as error:
        raise ExportError(str(error)) from error


def _shards(source: Store, request: ExportRequest) -> list[tuple[DatasetSplit, str]]:
    """Split and name of the shards that are asked for, in order."""
    if request.split not in ("all", *SPLITS):
        raise ExportError(f"there is no split {request.split!r}; there are {', '.join(SPLITS)} and all")
    found = [match for name in source.names("shards") if (match := _SHARD.fullmatch(name))]
    if not found:
        raise ExportError(f"{request.directory!r} holds no shards: let `reelproof run` come to its end first")
    by_split = {split: [m[0] for m in found if m[1] == split] for split in SPLITS}
    wanted = [split for split in SPLITS if request.split in ("all", split)]
    shards = [(split, name) for split in wanted for name in by_split[split]]
    if not shards:
        there = ", ".join(split for split in SPLITS if by_split[split])
        raise ExportError(f"{request.directory!r} has nothing in the split {request.split!r}, only in {there}")
    return shards


def _is_unfinished(source: Store) -> bool:
    """Whether the run goes on or was cut short; shards without a `run.json` that this version reads may be whole."""
    try:
        return run_file.load(source).ended_at is None
    except GridError:
        return False


@dataclass
class _Export:
    """An export while it is made."""

    request: ExportRequest
    made: Format
    folder: ExportFolder
    open_files: contextlib.ExitStack
    tally: Tally = field(default_factory=Tally)
    clips: int = 0
    annotations: dict[DatasetSplit, AnnotationFile] = field(default_factory=dict)

    def add_shard(self, source: Store, split: DatasetSplit, name: str) -> None:
        """All samples of a shard. Raises ExportError where it cannot be read."""
        try:
            with (
                source.fs.open(source.path(f"shards/{name}"), "rb") as file,
                tarfile.open(fileobj=file, mode="r:") as tar,
            ):
                for key, members in _samples(tar):
                    self._add_sample(tar, split, name.removesuffix(".tar"), key, members)
        except (tarfile.TarError, EOFError, ValueError, KeyError) as error:
            cause = f"a sample lacks {error}" if isinstance(error, KeyError) else " ".join(str(error).split())
            raise ExportError(f"{source.locate(f'shards/{name}')} cannot be read: {cause}") from error

    def _add_sample(
        self, tar: tarfile.TarFile, split: DatasetSplit, shard: str, key: str, members: Mapping[str, tarfile.TarInfo]
    ) -> None:
        video = f"videos/{key}.mp4"
        item = export_item(split, shard, video, json.loads(_content(tar, members["json"]).read()))
        if item.clip_id != key:
            raise SampleError(f"the sample {key} says that it is {item.clip_id}")
        rows = list(self.tally.of(self.made, item))
        if not rows:
            return
        self.clips += 1
        for row in rows:
            self._annotations_of(split).add(row)
        if self.request.videos:
            self.folder.add(video, _content(tar, members["mp4"]))
        for ending in self._pictures(item) if self.request.pictures else ():
            self.folder.add(f"pictures/{key}.{ending}", _content(tar, members[ending]))

    def _pictures(self, item: ExportItem) -> list[str]:
        """Endings of the sample's own pictures; a shard repeats the last one where samples have fewer than others."""
        return [keyframe["member"] for keyframe in item.sample["keyframes"]]

    def _annotations_of(self, split: DatasetSplit) -> AnnotationFile:
        if split not in self.annotations:
            self.annotations[split] = self.folder.annotations(split, self.made.file_kind)
            self.open_files.callback(self.annotations[split].close)
        return self.annotations[split]

    def outcome(self, target: Store, *, is_unfinished: bool) -> Exported:
        """What was written. Raises ExportError where that is nothing."""
        if not self.tally.rows:
            reasons = [f"{count} {kind} ({why})" for (kind, why), count in self.tally.skipped.most_common()]
            found = "; ".join(reasons) or "there are none"
            raise ExportError(f"no label can be written as {self.made.name}: {found}")
        files: dict[str, str] = {split: target.locate(f"{split}.{self.made.file_kind}") for split in self.annotations}
        return Exported(self.made, files, self.clips, self.tally, is_of_unfinished_run=is_unfinished)


def _samples(tar: tarfile.TarFile) -> Iterator[tuple[str, dict[str, tarfile.TarInfo]]]:
    """Key and members of each sample, by their ending; members of a sample stand together."""
    key, members = "", dict[str, tarfile.TarInfo]()
    for member in tar:
        name, _, ending = member.name.partition(".")
        if not member.isfile() or not name or "/" in member.name or "\\" in member.name:
            raise SampleError(f"{member.name!r} is no member of a sample")
        if name != key and members:
            yield key, members
            members = {}
        key = name
        members[ending] = member
    if members:
        yield key, members


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = tar.extractfile(member)
    if content is None:
        raise SampleError(f"{member.name!r} is no file")
    return content


def _summary(request: ExportRequest, exported: Exported) -> dict[str, Any]:
    tally = exported.tally
    skipped: Sequence[tuple[tuple[str, str], int]] = tally.skipped.most_common()
    return {
        "format": exported.format.name,
        "about": exported.format.about,
        "left_out": exported.format.left_out,
        "times": "seconds from the start of each clip",
        "code_version": CODE_VERSION,
        "split": request.split,
        "files": sorted(f"{split}.{exported.format.file_kind}" for split in exported.files),
        "samples": tally.samples,
        "clips": exported.clips,
        "rows": tally.rows,
        "labels": tally.labels,
        "skipped": [{"kind": kind, "reason": reason, "count": count} for (kind, reason), count in skipped],
        "has_videos": request.videos,
        "has_pictures": request.pictures,
        "is_of_unfinished_run": exported.is_of_unfinished_run,
    }
