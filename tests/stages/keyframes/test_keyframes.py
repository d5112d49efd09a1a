"""What keyframe choice promises: sharp, typical, never black where there is better, always with the measured figure."""

from collections.abc import Sequence
from typing import get_args

import cv2
import numpy as np
import pytest

from schemas.config import DescribeConfig
from schemas.media import Clip, FrameSample, Shot
from schemas.signals import FrameSignals, MotionSignals, SampleSignals, SliceScan
from schemas.time import Span, TimeBase
from stages.errors import MediaError, StageError
from stages.keyframes.strategies import FILLED_UP, STRATEGIES, choose_keyframes
from stages.pictures.samples import decode_sample, evenly_chosen

BASE = TimeBase(numerator=1, denominator=25)
N_FRAMES = 200


def span_of(start: int, end: int) -> Span:
    return Span(start_pts=start, end_pts=end, time_base=BASE)


def scan_of(sample_pts: Sequence[int], sharpness: dict[int, float], black: Sequence[int] = ()) -> SliceScan:
    zeros = [0.0] * N_FRAMES
    series = {name: zeros for name in FrameSignals.model_fields if name not in ("pts", "is_black", "sharpness")}
    sharp = [sharpness.get(frame, 1.0) for frame in range(N_FRAMES)]
    flags = [frame in black for frame in range(N_FRAMES)]
    return SliceScan(
        slice_id="film-0",
        source_id="film",
        span=span_of(0, N_FRAMES),
        display_width=64,
        display_height=36,
        frames=FrameSignals(pts=range(N_FRAMES), sharpness=sharp, is_black=flags, **series),
        motion=MotionSignals(**dict.fromkeys(MotionSignals.model_fields, ())),
        samples=SampleSignals(
            pts=sample_pts, patch_similarity=[1.0] * len(sample_pts), is_slow=[False] * len(sample_pts)
        ),
        transitions=(),
        frame_samples=tuple(FrameSample(pts=pts, width=64, height=36, jpeg=b"") for pts in sample_pts),
    )


def clip_of(*shots: tuple[int, int]) -> Clip:
    return Clip(
        clip_id="film-0-00000000-00008000",
        source_id="film",
        slice_id="film-0",
        uri="/films/film.mp4",
        name="film.mp4",
        span=span_of(shots[0][0], shots[-1][1]),
        n_frames=shots[-1][1] - shots[0][0],
        shots=tuple(
            Shot(index=index, span=span_of(*shot), n_frames=shot[1] - shot[0], starts_with="cut", ends_with="cut")
            for index, shot in enumerate(shots)
        ),
        transitions=(),
    )


def chosen(clip: Clip, scan: SliceScan, **settings: int) -> list[int]:
    return [keyframe.sample.pts for keyframe in choose_keyframes(clip, scan, DescribeConfig(**settings))]


def test_each_shot_has_its_sharpest_sample_near_the_middle() -> None:
    scan = scan_of(range(0, 200, 10), {0: 90.0, 40: 20.0, 60: 30.0, 160: 10.0})
    assert chosen(clip_of((0, 100), (100, 200)), scan, keyframes_per_clip=2) == [60, 160]
    first, *_ = choose_keyframes(clip_of((0, 100), (100, 200)), scan, DescribeConfig(keyframes_per_clip=2))
    assert (first.strategy, first.sharpness) == ("middle_sharpest", 30.0)


def test_of_samples_equally_sharp_the_nearest_to_the_middle_is_chosen() -> None:
    assert chosen(clip_of((0, 100)), scan_of([30, 48, 70], {}), keyframes_per_clip=1) == [48]


def test_several_keyframes_of_a_shot_are_spread_over_it() -> None:
    assert chosen(clip_of((0, 200)), scan_of(range(0, 200, 10), {}), keyframes_per_clip=4) == [20, 70, 120, 170]


def test_keyframes_are_shared_out_over_shots_by_length() -> None:
    picked = chosen(clip_of((0, 150), (150, 200)), scan_of(range(0, 200, 10), {}), keyframes_per_clip=4)
    assert [pts < 150 for pts in picked] == [True, True, True, False]


def test_a_black_frame_is_chosen_only_where_nothing_else_is_there() -> None:
    assert chosen(clip_of((0, 100)), scan_of([10, 50], {50: 99.0}, black=[50])) == [10]
    assert chosen(clip_of((0, 100)), scan_of([50], {}, black=[50])) == [50]


def test_of_many_shots_an_even_selection_is_kept() -> None:
    shots = [(start, start + 20) for start in range(0, 200, 20)]
    picked = chosen(clip_of(*shots), scan_of(range(0, 200, 10), {}), keyframes_per_clip=3)
    assert picked == [30, 110, 170]


