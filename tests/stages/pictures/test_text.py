"""What the text reader promises: clear text is read, boxes are shares of the picture, nothing is fetched."""

import socket

import cv2
import numpy as np
import pytest

from schemas.config import DescribeConfig
from schemas.media import FrameSample
from stages.errors import MediaError
from stages.pictures.text import TextReader, make_reader, resolve_text_setting

HEIGHT, WIDTH = 288, 512


def sample_with(*lines: tuple[str, int, int], pts: int = 5) -> FrameSample:
    """White text at (x, y of the baseline) on a dark picture."""
    picture = np.full((HEIGHT, WIDTH, 3), (60, 40, 30), np.uint8)
    for text, x, y in lines:
        cv2.putText(picture, text, (x, y), cv2.FONT_HERSHEY_DUPLEX, 1.2, (255, 255, 255), 2, cv2.LINE_AA)
    ok, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 85])
    assert ok
    return FrameSample(pts=pts, width=WIDTH, height=HEIGHT, jpeg=jpeg.tobytes())


@pytest.fixture(scope="module")
def reader() -> TextReader:
    made = make_reader(DescribeConfig(text="rapidocr"))
    assert made is not None
    return made


def test_large_clear_text_is_read_with_its_place(reader: TextReader) -> None:
    (found,) = reader.read(sample_with(("HELLO READER", 120, 100)), "film.mp4")
    assert found.text == "HELLO READER"
    assert found.score >= DescribeConfig().text_min_score
    assert found.pts == 5
    assert 0.15 < found.left < 0.3 < 0.6 < found.right < 0.9
    assert 0.15 < found.top < 0.3 < found.bottom < 0.45


def test_lines_come_from_top_to_bottom(reader: TextReader) -> None:
    found = reader.read(sample_with(("SECOND", 200, 220), ("FIRST", 60, 80)), "film.mp4")
    assert [line.text for line in found] == ["FIRST", "SECOND"]


def test_words_far_apart_on_one_line_stay_apart(reader: TextReader) -> None:
    found = reader.read(sample_with(("LEFT", 20, 150), ("RIGHT", 370, 150)), "film.mp4")
    assert [line.text for line in found] == ["LEFT", "RIGHT"]


def test_a_picture_without_text_gives_nothing(reader: TextReader) -> None:
    assert reader.read(sample_with(), "film.mp4") == ()


def test_a_lone_character_is_taken_for_texture(reader: TextReader) -> None:
    assert reader.read(sample_with(("N", 240, 150)), "film.mp4") == ()


def test_reading_twice_gives_the_same_answer(reader: TextReader) -> None:
    sample = sample_with(("AGAIN AND AGAIN", 60, 150))
    assert reader.read(sample, "film.mp4") == reader.read(sample, "film.mp4")


def test_text_read_with_too_little_certainty_is_left_out() -> None:
    strict = make_reader(DescribeConfig(text="rapidocr", text_min_score=1.0))
    assert strict is not None
    assert strict.read(sample_with(("HELLO READER", 120, 100)), "film.mp4") == ()


def test_a_sample_that_is_no_jpeg_is_an_error_that_names_the_file(reader: TextReader) -> None:
    with pytest.raises(MediaError, match=r"film\.mp4"):
        reader.read(FrameSample(pts=0, width=8, height=8, jpeg=b"no picture"), "film.mp4")


def test_making_and_using_a_reader_opens_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    made = make_reader(DescribeConfig(text="auto"))
    assert made is not None
    assert len(made.read(sample_with(("OFFLINE", 100, 150)), "film.mp4")) == 1


def test_the_setting_is_resolved_to_what_is_installed_and_else_left_alone() -> None:
    assert resolve_text_setting(DescribeConfig(text="auto")).text == "rapidocr"
    assert resolve_text_setting(DescribeConfig(text="none")).text == "none"


def test_without_text_recognition_there_is_no_reader() -> None:
    assert make_reader(DescribeConfig(text="none")) is None
