"""Statements about the scan of whole files: exact time, what a player shows, honest problems, and the sample reel."""

import itertools
import json
from fractions import Fraction
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from schemas.config import ProbeConfig, ScanConfig
from schemas.media import ListedSource, Source
from schemas.signals import SliceScan
from schemas.time import Span
from stages.errors import MediaError
from stages.media.probe import probe_source
from stages.scan.slice_scan import scan_slice
from tests.corpus import Picture, moving_crop, numbered_frames, textured_frame, write_video

SAMPLES = Path(__file__).parents[3] / "jobs" / "samples"


def probed(path: Path, config: ProbeConfig | None = None) -> Source:
    size_bytes = path.stat().st_size
    listed = ListedSource(source_id="source", uri=str(path), name=path.name, size_bytes=size_bytes, version="1")
    source = probe_source(listed, path, config or ProbeConfig())
    assert isinstance(source, Source)
    return source


def scanned(path: Path, config: ScanConfig | None = None) -> SliceScan:
    source = probed(path)
    return scan_slice(source.slices[0], source.video, path, config or ScanConfig())


@cache
def reel() -> SliceScan:
    return scanned(SAMPLES / "reel.mp4")


def test_the_transitions_of_the_sample_reel_are_those_of_its_truth() -> None:
    scan = reel()
    truth = json.loads((SAMPLES / "reel.truth.json").read_text())["transitions"]
    pts = [*scan.frames.pts, scan.span.end_pts]
    assert [t.kind for t in scan.transitions] == [t["kind"] for t in truth]
    for measured, true in zip(scan.transitions, truth, strict=True):
        start, end = (pts[true[edge]] for edge in ("start_frame", "end_frame"))
        span = Span(start_pts=start, end_pts=end, time_base=scan.span.time_base)
        assert measured.span == span if true["kind"] == "cut" else measured.span.iou(span) >= 0.5


def test_the_camera_of_the_sample_reel_moves_as_its_truth_says() -> None:
    scan, pts = reel(), np.array([*reel().frames.pts, reel().span.end_pts])
    start, end = np.array(scan.motion.start_pts), np.array(scan.motion.end_pts)
    floors = {"pan_widths_per_s": 0.01, "tilt_heights_per_s": 0.01, "zoom_per_s": 0.01, "roll_degrees_per_s": 0.2}
    for shot in json.loads((SAMPLES / "reel.truth.json").read_text())["shots"]:
        for segment in shot["camera"]:
            inside = (start >= pts[segment["start_frame"]]) & (end < pts[segment["end_frame"]])
            for rate, floor in floors.items():
                measured = np.median(np.array(getattr(scan.motion, rate))[inside])
                assert measured == pytest.approx(segment[rate], rel=0.1, abs=floor), (shot["name"], rate)


def test_no_motion_pair_of_the_sample_reel_straddles_a_cut() -> None:
    cuts = [t.span.start_pts for t in reel().transitions if t.kind == "cut"]
    pairs = list(zip(reel().motion.start_pts, reel().motion.end_pts, strict=True))
    assert not [(pair, cut) for pair in pairs for cut in cuts if pair[0] < cut <= pair[1]]


def test_every_frame_keeps_its_exact_time_at_a_variable_rate(tmp_path: Path) -> None:
    pts = [0, 40, 80, 200, 210, 333, 400, 900, 940, 1000]
    frames = [textured_frame(1, 120, 160)] * len(pts)
    path = write_video(tmp_path / "vfr.mp4", frames, 25, pts=pts, time_base=Fraction(1, 1000))
    scan = scanned(path)
    seconds = [scan.span.time_base.seconds(at - scan.span.start_pts) for at in scan.frames.pts]
    assert seconds == pytest.approx([at / 1000 for at in pts], abs=1e-9)
    assert scan.span.end_pts > scan.frames.pts[-1]


