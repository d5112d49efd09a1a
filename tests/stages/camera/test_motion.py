"""Statements about camera motion: direction, size, trust, subjects, and pairs that depend on the clock alone."""

import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.config import ScanConfig
from schemas.media import Transition
from schemas.signals import MotionSignals
from schemas.time import Span, TimeBase
from stages.camera.fit import whole_shifts
from stages.camera.motion import CameraMotion, MotionTrack, camera_motion, clock_tick, join_tracks
from stages.scan.proxies import Image
from tests.corpus import Picture, moving_crop, textured_frame

SAMPLE = Path(__file__).parents[3] / "jobs" / "samples" / "bunny.mp4"
BASE = TimeBase.of(Fraction(1, 25))
MOVES = {
    "pan_right": {"pan_px": 5.0}, "pan_left": {"pan_px": -5.0},
    "tilt_up": {"tilt_px": 4.0}, "tilt_down": {"tilt_px": -4.0},
    "zoom_in": {"zoom": 1.03}, "zoom_out": {"zoom": 1 / 1.03}, "clockwise": {"roll_degrees": 2.0},
    "counterclockwise": {"roll_degrees": -2.0}, "slow_pan": {"pan_px": 0.5}, "fast_pan": {"pan_px": 24.0},
    "all_at_once": {"pan_px": 3.0, "tilt_px": -2.0, "zoom": 1.02, "roll_degrees": 1.0},
}  # fmt: skip


@cache
def real_texture() -> Picture:
    with av.open(str(SAMPLE)) as container:
        frame = next(container.decode(video=0))
        return np.asarray(frame.to_ndarray(format="rgb24", width=320, height=180, interpolation="AREA"), dtype=np.uint8)


def moved(scene: Picture, move: dict[str, float]) -> tuple[Image, Image]:
    """Luma of two frames of a camera that makes the move between them."""
    crops = moving_crop(
        scene, 2, 90, 160, pan_px=move.get("pan_px", 0), tilt_px=move.get("tilt_px", 0), zoom=move.get("zoom", 1),
        roll_degrees=move.get("roll_degrees", 0),
    )  # fmt: skip
    before, after = (luma(crop) for crop in crops)
    return before, after


def luma(picture: Picture) -> Image:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def assert_is(motion: CameraMotion, truth: dict[str, float]) -> None:
    """Within 10 %, or within what a tenth of a pixel at the picture's edge amounts to."""
    expected = [truth.get("pan_px", 0) / 160, truth.get("tilt_px", 0) / 90]
    expected += [np.log(truth.get("zoom", 1.0)), truth.get("roll_degrees", 0.0)]
    measured = [motion.pan_widths, motion.tilt_heights, motion.zoom, motion.roll_degrees]
    for value, true, floor in zip(measured, expected, (0.1 / 160, 0.1 / 90, 0.002, 0.1), strict=True):
        assert value == pytest.approx(true, rel=0.1, abs=floor)


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("texture", ["real", "synthetic"])
def test_a_known_move_is_measured_with_its_sign(name: str, texture: str) -> None:
    scene = real_texture() if texture == "real" else textured_frame(4, 180, 320)
    before, after = moved(scene, MOVES[name])
    motion = camera_motion(before, after)
    assert_is(motion, MOVES[name])
    assert motion.inlier_ratio > 0.7


@pytest.mark.parametrize("name", MOVES)
def test_a_subject_that_covers_a_fifth_of_the_picture_does_not_steer_the_camera(name: str) -> None:
    before, after = moved(real_texture(), MOVES[name])
    subject = luma(textured_frame(9, 40, 72))
    before[20:60, 40:112], after[22:62, 46:118] = subject, subject
    motion = camera_motion(before, after)
    assert_is(motion, MOVES[name])
    assert 0.5 < motion.inlier_ratio < 0.95


@pytest.mark.parametrize("pan_px", [-28.0, 24.0, 30.0])
@pytest.mark.parametrize("seed", [4, 17])
def test_a_pan_beyond_the_reach_of_points_is_found_behind_a_subject_that_hardly_moves(pan_px: float, seed: int) -> None:
    before, after = moved(real_texture(), {"pan_px": pan_px})
    subject = luma(textured_frame(seed, 60, 72))
    before[15:75, 44:116], after[16:76, 45:117] = subject, subject
    assert whole_shifts(before, after) == [1 + 1j, -pan_px]
    assert_is(camera_motion(before, after), {"pan_px": pan_px})


def with_subject(move: dict[str, float], texture: Picture, own: tuple[float, float], contrast: float) -> list[Image]:
    """Two frames in which a subject covers 45 % of the picture's middle, and moves by `own` pixels.

    The rest loses contrast by that factor.
    """
    (cut,) = moving_crop(texture, 1, 64, 102)
    pictures = list[Image]()
    for number, behind in enumerate(moved(real_texture(), move)):
        place = np.array([[1.0, 0.0, 29 + own[0] * number], [0.0, 1.0, 13 + own[1] * number]])
        subject, share = (cv2.warpAffine(one, place, (160, 90)) for one in (luma(cut), np.ones((64, 102), np.float32)))
        faded = (behind - 128.0) * contrast + 128
        pictures.append(np.round(faded * (1 - share) + subject * share).astype(np.uint8))
    return pictures


