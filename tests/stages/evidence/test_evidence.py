"""Claims are confirmed where the signals bear them out, contradicted where they do not, and else left open."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.evidence import Claim, Evidence, EvidenceCheck, Quantity
from schemas.judging import EvidenceConfig
from schemas.label import Caption, Label, QAItem, ReasoningStep, VerifiedLabel
from schemas.provenance import Provenance
from schemas.signals import ClipDescription, SliceScan
from schemas.time import Span, TimeBase
from schemas.verdict import Verdict
from stages.errors import StageError
from stages.evidence.check import verify_label
from stages.evidence.claims import CHECKS
from tests.annotators.builders import DESCRIBE, FPS, ShotSpec, TextSpec, build_clip, span_of

LEAD = 60
"""Frames before the clip; every frame number below counts from the clip's first."""
SHOTS = (
    ShotSpec(n_frames=100, luma=0.3, colours=(("green", 0.6), ("blue", 0.2)), camera=("pan_right",)),
    ShotSpec(n_frames=75, luma=0.6, texts=(TextSpec("BIG BUCK BUNNY", frame=20),), joint="dissolve", joint_frames=25),
    ShotSpec(n_frames=100, luma=0.5, frozen=(30, 60), joint="gradual", joint_frames=20),
    ShotSpec(n_frames=80, luma=0.2, colours=(("red", 0.7),), camera=("unclear",)),
)
END = 100 + 75 + 25 + 100 + 20 + 80
CLIP, SCAN = build_clip(SHOTS, lead_frames=LEAD)


def frames(first: int, end: int) -> Span:
    return span_of(LEAD + first, LEAD + end)


WHOLE = frames(0, END)
FIRST, SECOND, THIRD, FOURTH = frames(0, 100), frames(100, 175), frames(200, 300), frames(320, 400)


def label_of(*evidence: Evidence, clip_id: str = CLIP.clip.clip_id) -> Label:
    provenance = Provenance(annotator="somebody", annotator_version="1", code_version="1.2.3")
    return Label(
        label_id="the-label",
        clip_id=clip_id,
        kind="caption",
        span=WHOLE,
        caption=Caption(text="Something happens."),
        evidence=evidence,
        provenance=provenance,
    )


def piece(quantity: Quantity, span: Span, text: str | None = None, value: float | None = None) -> Evidence:
    claim = Claim(quantity=quantity, text=text, value=value)
    return Evidence(span=span, modality="frame", observation="It is so.", claim=claim, source="somebody")


def verified(label: Label, description: ClipDescription = CLIP, scan: SliceScan = SCAN) -> VerifiedLabel | Verdict:
    return verify_label(label, description, scan, DESCRIBE, EvidenceConfig())


def outcome_of(evidence: Evidence, description: ClipDescription = CLIP, scan: SliceScan = SCAN) -> str:
    result = verified(label_of(evidence), description, scan)
    return result.checks[0].outcome if isinstance(result, VerifiedLabel) else "contradicted"


def check_of(evidence: Evidence) -> EvidenceCheck:
    result = verified(label_of(evidence))
    assert isinstance(result, VerifiedLabel), result
    return result.checks[0]


def test_every_quantity_has_a_check() -> None:
    assert set(CHECKS) == set(get_args(Quantity))


@pytest.mark.parametrize(
    ("outcome", "evidence"),
    [
        ("confirmed", piece("transition", frames(100, 100), "cut")),
        ("confirmed", piece("transition", frames(102, 102), "cut", 1)),
        ("confirmed", piece("transition", frames(98, 120), "cut")),
        ("confirmed", piece("transition", frames(100, 100))),
        ("contradicted", piece("transition", frames(103, 103), "cut")),
        ("contradicted", piece("transition", frames(100, 100), "cut", 2)),
        ("contradicted", piece("transition", frames(100, 100), "dissolve")),
        ("contradicted", piece("transition", frames(50, 50), "cut")),
        ("confirmed", piece("transition", frames(175, 200), "dissolve", 2)),
        ("confirmed", piece("transition", frames(180, 200), "dissolve")),
        ("confirmed", piece("transition", frames(185, 185), "dissolve")),
        ("contradicted", piece("transition", frames(190, 240), "dissolve")),
        ("contradicted", piece("transition", frames(175, 200), "fade_out_in")),
        ("unchecked", piece("transition", frames(300, 320), "dissolve")),
        ("contradicted", piece("transition", frames(300, 300), "cut")),
        ("confirmed", piece("transition_count", WHOLE, value=3)),
        ("contradicted", piece("transition_count", WHOLE, value=2)),
        ("confirmed", piece("transition_count", FIRST, value=0)),
    ],
)
def test_transitions(outcome: str, evidence: Evidence) -> None:
    assert outcome_of(evidence) == outcome


