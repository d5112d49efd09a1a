"""Over many clips, neither the place of an answer nor its rank among the options gives it away."""

import re
from collections import Counter, defaultdict
from functools import cache

import pytest
from scipy.stats import chisquare

from annotators.measured import annotate_clip
from schemas.config import MeasuredConfig
from schemas.label import QAItem
from tests.annotators.builders import varied_clip

N_CLIPS = 200
N_OPTIONS = 4
LIKELY = 0.001
"""A balanced data set fails a test with this probability; the items never change, so it does so always or never."""
NUMERIC = ("shot_count", "shot_duration", "transition_time", "motion_time")


@cache
def items() -> dict[str, list[QAItem]]:
    """Items by task."""
    found: dict[str, list[QAItem]] = defaultdict(list)
    config = MeasuredConfig(n_options=N_OPTIONS, max_items_per_task=2)
    for seed in range(1000, 1000 + N_CLIPS):
        for label in annotate_clip(varied_clip(seed)[1], config, code_version="1.2.3").labels:
            if label.qa:
                found[label.qa.task].append(label.qa)
    return found


def rank(item: QAItem) -> int:
    """How many options are numerically below the answer."""
    numbers = [float(re.findall(r"\d+\.?\d*", option)[0]) for option in item.options]
    return sorted(numbers).index(numbers[item.answer_index])


def test_the_right_option_is_as_often_first_as_last() -> None:
    places = Counter(item.answer_index for task in items().values() for item in task)
    assert sum(places.values()) > 1000
    assert chisquare([places[place] for place in range(N_OPTIONS)]).pvalue > LIKELY


def test_within_no_task_does_the_place_tell() -> None:
    for task, asked in items().items():
        places = Counter(item.answer_index for item in asked)
        p_value = chisquare([places[place] for place in range(N_OPTIONS)]).pvalue
        # One of fourteen tasks may be as unlikely as that.
        assert p_value > LIKELY / len(items()), (task, places)


@pytest.mark.parametrize("task", NUMERIC)
def test_no_rank_among_the_numbers_is_right_most_of_the_time(task: str) -> None:
    ranks = Counter(rank(item) for item in items()[task])
    n_items = sum(ranks.values())
    assert n_items >= 20, task
    assert max(ranks.values()) <= 0.45 * n_items, ranks


def test_every_shot_position_is_the_longest_or_brightest_at_times() -> None:
    for task in ("longest_shot", "brightest_shot"):
        answers = Counter(item.answer for item in items()[task])
        assert max(answers.values()) <= 0.5 * sum(answers.values()), answers
        assert {"the first shot", "the second shot"} <= set(answers)


def test_no_answer_in_words_is_right_most_of_the_time() -> None:
    for task in ("camera_motion", "transition_kind"):
        answers = Counter(item.answer for item in items()[task])
        assert max(answers.values()) <= 0.5 * sum(answers.values()), answers


def test_being_never_still_is_at_times_the_right_answer_and_mostly_not() -> None:
    never = [item.answer.startswith("at none") for item in items()["freeze"]]
    assert 0 < sum(never) < 0.6 * len(never)


def test_brightness_rises_as_often_as_it_falls() -> None:
    words = Counter(item.answer.split()[1] for item in items()["brightness_change"])
    assert set(words) == {"rises", "falls", "stays"}
    assert max(words.values()) <= 0.5 * sum(words.values())


def test_questions_are_worded_in_more_than_one_way() -> None:
    for task, asked in items().items():
        assert len({item.question for item in asked}) > 1, task


def test_options_of_one_question_look_alike() -> None:
    for task in ("shot_duration", "transition_time", "motion_time", "text_time"):
        for item in items()[task]:
            assert all(re.fullmatch(r"\d+\.\d s", option) for option in item.options), item.options
