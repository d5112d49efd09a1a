"""Tests that stop early hold the error rates they were asked for, exactly, and take fewer trials than fixed ones."""

from itertools import product
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.blind.search import design_test
from stages.blind.sequential import (
    Hypotheses,
    Look,
    SequentialTest,
    characteristic,
    endings,
    fewest_trials,
    fixed_design,
    fixed_designs,
    require_trials,
)
from stages.errors import StageError, UnattainableError

FOUR_OPTIONS = Hypotheses(0.25, 0.7, 0.05, 0.05)
SMALL = SequentialTest(0.25, 0.7, (Look(2, -1, 2), Look(5, 1, 4), Look(7, 3, 4)))


def asked_of(n_options: int, errors: float = 0.05) -> Hypotheses:
    return Hypotheses(1 / n_options, 1 / n_options + 0.6 * (1 - 1 / n_options), errors, errors)


def errors_of(test: SequentialTest) -> tuple[float, float]:
    at_low, at_high = (characteristic(test, rate).high_share for rate in (test.low_rate, test.high_rate))
    return at_low, 1 - at_high


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.5, 0.97])
def test_what_a_test_does_is_what_all_its_sequences_of_trials_do(rate: float) -> None:
    high, trials = 0.0, 0.0
    for outcomes in product((0, 1), repeat=SMALL.max_trials):
        chance = prod(rate if right else 1 - rate for right in outcomes)
        decisions = [(look.trials, look.decision(sum(outcomes[: look.trials]))) for look in SMALL.looks]
        taken, decision = next(found for found in decisions if found[1] is not None)
        high += chance * (decision == "high")
        trials += chance * taken
    found = characteristic(SMALL, rate)
    assert (found.high_share, found.expected_trials) == pytest.approx((high, trials))
    assert sum(ending.probability for ending in endings(SMALL, rate)) == pytest.approx(1)


@pytest.mark.parametrize("trials_at_once", [1, 4, 20])
@pytest.mark.parametrize(("n_options", "errors"), [(2, 0.05), (2, 0.2), (3, 0.05), (4, 0.01), (5, 0.05), (26, 0.01)])
def test_error_rates_hold_and_no_test_is_longer_than_allowed(
    n_options: int, errors: float, trials_at_once: int
) -> None:
    asked = asked_of(n_options, errors)
    max_trials = max(40, fixed_design(asked).trials)
    test = design_test(asked, max_trials, trials_at_once)
    assert asked.holds(*errors_of(test))
    assert test.max_trials <= max_trials
    lengths = [look.trials for look in test.looks]
    assert lengths[:-1] == list(range(trials_at_once, lengths[-1], trials_at_once))
    assert [look.high_at - look.low_at == 1 for look in test.looks] == [False] * (len(lengths) - 1) + [True]


@settings(max_examples=20, deadline=None)
@given(
    low=st.floats(0.02, 0.5), gain=st.floats(0.3, 0.48), false_high=st.floats(0.01, 0.3),
    false_low=st.floats(0.01, 0.3), spare=st.integers(0, 20), trials_at_once=st.integers(1, 9),
)  # fmt: skip
def test_they_hold_whatever_is_asked_and_with_no_trial_to_spare(
    low: float, gain: float, false_high: float, false_low: float, spare: int, trials_at_once: int
) -> None:
    asked = Hypotheses(low, low + gain, false_high, false_low)
    fixed = fixed_design(asked)
    test = design_test(asked, fixed.trials + spare, trials_at_once)
    # Rounding apart: an error rate may be exactly what is asked.
    assert asked.holds(*(error * (1 - 1e-12) for error in errors_of(test)))
    assert test.max_trials <= fixed.trials + spare


def test_errors_are_smaller_below_the_low_rate_and_above_the_high_one() -> None:
    test = design_test(FOUR_OPTIONS, 40, 4)
    shares = [characteristic(test, percent / 100).high_share for percent in range(1, 100)]
    assert shares == sorted(shares)
    assert shares[0] < 1e-6
    assert shares[-1] > 1 - 1e-6


@pytest.mark.parametrize("n_options", [2, 3, 4, 5])
def test_two_fifths_of_the_trials_of_a_fixed_design_are_saved(n_options: int) -> None:
    asked = asked_of(n_options)
    test, fixed, fewest = design_test(asked, 40, 4), fixed_design(asked), fewest_trials(asked)
    for rate, limit in zip(asked.rates, fewest, strict=True):
        expected = characteristic(test, rate).expected_trials
        assert limit < expected <= 0.6 * fixed.trials


def test_looking_after_each_trial_comes_near_to_walds_limit() -> None:
    test, fewest = design_test(FOUR_OPTIONS, 40, 1), fewest_trials(FOUR_OPTIONS)
    taken = sum(characteristic(test, rate).expected_trials for rate in FOUR_OPTIONS.rates)
    assert sum(fewest) < taken < 1.05 * sum(fewest)


def test_the_fixed_design_is_the_smallest_that_holds() -> None:
    found = fixed_design(FOUR_OPTIONS)
    assert (found.trials, found.high_at) == (14, 7)
    assert FOUR_OPTIONS.holds(found.false_high, found.false_low)
    assert fixed_designs(FOUR_OPTIONS, 13) == []
    one = SequentialTest(0.25, 0.7, (Look(14, 6, 7),))
    assert errors_of(one) == pytest.approx((found.false_high, found.false_low))


def test_too_few_trials_are_refused_in_one_line_that_says_how_many_would_do() -> None:
    for refused in (lambda: require_trials(FOUR_OPTIONS, 13), lambda: design_test(FOUR_OPTIONS, 13, 4)):
        with pytest.raises(UnattainableError, match=r"^13 trials cannot tell .* 0\.05: 14 would do$"):
            refused()
    require_trials(FOUR_OPTIONS, 14)
    assert design_test(FOUR_OPTIONS, 14, 4).max_trials == 14
    assert issubclass(UnattainableError, StageError)
    assert issubclass(UnattainableError, ValueError)


def test_rates_that_nobody_can_tell_apart_are_refused() -> None:
    with pytest.raises(UnattainableError, match="trials cannot tell"):
        fixed_design(Hypotheses(0.5, 0.5001, 0.01, 0.01))
    for low, high in ((0.5, 0.5), (0.7, 0.25), (0.0, 0.5), (0.5, 1.0)):
        with pytest.raises(UnattainableError, match="no test tells"):
            Hypotheses(low, high, 0.05, 0.05)


def test_the_log_ratio_speaks_for_the_nearer_rate() -> None:
    assert SMALL.log_ratio(8, 7) > 0 > SMALL.log_ratio(8, 2)
    assert SMALL.log_ratio(0, 0) == 0


def test_the_next_look_is_the_first_that_is_still_ahead() -> None:
    ahead = [SMALL.next_look(done) for done in (0, 2, 3, 6, 7)]
    assert [look.trials if look else None for look in ahead] == [2, 5, 5, 7, None]


def test_the_longest_test_that_settings_allow_is_found_in_seconds() -> None:
    asked = Hypotheses(0.5, 0.6, 0.05, 0.05)
    test = design_test(asked, 400, 20)
    assert asked.holds(*errors_of(test))
    assert characteristic(test, 0.5).expected_trials < 0.6 * fixed_design(asked).trials
