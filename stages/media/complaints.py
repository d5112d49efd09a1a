"""What the decoder says while it works: damage that it hides behind frames that look whole is told only there.

Here: collecting ffmpeg's own warnings and errors as problems. Not here: what we notice ourselves
(`stages.media.decode`).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

import av.logging

_MAX_KINDS = 10
_NOT_THE_FILE = frozenset({"swscaler", "swresampler", "SWR"})
"""Speakers that talk about our conversions."""


Messages: TypeAlias = list[tuple[str, str]]
"""Who spoke, and the text."""


@contextmanager
def complaints_on() -> Iterator[None]:
    """Have ffmpeg tell what it warns of while the block lasts. For the whole process: enter it once, not per thread."""
    level, repeats = av.logging.get_level(), av.logging.get_skip_repeated()
    av.logging.set_level(av.logging.WARNING)
    av.logging.set_skip_repeated(False)
    try:
        yield
    finally:
        av.logging.set_level(level)
        av.logging.set_skip_repeated(repeats)


@contextmanager
def decoder_messages(messages: Messages) -> Iterator[None]:
    """Collect what demuxer and decoder say in this thread while the block lasts; a decoder must not have threads."""
    with av.logging.Capture(local=True) as heard:
        try:
            yield
        finally:
            messages.extend((name, text) for _, name, text in heard)


def complaints(messages: Messages) -> list[str]:
    """What was said, one sentence for each kind of message.

    Messages that differ only in their numbers are one kind; the first is quoted, with how often its kind came. Lossy
    concealment (lost macroblocks, missing references) has no other trace: the frames come out, and not as they were.
    """
    kinds: dict[tuple[str, str], tuple[str, int]] = {}
    for name, text in messages:
        line = " ".join(text.split())
        if not line or name in _NOT_THE_FILE:
            continue
        kind = (name, re.sub(r"-?(0x)?[0-9a-f]*\d[0-9a-f]*", "#", line))
        first, count = kinds.get(kind, (line, 0))
        kinds[kind] = (first, count + 1)
    told = [
        f"the {name} decoder says: {first}" + (f" ({count} such messages)" if count > 1 else "")
        for (name, _), (first, count) in list(kinds.items())[:_MAX_KINDS]
    ]
    rest = len(kinds) - len(told)
    return [*told, f"and {rest} more kinds of messages"] if rest else told
