"""What `split` promises: every frame accounted for, clips within limits, spans on frame boundaries."""

import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate, pairwise

import cv2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.config import SplitConfig
from schemas.media import FrameSample, Slice, SliceSplit, Transition, TransitionKind
from schemas.signals import FrameSignals, MotionSignals, SampleSignals, SliceScan
from schemas.time import Span, TimeBase
from stages.clips.split import split_slice
from stages.errors import StageError
from stages.pictures.embedding import make_embedder
from tests.corpus import Picture, textured_frame

FPS = 25
BASE = TimeBase(numerator=1, denominator=FPS)
EMPTY_MOTION = MotionSignals(**dict.fromkeys(MotionSignals.model_fields, ()))


def scan_of(
    pts: Sequence[int],
    end_pts: int,
    transitions: Sequence[Transition] = (),
    black: Sequence[int] = (),
    time_base: TimeBase = BASE,
) -> SliceScan:
    flags = [frame in set(black) for frame in range(len(pts))]
    zeros = [0.0] * len(pts)
    other = {name: zeros for name in FrameSignals.model_fields if name not in ("pts", "is_black")}
    return SliceScan(
        slice_id="film-0",
        source_id="film",
        span=Span(start_pts=pts[0] if pts else 0, end_pts=end_pts, time_base=time_base),
        display_width=640,
        display_height=360,
        frames=FrameSignals(pts=pts, is_black=flags, **other),
        motion=EMPTY_MOTION,
        samples=SampleSignals(pts=[], patch_similarity=[], is_slow=[]),
        transitions=tuple(transitions),
        frame_samples=(),
    )


def slice_of(scan: SliceScan, index: int = 0, n_slices: int = 1) -> Slice:
    return Slice(
        slice_id="film-0",
        source_id="film",
        uri="/films/film.mp4",
        name="film.mp4",
        content_sha256="0" * 64,
        index=index,
        n_slices=n_slices,
        span=scan.span,
        n_frames=len(scan.frames.pts),
    )


def transition(
    start: int,
    end: int | None = None,
    similarity: float = 0.0,
    kind: TransitionKind = "cut",
    time_base: TimeBase = BASE,
) -> Transition:
    span = Span(start_pts=start, end_pts=start if end is None else end, time_base=time_base)
    return Transition(kind=kind, span=span, score=1.0, similarity=similarity, detector="test")


def split(
    n_frames: int, transitions: Sequence[Transition] = (), black: Sequence[int] = (), **settings: float | str
) -> SliceSplit:
    scan = scan_of(range(n_frames), n_frames, transitions, black)
    return split_slice(slice_of(scan), scan, SplitConfig.model_validate(settings))


def frames(result: SliceSplit) -> list[tuple[int, int]]:
    return [(clip.span.start_pts, clip.span.end_pts) for clip in result.clips]


def test_a_video_without_transitions_is_one_shot_and_one_clip() -> None:
    result = split(100)
    (shot,), (clip,), (verdict,) = result.shots, result.clips, result.verdicts
    assert (shot.starts_with, shot.ends_with, shot.n_frames) == ("source_start", "source_end", 100)
    assert clip.clip_id == "film-0-00000000-00004000"
    assert (verdict.subject_id, verdict.decision, verdict.score) == (clip.clip_id, "keep", 4.0)


def test_shots_that_differ_become_clips_of_their_own() -> None:
    result = split(200, [transition(100, similarity=0.3)])
    assert frames(result) == [(0, 100), (100, 200)]
    assert [clip.transitions for clip in result.clips] == [(), ()]


def test_shots_that_look_alike_are_stitched_and_keep_their_transition() -> None:
    cut = transition(100, similarity=0.7)
    (clip,) = split(200, [cut]).clips
    assert (clip.n_frames, clip.transitions) == (200, (cut,))
    assert [shot.ends_with for shot in clip.shots] == ["cut", "source_end"]


@pytest.mark.parametrize(("threshold", "n_clips"), [(0, 1), (0.7, 1), (0.71, 2), (2, 2)])
def test_the_stitching_threshold_reaches_from_always_to_never(threshold: float, n_clips: int) -> None:
    assert len(split(200, [transition(100, similarity=0.7)], stitch_min_similarity=threshold).clips) == n_clips


