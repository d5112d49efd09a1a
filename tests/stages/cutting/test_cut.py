"""A cut clip holds exactly the frames of its span, whichever way it was cut."""

import wave
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from schemas.config import PackageConfig
from schemas.media import Clip
from schemas.time import Span, TimeBase
from stages.cutting.cut import cut_clip
from stages.errors import CutError, MediaError
from stages.media.decode import decode_span
from stages.media.demux import main_video_stream, open_media
from tests.corpus import AUDIO_RATE_HZ, Picture, frame_number, numbered_frames, picture_of, write_video

N_FRAMES = 40
GOP = 10


def frames_of(path: Path) -> list[tuple[Fraction, Picture]]:
    """Time in seconds, exact, and picture of every frame."""
    with open_media(path, path.name) as container:
        stream = main_video_stream(container, path.name)
        base = stream.time_base or Fraction(1)
        return [((f.pts or 0) * base, picture_of(f)) for f in decode_span(container, stream, None, [], path.name)]


def clip_of(path: Path, first: int, last: int, n_frames: int | None = None) -> Clip:
    """The clip that holds frames `first` to `last`, both included."""
    with open_media(path, path.name) as container:
        stream = main_video_stream(container, path.name)
        base = TimeBase.of(stream.time_base or Fraction(1))
        pts = [frame.pts or 0 for frame in decode_span(container, stream, None, [], path.name)]
    end_pts = pts[last + 1] if last + 1 < len(pts) else pts[last] + (pts[1] - pts[0])
    return Clip(
        clip_id=f"v-000-{first}-{last}",
        source_id="v",
        slice_id="v-000",
        uri=str(path),
        name=path.name,
        span=Span(start_pts=pts[first], end_pts=end_pts, time_base=base),
        n_frames=last - first + 1 if n_frames is None else n_frames,
        shots=(),
        transitions=(),
    )


def assert_exact(source: Path, clip: Clip, cut: Path, first: int, last: int, *, max_difference: float = 2.0) -> None:
    """Same number of frames, same pictures, same distances in time, starting at 0."""
    wanted, got = frames_of(source)[first : last + 1], frames_of(cut)
    assert len(got) == len(wanted) == clip.n_frames
    assert [time for time, _ in got] == [time - wanted[0][0] for time, _ in wanted]
    for (_, before), (_, after) in zip(wanted, got, strict=True):
        assert np.abs(before.astype(int) - after).mean() <= max_difference


VIDEOS: dict[str, dict[str, Any]] = {
    "plain.mp4": {"options": {"bf": "2"}},
    "open.mp4": {"options": {"bf": "2", "x264-params": "open-gop=1:scenecut=0"}},
    "plain.mkv": {"options": {"bf": "2"}},
    "plain.ts": {"options": {"bf": "2"}},
    "plain.flv": {"options": {"bf": "2"}},
    "plain.webm": {"codec": "libvpx-vp9", "options": {"deadline": "realtime", "cpu-used": "8"}},
    "plain.mpg": {"codec": "mpeg2video", "options": {"bf": "2"}},
    "h264.avi": {"options": {"bf": "2"}},
    "mpeg4.avi": {"codec": "mpeg4", "options": {"bf": "2"}},
    "raw.h264": {"options": {"bf": "2"}},
    "irregular.mkv": {"pts": [40 * n + (300 if n > 13 else 0) + n % 3 for n in range(N_FRAMES)],
                      "time_base": Fraction(1, 1000), "options": {"bf": "0"}},
}  # fmt: skip


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("videos")
    return {
        name: write_video(folder / name, numbered_frames(N_FRAMES), gop=GOP, **arguments)
        for name, arguments in VIDEOS.items()
    }


@pytest.mark.parametrize("name", VIDEOS)
@pytest.mark.parametrize(("first", "last"), [(0, N_FRAMES - 1), (10, 19), (13, 27)])
def test_a_clip_holds_exactly_its_frames(
    videos: dict[str, Path], tmp_path: Path, name: str, first: int, last: int
) -> None:
    source, cut = videos[name], tmp_path / "clip.mp4"
    clip = clip_of(source, first, last)
    done = cut_clip(clip, source, cut, PackageConfig(crf=12))
    assert done.n_frames == clip.n_frames
    assert_exact(source, clip, cut, first, last, max_difference=0 if done.is_stream_copy else 2)
    assert [frame_number(picture) for _, picture in frames_of(cut)] == list(range(first, last + 1))


@pytest.mark.parametrize("name", ["plain.mp4", "plain.mkv", "plain.ts", "plain.flv", "plain.webm", "irregular.mkv"])
@pytest.mark.parametrize(("first", "last"), [(10, 19), (0, 29)])
def test_whole_groups_are_copied(videos: dict[str, Path], tmp_path: Path, name: str, first: int, last: int) -> None:
    cut = tmp_path / "clip.mp4"
    assert cut_clip(clip_of(videos[name], first, last), videos[name], cut, PackageConfig()).is_stream_copy


