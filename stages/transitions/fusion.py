"""Transitions that TransNetV2 and the cheap signals agree on, and what each finds that the other cannot see.

Here: our rules for joining the two. The network knows dissolves and where they begin and end; it does not see wipes,
says nothing about kinds, and takes lamps and flashes for cuts, which the signals tell apart. Not here: running it
(`stages.transitions.transnet`), or the rules on signals alone (`stages.transitions.detectors`).
"""

from dataclasses import replace

import numpy as np

from schemas.config import ScanConfig
from stages.transitions.cuts import is_cut
from stages.transitions.light import find_blazes
from stages.transitions.series import Found, Series, runs
from stages.transitions.transnet import TransNetScores

UNSEEN = 0.05
"""Probability of the network below which it sees nothing: what the signals find there, wipes apart, is dropped."""
NEAR_FRAMES = 2
"""Frames around a finding of the signals in which the network may see it."""
MAX_CUT_FRAMES = 3
"""Longest run of the network's frames that is a cut."""
DETECTOR = "transnetv2"


def fuse(series: Series, found: list[Found], scores: TransNetScores, config: ScanConfig) -> list[Found]:
    """Transitions in order, without overlap.

    Args:
        series: the slice.
        found: what the signals alone found, in order.
        scores: of the same frames.
        config: the probability from which the network's word counts.
    """
    said = _said(series, scores, config)
    kept = [_placed(one, said) for one in found if _is_seen(one, scores)]
    new = [one for one in said if not any(_touch(one, other) for other in kept)]
    joined: list[Found] = []
    for one in sorted([*kept, *new], key=lambda one: (one.start, one.end)):
        if not joined or one.start >= joined[-1].end + (one.start == one.end == joined[-1].start):
            joined.append(one)
    return joined


def _said(series: Series, scores: TransNetScores, config: ScanConfig) -> list[Found]:
    """The network's own transitions: its runs of frames, short ones as cuts unless the signals know better."""
    blazes = find_blazes(series)
    found: list[Found] = []
    for start, end in runs(scores.many > config.transnet_threshold):
        peak = float(scores.single[start:end].max())
        if peak <= config.transnet_threshold or any(first <= end and start <= last for first, last in blazes):
            continue
        if end - start > MAX_CUT_FRAMES:
            found.append(Found("dissolve", start, min(end, len(series)), peak, DETECTOR))
        elif end < len(series) and is_cut(series, _change_in(series, start, end)):
            # The network marks the last frame of the old shot.
            found.append(Found("cut", end, end, peak, DETECTOR))
    return found


def _change_in(series: Series, start: int, end: int) -> int:
    """The frame from `start` to `end` that differs most from the one before; never the first of all."""
    first = max(start, 1)
    return first + int(np.argmax(series.content[first : end + 1]))


def _is_seen(found: Found, scores: TransNetScores) -> bool:
    """Whether the network sees anything where the signals found something; of wipes it knows nothing."""
    near = scores.many[max(0, found.start - NEAR_FRAMES) : found.end + NEAR_FRAMES]
    return found.kind == "wipe" or bool(near.max() > UNSEEN)


def _placed(found: Found, said: list[Found]) -> Found:
    """The finding; a dissolve, or what was taken for a wipe, as the network has it where it has one there."""
    if found.kind not in ("dissolve", "gradual", "wipe"):
        return found
    long = [
        one for one in said if one.kind == "dissolve" and _overlap(one, found) > (0.5 if found.kind == "wipe" else 0)
    ]
    best = max(long, key=lambda one: _overlap(one, found), default=None)
    return found if best is None else replace(best, score=found.score, detector=f"{DETECTOR}+{found.detector}")


def _overlap(first: Found, second: Found) -> float:
    """Intersection over union."""
    shared = min(first.end, second.end) - max(first.start, second.start)
    return max(0, shared) / max(1, max(first.end, second.end) - min(first.start, second.start))


def _touch(first: Found, second: Found) -> bool:
    """Whether two transitions share a frame, give or take `NEAR_FRAMES`."""
    return min(first.end, second.end) - max(first.start, second.start) >= -NEAR_FRAMES
