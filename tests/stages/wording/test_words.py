"""What a label says in words is held against the signals: true sentences pass, false ones reject it."""

from functools import partial

import pytest

from annotators.fragments import annotate_fragments
from annotators.measured import annotate_clip
from schemas.asking import FragmentsConfig
from schemas.config import MeasuredConfig
from schemas.evidence import Claim, Evidence
from schemas.judging import EvidenceConfig
from schemas.label import Caption, Label, QAItem, SV6DSegment, SV6DValue, VerifiedLabel
from schemas.provenance import Provenance
from schemas.signals import ClipDescription, SliceScan
from schemas.time import Span
from schemas.verdict import Verdict
from stages.evidence.check import OPTIONS_RULE, WORDS_RULE, verify_label
from stages.spoken.answers import READERS
from tests.annotators.builders import DESCRIBE, ShotSpec, TextSpec, build_clip, span_of, varied_clip

LEAD = 60
GREENS = (("green", 0.6), ("blue", 0.38))
SHOTS = (
    ShotSpec(n_frames=100, luma=0.3, colours=GREENS, camera=("pan_right",)),
    ShotSpec(n_frames=75, luma=0.6, colours=GREENS, texts=(TextSpec("BIG BUCK BUNNY", frame=20),), joint="dissolve",
             joint_frames=25),
    ShotSpec(n_frames=100, luma=0.5, colours=GREENS, frozen=(30, 60)),
    ShotSpec(n_frames=100, luma=0.2, colours=(("red", 0.7), ("green", 0.28)), camera=("zoom_in",)),
)  # fmt: skip
CLIP, SCAN = build_clip(SHOTS, lead_frames=LEAD)
WHOLE = span_of(LEAD, LEAD + 400)
"""At 25 frames a second: cuts at 4 s and 12 s, a dissolve from 7 s to 8 s, a still from 9.2 s to 10.4 s; 16 s."""


def label_of(evidence_span: Span = WHOLE, **part: object) -> Label:
    kind = next(iter(part))
    seen = Evidence(span=evidence_span, modality="frame", observation="It is so.", claim=None, source="model")
    provenance = Provenance(annotator="somebody", annotator_version="1", code_version="1.2.3")
    return Label.model_validate(
        {"label_id": "it", "clip_id": CLIP.clip.clip_id, "kind": kind, "span": evidence_span, "evidence": (seen,),
         "provenance": provenance, **part}
    )  # fmt: skip


def outcome(label: Label, description: ClipDescription = CLIP, scan: SliceScan = SCAN) -> str:
    """`confirmed`, `contradicted`, or `open` where nothing in the words was decided."""
    result = verify_label(label, description, scan, DESCRIBE, EvidenceConfig())
    if isinstance(result, Verdict):
        assert result.rule == WORDS_RULE, result
        assert result.score is not None
        assert result.score >= 1
        return "contradicted"
    return "confirmed" if any(check.statement for check in result.checks) else "open"


