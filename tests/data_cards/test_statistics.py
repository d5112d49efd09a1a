"""Statistics of parts add up to those of the whole, whatever the parts and their order."""

import functools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_cards.statistics import FREE_TEXT, DatasetStatistics, statistics_of
from schemas.arrow import records_to_table, table_to_records
from schemas.dataset import DatasetSplit
from schemas.media import TransitionKind
from tests.data_cards import builders


def one(
    name: str = "street.mp4", split: DatasetSplit = "train", n_shots: int = 3, length_s: float = 4.0
) -> DatasetStatistics:
    kinds: list[TransitionKind] = ["cut", "dissolve", "wipe", "fade_in"]
    clip = builders.make_clip(name, 60.0, [length_s] * n_shots, kinds[: n_shots - 1])
    description = builders.make_description(clip, texts=["OPEN"] * (n_shots % 2))
    return statistics_of(builders.make_sample(clip, split), description, builders.make_labels(clip))


statistics = st.builds(
    one,
    name=st.sampled_from(["a.mp4", "b.mp4"]),
    split=st.sampled_from(["train", "validation", "test"]),
    n_shots=st.integers(1, 5),
    length_s=st.sampled_from([1.001, 1.5, 2.0, 7.3, 100.0]),
)


@settings(max_examples=40)
@given(st.lists(statistics, min_size=3, max_size=6), st.randoms(use_true_random=False))
def test_merging_depends_on_neither_order_nor_grouping(parts: list[DatasetStatistics], order: random.Random) -> None:
    whole = functools.reduce(DatasetStatistics.__add__, parts)
    shuffled = order.sample(parts, len(parts))
    assert functools.reduce(DatasetStatistics.__add__, shuffled) == whole
    assert functools.reduce(lambda right, left: left + right, reversed(parts)) == whole


@settings(max_examples=10)
@given(statistics)
def test_the_statistics_of_no_sample_change_nothing(part: DatasetStatistics) -> None:
    assert part + DatasetStatistics() == part == DatasetStatistics() + part


def test_classes_routes_and_reviewed_labels_are_counted() -> None:
    clip = builders.make_clip()
    labels = (builders.judged(builders.qa_label(clip, 3)), *builders.make_labels(clip))
    counted = statistics_of(builders.make_sample(clip), builders.make_description(clip), labels)
    assert counted.reviewed == 1
    assert [(row.name, row.count) for row in counted.question_classes] == [("temporal", 1)]
    assert [(row.name, row.count) for row in (counted + counted).routes] == [("sft", 2)]


def test_everything_in_one_sample_is_counted() -> None:
    counted = one()
    assert (counted.samples, counted.shots, counted.labels, counted.evidence) == (1, 3, 6, 16)
    assert [(row.name, row.count) for row in counted.label_kinds] == [("caption", 1), ("qa", 2), ("sv6d", 3)]
    assert [(row.name, row.count) for row in counted.transitions] == [("cut", 1), ("dissolve", 1)]
    assert [(row.name, row.count) for row in counted.qa_tasks] == [("camera_motion", 1), ("transition_kind", 1)]
    assert [(row.start_s, row.end_s, row.count) for row in counted.durations] == [(12, 20, 1)]
    assert [(row.width, row.height) for row in counted.resolutions] == [(1920, 1080)]
    assert [(row.n_options, row.position, row.count) for row in counted.answers] == [(4, 0, 1), (4, 1, 1)]
    assert (counted.clips_with_text, counted.clips_with_freeze, counted.clips_with_black) == (1, 1, 0)
    assert counted.duration_s == 12.0


def test_every_piece_of_evidence_has_one_outcome() -> None:
    counted = one()
    assert sum(row.count for row in counted.checks) == counted.evidence
    assert counted.checks_with("confirmed") == 12
    assert counted.checks_with("unchecked") == 4


def test_evidence_without_a_check_counts_as_unchecked() -> None:
    clip = builders.make_clip()
    label = builders.kept(builders.qa_label(clip)).replace(checks=())
    counted = statistics_of(builders.make_sample(clip), builders.make_description(clip), [label])
    assert counted.checks_with("unchecked") == len(label.label.evidence)


def test_statements_are_counted_as_words_and_not_as_evidence() -> None:
    clip = builders.make_clip()
    found = builders.kept(builders.qa_label(clip))
    plain, said = (
        statistics_of(builders.make_sample(clip), builders.make_description(clip), [label])
        for label in (found, builders.made_of_words(found))
    )
    words = {row.outcome: row.count for row in said.checks if row.modality == "words"}
    assert words == {"confirmed": 1, "contradicted": 1}
    assert said.evidence == plain.evidence
    assert said.checks_with("confirmed") == plain.checks_with("confirmed")
    assert [row for row in said.checks if row.modality != "words"] == list(plain.checks)
    assert {row.count for row in (said + said).checks if row.modality == "words"} == {2}


def test_values_of_open_attributes_are_counted_together() -> None:
    values = {(row.attribute, row.value): row.count for row in one().sv6d_values}
    assert values["action", FREE_TEXT] == 3
    assert values["motion", "pan_left"] == 3


def test_cost_and_tokens_add_up_exactly() -> None:
    total = sum([one()] * 1000, start=DatasetStatistics())
    assert total.cost_usd == pytest.approx(0.7, abs=0)
    assert total.tokens == 960_000


def test_a_label_of_another_clip_is_refused() -> None:
    clip, other = builders.make_clip("a.mp4"), builders.make_clip("other.mp4")
    with pytest.raises(ValueError, match=r"a\.mp4: .*cannot be counted with"):
        statistics_of(builders.make_sample(clip), builders.make_description(clip), builders.make_labels(other))


def test_statistics_survive_a_table_and_json() -> None:
    counted = one() + one("b.mp4", "test", 5)
    table = records_to_table([counted], DatasetStatistics)
    assert table_to_records(table, DatasetStatistics) == [counted]
    assert DatasetStatistics.model_validate_json(counted.model_dump_json()) == counted
