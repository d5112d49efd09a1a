"""What the measured annotator promises, on clips whose truth is written down first."""

from functools import cache

import pytest

from annotators.measured import annotate_clip
from schemas.config import MeasuredConfig
from schemas.judging import EvidenceConfig
from schemas.label import ClipLabels, Label, VerifiedLabel
from schemas.taxonomy import qa_tasks, sv6d_taxonomy
from stages.evidence.check import verify_label
from tests.annotators.builders import DESCRIBE, ShotSpec, TextSpec, build_clip, truth_of, varied_clip
from tests.annotators.truth import true_options

SEEDS = range(80)
TASKS = qa_tasks().names("measured")


@cache
def labels_of(seed: int, n_options: int = 4, max_items_per_task: int = 3) -> ClipLabels:
    _, description, _ = varied_clip(seed)
    config = MeasuredConfig(n_options=n_options, max_items_per_task=max_items_per_task)
    return annotate_clip(description, config, code_version="1.2.3")


def questions(*shots: ShotSpec, text_is_measured: bool = True) -> dict[str, Label]:
    description, _ = build_clip(shots, text_is_measured=text_is_measured)
    labels = annotate_clip(description, MeasuredConfig(), code_version="1.2.3").labels
    return {label.qa.task: label for label in labels if label.qa}


def said(*shots: ShotSpec, text_is_measured: bool = True) -> list[dict[str, str]]:
    """Attribute and value of every SV6D segment."""
    description, _ = build_clip(shots, text_is_measured=text_is_measured)
    labels = annotate_clip(description, MeasuredConfig(), code_version="1.2.3").labels
    return [{value.attribute: value.value for value in label.sv6d.values} for label in labels if label.sv6d]


@pytest.mark.parametrize("n_options", [2, 4, 8])
def test_exactly_the_given_answer_is_true(n_options: int) -> None:
    seen = set()
    for seed in SEEDS:
        shots, _, _ = varied_clip(seed)
        for label in labels_of(seed, n_options).labels:
            if label.qa:
                expected = [index == label.qa.answer_index for index in range(n_options)]
                assert true_options(label.qa, truth_of(shots)) == expected, (seed, label.qa)
                seen.add(label.qa.task)
    assert n_options != 4 or seen == set(TASKS)


def test_every_label_is_confirmed_by_the_signals_in_every_piece() -> None:
    for seed in SEEDS:
        _, description, scan = varied_clip(seed)
        for label in labels_of(seed).labels:
            verified = verify_label(label, description, scan, DESCRIBE, EvidenceConfig())
            assert isinstance(verified, VerifiedLabel), (seed, verified)
            assert {check.outcome for check in verified.checks} == {"confirmed"}, (seed, verified.checks)


@pytest.mark.parametrize("shift_s", [2.0, -2.0, 0.2])
def test_every_label_is_contradicted_when_its_evidence_is_moved(shift_s: float) -> None:
    for seed in SEEDS:
        _, description, scan = varied_clip(seed)
        for label in labels_of(seed).labels:
            moved = tuple(piece.replace(span=piece.span.shift(shift_s)) for piece in label.evidence)
            outcome = verify_label(label.replace(evidence=moved), description, scan, DESCRIBE, EvidenceConfig())
            assert not isinstance(outcome, VerifiedLabel), (seed, label)


def test_every_task_is_asked_or_left_out_for_a_stated_reason() -> None:
    for seed in SEEDS:
        labels = labels_of(seed)
        asked = {label.qa.task for label in labels.labels if label.qa}
        left_out = [abstention.split(": ", 1) for abstention in labels.abstentions]
        assert sorted([*asked, *(task for task, _ in left_out)]) == sorted(TASKS)
        assert all(reason for _, reason in left_out)


def test_chains_have_three_steps_or_more_inside_the_clip_and_cite_all_their_evidence() -> None:
    for seed in SEEDS:
        _, description, _ = varied_clip(seed)
        for label in labels_of(seed).labels:
            assert description.clip.span.covers(label.span)
            if label.qa:
                steps = label.qa.reasoning
                assert len(steps) >= 3
                assert all(description.clip.span.covers(step.span) for step in steps)
                assert {i for step in steps for i in step.evidence} == set(range(len(label.evidence)))
                assert steps[-1].role == "conclude"
            assert all(piece.claim and piece.source == "measured" for piece in label.evidence)


def test_segments_use_only_values_of_the_taxonomy_and_cite_all_their_evidence() -> None:
    for seed in SEEDS:
        for label in labels_of(seed).labels:
            for value in label.sv6d.values if label.sv6d else ():
                assert sv6d_taxonomy().allows(value.dimension, value.attribute, value.value)
            cited = {i for value in label.sv6d.values for i in value.evidence} if label.sv6d else set()
            assert not label.sv6d or cited == set(range(len(label.evidence)))


