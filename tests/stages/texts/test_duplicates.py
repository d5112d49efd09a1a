"""Of questions that ask the same the first stays; what differs in a number, a name or a direction is not the same."""

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import stages.texts.duplicates
from schemas.judging import DuplicatesConfig
from schemas.label import KeyMoments, Moment
from schemas.verdict import Verdict
from stages.texts.duplicates import QuestionText, find_duplicates, question_text
from stages.texts.embedding import TextEmbedder, make_text_embedder
from tests.annotators.questions import caption_label, qa_label, span
from tests.stages.sound_labels import measured_labels

PAIRS = Path(__file__).parents[2] / "data" / "question_pairs.csv"
CONFIG = DuplicatesConfig()
CORPUS = DuplicatesConfig(scope="corpus")
Row = dict[str, str]


@pytest.fixture(scope="module")
def tfidf() -> TextEmbedder:
    return make_text_embedder("tfidf", "verify.duplicates.embedder")


def pairs(split: str) -> list[Row]:
    with PAIRS.open(encoding="utf-8", newline="") as lines:
        return [row for row in csv.DictReader(lines) if row["split"] == split]


def asked(question: str, answer: str = "a red ball", number: int = 0, **changes: Any) -> QuestionText:
    made: dict[str, Any] = {
        "label_id": f"c0-qa-{number:03d}",
        "clip_id": "c0",
        "source_id": "s0",
        "kind": "qa",
        "question": question,
        "answer": answer,
    }
    return QuestionText(**(made | changes))


def repeated(items: Sequence[QuestionText], embedder: TextEmbedder, config: DuplicatesConfig = CONFIG) -> list[bool]:
    verdicts = find_duplicates(items, embedder, config)
    assert set(verdicts) == {item.label_id for item in items}
    return [verdicts[item.label_id].decision == "reject" for item in items]


def is_repeat(first: QuestionText, second: QuestionText, embedder: TextEmbedder) -> bool:
    return repeated([first, second], embedder) == [False, True]


def said_to_repeat(rows: list[Row], embedder: TextEmbedder) -> list[bool]:
    """What is decided of each pair, each in a clip of its own."""
    items = [
        asked(row[f"{which}_question"], row[f"{which}_answer"], label_id=f"{number:03d}-{which}", clip_id=f"c{number}")
        for number, row in enumerate(rows)
        for which in ("first", "second")
    ]
    return repeated(items, embedder)[1::2]


@pytest.mark.parametrize(
    ("name", "split", "min_recall"),
    [
        ("tfidf", "tuned", 0.5),
        ("tfidf", "held_out", 0.45),
        ("letters", "tuned", 0.5),
        ("letters", "held_out", 0.45),
        ("minilm", "tuned", 0.65),
        ("minilm", "held_out", 0.6),
    ],
)
def test_written_pairs_are_told_apart_without_a_wrong_rejection(name: str, split: str, min_recall: float) -> None:
    rows = pairs(split)
    said = said_to_repeat(rows, make_text_embedder(name, "verify.duplicates.embedder"))
    wrong = [row for row, is_said in zip(rows, said, strict=True) if is_said and row["is_repeated"] == "0"]
    assert wrong == []
    n_found = sum(is_said for row, is_said in zip(rows, said, strict=True) if row["is_repeated"] == "1")
    n_repeated = sum(row["is_repeated"] == "1" for row in rows)
    assert n_found >= min_recall * n_repeated, (n_found, n_repeated)


def test_there_are_enough_pairs_of_every_kind() -> None:
    kinds = Counter(row["kind"] for split in ("tuned", "held_out") for row in pairs(split))
    assert sum(kinds.values()) >= 180
    assert {
        "respelt",
        "paraphrase",
        "number",
        "time",
        "direction",
        "colour",
        "negation",
        "opposite",
        "person",
        "order",
        "thing",
        "text",
        "kind",
        "act",
        "asked",
        "answer",
    } == set(kinds)
    assert min(kinds.values()) >= 4


