"""What stands in the same race: our detectors through the product's scan, PySceneDetect's, and TransNetV2 alone.

Here: running each on a video file. Not here: the videos (`transition_truth`) or comparing (`transition_match`).
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from scenedetect import AdaptiveDetector, ContentDetector, HashDetector, SceneDetector, detect

from schemas.config import ProbeConfig, ScanConfig
from schemas.media import ListedSource, Source
from stages.media.probe import probe_source
from stages.scan.slice_scan import scan_slice
from stages.transitions.series import runs
from stages.transitions.transnet import TransNetScores
from tests.benchmarks.transition_match import CLASSES, Claim

Detector = Callable[[Path], list[Claim]]


def product(path: Path, config: ScanConfig, device: str = "cpu") -> list[Claim]:
    """Transitions of the whole path through the product: probe, slices, scan."""
    listed = ListedSource(source_id=path.stem, uri=str(path), name=path.name, size_bytes=0, version="1")
    source = probe_source(listed, path, ProbeConfig())
    if not isinstance(source, Source):
        raise ValueError(f"{path} is turned away: {source}")
    claims: list[Claim] = []
    offset = 0
    for part in source.slices:
        scan = scan_slice(part, source.video, path, config, threads=1, device=device)
        pts = np.asarray(scan.frames.pts)
        for one in scan.transitions:
            start, end = np.searchsorted(pts, [one.span.start_pts, one.span.end_pts]) + offset
            claims.append(Claim(CLASSES[one.kind], int(start), int(end)))
        offset += len(pts)
    return claims


def pyscenedetect(path: Path, detector: SceneDetector) -> list[Claim]:
    """Cuts by a detector of PySceneDetect with its default settings: the starts of all scenes but the first."""
    scenes = detect(str(path), detector)
    starts = [int(start.frame_num) for start, _ in scenes[1:]]
    return [Claim("cut", start, start) for start in starts]


PYSCENEDETECT: dict[str, Callable[[], SceneDetector]] = {
    "PySceneDetect content": ContentDetector,
    "PySceneDetect adaptive": AdaptiveDetector,
    "PySceneDetect hash": HashDetector,
}
"""Its detectors by the name of the peer."""


def transnet_alone(scores: TransNetScores) -> list[Claim]:
    """TransNetV2 at its authors' threshold: a run of the one output with a peak of the other; up to 3 frames are a cut.

    The network does not name kinds: whatever is longer is called a dissolve.
    """
    found = [run for run in runs(scores.many > 0.5) if scores.single[slice(*run)].max() > 0.5]
    return [Claim("cut", end, end) if end - start <= 3 else Claim("dissolve", start, end) for start, end in found]
