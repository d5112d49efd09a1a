"""Every frame and frame sample has its true time, in every kind of file, and shows the picture of that time."""

import itertools
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from schemas.config import ProbeConfig, ScanConfig
from schemas.media import ListedSource, Source
from schemas.signals import SliceScan
from stages.media.decode import decode_span, divide_span
from stages.media.demux import main_video_stream, open_media
from stages.media.probe import probe_source
from stages.scan.slice_scan import scan_slice
from tests.corpus import picture_of
from tests.timestamp_zoo import ZOO, Shown, ffmpeg_reading, number_of

Files = Callable[[str], Path]
Scans = Callable[[str], tuple[Source, SliceScan]]

EVERY_FRAME = ScanConfig(sample_fps=1000.0, sample_width=160)
"""A frame sample of each frame, so that each picture can be seen."""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Files:
    @cache
    def made(name: str) -> Path:
        return ZOO[name].make(tmp_path_factory.mktemp("specimen"))

    return made


@pytest.fixture(scope="module")
def whole(file: Files) -> Scans:
    @cache
    def made(name: str) -> tuple[Source, SliceScan]:
        source = probed(file(name))
        (scan,) = scanned(source, file(name))
        return source, scan

    return made


def probed(path: Path, max_slice_s: float = 1200.0) -> Source:
    listed = ListedSource(source_id="s", uri=str(path), name=path.name, size_bytes=path.stat().st_size, version="1")
    source = probe_source(listed, path, ProbeConfig(max_slice_s=max_slice_s))
    assert isinstance(source, Source)
    return source


def scanned(source: Source, path: Path) -> list[SliceScan]:
    return [scan_slice(part, source.video, path, EVERY_FRAME) for part in source.slices]


def shown_by_samples(scan: SliceScan, source: Source) -> Shown:
    """Time and number of each frame sample."""

    def all_of_them() -> Iterator[tuple[Fraction, int]]:
        for sample in scan.frame_samples:
            picture = cv2.imdecode(np.frombuffer(sample.jpeg, np.uint8), cv2.IMREAD_COLOR)
            assert picture is not None
            upright = np.rot90(picture, source.video.rotation_degrees // 90)
            yield sample.pts * scan.span.time_base.fraction, number_of(upright)

    return tuple(all_of_them())


def times(shown: Shown) -> list[Fraction]:
    return [time for time, _ in shown]


def from_first(shown: Shown) -> Shown:
    """The same, with times that count from the first frame."""
    return tuple((time - shown[0][0], number) for time, number in shown)


def sound(name: str, shown: Shown) -> Shown:
    """Without the last picture where the file ends early: it may be damaged, though its time is not."""
    return shown[:-1] if ZOO[name].is_cut_off else shown


def truth(name: str, path: Path) -> Shown:
    """By construction where the construction says it, by ffmpeg's reading elsewhere."""
    specimen = ZOO[name]
    if specimen.is_cut_off:
        return ffmpeg_reading(path)
    if specimen.is_relative:
        (start_s, _), *_ = ffmpeg_reading(path)
        return tuple((start_s + time, number) for time, number in from_first(specimen.shown))
    return specimen.shown


@pytest.mark.parametrize("name", ZOO)
def test_ffmpeg_reads_each_file_as_it_was_built(file: Files, name: str) -> None:
    specimen, read = ZOO[name], ffmpeg_reading(file(name))
    counted = from_first if specimen.is_relative or specimen.is_cut_off else tuple
    read, built = counted(read), counted(specimen.shown)
    if specimen.is_cut_off:
        assert 10 < len(read) < len(built)
        assert times(read) == times(built)[: len(read)]
        assert sound(name, read) == sound(name, built[: len(read)])
    else:
        assert (read == built) == (not specimen.ffmpeg_differs)


@pytest.mark.parametrize("name", ZOO)
def test_every_frame_and_sample_has_its_true_time_and_picture(file: Files, whole: Scans, name: str) -> None:
    (source, scan), expected = whole(name), truth(name, file(name))
    found = shown_by_samples(scan, source)
    frames = [pts * scan.span.time_base.fraction for pts in scan.frames.pts]
    assert frames == times(found) == times(expected)
    assert sound(name, found) == sound(name, expected)
    assert scan.span.start_pts == scan.frames.pts[0]
    assert scan.span.end_pts > scan.frames.pts[-1]


@pytest.mark.parametrize("name", ZOO)
def test_several_slices_give_the_frames_of_one(file: Files, whole: Scans, name: str) -> None:
    path, (source, scan) = file(name), whole(name)
    divided = probed(path, max_slice_s=scan.span.duration_s / 2.5)
    assert (len(divided.slices) == 1) == ZOO[name].is_one_group
    parts = scanned(divided, path)
    assert [pts for part in parts for pts in part.frames.pts] == list(scan.frames.pts)
    pictures = [shown_by_samples(part, source) for part in parts]
    assert sound(name, tuple(itertools.chain(*pictures))) == sound(name, shown_by_samples(scan, source))


@pytest.mark.parametrize("name", ZOO)
def test_stretches_of_a_slice_give_the_frames_of_the_slice(file: Files, whole: Scans, name: str) -> None:
    path = file(name)
    (slice_,) = whole(name)[0].slices
    with open_media(path, name) as container:
        stream = main_video_stream(container, name)
        spans = divide_span(container, stream, slice_.span, 8, 0.01, name)
        one, *parts = (
            [(frame.pts, number_of(picture_of(frame))) for frame in decode_span(container, stream, span, [], name)]
            for span in (slice_.span, *spans)
        )
    assert (len(parts) == 1) == (ZOO[name].is_one_group or ZOO[name].is_unseekable)
    assert list(itertools.chain(*parts)) == one
