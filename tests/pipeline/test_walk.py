"""Rows are looked up one at a time, cheaply in their own order and correctly in any."""

from collections.abc import Iterator

import pytest

from pipeline.walk import Walk


class Shelf:
    """Rows that count how often they are read from the beginning."""

    def __init__(self, *rows: str) -> None:
        self.rows, self.readings = rows, 0

    def read(self) -> Iterator[str]:
        self.readings += 1
        yield from self.rows


def test_rows_asked_for_in_their_order_are_read_once() -> None:
    shelf = Shelf("a1", "b2", "c3")
    walk = Walk(shelf.read, lambda row: row[0])
    assert [walk.to(key) for key in ("a", "a", "c")] == ["a1", "a1", "c3"]
    assert shelf.readings == 1


def test_a_row_that_lies_before_is_found_by_reading_again() -> None:
    shelf = Shelf("a1", "b2", "c3")
    walk = Walk(shelf.read, lambda row: row[0])
    assert [walk.to(key) for key in ("c", "a", "b")] == ["c3", "a1", "b2"]
    assert shelf.readings == 2


def test_a_row_that_is_not_there_is_an_error() -> None:
    walk = Walk(Shelf("a1").read, lambda row: row[0])
    with pytest.raises(KeyError, match="z"):
        walk.to("z")
    assert walk.to("a") == "a1"
