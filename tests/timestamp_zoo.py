"""Small videos of every kind of timeline, with what each of them shows and when, known from how it was built.

Here: `ZOO` and `ffmpeg_reading`, which reads the same files with the ffmpeg program and nothing of the product.
Not here: expectations about the product (`tests.stages.media.test_timestamps`).
"""

import struct
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg
import numpy as np

from tests.corpus import frame_number, numbered_frames, write_video

WIDTH, HEIGHT = 128, 72
COUNT, FPS, GOP = 40, 25, 12

Shown = tuple[tuple[Fraction, int], ...]
"""Time in seconds and number of each frame, in order."""


@dataclass(frozen=True)
class Specimen:
    """A video of the zoo."""

    make: Callable[[Path], Path]
    """Writes it below a folder."""
    shown: Shown
    """What it shows, by construction."""
    is_relative: bool = False
    """Whether its times count from the first frame, because the muxer chose where that lies."""
    is_cut_off: bool = False
    """Whether the file ends early: what is left of it is for ffmpeg to say."""
    ffmpeg_differs: str = ""
    """Why ffmpeg's reading is not the truth, where it is not."""
    is_one_group: bool = False
    """Whether decoding can start at the beginning only."""
    is_unseekable: bool = False
    """Whether it lacks the index without which its format cannot be positioned."""


def even(numbers: Iterable[int] = range(COUNT), fps: Fraction | int = FPS, start_s: Fraction | int = 0) -> Shown:
    """Frame n at `start_s` + n / `fps`."""
    return tuple((start_s + number / Fraction(fps), number) for number in numbers)


def at_ticks(ticks: Sequence[int], time_base: Fraction) -> Shown:
    """Frame n at its own tick."""
    return tuple((tick * time_base, number) for number, tick in enumerate(ticks))


