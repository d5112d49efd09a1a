"""Settings are found by name, checked, and wrong ones answered with what to write instead."""

from pathlib import Path

import pytest

from pipeline.plan import STEPS
from pipeline.setting_values import load_section
from pipeline.settings import SettingsError, load_config, recipe_names
from schemas.config import RunConfig
from schemas.judging import AgreementConfig


def refusal(*settings: str) -> str:
    """The one line by which settings on top of the default recipe are refused."""
    with pytest.raises(SettingsError) as caught:
        load_config("default", settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_default_recipe_is_the_default_configuration() -> None:
    config = load_config("default")
    assert config.replace(scan=RunConfig().scan, describe=RunConfig().describe) == RunConfig()
    assert "default" in recipe_names()


def test_every_step_has_a_section_of_the_configuration() -> None:
    applies_only = {"verify.questions"}
    for step in (step for step in STEPS if step.name not in applies_only):
        assert all(RunConfig().section(name) for name in step.settings or (step.name,)), step.name


def test_text_recognition_is_made_definite_before_the_run() -> None:
    assert load_config("default").describe.text == "rapidocr"


def test_hearing_speech_is_made_definite_before_the_run() -> None:
    assert load_config("default").scan.speech == "silero"
    assert load_config("default", ["scan.speech=none"]).scan.speech == "none"


def test_the_embedder_is_made_definite_before_the_run() -> None:
    config = load_config("default", ["split.embedder=auto", "describe.embedder=some/model"])
    assert load_config("default").describe.embedder == "none"
    assert load_config("default", ["describe.keyframe_strategy=kmeans"]).describe.embedder == "efficientnet-lite0"
    assert (config.split.embedder, config.describe.embedder) == ("efficientnet-lite0", "some/model")


def test_a_strategy_that_needs_an_embedder_is_refused_without_one() -> None:
    with pytest.raises(SettingsError, match=r"kmeans, which compares embeddings: install reelproof\[models\]"):
        load_config("default", ["describe.keyframe_strategy=kmeans", "describe.embedder=none"])


def test_single_settings_come_on_top() -> None:
    config = load_config("default", ["split.max_clip_s=12.5", "annotate.measured.seed=7", "package.audio=false"])
    assert (config.split.max_clip_s, config.annotate.measured.seed, config.package.audio) == (12.5, 7, False)


def test_a_recipe_may_be_a_file(tmp_path: Path) -> None:
    recipe = tmp_path / "mine.yaml"
    recipe.write_text("description: mine\nsplit:\n  min_clip_s: 1.5\n")
    assert load_config(str(recipe)).split.min_clip_s == 1.5


@pytest.mark.parametrize(
    ("override", "answer"),
    [
        ("split.max_clip=20", "did you mean split.max_clip_s?"),
        ("slpit.max_clip_s=20", "did you mean split?"),
        ("split.max_clip_s=-3", "split.max_clip_s: input should be greater than 0"),
        ("split.max_clip_s", "write it as section.key=value"),
        ("split=3", "'split' is a section"),
        ("split.max_clip_s=[", "--set 'split.max_clip_s=['"),
        ("verify.consistency.measure.embedder=tfidf", "verify.consistency.measure.embedder: value error"),
        ("annotate.measured.sed=1", "did you mean annotate.measured.seed?"),
    ],
)
def test_a_wrong_setting_is_answered_in_one_line(override: str, answer: str) -> None:
    assert answer in refusal(override)


def test_a_recipe_that_does_not_exist_is_answered_with_those_that_do() -> None:
    with pytest.raises(SettingsError, match="default"):
        load_config("defualt")


def test_a_section_of_no_run_is_set_by_the_same_rules() -> None:
    found = load_section(AgreementConfig, "agreement", ["agreement.alpha=0.1", "agreement.weights.camera=2"])
    assert (found.alpha, found.weights.camera) == (0.1, 2.0)
    assert load_section(AgreementConfig, "agreement", ()) == AgreementConfig()
    for wrong in ("agreement=1", "alpha=1", "split.max_clip_s=3", "agreement.alpha"):
        with pytest.raises(SettingsError, match=r"write it as agreement\.key=value"):
            load_section(AgreementConfig, "agreement", [wrong])
