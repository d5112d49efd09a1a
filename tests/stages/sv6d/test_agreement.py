"""Two sets of SV6D segments agree wholly where they are the same, and less the more one of them departs."""

import random
from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.agreement import Agreement
from schemas.judging import AgreementConfig, DimensionWeights
from schemas.label import Caption, Label, SV6DValue
from schemas.time import TimeBase
from stages.errors import StageError
from stages.sv6d.agreement import agreement, overall, turned
from tests.stages.segments import (
    CLIP,
    CLIP_S,
    TAXONOMY,
    Values,
    seen,
    segment,
    segments,
    shifted,
    shots,
    span_s,
    values_of,
    with_values,
)

CONFIG = AgreementConfig()
PAN: Values = {"camera.motion": "pan_left", "aesthetics.brightness": "dark"}
STILL: Values = {"camera.motion": "static", "aesthetics.brightness": "bright"}
FAR = "nothing that the taxonomy lists \u2603"
STEPS = 6
SOME = settings(max_examples=40, deadline=None)
FEW = settings(max_examples=20, deadline=None)


def compare(a: list[Label], b: list[Label], config: AgreementConfig = CONFIG) -> Agreement:
    return agreement(a, b, CLIP, TAXONOMY, config)


def assert_falls(figures: list[float]) -> None:
    assert all(later <= earlier + 1e-9 for earlier, later in pairwise(figures)), figures


# the properties


@SOME
@given(segments(max_size=8), st.randoms(use_true_random=False))
def test_a_set_agrees_wholly_with_itself_in_any_order(labels: list[Label], chance: random.Random) -> None:
    mixed = chance.sample(labels, len(labels))
    assert compare(labels, mixed).agreement == pytest.approx(1.0, abs=1e-12)


@SOME
@given(segments(), segments())
def test_agreement_is_exactly_symmetric(a: list[Label], b: list[Label]) -> None:
    assert compare(b, a) == turned(compare(a, b))


