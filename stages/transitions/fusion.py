"""Transitions that TransNetV2 and the cheap signals agree on, and what each finds that the other cannot see.

Here: our rules for joining the two. The network knows cuts and dissolves; it does not see wipes, says nothing about
kinds, and takes lamps and flashes for cuts, which the signals tell apart. Of a slow transition each of the two sees the
middle, and not the same end of it. Not here: running the network (`stages.transitions.transnet`), or the rules on
signals alone (`stages.transitions.detectors`).
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from schemas.config import ScanConfig
from schemas.media import TransitionKind
from stages.transitions.blends import is_faint_blend
from stages.transitions.cuts import is_cut
from stages.transitions.light import find_blazes, is_flash
from stages.transitions.series import Found, Series, runs
from stages.transitions.transnet import TransNetScores

UNSEEN = 0.05
"""Probability of the network below which it sees nothing: what the signals find there, wipes apart, is dropped."""
NEAR_FRAMES = 2
"""Frames around a finding of the signals in which the network may see it."""
MAX_CUT_FRAMES = 3
"""Longest run of the network's frames that is a cut."""
ANOTHER_CHANGE = 0.5
ANOTHER_HISTOGRAM_DISTANCE = 0.3
"""One minus correlation of thumbnails, and distance of histograms, beyond which the picture is another one: under a new
light it keeps its structure, after a jolt its colours, behind a caption most of both."""
SLOPE_SHARE = 0.5
"""Share of the threshold down to which the frames around a peak of the network belong to its transition."""
SLOPE_GAP_FRAMES = 5
"""Frames below it that do not yet divide one transition in two."""
WIPE_MIN_OVERLAP = 0.5
"""Intersection over union from which what the signals take for a wipe is the network's transition."""
MAX_TIMES_AS_LONG = 1.5
"""A dissolve that the signals have for more than this many times as long as the network is as the network has it: where
the shots themselves move fast, blends fit that are none."""
DETECTOR = "transnetv2"


def fuse(series: Series, found: list[Found], scores: TransNetScores, config: ScanConfig) -> list[Found]:
    """Transitions in order, without overlap.

    Args:
        series: the slice.
        found: what the signals alone found, in order.
        scores: of the same frames.
        config: the probability from which the network's word counts.
    """
    blazes = find_blazes(series)
    slopes = [one for one in _slopes(scores, config) if not _is_lit(one, blazes)]
    kept = [_widened(one, slopes) for one in found if _is_seen(one, scores)]
    kept += _apart(_cuts(series, scores, blazes, config), kept)
    kept += _apart((one for one in slopes if is_faint_blend(series, one.start, one.end)), kept)
    return _in_order(kept)


def _in_order(found: list[Found]) -> list[Found]:
    """Without overlap: what lies inside an earlier one is dropped, what reaches beyond it begins at its end."""
    joined: list[Found] = []
    for one in sorted(found, key=lambda one: (one.start, one.end)):
        last = joined[-1] if joined else None
        if last is None or (one.start >= last.end and (one.start, one.end) != (last.start, last.end)):
            joined.append(one)
        elif one.end > last.end + MAX_CUT_FRAMES:
            joined.append(replace(one, start=last.end))
    return joined


def _cuts(series: Series, scores: TransNetScores, blazes: list[tuple[int, int]], config: ScanConfig) -> list[Found]:
    """The network's cuts, as far as the signals have nothing against them."""
    found: list[Found] = []
    for start, end in runs(scores.many > config.transnet_threshold):
        peak = float(scores.single[start:end].max())
        if peak <= config.transnet_threshold or end - start > MAX_CUT_FRAMES or end >= len(series):
            continue
        # The network marks the last frame of the old shot.
        cut, frame = Found("cut", end, end, peak, DETECTOR), _change_in(series, start, end)
        if _is_another(series, frame) or (is_cut(series, frame) and not _is_lit(cut, blazes)):
            found.append(cut)
    return found


def _slopes(scores: TransNetScores, config: ScanConfig) -> list[Found]:
    """The network's slow transitions, each with the frames around its peak in which the network sees less of it."""
    spans: list[tuple[int, int]] = []
    for start, end in runs(scores.many > SLOPE_SHARE * config.transnet_threshold):
        if spans and start - spans[-1][1] <= SLOPE_GAP_FRAMES:
            start = spans.pop()[0]
        spans.append((start, end))
    return [
        Found("dissolve", start, end, float(scores.single[start:end].max()), DETECTOR)
        for start, end in spans
        if end - start > MAX_CUT_FRAMES and scores.many[start:end].max() > config.transnet_threshold
    ]


def _is_lit(found: Found, blazes: list[tuple[int, int]]) -> bool:
    """Whether an explosion or a flash brightens the picture around it."""
    return any(first <= found.end and found.start <= last for first, last in blazes)


def _is_another(series: Series, frame: int) -> bool:
    """Whether a frame shows another picture than the one before, in structure and in colours, and not for a moment."""
    is_another = series.change[frame] > ANOTHER_CHANGE
    is_another &= bool(series.histogram_distance[frame] > ANOTHER_HISTOGRAM_DISTANCE)
    return bool(is_another) and not is_flash(series, frame)


def _change_in(series: Series, start: int, end: int) -> int:
    """The frame from `start` to `end` that differs most from the one before; never the first of all."""
    first = max(start, 1)
    return first + int(np.argmax(series.content[first : end + 1]))


def _is_seen(found: Found, scores: TransNetScores) -> bool:
    """Whether the network sees anything where the signals found something; of wipes it knows nothing."""
    near = scores.many[max(0, found.start - NEAR_FRAMES) : found.end + NEAR_FRAMES]
    return found.kind == "wipe" or bool(near.max() > UNSEEN)


def _widened(found: Found, slopes: list[Found]) -> Found:
    """The finding, with what the network sees of the same transition; a wipe that it sees so is a dissolve."""
    least = WIPE_MIN_OVERLAP if found.kind == "wipe" else 0
    same = [one for one in slopes if found.kind != "cut" and _overlap(one, found) > least]
    if not same:
        return found
    start, end = min(one.start for one in same), max(one.end for one in same)
    if found.kind not in ("dissolve", "gradual") or found.end - found.start <= MAX_TIMES_AS_LONG * (end - start):
        start, end = min(start, found.start), max(end, found.end)
    kind: TransitionKind = "dissolve" if found.kind in ("gradual", "wipe") else found.kind
    if (kind == "fade_in" and start < found.start - MAX_CUT_FRAMES) or (
        kind == "fade_out" and end > found.end + MAX_CUT_FRAMES
    ):
        kind = "fade_out_in"
    return replace(found, kind=kind, start=start, end=end, detector=f"{DETECTOR}+{found.detector}")


def _overlap(first: Found, second: Found) -> float:
    """Intersection over union."""
    shared = min(first.end, second.end) - max(first.start, second.start)
    return max(0, shared) / max(1, max(first.end, second.end) - min(first.start, second.start))


def _apart(new: Iterable[Found], known: list[Found]) -> list[Found]:
    """Those that share no frame with a known one, give or take `NEAR_FRAMES`."""
    return [
        one for one in new
        if all(min(one.end, other.end) - max(one.start, other.start) < -NEAR_FRAMES for other in known)
    ]  # fmt: skip
