"""What editing questions promise: entries that are there, measured terms in the right option alone, and evidence."""

from collections.abc import Sequence
from functools import cache
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotators.annotator import Abstention, Reading, Request
from annotators.editing import ANNOTATOR, EditingAnswer
from annotators.editing_entries import MEASURED, SEEN, Entry, entries
from annotators.editing_words import affirms, names
from annotators.prompts import render, shipped
from annotators.subject import ClipSubject
from schemas.asking import EditingConfig
from schemas.judging import EvidenceConfig
from schemas.label import Label, VerifiedLabel
from schemas.media import FrameSample, TransitionKind
from schemas.provenance import Provenance
from schemas.signals import ClipDescription, Keyframe
from schemas.taxonomy import EditingValue, QATaskList, editing_ontology, qa_tasks, sv6d_taxonomy
from stages.evidence.check import verify_label
from tests.annotators.builders import DESCRIBE, ShotSpec, build_clip, varied_clip

SEEDS = range(40)
MODEL = Provenance(annotator="editing", annotator_version="1", code_version="1.2.3", model="some-llm")
CONFIG = EditingConfig(enabled=True, items_per_clip=20)
ONTOLOGY = editing_ontology()
SHOTS = (
    ShotSpec(camera=("pan_left",)),
    ShotSpec(n_frames=90, camera=("static",), joint="dissolve", joint_frames=20),
    ShotSpec(n_frames=100, camera=("zoom_in",), frozen=(60, 90)),
)


def with_pictures(description: ClipDescription) -> ClipSubject:
    sample = FrameSample(pts=description.clip.span.start_pts, width=64, height=36, jpeg=b"")
    return ClipSubject(description.replace(keyframes=(Keyframe(sample=sample, strategy="middle", sharpness=1.0),)))


DESCRIPTION, SCAN = build_clip(SHOTS)
SUBJECT = with_pictures(DESCRIPTION)


@cache
def asked(subject_seed: int, config: EditingConfig = CONFIG, *, is_seen: bool = True) -> tuple[Entry, ...]:
    _, description, _ = varied_clip(subject_seed)
    return entries(with_pictures(description) if is_seen else ClipSubject(description), config, ONTOLOGY)


def value(dimension: str, name: str) -> EditingValue:
    found = ONTOLOGY.dimension(dimension)
    assert found
    known = found.value(name)
    assert known
    return known


def seen(start_s: float, end_s: float) -> dict[str, Any]:
    observation = "A fox looks up."
    return {"start_s": start_s, "end_s": end_s, "modality": "frame", "observation": observation, "claim": None}


def item(number: int, entry: Entry, **changes: Any) -> dict[str, Any]:
    """An answer as a good model gives it."""
    term = entry.gold.words[0] if entry.gold else "the fox"
    answer = {
        "number": number,
        "value": (entry.gold or entry.dimension.values[0]).name,
        "question": f"What is made of the fox's run, as entry {number}?",
        "right": f"By the river it is {term}, with the fox in view.",
        "wrong": ["By the river it is A.", "By the river it is B.", "By the river it is C."],
        "evidence": [seen(0.5, 1.0)],
    }
    return answer | changes


def read(*items: dict[str, Any], subject: ClipSubject = SUBJECT, config: EditingConfig = CONFIG) -> Reading:
    return ANNOTATOR.read(subject, EditingAnswer.model_validate({"items": list(items)}), config, MODEL)


def read_one(dimension: str, **changes: Any) -> tuple[Entry, tuple[Label, ...], tuple[str, ...]]:
    """What becomes of an answer on the first entry of a dimension; what is said of other entries is left out."""
    number, entry = next(
        (n, e) for n, e in enumerate(entries(SUBJECT, CONFIG, ONTOLOGY), 1) if e.dimension.name == dimension
    )
    reading = read(item(number, entry, **changes))
    own = tuple(p.replace(f"entry {number}", "the entry") for p in reading.problems if "is not written about" not in p)
    return entry, reading.labels, own


def prompt(subject: ClipSubject, config: EditingConfig = CONFIG) -> str:
    made = ANNOTATOR.request(subject, config)
    assert isinstance(made, Request)
    return render(shipped("editing"), {**made.values, "facts": made.facts, "pictures": ()})[1]


def test_the_ontology_has_the_ten_dimensions_and_every_one_is_measured_or_seen() -> None:
    assert {dimension.name for dimension in ONTOLOGY.dimensions} == {*MEASURED, *SEEN}
    assert len(ONTOLOGY.dimensions) == 10
    tasks = set(qa_tasks().names("veu"))
    wanted = {f"veu_{level}_{d.name}" for level in ("recognise", "reason", "judge") for d in ONTOLOGY.dimensions}
    assert wanted == tasks


