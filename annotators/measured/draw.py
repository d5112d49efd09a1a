"""Choices that look random and are the same on every machine: a hash of what is chosen for, counted up.

Here: `Draw`. Not here: what is chosen between.
"""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Draw:
    """A deterministic stream of choices. The same keys give the same choices, in the same order.

    Ours: each number is a SHA-256 of the keys and a counter, so it depends on no library's generator.
    """

    def __init__(self, *keys: object) -> None:
        self._key = "\x1f".join(str(key) for key in keys)
        self._count = 0

    def below(self, n: int) -> int:
        """An integer in `[0, n)`. Raises ValueError where `n` is not positive."""
        if n < 1:
            raise ValueError(f"nothing to draw from: {n}")
        self._count += 1
        digest = hashlib.sha256(f"{self._key}\x1f{self._count}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % n

    def choice(self, values: Sequence[T]) -> T:
        """One of `values`, each as likely as the others."""
        return values[self.below(len(values))]

    def shuffled(self, values: Sequence[T]) -> list[T]:
        """All of `values` in an order of which each is equally likely (Fisher and Yates)."""
        order = list(values)
        for last in range(len(order) - 1, 0, -1):
            other = self.below(last + 1)
            order[last], order[other] = order[other], order[last]
        return order

    def sample(self, values: Sequence[T], n: int) -> list[T]:
        """`n` different ones of `values`; all of them where there are fewer."""
        return self.shuffled(values)[:n]

    def one_in(self, n: int) -> bool:
        """True in one case of `n`."""
        return self.below(n) == 0