def ffmpeg_reading(path: Path) -> Shown:
    """What the ffmpeg program shows of a file, and when: its own demuxing, decoding and timing, nothing dropped."""
    ffmpeg, times = imageio_ffmpeg.get_ffmpeg_exe(), path.with_suffix(path.suffix + ".framecrc")
    keep = ["-map", "0:v:0", "-fps_mode", "passthrough", "-enc_time_base:v", "demux"]
    command = [ffmpeg, "-v", "error", "-nostdin", "-y", "-noautorotate", "-copyts", "-i", str(path)]
    command += [*keep, "-f", "framecrc", str(times), *keep, "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    pixels = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    lines = times.read_text().splitlines()
    header = dict(line[1:].split(" 0: ") for line in lines if line.startswith("#") and " 0: " in line)
    width, height = (int(size) for size in header["dimensions"].split("x"))
    pts = [int(line.split(",")[2]) for line in lines if not line.startswith("#")]
    pictures = np.frombuffer(pixels, np.uint8).reshape(-1, height, width)
    assert len(pictures) == len(pts)
    return tuple((at * Fraction(header["tb"]), number_of(one)) for at, one in zip(pts, pictures, strict=True))


def number_of(picture: Any) -> int:
    """The number that a picture of the zoo carries, whether it is grey or in colour."""
    return frame_number(picture if picture.ndim == 3 else picture[:, :, None])


def file(name: str, *changes: Callable[[Path], Path], count: int = COUNT, **arguments: Any) -> Callable[[Path], Path]:
    """Writes numbered frames to a file of that name, and changes it step by step."""

    def make(folder: Path) -> Path:
        size = arguments.get("size", (HEIGHT, WIDTH))
        others: Mapping[str, Any] = {"gop": GOP} | {key: arguments[key] for key in arguments if key != "size"}
        path = write_video(folder / name, numbered_frames(count, *size), **others)
        for change in changes:
            path = change(path)
        return path

    return make


def remuxed(name: str, *options: str, before: Sequence[str] = ()) -> Callable[[Path], Path]:
    """The same packets in another container, by the ffmpeg program."""

    def change(path: Path) -> Path:
        destination = path.with_name(name)
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y", *before, "-i", str(path)]
        command += ["-map", "0", "-c", "copy", *options, str(destination)]
        subprocess.run(command, check=True, timeout=60)
        return destination

    return change


def without_first_packets(count: int) -> Callable[[Path], Path]:
    """A recording that was joined while it ran: its first packets, in decode order, are missing."""

    def change(path: Path) -> Path:
        destination = path.with_stem(path.stem + "-joined")
        with av.open(str(path)) as source, av.open(str(destination), "w") as target:
            stream = target.add_stream_from_template(source.streams.video[0])
            for position, packet in enumerate(source.demux(video=0)):
                if position >= count and packet.dts is not None:
                    packet.stream = stream
                    target.mux(packet)
        return destination

    return change


def packed(path: Path) -> Path:
    """MPEG-4 as DivX wrote it to AVI: a B-frame shares the chunk of the frame before, an empty frame fills its own."""
    destination = path.with_stem("packed")
    with av.open(str(path)) as source, av.open(str(destination), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        packets = [packet for packet in source.demux(video=0) if packet.size]
        types = [_vop_type(bytes(packet)) for packet in packets]
        for position, packet in enumerate(packets):
            data = bytes(packet)
            if types[position] == 2:
                data = b"\x00\x00\x01\xb6\x51\xff"
            elif position + 1 < len(types) and types[position + 1] == 2:
                data += bytes(packets[position + 1])
            if types[position] == 0:
                at = data.index(b"\x00\x00\x01\xb6")
                data = data[:at] + b"\x00\x00\x01\xb2DivX503b1393p\x00" + data[at:]
            made = av.Packet(data)
            made.stream, made.pts, made.dts, made.time_base = stream, position, position, Fraction(1, FPS)
            made.is_keyframe = types[position] == 0
            target.mux(made)
    return destination


def _vop_type(data: bytes) -> int:
    """0, 1 or 2: an MPEG-4 picture that stands alone, looks back, or looks both ways."""
    return data[data.index(b"\x00\x00\x01\xb6") + 4] >> 6


def cut_off(share: float) -> Callable[[Path], Path]:
    """The first part of a file."""

    def change(path: Path) -> Path:
        path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
        return path

    return change


def cut_before(mark: bytes) -> Callable[[Path], Path]:
    """A file up to where something begins, such as its index."""

    def change(path: Path) -> Path:
        data = path.read_bytes()
        path.write_bytes(data[: data.rindex(mark)])
        return path

    return change


def edited(*edits: tuple[int, int]) -> Callable[[Path], Path]:
    """An mp4 with another edit list: duration in movie ticks (milliseconds) and media time in ticks, or -1."""

    def change(path: Path) -> Path:
        data = bytearray(path.read_bytes())
        boxes = _boxes(data, (b"moov", b"trak", b"edts", b"elst"))
        at, size = boxes.pop()
        entries = b"".join(struct.pack(">IiI", duration, media_time, 1 << 16) for duration, media_time in edits)
        box = struct.pack(">I4sII", 16 + len(entries), b"elst", 0, len(edits)) + entries
        # The movie header lies behind the samples here, so that no sample moves when it grows.
        assert data.index(b"mdat") < at
        data[at : at + size] = box
        for parent, parent_size in boxes:
            struct.pack_into(">I", data, parent, parent_size + len(box) - size)
        path.write_bytes(data)
        return path

    return change


def _boxes(data: bytes | bytearray, names: Sequence[bytes]) -> list[tuple[int, int]]:
    """Position and size of an mp4's boxes, each inside the one before."""
    found, at, end = [], 0, len(data)
    for name in names:
        while data[at + 4 : at + 8] != name:
            at += struct.unpack_from(">I", data, at)[0]
            assert at < end, name
        size = struct.unpack_from(">I", data, at)[0]
        found.append((at, size))
        at, end = at + 8, at + size
    return found


B_FRAMES: Mapping[str, Any] = {"options": {"bf": "2"}}
NO_B_FRAMES: Mapping[str, Any] = {"options": {"bf": "0"}}
OPEN_GROUPS: Mapping[str, Any] = {"options": {"bf": "2", "x264-params": "open-gop=1:scenecut=0"}}
MILLISECONDS = Fraction(1, 1000)
MPEG_TICKS = Fraction(1, 90_000)
VARIABLE = tuple(int(value) for value in np.cumsum(np.random.default_rng(5).choice([17, 33, 40, 250, 1], 40)))
"""Milliseconds of frames that follow no clock."""


def x265(parameters: str) -> Mapping[str, Any]:
    return {"codec": "libx265", "options": {"x265-params": f"log-level=none:{parameters}"}}


PQ = "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:hdr10=1"

PAUSES = tuple(n + 3 * (n // 7) for n in range(COUNT))
"""Frames at 25 a second, where after each seven of them three are missing."""
FRAGMENTS = "frag_keyframe+empty_moov+default_base_moof+skip_trailer"
DECODE_TIMES = "it takes the time of decoding for that of showing"

ZOO: Mapping[str, Specimen] = {
    # Clocks
    "mp4": Specimen(file("v.mp4", **B_FRAMES), even()),
    "mp4 with sound": Specimen(file("v.mp4", audio=True, **B_FRAMES), even()),
    "mp4, 29.97 fps": Specimen(file("v.mp4", fps=Fraction(30000, 1001)), even(fps=Fraction(30000, 1001))),
    "mp4, 1 fps": Specimen(file("v.mp4", fps=1, count=8, gop=3), even(range(8), 1)),
    "mp4, 240 fps": Specimen(file("v.mp4", fps=240), even(fps=240)),
    "mp4, variable rate": Specimen(
        file("v.mp4", pts=VARIABLE, time_base=MILLISECONDS, **B_FRAMES), at_ticks(VARIABLE, MILLISECONDS)
    ),
    "mkv, variable rate": Specimen(
        file("v.mkv", pts=VARIABLE, time_base=MILLISECONDS, **B_FRAMES), at_ticks(VARIABLE, MILLISECONDS)
    ),
    "mkv, 240 fps": Specimen(
        file("v.mkv", fps=240), at_ticks([int(n * 1000 / 240 + 0.5) for n in range(COUNT)], MILLISECONDS)
    ),
    "mp4, one frame": Specimen(file("v.mp4", count=1), even(range(1)), is_one_group=True),
    "mkv, one frame": Specimen(file("v.mkv", count=1), even(range(1)), is_one_group=True),
    "ts, one frame": Specimen(file("v.ts", count=1), even(range(1)), is_relative=True, is_one_group=True),
    # Where the timeline begins
    "mp4, starts at 10 s": Specimen(
        file("v.mp4", pts=range(250, 290), time_base=Fraction(1, 25), **B_FRAMES), even(start_s=10)
    ),
    "mkv, starts at 10 s": Specimen(
        file("v.mkv", pts=range(250, 290), time_base=Fraction(1, 25), **B_FRAMES), even(start_s=10)
    ),
    "ts, the 33-bit clock wraps": Specimen(
        file("v.ts", pts=[2**33 + (n - 17) * 3600 for n in range(COUNT)], time_base=MPEG_TICKS, **B_FRAMES),
        even(),
        is_relative=True,
    ),
    "mp4, negative dts": Specimen(
        file("v.mp4", container_options={"movflags": "negative_cts_offsets", "use_editlist": "0"}, **B_FRAMES), even()
    ),
    "mp4, no edit list": Specimen(
        file("v.mp4", container_options={"use_editlist": "0"}, **B_FRAMES), even(), is_relative=True
    ),
    "mp4, empty edit": Specimen(file("v.mp4", edited((2000, -1), (1600, 2)), **B_FRAMES), even(start_s=2)),
    "mp4, edit trims the start": Specimen(
        file("v.mp4", edited((1200, 12)), **B_FRAMES), even(range(10, 40), start_s=Fraction(-10, 25))
    ),
    "mp4, edit trims start and end": Specimen(
        file("v.mp4", edited((600, 17)), **B_FRAMES), even(range(15, 30), start_s=Fraction(-15, 25))
    ),
    "mp4, edit takes out the middle": Specimen(
        file("v.mp4", edited((480, 0), (400, 30)), **NO_B_FRAMES),
        even(range(12)) + even(range(30, 40), start_s=Fraction(-18, 25)),
    ),
    "mp4, stream copy from 0.7 s": Specimen(
        file("whole.mp4", remuxed("v.mp4", before=("-ss", "0.7")), **B_FRAMES),
        even(range(18, 40), start_s=Fraction(-18, 25)),
    ),
    "ts, joined while it ran": Specimen(
        file("v.ts", without_first_packets(5), **B_FRAMES), even(range(12, 40)), is_relative=True,
    ),
    "mkv, joined while it ran": Specimen(
        file("v.mkv", without_first_packets(5), **B_FRAMES), even(range(12, 40)), is_relative=True
    ),
    "ts, MPEG-2 joined while it ran": Specimen(
        file("v.ts", without_first_packets(5), codec="mpeg2video", **B_FRAMES), even(range(12, 40)), is_relative=True,
    ),
    "ts, clock jumps ahead": Specimen(
        file("v.ts", pts=[3600 * (n + 250 * (n >= 20)) for n in range(COUNT)], time_base=MPEG_TICKS, **B_FRAMES),
        tuple((Fraction(n + 250 * (n >= 20), 25), n) for n in range(COUNT)), is_relative=True,
    ),
    # Order of pictures
    "mp4, open groups": Specimen(file("v.mp4", **OPEN_GROUPS), even()),
    "mkv, open groups": Specimen(file("v.mkv", **OPEN_GROUPS), even()),
    "ts, open groups": Specimen(file("v.ts", **OPEN_GROUPS), even(), is_relative=True),
    "mp4, pyramid of B-frames": Specimen(
        file("v.mp4", options={"bf": "5", "x264-params": "b-pyramid=normal:b-adapt=0:open-gop=1"}), even()
    ),
    "mp4, HEVC with open groups": Specimen(file("v.mp4", **x265("open-gop=1:bframes=3:scenecut=0")), even()),
    "mkv, HEVC with open groups": Specimen(file("v.mkv", **x265("open-gop=1:bframes=3:scenecut=0")), even()),
    "mp4, intra refresh": Specimen(file("v.mp4", options={"x264-params": "intra-refresh=1:bframes=0"}), even()),
    "ts, intra refresh": Specimen(
        file("v.ts", options={"x264-params": "intra-refresh=1:bframes=0"}), even(), is_relative=True
    ),
    "mp4, one group": Specimen(file("v.mp4", gop=250, **B_FRAMES), even(), is_one_group=True),
    # What the picture is made of
    "mp4, turned by 90": Specimen(file("v.mp4", rotation_degrees=90), even()),
    "mp4, turned by 180": Specimen(file("v.mp4", rotation_degrees=180), even()),
    "mp4, turned by 270": Specimen(file("v.mp4", rotation_degrees=270), even()),
    "mp4, anamorphic": Specimen(file("v.mp4", sample_aspect_ratio=Fraction(64, 45)), even()),
    "mp4, interlaced, top first": Specimen(file("v.mp4", options={"x264-params": "tff=1"}), even()),
    "ts, interlaced, bottom first": Specimen(
        file("v.ts", options={"x264-params": "bff=1"}), even(), is_relative=True
    ),
    "mpg, interlaced MPEG-2": Specimen(
        file("v.mpg", codec="mpeg2video", options={"bf": "2", "flags": "+ilme+ildct"}), even(), is_relative=True
    ),
    "mp4, 10 bits": Specimen(file("v.mp4", pixel_format="yuv420p10le", **B_FRAMES), even()),
    "mp4, HDR": Specimen(file("v.mp4", pixel_format="yuv420p10le", **x265(PQ)), even()),
    "webm, odd size": Specimen(file("v.webm", codec="libvpx-vp9", size=(75, 131)), even()),
    "mp4, odd size": Specimen(file("v.mp4", pixel_format="yuv444p", size=(75, 131)), even()),
    # Codecs and containers
    "webm, VP9": Specimen(file("v.webm", codec="libvpx-vp9"), even()),
    "webm, VP9 with hidden frames": Specimen(
        file("v.webm", codec="libvpx-vp9", options={"auto-alt-ref": "1", "lag-in-frames": "16"}), even()
    ),
    "webm, VP8": Specimen(file("v.webm", codec="libvpx"), even()),
    "webm, VP8 with hidden frames": Specimen(
        file("v.webm", codec="libvpx", options={"auto-alt-ref": "1", "lag-in-frames": "16"}), even()
    ),
    "webm, AV1": Specimen(
        file("v.webm", codec="libsvtav1", options={"preset": "12", "svtav1-params": "keyint=12"}), even()
    ),
    "mp4, AV1": Specimen(
        file("v.mp4", codec="libsvtav1", options={"preset": "12", "svtav1-params": "keyint=12"}), even()
    ),
    "mov, MPEG-4 ASP": Specimen(file("v.mov", codec="mpeg4", **B_FRAMES), even()),
    "mov, ProRes": Specimen(file("v.mov", codec="prores_ks", pixel_format="yuv422p10le"), even()),
    "mov, MJPEG": Specimen(file("v.mov", codec="mjpeg", pixel_format="yuvj420p"), even()),
    "mkv, FFV1": Specimen(file("v.mkv", codec="ffv1"), even()),
    "flv": Specimen(file("v.flv", **B_FRAMES), even(), is_relative=True),
    "asf": Specimen(file("v.wmv", codec="wmv2"), even()),
    "ts": Specimen(file("v.ts", **B_FRAMES), even(), is_relative=True),
    "ts, HEVC": Specimen(file("v.ts", **x265("bframes=3:scenecut=0")), even(), is_relative=True),
    "mxf": Specimen(file("v.mxf", codec="mpeg2video", **B_FRAMES), even()),
    # AVI stores no pts
    "avi, MPEG-4 ASP": Specimen(
        file("v.avi", codec="mpeg4", **B_FRAMES), even(), ffmpeg_differs=DECODE_TIMES
    ),
    "avi, H.264 with open groups": Specimen(
        file("v.avi", **OPEN_GROUPS), even(), ffmpeg_differs=DECODE_TIMES
    ),
    "avi, MJPEG": Specimen(file("v.avi", codec="mjpeg", pixel_format="yuvj420p"), even()),
    "avi, pauses": Specimen(
        file("v.avi", codec="mpeg4", pts=PAUSES, time_base=Fraction(1, 25), **NO_B_FRAMES),
        at_ticks(PAUSES, Fraction(1, 25)),
    ),
    "avi, packed B-frames": Specimen(
        file("v.avi", packed, codec="mpeg4", options={"bf": "1"}), even(), ffmpeg_differs=DECODE_TIMES
    ),
    # No index
    "mp4 in fragments": Specimen(
        file("v.mp4", container_options={"movflags": FRAGMENTS}, **B_FRAMES),
        even(), is_relative=True,
    ),
    "avi without an index": Specimen(
        file("v.avi", cut_before(b"idx1"), codec="mpeg4", **B_FRAMES), even(),
        ffmpeg_differs=DECODE_TIMES, is_unseekable=True,
    ),
    "mkv without cues": Specimen(file("v.mkv", container_options={"live": "1"}, **B_FRAMES), even()),
    # The end is missing
    "mkv, cut off": Specimen(file("v.mkv", cut_off(0.6), **B_FRAMES), even(), is_cut_off=True),
    "ts, cut off": Specimen(file("v.ts", cut_off(0.6), **B_FRAMES), even(), is_relative=True, is_cut_off=True),
    "flv, cut off": Specimen(file("v.flv", cut_off(0.6), **B_FRAMES), even(), is_cut_off=True),
    "avi, cut off": Specimen(
        file("v.avi", cut_off(0.85), codec="mpeg4", **NO_B_FRAMES), even(), is_cut_off=True, is_unseekable=True
    ),
    "mp4, header first, cut off": Specimen(
        file("v.mp4", cut_off(0.6), container_options={"movflags": "faststart"}, **B_FRAMES), even(), is_cut_off=True
    ),
    "mp4 in fragments, cut off": Specimen(
        file("v.mp4", cut_off(0.7), container_options={"movflags": FRAGMENTS}, **B_FRAMES),
        even(), is_relative=True, is_cut_off=True,
    ),
}  # fmt: skip
"""The zoo, by what is special about each."""