@pytest.mark.parametrize(
    ("move", "contrast"), [("slow_pan", 0.3), ("pan_left", 0.3), ("zoom_in", 1.0), ("all_at_once", 1.0)]
)
def test_a_subject_of_nearly_half_the_picture_is_not_taken_for_the_camera(move: str, contrast: float) -> None:
    before, after = with_subject(MOVES[move], real_texture()[:, ::-1], (6.0, 4.0), contrast)
    assert_is(camera_motion(before, after), MOVES[move])


@pytest.mark.parametrize("move", [{"pan_px": 0.5}, {"tilt_px": 0.5}, {"zoom": 1.006}, {"roll_degrees": 0.4}])
def test_a_subject_hardly_faster_than_the_camera_does_not_drag_it_along(move: dict[str, float]) -> None:
    motion = camera_motion(*with_subject(move, textured_frame(9, 180, 320), (1.2, 0.8), 0.4))
    at_the_edge = [
        motion.pan_widths * 160 - move.get("pan_px", 0.0), motion.tilt_heights * 90 - move.get("tilt_px", 0.0),
        80 * (motion.zoom - np.log(move.get("zoom", 1.0))),
        80 * np.radians(motion.roll_degrees - move.get("roll_degrees", 0.0)),
    ]  # fmt: skip
    assert np.linalg.norm(at_the_edge) < 0.065


@pytest.mark.parametrize("name", MOVES)
def test_bars_at_the_sides_do_not_hold_the_camera(name: str) -> None:
    before, after = moved(real_texture(), MOVES[name])
    for picture in (before, after):
        picture[:, :20], picture[:, -20:] = 16, 16
    assert_is(camera_motion(before, after), MOVES[name])


@pytest.mark.parametrize("move", ["pan_left", "zoom_in", "clockwise"])
def test_what_moves_otherwise_than_the_camera_is_the_subject_with_its_own_speed(move: str) -> None:
    before, after = moved(real_texture(), MOVES[move])
    alone = camera_motion(before, after)
    assert alone.subject_ratio < 0.03
    for picture, (top, left) in ((before, (20, 40)), (after, (28, 50))):
        picture[top : top + 40, left : left + 72] = luma(textured_frame(9, 40, 72))
    motion = camera_motion(before, after)
    assert 0.15 < motion.subject_ratio < 0.4
    assert motion.inlier_ratio + motion.subject_ratio <= 1
    own = complex(10, 8) - complex(-MOVES[move].get("pan_px", 0), 0)
    assert motion.subject_motion_widths == pytest.approx(abs(own) / 160, rel=0.15)


@pytest.mark.parametrize("strength", [2.0, 4.0])
def test_grain_neither_moves_the_camera_nor_is_a_subject(strength: float) -> None:
    (still,) = moving_crop(real_texture(), 1, 90, 160)
    random = np.random.default_rng(3)
    grain = random.normal(0, strength, (2, 90, 160))
    before, after = (np.clip(luma(still) + one, 0, 255).astype(np.uint8) for one in grain)
    motion = camera_motion(before, after)
    assert_is(motion, {})
    assert motion.inlier_ratio > 0.9
    assert motion.subject_ratio < 0.05


def test_light_that_changes_during_a_pan_is_no_motion() -> None:
    before, after = moved(real_texture(), MOVES["pan_left"])
    dimmed = np.asarray(after * 0.8 + 10, dtype=np.uint8)
    motion = camera_motion(before, dimmed)
    assert_is(motion, MOVES["pan_left"])
    assert motion.inlier_ratio > 0.9


@pytest.mark.parametrize("size", [(18, 160), (90, 160), (285, 160), (640, 160), (45, 80), (240, 320)])
def test_pictures_of_any_shape_are_measured(size: tuple[int, int]) -> None:
    height, width = size
    wall = np.tile(real_texture(), (8, 4, 1))
    before, after = (luma(p) for p in moving_crop(wall, 2, height, width, pan_px=3.0))
    motion = camera_motion(before, after)
    assert motion.pan_widths == pytest.approx(3 / width, rel=0.1)
    assert motion.tilt_heights == pytest.approx(0, abs=0.1 / height)


def test_threads_do_not_disturb_each_other() -> None:
    pairs = [moved(real_texture(), move) for move in MOVES.values()] * 4
    alone = [camera_motion(*pair) for pair in pairs]
    with ThreadPoolExecutor(max_workers=4) as pool:
        assert list(pool.map(lambda pair: camera_motion(*pair), pairs)) == alone


def test_a_picture_that_stands_still_has_no_motion() -> None:
    (still,) = moving_crop(real_texture(), 1, 90, 160)
    motion = camera_motion(luma(still), luma(still))
    assert_is(motion, {})
    assert motion.inlier_ratio == 1.0
    assert motion.subject_motion_widths < 1e-4


def test_nothing_is_claimed_of_a_picture_without_features() -> None:
    flat = np.full((90, 160), 128, np.uint8)
    assert camera_motion(flat, flat) == CameraMotion()


