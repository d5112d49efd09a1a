"""Scoring proxies in batches: what each frame looks like, and how far it is from the one before.

Shape legend: B = frames of a batch, H, W = luma proxy, h, w = chroma proxy (half of it, rounded up).
Here: one PyTorch program for CPU and CUDA. Not here: making proxies (`stages.scan.proxies`), motion
(`stages.camera.motion`).

Between devices, results differ by rounding only: by at most 1e-4 of a figure's range, and by one count in a hundred
thousand where a pixel lies on the edge of a histogram's bin.
"""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional

from schemas.config import ScanConfig
from stages.scan.proxies import ProxyBatch, YCbCrMatrix

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]

HISTOGRAM_BINS = (16, 8)
"""Hue and saturation bins."""
MIN_COLOUR_VALUE = 24
"""HSV value (0 to 255) below which hue and saturation are noise: such pixels count as colourless. Ours."""
BLACK_MAX_SPREADS = (0.04, 0.008)
"""Standard deviation of luma (0 to 1) above which a dark frame shows something: of the proxy, and of the thumbnail. In
a thumbnail noise has averaged out, and what a dark scene shows has not. Ours."""
THUMBNAIL_SIZE = (18, 32)
"""Height and width of the luma that outlives its proxy; its chroma has half of both."""
RGB_SIZE = (27, 48)
"""Height and width of the pictures that TransNetV2 reads."""
SSIM_BLOCK = 4
"""Half the side of an SSIM window, and the distance of two windows, in proxy pixels: windows of 8x8, 4 apart, as video
encoders measure it."""
BATCH_FRAMES = {"cpu": 16, "cuda": 1024}
"""Frames scored together: on CPU so few that they stay in its cache, on a GPU enough to fill it."""

_SSIM_C1, _SSIM_C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_TINY = 1e-6


@dataclass(frozen=True)
class Scores:
    """Figures of T frames, one row a frame; their meaning and units are those of `FrameSignals`.

    The figures in `PAIRWISE` compare with the frame before.
    """

    luma_mean: Floats
    luma_spread: Floats
    saturation_mean: Floats
    sharpness: Floats
    is_black: Floats
    content_distance: Floats
    histogram_distance: Floats
    structural_similarity: Floats
    moving_ratio: Floats
    is_frozen: Floats
    thumbnails: Bytes
    """(T, 18, 32) luma, 0 to 255, area-averaged."""
    chroma: Bytes
    """(T, 9, 16, 2) Cb and Cr, 128 is colourless."""
    histograms: npt.NDArray[np.float16]
    """(T, 128) joint hue-saturation histograms that sum to 1."""
    rgb: Bytes
    """(T, 27, 48, 3), or (T, 0, 0, 3) where nobody asked for them."""


PAIRWISE = ("content_distance", "histogram_distance", "structural_similarity", "moving_ratio", "is_frozen")


def resolve_device(device: str, setting: str = "grid.device") -> str:
    """`cpu` or `cuda`, whichever `auto` means here. Raises ValueError where there is no GPU, and one is asked for."""
    has_cuda = torch.cuda.is_available()
    if device == "cuda" and not has_cuda:
        raise ValueError(f"{setting} is cuda, and PyTorch finds no GPU: install its CUDA build, or set it to cpu")
    return "cuda" if has_cuda and device != "cpu" else "cpu"


