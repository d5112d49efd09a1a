"""Single settings: read from `section.key=value`, put where their names say, and checked.

Here: that, for any record, and errors that say what to write instead. Not here: where a run's configuration comes from
(`pipeline.settings`), or the settings themselves (`schemas.config`).
"""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from schemas.asking import EndpointConfig
from schemas.base import Record
from stages.errors import one_line

_Section = TypeVar("_Section", bound=Record)


class SettingsError(Exception):
    """A recipe or setting that cannot be understood; one line that says what to do."""


def load_section(model: type[_Section], section: str, overrides: Sequence[str]) -> _Section:
    """The defaults of a section that no run's configuration has, with `section.key=value` settings on top.

    Settings of other sections are refused. Raises SettingsError.
    """
    values: dict[str, Any] = {}
    for override in overrides:
        path, value = read_override(override, section)
        if path[0] != section or len(path) == 1:
            raise _misspelt(override, section)
        put(values, path[1:], value, model, (section,))
    return validated(values, model, (section,))


def read_override(override: str, section: str) -> tuple[list[str], Any]:
    """Where a setting `section.key=value` goes, and its value, which is YAML. Raises SettingsError."""
    key, separator, text = override.partition("=")
    if not separator:
        raise _misspelt(override, section)
    try:
        return key.strip().split("."), yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SettingsError(f"--set {override!r}: {one_line(error)}") from error


def _misspelt(override: str, section: str) -> SettingsError:
    return SettingsError(f"--set {override!r}: write it as {section}.key=value")


def put(
    values: dict[str, Any], path: Sequence[str], value: Any, model: type[Record], above: tuple[str, ...] = ()
) -> None:
    """Put a value where a setting names it, among the values of a record that lies under `above`.

    Raises SettingsError where there is no such setting.
    """
    tree: Any = value
    for name in reversed(path):
        tree = {name: tree}
    check_names(tree, model, above)
    inner = values
    for name in path[:-1]:
        inner = inner.setdefault(name, {})
        if not isinstance(inner, dict):
            raise SettingsError(f"{'.'.join((*above, *path))}: {name} is not a section")
    inner[path[-1]] = value


def check_names(values: Mapping[str, Any], model: type[Record], above: tuple[str, ...]) -> None:
    """Raise SettingsError where one of the values is of no field of the record, or a section has no fields."""
    for name, value in values.items():
        place = ".".join((*above, str(name)))
        if name not in model.model_fields:
            close = _closest(str(name), list(model.model_fields))
            known = (
                f"did you mean {'.'.join((*above, close[0]))}?" if close else f"known: {', '.join(model.model_fields)}"
            )
            raise SettingsError(f"no setting {place!r}; {known}")
        kind = model.model_fields[name].annotation
        if kind == dict[str, EndpointConfig] and isinstance(value, Mapping):
            for own_name, section in value.items():
                if not isinstance(section, Mapping):
                    raise SettingsError(f"{place}.{own_name} is a section; set one of its keys, as in {place}.x.model")
                check_names(section, EndpointConfig, (*above, str(name), str(own_name)))
            continue
        is_section = isinstance(kind, type) and issubclass(kind, Record)
        if is_section and isinstance(value, str) and model.model_fields[name].metadata:
            continue  # a record that may also be named by the path of its file
        if is_section and isinstance(value, Mapping):
            check_names(value, kind, (*above, str(name)))  # type: ignore[arg-type]
        elif is_section:
            raise SettingsError(f"{place!r} is a section; set one of its keys, for example {place}.{_first(kind)}")


def _closest(name: str, known: list[str]) -> list[str]:
    begins = [other for other in known if other.startswith(name)]
    return begins or difflib.get_close_matches(name, known, n=1, cutoff=0.5)


def _first(kind: Any) -> str:
    return str(next(iter(kind.model_fields)))


def validated(
    values: Mapping[str, Any], model: type[_Section], above: tuple[str, ...] = (), where: str = ""
) -> _Section:
    """The record of these values, which lies under `above`; `where` ends what is said. Raises SettingsError."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join((*above, *map(str, first["loc"])))
        # What our own checks say is whole; what a section holds is too long to repeat.
        said = str(first["ctx"]["error"]) if first["type"] == "value_error" else first["msg"].lower()
        given = "" if isinstance(first["input"], Mapping) else f", not {first['input']!r}"
        raise SettingsError(f"{place}: {said}{given}{where}") from error
