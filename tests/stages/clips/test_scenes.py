"""What scenes promise: every shot in one, boundaries where neighbours are least alike, nothing too long to keep."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from schemas.media import FrameSample, Shot
from schemas.signals import FrameSignals, MotionSignals, SampleSignals, SliceScan
from schemas.time import Span, TimeBase
from stages.clips.scenes import adjacent_similarities, group_scenes, shot_similarities
from stages.errors import StageError
from stages.pictures.embedding import Embedder
from stages.pictures.samples import Picture

BASE = TimeBase(numerator=1, denominator=25)


class MeanColour:
    """A model whose vectors are mean colours."""

    device = "cpu"

    def vectors(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        return np.stack([picture.mean(axis=(0, 1)) for picture in pictures]).astype(np.float32)


EMBEDDER = Embedder("mean-colour", MeanColour())


def shots_of(*lengths: int) -> list[Shot]:
    ends = np.cumsum([0, *lengths]).tolist()
    spans = [Span(start_pts=a, end_pts=b, time_base=BASE) for a, b in pairwise(ends)]
    return [
        Shot(index=index, span=span, n_frames=lengths[index], starts_with="cut", ends_with="cut")
        for index, span in enumerate(spans)
    ]


def groups(shots: Sequence[Shot], similarities: Sequence[float], max_ticks: int, min_ticks: int = 0) -> list[list[int]]:
    found = group_scenes(shots, similarities, 0.5, Fraction(min_ticks), Fraction(max_ticks))
    return [[shot.index for shot in group] for group in found]


def test_neighbours_that_are_alike_are_one_scene_and_others_are_not() -> None:
    assert groups(shots_of(9, 9, 9, 9), [0.9, 0.2, 0.5], 99) == [[0, 1], [2, 3]]


def test_a_scene_that_is_too_long_is_cut_where_its_neighbours_are_least_alike() -> None:
    assert groups(shots_of(10, 10, 10, 10), [0.8, 0.9, 0.6], 30) == [[0, 1, 2], [3]]
    assert groups(shots_of(10, 10, 10, 10), [0.8, 0.9, 0.6], 20) == [[0], [1, 2], [3]]


def test_no_part_of_a_cut_scene_is_too_short_where_another_cut_avoids_it() -> None:
    assert groups(shots_of(10, 10, 10, 3), [0.8, 0.9, 0.6], 30, min_ticks=5) == [[0], [1, 2, 3]]


def test_of_equal_similarities_the_scene_is_cut_near_its_middle() -> None:
    assert groups(shots_of(10, 10, 10, 10), [0.9, 0.9, 0.9], 30) == [[0, 1], [2, 3]]


def test_a_single_shot_is_a_scene_however_long() -> None:
    assert groups(shots_of(500), [], 30) == [[0]]
    assert groups([], [], 30) == []


@given(data=st.data(), lengths=st.lists(st.integers(1, 60), min_size=1, max_size=12), max_ticks=st.integers(1, 120))
def test_every_shot_is_in_one_scene_and_no_scene_is_longer_than_it_must_be(
    data: st.DataObject, lengths: list[int], max_ticks: int
) -> None:
    gaps = st.lists(st.floats(0, 1), min_size=len(lengths) - 1, max_size=len(lengths) - 1)
    similarities = data.draw(gaps)
    found = groups(shots_of(*lengths), similarities, max_ticks, data.draw(st.integers(0, 30)))
    assert [index for group in found for index in group] == list(range(len(lengths)))
    assert all(len(group) == 1 or sum(lengths[index] for index in group) <= max_ticks for group in found)
    assert all(similarities[index] >= 0.5 for group in found for index in group[:-1])


def test_adjacent_similarities_are_cosines_of_neighbours() -> None:
    rows = np.array([[1, 0], [0, 1], [0, 1]], np.float16)
    assert adjacent_similarities(rows).tolist() == [0, 1]
    assert adjacent_similarities(rows[:1]).shape == (0,)


def scan_of(colours: Sequence[tuple[int, int, int] | None]) -> SliceScan:
    """Shots of ten frames, each with two samples of one colour, or without a sample."""
    n_frames = 10 * len(colours)
    samples = []
    for number, colour in enumerate(colours):
        if colour is not None:
            _, jpeg = cv2.imencode(".jpg", np.full((16, 16, 3), colour[::-1], np.uint8))
            times = (10 * number + 2, 10 * number + 7)
            samples += [FrameSample(pts=pts, width=16, height=16, jpeg=jpeg.tobytes()) for pts in times]
    zeros = [0.0] * n_frames
    series = {name: zeros for name in FrameSignals.model_fields if name != "pts"}
    return SliceScan(
        slice_id="film-0",
        source_id="film",
        span=Span(start_pts=0, end_pts=n_frames, time_base=BASE),
        display_width=16,
        display_height=16,
        frames=FrameSignals(pts=range(n_frames), **series),
        motion=MotionSignals(**dict.fromkeys(MotionSignals.model_fields, ())),
        samples=SampleSignals(pts=[], patch_similarity=[], is_slow=[]),
        transitions=(),
        frame_samples=tuple(samples),
    )


RED, GREEN, BLUE = (250, 0, 0), (0, 250, 0), (0, 0, 250)


def similarities_of(colours: Sequence[tuple[int, int, int] | None], window: int) -> list[float | None]:
    return shot_similarities(shots_of(*[10] * len(colours)), scan_of(colours), EMBEDDER, window, "film.mp4")


def test_shots_are_compared_by_the_pictures_beside_their_boundary() -> None:
    assert similarities_of([RED, RED, GREEN], 1) == pytest.approx([1, 0], abs=0.05)


def test_views_that_alternate_are_alike_where_two_shots_on_each_side_count() -> None:
    dialogue = [RED, GREEN, RED, GREEN, BLUE, BLUE]
    assert similarities_of(dialogue, 1) == pytest.approx([0, 0, 0, 0, 1], abs=0.05)
    assert similarities_of(dialogue, 2) == pytest.approx([1, 1, 1, 0, 1], abs=0.05)


def test_a_shot_without_a_sample_is_not_compared() -> None:
    assert similarities_of([RED, None, RED], 1) == [None, None]


def test_a_scan_whose_pictures_were_not_read_is_an_error_that_names_the_file() -> None:
    scan = scan_of([RED, RED]).replace(frame_samples=())
    with pytest.raises(StageError, match=r"film\.mp4: split\.embedder is mean-colour"):
        shot_similarities(shots_of(10, 10), scan, EMBEDDER, 1, "film.mp4")
