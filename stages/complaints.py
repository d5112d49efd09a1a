"""What the decoder says while it works: damage that it hides behind frames that look whole is told only there.

Here: collecting ffmpeg's own warnings and errors as problems. Not here: what we notice ourselves (`stages.decode`).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import av.logging

_MAX_KINDS = 10
_NOT_THE_FILE = frozenset({"swscaler", "swresampler", "SWR"})
"""Speakers that talk about our conversions."""


@contextmanager
def decoder_complaints(problems: list[str]) -> Iterator[None]:
    """Collect what demuxer and decoder warn of while the block lasts, one sentence for each kind of message.

    Messages that differ only in their numbers are one kind; the first is quoted, with how often its kind came. Lossy
    concealment (lost macroblocks, missing references) has no other trace: the frames come out, and not as they were.

    Args:
        problems: receives the sentences when the block ends, however it ends.
    """
    level, repeats = av.logging.get_level(), av.logging.get_skip_repeated()
    av.logging.set_level(av.logging.WARNING)
    av.logging.set_skip_repeated(False)
    try:
        with av.logging.Capture(local=False) as messages:
            yield
    finally:
        av.logging.set_level(level)
        av.logging.set_skip_repeated(repeats)
        problems.extend(_sentences([(name, text) for _, name, text in messages]))


def _sentences(messages: list[tuple[str, str]]) -> list[str]:
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
