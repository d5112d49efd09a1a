"""Wrong options that make an open question multiple-choice.

Here: the request, the answer's form, and reading it. Not here: the words of the prompt (`prompts/distractors.j2`), or
judging whether an option is true after all.

After VideoEspresso: three wrong options, balanced in length with the right one. What makes an option unfit, where the
right one is put, that options share its quotation marks, and every limit are ours.
"""

import math
import re
from collections.abc import Iterator

from pydantic import Field

from annotators.annotator import Abstention, Annotator, Reading, Request
from annotators.answers import Answer
from annotators.facts import measured_facts
from annotators.likeness import Words, contains, said_seconds, words
from annotators.measured.draw import Draw
from annotators.pictures import pictures
from annotators.subject import ClipSubject, UnsoundError, sound_text
from annotators.told import captions_told, evidence_told
from schemas.asking import DistractorsConfig
from schemas.label import Label, QAItem
from schemas.provenance import Provenance

MOST_OPTIONS = 8
"""Options of one answer: at least one more than is ever asked for, so that bad ones can be left out. Ours."""

_MARKER = re.compile(r"^\s*(?:\([A-La-l1-9]\)|[A-La-l1-9][).:])\s+")
"""`(A) `, `b. `, `2) ` before an option."""
_BLANKET = re.compile(
    r"\b(?:none|neither|all|both|any|some) of (?:the|these|those|them)\b|\bboth [a-h] and [a-h]\b|\bneither\W*$"
    r"|\bcan(?:not|'t| not) be (?:determined|told|said|seen|known)\b|\b(?:not|in)sufficient information\b"
    r"|\bnot enough information\b|\b(?:i|we) (?:do not|don't) know\b"
    r"|^\W*(?:unknown|unclear|other|unsure|not sure|something else|n/?a|none"
    r"|not (?:shown|visible|mentioned|specified|given))\W*$"
)
"""Options that are about the other options, or say nothing. Ours."""


_MARKS = (
    ('"', '"'),
    ("\u201c", "\u201d"),
    ("\u201e", "\u201c"),
    ("\u00ab", "\u00bb"),
    ("'", "'"),
    ("\u2018", "\u2019"),
)
"""Quotation marks, opening and closing."""
_QUOTED = re.compile(r'["\u201c\u201e\u00ab][^"\u201c\u201d\u201e\u00ab\u00bb]+["\u201c\u201d\u00bb]')
_APOSTROPHE = re.compile(r"(?<=\w)['\u2019](?=\w)")


class DistractorsAnswer(Answer):
    """What a model makes up."""

    options: list[str] = Field(
        min_length=1, max_length=MOST_OPTIONS, description="wrong answers, each without a letter before it"
    )


def request(subject: ClipSubject, config: DistractorsConfig) -> Request | Abstention:
    """The question with its right answer, and what is known of the clip, so that no option comes out true."""
    label = subject.about
    if label is None or label.qa is None:
        return Abstention("the label asks nothing")
    if len(label.qa.options) > 1:
        return Abstention("the question has wrong options already")
    values = {
        "duration_s": subject.duration_s,
        "question": label.qa.question,
        "answer": label.qa.answer,
        "evidence": evidence_told(subject, label.evidence),
        "captions": captions_told(subject, config.token_budget),
        "n_wrong": config.n_options - 1,
        "lengths": _lengths(len(label.qa.answer), config),
    }
    facts = measured_facts(subject) if config.facts else ()
    return Request(values=values, pictures=pictures(subject, config), facts=facts)


def read(subject: ClipSubject, answer: DistractorsAnswer, config: DistractorsConfig, provenance: Provenance) -> Reading:
    """The label with its options where enough of them can stand; else none, with what is wrong with each bad one."""
    label = subject.about
    if label is None or label.qa is None:
        return Reading((), ("there is no question to make options for",))
    sound: list[str] = []
    problems: list[str] = []
    for number, option in enumerate(_unmarked(answer.options), 1):
        try:
            text = _in_form_of(label.qa.answer, sound_text(option, f"option {number}"))
        except UnsoundError as error:
            problems.append(str(error))
            continue
        wrong = list(_unfit(subject, text, label.qa.answer, sound, f"option {number}", config))
        problems += wrong
        if not wrong:
            sound.append(text)
    n_wrong = config.n_options - 1
    if len(sound) < n_wrong:
        missing = f"{n_wrong} wrong options are needed, and {len(sound)} can stand"
        return Reading((), (*problems, missing))
    return Reading((_revised(label, label.qa, sound[:n_wrong], config, provenance),))


