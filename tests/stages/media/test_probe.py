"""What probing learns of videos whose properties are known, what it refuses, and how it slices."""

import hashlib
import itertools
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import ffmpeg
import imageio_ffmpeg
import numpy as np
import pytest

from schemas.config import ProbeConfig
from schemas.media import ListedSource, Source
from schemas.verdict import Verdict
from stages.errors import MediaError, UnsafeMediaError
from stages.media.decode import decode_span
from stages.media.demux import main_video_stream, open_media
from stages.media.probe import probe_source
from tests.corpus import numbered_frames, write_video


def listed(path: Path) -> ListedSource:
    size_bytes = path.stat().st_size if path.exists() else 0
    return ListedSource(source_id="v-1", uri=str(path), name=path.name, size_bytes=size_bytes, version="1")


def outcome(path: Path, **settings: Any) -> Source | Verdict:
    return probe_source(listed(path), path, ProbeConfig(**settings))


def probed(path: Path, **settings: Any) -> Source:
    source = outcome(path, **settings)
    assert isinstance(source, Source)
    return source


def refused(path: Path, **settings: Any) -> Verdict:
    verdict = outcome(path, **settings)
    assert isinstance(verdict, Verdict)
    assert verdict.decision == "reject"
    assert verdict.subject_id == "v-1"
    assert path.name in verdict.reason
    return verdict


def decoded_pts(path: Path, source: Source) -> list[list[int]]:
    """The pts that decoding each slice yields."""
    with open_media(path, path.name) as container:
        stream = main_video_stream(container, path.name)
        return [[f.pts or 0 for f in decode_span(container, stream, s.span, [], path.name)] for s in source.slices]


def assert_agrees_with_decoding(path: Path, source: Source) -> None:
    """Every frame lies in exactly one slice, and packets and frames are counted alike."""
    with open_media(path, path.name) as container:
        everything = decode_span(container, main_video_stream(container, path.name), None, [], path.name)
        whole = [frame.pts or 0 for frame in everything]
    slices = decoded_pts(path, source)
    assert [pts for one in slices for pts in one] == whole
    assert [len(one) for one in slices] == [one.n_frames for one in source.slices]
    assert len(whole) == source.video.n_frames_from_content
    assert source.slices[0].span.start_pts == whole[0]
    assert source.slices[-1].span.end_pts > whole[-1]
    for before, after in itertools.pairwise(source.slices):
        assert before.span.end_pts == after.span.start_pts


def through_ffmpeg(source: Path, destination: Path, given: dict[str, Any], **options: Any) -> Path:
    """Remux or encode with the ffmpeg binary, for what PyAV has no words for."""
    command = ffmpeg.input(str(source), **given).output(str(destination), **options).overwrite_output()
    command.run(cmd=imageio_ffmpeg.get_ffmpeg_exe(), quiet=True)
    return destination


def test_a_plain_mp4(tmp_path: Path) -> None:
    path = write_video(tmp_path / "plain.mp4", numbered_frames(50), gop=10, audio=True)
    source = probed(path)
    video = source.video
    assert (video.codec, video.width, video.height, video.pixel_format) == ("h264", 160, 120, "yuv420p")
    assert (video.display_width, video.display_height, video.rotation_degrees) == (160, 120, 0)
    assert (video.n_frames_from_content, video.n_frames_from_header, video.n_keyframes) == (50, 50, 5)
    assert video.fps_from_content == pytest.approx(25)
    assert video.duration_s_from_content == pytest.approx(2)
    assert not video.is_variable_frame_rate
    assert not video.is_interlaced
    assert source.audio is not None
    assert (source.audio.codec, source.audio.sample_rate_hz, source.audio.n_channels) == ("aac", 48000, 1)
    assert source.content_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert source.problems == ()
    assert [s.slice_id for s in source.slices] == ["v-1-000"]
    assert source.slices[0].content_sha256 == source.content_sha256
    assert_agrees_with_decoding(path, source)


