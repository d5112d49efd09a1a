"""What every keyframe strategy promises, and what makes each of them different from the others."""

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from schemas.config import DescribeConfig
from schemas.media import Clip, FrameSample, Shot
from schemas.signals import FrameSignals, Keyframe, MotionSignals, SampleSignals, SliceScan
from schemas.time import Span, TimeBase
from stages.keyframes.by_embeddings import any_k, grow_key_clips, kmeans, redundancy_removal
from stages.keyframes.by_signals import evenly_spaced, slow_frames, variation_peaks
from stages.keyframes.candidates import Candidates
from stages.keyframes.strategies import FILLED_UP, STRATEGIES, choose_keyframes
from stages.pictures.embedding import Embedder
from stages.pictures.samples import Picture

BASE = TimeBase(numerator=1, denominator=25)
CONFIG = DescribeConfig()
COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (90, 90, 90))


class MeanColour:
    """A model whose vectors are mean colours: pictures of one colour are alike, of other colours are not."""

    device = "cpu"

    def vectors(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        return np.stack([picture.mean(axis=(0, 1)) for picture in pictures]).astype(np.float32)


EMBEDDER = Embedder("mean-colour", MeanColour())


def jpeg_of(colour: tuple[int, int, int]) -> bytes:
    _, jpeg = cv2.imencode(".jpg", np.full((16, 16, 3), colour[::-1], np.uint8))
    return jpeg.tobytes()


JPEGS = tuple(jpeg_of(colour) for colour in COLOURS)


def span_of(start: int, end: int) -> Span:
    return Span(start_pts=start, end_pts=end, time_base=BASE)


def candidates_of(
    pts: Sequence[int],
    colours: Sequence[int] = (),
    shots: Sequence[tuple[int, int]] = ((0, 100),),
    slow: Sequence[int] = (),
    variation: Sequence[float] = (),
) -> Candidates:
    """Of a clip over the shots; `colours` index vectors at right angles, `slow` are positions."""
    return Candidates(
        pts=np.array(pts, np.int64),
        clip=(shots[0][0], shots[-1][1]),
        shots=tuple(shots),
        sharpness=np.ones(len(pts), np.float32),
        variation=np.array(variation or [0.0] * len(pts), np.float32),
        is_slow=np.array([position in slow for position in range(len(pts))], np.bool_),
        embeddings=np.eye(8, dtype=np.float16)[list(colours or [0] * len(pts))],
    )


@st.composite
def clips(draw: st.DrawFn) -> tuple[Clip, SliceScan]:
    """Any clip: shots with or without transitions between, none to many samples, black frames, colours that repeat."""
    n_frames = draw(st.integers(4, 120))
    edges = sorted(draw(st.sets(st.integers(0, n_frames), min_size=2, max_size=8)))
    edges = edges if len(edges) % 2 == 0 else edges[:-1]
    bounds = [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    samples = sorted(draw(st.sets(st.integers(0, n_frames - 1), max_size=25)))
    black = draw(st.sets(st.integers(0, n_frames - 1), max_size=n_frames))
    ones = st.lists(st.floats(0, 255, width=32), min_size=n_frames, max_size=n_frames)
    zeros = [0.0] * n_frames
    series = {name: zeros for name in FrameSignals.model_fields if name not in ("pts", "is_black")}
    series |= {"sharpness": draw(ones), "content_distance": draw(ones)}
    scan = SliceScan(
        slice_id="film-0",
        source_id="film",
        span=span_of(0, n_frames),
        display_width=16,
        display_height=16,
        frames=FrameSignals(pts=range(n_frames), is_black=[frame in black for frame in range(n_frames)], **series),
        motion=MotionSignals(**dict.fromkeys(MotionSignals.model_fields, ())),
        samples=SampleSignals(
            pts=samples, patch_similarity=[1.0] * len(samples), is_slow=[draw(st.booleans()) for _ in samples]
        ),
        transitions=(),
        frame_samples=tuple(
            FrameSample(pts=pts, width=16, height=16, jpeg=draw(st.sampled_from(JPEGS))) for pts in samples
        ),
    )
    clip = Clip(
        clip_id="film-0-00000000-00008000",
        source_id="film",
        slice_id="film-0",
        uri="/films/film.mp4",
        name="film.mp4",
        span=span_of(bounds[0][0], bounds[-1][1]),
        n_frames=bounds[-1][1] - bounds[0][0],
        shots=tuple(
            Shot(index=index, span=span_of(*shot), n_frames=shot[1] - shot[0], starts_with="cut", ends_with="cut")
            for index, shot in enumerate(bounds)
        ),
        transitions=(),
    )
    return clip, scan


def chosen(clip: Clip, scan: SliceScan, strategy: str, count: int) -> tuple[Keyframe, ...]:
    config = DescribeConfig.model_validate({"keyframe_strategy": strategy, "keyframes_per_clip": count})
    return choose_keyframes(clip, scan, config, EMBEDDER)


@pytest.mark.parametrize("strategy", STRATEGIES)
@settings(max_examples=30, deadline=None)
@given(made=clips(), count=st.integers(1, 8))
def test_keyframes_lie_in_the_clip_in_order_and_are_as_many_as_asked(
    strategy: str, made: tuple[Clip, SliceScan], count: int
) -> None:
    clip, scan = made
    keyframes = chosen(clip, scan, strategy, count)
    pts = [keyframe.sample.pts for keyframe in keyframes]
    assert all(a < b for a, b in pairwise(pts))
    assert all(clip.span.holds(each) for each in pts)
    inside = [sample.pts for sample in scan.frame_samples if clip.span.holds(sample.pts)]
    lit = {each for each in inside if not scan.frames.is_black[each]}
    in_shots = {each for each in inside if any(shot.span.holds(each) for shot in clip.shots)}
    usable = lit & in_shots or lit or in_shots or set(inside)
    assert len(pts) == min(count, len(usable))
    assert set(pts) <= usable
    assert {keyframe.strategy for keyframe in keyframes} <= {strategy, FILLED_UP}
    assert all(np.linalg.norm(keyframe.embedding) == pytest.approx(1, abs=0.002) for keyframe in keyframes)
    assert chosen(clip, scan, strategy, count) == keyframes


@settings(max_examples=30, deadline=None)
@given(made=clips(), count=st.integers(1, 8))
def test_a_smaller_choice_of_any_k_is_part_of_a_larger_one(made: tuple[Clip, SliceScan], count: int) -> None:
    fewer, more = (chosen(*made, "any_k", wanted) for wanted in (count, count + 1))
    assert {keyframe.sample.pts for keyframe in fewer} <= {keyframe.sample.pts for keyframe in more}


@settings(max_examples=30, deadline=None)
@given(made=clips(), count=st.integers(1, 6), n_frames=st.integers(1, 20))
def test_key_clips_hold_their_keyframe_lie_apart_and_keep_to_the_budget(
    made: tuple[Clip, SliceScan], count: int, n_frames: int
) -> None:
    clip, scan = made
    config = CONFIG.replace(
        keyframe_strategy="key_clips",
        keyframes_per_clip=count,
        key_clip_token_budget=n_frames * 100,
        key_clip_tokens_per_frame=100,
    )
    keyframes = choose_keyframes(clip, scan, config, EMBEDDER)
    spans = [keyframe.span for keyframe in keyframes if keyframe.span]
    assert len(spans) == len(keyframes)
    assert all(span.holds(keyframe.sample.pts) for span, keyframe in zip(spans, keyframes, strict=True))
    assert all(clip.span.covers(span) for span in spans)
    assert all(before.end_pts <= after.start_pts for before, after in pairwise(spans))
    lit = [sample.pts for sample in scan.frame_samples if not scan.frames.is_black[sample.pts]]
    held = [pts for pts in lit if any(span.holds(pts) for span in spans)]
    in_shots = [pts for pts in held if any(shot.span.holds(pts) for shot in clip.shots)]
    assert len(in_shots) <= max(n_frames, len(keyframes))


def test_kmeans_finds_one_picture_of_each_kind() -> None:
    kinds = [0, 0, 0, 1, 1, 2, 2, 2, 2, 3]
    picked = kmeans(candidates_of(range(0, 100, 10), kinds), 4, CONFIG)
    assert [kinds[position] for position in picked] == [0, 1, 2, 3]


def test_kmeans_takes_what_is_nearest_to_the_centre_of_its_cluster() -> None:
    angles = np.radians([0, 10, 20, 70, 80, 90])
    candidates = candidates_of(range(0, 60, 10))
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float16)
    picked = kmeans(Candidates(**{**candidates.__dict__, "embeddings": vectors}), 2, CONFIG)
    assert picked == [1, 4]


def test_of_pictures_that_are_all_the_same_kmeans_makes_one_cluster() -> None:
    assert kmeans(candidates_of(range(0, 50, 10)), 4, CONFIG) == [0]


def test_variation_peaks_are_where_most_changes() -> None:
    candidates = candidates_of(range(0, 80, 10), variation=[0, 1, 9, 2, 1, 5, 1, 3])
    assert variation_peaks(candidates, 2, CONFIG) == [2, 5]
    assert variation_peaks(candidates, 8, CONFIG) == [2, 5, 7]


def test_slow_frames_are_taken_and_of_too_many_an_even_selection() -> None:
    slow = candidates_of(range(0, 100, 10), slow=[0, 3, 4, 8])
    assert slow_frames(slow, 4, CONFIG) == [0, 3, 4, 8]
    assert slow_frames(slow, 2, CONFIG) == [3, 8]


def test_a_sample_is_redundant_where_it_repeats_the_last_one_kept() -> None:
    colours = [0, 0, 1, 1, 0, 0, 2]
    assert redundancy_removal(candidates_of(range(0, 70, 10), colours), 8, CONFIG) == [0, 2, 4, 6]
    lenient = CONFIG.replace(redundancy_max_similarity=1)
    assert len(redundancy_removal(candidates_of(range(0, 70, 10), colours), 8, lenient)) == 7


def test_any_k_gives_each_scene_one_before_any_scene_has_two() -> None:
    candidates = candidates_of(range(0, 100, 10), [0, 0, 0, 0, 0, 0, 1, 1, 1, 2])
    assert [0 <= position < 6 for position in any_k(candidates, 4, CONFIG)] == [True, False, False, True]
    assert any_k(candidates, 3, CONFIG)[2] == 9


def test_pictures_of_a_contact_sheet_are_evenly_spaced() -> None:
    assert evenly_spaced(candidates_of(range(0, 100, 10)), 4, CONFIG) == [1, 4, 6, 9]
    assert evenly_spaced(candidates_of([40]), 4, CONFIG) == [0]


def test_a_key_clip_grows_where_the_picture_stays_the_same_and_not_over_a_cut() -> None:
    candidates = candidates_of(range(0, 100, 10), [0, 0, 0, 0, 1, 1, 0, 0, 2, 3], [(0, 60), (60, 100)])
    config = CONFIG.replace(key_clip_token_budget=4, key_clip_tokens_per_frame=1)
    assert grow_key_clips(candidates, [2], config) == [(0, 40)]
    everything = CONFIG.replace(key_clip_token_budget=99, key_clip_tokens_per_frame=1)
    assert grow_key_clips(candidates, [2], everything) == [(0, 60)]
    assert grow_key_clips(candidates, [2, 7], everything) == [(0, 60), (60, 100)]


def test_a_budget_smaller_than_the_keyframes_leaves_each_its_own_sample() -> None:
    config = CONFIG.replace(key_clip_token_budget=1)
    assert grow_key_clips(candidates_of(range(0, 100, 10)), [0, 5], config) == [(0, 10), (50, 60)]
