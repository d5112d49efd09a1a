"""Time is exact: spans are half-open intervals of integer ticks."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.time import Span, TimeBase

NTSC = TimeBase(numerator=1001, denominator=30000)
ticks = st.integers(-(10**9), 10**9)
spans = st.tuples(ticks, ticks).map(
    lambda ends: Span(start_pts=min(ends), end_pts=max(ends), time_base=TimeBase(numerator=1, denominator=90000))
)


def test_seconds_are_derived_from_ticks_exactly() -> None:
    assert Span(start_pts=30000, end_pts=60000, time_base=NTSC).start_s == 1001.0


@given(ticks)
def test_ticks_survive_the_way_through_seconds(pts: int) -> None:
    assert NTSC.ticks(NTSC.seconds(pts)) == pts


def test_a_span_cannot_end_before_it_starts() -> None:
    with pytest.raises(ValidationError, match="cannot end before it starts"):
        Span(start_pts=2, end_pts=1, time_base=NTSC)


@given(spans, spans)
def test_overlap_and_iou_are_symmetric_and_bounded(one: Span, other: Span) -> None:
    assert one.iou(other) == other.iou(one)
    assert 0 <= one.iou(other) <= 1
    assert one.overlap_s(other) == other.overlap_s(one) <= min(one.duration_s, other.duration_s)


@given(spans, spans)
def test_what_is_clamped_lies_in_both(one: Span, other: Span) -> None:
    inside = one.clamp(other)
    assert (inside is None) == (one.overlap_s(other) == 0)
    if inside:
        assert one.covers(inside)
        assert other.covers(inside)
        assert inside.duration_s == one.overlap_s(other)


@given(spans)
def test_the_end_is_outside(span: Span) -> None:
    assert not span.holds(span.end_pts)
    assert span.holds(span.start_pts) == (span.start_pts < span.end_pts)


def test_spans_on_different_clocks_do_not_compare() -> None:
    other = Span(start_pts=0, end_pts=1, time_base=TimeBase(numerator=1, denominator=25))
    with pytest.raises(ValueError, match="different time bases"):
        Span(start_pts=0, end_pts=1, time_base=NTSC).overlap_s(other)


def test_a_time_base_is_the_fraction_it_was_made_from() -> None:
    assert TimeBase.of(Fraction(1, 12800)).fraction == Fraction(1, 12800)
