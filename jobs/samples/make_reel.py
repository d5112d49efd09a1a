"""The sample reel and its truth file, made from `bunny.mp4`: run `python -m jobs.samples.make_reel`.

Here: the list of shots and transitions, the pictures they make, and the truth that follows from them. The truth
comes from these parameters; nothing in it is measured on the finished file.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from math import log
from pathlib import Path
from typing import Any

import cv2
import ffmpeg
import numpy as np
from imageio_ffmpeg import get_ffmpeg_exe
from numpy.typing import NDArray

FOLDER = Path(__file__).parent
SOURCE = FOLDER / "bunny.mp4"
REEL = FOLDER / "reel.mp4"
TRUTH = FOLDER / "reel.truth.json"

FPS = 25
WIDTH, HEIGHT = 640, 360
SOURCE_WIDTH, SOURCE_HEIGHT = 1280, 720

Picture = NDArray[np.uint8]
"""RGB, shape (height, width, 3)."""


@dataclass(frozen=True)
class View:
    """The part of the source's scene that fills the reel's picture, in source pixels; the shape is always 16:9."""

    x: float
    """Centre."""
    y: float
    width: float


@dataclass(frozen=True)
class Text:
    """A line of text laid over a whole shot; `baseline` is a share of the picture height."""

    text: str
    scale: float
    baseline: float


@dataclass(frozen=True)
class Transition:
    """How a shot gives way to the next. A cut has no frames of its own."""

    kind: str = "cut"
    n_frames: int = 0
    n_black: int = 0
    """Frames in the middle of a fade that are wholly black."""


@dataclass(frozen=True)
class Shot:
    """One shot: what the source plays, where the view goes, how the picture is graded, how the shot ends."""

    name: str
    camera: str
    """What the view does once it moves."""
    n_frames: int
    """Frames that show this shot and nothing else."""
    source_frame: int
    """Frame of the source that the first of them shows."""
    start: View
    end: View | None = None
    """Where the view arrives after the last frame; None for a view that stays."""
    still: bool = False
    """Whether the source stands still, so that the view's motion is the only one."""
    hold_frames: int = 0
    """Frames at the start before the view moves."""
    turn_frame: int | None = None
    """Source frame after which the source plays backwards, before it comes to rest by itself."""
    freeze: tuple[int, int] | None = None
    """First frame (in the shot) of a held picture, and for how many frames it shows."""
    mirrored: bool = False
    """Left and right exchanged; for views that stay, since a pan would change its sense."""
    hue_degrees: float = 0.0
    saturation: float = 1.0
    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Factors for red, green and blue."""
    texts: tuple[Text, ...] = ()
    transition: Transition = Transition()
    """To the next shot; the last shot's is not used."""


WIDE = View(655, 382, 1180)
"""All that every source frame shows of the scene."""

DRIFT_STEP_FRAMES = 5
DRIFT_PX = (
    (-28.5, -45.5), (-28.4, -45.3), (-27.9, -44.4), (-26.7, -42.5), (-25.0, -39.9), (-22.9, -36.3), (-20.2, -32.0),
    (-17.8, -28.2), (-14.7, -23.3), (-11.7, -18.5), (-8.9, -14.1), (-6.5, -10.3), (-4.8, -7.8), (-3.2, -5.1),
    (-1.9, -3.0), (-0.9, -1.6), (-0.3, -0.6), (-0.1, -0.2), (0.0, 0.0),
)  # fmt: skip
"""Where the source's background lies, x and y, against where the source's own camera comes to rest.

Measured once, every `DRIFT_STEP_FRAMES` frames; views over a playing source follow it, so that they stand still.
"""

SHOTS = (
    Shot("burrow", "static", 100, 0, WIDE),
    Shot("nearer", "static", 75, 40, View(620, 390, 1000),),
    Shot(
        "meadow", "pan_right", 100, 0, View(330, 500, 600), View(810, 500, 600), still=True, hue_degrees=-30,
        gain=(1.15, 1.1, 0.9), transition=Transition("dissolve", 25),
    ),
    Shot("night", "static", 58, 26, View(640, 360, 1100), turn_frame=55, saturation=0.6, gain=(0.28, 0.34, 0.55)),
    Shot(
        "pause", "static", 113, 10, View(540, 340, 1000), freeze=(40, 38), mirrored=True, hue_degrees=70,
        transition=Transition("fade_out_in", 35, 5),
    ),
    Shot("closer", "zoom_in", 100, 75, View(665, 350, 1100), View(665, 350, 600), still=True),
    Shot("leaving", "pan_left", 125, 0, View(860, 300, 700), View(365, 300, 700), hold_frames=50),
    Shot(
        "autumn", "tilt_up", 90, 0, View(330, 540, 600), View(330, 190, 600), still=True, hue_degrees=-55,
        saturation=1.1,
    ),
    Shot(
        "title", "static", 90, 0, WIDE, turn_frame=55, saturation=0.5, gain=(0.45, 0.4, 0.55),
        texts=(Text("BIG BUCK BUNNY", 1.9, 0.5), Text("A SAMPLE REEL", 1.1, 0.7)),
    ),
    Shot("bright", "static", 75, 30, View(680, 340, 1000), mirrored=True, saturation=0.7, gain=(1.9, 1.8, 1.7)),
)  # fmt: skip


