"""Replies that are kept: one JSON file each, so that nothing is paid twice.

Here: reading, writing and adding up. Not here: the record (`endpoint.chat.Reply`), or who asks.

`replies/<first two digits of the key>/<key>.json`. A file is written whole or not at all; one that cannot be read, for
whatever reason, counts as absent. Where a request is asked again although its reply was kept, the older reply stays
beside the new one under a longer name: it was paid too. Neither keys of endpoints nor pictures are in a reply.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from pydantic import ValidationError

from annotators.endpoint.budget import Tally
from annotators.endpoint.chat import Reply

FOLDER = "replies"
_PREFIXES = frozenset(f"{number:02x}" for number in range(256))
_THREADS = 16


class Files(Protocol):
    """A folder, here or in a bucket; paths are relative to it. Its methods are called from several threads."""

    def exists(self, relative: str, /) -> bool:
        """Whether the file is there."""
        ...

    def read_bytes(self, relative: str, /) -> bytes:
        """The file's content. Raises FileNotFoundError."""
        ...

    def write_bytes(self, relative: str, data: bytes, /) -> None:
        """Write a file so that a reader sees either the old content or the new."""
        ...

    def names(self, folder: str, /) -> list[str]:
        """Names of the files and folders in a folder; empty where it does not exist."""
        ...


class Replies:
    """The kept replies of one run's folder."""

    def __init__(self, files: Files) -> None:
        self.files = files

    def get(self, key: str) -> Reply | None:
        """The latest reply to a request; None where there is none that can be read."""
        try:
            reply = _parsed(self.files.read_bytes(_path(key)))
        except FileNotFoundError:
            return None
        return reply if reply is not None and reply.key == key else None

    def put(self, reply: Reply) -> None:
        """Keep a reply; an older one to the same request stays beside it."""
        path = _path(reply.key)
        if self.files.exists(path):
            older = self.files.read_bytes(path)
            self.files.write_bytes(_older_path(reply.key, older), older)
        self.files.write_bytes(path, (reply.model_dump_json(indent=2) + "\n").encode())

    def __iter__(self) -> Iterator[Reply]:
        """Every reply that was ever kept, one by one, in no order that means anything."""
        for prefix in self._prefixes():
            yield from self._in_folder(prefix)

    def tallies(self) -> Mapping[str, Tally]:
        """What was spent on all kept replies, by annotator; read by several threads."""
        with ThreadPoolExecutor(_THREADS) as threads:
            found = list(threads.map(lambda prefix: _added(self._in_folder(prefix)), self._prefixes()))
        sums: dict[str, Tally] = {}
        for tallies in found:
            for annotator, tally in tallies.items():
                sums[annotator] = sums.get(annotator, Tally()) + tally
        return sums

    def _prefixes(self) -> list[str]:
        """Those that replies have: asking a bucket for each that there may be takes seconds."""
        return [name for name in self.files.names(FOLDER) if name in _PREFIXES]

    def _in_folder(self, prefix: str) -> Iterator[Reply]:
        """A crash between the two writes of `put` leaves one reply under both names: it counts once."""
        seen: set[tuple[str, str]] = set()
        for name in self.files.names(f"{FOLDER}/{prefix}"):
            try:
                reply = _parsed(self.files.read_bytes(f"{FOLDER}/{prefix}/{name}"))
            except FileNotFoundError:
                continue
            if reply is not None and (reply.key, reply.received_at) not in seen:
                seen.add((reply.key, reply.received_at))
                yield reply


def _path(key: str) -> str:
    return f"{FOLDER}/{key[:2]}/{key}.json"


def _older_path(key: str, content: bytes) -> str:
    return f"{FOLDER}/{key[:2]}/{key}.{hashlib.sha256(content).hexdigest()[:8]}.json"


def _parsed(content: bytes) -> Reply | None:
    try:
        return Reply.model_validate_json(content)
    except ValidationError:
        return None


def _added(replies: Iterable[Reply]) -> dict[str, Tally]:
    sums: dict[str, Tally] = {}
    for reply in replies:
        tally = Tally(
            requests=1, input_tokens=reply.input_tokens, cached_input_tokens=reply.cached_input_tokens,
            output_tokens=reply.output_tokens, reasoning_tokens=reply.reasoning_tokens, cost_usd=reply.cost_usd,
        )  # fmt: skip
        sums[reply.annotator] = sums.get(reply.annotator, Tally()) + tally
    return sums
