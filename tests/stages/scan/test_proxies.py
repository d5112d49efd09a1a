"""Statements about small pictures: what a pixel of a proxy is the mean of."""

from pathlib import Path

import av
import numpy as np
import pytest

from schemas.config import ScanConfig
from stages.media.demux import main_video_stream, open_media
from stages.scan.proxies import LINES_PER_ROW, ProxyMaker
from tests.corpus import textured_frame, write_video
from tests.stages.scan.test_scan import probed


@pytest.mark.parametrize("size", [(1080, 1920), (720, 1280), (360, 640), (270, 480)])
def test_a_pixel_of_a_proxy_is_the_mean_of_the_pixels_that_are_read(tmp_path: Path, size: tuple[int, int]) -> None:
    path = write_video(tmp_path / "a.mp4", [textured_frame(1, *size)], 25)
    with open_media(path, path.name) as container:
        frame = next(container.decode(main_video_stream(container, path.name)))
    luma = ProxyMaker(probed(path).video, ScanConfig(), path.name).proxy(frame).luma
    pixels = np.frombuffer(memoryview(frame.planes[0]), np.uint8)
    plane = pixels.reshape(-1, frame.planes[0].line_size)[: size[0], : size[1]]
    step = max(1, size[0] // (LINES_PER_ROW * luma.shape[0]))
    read = (plane[step // 2 :: step].astype(float) - 16) / 219 * 255
    difference = luma - read.reshape(luma.shape[0], -1, luma.shape[1], size[1] // luma.shape[1]).mean(axis=(1, 3))
    # Up to three times on the way, grey levels are rounded to whole ones.
    assert np.abs(difference).max() < 2.5
    assert abs(difference.mean()) < 0.5


@pytest.mark.parametrize("size", [(1080, 1920), (270, 480), (121, 203)])
def test_a_graphics_card_s_layout_of_the_same_picture_gives_the_same_proxy(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    stored = av.VideoFrame.from_ndarray(textured_frame(1, *size), format="rgb24").reformat(format="yuv420p")
    stored.pts = 7
    video = probed(write_video(tmp_path / "a.mp4", [textured_frame(1, 64, 64)], 25)).video
    source = video.replace(width=size[1], height=size[0], display_width=size[1], display_height=size[0])
    maker = ProxyMaker(source, ScanConfig(), "a.mp4")
    proxy, other = maker.proxy(stored), maker.proxy(stored.reformat(format="nv12"))
    assert proxy.chroma.std() > 3
    assert (other.luma == proxy.luma).all()
    assert (other.chroma == proxy.chroma).all()