@pytest.mark.parametrize(
    ("outcome", "evidence"),
    [
        ("confirmed", piece("shot", SECOND)),
        ("confirmed", piece("shot", frames(102, 173), value=2)),
        ("contradicted", piece("shot", frames(103, 175))),
        ("contradicted", piece("shot", SECOND, value=3)),
        ("contradicted", piece("shot", frames(100, 300))),
        ("confirmed", piece("duration", SECOND, value=75 / FPS)),
        ("confirmed", piece("duration", SECOND, value=77 / FPS)),
        ("contradicted", piece("duration", SECOND, value=79 / FPS)),
    ],
)
def test_shots(outcome: str, evidence: Evidence) -> None:
    assert outcome_of(evidence) == outcome


@pytest.mark.parametrize(
    ("outcome", "evidence"),
    [
        ("confirmed", piece("camera_motion", FIRST, "pan_right")),
        ("confirmed", piece("camera_motion", frames(20, 60), "pan_right")),
        ("contradicted", piece("camera_motion", FIRST, "pan_left")),
        ("contradicted", piece("camera_motion", FIRST, "static")),
        ("contradicted", piece("camera_motion", frames(50, 150), "pan_right")),
        ("contradicted", piece("camera_motion", frames(150, 190), "static")),
        ("unchecked", piece("camera_motion", FOURTH, "static")),
        ("unchecked", piece("camera_motion", frames(10, 12), "pan_right")),
        ("unchecked", piece("camera_motion", FIRST)),
        ("confirmed", piece("shake", SECOND, value=0.004)),
        ("contradicted", piece("shake", SECOND, value=0.05)),
    ],
)
def test_camera(outcome: str, evidence: Evidence) -> None:
    assert outcome_of(evidence) == outcome


@pytest.mark.parametrize(
    ("outcome", "evidence"),
    [
        ("confirmed", piece("luma_mean", FIRST, value=0.31)),
        ("contradicted", piece("luma_mean", FIRST, value=0.33)),
        ("contradicted", piece("luma_mean", frames(50, 150), value=0.45)),
        ("confirmed", piece("luma_mean", WHOLE, value=CLIP.luma_mean)),
        ("contradicted", piece("luma_mean", frames(50, 50), value=0.3)),
        ("unchecked", piece("luma_mean", FIRST)),
        ("confirmed", piece("luma_spread", FIRST, value=0.19)),
        ("contradicted", piece("luma_spread", FIRST, value=0.3)),
        ("confirmed", piece("saturation_mean", FIRST, value=0.36)),
        ("contradicted", piece("saturation_mean", FIRST, value=0.4)),
        ("confirmed", piece("sharpness", FIRST, value=640.0)),
        ("contradicted", piece("sharpness", FIRST, value=700.0)),
        ("confirmed", piece("colour", FIRST, "green", 0.55)),
        ("confirmed", piece("colour", FIRST, "blue")),
        ("contradicted", piece("colour", FIRST, "green", 0.8)),
        ("contradicted", piece("colour", FIRST, "red")),
        ("contradicted", piece("colour", frames(50, 150), "green", 0.6)),
        ("unchecked", piece("colour", FIRST)),
        ("confirmed", piece("aspect_ratio", WHOLE, value=16 / 9)),
        ("contradicted", piece("aspect_ratio", WHOLE, value=4 / 3)),
    ],
)
def test_light_and_colour(outcome: str, evidence: Evidence) -> None:
    assert outcome_of(evidence) == outcome


