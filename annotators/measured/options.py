"""Wrong answers that are plausible, clearly false, and give nothing away to who has not seen the clip.

Here: neighbours of a count, rungs about a duration, moments about a moment; the rank that the right answer takes among
them is drawn first. Not here: questions (`qa_*`).
"""

from collections.abc import Iterable

from annotators.measured.draw import Draw
from annotators.measured.facts import ordinal

DURATION_RATIO = 1.4
"""Ours: neighbouring duration options differ by this factor."""
MIN_DURATION_STEP_TENTHS = 4
"""Ours: and by at least this much, in tenths of a second."""
MOMENT_GAP_TENTHS = 7
"""Ours: moments among the options lie at least this far apart, in tenths of a second."""

Ranges = tuple[tuple[int, int], ...]
"""Closed ranges of tenths of a second."""


def count_options(truth: int, n_options: int, draw: Draw, smallest: int = 1) -> tuple[int, ...]:
    """`n_options - 1` wrong counts about the right one, consecutive with it, none under `smallest`.

    The right count's rank is drawn evenly, then held to what `smallest` leaves room for.
    """
    below = min(draw.below(n_options), truth - smallest)
    return tuple(count for count in range(truth - below, truth - below + n_options) if count != truth)


def duration_options(truth_tenths: int, n_options: int, draw: Draw) -> tuple[int, ...]:
    """`n_options - 1` wrong durations about the right one, in tenths of a second.

    The right duration's rank is drawn evenly; where shorter ones would run out, longer ones take their place.
    """
    shorter: list[int] = []
    while len(shorter) < n_options - 1:
        last = shorter[-1] if shorter else truth_tenths
        rung = min(round(last / DURATION_RATIO), last - MIN_DURATION_STEP_TENTHS)
        if rung < MIN_DURATION_STEP_TENTHS:
            break
        shorter.append(rung)
    below = min(draw.below(n_options), len(shorter))
    longer: list[int] = []
    while len(longer) < n_options - 1 - below:
        last = longer[-1] if longer else truth_tenths
        longer.append(max(round(last * DURATION_RATIO), last + MIN_DURATION_STEP_TENTHS))
    return (*shorter[:below], *longer)


def moment_options(truth_tenths: int, allowed: Ranges, n_wrong: int, draw: Draw) -> tuple[int, ...] | None:
    """`n_wrong` moments inside `allowed`, far from the right one and from each other; None where they do not fit.

    The right moment's rank is drawn evenly, then held to what fits before and after it.
    """
    points = [p for low, high in allowed for p in range(low, high + 1) if abs(p - truth_tenths) >= MOMENT_GAP_TENTHS]
    before, after = [p for p in points if p < truth_tenths], [p for p in points if p > truth_tenths]
    room_before, room_after = _fit(before), _fit(after)
    if room_before + room_after < n_wrong:
        return None
    below = min(max(draw.below(n_wrong + 1), n_wrong - room_after), room_before)
    return (*_pick(before, below, draw), *_pick(after, n_wrong - below, draw))


def shot_options(n_shots: int, truth: int, all_equal: str, n_options: int, draw: Draw) -> tuple[str, ...] | None:
    """Wrong shots by order, and that all are alike; `truth` is the right shot's position, or -1 for all alike.

    At most one shot more than there are is offered, which a viewer who has counted can rule out. None where that is
    not enough.
    """
    wrong = [f"the {ordinal(index)} shot" for index in range(n_shots) if index != truth]
    n_wrong = n_options - 1
    if truth >= 0:
        wrong.append(all_equal)
    if len(wrong) < n_wrong:
        wrong.append(f"the {ordinal(n_shots)} shot")
    return tuple(draw.sample(wrong, n_wrong)) if len(wrong) >= n_wrong else None


def without(ranges: Ranges, taken: Iterable[tuple[int, int]]) -> Ranges:
    """What is left of closed ranges when the open insides of others are taken out."""
    for start, end in taken:
        pieces = [piece for low, high in ranges for piece in ((low, min(high, start)), (max(low, end), high))]
        ranges = tuple((low, high) for low, high in pieces if low <= high) if start < end else ranges
    return ranges


def spaced_moments(allowed: Ranges, n: int, draw: Draw) -> tuple[int, ...] | None:
    """`n` moments inside `allowed`, far from each other; None where they do not fit."""
    points = [p for low, high in allowed for p in range(low, high + 1)]
    return _pick(points, n, draw) if _fit(points) >= n else None


def _fit(points: list[int]) -> int:
    """How many of the points fit at least a gap apart: the greedy count, which is the largest."""
    count, last = 0, None
    for point in sorted(points):
        if last is None or point - last >= MOMENT_GAP_TENTHS:
            count, last = count + 1, point
    return count


def _pick(points: list[int], n: int, draw: Draw) -> tuple[int, ...]:
    """`n` of the points a gap apart, drawn; asks for `_fit(points) >= n`."""
    picked: list[int] = []
    rest = list(points)
    while len(picked) < n:
        for point in draw.shuffled(rest):
            left = [other for other in rest if abs(other - point) >= MOMENT_GAP_TENTHS]
            if _fit(left) >= n - len(picked) - 1:
                picked.append(point)
                rest = left
                break
    return tuple(picked)
