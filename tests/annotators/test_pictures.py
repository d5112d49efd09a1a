"""Pictures for a model are the clip's own, in order of time, numbered, and no larger or more than asked for."""

from typing import Literal

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotators.pictures import Picture, evenly, numbered, pictures
from annotators.subject import ClipSubject
from schemas.asking import AskConfig
from schemas.media import FrameSample
from schemas.signals import ContactSheet, Keyframe
from tests.annotators.builders import START, TICKS, ShotSpec, build_clip

DESCRIPTION, _ = build_clip((ShotSpec(n_frames=250),))
FIRST = DESCRIPTION.clip.span.start_pts


def jpeg(width: int, height: int, grey: int) -> bytes:
    _, packed = cv2.imencode(".jpg", np.full((height, width, 3), grey, np.uint8))
    return packed.tobytes()


def sample(seconds: float, width: int = 640, height: int = 360) -> FrameSample:
    """A frame that is the brighter the later it is."""
    grey = round(20 * seconds)
    pts = FIRST + round(25 * seconds) * TICKS
    return FrameSample(pts=pts, width=width, height=height, jpeg=jpeg(width, height, grey))


def subject(keyframes: tuple[FrameSample, ...] = (), samples: tuple[FrameSample, ...] = ()) -> ClipSubject:
    chosen = tuple(Keyframe(sample=frame, strategy="even", sharpness=1.0) for frame in keyframes)
    return ClipSubject(DESCRIPTION.replace(keyframes=chosen), samples=samples)


def light(picture: Picture) -> float:
    return float(np.mean(decoded(picture)))


def decoded(picture: Picture) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def test_keyframes_are_shown_in_order_of_time_with_the_times_they_have() -> None:
    shown = pictures(subject((sample(8), sample(2), sample(5))), AskConfig())
    assert [(picture.number, picture.time_s) for picture in shown] == [(1, 2.0), (2, 5.0), (3, 8.0)]
    assert [picture.pts for picture in shown] == [FIRST + 25 * TICKS * n for n in (2, 5, 8)]
    assert FIRST > START
    for picture in shown:
        assert picture.time_s is not None
        assert light(picture) == pytest.approx(20 * picture.time_s, abs=2)


def test_pictures_are_no_wider_than_asked_for_and_never_enlarged() -> None:
    wide, tall, small = sample(1), sample(2, 360, 640), sample(3, 100, 50)
    shown = pictures(subject((wide, tall, small)), AskConfig(picture_width=320))
    assert [(picture.width, picture.height) for picture in shown] == [(320, 180), (320, 569), (100, 50)]
    assert [decoded(picture).shape[1::-1] for picture in shown] == [(320, 180), (320, 569), (100, 50)]
    assert shown[2].jpeg == small.jpeg


def test_there_are_at_most_as_many_as_asked_for_the_first_and_the_last_among_them() -> None:
    frames = tuple(sample(n) for n in range(10))
    assert [p.time_s for p in pictures(subject(frames), AskConfig(max_pictures=4))] == [0, 3, 6, 9]
    assert [p.time_s for p in pictures(subject(frames), AskConfig(max_pictures=1))] == [5]


@given(st.integers(0, 300), st.integers(1, 256))
def test_even_choices_are_different_in_order_and_as_many_as_there_can_be(n_items: int, most: int) -> None:
    chosen = evenly(range(n_items), most)
    assert len(chosen) == min(n_items, most)
    assert chosen == sorted(set(chosen))
    if min(n_items, most) > 1:
        assert (chosen[0], chosen[-1]) == (0, n_items - 1)
        gaps = np.diff(chosen)
        assert gaps.max() - gaps.min() <= 1


@pytest.mark.parametrize(("fps", "step"), [(1.0, 2), (0.5, 4), (2.0, 1), (4.0, 1)])
@pytest.mark.parametrize("first_s", [0, 0.48])
def test_samples_are_shown_at_the_rate_that_is_set_and_at_most_at_their_own(
    fps: float, step: int, first_s: float
) -> None:
    halves = tuple(sample(first_s + n / 2) for n in range(13))
    shown = pictures(subject(samples=halves), AskConfig(pictures="samples", fps=fps, max_pictures=99))
    assert [picture.pts for picture in shown] == [frame.pts for frame in halves[::step]]


def test_samples_keep_to_the_most_that_is_set() -> None:
    halves = tuple(sample(n / 2) for n in range(19))
    shown = pictures(subject(samples=halves), AskConfig(pictures="samples", fps=2, max_pictures=3))
    assert [picture.pts for picture in shown] == [halves[n].pts for n in (0, 9, 18)]


def test_a_contact_sheet_is_one_picture_that_tells_the_times_in_it() -> None:
    sheet = ContactSheet(
        width=800, height=200, columns=2, rows=1, pts=(FIRST, FIRST + 25 * TICKS), jpeg=jpeg(800, 200, 90)
    )
    config = AskConfig(pictures="contact_sheet", picture_width=300)
    (shown,) = pictures(ClipSubject(DESCRIPTION.replace(contact_sheet=sheet)), config)
    assert (shown.number, shown.time_s, shown.pts) == (1, None, None)
    assert shown.caption == "2 columns and 1 rows in reading order, at 0.00 s, 1.00 s"
    assert decoded(shown).shape[1::-1] == (shown.width, shown.height) == (600, 150)


@pytest.mark.parametrize("which", ["none", "keyframes", "samples", "contact_sheet"])
def test_a_clip_without_pictures_shows_none(
    which: Literal["none", "keyframes", "samples", "contact_sheet"],
) -> None:
    assert pictures(ClipSubject(DESCRIPTION), AskConfig(pictures=which)) == ()


def test_a_model_that_is_to_see_nothing_is_shown_nothing() -> None:
    assert pictures(subject((sample(1),), (sample(1),)), AskConfig(pictures="none")) == ()


def test_chosen_samples_are_numbered_as_they_are_given() -> None:
    shown = numbered(subject(), (sample(4), sample(1)), AskConfig())
    assert [(picture.number, picture.time_s) for picture in shown] == [(1, 4.0), (2, 1.0)]
