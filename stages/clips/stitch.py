"""Which neighbouring shots make one clip: those that look alike, as long as the whole is not too long.

Here: grouping shots by how similar neighbours are. Not here: measuring that (`stages.scan.similarity`), or what becomes
of the groups (`stages.clips.split`).
"""

import itertools
from collections.abc import Sequence
from fractions import Fraction

from schemas.media import Shot


def stitch(
    shots: Sequence[Shot],
    similarities: Sequence[float],
    min_similarity: float,
    min_ticks: Fraction,
    max_ticks: Fraction,
) -> list[tuple[Shot, ...]]:
    """Groups of neighbouring shots: first each short one with its more similar neighbour, then all from the left.

    Args:
        shots: in order, without overlap.
        similarities: of each shot and the next, one fewer than there are shots.
        min_similarity: below it two neighbours are never joined.
        min_ticks: a group that lasts less is short.
        max_ticks: no joined group lasts longer.
    """
    chain = _Chain(shots, similarities, min_similarity, max_ticks)
    for shot in range(len(shots)):
        first, last = chain.group_of(shot)
        if chain.ticks(first, last) < min_ticks:
            allowed = [gap for gap in (first - 1, last) if chain.may_join(gap)]
            if allowed:
                chain.is_joined[max(allowed, key=lambda gap: similarities[gap])] = True
    for gap in range(len(similarities)):
        chain.is_joined[gap] = chain.is_joined[gap] or chain.may_join(gap)
    return chain.groups()


class _Chain:
    """Shots in a row; gap `n` is what lies between shot `n` and the next, and may be joined."""

    def __init__(
        self, shots: Sequence[Shot], similarities: Sequence[float], min_similarity: float, max_ticks: Fraction
    ) -> None:
        self._shots, self._similarities = shots, similarities
        self._min_similarity, self._max_ticks = min_similarity, max_ticks
        self.is_joined = [False] * len(similarities)

    def ticks(self, first: int, last: int) -> int:
        """From the start of one shot to the end of another."""
        return self._shots[last].span.end_pts - self._shots[first].span.start_pts

    def group_of(self, shot: int) -> tuple[int, int]:
        """First and last shot of the group that a shot belongs to."""
        first, last = shot, shot
        while first > 0 and self.is_joined[first - 1]:
            first -= 1
        while last < len(self.is_joined) and self.is_joined[last]:
            last += 1
        return first, last

    def may_join(self, gap: int) -> bool:
        """Whether the groups on both sides are alike enough, and short enough together."""
        if not 0 <= gap < len(self.is_joined) or self.is_joined[gap]:
            return False
        if self._similarities[gap] < self._min_similarity:
            return False
        return self.ticks(self.group_of(gap)[0], self.group_of(gap + 1)[1]) <= self._max_ticks

    def groups(self) -> list[tuple[Shot, ...]]:
        """The shots, group by group."""
        starts = [0, *(gap + 1 for gap, is_joined in enumerate(self.is_joined) if not is_joined), len(self._shots)]
        return [tuple(self._shots[start:end]) for start, end in itertools.pairwise(starts) if start < end]
