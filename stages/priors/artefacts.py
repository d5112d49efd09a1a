"""Tests for what gives right options away: their place, length, number, and what the classifier makes of all.

Here: the rules that a few plain questions come to, held against chance in one set of questions. Not here: single
words and texts (`stages.priors.presence`), or what is found over all tests (`stages.priors.findings`).
"""

from collections.abc import Iterator

import numpy as np

from schemas.priors import ArtefactKind
from stages.priors.features import is_sole_extreme, lengths
from stages.priors.items import Floats, Ints
from stages.priors.rules import Rule, Stratum, Tested, corrected, new_rule, tail, with_p

_LEAST_EXPECTED = 5
"""Right options expected in each place, from which chi-square's tail can be trusted."""


def position_test(stratum: Stratum, min_items: int) -> Iterator[Tested]:
    """Whether right options lie in every place equally often: chi-square, for each number of options."""
    from scipy.stats import chisquare

    questions = stratum.questions
    counts = questions.n_options[stratum.items]
    for n_options in np.unique(counts).tolist():
        items = stratum.items[counts == n_options]
        if len(items) < min_items:
            continue
        places = questions.places[items]
        observed = np.bincount(places, minlength=n_options)
        chosen = _favoured(observed)
        rule = new_rule("position", _spell_places(chosen, n_options), items, np.isin(places, chosen),
                     np.full(len(items), len(chosen) / n_options))  # fmt: skip
        statistic, p_value = chisquare(observed)
        if len(items) / n_options < _LEAST_EXPECTED:
            p_value = min(1.0, n_options * tail(int(observed.max()), len(items), 1 / n_options))
        yield (with_p(rule, float(p_value), float(statistic)),)


def length_test(stratum: Stratum, min_items: int) -> Iterator[Tested]:
    """Whether the right option is the longest, or the shortest, more often than chance."""
    chars = lengths(stratum.questions)
    rules = [_extreme(stratum, sign * chars, "length", f"the right option is the {name}") for sign, name in _EXTREMES]
    yield from corrected(rules, min_items)


_EXTREMES = ((1, "longest"), (-1, "shortest"))


def number_test(stratum: Stratum, min_items: int) -> Iterator[Tested]:
    """Whether the right option has the smallest or the largest number, or one between them."""
    questions, numbers = stratum.questions, stratum.features.numbers
    items = stratum.items[numbers.rank[questions.first_rows[stratum.items]] >= 0]
    rank, n_options = numbers.rank[questions.answers[items]], questions.n_options[items]
    one = 1 / n_options
    rules = [
        new_rule("number", "the right option has the smallest number", items, rank == 0, one),
        new_rule("number", "the right option has the largest number", items, rank == n_options - 1, one),
    ]
    is_more = n_options > 2
    between = (rank > 0) & (rank < n_options - 1)
    name = "the right option has neither the smallest nor the largest number"
    rules.append(new_rule("number", name, items[is_more], between[is_more], 1 - 2 * one[is_more]))
    yield from corrected(rules, min_items)


def probe_test(stratum: Stratum, min_items: int) -> Iterator[Tested]:
    """Whether the classifier guesses more than chance of what it did not learn from."""
    items, guesses = stratum.items, stratum.guesses
    if len(items) < min_items:
        return
    chance = 1 / stratum.questions.n_options[items]
    name = "the words of question and options together point to the right one"
    yield (new_rule("probe", name, items, guesses.hits[items], chance, guesses.confidence[items], stratum.spread),)


def _favoured(observed: Ints) -> Ints:
    """The places that hold more right options than others: as many as stand out most clearly together."""
    order = np.lexsort((np.arange(len(observed)), -observed))
    n, sizes = observed.sum(), np.arange(1, len(observed))
    expected = n * sizes / len(observed)
    excess = (np.cumsum(observed[order])[:-1] - expected) / np.sqrt(expected * (1 - sizes / len(observed)))
    return np.sort(order[: int(np.argmax(excess)) + 1])


def _spell_places(places: Ints, n_options: int) -> str:
    letters = [chr(ord("A") + place) if place < 26 else f"number {place + 1}" for place in places.tolist()]
    return f"the right option of {n_options} is {' or '.join(letters)}"


def _extreme(stratum: Stratum, values: Floats, kind: ArtefactKind, words: str) -> Rule:
    """The rule that picks the option with the largest value, where there is one; surer the farther it stands out."""
    questions, all_items = stratum.questions, stratum.items
    if not len(all_items):
        return new_rule(kind, words, all_items, np.zeros(0, bool), np.zeros(0))
    values, n_options = values[questions.rows_of(all_items)], questions.n_options[all_items]
    first = np.cumsum(n_options) - n_options
    is_extreme = is_sole_extreme(values, n_options)
    has_one = np.logical_or.reduceat(is_extreme, first)
    rest = np.where(is_extreme, -np.inf, values)
    best, second = (np.maximum.reduceat(found, first)[has_one] for found in (values, rest))
    # Lengths are counts, negative ones where the shortest is looked for: their ratio is what is seen.
    confidence = np.abs(np.log1p(np.abs(best)) - np.log1p(np.abs(second)))
    hits = is_extreme[first + questions.places[all_items]][has_one]
    return new_rule(kind, words, all_items[has_one], hits, 1 / n_options[has_one], confidence)
