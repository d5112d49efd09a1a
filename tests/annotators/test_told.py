"""Later annotators are told what earlier ones said, the most important first where there is too much."""

from annotators.subject import ClipSubject
from annotators.told import captions_told, evidence_told
from schemas.label import Caption
from tests.annotators.questions import caption_label, evidence, subject


def test_captions_are_told_in_order_of_time_the_wider_first() -> None:
    late, whole, early = (
        caption_label("late", 5, 6, 0),
        caption_label("whole", number=1),
        caption_label("early", 1, 2, 2),
    )
    told = captions_told(subject(captions=(late, whole, early)), 1000)
    assert told.splitlines() == ["0.00 s to 9.00 s: whole", "1.00 s to 2.00 s: early", "5.00 s to 6.00 s: late"]


def test_the_latest_state_of_a_caption_is_told() -> None:
    first = caption_label("a man walks")
    named = first.replace(caption=Caption(text="Tom walks"))
    about = subject()
    both = ClipSubject(about.description, (), {"caption": (first,), "names": (named,)})
    assert captions_told(both, 1000) == "0.00 s to 9.00 s: Tom walks"


def test_too_long_captions_are_left_out_whole_and_the_clips_own_last() -> None:
    events = tuple(caption_label("event " + "x" * 150, n, n + 1, n + 1) for n in range(6))
    told = captions_told(subject(captions=(*events, caption_label("whole clip"))), 400)
    assert len(told) <= 400
    assert told.splitlines()[0].endswith("whole clip")
    assert len(told.splitlines()) == 3


def test_without_captions_nothing_is_told() -> None:
    assert captions_told(subject(), 1000) == ""


def test_evidence_is_numbered_and_each_piece_is_one_line() -> None:
    told = evidence_told(subject(), (evidence(), evidence(4, 5, "two\nlines\r\nof text")))
    assert told.splitlines() == [
        "1. 1.00 s to 2.00 s, frame: A man opens a door.",
        "2. 4.00 s to 5.00 s, frame: two lines of text",
    ]
