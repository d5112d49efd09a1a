"""Timing several programs against each other on a machine that is never quite idle.

Here: rounds in which everybody runs once, each round in another order; medians; two cores for everybody. Not here: who
runs (`tests.benchmarks.contestants`).
"""

import contextlib
import itertools
import os
import statistics
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tests.benchmarks.footage import Say

N_CORES = 2
"""Cores that everybody gets; a machine with more lends two."""

Contestant = Callable[[], float]
"""Does the work once, and returns the seconds it took."""


@dataclass(frozen=True)
class Times:
    """Seconds of each contestant, one value a round."""

    seconds: dict[str, list[float]]

    def median_s(self, name: str) -> float:
        """The contestant's usual time."""
        return statistics.median(self.seconds[name])

    def ratio(self, name: str, other: str) -> float:
        """How many times as long the first takes as the second: the median of the rounds' own ratios.

        A slow stretch of the machine that lasts a round slows both, and leaves their ratio alone.
        """
        return statistics.median(self._ratios(name, other))

    def spread(self, name: str, other: str) -> str:
        """The least and the greatest of the rounds' ratios, in words."""
        ratios = self._ratios(name, other)
        return f"{min(ratios):.2f} to {max(ratios):.2f} in {len(ratios)} round{'' if len(ratios) == 1 else 's'}"

    def _ratios(self, name: str, other: str) -> list[float]:
        return [one / two for one, two in zip(self.seconds[name], self.seconds[other], strict=True)]


def race(contestants: Mapping[str, Contestant], rounds: int, say: Say) -> Times:
    """Let everybody run once a round; who begins moves on by one from round to round."""
    names = list(contestants)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        for name in itertools.islice(itertools.cycle(names), number % len(names), number % len(names) + len(names)):
            seconds[name].append(contestants[name]())
            say(f"  round {number + 1}: {name} {seconds[name][-1]:.2f} s")
    return Times(seconds)


@contextlib.contextmanager
def two_cores() -> Iterator[int]:
    """Keep this process, and all that it starts, on two cores while the block lasts; yields how many it got."""
    if not hasattr(os, "sched_setaffinity"):  # not Linux: whatever the machine has
        yield os.cpu_count() or 1
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:N_CORES])
    try:
        yield min(N_CORES, len(before))
    finally:
        os.sched_setaffinity(0, before)
