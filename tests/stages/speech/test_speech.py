"""Speech is found where it is, on the video's timeline, whatever the file; a broken track is told and fails nothing."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from schemas.config import ProbeConfig, ScanConfig
from schemas.media import ListedSource, Source
from schemas.signals import SliceScan
from schemas.time import Span, TimeBase
from stages.media.probe import probe_source
from stages.scan.slice_scan import scan_slice
from stages.spans import pieces
from stages.speech.spans import LEAD, SECTION, SECTIONS_AT_ONCE
from stages.speech.voice import WINDOW, Voice, make_voice, resolve_speech_setting
from tests.corpus import numbered_frames, write_video
from tests.sounds import Track, music, talk, voice, write_talk

EDGE_S = 0.25
"""How far an edge may lie from the truth: windows, the padding of 30 ms, and what the network remembers, which music
that goes on makes longer."""


@cache
def listener() -> Voice:
    made = make_voice(ScanConfig(speech="silero"))
    assert made is not None
    return made


def probed(path: Path, max_slice_s: float = 120.0) -> Source:
    size_bytes = path.stat().st_size
    listed = ListedSource(source_id="source", uri=str(path), name=path.name, size_bytes=size_bytes, version="1")
    source = probe_source(listed, path, ProbeConfig(max_slice_s=max_slice_s))
    assert isinstance(source, Source)
    return source


def scans(path: Path, max_slice_s: float = 120.0, config: ScanConfig | None = None) -> list[SliceScan]:
    source = probed(path, max_slice_s)
    return [
        scan_slice(part, source.video, path, config or ScanConfig(), threads=1, voice=listener())
        for part in source.slices
    ]


def heard(path: Path) -> list[tuple[float, float]]:
    (scan,) = scans(path)
    assert scan.speech_is_measured
    assert all(scan.span.covers(span) for span in scan.speech)
    return [(span.start_s, span.end_s) for span in scan.speech]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
@pytest.mark.parametrize("with_music", [False, True])
def test_speech_is_found_where_it_is(tmp_path: Path, name: str, with_music: bool) -> None:
    path = write_talk(tmp_path / name, 8.0, Track(talk(8.0, (2.0, 4.0), with_music=with_music)))
    (start,) = probed(path).slices
    (found,) = [(a - start.span.start_s, b - start.span.start_s) for a, b in heard(path)]
    assert found == pytest.approx((2.0, 4.0), abs=EDGE_S)


@pytest.mark.parametrize(
    "track",
    [
        Track(talk(8.0, (2.0, 4.0)), codec="flac", rate_hz=44_100, layout="stereo"),
        Track(talk(8.0, (2.0, 4.0)), codec="libopus", layout="stereo"),
        Track(talk(8.0, (2.0, 4.0)), codec="libmp3lame", rate_hz=22_050),
    ],
    ids=lambda track: track.codec,
)
def test_rates_channels_and_codecs_change_nothing(tmp_path: Path, track: Track) -> None:
    assert heard(write_talk(tmp_path / "a.mkv", 8.0, track)) == [pytest.approx((2.0, 4.0), abs=EDGE_S)]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_times_are_those_of_the_file_where_neither_stream_begins_at_0(tmp_path: Path, name: str) -> None:
    track = Track(talk(8.0, (2.0, 4.0)), start_s=6.5)
    path = write_talk(tmp_path / name, 12.0, track, video_start_s=5.0)
    assert probed(path).slices[0].span.start_s == pytest.approx(5.0, abs=0.01)
    assert heard(path) == [pytest.approx((8.5, 10.5), abs=EDGE_S)]


def test_a_gap_in_the_sound_moves_nothing_that_follows(tmp_path: Path) -> None:
    track = Track(talk(16.0, (2.0, 4.0), (12.0, 14.0)), gap_s=(5.0, 11.0), codec="flac")
    path = write_talk(tmp_path / "a.mkv", 16.0, track)
    assert heard(path) == [pytest.approx(truth, abs=EDGE_S) for truth in ((2.0, 4.0), (12.0, 14.0))]


def test_music_and_silence_are_no_speech(tmp_path: Path) -> None:
    assert heard(write_talk(tmp_path / "music.mp4", 6.0, Track(music(6.0)))) == []
    assert heard(write_talk(tmp_path / "silence.mp4", 6.0, Track(np.zeros(6 * 16_000, np.float32)))) == []


def test_nobody_speaks_in_a_source_without_sound(tmp_path: Path) -> None:
    (scan,) = scans(write_video(tmp_path / "a.mp4", numbered_frames(30), 25))
    assert (scan.speech_is_measured, scan.speech, scan.problems) == (True, (), ())


def test_where_nobody_listens_speech_is_not_measured(tmp_path: Path) -> None:
    path = write_talk(tmp_path / "a.mp4", 3.0, Track(talk(3.0, (1.0, 2.0))))
    source = probed(path)
    scan = scan_slice(source.slices[0], source.video, path, ScanConfig())
    assert (scan.speech_is_measured, scan.speech) == (False, ())


def test_what_is_heard_does_not_depend_on_where_slices_are_cut(tmp_path: Path) -> None:
    spoken = ((1.0, 4.0), (6.1, 8.9), (9.8, 10.3), (13.0, 21.0), (23.6, 24.1))
    path = write_talk(tmp_path / "a.mp4", 26.0, Track(talk(26.0, *spoken, with_music=True)), video_start_s=3.0)
    (whole,) = scans(path)
    assert len(whole.speech) == len(spoken)
    for max_slice_s in (1.5, 4.2, 9.0):
        parts = scans(path, max_slice_s)
        assert len(parts) > 2
        for part in parts:
            expected = pieces(whole.speech, part.span)
            assert [(s.start_s, s.end_s) for s in part.speech] == [
                pytest.approx((s.start_s, s.end_s), abs=0.1) for s in expected
            ]


def test_a_broken_track_is_told_and_the_pictures_are_measured(tmp_path: Path) -> None:
    path = write_talk(tmp_path / "a.mkv", 8.0, Track(talk(8.0, (2.0, 4.0)), codec="flac"))
    whole, source = path.read_bytes(), probed(path)
    content = bytearray(whole)
    place = -1
    # Every frame of FLAC begins with this; a decoder finds none of them.
    while (place := content.find(b"\xff\xf8", place + 1)) >= 0:
        content[place : place + 40] = bytes(40)
    path.write_bytes(content)
    scan = scan_slice(source.slices[0], source.video, path, ScanConfig(), voice=listener())
    assert len(scan.frames.pts) == 80
    assert not scan.speech_is_measured
    assert any("of sound" in problem for problem in scan.problems)


def test_some_lost_packets_are_told_and_the_rest_is_heard(tmp_path: Path) -> None:
    path = write_talk(tmp_path / "a.mkv", 8.0, Track(talk(8.0, (2.0, 4.0)), codec="flac"))
    content = bytearray(path.read_bytes())
    place = content.find(b"\xff\xf8", len(content) * 9 // 10)
    content[place : place + 40] = bytes(40)
    path.write_bytes(content)
    (scan,) = scans(path)
    assert scan.speech_is_measured
    assert [(s.start_s, s.end_s) for s in scan.speech] == [pytest.approx((2.0, 4.0), abs=EDGE_S)]
    assert scan.problems


def test_short_speech_and_short_silence_follow_the_settings(tmp_path: Path) -> None:
    path = write_talk(tmp_path / "a.mp4", 8.0, Track(talk(8.0, (2.0, 4.0), (4.8, 6.8))))
    assert len(scans(path)[0].speech) == 2
    assert len(scans(path, config=ScanConfig(min_silence_s=1.5))[0].speech) == 1
    assert len(scans(path, config=ScanConfig(min_speech_s=3.0))[0].speech) == 0


def test_sections_side_by_side_hear_what_each_hears_alone() -> None:
    waves = np.stack([voice(64 * WINDOW / 16_000, seed) for seed in range(3)])
    together = listener().probabilities(waves)
    alone = np.concatenate([listener().probabilities(wave[None]) for wave in waves])
    assert together.shape == (3, 64)
    assert together == pytest.approx(alone, abs=1e-4)
    assert together[:, 16:].mean() > 0.9


def test_a_sound_longer_than_what_is_heard_at_once_is_heard_to_its_end(tmp_path: Path) -> None:
    at_once_s = SECTIONS_AT_ONCE * SECTION / 16_000
    spoken = ((2.0, 4.0), (at_once_s - 1.0, at_once_s + 2.0), (at_once_s + 12.0, at_once_s + 14.0))
    wave = talk(at_once_s + 16.0, *spoken)
    path = write_talk(tmp_path / "a.mkv", at_once_s + 16.0, Track(wave, rate_hz=16_000))
    (scan,) = scans(path, 600.0)
    assert [(s.start_s, s.end_s) for s in scan.speech] == [pytest.approx(truth, abs=EDGE_S) for truth in spoken]


def test_pieces_at_an_edge_are_told_from_a_tenth_of_a_second_on() -> None:
    def span(start: int, end: int) -> Span:
        return Span(start_pts=start, end_pts=end, time_base=TimeBase(numerator=1, denominator=100))

    spoken = (span(0, 205), span(300, 305), span(395, 500), span(700, 800))
    assert pieces(spoken, span(200, 400)) == (span(300, 305),)
    assert pieces(spoken, span(190, 410)) == (span(190, 205), span(300, 305), span(395, 410))


def test_the_setting_is_made_definite_and_the_lead_is_whole_windows() -> None:
    assert resolve_speech_setting(ScanConfig()).speech == "silero"
    assert make_voice(ScanConfig(speech="none")) is None
    assert LEAD % WINDOW == SECTION % WINDOW == 0
