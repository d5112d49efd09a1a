"""Hard cuts: PySceneDetect's adaptive rule and a structural one of ours, kept where the picture really changes.

Here: both rules on stored series, and what is no cut although it changes at once: flashes, lamps, captions, jolts, and
motion between held pictures. Not here: gradual transitions (`stages.transitions.fades`, `stages.transitions.blends`,
`stages.transitions.wipes`).
"""

import cv2
import numpy as np

from schemas.config import ScanConfig
from stages.transitions.light import is_flash, is_light_step
from stages.transitions.series import FLAT_DEVIATION, Floats, Found, Series

HELD_S = 0.5
"""Changes within this time, pictures held between them, are compared with each other:"""
HELD_MAX_RATIO = 2.0
"""one that exceeds their median by this factor is a cut,"""
HELD_MAX_CHANGE = 0.5
"""and so is one after which the picture (one minus correlation) is another altogether."""
LIGHTING_CORRELATION = 0.95
"""Above this correlation of thumbnails, and below this histogram distance, only the light changed, not the shot."""
LIGHTING_HISTOGRAM_DISTANCE = 0.2
STRUCTURE_MIN_CHANGE = 0.3
"""One minus correlation of thumbnails: a lone peak this high is a cut even where colour hardly changes,"""
STRUCTURE_MIN_RATIO = 4.0
"""if it is this many times the largest change within `STRUCTURE_WINDOW` frames,"""
STRUCTURE_MIN_CONTENT = 3.0
"""and the content distance (0 to 255) is at least this: below lies noise on a dark or flat picture."""
STRUCTURE_WINDOW = 4
NEARLY_FLAT_DEVIATION = 2 * FLAT_DEVIATION
"""Standard deviation of luma (0 to 255) below which correlation with another picture says nothing:"""
NEARLY_FLAT_MIN_RATIO = 2.0
"""the content distance must then be this many times that of the frames beside, as a fade steps from frame to frame."""
FLAT_MIN_STEP = 24.0
"""Step of luma or chroma (0 to 255) from one flat picture to another that is a cut."""
CAPTION_MAX_SHARE = 0.6
"""Share of the picture that changes at most where a caption or a plate appears."""
CAPTION_STEPS = (3.0, 10.0)
"""Step of luma or chroma (0 to 255) from which a place of the picture counts as changed: half of the mean step, but
within these bounds."""
JOLT_REACH = (3, 5)
"""Rows and columns of the thumbnail by which a jolt of the camera may shift it from one frame to the next."""
JOLT_MIN_CORRELATION = 0.85
"""Correlation of thumbnails, one of them shifted, from which the camera may have moved and nothing was cut:"""
JOLT_MIN_SIMILARITY = 0.85
"""it did where the histograms intersect by this much, for a jolt keeps the colours. Shots that only share their coarse
shape, sky over ground, do not."""
LIT_MIN_CORRELATION = 0.5
"""Correlation from which a picture that is still in its place may be under another light:"""
ONE_WAY = 0.97
"""it is where the mean luma difference, over the mean absolute one, says that all of it became lighter, or darker,"""
LIT_MAX_CHROMA = 20.0
"""and where chroma (0 to 255) changed by no more than this in the mean: light is nearly white."""


def find_cuts(series: Series, config: ScanConfig) -> list[Found]:
    """Hard cuts in order, each at the first frame of the new shot; flashes, lamps, captions and jolts are none."""
    detector = dict.fromkeys(_structural_cuts(series) + _flat_cuts(series), "reelproof.structure")
    detector |= dict.fromkeys(adaptive_cuts(series.content, config), "pyscenedetect.adaptive")
    frames = [frame for frame in sorted(detector) if is_cut(series, frame)]
    # Where a frame mixes both sides of a cut, both of its edges are found; the first shows the new shot.
    firsts = {
        frame - 1 if frame - 1 in detector and not _is_own_shot(series, frame) else frame for frame in frames
    }  # fmt: skip
    return [Found("cut", frame, frame, float(series.content[frame]), detector[frame]) for frame in sorted(firsts)]


def adaptive_cuts(content: Floats, config: ScanConfig) -> list[int]:
    """Frames whose content distance (T,) stands out from the mean of its neighbours: PySceneDetect's AdaptiveDetector.

    The window, the ratio and the least distance are its own, from the configuration; as there, the first and last
    frames, which have no whole window, are no cuts.
    """
    width = config.cut_window_frames
    if len(content) <= 2 * width:
        return []
    windows = np.lib.stride_tricks.sliding_window_view(content, 2 * width + 1)
    middle = windows[:, width]
    around = (windows.sum(axis=1) - middle) / (2 * width)
    is_cut = (middle >= config.cut_adaptive_threshold * np.maximum(around, 1e-5)) & (middle >= config.cut_min_content)
    return (np.flatnonzero(is_cut) + width).tolist()


def _structural_cuts(series: Series) -> list[int]:
    """Frames whose picture stands alone in how little it resembles the one before."""
    padded = np.pad(series.change, STRUCTURE_WINDOW)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * STRUCTURE_WINDOW + 1).copy()
    windows[:, STRUCTURE_WINDOW] = 0
    is_cut = series.change > STRUCTURE_MIN_CHANGE
    is_cut &= series.change > STRUCTURE_MIN_RATIO * windows.max(axis=1)
    is_cut &= series.content > STRUCTURE_MIN_CONTENT
    flatter = np.minimum(series.spread, np.pad(series.spread, (1, 0), mode="edge")[:-1])
    content = np.pad(series.content, 1)
    stands_out = series.content > NEARLY_FLAT_MIN_RATIO * np.maximum(content[:-2], content[2:])
    is_cut &= (255 * flatter >= NEARLY_FLAT_DEVIATION) | stands_out
    return np.flatnonzero(is_cut).tolist()


