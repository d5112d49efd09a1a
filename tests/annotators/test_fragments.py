"""Fragment questions have one true option, whose truth is worked out here from the specification of the clip alone."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from functools import cache

import pytest
from scipy.stats import chisquare

from annotators.fragments import annotate_fragments
from annotators.measured.facts import ORDINALS
from annotators.measured.observations import TRANSITION_PHRASES
from schemas.asking import FragmentsConfig
from schemas.judging import EvidenceConfig
from schemas.label import ClipLabels, Label, QAItem, VerifiedLabel
from schemas.taxonomy import QATask, QATaskList
from stages.evidence.check import verify_label
from tests.annotators.builders import DESCRIBE, ShotSpec, build_clip, truth_of, varied_clip
from tests.annotators.truth import Truth

TASKS = ("fragment_counting", "fragment_consistency", "fragment_localisation", "fragment_disorder_detection",
         "fragment_rearrangement")  # fmt: skip
TASK_LIST = QATaskList(
    name="fragments", version="1", tasks=tuple(QATask(name=task, family="sf2t", description=task) for task in TASKS)
)
SEEDS = range(120)
LIKELY = 0.001
"""A balanced data set fails a test with this probability; the items never change, so it does so always or never."""
NEAR_S = 0.11
"""Times are told in tenths of a second."""


@cache
def labels_of(seed: int, n_options: int = 4, most: int = 2) -> ClipLabels:
    config = FragmentsConfig(enabled=True, tasks=TASK_LIST, n_options=n_options, max_items_per_task=most, seed=seed % 7)
    return annotate_fragments(varied_clip(seed)[1], config, code_version="1.2.3")


@cache
def items() -> dict[str, list[QAItem]]:
    """Items of many clips by task."""
    found: dict[str, list[QAItem]] = defaultdict(list)
    for seed in range(1000, 1300):
        for label in labels_of(seed).labels:
            assert label.qa
            found[label.qa.task].append(label.qa)
    return found


def questions(*shots: ShotSpec, n_options: int = 4, seed: int = 0) -> dict[str, Label]:
    config = FragmentsConfig(enabled=True, tasks=TASK_LIST, n_options=n_options, seed=seed)
    labels = annotate_fragments(build_clip(shots)[0], config, code_version="1.2.3").labels
    return {label.qa.task: label for label in labels if label.qa}


def times(text: str) -> tuple[float, float]:
    """Both times of `from 1.2 s to 1.8 s`."""
    start, end = re.findall(r"from (\d+\.\d) s to (\d+\.\d) s", text)[0]
    return float(start), float(end)


def start_of(phrase: str, truth: Truth) -> float:
    """Where a fragment begins, by the specification."""
    if phrase.startswith("from "):
        return times(phrase)[0]
    if shot := re.fullmatch(r"the (\w+) shot", phrase):
        return truth.shots[ORDINALS.index(shot[1])].start_s
    parts = re.fullmatch(rf"the (\d\.\d) s right (before|after) the (?:({'|'.join(ORDINALS)}) )?(.+)", phrase)
    assert parts, phrase
    length, side, which, name = parts.groups()
    same = [t for t in truth.transitions if TRANSITION_PHRASES[t.what].removeprefix("a ") == name]
    assert which or len(same) == 1
    joint = same[ORDINALS.index(which) if which else 0]
    return joint.end_s if side == "after" else joint.start_s - float(length)


def listed(question: str) -> dict[str, str]:
    """Phrase of each fragment by its letter."""
    return {
        letter: phrase.strip()
        for letter, phrase in re.findall(r"fragment ([A-Z]): ([^;:?]+?)(?=[;:?]|\.(?: |$))", question)
    }


def starts(question: str, truth: Truth) -> dict[str, float]:
    return {letter: start_of(phrase, truth) for letter, phrase in listed(question).items()}


def counted(item: QAItem, truth: Truth) -> list[bool]:
    start, end = times(item.question)
    count = sum(shot.start_s < end and start < shot.end_s for shot in truth.shots)
    return [option == str(count) for option in item.options]


def compared(item: QAItem, truth: Truth) -> list[bool]:
    where = {
        letter: next(
            n for n, shot in enumerate(truth.shots) if shot.start_s <= times(p)[0] and times(p)[1] <= shot.end_s
        )
        for letter, p in listed(item.question).items()
    }
    most, how_many = Counter(where.values()).most_common(1)[0]
    assert how_many >= len(where) - 1
    odd = [letter for letter, shot in where.items() if shot != most]
    return [option == (f"fragment {odd[0]}" if odd else "none: they are all from one shot") for option in item.options]


def located(item: QAItem, truth: Truth) -> list[bool]:
    phrase = re.findall(r"the \d\.\d s right .+?(?=[?.])|the \w+ shot(?=[?.])", item.question)[0]
    start_s = start_of(phrase, truth)
    return [abs(times(option)[0] - start_s) < NEAR_S for option in item.options]


def disordered(item: QAItem, truth: Truth) -> list[bool]:
    played = starts(item.question, truth)

    def is_true(option: str) -> bool:
        if option.startswith("none"):
            return list(played.values()) == sorted(played.values())
        letter, how = re.findall(r"fragment ([A-Z]) is played too (early|late)", option)[0]
        rest = [other for other in played if other != letter]
        place, belongs = list(played).index(letter), sum(played[other] < played[letter] for other in rest)
        is_moved = belongs > place if how == "early" else belongs < place
        return is_moved and [played[other] for other in rest] == sorted(played[other] for other in rest)

    return [is_true(option) for option in item.options]


def rearranged(item: QAItem, truth: Truth) -> list[bool]:
    where = starts(item.question, truth)
    return [option == ", ".join(sorted(where, key=lambda letter: where[letter])) for option in item.options]


TRUE: dict[str, Callable[[QAItem, Truth], list[bool]]] = dict(
    zip(TASKS, (counted, compared, located, disordered, rearranged), strict=True)
)


@pytest.mark.parametrize("n_options", [2, 4, 8])
def test_exactly_the_given_answer_is_true(n_options: int) -> None:
    seen = set()
    for seed in SEEDS:
        shots, _, _ = varied_clip(seed)
        for label in labels_of(seed, n_options).labels:
            assert label.qa
            expected = [index == label.qa.answer_index for index in range(n_options)]
            assert TRUE[label.qa.task](label.qa, truth_of(shots)) == expected, (seed, label.qa)
            seen.add(label.qa.task)
    assert seen == set(TASKS)


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


def test_chains_lie_inside_the_clip_and_cite_all_their_evidence() -> None:
    for seed in SEEDS:
        _, description, _ = varied_clip(seed)
        for label in labels_of(seed).labels:
            assert label.qa
            assert all(description.clip.span.covers(span) for _, span in label.spans)
            assert len(label.qa.reasoning) >= 3
            assert {i for step in label.qa.reasoning for i in step.evidence} == set(range(len(label.evidence)))
            assert all(piece.claim for piece in label.evidence)


def test_a_fragment_can_be_cut_out_by_the_evidence_that_bears_its_letter() -> None:
    for seed in SEEDS:
        shots, description, _ = varied_clip(seed)
        for label in labels_of(seed).labels:
            if label.qa and label.qa.task in TASKS[3:]:
                where = starts(label.qa.question, truth_of(shots))
                for letter, start_s in where.items():
                    (seen,) = [e for e in label.evidence if e.observation.startswith(f"Fragment {letter} runs")]
                    assert abs(seen.span.start_s - description.clip.span.start_s - start_s) < NEAR_S
                    assert seen.span.duration_s == pytest.approx(0.6, abs=0.01)


def test_the_right_option_is_as_often_first_as_last() -> None:
    for task in TASKS:
        places = Counter(item.answer_index for item in items()[task])
        assert sum(places.values()) >= 150, task
        p_value = chisquare([places[place] for place in range(4)]).pvalue
        assert p_value > LIKELY / len(TASKS), (task, places)


def most_common_share(values: Sequence[object]) -> float:
    return Counter(values).most_common(1)[0][1] / len(values)


def test_no_count_and_no_rank_among_counts_is_right_most_of_the_time() -> None:
    asked = items()["fragment_counting"]
    assert most_common_share([item.answer for item in asked]) <= 0.45
    assert most_common_share([sorted(map(int, item.options)).index(int(item.answer)) for item in asked]) <= 0.5
    assert {"1", "2", "3", "4", "5"} <= {item.answer for item in asked}


def test_no_fragment_is_the_odd_one_out_most_of_the_time() -> None:
    answers = [item.answer for item in items()["fragment_consistency"]]
    letters = Counter(answer for answer in answers if answer.startswith("fragment"))
    assert chisquare(list(letters.values())).pvalue > LIKELY
    assert 0.15 < answers.count("none: they are all from one shot") / len(answers) < 0.4


def test_the_odd_one_out_is_as_often_the_earliest_as_the_latest() -> None:
    ends = Counter[str]()
    for item in items()["fragment_consistency"]:
        if item.answer.startswith("fragment"):
            where = {letter: times(phrase)[0] for letter, phrase in listed(item.question).items()}
            ends["first" if min(where.values()) == where[item.answer[-1]] else "last"] += 1
    assert chisquare(list(ends.values())).pvalue > LIKELY


def test_no_place_in_time_is_right_most_of_the_time() -> None:
    ranks = [sorted(times(o)[0] for o in i.options).index(times(i.answer)[0]) for i in items()["fragment_localisation"]]
    assert most_common_share(ranks) <= 0.4


def test_a_row_is_in_order_as_often_as_it_is_not_in_one_way_or_the_other() -> None:
    verdicts = Counter(item.answer.split()[-1] for item in items()["fragment_disorder_detection"])
    assert set(verdicts) == {"order", "early", "late"}
    assert min(verdicts.values()) >= 0.22 * sum(verdicts.values()), verdicts


def test_every_number_of_timed_fragments_comes_before_the_one_at_a_change_of_shot() -> None:
    before = Counter[int]()
    for item in items()["fragment_rearrangement"]:
        fragments, order = listed(item.question), item.answer.split(", ")
        anchors = [letter for letter, phrase in fragments.items() if phrase.startswith("the ")]
        if len(anchors) == 1:
            before[order.index(anchors[0])] += 1
    assert set(before) == {0, 1, 2, 3}
    assert max(before.values()) <= 0.4 * sum(before.values()), before


def test_sorting_times_and_numbers_rules_out_no_option_of_an_order() -> None:
    for item in items()["fragment_rearrangement"]:
        fragments = listed(item.question)
        timed = {letter: times(phrase) for letter, phrase in fragments.items() if phrase.startswith("from")}
        for option in item.options:
            order = option.split(", ")
            assert sorted(order) == sorted(fragments)
            spans = [timed[letter] for letter in order if letter in timed]
            assert spans == sorted(spans)
            for first, second in zip(order, order[2:], strict=False):
                if first in timed and second in timed and order[order.index(first) + 1] not in timed:
                    assert timed[second][0] - timed[first][1] >= 0.6 - 1e-9
            hard_cuts = [fragments[letter] for letter in order if fragments[letter].endswith(" hard cut")]
            numbers = [next((n for n, word in enumerate(ORDINALS) if f" {word} " in phrase), 0) for phrase in hard_cuts]
            assert numbers == sorted(numbers)


def test_sorting_times_tells_nothing_of_a_disorder() -> None:
    for item in items()["fragment_disorder_detection"]:
        fragments = list(listed(item.question).values())
        timed = [times(phrase) for phrase in fragments if phrase.startswith("from")]
        assert timed == sorted(timed)
        assert [phrase.startswith("the ") for phrase in fragments] == [False, False, True, False, False]
        assert timed[2][0] - timed[1][1] >= 0.6 - 1e-9


def test_questions_are_worded_in_more_than_one_way() -> None:
    for task in TASKS:
        assert len({re.sub(r"fragment [A-Z]:.*|\d.*", "", item.question) for item in items()[task]}) > 1, task


def test_labels_are_numbered_and_the_same_every_time() -> None:
    _, description, _ = varied_clip(1003)
    config = FragmentsConfig(enabled=True, tasks=TASK_LIST)
    first, second = (annotate_fragments(description, config, "1.2.3") for _ in range(2))
    assert first == second
    assert len(first.labels) == len(TASKS)
    expected = [f"{description.clip.clip_id}-fragments-{n:03d}" for n in range(len(TASKS))]
    assert [label.label_id for label in first.labels] == expected
    assert {label.provenance.annotator for label in first.labels} == {"fragments"}


def test_another_seed_asks_about_other_fragments() -> None:
    _, description, _ = varied_clip(1003)
    first, second = (
        annotate_fragments(description, FragmentsConfig(tasks=TASK_LIST, seed=seed), "1.2.3") for seed in (0, 1)
    )
    assert [label.qa for label in first.labels] != [label.qa for label in second.labels]


def test_no_more_and_no_equal_items_of_a_task() -> None:
    for seed in SEEDS:
        for most in (1, 3):
            asked = [(label.qa.task, label.qa.question) for label in labels_of(seed, 4, most).labels if label.qa]
            assert len(asked) == len(set(asked))
            assert all(count <= most for count in Counter(task for task, _ in asked).values())


def test_a_single_shot_is_seldom_asked_about_and_never_about_changes_of_shot() -> None:
    asked = Counter(task for seed in range(60) for task in questions(ShotSpec(n_frames=200), seed=seed))
    assert set(asked) <= {"fragment_counting", "fragment_consistency"}
    assert all(5 <= count <= 27 for count in asked.values())


@pytest.mark.parametrize(
    "shots",
    [
        (ShotSpec(joint="gradual", joint_frames=20), ShotSpec(n_frames=150)),
        (ShotSpec(n_frames=100), ShotSpec(n_frames=8), ShotSpec(n_frames=100)),
    ],
)
def test_shots_in_doubt_are_not_asked_about(shots: tuple[ShotSpec, ...]) -> None:
    assert questions(*shots) == {}


def test_a_clip_too_short_for_fragments_is_left_alone() -> None:
    assert set(questions(ShotSpec(n_frames=14), ShotSpec(n_frames=14))) <= {"fragment_counting"}


def test_a_clip_without_shots_is_left_alone_with_a_reason() -> None:
    description, _ = build_clip((ShotSpec(),))
    labels = annotate_fragments(description.replace(shots=()), FragmentsConfig(tasks=TASK_LIST), "1.2.3")
    assert labels.labels == ()
    assert len(labels.abstentions) == len(TASKS)


def test_the_shipped_task_list_has_a_maker_for_each_of_its_tasks() -> None:
    _, description, _ = varied_clip(1003)
    labels = annotate_fragments(description, FragmentsConfig(), "1.2.3").labels
    assert {label.qa.task for label in labels if label.qa} == set(TASKS)
