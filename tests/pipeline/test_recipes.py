"""Each shipped recipe loads, says whose mechanism it follows, and switches on what it speaks of."""

from importlib import resources

import pytest
import yaml

from pipeline.settings import SettingsError, load_config, recipe_names

MODEL = ("endpoints.default.model=some-model", "endpoints.judge.model=another-model")
ANNOTATORS = {
    "default": ["measured"],
    "fragments": ["measured", "fragments"],
    "sv6d": ["measured", "sv6d"],
    "editing": ["measured", "editing"],
    "dense-text": ["measured", "distractors", "dense_text"],
    "events": ["measured", "caption", "qa"],
    "cineaste": ["measured", "caption", "names", "qa", "distractors"],
    "videoespresso": ["measured", "caption", "qa", "distractors", "reasoning"],
    "espresso-small": ["measured", "caption", "qa", "distractors", "reasoning"],
}
JUDGES = {"cineaste": ["leakage", "veracity"], "videoespresso": ["critic"]}
"""Those that ask a model."""
OFFLINE = ("default", "fragments")


def text_of(recipe: str) -> str:
    return resources.files("pipeline").joinpath("recipes", f"{recipe}.yaml").read_text()


def test_these_recipes_are_shipped() -> None:
    assert recipe_names() == sorted(ANNOTATORS)


@pytest.mark.parametrize("recipe", sorted(ANNOTATORS))
def test_a_recipe_switches_on_its_annotators(recipe: str) -> None:
    config = load_config(recipe, MODEL)
    assert sorted(config.annotate.enabled()) == sorted(ANNOTATORS[recipe])
    assert sorted(config.verify.asking()) == JUDGES.get(recipe, [])
    assert all(section.prompt is not None for section in config.asking().values())


@pytest.mark.parametrize("recipe", sorted(ANNOTATORS))
def test_only_recipes_that_ask_a_model_need_one(recipe: str) -> None:
    if recipe in OFFLINE:
        assert load_config(recipe).asking() == {}
    else:
        with pytest.raises(SettingsError, match="asks a model, and none is set"):
            load_config(recipe)


@pytest.mark.parametrize("recipe", sorted(ANNOTATORS))
def test_a_recipe_says_what_it_is_and_sets_nothing_that_is_off(recipe: str) -> None:
    values = yaml.safe_load(text_of(recipe))
    assert values["description"].endswith(".")
    assert all(section.get("enabled") for section in values.get("annotate", {}).values())
    assert "endpoints" not in values


@pytest.mark.parametrize("recipe", sorted(set(ANNOTATORS) - {"default"}))
def test_a_recipe_says_what_in_it_is_our_choice(recipe: str) -> None:
    comment = text_of(recipe).partition("description:")[0]
    assert all(line.startswith("#") for line in comment.splitlines())
    assert "Our choice:" in comment


@pytest.mark.parametrize("recipe", sorted(ANNOTATORS))
def test_the_families_that_a_recipe_asks_about_have_tasks(recipe: str) -> None:
    config = load_config(recipe, MODEL).annotate.qa
    assert all(config.tasks.names(family) for family in config.families)


def test_videoespresso_asks_for_questions_that_need_several_frames() -> None:
    config = load_config("videoespresso", MODEL)
    assert config.annotate.qa.min_evidence == 2
    assert config.describe.keyframe_strategy == "redundancy_removal"
    assert len(config.annotate.qa.tasks.names("videoespresso")) == 14
    assert config.annotate.distractors.n_options == 4


def test_a_small_model_is_asked_for_little_and_shown_no_pictures() -> None:
    config = load_config("espresso-small", MODEL)
    asking = config.annotate.asking().values()
    assert {section.pictures for section in asking} == {"none"}
    assert all(section.token_budget + section.max_tokens <= 4096 for section in asking)
    assert config.annotate.qa.items_per_clip == 1
    assert config.endpoints["default"].structured == "json_schema"
