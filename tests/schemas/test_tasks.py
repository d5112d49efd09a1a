"""The shipped task list has the tasks of the papers that it names."""

import pytest

from schemas.taxonomy import qa_tasks

DIMENSIONS = (
    "shot_subject", "shot_colour", "shot_size", "shot_angle", "shot_location", "shot_type", "shot_motion", "shot_speed",
    "transition", "cut_type",
)  # fmt: skip


@pytest.mark.parametrize(
    ("family", "count"),
    [
        ("measured", 14),
        ("videoespresso", 14),
        ("cineaste", 5),
        ("etbench", 12),
        ("sf2t", 5),
        ("veu", 30),
        ("ruler", 7),
        ("dive", 4),
        ("feint6k", 1),
    ],
)
def test_each_family_has_its_tasks(family: str, count: int) -> None:
    assert len(qa_tasks().names(family)) == count


def test_no_task_is_of_another_family() -> None:
    assert {task.family for task in qa_tasks().tasks} == {
        "measured", "videoespresso", "cineaste", "etbench", "sf2t", "veu", "ruler", "dive", "feint6k",
    }  # fmt: skip


def test_each_dimension_of_editing_is_recognised_reasoned_about_and_judged() -> None:
    expected = [f"veu_{level}_{name}" for name in DIMENSIONS for level in ("recognise", "reason", "judge")]
    assert list(qa_tasks().names("veu")) == expected


def test_names_are_words_joined_by_underscores_and_descriptions_are_sentences() -> None:
    for task in qa_tasks().tasks:
        assert task.name.replace("_", "").isalnum()
        assert task.name == task.name.lower()
        assert task.description.endswith(".")
        assert len(task.description) <= 120
