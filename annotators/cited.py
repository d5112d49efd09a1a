"""Evidence that part of an answer lists once, and that its statements cite by number.

Here: which pieces can stand, and where in the label they come to lie. Not here: what cites them (`annotators.sv6d`,
`annotators.checklist`), or measured evidence (`annotators.measured.observations`).
"""

from collections.abc import Sequence

from annotators.answers import SeenEvidence
from annotators.subject import ClipSubject, UnsoundError
from schemas.evidence import Evidence
from schemas.time import Span

NEAR_S = 0.5
"""How far from a stretch its evidence may lie: models round, and a cut is seen beside it. Ours."""


class CitedEvidence:
    """The evidence of one label while it is made: what nobody cites is left out of it."""

    def __init__(
        self, subject: ClipSubject, seen: Sequence[SeenEvidence], source: str, what: str, near: Span | None = None
    ) -> None:
        """Numbers the pieces from 1. `what` names their place in the answer; those far from `near` cannot stand."""
        self._what, self._listed = what, len(seen)
        self._sound: dict[int, Evidence] = {}
        self._cited: list[int] = []
        self._problems: list[str] = []
        for number, piece in enumerate(seen, 1):
            try:
                found = subject.evidence(piece, source, f"evidence {number} of {what}")
            except UnsoundError as error:
                self._problems.append(str(error))
                continue
            if near is not None and _apart_s(found.span, near) > NEAR_S:
                self._problems.append(f"evidence {number} of {what} lies outside it")
                continue
            self._sound[number] = found

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with pieces that cannot stand, one sentence each."""
        return tuple(self._problems)

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """What was cited, in order of first mention."""
        return tuple(self._sound[number] for number in self._cited)

    def cite(self, numbers: Sequence[int], who: str) -> tuple[int, ...]:
        """Positions in `evidence` of the pieces of these numbers, each once.

        Raises UnsoundError where there is no piece of such a number, or none that can stand; nothing is cited then.
        """
        missing = sorted(number for number in set(numbers) if not 1 <= number <= self._listed)
        if missing:
            named = ", ".join(map(str, missing))
            raise UnsoundError(f"{who} cites evidence {named}, but {self._what} lists {self._listed}, numbered from 1")
        standing = [number for number in dict.fromkeys(numbers) if number in self._sound]
        if not standing:
            why = "cites no evidence" if not numbers else "rests on no evidence that can stand"
            raise UnsoundError(f"{who} {why}")
        self._cited += [number for number in standing if number not in self._cited]
        return tuple(self._cited.index(number) for number in standing)


def _apart_s(first: Span, second: Span) -> float:
    """Seconds between two spans; 0 where they meet."""
    ticks = max(first.start_pts - second.end_pts, second.start_pts - first.end_pts, 0)
    return first.time_base.seconds(ticks)
