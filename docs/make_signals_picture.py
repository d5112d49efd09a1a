"""Draws `docs/signals.png`: the signals of one real video, as a run measured them.

    python docs/make_signals_picture.py [VIDEO [PICTURE]]

Here: a run over the video up to `describe`, and the plot. Needs Chromium and the extra `test`, for Playwright.
Not here: any measuring, or what the numbers mean (`docs/signals.md`).
"""

import base64
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from imageio_ffmpeg import get_ffmpeg_exe
from playwright.sync_api import sync_playwright

from data_cards.wording import term
from jobs.run import Request, run_request
from pipeline.store import Store
from schemas.media import FrameSample
from schemas.signals import ClipDescription, SliceScan

ROOT = Path(__file__).parents[1]
SETTINGS = (
    # One clip, so that its keyframes are those of the whole video.
    "split.stitch_min_similarity=0",
    "split.max_clip_s=3600",
    "describe.keyframes_per_clip=10",
    "describe.text=none",
)
WIDTH, LEFT, RIGHT = 1200, 188, 1176
THUMBNAIL_WIDTH = 94
INK, SOFT, RULE, WASH = "#1b1d20", "#5a6068", "#dddfdb", "#f5f6f3"
BLUE, TEAL, PURPLE, AMBER, RED = "#1f5f8b", "#1d8474", "#7b55b8", "#b97a00", "#b3261e"
BANDS = {
    "static": "#dfe3e6", "pan": "#b5d0ea", "tilt": "#a9dcd3", "zoom": "#d2c3ec", "roll": "#f1cfa5",
    "handheld": "#ecd79b", "mixed": "#e9bcc6", "unclear": "#ffffff",
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A series in a lane."""

    times_s: Sequence[float]
    values: Sequence[float]
    colour: str
    is_area: bool = False
    are_dots: bool = False


@dataclass(frozen=True)
class Lane:
    """Some series on one scale."""

    name: str
    unit: str
    low: float
    high: float
    height: int
    lines: tuple[Line, ...]
    legend: tuple[tuple[str, str], ...] = ()
    """Words and their colours, where there are several series."""


class Plot:
    """Places on the picture, and the SVG drawn so far."""

    def __init__(self, start_s: float, duration_s: float) -> None:
        self._start_s, self._duration_s = start_s, duration_s
        self.parts: list[str] = []

    def x(self, time_s: float) -> float:
        """Pixels from the left."""
        return LEFT + (RIGHT - LEFT) * (time_s - self._start_s) / self._duration_s

    def text(self, x: float, y: float, words: str, size: float = 13, colour: str = INK, more: str = "") -> None:
        """One line of text on its base line."""
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" {more}>{escape(words)}</text>'
        )

    def rect(self, x: float, y: float, width: float, height: float, colour: str, more: str = "") -> None:
        """A filled rectangle."""
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}" {more}/>'
        )

    def line(self, x1: float, y1: float, x2: float, y2: float, colour: str, more: str = "") -> None:
        """A straight line."""
        self.parts.append(f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{colour}" fill="none" {more}/>')

    def ground(self, lane: Lane, top: float) -> None:
        """What a lane is drawn on."""
        self.rect(LEFT, top, RIGHT - LEFT, lane.height, WASH)

    def lane(self, lane: Lane, top: float) -> None:
        """A lane's name, scale and series."""
        self.text(16, top + 17, lane.name, 14, more='font-weight="600"')
        self.text(16, top + 34, lane.unit, 12, SOFT)
        x = 16.0
        for words, colour in lane.legend:
            self.text(x, top + 51, words, 12, colour, 'font-weight="600"')
            x += 7.4 * len(words) + 12
        for value, y in ((lane.high, top + 11), (lane.low, top + lane.height - 2)):
            self.text(LEFT - 8, y, f"{value:g}", 11, SOFT, 'text-anchor="end"')
        if lane.low < 0 < lane.high:
            y = self._y(0, lane, top)
            self.line(LEFT, y, RIGHT, y, RULE)
            self.text(LEFT - 8, y + 4, "0", 11, SOFT, 'text-anchor="end"')
        for line in lane.lines:
            self._series(line, lane, top)

    def _series(self, line: Line, lane: Lane, top: float) -> None:
        points = [(self.x(t), self._y(value, lane, top)) for t, value in zip(line.times_s, line.values, strict=True)]
        if line.are_dots:
            self.parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" fill="{line.colour}"/>' for x, y in points]
            return
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        if line.is_area:
            base = self._y(max(0.0, lane.low), lane, top)
            path = f"{points[0][0]:.1f},{base:.1f} {path} {points[-1][0]:.1f},{base:.1f}"
            self.parts.append(f'<polygon points="{path}" fill="{line.colour}" opacity=".28"/>')
            return
        self.parts.append(
            f'<polyline points="{path}" fill="none" stroke="{line.colour}" stroke-width="1.5" stroke-linejoin="round"/>'
        )

    def _y(self, value: float, lane: Lane, top: float) -> float:
        share = (min(max(value, lane.low), lane.high) - lane.low) / (lane.high - lane.low)
        return top + lane.height - 2 - share * (lane.height - 4)


def main(video: Path, picture: Path) -> None:
    """Run the pipeline over the video and draw what it measured."""
    with tempfile.TemporaryDirectory() as folder:
        inputs = (str(video),)
        run_request(Request(inputs, folder, settings=SETTINGS, runner="local", until="describe", quiet=True))
        store = Store(folder)
        scan = SliceScan.model_validate(next(store.read("scan", 0))["result"])
        clips = [ClipDescription.model_validate(row["result"]) for row in store.read("describe", 0)]
    height, svg = draw(video.name, scan, clips)
    style = "body{margin:0;background:#fff} text{font-family:'Noto Sans','DejaVu Sans',sans-serif}"
    page = (
        f'<style>{style}</style><svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}">{svg}</svg>'
    )
    write_png(page, height, picture)


def draw(name: str, scan: SliceScan, clips: Sequence[ClipDescription]) -> tuple[int, str]:
    """Height of the picture and its SVG."""
    plot = Plot(scan.span.start_s, scan.span.duration_s)
    told = f"{scan.span.duration_s:.1f} s, {len(scan.frames.pts)} frames, each decoded once"
    plot.text(16, 34, name, 22, more='font-weight="700"')
    plot.text(RIGHT, 34, told, 14, SOFT, 'text-anchor="end"')
    top, lanes = 84.0, list(lanes_of(scan))
    bottom = top + 38 + sum(lane.height + 10 for lane in lanes) + 34
    for lane, y in placed(lanes, top + 38):
        plot.ground(lane, y)
    draw_shots(plot, scan, clips, top, bottom)
    for lane, y in placed(lanes, top + 38):
        plot.lane(lane, y)
    draw_camera(plot, clips, bottom - 34)
    draw_axis(plot, scan, bottom)
    draw_keyframes(plot, scan, clips, bottom + 26)
    return int(bottom + 26 + 28 + thumbnail_height(scan) + 16), "".join(plot.parts)


def placed(lanes: Sequence[Lane], top: float) -> Iterator[tuple[Lane, float]]:
    """Each lane with its upper edge."""
    for lane in lanes:
        yield lane, top
        top += lane.height + 10


def lanes_of(scan: SliceScan) -> Iterator[Lane]:
    """The series that are drawn, from top to bottom."""
    seconds = float(scan.span.time_base.fraction)
    frames, motion, samples = scan.frames, scan.motion, scan.samples
    times = (np.asarray(frames.pts) * seconds).tolist()
    middles = ((np.asarray(motion.start_pts) + np.asarray(motion.end_pts)) / 2 * seconds).tolist()
    sampled = (np.asarray(samples.pts) * seconds).tolist()
    slow = [index for index, is_slow in enumerate(samples.is_slow) if is_slow]
    moves = [*motion.pan_widths_per_s, *motion.tilt_heights_per_s, *motion.zoom_per_s]
    reach = round_up(max(map(abs, moves), default=0.1))

    yield Lane("brightness", "luma_mean", 0, 1, 56, (Line(times, frames.luma_mean, AMBER, is_area=True),
                                                     Line(times, frames.luma_mean, AMBER)))  # fmt: skip
    top = round_up(max(frames.content_distance))
    yield Lane("change", "content_distance", 0, top, 56, (Line(times, frames.content_distance, RED),))
    yield Lane(
        "similarity", "structural_similarity", 0, 1, 60,
        (Line(times, frames.moving_ratio, SOFT, is_area=True), Line(times, frames.structural_similarity, BLUE)),
        (("SSIM", BLUE), ("moving_ratio", SOFT)),
    )  # fmt: skip
    yield Lane(
        "slow frames", "patch_similarity", 0, 1, 56,
        (Line(sampled, samples.patch_similarity, TEAL),
         Line([sampled[i] for i in slow], [samples.patch_similarity[i] for i in slow], INK, are_dots=True)),
        (("samples", TEAL), ("● slow", INK)),
    )  # fmt: skip
    subject = round_up(max(motion.subject_motion_widths_per_s, default=0.1))
    yield Lane(
        "subject motion", "widths per s", 0, subject, 46,
        (Line(middles, motion.subject_motion_widths_per_s, INK, is_area=True),
         Line(middles, motion.subject_motion_widths_per_s, INK)),
    )  # fmt: skip
    yield Lane(
        "camera", "per second", -reach, reach, 84,
        (Line(middles, motion.pan_widths_per_s, BLUE), Line(middles, motion.tilt_heights_per_s, TEAL),
         Line(middles, motion.zoom_per_s, PURPLE)),
        (("pan", BLUE), ("tilt", TEAL), ("zoom", PURPLE)),
    )  # fmt: skip


def round_up(value: float) -> float:
    """The next of 1, 2, 5, 10 … times a power of ten."""
    power = 10.0 ** np.floor(np.log10(max(value, 1e-3)))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= value - 1e-9))