def test_frames_of_a_dissolve_belong_to_no_shot_but_to_a_stitched_clip() -> None:
    apart = split(200, [transition(90, 110, 0.2, "dissolve")])
    assert frames(apart) == [(0, 90), (110, 200)]
    assert apart.clips[0].shots[0].ends_with == apart.clips[1].shots[0].starts_with == "dissolve"
    (stitched,) = split(200, [transition(90, 110, 0.8, "dissolve")]).clips
    assert stitched.n_frames == 200
    assert [shot.n_frames for shot in stitched.shots] == [90, 90]


def test_stitching_stops_at_the_longest_clip_allowed() -> None:
    alike = [transition(at, similarity=0.9) for at in (100, 200, 300)]
    assert frames(split(400, alike, max_clip_s=8)) == [(0, 200), (200, 400)]


def test_a_scene_holds_its_shots_with_the_boundaries_between_them() -> None:
    cuts = [transition(50, similarity=0.7), transition(100, similarity=0.2), transition(150, similarity=0.9)]
    result = split(200, cuts, unit="scene")
    assert frames(result) == [(0, 100), (100, 200)]
    assert [clip.transitions for clip in result.clips] == [(cuts[0],), (cuts[2],)]
    assert [len(clip.shots) for clip in result.clips] == [2, 2]


def test_a_scene_that_is_too_long_is_cut_where_it_is_least_alike_and_not_from_the_left() -> None:
    cuts = [transition(at, similarity=alike) for at, alike in ((100, 0.7), (200, 0.9), (300, 0.9))]
    assert frames(split(400, cuts, unit="scene", max_clip_s=12)) == [(0, 100), (100, 400)]
    assert frames(split(400, cuts, unit="shot", max_clip_s=12)) == [(0, 300), (300, 400)]


def test_a_long_shot_is_cut_by_length_in_a_scene_too() -> None:
    result = split(1000, unit="scene", max_clip_s=15)
    assert [clip.n_frames for clip in result.clips] == [333, 333, 334]


def test_a_scene_never_reaches_over_a_black_shot() -> None:
    cuts = [transition(100, similarity=1.0), transition(150, similarity=1.0)]
    result = split(250, cuts, black=range(100, 150), unit="scene", scene_min_similarity=0)
    assert frames(result) == [(0, 100), (150, 250)]


@pytest.mark.parametrize(("threshold", "n_clips"), [(0, 1), (0.7, 1), (0.71, 2), (2, 2)])
def test_the_threshold_of_scenes_reaches_from_always_to_never(threshold: float, n_clips: int) -> None:
    cut = transition(100, similarity=0.7)
    assert len(split(200, [cut], unit="scene", scene_min_similarity=threshold).clips) == n_clips


def test_where_pictures_are_compared_what_was_stored_with_a_transition_does_not_count() -> None:
    def sample_of(pts: int, seed: int) -> FrameSample:
        return FrameSample(pts=pts, width=160, height=120, jpeg=jpeg_of(textured_frame(seed)))

    embedder = make_embedder("efficientnet-lite0", "cpu", "split.embedder")
    cuts = [transition(100, similarity=0.0), transition(200, similarity=1.0)]
    scan = scan_of(range(300), 300, cuts)
    scan = scan.replace(frame_samples=[sample_of(50, 1), sample_of(150, 1), sample_of(250, 2)])
    config = SplitConfig(unit="scene", scene_min_similarity=0.9)
    assert frames(split_slice(slice_of(scan), scan, config, embedder)) == [(0, 200), (200, 300)]
    assert frames(split_slice(slice_of(scan), scan, config)) == [(0, 100), (100, 300)]


def jpeg_of(picture: Picture) -> bytes:
    _, jpeg = cv2.imencode(".jpg", picture[..., ::-1])
    return jpeg.tobytes()


def test_a_short_shot_joins_the_more_similar_of_its_neighbours() -> None:
    cuts = [transition(100, similarity=0.6), transition(110, similarity=0.8)]
    assert frames(split(200, cuts, max_clip_s=5)) == [(0, 100), (100, 200)]


