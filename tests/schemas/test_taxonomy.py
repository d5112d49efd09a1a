"""Vocabularies are data: a user's own takes the place of ours, and the run carries it."""

from pathlib import Path

import pytest
import yaml

from pipeline.settings import SettingsError, load_config
from schemas.taxonomy import qa_tasks, sv6d_taxonomy


def test_sv6d_has_its_six_dimensions() -> None:
    names = [dimension.name for dimension in sv6d_taxonomy().dimensions]
    assert names == ["subject", "aesthetics", "camera", "editing", "narrative", "dissemination"]


def test_a_closed_attribute_allows_its_values_and_an_open_one_any() -> None:
    taxonomy = sv6d_taxonomy()
    assert taxonomy.allows("camera", "motion", "pan_left")
    assert not taxonomy.allows("camera", "motion", "wobble")
    assert taxonomy.allows("subject", "action", "opens a door")
    assert not taxonomy.allows("camera", "mood", "calm")


def test_task_names_are_unique() -> None:
    names = [task.name for task in qa_tasks().tasks]
    assert len(set(names)) == len(names)


def test_a_file_takes_the_place_of_ours(tmp_path: Path) -> None:
    mine = sv6d_taxonomy().model_dump(mode="json")
    mine["name"] = "mine"
    mine["dimensions"] = [d for d in mine["dimensions"] if d["name"] == "camera"]
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(mine))
    config = load_config("default", [f"annotate.measured.taxonomy={path}"])
    assert [d.name for d in config.annotate.measured.taxonomy.dimensions] == ["camera"]
    path.unlink()
    again = load_config("default", base=config)
    assert again.annotate.measured.taxonomy == config.annotate.measured.taxonomy


@pytest.mark.parametrize(("content", "answer"), [(None, "cannot read the vocabulary"), ("name: x\n", "field required")])
def test_a_file_that_is_none_is_answered_in_one_line(tmp_path: Path, content: str | None, answer: str) -> None:
    path = tmp_path / "mine.yaml"
    if content:
        path.write_text(content)
    with pytest.raises(SettingsError, match=answer) as caught:
        load_config("default", [f"annotate.measured.tasks={path}"])
    assert "\n" not in str(caught.value)