def _lengths(right: int, config: DistractorsConfig) -> tuple[int, int]:
    """Fewest and most characters of an option beside a right one of so many."""
    near = max(0, config.short_chars - 1)
    fewest = min(math.ceil(right / config.max_length_ratio), right - near)
    return max(1, fewest), max(math.floor(right * config.max_length_ratio), right + near)


def _unmarked(options: list[str]) -> list[str]:
    """The options without letters or numbers before them, where every one has such a mark."""
    is_marked = all(_MARKER.match(option) for option in options)
    return [_MARKER.sub("", option, count=1) for option in options] if is_marked else options


def _in_form_of(right: str, option: str) -> str:
    """The option in the quotation marks of the right answer, where that stands in such as a whole, or else in none.

    One that quotes something within it stays as it is.
    """
    opening, closing = _marks_around(right)
    own_opening, own_closing = _marks_around(option)
    bare = option[len(own_opening) : len(option) - len(own_closing)]
    return option if _QUOTED.search(bare) else f"{opening}{bare}{closing}"


def _marks_around(text: str) -> tuple[str, str]:
    """The marks between which a text stands as a whole; empty where it does not."""
    for opening, closing in _MARKS:
        inner = text[len(opening) : -len(closing)]
        is_between = text.startswith(opening) and text.endswith(closing) and inner.strip()
        spelled = _APOSTROPHE.sub("", inner)
        if is_between and opening not in spelled and closing not in spelled:
            return opening, closing
    return "", ""


def _quotes(text: str) -> str:
    """What of a text stands in quotation marks, in words."""
    if any(_marks_around(text)):
        return "all of it"
    return "a part of it" if _QUOTED.search(text) else "nothing"


def _unfit(
    subject: ClipSubject, text: str, right: str, earlier: list[str], what: str, config: DistractorsConfig
) -> Iterator[str]:
    """Everything that is wrong with one option."""
    said, true = words(text), words(right)
    yield from _alike(said, true, [words(other) for other in earlier], what)
    if _BLANKET.search(text.casefold().replace("\u2019", "'")):
        yield f"{what} must name something itself, not be like {text[:40]!r}"
    fewest, most = _lengths(len(right), config)
    if not fewest <= len(text) <= most:
        yield f"{what} has {len(text)} characters; beside a right answer of {len(right)}, {fewest} to {most} fit"
    yield from _untimely(subject, text, right, what)
    if _quotes(text) != _quotes(right):
        yield f"{what} has {_quotes(text)} in quotation marks, the right answer {_quotes(right)}"


def _untimely(subject: ClipSubject, text: str, right: str, what: str) -> Iterator[str]:
    """Whether an option is told from the right one by the times that it names."""
    said, true = said_seconds(text), said_seconds(right)
    if bool(said) != bool(true):
        yield f"{what} names {'a time' if said else 'no time'} in seconds, unlike the right answer"
    elif said and max(said) > subject.duration_s >= max(true):
        yield f"{what} names {max(said):g} s, and the clip ends at {subject.duration_s:.2f} s"


def _alike(said: Words, true: Words, earlier: list[Words], what: str) -> Iterator[str]:
    if not said:
        yield f"{what} has no words"
    elif said == true:
        yield f"{what} repeats the right answer"
    elif contains(said, true):
        yield f"{what} contains the right answer"
    elif contains(true, said):
        yield f"{what} is contained in the right answer"
    elif said in earlier:
        yield f"{what} repeats another option"


def _revised(label: Label, item: QAItem, wrong: list[str], config: DistractorsConfig, provenance: Provenance) -> Label:
    """The label as a multiple-choice question: each place is as likely as any other to hold the right option."""
    draw = Draw(config.seed, "distractors", label.label_id)
    place = draw.below(config.n_options)
    options = draw.shuffled(wrong)
    options.insert(place, item.answer)
    revised = item.replace(options=tuple(options), answer_index=place)
    return label.replace(qa=revised, revisions=(*label.revisions, provenance))


ANNOTATOR = Annotator(
    name="distractors",
    version="2",
    unit="label",
    kind="qa",
    answer=DistractorsAnswer,
    request=request,
    read=read,
    most=lambda config: {"options": config.n_options - 1},
    after=("qa", "dense_text", "caption", "names"),
    revises=True,
)