@pytest.mark.parametrize(
    ("file", "codec", "options"),
    [
        ("a.mp4", "libx264", {"bf": "2", "x264-params": "open-gop=1:scenecut=0"}),
        ("a.mkv", "libx264", {"bf": "2"}),
        ("a.ts", "libx264", {"bf": "2", "x264-params": "open-gop=1:scenecut=0"}),
        ("a.avi", "libx264", {"bf": "2"}),
        ("b.avi", "mpeg4", {"bf": "2"}),
        ("a.mpg", "mpeg2video", {"bf": "2"}),
        ("a.flv", "libx264", {"bf": "2"}),
        ("a.webm", "libvpx-vp9", {"deadline": "realtime", "cpu-used": "8"}),
        ("a.h264", "libx264", {"bf": "2"}),
    ],
)
def test_slices_partition_the_frames_in_every_container(
    tmp_path: Path, file: str, codec: str, options: dict[str, str]
) -> None:
    path = write_video(tmp_path / file, numbered_frames(60), codec=codec, gop=10, options=options)
    source = probed(path, max_slice_s=1.0)
    assert source.video.n_frames_from_content == 60
    assert len(source.slices) >= 3
    assert all(s.span.duration_s <= 1.0 for s in source.slices)
    assert [s.slice_id for s in source.slices] == [f"v-1-{i:03d}" for i in range(len(source.slices))]
    assert {s.n_slices for s in source.slices} == {len(source.slices)}
    assert_agrees_with_decoding(path, source)


def test_a_group_longer_than_a_slice_is_not_cut(tmp_path: Path) -> None:
    path = write_video(tmp_path / "long.mp4", numbered_frames(50), gop=25)
    source = probed(path, max_slice_s=0.4)
    assert [s.n_frames for s in source.slices] == [25, 25]
    assert_agrees_with_decoding(path, source)


def test_variable_frame_rate(tmp_path: Path) -> None:
    pts = [0, 40, 80, 500, 540, 2000]
    path = write_video(tmp_path / "vfr.mkv", numbered_frames(6), pts=pts, time_base=Fraction(1, 1000))
    source = probed(path)
    assert source.video.is_variable_frame_rate
    assert decoded_pts(path, source) == [pts]
    assert source.problems == ()


def test_rounded_timestamps_are_no_variable_frame_rate(tmp_path: Path) -> None:
    path = write_video(tmp_path / "ntsc.mkv", numbered_frames(40), fps=Fraction(30000, 1001))
    video = probed(path).video
    assert not video.is_variable_frame_rate
    assert video.fps_from_content == pytest.approx(29.97, rel=0.01)


