"""Telling a low rate from a high one by right and wrong trials, stopping early: the tests, and what they really do.

Here: a test's boundaries, its exact behaviour at any true rate, the fixed design and the limit that it is held against.
Not here: finding boundaries (`stages.blind.search`), or what a trial is (`stages.blind.leakage`,
`stages.blind.trials`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from stages.errors import UnattainableError

Decision = Literal["low", "high"]

MOST_FIXED = 65_536
"""Trials beyond which nobody looks for a test that would do."""


@dataclass(frozen=True)
class Look:
    """After how many trials the test looks, and what it then decides."""

    trials: int
    low_at: int
    """Decided low with so many right or fewer; -1 where that cannot be decided yet."""
    high_at: int
    """Decided high with so many right or more; more than `trials` where that cannot be decided yet."""

    def decision(self, right: int) -> Decision | None:
        """What so many right trials mean here; None: go on."""
        return "low" if right <= self.low_at else "high" if right >= self.high_at else None


@dataclass(frozen=True)
class SequentialTest:
    """A test of `low_rate` against `high_rate`, with its looks in order; the last one always decides."""

    low_rate: float
    high_rate: float
    looks: tuple[Look, ...]

    @property
    def max_trials(self) -> int:
        """Trials after which it is over at the latest."""
        return self.looks[-1].trials

    def next_look(self, done: int) -> Look | None:
        """The first look after so many trials; None where there is none."""
        return next((look for look in self.looks if look.trials > done), None)

    def log_ratio(self, trials: int, right: int) -> float:
        """Log-likelihood ratio of the high rate to the low one, in nats."""
        of_wrong = np.log1p(-self.high_rate) - np.log1p(-self.low_rate)
        return float(right * np.log(self.high_rate / self.low_rate) + (trials - right) * of_wrong)


@dataclass(frozen=True)
class Ending:
    """One way in which a test can end, and how likely it is at the rate that was asked about."""

    look: Look
    right: int
    decision: Decision
    probability: float


@dataclass(frozen=True)
class Characteristic:
    """What a test does at one true rate."""

    high_share: float
    """Chance that it decides high, 0 to 1."""
    expected_trials: float


@dataclass(frozen=True)
class FixedDesign:
    """So many trials whatever comes of them; `high_at` right or more are high."""

    trials: int
    high_at: int
    false_high: float
    """Exact chance of deciding high at the low rate, 0 to 1."""
    false_low: float
    """Exact chance of deciding low at the high rate, 0 to 1."""


@dataclass(frozen=True)
class Hypotheses:
    """What a test is asked for: two rates to be told apart, and the errors that are allowed.

    Raises UnattainableError where the rates are none, or in the wrong order.
    """

    low_rate: float
    high_rate: float
    false_high: float
    """Largest chance of deciding high at the low rate; at lower ones it is smaller still."""
    false_low: float
    """Largest chance of deciding low at the high rate; at higher ones it is smaller still."""

    def __post_init__(self) -> None:
        if not 0 < self.low_rate < self.high_rate < 1:
            raise UnattainableError(f"no test tells a rate of {self.high_rate:.3f} as above one of {self.low_rate:.3f}")

    @property
    def rates(self) -> tuple[float, float]:
        """Low, high."""
        return self.low_rate, self.high_rate

    def holds(self, false_high: float, false_low: float) -> bool:
        """Whether these errors are allowed."""
        return false_high <= self.false_high and false_low <= self.false_low

    def __str__(self) -> str:
        rates = f"a rate of {self.low_rate:.3f} from one of {self.high_rate:.3f}"
        return f"{rates} with errors of at most {self.false_high:g} and {self.false_low:g}"


def endings(test: SequentialTest, rate: float) -> Iterator[Ending]:
    """Every way in which the test can end at this true rate, with its exact probability, 0 < rate < 1."""
    reach, done = np.ones(1), 0
    for look in test.looks:
        reach = np.convolve(reach, chances(look.trials - done, rate))
        done = look.trials
        for right in range(done + 1):
            decision = look.decision(right)
            if decision is None:
                continue
            if reach[right] > 0:
                yield Ending(look, right, decision, float(reach[right]))
            reach[right] = 0.0


def characteristic(test: SequentialTest, rate: float) -> Characteristic:
    """How often the test decides high at this true rate, and how many trials it takes: exact, not simulated."""
    found = list(endings(test, rate))
    high = sum(ending.probability for ending in found if ending.decision == "high")
    return Characteristic(high, sum(ending.probability * ending.look.trials for ending in found))


@cache
def fixed_design(asked: Hypotheses) -> FixedDesign:
    """The smallest number of trials at which one threshold holds the errors. Raises UnattainableError."""
    most = 64
    while most <= MOST_FIXED:
        found = fixed_designs(asked, most)
        if found:
            return found[0]
        most *= 4
    raise UnattainableError(f"{MOST_FIXED:,} trials cannot tell {asked}")


def require_trials(asked: Hypotheses, max_trials: int) -> None:
    """Raises UnattainableError, which says how many would do, where so many trials cannot hold the errors."""
    needed = fixed_design(asked).trials
    if needed > max_trials:
        raise UnattainableError(f"{max_trials:,} trials cannot tell {asked}: {needed:,} would do")


def fixed_designs(asked: Hypotheses, most: int) -> list[FixedDesign]:
    """Those of up to `most` trials that hold the errors, in the order of their trials.

    Which numbers do has gaps: a threshold is a whole number, and one more trial may miss where one less held.
    """
    trials = np.arange(1, most + 1)
    below = binom.isf(asked.false_high, trials, asked.low_rate)
    false_high, false_low = binom.sf(below, trials, asked.low_rate), binom.cdf(below, trials, asked.high_rate)
    return [
        FixedDesign(int(n), int(most_low) + 1, float(high), float(low))
        for n, most_low, high, low in zip(trials, below, false_high, false_low, strict=True)
        if asked.holds(high, low)
    ]


def fewest_trials(asked: Hypotheses) -> tuple[float, float]:
    """Expected trials at the low and at the high rate, below which no test with these errors can go.

    After Wald, Sequential Analysis (1947): the information that a decision must carry, over that of one trial.
    """
    low, high, wrong_high, wrong_low = asked.low_rate, asked.high_rate, asked.false_high, asked.false_low
    at_low = _divergence(wrong_high, 1 - wrong_low) / _divergence(low, high)
    return at_low, _divergence(wrong_low, 1 - wrong_high) / _divergence(high, low)


def _divergence(true: float, other: float) -> float:
    """Kullback and Leibler's, of two coins, in nats."""
    return float(true * np.log(true / other) + (1 - true) * np.log((1 - true) / (1 - other)))


@cache
def chances(trials: int, rate: float) -> NDArray[np.float64]:
    """(trials + 1,) Probability of each number of right ones; not to be written to."""
    found = np.asarray(binom.pmf(np.arange(trials + 1), trials, rate), dtype=np.float64)
    found.flags.writeable = False
    return found
