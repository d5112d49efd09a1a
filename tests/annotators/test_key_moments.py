"""Key moments: each query has all the stretches that answer it, in order, inside the clip, each with evidence."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotators.annotator import Reading, Request
from annotators.answer_schema import UnreadableError, parse_answer
from annotators.facts import measured_facts
from annotators.key_moments import ANNOTATOR, MAX_SHARE, KeyMomentsAnswer
from annotators.prompts import render, shipped
from annotators.subject import ClipSubject
from schemas.asking import KeyMomentsConfig
from schemas.judging import EvidenceConfig
from schemas.label import KeyMoments, Label, VerifiedLabel
from schemas.provenance import Provenance
from stages.evidence.check import verify_label
from tests.annotators.builders import DESCRIBE, ShotSpec, build_clip

CONFIG = KeyMomentsConfig(queries_per_clip=2)
MODEL = Provenance(annotator="key_moments", annotator_version="1", code_version="1.2.3", model="some-vlm")
DESCRIPTION, SCAN = build_clip((ShotSpec(n_frames=125), ShotSpec(n_frames=125, camera=("pan_left",))))
SUBJECT = ClipSubject(DESCRIPTION)
"""Ten seconds; a cut at five."""


def seen(start_s: float, end_s: float, what: str = "A dog.", claim: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"start_s": start_s, "end_s": end_s, "modality": "frame", "observation": what, "claim": claim}


def moment(start_s: float, end_s: float, saliency: int = 5, *evidence: dict[str, Any]) -> dict[str, Any]:
    return {
        "start_s": start_s, "end_s": end_s, "saliency": saliency, "evidence": evidence or (seen(start_s, end_s),)
    }  # fmt: skip


def asked(query: str, *moments: dict[str, Any]) -> dict[str, Any]:
    return {"query": query, "moments": moments}


def read(*queries: dict[str, Any], config: KeyMomentsConfig = CONFIG) -> Reading:
    return ANNOTATOR.read(SUBJECT, KeyMomentsAnswer.model_validate({"queries": queries}), config, MODEL)


def moments_of(label: Label) -> KeyMoments:
    assert label.moments is not None
    return label.moments


def stretches(label: Label) -> list[tuple[float, float, float]]:
    return [
        (SUBJECT.seconds(m.span.start_pts), SUBJECT.seconds(m.span.end_pts), m.saliency)
        for m in moments_of(label).moments
    ]


def test_each_query_is_a_label_of_the_whole_clip_with_its_moments_in_order_of_time() -> None:
    reading = read(
        asked(" A dog\n runs ", moment(6, 7, 3), moment(1, 2), moment(8, 9, 1)), asked("a cat", moment(0, 4))
    )
    assert reading.problems == ()
    first, second = reading.labels
    assert (moments_of(first).query, stretches(first)) == ("A dog runs", [(1, 2, 1.0), (6, 7, 0.5), (8, 9, 0.0)])
    assert (moments_of(second).query, stretches(second)) == ("a cat", [(0, 4, 1.0)])
    for label in reading.labels:
        assert (label.label_id, label.kind, label.span, label.provenance) == ("", "moments", SUBJECT.clip.span, MODEL)


def test_saliency_is_mapped_in_equal_steps() -> None:
    said = [moment(n, n + 1, n) for n in range(1, 6)]
    (label,) = read(asked("a dog", *said)).labels
    assert [moment.saliency for moment in moments_of(label).moments] == [0.0, 0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize("saliency", [0, 6, 2.5, "high", None])
def test_any_other_saliency_does_not_fit_the_schema(saliency: object) -> None:
    said = KeyMomentsAnswer.model_validate({"queries": [asked("a dog", moment(1, 2))]}).model_dump(mode="json")
    said["queries"][0]["moments"][0]["saliency"] = saliency
    with pytest.raises(UnreadableError, match="saliency"):
        parse_answer(json.dumps(said), KeyMomentsAnswer)


def test_every_moment_cites_its_own_evidence() -> None:
    late = moment(6, 7, 5, seen(6, 7, "Late."), seen(6.5, 6.5, "Later."))
    (label,) = read(asked("a dog", late, moment(1, 2, 5, seen(0, 3, "Early.")))).labels
    cited = [[label.evidence[n].observation for n in moment.evidence] for moment in moments_of(label).moments]
    assert cited == [["Early."], ["Late.", "Later."]]
    assert {evidence.source for evidence in label.evidence} == {"some-vlm"}


def test_what_a_truthful_model_says_is_confirmed_by_the_measurements() -> None:
    pan = seen(5.2, 9.8, "It pans.", {"quantity": "camera_motion", "text": "pan_left", "value": None})
    cut = seen(5, 5, "A cut.", {"quantity": "transition", "text": "cut", "value": None})
    (label,) = read(asked("the camera moves", moment(5, 10, 5, pan, cut))).labels
    checked = verify_label(label.replace(label_id="1"), DESCRIPTION, SCAN, DESCRIBE, EvidenceConfig())
    assert isinstance(checked, VerifiedLabel)
    assert [check.outcome for check in checked.checks] == ["confirmed", "confirmed"]


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (asked(" ", moment(1, 2)), "query 1 is empty"),
        (asked("?!", moment(1, 2)), "query 1 holds no word"),
        (asked("x" * 301, moment(1, 2)), "query 1 has 301 characters; 300 are the most"),
        (asked("a dog"), "query 1 has no moment that answers it"),
        (asked("a dog", moment(1, 2), moment(9, 12)), "the end of moment 2 of query 1 12 s is outside the clip"),
        (asked("a dog", moment(-3, 2)), "the start of moment 1 of query 1 -3 s is outside the clip"),
        (asked("a dog", moment(2, 1)), "moment 1 of query 1 ends at 1 s, before it starts"),
        (asked("a dog", moment(2, 2)), "moment 1 of query 1 from 2 s to 2 s holds nothing"),
        (asked("a dog", moment(4, 6), moment(1, 5)), "moments 2 and 1 of query 1 overlap"),
        (asked("a dog", moment(0, 10)), "query 1 is answered by 100% of the clip: it says nothing about when"),
        (asked("a dog", moment(5, 9.9), moment(0, 5)), "query 1 is answered by 99% of the clip"),
        (asked("a dog", moment(1, 2, 5, seen(1, 2, " "))), "the observation of evidence 1 of moment 1 of query 1 "),
        (asked("a dog", moment(1, 2, 5, seen(2, 3))), "evidence 1 of moment 1 of query 1 lies outside the moment"),
        (asked("a dog", moment(3, 4, 5, seen(2, 3))), "evidence 1 of moment 1 of query 1 lies outside the moment"),
        (asked("a dog", moment(1, 2, 5, seen(1, 30))), "the end of the span of evidence 1 of moment 1 of query 1 30 s"),
    ],
)  # fmt: skip
def test_a_query_with_a_moment_that_cannot_stand_is_left_out_and_the_others_stay(
    said: dict[str, Any], problem: str
) -> None:
    reading = read(said, asked("a cat", moment(1, 2)))
    assert [moments_of(label).query for label in reading.labels] == ["a cat"]
    assert len(reading.problems) == 1
    assert reading.problems[0].startswith(problem)


def test_moments_that_touch_do_not_overlap() -> None:
    (label,) = read(asked("a dog", moment(1, 2), moment(2, 3))).labels
    assert len(moments_of(label).moments) == 2


def test_no_two_queries_are_equal() -> None:
    reading = read(asked("A dog runs", moment(1, 2)), asked("the dog runs!", moment(3, 4)))
    assert len(reading.labels) == 1
    assert reading.problems == ("query 2 asks the same as query 1",)


def test_queries_beyond_those_asked_for_are_left_out_and_none_at_all_is_a_problem() -> None:
    reading = read(*(asked(f"thing {n}", moment(n, n + 1)) for n in range(4)))
    assert [moments_of(label).query for label in reading.labels] == ["thing 0", "thing 1"]
    assert reading.problems == ("4 queries; 2 are the most",)
    assert read() == Reading((), ("there is no query",))


TIMES = st.floats(-2, 14) | st.integers(-2, 14)


@given(st.lists(st.tuples(TIMES, TIMES, st.integers(1, 5)), max_size=5))
def test_whatever_a_model_says_labels_keep_their_promises(said: list[tuple[float, float, int]]) -> None:
    reading = read(asked("a dog", *(moment(*values) for values in said)))
    assert len(reading.labels) + len(reading.problems) == 1
    for label in reading.labels:
        found = moments_of(label).moments
        assert len(found) == len(said)
        assert all(SUBJECT.clip.span.covers(m.span) and m.span.duration_s > 0 and m.evidence for m in found)
        assert all(a.span.end_pts <= b.span.start_pts for a, b in pairwise(found))
        assert sum(m.span.duration_s for m in found) <= MAX_SHARE * SUBJECT.duration_s


def test_the_prompt_tells_the_facts_and_how_many_queries_are_wanted() -> None:
    request = ANNOTATOR.request(SUBJECT, CONFIG)
    assert isinstance(request, Request)
    assert request.facts == measured_facts(SUBJECT)
    _, user = render(shipped("key_moments"), {**request.values, "facts": request.facts, "pictures": ()})
    assert "2 different queries" in user
    assert "The clip lasts 10.00 seconds." in user
    bare = ANNOTATOR.request(SUBJECT, KeyMomentsConfig(facts=False))
    assert isinstance(bare, Request)
    assert bare.facts == ()
