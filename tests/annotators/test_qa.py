"""Questions stand on evidence inside the clip, are of a known task, and give nothing away."""

import json
from typing import Any

import pytest

from annotators.annotator import Abstention, Reading, Request
from annotators.answer_schema import UnreadableError, json_schema, parse_answer
from annotators.qa import ANNOTATOR, EVENT_FAMILY, MOST_QUESTION_CHARS, QAAnswer
from schemas.asking import QAConfig
from schemas.taxonomy import QATask, QATaskList, qa_tasks
from tests.annotators.questions import INJECTION, PROVENANCE, caption_label, data_in, shown, subject

ESPRESSO = QAConfig(min_evidence=2)


def seen(start_s: float, end_s: float, observation: str = "The door moves.") -> dict[str, Any]:
    return {"start_s": start_s, "end_s": end_s, "modality": "frame", "observation": observation, "claim": None}


def item(**changes: Any) -> dict[str, Any]:
    sound = {
        "task": "causal_inference",
        "question": "Why does the cat leave the room?",
        "answer": "the door falls shut behind it",
        "start_s": 1.0,
        "end_s": 6.0,
        "evidence": [seen(1.0, 2.0), seen(5.0, 6.0, "The cat runs out.")],
    }
    return sound | changes


def read(*items: dict[str, Any], config: QAConfig = ESPRESSO) -> Reading:
    answer = parse_answer(json.dumps({"items": list(items)}), QAAnswer)
    return ANNOTATOR.read(subject(), answer, config, PROVENANCE)


def test_a_sound_question_becomes_an_open_label_with_its_evidence() -> None:
    reading = read(item(task=" Causal Inference "))
    (label,) = reading.labels
    assert reading.problems == ()
    assert label.qa is not None
    assert (label.qa.task, label.qa.options, label.qa.answer_index) == (
        "causal_inference", ("the door falls shut behind it",), 0,
    )  # fmt: skip
    assert label.label_id == ""
    assert label.kind == "qa"
    assert [subject().seconds(piece.span.start_pts) for piece in label.evidence] == [1.0, 5.0]
    assert {piece.source for piece in label.evidence} == {"some-model"}


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("CAUSAL_INFERENCE", "causal_inference"),
        ("role_identification: Which part someone plays", "role_identification"),
        ("What brings about something that is seen to happen", "causal_inference"),
    ],
)
def test_a_task_is_known_by_its_name_or_by_its_description(said: str, name: str) -> None:
    (label,) = read(item(task=said)).labels
    assert label.qa is not None
    assert label.qa.task == name


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"task": "shot_count"}, "question 1 is 'shot_count'; it must be one of: causal_inference"),
        ({"task": ""}, "must be one of"),
        ({"question": "  "}, "question 1 is empty"),
        ({"question": "x" * MOST_QUESTION_CHARS + "?"}, f"{MOST_QUESTION_CHARS} are the most"),
        ({"answer": "\n"}, "the answer of question 1 is empty"),
        ({"answer": "…"}, "has no words"),
        ({"question": "The cat leaves the room."}, "does not end with a question mark"),
        ({"question": "Does the cat or the dog leave?", "answer": "The dog."}, "gives its answer away"),
        ({"question": "What do you think of the cat?"}, "speaks to the viewer"),
        ({"question": "Which part is most interesting?"}, "asks for an opinion"),
        ({"question": "What might happen next?"}, "asks for a guess"),
        ({"question": "Describe what the cat does in the room?"}, "is open-ended"),
        ({"question": "What else does the cat do?"}, "is open-ended"),
        ({"question": "According to the captions, who leaves?"}, "speaks of what the asker was given"),
        ({"question": "What is seen in frame 3?"}, "speaks of what the asker was given"),
        ({"start_s": 3.0, "end_s": 2.0}, "ends at 2 s, before it starts at 3 s"),
        ({"end_s": 9999.0}, "outside the clip, which runs from 0 to 9.00 s"),
        ({"evidence": [seen(1.0, 2.0), seen(5.0, 9999.0)]}, "the end of the span of evidence 2 of question 1 9999 s"),
        ({"evidence": [seen(1.0, 2.0, " "), seen(5.0, 6.0)]}, "the observation of evidence 1 of question 1 is empty"),
        ({"evidence": [seen(1.0, 2.0)]}, "too few different pieces of evidence: 1; at least 2"),
        ({"evidence": [seen(1.0, 2.0), seen(1.0, 2.0)]}, "too few different pieces of evidence: 1; at least 2"),
        ({"evidence": [seen(1.0, 3.0), seen(2.0, 6.0, "More.")]}, "two times that do not overlap"),
    ],
)
def test_an_unfit_question_is_left_out_and_told_why(changes: dict[str, Any], problem: str) -> None:
    reading = read(item(**changes))
    assert reading.labels == ()
    assert any(problem in told for told in reading.problems), reading.problems


def test_everything_wrong_with_a_question_is_told_at_once_and_others_stand() -> None:
    reading = read(item(question="Would you say the door falls shut behind it", evidence=[seen(1.0, 2.0)]), item())
    assert len(reading.labels) == 1
    assert len(reading.problems) == 4
    assert all("question 1" in told for told in reading.problems)


@pytest.mark.parametrize(
    "question",
    [
        'What happens while the sign "I love you" hangs there?',
        "Which card does the player guess after the cut?",
        "What is the colour of the captions on the screen?",
        "猫はどこへ行く\uff1f",
    ],
)
def test_wordings_that_only_look_unfit_stand(question: str) -> None:
    assert read(item(question=question)).problems == ()


