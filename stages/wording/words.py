"""Words that must not stand in a label: blocked, personal, meant for a model, or left over from one.

Here: `WordRules`. Not here: personal data (`stages.wording.personal_data`), language (`stages.wording.language`),
options (`stages.wording.options`), or the words themselves (`schemas/taxonomies/wording.yaml`).

Words are looked for whole, without regard to case, width, accents, letters of other scripts that look the same, signs
that stand for letters, repeated letters, and spaces between letters. No reason repeats what was found.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from schemas.judging import WordingConfig
from schemas.word_lists import WordLists
from stages.wording.personal_data import personal_data
from stages.wording.texts import Fault, LabelText

MOST_CHARS = 10_000
"""Ours: no text of a label is that long, and none that is takes the other rules' time."""
_ENDINGS = "(?:s|es|ed|er|ers|in|ing|y)?"
_EDGES = "\"'.,;:?()[]{}<>\u201c\u201d\u2018\u2019\u00ab\u00bb\u2014\u2013-"
_SPACED = re.compile(r"(?<![^\W_])[^\W\d_](?:[\s.*_-]{1,2}[^\W\d_](?![^\W_])){2,}")
"""`b a d`, `b.a.d`: single letters, one after the other."""
_CONTROL = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufff9-\ufffd"
    "\ue000-\uf8ff\U000e0000-\U000e0fff\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff]"
)
"""Control characters apart from tabs and line ends, what is invisible or turns the direction of writing, what stands
for an undecodable character, private and surrogate ones. What joins letters and emoji is none of these."""
_MIXED_LATIN = re.compile(r"[a-z]")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
"""Scripts without spaces between words."""


