"""Texts are near where they share letters; how near does not depend on others."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.texts.embedding import cosines
from stages.texts.letters import LetterEmbedder, folded

TEXTS = st.lists(st.text("abc d\u00e9\u5c0f\u72d7\U0001f600", max_size=10), min_size=1, max_size=5)
LETTERS = LetterEmbedder()


def near(first: str, second: str) -> float:
    vectors = LETTERS.embed([first, second])
    return float(cosines(vectors[:1], vectors[1:])[0, 0])


@settings(deadline=None)
@given(TEXTS)
def test_a_text_is_like_itself_and_likeness_goes_both_ways(texts: list[str]) -> None:
    found = cosines(LETTERS.embed(texts), LETTERS.embed(texts))
    assert np.allclose(found, found.T)
    assert np.allclose(np.diag(found), [1.0 if folded(text) else 0.0 for text in texts])
    assert ((found >= 0) & (found <= 1 + 1e-9)).all()


@settings(deadline=None)
@given(TEXTS, st.text("abc", max_size=5), st.text("abc", max_size=5))
def test_likeness_of_two_does_not_depend_on_the_others(texts: list[str], first: str, second: str) -> None:
    among = LETTERS.embed([first, *texts, second])
    assert cosines(among[:1], among[-1:])[0, 0] == pytest.approx(near(first, second))


def test_texts_that_share_words_are_nearer_than_texts_that_do_not() -> None:
    said = "a rabbit climbs out of its burrow"
    assert near(said, "The rabbit climbs out of a burrow") > 0.6 > 0.3 > near(said, "two men are talking")


def test_no_texts_have_no_vectors() -> None:
    assert LETTERS.embed([]).shape[0] == 0
    assert LETTERS.embed(["", "..."]).toarray().sum() == 0


def test_one_letter_and_a_long_text_are_texts() -> None:
    assert near("a", "a") == pytest.approx(1.0)
    assert near("ab " * 50_000, "AB " * 50_000) == pytest.approx(1.0)
