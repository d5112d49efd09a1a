"""Damage that a decoder conceals is told all the same."""

from pathlib import Path

import numpy as np
import pytest

from stages.media.complaints import Messages, complaints, complaints_on, decoder_messages
from stages.media.decode import decode_span
from stages.media.demux import main_video_stream, open_media
from tests.corpus import textured_frame, write_video


def decode(path: Path) -> tuple[int, list[str]]:
    messages: Messages = []
    with complaints_on(), open_media(path, path.name) as container, decoder_messages(messages):
        stream = main_video_stream(container, path.name)
        stream.thread_count = 1
        n_frames = sum(1 for _ in decode_span(container, stream, None, [], path.name))
    return n_frames, complaints(messages)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    frames = [np.roll(textured_frame(5, 144, 256), 3 * shift, axis=1) for shift in range(60)]
    return write_video(tmp_path / "whole.mp4", frames, fps=25, gop=60)


def test_an_undamaged_video_draws_no_complaint(video: Path) -> None:
    assert decode(video) == (60, [])


def test_concealed_damage_is_told_with_how_often_it_came(video: Path, tmp_path: Path) -> None:
    data = bytearray(video.read_bytes())
    start = data.find(b"mdat") + len(data) // 4
    for position in range(start, start + len(data) // 3, 97):
        data[position] ^= 0xFF
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(bytes(data))
    n_frames, problems = decode(damaged)
    assert n_frames > 10
    assert any("h264 decoder says" in problem for problem in problems)
    assert any("such messages" in problem for problem in problems)
    assert len(problems) <= 11
    assert decode(video) == (60, []), "what one file drew must not be told of the next"
