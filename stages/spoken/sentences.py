"""Text into sentences, by rules: English abbreviations, decimals, initials and quotations do not end one.

Here: splitting. Not here: what a sentence says (`stages.spoken.claims`). The rules are ours; no model is needed.
"""

import re
from collections.abc import Iterator

ABBREVIATIONS = frozenset(
    {
        "mr", "mrs", "ms", "dr", "prof", "sr", "jr", "st", "vs", "etc", "approx", "ca", "cf", "no", "nos", "fig", "vol",
        "sec", "min", "max", "e.g", "i.e", "a.m", "p.m", "u.s", "u.k", "inc", "ltd", "co",
    }
)  # fmt: skip
"""Words, folded, whose full stop does not end a sentence where a small letter or a digit follows."""
TITLES = frozenset({"mr", "mrs", "ms", "dr", "prof", "st", "vs", "e.g", "i.e", "fig", "approx", "cf"})
"""Those whose full stop ends none even where a capital follows."""

_CLOSING = "\"'”»)]\N{RIGHT SINGLE QUOTATION MARK}"
_OPENING = "\"'“«([-\N{LEFT SINGLE QUOTATION MARK}\N{EN DASH}\N{EM DASH}"
_END = re.compile(rf"[.!?…]+[{re.escape(_CLOSING)}]*(?=\s|$)|;+(?=\s|$)|\n+")
_LAST_WORD = re.compile(rf"([^\s{re.escape(_OPENING)}]+)$")


def sentences(text: str) -> tuple[str, ...]:
    """The sentences of a text in order, each on one line and without space about it; semicolons part them too.

    Nothing is lost but white space and semicolons. An empty text has none.
    """
    return tuple(_parts(text))


def _parts(text: str) -> Iterator[str]:
    start = 0
    for end in _END.finditer(text):
        if _ends(text, start, end):
            sentence = _on_one_line(text[start : end.end()])
            if sentence:
                yield sentence
            start = end.end()
    rest = _on_one_line(text[start:])
    if rest:
        yield rest


def _ends(text: str, start: int, end: re.Match[str]) -> bool:
    """Whether a mark ends the sentence that began at `start`."""
    mark = end.group().rstrip(_CLOSING)
    if "\n" in mark:
        # A line that goes on in small letters was only wrapped.
        return not _next(text, end.end()).islower()
    if mark != ".":
        # "Stop!" in the middle of a sentence goes on with a small letter.
        return ";" in mark or not _next(text, end.end()).islower()
    found = _LAST_WORD.search(text[max(start, end.start() - 40) : end.start()])
    last, following = (found[1] if found else ""), _next(text, end.end())
    word = last.casefold()
    is_initial = len(last) == 1 and last.isupper() and last != "I" and following.isupper()
    if word in TITLES or is_initial:
        return False
    if word in ABBREVIATIONS or re.fullmatch(r"(?:[a-z]\.)+[a-z]", word):
        return not (following.islower() or following.isdigit())
    return not following.islower()


def _next(text: str, position: int) -> str:
    """The next letter, digit or other mark of weight; empty at the end."""
    for character in text[position : position + 40]:
        if not character.isspace() and character not in _OPENING:
            return character
    return ""


def _on_one_line(text: str) -> str:
    return " ".join(text.split()).rstrip(";").rstrip()
