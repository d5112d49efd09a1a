"""A label's words come apart into sentences that each say one thing, with where they stand and what they rest on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.evidence import Evidence
from schemas.label import (
    Caption,
    Checklist,
    ChecklistItem,
    KeyMoments,
    Label,
    LabelKind,
    Moment,
    QAItem,
    ReasoningStep,
    SV6DSegment,
    SV6DValue,
    ToolTrace,
    ToolTurn,
)
from schemas.provenance import Provenance
from schemas.time import Span
from stages.spoken.sentences import sentences
from stages.spoken.statements import statements
from tests.annotators.builders import span_of

WHOLE, PART = span_of(0, 250), span_of(50, 100)


def label_of(kind: LabelKind, part: object, span: Span = WHOLE) -> Label:
    seen = Evidence(span=PART, modality="frame", observation="It is so.", claim=None, source="somebody")
    return Label.model_validate(
        {
            "label_id": "the-label",
            "clip_id": "clip",
            "kind": kind,
            "span": span,
            kind: part,
            "evidence": (seen, seen),
            "provenance": Provenance(annotator="somebody", annotator_version="1", code_version="1.2.3"),
        }
    )


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("A man sits. A dog barks.", ["A man sits.", "A dog barks."]),
        ("The cut is at 2.5 s. It is hard.", ["The cut is at 2.5 s.", "It is hard."]),
        ("It lasts 2.5 s", ["It lasts 2.5 s"]),
        ("Dr. Smith enters. He waves.", ["Dr. Smith enters.", "He waves."]),
        ("It shows J. R. Smith at a desk.", ["It shows J. R. Smith at a desk."]),
        ("At 5 p.m. the shop closes. All leave.", ["At 5 p.m. the shop closes.", "All leave."]),
        ("Fruit, e.g. Apples, lies there.", ["Fruit, e.g. Apples, lies there."]),
        ("“Stop!” he shouts. She stops.", ["“Stop!” he shouts.", "She stops."]),
        ('The sign reads "Wait." A man waits.', ['The sign reads "Wait."', "A man waits."]),
        ("A man sits; a dog barks.", ["A man sits", "a dog barks."]),
        ("Really?! Yes.", ["Really?!", "Yes."]),
        ("It rains … and stops.", ["It rains … and stops."]),
        ("A line\nthat was wrapped. Another\nLine", ["A line that was wrapped.", "Another", "Line"]),
        ("He scores 3. The crowd cheers.", ["He scores 3.", "The crowd cheers."]),
        ("ein Hund läuft. Überall ist Schnee.", ["ein Hund läuft.", "Überall ist Schnee."]),
        ("", []),
        (" \n\t ", []),
        (";;;", []),
        ("...", ["..."]),
        ("男が歩く。犬が吠える。", ["男が歩く。犬が吠える。"]),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, parts: list[str]) -> None:
    assert list(sentences(text)) == parts


@given(st.text(max_size=300))
def test_no_word_is_lost_and_no_sentence_is_empty(text: str) -> None:
    parts = sentences(text)
    assert all(part.strip() == part != "" and "\n" not in part for part in parts)
    assert "".join("".join(parts).replace(";", "").split()) == "".join(text.replace(";", "").split())


def test_a_megabyte_is_split() -> None:
    assert len(sentences("A man sits. " * 90_000)) == 90_000
    assert len(sentences("." * 1_000_000)) == 1


def test_a_caption_is_split_into_sentences_that_rest_on_all_its_evidence() -> None:
    first, second = statements(label_of("caption", Caption(text="A man sits. The camera pans left."), PART))
    assert (first.text, second.text) == ("A man sits.", "The camera pans left.")
    assert first.place == "caption"
    assert first.span == PART
    assert first.evidence == (0, 1)


def test_a_question_is_one_statement_with_its_right_answer_and_steps_have_their_own_spans() -> None:
    step = ReasoningStep(
        role="observe", text="A cut. Then a pan.", span=PART, evidence=(1,), frame_pts=50 * 512 + 7 * 512
    )
    item = QAItem(task="shot_count", question="How many shots?", options=("2", "3"), answer_index=1, reasoning=(step,))
    answer, one, other = statements(label_of("qa", item))
    assert (answer.place, answer.text) == ("answer", "Question: How many shots? Answer: 3")
    assert answer.span == WHOLE
    assert [one.text, other.text] == ["A cut.", "Then a pan."]
    assert one.place == other.place == "reasoning step 1"
    assert (one.span, one.evidence, one.frame_pts) == (PART, (1,), step.frame_pts)


def test_values_items_and_queries_stand_by_themselves() -> None:
    value = SV6DValue(dimension="camera", attribute="motion", value="pan_left", evidence=(0,))
    (said,) = statements(label_of("sv6d", SV6DSegment(values=(value,)), PART))
    assert (said.place, said.text, said.span, said.evidence) == (
        "sv6d camera/motion",
        "camera motion: pan left",
        PART,
        (0,),
    )

    items = (ChecklistItem(text="Names the dog. Says where it is.", evidence=(0,)),)
    places = [s.place for s in statements(label_of("checklist", Checklist(task="t", prompt="Describe.", items=items)))]
    assert places == ["checklist item 1", "checklist item 1"]

    moments = KeyMoments(query="the dog runs", moments=(Moment(span=PART, saliency=1.0, evidence=(1,)),))
    (queried,) = statements(label_of("moments", moments))
    assert (queried.place, queried.text, queried.span, queried.evidence) == ("moment 1", "the dog runs", PART, (1,))


def test_of_a_tool_trace_only_the_answer_is_a_statement() -> None:
    turns = (
        ToolTurn(thought="Look at all.", tool="overview", span=WHOLE, frames_pts=(), evidence=(0,)),
        ToolTurn(thought="It is a dog.", tool="answer", span=WHOLE, frames_pts=(), evidence=(0,)),
    )
    trace = ToolTrace(question="Which animal?", options=("a dog", "a cat"), answer_index=0, turns=turns)
    (said,) = statements(label_of("trace", trace))
    assert (said.place, said.text) == ("answer", "Question: Which animal? Answer: a dog")
