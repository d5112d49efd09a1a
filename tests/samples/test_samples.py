"""What the sample videos promise: small, licensed, and described by a truth file that fits them frame by frame."""

import json
from functools import cache
from itertools import pairwise
from typing import Any, get_args

import av
import numpy as np
import pytest

from jobs.samples import make_reel
from schemas.media import TransitionKind
from schemas.signals import CameraTerm

TRUTH: dict[str, Any] = json.loads(make_reel.TRUTH.read_text())
MAX_TOTAL_BYTES = 3_000_000


@cache
def reel_frames() -> tuple[np.ndarray, ...]:
    with av.open(str(make_reel.REEL)) as container:
        return tuple(frame.to_ndarray(format="rgb24") for frame in container.decode(video=0))


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    """Peak signal-to-noise ratio in decibels; below about 25 two pictures plainly differ."""
    error = float(np.mean((one.astype(np.float32) - other.astype(np.float32)) ** 2))
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def test_the_samples_are_small_enough_to_ship() -> None:
    assert sum(path.stat().st_size for path in make_reel.FOLDER.iterdir() if path.is_file()) < MAX_TOTAL_BYTES


def test_the_shipped_truth_is_what_the_script_writes() -> None:
    assert json.loads(json.dumps(make_reel.truth())) == TRUTH


def test_the_reel_is_h264_with_sound_and_as_long_as_the_truth_says() -> None:
    with av.open(str(make_reel.REEL)) as container:
        (video,), (audio,) = container.streams.video, container.streams.audio
        assert video.codec_context.name == "h264"
        assert (video.codec_context.width, video.codec_context.height) == (TRUTH["width"], TRUTH["height"])
        assert video.average_rate == TRUTH["fps"]
        pts = [packet.pts * packet.time_base for packet in container.demux(video) if packet.pts is not None]
        assert audio.codec_context.sample_rate > 0
    assert len(pts) == TRUTH["n_frames"]
    assert np.diff(sorted(float(t) for t in pts)) == pytest.approx(1 / TRUTH["fps"])


def test_shots_and_transitions_follow_each_other_without_a_gap() -> None:
    spans = [*TRUTH["shots"], *(t for t in TRUTH["transitions"] if t["end_frame"] > t["start_frame"])]
    spans.sort(key=lambda span: span["start_frame"])
    assert spans[0]["start_frame"] == 0
    assert spans[-1]["end_frame"] == TRUTH["n_frames"]
    assert all(before["end_frame"] == after["start_frame"] for before, after in pairwise(spans))


def test_no_shot_is_so_short_that_it_could_be_overlooked() -> None:
    assert min(shot["end_frame"] - shot["start_frame"] for shot in TRUTH["shots"]) >= 1.2 * TRUTH["fps"]


def test_the_truth_speaks_the_words_of_the_schemas() -> None:
    assert {transition["kind"] for transition in TRUTH["transitions"]} <= set(get_args(TransitionKind))
    terms = {segment["term"] for shot in TRUTH["shots"] for segment in shot["camera"]}
    assert {"static", "pan_right", "pan_left", "tilt_up", "zoom_in"} == terms & set(get_args(CameraTerm)) == terms


@pytest.mark.parametrize("index", range(len(make_reel.SHOTS)))
def test_each_shot_shows_what_the_script_makes_of_it_from_first_to_last_frame(index: int) -> None:
    shot, span = make_reel.SHOTS[index], TRUTH["shots"][index]
    for frame in (0, shot.n_frames // 2, shot.n_frames - 1):
        assert psnr(make_reel.shot_picture(shot, frame), reel_frames()[span["start_frame"] + frame]) > 27


def test_transitions_show_what_the_script_makes_of_them() -> None:
    for index, transition in enumerate(TRUTH["transitions"]):
        before, after = make_reel.SHOTS[index : index + 2]
        n_frames = transition["end_frame"] - transition["start_frame"]
        for frame in (0, n_frames // 2, n_frames - 1) if n_frames else ():
            made = make_reel.transition_picture(before, after, frame)
            assert psnr(made, reel_frames()[transition["start_frame"] + frame]) > 27


def test_the_picture_stands_still_exactly_where_the_truth_says() -> None:
    (freeze,) = TRUTH["freezes"]
    inside = reel_frames()[freeze["start_frame"] : freeze["end_frame"]]
    changes = [float(np.abs(one.astype(int) - other.astype(int)).mean()) for one, other in pairwise(inside)]
    assert max(changes) < 1.0
    after = reel_frames()[freeze["end_frame"]]
    assert float(np.abs(after.astype(int) - inside[-1].astype(int)).mean()) > 1.0


def test_the_darkest_and_brightest_shots_are_those_named() -> None:
    means = [
        np.mean([reel_frames()[frame].mean() for frame in range(shot["start_frame"], shot["end_frame"], 10)])
        for shot in TRUTH["shots"]
    ]
    assert (int(np.argmin(means)), int(np.argmax(means))) == (TRUTH["darkest_shot"], TRUTH["brightest_shot"])


def test_the_licence_names_source_authors_terms_and_changes() -> None:
    text = (make_reel.FOLDER / "LICENSE.md").read_text()
    for phrase in ("Big Buck Bunny", "Blender Foundation", "CC BY 3.0", "bigbuckbunny.org", "What was changed"):
        assert phrase in text