def draw_shots(plot: Plot, scan: SliceScan, clips: Sequence[ClipDescription], top: float, bottom: float) -> None:
    """The row of shots, and every transition from there to the foot of the plot."""
    plot.text(16, top + 19, "shots", 14, more='font-weight="600"')
    shots = [shot for clip in clips for shot in clip.clip.shots]
    for number, shot in enumerate(shots, start=1):
        left, right = plot.x(shot.span.start_s), plot.x(shot.span.end_s)
        plot.rect(left, top, right - left, 28, "#c9d0d6" if number % 2 else "#dde2e6")
        plot.text((left + right) / 2, top + 19, str(number), 13, more='text-anchor="middle"')
    for transition in scan.transitions:
        left, right = plot.x(transition.span.start_s), plot.x(transition.span.end_s)
        if transition.kind == "cut":
            plot.line(left, top - 4, left, bottom, INK, 'stroke-width="1.2" stroke-dasharray="3 3"')
        else:
            plot.rect(left, top - 4, right - left, bottom - top + 4, AMBER, 'opacity=".22"')
        plot.text((left + right) / 2, top - 11, term(transition.kind), 13, INK if transition.kind == "cut" else AMBER,
                  'text-anchor="middle" font-weight="600"')  # fmt: skip


def draw_camera(plot: Plot, clips: Sequence[ClipDescription], top: float) -> None:
    """The terms that the camera's motion amounts to, as a ribbon."""
    for segment in (segment for clip in clips for shot in clip.shots for segment in shot.camera):
        left, right = plot.x(segment.span.start_s), plot.x(segment.span.end_s)
        plot.rect(left, top, right - left - 1, 24, BANDS[segment.term.split("_")[0]], 'rx="3"')
        words = term(segment.term)
        if right - left > 8 * len(words):
            plot.text((left + right) / 2, top + 17, words, 13, more='text-anchor="middle"')
    plot.text(16, top + 17, "camera term", 14, more='font-weight="600"')


