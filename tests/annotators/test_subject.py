"""What a model says of time, places and evidence becomes exact records, or a sentence that it can act on."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotators.answers import SeenBox, SeenClaim, SeenEvidence
from annotators.subject import TIME_TOLERANCE_S, ClipSubject, UnsoundError, box_of, latest, sound_text
from schemas.evidence import Claim, Evidence
from schemas.judging import EvidenceConfig
from schemas.label import Box, Caption, Label
from schemas.provenance import Provenance
from stages.evidence.check import check_evidence
from stages.evidence.measurements import Measurements
from tests.annotators.builders import DESCRIBE, ShotSpec, build_clip

SHOTS = (ShotSpec(camera=("pan_left",), joint="dissolve", joint_frames=20), ShotSpec(frozen=(10, 50)), ShotSpec())
DESCRIPTION, SCAN = build_clip(SHOTS)
SUBJECT = ClipSubject(DESCRIPTION)
CLIP = DESCRIPTION.clip
FRAME = 512
"""Ticks of a frame."""


def seen(start_s: float, end_s: float, claim: SeenClaim | None = None, observation: str = "A door.") -> SeenEvidence:
    return SeenEvidence(start_s=start_s, end_s=end_s, modality="frame", observation=observation, claim=claim)


def claimed(quantity: str, text: str = "", value: float | None = None) -> SeenClaim:
    return SeenClaim.model_validate({"quantity": quantity, "text": text, "value": value})


def outcome(evidence: Evidence) -> str:
    return check_evidence(evidence, Measurements(DESCRIPTION, SCAN, DESCRIBE, EvidenceConfig())).outcome


@given(st.floats(0, SUBJECT.duration_s))
def test_a_time_becomes_the_nearest_tick_and_comes_back(seconds: float) -> None:
    pts = SUBJECT.pts(seconds)
    assert CLIP.span.start_pts <= pts <= CLIP.span.end_pts
    assert SUBJECT.seconds(pts) == pytest.approx(seconds, abs=0.5 / (25 * 512))


@given(st.floats(allow_nan=True, allow_infinity=True), st.floats(allow_nan=True, allow_infinity=True))
def test_a_span_lies_in_the_clip_or_is_refused_in_words(start_s: float, end_s: float) -> None:
    is_within = start_s >= 0 and end_s <= SUBJECT.duration_s and end_s - start_s > 0.001
    try:
        span = SUBJECT.span(start_s, end_s)
    except UnsoundError:
        assert not is_within
    else:
        assert CLIP.span.covers(span)
        assert span.start_pts < span.end_pts


def test_times_a_little_outside_mean_the_edge_and_others_are_refused() -> None:
    end_s = SUBJECT.duration_s
    assert SUBJECT.span(-TIME_TOLERANCE_S, end_s + TIME_TOLERANCE_S) == CLIP.span
    with pytest.raises(UnsoundError, match=r"start of span -0.2 s is outside the clip, which runs from 0 to 9.80 s"):
        SUBJECT.span(-0.2, 1)
    with pytest.raises(UnsoundError, match="the end of event 3 10 s is outside"):
        SUBJECT.span(1, 10, "event 3")
    with pytest.raises(UnsoundError, match="before it starts"):
        SUBJECT.span(3, 2)
    with pytest.raises(UnsoundError, match="before it starts"):
        SUBJECT.span(1, math.nan)
    with pytest.raises(UnsoundError, match="holds nothing"):
        SUBJECT.span(2, 2)
    assert SUBJECT.span(2, 2, may_be_empty=True).duration_s == 0


def test_evidence_keeps_its_words_its_time_and_who_saw_it() -> None:
    evidence = SUBJECT.evidence(seen(1, 2, observation="  A door\nopens. "), "some-model")
    assert (evidence.observation, evidence.source, evidence.claim) == ("A door opens.", "some-model", None)
    assert (SUBJECT.seconds(evidence.span.start_pts), SUBJECT.seconds(evidence.span.end_pts)) == (1, 2)


def test_what_is_seen_at_one_moment_lasts_a_frame_even_at_the_clip_s_end() -> None:
    moment = SUBJECT.evidence(seen(2, 2), "m").span
    last = SUBJECT.evidence(seen(SUBJECT.duration_s, SUBJECT.duration_s), "m").span
    assert (moment.start_pts, moment.end_pts - moment.start_pts) == (SUBJECT.pts(2), FRAME)
    assert (last.end_pts, last.end_pts - last.start_pts) == (CLIP.span.end_pts, FRAME)


@pytest.mark.parametrize(
    ("start_s", "end_s", "claim", "expected"),
    [
        (3.0, 3.8, claimed("transition", "dissolve"), "confirmed"),
        (3.0, 3.8, claimed("transition", "wipe"), "contradicted"),
        (6.8, 6.8, claimed("transition", "Hard cut"), "confirmed"),
        (6.8, 6.8, claimed("transition"), "confirmed"),
        (5.0, 5.0, claimed("transition", "cut"), "contradicted"),
        (0.0, 9.8, claimed("transition_count", "two", 2), "confirmed"),
        (0.0, 9.8, claimed("transition_count", "", 3), "contradicted"),
        (0.2, 2.8, claimed("camera_motion", "Pan left"), "confirmed"),
        (0.2, 2.8, claimed("camera_motion", "pan-right", 0.5), "contradicted"),
        (0.2, 2.8, claimed("colour", "green"), "confirmed"),
        (0.2, 2.8, claimed("colour", "Gray"), "contradicted"),
        (4.4, 5.4, claimed("frozen", "yes"), "confirmed"),
        (0.2, 2.8, claimed("black", "black", 1), "contradicted"),
        (0.2, 2.8, claimed("text", "Exit here", 0.2), "contradicted"),
        (0.2, 2.8, claimed("speech", "a man talks"), "unchecked"),
        (0.2, 2.8, claimed("no_speech"), "unchecked"),
    ],
)  # fmt: skip
def test_claims_in_a_model_s_words_are_checked_against_measurements(
    start_s: float, end_s: float, claim: SeenClaim, expected: str
) -> None:
    assert outcome(SUBJECT.evidence(seen(start_s, end_s, claim), "m")) == expected


def test_a_claim_holds_nothing_that_its_quantity_does_not_take() -> None:
    def made(quantity: str, text: str = "", value: float | None = None) -> Claim | None:
        return SUBJECT.evidence(seen(1, 2, claimed(quantity, text, value)), "m").claim

    assert made("text", "  Harvest\n time ", 0.7) == Claim(quantity="text", text="Harvest time")
    assert made("colour", "GREY", 0.5) == Claim(quantity="colour", text="grey")
    assert made("frozen", "yes", 1) == Claim(quantity="frozen")
    assert made("speech", "yes", 1) == Claim(quantity="speech")
    assert made("no_speech", "none", 0) == Claim(quantity="no_speech")
    assert made("transition_count", "three", 3) == Claim(quantity="transition_count", value=3)
    assert [made(quantity) for quantity in ("text", "colour", "camera_motion", "transition_count")] == [None] * 4


@pytest.mark.parametrize(
    ("claim", "complaint"),
    [
        (claimed("transition", "swoosh"), "claims the transition 'swoosh', which is none of cut, dissolve"),
        (claimed("camera_motion", "unclear"), "claims the camera_motion 'unclear', which is none of static"),
        (claimed("colour", "turquoise"), "claims the colour 'turquoise', which is none of black"),
    ],
)
def test_a_term_that_no_measurement_knows_is_refused_with_those_it_knows(claim: SeenClaim, complaint: str) -> None:
    with pytest.raises(UnsoundError, match=f"evidence 2 {complaint}"):
        SUBJECT.evidence(seen(1, 2, claim), "m", "evidence 2")


@pytest.mark.parametrize(
    ("told", "complaint"),
    [(seen(1, 2, observation=" \n"), "is empty"), (seen(3, 2), "before it starts"), (seen(9, 20), "outside the clip")],
)
def test_evidence_that_cannot_stand_is_refused(told: SeenEvidence, complaint: str) -> None:
    with pytest.raises(UnsoundError, match=f"evidence 1 .*{complaint}"):
        SUBJECT.evidence(told, "m", "evidence 1")


def test_a_box_has_an_inside_in_the_picture() -> None:
    assert box_of(SeenBox(left=0, top=0.1, right=1, bottom=0.2)) == Box(left=0, top=0.1, right=1, bottom=0.2)
    with pytest.raises(UnsoundError, match=r"box 1: left -0.1, bottom 300 not between 0 and 1"):
        box_of(SeenBox(left=-0.1, top=0, right=1, bottom=300), "box 1")
    for wrong in (SeenBox(left=0.5, top=0, right=0.5, bottom=1), SeenBox(left=0, top=0.5, right=1, bottom=0.4)):
        with pytest.raises(UnsoundError, match="right must be greater than left"):
            box_of(wrong)


def test_a_text_has_words_and_an_end() -> None:
    assert sound_text(" a \n\t door ", "it") == "a door"
    with pytest.raises(UnsoundError, match="the name is empty"):
        sound_text("\n ", "the name")
    with pytest.raises(UnsoundError, match="it has 2001 characters; 2000 are the most"):
        sound_text("x" * 2001, "it")


def test_of_several_states_of_a_label_the_last_counts_at_the_place_of_the_first() -> None:
    maker = Provenance(annotator="caption", annotator_version="1", code_version="1")
    evidence = SUBJECT.evidence(seen(1, 2), "m")
    first, second = (
        Label(
            label_id=label_id, clip_id=CLIP.clip_id, kind="caption", span=CLIP.span, caption=Caption(text=label_id),
            evidence=(evidence,), provenance=maker,
        )
        for label_id in ("a", "b")
    )  # fmt: skip
    renamed = first.replace(caption=Caption(text="renamed"), revisions=(maker,))
    assert latest((first, second, renamed)) == (renamed, second)
    assert latest(()) == ()