def test_the_span_ends_where_the_last_frame_ends(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", numbered_frames(30), Fraction(30000, 1001))
    assert scanned(path).span.duration_s == pytest.approx(30 * 1001 / 30000, abs=1e-4)


def test_samples_lie_on_the_clock_of_the_source_and_the_first_frame_is_one(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", numbered_frames(60), 25)
    scan = scanned(path, ScanConfig(sample_fps=4.0))
    frames = [scan.frames.pts.index(sample.pts) for sample in scan.frame_samples]
    assert frames == [0, 7, 13, 19, 25, 32, 38, 44, 50, 57]


def test_slices_of_a_source_share_no_frame_and_lose_none(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", numbered_frames(100), 25, gop=10)
    source = probed(path, ProbeConfig(max_slice_s=1.2))
    scans = [scan_slice(part, source.video, path, ScanConfig()) for part in source.slices]
    whole = scanned(path)
    assert len(scans) > 2
    assert [pts for scan in scans for pts in scan.frames.pts] == list(whole.frames.pts)
    assert [scan.frame_samples[0].pts for scan in scans] == [scan.frames.pts[0] for scan in scans]
    assert all(one.span.end_pts == after.span.start_pts for one, after in itertools.pairwise(scans))


def picture_of(jpeg: bytes) -> Picture:
    return np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR), dtype=np.uint8)[:, :, ::-1]


@pytest.mark.parametrize("rotation_degrees", [0, 90, 180, 270])
def test_samples_and_motion_are_what_a_player_shows(tmp_path: Path, rotation_degrees: int) -> None:
    shown = list(moving_crop(textured_frame(2, 240, 320), 20, 160, 120, pan_px=3.0))
    coded = [np.ascontiguousarray(np.rot90(picture, rotation_degrees // 90)) for picture in shown]
    scan = scanned(write_video(tmp_path / "a.mp4", coded, 25, rotation_degrees=rotation_degrees))
    assert (scan.display_width, scan.display_height) == (120, 160)
    sample = picture_of(scan.frame_samples[0].jpeg)
    assert sample.shape == (160, 120, 3)
    assert np.abs(sample.astype(int) - shown[0]).mean() < 8
    assert np.median(scan.motion.pan_widths_per_s) == pytest.approx(3.0 * 25 / 120, rel=0.1)
    assert np.median(scan.motion.tilt_heights_per_s) == pytest.approx(0.0, abs=0.02)


def test_pixels_that_are_not_square_are_shown_square(tmp_path: Path) -> None:
    frames = numbered_frames(5, 576, 720)
    path = write_video(tmp_path / "a.mp4", frames, 25, sample_aspect_ratio=Fraction(64, 45))
    (sample, *_) = scanned(path).frame_samples
    assert (sample.width, sample.height) == (512, 288)
    assert picture_of(sample.jpeg).shape == (288, 512, 3)


@pytest.mark.parametrize("size", [(34, 400), (400, 34), (16, 16)])
def test_odd_shapes_are_scanned(tmp_path: Path, size: tuple[int, int]) -> None:
    height, width = size
    scan = scanned(write_video(tmp_path / "a.mp4", [textured_frame(1, 400, 400)[:height, :width]] * 5, 25))
    assert len(scan.frames.pts) == 5
    assert (scan.frame_samples[0].width, scan.frame_samples[0].height) == (width, height)


def test_a_scan_does_not_depend_on_the_number_of_threads(tmp_path: Path) -> None:
    frames = [f for seed in (1, 2, 3) for f in moving_crop(textured_frame(seed, 300, 400), 170, 60, 100, pan_px=0.5)]
    path = write_video(tmp_path / "a.mp4", frames, 25, gop=25)
    source = probed(path)
    one, two, five = (scan_slice(source.slices[0], source.video, path, ScanConfig(), threads=n) for n in (1, 2, 5))
    assert len(one.frames.pts) == 510
    assert [t.span.start_s for t in one.transitions] == [6.8, 13.6]
    assert one == two == five


def test_a_damaged_stretch_is_told_and_the_rest_is_measured(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", numbered_frames(100), 25, gop=10)
    source = probed(path)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = bytes(3000)
    path.write_bytes(content)
    scan = scan_slice(source.slices[0], source.video, path, ScanConfig())
    assert 50 < len(scan.frames.pts) <= 100
    assert scan.problems


def test_a_slice_without_one_frame_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    path = write_video(tmp_path / "short.mp4", numbered_frames(20), 25)
    source = probed(path)
    (whole,) = source.slices
    beyond = whole.replace(span=whole.span.shift(100.0))
    with pytest.raises(MediaError, match=r"short\.mp4: no frame can be decoded from 100\.000 s"):
        scan_slice(beyond, source.video, path, ScanConfig())
