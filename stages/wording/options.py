"""What gives a question's right option away, or makes its options unfit, as far as their words tell.

Here: `OptionRules`. Not here: whether a wrong option is true after all (`stages.evidence.check` where it can be
measured, judges that ask a model elsewhere), or what can be guessed over the whole data set (`verify.priors`).

All rules are ours; that options should be alike in length and form, and none about the others, is common advice to
writers of tests.
"""

import re
import statistics
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from schemas.judging import WordingConfig
from schemas.label import Label
from schemas.word_lists import WordLists
from stages.wording.texts import Fault, LabelText, has_letters

Words = tuple[str, ...]

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+(?:[.:,'][^\W_]+)*")
_ARTICLE = re.compile(r"\b(?:an?|the)\s+(?=\w\w)", re.IGNORECASE)
"""An article, which is none where it is a letter: `fragment A`, `A, C, B`."""
_DENIALS = frozenset({"no", "not", "never", "none", "nobody", "nothing", "nowhere", "neither", "nor", "without"})
_APART = re.compile(r"^\W*(?:(?:at|in|on|to|from|by) )?(?:no|none|never|neither|nothing|nobody|nowhere|not)\b"
                    r"|^\W*(?:they|it|both|all)\b.*\b(?:all|equal|equally|same|alike)\b")  # fmt: skip
"""Options that say that none, or all alike, is the case: they cannot have the form of the others."""
_MARKER = re.compile(r"^\s*(?:\([A-La-l1-9]\)|[A-La-l1-9][).:])\s+\S")
_LIST_MARKER = re.compile(r"(?<![\w(])\(?([A-Ea-e])\)\s+\w")
_OFFERS = re.compile(r"\b(?:or|these|those|following|among|between)\b|[:;]")
"""Questions that name what there is to choose from may name the right option with it."""
_ENDS_IN_ARTICLE = re.compile(r"\b(an?)[\s_.\u2026?:-]*$", re.IGNORECASE)
_VOWEL_SOUND = re.compile(
    r"(?:[aeio]|u(?!ni|s[aeu]|tensil|tili|ro|k)|h(?:our|onest|onou?r|eir)|(?:8|11|18)(?!\d)|[fhlmnrsx](?=[A-Z\d-]))"
    r"(?!ne\b|uro|u[aeiou]|w[aeo]|nce)",
    re.IGNORECASE,
)
"""How a word begins that *an* stands before, as far as its letters tell."""
_FORMS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("a number", lambda text: bool(re.match(r"\W*(?:(?:about|at|from|around|ca\.|after|roughly|nearly) )?\d", text))),
    ("a whole sentence", lambda text: bool(re.search(r"\w[.!]$", text)) and len(text.split()) > 2),
    ("in quotation marks", lambda text: bool(re.fullmatch(r"[\"\u201c\u201e\u00ab'].+[\"\u201d\u201c\u00bb']", text))),
    ("with a remark in brackets", lambda text: bool(re.search(r"\S\s*\([^)]{3,}\)", text))),
)
MIN_DISAGREEING = 0.5
"""Share of the wrong options that must not fit the article that the question ends in."""
MIN_WRONG_FOR_FORM = 2
"""One wrong option has no form in common with others."""


@dataclass(frozen=True)
class _Asked:
    question: str
    options: tuple[str, ...]
    answer_index: int

    @property
    def right(self) -> str:
        return self.options[self.answer_index]

    @property
    def wrong(self) -> tuple[str, ...]:
        return tuple(option for place, option in enumerate(self.options) if place != self.answer_index)


class OptionRules:
    """The rules, with their lists made ready. Holds nothing of any label."""

    def __init__(self, config: WordingConfig, lists: WordLists) -> None:
        """`lists` are those that are shipped."""
        self._config = config
        self._blanket = re.compile("|".join(f"(?:{pattern})" for pattern in lists.blanket), re.IGNORECASE)

    def faults(self, label: Label, texts: Sequence[LabelText]) -> Iterator[Fault]:
        """Everything that is wrong with the options of a question; nothing for labels that ask none.

        `texts` are those of the label: how long options are is judged by the label's own words.
        """
        item = label.qa or label.trace
        if item is None or not self._config.options:
            return
        asked = _Asked(item.question, item.options, item.answer_index)
        for rule in (_unworded, _marked, self._blanket_option, _repeated, _told, _article):
            yield from rule(asked)
        by_name = {text.what: text.own for text in texts}
        own = [by_name.get(f"option {number}", "") for number in range(1, len(item.options) + 1)]
        yield from self._length(asked, own)
        yield from _form(asked)

    def _blanket_option(self, asked: _Asked) -> Iterator[Fault]:
        for number, option in enumerate(asked.options, 1):
            bare = option.replace("\u2019", "'").strip(" .!?\"'\u201c\u201d")
            if len(asked.options) > 1 and self._blanket.fullmatch(bare):
                yield Fault("blanket_option", f"option {number} speaks of the other options, or says nothing")

    def _length(self, asked: _Asked, own: Sequence[str]) -> Iterator[Fault]:
        """Where the right option is far longer or shorter than the median of the others, and than each of them."""
        lengths = [len(mine if has_letters(mine) else option) for mine, option in zip(own, asked.options, strict=True)]
        right = max(1, lengths.pop(asked.answer_index))
        # What says that none is the case is as long as that takes.
        others = [n for n, option in zip(lengths, asked.wrong, strict=True) if not _APART.search(option.casefold())]
        if not others or _APART.search(asked.right.casefold()) or min(lengths) <= right <= max(lengths):
            return
        middle = max(1.0, statistics.median(others))
        ratio = max(right / middle, middle / right)
        if ratio > self._config.max_length_ratio and abs(right - middle) >= self._config.short_chars:
            way = "longer" if right > middle else "shorter"
            reason = f"the right option is {ratio:.1f} times {way} than the others ({right} and {middle:g} characters)"
            yield Fault("option_length", reason, round(ratio, 3), self._config.max_length_ratio)


def _unworded(asked: _Asked) -> Iterator[Fault]:
    for number, option in enumerate(asked.options, 1):
        if not option.strip() or not any(sign.isalnum() or unicodedata.category(sign)[0] == "S" for sign in option):
            yield Fault("option_empty", f"option {number} holds no word")


def _marked(asked: _Asked) -> Iterator[Fault]:
    marked = [number for number, option in enumerate(asked.options, 1) if _MARKER.match(option)]
    if marked and (len(marked) > 1 or asked.options[marked[0] - 1].lstrip().startswith("(")):
        yield Fault(
            "option_marker", f"option {marked[0]} begins with a letter or number of its own", float(len(marked))
        )
    if len({letter.casefold() for letter in _LIST_MARKER.findall(asked.question)}) > 1:
        yield Fault("option_marker", "the question lists options by letters of its own")


def _repeated(asked: _Asked) -> Iterator[Fault]:
    said = [_words(option) for option in asked.options]
    for place, words in enumerate(said):
        if words and words in said[:place]:
            yield Fault("option_repeats", f"options {said.index(words) + 1} and {place + 1} say the same")
    right = said[asked.answer_index]
    for place, words in enumerate(said):
        if place == asked.answer_index or words == right:
            continue
        part, whole = (right, words) if len(right) < len(words) else (words, right)
        surplus = _without(whole, part)
        if surplus and not _DENIALS & set(surplus):
            names = ("the right option", f"option {place + 1}")
            held, holder = names if part is right else names[::-1]
            yield Fault("option_contained", f"{held} is contained in {holder}, so that both may be true")


def _told(asked: _Asked) -> Iterator[Fault]:
    question, right = _words(asked.question), _words(asked.right)
    if _is_trivial(right) or _without(question, right) is None or _OFFERS.search(asked.question.casefold()):
        return
    if not any(_without(question, _words(option)) is not None for option in asked.wrong):
        yield Fault("answer_in_question", "the right option stands in the question, and no wrong one does")


def _article(asked: _Asked) -> Iterator[Fault]:
    found = _ENDS_IN_ARTICLE.search(asked.question)
    if not found or not asked.wrong:
        return
    wants_vowel = found[1].casefold() == "an"
    fits = [bool(_VOWEL_SOUND.match(option.lstrip(" \"'\u201c"))) == wants_vowel for option in asked.options]
    disagree = sum(not fit for place, fit in enumerate(fits) if place != asked.answer_index) / len(asked.wrong)
    if fits[asked.answer_index] and disagree >= MIN_DISAGREEING:
        reason = (
            f"the question ends in {found[1]!r}, which the right option fits and {disagree:.0%} of the others do not"
        )
        yield Fault("grammar", reason, round(disagree, 3), MIN_DISAGREEING)


def _form(asked: _Asked) -> Iterator[Fault]:
    """Where only the right option is of some form."""
    wrong = [option for option in asked.wrong if not _APART.search(option.casefold())]
    if len(wrong) < MIN_WRONG_FOR_FORM or _APART.search(asked.right.casefold()):
        return
    for name, has in _FORMS:
        of_wrong = {has(option.strip()) for option in wrong}
        if len(of_wrong) == 1 and has(asked.right.strip()) not in of_wrong:
            is_not = "" if has(asked.right.strip()) else "not "
            yield Fault("option_form", f"only the right option is {is_not}{name}")


def _words(text: str) -> Words:
    """The text as it is compared: words and numbers, apart from case, punctuation and articles."""
    plain = unicodedata.normalize("NFKC", text).replace("\u2019", "'")
    return tuple(_WORD.findall(_ARTICLE.sub("", plain).casefold()))


def _without(whole: Words, part: Words) -> Words | None:
    """What is left of `whole` without `part`, which stands in it in one piece; None where it does not."""
    size = len(part)
    for start in range(len(whole) - size + 1) if size else ():
        if whole[start : start + size] == part:
            return whole[:start] + whole[start + size :]
    return None


def _is_trivial(words: Sequence[str]) -> bool:
    """Whether an answer says so little that it may stand in any question: a number, a letter, yes or no."""
    return all(len(word) == 1 or word[0].isdigit() or word in ("yes", "no", "true", "false") for word in words)
