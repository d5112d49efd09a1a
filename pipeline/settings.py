"""Where a configuration comes from: a recipe by name or file, and single settings on top.

Here: reading, merging, and errors that say what to write instead. Not here: the settings themselves (`schemas.config`).
"""

import difflib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from schemas.base import Record
from schemas.config import DescribeConfig, RunConfig


class SettingsError(Exception):
    """A recipe or setting that cannot be understood; one line that says what to do."""


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
        key, separator, text = override.partition("=")
        if not separator:
            raise SettingsError(f"--set {override!r}: write it as section.key=value")
        _put(values, key.strip().split("."), yaml.safe_load(text), key)
    return resolve(_validated(values, f"recipe {recipe!r}"))


def resolve(config: RunConfig) -> RunConfig:
    """Settings that depend on what is installed, made definite, so that fingerprints tell the truth.

    Raises SettingsError where what is installed cannot do what is asked.
    """
    from stages.embedding import resolve_embedder  # these look for packages, and load none of them
    from stages.text import resolve_text_setting

    describe = _with_embedder(resolve_text_setting(config.describe))
    return config.replace(
        split=config.split.replace(embedder=resolve_embedder(config.split.embedder)), describe=describe
    )


def _with_embedder(describe: DescribeConfig) -> DescribeConfig:
    """The section with `embedder: auto` made definite."""
    from stages.embedding import resolve_embedder
    from stages.errors import StageError
    from stages.keyframes import STRATEGIES, require_embedder

    is_needed = STRATEGIES[describe.keyframe_strategy].needs_embeddings
    name = "none" if describe.embedder == "auto" and not is_needed else resolve_embedder(describe.embedder)
    try:
        require_embedder(describe, is_there=name != "none")
    except StageError as error:
        raise SettingsError(str(error)) from error
    return describe.replace(embedder=name)


def _read_recipe(recipe: str) -> dict[str, Any]:
    named = resources.files("pipeline").joinpath("recipes", f"{recipe}.yaml")
    if named.is_file():
        text = named.read_text()
    elif Path(recipe).is_file():
        text = Path(recipe).read_text()
    else:
        raise SettingsError(f"no recipe {recipe!r}: name a file, or one of {', '.join(recipe_names())}")
    try:
        values = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise SettingsError(f"recipe {recipe!r} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise SettingsError(f"recipe {recipe!r} must be a mapping of sections")
    values.pop("description", None)
    _check_names(values, RunConfig, ())
    return values


def _put(values: dict[str, Any], path: Sequence[str], value: Any, key: str) -> None:
    tree: Any = value
    for name in reversed(path):
        tree = {name: tree}
    _check_names(tree, RunConfig, ())
    inner = values
    for name in path[:-1]:
        inner = inner.setdefault(name, {})
        if not isinstance(inner, dict):
            raise SettingsError(f"{key}: {name} is not a section")
    inner[path[-1]] = value


def _check_names(values: Mapping[str, Any], model: type[Record], above: tuple[str, ...]) -> None:
    for name, value in values.items():
        place = ".".join((*above, str(name)))
        if name not in model.model_fields:
            close = _closest(str(name), list(model.model_fields))
            known = (
                f"did you mean {'.'.join((*above, close[0]))}?" if close else f"known: {', '.join(model.model_fields)}"
            )
            raise SettingsError(f"no setting {place!r}; {known}")
        kind = model.model_fields[name].annotation
        is_section = isinstance(kind, type) and issubclass(kind, Record)
        if is_section and isinstance(value, str) and model.model_fields[name].metadata:
            continue  # a record that may also be named by the path of its file
        if is_section and isinstance(value, Mapping):
            _check_names(value, kind, (*above, str(name)))  # type: ignore[arg-type]
        elif is_section:
            raise SettingsError(f"{place!r} is a section; set one of its keys, for example {place}.{_first(kind)}")


def _closest(name: str, known: list[str]) -> list[str]:
    begins = [other for other in known if other.startswith(name)]
    return begins or difflib.get_close_matches(name, known, n=1, cutoff=0.5)


def _first(kind: Any) -> str:
    return str(next(iter(kind.model_fields)))


def _validated(values: Mapping[str, Any], where: str) -> RunConfig:
    try:
        return RunConfig.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"{place}: {first['msg'].lower()}, not {first['input']!r} ({where})") from error
