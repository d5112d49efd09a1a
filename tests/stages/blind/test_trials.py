"""Every answerer sees every rotation as often as the others, at any point as nearly as can be."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.blind.trials import Trial, trial_plan

SIZES = {"n_options": st.integers(1, 8), "n_answerers": st.integers(1, 6)}


def spread(counts: Counter[int], n: int) -> int:
    found = [counts[number] for number in range(n)]
    return max(found) - min(found)


@given(**SIZES)
def test_a_full_cycle_holds_each_pair_of_answerer_and_rotation_once(n_options: int, n_answerers: int) -> None:
    plan = trial_plan(n_options, n_answerers, n_options * n_answerers)
    pairs = {(trial.answerer, trial.rotation) for trial in plan}
    assert len(plan) == len(pairs) == n_options * n_answerers


@given(**SIZES, most=st.integers(0, 100))
def test_any_beginning_is_as_balanced_as_can_be(n_options: int, n_answerers: int, most: int) -> None:
    plan = trial_plan(n_options, n_answerers, most)
    assert len(plan) == most
    assert spread(Counter(trial.answerer for trial in plan), n_answerers) <= 1
    assert spread(Counter(trial.rotation for trial in plan), n_options) <= 1
    for answerer in range(n_answerers):
        seen = Counter(trial.rotation for trial in plan if trial.answerer == answerer)
        assert spread(seen, n_options) <= 1


@given(**SIZES, most=st.integers(0, 100), fewer=st.integers(0, 100))
def test_a_longer_plan_begins_like_a_shorter_one_and_repeats_no_seed(
    n_options: int, n_answerers: int, most: int, fewer: int
) -> None:
    plan = trial_plan(n_options, n_answerers, most)
    assert trial_plan(n_options, n_answerers, min(most, fewer)) == plan[: min(most, fewer)]
    assert len({trial.seed for trial in plan}) == most


@pytest.mark.parametrize("n_answerers", [1, 2, 3, 4])
@pytest.mark.parametrize("n_options", [2, 3, 4, 5])
def test_who_always_picks_one_position_is_right_at_chance(n_options: int, n_answerers: int) -> None:
    plan = trial_plan(n_options, n_answerers, 2 * n_options * n_answerers)
    for right in range(n_options):
        for position in range(n_options):
            hits = sum(trial.answer_index(right, n_options) == position for trial in plan)
            assert hits == len(plan) / n_options


def test_the_right_option_stands_where_the_trial_says() -> None:
    options = ("red", "green", "blue")
    assert Trial(0, 1, 0).options(options) == ("green", "blue", "red")
    for rotation in range(7):
        trial = Trial(0, rotation, 0)
        for index, option in enumerate(options):
            assert trial.options(options)[trial.answer_index(index, 3)] == option


def test_an_open_ended_question_is_never_rotated() -> None:
    plan = trial_plan(1, 2, 6)
    assert [(trial.answerer, trial.rotation) for trial in plan] == [(0, 0), (1, 0)] * 3
    assert plan[3].options(("blue",)) == ("blue",)


@pytest.mark.parametrize(("n_options", "n_answerers"), [(0, 1), (4, 0), (-1, 2)])
def test_nothing_to_choose_from_and_nobody_to_ask_are_refused(n_options: int, n_answerers: int) -> None:
    with pytest.raises(ValueError, match="no trials of"):
        trial_plan(n_options, n_answerers, 4)