def test_no_part_of_unrelated_pictures_has_gone_anywhere() -> None:
    assert whole_shifts(luma(textured_frame(1, 90, 160)), luma(textured_frame(2, 90, 160))) == []


def test_unrelated_pictures_are_not_trusted() -> None:
    first, second = (luma(textured_frame(seed, 90, 160)) for seed in (1, 2))
    assert camera_motion(first, second).inlier_ratio < 0.5


def test_the_same_pictures_give_the_same_figures() -> None:
    before, after = (luma(p) for p in moving_crop(real_texture(), 2, 90, 160, pan_px=7.0, zoom=1.01))
    assert len({camera_motion(before, after) for _ in range(5)}) == 1


def track_of(frames: Sequence[tuple[int, Image]], time_base: TimeBase = BASE) -> MotionTrack:
    track = MotionTrack(time_base, ScanConfig())
    for pts, picture in frames:
        track.add(pts, picture)
    return track


def signals_of(pictures: list[Picture], ticks_per_frame: int = 1, cuts: Sequence[Transition] = ()) -> MotionSignals:
    frames = [(number * ticks_per_frame, luma(picture)) for number, picture in enumerate(pictures)]
    return join_tracks([track_of(frames)]).signals(cuts)


def test_pairs_follow_the_source_clock_and_figures_are_per_second() -> None:
    motion = signals_of(list(moving_crop(real_texture(), 50, 90, 160, start=(90.0, 90.0), pan_px=1.6)))
    assert len(motion.start_pts) == 15
    assert motion.end_pts[:-1] == motion.start_pts[1:]
    assert motion.pan_widths_per_s == pytest.approx([0.25] * 15, rel=0.1)


def test_a_slow_frame_rate_pairs_every_frame() -> None:
    motion = signals_of(list(moving_crop(real_texture(), 6, 90, 160, pan_px=2.0)), ticks_per_frame=5)
    assert motion.start_pts == (0, 5, 10, 15, 20)
    assert motion.pan_widths_per_s == pytest.approx([2 / 160 * 5] * 5, rel=0.1)


@pytest.mark.parametrize("frame", [9, 10, 11, 12, 13])
def test_no_pair_lies_across_a_cut(frame: int) -> None:
    pictures = [textured_frame(1, 90, 160)] * frame + [textured_frame(2, 90, 160)] * (30 - frame)
    span = Span(start_pts=frame, end_pts=frame, time_base=BASE)
    cut = Transition(kind="cut", span=span, score=50.0, similarity=0.0, detector="test")
    motion = signals_of(pictures, cuts=[cut])
    assert all(end < frame or start >= frame for start, end in zip(motion.start_pts, motion.end_pts, strict=True))
    assert len(motion.start_pts) == 8
    assert motion.pan_widths_per_s == pytest.approx([0.0] * 8, abs=1e-3)


def test_a_single_frame_has_an_empty_series() -> None:
    assert signals_of([textured_frame(1, 90, 160)]).start_pts == ()


def test_ticks_of_the_clock_are_exact_far_from_the_start() -> None:
    ntsc = TimeBase.of(Fraction(1001, 30000))
    ticks = [clock_tick(pts, ntsc, 2.0) for pts in range(10**9, 10**9 + 300)]
    assert ticks[0] == 10**9 * 1001 * 2 // 30000
    assert ticks[-1] - ticks[0] in (19, 20)


@cache
def panned(count: int, ticks_per_frame: int) -> tuple[tuple[int, Image], ...]:
    """Frames of an uneven pan, so that every pair of them has its own figures; pts begin before 0."""
    random = np.random.default_rng(5)
    places = np.cumsum(random.uniform(-2, 2, size=(count, 2)), axis=0) + np.array([160, 90])
    views = (next(moving_crop(real_texture(), 1, 90, 160, start=(x, y))) for x, y in places)
    return tuple((number * ticks_per_frame - 7, luma(view)) for number, view in enumerate(views))


@settings(max_examples=12, deadline=None)
@given(cuts=st.sets(st.integers(0, 26), max_size=12), ticks_per_frame=st.sampled_from([1, 2, 4, 9]))
def test_the_series_do_not_depend_on_where_the_slice_was_divided(cuts: set[int], ticks_per_frame: int) -> None:
    frames = panned(26, ticks_per_frame)
    whole = join_tracks([track_of(frames)]).signals(())
    bounds = [0, *sorted(cuts), len(frames)]
    parts = [track_of(frames[start:end]) for start, end in itertools.pairwise(bounds)]
    assert join_tracks(parts).signals(()) == whole


@pytest.mark.parametrize("n_parts", [2, 5, 26])
def test_stretches_down_to_single_frames_give_the_series_of_the_whole(n_parts: int) -> None:
    frames = panned(26, 1)
    bounds = np.linspace(0, 26, n_parts + 1).round().astype(int)
    parts = [track_of(frames[start:end]) for start, end in itertools.pairwise(bounds)]
    joined = join_tracks(parts).signals(())
    assert joined == join_tracks([track_of(frames)]).signals(())
    assert len(joined.start_pts) == 8
