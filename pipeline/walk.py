"""Looking rows up by a key while holding one at a time, where they are asked for in the order in which they lie.

Here: `Walk`. Not here: what is looked up (`pipeline.grid`, `pipeline.units`).
"""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

Row = TypeVar("Row")


class Walk(Generic[Row]):
    """Goes through rows to the one that is wanted, and from the beginning again where that lay before."""

    def __init__(self, rows: Callable[[], Iterator[Row]], key: Callable[[Row], str]) -> None:
        self._rows, self._key = rows, key
        self._ahead: Iterator[Row] = iter(())
        self._here: Row | None = None

    def to(self, wanted: str) -> Row:
        """The row with that key. Raises KeyError where there is none."""
        if self._here is not None and self._key(self._here) == wanted:
            return self._here
        found = self._next(wanted)
        if found is None:
            self._ahead = self._rows()
            found = self._next(wanted)
        if found is None:
            raise KeyError(wanted)
        return found

    def _next(self, wanted: str) -> Row | None:
        # The row before is let go before the next one is read: each may be large.
        self._here = None
        self._here = next((row for row in self._ahead if self._key(row) == wanted), None)
        return self._here
