"""How far two values of one attribute are apart, 0 to 1: over the taxonomy where it lists them, else by their text.

Here: `ValueDistances`. Not here: which values are held against each other (`stages.sv6d.agreement`), or what turns text
into vectors (`stages.texts.embedding`).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from schemas.judging import AgreementConfig
from schemas.taxonomy import Attribute, SV6DTaxonomy
from stages.texts.embedding import TextEmbedder, cosines
from stages.texts.letters import folded

Distances = NDArray[np.float64]
"""Shape (N, M): of each of N values from each of M; 0 the same, 1 nothing in common."""


class ValueDistances:
    """Distances between values, as the taxonomy and the configuration have them. All of it is ours.

    Of two values that the taxonomy lists: 0 where they are the same; on a scale of k steps their distance in steps over
    k - 1; `sibling_distance` where they share a group; the least of these, and 1 where none holds. A value that is
    not listed is 1 from every other. Free text: 1 - cosine of the two vectors, 0 where only case, space and marks at
    the ends differ. A cosine below 0 counts as 0.
    """

    def __init__(self, taxonomy: SV6DTaxonomy, config: AgreementConfig, embedder: TextEmbedder) -> None:
        self._taxonomy, self._config, self._embedder = taxonomy, config, embedder
        self._tables: dict[tuple[str, str], Distances] = {}

    def between(self, dimension: str, attribute: str, first: Sequence[str], second: Sequence[str]) -> Distances:
        """The distances of every value of `first` from every one of `second`, both of this attribute."""
        known = self._taxonomy.attribute(dimension, attribute)
        if known is None or not known.values:
            return self._of_texts(first, second)
        key = (dimension, attribute)
        if key not in self._tables:
            self._tables[key] = _table(known, self._config.sibling_distance)
        return _looked_up(self._tables[key], known, first, second)

    def _of_texts(self, first: Sequence[str], second: Sequence[str]) -> Distances:
        texts = {text: number for number, text in enumerate(dict.fromkeys(map(folded, (*first, *second))))}
        vectors = self._embedder.embed(list(texts))
        rows, columns = (np.array([texts[folded(text)] for text in side], np.intp) for side in (first, second))
        distinct_rows, row_of = np.unique(rows, return_inverse=True)
        distinct_columns, column_of = np.unique(columns, return_inverse=True)
        alike = cosines(vectors[distinct_rows], vectors[distinct_columns]).astype(np.float64)
        apart = 1 - np.clip(alike, 0, 1)
        apart[distinct_rows[:, None] == distinct_columns] = 0  # exactly, whatever rounding left
        return np.asarray(apart[row_of[:, None], column_of])


def _table(attribute: Attribute, sibling_distance: float) -> Distances:
    """The distances between the values that the taxonomy lists."""
    size = len(attribute.values)
    table = np.ones((size, size))
    if attribute.ordered:
        table = np.abs(np.subtract.outer(np.arange(size), np.arange(size))) / max(1, size - 1)
    for group in attribute.groups:
        members = [attribute.values.index(value) for value in group]
        block = np.ix_(members, members)
        table[block] = np.minimum(table[block], sibling_distance)
    np.fill_diagonal(table, 0)
    return table


def _looked_up(table: Distances, attribute: Attribute, first: Sequence[str], second: Sequence[str]) -> Distances:
    # What the taxonomy does not list gets a number of its own beyond the table.
    numbers = {value: number for number, value in enumerate(dict.fromkeys((*attribute.values, *first, *second)))}
    rows, columns = (np.array([numbers[value] for value in side], np.intp) for side in (first, second))
    size = len(table)
    found = np.where(rows[:, None] == columns, 0.0, 1.0)
    listed = np.ix_(rows < size, columns < size)
    found[listed] = table[np.ix_(rows[rows < size], columns[columns < size])]
    return np.asarray(found)
