"""A source as a local file: itself where it is one, a temporary copy where it lies in a bucket."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import fsspec
import stamina


@contextlib.contextmanager
def local_copy(uri: str) -> Iterator[Path]:
    """A local path with the source's bytes, for as long as the block lasts.

    Fetching is tried again with growing pauses when the network fails; a file that is not there is not tried again.
    Raises FileNotFoundError, or OSError when all tries failed.
    """
    filesystem, path = fsspec.url_to_fs(uri)
    if "file" in ([filesystem.protocol] if isinstance(filesystem.protocol, str) else filesystem.protocol):
        if not Path(path).exists():
            raise FileNotFoundError(f"{Path(path).name}: the file is gone, or its name is no UTF-8; if so, rename it")
        yield Path(path)
        return
    with tempfile.TemporaryDirectory(prefix="reelproof-") as folder:
        local = Path(folder) / "source"
        _fetch(filesystem, path, local)
        yield local


class LastCopy:
    """Sources as local files; the one that was asked for last is kept, so that its next slice fetches nothing."""

    def __init__(self) -> None:
        self._held = contextlib.ExitStack()
        self._uri, self._path = "", Path()

    def path(self, uri: str) -> Path:
        """A local path, good until another source is asked for. Raises what `local_copy` raises."""
        if uri != self._uri or not self._path.exists():
            self._uri = ""
            self._held.close()
            self._path = self._held.enter_context(local_copy(uri))
            self._uri = uri
        return self._path


def _is_transient(error: Exception) -> bool:
    return isinstance(error, OSError) and not isinstance(error, (FileNotFoundError, PermissionError))


@stamina.retry(on=_is_transient, attempts=5)
def _fetch(filesystem: fsspec.AbstractFileSystem, path: str, local: Path) -> None:
    filesystem.get_file(path, str(local))
