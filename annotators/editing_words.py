"""Whether a sentence names a term of editing: by one of its words, inflected, or by a phrase with little in between.

Here: the matcher. Not here: the words themselves (`schemas/taxonomies/editing.yaml`), or what follows from a match
(`annotators.editing`). All of it is ours, and it knows English only.
"""

import re
from collections.abc import Iterator, Sequence

from schemas.taxonomy import EditingValue

MAX_GAP = 3
"""Words that may stand between two words of a phrase, so that `pan left` is named by "pans slowly to the left"."""
NEGATION_REACH = 3
"""Words before a term among which a negation makes it a denied one."""

_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[.,;:!?()]")
_CLOCKWISE = re.compile(r"\b(counter|anti)[\s-]+clockwise")
_BOUNDARIES = frozenset({".", ",", ";", ":", "!", "?", "(", ")", "but"})
_NEGATIONS = frozenset({"not", "no", "never", "without", "nor", "neither", "cannot", "instead", "than"})


def names(text: str, value: EditingValue) -> bool:
    """Whether the text mentions the value, be it to deny it."""
    tokens = _tokens(text)
    return any(_found(tokens, phrase) for phrase in _phrases(value))


def affirms(text: str, value: EditingValue) -> bool:
    """Whether the text mentions the value without denying it."""
    tokens = _tokens(text)
    found = (start for phrase in _phrases(value) for start in _found(tokens, phrase))
    return any(not _is_denied(tokens, start) for start in found)


def _tokens(text: str) -> list[str]:
    joined = _CLOCKWISE.sub(r"\1clockwise", text.casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
    return _TOKEN.findall(joined)


def _phrases(value: EditingValue) -> Iterator[list[frozenset[str]]]:
    for phrase in value.words:
        yield [_inflected(word) for word in phrase.casefold().split()]


def _inflected(word: str) -> frozenset[str]:
    """The word with the endings of regular nouns and verbs."""
    forms = {word, *(word + ending for ending in ("s", "es", "d", "ed", "ing"))}
    forms |= {f"{word}{word[-1]}ed", f"{word}{word[-1]}ing"}
    return frozenset(forms | ({f"{word[:-1]}ing"} if word.endswith("e") else set()))


def _found(tokens: Sequence[str], phrase: Sequence[frozenset[str]]) -> list[int]:
    """Where the phrase's first word stands, for each place where the phrase is."""
    starts = [place for place, token in enumerate(tokens) if phrase and token in phrase[0]]
    return [start for start in starts if _goes_on(tokens, start, phrase[1:])]


def _goes_on(tokens: Sequence[str], place: int, rest: Sequence[frozenset[str]]) -> bool:
    """Whether the rest of a phrase follows, each word soon after the one before and in the same clause."""
    if not rest:
        return True
    for offset, token in enumerate(tokens[place + 1 : place + 2 + MAX_GAP], place + 1):
        if token in _BOUNDARIES:
            return False
        if token in rest[0] and _goes_on(tokens, offset, rest[1:]):
            return True
    return False


def _is_denied(tokens: Sequence[str], start: int) -> bool:
    for token in reversed(tokens[max(0, start - NEGATION_REACH) : start]):
        if token in _BOUNDARIES:
            return False
        if token in _NEGATIONS or token.endswith("n't"):
            return True
    return False
