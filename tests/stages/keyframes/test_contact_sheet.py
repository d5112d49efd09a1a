"""A contact sheet shows every picture once, in reading order, each where its time says."""

import cv2
import numpy as np
import pytest

from schemas.config import DescribeConfig
from schemas.media import FrameSample
from schemas.signals import ContactSheet
from stages.errors import MediaError
from stages.keyframes.contact_sheet import contact_sheet, grid_of
from stages.pictures.samples import Picture


def sample_of(pts: int, grey: int, width: int = 64, height: int = 32) -> FrameSample:
    _, jpeg = cv2.imencode(".jpg", np.full((height, width, 3), grey, np.uint8))
    return FrameSample(pts=pts, width=width, height=height, jpeg=jpeg.tobytes())


def cells(sheet: ContactSheet) -> list[int]:
    """The mean grey of each cell, in reading order."""
    picture: Picture = np.asarray(cv2.imdecode(np.frombuffer(sheet.jpeg, np.uint8), cv2.IMREAD_COLOR), np.uint8)
    assert picture.shape == (sheet.height, sheet.width, 3)
    height, width = sheet.height // sheet.rows, sheet.width // sheet.columns
    corners = [(row * height, column * width) for row in range(sheet.rows) for column in range(sheet.columns)]
    return [round(float(picture[y + 4 : y + height - 4, x + 4 : x + width - 4].mean())) for y, x in corners]


def test_pictures_stand_in_reading_order_with_their_times() -> None:
    samples = [sample_of(10 * number, 60 + 40 * number) for number in range(4)]
    sheet = contact_sheet(samples, DescribeConfig(contact_sheet_width=128), "film.mp4")
    assert (sheet.columns, sheet.rows, sheet.width, sheet.height) == (2, 2, 128, 64)
    assert sheet.pts == (0, 10, 20, 30)
    assert cells(sheet) == pytest.approx([60, 100, 140, 180], abs=3)


def test_columns_may_be_chosen_and_cells_that_stay_empty_are_black() -> None:
    config = DescribeConfig(contact_sheet_width=192, contact_sheet_columns=3)
    sheet = contact_sheet([sample_of(number, 200) for number in range(4)], config, "film.mp4")
    assert (sheet.columns, sheet.rows) == (3, 2)
    assert cells(sheet) == pytest.approx([200, 200, 200, 200, 0, 0], abs=3)


@pytest.mark.parametrize(
    ("count", "columns", "grid"), [(1, 0, (1, 1)), (2, 0, (2, 1)), (4, 0, (2, 2)), (6, 0, (3, 2)), (6, 2, (2, 3))]
)
def test_the_grid_is_nearly_square_and_has_no_empty_row(count: int, columns: int, grid: tuple[int, int]) -> None:
    assert grid_of(count, columns) == grid


def test_what_cannot_be_shown_is_an_error() -> None:
    with pytest.raises(ValueError, match="no picture"):
        contact_sheet([], DescribeConfig(), "film.mp4")
    broken = sample_of(3, 90).replace(jpeg=b"not a picture")
    with pytest.raises(MediaError, match=r"film\.mp4: the frame sample at pts 3"):
        contact_sheet([broken], DescribeConfig(), "film.mp4")