def caption(text: str, span: Span = WHOLE, **changes: object) -> str:
    return outcome(label_of(span, caption=Caption(text=text)), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("confirmed", "The camera pans right."),
        ("confirmed", "At first the camera slowly pans to the right over a field."),
        ("contradicted", "The camera pans left."),
        ("contradicted", "The camera tilts up."),
        ("contradicted", "The camera zooms in at 2 s."),
        ("confirmed", "From 12.5 s to 15.5 s the camera zooms in."),
        ("contradicted", "From 8.5 s to 11 s the camera zooms in."),
        ("contradicted", "The camera is static."),
        ("open", "A man walks left."),
        ("confirmed", "There is a hard cut at 4.0 s."),
        ("confirmed", "There is a hard cut at 4.2 s."),
        ("contradicted", "There is a hard cut at 6 s."),
        ("contradicted", "There is a dissolve at 4.0 s."),
        ("confirmed", "There is a dissolve from 7 s to 8 s."),
        ("open", "At 7.5 s the scene cuts to a wide view."),
        ("contradicted", "There is a hard cut at 7.5 s."),
        ("contradicted", "The picture fades to black."),
        ("confirmed", "The clip has four shots."),
        ("contradicted", "The clip has five shots."),
        ("confirmed", "The video contains two hard cuts."),
        ("contradicted", "The video contains three hard cuts."),
        ("open", "The video contains three cuts."),
        ("contradicted", "The clip is a single shot."),
        ("confirmed", "The clip lasts 16 seconds."),
        ("confirmed", "The clip lasts about 15 seconds."),
        ("contradicted", "The clip lasts 20 seconds."),
        ("contradicted", "A man sits down at 25 s."),
        ("open", "A man sits down at 15 s."),
        ("confirmed", "The text “Big Buck Bunny” is on the screen at 4.8 s."),
        ("contradicted", "The text “Sold out” is on the screen at 4.8 s."),
        ("open", "The text “Sold out” is on the screen at 12 s."),
        ("open", "The title reads “Sold out”."),
        ("open", "A sign reads “Sold out”."),
        ("confirmed", "The picture is mostly red."),
        ("confirmed", "The picture is mostly green."),
        ("open", "The picture is mostly pink."),
        ("contradicted", "The picture is mostly white."),
        ("confirmed", "The picture stands still from 9.2 s to 10.4 s."),
        ("contradicted", "The picture stands still from 1.2 s to 2.4 s."),
        ("contradicted", "The picture goes black."),
        ("confirmed", "The camera pans right, then there is a hard cut."),
        ("contradicted", "The camera zooms in before panning right."),
        ("confirmed", "The second shot of the clip runs from 4.0 s to 7.0 s."),
        ("contradicted", "The second shot of the clip runs from 5.0 s to 8.0 s."),
        ("contradicted", "The ninth shot of the clip lasts 2.0 s."),
    ],
)
def test_sentences_of_a_caption(expected: str, text: str) -> None:
    assert caption(text) == expected


@pytest.mark.parametrize(
    ("expected", "text"),
    [("contradicted", "Nobody speaks."), ("confirmed", "A voice is heard."), ("open", "A man speaks.")],
)
def test_speech_is_held_against_the_sound(expected: str, text: str) -> None:
    heard = SCAN.replace(speech=(span_of(LEAD + 50, LEAD + 300),), speech_is_measured=True)
    assert caption(text, scan=heard) == expected
    assert caption(text) == "open"
    silent = SCAN.replace(speech_is_measured=True)
    assert caption("Nobody speaks.", scan=silent) == "confirmed"


def test_a_caption_of_a_stretch_is_held_against_that_stretch() -> None:
    first, last = span_of(LEAD, LEAD + 100), span_of(LEAD + 300, LEAD + 400)
    assert caption("The camera pans right.", first) == "confirmed"
    assert caption("The camera pans right.", last) == "contradicted"
    assert caption("The camera zooms in.", last) == "confirmed"


def test_one_false_sentence_among_many_rejects_with_its_words() -> None:
    label = label_of(caption=Caption(text="A man sits. The camera pans right. The clip has nine shots. He smiles."))
    result = verify_label(label, CLIP, SCAN, DESCRIBE, EvidenceConfig())
    assert isinstance(result, Verdict)
    assert result.rule == "verify.evidence.words"
    assert "The clip has nine shots." in result.reason
    assert "4 shots are measured" in result.reason


def test_words_are_let_be_where_the_setting_says_so_and_wherever_the_camera_is_in_doubt() -> None:
    label = label_of(caption=Caption(text="The camera pans left."))
    assert isinstance(verify_label(label, CLIP, SCAN, DESCRIBE, EvidenceConfig(words=False)), VerifiedLabel)
    n_pairs = len(SCAN.motion.start_pts)
    crowded = SCAN.replace(motion=SCAN.motion.replace(subject_ratio=[0.7] * n_pairs))
    unsure = SCAN.replace(motion=SCAN.motion.replace(inlier_ratio=[0.1] * n_pairs))
    assert outcome(label, scan=crowded) == outcome(label, scan=unsure) == "open"