def test_labels_are_numbered_and_the_same_every_time() -> None:
    _, description, _ = varied_clip(3)
    first, second = (annotate_clip(description, MeasuredConfig(), "1.2.3") for _ in range(2))
    assert first == second
    expected = [f"{description.clip.clip_id}-measured-{n:03d}" for n in range(len(first.labels))]
    assert [label.label_id for label in first.labels] == expected
    assert {label.provenance.code_version for label in first.labels} == {"1.2.3"}


def test_another_seed_orders_options_otherwise_and_says_nothing_else() -> None:
    _, description, _ = varied_clip(3)
    first, second = (annotate_clip(description, MeasuredConfig(seed=seed), "1.2.3") for seed in (0, 1))
    assert [label for label in first.labels if label.sv6d] == [
        label.replace(provenance=label.provenance.replace(seed=0)) for label in second.labels if label.sv6d
    ]
    assert [label.qa for label in first.labels] != [label.qa for label in second.labels]


def test_no_more_items_of_a_task_than_asked_for() -> None:
    for seed in SEEDS:
        tasks = [label.qa.task for label in labels_of(seed, 4, 1).labels if label.qa]
        assert len(tasks) == len(set(tasks))


def test_a_slow_change_of_unknown_kind_is_not_asked_about() -> None:
    asked = questions(ShotSpec(joint="gradual", joint_frames=20), ShotSpec(n_frames=150, luma=0.8))
    assert not {"shot_count", "transition_kind", "transition_time", "longest_shot", "shot_duration"} & set(asked)
    assert all("transition" not in segment for segment in said(ShotSpec(joint="gradual", joint_frames=20), ShotSpec()))


def test_nothing_is_said_near_a_border() -> None:
    (shot, *_) = said(ShotSpec(luma=0.26, luma_spread=0.119, saturation=0.51, sharpness=1500))
    assert not {"brightness", "contrast", "saturation", "sharpness"} & set(shot)
    (shot, *_) = said(ShotSpec(luma=0.15, luma_spread=0.3, saturation=0.7, sharpness=50))
    assert (shot["brightness"], shot["contrast"]) == ("dark", "high")
    assert (shot["saturation"], shot["sharpness"]) == ("vivid", "soft")


def test_a_main_colour_is_named_only_where_it_leads_clearly() -> None:
    assert said(ShotSpec(colours=(("red", 0.6), ("blue", 0.2))))[0]["palette"] == "red"
    assert "palette" not in said(ShotSpec(colours=(("red", 0.4), ("blue", 0.35))))[0]


def test_a_shot_with_two_motions_gets_a_segment_for_each() -> None:
    segments = said(ShotSpec(n_frames=150, camera=("static", "pan_right")))
    assert "motion" not in segments[0]
    assert [segment["motion"] for segment in segments[1:3]] == ["static", "pan_right"]


def test_an_unclear_camera_is_not_spoken_of() -> None:
    assert all("motion" not in segment for segment in said(ShotSpec(camera=("unclear",))))
    assert not {"camera_motion", "motion_time"} & set(questions(ShotSpec(camera=("unclear",)), ShotSpec()))


def test_absence_of_text_is_claimed_only_where_text_was_looked_for() -> None:
    assert said(ShotSpec(), text_is_measured=True)[-1]["on_screen_text"] == "absent"
    assert "on_screen_text" not in said(ShotSpec(), text_is_measured=False)[-1]
    titled = ShotSpec(texts=(TextSpec("BIG BUCK BUNNY", middle=0.9),))
    assert said(titled)[-1]["on_screen_text"] == "present"
    assert said(titled)[-1]["text_position"] == "bottom"


def test_text_of_a_few_letters_is_neither_present_nor_absent() -> None:
    assert "on_screen_text" not in said(ShotSpec(texts=(TextSpec("l."),)))[-1]


def test_length_of_the_longest_shot_is_not_given_away_by_its_options() -> None:
    label = questions(ShotSpec(n_frames=60), ShotSpec(n_frames=150), ShotSpec(n_frames=60))["longest_shot"]
    assert label.qa
    assert label.qa.answer == "the second shot"
    assert not any(character.isdigit() for option in label.qa.options for character in option)


def test_shots_of_equal_light_are_said_to_be_equal() -> None:
    label = questions(ShotSpec(luma=0.4), ShotSpec(luma=0.41), ShotSpec(luma=0.4))["brightest_shot"]
    assert label.qa
    assert label.qa.answer == "they are all equally bright"


def test_the_order_of_three_events_is_asked_for() -> None:
    shots = (
        ShotSpec(n_frames=100, camera=("pan_right",)),
        ShotSpec(n_frames=100, camera=("zoom_in",), joint="dissolve", joint_frames=20),
        ShotSpec(n_frames=100, frozen=(40, 70)),
    )
    label = questions(*shots)["event_order"]
    assert label.qa
    assert sum(true_options(label.qa, truth_of(shots))) == 1
