"""When an open-ended answer says what the right one says, as far as their words tell.

Here: the matcher, all of it ours but the measure: token F1 is what SQuAD marks answers by. Not here: who answers, or
what follows (`stages.blind.leakage`).
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

_WORD = re.compile(
    r"(?:(?<![\w.,:])-)?\d+(?:[.,:]\d+)*(?:(?:st|nd|rd|th)\b)?|%"
    r"|[\u3040-\u30ff\u3400-\u9fff]|[^\W\d_\u3040-\u30ff\u3400-\u9fff]+"
)
"""A number with its sign, decimals, clock time or ordinal ending; a percent sign; a sign of a script without spaces;
letters. `3s` is two words."""
_DASHES = re.compile(r"[\u2010-\u2015\u2212]")
_CANNOT = re.compile(r"\bcan(?:'t|not)\b")
_NOT = re.compile(r"n't\b")
_THOUSANDS = re.compile(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_PLAIN = re.compile(r"(-?)0*(\d+)(?:\.(\d*?)0*)?")
_MOST_DIGITS = 15
"""Of a number that a scale word after it multiplies."""

_ARTICLES = frozenset({"a", "an", "the"})
_NEGATIONS = frozenset({"no", "not", "never", "none", "nobody", "nothing", "nowhere", "neither", "nor", "without"})
_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_NUMBERS = {word: number for number, word in enumerate(_UNITS.split())}
_NUMBERS |= {word: 10 * number for number, word in enumerate(_TENS.split(), start=2)}
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000}
_ORDINAL_WORDS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
_ORDINALS = {
    word: f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number, 'th') }"
    for number, word in enumerate(_ORDINAL_WORDS.split(), start=1)
}
_BEFORE_UNIT = frozenset({"a", "per", "each", "every"})
"""Before `second` these make it a unit of time, as numbers do."""
_FAMILIES = tuple(
    tuple(frozenset(group.split("/")) for group in family.split())
    for family in (
        "yes/true no/false",
        "left/leftward/leftwards right/rightward/rightwards up/upward/upwards down/downward/downwards",
        "clockwise counterclockwise/anticlockwise",
        "in/into/inward/inwards out/outward/outwards",
        "toward/towards/forward/forwards away/backward/backwards",
        "before after",
        "above/over below/under",
        "1st/initial last/final",
        "fast/faster/quick/quickly slow/slower/slowly",
        "more fewer/less",
        "increase/increases/increasing/rises decrease/decreases/decreasing/falls",
        "open/opens/opened close/closes/closed",
        "start/starts/begin/begins/beginning end/ends/stop/stops/ending",
        "indoors/inside outdoors/outside",
        "day/daytime night/nighttime",
        "front back/behind",
        "bright/brighter dark/darker",
        "large/larger/big/bigger small/smaller",
        "long/longer short/shorter",
        "red orange yellow green blue purple/violet pink brown black white grey/gray",
    )
)
"""Words that exclude each other: a long answer that is right but for its direction or colour is wrong."""


def answers_match(said: str, right: str, min_match: float) -> float:
    """How well an answer matches the right one: their token F1, 0 to 1, or 0.0 where it is below `min_match`.

    Both are folded first: Unicode's NFKC, case, punctuation, articles (unless there is nothing else), number words to
    digits (`twenty-one` is `21`, `third` is `3rd`), thousands separators and zeros that say nothing (`1,000.0` is
    `1000`), `n't` to `not`. Then, whatever their F1, answers do not match where

    - their numbers differ: `3 cuts` is not `4 cuts`, and neither is `2 of 3 cuts` the same as `2 cuts`;
    - one is negated and the other is not;
    - each holds a word that the other's exclude, by a short list: left and right, before and after, colours.

    Where it errs it mostly errs towards no match: other wordings, synonyms and other languages do not match. What it
    cannot see is one wrong word that no list holds in a long answer. Answers without a word or number in them match
    where they are the same.

    Args:
        said: what was answered.
        right: the right answer.
        min_match: token F1 that counts as a match, 0 to 1.
    """
    ours, theirs = answer_words(said), answer_words(right)
    if not ours or not theirs:
        return float(_folded(said).strip() == _folded(right).strip() != "")
    if _numbers(ours) != _numbers(theirs) or _is_negated(ours) != _is_negated(theirs) or _exclude(ours, theirs):
        return 0.0
    f1 = 2 * (Counter(ours) & Counter(theirs)).total() / (len(ours) + len(theirs))
    return f1 if f1 >= min_match else 0.0


def answer_words(text: str) -> tuple[str, ...]:
    """The words and numbers of an answer, as they are compared."""
    words = _WORD.findall(_NOT.sub(" not", _CANNOT.sub("can not", _folded(text))))
    found = tuple(_counted(list(_ordinals(words))))
    return tuple(word for word in found if word not in _ARTICLES) or found


def _folded(text: str) -> str:
    return _DASHES.sub("-", unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'"))


def _ordinals(words: Iterable[str]) -> Iterator[str]:
    """The same with ordinals in digits; `second` stays where it is a unit of time."""
    before = ""
    for word in words:
        is_unit = word == "second" and (before in _BEFORE_UNIT or before in _NUMBERS or _has_digits(before))
        yield word if is_unit else "percent" if word == "%" else _ORDINALS.get(word, word)
        before = word


def _counted(words: Sequence[str]) -> Iterator[str]:
    """The same with each number, however many words it takes, as one in digits."""
    at = 0
    while at < len(words):
        number, n_words = _number_at(words, at)
        yield _trimmed(f"{number:f}") if n_words else _trimmed(words[at])
        at += max(1, n_words)


def _number_at(words: Sequence[str], at: int) -> tuple[Decimal, int]:
    """The number that begins with this word, and how many words it takes; 0 where none does, or digits alone do."""
    total, group, end, room = Decimal(0), Decimal(0), at, 1_000_000
    if _has_digits(words[at]):
        digits = _trimmed(words[at])
        if not _PLAIN.fullmatch(digits) or len(digits) > _MOST_DIGITS or not set(words[at + 1 : at + 2]) & set(_SCALES):
            return total, 0
        group, end, room = Decimal(digits), at + 1, 0
    while end < len(words):
        joins = words[end] == "and" and end > at and words[end - 1] in _SCALES
        size = _NUMBERS.get(words[end + 1] if joins and end + 1 < len(words) else words[end])
        if size is not None and size < room and (size > 0 or end == at):
            # After tens come units, and after units no more of them.
            group, room, end = group + size, 10 if size >= 20 else 0, end + 1 + joins
        elif words[end] in _SCALES and (0 < group < 1_000 or end == at):
            room = _SCALES[words[end]]
            group = Decimal(group or 1) * room
            if room > 100:
                total, group = total + group, Decimal(0)
            end += 1
        else:
            break
    return total + group, end - at


def _trimmed(word: str) -> str:
    """A number without separators and zeros that say nothing, in ASCII digits; other words as they are."""
    if not _has_digits(word):
        return word
    number = "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in word)
    if _THOUSANDS.fullmatch(number):
        number = number.replace(",", "")
    plain = _PLAIN.fullmatch(number)
    if not plain:
        return number
    sign, whole, part = plain.groups()
    return f"{sign}{whole}.{part}" if part else f"{sign}{whole}"


def _has_digits(word: str) -> bool:
    return word[:1].isdecimal() or word[-1:].isdecimal()


def _numbers(words: Iterable[str]) -> list[str]:
    return sorted(word for word in words if _has_digits(word))


def _is_negated(words: Iterable[str]) -> bool:
    return not _NEGATIONS.isdisjoint(words)


def _exclude(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Whether each side names something of one family that the other does not."""
    for family in _FAMILIES:
        mine, other = ({group for group in family if not group.isdisjoint(words)} for words in (ours, theirs))
        if mine - other and other - mine:
            return True
    return False
