"""Questions are classed by what answers them, and shuffled frames are never in order."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.blind.question_class import classify, frame_order, permutations


@pytest.mark.parametrize(
    ("blind", "ordered", "shuffled", "expected"),
    [
        (True, False, (False, False, False), "llm_answerable"),
        (True, True, (True, True, True), "llm_answerable"),
        (False, True, (True, True, True), "semantic"),
        (False, True, (True, True, False), "semantic"),
        (False, True, (True, False, False), "temporal"),
        (False, True, (False,), "temporal"),
        (False, False, (False, False, False), "others"),
        (False, False, (True, True, True), "others"),
    ],
)
def test_the_class_follows_from_what_was_answered_right(
    blind: bool, ordered: bool, shuffled: tuple[bool, ...], expected: str
) -> None:
    assert classify(blind=blind, ordered=ordered, shuffled=shuffled) == expected


def test_half_of_the_orders_right_is_not_enough() -> None:
    assert classify(blind=False, ordered=True, shuffled=(True, False)) == "temporal"


def test_a_single_frame_has_no_order_that_could_matter() -> None:
    assert permutations(1, 3, 0, "label") == ()
    assert permutations(0, 3, 0, "label") == ()
    assert permutations(-1, 3, 0, "label") == ()
    assert classify(blind=False, ordered=True, shuffled=()) == "semantic"


@given(n_frames=st.integers(2, 40), count=st.integers(0, 10), seed=st.integers(), key=st.text())
def test_orders_differ_from_time_and_from_each_other_and_follow_from_their_seeds(
    n_frames: int, count: int, seed: int, key: str
) -> None:
    found = permutations(n_frames, count, seed, key)
    frames = [order.frames for order in found]
    assert len(set(frames)) == len(frames) == min(count, {2: 1, 3: 5}.get(n_frames, count))
    assert all(sorted(order) == list(range(n_frames)) != list(order) for order in frames)
    assert [frame_order(n_frames, order.seed) for order in found] == list(found)


def test_orders_are_the_same_everywhere_and_others_for_other_labels() -> None:
    assert [(order.seed, order.frames) for order in permutations(6, 2, 7, "clip-qa-1")] == [
        (3036756370, (3, 1, 2, 5, 4, 0)),
        (4197708367, (5, 0, 4, 1, 3, 2)),
    ]
    assert permutations(6, 3, 7, "clip-qa-1")[:2] == permutations(6, 2, 7, "clip-qa-1")
    others = {permutations(20, 1, seed, key)[0].frames for seed in (7, 8) for key in ("clip-qa-1", "clip-qa-2")}
    assert len(others) == 4


def test_every_frame_comes_first_about_as_often() -> None:
    first = Counter(frame_order(8, seed).frames[0] for seed in range(4_000))
    assert all(400 < first[frame] < 600 for frame in range(8))


def test_there_are_no_more_orders_than_there_are() -> None:
    assert len(permutations(4, 1_000, 0, "label")) == 23
    assert len(permutations(5, 1_000, 0, "label")) == 119
