"""What is written on the screen of a clip: each text once, with when and where it was read.

Here: `ScreenText` and joining readings of one text. Not here: reading text (`stages.pictures.text`), or questions on it
(`annotators.dense_text`). How alike two readings of one text are, and where a part of the picture ends, is ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from annotators.measured import classes
from annotators.measured.classes import Borders
from annotators.measured.facts import ClipFacts
from annotators.measured.qa_text import similarity
from schemas.signals import TextDetection

MAX_TEXTS = 24
"""Texts of a clip that are listed; of more, those read with most certainty."""
SAME_READING = 0.9
"""Readings at least this alike, with the same digits, are one text that was read twice (Ratcliff and Obershelp)."""

SIDES = Borders("left", "centre", "right", lower=1 / 3, upper=2 / 3, margin=0.12)
"""Of the middle of a text, 0 left to 1 right; heights are those of the measured annotator."""


@dataclass(frozen=True)
class ScreenText:
    """One text of a clip."""

    readings: tuple[TextDetection, ...]
    """In order of time, one a frame."""
    is_repeated: bool = False
    """Whether it stands in several places of one frame; the uppermost speaks for the others."""

    @property
    def text(self) -> str:
        """What is written, as it was read with most certainty, on one line."""
        return " ".join(self.best.text.split())

    @property
    def best(self) -> TextDetection:
        """The reading with most certainty, the earliest of equals."""
        return max(self.readings, key=lambda reading: reading.score)

    @property
    def height(self) -> str | None:
        """`top`, `middle` or `bottom`; None near a border, or where the text has several places."""
        return (
            None
            if self.is_repeated
            else _only([classes.TEXT_POSITION.word((r.top + r.bottom) / 2) for r in self.readings])
        )

    @property
    def side(self) -> str | None:
        """`left`, `centre` or `right`; None near a border, or where the text has several places."""
        return None if self.is_repeated else _only([SIDES.word((r.left + r.right) / 2) for r in self.readings])

    def comes_before(self, other: "ScreenText") -> bool:
        """Whether its last reading lies before the first of the other, so that their order is beyond doubt."""
        return self.readings[-1].pts < other.readings[0].pts


def screen_texts(facts: ClipFacts) -> tuple[ScreenText, ...]:
    """Every text that was surely read, in order of first reading, then from top to bottom."""
    groups: list[list[TextDetection]] = []
    repeated: set[int] = set()
    inside = [reading for reading in facts.sure_texts if facts.span.holds(reading.pts)]
    for reading in sorted(inside, key=lambda reading: (reading.pts, reading.top, reading.left)):
        home = next((n for n, group in enumerate(groups) if is_same_text(group[0].text, reading.text)), None)
        if home is None:
            groups.append([reading])
        elif groups[home][-1].pts < reading.pts:
            groups[home].append(reading)
        else:
            repeated.add(home)
    texts = [ScreenText(tuple(group), number in repeated) for number, group in enumerate(groups)]
    surest = sorted(range(len(texts)), key=lambda index: (-texts[index].best.score, index))[:MAX_TEXTS]
    return tuple(texts[index] for index in sorted(surest))


def is_same_text(first: str, second: str) -> bool:
    """Whether two readings are of one text."""
    lengths = sorted(len("".join(text.split())) for text in (first, second))
    # The ratio cannot be reached where the lengths differ by more than this; most pairs end here.
    if lengths[0] < lengths[1] * SAME_READING / (2 - SAME_READING) or _digits(first) != _digits(second):
        return False
    return similarity(first, second) >= SAME_READING


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())


def _only(words: Sequence[str | None]) -> str | None:
    """The word that all readings have."""
    return words[0] if len(set(words)) == 1 else None
