"""What the camera terms promise: a motion is named only where it is sure, and segments follow its changes."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.config import DescribeConfig
from schemas.signals import CameraTerm, MotionSignals
from schemas.time import Span, TimeBase
from stages.camera.terms import CameraMeans, camera_segments, camera_term, mean_camera

TICKS_PER_S = 1000
BASE = TimeBase(numerator=1, denominator=TICKS_PER_S)
PAIR_TICKS = 120
CONFIG = DescribeConfig()


def motion_of(
    pan: Sequence[float],
    tilt: Sequence[float] | None = None,
    zoom: Sequence[float] | None = None,
    roll: Sequence[float] | None = None,
    inlier_ratio: Sequence[float] | None = None,
    pair_ticks: Sequence[int] | None = None,
) -> MotionSignals:
    """Pairs one after another, each `PAIR_TICKS` long by default."""
    n_pairs = len(pan)
    bounds = np.concatenate([[0], np.cumsum(pair_ticks or [PAIR_TICKS] * n_pairs)])
    still = [0.0] * n_pairs
    return MotionSignals(
        start_pts=bounds[:-1],
        end_pts=bounds[1:],
        pan_widths_per_s=pan,
        tilt_heights_per_s=tilt or still,
        zoom_per_s=zoom or still,
        roll_degrees_per_s=roll or still,
        inlier_ratio=inlier_ratio or [1.0] * n_pairs,
        subject_ratio=still,
        subject_motion_widths_per_s=still,
    )


def span_of(start_pts: int, end_pts: int) -> Span:
    return Span(start_pts=start_pts, end_pts=end_pts, time_base=BASE)


def whole(motion: MotionSignals) -> Span:
    return span_of(0, motion.end_pts[-1])


def means(**changes: float) -> CameraMeans:
    still = {"pan_widths_per_s": 0.0, "tilt_heights_per_s": 0.0, "zoom_per_s": 0.0, "roll_degrees_per_s": 0.0}
    rest = {"shake": 0.0, "subject_ratio": 0.0, "subject_motion_widths_per_s": 0.0, "inlier_ratio": 1.0}
    return CameraMeans(**{**still, **rest, **changes}, n_pairs=1)


def test_means_weigh_each_pair_by_its_duration() -> None:
    motion = motion_of([0.0, 0.4], pair_ticks=[300, 100])
    found = mean_camera(motion, whole(motion))
    assert found is not None
    assert found.pan_widths_per_s == pytest.approx(0.1)
    assert found.shake == pytest.approx(np.sqrt(0.75 * 0.1**2 + 0.25 * 0.3**2))


def test_pairs_without_a_camera_model_lower_the_trust_and_have_no_say_in_the_motion() -> None:
    motion = motion_of([0.2, 0.0, 0.2, 0.2], inlier_ratio=[0.8, 0.0, 0.8, 0.8])
    found = mean_camera(motion, whole(motion))
    assert found is not None
    assert (found.pan_widths_per_s, found.shake) == pytest.approx((0.2, 0.0))
    assert found.inlier_ratio == pytest.approx(0.6)
    lost = mean_camera(motion_of([0.0, 0.0], inlier_ratio=[0.0, 0.0]), span_of(0, 2 * PAIR_TICKS))
    assert lost is not None
    assert camera_term(lost, CONFIG) == "unclear"


def test_only_pairs_wholly_inside_the_span_count() -> None:
    motion = motion_of([9.0, 0.1, 0.1, 9.0])
    found = mean_camera(motion, span_of(PAIR_TICKS - 1, 3 * PAIR_TICKS + 1))
    assert found is not None
    assert found.n_pairs == 2
    assert found.pan_widths_per_s == pytest.approx(0.1)


def test_a_span_without_a_pair_has_no_means_and_no_segments() -> None:
    motion = motion_of([0.1, 0.1])
    assert mean_camera(motion, span_of(10, PAIR_TICKS + 10)) is None
    assert camera_segments(motion, span_of(10, PAIR_TICKS + 10), CONFIG) == ()
    assert camera_segments(motion_of([]), span_of(0, 100), CONFIG) == ()


@pytest.mark.parametrize(
    ("changes", "term"),
    [
        ({}, "static"),
        ({"pan_widths_per_s": 0.2}, "pan_right"),
        ({"pan_widths_per_s": -0.2}, "pan_left"),
        ({"tilt_heights_per_s": 0.2}, "tilt_up"),
        ({"tilt_heights_per_s": -0.2}, "tilt_down"),
        ({"zoom_per_s": 0.2}, "zoom_in"),
        ({"zoom_per_s": -0.2}, "zoom_out"),
        ({"roll_degrees_per_s": 9.0}, "roll_clockwise"),
        ({"roll_degrees_per_s": -9.0}, "roll_counterclockwise"),
        ({"pan_widths_per_s": 0.2, "zoom_per_s": 0.2}, "mixed"),
        ({"pan_widths_per_s": 0.2, "zoom_per_s": 0.03}, "pan_right"),
        ({"pan_widths_per_s": 0.05, "zoom_per_s": 0.045}, "unclear"),
        ({"pan_widths_per_s": 0.03}, "unclear"),
        ({"zoom_per_s": 0.03}, "unclear"),
        ({"pan_widths_per_s": 0.2, "inlier_ratio": 0.3}, "unclear"),
        ({"shake": 0.02}, "static"),
        ({"shake": 0.04}, "unclear"),
        ({"shake": 0.06}, "handheld"),
        ({"shake": 0.1}, "handheld"),
        ({"shake": 0.1, "pan_widths_per_s": 0.06}, "handheld"),
        ({"shake": 0.1, "pan_widths_per_s": 0.3}, "pan_right"),
    ],
)
def test_a_term_is_claimed_only_where_the_means_are_clear(changes: dict[str, float], term: CameraTerm) -> None:
    assert camera_term(means(**changes), CONFIG) == term


def test_a_camera_that_stands_and_then_pans_gives_two_segments() -> None:
    motion = motion_of([0.0] * 15 + [0.25] * 20)
    first, second = camera_segments(motion, whole(motion), CONFIG)
    assert (first.term, second.term) == ("static", "pan_right")
    assert first.span.end_pts == second.span.start_pts == 15 * PAIR_TICKS
    assert second.pan_widths_per_s == pytest.approx(0.25)


def test_thresholds_of_zero_are_allowed() -> None:
    zeros = {name: 0.0 for name in DescribeConfig.model_fields if name.startswith(("static_", "moving_"))}
    motion = motion_of([0.0] * 10 + [0.1] * 10)
    segments = camera_segments(motion, whole(motion), CONFIG.replace(**zeros))
    assert [segment.term for segment in segments] == ["unclear", "pan_right"]


def test_noise_does_not_split_a_steady_motion() -> None:
    rng = np.random.default_rng(7)
    for _ in range(20):
        noise = rng.normal(0, 0.01, (4, 80))
        motion = motion_of(*(list(series) for series in noise + np.array([[0.2], [0], [0], [0]])))
        assert [segment.term for segment in camera_segments(motion, whole(motion), CONFIG)] == ["pan_right"]


def test_a_change_under_noise_is_found_within_two_pairs() -> None:
    rng = np.random.default_rng(11)
    for _ in range(20):
        pan = np.concatenate([np.full(30, 0.2), np.full(25, -0.2)]) + rng.normal(0, 0.02, 55)
        motion = motion_of(list(pan))
        segments = camera_segments(motion, whole(motion), CONFIG)
        assert [segment.term for segment in segments] == ["pan_right", "pan_left"]
        assert abs(segments[0].span.end_pts - 30 * PAIR_TICKS) <= 2 * PAIR_TICKS


def test_a_jolt_shorter_than_the_shortest_segment_founds_none() -> None:
    motion = motion_of([0.0] * 20 + [0.3] * 2 + [0.0] * 20)
    assert "pan_right" not in [segment.term for segment in camera_segments(motion, whole(motion), CONFIG)]


def test_estimates_that_are_not_to_be_trusted_are_called_unclear() -> None:
    motion = motion_of([0.5, -0.5] * 10, inlier_ratio=[0.2] * 20)
    assert {segment.term for segment in camera_segments(motion, whole(motion), CONFIG)} == {"unclear"}


def test_a_shot_shorter_than_the_shortest_segment_has_one_segment() -> None:
    motion = motion_of([0.2] * 3)
    (segment,) = camera_segments(motion, whole(motion), CONFIG)
    assert (segment.term, segment.span) == ("pan_right", whole(motion))


rates = st.floats(-1, 1, allow_nan=False, width=32)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), n_pairs=st.integers(1, 60))
def test_segments_are_in_order_long_enough_and_agree_with_their_own_means(data: st.DataObject, n_pairs: int) -> None:
    pan, tilt, zoom = (data.draw(st.lists(rates, min_size=n_pairs, max_size=n_pairs)) for _ in range(3))
    motion = motion_of(pan, tilt, zoom)
    span = whole(motion)
    segments = camera_segments(motion, span, CONFIG)
    assert segments[0].span.start_pts == span.start_pts
    assert segments[-1].span.end_pts == span.end_pts
    for segment in segments:
        found = mean_camera(motion, segment.span)
        assert found is not None
        assert camera_term(found, CONFIG) == segment.term
        assert len(segments) == 1 or segment.span.duration_s >= CONFIG.min_camera_segment_s
    for before, after in pairwise(segments):
        assert before.span.end_pts == after.span.start_pts