def test_a_rejection_names_what_it_repeats_and_how_near_it_is(tfidf: TextEmbedder) -> None:
    items = [asked("What does the dog carry to the boy?"), asked("what does the dog carry to the boy", number=1)]
    verdicts = find_duplicates(items, tfidf, CONFIG)
    assert verdicts["c0-qa-000"] == Verdict(
        subject_id="c0-qa-000",
        decision="keep",
        rule="verify.duplicates",
        score=None,
        threshold=0.75,
        reason="no question before it could be the same: numbers, names, directions or the like differ in all",
        looked_at="2 questions of the clip, by tfidf",
    )
    second = verdicts["c0-qa-001"]
    assert second.decision == "reject"
    assert second.score is not None
    assert second.score > 0.99
    assert second.reason.startswith("asks the same as c0-qa-000 (cosine ")


def test_what_is_asked_does_not_depend_on_the_order_of_the_labels(tfidf: TextEmbedder) -> None:
    items = [
        asked(question, number=n)
        for n, question in enumerate(
            ("Who opens the door?", "Who opens the door", "Who opens the gate?", "Who is it that opens the door?")
        )
    ]
    found = find_duplicates(items, tfidf, CONFIG)
    assert found == find_duplicates(items[::-1], tfidf, CONFIG)
    assert [found[item.label_id].decision for item in items] == ["keep", "reject", "keep", "reject"]
    assert "c0-qa-000" in found["c0-qa-003"].reason


def test_the_scope_says_which_questions_are_compared(tfidf: TextEmbedder) -> None:
    same = [
        asked("Who opens the door?", label_id=f"l{number}", clip_id=clip, source_id=source)
        for number, (source, clip) in enumerate((("a", "a0"), ("a", "a0"), ("a", "a1"), ("b", "b0")))
    ]
    for scope, expected in (
        ("clip", [False, True, False, False]),
        ("source", [False, True, True, False]),
        ("corpus", [False, True, True, True]),
    ):
        assert repeated(same, tfidf, DuplicatesConfig.model_validate({"scope": scope})) == expected


def test_what_a_person_accepted_stays_and_others_repeat_it(tfidf: TextEmbedder) -> None:
    items = [asked("Who opens the door?", number=n, is_settled=n > 0) for n in range(3)]
    assert repeated(items, tfidf) == [True, False, False]
    verdicts = find_duplicates(items, tfidf, CONFIG)
    assert "but a person accepted it" in verdicts["c0-qa-002"].reason


def test_wrong_options_count_where_the_question_points_at_them(tfidf: TextEmbedder) -> None:
    first = asked("Which of these comes first?", "a cut", options=("a cut", "a wipe"))
    assert is_repeat(first, asked("Which of these comes first?", "a cut", 1, options=("a wipe", "A cut.")), tfidf)
    assert not is_repeat(first, asked("Which of these comes first?", "a cut", 1, options=("a cut", "a fade")), tfidf)
    plain = asked("What comes first?", "a cut", options=("a cut", "a wipe"))
    assert is_repeat(plain, asked("What comes first?", "a cut", 1, options=("a cut", "a fade", "a roll")), tfidf)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("What does the man hold at 3 s?", "What does the man hold at 3.5 s?"),
        ("Who is number 12?", "Who is number 21?"),
        ("What costs 1,000 euros?", "What costs 1000.5 euros?"),
        ("Who is the twelfth guest?", "Who is the eleventh guest?"),
        ("What is at 0:59?", "What is at 1:59?"),
        ("Is it open?", "Isn't it open?"),
        ("Which cup isn\u2019t full?", "Which cup is full?"),
        ("What does “A” mean?", "What does “B” mean?"),
        ("Why does Müller stop?", "Why does Meyer stop?"),
        ("Where does the path from A lead?", "Where does the path from B lead?"),
        ("Which door is locked?", "Which door is unlocked?"),
        ("Who zooms in?", "Who zooms out?"),
        ("门在左边吗 3?", "门在左边吗 4?"),
        ("Is x bigger than y?", "Is y bigger than x?"),
    ],
)
def test_what_tells_two_questions_apart_outweighs_any_likeness(first: str, second: str) -> None:
    """Even to an embedder to which all texts are the same."""
    assert repeated([asked(first), asked(second, number=1)], Everything()) == [False, False]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("At 59 s, who waves?", "Who waves at 0:59?"),
        ("Who waves at 3.0 seconds?", "Who waves at 3 s?"),
        ("How long does the last shot last?", "How long is the last shot?"),
        ("Who stops right after the first cut?", "Who stops after the first cut?"),
        ("After the fade, who stops?", "Who stops after the fade?"),
        ("Does the man\u2019s dog bark?", "Does the man's dog bark?"),
    ],
)
def test_ways_to_say_the_same_number_or_place_do_not_tell_questions_apart(first: str, second: str) -> None:
    assert repeated([asked(first), asked(second, number=1)], Everything()) == [False, True]


