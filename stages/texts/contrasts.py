"""What tells two texts apart however alike they are: numbers, negations, names, quotations, opposites, who does what.

Here: `Telling`, read from one text, and whether two of them allow that one repeats the other. Not here: how alike texts
are (`stages.texts.embedding`), or the words themselves (`schemas/taxonomies/contrasts.yaml`).

Embeddings hardly see these things: *what happens before the fade* and *what happens after the fade* are near each other
in any of them. All of it is ours, and made for English; of other languages it sees numbers, names and quotations.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache

from schemas.word_lists import contrasts

Words = tuple[str, ...]

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+(?:[.:,'-][^\W_]+)*")
"""A word with what is joined to it by a point, a colon, a hyphen or an apostrophe; signs of scripts without spaces one
by one."""
_QUOTED = re.compile(r'"([^"]+)"|\u201c([^\u201d]+)\u201d|\u00ab([^\u00bb]+)\u00bb|\u201e([^\u201c]+)\u201c')
_SENTENCE_END = frozenset('.!?:;\u201c\u201d"(')
_CLOCK = re.compile(r"(?:(\d{1,2}):)?(\d{1,2}):(\d\d(?:\.\d+)?)")
_COUNTS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
           "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty")  # fmt: skip
_ORDINALS = ("zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
             "eleventh", "twelfth")  # fmt: skip
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th)")
_OPPOSITE_PREFIXES = ("un", "in", "im", "ir", "il", "dis", "non", "non-")
_ENDINGS = (("ies", "y"), ("ied", "y"), ("es", ""), ("s", ""), ("ing", ""), ("ing", "e"), ("ed", ""), ("d", ""),
            ("ly", ""))  # fmt: skip
_PASSED_OVER = frozenset({"a", "an", "the", "this", "that", "these", "those", "his", "her", "its", "their", "he", "she",
                          "it", "they", "is", "are", "was", "were"})  # fmt: skip
"""Words between a relation and what it relates to."""
_SHORTEST_STEM = 3
_SHORTEST_ALIKE, _LONGEST_ENDING, _SAME_SPELLING = 4, 2, 0.85
"""Letters that two stems have at least, and that one has at most beyond the other, to be forms of one word; and how
much of them is the same where they are spellings of one (Ratcliff and Obershelp's ratio)."""
SAME_ANSWER_SHARE = 0.5
"""Words of the shorter answer that stand in the other one."""
_BRIEF_WORDS = 3
"""In texts of so many words, *one* is a number; elsewhere it mostly stands for a noun."""


@dataclass(frozen=True)
class Telling:
    """What of a text may not differ where another text repeats it."""

    strict: Hashable
    """Equal in texts of which one may repeat the other: numbers, negation, names, quotations, words of strict lists."""
    soft: Mapping[str, frozenset[str]]
    """By list, the words of soft lists."""
    relations: Mapping[str, frozenset[str]]
    """By relation, the words that it relates to."""
    content: Words
    """Words that say something, in order."""
    stems: frozenset[str]
    """The same without endings, numbers in figures."""


def telling(text: str) -> Telling:
    """What tells this text apart."""
    folded = plain(text)
    quoted = frozenset(" ".join(next(filter(None, found)).casefold().split()) for found in _QUOTED.findall(folded))
    spoken = tuple(_words(_QUOTED.sub(" ", folded)))
    words = tuple(word for word, _ in spoken)
    listed = [entry for entry in map(_listed, _meant(words)) if entry]
    strict_lists = contrasts().strict
    strict = (
        tuple(sorted(_numbers(words))),
        any(_denies(word) for word in words),
        frozenset(word for word, is_name in spoken if is_name),
        quoted,
        frozenset(entry for entry in listed if entry[0] in strict_lists),
    )
    soft: dict[str, set[str]] = {}
    for name, word in listed:
        if name not in strict_lists:
            soft.setdefault(name, set()).add(word)
    content = tuple(word for word in words if word not in contrasts().idle and word not in contrasts().relations)
    if not words and not quoted:
        # Signs alone: emoji, dots.
        content = (folded,) if folded else ()
    stems = frozenset(_number(word) or _stem(word) for word in content)
    return Telling(strict, {name: frozenset(found) for name, found in soft.items()}, _relations(words), content, stems)


def plain(text: str) -> str:
    """The text on one line, in one width and one kind of quotation marks and apostrophes; without those about all."""
    folded = " ".join(unicodedata.normalize("NFKC", text).replace("\u2019", "'").split())
    whole = _QUOTED.fullmatch(folded.rstrip("."))
    return next(filter(None, whole.groups())) if whole else folded


def counted(text: str) -> str:
    """The words of the text, with numbers in figures, each in one way: `four` and `4.0` are `4`.

    A text without any word stays as it is.
    """
    return " ".join(_number(word.casefold()) or word for word in _WORD.findall(text)) or text


def may_repeat(first: Telling, second: Telling, *, in_order: bool) -> bool:
    """Whether nothing that the two texts say tells them apart.

    Args:
        first: of one text.
        second: of the other.
        in_order: whether the same words in another order say something else, as in an answer that lists events; of a
            question, a part may stand at the beginning or at the end.
    """
    if first.strict != second.strict:
        return False
    shared = ((first.soft[name], second.soft[name]) for name in first.soft.keys() & second.soft.keys())
    if any(not (one <= other or other <= one) for one, other in shared):
        return False
    if any(first.relations[word] != second.relations[word] for word in first.relations.keys() & second.relations):
        return False
    if Counter(first.content) == Counter(second.content):
        is_rotated = not in_order and _is_rotation(first.content, second.content)
        return first.content == second.content or is_rotated
    return not _has_opposites(set(first.content), set(second.content))


def _words(text: str) -> Iterator[tuple[str, bool]]:
    """Folded words, each with whether it is a name: capitalised within a sentence, and not all in capitals."""
    is_first = True
    end = 0
    for found in _WORD.finditer(text):
        is_first = is_first or any(sign in _SENTENCE_END for sign in text[end : found.start()])
        word, end = found[0], found.end()
        is_name = word[0].isupper() and not word.isupper() and not is_first and not word.startswith("I'")
        yield word.casefold().removesuffix("'s"), is_name
        is_first = False


def _numbers(words: Words) -> Iterator[str]:
    for place, word in enumerate(words):
        if word == "one" and len(words) > _BRIEF_WORDS:
            continue
        is_unit = word == "second" and place > 0 and (_number(words[place - 1]) or "").replace(".", "").isdigit()
        number = None if is_unit else _number(word)
        if number:
            yield number


@cache
def _number(word: str) -> str | None:
    """A number in one way, clock times in seconds, ordinals with a point after them; None for any other word."""
    if word == "both":
        return "2"
    if word in _COUNTS:
        return str(_COUNTS.index(word))
    if word in _ORDINALS:
        return f"{_ORDINALS.index(word)}."
    if ordinal := _ORDINAL.fullmatch(word):
        return f"{int(ordinal[1])}."
    if clock := _CLOCK.fullmatch(word):
        hours, minutes, seconds = (float(part or 0) for part in clock.groups())
        return f"{3600 * hours + 60 * minutes + seconds:g}"
    digits = re.fullmatch(r"(\d{1,12}(?:\.\d{1,6})?|\d{1,3}(?:,\d{3}){1,3}(?:\.\d{1,6})?)(s|%)?", word)
    if digits:
        return f"{float(digits[1].replace(',', '')):.12g}"
    return word if word[:1].isdigit() else None


def _denies(word: str) -> bool:
    return word in contrasts().negations or word.endswith("n't")


def _meant(words: Words) -> Words:
    """The words without *right* where it means *at once* (*right after*), and *last* where something lasts."""
    lasts = any(word in ("long", "longer", "longest") for word in words)
    return tuple(
        word
        for word, after in zip(words, (*words[1:], "")[: len(words)], strict=True)
        if not (word == "right" and after in ("after", "before", "at", "away", "when", "as"))
        and not (lasts and word in ("last", "lasts", "lasted"))
    )


@cache
def _listed(word: str) -> tuple[str, str] | None:
    """List and word that a word counts as; None where it is on no list."""
    known = _known()
    if word in known:
        return known[word]
    for ending, instead in _ENDINGS:
        stem = word.removesuffix(ending) + instead
        if word.endswith(ending):
            doubled = stem[:-1] if len(stem) > 3 and stem[-1] == stem[-2] else stem
            for candidate in (stem, doubled):
                if candidate in known:
                    return known[candidate]
    return None


@cache
def _known() -> Mapping[str, tuple[str, str]]:
    words = contrasts()
    lists = {**words.strict, **words.soft}
    found = {word: (name, word) for name, listed in lists.items() for word in listed}
    others = {other: found[word] for word, alike in words.same.items() for other in alike}
    return {**others, **found}


def _relations(words: Words) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for place, word in enumerate(words):
        if word in contrasts().relations:
            after = next((other for other in words[place + 1 :] if other not in _PASSED_OVER), "")
            if after and after not in contrasts().idle and after not in contrasts().relations:
                found.setdefault(word, set()).add(_number(after) or _stem(after))
    return {word: frozenset(related) for word, related in found.items()}


def _stem(word: str) -> str:
    """The word without a common English ending, where enough is left of it."""
    for ending in ("ing", "ed", "es", "s"):
        stem = word.removesuffix(ending)
        if stem != word and len(stem) >= _SHORTEST_STEM:
            is_doubled = stem[-1] == stem[-2] and stem[-1] not in "lsfzd" and ending in ("ing", "ed")
            return stem[:-1] if is_doubled else stem.removesuffix("e")
    return word.removesuffix("e") if len(word) > _SHORTEST_STEM else word


def _is_rotation(first: Words, second: Words) -> bool:
    """Whether one is the other with its beginning put at the end; asks for the same words in both."""
    return any(first[place:] + first[:place] == second for place in range(len(first)))


def same_answer(first: Telling, second: Telling) -> bool:
    """Whether one of the answers that these were read from is the other with more words, or with others spelt alike."""
    if not first.content or not second.content:
        return first.content == second.content
    shorter = min(len(first.stems), len(second.stems))
    is_shared = len(first.stems & second.stems) >= SAME_ANSWER_SHARE * shorter
    return is_shared and not is_reworded(first, second)


def is_reworded(first: Telling, second: Telling) -> bool:
    """Whether each text has words in place of words of the other: what they mean decides if they say the same."""
    left, right = first.stems - second.stems, second.stems - first.stems
    return _has_others(left, right) and _has_others(right, left)


def _has_others(words: frozenset[str], than: frozenset[str]) -> bool:
    """Whether one of the words is no form or spelling of any of the others."""
    return any(not any(_is_spelt_alike(word, other) for other in than) for word in words)


def _is_spelt_alike(first: str, second: str) -> bool:
    """Whether two stems are forms or spellings of one word, as far as letters tell: *show*, *shown*; *tyre*, *tire*."""
    shorter, longer = sorted((first, second), key=len)
    if len(shorter) < _SHORTEST_ALIKE or shorter[0] != longer[0] or shorter[0].isdigit():
        return False
    is_form = longer.startswith(shorter) and len(longer) - len(shorter) <= _LONGEST_ENDING
    return is_form or SequenceMatcher(None, first, second, autojunk=False).ratio() > _SAME_SPELLING


def _has_opposites(first: set[str], second: set[str]) -> bool:
    """Whether a word of one stands in the other with a prefix that denies it: *locked*, *unlocked*."""
    alone, other = first - second, second - first
    return any(f"{prefix}{word}" in there for here, there in ((alone, other), (other, alone)) for word in here
               for prefix in _OPPOSITE_PREFIXES)  # fmt: skip
