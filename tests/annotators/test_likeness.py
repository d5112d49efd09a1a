"""Texts are compared by their words; numbers are never alike; times are told from decades."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotators.likeness import contains, likeness, said_seconds, words


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("The red car.", "red CAR"),
        ("“A dog”, he said", "dog he said!"),
        ("\uff46\uff55\uff4c\uff4c\u3000\uff57\uff49\uff44\uff54\uff48", "full width"),
        ("at 3.5 s", "at 3.5 S."),
    ],
)
def test_case_punctuation_and_articles_make_no_difference(first: str, second: str) -> None:
    assert words(first) == words(second)


@pytest.mark.parametrize(("first", "second"), [("3.5 s", "35 s"), ("two dogs", "two cats"), ("A", "The")])
def test_other_words_and_numbers_do(first: str, second: str) -> None:
    assert words(first) != words(second)


@pytest.mark.parametrize("text", ["", "   ", "…!?", "→", "\u200b"])
def test_a_text_without_letters_has_no_words_and_stands_in_nothing(text: str) -> None:
    assert words(text) == ()
    assert not contains(words("anything at all"), words(text))


def test_a_text_stands_in_another_by_whole_words() -> None:
    assert contains(words("Is the car red or blue?"), words("Red."))
    assert not contains(words("Who covered the table?"), words("red"))
    assert not contains(words("red car"), words("car red"))
    assert contains(words("男は車を開ける"), words("車"))


def test_a_likely_stretch_is_found_inside_a_longer_text() -> None:
    assert likeness(words("So it must be that he opens the door slowly."), words("He opened the door slowly")) > 0.8
    assert likeness(words("A dog sleeps."), words("He opened the door slowly")) < 0.5


def test_texts_with_other_numbers_are_not_alike() -> None:
    assert likeness(words("there are 3 dogs in the yard"), words("4 dogs in the yard")) == 0.0


@given(st.text(max_size=80), st.text(max_size=40))
def test_likeness_is_a_share_and_what_stands_in_a_text_is_wholly_alike(whole: str, part: str) -> None:
    alike = likeness(words(whole), words(part))
    assert 0.0 <= alike <= 1.0
    assert alike == 1.0 or not contains(words(whole), words(part))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from 1.2 s to 3.4 s", (1.2, 3.4)),
        ("between 2 and 5 seconds", (2.0, 5.0)),
        ("at 0.5s, then at 7 sec", (0.5, 7.0)),
        ("1.0-2.5 s and 4 s", (1.0, 2.5, 4.0)),
        ("a 3-second pause", (3.0,)),
        ("music of the 1980s, 2 stones and 3 shots", ()),
        ("", ()),
    ],
)
def test_times_in_seconds_are_read(text: str, expected: tuple[float, ...]) -> None:
    assert said_seconds(text) == expected
