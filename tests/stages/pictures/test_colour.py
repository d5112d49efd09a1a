"""What colour naming promises: the terms that people use, their shares, the same answer every time."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.media import FrameSample
from stages.errors import MediaError
from stages.pictures.colour import BASIC_TERMS, basic_terms, palette

CSS_COLOURS = {
    "black": [(0, 0, 0), (18, 18, 20)],
    "white": [(255, 255, 255), (245, 245, 240)],
    "grey": [(128, 128, 128), (192, 192, 192), (70, 70, 70)],
    "red": [(255, 0, 0), (220, 20, 60), (178, 34, 34)],
    "orange": [(255, 165, 0), (255, 140, 0), (255, 127, 80)],
    "yellow": [(255, 255, 0), (255, 215, 0), (240, 230, 140)],
    "green": [(0, 128, 0), (0, 255, 0), (0, 100, 0), (154, 205, 50), (128, 128, 0)],
    "blue": [(0, 0, 255), (0, 0, 128), (135, 206, 235), (65, 105, 225), (70, 130, 180)],
    "purple": [(128, 0, 128), (75, 0, 130), (138, 43, 226)],
    "pink": [(255, 192, 203), (255, 105, 180), (255, 20, 147), (250, 128, 114)],
    "brown": [(139, 69, 19), (160, 82, 45), (92, 56, 38), (210, 180, 140)],
}


def sample_of(picture: np.ndarray, pts: int = 0) -> FrameSample:
    ok, jpeg = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
    assert ok
    return FrameSample(pts=pts, width=picture.shape[1], height=picture.shape[0], jpeg=jpeg.tobytes())


def plain(*colours: tuple[int, int, int]) -> np.ndarray:
    """Equal vertical bands of the colours, 160 x 80 pixels each."""
    return np.concatenate([np.full((160, 80, 3), colour, np.uint8) for colour in colours], axis=1)


@pytest.mark.parametrize("term", BASIC_TERMS)
def test_well_known_colours_get_the_term_that_people_use(term: str) -> None:
    found = basic_terms(np.array(CSS_COLOURS[term], np.uint8))
    assert [BASIC_TERMS[position] for position in found] == [term] * len(CSS_COLOURS[term])


def test_a_palette_lists_the_largest_colour_first_with_its_share() -> None:
    colours = palette([sample_of(plain((255, 0, 0), (255, 0, 0), (0, 0, 255), (0, 0, 255), (0, 0, 255)))], "film.mp4")
    assert [colour.name for colour in colours] == ["blue", "red"]
    assert colours[0].share == pytest.approx(0.6, abs=0.02)
    assert (colours[1].red, colours[1].green, colours[1].blue) == pytest.approx((255, 0, 0), abs=6)


def test_a_palette_is_over_all_samples_alike() -> None:
    samples = [sample_of(plain((255, 255, 255))), sample_of(plain((0, 0, 0)), 1), sample_of(plain((0, 0, 0)), 2)]
    assert [(c.name, round(c.share, 2)) for c in palette(samples, "film.mp4")] == [("black", 0.67), ("white", 0.33)]


def test_colours_that_hardly_show_are_left_out() -> None:
    picture = plain((0, 128, 0), (0, 128, 0), (0, 128, 0), (0, 128, 0))
    picture[:16, :16] = (255, 0, 0)
    assert [colour.name for colour in palette([sample_of(picture)], "film.mp4")] == ["green"]


def test_no_sample_gives_no_palette() -> None:
    assert palette([], "film.mp4") == ()


def test_a_sample_that_is_no_jpeg_is_an_error_that_names_the_file() -> None:
    broken = FrameSample(pts=7, width=8, height=8, jpeg=b"no picture")
    with pytest.raises(MediaError, match=r"film\.mp4: the frame sample at pts 7 is no readable JPEG"):
        palette([broken], "film.mp4")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=1, max_size=50))
def test_every_colour_has_exactly_one_term_whatever_stands_beside_it(colours: list[tuple[int, int, int]]) -> None:
    together = basic_terms(np.array(colours, np.uint8))
    assert [basic_terms(np.array([colour], np.uint8))[0] for colour in colours] == together.tolist()