@pytest.mark.parametrize(
    ("outcome", "evidence"),
    [
        ("confirmed", piece("text", SECOND, "Big Buck Bunny")),
        ("confirmed", piece("text", frames(118, 124), "BIG BUCK BUNNV", 0.5)),
        ("contradicted", piece("text", SECOND, "BIG BUCK BUNNY", 0.9)),
        ("contradicted", piece("text", SECOND, "THE END")),
        ("contradicted", piece("text", FIRST, "BIG BUCK BUNNY")),
        ("unchecked", piece("text", frames(140, 160), "BIG BUCK BUNNY")),
        ("unchecked", piece("text", SECOND)),
        ("confirmed", piece("no_text", FIRST)),
        ("contradicted", piece("no_text", WHOLE)),
        ("confirmed", piece("frozen", frames(230, 260))),
        ("contradicted", piece("frozen", frames(225, 260))),
        ("contradicted", piece("frozen", frames(280, 300))),
        ("contradicted", piece("frozen", frames(20, 21))),
        ("confirmed", piece("no_freeze", FIRST)),
        ("contradicted", piece("no_freeze", WHOLE)),
        ("contradicted", piece("black", FIRST)),
    ],
)
def test_text_and_stillness(outcome: str, evidence: Evidence) -> None:
    assert outcome_of(evidence) == outcome


def test_text_that_nobody_looked_for_is_left_open() -> None:
    unread = CLIP.replace(text_is_measured=False, text=())
    assert outcome_of(piece("text", SECOND, "BIG BUCK BUNNY"), unread) == "unchecked"
    assert outcome_of(piece("no_text", FIRST), unread) == "unchecked"


@pytest.mark.parametrize(
    ("outcome", "evidence"),
    [
        ("confirmed", piece("speech", frames(20, 60))),
        ("confirmed", piece("speech", frames(0, 80))),
        ("contradicted", piece("speech", frames(0, 100))),
        ("contradicted", piece("speech", frames(70, 90))),
        ("confirmed", piece("no_speech", frames(70, 160))),
        ("confirmed", piece("no_speech", frames(59, 160))),
        ("contradicted", piece("no_speech", frames(50, 90))),
        ("contradicted", piece("no_speech", WHOLE)),
        ("unchecked", piece("speech", frames(30, 30))),
    ],
)
def test_speech(outcome: str, evidence: Evidence) -> None:
    spoken = SCAN.replace(speech_is_measured=True, speech=(frames(20, 60), frames(165, 170)))
    assert outcome_of(evidence, scan=spoken) == outcome


def test_the_share_of_a_span_that_is_speech_decides() -> None:
    spoken = SCAN.replace(speech_is_measured=True, speech=(frames(20, 60), frames(165, 170)))
    result = verified(label_of(piece("speech", frames(20, 70))), scan=spoken)
    assert isinstance(result, VerifiedLabel)
    assert result.checks[0].measured == pytest.approx(0.8)
    assert result.checks[0].threshold == 0.5


def test_speech_that_nobody_listened_for_is_left_open() -> None:
    assert outcome_of(piece("speech", FIRST)) == "unchecked"
    assert outcome_of(piece("no_speech", FIRST)) == "unchecked"
    silent = SCAN.replace(speech_is_measured=True)
    assert outcome_of(piece("speech", FIRST), scan=silent) == "contradicted"
    assert outcome_of(piece("no_speech", FIRST), scan=silent) == "confirmed"


def test_black_is_confirmed_where_all_frames_are_black() -> None:
    flags = [LEAD + 10 <= frame < LEAD + 40 for frame in range(len(SCAN.frames.pts))]
    dark = SCAN.replace(frames=SCAN.frames.replace(is_black=flags))
    assert outcome_of(piece("black", frames(10, 40)), scan=dark) == "confirmed"
    assert outcome_of(piece("black", frames(5, 40)), scan=dark) == "contradicted"


