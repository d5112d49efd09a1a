"""What the text-only probe measures of an option: its words, and how it differs from the options beside it.

Here: hashed words and word pairs, figures of wording, numbers, place. Not here: learning from them
(`stages.priors.classifier`) or testing them one by one (`stages.priors.artefacts`).

Which figures are measured is ours; the cues are those that guides to writing test items warn of: length, absolutes
and hedges, precision, words repeated from the question, and options that share most with the others.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from stages.priors.items import Floats, Ints, Questions

Sparse = Any
"""A `scipy.sparse` matrix in CSR form; SciPy ships no types."""

N_COLUMNS = 1 << 20
"""Columns that words are hashed to: two words of a data set seldom share one."""
_CHUNK = 8_192
"""Questions measured at a time, so that their words need not all lie in memory."""
_MOST_WORDS = 400
_PLACES = 8
"""Places that are told apart; what comes later is simply late."""

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W_]+(?:['\u2019][^\W_]+)?")
"""A word, or one character of a script that does not part its words."""
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_PUNCTUATION = re.compile(r"[^\w\s]")
_CAPITALISED = re.compile(r"\B[A-Z]|(?<=\s)[A-Z]")


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


_HEDGES = _listed(
    "about almost apparently appear appears approximately around can could generally largely likely mainly may maybe"
    " might mostly often partly perhaps possibly potentially presumably probably rather relatively seem seemingly seems"
    " slightly some sometimes somewhat suggest suggests tend tends typically usually"
)
_ABSOLUTES = _listed(
    "absolutely all always any anything completely constantly definitely entire entirely every everybody everyone"
    " everything exactly exclusively fully immediately impossible merely must nobody none nothing only perfectly purely"
    " simply solely totally whole"
)
_NEGATIONS = _listed("cannot can't didn't doesn't don't isn't never no non none nor not nothing without won't")

FIGURES = (
    "characters", "words", "characters a word", "words of the question", "words of other options", "hedges",
    "absolutes", "negations", "numbers", "capitals", "punctuation",
)  # fmt: skip
"""Measured of each option and held against the mean of its question's options."""
MARKS = (
    "longest", "shortest", "smallest number", "largest number", "middle number",
    *(f"place {place + 1}" for place in range(_PLACES)), "last",
)  # fmt: skip
"""True or false of each option."""


@dataclass(frozen=True)
class Features:
    """Everything measured. R = options, D = `FIGURES` and `MARKS`."""

    words: Sparse
    """Shape (R, N_COLUMNS), float32, 0 or 1: which words an option has."""
    pairs: Sparse
    """The same of pairs of neighbouring words."""
    figures: Floats
    """Shape (R, D)."""
    numbers: "NumberRanks"

    def subset(self, rows: Ints) -> "Features":
        """Those of some rows: all rows of each of some questions."""
        numbers = NumberRanks(self.numbers.rank[rows], self.numbers.n_ranks[rows])
        return Features(self.words[rows], self.pairs[rows], self.figures[rows], numbers)


@dataclass(frozen=True)
class NumberRanks:
    """Where each option stands among its question's options by the numbers in it."""

    rank: Ints
    """Shape (R,): from 0, the smallest; -1 where the options cannot be ordered by their numbers."""
    n_ranks: Ints
    """Shape (R,): how many options its question has."""


def measure(questions: Questions) -> Features:
    """Everything that is measured of the options of at least one question."""
    from scipy import sparse

    words, pairs, figures = zip(*_measured(questions), strict=True)
    numbers = _number_ranks(questions)
    return Features(
        words=sparse.vstack(words, format="csr"),
        pairs=sparse.vstack(pairs, format="csr"),
        figures=np.hstack([_centred(np.concatenate(figures), questions), _marks(questions, numbers)]),
        numbers=numbers,
    )


def split_words(text: str) -> list[str]:
    """The words of a text, their case folded; the first few hundred of them."""
    return _WORD.findall(text.casefold().replace("\u2019", "'"))[:_MOST_WORDS]


def word_pairs(words: Sequence[str]) -> list[str]:
    """Pairs of neighbouring words."""
    return [f"{one} {two}" for one, two in pairwise(words)]


