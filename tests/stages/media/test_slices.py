"""Slices begin at keyframes, no further apart than they must be."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stages.media.slices import slice_bounds


@given(gaps=st.lists(st.integers(1, 50), min_size=1, max_size=40), tail=st.integers(1, 50), limit=st.integers(1, 200))
def test_slice_bounds_are_keyframes_within_reach(gaps: list[int], tail: int, limit: int) -> None:
    keyframes = np.cumsum(gaps)
    end = int(keyframes[-1]) + tail
    bounds = slice_bounds(keyframes, end, limit)
    assert bounds[0] == keyframes[0]
    assert bounds[-1] == end
    assert bounds == sorted(set(bounds))
    assert set(bounds[:-1]) <= set(keyframes.tolist())
    for start, stop in itertools.pairwise(bounds):
        assert stop - start <= limit or not any(start < keyframe < stop for keyframe in keyframes)