def draw_axis(plot: Plot, scan: SliceScan, top: float) -> None:
    """Seconds."""
    for second in range(0, int(scan.span.duration_s) + 1, 5):
        x = plot.x(scan.span.start_s + second)
        plot.line(x, top, x, top + 4, SOFT)
        plot.text(x, top + 18, f"{second} s" if second == 0 else str(second), 12, SOFT, 'text-anchor="middle"')


def draw_keyframes(plot: Plot, scan: SliceScan, clips: Sequence[ClipDescription], top: float) -> None:
    """Keyframes along the foot, each with a line from its time."""
    samples = [keyframe.sample for clip in clips for keyframe in clip.keyframes]
    height, gap = thumbnail_height(scan), 4.0
    plot.text(16, top + 28 + height / 2, "keyframes", 14, more='font-weight="600"')
    plot.text(16, top + 46 + height / 2, clips[0].keyframes[0].strategy.replace("_", " "), 12, SOFT)
    places = [plot.x(scan.span.time_base.seconds(sample.pts)) for sample in samples]
    for sample, place, left in zip(samples, places, spread(places, THUMBNAIL_WIDTH + gap), strict=True):
        middle = left + THUMBNAIL_WIDTH / 2
        plot.line(place, top - 2, middle, top + 26, SOFT, 'stroke-width="1"')
        plot.parts.append(f'<circle cx="{place:.1f}" cy="{top - 2:.1f}" r="3" fill="{INK}"/>')
        where = f'x="{left:.1f}" y="{top + 28:.1f}" width="{THUMBNAIL_WIDTH}" height="{height:.1f}"'
        plot.parts.append(f'<image {where} preserveAspectRatio="none" href="{data_uri(sample)}"/>')