def hashed(documents: Sequence[Sequence[str]]) -> Sparse:
    """Which terms each document has: shape (len(documents), N_COLUMNS), 0 or 1."""
    from sklearn.feature_extraction import FeatureHasher

    hasher = FeatureHasher(n_features=N_COLUMNS, input_type="string", dtype=np.float32, alternate_sign=False)
    matrix = hasher.transform(documents).tocsr()
    matrix.sum_duplicates()
    matrix.data[:] = 1
    return matrix


def lengths(questions: Questions) -> Floats:
    """Shape (R,): characters of each option."""
    return questions.option_chars.astype(np.float64)


def _measured(questions: Questions) -> Iterator[tuple[Sparse, Sparse, Floats]]:
    """Words, pairs and figures, some questions at a time."""
    first = 0
    for start in range(0, len(questions), _CHUNK):
        documents: list[list[str]] = []
        figures: list[list[float]] = []
        for item in range(start, min(start + _CHUNK, len(questions))):
            last = first + int(questions.n_options[item])
            texts = questions.options[first:last]
            words = [split_words(text) for text in texts]
            documents += words
            figures += _figures(questions.questions[item], texts, words, questions.option_chars[first:last])
            first = last
        pairs = hashed([word_pairs(said) for said in documents])
        yield hashed(documents), pairs, np.array(figures, np.float64).reshape(-1, len(FIGURES))


def _figures(question: str, texts: Sequence[str], words: list[list[str]], chars: Ints) -> list[list[float]]:
    asked = set(split_words(question))
    sets = [set(said) for said in words]
    shared = Counter(word for said in sets for word in said)
    return [
        [
            math.log1p(n_chars),
            math.log1p(len(said)),
            math.log1p(len(text) / max(1, len(said))),
            len(kinds & asked) / max(1, len(kinds)),
            sum(shared[word] > 1 for word in kinds) / max(1, len(kinds)),
            float(len(kinds & _HEDGES)),
            float(len(kinds & _ABSOLUTES)),
            float(len(kinds & _NEGATIONS)),
            float(len(_NUMBER.findall(text))),
            math.log1p(len(_CAPITALISED.findall(text))),
            math.log1p(len(_PUNCTUATION.findall(text))),
        ]
        for text, said, kinds, n_chars in zip(texts, words, sets, chars.tolist(), strict=True)
    ]


def _centred(figures: Floats, questions: Questions) -> Floats:
    """Each figure less the mean over its question's options, so that only what differs among them is left."""
    means = np.add.reduceat(figures, questions.first_rows) / questions.n_options[:, None]
    return np.clip(figures - means[questions.owners], -3, 3)


def _marks(questions: Questions, numbers: NumberRanks) -> Floats:
    owners, first = questions.owners, questions.first_rows
    chars = lengths(questions)
    place = np.arange(len(owners)) - first[owners]
    last = numbers.n_ranks - 1
    return np.column_stack(
        [
            is_sole_extreme(chars, questions.n_options),
            is_sole_extreme(-chars, questions.n_options),
            numbers.rank == 0,
            numbers.rank == last,
            (numbers.rank > 0) & (numbers.rank < last),
            *(place == number for number in range(_PLACES)),
            place == questions.n_options[owners] - 1,
        ]
    ).astype(np.float64)


def is_sole_extreme(values: Floats, n_options: Ints) -> Any:
    """Shape (R,), bool: whether a row alone has the largest value of its question's, of which there are so many."""
    first, owners = np.cumsum(n_options) - n_options, np.repeat(np.arange(len(n_options)), n_options)
    largest = np.maximum.reduceat(values, first)[owners] == values
    n_largest = np.add.reduceat(largest.astype(np.int64), first)
    return largest & (n_largest[owners] == 1)


def _number_ranks(questions: Questions) -> NumberRanks:
    """Options are in an order of numbers where all have equally many and no two have the same."""
    ranks = np.full(len(questions.options), -1, np.int64)
    row = 0
    for n_options in questions.n_options.tolist():
        found = [tuple(map(float, _NUMBER.findall(text)[:8])) for text in questions.options[row : row + n_options]]
        if found[0] and len({len(one) for one in found}) == 1 and len(set(found)) == n_options:
            order = sorted(range(n_options), key=found.__getitem__)
            ranks[[row + place for place in order]] = np.arange(n_options)
        row += n_options
    return NumberRanks(ranks, questions.n_options[questions.owners])
