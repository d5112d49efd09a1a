"""What the text-only probe found, in words: for the card, the report and the terminal.

Here: `priors_view` and `priors_line`. Not here: the finding (`stages.priors.probe`), or the look of it (`templates/`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from data_cards import wording
from schemas.priors import Artefact, ArtefactKind, GroupPriors, GuessRate, PriorsReport

MAX_ARTEFACTS = 50
"""Artefacts that are told, the most striking first; `stats.json` has all."""

_ACTIONS: Mapping[str, str] = {
    "reject": "Questions that something predicts beyond chance were rejected.",
    "flag": "Questions that something predicts beyond chance were only flagged, and none was rejected.",
    "rebalance": "Of the questions that something predicts, as many were rejected as bring the rest to chance.",
}  # fmt: skip
_KINDS: Mapping[ArtefactKind, str] = {
    "position": "by its place", "length": "by its length", "number": "by its number",
    "majority": "by being right too often", "wording": "by single words", "probe": "by all these together",
}  # fmt: skip
"""How the right option gives itself away."""


@dataclass(frozen=True)
class GroupView:
    """A task, or all questions."""

    name: str
    n_items: int
    chance: str
    before: str
    """Share that is guessed right, with its interval."""
    n_kept: int
    after: str
    n_flagged: int
    n_rejected: int
    is_tested: bool


@dataclass(frozen=True)
class ArtefactView:
    """A rule that gives right options away."""

    how: str
    """By what of the option."""
    text: str


@dataclass(frozen=True)
class PriorsView:
    """The whole report."""

    lead: str
    action: str
    groups: tuple[GroupView, ...]
    """All questions first, then tasks with questions enough to be tested, then the others; empty: nothing was said."""
    artefacts: tuple[ArtefactView, ...]
    left_out: int
    """Artefacts that are not listed."""
    unsaid: str
    """What could not be said, and why, in one sentence; empty where everything was."""


def priors_view(report: PriorsReport) -> PriorsView:
    """The report in words."""
    lead = f"{_n(report.n_items, 'question')} with options"
    if report.n_open_ended:
        lead += f"; {wording.grouped(report.n_open_ended)} more are open-ended, and left alone"
    by_test = sorted(report.groups, key=lambda group: not group.is_tested)
    groups = () if report.overall is None else (report.overall, *by_test)
    return PriorsView(
        lead=lead,
        action=_ACTIONS[report.action] if report.overall else "",
        groups=tuple(_group(group) for group in groups),
        artefacts=tuple(_artefact(artefact) for artefact in report.artefacts[:MAX_ARTEFACTS]),
        left_out=max(0, len(report.artefacts) - MAX_ARTEFACTS),
        unsaid="; ".join(report.notes),
    )


def priors_line(report: PriorsReport) -> str:
    """The report on one line, for a terminal."""
    return "; ".join(_told(report))


def _told(report: PriorsReport) -> Iterator[str]:
    if report.overall is None:
        yield from report.notes or ("nothing could be said",)
        return
    overall = report.overall
    yield f"{_rate(overall.before)} of {_n(report.n_items, 'question')} guessed right"
    yield f"{_percent(overall.before.chance)} is chance"
    if overall.n_rejected:
        yield f"{_rate(overall.after)} after filtering" if overall.after else "too few are left to say more of them"
    yield f"{wording.grouped(overall.n_flagged)} flagged, {wording.grouped(overall.n_rejected)} rejected"
    yield _n(len(report.artefacts), "artefact")
    if report.artefacts:
        yield f"first of all {_artefact(report.artefacts[0]).text}"


def _group(group: GroupPriors) -> GroupView:
    return GroupView(
        name=group.group,
        n_items=group.before.n_items,
        chance=_percent(group.before.chance),
        before=_rate(group.before),
        n_kept=group.before.n_items - group.n_rejected,
        after=_rate(group.after) if group.after else wording.NONE,
        n_flagged=group.n_flagged,
        n_rejected=group.n_rejected,
        is_tested=group.is_tested,
    )


def _artefact(found: Artefact) -> ArtefactView:
    text = (
        f"{found.rule} in {wording.grouped(found.n_right)} of {_n(found.n_items, 'question')} of {found.stratum}, "
        f"where {found.expected:.1f} are expected by chance; {wording.grouped(found.n_flagged)} flagged"
    )
    return ArtefactView(how=_KINDS[found.kind], text=text)


def _rate(rate: GuessRate) -> str:
    low, high = (f"{100 * end:.1f}" for end in (rate.interval_low, rate.interval_high))
    return f"{_percent(rate.accuracy)} ({low} to {high} %)"


def _percent(part: float) -> str:
    return f"{100 * part:.1f} %"


def _n(number: int, name: str) -> str:
    return f"{wording.grouped(number)} {name}{'' if number == 1 else 's'}"