def test_a_short_shot_is_saved_by_the_right_neighbour_where_the_left_is_full() -> None:
    cuts = [transition(100, similarity=0.9), transition(200, similarity=0.9)]
    result = split(225, cuts, max_clip_s=8)
    assert frames(result) == [(0, 100), (100, 225)]


def test_a_short_shot_that_may_join_nobody_is_rejected_with_its_length() -> None:
    result = split(225, [transition(100, similarity=0.1), transition(125, similarity=0.1)])
    assert frames(result) == [(0, 100), (125, 225)]
    rejected = [verdict for verdict in result.verdicts if verdict.decision == "reject"]
    assert [(v.subject_id, v.rule, v.score, v.threshold) for v in rejected] == [
        ("film-0-00004000-00005000", "split.min_clip_s", 1.0, 2.0)
    ]


def test_a_long_shot_is_cut_into_equal_pieces() -> None:
    result = split(1000, max_clip_s=15)
    assert [clip.n_frames for clip in result.clips] == [333, 333, 334]
    edges = [(clip.shots[0].starts_with, clip.shots[0].ends_with) for clip in result.clips]
    assert edges == [
        ("source_start", "length_limit"),
        ("length_limit", "length_limit"),
        ("length_limit", "source_end"),
    ]
    assert len(result.shots) == 1


def test_where_equal_pieces_would_be_too_short_the_longest_possible_is_kept() -> None:
    result = split(90, min_clip_s=2, max_clip_s=3)
    assert frames(result) == [(0, 75)]
    assert [verdict.decision for verdict in result.verdicts] == ["keep", "reject"]


def test_edges_at_gradual_transitions_are_trimmed_and_cuts_are_not() -> None:
    transitions = [transition(100), transition(200, 220, kind="dissolve")]
    result = split(320, transitions, edge_trim_s=0.2)
    assert frames(result) == [(0, 100), (100, 195), (225, 320)]


def test_a_shot_that_trimming_uses_up_is_rejected_for_it() -> None:
    transitions = [transition(100, 120, kind="dissolve"), transition(130, 150, kind="dissolve")]
    result = split(250, transitions, edge_trim_s=0.4)
    assert [v.rule for v in result.verdicts if v.decision == "reject"] == ["split.edge_trim_s"]


def test_a_black_stretch_between_fades_becomes_no_clip_and_stitches_nothing() -> None:
    fades = [transition(90, 100, 1.0, "fade_out"), transition(160, 170, 1.0, "fade_in")]
    result = split(270, fades, black=range(100, 160), stitch_min_similarity=0)
    assert frames(result) == [(0, 90), (170, 270)]
    assert [v.rule for v in result.verdicts] == ["split.min_clip_s", "split.black", "split.min_clip_s"]


def test_a_fade_in_at_the_very_start_leaves_no_empty_shot_before_it() -> None:
    result = split(100, [transition(0, 10, 0.0, "fade_in")])
    assert frames(result) == [(10, 100)]
    assert result.shots[0].starts_with == "fade_in"


def test_edges_of_a_middle_slice_are_slice_boundaries() -> None:
    scan = scan_of(range(500, 600), 600)
    result = split_slice(slice_of(scan, index=1, n_slices=3), scan, SplitConfig())
    (shot,) = result.shots
    assert (shot.starts_with, shot.ends_with) == ("slice_boundary", "slice_boundary")
    assert result.clips[0].clip_id == "film-0-00020000-00024000"


def test_a_shot_exactly_as_long_as_asked_for_is_kept_whatever_the_time_base() -> None:
    base = TimeBase(numerator=1, denominator=10)
    scan = scan_of(range(1), 1, time_base=base)
    assert len(split_slice(slice_of(scan), scan, SplitConfig(min_clip_s=0.1)).clips) == 1


def test_a_scan_of_another_slice_or_without_frames_is_an_error_that_names_the_file() -> None:
    scan = scan_of(range(10), 10)
    with pytest.raises(StageError, match=r"film\.mp4: slice film-1 was given the scan of film-0"):
        split_slice(slice_of(scan).replace(slice_id="film-1"), scan, SplitConfig())
    empty = scan_of((), 0)
    with pytest.raises(StageError, match=r"film\.mp4: .*no decoded frame"):
        split_slice(slice_of(empty), empty, SplitConfig())


