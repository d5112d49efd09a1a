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


def _is_transient(error: Exception) -> bool:
    return isinstance(error, OSError) and not isinstance(error, (FileNotFoundError, PermissionError))


@stamina.retry(on=_is_transient, attempts=5)
def _fetch(filesystem: fsspec.AbstractFileSystem, path: str, local: Path) -> None:
    filesystem.get_file(path, str(local))
