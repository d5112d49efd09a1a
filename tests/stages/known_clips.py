"""A clip of frames that a test makes, taken through the real stages."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from schemas.config import ProbeConfig, ScanConfig, SplitConfig
from schemas.media import Clip, ListedSource, Source
from schemas.signals import SliceScan
from stages.clips.split import split_slice
from stages.media.probe import probe_source
from stages.scan.slice_scan import scan_slice
from tests.corpus import write_video


def scanned_clip(folder: Path, frames: Iterable[npt.NDArray[np.uint8]]) -> tuple[Clip, SliceScan]:
    """The first clip of a video of these RGB frames at 25 a second, with the signals of its slice.

    There must be two seconds of them, without a cut.
    """
    path = write_video(folder / "made.mp4", frames, fps=25)
    listed = ListedSource(source_id="made", uri=str(path), name=path.name, size_bytes=path.stat().st_size, version="1")
    source = probe_source(listed, path, ProbeConfig())
    assert isinstance(source, Source), source
    scan = scan_slice(source.slices[0], source.video, path, ScanConfig())
    return split_slice(source.slices[0], scan, SplitConfig()).clips[0], scan