@st.composite
def scans(draw: st.DrawFn) -> SliceScan:
    """Any slice: frames of uneven lengths, an odd time base, transitions in order, black frames anywhere."""
    lengths = draw(st.lists(st.integers(1, 40), min_size=1, max_size=120))
    start = draw(st.integers(-500, 500))
    boundaries = [start, *(start + ticks for ticks in accumulate(lengths))]
    base = TimeBase.of(Fraction(draw(st.integers(1, 3)), draw(st.sampled_from([10, 24, 90, 500]))))
    edges = sorted(draw(st.lists(st.integers(0, len(lengths)), max_size=12)))
    transitions = []
    for first, end in pairwise(edges[: len(edges) // 2 * 2]):
        if draw(st.booleans()):
            similarity = draw(st.sampled_from([0.0, 0.4, 0.5, 0.9, 1.0]))
            kind: TransitionKind = "cut" if first == end else "dissolve"
            transitions.append(transition(boundaries[first], boundaries[end], similarity, kind, base))
    black = draw(st.sets(st.integers(0, len(lengths) - 1), max_size=20))
    return scan_of(boundaries[:-1], boundaries[-1], transitions, tuple(black), base)


configs = st.builds(
    SplitConfig,
    min_clip_s=st.sampled_from([0.1, 0.5, 1.0]),
    max_clip_s=st.sampled_from([1.0, 3.0, 30.0]),
    unit=st.sampled_from(["shot", "scene"]),
    stitch_min_similarity=st.sampled_from([0, 0.5, 2]),
    scene_min_similarity=st.sampled_from([0, 0.5, 2]),
)


@settings(max_examples=200, deadline=None)
@given(scan=scans(), config=configs)
def test_candidates_and_transitions_account_for_every_frame(scan: SliceScan, config: SplitConfig) -> None:
    result = split_slice(slice_of(scan), scan, config)
    candidates = [verdict.subject_id for verdict in result.verdicts]
    to_ms = 1000 * scan.span.time_base.fraction
    between = [pts for pts in scan.frames.pts if any(t.span.holds(pts) for t in scan.transitions)]
    held = []
    for candidate in candidates:
        match = re.fullmatch(r"film-0-(-?\d+)-(-?\d+)", candidate)
        assert match
        held += [pts for pts in scan.frames.pts if int(match[1]) <= round(pts * to_ms) < int(match[2])]
    assert len(held) == len(set(held))
    assert set(held) | set(between) == set(scan.frames.pts)
    assert len(candidates) == len(set(candidates))
    assert [c.clip_id for c in result.clips] == [v.subject_id for v in result.verdicts if v.decision == "keep"]


@settings(max_examples=200, deadline=None)
@given(scan=scans(), config=configs, trim=st.sampled_from([0.0, 0.2, 1.0]))
def test_clips_lie_apart_within_limits_and_on_frame_boundaries(
    scan: SliceScan, config: SplitConfig, trim: float
) -> None:
    config = config.replace(edge_trim_s=trim)
    result = split_slice(slice_of(scan), scan, config)
    boundaries = [*scan.frames.pts, scan.span.end_pts]
    for before, after in pairwise(result.clips):
        assert before.span.end_pts <= after.span.start_pts
    for clip in result.clips:
        assert scan.span.covers(clip.span)
        assert config.min_clip_s <= clip.span.duration_s <= config.max_clip_s
        first, end = boundaries.index(clip.span.start_pts), boundaries.index(clip.span.end_pts)
        assert clip.n_frames == end - first
        assert all(clip.span.covers(t.span) for t in clip.transitions)
        for shot in clip.shots:
            assert clip.span.covers(shot.span)
            inside = [pts for pts in scan.frames.pts if shot.span.holds(pts)]
            assert shot.n_frames == len(inside) > 0


@settings(max_examples=100, deadline=None)
@given(scan=scans(), config=configs)
def test_the_same_scan_gives_the_same_split(scan: SliceScan, config: SplitConfig) -> None:
    assert split_slice(slice_of(scan), scan, config) == split_slice(slice_of(scan), scan, config)
