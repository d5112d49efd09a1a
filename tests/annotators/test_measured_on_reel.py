"""On the sample reel, every measured label agrees with what the reel's generator wrote down."""

import itertools
from collections.abc import Iterator

import pytest

from annotators.measured import annotate_clip
from schemas.config import MeasuredConfig
from schemas.judging import EvidenceConfig
from schemas.label import ClipLabels, Label, VerifiedLabel
from schemas.signals import ClipDescription
from stages.evidence.check import verify_label
from tests.annotators.reel import describe_reel, reel_truth, written
from tests.annotators.truth import FRAMES_S, Truth, true_options

pytestmark = pytest.mark.slow

SPLITS = ((0.5, 30.0), (0.0, 30.0), (0.0, 12.0))
"""Smallest similarity and largest length: clips of similar shots, of whatever fits together, and the demo's."""
TASKS_AT_LEAST = 10


def every_clip() -> Iterator[tuple[ClipDescription, ClipLabels]]:
    for split, seed in itertools.product(SPLITS, range(4)):
        for description in describe_reel(*split)[0]:
            config = MeasuredConfig(seed=seed, max_items_per_task=2)
            yield description, annotate_clip(description, config, code_version="1.2.3")


def every_label() -> Iterator[tuple[ClipDescription, Label]]:
    return ((description, label) for description, labels in every_clip() for label in labels.labels)


def true_words(label: Label, truth: Truth) -> dict[str, set[str]]:
    """Values that the truth allows for the attributes it decides, over the label's span."""
    start, end = label_times(label)
    shots = [shot for shot in truth.shots if shot.start_s - FRAMES_S <= start and end <= shot.end_s + FRAMES_S]
    allowed = {"on_screen_text": {"present" if truth.texts else "absent"}, "aspect": {"landscape"}}
    if shots:
        motions = {m.what for m in shots[0].camera if min(end, m.end_s) - max(start, m.start_s) > 0.3}
        allowed["motion"] = motions if len(motions) == 1 else set()
        allowed["transition"] = {t.what for t in truth.transitions if abs(t.start_s - end) <= 2 * FRAMES_S}
        allowed["shot_length"] = {"short" if end - start < 2.5 else "medium" if end - start < 8 else "long"}
        light = shots[0].luma
        allowed["brightness"] = {"dark" if light < 0.25 else "medium" if light < 0.6 else "bright"}
        allowed["palette"] = {max(shots[0].colours, key=lambda name: shots[0].colours[name])}
    return allowed


def label_times(label: Label) -> tuple[float, float]:
    return label.span.start_s, label.span.end_s


def test_exactly_the_given_answer_is_true() -> None:
    for description, label in every_label():
        if label.qa:
            expected = [index == label.qa.answer_index for index in range(len(label.qa.options))]
            assert true_options(label.qa, reel_truth(description.clip.span)) == expected, label.qa


def test_every_structural_value_that_the_truth_decides_is_true() -> None:
    decided = set()
    for description, label in every_label():
        start_s = description.clip.span.start_s
        local = label.replace(span=label.span.shift(-start_s))
        allowed = true_words(local, reel_truth(description.clip.span))
        for value in label.sv6d.values if label.sv6d else ():
            if value.attribute in allowed:
                assert value.value in allowed[value.attribute], (label.span, value, allowed)
                decided.add(value.attribute)
    assert {"motion", "transition", "shot_length", "brightness", "palette", "on_screen_text", "aspect"} <= decided


@pytest.mark.parametrize("split", SPLITS)
def test_the_clips_together_give_many_kinds_of_questions(split: tuple[float, float]) -> None:
    clips = describe_reel(*split)[0]
    labels = [label for clip in clips for label in annotate_clip(clip, MeasuredConfig(), "1.2.3").labels]
    assert len({label.qa.task for label in labels if label.qa}) >= TASKS_AT_LEAST


def test_every_label_is_confirmed_in_every_piece() -> None:
    _, scan, config = describe_reel(*SPLITS[0])
    for description, label in every_label():
        verified = verify_label(label, description, scan, config, EvidenceConfig())
        assert isinstance(verified, VerifiedLabel), verified
        assert {check.outcome for check in verified.checks} == {"confirmed"}, verified.checks


@pytest.mark.parametrize("shift_s", [2.0, -2.0])
def test_every_label_is_contradicted_when_its_evidence_is_moved_by_two_seconds(shift_s: float) -> None:
    _, scan, config = describe_reel(*SPLITS[0])
    for description, label in every_label():
        moved = tuple(piece.replace(span=piece.span.shift(shift_s)) for piece in label.evidence)
        outcome = verify_label(label.replace(evidence=moved), description, scan, config, EvidenceConfig())
        assert not isinstance(outcome, VerifiedLabel), label


def test_the_measured_brightness_order_is_the_written_one() -> None:
    shots = [shot for description in describe_reel(*SPLITS[0])[0] for shot in description.shots]
    by_luma = sorted(shots, key=lambda shot: shot.luma_mean)
    assert (by_luma[0].index, by_luma[-1].index) == (written()["darkest_shot"], written()["brightest_shot"])
