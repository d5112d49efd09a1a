"""The page on agreement names every setting with its default, and its example of a person's file can be read."""

import re
from pathlib import Path

import pytest

from jobs.person_labels import COLUMNS, DURATION, SEGMENT, labels_of, read_label_file
from schemas.judging import AgreementConfig
from schemas.taxonomy import sv6d_taxonomy
from tests.stages.segments import CLIP

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "agreement.md").read_text()
ROWS = dict(re.findall(r"^\| `([a-z_]+)` \| `?([^|`]+?)`? \|", PAGE, re.MULTILINE))


@pytest.mark.parametrize("name", AgreementConfig.model_fields)
def test_every_setting_has_a_row_with_its_default(name: str) -> None:
    default = getattr(AgreementConfig(), name)
    assert ROWS[name] == ("1 each" if name == "weights" else str(default))


def test_every_column_has_a_row() -> None:
    first_cells = "\n".join(line.split("|")[1] for line in PAGE.splitlines() if line.startswith("|"))
    assert {*COLUMNS, SEGMENT, DURATION} <= set(re.findall(r"`(\w+)`", first_cells))


def test_the_example_can_be_read_and_the_taxonomy_knows_its_values(tmp_path: Path) -> None:
    (text,) = re.findall(r"```csv\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "mine.csv"
    path.write_text(text)
    file = read_label_file(str(path))
    for clip_id in file.by_clip:
        labels, unknown = labels_of(file, clip_id, CLIP, sv6d_taxonomy())
        assert labels
        assert unknown == []


@pytest.mark.parametrize("link", re.findall(r"\]\((\.\./[^)#]+)\)", PAGE))
def test_what_the_page_points_to_is_there(link: str) -> None:
    assert (ROOT / "docs" / link).resolve().exists()
