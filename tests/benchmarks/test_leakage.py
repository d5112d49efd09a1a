"""Statements about the benchmark of blind answering: answerers have the ability they should, and the test is ours."""

import numpy as np
import pytest

from schemas.judging import LeakageConfig
from stages.blind.leakage import decide, hypotheses, leakage_test
from stages.blind.sequential import characteristic
from stages.blind.trials import trial_plan
from tests.benchmarks.leakage import measure
from tests.benchmarks.leakage_answerers import (
    Tally,
    outcomes,
    rejected_by_correlation,
    rejected_by_liking,
    rejected_by_position,
    simulate,
    walds_test,
)

CONFIG = LeakageConfig()


@pytest.mark.parametrize("ability", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("n_options", [1, 2, 4])
def test_an_answerer_is_right_as_often_as_its_ability_says(n_options: int, ability: float) -> None:
    rng = np.random.default_rng(3)
    places = rng.integers(n_options, size=40_000, dtype=np.int8)
    low = hypotheses(CONFIG, n_options).low_rate
    for trial in trial_plan(n_options, 2, 3):
        right = outcomes(trial, places, n_options, ability, rng)
        assert right.mean() == pytest.approx(low + ability * (1 - low), abs=0.01)


@pytest.mark.parametrize("n_options", [2, 5])
def test_simulated_items_fare_as_the_exact_rates_say(n_options: int) -> None:
    test = leakage_test(CONFIG, n_options)
    low = test.low_rate
    for ability in (0.0, 0.3, 0.6):
        exact = characteristic(test, low + ability * (1 - low))
        found = simulate(test, n_options, ability, 120_000, seed=5)
        assert found.n_items == 120_000
        assert found.rejected == pytest.approx(exact.high_share, abs=2.5 * found.noise)
        assert found.mean_trials == pytest.approx(exact.expected_trials, rel=0.01)


def test_items_are_decided_as_the_product_decides_them_one_by_one() -> None:
    test = leakage_test(CONFIG, 4)
    rng = np.random.default_rng(7)
    places = rng.integers(4, size=3_000, dtype=np.int8)
    tried = np.stack([outcomes(trial, places, 4, 0.3, rng) for trial in trial_plan(4, 3, test.max_trials)], axis=1)
    decisions = [decide(item.tolist(), test) for item in tried]
    exact = characteristic(test, 0.25 + 0.3 * 0.75).high_share
    assert None not in decisions
    assert decisions.count("leaks") / len(decisions) == pytest.approx(exact, abs=0.03)


def test_noise_is_that_of_a_share_of_so_many_items() -> None:
    assert Tally(10_000, 0.05, 8.0).noise == pytest.approx(0.00427, abs=1e-5)


def test_walds_boundaries_are_where_his_ratios_are() -> None:
    ours = leakage_test(CONFIG, 4)
    wald = walds_test(ours, 0.05, 0.05, 40, 4)
    first = wald.looks[0]
    assert ours.log_ratio(4, first.high_at) >= np.log(19) > ours.log_ratio(4, first.high_at - 1)
    assert ours.log_ratio(4, first.low_at) <= -np.log(19) < ours.log_ratio(4, first.low_at + 1)
    assert wald.looks[-1].high_at - wald.looks[-1].low_at == 1


def test_one_answerer_that_likes_an_option_rejects_by_chance_and_one_that_likes_a_position_never_does() -> None:
    test = leakage_test(CONFIG, 4)
    assert rejected_by_liking(test, 4, 1) == pytest.approx(0.25)
    assert rejected_by_position(test, 4, 1) == 0.0


def test_trials_that_agree_more_are_taken_for_leaking_more_often() -> None:
    test = leakage_test(CONFIG, 4)
    shares = [rejected_by_correlation(test, correlation) for correlation in (0.001, 0.1, 0.5, 0.99)]
    assert shares == sorted(shares)
    assert shares[0] == pytest.approx(characteristic(test, 0.25).high_share, abs=0.01)
    assert shares[-1] == pytest.approx(0.25, abs=0.02)


def test_every_figure_is_there_and_the_exact_ones_hold() -> None:
    figures = {figure.name: figure for figure in measure(quick=True)}
    for n_options in (2, 3, 4, 5):
        kind = f"{n_options} options"
        for name in ("guessed", "leaking", "half of them leaking"):
            assert figures[f"trials saved, {kind}, {name}"].holds
        for name in (f"false rejects, {kind}", f"false keeps, {kind}"):
            assert figures[name].target == 0.05
            assert "10,000 items" in figures[name].note
        assert figures[f"false rejects where each always picks one position, {kind}"].holds
    for name in ("planted questions found by their words, recall", "sound questions rejected beside them",
                 "questions that need no video found by probe and blind answering"):  # fmt: skip
        assert figures[name].holds
    assert len(figures) == 4 * 10 + 7 + 12
