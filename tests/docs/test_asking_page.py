"""The page on asking models and the README name what there is, and what they show works."""

import re
from pathlib import Path

import pytest

from annotators.table import ASKING
from data_cards.exports import FORMATS
from pipeline.settings import load_config, recipe_names

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "asking.md").read_text()
README = (ROOT / "README.md").read_text()


def first_cells(text: str) -> str:
    return "\n".join(line.split("|")[1] for line in text.splitlines() if line.startswith("|"))


def test_every_annotator_has_a_row() -> None:
    assert {one.name for one in ASKING} <= set(re.findall(r"`(\w+)`", first_cells(PAGE)))


def test_the_readme_lists_every_recipe() -> None:
    assert set(recipe_names()) <= set(re.findall(r"`([\w-]+)`", first_cells(README)))


def test_the_readme_shows_an_export_that_exists() -> None:
    (shown,) = re.findall(r"reelproof export .* --format (\w+)", README)
    assert shown in FORMATS


def test_the_recipe_that_the_page_shows_can_be_used(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    own = tmp_path / "mine.yaml"
    own.write_text(text)
    config = load_config(str(own))
    assert {section.endpoint for section in config.annotate.asking().values()} == {"eyes", "words"}


@pytest.mark.parametrize("link", re.findall(r"\]\((\.\./[^)#]+)\)", PAGE))
def test_what_the_page_points_to_is_there(link: str) -> None:
    assert (ROOT / "docs" / link).resolve().exists()
