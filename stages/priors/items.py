"""Questions with their options as flat arrays, which is how the text-only probe looks at them.

Here: `ProbeItem`, `Questions`, and tidying text that may be hostile. Not here: what is measured of the words
(`stages.priors.features`).
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from stages.errors import StageError

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MOST_CHARS = 4_000
"""Characters of a text that the probe reads: what gives an answer away stands in no option that long. Ours."""


@dataclass(frozen=True)
class ProbeItem:
    """A question as the probe sees it: words, and where it comes from."""

    label_id: str
    group: str
    """What shares habits: the task, after its annotator's name (`qa/causal_inference`)."""
    question: str
    options: tuple[str, ...]
    answer_index: int
    source_id: str
    """The video. Questions on one video are never learned from and predicted at the same time."""


@dataclass(frozen=True)
class Questions:
    """Questions with at least two options, in the order of their ids. N = questions, R = options of all of them.

    The options of a question are consecutive rows.
    """

    label_ids: tuple[str, ...]
    group_names: tuple[str, ...]
    groups: Ints
    """Shape (N,): position of each question's group in `group_names`."""
    sources: Ints
    """Shape (N,): a number for each question's video."""
    n_options: Ints
    """Shape (N,), each at least 2."""
    answers: Ints
    """Shape (N,): row of the right option."""
    questions: tuple[str, ...]
    """Tidied; N of them."""
    options: tuple[str, ...]
    """Tidied; R of them."""
    option_chars: Ints
    """Shape (R,): length of each option before long ones were cut."""

    def __len__(self) -> int:
        return len(self.label_ids)

    @property
    def first_rows(self) -> Ints:
        """Shape (N,): the row of each question's first option."""
        return np.asarray(np.cumsum(self.n_options) - self.n_options, np.int64)

    @property
    def owners(self) -> Ints:
        """Shape (R,): the question of each row."""
        return np.repeat(np.arange(len(self)), self.n_options)

    @property
    def places(self) -> Ints:
        """Shape (N,): the place of the right option among its question's options, from 0."""
        return self.answers - self.first_rows

    def rows_of(self, chosen: Ints) -> Ints:
        """Rows of the chosen questions' options, in the order of `chosen`."""
        counts = self.n_options[chosen]
        starts = np.repeat(self.first_rows[chosen] - (np.cumsum(counts) - counts), counts)
        return np.asarray(starts + np.arange(counts.sum()), np.int64)

    def subset(self, chosen: Ints) -> "Questions":
        """The chosen questions alone; the numbers of groups and sources keep their meaning."""
        rows, n_options = self.rows_of(chosen), self.n_options[chosen]
        return Questions(
            label_ids=tuple(self.label_ids[item] for item in chosen),
            group_names=self.group_names,
            groups=self.groups[chosen],
            sources=self.sources[chosen],
            n_options=n_options,
            answers=np.cumsum(n_options) - n_options + self.places[chosen],
            questions=tuple(self.questions[item] for item in chosen),
            options=tuple(self.options[row] for row in rows),
            option_chars=self.option_chars[rows],
        )


def gather(items: Iterable[ProbeItem]) -> Questions:
    """The items that have options to choose from. Raises StageError where an id repeats or an answer is no option."""
    chosen = sorted((item for item in items if len(item.options) > 1), key=lambda item: item.label_id)
    for item, following in pairwise(chosen):
        if item.label_id == following.label_id:
            raise StageError(f"{item.label_id}: two questions of this id")
    for item in chosen:
        if not 0 <= item.answer_index < len(item.options):
            raise StageError(f"{item.label_id}: answer {item.answer_index} of {len(item.options)} options")
    n_options = np.array([len(item.options) for item in chosen], np.int64)
    places = np.array([item.answer_index for item in chosen], np.int64)
    group_names, groups = _numbered([item.group for item in chosen])
    _, sources = _numbered([item.source_id for item in chosen])
    options = [" ".join(option.split()) for item in chosen for option in item.options]
    return Questions(
        label_ids=tuple(item.label_id for item in chosen),
        group_names=group_names,
        groups=groups,
        sources=sources,
        n_options=n_options,
        answers=np.cumsum(n_options) - n_options + places,
        questions=tuple(_tidy(item.question) for item in chosen),
        options=tuple(_tidy(option) for option in options),
        option_chars=np.array([len(option) for option in options], np.int64),
    )


def _tidy(text: str) -> str:
    """The beginning of a text in one Unicode form, without what cannot be encoded, its spaces single."""
    text = text[:MOST_CHARS].encode("utf-8", "replace").decode("utf-8")
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _numbered(names: list[str]) -> tuple[tuple[str, ...], Ints]:
    """The different names in order, and the number of each."""
    known = sorted(set(names))
    numbers = {name: number for number, name in enumerate(known)}
    return tuple(known), np.array([numbers[name] for name in names], np.int64)
