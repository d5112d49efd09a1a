"""The sample reel: its written truth, and its light and colours looked at without the project's own scan.

Here: `reel_truth` for any stretch of the reel, and `describe_reel`. Not here: what is expected of labels.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

import jobs.samples
from schemas.config import DescribeConfig, ProbeConfig, ScanConfig, SplitConfig
from schemas.media import ListedSource, Source
from schemas.signals import ClipDescription, SliceScan
from schemas.time import Span
from stages.clips.split import split_slice
from stages.describe import describe_clip
from stages.media.probe import probe_source
from stages.pictures.colour import BASIC_TERMS, basic_terms
from stages.pictures.text import make_reader, resolve_text_setting
from stages.scan.slice_scan import scan_slice
from tests.annotators.truth import Stretch, TrueShot, Truth

REEL = Path(jobs.samples.__file__).with_name("reel.mp4")


@cache
def written() -> Any:
    """The file that the reel's generator wrote from its own parameters."""
    return json.loads(REEL.with_suffix(".truth.json").read_text())


@cache
def describe_reel(
    stitch_min_similarity: float, max_clip_s: float
) -> tuple[list[ClipDescription], SliceScan, DescribeConfig]:
    """Every clip of the reel through the real stages, the scan without its frame samples, and the settings used."""
    source, scan, config = _scan()
    settings = SplitConfig(stitch_min_similarity=stitch_min_similarity, max_clip_s=max_clip_s)
    split = split_slice(source.slices[0], scan, settings)
    reader = make_reader(config)
    clips = [describe_clip(clip, scan, config, reader) for clip in split.clips]
    return clips, scan.replace(frame_samples=()), config


@cache
def _scan() -> tuple[Source, SliceScan, DescribeConfig]:
    listed = ListedSource(
        source_id="reel-0", uri=str(REEL), name=REEL.name, size_bytes=REEL.stat().st_size, version="1"
    )
    source = probe_source(listed, REEL, ProbeConfig())
    assert isinstance(source, Source)
    return (
        source,
        scan_slice(source.slices[0], source.video, REEL, ScanConfig()),
        resolve_text_setting(DescribeConfig()),
    )


@cache
def pictures() -> tuple[NDArray[np.uint8], ...]:
    """Every frame of the reel, small."""
    with av.open(str(REEL)) as container:
        frames = container.decode(video=0)
        return tuple(np.asarray(frame.to_ndarray(format="rgb24", width=96, height=54), np.uint8) for frame in frames)


def reel_truth(span: Span) -> Truth:
    """What is true of one stretch of the reel, in seconds from its start."""
    return _truth(round(span.start_s * written()["fps"]), round(span.end_s * written()["fps"]))


@cache
def _truth(start: int, end: int) -> Truth:
    truth = written()
    return Truth(
        shots=tuple(_shot(shot, start, end) for shot in truth["shots"] if _meets(shot, start, end)),
        transitions=tuple(
            _stretch(t["kind"], t, start) for t in truth["transitions"] if start < t["start_frame"] < end - 1
        ),
        texts=tuple(_stretch(t["text"], t, start) for t in truth["texts"] if _meets(t, start, end)),
        freezes=tuple(_stretch("freeze", f, start) for f in truth["freezes"] if _meets(f, start, end)),
    )


def _meets(entry: Any, start: int, end: int) -> bool:
    """Whether an entry shares more than two frames with the stretch; a dissolve's first frame hardly shows."""
    return bool(min(entry["end_frame"], end) - max(entry["start_frame"], start) > 2)


def _stretch(what: str, entry: Any, start: int) -> Stretch:
    fps = written()["fps"]
    return Stretch(what, (entry["start_frame"] - start) / fps, (entry["end_frame"] - start) / fps)


def _shot(entry: Any, start: int, end: int) -> TrueShot:
    fps, first, last = written()["fps"], max(entry["start_frame"], start), min(entry["end_frame"], end)
    seen = np.stack(pictures()[first:last])
    luma = float((seen @ np.array([0.299, 0.587, 0.114])).mean()) / 255
    terms = np.bincount(basic_terms(seen[:: max(1, len(seen) // 8)].reshape(-1, 3)), minlength=len(BASIC_TERMS))
    colours = {name: float(share) for name, share in zip(BASIC_TERMS, terms / terms.sum(), strict=True)}
    camera = tuple(_stretch(m["term"], m, start) for m in entry["camera"])
    return TrueShot((first - start) / fps, (last - start) / fps, luma, colours, camera)
