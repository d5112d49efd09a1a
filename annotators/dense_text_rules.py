"""What a question on on-screen text may say: nothing but what was read, at the times and in the places where it was.

Here: the tasks with their rules, and the readings that an answer rests on. Not here: the texts
(`annotators.screen_texts`), or labels (`annotators.dense_text`). All of it is ours; words for places are English.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from annotators.screen_texts import ScreenText, is_same_text
from annotators.subject import ClipSubject
from schemas.signals import TextDetection

NEAR_READING_S = 0.5
"""How far from a reading a time may lie: only some frames are read, and models round."""

_QUOTED = re.compile(r'["“„«]([^"“”«»]+)["“”»]')
_NUMBER = re.compile(r"(?:(\d+):)?(\d+(?:[.,]\d+)?)")
_WORD = re.compile(r"[^\W_]+")
_HEIGHTS = {"top": "top", "upper": "top", "bottom": "bottom", "lower": "bottom"}
_SIDES = {"left": "left", "right": "right"}
_MIDDLE = frozenset({"middle", "centre", "center", "central", "centred", "centered"})


@dataclass(frozen=True)
class Cited:
    """What one question is about."""

    task: str
    texts: tuple[tuple[int, ScreenText], ...]
    """With their numbers, in order of first reading."""
    subject: ClipSubject


def tasks_for(texts: Sequence[ScreenText]) -> tuple[str, ...]:
    """The tasks that something can be asked of among these texts."""
    can_be_ordered = any(one.comes_before(other) for one in texts for other in texts)
    there = {"dense_text_order": can_be_ordered, "dense_text_place": any(text.height for text in texts)}
    return tuple(task for task in RULES if texts and there.get(task, True))


def problem_with(cited: Cited, question: str, answer: str) -> str | None:
    """Why a question cannot stand, in words that a model can act on; None where it can."""
    least, most, check = RULES[cited.task]
    if not least <= len(cited.texts) <= most:
        count = f"exactly {least}" if least == most else f"at least {least}"
        return f"{cited.task} rests on {count} of the listed texts, and it names {len(cited.texts)}"
    for quote in (*_quotes(question), *_quotes(answer)):
        if not any(_says(quote, text) for _, text in cited.texts):
            return "it quotes something that the texts it names do not say"
    if _invents(cited, answer):
        return "its answer has capitals or a number that are neither of the texts it names nor a time they were read at"
    if problem := check(cited, question, answer):
        return problem
    for number, text in cited.texts:
        if not any(_mentions(said, text) for said in (question, answer)) and not _says(answer, text):
            return f"neither question nor answer quotes text {number}, which it names"
    return None


def answered_readings(cited: Cited, answer: str) -> tuple[TextDetection, ...]:
    """The readings that show an answer to be right, each once. Asks for an answer that can stand."""
    readings: list[TextDetection] = []
    for _, text in cited.texts:
        if cited.task == "dense_text_time":
            readings += [_nearest(text, second, cited.subject) for second in _times_s(answer)]
        elif cited.task == "dense_text_order":
            readings += [text.readings[0], text.readings[-1]]
        else:
            readings.append(text.best)
    return tuple(dict.fromkeys(readings))


def _content(cited: Cited, question: str, answer: str) -> str | None:
    parts = [part for _, text in cited.texts for part in _parts(answer, text)]
    if not parts:
        return "the answer must quote what is written, whole or in part"
    if all(_holds(question, part) for part in parts):
        return "the question gives the answer away"
    return None


def _time(cited: Cited, question: str, answer: str) -> str | None:
    ((number, text),) = cited.texts
    times = _times_s(answer)
    if not times:
        return "the answer must say when, in seconds from the clip's start"
    if not all(_is_near(text, second, cited.subject) for second in times):
        return f"the answer says a time at which text {number} was not read; only the listed times are known"
    if any(_is_near(text, second, cited.subject) for second in _times_s(question)):
        return "the question gives the answer away"
    return None


def _order(cited: Cited, _question: str, answer: str) -> str | None:
    for (first, one), (second, other) in pairwise(cited.texts):
        if not one.comes_before(other):
            return f"whether text {first} or {second} comes first is not sure: ask about others"
    places = [min(_mentions(answer, text), default=-1) for _, text in cited.texts]
    missing = [str(number) for (number, _), place in zip(cited.texts, places, strict=True) if place < 0]
    if missing:
        return f"the answer must quote all texts it names, and does not quote {', '.join(missing)}"
    if any(place >= later for place, later in pairwise(places)):
        return "the answer must quote the texts one by one in the order in which they were first read"
    return None


def _place(cited: Cited, question: str, answer: str) -> str | None:
    ((number, text),) = cited.texts
    if text.height is None:
        return f"text {number} is not clearly in one part of the picture: ask where another one is"
    words = set(_WORD.findall(_unquoted(answer)))
    heights, sides = _named(_HEIGHTS, words), _named(_SIDES, words)
    is_middle = bool(words & _MIDDLE)
    is_right_height = not heights and is_middle if text.height == "middle" else heights == {text.height}
    # "Centre" speaks of the height where that is the middle, and of the side otherwise.
    says_centre = is_middle and (text.height != "middle" or not sides)
    is_wrong_side = sides - {text.side} or (says_centre and text.side in _SIDES)
    is_wrong_side = is_wrong_side or (says_centre and text.side is None and text.height != "middle")
    if not is_right_height or is_wrong_side:
        place = " ".join(filter(None, (text.height, text.side)))
        return f"the answer must say where text {number} is, which is: {place}"
    if heights & _named(_HEIGHTS, set(_WORD.findall(_unquoted(question)))):
        return "the question gives the answer away"
    return None


_Check = Callable[[Cited, str, str], str | None]

RULES: Mapping[str, tuple[int, float, _Check]] = {
    "dense_text_content": (1, float("inf"), _content),
    "dense_text_time": (1, 1, _time),
    "dense_text_order": (2, float("inf"), _order),
    "dense_text_place": (1, 1, _place),
}
"""Of each task: fewest and most texts that a question rests on, and what else it must keep to."""


def _invents(cited: Cited, answer: str) -> bool:
    """Whether an answer tells, without quotation marks, what looks like text on a screen and was not read."""
    texts = [text for _, text in cited.texts]
    if any(_says(answer, text) for text in texts):
        return False
    outside = _QUOTED.sub(" ", answer)
    shouted = [word for word in _WORD.findall(outside) if len(word) > 1 and word.isupper()]
    numbers = [found[0] for found in _NUMBER.finditer(outside)]
    known = [word for word in (*shouted, *numbers) if any(_squash(word) in _squash(text.text) for text in texts)]
    times = [
        word for word in numbers if any(_is_near(text, s, cited.subject) for text in texts for s in _times_s(word))
    ]
    return bool({*shouted, *numbers} - {*known, *times})


def _quotes(said: str) -> list[str]:
    """What stands in quotation marks and has a letter or digit."""
    return [quote for quote in _QUOTED.findall(said) if _squash(quote)]


def _unquoted(said: str) -> str:
    return _QUOTED.sub(" ", said).casefold()


def _says(words: str, text: ScreenText) -> bool:
    """Whether some reading of a text holds the words, apart from case, spacing and punctuation."""
    squashed = _squash(words)
    # A lone letter is in almost every text.
    if not squashed or (len(squashed) == 1 and squashed.isascii() and squashed.isalpha()):
        return False
    return any(squashed in _squash(r.text) or is_same_text(words, r.text) for r in text.readings)


def _mentions(said: str, text: ScreenText) -> list[int]:
    """Where a text is quoted, whole or in part, or written out in full."""
    quoted = [found.start() for found in _QUOTED.finditer(said) if _says(found[1], text)]
    return quoted + [place for reading in text.readings for place in _written_out(said, reading.text)]


def _written_out(said: str, words: str) -> Iterator[int]:
    wanted = _WORD.findall(words.casefold())
    tokens = [(found.start(), found[0].casefold()) for found in _WORD.finditer(said)]
    for start in range(len(tokens) - len(wanted) + 1):
        if wanted and [token for _, token in tokens[start : start + len(wanted)]] == wanted:
            yield tokens[start][0]


def _parts(answer: str, text: ScreenText) -> list[str]:
    """The parts of a text that an answer gives."""
    quoted = [quote for quote in _quotes(answer) if _says(quote, text)]
    written = [reading.text for reading in text.readings if _holds(answer, reading.text)]
    return [*quoted, *written, *([answer] if _says(answer, text) else [])]


def _holds(said: str, part: str) -> bool:
    return next(_written_out(said, part), None) is not None


def _times_s(said: str) -> list[float]:
    """Every number outside quotation marks as seconds; `1:05` is 65."""
    found = _NUMBER.findall(_unquoted(said))
    return [60 * float(minutes or 0) + float(seconds.replace(",", ".")) for minutes, seconds in found]


def _is_near(text: ScreenText, second: float, subject: ClipSubject) -> bool:
    return abs(subject.seconds(_nearest(text, second, subject).pts) - second) <= NEAR_READING_S


def _nearest(text: ScreenText, second: float, subject: ClipSubject) -> TextDetection:
    return min(text.readings, key=lambda reading: abs(subject.seconds(reading.pts) - second))


def _named(places: Mapping[str, str], words: set[str]) -> set[str]:
    return {place for word, place in places.items() if word in words}


def _squash(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
