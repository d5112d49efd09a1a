"""A source that lies elsewhere is fetched when it is needed, and kept while it is."""

from pathlib import Path

import fsspec
import pytest

from pipeline.local_copy import LastCopy


def test_the_source_asked_for_last_is_fetched_once() -> None:
    memory = fsspec.filesystem("memory")
    for name in ("a", "b"):
        memory.pipe_file(f"/copies/{name}.mp4", name.encode())
    copies = LastCopy()
    first = copies.path("memory://copies/a.mp4")
    memory.rm_file("/copies/a.mp4")
    assert copies.path("memory://copies/a.mp4") == first
    assert first.read_bytes() == b"a"
    other = copies.path("memory://copies/b.mp4")
    assert other.read_bytes() == b"b"
    assert not first.exists()


def test_a_source_that_cannot_be_fetched_is_asked_for_again() -> None:
    copies = LastCopy()
    with pytest.raises(FileNotFoundError):
        copies.path("memory://copies/later.mp4")
    fsspec.filesystem("memory").pipe_file("/copies/later.mp4", b"here")
    assert copies.path("memory://copies/later.mp4").read_bytes() == b"here"


def test_a_local_source_is_its_own_file(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"a")
    assert LastCopy().path(str(path)) == path