@pytest.mark.parametrize("name", ["plain.mp4", "mpeg4.avi"])
def test_a_clip_may_be_one_frame(videos: dict[str, Path], tmp_path: Path, name: str) -> None:
    cut_clip(clip_of(videos[name], 7, 7), videos[name], tmp_path / "clip.mp4", PackageConfig())
    assert [frame_number(picture) for _, picture in frames_of(tmp_path / "clip.mp4")] == [7]


def test_what_a_copy_would_get_wrong_is_encoded(videos: dict[str, Path], tmp_path: Path) -> None:
    cut = tmp_path / "clip.mp4"
    assert not cut_clip(clip_of(videos["plain.mp4"], 5, 19), videos["plain.mp4"], cut, PackageConfig()).is_stream_copy
    turned = write_video(tmp_path / "turned.mp4", numbered_frames(10), rotation_degrees=90)
    assert not cut_clip(clip_of(turned, 0, 9), turned, cut, PackageConfig()).is_stream_copy


def test_a_rotated_source_becomes_an_upright_clip(tmp_path: Path) -> None:
    source = write_video(tmp_path / "turned.mp4", numbered_frames(10), rotation_degrees=90)
    cut = tmp_path / "clip.mp4"
    cut_clip(clip_of(source, 2, 6), source, cut, PackageConfig(crf=5))
    (_, picture) = frames_of(cut)[0]
    assert picture.shape == (160, 120, 3)
    upright = np.rot90(frames_of(source)[2][1], k=-1)
    assert np.abs(upright.astype(int) - picture).mean() < 3


def test_odd_sizes_lose_at_most_a_row_and_a_column(tmp_path: Path) -> None:
    source = write_video(tmp_path / "odd.mkv", numbered_frames(10, 121, 161), pixel_format="yuv444p")
    cut = tmp_path / "clip.mp4"
    cut_clip(clip_of(source, 3, 8), source, cut, PackageConfig(crf=5))
    (_, picture) = frames_of(cut)[0]
    assert picture.shape == (120, 160, 3)
    assert np.abs(frames_of(source)[3][1][:120, :160].astype(int) - picture).mean() < 3


