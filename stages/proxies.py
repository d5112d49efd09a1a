"""Small pictures of decoded frames: what a player would show, at the size at which it is measured or kept.

Here: `Proxy`, `ProxyMaker` (one swscale call a frame) and JPEG frame samples. Not here: decoding
(`stages.decode`) and what is measured on a proxy (`stages.similarity`, `stages.motion`).
"""

from dataclasses import dataclass
from functools import cached_property

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.video.reformatter import VideoReformatter

from schemas.config import ScanConfig
from schemas.media import FrameSample, VideoStream
from stages.errors import MediaError

Image = npt.NDArray[np.uint8]
"""uint8 picture, (H, W) or (H, W, 3)."""

MIN_PROXY_HEIGHT = 18
"""Lines of the flattest proxy: enough for one SSIM window."""
MAX_PROXY_ASPECT = 4
"""Height over width of the tallest proxy; a taller picture is squeezed, so that its cost stays bounded."""
THUMBNAIL_SIZE = (32, 18)
"""Width and height of the picture of each frame that outlives its proxy, whatever the aspect ratio."""

_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


@dataclass(frozen=True)
class Proxy:
    """One frame, small: `bgr` is (H, W, 3) uint8 as displayed, `pts` its exact timestamp."""

    pts: int
    bgr: Image

    def __post_init__(self) -> None:
        if self.bgr.ndim != 3 or self.bgr.shape[2] != 3 or self.bgr.dtype != np.uint8:
            raise ValueError(f"a proxy is (H, W, 3) uint8, not {self.bgr.shape} {self.bgr.dtype}")

    @cached_property
    def luma(self) -> Image:
        """(H, W) uint8, BT.601 weights, 0 black to 255 white."""
        return np.asarray(cv2.cvtColor(self.bgr, cv2.COLOR_BGR2GRAY), dtype=np.uint8)

    @cached_property
    def hsv(self) -> Image:
        """(H, W, 3) uint8 as OpenCV scales it: hue 0 to 179, saturation and value 0 to 255."""
        return np.asarray(cv2.cvtColor(self.bgr, cv2.COLOR_BGR2HSV), dtype=np.uint8)

    @cached_property
    def thumbnail(self) -> Image:
        """(18, 32) uint8 luma, area-averaged."""
        return np.asarray(cv2.resize(self.luma, THUMBNAIL_SIZE, interpolation=cv2.INTER_AREA), dtype=np.uint8)


class ProxyMaker:
    """Turns decoded frames of one stream into proxies and frame samples; keeps its scalers from frame to frame."""

    def __init__(self, source: VideoStream, config: ScanConfig, name: str) -> None:
        self._rotation_degrees = source.rotation_degrees
        self._name = name
        self._quality = config.sample_jpeg_quality
        self._proxy_size = proxy_size(source, config.proxy_width)
        self._sample_size = sample_size(source, config.sample_width)
        self._proxy_scaler, self._sample_scaler = VideoReformatter(), VideoReformatter()

    def proxy(self, frame: av.VideoFrame) -> Proxy:
        """The frame at proxy size. Raises MediaError where the picture cannot be converted."""
        return Proxy(pts=_pts(frame), bgr=self._picture(frame, self._proxy_size, self._proxy_scaler))

    def sample(self, frame: av.VideoFrame) -> FrameSample:
        """The frame as JPEG at sample size. Raises MediaError where the picture cannot be converted."""
        bgr = self._picture(frame, self._sample_size, self._sample_scaler)
        _, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, self._quality])
        return FrameSample(pts=_pts(frame), width=bgr.shape[1], height=bgr.shape[0], jpeg=jpeg.tobytes())

    def _picture(self, frame: av.VideoFrame, size: tuple[int, int], scaler: VideoReformatter) -> Image:
        is_turned = self._rotation_degrees in (90, 270)
        width, height = size[::-1] if is_turned else size
        try:
            # threads=1: a slice uses the cores it was given; the pictures are too small to share anyway.
            small = scaler.reformat(frame, width, height, "bgr24", interpolation="AREA", threads=1)
        except (av.FFmpegError, ValueError) as error:
            raise MediaError(f"{self._name}: frame at pts {frame.pts} cannot be converted to RGB: {error}") from error
        bgr = small.to_ndarray()
        turn = _TURNS.get(self._rotation_degrees)
        return np.asarray(bgr if turn is None else cv2.rotate(bgr, turn), dtype=np.uint8)


def proxy_size(source: VideoStream, width: int) -> tuple[int, int]:
    """Width and height in pixels of the proxy of a stream, display aspect kept within bounds of ours."""
    height = round(width * source.display_height / source.display_width)
    return width, min(max(height, MIN_PROXY_HEIGHT), MAX_PROXY_ASPECT * width)


def sample_size(source: VideoStream, max_width: int) -> tuple[int, int]:
    """Width and height in pixels of a frame sample: display aspect, never enlarged."""
    width = min(max_width, source.display_width)
    return width, max(1, round(width * source.display_height / source.display_width))


def _pts(frame: av.VideoFrame) -> int:
    if frame.pts is None:
        raise ValueError("a decoded frame must carry its pts")
    return int(frame.pts)
