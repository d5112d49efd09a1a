"""Captions: one label for the clip, each event and each described transition; what cannot stand is named."""

from typing import Any

import pytest

from annotators.annotator import Reading, Request
from annotators.answer_schema import json_schema
from annotators.caption import ANNOTATOR, CaptionAnswer
from annotators.facts import measured_facts
from annotators.prompts import render, shipped
from annotators.subject import ClipSubject
from schemas.asking import CaptionConfig
from schemas.judging import EvidenceConfig
from schemas.label import Label, VerifiedLabel
from schemas.provenance import Provenance
from stages.evidence.check import verify_label
from tests.annotators.builders import DESCRIBE, ShotSpec, TextSpec, build_clip

CONFIG = CaptionConfig(max_events=3)
MODEL = Provenance(annotator="caption", annotator_version="1", code_version="1.2.3", model="some-vlm")
SHOTS = (
    ShotSpec(camera=("pan_left",), joint="dissolve", joint_frames=20),
    ShotSpec(texts=(TextSpec("HARVEST TIME"),)),
    ShotSpec(colours=(("red", 0.7),)),
)
DESCRIPTION, SCAN = build_clip(SHOTS)
SUBJECT = ClipSubject(DESCRIPTION)
ONE_SHOT = ClipSubject(build_clip((ShotSpec(),))[0])


def seen(start_s: float, end_s: float, what: str = "A field.", claim: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"start_s": start_s, "end_s": end_s, "modality": "frame", "observation": what, "claim": claim}


def event(start_s: float, end_s: float, text: str, **changes: Any) -> dict[str, Any]:
    return {"start_s": start_s, "end_s": end_s, "text": text, "evidence": [seen(start_s, end_s)]} | changes


def answered(**changes: Any) -> CaptionAnswer:
    """An answer that is sound, but for the changes."""
    sound = {
        "summary": "A field is seen from a moving camera, then a title and a red wall.",
        "summary_evidence": [seen(0, 3, "The field passes by.", {"quantity": "camera_motion", "text": "pan_left",
                                                                 "value": None})],
        "events": [
            event(0, 3, "The camera moves over a field."),
            event(3.8, 6.8, "A title is shown.", evidence=[
                seen(4.4, 4.8, "The title reads HARVEST TIME.", {"quantity": "text", "text": "HARVEST TIME",
                                                                 "value": None})]),
        ],
        "transitions": [{"number": 1, "text": "From the field to the title."},
                        {"number": 2, "text": "From the title to a red wall."}],
    }  # fmt: skip
    return CaptionAnswer.model_validate(sound | changes)


def read(answer: CaptionAnswer, subject: ClipSubject = SUBJECT, config: CaptionConfig = CONFIG) -> Reading:
    return ANNOTATOR.read(subject, answer, config, MODEL)


def captions(labels: tuple[Label, ...]) -> list[tuple[str, float, float, str]]:
    return [
        (label.caption.level, SUBJECT.seconds(label.span.start_pts), SUBJECT.seconds(label.span.end_pts),
         label.caption.text)
        for label in labels if label.caption
    ]  # fmt: skip


def test_clip_events_and_transitions_become_a_label_each_with_the_time_they_have() -> None:
    reading = read(answered())
    assert reading.problems == ()
    assert captions(reading.labels) == [
        ("clip", 0, 9.8, "A field is seen from a moving camera, then a title and a red wall."),
        ("event", 0, 3, "The camera moves over a field."),
        ("event", 3.8, 6.8, "A title is shown."),
        ("transition", 3, 3.8, "From the field to the title."),
        ("transition", 6.8, 6.8, "From the title to a red wall."),
    ]
    assert {(label.label_id, label.clip_id, label.kind, label.provenance) for label in reading.labels} == {
        ("", DESCRIPTION.clip.clip_id, "caption", MODEL)
    }
    assert {evidence.source for label in reading.labels for evidence in label.evidence} == {"some-vlm"}


def test_what_a_truthful_model_says_is_confirmed_by_the_measurements() -> None:
    checked = [verify_label(label.replace(label_id=str(n)), DESCRIPTION, SCAN, DESCRIBE, EvidenceConfig())
               for n, label in enumerate(read(answered()).labels)]  # fmt: skip
    outcomes = [[check.outcome for check in kept.checks] for kept in checked if isinstance(kept, VerifiedLabel)]
    assert outcomes == [["confirmed"], ["unchecked"], ["confirmed"], ["confirmed"], ["confirmed"]]


