"""Figures and untrusted text as people read them: the same words in the card and in the report.

Here: numbers, sizes, durations, escaping for Markdown. Not here: HTML escaping, which the template engine does.
"""

import re
import shlex
from collections.abc import Mapping

import yaml

from schemas.asking import EndpointConfig
from schemas.base import Record
from schemas.config import RunConfig
from schemas.prompt import Prompt
from schemas.taxonomy import EditingOntology, QATaskList, SV6DTaxonomy, editing_ontology, qa_tasks, sv6d_taxonomy

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Control characters, and those that reorder or hide the text around them."""

_MARKDOWN_ACTIVE = re.compile(r"[\\`*_\[\]#~$^!]|://|(?<=www)\.|^[-+=:]|(?:(?<=^\d)|(?<=^\d\d))[.)](?=\s|$)")
_MARKDOWN_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;", "@": "&#64;"})


NONE = "—"
"""Stands where there is no figure."""


class Markdown(str):
    """Text that is Markdown already and is not escaped again."""

    __slots__ = ()


def plain_line(text: str, limit: int = 300) -> str:
    """`text` on one line, without control characters, at most `limit` characters long."""
    line = " ".join(_UNPRINTABLE.sub("\ufffd", text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def markdown_text(value: object) -> Markdown:
    """`value` as inline Markdown that shows exactly its characters: no markup, HTML, link, table cell or new line."""
    if isinstance(value, Markdown):
        return value
    line = _MARKDOWN_ACTIVE.sub(lambda match: "\\" + match[0], plain_line(str(value)))
    return Markdown(line.translate(_MARKDOWN_ENTITIES))


def grouped(number: int) -> str:
    """An integer with its thousands set apart: `12,345`."""
    return f"{number:,}"


def figure(value: float | int | str | None, digits: int = 4) -> str:
    """A measured value or threshold with at most `digits` significant digits; `—` where there is none."""
    if value is None:
        return NONE
    if isinstance(value, float):
        text = f"{value:.{digits}g}"
        return text if "e" not in text or abs(value) < 1 else f"{value:.0f}"
    return str(value)


def share(part: int, whole: int) -> str:
    """`part` of `whole` in per cent; `—` of nothing."""
    return f"{100 * part / whole:.1f} %" if whole else NONE


def byte_size(size_bytes: int) -> str:
    """A size in the binary unit that suits it: `1.5 GiB`."""
    size = float(size_bytes)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def duration(seconds: float) -> str:
    """A length of video: `4.2 s`, `3 min 20 s`, `12 h 05 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest_s = divmod(round(seconds), 60)
    return f"{minutes} min {rest_s:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def money(usd: float) -> str:
    """An amount in US dollars; four decimals where it is less than ten cents."""
    return f"${usd:,.4f}" if 0 < usd < 0.1 else f"${usd:,.2f}"


def clock(seconds: float) -> str:
    """An instant of a source: `1:02:03.456`."""
    milliseconds = round(seconds * 1000)
    hours, rest = divmod(abs(milliseconds), 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    sign, whole = "-" if milliseconds < 0 else "", f"{minutes}:{rest // 1000:02d}.{rest % 1000:03d}"
    return f"{sign}{hours}:{minutes:02d}:{rest // 1000:02d}.{rest % 1000:03d}" if hours else sign + whole


def term(name: str) -> str:
    """A name from a vocabulary in plain words: `pan_left` is `pan left`."""
    return name.replace("_", " ")


def threshold_of(config: RunConfig, rule: str) -> float | int | str | None:
    """The setting that a rule named `<section>.<setting>` was decided by; None where the rule names none."""
    section, _, setting = rule.rpartition(".")
    value = getattr(config.section(section), setting, None)
    return value if isinstance(value, float | int | str) else None


def changed_settings(config: RunConfig) -> Mapping[str, object]:
    """The settings that differ from their defaults, by dotted name, in the configuration's order."""
    return _changes(config, RunConfig(), "")


def _changes(ours: Record, default: Record, prefix: str) -> dict[str, object]:
    changes: dict[str, object] = {}
    for name in type(ours).model_fields:
        here, there = getattr(ours, name), getattr(default, name)
        if isinstance(here, SV6DTaxonomy | QATaskList | EditingOntology):
            changes |= {} if here == there else {prefix + name: f"{here.name}.yaml"}
        elif isinstance(here, Prompt):
            changes |= {} if here.is_shipped else {prefix + name: f"{here.name}.j2"}
        elif isinstance(here, dict):
            for key, endpoint in here.items():
                changes |= _changes(endpoint, EndpointConfig(), f"{prefix}{name}.{key}.")
        elif isinstance(here, Record) and isinstance(there, Record):
            changes |= _changes(here, there, f"{prefix}{name}.")
        elif here != there and name not in _PRIVATE:
            changes[prefix + name] = here
    return changes


_PRIVATE = frozenset({"base_url", "api_key_variable"})
"""Settings that say where somebody's models are; a reader of the data set has others."""


def shown_settings(config: Record) -> dict[str, object]:
    """The configuration as plain values, without annotators that are off.

    A vocabulary of the user's own is only named, for it is long and `run.json` has it; ours goes without saying.
    """
    values: dict[str, object] = {}
    for name in type(config).model_fields:
        value = getattr(config, name)
        if isinstance(value, SV6DTaxonomy | QATaskList | EditingOntology):
            if value not in (sv6d_taxonomy(), qa_tasks(), editing_ontology()):
                values[name] = f"{value.name}.yaml"
        elif isinstance(value, Prompt):
            values[name] = f"{value.name}, version {value.version}"
        elif isinstance(value, dict):
            values[name] = {key: _shown(inner) for key, inner in value.items()}
        elif name not in _PRIVATE and getattr(value, "enabled", True):
            values[name] = _shown(value)
    return values


def _shown(value: object) -> object:
    return shown_settings(value) if isinstance(value, Record) else value


def prompts_of(config: RunConfig) -> tuple[Prompt, ...]:
    """The prompts of the annotators that are on, in the grid's order."""
    return tuple(section.prompt for section in config.annotate.asking().values() if section.prompt is not None)


def code_block(text: str) -> Markdown:
    """`text` as a fenced block of Markdown whose fence it cannot close."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return Markdown(f"{fence}\n{text.strip()}\n{fence}")


def reproduce_command(config: RunConfig) -> str:
    """One shell line that runs this configuration again; what differs from the defaults is set."""
    words = ["reelproof", "run", "--input", "VIDEOS", "--output", "DATASET"]
    for name, value in changed_settings(config).items():
        words += ["--set", f"{name}={_setting(value)}"]
    return " ".join(shlex.quote(word) for word in words)


def _setting(value: object) -> str:
    return yaml_text(value).removesuffix("...").removesuffix("\n")


class _OneLineDumper(yaml.SafeDumper):
    """Writes a string with line breaks as one quoted line, so that no text can look like the end of a block."""


def _quoted_where_broken(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style=None if text.splitlines() in ([], [text]) else '"'
    )


_OneLineDumper.add_representer(str, _quoted_where_broken)


def yaml_text(value: object) -> str:
    """`value` as block YAML in its own order, ASCII only, every string on one line, no line break at the end."""
    return yaml.dump(value, Dumper=_OneLineDumper, sort_keys=False, width=2**20).removesuffix("\n")