def spread(places: Sequence[float], width: float) -> list[float]:
    """Left edges of boxes as near their places as can be without covering each other, inside the plot."""
    lefts: list[float] = []
    for place in places:
        lefts.append(max(place - width / 2, lefts[-1] + width if lefts else LEFT))
    limit = RIGHT - width
    for index in reversed(range(len(lefts))):
        lefts[index] = min(lefts[index], limit)
        limit = lefts[index] - width
    return lefts


def thumbnail_height(scan: SliceScan) -> float:
    """Pixels, at the video's own aspect."""
    return THUMBNAIL_WIDTH * scan.display_height / scan.display_width


def data_uri(sample: FrameSample) -> str:
    """The sample's JPEG, as it was kept."""
    return "data:image/jpeg;base64," + base64.b64encode(sample.jpeg).decode("ascii")


def write_png(page: str, height: int, picture: Path) -> None:
    """Photograph the page at one and a half times its size, for dense screens."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": WIDTH, "height": height}, device_scale_factor=1.5)
        view.set_content(page)
        shot = view.screenshot(type="png")
        browser.close()
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw.png"
        raw.write_bytes(shot)
        # A palette: a third of the size, and nobody sees it.
        palette = "split[a][b];[a]palettegen=max_colors=256[p];[b][p]paletteuse=dither=bayer:bayer_scale=4"
        command = [get_ffmpeg_exe(), "-loglevel", "error", "-nostdin", "-y", "-i", str(raw), "-filter_complex", palette]
        subprocess.run([*command, str(picture)], check=True)  # noqa: S603 - paths of our own


if __name__ == "__main__":
    given = [Path(argument) for argument in sys.argv[1:]]
    defaults = [ROOT / "jobs" / "samples" / "reel.mp4", ROOT / "docs" / "signals.png"]
    main(*(given + defaults[len(given) :]))