class Scorer:
    """Scores batches of proxies of one stream on one device.

    Safe to call from several threads: it keeps nothing from call to call.
    """

    def __init__(self, config: ScanConfig, device: str, *, with_rgb: bool = False) -> None:
        self._config, self._device, self._with_rgb = config, torch.device(device), with_rgb
        self.batch_frames = BATCH_FRAMES[self._device.type]

    def score(self, batch: ProxyBatch) -> Scores:
        """Figures of frames 1 to B-1 of a batch of B proxies: the first is only what the second is compared with.

        To score the first frame of a video, put it in twice: its distances are then 0 and its similarity 1.
        """
        with torch.inference_mode():
            luma = torch.from_numpy(batch.luma).to(self._device, non_blocking=True)
            chroma = torch.from_numpy(batch.chroma).to(self._device, non_blocking=True)
            found = self._score(luma, chroma, batch.matrix)
            return Scores(**{name: value.cpu().numpy() for name, value in found.items()})

    def _score(self, luma: torch.Tensor, chroma: torch.Tensor, matrix: YCbCrMatrix) -> dict[str, torch.Tensor]:
        light, colour = luma.float(), chroma.float()
        rgb = to_rgb(halved(luma), colour, matrix)
        hsv = to_hsv(rgb)
        histograms = hue_saturation_histograms(hsv)
        ssim = window_ssim(luma)
        mean = light.flatten(1).mean(1)
        thumbnails = _area_mean(light[:, None], THUMBNAIL_SIZE)[:, 0]
        coarse_spread = thumbnails.flatten(1).std(1, correction=0)
        found = {
            "luma_mean": mean[1:] / 255,
            "saturation_mean": hsv[1:, 1].flatten(1).mean(1) / 255,
            "sharpness": laplacian_variance(luma[1:]),
            "content_distance": (hsv[1:] - hsv[:-1]).abs_().flatten(1).mean(1),
            "histogram_distance": (histograms[1:] - histograms[:-1]).abs_().sum(1) / 2,
            "structural_similarity": ssim.mean(1),
            "moving_ratio": (ssim < self._config.moving_similarity).float().mean(1),
            "is_frozen": (mean_difference(luma) < self._config.frozen_difference).float(),
            "histograms": histograms[1:].half(),
            "thumbnails": _bytes(thumbnails[1:]),
        }
        found |= self._colour_pictures(colour[1:], rgb[1:])
        spread = light.sub_(mean[:, None, None]).square_().flatten(1).mean(1).sqrt()
        is_black = (mean < 255 * self._config.black_luma) & (spread < 255 * BLACK_MAX_SPREADS[0])
        is_black &= coarse_spread < 255 * BLACK_MAX_SPREADS[1]
        return found | {"luma_spread": spread[1:] / 255, "is_black": is_black[1:].float()}

    def _colour_pictures(self, chroma: torch.Tensor, rgb: torch.Tensor) -> dict[str, torch.Tensor]:
        height, width = THUMBNAIL_SIZE
        small = functional.adaptive_avg_pool2d(rgb, RGB_SIZE) if self._with_rgb else rgb[:, :, :0, :0]
        return {
            "chroma": _bytes(_area_mean(chroma, (height // 2, width // 2)).permute(0, 2, 3, 1)),
            "rgb": _bytes(small.permute(0, 2, 3, 1)),
        }


def joined(parts: list[Scores]) -> Scores:
    """The figures of consecutive runs of frames as one."""
    return Scores(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Scores)})


class GrowingScores:
    """Figures of the frames of a stretch, taken batch by batch; each kind lies in one buffer that grows.

    As arrays of their own they would lie scattered over the heap, among the pictures that come and go, and keep what
    is free between them from being used again.
    """

    def __init__(self) -> None:
        self._n_frames = 0
        self._buffers: dict[str, tuple[bytearray, np.ndarray]] = {}

    def add(self, scores: Scores) -> None:
        """Takes the figures of the next frames."""
        self._n_frames += len(scores.luma_mean)
        for each in fields(Scores):
            values: np.ndarray = getattr(scores, each.name)
            buffer, _ = self._buffers.setdefault(each.name, (bytearray(), values[:0].copy()))
            buffer += values.tobytes()

    def whole(self) -> Scores | None:
        """All of them; None where no frame came."""
        if not self._n_frames:
            return None
        return Scores(**{
            name: np.ndarray((self._n_frames, *like.shape[1:]), like.dtype, buffer)
            for name, (buffer, like) in self._buffers.items()
        })  # fmt: skip


def halved(luma: torch.Tensor) -> torch.Tensor:
    """(B, h, w) float means of 2x2 pixels of (B, H, W) uint8 luma; half pixels at an odd edge count as whole ones."""
    if luma.shape[1] % 2:
        luma = torch.cat([luma, luma[:, -1:]], dim=1)
    if luma.shape[2] % 2:
        luma = torch.cat([luma, luma[:, :, -1:]], dim=2)
    pairs = luma.view(torch.int16)
    columns = (pairs & 0xFF).add_((pairs >> 8).bitwise_and_(0xFF))
    return (columns[:, ::2] + columns[:, 1::2]).float().div_(4)


def to_rgb(luma: torch.Tensor, chroma: torch.Tensor, matrix: YCbCrMatrix) -> torch.Tensor:
    """(B, 3, h, w) RGB, 0 to 255, of (B, h, w) luma and (B, 2, h, w) chroma, full range."""
    cb, cr = (chroma - 128).unbind(1)
    green = torch.sub(luma, cb, alpha=matrix.green_from_cb).sub_(cr, alpha=matrix.green_from_cr)
    red, blue = (torch.add(luma, cr, alpha=matrix.red_from_cr), torch.add(luma, cb, alpha=matrix.blue_from_cb))
    return torch.stack([red, green, blue], dim=1).clamp_(0, 255)


def to_hsv(rgb: torch.Tensor) -> torch.Tensor:
    """(B, 3, h, w) hue (0 to 180), saturation and value (0 to 255), scaled as OpenCV does, of RGB 0 to 255.

    The hue is counted from red, green or blue, whichever is the largest; sorting tells where from without a branch.
    """
    red, green, blue = rgb.unbind(1)
    high, low = torch.maximum(green, blue), torch.minimum(green, blue)
    value, middle = torch.maximum(red, high), torch.minimum(red, high)
    span = value - torch.minimum(middle, low)
    is_bluish, is_not_red = green.clone().lt_(blue), red.clone().lt_(high)
    # From 0 or -180 where red is the largest, else from -60 (green) or 120 (blue); a negative hue is one turned round.
    start = is_not_red.mul_(is_bluish * 360 - 60).sub_(is_bluish, alpha=180)
    hue = (middle - low).div_(span.clamp(min=1e-3)).mul_(30).add_(start).abs_()
    return torch.stack([hue, span.mul_(255).div_(value.clamp(min=1)), value], dim=1)


def hue_saturation_histograms(hsv: torch.Tensor) -> torch.Tensor:
    """(B, 128) joint histograms of (B, 3, h, w) HSV that sum to 1. Pixels too dark to have a colour are colourless."""
    hue, saturation, value = hsv.unbind(1)
    hues, saturations = HISTOGRAM_BINS
    at = (hue * (hues / 180)).int().clamp_(max=hues - 1) * saturations
    at += (saturation * (saturations / 256)).int().clamp_(max=saturations - 1)
    at *= value >= MIN_COLOUR_VALUE
    n_bins = hues * saturations
    at += n_bins * torch.arange(len(hsv), device=hsv.device, dtype=torch.int32)[:, None, None]
    counts = torch.bincount(at.flatten(), minlength=len(hsv) * n_bins)
    return counts.view(len(hsv), n_bins).float() / hue[0].numel()


def window_ssim(luma: torch.Tensor) -> torch.Tensor:
    """SSIM (Wang et al. 2004) of each of (B, H, W) pictures with the one before, window by window: (B - 1, windows).

    Uniform windows of 8x8 pixels, 4 apart. H and W are at least 8; up to 3 lines and columns at the edges are left out.
    """
    height, width = (side // SSIM_BLOCK * SSIM_BLOCK for side in luma.shape[1:])
    pixels = luma[:, :height, :width].short()
    mean, square = _window_means(pixels), _window_means(pixels * pixels)
    product = _window_means(pixels[1:] * pixels[:-1])
    variance = square - mean * mean
    means = mean[1:] * mean[:-1]
    above = (2 * means + _SSIM_C1) * (2 * (product - means) + _SSIM_C2)
    squares = mean[1:].square() + mean[:-1].square()
    below = (squares + _SSIM_C1) * (variance[1:] + variance[:-1] + _SSIM_C2)
    return (above / below).clamp_(-1, 1).flatten(1)


def laplacian_variance(luma: torch.Tensor) -> torch.Tensor:
    """(B,) variance of the discrete Laplacian of (B, H, W) uint8 pictures, without their border."""
    pixels = luma.short()
    laplacian = pixels[:, 1:-1, 2:] + pixels[:, 1:-1, :-2]
    laplacian += pixels[:, 2:, 1:-1]
    laplacian += pixels[:, :-2, 1:-1]
    flat = laplacian.sub_(pixels[:, 1:-1, 1:-1], alpha=4).float().flatten(1)
    mean = flat.mean(1)
    return flat.square_().mean(1) - mean.square()


def mean_difference(luma: torch.Tensor) -> torch.Tensor:
    """(B - 1,) mean absolute difference of each of (B, H, W) uint8 pictures from the one before."""
    after, before = luma[1:], luma[:-1]
    return (torch.maximum(after, before) - torch.minimum(after, before)).float().flatten(1).mean(1)


def _window_means(pixels: torch.Tensor) -> torch.Tensor:
    """Means of the windows of (B, H, W) pictures whose sides are multiples of `SSIM_BLOCK`.

    Values are 0 to 65535 in 16 bits, read without a sign: integers of this size are summed exactly, in any order, and
    in a quarter of the time that floating point takes.
    """
    pairs = pixels.view(torch.int32)
    columns = (pairs & 0xFFFF).add_((pairs >> 16).bitwise_and_(0xFFFF))
    rows = columns.view(len(pixels), -1, SSIM_BLOCK, columns.shape[2]).sum(2, dtype=torch.int32)
    blocks = (rows[..., ::2] + rows[..., 1::2]).float().div_(SSIM_BLOCK**2)
    windows = blocks[:, 1:] + blocks[:, :-1]
    return (windows[..., 1:] + windows[..., :-1]).div_(4)


def _area_mean(pictures: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """(B, C, H, W) pictures averaged to `size`; plain sums are several times as fast where the sides are multiples."""
    (n_rows, n_columns), (height, width) = size, pictures.shape[2:]
    if height % n_rows or width % n_columns:
        return functional.adaptive_avg_pool2d(pictures, size)
    rows = pictures.reshape(*pictures.shape[:2], n_rows, -1, width).sum(3)
    return rows.reshape(*pictures.shape[:2], n_rows, n_columns, -1).sum(4) / (height * width // (n_rows * n_columns))


def _bytes(picture: torch.Tensor) -> torch.Tensor:
    return picture.round().to(torch.uint8)