@given(st.sampled_from((FIRST, SECOND, THIRD, FOURTH)), st.integers(-80, 80))
def test_a_shot_moved_in_time_is_no_shot(shot: Span, n_frames: int) -> None:
    moved = shot.shift(n_frames / FPS)
    expected = "confirmed" if abs(n_frames) <= 2 and WHOLE.covers(moved) else "contradicted"
    number = float((FIRST, SECOND, THIRD, FOURTH).index(shot) + 1)
    assert outcome_of(piece("shot", moved, value=number)) == expected


def test_a_check_says_what_was_measured_and_what_it_was_held_against() -> None:
    check = check_of(piece("luma_mean", FIRST, value=0.31))
    assert check.measured == pytest.approx(0.3)
    assert check.threshold == EvidenceConfig().luma_tolerance
    assert "0.3" in check.reason
    check = check_of(piece("camera_motion", FIRST, "pan_right"))
    assert (check.measured_text, check.threshold) == ("pan_right", DESCRIBE.moving_widths_per_s)
    assert check.measured == pytest.approx(0.15, abs=0.005)


def test_evidence_outside_the_clip_is_contradicted() -> None:
    result = verified(label_of(piece("shot", frames(-60, 0))))
    assert isinstance(result, Verdict)
    assert "outside the clip" in result.reason
    other_base = Span(start_pts=0, end_pts=1, time_base=TimeBase(numerator=1, denominator=90_000))
    assert outcome_of(piece("duration", other_base, value=0.0)) == "contradicted"


def test_an_observation_without_a_claim_is_left_open() -> None:
    assert outcome_of(piece("shot", FIRST).replace(claim=None)) == "unchecked"


def test_a_label_is_kept_where_nothing_is_contradicted() -> None:
    result = verified(label_of(piece("shot", FIRST), piece("shot", SECOND).replace(claim=None)))
    assert isinstance(result, VerifiedLabel)
    assert [check.evidence_index for check in result.checks] == [0, 1]
    (verdict,) = result.verdicts
    assert (verdict.decision, verdict.rule, verdict.score) == ("keep", "verify.evidence", 0.0)
    assert verdict.subject_id == "the-label"


def test_a_label_is_rejected_with_the_first_contradiction_and_how_many_there_are() -> None:
    wrong = piece("luma_mean", FIRST, value=0.5), piece("transition_count", WHOLE, value=9)
    result = verified(label_of(piece("shot", FIRST), *wrong))
    assert isinstance(result, Verdict)
    assert (result.decision, result.rule, result.score, result.threshold) == ("reject", "verify.evidence", 2.0, 0.0)
    assert result.reason.startswith("evidence 1 (luma_mean")
    assert "0.3" in result.reason
    assert "0.5" in result.reason


def test_reasoning_that_leaves_the_clip_is_rejected() -> None:
    step = ReasoningStep(role="observe", text="Look.", span=frames(-10, 10), evidence=(0,))
    item = QAItem(task="shot_count", question="How many?", options=("1", "2"), answer_index=0, reasoning=(step,))
    result = verified(label_of(piece("shot", FIRST)).replace(kind="qa", caption=None, qa=item))
    assert isinstance(result, Verdict)
    assert (result.rule, result.score) == ("verify.span", 1.0)
    assert "reasoning step 1" in result.reason


def test_what_is_not_of_one_clip_is_an_error_that_names_the_file() -> None:
    with pytest.raises(StageError, match=r"film\.mp4: label the-label of clip another"):
        verified(label_of(piece("shot", FIRST), clip_id="another"))
    with pytest.raises(StageError, match=r"film\.mp4: .* scan of slice another"):
        verified(label_of(piece("shot", FIRST)), scan=SCAN.replace(slice_id="another"))


def test_a_clip_inside_one_long_shot_is_that_shot_from_end_to_end() -> None:
    span = frames(20, 90)
    clip = CLIP.clip.replace(span=span, shots=(CLIP.clip.shots[0].replace(span=span),), transitions=())
    inside = CLIP.replace(clip=clip, shots=(CLIP.shots[0].replace(span=span),))
    label = label_of(piece("shot", span, value=1)).replace(span=span)
    assert isinstance(verified(label, inside), VerifiedLabel)