@pytest.mark.parametrize(
    ("dimension", "attribute"),
    [
        ("shot_size", "subject.shot_size"),
        ("shot_angle", "camera.angle"),
        ("shot_motion", "camera.motion"),
        ("shot_colour", "aesthetics.palette"),
        ("transition", "editing.transition"),
        ("cut_type", "editing.cut_type"),
    ],
)
def test_the_ontology_calls_things_as_the_sv6d_taxonomy_does(dimension: str, attribute: str) -> None:
    found = ONTOLOGY.dimension(dimension)
    assert found
    within, name = attribute.split(".")
    for known in found.values:
        assert sv6d_taxonomy().allows(within, name, known.name), known.name


def test_every_measured_value_has_words_and_none_names_another_of_its_dimension() -> None:
    for dimension in (d for d in ONTOLOGY.dimensions if d.name in MEASURED):
        for known in dimension.values:
            assert known.words
            for word in known.words:
                assert affirms(f"There it is: {word}.", known)
                others = [other.name for other in dimension.values if other != known and names(word, other)]
                assert others == []


def test_every_transition_whose_kind_can_be_told_is_in_the_ontology() -> None:
    found = ONTOLOGY.dimension("transition")
    assert found
    assert {known.name for known in found.values} == set(get_args(TransitionKind)) - {"gradual"}


@pytest.mark.parametrize(
    ("text", "dimension", "name", "is_named", "is_affirmed"),
    [
        ("The camera pans slowly to the left past the fox.", "shot_motion", "pan_left", True, True),
        ("The camera pans right, and the left bank leaves the view.", "shot_motion", "pan_left", False, False),
        ("The camera pans left, not right.", "shot_motion", "pan_right", False, False),
        ("The camera does not pan left.", "shot_motion", "pan_left", True, False),
        ("The camera isn’t panning left.", "shot_motion", "pan_left", True, False),  # noqa: RUF001
        ("A panel on the left.", "shot_motion", "pan_left", False, False),
        ("The picture turns counter-clockwise.", "shot_motion", "roll_clockwise", False, False),
        ("The picture turns counter-clockwise.", "shot_motion", "roll_counterclockwise", True, True),
        ("One shot dissolves into the river.", "transition", "dissolve", True, True),
        ("No cut but a dissolve.", "transition", "dissolve", True, True),
        ("No cut but a dissolve.", "transition", "cut", True, False),
        ("A cute fox.", "transition", "cut", False, False),
        ("It is CUTTING from the fox to the den.", "transition", "cut", True, True),
        ("The picture fades through black.", "transition", "fade_out_in", True, True),
        ("The woods are reduced to haze.", "shot_colour", "red", False, False),
        ("", "transition", "cut", False, False),
        ("切换 到 河流", "transition", "cut", False, False),
    ],
)
def test_a_term_is_named_by_its_words_inflected_and_not_by_what_looks_like_them(
    text: str, dimension: str, name: str, is_named: bool, is_affirmed: bool
) -> None:
    assert names(text, value(dimension, name)) == is_named
    assert affirms(text, value(dimension, name)) == is_affirmed


def test_entries_are_the_same_every_time_and_others_with_another_seed() -> None:
    first, again = (entries(SUBJECT, CONFIG, ONTOLOGY) for _ in range(2))
    assert first == again
    assert first != entries(SUBJECT, EditingConfig(items_per_clip=20, seed=1), ONTOLOGY)


def test_entries_take_turns_between_what_is_measured_and_what_is_seen() -> None:
    four = asked(3, EditingConfig(items_per_clip=4))
    assert [entry.gold is not None for entry in four] == [True, False, True, False]
    assert len({entry.dimension.name for entry in four}) == 4


def test_every_dimension_and_level_is_asked_about_in_the_end() -> None:
    tasks = {entry.task("veu") for seed in SEEDS for entry in asked(seed)}
    assert tasks == set(qa_tasks().names("veu"))


def test_no_entry_is_asked_about_twice() -> None:
    for seed in SEEDS:
        found = [(entry.task("veu"), entry.span, entry.gold) for entry in asked(seed)]
        assert all(found.count(one) == 1 for one in found)


def test_without_pictures_only_measured_values_are_asked_about() -> None:
    for seed in SEEDS:
        assert all(entry.gold for entry in asked(seed, is_seen=False))
        assert all(entry.gold for entry in asked(seed, EditingConfig(items_per_clip=20, pictures="none")))


