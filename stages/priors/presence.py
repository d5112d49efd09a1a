"""Tests for words that give right options away: whole texts that are mostly right, words that only right ones have.

Here: rules that pick the options which have something, or have it not. Not here: rules of place and length
(`stages.priors.artefacts`).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from schemas.priors import ArtefactKind
from stages.priors.features import Sparse, hashed, split_words, word_pairs
from stages.priors.items import Floats, Ints, Questions
from stages.priors.rules import MOST_RULES, Rule, Stratum, Tested, corrected, new_rule, tail, with_p


def majority_test(stratum: Stratum, min_items: int, significance: float) -> Iterator[Tested]:
    """Whether one text is right far more often than chance where it is an option."""
    yield from _presence(stratum, stratum.texts, "majority", min_items, significance)


def wording_test(stratum: Stratum, min_items: int, significance: float) -> Iterator[Tested]:
    """Whether a word, or a pair of words, in an option tells that it is right, or that it is wrong."""
    yield from _presence(stratum, stratum.terms, "wording", min_items, significance)


def _presence(
    stratum: Stratum, columns: Sparse, kind: ArtefactKind, min_items: int, significance: float
) -> Iterator[Tested]:
    """Rules that pick the options which have something, or those which have it not, for everything they may have.

    What could not be significant however right it was is not counted among what was tried (Tarone 1990). What rests
    on one video alone is left out: it says what that video is about.
    """
    if len(stratum.items) < min_items:
        return
    table = _Presence.of(stratum, columns)
    tried = [(has, table.p_values(has)) for has in (True, False)]
    n_tried = sum(int((table.least_p(has) <= significance).sum()) for has in (True, False))
    found = [
        (float(p_values[column]), has, int(column))
        for has, p_values in tried
        for column in np.flatnonzero(p_values * max(1, n_tried) <= significance)
    ]
    rules: list[Rule] = []
    for p_value, has, column in sorted(found):
        rule = table.rule(stratum, kind, column, has)
        if _is_of_many_videos(rule, stratum.questions, significance):
            rules.append(with_p(rule, p_value))
        if len(rules) == MOST_RULES:
            break
    if n_tried:
        yield from corrected(rules or [_nothing(kind)], 0, n_tried)


def _nothing(kind: ArtefactKind) -> Rule:
    """What a test without any finding comes to; it counts among the tests."""
    return new_rule(kind, "", np.zeros(0, np.int64), np.zeros(0, bool), np.zeros(0))


def _is_of_many_videos(rule: Rule, questions: Questions, significance: float) -> bool:
    """Whether the rule is beyond chance also without the video that speaks for it most."""
    _, sources = np.unique(questions.sources[rule.items], return_inverse=True)
    excess = np.bincount(sources, weights=rule.hits - rule.chance)
    rest = sources != int(np.argmax(excess))
    n_rest = int(rest.sum())
    return n_rest > 0 and tail(int(rule.hits[rest].sum()), n_rest, float(rule.chance[rest].mean())) <= significance


@dataclass(frozen=True)
class _Presence:
    """For everything that options may have (V of them): how often it parts a question's options, and how well."""

    used: Ints
    """Shape (V,): columns of the whole table that any option of the stratum has."""
    share: Sparse
    """Shape (M, V): share of a question's options that have it, where some have and some have not."""
    right: Sparse
    """Shape (M, V): 1 where the right option is among them, too."""
    n_items: Ints
    n_right: Ints
    expected: Floats

    @classmethod
    def of(cls, stratum: Stratum, columns: Sparse) -> "_Presence":
        from scipy import sparse

        questions, items = stratum.questions, stratum.items
        rows, counts = questions.rows_of(items), questions.n_options[items]
        within = columns[rows]
        used, compact = np.unique(within.indices, return_inverse=True)
        shape = (len(rows), max(1, len(used)))
        within = sparse.csr_matrix((within.data.astype(np.float64), compact, within.indptr), shape=shape)
        ends = np.cumsum(counts)
        asks = sparse.csr_matrix(
            (np.ones(len(rows)), np.arange(len(rows)), np.r_[0, ends]), shape=(len(items), len(rows))
        )
        share = (asks @ within).tocsr()
        share.data /= np.repeat(counts, np.diff(share.indptr))
        share.data[share.data >= 1] = 0
        share.eliminate_zeros()
        parts = share.copy()
        parts.data[:] = 1
        right = within[ends - counts + questions.places[items]].multiply(parts).tocsr()
        n_items, n_right, expected = (np.asarray(one.sum(axis=0)).ravel() for one in (parts, right, share))
        return cls(used, share, right, n_items.astype(np.int64), n_right.astype(np.int64), expected)

    def p_values(self, has: bool) -> Floats:
        """Shape (V,): of picking the options that have it, or that have it not."""
        from scipy.stats import binom

        n_right = self.n_right if has else self.n_items - self.n_right
        return np.asarray(binom.sf(n_right - 1, self.n_items, self._chance(has)), np.float64)

    def least_p(self, has: bool) -> Floats:
        """Shape (V,): the smallest p-value that there could be."""
        return np.where(self.n_items > 0, self._chance(has) ** self.n_items, 1.0)

    def _chance(self, has: bool) -> Floats:
        chance = self.expected / np.maximum(1, self.n_items)
        return chance if has else 1 - chance

    def rule(self, stratum: Stratum, kind: ArtefactKind, column: int, has: bool) -> Rule:
        """The rule in words, with every question that it speaks about."""
        share = np.asarray(self.share[:, [column]].todense()).ravel()
        right = np.asarray(self.right[:, [column]].todense()).ravel() > 0
        local = np.flatnonzero(share)
        items = stratum.items[local]
        name = _name(stratum, kind, int(self.used[column]) if len(self.used) else 0, items)
        hits, chance = (right[local], share[local]) if has else (~right[local], 1 - share[local])
        what = "is" if kind == "majority" else "has"
        words = f"the right option {what} {name!r}" if has else f"the right option {what} not {name!r}"
        return new_rule(kind, words, items, hits, chance)


def _name(stratum: Stratum, kind: ArtefactKind, column: int, items: Ints) -> str:
    """What a column stands for, from the options of questions that it parts."""
    questions = stratum.questions
    rows = questions.rows_of(items[:50])
    if kind == "majority":
        is_it = stratum.texts[rows][:, [column]].toarray().ravel() > 0
        return questions.options[int(rows[int(np.argmax(is_it))])][:80]
    words = [split_words(questions.options[row]) for row in rows.tolist()]
    said = Counter(term for one in words for term in {*one, *word_pairs(one)})
    names = sorted(said, key=lambda term: (-said[term], term))
    columns = hashed([[name] for name in names]).indices
    return next(name for name, found in zip(names, columns.tolist(), strict=True) if found == column)[:80]
