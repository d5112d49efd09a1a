"""Where a configuration comes from: a recipe by name or file, and single settings on top.

Here: reading, merging, and whether what is set can be done. Not here: single settings (`pipeline.setting_values`), or
the settings themselves (`schemas.config`).
"""

import json
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from pipeline.setting_values import SettingsError, check_names, put, read_override, validated
from schemas.asking import AskConfig
from schemas.config import DescribeConfig, RunConfig
from schemas.judging import ConsistencyConfig, LeakageConfig, QuestionClassConfig, VerifyConfig
from stages.errors import one_line

__all__ = [
    "DEFAULT_ENDPOINT", "JUDGE_ENDPOINT", "SettingsError", "check_judge", "endpoint_settings", "load_config",
    "recipe_names", "resolve",
]  # fmt: skip

DEFAULT_ENDPOINT = "default"
"""The endpoint that annotators ask unless they are set to another."""
JUDGE_ENDPOINT = "judge"
"""The endpoint that judges ask unless they are set to others."""

_TOLD_BEFORE = (1, 2)
"""Numbers of options, 1 for open-ended, whose blind test must be possible for a run to be set up."""


def recipe_names() -> list[str]:
    """Names of the recipes that are shipped."""
    files = resources.files("pipeline").joinpath("recipes").iterdir()
    return sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml"))


def load_config(recipe: str, overrides: Sequence[str] = (), base: RunConfig | None = None) -> RunConfig:
    """The configuration of a recipe, or `base`, with `section.key=value` settings on top.

    Values are YAML: `true`, `2.5`, `[a, b]`. Raises SettingsError.
    """
    values = base.model_dump() if base else _read_recipe(recipe)
    for override in overrides:
        path, value = read_override(override, "section")
        put(values, path, value, RunConfig)
    return resolve(validated(values, RunConfig, where=f" (recipe {recipe!r})"))


def endpoint_settings(
    model: str | None, base_url: str | None, judge_model: str | None = None, judge_base_url: str | None = None
) -> tuple[str, ...]:
    """The settings that name the models that annotators and judges ask by default, and where they are.

    A judge is where the annotators' model is, unless something else is said.
    """
    judge_url = judge_base_url if judge_base_url is not None else base_url if judge_model is not None else None
    given = {
        (DEFAULT_ENDPOINT, "model"): model, (DEFAULT_ENDPOINT, "base_url"): base_url,
        (JUDGE_ENDPOINT, "model"): judge_model, (JUDGE_ENDPOINT, "base_url"): judge_url,
    }  # fmt: skip
    return tuple(
        f"endpoints.{endpoint}.{key}={json.dumps(value)}" for (endpoint, key), value in given.items()
        if value is not None
    )  # fmt: skip


def resolve(config: RunConfig) -> RunConfig:
    """Settings that depend on what is installed, made definite, so that fingerprints tell the truth.

    Raises SettingsError where what is installed cannot do what is asked.
    """
    from stages.pictures.embedding import resolve_embedder  # these look for packages, and load none of them
    from stages.pictures.text import resolve_text_setting
    from stages.speech.voice import resolve_speech_setting

    describe = _with_embedder(resolve_text_setting(config.describe))
    verify = _with_text_embedders(config.verify)
    split = config.split.replace(embedder=resolve_embedder(config.split.embedder))
    scan = resolve_speech_setting(config.scan)
    return _with_prompts(config.replace(scan=scan, split=split, describe=describe, verify=verify))


def _with_prompts(config: RunConfig) -> RunConfig:
    """The configuration with the prompt of every annotator that is on written out.

    Raises SettingsError where one of them asks no model, or an annotator that it goes on from is off.
    """
    from annotators.prompts import shipped

    changes: dict[str, AskConfig] = {}
    for name, section in config.annotate.asking().items():
        _check_asking(name, section, config)
        if section.prompt is None:
            changes[name] = section.replace(prompt=shipped(name))
    config = config.replace(annotate=config.annotate.replace(**changes)) if changes else config
    judges: dict[str, AskConfig] = {}
    for judge, asked in config.verify.asking().items():
        check_judge(judge, config)
        if asked.prompt is None and not isinstance(asked, ConsistencyConfig):
            judges[judge] = asked.replace(prompt=shipped(judge))
    return config.replace(verify=config.verify.replace(**judges)) if judges else config


_GIVE = {
    DEFAULT_ENDPOINT: "--model NAME and, where it is not OpenAI's, --base-url URL",
    JUDGE_ENDPOINT: "--judge-model NAME, another than wrote the labels",
}


def _require_model(step: str, name: str, config: RunConfig) -> None:
    endpoint = config.endpoints.get(name)
    if endpoint is None or not endpoint.model:
        where = _GIVE.get(name, f"--set endpoints.{name}.model=NAME")
        raise SettingsError(f"{step} asks a model, and none is set for {name!r}: give {where}")