class Everything:
    """To it all texts are the same."""

    name = "everything"
    knows_synonyms = True

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.ones((len(texts), 1), np.float32)


def test_words_in_place_of_others_need_an_embedder_that_knows_synonyms_and_is_sure() -> None:
    items = [asked("Who repairs the clock?"), asked("Who mends the clock?", number=1)]
    assert repeated(items, Everything()) == [False, True]
    unknowing = Everything()
    unknowing.knows_synonyms = False
    assert repeated(items, unknowing) == [False, False]
    assert "what they ask about differs" in find_duplicates(items, unknowing, CONFIG)["c0-qa-001"].reason


def test_what_the_measured_annotators_ask_of_a_clip_hardly_repeats_itself(tfidf: TextEmbedder) -> None:
    """Questions about one thing with few and many options are the same; within one annotation none are."""
    made = [item for label in measured_labels(range(4)) if (item := question_text(label, "s0"))]
    by_size = [item for item in made if len(item.options) == 4]
    by_size = [item for n, item in enumerate(by_size) if item.label_id not in {other.label_id for other in by_size[:n]}]
    assert len(by_size) > 30
    assert repeated(by_size, tfidf) == [False] * len(by_size)


def test_questions_prompts_and_queries_are_read_from_labels() -> None:
    label = qa_label("Who opens it?", ("a man", "a girl"), 1)
    item = question_text(label, "s1", is_settled=True)
    assert item == QuestionText(
        label_id=label.label_id,
        clip_id=label.clip_id,
        source_id="s1",
        kind="qa",
        question="Who opens it?",
        answer="a girl",
        options=("a man", "a girl"),
        is_settled=True,
    )
    caption = caption_label("A man opens the door.")
    assert question_text(caption, "s1") is None
    moments = KeyMoments(query="a rabbit", moments=(Moment(span=span(0.0, 1.0), saliency=1.0, evidence=(0,)),))
    query = question_text(caption.replace(kind="moments", caption=None, moments=moments), "s1")
    assert query is not None
    assert (query.question, query.answer, query.kind) == ("a rabbit", "", "moments")


@pytest.mark.parametrize(
    "text", ["", " ", "?", "\x00", "🎬", "the", "1", "“”", "a" * 5000, "开门吗\uff1f", "\u0301", "((((", "one"]
)
def test_odd_questions_repeat_themselves_and_break_nothing(tfidf: TextEmbedder, text: str) -> None:
    items = [asked(text, text, number) for number in range(2)] + [asked("Who opens the door?", "a man", 2)]
    found = repeated(items, tfidf)
    assert found[0] is found[2] is False
    assert find_duplicates([], tfidf, CONFIG) == {}
    assert find_duplicates(items[:1], tfidf, CONFIG)["c0-qa-000"].decision == "keep"


def test_blocks_change_nothing(tfidf: TextEmbedder, monkeypatch: pytest.MonkeyPatch) -> None:
    things = ("door", "gate", "window", "box", "jar", "book")
    items = [
        asked(f"Who opens the {thing}{'?' * (n % 3)}", label_id=f"{n:03d}-{thing}")
        for n in range(12)
        for thing in things
    ]
    whole = find_duplicates(items, tfidf, CORPUS)
    assert sum(verdict.decision == "keep" for verdict in whole.values()) == len(things)
    for rows, columns, candidates in ((1, 1, 1), (5, 2, 3), (7, 100, 64)):
        monkeypatch.setattr(stages.texts.duplicates, "BLOCK_ROWS", rows)
        monkeypatch.setattr(stages.texts.duplicates, "BLOCK_COLUMNS", columns)
        monkeypatch.setattr(stages.texts.duplicates, "MOST_CANDIDATES", candidates)
        divided = find_duplicates(items, tfidf, CORPUS)
        assert {k: v.decision for k, v in divided.items()} == {k: v.decision for k, v in whole.items()}


def test_many_that_are_all_the_same_are_compared_with_one(tfidf: TextEmbedder) -> None:
    items = [asked("How many shots does this clip have?", "4", label_id=f"{n:05d}") for n in range(20_000)]
    assert sum(repeated(items, tfidf, CORPUS)) == len(items) - 1
