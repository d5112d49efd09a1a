"""What opening refuses, and that a span decodes to exactly its frames wherever decoding starts."""

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.time import Span, TimeBase
from stages.errors import MediaError, UnsafeMediaError
from stages.media.decode import decode_span, divide_span
from stages.media.demux import main_video_stream, open_media
from tests.corpus import frame_number, numbered_frames, picture_of, write_video

N_FRAMES = 40


def decoded(path: Path, span: Span | None = None, problems: list[str] | None = None) -> list[tuple[int, int]]:
    """The pts and number of every frame of a span."""
    told = [] if problems is None else problems
    with open_media(path, path.name) as container:
        stream = main_video_stream(container, path.name)
        frames = decode_span(container, stream, span, told, path.name)
        return [(frame.pts or 0, frame_number(picture_of(frame))) for frame in frames]


def time_base(path: Path) -> TimeBase:
    with open_media(path, path.name) as container:
        stream = main_video_stream(container, path.name)
        assert stream.time_base is not None
        return TimeBase.of(stream.time_base)


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("videos")
    x264 = {"codec": "libx264", "options": {"bf": "2"}}
    open_groups = {"codec": "libx264", "options": {"bf": "2", "x264-params": "open-gop=1:scenecut=0"}}
    mpeg4 = {"codec": "mpeg4", "options": {"bf": "2"}}
    mpeg2 = {"codec": "mpeg2video", "options": {"bf": "2"}}
    made = {
        "mp4": ("a.mp4", x264), "open groups": ("b.mp4", open_groups), "mkv": ("c.mkv", x264), "ts": ("d.ts", x264),
        "flv": ("e.flv", x264), "mpeg": ("f.mpg", mpeg2), "mxf": ("g.mxf", mpeg2), "avi, mpeg4": ("h.avi", mpeg4),
        "avi, h264": ("i.avi", x264), "avi, open groups": ("j.avi", open_groups), "raw": ("k.h264", x264),
    }  # fmt: skip
    return {
        name: write_video(folder / file, numbered_frames(N_FRAMES), **arguments)  # type: ignore[arg-type]
        for name, (file, arguments) in made.items()
    }


CONTAINERS = [
    "mp4",
    "open groups",
    "mkv",
    "ts",
    "flv",
    "mpeg",
    "mxf",
    "avi, mpeg4",
    "avi, h264",
    "avi, open groups",
    "raw",
]


@pytest.mark.parametrize("name", CONTAINERS)
def test_every_frame_comes_once_in_order_and_evenly_timed(videos: dict[str, Path], name: str) -> None:
    frames = decoded(videos[name])
    base = time_base(videos[name]).fraction
    first = frames[0][0]
    assert [number for _, number in frames] == list(range(N_FRAMES))
    assert [round((pts - first) * base * 25) for pts, _ in frames] == list(range(N_FRAMES))


@pytest.mark.parametrize("name", CONTAINERS)
@settings(max_examples=6, deadline=None, derandomize=True)
@given(ends=st.tuples(st.integers(0, N_FRAMES - 1), st.integers(0, N_FRAMES - 1)).map(sorted))
def test_a_span_decodes_to_what_the_whole_file_shows_there(videos: dict[str, Path], name: str, ends: list[int]) -> None:
    frames = decoded(videos[name])
    start, end = ends
    span = Span(start_pts=frames[start][0], end_pts=frames[end][0], time_base=time_base(videos[name]))
    assert decoded(videos[name], span) == frames[start:end]


def test_a_span_may_begin_and_end_between_frames(videos: dict[str, Path]) -> None:
    frames = decoded(videos["ts"])
    span = Span(start_pts=frames[9][0] - 1, end_pts=frames[20][0] + 1, time_base=time_base(videos["ts"]))
    assert decoded(videos["ts"], span) == frames[9:21]


def test_one_container_serves_several_spans_in_any_order(videos: dict[str, Path]) -> None:
    for path in (videos["mp4"], videos["avi, h264"], videos["raw"]):
        frames, base = decoded(path), time_base(path)
        spans = [Span(start_pts=frames[i][0], end_pts=frames[i + 5][0], time_base=base) for i in (30, 3, 14)]
        with open_media(path, path.name) as container:
            stream = main_video_stream(container, path.name)
            for span, i in zip(spans, (30, 3, 14), strict=True):
                pts = [frame.pts for frame in decode_span(container, stream, span, [], path.name)]
                assert pts == [pts for pts, _ in frames[i : i + 5]]


