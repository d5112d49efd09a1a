"""Wrong options: as many as asked for, distinct, and too far from the right one to be right as well."""

import itertools
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from annotators.measured.draw import Draw
from annotators.measured.options import (
    MIN_DURATION_STEP_TENTHS,
    MOMENT_GAP_TENTHS,
    count_options,
    duration_options,
    moment_options,
    shot_options,
    spaced_moments,
    without,
)

N_OPTIONS = st.integers(2, 8)
SEEDS = st.integers(0, 10_000)
RANGES = st.lists(st.tuples(st.integers(0, 150), st.integers(0, 60)), max_size=4).map(
    lambda pairs: tuple((start, start + length) for start, length in pairs)
)


@given(st.integers(1, 40), N_OPTIONS, SEEDS)
def test_counts_are_consecutive_positive_and_leave_the_truth_out(truth: int, n_options: int, seed: int) -> None:
    wrong = count_options(truth, n_options, Draw(seed))
    counts = sorted((*wrong, truth))
    assert truth not in wrong
    assert counts == list(range(counts[0], counts[0] + n_options))
    assert counts[0] >= 1


@given(st.integers(8, 600), N_OPTIONS, SEEDS)
def test_durations_differ_by_more_than_a_viewer_could_misjudge(truth: int, n_options: int, seed: int) -> None:
    lengths = sorted((*duration_options(truth, n_options, Draw(seed)), truth))
    assert len(lengths) == n_options
    assert lengths[0] > 0
    assert all(b - a >= MIN_DURATION_STEP_TENTHS for a, b in itertools.pairwise(lengths))
    assert all(b >= 1.15 * a for a, b in itertools.pairwise(lengths))


@given(st.integers(0, 150), RANGES, st.integers(1, 7), SEEDS)
def test_moments_lie_where_they_may_and_apart(
    truth: int, allowed: tuple[tuple[int, int], ...], n: int, seed: int
) -> None:
    moments = moment_options(truth, allowed, n, Draw(seed))
    if moments is not None:
        assert len(moments) == n
        assert all(any(low <= moment <= high for low, high in allowed) for moment in moments)
        ordered = sorted((*moments, truth))
        assert all(b - a >= MOMENT_GAP_TENTHS for a, b in itertools.pairwise(ordered))


@given(st.integers(1, 6), SEEDS)
def test_moments_are_found_wherever_there_is_ample_room(n: int, seed: int) -> None:
    assert moment_options(50, ((0, 40), (60, 100)), n, Draw(seed)) is not None
    assert spaced_moments(((0, 100),), n, Draw(seed)) is not None


def test_too_little_room_for_moments_is_admitted() -> None:
    assert moment_options(5, ((0, 10),), 1, Draw(0)) is None
    assert spaced_moments(((0, 10),), 3, Draw(0)) is None


@given(RANGES, RANGES)
def test_taking_ranges_out_leaves_the_rest_and_no_more(
    ranges: tuple[tuple[int, int], ...], taken: tuple[tuple[int, int], ...]
) -> None:
    left = without(ranges, taken)
    for point in range(215):
        was_in = any(low <= point <= high for low, high in ranges)
        is_out = any(start < point < end for start, end in taken)
        assert any(low <= point <= high for low, high in left) == (was_in and not is_out)


@given(st.integers(2, 9), N_OPTIONS, SEEDS)
def test_at_most_one_shot_that_does_not_exist_is_offered(n_shots: int, n_options: int, seed: int) -> None:
    wrong = shot_options(n_shots, 0, "all alike", n_options, Draw(seed))
    if wrong is None:
        assert n_options > n_shots + 2
    else:
        assert len(set(wrong)) == n_options - 1
        assert "the first shot" not in wrong


def test_a_draw_is_even_and_depends_on_all_its_keys() -> None:
    counts = Counter(Draw("seed", clip, "task").below(4) for clip in range(4000))
    assert all(abs(counts[value] - 1000) < 120 for value in range(4))
    assert [Draw(0, "a").below(10**9)] != [Draw(0, "b").below(10**9)]
    assert sorted(Draw(0).shuffled(range(20))) == list(range(20))
