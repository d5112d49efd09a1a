"""What the text-only probe promises: questions that give themselves away are found, and sound ones are left alone."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.arrow import records_to_table, table_to_records
from schemas.judging import PriorsConfig
from schemas.priors import PriorsReport
from schemas.verdict import Verdict
from stages.errors import StageError
from stages.priors.features import measure
from stages.priors.findings import holm
from stages.priors.items import gather
from stages.priors.probe import RULE, ProbeItem, probe
from stages.priors.rules import tail
from stages.priors.spread import luck_spread
from tests.planted_questions import STATISTICAL, PlantedQuestion, planted, sound_only

CONFIG = PriorsConfig()
WORDS = ("lamp", "river", "basket", "mirror", "ladder", "window", "garden", "kettle", "bridge", "candle")


def items_of(questions: list[PlantedQuestion]) -> list[ProbeItem]:
    return [question.item for question in questions]


def rejected(verdicts: dict[str, Verdict]) -> set[str]:
    return {label_id for label_id, verdict in verdicts.items() if verdict.decision == "reject"}


def share(questions: list[PlantedQuestion], chosen: set[str], holds: Callable[[PlantedQuestion], bool]) -> float:
    return float(np.mean([one.item.label_id in chosen for one in questions if holds(one)]))


def ask(
    number: int, options: tuple[str, ...], answer: int, group: str = "qa/what", source: int | None = None
) -> ProbeItem:
    source = number % 12 if source is None else source
    return ProbeItem(f"label-{number:05d}", group, f"What is shown at {number} s?", options, answer, f"video-{source}")


def at_random(n: int, seed: int, group: str = "qa/what", first: int = 0) -> list[ProbeItem]:
    """Questions whose options and answers are drawn alike."""
    random = np.random.default_rng(seed)
    found = []
    for number in range(first, first + n):
        options = tuple(str(word) for word in random.permutation(WORDS)[:4])
        found.append(ask(number, options, int(random.integers(4)), group))
    return found


def at_place(n: int, seed: int, place: int, first: int = 0) -> list[ProbeItem]:
    return [ask(first + number, one.options, place) for number, one in enumerate(at_random(n, seed))]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_planted_questions_are_found_by_their_words_alone(seed: int) -> None:
    questions = planted(seed)
    report, verdicts = probe(items_of(questions), CONFIG)
    chosen = rejected(verdicts)
    assert share(questions, chosen, lambda one: one.kind in STATISTICAL) >= 0.9
    assert share(questions, chosen, lambda one: one.kind is None) <= 0.05
    assert report.overall is not None
    assert report.overall.before.interval_low > report.overall.before.chance
    assert report.overall.after is not None
    assert report.overall.after.interval_low <= report.overall.after.chance


@pytest.mark.parametrize("seed", range(5))
def test_where_every_question_is_sound_none_is_rejected(seed: int) -> None:
    report, verdicts = probe(items_of(sound_only(seed)), CONFIG)
    assert rejected(verdicts) == set()
    assert report.artefacts == ()
    assert report.overall is not None
    assert report.overall.after == report.overall.before
    assert all("nothing in its words" in verdict.reason for verdict in verdicts.values())


def test_a_verdict_says_what_was_counted() -> None:
    varied = []
    for number, one in enumerate(at_random(40, 20)):
        options = list(one.options)
        options[one.answer_index] += f" beside the {WORDS[number % 10]} and the {WORDS[number % 7]}"
        varied.append(ask(number, tuple(options), one.answer_index))
    report, verdicts = probe(varied, CONFIG)
    verdict = verdicts["label-00007"]
    assert verdict.rule == RULE
    assert verdict.reason == (
        "the right option is the longest in 40 of 40 questions of the group 'qa/what', 10 are expected by chance"
    )
    assert (verdict.score, verdict.threshold, verdict.trials) == (1.0, 0.25, 40)
    assert verdict.interval_low is not None
    assert 0.9 < verdict.interval_low < 1
    assert verdict.looked_at == "question and options of 40 questions"
    assert {artefact.kind for artefact in report.artefacts} >= {"length", "wording"}


def test_rebalancing_drops_only_as_many_as_take_the_group_to_chance() -> None:
    items = at_place(60, 3, place=2) + at_random(60, 4, first=60)
    _, strict = probe(items, CONFIG)
    report, verdicts = probe(items, CONFIG.replace(action="rebalance"))
    kept = [item for item in items if verdicts[item.label_id].decision == "keep"]
    at_c = [item for item in kept if item.answer_index == 2]
    assert len(at_c) <= len(kept) / 4 < len(at_c) + 1
    assert rejected(verdicts) < rejected(strict)
    assert all(item.answer_index != 2 for item in items if strict[item.label_id].decision == "keep")
    spared = [verdicts[item.label_id] for item in at_c]
    assert all("enough such questions go" in verdict.reason for verdict in spared)
    assert report.groups[0].n_flagged - report.groups[0].n_rejected == len(at_c)


def test_rebalancing_a_seed_draws_others_and_as_many() -> None:
    items = at_place(60, 3, place=2) + at_random(60, 4, first=60)
    chosen = [rejected(probe(items, CONFIG.replace(action="rebalance", seed=seed))[1]) for seed in (0, 0, 1)]
    assert chosen[0] == chosen[1]
    assert len(chosen[0]) == len(chosen[2])


def test_flagging_rejects_nothing_and_says_so() -> None:
    report, verdicts = probe(at_place(40, 3, place=1), CONFIG.replace(action="flag"))
    assert rejected(verdicts) == set()
    assert report.groups[0].n_flagged == 40
    assert all("only marked" in verdict.reason for verdict in verdicts.values())


def test_a_weak_habit_is_reported_and_only_rebalancing_acts_on_it() -> None:
    items = at_place(120, 5, place=0) + at_random(880, 6, first=120)
    report, verdicts = probe(items, CONFIG)
    assert [artefact.kind for artefact in report.artefacts][:1] == ["position"]
    assert rejected(verdicts) == set()
    _, balanced = probe(items, CONFIG.replace(action="rebalance"))
    assert 60 <= len(rejected(balanced)) <= 180


@pytest.mark.parametrize("n_items", [0, 1, 14])
def test_of_few_questions_nothing_is_said(n_items: int) -> None:
    report, verdicts = probe(at_place(n_items, 1, place=0), CONFIG)
    assert verdicts == {}
    assert report.overall is None
    assert report.notes == (f"{n_items} questions with options: nothing can be said of fewer than 15",)


def test_39_questions_are_enough() -> None:
    report, verdicts = probe(at_place(39, 1, place=0), CONFIG)
    assert len(rejected(verdicts)) == 39
    assert report.overall is not None
    assert report.overall.after is None
    assert "nothing can be said of them" in report.notes[-1]


def test_open_ended_questions_are_counted_and_left_alone() -> None:
    open_ended = [ask(1000 + n, ("a lamp",), 0) for n in range(5)]
    report, verdicts = probe([*at_random(30, 2), *open_ended], CONFIG)
    assert (report.n_items, report.n_open_ended) == (30, 5)
    assert all(item.label_id not in verdicts for item in open_ended)


def test_small_groups_are_tested_together() -> None:
    items = [
        ask(number, one.options, one.answer_index, group=f"qa/task-{number % 10}")
        for number, one in enumerate(at_place(60, 8, place=3))
    ]
    report, verdicts = probe(items, CONFIG)
    assert len(rejected(verdicts)) == 60
    assert "the other groups together" in verdicts["label-00000"].reason
    assert not any(group.is_tested for group in report.groups)
    assert any("10 groups have fewer than 15 questions" in note for note in report.notes)


def test_a_sound_group_is_spared_what_is_found_beside_it() -> None:
    spoiled = at_place(40, 9, place=3)
    sound = at_random(40, 10, group="qa/other", first=40)
    _, verdicts = probe([*spoiled, *sound], CONFIG)
    assert rejected(verdicts) == {item.label_id for item in spoiled}


def test_no_video_is_learned_from_and_predicted_at_once() -> None:
    """Each video has a word of its own in its right options: within the video it tells all, across videos nothing."""
    random = np.random.default_rng(0)
    items = []
    for number, one in enumerate(at_random(200, 11)):
        source = number % 10
        options = list(one.options)
        options[one.answer_index] += f" {'abcdefghij'[source]}zz"
        for place in range(4):
            if place != one.answer_index:
                options[place] += f" {'klmnopqrst'[int(random.integers(10))]}{'uvwxyz'[source % 6]}{source}"
        items.append(ask(number, tuple(options), one.answer_index, source=source))
    report, _ = probe(items, CONFIG)
    assert report.held_out_by == "source"
    assert not [artefact for artefact in report.artefacts if artefact.kind == "majority"]
    assert all("zz" not in artefact.rule for artefact in report.artefacts)


def test_questions_on_one_video_are_held_out_one_by_one_and_said_to_be() -> None:
    items = [
        ask(number, one.options, one.answer_index, source=0) for number, one in enumerate(at_place(40, 1, place=1))
    ]
    report, verdicts = probe(items, CONFIG)
    assert report.held_out_by == "question"
    assert any("on one video" in note for note in report.notes)
    assert len(rejected(verdicts)) == 40


def test_a_usual_answer_of_a_single_video_is_no_prior() -> None:
    others = at_random(60, 12)
    of_one = [ask(60 + n, ("a dog", *one.options[1:]), 0, source=99) for n, one in enumerate(at_random(30, 13))]
    mixed = [ask(60 + n, (*one.options[n % 4 :], *one.options[: n % 4]), (4 - n % 4) % 4, source=99)
             for n, one in enumerate(of_one)]  # fmt: skip
    report, _ = probe([*others, *mixed], CONFIG)
    assert not [artefact for artefact in report.artefacts if artefact.kind in ("majority", "wording")]


def test_numbers_between_the_others_are_noticed() -> None:
    random = np.random.default_rng(5)
    items = []
    for number in range(60):
        values = sorted(int(value) for value in random.choice(90, 4, replace=False) + 10)
        order = random.permutation(4)
        right = int(random.integers(1, 3))
        items.append(ask(number, tuple(f"{values[place]} cars" for place in order), int(np.argmax(order == right))))
    report, verdicts = probe(items, CONFIG)
    assert "neither the smallest nor the largest" in {a.rule for a in report.artefacts if a.kind == "number"}.pop()
    assert "number" in verdicts["label-00000"].reason


def test_what_comes_out_does_not_depend_on_the_order_of_the_items() -> None:
    items = items_of(planted(1))
    assert probe(items, CONFIG) == probe(items[::-1], CONFIG)


def test_more_questions_than_are_learned_from_are_predicted() -> None:
    report, verdicts = probe(items_of(planted(2, n_each=40)), CONFIG.replace(max_items_fitted=200))
    assert report.n_fitted == 200
    assert len(verdicts) == 400
    assert any("200 of 400 questions" in note for note in report.notes)


HOSTILE = (
    "\x00\x00", "", " \u200b\u202e ", "\ud800", "a" * 300_000, "<script>alert(1)</script>", "%s {0} ${x}",
    "视频里的人在做什么", "١٢٣", "1" * 5_000, "9e999", "\u0301" * 500, "\U0001f3ac\U0001f3ac", "-1.5.2.", "NULL",
)  # fmt: skip


def test_hostile_texts_are_only_texts() -> None:
    random = np.random.default_rng(1)
    items = []
    for number in range(60):
        options = tuple(HOSTILE[int(place)] for place in random.permutation(len(HOSTILE))[:4])
        question = HOSTILE[number % len(HOSTILE)]
        items.append(
            ProbeItem(f"label-{number}", "\x00/\u202e", question, options, int(random.integers(4)), f"v{number % 7}")
        )
    report, verdicts = probe(items, CONFIG)
    assert len(verdicts) == 60
    assert report.n_items == 60


def test_options_of_a_single_kind_and_identical_texts_are_no_trouble() -> None:
    same = [ask(number, ("yes", "Yes.", "YES"), number % 3) for number in range(30)]
    report, verdicts = probe(same, CONFIG)
    assert {verdict.decision for verdict in verdicts.values()} == {"keep"}
    assert (len(verdicts), report.artefacts) == (30, ())


def test_a_question_of_hundreds_of_options_is_one_question() -> None:
    wide = ask(500, tuple(f"number {n}" for n in range(700)), 650)
    _, verdicts = probe([wide, *at_random(40, 3)], CONFIG)
    assert len(verdicts) == 41


def test_an_id_that_repeats_or_an_answer_that_is_no_option_is_an_error() -> None:
    with pytest.raises(StageError, match="two questions"):
        probe([ask(1, ("a", "b"), 0), ask(1, ("a", "c"), 0)], CONFIG)
    with pytest.raises(StageError, match="answer 2 of 2"):
        probe([ask(1, ("a", "b"), 2)], CONFIG)


def test_the_report_survives_its_table() -> None:
    reports = [probe(items_of(planted(0)), CONFIG)[0], probe([], CONFIG)[0]]
    assert list(table_to_records(records_to_table(reports, PriorsReport), PriorsReport)) == reports


def test_luck_of_the_classifier_is_judged_by_what_it_has_at_random_answers() -> None:
    questions = gather(items_of(sound_only(7)))
    spread = luck_spread(questions, measure(questions), CONFIG)
    assert 1.2 < spread < 4
    assert tail(14, 20, 0.25, spread) > 10 * tail(14, 20, 0.25)
    assert tail(20, 20, 0.25, spread) < 1e-4


def test_holm_stops_at_the_first_that_is_not_significant() -> None:
    assert holm([0.04, 0.001, 0.02, 0.03], 0.05) == [-1, 0.0125, -1, -1]
    assert holm([0.01, 0.02], 0.05) == [0.025, 0.05]
    assert holm([], 0.05) == []


@given(st.lists(st.integers(2, 5), min_size=1, max_size=8), st.data())
def test_a_subset_is_what_gathering_it_alone_would_give(sizes: list[int], data: st.DataObject) -> None:
    items = [ask(n, tuple(f"{n} {k}" for k in range(size)), n % size) for n, size in enumerate(sizes)]
    chosen = sorted(data.draw(st.sets(st.integers(0, len(items) - 1), min_size=1)))
    part, alone = gather(items).subset(np.array(chosen)), gather([items[n] for n in chosen])
    assert (part.label_ids, part.options) == (alone.label_ids, alone.options)
    assert part.answers.tolist() == alone.answers.tolist()
    assert part.option_chars.tolist() == alone.option_chars.tolist()
