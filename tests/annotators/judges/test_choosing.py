"""Which option an answer means, what options are called, and how they are put before a model."""

import asyncio

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from annotators.endpoint.chat import BudgetReachedError, ReplyFailedError
from annotators.judges.choosing import Question, chosen, option_names, together
from annotators.subject import ClipSubject
from schemas.label import ToolTrace, ToolTurn
from tests.annotators.questions import caption_label, qa_label, subject

OPTIONS = ("a dog", "The red door.", "3 cuts", "Über den Fluß", "-", "+")
NAMES = ("A", "B", "C", "D", "E", "F")


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("B", 1), ("b", 1), (" b ", 1), ("(B)", 1), ("B)", 1), ("B.", 1), ("[b]", 1), ("**B**", 1), ("`B`", 1),
        ("Option B", 1), ("option b.", 1), ("The answer is (B).", 1), ("Answer: B", 1), ("the correct option is B", 1),
        ("\uff22", 1), ("B) the red door", 1), ("B: The red door.", 1), ("The red door", 1), ('"the RED  door."', 1),
        ("a dog", 0), ("A dog.", 0), ("A. a dog", 0), ("The answer is a dog", 0), ("3 cuts", 2), ("C - 3 cuts", 2),
        ("U\u0308ber den Fluss", 3), ("-", 4), ("+", 5), ("F. +", 5),
    ],
)  # fmt: skip
def test_an_answer_is_read_by_letter_by_text_or_by_both(said: str, place: int) -> None:
    assert chosen(said, NAMES, OPTIONS) == place


@pytest.mark.parametrize(
    "said",
    ["", " ", "G", "A or B", "A, B", "AB", "A and B", "B) a dog", "a cat", "I cannot tell", "none of them", "1",
     "the answer is", "B the red door and the dog", "\u0410", "A" * 100_000, "(" * 100_000, "{}"],
)  # fmt: skip
def test_an_answer_that_means_no_option_or_several_means_none(said: str) -> None:
    assert chosen(said, NAMES, OPTIONS) is None


def test_a_letter_that_is_also_another_option_s_text_means_none() -> None:
    assert chosen("A", ("A", "B", "C"), ("B", "A", "x")) is None
    assert chosen("C", ("A", "B", "C"), ("B", "A", "x")) == 2


def test_a_text_that_begins_like_a_lead_is_read_whole() -> None:
    assert chosen("Answer the phone.", ("A", "B"), ("answer the phone", "the phone")) == 0
    assert chosen("'choice of words!'", ("A", "B"), ("a list", "choice of words")) == 1


def test_options_that_are_letters_are_numbered() -> None:
    assert option_names(("A", "x", "y")) == ("1", "2", "3")
    assert option_names(("b", "x", "y")) == ("1", "2", "3")
    assert option_names(("D", "x", "y")) == ("A", "B", "C")
    assert option_names(("option B", "option C", "y")) == ("1", "2", "3")
    assert option_names(("(b)", "x", "y")) == ("1", "2", "3")
    assert option_names(("2", "3", "4")) == ("A", "B", "C")
    assert option_names(("A", "1", "y")) == ("A", "B", "C")
    assert option_names(("alone",)) == ()


def test_there_are_names_for_any_number_of_options() -> None:
    names = option_names([f"option {number}" for number in range(60)])
    assert names[24:28] == ("Y", "Z", "AA", "AB")
    assert len(set(names)) == 60


def _different(text: str) -> str:
    return " ".join(text.split()).casefold()


@given(st.lists(st.text(max_size=30), min_size=2, max_size=8, unique_by=_different))
@example(["A", "1{"])
@example(["Option A", "the answer is 1"])
def test_an_option_s_name_never_means_another_option(options: list[str]) -> None:
    names = option_names(options)
    for place, name in enumerate(names):
        assert chosen(name, names, options) in (place, None)
        assert chosen(f"{name}) {options[place]}", names, options) in (place, None)


@given(st.lists(st.from_regex(r"[^\W\d_]{3,12}( \w{1,9}){0,3}", fullmatch=True), min_size=2, unique_by=_different))
def test_an_option_of_words_is_meant_by_its_name_its_text_and_both(options: list[str]) -> None:
    names = option_names(options)
    for place, name in enumerate(names):
        assume(len({chosen(option, names, options) for option in options} - {None}) == len(options))
        for said in (name, name.lower(), f"({name})", options[place], f"{name}. {options[place]}"):
            assert chosen(said, names, options) == place


@given(st.text(max_size=200))
def test_no_answer_breaks_the_reading(said: str) -> None:
    assert chosen(said, NAMES, OPTIONS) in (None, *range(len(OPTIONS)))


@given(st.integers(2, 8), st.integers(0, 20))
def test_a_rotation_shows_every_option_once_and_begins_where_it_says(count: int, rotation: int) -> None:
    options = tuple(f"option {number}" for number in range(count))
    rotated = Question("?", options, 0).rotated(rotation)
    assert sorted(rotated) == sorted(options)
    assert rotated[0] == options[rotation % count]
    assert {Question("?", options, 0).rotated(by).index(options[0]) for by in range(count)} == set(range(count))


def test_questions_and_traces_ask_something_and_captions_do_not() -> None:
    asked = qa_label("Who?", ("she", "he"), 1)
    assert Question.of(asked) == Question("Who?", ("she", "he"), 1)
    assert Question.of(caption_label("A dog.")) is None
    trace = asked.replace(kind="trace", qa=None, trace=_trace(subject()))
    assert Question.of(trace) == Question("Where?", ("here", "there"), 1)


def _trace(clip: ClipSubject) -> ToolTrace:
    span = clip.clip.span
    turns = tuple(
        ToolTurn(thought="Look.", tool=tool, span=span, frames_pts=(), evidence=(0,)) for tool in ("overview", "answer")
    )
    return ToolTrace(question="Where?", options=("here", "there"), answer_index=1, turns=turns)


def test_what_ends_a_run_is_raised_before_what_ends_a_label_and_after_the_rest() -> None:
    finished: list[int] = []

    async def one(number: int, error: Exception | None = None) -> int:
        await asyncio.sleep(0.01 * number)
        if error:
            raise error
        finished.append(number)
        return number

    async def main() -> list[int]:
        return await together([one(0, ReplyFailedError("gone")), one(1, BudgetReachedError("spent")), one(2)])

    with pytest.raises(BudgetReachedError):
        asyncio.run(main())
    assert finished == [2]