def test_confirmed_statements_are_kept_as_checks_apart_from_those_of_evidence() -> None:
    label = label_of(caption=Caption(text="The camera pans right. A man sits."))
    result = verify_label(label, CLIP, SCAN, DESCRIBE, EvidenceConfig())
    assert isinstance(result, VerifiedLabel)
    assert [(check.evidence_index, check.statement) for check in result.checks] == [
        (0, None),
        (None, "caption: The camera pans right."),
    ]
    assert result.checks[1].measured is not None


@pytest.mark.parametrize(
    ("expected", "dimension", "attribute", "value", "span"),
    [
        ("confirmed", "camera", "motion", "pan_right", span_of(LEAD, LEAD + 100)),
        ("contradicted", "camera", "motion", "pan_left", span_of(LEAD, LEAD + 100)),
        ("contradicted", "camera", "motion", "static", span_of(LEAD, LEAD + 100)),
        ("confirmed", "editing", "transition", "cut", span_of(LEAD, LEAD + 100)),
        ("contradicted", "editing", "transition", "dissolve", span_of(LEAD, LEAD + 100)),
        ("contradicted", "editing", "transition", "none", span_of(LEAD, LEAD + 100)),
        ("contradicted", "editing", "transition", "cut", span_of(LEAD, LEAD + 50)),
        ("confirmed", "aesthetics", "brightness", "medium", span_of(LEAD, LEAD + 100)),
        ("contradicted", "aesthetics", "brightness", "bright", span_of(LEAD, LEAD + 100)),
        ("open", "aesthetics", "brightness", "bright", WHOLE.replace(end_pts=WHOLE.start_pts + 150 * 512)),
        ("open", "aesthetics", "brightness", "sombre", span_of(LEAD, LEAD + 100)),
        ("confirmed", "aesthetics", "palette", "green", span_of(LEAD, LEAD + 100)),
        ("contradicted", "aesthetics", "palette", "red", span_of(LEAD, LEAD + 100)),
        ("confirmed", "editing", "shot_length", "medium", span_of(LEAD, LEAD + 100)),
        ("contradicted", "editing", "shot_length", "long", span_of(LEAD, LEAD + 100)),
        ("confirmed", "editing", "pace", "moderate", WHOLE),
        ("contradicted", "editing", "pace", "fast", WHOLE),
        ("confirmed", "dissemination", "on_screen_text", "present", WHOLE),
        ("open", "dissemination", "on_screen_text", "absent", WHOLE),
        ("confirmed", "dissemination", "text_position", "middle", WHOLE),
        ("contradicted", "dissemination", "text_position", "top", WHOLE),
        ("contradicted", "dissemination", "aspect", "portrait", WHOLE),
        ("open", "subject", "action", "walks", WHOLE),
    ],
)
def test_values_of_a_segment(expected: str, dimension: str, attribute: str, value: str, span: Span) -> None:
    said = SV6DValue(dimension=dimension, attribute=attribute, value=value, evidence=(0,))
    assert outcome(label_of(span, sv6d=SV6DSegment(values=(said,)))) == expected


@pytest.mark.parametrize(
    ("expected", "question", "answer"),
    [
        ("confirmed", "How many shots does the clip have?", "Four"),
        ("contradicted", "How many shots does the clip have?", "5"),
        ("contradicted", "How long is the video?", "30 seconds"),
        ("confirmed", "What does the camera do from 0.5 s to 3.5 s?", "It pans right."),
        ("contradicted", "What does the camera do from 0.5 s to 3.5 s?", "pans left"),
        ("confirmed", "Which transition is there at 7.5 s?", "a dissolve"),
        ("contradicted", "Which transition is there at 7.5 s?", "A hard cut"),
        ("contradicted", "Which of these captions is true of the clip?", "A man sits while the camera tilts down."),
        ("open", "What would happen if the camera moved?", "The camera pans left."),
        ("open", "Which of these does not happen?", "The camera pans left."),
        ("open", "Who comes in?", "A man."),
    ],
)
def test_answers_of_free_form_are_read_with_their_question(expected: str, question: str, answer: str) -> None:
    item = QAItem(task="rvq", question=question, options=(answer, "something else"), answer_index=0)
    assert outcome(label_of(qa=item)) == expected


