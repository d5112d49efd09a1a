"""Comparing the transitions that a detector found with those that a video was built from.

Here: one-to-one matching, precision, recall, F1, and which kinds are taken for which. Not here: videos or detectors.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from tests.benchmarks.transition_joins import Truth

CUT_TOLERANCE_FRAMES = 2
MIN_OVERLAP = 0.5
"""Intersection over union from which a gradual transition counts as found."""
CLASSES = {
    "cut": "cut", "dissolve": "dissolve", "wipe": "wipe", "gradual": "gradual",
    "fade_out_in": "fade", "fade_in": "fade", "fade_out": "fade", "fade_white": "fade",
}  # fmt: skip
"""Kinds of the product, as the truth calls them."""


@dataclass(frozen=True)
class Claim:
    """A transition that a detector found, in frames; `kind` as the truth calls it, empty for a cut."""

    kind: str
    start: int
    end: int


@dataclass
class Tally:
    """Counts over any number of videos. A matched pair is one truth and one claim, each used once."""

    cuts: Counter[str] = field(default_factory=Counter)
    """`truth`, `claim` and `match`: cuts within two frames of a cut. A cut claimed inside a gradual transition is
    counted with the gradual claims."""
    graduals: Counter[str] = field(default_factory=Counter)
    """The same for gradual transitions, matched where they overlap enough."""
    places: Counter[str] = field(default_factory=Counter)
    """The same whatever the kind and length: a claim touches the truth, give or take two frames."""
    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Truth and claim of pairs matched by place; `none` where one of the two is missing."""
    missed: list[str] = field(default_factory=list)

    def add(self, truths: Sequence[Truth], claims: Sequence[Claim]) -> None:
        """Counts one video."""
        gradual_truths = [one for one in truths if one.kind != "cut"]
        in_gradual = [c for c in claims if c.kind == "cut" and any(_touch(t, c) >= 0 for t in gradual_truths)]
        cut_truths = [one for one in truths if one.kind == "cut"]
        near_cut = [c for c in claims if c.kind == "cut" and any(abs(t.start - c.start) <= 2 for t in cut_truths)]
        cut_claims = [c for c in claims if c.kind == "cut" and (c not in in_gradual or c in near_cut)]
        gradual_claims = [c for c in claims if c.kind != "cut" or c not in cut_claims]
        near = [[CUT_TOLERANCE_FRAMES + 1 - abs(t.start - c.start) for c in cut_claims] for t in cut_truths]
        _count(self.cuts, cut_truths, cut_claims, near)
        overlap = [
            [_overlap(t, c) if _overlap(t, c) >= MIN_OVERLAP else 0 for c in gradual_claims] for t in gradual_truths
        ]
        _count(self.graduals, gradual_truths, gradual_claims, overlap)
        self._add_places(truths, claims)

    def _add_places(self, truths: Sequence[Truth], claims: Sequence[Claim]) -> None:
        touch = [[max(0.0, 1 + _overlap(t, c) if _touch(t, c) >= 0 else 0) for c in claims] for t in truths]
        pairs = _count(self.places, truths, claims, touch)
        self.confusion.update((truths[t].kind, claims[c].kind) for t, c in pairs)
        lone_truths = set(range(len(truths))) - {t for t, _ in pairs}
        lone_claims = set(range(len(claims))) - {c for _, c in pairs}
        self.confusion.update((truths[t].kind, "none") for t in lone_truths)
        self.confusion.update(("none", claims[c].kind) for c in lone_claims)
        self.missed += [f"{truths[t].kind} {truths[t].name}" for t in sorted(lone_truths)]

    def kind_accuracy(self) -> float:
        """Share of the pairs matched by place whose kinds agree; 0 where there is none."""
        pairs = {kinds: count for kinds, count in self.confusion.items() if "none" not in kinds}
        return sum(count for kinds, count in pairs.items() if kinds[0] == kinds[1]) / max(1, sum(pairs.values()))


def f1(counts: Counter[str]) -> float:
    """Harmonic mean of precision and recall; 0 where nothing matches."""
    return 2 * counts["match"] / max(1, counts["truth"] + counts["claim"])


def precision(counts: Counter[str]) -> float:
    """Share of the claims that match."""
    return counts["match"] / max(1, counts["claim"])


def recall(counts: Counter[str]) -> float:
    """Share of the truth that is matched."""
    return counts["match"] / max(1, counts["truth"])


def _count(
    counts: Counter[str], truths: Sequence[Truth], claims: Sequence[Claim], gains: Sequence[Sequence[float]]
) -> list[tuple[int, int]]:
    """Counts the pairs of the assignment with the largest gain (Hungarian method); a gain of 0 is no pair."""
    pairs: list[tuple[int, int]] = []
    if truths and claims:
        gain: NDArray[np.float64] = np.asarray(gains, dtype=np.float64).reshape(len(truths), len(claims))
        rows, columns = linear_sum_assignment(-np.where(gain > 0, gain + 1e3, 0))
        pairs = [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if gain[r, c] > 0]
    counts.update(truth=len(truths), claim=len(claims), match=len(pairs))
    return pairs


def _overlap(truth: Truth, claim: Claim) -> float:
    """Intersection over union in frames."""
    shared = min(truth.end, claim.end) - max(truth.start, claim.start)
    return max(0, shared) / max(1, max(truth.end, claim.end) - min(truth.start, claim.start))


def _touch(truth: Truth, claim: Claim) -> int:
    """Frames that the claim shares with the truth, widened by the tolerance; negative where it lies apart."""
    widened = truth.start - CUT_TOLERANCE_FRAMES, truth.end + CUT_TOLERANCE_FRAMES
    return min(widened[1], claim.end) - max(widened[0], claim.start)
