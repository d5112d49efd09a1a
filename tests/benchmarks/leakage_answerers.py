"""Simulated answerers of known ability, and of known bad habits, before the product's own test.

Here: who answers how, and what the test makes of it. Not here: the figures (`tests.benchmarks.leakage`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from stages.blind.leakage import OPEN_CHANCE, decide
from stages.blind.sequential import Look, SequentialTest, characteristic
from stages.blind.trials import Trial, trial_plan

BLOCK = 100_000
"""Items that are simulated together."""
N_ANSWERERS = 3
_QUANTILES = 400
"""Rates that stand for a distribution of them."""


@dataclass(frozen=True)
class Tally:
    """What became of simulated items."""

    n_items: int
    rejected: float
    """Share, 0 to 1."""
    mean_trials: float

    @property
    def noise(self) -> float:
        """Half of the 95 % interval of the share, from the number of items."""
        return float(1.96 * np.sqrt(self.rejected * (1 - self.rejected) / self.n_items))


def simulate(test: SequentialTest, n_options: int, ability: float, n_items: int, seed: int) -> Tally:
    """Items with right options at random places, tried after the product's plan until its test is over.

    An answerer knows the right option with the chance `ability`, each time anew, and else picks a shown one at random.
    """
    rng = np.random.default_rng(seed)
    plan = trial_plan(n_options, N_ANSWERERS, test.max_trials)
    rejected, trials, left = 0, 0, n_items
    while left > 0:
        leaking, taken = _block(test, plan, n_options, ability, min(BLOCK, left), rng)
        rejected, trials, left = rejected + leaking, trials + taken, left - BLOCK
    return Tally(n_items, rejected / n_items, trials / n_items)


def _block(
    test: SequentialTest, plan: Sequence[Trial], n_options: int, ability: float, n_items: int, rng: np.random.Generator
) -> tuple[int, int]:
    """How many of the items are rejected, and all trials together."""
    places = rng.integers(n_options, size=n_items, dtype=np.int8)
    right = np.zeros(n_items, dtype=np.int64)
    rejected, trials, done = 0, 0, 0
    for look in test.looks:
        for trial in plan[done : look.trials]:
            right += outcomes(trial, places, n_options, ability, rng)
        trials, done = trials + len(places) * (look.trials - done), look.trials
        rejected += int((right >= look.high_at).sum())
        is_open = (look.low_at < right) & (right < look.high_at)
        places, right = places[is_open], right[is_open]
    return rejected, trials


def outcomes(
    trial: Trial, places: NDArray[np.int8], n_options: int, ability: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Whether one trial of each item is right; `places` are those of the right options before rotation."""
    knows = rng.random(len(places)) < ability
    if n_options == 1:
        guesses = rng.random(len(places)) < OPEN_CHANCE
    else:
        shown = (places - trial.rotation) % n_options
        guesses = rng.integers(n_options, size=len(places), dtype=np.int8) == shown
    return np.asarray(knows | guesses, dtype=np.bool_)


def walds_test(
    test: SequentialTest, false_high: float, false_low: float, max_trials: int, at_once: int
) -> SequentialTest:
    """The peer: Wald's own boundaries at every look, and the nearer rate at the end."""
    upper, lower = np.log((1 - false_low) / false_high), np.log(false_low / (1 - false_high))
    looks = []
    for trials in (*range(at_once, max_trials, at_once), max_trials):
        ratios = np.array([test.log_ratio(trials, right) for right in range(trials + 1)])
        bounds = (0.0, 0.0) if trials == max_trials else (lower, upper)
        high_at = int((ratios < bounds[1]).sum())
        looks.append(Look(trials, min(high_at, int((ratios <= bounds[0]).sum())) - 1, high_at))
    return SequentialTest(test.low_rate, test.high_rate, tuple(looks))


def rejected_by_position(test: SequentialTest, n_options: int, n_answerers: int) -> float:
    """Share rejected where each answerer always picks a position of its own, over all positions: exact."""
    plan = trial_plan(n_options, n_answerers, test.max_trials)
    cases = list(product(product(range(n_options), repeat=n_answerers), range(n_options)))
    rejected = 0
    for positions, place in cases:
        right = [positions[trial.answerer] == trial.answer_index(place, n_options) for trial in plan]
        rejected += decide(right, test) == "leaks"
    return rejected / len(cases)


def rejected_by_liking(test: SequentialTest, n_options: int, n_answerers: int) -> float:
    """Share rejected where each answerer always prefers one option, whichever and wherever it is: exact.

    Each likes the right one with the chance 1 in `n_options`, by itself.
    """
    plan = trial_plan(n_options, n_answerers, test.max_trials)
    rejected = 0.0
    for likes in product((True, False), repeat=n_answerers):
        if decide([likes[trial.answerer] for trial in plan], test) == "leaks":
            rejected += prod(1 / n_options if liked else 1 - 1 / n_options for liked in likes)
    return rejected


def rejected_by_correlation(test: SequentialTest, correlation: float) -> float:
    """Share rejected where the rate of each item is drawn around the guessing rate, after a beta distribution.

    Any two trials of one item then agree with this correlation, above 0 and below 1.
    """
    weight = 1 / correlation - 1
    spread = beta(test.low_rate * weight, (1 - test.low_rate) * weight)
    rates = spread.ppf((np.arange(_QUANTILES) + 0.5) / _QUANTILES)
    return float(np.mean([characteristic(test, rate).high_share for rate in np.clip(rates, 1e-12, 1 - 1e-12)]))


def abilities() -> Iterator[float]:
    """From guessing to knowing, in tenths."""
    yield from (number / 10 for number in range(11))