def divided(path: Path, span: Span, count: int, min_stretch_s: float) -> tuple[Span, ...]:
    with open_media(path, path.name) as container:
        stream = main_video_stream(container, path.name)
        return divide_span(container, stream, span, count, min_stretch_s, path.name)


def span_of(path: Path, frames: list[tuple[int, int]]) -> Span:
    return Span(start_pts=frames[0][0], end_pts=frames[-1][0] + 1, time_base=time_base(path))


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize("count", [2, 3, 5])
def test_stretches_of_a_span_hold_each_of_its_frames_once(videos: dict[str, Path], name: str, count: int) -> None:
    frames = decoded(videos[name])
    for first in (0, 7):
        span = span_of(videos[name], frames[first:])
        stretches = divided(videos[name], span, count, 0.2)
        assert 1 <= len(stretches) <= count
        assert [frame for stretch in stretches for frame in decoded(videos[name], stretch)] == frames[first:]
        # Groups of pictures are 12 frames long; raw streams can only be read from their beginning.
        assert len(stretches) >= 2 if name != "raw" else stretches == (span,)


def test_stretches_are_about_equal_and_begin_at_keyframes(videos: dict[str, Path]) -> None:
    frames = decoded(videos["mp4"])
    starts = [stretch.start_pts for stretch in divided(videos["mp4"], span_of(videos["mp4"], frames), 3, 0.2)]
    assert starts == [frames[0][0], frames[12][0], frames[24][0]]


def test_no_stretch_is_shorter_than_asked(videos: dict[str, Path]) -> None:
    span = span_of(videos["mp4"], decoded(videos["mp4"]))
    for min_stretch_s in (0.1, 0.4, 0.6, 0.9, 5.0):
        stretches = divided(videos["mp4"], span, 8, min_stretch_s)
        assert stretches == (span,) or min(stretch.duration_s for stretch in stretches) >= min_stretch_s
        assert (stretches[0].start_pts, stretches[-1].end_pts) == (span.start_pts, span.end_pts)


def test_irregular_timestamps_come_back_exactly(tmp_path: Path) -> None:
    pts = [0, 100, 250, 300, 700, 710]
    path = write_video(tmp_path / "v.mp4", numbered_frames(6), pts=pts, time_base=Fraction(1, 1000))
    assert decoded(path) == [(p, number) for number, p in enumerate(pts)]


def test_avi_without_pts_starts_at_zero(videos: dict[str, Path]) -> None:
    assert [pts for pts, _ in decoded(videos["avi, mpeg4"])] == list(range(N_FRAMES))
    assert [pts for pts, _ in decoded(videos["avi, h264"])] == list(range(N_FRAMES))


def test_a_span_on_another_time_base_is_refused(videos: dict[str, Path]) -> None:
    span = Span(start_pts=0, end_pts=10, time_base=TimeBase(numerator=1, denominator=7))
    with pytest.raises(ValueError, match="time base"):
        decoded(videos["mp4"], span)


def overwrite_packets(path: Path, positions: range, destination: Path) -> Path:
    """A copy of a video in which some packets, counted in decode order, are noise."""
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        for position, packet in enumerate(container.demux(video=0)):
            if position in positions and packet.pos is not None:
                data[packet.pos : packet.pos + packet.size] = b"\xff" * packet.size
    destination.write_bytes(data)
    return destination


