"""When two texts say the same, as far as their letters tell: folding, containment, likeness, times that are said.

Here: functions of texts, all of them ours. Not here: what is done where texts are alike (the annotators).
"""

import re
import unicodedata
from difflib import SequenceMatcher

Words = tuple[str, ...]
"""A text as it is compared: words and numbers, apart from case, punctuation and articles."""

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+(?:[.:][0-9]+)*")
"""A word or a number, decimals and clock times as one; signs of scripts without spaces one by one."""
_ARTICLES = frozenset({"a", "an", "the"})
_NUMBER = r"([0-9]+(?:\.[0-9]+)?)"
_SECONDS = re.compile(
    rf"(?:{_NUMBER}\s*(?:s|secs?|seconds?)?\s*(?:-|\u2013|to|and|until)\s*)?"
    rf"(?:{_NUMBER}[\s-]+(?:s|secs?|seconds?)|([0-9]+\.[0-9]+)s)\b",
    re.IGNORECASE,
)
"""`3 s`, `2.5s`, `4 seconds`, `from 1.2 to 3.4 s`; not `the 1980s`, which is why `3s` alone does not count."""


def words(text: str) -> Words:
    """The text as it is compared; articles count only where there is nothing else."""
    found = tuple(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))
    return tuple(word for word in found if word not in _ARTICLES) or found


def contains(whole: Words, part: Words) -> bool:
    """Whether `part` stands in `whole`, word by word and in one piece; nothing stands in anything."""
    size = len(part)
    return size > 0 and any(whole[at : at + size] == part for at in range(len(whole) - size + 1))


def likeness(whole: Words, part: Words) -> float:
    """How closely some stretch of `whole`, as many words long, resembles `part`, 0 to 1.

    The measure is Ratcliff and Obershelp's ratio. A stretch that has not the numbers of `part` does not resemble it.
    """
    size = min(len(part), len(whole))
    if not size:
        return 0.0
    stretches = {whole[at : at + size] for at in range(len(whole) - size + 1)}
    matcher = SequenceMatcher(None, autojunk=False)
    matcher.set_seq2(" ".join(part))
    best = 0.0
    for stretch in (stretch for stretch in stretches if _numbers(stretch) == _numbers(part)):
        matcher.set_seq1(" ".join(stretch))
        if matcher.quick_ratio() > best:
            best = max(best, matcher.ratio())
    return best


def said_seconds(text: str) -> tuple[float, ...]:
    """The times and lengths in seconds that a text speaks of, in order."""
    return tuple(float(number) for found in _SECONDS.finditer(text) for number in found.groups() if number)


def _numbers(text: Words) -> Words:
    return tuple(word for word in text if word[0].isdigit())
