"""A rule that picks options without the video, and how it fares beside chance.

Here: `Rule`, `Stratum`, p-values and the correction within a test. Not here: which rules there are
(`stages.priors.artefacts`, `stages.priors.presence`).

Chance is that the right option is as likely any of its question's options. How often a rule is right is held against
the binomial distribution with the mean chance, whose tail is the heavier one where chances differ (Hoeffding 1956).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from schemas.priors import ArtefactKind
from stages.priors.classifier import Guesses
from stages.priors.features import Features, Sparse
from stages.priors.items import Bools, Floats, Ints, Questions

MOST_RULES = 20
"""Rules of one kind that are kept of one set of questions: the most striking."""


@dataclass(frozen=True)
class Rule:
    """A way to pick options without the video, and how it fares. M = questions that it says something about."""

    kind: ArtefactKind
    words: str
    items: Ints
    """Shape (M,): those questions."""
    hits: Bools
    """Shape (M,): whether the right option is among those that it picks."""
    chance: Floats
    """Shape (M,): share of the options that it picks."""
    confidence: Floats
    """Shape (M,): how strongly it speaks; equal where it has no degrees."""
    p_value: float
    """Corrected for the rules of its kind that were tried along with it."""
    statistic: float
    spread: float = 1.0
    """Variance of its luck over that of the binomial distribution; 1 of a rule that was fixed before it was tried."""

    @property
    def n_right(self) -> int:
        """Questions where it is right."""
        return int(self.hits.sum())

    @property
    def expected(self) -> float:
        """Questions where it would be right by chance."""
        return float(self.chance.sum())


@dataclass(frozen=True)
class Stratum:
    """Questions that are tested together, with all that is known of them."""

    name: str
    items: Ints
    questions: Questions
    features: Features
    terms: Sparse
    """Shape (R, N_COLUMNS), 0 or 1: words and pairs of words of each option."""
    texts: Sparse
    """Shape (R, texts), 0 or 1: the text of each option, as one column."""
    guesses: Guesses
    spread: float
    """Of the classifier's luck (`stages.priors.spread`)."""


Tested = tuple[Rule, ...]
"""The rules of one test, the most striking first; the test's p-value is the first one's."""


def tail(n_right: int, n_items: int, chance: float, spread: float = 1.0) -> float:
    """Probability of so many right or more, where each is right with probability `chance`.

    The number is distributed binomially, or where its variance is `spread` times as large, beta-binomially.
    """
    from scipy.stats import betabinom, binom

    if n_items == 0:
        return 1.0
    share = min((spread - 1) / max(1, n_items - 1), 0.999)
    if share <= 0:
        return float(binom.sf(n_right - 1, n_items, chance))
    size = (1 - share) / share
    return float(betabinom.sf(n_right - 1, n_items, chance * size, (1 - chance) * size))


def new_rule(
    kind: ArtefactKind, words: str, items: Ints, hits: Bools, chance: Floats, confidence: Floats | None = None,
    spread: float = 1.0,
) -> Rule:  # fmt: skip
    """A rule with its p-value before any correction, and its distance from chance in standard deviations."""
    n_right, n_items, expected = int(hits.sum()), len(items), float(chance.sum())
    mean = expected / max(1, n_items)
    deviation = np.sqrt(spread * n_items * mean * (1 - mean))
    statistic = float((n_right - expected) / max(deviation, 1e-9))
    confidence = np.zeros(n_items) if confidence is None else confidence
    p_value = tail(n_right, n_items, mean, spread)
    return Rule(kind, words, items, hits, chance, confidence, p_value, statistic, spread)


def with_p(rule: Rule, p_value: float, statistic: float | None = None) -> Rule:
    """The rule with another p-value, and another statistic where one is given."""
    return replace(rule, p_value=p_value, statistic=rule.statistic if statistic is None else statistic)


def corrected(rules: Sequence[Rule], min_items: int, n_tried: int | None = None) -> Iterator[Tested]:
    """The rules that say something often enough, corrected for how many were tried (Bonferroni)."""
    said = [rule for rule in rules if len(rule.items) >= min_items]
    n_tried = len(said) if n_tried is None else n_tried
    found = [with_p(rule, min(1.0, n_tried * rule.p_value)) for rule in said]
    if found:
        yield tuple(sorted(found, key=lambda rule: (rule.p_value, -rule.statistic, rule.words)))[:MOST_RULES]
