"""Which videos there are: folders, buckets, single files and lists become pages of the listing.

Here: finding inputs through fsspec, and keeping pages stable when inputs are added. Nothing is opened here.
"""

import hashlib
import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import fsspec

from pipeline.store import Store
from pipeline.tables import read_row, write_row
from schemas.media import ListedSource
from schemas.verdict import Result
from stages.errors import one_line

VIDEO_SUFFIXES = frozenset([
    ".3g2", ".3gp", ".asf", ".avi", ".divx", ".dv", ".f4v", ".flv", ".m2ts", ".m2v", ".m4v", ".mkv", ".mov", ".mp4",
    ".mpeg", ".mpg", ".mts", ".mxf", ".ogm", ".ogv", ".qt", ".ts", ".vob", ".webm", ".wmv",
])  # fmt: skip
"""Endings taken from a folder; a file that is named itself is taken whatever its ending."""


class ListingError(Exception):
    """An input that was asked for is not there, or holds no video."""


@dataclass
class Found:
    """What a search of the inputs turned up."""

    sources: list[ListedSource] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    """Files in folders that have no video's ending, by ending."""


def find_sources(inputs: Sequence[str]) -> Found:
    """The videos under the inputs, sorted by URI, each once.

    An input is a file, a folder, a URL of either that fsspec understands, or a `.txt` list with one of these a line.
    Raises ListingError, naming the input, where it does not exist or yields nothing.
    """
    found = Found()
    for text in inputs:
        before = len(found.sources)
        _find(text, found)
        if len(found.sources) == before:
            skipped = ", ".join(f"{count} {suffix}" for suffix, count in found.skipped.most_common(5))
            raise ListingError(f"no video in {text!r}" + (f" (files with other endings: {skipped})" if skipped else ""))
    unique = {source.uri: source for source in found.sources}
    found.sources = [unique[uri] for uri in sorted(unique)]
    return found


def _find(text: str, found: Found, lists: tuple[str, ...] = ()) -> None:
    """Adds what an input, or a line of the innermost of `lists`, stands for."""
    told = f" (a line of the list {lists[-1]!r})" if lists else ""
    with _reaching(text, told):
        filesystem, root = fsspec.url_to_fs(text)
        is_there, is_file = filesystem.exists(root), filesystem.isfile(root)
        infos = {root: filesystem.info(root)} if is_file else filesystem.find(root, detail=True)
    if not is_there:
        raise ListingError(f"input {text!r} does not exist{told}")
    if is_file:
        if root.endswith(".txt"):
            if root in lists:
                raise ListingError(f"list {text!r} names itself{told}: take that line out")
            with _reaching(text, told):
                content = filesystem.cat_file(root)
            for line in _lines(content, text):
                _find(line, found, (*lists, root))
            return
        found.sources.append(_listed(filesystem, infos[root], posixpath.basename(root)))
        return
    for path, info in sorted(infos.items()):
        relative = posixpath.relpath(path, root)
        if any(part.startswith(".") for part in relative.split("/")):
            continue
        suffix = posixpath.splitext(path)[1].lower()
        if suffix in VIDEO_SUFFIXES:
            found.sources.append(_listed(filesystem, info, relative))
        else:
            found.skipped[suffix or "no ending"] += 1


@contextmanager
def _reaching(text: str, told: str) -> Iterator[None]:
    """ListingError for whatever keeps an input from being read: every file system's library has errors of its own."""
    try:
        yield
    except Exception as error:
        raise ListingError(f"input {text!r} cannot be reached: {one_line(error)}{told}") from error


def _lines(content: bytes, text: str) -> list[str]:
    """What a list names, a line each. Raises ListingError where it is no text."""
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ListingError(f"list {text!r} is not text in UTF-8: save it as such") from error
    return [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]


def _listed(filesystem: fsspec.AbstractFileSystem, info: dict[str, object], name: str) -> ListedSource:
    path = _printable(str(info["name"]))
    name = _printable(name)
    uri = path if _is_local(filesystem) else filesystem.unstrip_protocol(path)
    version = next((str(info[key]) for key in ("ETag", "etag", "mtime", "LastModified", "created") if key in info), "")
    size = info["size"]
    return ListedSource(
        source_id=source_id(name),
        uri=uri,
        name=name,
        size_bytes=size if isinstance(size, int) else 0,
        version=version,
    )


def _printable(name: str) -> str:
    """The name with bytes that are no UTF-8 spelled out: Linux allows them, no table does. Such a file is not found."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _is_local(filesystem: fsspec.AbstractFileSystem) -> bool:
    return "file" in ([filesystem.protocol] if isinstance(filesystem.protocol, str) else filesystem.protocol)


def source_id(name: str, salt: str = "") -> str:
    """`<stem>-<hash>`: readable, and the same wherever the folder of the input lies.

    Labels, splits and shards follow from ids, so a corpus that moves to a bucket still makes the same data set. `salt`
    tells files of one name apart.
    """
    stem = re.sub(r"[^a-z0-9]+", "-", Path(name).stem.lower()).strip("-")[:32].strip("-")
    return f"{stem or 'video'}-{hashlib.sha256(f'{name}{salt}'.encode()).hexdigest()[:10]}"


def update_listing(store: Store, sources: Iterable[ListedSource], page_size: int) -> int:
    """Bring the pages in line with what was found, and return how many sources were listed before but not found now.

    A source keeps its page for ever: new ones open new pages, so no earlier page changes. One that is no longer among
    the inputs stays in the data set.
    """
    current = {source.uri: source for source in sources}
    known: dict[str, str] = {}
    rows = store.rows("listing")
    for row in rows:
        page = list(read_row(store, "listing", row, ListedSource))
        known |= {source.uri: source.source_id for source in page}
        found = [current.get(source.uri, source) for source in page]
        _write_page(store, row, [source.replace(source_id=known[source.uri]) for source in found])
    new = _told_apart([source for uri, source in current.items() if uri not in known], set(known.values()))
    next_row = max(rows, default=-1) + 1
    for offset in range(0, len(new), page_size):
        _write_page(store, next_row + offset // page_size, new[offset : offset + page_size])
    return len(known.keys() - current.keys())


def _told_apart(new: Iterable[ListedSource], taken: set[str]) -> list[ListedSource]:
    """New sources, those whose id is taken by another file of that name with an id of their own."""
    told = []
    for source in new:
        own = source.source_id if source.source_id not in taken else source_id(source.name, salt=source.uri)
        taken.add(own)
        told.append(source.replace(source_id=own))
    return told


def _write_page(store: Store, row: int, page: Sequence[ListedSource]) -> None:
    results = [Result(unit_id=source.source_id, subject=source.name, value=source) for source in page]
    write_row(store, "listing", row, results, ListedSource)