class WordRules:
    """The rules, with their lists made ready. Holds nothing of any label."""

    def __init__(self, config: WordingConfig, lists: WordLists) -> None:
        """`lists` are those that are shipped; the settings add to them and take from them."""
        self._config = config
        self._lookalikes = {other: letter for letter, others in lists.lookalikes.items() for other in others}
        self._leet = str.maketrans(dict(lists.leet))
        self._leet_signs = frozenset(lists.leet)
        self._disguises = re.compile("[" + re.escape("".join(sorted({*self._lookalikes, *lists.leet}))) + "]")
        allowed = {folded(word) for word in config.allowed}
        profane = [folded(word) for word in lists.profanity if folded(word) not in allowed]
        blocked = [folded(word) for word in config.blocked]
        self._profane = _whole_words(profane, _ENDINGS) if config.profanity else None
        self._blocked = _whole_words(filter(None, blocked), "")
        self._instructions = _any_of(lists.instructions)
        self._tokens = _any_of(lists.tokens)
        self._markup = _any_of(lists.markup)
        self._refusals = _any_of(lists.refusals)
        self._placeholders = _any_of(lists.placeholders)
        self._capitals = _any_of(lists.capital_placeholders, flags=re.NOFLAG)

    def faults(self, texts: Sequence[LabelText]) -> Iterator[Fault]:
        """Everything that must not be there, the gravest first."""
        for rule, found in (
            ("length", _overlong),
            ("control", self._control),
            ("personal", self._personal),
            ("instructions", self._steering),
            ("blocked", self._blocking),
            ("profanity", self._swearing),
            ("markup", self._marked),
            ("refusal", self._refusing),
            ("placeholder", self._unfilled),
        ):
            where = [(text.what, said) for text in texts if (said := found(text))]
            if where:
                what, said = where[0]
                more = f"; so do {len(where) - 1} more texts" if len(where) > 1 else ""
                yield Fault(rule, f"{what} holds {said}{more}", float(len(where)))

    def _control(self, text: LabelText) -> str | None:
        found = _CONTROL.search(text.text)
        return f"an invisible or control character (U+{ord(found[0]):04X})" if found else None

    def _personal(self, text: LabelText) -> str | None:
        return personal_data(text.text) if self._config.personal else None

    def _steering(self, text: LabelText) -> str | None:
        return "what reads as an instruction to a model" if self._instructions.search(folded(text.text)) else None

    def _blocking(self, text: LabelText) -> str | None:
        return "a word or phrase that is blocked" if self._holds(text.text, self._blocked) else None

    def _swearing(self, text: LabelText) -> str | None:
        return "a swear word or slur" if self._holds(text.text, self._profane) else None

    def _marked(self, text: LabelText) -> str | None:
        if self._tokens.search(text.text):
            return "a control token of a model or data set"
        return "markup that a model left" if self._markup.search(text.own) else None

    def _refusing(self, text: LabelText) -> str | None:
        spoken = text.unquoted.replace("\u2019", "'")
        return "what a model says of itself or of what it was given" if self._refusals.search(spoken) else None

    def _unfilled(self, text: LabelText) -> str | None:
        is_unfilled = self._placeholders.search(text.unquoted) or self._capitals.search(text.unquoted)
        return "a placeholder, or the letter of an option, which may change" if is_unfilled else None

    def _holds(self, text: str, words: re.Pattern[str] | None) -> bool:
        return words is not None and any(words.search(reading) for reading in self._readings(text))

    def _readings(self, text: str) -> Iterator[str]:
        """The text as it may be meant: as it stands, with disguised letters put right, with letters put together."""
        plain = folded(text)
        yield plain
        tokens = unicodedata.normalize("NFKC", text).casefold().split() if self._disguises.search(text) else ()
        undone = [self._undisguised(token) for token in tokens if self._disguises.search(token)]
        if any(undone):
            # Apart from each other, so that what was no word before does not become a phrase.
            yield " \u2026 ".join(filter(None, undone))
        yield from (re.sub(r"[\s.*_-]", "", found[0]) for found in _SPACED.finditer(plain))

    def _undisguised(self, token: str) -> str | None:
        """A word with its look-alikes and signs replaced by Latin letters; None where there is nothing to replace."""
        bare = token.strip(_EDGES)
        if not _MIXED_LATIN.search(bare):
            return None
        latin = "".join(self._lookalikes.get(sign, sign) for sign in bare)
        # An exclamation mark at the end ends a sentence.
        latin = latin.rstrip("!")
        if any(sign in self._leet_signs for sign in latin):
            latin = latin.translate(self._leet)
        latin = folded(latin)
        return latin if latin != folded(bare) else None


def _overlong(text: LabelText) -> str | None:
    return f"{len(text.text)} characters, where {MOST_CHARS} are the most" if len(text.text) > MOST_CHARS else None


def folded(text: str) -> str:
    """The text without case, width and accents of Latin letters, on one line."""
    if text.isascii():
        return " ".join(text.casefold().split())
    normal = unicodedata.normalize("NFKC", text).replace("\u2019", "'").casefold()
    parts = unicodedata.normalize("NFD", normal)
    kept: list[str] = []
    for sign in parts:
        if unicodedata.combining(sign) and kept and kept[-1].isascii():
            continue
        if sign != "\u00ad" and unicodedata.category(sign) != "Cf":
            kept.append(sign)
    return " ".join(unicodedata.normalize("NFC", "".join(kept)).split())


def _whole_words(words: Iterable[str], endings: str) -> re.Pattern[str] | None:
    """Any of the words, whole, with letters repeated at will where endings are allowed; None for no words."""
    found = []
    for word in sorted(set(words), key=lambda word: (-len(word), word)):
        letters = (r"[\s_-]+" if sign == " " else re.escape(sign) + "+" * (bool(endings) and sign.isalpha())
                   for sign in word)  # fmt: skip
        before = "" if _UNSPACED.match(word[0]) else r"(?<![^\W_])"
        after = "" if _UNSPACED.match(word[-1]) else rf"{endings}(?![^\W_])"
        found.append(f"{before}{''.join(letters)}{after}")
    return re.compile("|".join(found)) if found else None


def _any_of(patterns: Sequence[str], flags: re.RegexFlag = re.IGNORECASE) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), flags)