def test_a_clip_far_into_a_long_source(tmp_path: Path) -> None:
    pictures = [frame for frame in numbered_frames(300, 48, 64) for _ in range(2)]
    for name, codec in (("long.mp4", "libx264"), ("long.avi", "mpeg4")):
        source, cut = (
            write_video(tmp_path / name, pictures, codec=codec, gop=50, options={"bf": "2"}),
            tmp_path / "c.mp4",
        )
        cut_clip(clip_of(source, 533, 571), source, cut, PackageConfig(crf=8))
        assert [frame_number(picture) for _, picture in frames_of(cut)] == [n // 2 for n in range(533, 572)]


def sound_of(path: Path) -> tuple[str, np.ndarray[Any, np.dtype[np.float32]]] | None:
    """Codec and samples of the sound; None where there is none."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return None
        stream = container.streams.audio[0]
        samples = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(stream)])
        return stream.codec_context.name, samples.astype(np.float32)


@pytest.mark.parametrize(("first", "last"), [(10, 29), (13, 27)])
def test_sound_covers_the_same_stretch(tmp_path: Path, first: int, last: int) -> None:
    for name in ("a.mp4", "a.mkv", "a.ts"):
        source, cut = write_video(tmp_path / name, numbered_frames(N_FRAMES), gop=GOP, audio=True), tmp_path / "c.mp4"
        cut_clip(clip_of(source, first, last), source, cut, PackageConfig())
        sound = sound_of(cut)
        assert sound is not None
        assert sound[0] == "aac"
        # AAC comes in frames of 1024 samples, and one of them may be priming.
        assert abs(len(sound[1]) - (last - first + 1) / 25 * AUDIO_RATE_HZ) <= 2 * 1024
        assert np.abs(sound[1]).max() > 0.2


def test_sound_stays_with_its_pictures(tmp_path: Path) -> None:
    """A click at 1.0 s lies 0.48 s into a clip that begins at frame 13."""
    samples = np.zeros(2 * AUDIO_RATE_HZ, np.int16)
    samples[AUDIO_RATE_HZ : AUDIO_RATE_HZ + 480] = 20_000
    with wave.open(str(tmp_path / "click.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(AUDIO_RATE_HZ)
        file.writeframes(samples.tobytes())
    silent = write_video(tmp_path / "silent.mkv", numbered_frames(50))
    source = tmp_path / "click.mkv"
    with (
        av.open(str(silent)) as pictures,
        av.open(str(tmp_path / "click.wav")) as click,
        av.open(str(source), "w") as out,
    ):
        video = out.add_stream_from_template(pictures.streams.video[0])
        audio = out.add_stream_from_template(click.streams.audio[0])
        for packets, stream in ((click.demux(audio=0), audio), (pictures.demux(video=0), video)):
            for packet in packets:
                if packet.size:
                    packet.stream = stream
                    out.mux(packet)
    cut = tmp_path / "clip.mp4"
    assert not cut_clip(clip_of(source, 13, 40), source, cut, PackageConfig()).is_stream_copy
    sound = sound_of(cut)
    assert sound is not None
    assert np.flatnonzero(np.abs(sound[1]) > 0.2)[0] / AUDIO_RATE_HZ == pytest.approx(0.48, abs=0.03)


def test_sound_is_left_out_on_request(tmp_path: Path) -> None:
    source, cut = write_video(tmp_path / "a.mp4", numbered_frames(20), audio=True), tmp_path / "c.mp4"
    for first in (0, 3):
        cut_clip(clip_of(source, first, 19), source, cut, PackageConfig(audio=False))
        assert sound_of(cut) is None


def test_a_source_whose_sound_ended_before_the_clip(tmp_path: Path) -> None:
    long, short = (
        write_video(tmp_path / "l.mkv", numbered_frames(50)),
        write_video(tmp_path / "s.mkv", numbered_frames(5), audio=True),
    )
    source = tmp_path / "both.mkv"
    with av.open(str(long)) as pictures, av.open(str(short)) as sound, av.open(str(source), "w") as out:
        video = out.add_stream_from_template(pictures.streams.video[0])
        audio = out.add_stream_from_template(sound.streams.audio[0])
        for packets, stream in ((sound.demux(audio=0), audio), (pictures.demux(video=0), video)):
            for packet in packets:
                if packet.size:
                    packet.stream = stream
                    out.mux(packet)
    for first, last in ((24, 47), (27, 40)):
        cut_clip(clip_of(source, first, last), source, tmp_path / "c.mp4", PackageConfig())
        assert len(frames_of(tmp_path / "c.mp4")) == last - first + 1


def test_damage_does_not_change_which_frames_a_clip_holds(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.mp4", numbered_frames(N_FRAMES), gop=GOP, options={"bf": "0"})
    data = bytearray(whole.read_bytes())
    with av.open(str(whole)) as container:
        for number, packet in enumerate(container.demux(video=0)):
            if number in (15, 16):
                data[packet.pos or 0 : (packet.pos or 0) + packet.size] = b"\xff" * packet.size
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(data)
    pts = [time for time, _ in frames_of(damaged)]
    clip = clip_of(damaged, pts.index(Fraction(12, 25)), pts.index(Fraction(25, 25)))
    assert clip.n_frames == 12
    assert cut_clip(clip, damaged, tmp_path / "c.mp4", PackageConfig()).n_frames == 12
    times = [time for time, _ in frames_of(tmp_path / "c.mp4")]
    assert times == [Fraction(n - 12, 25) for n in (12, 13, 14, *range(17, 26))]


def test_a_wrong_count_is_an_error_that_names_clip_and_counts(videos: dict[str, Path], tmp_path: Path) -> None:
    clip = clip_of(videos["plain.mp4"], 13, 20, n_frames=9)
    with pytest.raises(CutError, match=r"plain\.mp4: v-000-13-20 should hold 9 frames, the mp4 holds 8"):
        cut_clip(clip, videos["plain.mp4"], tmp_path / "clip.mp4", PackageConfig())
    assert not (tmp_path / "clip.mp4").exists()


def test_time_is_limited(videos: dict[str, Path], tmp_path: Path) -> None:
    for name in ("plain.mp4", "mpeg4.avi"):
        clip = clip_of(videos[name], 3, 39)
        with pytest.raises(CutError, match=r"was not encoded within 0\.001 s"):
            cut_clip(clip, videos[name], tmp_path / "clip.mp4", PackageConfig(timeout_s=0.001))
        assert not (tmp_path / "clip.mp4").exists()


def test_settings_that_ffmpeg_refuses_are_an_error_with_its_words(videos: dict[str, Path], tmp_path: Path) -> None:
    for name in ("plain.mp4", "mpeg4.avi"):
        with pytest.raises(CutError, match=rf"{name}: v-000-3-9 could not be encoded: ."):
            cut_clip(clip_of(videos[name], 3, 9), videos[name], tmp_path / "c.mp4", PackageConfig(preset="nonsense"))


def test_a_source_that_is_gone_is_an_error(videos: dict[str, Path], tmp_path: Path) -> None:
    clip = clip_of(videos["plain.mp4"], 0, 9)
    with pytest.raises(MediaError, match="no such file"):
        cut_clip(clip, tmp_path / "gone.mp4", tmp_path / "clip.mp4", PackageConfig())


@pytest.mark.parametrize("name", ["-y.mp4", "pipe:0.mp4", "a 'b' %d.mp4"])
def test_names_are_never_options(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_video(tmp_path / "plain.mp4", numbered_frames(12)).rename(name)
    cut_clip(clip_of(Path(name), 2, 9), Path(name), Path(f"-{name}"), PackageConfig())
    assert len(frames_of(Path(f"-{name}"))) == 8


def test_the_same_clip_gives_the_same_bytes(videos: dict[str, Path], tmp_path: Path) -> None:
    for name, first in (("plain.mp4", 10), ("plain.mp4", 13), ("mpeg4.avi", 13)):
        made = []
        for attempt in ("one.mp4", "two.mp4"):
            cut_clip(clip_of(videos[name], first, 29), videos[name], tmp_path / attempt, PackageConfig())
            made.append((tmp_path / attempt).read_bytes())
        assert made[0] == made[1]
