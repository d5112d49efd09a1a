"""The texts of a label that somebody reads, and which of their words are quoted from the screen.

Here: `LabelText`, `label_texts`, and `Fault`, what a rule finds in them. Not here: the rules (`stages.wording.judge`).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from schemas.label import Label

_QUOTED = re.compile(r'"[^"\n]*"|\u201c[^\u201d\n]*\u201d|\u201e[^\u201c\n]*\u201c|\u00ab[^\u00bb\n]*\u00bb')
_GAP = " \u2026 "
"""What takes the place of words that are not the label's own."""


@dataclass(frozen=True)
class LabelText:
    """One text of a label."""

    what: str
    """What it is called in a sentence: `the question`, `option 2`."""
    text: str
    own: str
    """The text without what it repeats from the screen: language and style are judged by this."""

    @property
    def unquoted(self) -> str:
        """Its own words without anything in quotation marks, such as what somebody in the video says."""
        return _QUOTED.sub(_GAP, self.own)


@dataclass(frozen=True)
class Fault:
    """Something in the words of a label for which it is rejected."""

    rule: str
    """Name of the rule, after `verify.wording.`."""
    reason: str
    score: float = 1.0
    """What was measured; how many times it is there, where nothing is."""
    threshold: float = 0.0


def label_texts(label: Label) -> tuple[LabelText, ...]:
    """Every text of the label that somebody reads, and the texts of the screen that its evidence claims.

    A text that the evidence claims to be on the screen is the video's. So are quotations in a label with such a claim,
    and all options where the right one is nothing but such a text: wrong ones imitate it.
    """
    screen = [e.claim.text for e in label.evidence if e.claim and e.claim.quantity == "text" and e.claim.text]
    made = [LabelText(what, text, _own(text, screen)) for what, text in _texts(label)]
    claimed = [LabelText("a text read from the screen", text, "") for text in dict.fromkeys(screen)]
    asked = label.qa or label.trace
    if asked and not has_letters(_own(asked.options[asked.answer_index], screen)):
        made = [text if not text.what.startswith("option ") else LabelText(text.what, text.text, "") for text in made]
    return (*made, *claimed)


def counted(texts: Sequence[LabelText]) -> str:
    """Which texts there are, in words: `the question, 4 options, 3 reasoning steps`."""
    kinds: dict[str, int] = {}
    for text in texts:
        kind = re.sub(r" \d+$", "", text.what)
        kinds[kind] = kinds.get(kind, 0) + 1
    return ", ".join(kind if n == 1 else f"{n} {_plural(kind)}" for kind, n in kinds.items())


def _texts(label: Label) -> Iterator[tuple[str, str]]:
    if label.caption:
        yield "the caption", label.caption.text
    if asked := label.qa or label.trace:
        yield "the question", asked.question
        yield from _numbered("option", asked.options)
    if label.qa:
        yield from _numbered("reasoning step", [step.text for step in label.qa.reasoning])
    if label.trace:
        yield from _numbered("thought", [turn.thought for turn in label.trace.turns])
    if label.sv6d:
        yield from ((f"{value.dimension}.{value.attribute}", value.value) for value in label.sv6d.values)
    if label.checklist:
        yield "the prompt", label.checklist.prompt
        yield from _numbered("checklist item", [item.text for item in label.checklist.items])
    if label.moments:
        yield "the query", label.moments.query
    yield from _numbered("observation", [evidence.observation for evidence in label.evidence])


def _numbered(kind: str, texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    yield from ((f"{kind} {number}", text) for number, text in enumerate(texts, 1))


def _own(text: str, screen: Sequence[str]) -> str:
    if not screen:
        return text
    for quote in sorted(screen, key=len, reverse=True):
        words = r"\s+".join(map(re.escape, quote.split()))
        if words:
            text = re.sub(rf"(?<!\w){words}(?!\w)", _GAP, text, flags=re.IGNORECASE)
    return _QUOTED.sub(_GAP, text)


def has_letters(text: str) -> bool:
    """Whether there is any letter of any script."""
    return any(sign.isalpha() for sign in text)


def _plural(kind: str) -> str:
    bare = kind.removeprefix("the ").removeprefix("a ")
    if bare.startswith("text "):
        return bare.replace("text ", "texts ", 1)
    return f"{bare.removesuffix('y')}ies" if bare.endswith("ry") else f"{bare}s"
