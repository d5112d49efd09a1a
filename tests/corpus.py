"""Videos with known truth, made on the spot: every test that needs a picture or a file gets it from here.

Here: smooth textures, camera moves over them, and writing frames to any container with exact timestamps.
Not here: real footage, or expectations about what the product makes of a video.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""HxWx3, RGB, 0 to 255."""

AUDIO_RATE_HZ = 48_000


def textured_frame(seed: int, height: int = 120, width: int = 160) -> Picture:
    """A smooth random texture; another seed gives clearly other colours and structure, the same seed the same bytes."""
    random = np.random.default_rng(seed)
    base = random.uniform(40, 215, size=3)
    picture = np.broadcast_to(base, (height, width, 3)).astype(np.float32)
    for cells, strength in ((3, 60.0), (8, 40.0), (20, 25.0)):
        coarse = random.uniform(-strength, strength, size=(cells, max(2, cells * width // height), 3))
        picture = picture + cv2.resize(coarse.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(picture, 0, 255).astype(np.uint8)


def numbered_frames(count: int, height: int = 120, width: int = 160, seed: int = 0) -> Iterator[Picture]:
    """Frames that carry their number: sixteen black or white bars along the top spell it in binary."""
    background = textured_frame(seed, height, width)
    for number in range(count):
        picture = background.copy()
        for bit in range(16):
            left, right = bit * width // 16, (bit + 1) * width // 16
            picture[: height // 4, left:right] = 255 if number >> bit & 1 else 0
        yield picture


def frame_number(picture: Picture) -> int:
    """The number that a frame of `numbered_frames` carries, even after lossy coding."""
    height, width = picture.shape[:2]
    rows = picture[height // 16 : height // 4 - height // 16]
    bits = (rows[:, (2 * bit + 1) * width // 32].mean() > 127 for bit in range(16))
    return sum(int(on) << bit for bit, on in enumerate(bits))


def picture_of(frame: av.VideoFrame) -> Picture:
    """The RGB picture of a decoded frame."""
    return np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8)


def moving_crop(
    texture: Picture,
    count: int,
    height: int = 120,
    width: int = 160,
    *,
    start: tuple[float, float] | None = None,
    pan_px: float = 0.0,
    tilt_px: float = 0.0,
    zoom: float = 1.0,
    roll_degrees: float = 0.0,
) -> Iterator[Picture]:
    """A camera that moves over a large texture at constant speed, sampled with sub-pixel accuracy.

    Args:
        texture: the scene; where the camera leaves it, it is mirrored.
        count: number of frames.
        height: rows of the frames.
        width: columns of the frames.
        start: x and y, in texture pixels, that the centre of the first frame shows; the texture's middle by default.
        pan_px: pixels per frame that the camera moves to the right (content moves left).
        tilt_px: pixels per frame that the camera moves up (content moves down).
        zoom: factor per frame by which content grows.
        roll_degrees: degrees per frame by which content turns clockwise.
    """
    rows, columns = texture.shape[:2]
    x, y = start or (columns / 2, rows / 2)
    for number in range(count):
        scale, angle = zoom**number, np.deg2rad(roll_degrees * number)
        # Maps frame pixels to texture pixels: content that turns clockwise is a camera that turns the other way.
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) / scale
        centre = np.array([x + pan_px * number, y - tilt_px * number])
        shift = centre - turn @ np.array([(width - 1) / 2, (height - 1) / 2])
        matrix = np.column_stack([turn, shift]).astype(np.float64)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        crop = cv2.warpAffine(texture, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT_101)
        yield np.asarray(crop, dtype=np.uint8)


def write_video(
    path: Path,
    frames: Iterable[Picture],
    fps: Fraction | int = 25,
    codec: str = "libx264",
    *,
    gop: int = 12,
    pts: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    pixel_format: str = "yuv420p",
    audio: bool = False,
    options: Mapping[str, str] | None = None,
    container_options: Mapping[str, str] | None = None,
    rotation_degrees: int = 0,
    sample_aspect_ratio: Fraction | None = None,
) -> Path:
    """Encode frames into the container that the path's ending names, and return the path.

    Args:
        path: where to write; `.mp4`, `.mkv`, `.avi`, `.ts`, `.webm` …
        frames: HxWx3 uint8 RGB, all of one size.
        fps: frame rate; frame n is shown at n / fps unless `pts` says otherwise.
        codec: encoder as ffmpeg names it.
        gop: frames between keyframes; exact for libx264, whose scene cut detection is switched off.
        pts: timestamp of each frame, in ticks of `time_base`.
        time_base: seconds per tick; 1 / fps by default. mp4 keeps it exactly where its numerator is 1.
        pixel_format: of the coded picture.
        audio: whether to add a 440 Hz tone as long as the video.
        options: of the encoder: `{"bf": "0"}`.
        container_options: of the muxer.
        rotation_degrees: clockwise rotation that players are told to apply (mp4 only).
        sample_aspect_ratio: width over height of a pixel.
    """
    base = time_base or 1 / Fraction(fps)
    muxer = dict(container_options or {})
    if path.suffix in (".mp4", ".mov") and base.numerator == 1:
        muxer.setdefault("video_track_timescale", str(base.denominator))
    with av.open(str(path), "w", options=muxer) as container:
        stream = cast("VideoStream", container.add_stream(codec, Fraction(fps), _encoder_options(codec, options)))
        stream.pix_fmt, stream.codec_context.gop_size = pixel_format, gop
        stream.time_base = stream.codec_context.time_base = base
        if sample_aspect_ratio is not None:
            stream.codec_context.sample_aspect_ratio = sample_aspect_ratio
        if rotation_degrees:
            # The display matrix counts the other way round.
            stream.set_display_rotation(-rotation_degrees)
        tone = container.add_stream("aac", AUDIO_RATE_HZ, layout="mono") if audio else None
        end = 0
        for number, picture in enumerate(frames):
            if number == 0:
                stream.height, stream.width = picture.shape[:2]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.pts, frame.time_base = number if pts is None else pts[number], base
            if pts is None and time_base is not None:
                frame.pts = round(number / Fraction(fps) / base)
            end = frame.pts
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if tone is not None:
            for sound in _tone(end * base + 1 / Fraction(fps)):
                container.mux(tone.encode(sound))
            container.mux(tone.encode(None))
    return path


def _encoder_options(codec: str, options: Mapping[str, str] | None) -> dict[str, str]:
    exact = {"preset": "veryfast", "sc_threshold": "0"} if codec == "libx264" else {}
    return {**exact, **(options or {})}


def _tone(duration_s: Fraction) -> Iterator[av.AudioFrame]:
    """A 440 Hz sine, in frames of 1024 samples."""
    count = int(duration_s * AUDIO_RATE_HZ)
    wave = (0.3 * np.sin(2 * np.pi * 440 * np.arange(count) / AUDIO_RATE_HZ)).astype(np.float32)
    for start in range(0, count, 1024):
        sound = av.AudioFrame.from_ndarray(wave[None, start : start + 1024].copy(), format="fltp", layout="mono")
        sound.sample_rate, sound.pts, sound.time_base = AUDIO_RATE_HZ, start, Fraction(1, AUDIO_RATE_HZ)
        yield sound