def _flat_cuts(series: Series) -> list[int]:
    """Frames where one plain colour gives way to another, both of them held."""
    is_flat = series.spread * 255 < FLAT_DEVIATION
    is_flat[1:] &= is_flat[:-1]
    frames = np.flatnonzero(is_flat[1:]) + 1
    steps = {int(frame): _flat_step(series, int(frame)) for frame in frames[np.abs(series.content[frames]) > 0]}
    # A fade to or from a plain colour steps from frame to frame.
    return [
        frame for frame, step in steps.items()
        if step > FLAT_MIN_STEP and max(steps.get(frame - 1, 0), steps.get(frame + 1, 0)) < step / 4
    ]  # fmt: skip


def _flat_step(series: Series, frame: int) -> float:
    """Largest step of mean luma, Cb or Cr from the frame before, 0 to 255."""
    colours = series.chroma[frame - 1 : frame + 1].mean(axis=(1, 2), dtype=np.float64)
    return max(
        255 * abs(float(series.luma[frame] - series.luma[frame - 1])), float(np.abs(colours[1] - colours[0]).max())
    )


def is_cut(series: Series, frame: int) -> bool:
    """Whether the change from the frame before is none of those that leave the shot as it was."""
    is_light = series.change[frame] < 1 - LIGHTING_CORRELATION
    is_light &= bool(series.histogram_distance[frame] < LIGHTING_HISTOGRAM_DISTANCE)
    if series.spread[frame - 1 : frame + 1].max() * 255 < FLAT_DEVIATION:
        return _flat_step(series, frame) > FLAT_MIN_STEP and not is_flash(series, frame)
    return not (
        is_light
        or is_light_step(series, frame)
        or changed_share(series, frame - 1, frame) < CAPTION_MAX_SHARE
        or is_flash(series, frame)
        or _is_found_again(series, frame)
        or _is_held_motion(series, frame)
    )


def changed_share(series: Series, first: int, second: int) -> float:
    """Share of the picture, letterbox bars apart, where luma or chroma differ (see `CAPTION_STEPS`), 0 to 1."""
    thumbnails = series.thumbnails[[first, second]].astype(np.float32)
    luma = thumbnails.reshape(2, 9, 2, 16, 2).mean(axis=(2, 4))
    step = np.abs(luma[1] - luma[0])
    step = np.maximum(step, np.abs(np.subtract(*series.chroma[[first, second]].astype(np.float32))).max(axis=2))
    shown = step[series.is_shown]
    return float((shown > np.clip(shown.mean() / 2, *CAPTION_STEPS)).mean())


def _is_found_again(series: Series, frame: int) -> bool:
    """Whether the middle of the picture before is in that at `frame` too: shifted by a jolt, or under another light."""
    bounds = np.flatnonzero(series.is_shown.any(axis=1)), np.flatnonzero(series.is_shown.any(axis=0))
    window = tuple(slice(2 * int(bound[0]), 2 * int(bound[-1]) + 2) for bound in bounds)
    before, after = series.thumbnails[frame - 1 : frame + 1, *window]
    rows, columns = JOLT_REACH
    if before.shape[0] < 4 * rows or before.shape[1] < 4 * columns:
        return False
    middle = before[rows:-rows, columns:-columns]
    if min(middle.std(), after.std()) < FLAT_DEVIATION:
        return False
    matches = cv2.matchTemplate(after, middle, cv2.TM_CCOEFF_NORMED)
    top, left = (int(place) for place in np.unravel_index(matches.argmax(), matches.shape))
    step = after[top : top + middle.shape[0], left : left + middle.shape[1]].astype(np.float32) - middle
    is_one_way = abs(float(step.mean())) > ONE_WAY * float(np.abs(step).mean())
    is_in_place = max(abs(top - rows), abs(left - columns)) <= 1
    shared = float(np.minimum(series.histograms[frame - 1], series.histograms[frame]).sum(dtype=np.float64))
    is_jolt = matches[top, left] > JOLT_MIN_CORRELATION and shared > JOLT_MIN_SIMILARITY
    chroma = np.abs(np.subtract(*series.chroma[[frame - 1, frame]].astype(np.float32))).max(axis=2)
    is_lit = matches[top, left] > LIT_MIN_CORRELATION and chroma[series.is_shown].mean() < LIT_MAX_CHROMA
    return bool(is_jolt or (is_lit and is_in_place and is_one_way))


def _is_held_motion(series: Series, frame: int) -> bool:
    """Whether the change is one of several alike between held pictures, as where a low frame rate was filled up."""
    reach = series.length(HELD_S)
    near = np.arange(max(1, frame - reach), min(len(series), frame + reach + 1))
    steps = series.content[near[(near != frame) & ~series.is_frozen[near]]]
    if not series.is_frozen[max(0, frame - 1)] or len(steps) < 2:
        return False
    return bool(series.change[frame] < HELD_MAX_CHANGE and series.content[frame] < HELD_MAX_RATIO * np.median(steps))


def _is_own_shot(series: Series, frame: int) -> bool:
    """Whether the single frame before the cut at `frame` is a picture of its own, not a mix of its neighbours."""
    if frame < 2:
        return False
    before, middle, after = series.looks[frame - 2 : frame + 1].astype(np.float32)
    step = after - before
    weight = float(np.clip((middle - before) @ step / max(float(step @ step), 1e-6), 0, 1))
    rest = middle - before - weight * step
    return float(rest @ rest) > 0.25 * float(step @ step)
