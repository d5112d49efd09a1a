"""`reelproof agreement A B`: how far two sets of SV6D labels agree, clip by clip and over all.

Here: the request, comparing, and what is told. Not here: reading the two sides (`jobs.agreement_sides`), the measure
(`stages.sv6d.agreement`), or options (`jobs.cli`).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from jobs.agreement_errors import AgreementError
from jobs.agreement_sides import SideRequest, Sides, read_sides
from pipeline.setting_values import load_section
from schemas.agreement import Agreement, OverallAgreement
from schemas.base import Record
from schemas.judging import AgreementConfig
from schemas.label import Label
from stages.errors import StageError
from stages.sv6d.agreement import agreement, overall
from stages.sv6d.consensus import trimmed
from stages.texts.embedding import make_text_embedder

SECTION = "agreement"
_WIDTH = 100
"""Characters a line where nobody sees how wide the screen is."""
_ATTRIBUTES_SHOWN = 6

Labels = Mapping[str, tuple[Label, ...]]
"""Labels by clip."""
Attributes = frozenset[tuple[str, str]]
"""Dimension and attribute."""


@dataclass(frozen=True)
class AgreementRequest:
    """What was asked for on the command line."""

    a: SideRequest
    b: SideRequest
    settings: tuple[str, ...] = ()
    """`agreement.key=value`."""
    shared: bool = False
    """Whether attributes that one side alone speaks of are left out."""


@dataclass(frozen=True)
class Compared:
    """What came of it."""

    request: AgreementRequest
    config: AgreementConfig
    clips: Mapping[str, Agreement]
    overall: OverallAgreement
    notes: tuple[str, ...]


def compare(request: AgreementRequest) -> Compared:
    """Compare two sides over the clips that both know. Raises AgreementError, SettingsError or GridError."""
    config = load_section(AgreementConfig, SECTION, request.settings)
    try:
        embedder = make_text_embedder(config.embedder, f"{SECTION}.embedder")
        sides = read_sides(request.a, request.b)
        a, b, notes = _over_shared(sides) if request.shared else (sides.a, sides.b, _alone(sides))
        clips = {
            clip_id: agreement(a.get(clip_id, ()), b.get(clip_id, ()), span, sides.taxonomy, config, embedder)
            for clip_id, span in sides.clips.items()
        }
    except StageError as error:
        raise AgreementError(str(error)) from error
    found = overall(list(clips.values()))
    if not found.segments:
        raise AgreementError("neither side says anything of the clips that both know")
    return Compared(request, config, clips, found, (*sides.notes, *notes))


def print_agreement(compared: Compared, *, by_clip: bool, as_json: bool) -> None:
    """Print what was compared, for a person or a program."""
    if as_json:
        Console().print_json(json.dumps(agreement_values(compared, by_clip=by_clip)), indent=2)
        return
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    console.print(_dimension_table(compared.overall))
    console.print()
    console.print(_side_table(compared))
    if by_clip:
        console.print()
        console.print(_clip_table(compared.clips))
    found = compared.overall
    lines = [f"note: {note}" for note in compared.notes]
    lines.append(f"temporal agreement {found.temporal:.3f}")
    lines.append(f"agreement {found.agreement:.3f} over {found.segments} segments on {found.clips} clips")
    console.print()
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def agreement_values(compared: Compared, *, by_clip: bool) -> dict[str, Any]:
    """The values of `agreement --json`."""
    values: dict[str, Any] = {
        side: {
            "place": request.place,
            "annotator": request.annotator,
            "kind": "file" if request.is_file else "run",
            "labels": "unverified" if request.unverified else "verified",
        }
        for side, request in (("a", compared.request.a), ("b", compared.request.b))
    }
    for side in (side for side in values.values() if side["kind"] == "file"):
        side["labels"] = "person"
    values["is_of_shared_attributes"] = compared.request.shared
    values["settings"] = compared.config.model_dump(mode="json")
    values["notes"] = list(compared.notes)
    values["overall"] = _figures(compared.overall)
    if by_clip:
        values["clips"] = {clip_id: _figures(found) for clip_id, found in compared.clips.items()}
    return values


def _figures(found: Record) -> dict[str, Any]:
    values = found.model_dump(mode="json")
    values["dimensions"] = {one.pop("dimension"): one for one in values["dimensions"]}
    return values


def _spoken_of(labels: Labels, clips: Iterable[str]) -> Attributes:
    return frozenset(
        (value.dimension, value.attribute)
        for clip_id in clips for label in labels.get(clip_id, ()) if label.sv6d for value in label.sv6d.values
    )  # fmt: skip


def _alone(sides: Sides) -> tuple[str, ...]:
    """What to say of attributes that one side alone speaks of."""
    a, b = _spoken_of(sides.a, sides.clips), _spoken_of(sides.b, sides.clips)
    found = [f"only {side} speaks of {_listed(only)}" for side, only in (("A", a - b), ("B", b - a)) if only]
    return (f"{'; '.join(found)}; --shared leaves that out",) if found else ()


def _over_shared(sides: Sides) -> tuple[Labels, Labels, tuple[str, ...]]:
    """Both sides with nothing but the attributes that both speak of, and what was left out."""
    a, b = _spoken_of(sides.a, sides.clips), _spoken_of(sides.b, sides.clips)
    if not a & b:
        raise AgreementError(f"the two sides speak of no attribute in common: A of {_listed(a)}; B of {_listed(b)}")
    left_out = (f"left out, for one side alone speaks of it: {_listed(a ^ b)}",) if a ^ b else ()
    return _only(sides.a, a & b), _only(sides.b, a & b), left_out


def _only(labels: Labels, attributes: Attributes) -> dict[str, tuple[Label, ...]]:
    """The labels with these attributes alone; those that say nothing else go."""
    found: dict[str, tuple[Label, ...]] = {}
    for clip_id, of_clip in labels.items():
        kept = [(label, _positions(label, attributes)) for label in of_clip]
        found[clip_id] = tuple(trimmed(label, places) for label, places in kept if places)
    return found


def _positions(label: Label, attributes: Attributes) -> list[int]:
    values = label.sv6d.values if label.sv6d else ()
    return [index for index, value in enumerate(values) if (value.dimension, value.attribute) in attributes]


def _listed(attributes: Attributes) -> str:
    names = sorted(".".join(one) for one in attributes)
    more = f" and {len(names) - _ATTRIBUTES_SHOWN} more" if len(names) > _ATTRIBUTES_SHOWN else ""
    return (", ".join(names[:_ATTRIBUTES_SHOWN]) or "nothing") + more


def _dimension_table(found: OverallAgreement) -> Table:
    table = Table("dimension", *map(_right, ("agreement", "compared", "same", "only A", "only B")), box=None)
    for one in found.dimensions:
        figure = "-" if one.agreement is None else f"{one.agreement:.3f}"
        counts = (f"{count:,}" for count in (one.compared, one.same, one.only_a, one.only_b))
        table.add_row(Text(one.dimension), figure, *counts)
    return table


def _side_table(compared: Compared) -> Table:
    found = compared.overall
    table = Table("", _right("A"), _right("B"), box=None)
    table.add_row("segments", f"{found.segments_a:,}", f"{found.segments_b:,}")
    unmatched = (f"{segments - found.matched:,}" for segments in (found.segments_a, found.segments_b))
    table.add_row("without a partner", *unmatched)
    for name in type(found.quality_a).model_fields:
        figures = (f"{getattr(quality, name):.3f}" for quality in (found.quality_a, found.quality_b))
        table.add_row(f"fault: {name.replace('_', ' ')}", *figures)
    return table


def _clip_table(clips: Mapping[str, Agreement]) -> Table:
    names = ("agreement", "temporal", "A", "B", "matched")
    table = Table(Column("clip", overflow="fold"), *map(_right, names), box=None)
    for clip_id, one in clips.items():
        counts = (f"{count:,}" for count in (one.segments_a, one.segments_b, one.matched))
        figures = (f"{one.agreement:.3f}", f"{one.temporal:.3f}") if one.segments else ("-", "-")
        table.add_row(Text(clip_id), *figures, *counts)
    return table


def _right(name: str) -> Column:
    return Column(name, justify="right")