def _check_asking(name: str, section: AskConfig, config: RunConfig) -> None:
    from annotators.table import ASKING

    _require_model(f"annotate.{name}", section.endpoint, config)
    one = next(one for one in ASKING if one.name == name)
    questions = {other.name for other in ASKING if other.kind == "qa" and not other.revises}
    before = () if one.unit == "clip" else tuple(n for n in one.after if one.unit != "label" or n in questions)
    if before and not set(before) & set(config.annotate.enabled()):
        raise SettingsError(f"annotate.{name} goes on from annotate.{before[0]}, which is off: switch it on")
    is_sheet = section.pictures == "contact_sheet"
    if is_sheet and config.describe.keyframe_strategy != "contact_sheet":
        raise SettingsError(f"annotate.{name}.pictures=contact_sheet needs describe.keyframe_strategy=contact_sheet")


def check_judge(name: str, config: RunConfig) -> None:
    """Raise SettingsError where a judge cannot judge: without a model, by its settings, or by authors alone."""
    from annotators.judges.panel import bare_model
    from annotators.judges.question_class import ORDERED_PICTURES

    step = f"verify.{name}"
    section = config.verify.asking()[name]
    asked = config.asked_by(step)
    if isinstance(section, ConsistencyConfig):
        if not config.annotate.sv6d.enabled:
            raise SettingsError(f"{step} asks the author of SV6D labels again, and annotate.sv6d is off: switch it on")
        return
    for endpoint in asked:
        _require_model(step, endpoint, config)
        if config.endpoints[endpoint].way == "batch":
            raise SettingsError(f"{step} asks again and again, by what was answered: set endpoints.{endpoint}.way=chat")
    authors = {bare_model(config.endpoints[one.endpoint].model) for one in config.annotate.asking().values()}
    judges = {bare_model(config.endpoints[endpoint].model) for endpoint in asked}
    if judges <= authors and section.unjudged == "fail":
        models = ", ".join(sorted(judges))
        raise SettingsError(f"{step} would have {models} judge what it wrote: give --judge-model another model's name")
    if isinstance(section, QuestionClassConfig) and section.pictures not in ORDERED_PICTURES:
        raise SettingsError(f"{step}.pictures must be {' or '.join(ORDERED_PICTURES)}, which have an order")
    is_sheet = section.pictures == "contact_sheet"
    if is_sheet and config.describe.keyframe_strategy != "contact_sheet":
        raise SettingsError(f"{step}.pictures=contact_sheet needs describe.keyframe_strategy=contact_sheet")
    if isinstance(section, LeakageConfig):
        _require_attainable(section)


def _require_attainable(section: LeakageConfig) -> None:
    """Raise SettingsError where the blind test cannot hold the error rates that are asked of it."""
    from stages.blind.leakage import require_attainable
    from stages.errors import UnattainableError

    try:
        for n_options in _TOLD_BEFORE:
            require_attainable(section, n_options)
    except UnattainableError as error:
        raise SettingsError(str(error)) from error


def _with_text_embedders(verify: VerifyConfig) -> VerifyConfig:
    """The section with `duplicates.embedder: auto` made definite; what judges that are on embed with must be there."""
    from stages.errors import StageError
    from stages.texts.embedding import require_text_embedder, resolve_text_embedder

    duplicates = verify.duplicates.replace(embedder=resolve_text_embedder(verify.duplicates.embedder))
    try:
        if duplicates.enabled:
            require_text_embedder(duplicates.embedder, "verify.duplicates.embedder")
        if verify.consistency.enabled:
            require_text_embedder(verify.consistency.measure.embedder, "verify.consistency.measure.embedder")
    except StageError as error:
        raise SettingsError(str(error)) from error
    return verify.replace(duplicates=duplicates)


def _with_embedder(describe: DescribeConfig) -> DescribeConfig:
    """The section with `embedder: auto` made definite."""
    from stages.errors import StageError
    from stages.keyframes.strategies import STRATEGIES, require_embedder
    from stages.pictures.embedding import resolve_embedder

    is_needed = STRATEGIES[describe.keyframe_strategy].needs_embeddings
    name = "none" if describe.embedder == "auto" and not is_needed else resolve_embedder(describe.embedder)
    try:
        require_embedder(describe, is_there=name != "none")
    except StageError as error:
        raise SettingsError(str(error)) from error
    return describe.replace(embedder=name)


def _read_recipe(recipe: str) -> dict[str, Any]:
    named = resources.files("pipeline").joinpath("recipes", f"{recipe}.yaml")
    if not named.is_file() and not Path(recipe).is_file():
        raise SettingsError(f"no recipe {recipe!r}: name a file, or one of {', '.join(recipe_names())}")
    try:
        text = (named if named.is_file() else Path(recipe)).read_text(encoding="utf-8")
        values = yaml.safe_load(text) or {}
    except UnicodeDecodeError as error:
        raise SettingsError(f"recipe {recipe!r} is not text in UTF-8") from error
    except yaml.YAMLError as error:
        raise SettingsError(f"recipe {recipe!r} is not YAML: {one_line(error)}") from error
    if not isinstance(values, dict):
        raise SettingsError(f"recipe {recipe!r} must be a mapping of sections")
    values.pop("description", None)
    check_names(values, RunConfig, ())
    return values