def test_a_clip_whose_samples_all_lie_in_transitions_still_has_a_keyframe() -> None:
    assert chosen(clip_of((0, 40), (60, 100)), scan_of([50], {})) == [50]


def test_a_clip_without_any_sample_has_no_keyframe() -> None:
    assert chosen(clip_of((0, 100)), scan_of([150], {})) == []


def test_every_strategy_that_can_be_configured_exists() -> None:
    known = get_args(DescribeConfig.model_fields["keyframe_strategy"].annotation)
    assert set(STRATEGIES) == set(known)


@pytest.mark.parametrize("strategy", ["kmeans", "redundancy_removal", "any_k", "key_clips"])
def test_a_strategy_that_compares_embeddings_says_what_to_install(strategy: str) -> None:
    config = DescribeConfig.model_validate({"keyframe_strategy": strategy})
    with pytest.raises(StageError, match=r"compares embeddings: install reelproof\[models\]") as caught:
        choose_keyframes(clip_of((0, 100)), scan_of([50], {}), config)
    assert "\n" not in str(caught.value)


def test_what_a_strategy_leaves_open_is_filled_up_with_what_is_farthest_in_time_and_says_so() -> None:
    scan = scan_of(range(0, 200, 10), {})
    slow = [pts == 90 for pts in scan.samples.pts]
    scan = scan.replace(samples=scan.samples.replace(is_slow=slow))
    config = DescribeConfig(keyframe_strategy="slow_frames", keyframes_per_clip=3)
    keyframes = choose_keyframes(clip_of((0, 200)), scan, config)
    found = [(keyframe.sample.pts, keyframe.strategy) for keyframe in keyframes]
    assert found == [(0, FILLED_UP), (90, "slow_frames"), (190, FILLED_UP)]


def test_the_first_of_the_loudest_changes_is_a_keyframe() -> None:
    change = [50.0 if 60 <= frame < 70 else 1.0 for frame in range(N_FRAMES)]
    scan = scan_of(range(0, 200, 10), {})
    scan = scan.replace(frames=scan.frames.replace(content_distance=change))
    config = DescribeConfig(keyframe_strategy="variation_peaks", keyframes_per_clip=1)
    (keyframe,) = choose_keyframes(clip_of((0, 200)), scan, config)
    assert keyframe.sample.pts == 70


def test_without_an_embedder_a_keyframe_has_no_embedding_and_no_key_clip() -> None:
    (keyframe,) = choose_keyframes(clip_of((0, 100)), scan_of([50], {}), DescribeConfig())
    assert (keyframe.embedding, keyframe.span) == ((), None)


def test_a_sample_that_the_scan_did_not_measure_is_an_error_that_names_the_file() -> None:
    scan = scan_of([50], {})
    other = scan.samples.replace(pts=[51])
    with pytest.raises(StageError, match=r"film\.mp4: the scan measured no signals of the frame sample at pts 50"):
        choose_keyframes(clip_of((0, 100)), scan.replace(samples=other), DescribeConfig())


def test_a_sample_that_is_no_decoded_frame_is_an_error_that_names_the_file() -> None:
    scan = scan_of([50], {})
    sparse = scan.frames.replace(pts=[frame * 3 for frame in range(N_FRAMES)])
    with pytest.raises(StageError, match=r"film\.mp4: the frame sample at pts 50"):
        choose_keyframes(clip_of((0, 100)), scan.replace(frames=sparse), DescribeConfig())


def test_a_sample_is_decoded_to_rgb() -> None:
    ok, jpeg = cv2.imencode(".jpg", np.full((16, 16, 3), (0, 0, 255), np.uint8))
    assert ok
    picture = decode_sample(FrameSample(pts=0, width=16, height=16, jpeg=jpeg.tobytes()), "film.mp4")
    assert picture[8, 8] == pytest.approx((255, 0, 0), abs=3)


@pytest.mark.parametrize("jpeg", [b"", b"not a picture"])
def test_bytes_that_are_no_jpeg_are_an_error_that_names_the_file(jpeg: bytes) -> None:
    with pytest.raises(MediaError, match=r"film\.mp4: the frame sample at pts 3"):
        decode_sample(FrameSample(pts=3, width=16, height=16, jpeg=jpeg), "film.mp4")


def test_an_even_choice_takes_the_middles_of_equal_stretches() -> None:
    assert evenly_chosen(range(9), 3) == [1, 4, 7]
    assert evenly_chosen([5, 6], 4) == [5, 6]