def test_a_start_that_is_not_zero(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.mp4", numbered_frames(30), gop=10)
    for name in ("late.mkv", "late.ts", "late.mp4"):
        path = through_ffmpeg(whole, tmp_path / name, {}, c="copy", output_ts_offset=10)
        source = probed(path, max_slice_s=0.5)
        assert source.slices[0].span.start_s > 9.9
        assert source.video.duration_s_from_content == pytest.approx(1.2, abs=0.01)
        assert_agrees_with_decoding(path, source)


def test_frames_that_an_edit_list_hides_are_not_there(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.mp4", numbered_frames(50), gop=50)
    path = through_ffmpeg(whole, tmp_path / "edited.mp4", {"ss": 0.8}, c="copy")
    with av.open(str(path)) as container:
        assert any(packet.is_discard for packet in container.demux(video=0))
    source = probed(path)
    assert source.video.n_frames_from_content == 30
    assert_agrees_with_decoding(path, source)


def test_decode_timestamps_before_zero(tmp_path: Path) -> None:
    path = write_video(tmp_path / "b.mp4", numbered_frames(30), options={"bf": "2"})
    with av.open(str(path)) as container:
        assert min(packet.dts for packet in container.demux(video=0) if packet.dts is not None) < 0
    source = probed(path)
    assert source.slices[0].span.start_pts == 0
    assert_agrees_with_decoding(path, source)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotation_is_clockwise_and_turns_the_display(tmp_path: Path, degrees: int) -> None:
    path = write_video(tmp_path / "turned.mp4", numbered_frames(3), rotation_degrees=degrees)
    video = probed(path).video
    assert video.rotation_degrees == degrees
    assert (video.width, video.height) == (160, 120)
    assert (video.display_width, video.display_height) == ((160, 120) if degrees == 180 else (120, 160))


def test_anamorphic_pictures(tmp_path: Path) -> None:
    path = write_video(tmp_path / "wide.mp4", numbered_frames(3), sample_aspect_ratio=Fraction(4, 3))
    video = probed(path).video
    assert (video.width, video.display_width, video.display_height) == (160, 213, 120)


def test_interlaced(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.mp4", numbered_frames(20))
    path = through_ffmpeg(
        whole, tmp_path / "fields.ts", {}, vcodec="mpeg2video", flags="+ilme+ildct", vf="setfield=tff"
    )
    source = probed(path)
    assert source.video.is_interlaced
    assert_agrees_with_decoding(path, source)


def test_ten_bits_and_transfer(tmp_path: Path) -> None:
    options = {"x264-params": "transfer=smpte2084:colorprim=bt2020:colormatrix=bt2020nc"}
    path = write_video(tmp_path / "hdr.mp4", numbered_frames(3), pixel_format="yuv420p10le", options=options)
    video = probed(path).video
    assert (video.pixel_format, video.color_transfer) == ("yuv420p10le", "smpte2084")


def test_odd_sizes(tmp_path: Path) -> None:
    path = write_video(tmp_path / "odd.mp4", numbered_frames(3, 121, 161), pixel_format="yuv444p")
    video = probed(path).video
    assert (video.width, video.height, video.display_width, video.display_height) == (161, 121, 161, 121)


def test_one_frame_only(tmp_path: Path) -> None:
    for name in ("one.mp4", "one.mkv", "one.avi"):
        source = probed(write_video(tmp_path / name, numbered_frames(1)))
        assert source.video.n_frames_from_content == 1
        assert source.video.duration_s_from_content > 0
        assert not source.video.is_variable_frame_rate
        assert_agrees_with_decoding(tmp_path / name, source)


def test_a_container_that_does_not_say_how_long_frames_last(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.asf", numbered_frames(25), codec="wmv2")
    with av.open(str(path)) as container:
        assert not any(packet.duration for packet in container.demux(video=0))
    assert probed(path).video.duration_s_from_content == pytest.approx(1.0)


def test_a_live_recording_without_header_facts(tmp_path: Path) -> None:
    path = write_video(tmp_path / "live.mkv", numbered_frames(20), container_options={"live": "1"})
    video = probed(path).video
    assert (video.n_frames_from_header, video.n_frames_from_content) == (0, 20)


def test_caps_are_verdicts(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mp4", numbered_frames(50))
    size_bytes = path.stat().st_size
    for setting, cap, score in (
        ("max_size_bytes", 1000, size_bytes), ("max_pixels", 160 * 120 - 1, 160 * 120), ("max_frames", 49, 50),
    ):  # fmt: skip
        verdict = refused(path, **{setting: cap})
        assert (verdict.rule, verdict.score, verdict.threshold) == (f"probe.{setting}", score, cap)
        assert isinstance(outcome(path, **{setting: score}), Source)
    verdict = refused(path, max_duration_s=1.5)
    assert verdict.rule == "probe.max_duration_s"
    assert verdict.score is not None
    assert verdict.score > 1.5


def test_size_is_checked_before_anything_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "noise.mp4"
    path.write_bytes(bytes(2000))
    assert refused(path, max_size_bytes=1999).rule == "probe.max_size_bytes"


def sound(count: int) -> Iterator[av.AudioFrame]:
    for number in range(count):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 48000, number * 1024
        yield frame


def test_sound_without_pictures_is_turned_away(tmp_path: Path) -> None:
    path = tmp_path / "song.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48000, layout="mono")
        for frame in sound(20):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert refused(path).rule == "probe.has_video"


def test_what_is_no_media_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("words " * 500)
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\na.mp4\n#EXT-X-ENDLIST\n")
    with pytest.raises(MediaError, match=r"empty\.mp4: the file is empty"):
        outcome(tmp_path / "empty.mp4")
    with pytest.raises(MediaError, match=r"text\.mp4: not a media file"):
        outcome(tmp_path / "text.mp4")
    with pytest.raises(UnsafeMediaError, match=r"list\.m3u8: "):
        outcome(tmp_path / "list.m3u8")
    with pytest.raises(MediaError, match=r"absent\.mp4: no such file"):
        outcome(tmp_path / "absent.mp4")


def test_a_file_cut_short_is_told_and_used(tmp_path: Path) -> None:
    whole = write_video(
        tmp_path / "whole.mp4", numbered_frames(100), gop=10, container_options={"movflags": "faststart"}
    )
    path = tmp_path / "short.mp4"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    source = probed(path)
    assert 20 < source.video.n_frames_from_content < 90
    assert source.video.n_frames_from_header == 100
    assert any("its header promises 4.00 s" in sentence for sentence in source.problems)


def test_a_stretch_that_the_demuxer_loses_silently_is_told(tmp_path: Path) -> None:
    pts = [number for number in range(100) if not 40 <= number < 60]
    path = write_video(tmp_path / "gap.mkv", numbered_frames(80), pts=pts, time_base=Fraction(1, 25))
    assert probed(path).problems == ("no frames from 1.60 s to 2.40 s",)
