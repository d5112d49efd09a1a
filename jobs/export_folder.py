"""The folder that an export is written to: whole or not at all, local or in a bucket.

Here: `ExportFolder` and annotation files row by row. Not here: what is exported (`jobs.export`).
"""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from data_cards.exports import Row
from pipeline.store import Store

_HIDDEN = ".writing-"


class AnnotationFile:
    """One annotation file: a JSON list, or one row a line."""

    def __init__(self, path: Path, file_kind: Literal["json", "jsonl"]) -> None:
        self._file = path.open("w", encoding="utf-8")
        self._is_list = file_kind == "json"
        self.n_rows = 0

    def add(self, row: Row) -> None:
        """One row. Raises ValueError where a number is none that JSON has."""
        text = json.dumps(row, ensure_ascii=False, allow_nan=False)
        before = "[\n" if self.n_rows == 0 else ",\n"
        self._file.write(before + text if self._is_list else f"{text}\n")
        self.n_rows += 1

    def close(self) -> None:
        """The end of the list; closing again does nothing."""
        if self._file.closed:
            return
        if self._is_list:
            self._file.write("\n]\n" if self.n_rows else "[]\n")
        self._file.close()


@dataclass
class ExportFolder:
    """An export while it grows."""

    target: Store
    staging: Path
    """A local folder: all of the export, or, where it goes to a bucket, what is put there at the end."""

    def add(self, relative: str, content: IO[bytes]) -> None:
        """A large file, copied as it comes."""
        if self.target.is_local:
            path = self.staging / relative
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                shutil.copyfileobj(content, file)
        else:
            self.target.fs.pipe_file(self.target.path(relative), content.read())

    def annotations(self, name: str, file_kind: Literal["json", "jsonl"]) -> AnnotationFile:
        """An annotation file, which its user closes."""
        return AnnotationFile(self.staging / f"{name}.{file_kind}", file_kind)

    def add_text(self, name: str, text: str) -> None:
        """A small file."""
        (self.staging / name).write_text(text, encoding="utf-8")

    def take_its_place(self, last: str) -> None:
        """Make the export visible: a local folder in one move, a bucket's files one by one and `last` at the end."""
        if self.target.is_local:
            self.staging.replace(self.target.root)
            return
        for path in sorted(self.staging.iterdir(), key=lambda path: (path.name == last, path.name)):
            self.target.fs.put_file(str(path), self.target.path(path.name))


def is_empty(target: Store) -> bool:
    """Whether nothing lies where an export is to go."""
    target.fs.invalidate_cache()
    if target.fs.isfile(target.root):
        return False
    return not (target.fs.isdir(target.root) and target.fs.ls(target.root))


@contextlib.contextmanager
def export_folder(target: Store, last: str) -> Iterator[ExportFolder]:
    """A folder to write to, which takes its place when the block ends well; of another end nothing local is left.

    `last` is the file that says that an export in a bucket is complete.
    """
    parent = Path(target.root).parent if target.is_local else None
    if parent:
        parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=_HIDDEN, dir=parent) as hidden:
        folder = ExportFolder(target, Path(hidden) / "export")
        folder.staging.mkdir()
        yield folder
        folder.take_its_place(last)