@cache
def source_pictures() -> tuple[Picture, ...]:
    """Every frame of the source, in order."""
    raw, _ = (
        ffmpeg.input(str(SOURCE))
        .output("pipe:", format="rawvideo", pix_fmt="rgb24")
        .run(cmd=get_ffmpeg_exe(), capture_stdout=True, quiet=True)
    )
    return tuple(np.frombuffer(raw, np.uint8).reshape(-1, SOURCE_HEIGHT, SOURCE_WIDTH, 3))


def source_index(shot: Shot, frame: int) -> int:
    """Which source frame the shot shows at `frame`, counted from its first clean frame (negative before it)."""
    if shot.still:
        return shot.source_frame
    if shot.freeze:
        first, length = shot.freeze
        frame = frame - min(max(frame - first, 0), length - 1)
    index = shot.source_frame + frame
    return index if shot.turn_frame is None else shot.turn_frame - abs(shot.turn_frame - index)


def view_at(shot: Shot, frame: int) -> View:
    """The view at `frame`: straight motion of the centre, geometric motion of the width, at constant speed."""
    if shot.end is None or frame < shot.hold_frames:
        return shot.start
    done = (frame - shot.hold_frames) / (shot.n_frames - shot.hold_frames)
    start, end = shot.start, shot.end
    x, y = start.x + done * (end.x - start.x), start.y + done * (end.y - start.y)
    return View(x, y, start.width * (end.width / start.width) ** done)


def followed(view: View, index: int) -> View:
    """The view moved with the source's own drift at source frame `index`."""
    x, y = np.array(DRIFT_PX).T
    at = np.arange(len(DRIFT_PX)) * DRIFT_STEP_FRAMES
    return View(view.x + float(np.interp(index, at, x)), view.y + float(np.interp(index, at, y)), view.width)


def crop(picture: Picture, view: View) -> Picture:
    """The view, scaled to the reel's size with subpixel exactness (ffmpeg's own crop moves by whole pixels)."""
    scale = WIDTH / view.width
    matrix = np.array(
        [[scale, 0, WIDTH / 2 - 0.5 - scale * (view.x - 0.5)], [0, scale, HEIGHT / 2 - 0.5 - scale * (view.y - 0.5)]]
    )
    border = cv2.BORDER_REPLICATE
    return np.asarray(cv2.warpAffine(picture, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=border))


def grade(picture: Picture, shot: Shot) -> Picture:
    """Hue, saturation and gains of the shot applied to a picture."""
    if shot.hue_degrees or shot.saturation != 1:
        hsv = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV).astype(np.float32)
        hsv[..., 0] = (hsv[..., 0] + shot.hue_degrees / 2) % 180
        hsv[..., 1] *= shot.saturation
        picture = cv2.cvtColor(np.clip(hsv, 0, 255).astype(np.uint8), cv2.COLOR_HSV2RGB).astype(np.uint8)
    return np.clip(picture * np.array(shot.gain, np.float32), 0, 255).astype(np.uint8)