@pytest.mark.parametrize("seed", range(5))
def test_many_segments_agree_both_ways_to_the_last_bit(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 (test data)
    motions = ("static", "pan_left", "pan_right")
    a, b = list[Label](), list[Label]()
    for side in (a, b):
        for start in range(60):
            begin, length = start / 5 + chance.random() / 9, chance.random() / 3
            side.append(segment(begin, begin + length, {"camera.motion": chance.choice(motions)}))
    assert compare(b, a) == turned(compare(a, b))


@SOME
@given(segments(), segments(), st.randoms(use_true_random=False))
def test_the_order_of_segments_changes_nothing(a: list[Label], b: list[Label], chance: random.Random) -> None:
    mixed = compare(chance.sample(a, len(a)), chance.sample(b, len(b)))
    found = compare(a, b)
    positions = {"pairs", "unmatched_a", "unmatched_b"}
    assert mixed.model_dump(exclude=positions) == found.model_dump(exclude=positions)
    assert len(mixed.unmatched_a) == len(found.unmatched_a)


@SOME
@given(segments(), segments(), st.floats(0, 1), st.floats(0.01, 1), st.floats(0, 1))
def test_agreement_lies_between_0_and_1_and_every_segment_is_told(
    a: list[Label], b: list[Label], alpha: float, penalty: float, quality: float
) -> None:
    config = AgreementConfig(alpha=alpha, unmatched_penalty=penalty, quality_weight=quality)
    found = compare(a, b, config)
    assert 0 <= found.agreement <= 1
    assert sorted([*(pair.a for pair in found.pairs), *found.unmatched_a]) == list(range(len(a)))
    assert sorted([*(pair.b for pair in found.pairs), *found.unmatched_b]) == list(range(len(b)))


def test_two_that_say_nothing_agree_and_one_that_does_agrees_with_nobody() -> None:
    assert compare([], []).agreement == 1.0
    assert compare([segment(0, 1, PAN)], []).agreement == 0.0
    assert compare([], [segment(0, 1, PAN)]).agreement == 0.0


@FEW
@given(shots())
def test_agreement_falls_with_the_shift_up_to_half_the_shortest_segment(labels: list[Label]) -> None:
    shortest = min(label.span.duration_s for label in labels)
    moves = np.linspace(0, shortest / 2, STEPS)
    figures = [compare(labels, [shifted(label, move) for label in labels]).agreement for move in moves]
    assert_falls(figures)
    assert figures[-1] < figures[0] == 1.0


@FEW
@given(shots(unlike=True), st.sampled_from([-1, 1]))
def test_agreement_falls_with_any_shift_where_segments_are_unlike(labels: list[Label], way: int) -> None:
    moves = np.linspace(0, CLIP_S, 4 * STEPS)
    figures = [compare(labels, [shifted(label, way * move) for label in labels]).agreement for move in moves]
    assert_falls(figures)
    assert figures[-1] == 0.0


@SOME
@given(shots(), st.randoms(use_true_random=False))
def test_agreement_falls_with_every_segment_that_is_dropped(labels: list[Label], chance: random.Random) -> None:
    left, figures = list(labels), [1.0]
    while left:
        left.pop(chance.randrange(len(left)))
        figures.append(compare(labels, left).agreement)
    assert all(later < earlier for earlier, later in pairwise(figures)), figures
    assert figures[-1] == 0.0


@FEW
@given(segments().filter(bool), st.randoms(use_true_random=False))
def test_agreement_falls_with_every_value_that_is_changed(labels: list[Label], chance: random.Random) -> None:
    changed, figures = list(labels), [1.0]
    places = [(index, number) for index, label in enumerate(labels) for number in range(len(values_of(label)))]
    for index, number in chance.sample(places, len(places)):
        values = list(values_of(changed[index]))
        values[number] = values[number].replace(value=FAR)
        changed[index] = with_values(changed[index], values)
        figures.append(compare(labels, changed).agreement)
    assert_falls(figures)
    assert figures[-1] < 1.0


@SOME
@given(shots(), shots())
def test_no_other_matching_would_be_better(a: list[Label], b: list[Label]) -> None:
    a, b = a[:4], b[:4]
    worth = [[compare([one], [other]).agreement for other in b] for one in a]
    if len(a) > len(b):
        worth = [list(column) for column in zip(*worth, strict=True)]
    best = max(
        sum(worth[i][j] for i, j in enumerate(order)) for order in permutations(range(len(worth[0])), len(worth))
    )
    assert compare(a, b).agreement == pytest.approx(2 * best / (len(a) + len(b)))


def test_a_pair_dearer_than_two_unmatched_segments_is_none() -> None:
    found = compare([segment(0, 4, PAN)], [segment(0, 4, {"camera.motion": "static", "narrative.function": "hook"})])
    assert found.pairs == ()
    assert (found.unmatched_a, found.unmatched_b, found.agreement) == ((0,), (0,), 0.0)
    lenient = AgreementConfig(unmatched_penalty=0.5)
    assert len(compare([segment(0, 4, PAN)], [segment(0, 4, STILL)], lenient).pairs) == 1


def test_a_tempting_pair_is_left_where_two_others_are_better_together() -> None:
    a = [segment(0, 4, PAN), segment(3, 7, PAN)]
    b = [segment(2, 6, PAN), segment(6, 10, PAN)]
    assert [(pair.a, pair.b) for pair in compare(a, b).pairs] == [(0, 0), (1, 1)]


def test_time_is_compared_whatever_is_said_in_it() -> None:
    a, b = [segment(0, 4, PAN), segment(4, 8, PAN)], [segment(0, 5, STILL), segment(5, 8, STILL)]
    found = compare(a, b)
    assert found.matched == 0
    assert found.temporal == pytest.approx((4 / 5 + 3 / 4) / 2)


def test_segments_that_share_no_time_are_no_pair() -> None:
    found = compare([segment(0, 4, PAN)], [segment(4, 8, PAN)])
    assert (found.agreement, found.temporal, found.matched) == (0.0, 0.0, 0)


def test_five_hundred_segments_each_find_their_partner() -> None:
    values = [value for d in TAXONOMY.dimensions for a in d.attributes if d.name == "camera" for value in a.values]
    labels = [
        segment(index, index + 1.5, {"camera.motion": values[index % len(values)], "subject.action": f"does {index}"})
        for index in range(500)
    ]
    mixed = random.Random(0).sample(labels, len(labels))  # noqa: S311 (test data)
    found = agreement(labels, mixed, span_s(0, 600), TAXONOMY, CONFIG)
    assert found.agreement == pytest.approx(1.0)
    assert all(labels[pair.a] == mixed[pair.b] for pair in found.pairs)


# the cost of a pair


def test_the_cost_is_the_documented_formula() -> None:
    config = AgreementConfig(alpha=0.3, weights=DimensionWeights(camera=3), unmatched_penalty=0.5, quality_weight=0.1)
    one = segment(0, 4, {"camera.motion": "pan_left", "camera.angle": "low", "aesthetics.brightness": "dark"})
    other = segment(1, 5, {"camera.motion": "pan_right", "aesthetics.brightness": "medium"})
    (pair,) = compare([one], [other], config).pairs
    values = (3 * (0.5 + 1) / 2 + 1 * 0.5) / 4
    assert pair.iou == pytest.approx(3 / 5)
    assert pair.value_distance == pytest.approx(values)
    assert pair.cost == pytest.approx(0.3 * 2 / 5 + 0.7 * values)
    assert pair.agreement == pytest.approx(1 - pair.cost)


@pytest.mark.parametrize(
    ("attribute", "value", "nearer", "farther"),
    [
        ("subject.shot_size", "long", "medium_long", "close_up"),
        ("aesthetics.brightness", "dark", "medium", "bright"),
        ("camera.motion", "pan_left", "pan_right", "zoom_in"),
        ("editing.transition", "fade_in", "fade_out", "cut"),
        ("aesthetics.palette", "black", "grey", "yellow"),
        ("subject.action", "a rabbit climbs out of its burrow", "The rabbit climbs out of a burrow.", "two men talk"),
        ("subject.main_subject", "\u5c0f\u72d7\u5728\u8dd1", "\u5c0f\u72d7\u8dd1", "\u57ce\u5e02\u591c\u666f"),
    ],
)
def test_near_values_agree_more_than_far_ones(attribute: str, value: str, nearer: str, farther: str) -> None:
    lenient = AgreementConfig(unmatched_penalty=0.5)
    same, near, far = (
        compare([segment(0, 4, {attribute: value})], [segment(0, 4, {attribute: other})], lenient).agreement
        for other in (value, nearer, farther)
    )
    assert 1.0 == same > near > far


def test_a_dimension_without_weight_decides_nothing() -> None:
    config = AgreementConfig(weights=DimensionWeights(camera=0))
    a = segment(0, 4, {"camera.motion": "static", "aesthetics.brightness": "dark"})
    b = segment(0, 4, {"camera.motion": "zoom_in", "aesthetics.brightness": "dark"})
    assert compare([a], [b]).agreement < compare([a], [b], config).agreement == 1.0


def test_several_values_of_an_attribute_are_held_against_the_nearest() -> None:
    two = segment(0, 4, {"subject.main_subject": ["a rabbit", "a butterfly"]})
    turned_round = segment(0, 4, {"subject.main_subject": ["A butterfly", "A rabbit"]})
    one = segment(0, 4, {"subject.main_subject": "a rabbit"})
    assert compare([two], [turned_round]).agreement == pytest.approx(1.0)
    assert 0 < compare([two], [one]).agreement < 1


def test_spans_on_other_time_bases_are_the_same_where_their_seconds_are() -> None:
    milliseconds = TimeBase(numerator=1, denominator=1000)
    assert compare([segment(1, 2.5, PAN)], [segment(1, 2.5, PAN, base=milliseconds)]).agreement == 1.0


@pytest.mark.parametrize("text", ["", " ", "\u202eabc", "\U0001f600" * 50, "a" * 100_000, "\x00", "{{7*7}}", "\u0301"])
def test_any_text_is_compared(text: str) -> None:
    odd = segment(0, 4, {"subject.action": text})
    assert compare([odd], [odd]).agreement == 1.0
    assert compare([odd], [segment(0, 4, {"subject.action": "a dog barks"})]).agreement < 1.0


def test_a_dimension_of_a_taxonomy_of_ones_own_is_free_text_with_the_weight_of_others() -> None:
    a, b = (segment(0, 4, {"sound.mood": mood, **PAN}) for mood in ("calm", "tense"))
    assert compare([a], [b]).agreement < 1.0
    assert compare([a], [b], AgreementConfig(weights=DimensionWeights(other=0))).agreement == 1.0


# faults


def test_a_span_far_outside_the_clip_is_told_and_matches_nothing() -> None:
    sound, wild = segment(0, 4, PAN), segment(9999, 10003, PAN)
    found = compare([sound], [sound, wild])
    assert found.quality_b.outside == pytest.approx(0.5)
    assert found.quality_b.missing_evidence == pytest.approx(0.5)
    assert found.quality_a.outside == 0.0
    assert found.unmatched_b == (1,)


def test_what_reaches_out_of_the_clip_agrees_less_than_the_overlap_alone_would() -> None:
    a, b = segment(8, 12, PAN), segment(8, 16, PAN)
    (pair,) = compare([a], [b]).pairs
    assert pair.quality_distance == pytest.approx(0.5)
    assert pair.cost == pytest.approx(0.4 * 0.5 + 0.2 * 0.5)


@pytest.mark.parametrize("evidence", [seen(span_s(6, 7)), seen(span_s(0, 4), " \n"), seen(span_s(9998, 9999))])
def test_values_whose_evidence_shows_nothing_there_agree_less(evidence: object) -> None:
    bare = segment(0, 4, PAN).replace(evidence=(evidence,))
    found = compare([segment(0, 4, PAN)], [bare])
    assert found.quality_b.missing_evidence == 1.0
    assert found.agreement == pytest.approx(1 - 0.2 / 0.6)


def test_evidence_at_the_edge_of_a_segment_counts() -> None:
    cut = segment(0, 4, {"editing.transition": "cut"}, evidence=seen(span_s(4, 4)))
    assert compare([cut], [cut]).quality_a.missing_evidence == 0.0


def test_segments_over_each_other_are_a_fault_only_where_they_speak_of_the_same() -> None:
    clip, shot = segment(0, 12, {"editing.pace": "slow"}), segment(0, 4, PAN)
    assert compare([clip, shot], []).quality_a.overlap == 0.0
    found = compare([segment(0, 4, PAN), segment(2, 6, {"camera.motion": "static"})], [])
    assert found.quality_a.overlap == pytest.approx((0.5 / 2 + 0.5) / 2)


def test_three_segments_over_each_other_count_once() -> None:
    found = compare([segment(0, 4, {"camera.motion": "static"})] * 3, [])
    assert found.quality_a.overlap == pytest.approx(1.0)


# what is told


def test_statements_are_counted_by_dimension() -> None:
    a = [segment(0, 4, {"camera.motion": "static", "camera.angle": "low"}), segment(4, 8, {"camera.motion": "static"})]
    b = [
        segment(0, 4, {"camera.motion": "static", "aesthetics.palette": "red"}),
        segment(9, 12, {"editing.pace": "slow"}),
    ]
    config = AgreementConfig(missing_distance=0.2)
    camera, editing, aesthetics = (
        next(one for one in compare(a, b, config).dimensions if one.dimension == name)
        for name in ("camera", "editing", "aesthetics")
    )
    assert (camera.compared, camera.same, camera.only_a, camera.only_b, camera.agreement) == (1, 1, 2, 0, 1.0)
    assert (editing.compared, editing.only_a, editing.only_b, editing.agreement) == (0, 0, 1, None)
    assert (aesthetics.compared, aesthetics.only_b) == (0, 1)


def test_dimensions_are_told_in_the_order_of_the_taxonomy() -> None:
    label = segment(0, 4, {f"{d.name}.{d.attributes[0].name}": "x" for d in reversed(TAXONOMY.dimensions)})
    assert [one.dimension for one in compare([label], [label]).dimensions] == [d.name for d in TAXONOMY.dimensions]


@SOME
@given(st.lists(st.tuples(segments(max_size=3), segments(max_size=3)), max_size=4))
def test_many_clips_weigh_by_their_segments(pairs: list[tuple[list[Label], list[Label]]]) -> None:
    found = [compare(a, b) for a, b in pairs]
    total = overall(found)
    weight = sum(len(a) + len(b) for a, b in pairs)
    expected = sum(one.agreement * one.segments for one in found) / weight if weight else 1.0
    assert total.agreement == pytest.approx(expected)
    assert total.clips == len(pairs)
    for name in ("compared", "same", "only_a", "only_b"):
        each = sum(getattr(d, name) for one in found for d in one.dimensions)
        assert sum(getattr(d, name) for d in total.dimensions) == each


def test_a_clip_of_which_nobody_speaks_changes_nothing() -> None:
    one = compare([segment(0, 4, PAN)], [segment(0, 4, {**PAN, "camera.motion": "zoom_in"})])
    assert overall([one, compare([], [])]).agreement == pytest.approx(one.agreement)
    assert overall([]).agreement == 1.0


# what cannot be compared


def test_segments_of_two_clips_are_not_compared() -> None:
    with pytest.raises(StageError, match="within one clip"):
        compare([segment(0, 4, PAN)], [segment(0, 4, PAN, clip_id="another")])


def test_labels_of_another_kind_are_not_compared() -> None:
    caption = segment(0, 4, PAN).replace(kind="caption", sv6d=None, caption=Caption(text="A pan."))
    with pytest.raises(StageError, match="of the kind caption"):
        compare([caption], [])


def test_a_value_cannot_be_left_without_evidence() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        SV6DValue(dimension="camera", attribute="motion", value="static", evidence=())