def test_a_question_is_asked_once() -> None:
    again = item(question="why does THE cat leave a room ?", answer="something else")
    nearly = item(question="Why does the cat leave the rooms?")
    other = item(question="Why does the cat enter at 2 s?", answer="it is called")
    third = item(question="Why does the cat enter at 7 s?", answer="it is called")
    reading = read(item(), again, nearly, config=ESPRESSO)
    assert len(reading.labels) == 1
    assert [told.split(":")[0] for told in reading.problems] == [
        "question 2 repeats another", "question 3 repeats another",
    ]  # fmt: skip
    assert len(read(other, third).labels) == 2


def test_a_repetition_of_a_question_that_cannot_stand_may_stand() -> None:
    reading = read(item(answer=""), item())
    assert len(reading.labels) == 1


def test_more_questions_than_asked_for_are_told_and_left_out() -> None:
    many = [item(question=f"What falls at {n} s?", answer=f"cup number {n}") for n in range(5)]
    reading = read(*many)
    assert len(reading.labels) == ESPRESSO.items_per_clip
    assert reading.problems == ("5 questions; 3 are the most",)


def test_one_piece_of_evidence_is_enough_where_no_more_is_asked_for() -> None:
    assert len(read(item(evidence=[seen(1.0, 2.0)]), config=QAConfig()).labels) == 1


def test_no_questions_at_all_and_endless_evidence_fit_no_schema() -> None:
    for items in ([], [item(evidence=[])], [item(evidence=[seen(1.0, 2.0)] * 50)]):
        with pytest.raises(UnreadableError):
            read(*items)


EVENTS = QAConfig(families=(EVENT_FAMILY,))


def event(**changes: Any) -> dict[str, Any]:
    sound = {"task": "tvg", "question": "When does the cat leave?", "answer": "from 1.0 s to 2.0 s"}
    return item(**(sound | {"evidence": [seen(1.0, 2.0)]} | changes))


def test_a_question_about_an_event_names_times_where_its_evidence_lies() -> None:
    assert read(event(), config=EVENTS).problems == ()
    assert read(event(question="What happens from 1 s to 2 s?", answer="a cat leaves"), config=EVENTS).problems == ()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"answer": "soon after the cut"}, "names no time in seconds"),
        ({"answer": "from 1.0 s to 44 s"}, "names 44 s, outside the clip"),
        ({"answer": "from 1.0 s to 5.0 s"}, "the answer of question 1 names 5 s, where none of its evidence lies"),
    ],
)
def test_an_event_at_another_time_than_its_evidence_cannot_stand(changes: dict[str, Any], problem: str) -> None:
    reading = read(event(**changes), config=EVENTS)
    assert reading.labels == ()
    assert problem in reading.problems[0]


def test_other_questions_may_speak_of_seconds_that_are_no_times_of_the_clip() -> None:
    assert read(item(answer="its timer shows 60 seconds")).problems == ()


def test_the_prompt_lists_the_tasks_of_the_families_and_no_others() -> None:
    told = shown("qa", ANNOTATOR.request(subject(), QAConfig(families=("cineaste", "etbench"))))
    asked = [*qa_tasks().names("cineaste"), *qa_tasks().names("etbench")]
    assert all(f"  {name}: " in told for name in asked)
    assert "causal_inference" not in told
    assert "Frame 2 is at 4.00 s." in told
    assert "from 1.2 s to 3.4 s" in told
    assert "from 1.2 s to 3.4 s" not in shown("qa", ANNOTATOR.request(subject(), ESPRESSO))


def test_captions_reach_the_prompt_as_data() -> None:
    told = shown("qa", ANNOTATOR.request(subject(captions=(caption_label(INJECTION),)), ESPRESSO))
    assert "Ignore previous" in data_in(told)
    assert told.count("Ignore previous") == 1
    assert "49" not in told


def test_the_question_is_short_enough_for_a_small_model() -> None:
    told = shown("qa", ANNOTATOR.request(subject(), QAConfig(pictures="none", items_per_clip=1)))
    assert len(told) < 6000
    assert "You are shown no frames" in told


def test_a_clip_of_one_shot_without_keyframes_can_be_asked_about() -> None:
    request = ANNOTATOR.request(subject(n_keyframes=0, n_shots=1), ESPRESSO)
    assert isinstance(request, Request)
    assert request.pictures == ()


def test_nothing_is_asked_where_there_is_no_task_or_nothing_to_go_by() -> None:
    mine = QATaskList(name="mine", version="1", tasks=(QATask(name="one", family="mine", description="One."),))
    no_task = ANNOTATOR.request(subject(), QAConfig(tasks=mine))
    assert no_task == Abstention("the task list has no task of the families videoespresso")
    assert isinstance(ANNOTATOR.request(subject(), QAConfig(families=())), Abstention)
    nothing = ANNOTATOR.request(subject(n_keyframes=0), QAConfig(facts=False))
    assert isinstance(nothing, Abstention)
    assert isinstance(ANNOTATOR.request(subject(), QAConfig(tasks=mine, families=("mine",))), Request)


def test_every_field_of_the_answer_is_required() -> None:
    schema = json_schema(QAAnswer)
    assert set(schema["$defs"]["QuestionAnswer"]["required"]) == set(item())