def lay_text(picture: Picture, text: Text) -> Picture:
    """The picture with a centred line of white text."""
    font, thickness = cv2.FONT_HERSHEY_DUPLEX, 3
    (width, _), _ = cv2.getTextSize(text.text, font, text.scale, thickness)
    origin = ((WIDTH - width) // 2, round(text.baseline * HEIGHT))
    marked = picture.copy()
    cv2.putText(marked, text.text, origin, font, text.scale, (255, 255, 255), thickness, cv2.LINE_AA)
    return marked


def shot_picture(shot: Shot, frame: int) -> Picture:
    """What the shot shows at `frame`, counted from its first clean frame."""
    index, view = source_index(shot, frame), view_at(shot, frame)
    picture = crop(source_pictures()[index], view if shot.still else followed(view, index))
    if shot.mirrored:
        picture = np.ascontiguousarray(picture[:, ::-1])
    picture = grade(picture, shot)
    for text in shot.texts:
        picture = lay_text(picture, text)
    return picture


def transition_picture(before: Shot, after: Shot, frame: int) -> Picture:
    """Frame `frame` of the transition between two shots."""
    transition = before.transition
    n = transition.n_frames
    outgoing, incoming = (before, before.n_frames + frame), (after, frame - n)
    if transition.kind == "dissolve":
        share = (frame + 1) / (n + 1)
        return cv2.addWeighted(shot_picture(*outgoing), 1 - share, shot_picture(*incoming), share, 0).astype(np.uint8)
    half = (n - transition.n_black) // 2
    darkened, brightened = 1 - (frame + 1) / (half + 1), 1 - (n - frame) / (half + 1)
    shown, share = (outgoing, darkened) if darkened > 0 else (incoming, max(0.0, brightened))
    return cv2.convertScaleAbs(shot_picture(*shown), alpha=share).astype(np.uint8)


def reel_pictures() -> Iterator[Picture]:
    """Every frame of the reel, in order."""
    for shot, after in zip(SHOTS, (*SHOTS[1:], None), strict=True):
        for frame in range(shot.n_frames):
            yield shot_picture(shot, frame)
        if after is not None:
            for frame in range(shot.transition.n_frames):
                yield transition_picture(shot, after, frame)


def camera_segments(shot: Shot, start_frame: int) -> list[dict[str, Any]]:
    """The camera's motions over the shot's clean frames, in the units of `schemas.signals.CameraSegment`."""
    zero = {"pan_widths_per_s": 0.0, "tilt_heights_per_s": 0.0, "zoom_per_s": 0.0, "roll_degrees_per_s": 0.0}
    end_frame, moving_from = start_frame + shot.n_frames, start_frame + shot.hold_frames
    if shot.end is None:
        return [{"term": "static", "start_frame": start_frame, "end_frame": end_frame, **zero}]
    seconds = (shot.n_frames - shot.hold_frames) / FPS
    height = shot.start.width * HEIGHT / WIDTH
    moving = {
        "pan_widths_per_s": (shot.end.x - shot.start.x) / shot.start.width / seconds,
        "tilt_heights_per_s": (shot.start.y - shot.end.y) / height / seconds,
        "zoom_per_s": log(shot.start.width / shot.end.width) / seconds,
        "roll_degrees_per_s": 0.0,
    }
    segments = [{"term": shot.camera, "start_frame": moving_from, "end_frame": end_frame, **moving}]
    if shot.hold_frames:
        segments.insert(0, {"term": "static", "start_frame": start_frame, "end_frame": moving_from, **zero})
    return segments


def truth() -> dict[str, Any]:
    """What the reel shows, frame by frame. Spans are `[start_frame, end_frame)`."""
    shots: list[dict[str, Any]] = []
    transitions, texts, freezes = [], [], []
    at = 0
    for index, shot in enumerate(SHOTS):
        end = at + shot.n_frames
        facts = {"mirrored": shot.mirrored, "source_stands_still": shot.still, "gain_mean": sum(shot.gain) / 3}
        camera = camera_segments(shot, at)
        shots.append({"name": shot.name, "start_frame": at, "end_frame": end, "camera": camera, **facts})
        texts += [{"text": text.text, "start_frame": at, "end_frame": end} for text in shot.texts]
        if shot.freeze:
            freezes.append({"start_frame": at + shot.freeze[0], "end_frame": at + sum(shot.freeze)})
        if index + 1 < len(SHOTS):
            clean = end + shot.transition.n_frames
            transitions.append({"kind": shot.transition.kind, "start_frame": end, "end_frame": clean})
            at = clean
    return {
        "video": REEL.name,
        "fps": FPS,
        "width": WIDTH,
        "height": HEIGHT,
        "n_frames": end,
        "notes": NOTES,
        "shots": shots,
        "transitions": transitions,
        "texts": texts,
        "freezes": freezes,
        "darkest_shot": min(range(len(SHOTS)), key=lambda index: sum(SHOTS[index].gain)),
        "brightest_shot": max(range(len(SHOTS)), key=lambda index: sum(SHOTS[index].gain)),
    }


NOTES = (
    "Frames are counted from 0; a span is [start_frame, end_frame).",
    "A transition spans from the first frame that shows the new shot, or darkens, to the first clean frame after it.",
    "A shot spans its clean frames. Camera rates are exact where source_stands_still; elsewhere things also move, and "
    "the source's own slow drift is taken out to within 0.005 widths per second.",
    "A freeze spans from the first frame that shows the held picture to the first that shows another.",
)


def write_reel(path: Path) -> None:
    """Encode the reel with quiet generated sound."""
    size, seconds = f"{WIDTH}x{HEIGHT}", truth()["n_frames"] / FPS
    picture = ffmpeg.input("pipe:", format="rawvideo", pix_fmt="rgb24", s=size, r=FPS)
    sound = ffmpeg.input(f"anoisesrc=color=pink:amplitude=0.02:seed=1:r=32000:d={seconds}", format="lavfi")
    settings = {"vcodec": "libx264", "preset": "veryslow", "crf": 26, "g": 125, "pix_fmt": "yuv420p", "threads": 1}
    settings |= {"acodec": "aac", "audio_bitrate": "24k", "movflags": "+faststart", "map_metadata": -1}
    settings |= {"fflags": "+bitexact", "flags:v": "+bitexact", "flags:a": "+bitexact"}
    process = (
        ffmpeg.output(picture, sound, str(path), **settings)
        .overwrite_output()
        .global_args("-loglevel", "error")
        .run_async(cmd=get_ffmpeg_exe(), pipe_stdin=True)
    )
    for frame in reel_pictures():
        process.stdin.write(frame.tobytes())
    process.stdin.close()
    if process.wait():
        raise RuntimeError(f"{path.name}: ffmpeg ended with exit code {process.returncode}")


def main() -> None:
    """Write the reel and its truth beside the source."""
    write_reel(REEL)
    TRUTH.write_text(json.dumps(truth(), indent=2) + "\n")


if __name__ == "__main__":
    main()
