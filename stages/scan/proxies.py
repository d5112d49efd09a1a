"""Small pictures of decoded frames: what a player would show, at the size at which it is measured or kept.

Shape legend: H, W = luma proxy, h, w = chroma proxy (half of it, rounded up).
Here: `Proxy`, batches of them, `ProxyMaker` and JPEG frame samples. Not here: decoding (`stages.media.decode`) and what
is measured on a proxy (`stages.scan.scoring`, `stages.camera.motion`).

Planes of 8-bit YUV, which is nearly every video, are averaged where they lie: a conversion to RGB of the whole picture
would cost as much as all measuring. Of a large plane only every n-th line is read, at least `LINES_PER_ROW` for each
line of the proxy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.video.reformatter import ColorRange, VideoReformatter

from schemas.config import ScanConfig
from schemas.media import FrameSample, VideoStream
from stages.errors import MediaError

Image = npt.NDArray[np.uint8]
"""uint8 picture, (H, W) or (H, W, 3)."""

MIN_PROXY_HEIGHT = 18
"""Lines of the flattest proxy: enough for two SSIM windows."""
MAX_PROXY_ASPECT = 4
"""Height over width of the tallest proxy; a taller picture is squeezed, so that its cost stays bounded."""
LINES_PER_ROW = 4
"""Lines of a plane that are averaged into a line of its proxy, where it has as many."""

_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
_READ_AS_STORED = frozenset({"yuv420p", "yuv422p", "yuv444p", "yuvj420p", "yuvj422p", "yuvj444p", "nv12"})
"""Three planes, or, from decoders of graphics cards, luma and a plane of Cb and Cr in turn."""
_FULL_RANGE_FORMATS = frozenset({"yuvj420p", "yuvj422p", "yuvj444p"})


@dataclass(frozen=True)
class YCbCrMatrix:
    """How chroma becomes colour: factors on Cb - 128 and Cr - 128, full range."""

    red_from_cr: float
    green_from_cb: float
    green_from_cr: float
    blue_from_cb: float

    @classmethod
    def of(cls, red: float, blue: float) -> "YCbCrMatrix":
        """The matrix whose luma weighs red and blue so."""
        green = 1 - red - blue
        return cls(2 * (1 - red), 2 * (1 - blue) * blue / green, 2 * (1 - red) * red / green, 2 * (1 - blue))


BT601, BT709, BT2020 = YCbCrMatrix.of(0.299, 0.114), YCbCrMatrix.of(0.2126, 0.0722), YCbCrMatrix.of(0.2627, 0.0593)
_MATRICES = {1: BT709, 9: BT2020, 10: BT2020}
"""By the number that ITU-T H.273 gives it; what is not here, or not known, is BT.601, as ffmpeg takes it."""


def _expansion(start: int, end: int, centre: int) -> Image:
    """Table from limited to full range: `start` to `end` become 0 to 255, and `centre` stays where it is."""
    values = (np.arange(256) - (centre or start)) * (255 / (end - start)) + centre
    return np.asarray(np.clip(values.round(), 0, 255), dtype=np.uint8)


_LUMA_EXPANSION, _CHROMA_EXPANSION = _expansion(16, 235, 0), _expansion(16, 240, 128)


@dataclass(frozen=True)
class Proxy:
    """One frame, small, as displayed: full range, 0 to 255."""

    pts: int
    luma: Image
    """(H, W) uint8, 0 black to 255 white."""
    chroma: Image
    """(2, h, w) uint8 Cb and Cr; 128 is colourless."""
    matrix: YCbCrMatrix = BT601

    def __post_init__(self) -> None:
        small = tuple((side + 1) // 2 for side in self.luma.shape)
        if self.luma.ndim != 2 or self.chroma.shape != (2, *small):
            raise ValueError(f"a proxy is (H, W) luma and (2, h, w) chroma, not {self.luma.shape}, {self.chroma.shape}")
        if self.luma.dtype != np.uint8 or self.chroma.dtype != np.uint8:
            raise ValueError(f"a proxy is uint8, not {self.luma.dtype} and {self.chroma.dtype}")

    @classmethod
    def of_rgb(cls, pts: int, rgb: Image) -> "Proxy":
        """The proxy of an (H, W, 3) uint8 RGB picture of its own size."""
        ycrcb = cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb)
        small = cv2.resize(ycrcb, tuple((side + 1) // 2 for side in rgb.shape[1::-1]), interpolation=cv2.INTER_AREA)
        return cls(pts, np.ascontiguousarray(ycrcb[..., 0]), np.ascontiguousarray(small[..., :0:-1].transpose(2, 0, 1)))

    @cached_property
    def rgb(self) -> Image:
        """(h, w, 3) uint8: the colours, at the size of the chroma."""
        luma = cv2.resize(self.luma, self.chroma.shape[:0:-1], interpolation=cv2.INTER_AREA).astype(np.float32)
        cb, cr = self.chroma.astype(np.float32) - 128
        green = luma - self.matrix.green_from_cb * cb - self.matrix.green_from_cr * cr
        rgb = np.stack([luma + self.matrix.red_from_cr * cr, green, luma + self.matrix.blue_from_cb * cb], axis=-1)
        return np.asarray(np.clip(rgb.round(), 0, 255), dtype=np.uint8)

    @cached_property
    def hsv(self) -> Image:
        """(h, w, 3) uint8 as OpenCV scales it: hue 0 to 179, saturation and value 0 to 255."""
        return np.asarray(cv2.cvtColor(self.rgb, cv2.COLOR_RGB2HSV), dtype=np.uint8)


@dataclass(frozen=True)
class ProxyBatch:
    """Proxies of consecutive frames of one stream."""

    luma: Image
    """(B, H, W) uint8."""
    chroma: Image
    """(B, 2, h, w) uint8."""
    matrix: YCbCrMatrix

    @classmethod
    def of(cls, proxies: Sequence[Proxy]) -> "ProxyBatch":
        """The batch of some proxies of one size."""
        luma, chroma = np.stack([p.luma for p in proxies]), np.stack([p.chroma for p in proxies])
        return cls(luma, chroma, proxies[-1].matrix)


class ProxyMaker:
    """Turns decoded frames of one stream into proxies and frame samples; keeps its scalers from frame to frame."""

    def __init__(self, source: VideoStream, config: ScanConfig, name: str) -> None:
        self._name = name
        self._turn = _TURNS.get(source.rotation_degrees)
        self._is_on_its_side = source.rotation_degrees in (90, 270)
        self._quality = config.sample_jpeg_quality
        self._proxy_size = self._as_stored(proxy_size(source, config.proxy_width))
        self._sample_size = self._as_stored(sample_size(source, config.sample_width))
        self._proxy_scaler, self._sample_scaler = VideoReformatter(), VideoReformatter()

    def proxy(self, frame: av.VideoFrame) -> Proxy:
        """The frame at proxy size. Raises MediaError where the picture cannot be converted."""
        if frame.format.name in _READ_AS_STORED:
            planes, is_full_range = _planes(frame), _is_full_range(frame)
            matrix = _MATRICES.get(int(frame.colorspace), BT601)
        else:
            small = self._reformat(frame, self._proxy_size, "yuv444p", self._proxy_scaler)
            planes, is_full_range = _planes(small), _is_full_range(small)
            matrix = _MATRICES.get(int(small.colorspace), BT601)
        width, height = self._proxy_size
        luma = _shrunk(planes[0], width, height)
        chroma = [self._turned(_shrunk(plane, (width + 1) // 2, (height + 1) // 2)) for plane in planes[1:]]
        luma, both = self._turned(luma), np.stack(chroma)
        if not is_full_range:
            luma = np.asarray(cv2.LUT(luma, _LUMA_EXPANSION), dtype=np.uint8)
            both = np.asarray(cv2.LUT(both, _CHROMA_EXPANSION), dtype=np.uint8)
        return Proxy(_pts(frame), luma, both, matrix)

    def sample(self, frame: av.VideoFrame) -> FrameSample:
        """The frame as JPEG at sample size. Raises MediaError where the picture cannot be converted."""
        small = self._reformat(frame, self._sample_size, "bgr24", self._sample_scaler)
        bgr = self._turned(np.asarray(small.to_ndarray(), dtype=np.uint8))
        _, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, self._quality])
        return FrameSample(pts=_pts(frame), width=bgr.shape[1], height=bgr.shape[0], jpeg=jpeg.tobytes())

    def _as_stored(self, size: tuple[int, int]) -> tuple[int, int]:
        """A size as displayed in terms of the stored picture, which may lie on its side."""
        return size[::-1] if self._is_on_its_side else size

    def _turned(self, picture: npt.NDArray[np.uint8]) -> Image:
        return picture if self._turn is None else np.asarray(cv2.rotate(picture, self._turn), dtype=np.uint8)

    def _reformat(
        self, frame: av.VideoFrame, size: tuple[int, int], pixel_format: str, scaler: VideoReformatter
    ) -> av.VideoFrame:
        try:
            # threads=1: a slice uses the cores it was given; the pictures are too small to share anyway.
            return scaler.reformat(frame, *size, pixel_format, interpolation="AREA", threads=1)
        except (av.FFmpegError, ValueError) as error:
            raise MediaError(f"{self._name}: frame at pts {frame.pts} cannot be converted: {error}") from error


def proxy_size(source: VideoStream, width: int) -> tuple[int, int]:
    """Width and height in pixels of the proxy of a stream, display aspect kept within bounds of ours."""
    height = round(width * source.display_height / source.display_width)
    return width, min(max(height, MIN_PROXY_HEIGHT), MAX_PROXY_ASPECT * width)


def sample_size(source: VideoStream, max_width: int) -> tuple[int, int]:
    """Width and height in pixels of a frame sample: display aspect, never enlarged."""
    width = min(max_width, source.display_width)
    return width, max(1, round(width * source.display_height / source.display_width))


def _planes(frame: av.VideoFrame) -> list[Image]:
    """Views of luma, Cb and Cr of an 8-bit YUV frame."""
    # Each look at `frame.planes` makes new objects.
    stored = frame.planes
    luma, *chroma = (
        np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[: plane.height] for plane in stored
    )
    width = stored[1].width
    pair = [plane[:, :width] for plane in chroma] if len(chroma) > 1 else [chroma[0][:, at::2] for at in (0, 1)]
    return [luma[:, : stored[0].width], *(plane[:, :width] for plane in pair)]


def _is_full_range(frame: av.VideoFrame) -> bool:
    return frame.format.name in _FULL_RANGE_FORMATS or frame.color_range == ColorRange.JPEG


def _shrunk(plane: Image, width: int, height: int) -> Image:
    """The plane area-averaged to (height, width), from some of its lines where it has many."""
    step = max(1, plane.shape[0] // (LINES_PER_ROW * height))
    lines = _halved(plane[step // 2 :: step], width, height)
    if lines.shape == (height, width):
        return lines if lines.base is None else lines.copy()
    is_larger = lines.shape[0] >= height and lines.shape[1] >= width
    method = cv2.INTER_AREA if is_larger else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(lines, (width, height), interpolation=method), dtype=np.uint8)


def _halved(lines: Image, width: int, height: int) -> Image:
    """The picture in half, as often as it stays several times as large as (height, width), or a multiple of it.

    OpenCV has vector code for halves, and none for the mean of more pixels: halves take a third to half of the time of
    one step all the way, and change one pixel in six by a grey level.
    """
    while all(_may_be_halved(side, least) for side, least in zip(lines.shape, (height, width), strict=True)):
        half = lines.shape[1] // 2, lines.shape[0] // 2
        lines = np.asarray(cv2.resize(lines, half, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return lines


def _may_be_halved(side: int, least: int) -> bool:
    return side % 2 == 0 and (side % (2 * least) == 0 or side >= 4 * least)


def _pts(frame: av.VideoFrame) -> int:
    if frame.pts is None:
        raise ValueError("a decoded frame must carry its pts")
    return int(frame.pts)