def test_only_tasks_of_the_list_are_asked_about() -> None:
    some = tuple(task for task in qa_tasks().tasks if task.name == "veu_judge_transition")
    config = EditingConfig(items_per_clip=20, tasks=QATaskList(name="mine", version="1", tasks=some))
    assert [entry.task("veu") for entry in entries(SUBJECT, config, ONTOLOGY)] == ["veu_judge_transition"] * 2
    without = EditingConfig(tasks=QATaskList(name="mine", version="1", tasks=()))
    assert isinstance(ANNOTATOR.request(SUBJECT, without), Abstention)


def test_measured_values_are_those_of_the_clip() -> None:
    golds: dict[str, set[str]] = {}
    for entry in entries(ClipSubject(DESCRIPTION), CONFIG, ONTOLOGY):
        golds.setdefault(entry.dimension.name, set()).add(entry.gold.name if entry.gold else "")
    assert golds == {
        "shot_colour": {"green"},
        "shot_motion": {"pan_left", "static"},
        "shot_speed": {"moderate", "freeze"},
        "transition": {"cut", "dissolve"},
    }


def test_a_clip_of_which_nothing_is_sure_is_left_alone() -> None:
    plain = ShotSpec(n_frames=65, camera=("unclear",), colours=(("green", 0.4), ("blue", 0.38)))
    description, _ = build_clip((plain,))
    abstained = ANNOTATOR.request(ClipSubject(description), CONFIG)
    assert isinstance(abstained, Abstention)
    assert "no picture shows" in abstained.reason
    assert isinstance(ANNOTATOR.request(with_pictures(description), CONFIG), Request)
    assert ANNOTATOR.read(ClipSubject(description), EditingAnswer(items=[]), CONFIG, MODEL) == Reading(())


@pytest.mark.parametrize("n_options", [2, 4, 8])
def test_good_answers_become_questions_whose_measured_evidence_is_confirmed(n_options: int) -> None:
    config = EditingConfig(items_per_clip=20, n_options=n_options)
    places = set()
    for seed in SEEDS:
        _, description, scan = varied_clip(seed)
        subject = with_pictures(description)
        chosen = entries(subject, config, ONTOLOGY)
        wrong = [f"By the river it is {letter}." for letter in "ABCDEFG"[: n_options - 1]]
        reading = read(*(item(n, e, wrong=wrong) for n, e in enumerate(chosen, 1)), subject=subject, config=config)
        assert reading.problems == ()
        assert len(reading.labels) == len(chosen)
        for label, entry in zip(reading.labels, chosen, strict=True):
            assert label.qa
            assert len(label.qa.options) == n_options
            assert label.qa.answer.endswith("with the fox in view.")
            places.add(label.qa.answer_index)
            assert label.evidence[: len(entry.evidence)] == entry.evidence
            assert label.evidence[-1].source == "some-llm"
            verified = verify_label(label, description, scan, DESCRIBE, EvidenceConfig())
            assert isinstance(verified, VerifiedLabel), (seed, verified)
            outcomes = [check.outcome for check in verified.checks[: len(entry.evidence)]]
            assert outcomes == ["confirmed"] * len(entry.evidence), (seed, verified.checks)
    assert places == set(range(n_options))


def test_a_value_that_is_seen_is_kept_with_its_meaning() -> None:
    entry, (label,), problems = read_one("shot_size", value="Close-up")
    assert problems == ()
    assert entry.gold is None
    assert [piece.claim.quantity if piece.claim else None for piece in label.evidence] == ["shot", None, None]
    said = "The size of the shot is: close up. A close-up fills the frame with a face or a thing."
    assert label.evidence[1].observation == said
    assert label.evidence[1].source == "some-llm"


def test_a_value_that_is_not_in_the_ontology_is_refused_with_the_allowed_ones_named() -> None:
    _, labels, problems = read_one("shot_angle", value="sideways")
    assert labels == ()
    assert problems == ("the value of the entry must be one of eye_level, low, high, overhead, dutch",)


def test_what_nothing_measures_needs_evidence_and_may_be_left_out() -> None:
    _, labels, problems = read_one("shot_subject", evidence=[])
    assert labels == ()
    assert problems == ("the entry needs evidence: nothing measures it",)
    left_out = [problem for problem in read().problems if "is not written about" in problem]
    chosen = entries(SUBJECT, CONFIG, ONTOLOGY)
    assert left_out == [f"entry {n} is not written about" for n, entry in enumerate(chosen, 1) if entry.gold]


def test_what_is_measured_needs_no_evidence_of_the_model() -> None:
    entry, (label,), problems = read_one("transition", evidence=[])
    assert problems == ()
    assert label.evidence == entry.evidence


def test_evidence_that_cannot_stand_is_left_out_with_the_reason() -> None:
    entry, (label,), problems = read_one("transition", evidence=[seen(9999, 10000), seen(1, 2)])
    assert label.evidence[: len(entry.evidence)] == entry.evidence
    assert len(label.evidence) == len(entry.evidence) + 1
    assert len(problems) == 1
    assert "outside the clip" in problems[0]