def test_damaged_packets_are_skipped_told_once_and_shift_nothing(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.mp4", numbered_frames(N_FRAMES), gop=8, options={"bf": "0"})
    path = overwrite_packets(whole, range(20, 23), tmp_path / "damaged.mp4")
    problems: list[str] = []
    frames = decoded(path, None, problems)
    assert [pts for pts, _ in frames] == [*range(20), *range(23, N_FRAMES)]
    assert [frame for frame in frames if frame[0] >= 24] == [(number, number) for number in range(24, N_FRAMES)]
    assert problems == ["3 packets near 0.80 s could not be decoded"]
    assert decoded(path, None, problems) == frames
    assert len(problems) == 1


@pytest.mark.parametrize("b_frames", ["0", "2"])
def test_what_lies_beyond_a_span_is_not_decoded(tmp_path: Path, b_frames: str) -> None:
    whole = write_video(tmp_path / "whole.mp4", numbered_frames(N_FRAMES), gop=8, options={"bf": b_frames})
    frames, base = decoded(whole), time_base(whole)
    path = overwrite_packets(whole, range(16, N_FRAMES), tmp_path / "damaged.mp4")
    problems: list[str] = []
    span = Span(start_pts=frames[0][0], end_pts=frames[16][0], time_base=base)
    assert decoded(path, span, problems) == frames[:16]
    assert problems == []


def test_a_frame_lost_from_avi_shifts_nothing_beyond_its_group(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.avi", numbered_frames(N_FRAMES), gop=8, options={"bf": "2"})
    frames = decoded(overwrite_packets(whole, range(10, 11), tmp_path / "damaged.avi"))
    assert [frame for frame in frames if frame[0] >= 16] == [(number, number) for number in range(16, N_FRAMES)]


def test_a_file_that_ends_early_gives_what_it_holds(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.mkv", numbered_frames(N_FRAMES))
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    frames = decoded(cut)
    assert 5 < len(frames) < N_FRAMES
    assert [number for _, number in frames] == list(range(len(frames)))


def test_video_that_no_decoder_is_known_for_is_an_error(videos: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "alien.mp4"
    path.write_bytes(videos["mp4"].read_bytes().replace(b"avc1", b"zzzz"))
    with pytest.raises(MediaError, match=r"alien\.mp4: its video is of an unknown codec"):
        decoded(path)


def hostile(folder: Path) -> Iterator[tuple[str, bytes]]:
    target = folder / "secret.mp4"
    yield "playlist.m3u8", f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile://{target}\n#EXT-X-ENDLIST\n".encode()
    yield "playlist.mp4", f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{target}\n#EXT-X-ENDLIST\n".encode()
    yield "script.mkv", f"ffconcat version 1.0\nfile '{target}'\n".encode()


def test_playlists_and_scripts_are_never_opened_whatever_they_are_called(tmp_path: Path) -> None:
    write_video(tmp_path / "secret.mp4", numbered_frames(3))
    for name, content in hostile(tmp_path):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(MediaError, match=name), open_media(tmp_path / name, name):
            pass
    with pytest.raises(UnsafeMediaError, match="never opened"), open_media(tmp_path / "playlist.m3u8", "playlist.m3u8"):
        pass


@pytest.mark.parametrize("name", ["-i.mp4", "concat:a|b.mp4", "http:evil.mp4", "%03d.mp4", "a b;$(id).mp4"])
def test_a_file_may_have_any_name(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write_video(tmp_path / "plain.mp4", numbered_frames(3)).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert len(decoded(Path(name))) == 3


def test_errors_name_the_file_and_the_cause(videos: dict[str, Path], tmp_path: Path) -> None:
    cases = {
        "empty.mp4": (b"", "the file is empty"),
        "text.mp4": (b"no video here\n" * 500, "not a media file"),
        "zeros.mp4": (bytes(50_000), "not a media file"),
        "cut.mp4": (videos["mp4"].read_bytes()[:3000], "MP4 file whose header is cut off"),
        "cut.mkv": (videos["mkv"].read_bytes()[:60], "Matroska file whose header is cut off"),
        "cut.avi": (videos["avi, h264"].read_bytes()[:200], "AVI file whose header is cut off"),
    }
    for name, (content, cause) in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(MediaError, match=f"{name}: .*{cause}") as error, open_media(tmp_path / name, name):
            pass
        assert os.linesep not in str(error.value)
    with pytest.raises(MediaError, match=r"none\.mp4: no such file"), open_media(tmp_path / "none.mp4", "none.mp4"):
        pass


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_told_in_one_line(videos: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(MediaError) as error, open_media(videos["mp4"], "a.mp4", "cuda"):
        pass
    assert str(error.value).startswith("a.mp4: the GPU's decoder cannot be opened (")
    assert str(error.value).endswith("): set grid.decode_on=cpu")
    (tmp_path / "empty.mp4").write_bytes(b"")
    with (
        pytest.raises(MediaError, match=r"empty\.mp4: the file is empty"),
        open_media(tmp_path / "empty.mp4", "empty.mp4", "cuda"),
    ):
        pass


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("codec", ["mp4", "mkv"])
def test_a_gpu_decodes_the_same_frames_at_the_same_times(videos: dict[str, Path], codec: str) -> None:
    seen = {}
    for place in ("cpu", "cuda"):
        with open_media(videos[codec], codec, place) as container:
            stream = main_video_stream(container, codec)
            frames = list(decode_span(container, stream, None, [], codec))
            seen[place] = [(f.pts, f.duration, f.to_ndarray(format="gray")) for f in frames]
            assert stream.codec_context.is_hwaccel == (place == "cuda")
    assert [frame[:2] for frame in seen["cpu"]] == [frame[:2] for frame in seen["cuda"]]
    assert all((one[2] == other[2]).all() for one, other in zip(*seen.values(), strict=True))
