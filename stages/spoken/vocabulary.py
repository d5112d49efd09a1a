"""Numbers, times, quotations and clauses in an English sentence, and whether it asserts what it says at all.

Here: reading words. Not here: which of them make a claim (`stages.spoken.claims`). All rules are ours.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

MAX_CHARS = 1000
"""Longer sentences are not read."""

ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth",
)  # fmt: skip
_CARDINALS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")

NUMBER = rf"(?:\d{{1,4}}(?![\d.,:]*\d)|{'|'.join(_CARDINALS)})"
"""A whole number in digits or words."""
DECIMAL = r"\d{1,5}(?:\.\d{1,3})?"
ORDINAL = rf"(?:{'|'.join(ORDINALS)}|\d{{1,3}}(?:st|nd|rd|th))"
SECONDS = r"(?:s|secs?|seconds?)\b"

_VAGUE = r"(?:about|around|roughly|approximately|nearly|almost|near|approx\.?|some|~|≈)"
_TIME = re.compile(
    rf"\bat(?: (?P<vague>{_VAGUE}))?(?: the)? ?(?P<one>{DECIMAL})[- ]?{SECONDS}(?:[- ]mark)?"
    rf"|(?<!lasts )(?<!takes )(?<!for )\b(?:from|between)(?: (?P<vague_from>{_VAGUE}))?"
    rf" (?P<start>{DECIMAL}) ?(?:{SECONDS})? ?(?:to|and|until|till|-) ?(?P<vague_to>{_VAGUE} )?"
    rf"(?P<end>{DECIMAL}) ?{SECONDS}",
    re.IGNORECASE,
)
_PLAIN = str.maketrans(
    {
        "\N{LEFT SINGLE QUOTATION MARK}": "'",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{EN DASH}": "-",
        "\N{EM DASH}": ";",
    }
)
"""Letter by letter, so that positions stay."""
_QUOTE = re.compile(r"“([^“”]{1,200})”|\"([^\"]{1,200})\"|«([^«»]{1,200})»|(?<!\w)'([^']{1,200})'(?!\w)")
_CLAUSE = re.compile(
    r"[,;:()]|\b(?:and|then|while|before|after|until|but|where|which|who|as|when|whereas|followed by)\b",
    re.IGNORECASE,
)
_UNASSERTED = re.compile(
    r"\?"
    r"|\b(?:not|no|never|cannot|without|nor|neither|hardly|barely|scarcely|instead|unlike|except|lacks?|avoids?|absence"
    r"|fails?|stops?|stopped|denies|if|unless|whether|would|could|might|may|should|must|will|shall|can|want(?:s|ed)?"
    r"|wish(?:es)?|hopes?|tries|plans?|seem(?:s|ed|ing)?|appear(?:s|ed|ing)? to|look(?:s|ed|ing)? (?:like|as)|like"
    r"|almost|nearly|suggest\w*|impl(?:y|ies|ied|ying)|imagin\w+|pretend\w*|perhaps|maybe|possibly|probably|likely"
    r"|suppos\w+|than|or|either|illusion|impression|effect|imit\w+|simulat\w+|refers?|question|claims?|says? that"
    r"|says? the|so-called|mistak\w+|wrong|false|untrue|incorrect)\b|n't\b|\bas (?:if|though)\b",
    re.IGNORECASE,
)
_CLOCKS = re.compile(
    r"\b(?:timers?|clocks?|stopwatch(?:es)?|watch|countdown|scoreboard|score|race|lap|laps|record|heat|quarter|period"
    r"|oven|microwave|every|per|within|speed|later|earlier|ago|away|remaining|left on"
    r"|finish\w*|reach\w*|sprint\w*|runners?|swimmers?|km/h|mph|goals?|scores?|scored)\b",
    re.IGNORECASE,
)  # fmt: skip


@dataclass(frozen=True)
class When:
    """A time that a sentence names, in seconds from the clip's start."""

    start_s: float
    end_s: float
    """Equal to the start where an instant is named."""
    slack_s: float
    """What its rounding leaves open on either side."""
    start: int
    """Where it stands in the sentence."""
    end: int


@dataclass(frozen=True)
class Words:
    """A sentence ready to be read."""

    text: str
    """On one line, with the words of quotations and times blanked out, position by position."""
    quotes: tuple[tuple[int, int, str], ...]
    """Start, end and words of each quotation."""
    whens: tuple[When, ...]
    clauses: tuple[int, ...]
    """Where each clause begins, the first at 0."""

    def when(self, start: int, end: int) -> When | None:
        """The time that belongs to the words from `start` to `end`: in their clause, or alone before a first comma."""
        clause = self.clause(start)
        own = [when for when in self.whens if self.clause(when.start) in (clause, self.clause(max(start, end - 1)))]
        if len(own) == 1:
            return own[0]
        leading = self.whens[0] if self.whens else None
        if own or leading is None or clause != 1:
            return None
        return leading if not self.text[: leading.start].strip() and self.text[leading.end :][:1] == "," else None

    def clause(self, position: int) -> int:
        """The number of the clause in which a position stands, from 0."""
        return max(0, sum(start <= position for start in self.clauses) - 1)


def read_words(sentence: str) -> Words:
    """The sentence with its quotations, times and clauses found."""
    text = " ".join(sentence.split()).translate(_PLAIN)
    quotes = tuple((f.start(), f.end(), next(filter(None, f.groups()))) for f in _QUOTE.finditer(text))
    for start, end, _ in quotes:
        text = text[:start] + "\x01" * (end - start) + text[end:]
    whens = tuple(_when(found) for found in _TIME.finditer(text))
    for when in whens:
        text = text[: when.start] + "\x02" * (when.end - when.start) + text[when.end :]
    return Words(text, quotes, whens, (0, *(found.start() for found in _CLAUSE.finditer(text))))


def is_asserted(text: str) -> bool:
    """Whether a sentence simply says what is: no question, denial, possibility, comparison, likeness or choice."""
    return _UNASSERTED.search(text) is None


def is_on_the_timeline(text: str) -> bool:
    """Whether the times of a sentence are surely those of the clip, not of a clock or race in it."""
    return _CLOCKS.search(text) is None


def whole_number(text: str) -> int | None:
    """The number that a word or digits name."""
    folded = text.casefold()
    if folded in _CARDINALS:
        return _CARDINALS.index(folded)
    return int(folded) if folded.isdecimal() and len(folded) < 10 else None


def ordinal_number(text: str) -> int | None:
    """The position that an ordinal names, from 1."""
    folded = text.casefold()
    if folded in ORDINALS:
        return ORDINALS.index(folded) + 1
    found = re.fullmatch(r"(\d{1,3})(?:st|nd|rd|th)", folded)
    return int(found[1]) if found else None


def rounding_s(said: str) -> float:
    """What the digits of a number leave open: 0.5 for `3`, 0.05 for `3.2`; a word in between leaves a whole one."""
    return float(0.5 * 10.0 ** -len(said.partition(".")[2]))


def _when(found: re.Match[str]) -> When:
    said: Sequence[str] = [found["one"]] if found["one"] else [found["start"], found["end"]]
    is_vague = found["vague"] or found["vague_from"] or found["vague_to"]
    slack_s = max(map(rounding_s, said)) + (1.0 if is_vague else 0.0)
    return When(float(said[0]), float(said[-1]), slack_s, found.start(), found.end())