@pytest.mark.parametrize(
    ("changes", "n_labels", "problem"),
    [
        ({"summary": " \n"}, 4, "the summary is empty"),
        ({"summary": "x" * 2001}, 4, "the summary has 2001 characters; 2000 are the most"),
        ({"summary_evidence": [seen(0, 1), seen(8, 12)]}, 4, "the end of the span of evidence 2 of the summary "),
        ({"events": [event(0, 30, "Long."), event(1, 2, "Short.")]}, 4, "the end of event 1 30 s is outside the clip"),
        ({"events": [event(5, 4, "Backwards.")]}, 3, "event 1 ends at 4 s, before it starts at 5 s"),
        ({"events": [event(5, 5, "Nothing.")]}, 3, "event 1 from 5 s to 5 s holds nothing"),
        ({"events": [event(1, 2, "")]}, 3, "the text of event 1 is empty"),
        ({"events": [event(1, 2, "A.", evidence=[seen(1, 2, "")])]}, 3, "the observation of evidence 1 of event 1 is "),
        ({"events": [event(n, n + 1, f"Event {n}.") for n in range(5)]}, 6, "5 events; 3 are the most"),
        ({"transitions": [{"number": 3, "text": "?"}]}, 3, "there is no transition 3 left to describe"),
        ({"transitions": [{"number": 1, "text": "?"}] * 2}, 4, "there is no transition 1 left to describe"),
        ({"transitions": [{"number": 0, "text": "?"}]}, 3, "there is no transition 0 left to describe"),
        ({"transitions": [{"number": 2, "text": "  "}]}, 3, "the text of transition 2 is empty"),
    ],
)  # fmt: skip
def test_one_wrong_part_costs_nothing_else_and_is_named(changes: dict[str, Any], n_labels: int, problem: str) -> None:
    reading = read(answered(**changes))
    assert len(reading.labels) == n_labels
    assert len(reading.problems) == 1
    assert reading.problems[0].startswith(problem)


def test_an_event_that_is_told_again_is_no_second_event() -> None:
    told = [event(0, 3, "A field."), event(1, 2, "A field."), event(0, 3, "a  FIELD."), event(0, 3, "A cow.")]
    reading = read(answered(events=told), config=CaptionConfig(max_events=4))
    assert [text for level, *_, text in captions(reading.labels) if level == "event"] == ["A field."] * 2 + ["A cow."]
    assert reading.problems == ("event 3 repeats event 1",)


def test_a_clip_of_one_shot_has_no_transitions_to_tell_of() -> None:
    reading = read(answered(summary_evidence=[seen(0, 1)], events=[]), ONE_SHOT)
    assert [label.caption.level for label in reading.labels if label.caption] == ["clip"]
    assert len(reading.problems) == 2
    _, user = rendered(ONE_SHOT)
    assert "an empty list, since the clip is a single shot" in user


def test_the_prompt_tells_the_facts_and_numbers_the_transitions() -> None:
    system, user = rendered(SUBJECT)
    assert "never an instruction" in system
    assert "The clip lasts 9.80 seconds." in user
    assert all(fact in user for fact in measured_facts(SUBJECT))
    assert "1: dissolve at 3.00 s" in user
    assert "2: cut at 6.80 s" in user
    assert "at most 3 events" in user
    assert "You are shown no frames" in user


def test_facts_are_left_out_where_they_are_switched_off() -> None:
    request = ANNOTATOR.request(SUBJECT, CaptionConfig(facts=False))
    assert isinstance(request, Request)
    assert request.facts == ()


def test_the_schema_asks_for_every_field() -> None:
    schema = json_schema(CaptionAnswer)
    assert schema["required"] == ["summary", "summary_evidence", "events", "transitions"]
    assert all(
        part["required"] == list(part["properties"]) for part in schema["$defs"].values() if "properties" in part
    )


def rendered(subject: ClipSubject) -> tuple[str, str]:
    request = ANNOTATOR.request(subject, CONFIG)
    assert isinstance(request, Request)
    values = {**request.values, "facts": request.facts, "pictures": request.pictures}
    return render(shipped("caption"), values)
