"""Of several samples of one author, what most of them bear out stays."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.evidence import Evidence
from schemas.judging import AgreementConfig, ConsistencyConfig
from schemas.label import Label, SV6DValue
from stages.errors import StageError
from stages.sv6d.consensus import consensus, consistency_of, trimmed
from tests.stages.segments import CLIP, TAXONOMY, Values, seen, segment, segments, span_s, values_of, with_values

CONFIG = AgreementConfig()
FIRST: Values = {
    "camera.motion": "pan_left",
    "subject.action": "a rabbit climbs out of its burrow",
    "camera.angle": "low",
}
SECOND: Values = {"narrative.function": "hook", "subject.shot_size": "close_up"}


def held(label: Label, own: list[Label], *others: list[Label], trim: bool = True) -> tuple[float, list[int], list[int]]:
    found = consistency_of(label, own, others, CLIP, TAXONOMY, ConsistencyConfig(trim=trim), CONFIG)
    return found.agreement, list(found.votes), list(found.kept)


def test_what_all_samples_say_is_kept_whole() -> None:
    own = [segment(0, 4, FIRST, label_id="one"), segment(4, 8, SECOND, label_id="two")]
    others = [[own[1], own[0]], own]
    assert held(own[0], own, *others) == (1.0, [3, 3, 3], [0, 1, 2])
    assert held(own[1], own, *others) == (1.0, [3, 3], [0, 1])


def test_values_that_fewer_than_half_share_are_not_kept() -> None:
    own = [segment(0, 4, FIRST)]
    second = [segment(0, 4, {**FIRST, "camera.motion": "zoom_in"})]
    third = [segment(0.2, 4, {"camera.motion": "static", "subject.action": "The rabbit climbs out of a burrow."})]
    score, votes, kept = held(own[0], own, second, third)
    assert (votes, kept) == ([1, 3, 2], [1, 2])
    assert 0 < score < 1


@pytest.mark.parametrize(("there", "is_kept"), [("pan_left", True), ("pan_right", False), ("zoom_in", False)])
def test_a_value_of_the_same_group_is_no_vote(there: str, is_kept: bool) -> None:
    own = [segment(0, 4, FIRST)]
    other = [segment(0, 4, {**FIRST, "camera.motion": there})]
    _, votes, _ = held(own[0], own, other)
    assert (votes[0] == 2) == is_kept


def test_with_two_samples_ones_own_is_half() -> None:
    own = [segment(0, 4, FIRST)]
    assert held(own[0], own, [segment(0, 4, SECOND)])[2] == [0, 1, 2]


def test_a_segment_that_no_other_sample_has_does_not_agree() -> None:
    own = [segment(0, 4, FIRST)]
    assert held(own[0], own, [segment(8, 12, FIRST)], []) == (0.0, [1, 1, 1], [])


def test_scores_are_told_sample_by_sample() -> None:
    own = [segment(0, 4, FIRST)]
    (found,) = consensus([own, own, []], CLIP, TAXONOMY, CONFIG)
    assert found.scores == (1.0, 0.0)
    assert found.agreement == 0.5
    assert found.label_id == own[0].label_id


def test_every_value_is_kept_where_nothing_is_trimmed() -> None:
    own = [segment(0, 4, FIRST)]
    assert held(own[0], own, [], [], trim=False)[2] == [0, 1, 2]


@settings(max_examples=40, deadline=None)
@given(st.lists(segments(max_size=4), min_size=2, max_size=4))
def test_a_label_is_judged_alike_alone_and_among_its_sample(samples: list[list[Label]]) -> None:
    own, *others = samples
    found = consensus(samples, CLIP, TAXONOMY, CONFIG)
    assert len(found) == len(own)
    for label, one in zip(own, found, strict=True):
        assert 0 <= one.agreement <= 1
        assert len(one.scores) == len(others)
        assert all(1 <= votes <= len(samples) for votes in one.votes)
        assert set(one.kept) <= set(range(len(values_of(label))))
    for index, label in enumerate(own):
        if label not in own[:index]:
            assert consistency_of(label, own, others, CLIP, TAXONOMY, ConsistencyConfig(), CONFIG) == found[index]


def test_evidence_stays_in_its_place_when_values_go() -> None:
    evidence: tuple[Evidence, ...] = (seen(span_s(0, 1), "one"), seen(span_s(1, 2), "two"))
    values = [
        SV6DValue(dimension="camera", attribute="motion", value="static", evidence=(0,)),
        SV6DValue(dimension="camera", attribute="angle", value="low", evidence=(0, 1)),
    ]
    label = with_values(segment(0, 4, FIRST).replace(evidence=evidence, sv6d=segment(0, 4, {"a.b": "c"}).sv6d), values)
    left = trimmed(label, [1])
    assert values_of(left) == (values[1],)
    assert left.evidence == evidence
    assert left.replace(sv6d=label.sv6d) == label


@given(st.randoms(use_true_random=False))
def test_the_values_that_are_left_keep_their_order(chance: random.Random) -> None:
    label = segment(0, 4, {**FIRST, **SECOND})
    kept = chance.choices(range(5), k=chance.randint(1, 5))
    assert values_of(trimmed(label, kept)) == tuple(values_of(label)[index] for index in sorted(set(kept)))


@pytest.mark.parametrize("kept", [[], [7], [-1]])
def test_a_label_is_not_trimmed_to_nothing_or_to_what_it_has_not(kept: list[int]) -> None:
    with pytest.raises(StageError, match="of 3 values"):
        trimmed(segment(0, 4, FIRST), kept)


def test_one_sample_alone_says_nothing() -> None:
    own = [segment(0, 4, FIRST)]
    with pytest.raises(StageError, match="there are 1"):
        held(own[0], own)


def test_a_label_of_another_sample_is_refused() -> None:
    with pytest.raises(StageError, match="is not among the 1"):
        held(segment(1, 3, SECOND), [segment(0, 4, FIRST)], [])