@pytest.mark.parametrize(
    ("question", "right", "true_too"),
    [
        ("How many shots does the clip have?", "4", "Four shots"),
        ("What does the camera do from 0.5 s to 3.5 s?", "It pans right.", "The camera pans right"),
        ("Which transition is there at 7.5 s?", "a dissolve", "A cross-dissolve."),
    ],
)
def test_an_option_marked_wrong_that_is_true_too_turns_the_question_away(
    question: str, right: str, true_too: str
) -> None:
    item = QAItem(task="rvq", question=question, options=(right, "Nobody can say.", true_too), answer_index=0)
    result = verify_label(label_of(qa=item), CLIP, SCAN, DESCRIBE, EvidenceConfig())
    assert isinstance(result, Verdict)
    assert (result.rule, result.score) == (OPTIONS_RULE, 1.0)
    assert true_too in result.reason
    other = item.replace(options=(right, "Nobody can say.", "Everybody can say."))
    assert outcome(label_of(qa=other)) == "confirmed"


def test_a_wrong_sentence_is_not_true_because_the_camera_in_it_is() -> None:
    captions = ("A rabbit runs while the camera pans right.", "A rabbit sleeps while the camera pans right.")
    item = QAItem(task="rvq", question="Which of these captions is true of the clip?", options=captions, answer_index=0)
    assert isinstance(verify_label(label_of(qa=item), CLIP, SCAN, DESCRIBE, EvidenceConfig()), VerifiedLabel)


@pytest.mark.parametrize("seed", range(30))
def test_of_every_question_of_fixed_form_only_the_right_answer_passes(seed: int) -> None:
    _, description, scan = varied_clip(seed)
    verify = partial(verify_label, description=description, scan=scan, describe=DESCRIBE, config=EvidenceConfig())
    made = annotate_clip(description, MeasuredConfig(seed=seed, max_items_per_task=2), "1.2.3").labels
    pieces = annotate_fragments(description, FragmentsConfig(enabled=True, seed=seed), "1.2.3").labels
    for label in (*made, *pieces):
        if label.qa is None:
            continue
        kept = verify(label)
        assert isinstance(kept, VerifiedLabel), (label.qa, kept)
        answers = [check for check in kept.checks if (check.statement or "").startswith("answer: ")]
        assert [check.outcome for check in answers] == ["confirmed"], label.qa
        for index in range(len(label.qa.options)):
            if index != label.qa.answer_index:
                wrong = label.replace(qa=label.qa.replace(answer_index=index))
                assert isinstance(verify(wrong), Verdict), wrong.qa


def test_every_measured_and_fragment_task_has_a_reader_of_its_own() -> None:
    families = {task.name for task in MeasuredConfig().tasks.tasks if task.family in ("measured", "sf2t")}
    assert set(READERS) == families


@pytest.mark.parametrize("task", sorted(READERS))
def test_a_task_in_another_form_is_left_open(task: str) -> None:
    item = QAItem(task=task, question="Was geschieht?", options=("Etwas.", "“Nichts”"), answer_index=0)
    assert outcome(label_of(qa=item)) == "open"
    hostile = QAItem(
        task=task, question="fragment A: from 9.9 s" * 50, options=("99999.9 s " * 40, "x"), answer_index=0
    )
    assert outcome(label_of(qa=hostile)) in ("open", "contradicted")


def test_a_claim_without_words_is_still_checked() -> None:
    claim = Claim(quantity="transition_count", value=3)
    label = label_of(caption=Caption(text="…"))
    piece = label.evidence[0].replace(claim=claim)
    result = verify_label(label.replace(evidence=(piece,)), CLIP, SCAN, DESCRIBE, EvidenceConfig())
    assert isinstance(result, VerifiedLabel)
    assert [check.outcome for check in result.checks] == ["confirmed"]