def test_the_right_option_names_the_measured_term() -> None:
    _, labels, problems = read_one("transition", right="One picture gives way to the other.")
    assert labels == ()
    assert problems[0].startswith("the right option of the entry must name the measured value: ")


def test_the_right_option_names_no_other_term_of_its_dimension_but_colours() -> None:
    entry = next(e for e in entries(SUBJECT, CONFIG, ONTOLOGY) if e.dimension.name == "transition")
    assert entry.gold
    both = "A cut, and a dissolve after it."
    _, labels, problems = read_one("transition", right=both)
    assert labels == ()
    assert "names another value too" in problems[0]
    _, labels, problems = read_one("shot_colour", right="Green woods below a blue sky.")
    assert len(labels) == 1
    assert problems == ()


def test_a_wrong_option_must_not_name_the_measured_term() -> None:
    wrong = ["Blue water.", "The GREEN of the woods.", "Red leaves."]
    _, labels, problems = read_one("shot_colour", right="Green woods.", wrong=wrong)
    assert labels == ()
    assert problems == (
        "wrong option 2 of the entry names the measured value, green: it must name another",
        "the entry has 2 wrong options that can stand, and 3 are needed",
    )


def test_the_question_must_not_give_the_term_away() -> None:
    _, labels, problems = read_one("shot_colour", question="Why are the woods so green?")
    assert labels == ()
    assert problems == ("the question of the entry gives the answer away: it must not name “green”",)


def test_wrong_options_are_as_many_as_asked_for_and_all_different() -> None:
    _, labels, problems = read_one("shot_colour", right="Green woods.", wrong=["Blue.", " blue. ", "", "green  WOODS."])
    assert labels == ()
    assert problems[-1] == "the entry has 1 wrong options that can stand, and 3 are needed"
    assert len(problems) == 4
    _, (label,), problems = read_one("shot_colour", wrong=["Blue.", "Red.", "Grey.", "Pink."])
    assert label.qa
    assert len(label.qa.options) == 4
    assert "Pink." not in label.qa.options
    assert problems == ()


def test_an_entry_is_written_about_once_and_only_where_it_is_there() -> None:
    chosen = entries(SUBJECT, CONFIG, ONTOLOGY)
    reading = read(item(1, chosen[0]), item(1, chosen[0]), item(0, chosen[0]), item(99, chosen[0]))
    assert len(reading.labels) == 1
    assert reading.problems[:3] == tuple(f"there is no entry {n} left to write about" for n in (1, 0, 99))


@pytest.mark.parametrize("part", ["question", "right"])
def test_an_empty_or_endless_part_is_refused(part: str) -> None:
    for text in (" \n", "cut " * 500):
        _, labels, problems = read_one("transition", **{part: text})
        assert labels == ()
        assert problems


def test_the_prompt_gives_each_entry_with_its_general_sentence_and_its_words() -> None:
    text = prompt(SUBJECT)
    for entry in entries(SUBJECT, CONFIG, ONTOLOGY):
        assert entry.dimension.description in text
        for known in [entry.gold] if entry.gold else entry.dimension.values:
            assert known.description in text
    assert "must use one of these: dissolve, crossfade, cross fade" in text
    assert "3 wrong options" in text


def test_a_prompt_without_frames_does_not_ask_to_guess() -> None:
    assert "since you are shown no frames" in prompt(SUBJECT)
    assert "Leave out an entry" not in prompt(ClipSubject(DESCRIPTION))


TEXTS: st.SearchStrategy[str] = st.text(max_size=20) | st.sampled_from(
    ["cut", "A dissolve.", "green", "It pans left.", "static", "moderate", "low"]
)
TIMES = st.floats(-1, 12) | st.floats(allow_nan=False, allow_infinity=False)
ITEMS = st.fixed_dictionaries(
    {
        "number": st.integers(-1, 22),
        "value": TEXTS,
        "question": TEXTS,
        "right": TEXTS,
        "wrong": st.lists(TEXTS, max_size=5),
        "evidence": st.lists(st.builds(seen, TIMES, TIMES), max_size=2),
    }
)


@given(st.lists(ITEMS, max_size=4))
def test_whatever_a_model_says_ends_as_a_sound_question_or_a_reason(items: Sequence[dict[str, Any]]) -> None:
    reading = read(*items)
    assert len(reading.labels) == len(items) or reading.problems
    for label in reading.labels:
        assert label.qa
        assert len(label.qa.options) == CONFIG.n_options
        assert DESCRIPTION.clip.span.covers(label.span)
