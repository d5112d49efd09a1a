"""Open-ended answers match by their words, and never against their numbers, negations or directions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.blind.matching import answer_words, answers_match


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ("The red car.", "a red CAR"),
        ("three cuts", "3 cuts"),
        ("Twenty-one people", "21 people"),
        ("one hundred and five frames", "105 frames"),
        ("2.5 million", "2,500,000"),
        ("3 thousand", "three thousand"),
        ("1,000.0", "1000"),
        ("3s", "3 s"),
        ("the third shot", "3rd shot"),
        ("the second car", "2nd car"),
        ("50 %", "50 percent"),
        ("it isn\u2019t moving", "It is not moving"),
        ("it cannot move", "it can't move"),
        ("\u22123 degrees", "-3 degrees"),
        ("\uff13\u3000\uff43\uff55\uff54\uff53", "3 cuts"),
        ("\u0663 cuts", "3 cuts"),
        ("\u7537\u306f\u8eca\u3092\u958b\u3051\u308b\u3002", "\u7537\u306f\u8eca\u3092\u958b\u3051\u308b"),
        ("The", "the"),
        ("\u2192", " \u2192 "),
    ],
)
def test_the_same_answer_in_another_spelling_matches_wholly(said: str, right: str) -> None:
    assert answers_match(said, right, 1.0) == 1.0


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ("3 cuts", "4 cuts"),
        ("there are three hard cuts in this whole clip", "there are four hard cuts in this whole clip"),
        ("2 of the 3 people wave", "2 people wave"),
        ("the first man in the row waves", "the second man in the row waves"),
        ("3", "-3"),
        ("1:30", "1:31"),
        ("the door of the house is open", "the door of the house is not open"),
        ("the camera pans slowly to the left", "the camera pans slowly to the right"),
        ("he waves after the car has stopped", "he waves before the car has stopped"),
        ("a man in a red coat walks his dog", "a man in a blue coat walks his dog"),
        ("yes", "no"),
        ("", ""),
        ("", "a car"),
        ("a car", ""),
        ("...", "a car"),
        ("\u2192", "\u2190"),
        ("9" * 50, "9" * 49 + "8"),
    ],
)
def test_what_contradicts_does_not_match_however_many_words_are_shared(said: str, right: str) -> None:
    assert answers_match(said, right, 0.0) == 0.0


def test_words_in_common_count_by_token_f1_down_to_the_threshold() -> None:
    said, right = "a man opens a door", "the man opens the red door"
    assert answers_match(said, right, 0.8) == pytest.approx(2 * 3 / (3 + 4))
    assert answers_match(said, right, 0.9) == 0.0
    assert answers_match("dog dog dog", "dog", 0.0) == pytest.approx(0.5)
    assert answers_match("something else", right, 0.0) == 0.0


def test_naming_both_sides_contradicts_neither() -> None:
    assert answers_match("it pans left and right", "it pans left", 0.5) > 0.5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("two three", ("2", "3")),
        ("hundred and", ("100", "and")),
        ("two hundred and the dog", ("200", "and", "dog")),
        ("nineteen eighty-four", ("19", "84")),
        ("one million two hundred thousand and one", ("1200001",)),
        ("thirty zero", ("30", "0")),
        ("10 frames per second", ("10", "frames", "per", "second")),
        ("1 second", ("1", "second")),
        ("007", ("7",)),
    ],
)
def test_number_words_are_read_as_numbers(text: str, words: tuple[str, ...]) -> None:
    assert answer_words(text) == words


@given(st.text())
def test_any_answer_with_something_in_it_matches_itself(text: str) -> None:
    expected = 1.0 if answer_words(text) or text.strip() else 0.0
    assert answers_match(text, text, 1.0) == expected


@given(st.text(), st.text())
def test_matching_knows_no_order(one: str, other: str) -> None:
    assert answers_match(one, other, 0.0) == answers_match(other, one, 0.0)


@pytest.mark.parametrize(
    "text", ["hundred " * 200_000, "one million " * 50_000, "9" * 500_000, "n't " * 100_000, "-" * 500_000]
)
@pytest.mark.timeout(20)
def test_a_huge_answer_is_read_in_no_time(text: str) -> None:
    assert answers_match(text, "one hundred", 0.8) == 0.0
