"""Questions that can be answered without the video are told from those that are guessed, and the verdict says why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.judging import LeakageConfig
from schemas.verdict import Opinion
from stages.blind.leakage import (
    MOST_RATE,
    OPEN_CHANCE,
    decide,
    finished,
    hypotheses,
    leakage_test,
    leakage_verdict,
    require_attainable,
)
from stages.blind.sequential import Look, SequentialTest, characteristic
from stages.errors import UnattainableError

CONFIG = LeakageConfig()
TEST = SequentialTest(0.25, 0.7, (Look(4, 0, 4), Look(8, 2, 6), Look(10, 4, 5)))


def trials(right: int, wrong: int) -> list[bool]:
    return [True] * right + [False] * wrong


def test_rates_follow_from_abilities_between_guessing_and_knowing() -> None:
    four = hypotheses(LeakageConfig(guessing_prior=0.2), 4)
    assert four.rates == pytest.approx((0.25 + 0.2 * 0.75, 0.25 + 0.6 * 0.75))
    assert hypotheses(CONFIG, 1).rates == pytest.approx((OPEN_CHANCE, OPEN_CHANCE + 0.6 * (1 - OPEN_CHANCE)))
    assert hypotheses(LeakageConfig(leaky_rate=1.0), 2).high_rate == MOST_RATE


@pytest.mark.parametrize("n_options", [1, 2, 3, 4, 5, 12])
def test_the_error_rates_of_the_settings_hold_as_they_are(n_options: int) -> None:
    test = leakage_test(CONFIG, n_options)
    assert characteristic(test, test.low_rate).high_share <= CONFIG.false_reject
    assert 1 - characteristic(test, test.high_rate).high_share <= CONFIG.false_keep
    assert test.max_trials <= CONFIG.max_trials


def test_a_few_trials_of_a_question_with_four_options_are_enough() -> None:
    test = leakage_test(CONFIG, 4)
    assert max(characteristic(test, rate).expected_trials for rate in (0.0001, 0.25, 0.7, 0.9999)) < 8


def test_a_question_is_decided_at_the_first_look_that_can() -> None:
    assert decide(trials(4, 0), TEST) == "leaks"
    assert decide(trials(0, 4), TEST) == "needs_video"
    assert decide(trials(2, 2), TEST) is None
    assert decide(trials(2, 5), TEST) is None
    assert decide(trials(2, 6), TEST) == "needs_video"
    assert decide([False, True] * 5, TEST) == "leaks"
    assert decide([], TEST) is None


def test_trials_after_the_decision_change_nothing() -> None:
    late = finished(trials(4, 6), TEST)
    assert late == finished(trials(4, 0), TEST)
    assert late is not None
    assert (late.decision, late.trials, late.rate) == ("leaks", 4, 1.0)


@given(st.lists(st.booleans(), max_size=10))
def test_a_result_is_there_exactly_when_there_is_a_decision(outcomes: list[bool]) -> None:
    result = finished(outcomes, TEST)
    assert (result and result.decision) == decide(outcomes, TEST)
    if len(outcomes) == TEST.max_trials:
        assert result is not None
    if result is not None:
        assert 0 <= result.interval_low <= result.rate <= result.interval_high <= 1
        met = result.rate >= result.boundary_rate, result.log_ratio >= result.boundary_log_ratio - 1e-12
        beyond = result.rate <= result.boundary_rate, result.log_ratio <= result.boundary_log_ratio + 1e-12
        assert all(met if result.decision == "leaks" else beyond)


def test_the_interval_is_clopper_and_pearsons() -> None:
    result = finished([True, False, True, True, True, True, True, False], TEST)
    assert result is not None
    assert (result.right, result.trials) == (6, 8)
    assert (result.interval_low, result.interval_high) == pytest.approx((0.349144, 0.968146), abs=1e-6)


def test_a_leaking_question_is_rejected_in_a_plain_sentence() -> None:
    result = finished([True, False, True, True, True, True, True, True], TEST)
    assert result is not None
    opinions = (Opinion(judge="model", about="options rotated by 1", outcome="right"),)
    verdict = leakage_verdict("a-label", result, judges=("model",), opinions=opinions, cost_usd=0.01)
    assert (verdict.subject_id, verdict.decision, verdict.rule) == ("a-label", "reject", "verify.leakage")
    assert verdict.reason == "answered right without the video in 7 of 8 trials; guessing gives 0.25"
    assert (verdict.score, verdict.threshold, verdict.trials) == (7 / 8, 6 / 8, 8)
    assert (verdict.interval_low, verdict.interval_high) == (result.interval_low, result.interval_high)
    assert (verdict.judges, verdict.opinions, verdict.cost_usd) == (("model",), opinions, 0.01)
    assert verdict.looked_at == "the words alone"


def test_a_question_that_needs_the_video_is_kept_below_its_boundary() -> None:
    result = finished(trials(1, 7), TEST)
    assert result is not None
    verdict = leakage_verdict("a-label", result)
    assert (verdict.decision, verdict.score, verdict.threshold) == ("keep", 1 / 8, 2 / 8)


def test_a_further_rung_has_its_own_rule_and_rejects_only_if_told_to() -> None:
    result = finished(trials(4, 0), TEST)
    assert result is not None
    told = leakage_verdict("a-label", result, shown="caption", rejects=False)
    assert (told.decision, told.rule) == ("keep", "verify.leakage.caption")
    assert told.reason == "answered right from captions alone in 4 of 4 trials; guessing gives 0.25"
    assert leakage_verdict("a-label", result, shown="frame").decision == "reject"


def test_settings_that_cannot_hold_say_how_many_trials_would() -> None:
    require_attainable(CONFIG, 2)
    with pytest.raises(UnattainableError) as refused:
        require_attainable(LeakageConfig(max_trials=10), 4)
    assert str(refused.value) == (
        "verify.leakage, questions of 4 options: 10 trials cannot tell a rate of 0.250 from one of 0.700 with errors "
        "of at most 0.05 and 0.05: 14 would do"
    )
    require_attainable(LeakageConfig(max_trials=14), 4)
    with pytest.raises(UnattainableError, match="open-ended questions: 2 trials"):
        require_attainable(LeakageConfig(max_trials=2), 1)


@pytest.mark.parametrize(("prior", "leaky"), [(0.3, 0.3), (0.4, 0.3), (0.995, 1.0)])
def test_leaking_must_lie_above_what_is_granted_to_guessing(prior: float, leaky: float) -> None:
    with pytest.raises(UnattainableError, match="not far enough above guessing_prior"):
        require_attainable(LeakageConfig(guessing_prior=prior, leaky_rate=leaky), 4)


@pytest.mark.parametrize("n_options", [0, -3])
def test_a_question_has_an_option(n_options: int) -> None:
    with pytest.raises(UnattainableError, match="one option or more"):
        leakage_test(CONFIG, n_options)
