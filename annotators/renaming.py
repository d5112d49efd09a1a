"""Putting names in the place of the phrases that stand for them in a text.

Here: where a phrase occurs, which of several phrases gets a place, and the text with names. Not here: whose name it is,
or asking for it (`annotators.names`). All rules are ours, those about articles and sentences for English.
"""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_DETERMINERS = r"(?:a|an|the|this|that|his|her|its|their)"
_ARTICLES = frozenset({"a", "an", "the"})
_BEFORE = re.compile(rf"(?<!\w){_DETERMINERS}\s+$", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"|“[^”]*”|«[^»]*»|„[^“”]*[“”]')
_SENTENCE_START = re.compile(r"(?:^|[.!?…]\s+)[\"“«„(]*$")
_SENTENCE_ENDS = re.compile(r"[.!?…]")
_WORD = re.compile(r"\w+(?:['\u2019-]\w+)*")


@dataclass(frozen=True)
class Naming:
    """A phrase and the name that it gives way to."""

    entity: int
    """Who bears the name. Of equally long phrases the one of the lowest number goes first."""
    phrase: str
    name: str


@dataclass(frozen=True)
class Place:
    """Characters `[start, end)` of a text that stand for an entity."""

    start: int
    end: int
    entity: int
    name: str


def occurrences(phrase: str, text: str) -> Iterator[tuple[int, int]]:
    """Where a phrase stands in a text as whole words, whatever its case and spacing.

    An article or possessive right before it belongs to it: "a car" becomes a name, not "a" and a name. What stands in
    quotation marks is no phrase but something that is written or said.
    """
    words = phrase.split()
    if not words:
        return
    quoted = [found.span() for found in _QUOTED.finditer(text)]
    pattern = r"\s+".join(map(re.escape, words))
    for found in re.finditer(rf"(?<!\w)(?<!\w-){pattern}(?!-?\w)", text, re.IGNORECASE):
        if not any(start < found.end() and found.start() < end for start, end in quoted):
            before = _BEFORE.search(text, 0, found.start())
            yield (before.start() if before else found.start()), found.end()


def places(text: str, namings: Sequence[Naming]) -> tuple[Place, ...]:
    """The places of a text that get a name, in order and apart from each other.

    Longer phrases go first, then lower entities, then earlier places. A name that stands there already keeps its place,
    so that no part of it is named again.
    """
    found = [
        Place(start, end, naming.entity, naming.name)
        for naming in namings
        for phrase in dict.fromkeys((naming.phrase, naming.name))
        for start, end in occurrences(phrase, text)
    ]
    chosen: list[Place] = []
    for place in sorted(found, key=lambda place: (place.start - place.end, place.entity, place.start)):
        if all(place.end <= other.start or other.end <= place.start for other in chosen):
            chosen.append(place)
    return tuple(sorted(chosen, key=lambda place: place.start))


def renamed(text: str, namings: Sequence[Naming]) -> str:
    """The text with a name in each of its places, with a capital where a sentence starts."""
    parts: list[str] = []
    end = 0
    for place in places(text, namings):
        starts_sentence = _SENTENCE_START.search(text, 0, place.start) is not None
        parts += [text[end : place.start], place.name[:1].upper() + place.name[1:] if starts_sentence else place.name]
        end = place.end
    return "".join((*parts, text[end:]))


def left_over(phrase: str, name: str, text: str) -> str:
    """Words beside the phrase that the name would say again; empty where there are none.

    "A man" in "A man in a red coat", for one called "the man in the red coat", leaves "in red". Two neighbours in the
    name's own order, apart from articles, are enough.
    """
    own = _content(name)
    pairs = list(itertools.pairwise(own))
    named = list(occurrences(name, text))
    for start, end in occurrences(phrase, text):
        if any(first <= start and end <= last for first, last in named):
            continue
        inside = _content(text[start:end])
        before, after = _content(_SENTENCE_ENDS.split(text[:start])[-1]), _content(_SENTENCE_ENDS.split(text[end:])[0])
        if tuple(after[:2]) in pairs:
            return " ".join(after[:2])
        if inside and pairs and (inside[-1], *after[:1]) == pairs[-1]:
            return after[0]
        if inside and pairs and (*before[-1:], inside[0]) in pairs:
            return before[-1]
    return ""


def _content(text: str) -> list[str]:
    """Its words without articles, apart from case."""
    return [word.casefold() for word in _WORD.findall(text) if word.casefold() not in _ARTICLES]
