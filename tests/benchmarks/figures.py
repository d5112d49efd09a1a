"""What a benchmark tells: one figure, with its target, what peers reach on the same input, and the limit.

Here: the record that every module of `tests.benchmarks` returns. Not here: how it is shown (`jobs.bench`) or kept
(`tests.benchmarks.results`).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Figure:
    """One measured number."""

    name: str
    """What was measured, as a person would say it; unique within its benchmark."""
    value: float
    unit: str
    """Of the value, the target, the peers and the limit; `times` for a ratio."""
    target: float | None = None
    """What we want it to be; which side is good follows from `holds`."""
    holds: bool | None = None
    """Whether the target is met; None where there is none."""
    peer: dict[str, float] = field(default_factory=dict)
    """The same figure for other programs, in the same run on the same input."""
    limit: float | None = None
    """What nothing could beat here."""
    note: str = ""
    """How it was measured, and what is particular about it."""

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise ValueError(f"{self.name}: a figure is a finite number, not {self.value}")
        if (self.target is None) != (self.holds is None):
            raise ValueError(f"{self.name}: a figure holds its target, or has none")


def at_most(
    name: str, value: float, unit: str, target: float,
    peer: Mapping[str, float] | None = None, limit: float | None = None, note: str = "",
) -> Figure:  # fmt: skip
    """A figure that should be small."""
    return Figure(name, value, unit, target, value <= target, dict(peer or {}), limit, note)


def at_least(
    name: str, value: float, unit: str, target: float,
    peer: Mapping[str, float] | None = None, limit: float | None = None, note: str = "",
) -> Figure:  # fmt: skip
    """A figure that should be large."""
    return Figure(name, value, unit, target, value >= target, dict(peer or {}), limit, note)


def spell(value: float) -> str:
    """A number with three figures or so: `0.973`, `1.08`, `12.4`, `21,340`."""
    size = abs(value)
    return f"{value:,.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.3g}"


def spell_target(figure: Figure) -> str:
    """The target with its good side: `≤ 1.15`; a figure that lies right on it does not tell which side that is."""
    if figure.target is None:
        return ""
    is_most = (figure.value <= figure.target) == figure.holds
    sign = "=" if figure.value == figure.target else "≤" if is_most else "≥"
    return f"{sign} {spell(figure.target)}"
