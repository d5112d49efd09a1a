"""Boundaries of a sequential test whose exact error rates are no more than asked, and that takes few trials.

Here: `design_test`. Not here: what a test is, and what it does at a given rate (`stages.blind.sequential`).

Wald's sequential probability ratio test holds its rates approximately, for looks after each trial and no end. Here
looks come after every few trials, there is an end, and rates are exact. As Arrow, Blackwell and Girshick (1949) showed,
boundaries that minimise expected trials plus a price for each error follow by going backwards from the end; without an
end they are Wald's. We try many pairs of prices, keep what holds, and then move single boundaries by one trial as long
as it pays. The prices, the moves, and that the mean of expected trials at the two rates is made small, are our choice.

Shapes: G = policies side by side, J = looks, N = trials of a look + 1 = how many may be right; 2 = low rate, high rate.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.special import expit

from stages.blind.sequential import (
    FixedDesign,
    Hypotheses,
    Look,
    SequentialTest,
    chances,
    fixed_design,
    fixed_designs,
    require_trials,
)

Array = NDArray[np.float64]
Counts = NDArray[np.intp]

_HORIZON = 3
"""Times the trials of the fixed design, after which more would gain nothing to speak of."""
_N_PRICES = 48
_PRICE_RANGE = 100.0
"""Prices of an error: from a hundredth to a hundred times the trials of the fixed design, over the rate allowed."""
_MOST_STARTS = 3
"""Designs that single moves set out from."""
_MOST_STATES = 4_096
"""Looks times trials, beyond which no moves are tried: they take long there, and there is little left to gain."""
_NEVER = 1e100
"""Trials; more than any price."""
_MARGIN = 1e-9
"""Relative; rounding must not make a rate larger than asked."""


@dataclass(frozen=True)
class _Ahead:
    """What lies ahead of each state: (2, G, N) each."""

    error: Array
    """Chance of the wrong decision: high at the low rate, low at the high one."""
    trials: Array
    """Expected number of them."""


@dataclass(frozen=True)
class _Design:
    """Boundaries at each of `trials`, and what they do."""

    trials: tuple[int, ...]
    low_at: Counts
    """(J,)"""
    high_at: Counts
    """(J,)"""
    errors: tuple[float, float]
    cost: float
    """Mean of the expected trials at the two rates."""


@cache
def design_test(asked: Hypotheses, max_trials: int, trials_at_once: int) -> SequentialTest:
    """The test that holds the errors exactly, and takes few trials.

    It ends after `max_trials` at the latest; it may end for certain before, where longer tests gain nothing.

    Args:
        asked: what is to be told apart, and how surely.
        max_trials: where it must have decided.
        trials_at_once: trials from one look to the next, 1 or more.

    Raises:
        UnattainableError: so few trials cannot hold the errors; the message says how many would.
    """
    require_trials(asked, max_trials)
    smallest = fixed_design(asked)
    longest = fixed_designs(asked, min(max_trials, _HORIZON * smallest.trials))[-1]
    ends = {design.trials: design for design in (smallest, longest)}
    found = min((_cheapest(asked, end, trials_at_once) for end in ends.values()), key=lambda design: design.cost)
    return SequentialTest(asked.low_rate, asked.high_rate, tuple(_looks(found)))


def _looks(design: _Design) -> Iterator[Look]:
    """Up to the first at which nothing is left open."""
    for trials, low_at, high_at in zip(design.trials, design.low_at, design.high_at, strict=True):
        yield Look(trials, max(-1, int(low_at)), min(trials + 1, int(high_at)))
        if high_at - low_at == 1:
            return


def _cheapest(asked: Hypotheses, fixed: FixedDesign, trials_at_once: int) -> _Design:
    """The cheapest design found with its end where a fixed design holds, which is what is left where no prices hold."""
    trials = (*range(trials_at_once, fixed.trials, trials_at_once), fixed.trials)
    found = _priced(asked, trials) or [_curtailed(asked, fixed, trials)]
    if len(trials) * trials[-1] <= _MOST_STATES:
        found = [_moved(asked, start) for start in found]
    return min(found, key=lambda design: design.cost)


def _curtailed(asked: Hypotheses, fixed: FixedDesign, trials: tuple[int, ...]) -> _Design:
    """The fixed design, ended where its decision cannot change any more."""
    left = fixed.trials - np.asarray(trials)
    return _measured(asked, trials, fixed.high_at - 1 - left, np.full(len(trials), fixed.high_at))[0]


def _priced(asked: Hypotheses, trials: tuple[int, ...]) -> list[_Design]:
    """The cheapest of the designs that follow from pairs of prices and hold the errors, each once, cheapest first."""
    steps = np.geomspace(1 / _PRICE_RANGE, _PRICE_RANGE, _N_PRICES) * fixed_design(asked).trials
    grid = np.meshgrid(steps / asked.false_high, steps / asked.false_low)
    low_at, high_at, (false_high, false_low), costs = _policies(
        asked, trials, np.stack([side.ravel() for side in grid])
    )
    holding = np.nonzero((false_high <= asked.false_high) & (false_low <= asked.false_low))[0]
    ordered = holding[np.argsort(costs[holding], kind="stable")]
    distinct = {(low_at[at].tobytes(), high_at[at].tobytes()): at for at in reversed(ordered)}
    chosen = list(reversed(distinct.values()))[:_MOST_STARTS]
    return [_measured(asked, trials, low_at[at], high_at[at])[0] for at in chosen]


def _policies(asked: Hypotheses, trials: tuple[int, ...], prices: Array) -> tuple[Counts, Counts, Array, Array]:
    """The best boundaries at each pair of prices (2, G): two of (G, J), the errors (2, G) and the costs (G,)."""
    shape = prices.shape[1], len(trials)
    low_at, high_at = np.zeros(shape, dtype=np.intp), np.zeros(shape, dtype=np.intp)
    ahead = _beyond(prices.shape[1], trials[-1])
    for at, left in reversed(list(enumerate(_steps(trials)))):
        on, weights = _going_on(asked, ahead, left), _weights(asked, trials[at])
        paid_high, paid_low = prices[:, :, None] * weights[:, None, :]
        paid_on = (weights[:, None, :] * (prices[:, :, None] * on.error + on.trials)).sum(axis=0)
        is_open = paid_on < np.minimum(paid_high, paid_low)
        is_high = ~is_open & (paid_high <= paid_low)
        is_low = ~is_open & ~is_high
        ahead = _decided(on, is_low, is_high)
        low_at[:, at], high_at[:, at] = is_low.sum(axis=1) - 1, trials[at] + 1 - is_high.sum(axis=1)
    start = _going_on(asked, ahead, trials[0])
    return low_at, high_at, start.error[:, :, 0], start.trials[:, :, 0].mean(axis=0)


def _measured(
    asked: Hypotheses, trials: tuple[int, ...], low_at: Counts, high_at: Counts
) -> tuple[_Design, list[_Ahead]]:
    """The design of these boundaries, and for each look what lies ahead of who goes on there, G = 1."""
    ahead, on = _beyond(1, trials[-1]), list[_Ahead]()
    for at, left in reversed(list(enumerate(_steps(trials)))):
        right = np.arange(trials[at] + 1)
        on.append(_going_on(asked, ahead, left))
        ahead = _decided(on[-1], right <= low_at[at], right >= high_at[at])
    start = _going_on(asked, ahead, trials[0])
    false_high, false_low = (float(chance) for chance in start.error[:, 0, 0])
    return _Design(trials, low_at, high_at, (false_high, false_low), float(start.trials.mean())), on[::-1]


def _moved(asked: Hypotheses, design: _Design) -> _Design:
    """The design after the single moves that save most, until none is left that saves and holds."""
    while True:
        design, on = _measured(asked, design.trials, design.low_at, design.high_at)
        better = [
            move for move in _moves(asked, design, on) if _holds(asked, move) and move.cost < design.cost - _MARGIN
        ]
        if not better:
            return design
        design = min(better, key=lambda move: move.cost)


def _holds(asked: Hypotheses, design: _Design) -> bool:
    return asked.holds(*(error * (1 + _MARGIN) for error in design.errors))


def _moves(asked: Hypotheses, design: _Design, on: list[_Ahead]) -> Iterator[_Design]:
    """Every design that decides otherwise in one state next to a boundary; errors and costs follow from that state."""
    last = len(design.trials) - 1
    for at, reach in enumerate(_reaches(asked, design)):
        low_at, high_at = int(design.low_at[at]), int(design.high_at[at])
        after = on[at].error[:, 0], on[at].trials[:, 0]
        if at == last:
            tried = [(low_at, low_at - 1, high_at - 1), (high_at, low_at + 1, high_at + 1)]
        else:
            tried = [(low_at, low_at - 1, high_at), (high_at, low_at, high_at + 1)]
            if high_at - low_at > 1:
                tried += [(low_at + 1, low_at + 1, high_at), (high_at - 1, low_at, high_at - 1)]
        for right, new_low, new_high in tried:
            if not 0 <= right <= design.trials[at] or not reach[:, right].any():
                continue
            old = _state(after, right, low_at, high_at)
            new = _state(after, right, new_low, new_high)
            errors = np.asarray(design.errors) + reach[:, right] * (new[0] - old[0])
            cost = design.cost + float((reach[:, right] * (new[1] - old[1])).mean())
            lows, highs = design.low_at.copy(), design.high_at.copy()
            lows[at], highs[at] = new_low, new_high
            yield _Design(design.trials, lows, highs, (float(errors[0]), float(errors[1])), cost)


def _state(after: tuple[Array, Array], right: int, low_at: int, high_at: int) -> tuple[Array, Array]:
    """Errors and trials ahead (2,) of one state, under these boundaries."""
    if low_at < right < high_at:
        return after[0][:, right], after[1][:, right]
    return np.array([1.0, 0.0] if right >= high_at else [0.0, 1.0]), np.zeros(2)


def _reaches(asked: Hypotheses, design: _Design) -> Iterator[Array]:
    """For each look (2, N): the chance of getting there with so many right, before it decides."""
    reach, done = [np.ones(1), np.ones(1)], 0
    for trials, low_at, high_at in zip(design.trials, design.low_at, design.high_at, strict=True):
        reach = [np.convolve(one, chances(trials - done, rate)) for one, rate in zip(reach, asked.rates, strict=True)]
        yield np.stack(reach)
        right, done = np.arange(trials + 1), trials
        reach = [np.where((low_at < right) & (right < high_at), one, 0.0) for one in reach]


def _beyond(n_policies: int, trials: int) -> _Ahead:
    """What lies ahead of who does not decide at the last look: so much that nobody goes there."""
    return _Ahead(np.zeros((2, n_policies, trials + 1)), np.full((2, n_policies, trials + 1), _NEVER))


def _going_on(asked: Hypotheses, ahead: _Ahead, steps: int) -> _Ahead:
    """What lies ahead so many trials earlier, for who goes on."""
    error, trials = np.empty_like(ahead.error[..., steps:]), np.empty_like(ahead.trials[..., steps:])
    for number, rate in enumerate(asked.rates):
        chance = chances(steps, rate)
        error[number] = sliding_window_view(ahead.error[number], steps + 1, axis=-1) @ chance
        trials[number] = sliding_window_view(ahead.trials[number], steps + 1, axis=-1) @ chance + steps
    return _Ahead(error, trials)


def _decided(on: _Ahead, is_low: NDArray[np.bool_], is_high: NDArray[np.bool_]) -> _Ahead:
    """What lies ahead once the look has decided; its states are (N,) or (G, N)."""
    error = np.stack(
        [
            np.where(is_high, 1.0, np.where(is_low, 0.0, on.error[0])),
            np.where(is_low, 1.0, np.where(is_high, 0.0, on.error[1])),
        ]
    )
    return _Ahead(error, np.where(is_low | is_high, 0.0, on.trials))


def _steps(trials: tuple[int, ...]) -> list[int]:
    """(J,) Trials from each look to the next, 0 after the last."""
    return [end - start for start, end in zip(trials, (*trials[1:], trials[-1]), strict=True)]


def _weights(asked: Hypotheses, trials: int) -> Array:
    """(2, N) How likely each rate is in each state, where both were equally likely before."""
    right = np.arange(trials + 1)
    high = expit(
        right * np.log(asked.high_rate / asked.low_rate)
        + (trials - right) * (np.log1p(-asked.high_rate) - np.log1p(-asked.low_rate))
    )
    return np.stack([1 - high, high])
