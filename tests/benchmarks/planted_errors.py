"""Planted errors: measured labels of films with known truth, each with one thing made false, and true ones untouched.

Here: how many of the false are contradicted and of the true confirmed, by kind and modality. Not here: the films
(`tests.planted_films`, `tests.planted_random`), the errors (`tests.planted_errors`) and the captions
(`tests.planted_captions`).
"""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from schemas.judging import EvidenceConfig
from schemas.label import Label, VerifiedLabel
from schemas.verdict import Verdict
from stages.evidence.check import verify_label
from tests.benchmarks.figures import Figure, at_least, at_most
from tests.planted_captions import captions
from tests.planted_errors import planted
from tests.planted_films import FILMS, QUICK, Film, Measured, film_named, measured
from tests.planted_random import random_film
from tests.planted_truth import is_true

TARGET = 0.99
UNSEEN_SEEDS = range(100, 112)
"""Of films drawn at random; nothing was set by looking at them."""
SHOWN = 3
"""Examples of what was missed that a note gives."""


@dataclass
class Tally:
    """What became of everything of one kind."""

    n: int = 0
    right: int = 0
    missed: list[str] = field(default_factory=list)

    def add(self, is_right: bool, what: str) -> None:
        """One more."""
        self.n += 1
        self.right += is_right
        if not is_right:
            self.missed.append(what)

    @property
    def share(self) -> float:
        """0 to 1; asks for at least one."""
        return self.right / self.n


@dataclass
class Found:
    """Everything that the benchmark counts."""

    planted: dict[str, Tally] = field(default_factory=dict)
    untouched: Tally = field(default_factory=Tally)
    """Labels that nothing contradicts, with at least one thing confirmed."""
    by_modality: dict[str, Tally] = field(default_factory=dict)
    """Pieces of evidence of the untouched, and `words`: their measured statements."""
    false_by_truth: list[str] = field(default_factory=list)
    """Labels that the annotator made wrong: they are left out of everything else."""
    false_captions: dict[str, Tally] = field(default_factory=dict)
    true_captions: dict[str, Tally] = field(default_factory=dict)
    """Captions that are not contradicted."""
    confirmed_captions: Tally = field(default_factory=Tally)


def measure(say: Callable[[str], None] = lambda _line: None, quick: bool = False) -> list[Figure]:
    """All figures; a few minutes for all films, half a minute for the quick ones."""
    films = [film_named(name) for name in QUICK] if quick else list(FILMS)
    figures = list(_figures(found_in(films, seeds=(0, 1), say=say)))
    if not quick:
        figures += _unseen_figures(found_in(map(random_film, UNSEEN_SEEDS), seeds=(0,), say=say))
    return figures


def found_in(films: Iterable[Film], seeds: Sequence[int], say: Callable[[str], None] = lambda _line: None) -> Found:
    """What becomes of the labels of these films."""
    found = Found()
    with tempfile.TemporaryDirectory() as folder:
        for film in films:
            say(f"planted errors: {film.name}")
            for made in measured(film, Path(folder), seeds):
                look_at(made, found)
    return found


def look_at(made: Measured, found: Found) -> None:
    """Count what becomes of one clip's labels, of their variants and of its captions."""
    for label in made.labels:
        if is_true(label, made) is False:
            found.false_by_truth.append(f"{made.film.name}: {label.qa}")
            continue
        _count_untouched(label, made, found)
        for error in planted(label, made):
            outcome = verified(error.label, made)
            what = f"{made.film.name}: {error.what}"
            found.planted.setdefault(error.kind, Tally()).add(isinstance(outcome, Verdict), what)
    for said in captions(made):
        outcome = verified(said.label, made)
        text = f"{made.film.name}: {said.label.caption.text if said.label.caption else ''}"
        if said.is_true:
            found.true_captions.setdefault(said.kind, Tally()).add(isinstance(outcome, VerifiedLabel), text)
            is_confirmed = isinstance(outcome, VerifiedLabel) and any(check.statement for check in outcome.checks)
            found.confirmed_captions.add(is_confirmed, text)
        else:
            found.false_captions.setdefault(said.kind, Tally()).add(isinstance(outcome, Verdict), text)


def verified(label: Label, made: Measured) -> VerifiedLabel | Verdict:
    """A label through the evidence check as it is shipped."""
    return verify_label(label, made.description, made.scan, made.describe, EvidenceConfig())


def _count_untouched(label: Label, made: Measured, found: Found) -> None:
    outcome = verified(label, made)
    if isinstance(outcome, Verdict):
        found.untouched.add(False, f"{made.film.name}: {outcome.reason}")
        return
    is_confirmed = any(check.outcome == "confirmed" for check in outcome.checks)
    found.untouched.add(is_confirmed, f"{made.film.name}: {label.label_id}")
    for check in outcome.checks:
        what = "words" if check.evidence_index is None else label.evidence[check.evidence_index].modality
        said = f"{made.film.name}: {check.statement or check.reason}"
        found.by_modality.setdefault(what, Tally()).add(check.outcome == "confirmed", said)


def _figures(found: Found) -> Iterator[Figure]:
    for kind, tally in sorted(found.planted.items()):
        yield _share(f"planted, contradicted: {kind}", tally)
    yield _share("untouched labels confirmed", found.untouched)
    for modality, tally in sorted(found.by_modality.items()):
        yield _share(f"untouched, confirmed: {modality}", tally)
    yield at_most(
        "labels that are false by the truth", len(found.false_by_truth), "labels", 0,
        note="of the measured annotator, left out of the rest",
    )  # fmt: skip
    for kind, tally in sorted(found.false_captions.items()):
        yield _share(f"false captions contradicted: {kind}", tally)
    for kind, tally in sorted(found.true_captions.items()):
        yield _share(f"true captions let pass: {kind}", tally)
    confirmed = found.confirmed_captions
    yield Figure("true captions confirmed", confirmed.share, "share", note=f"{confirmed.n}; the others are left open")


def _unseen_figures(found: Found) -> Iterator[Figure]:
    """On films that were drawn: the same, all kinds together."""
    yield _share("drawn films, planted, contradicted", _together(found.planted.values()))
    yield _share("drawn films, untouched labels confirmed", found.untouched)
    yield _share("drawn films, false captions contradicted", _together(found.false_captions.values()))
    yield _share("drawn films, true captions let pass", _together(found.true_captions.values()))


def _together(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for tally in tallies:
        total.n, total.right = total.n + tally.n, total.right + tally.right
        total.missed += tally.missed
    return total


def _share(name: str, tally: Tally) -> Figure:
    examples = "; ".join(what for what, _ in Counter(tally.missed).most_common(SHOWN))
    note = f"{tally.n}{f', missed: {examples}' if examples else ''}"
    return at_least(name, tally.share, "share", TARGET, note=note)
