"""Changes of light: a lamp that is switched, a flash, an explosion, lightning. The shot goes on through all of them.

Here: our rules, which of two pictures are one scene under another light, and stretches that are brightened for a
moment. Not here: fades (`stages.transitions.fades`), or cuts, which these rules spare (`stages.transitions.cuts`).
"""

import numpy as np

from stages.transitions.series import Looks, Series, correlations

FLASH_S = 0.1
"""A change that is undone within this time is a flash or a damaged frame, not a cut."""
FLASH_RETURN = 0.4
"""A change is undone where the pictures around it differ by less than this share of the change itself."""
BLAZE_S = 1.25
"""Longest time for which an explosion may brighten the picture."""
BLAZE_TAIL_S = 0.3
"""Time after it in which the last of the light may still die away."""
BLAZE_MIN_RISE = 0.03
"""Mean luma (0 to 1) by which it rises within `BLAZE_RISE_FRAMES`."""
BLAZE_RISE_FRAMES = 3
BLAZE_MAX_DARKER = 0.12
"""What it may darken, as a share of the whole change: light only adds."""
BLAZE_TOLERANCE = 4
"""Levels (0 to 255) by which a pixel may fall without being called darker."""
BLAZE_ALIKE = ((0.75, 0.0), (0.5, 0.75))
"""Least correlation of the thumbnails before and after it, and least intersection of their histograms: either pair."""
LIGHT_BINS = 12
"""Classes of brightness in which a scene under two lights is compared."""
LIGHT_MIN_RATIO = 0.8
"""Correlation ratio of two thumbnails from which they show one scene under two lights."""


def correlation_ratio(first: Looks, second: Looks) -> float:
    """How far the brightness of the darker of two (D,) thumbnails tells that of the brighter one, 0 to 1.

    The correlation ratio, as image registration uses it (Roche et al. 1998): the share of variance that classes of the
    other picture explain. Unlike correlation it is unmoved by gamma and clipping. 0 where the brighter one is flat.
    """
    dark, bright = (first, second) if first.mean() < second.mean() else (second, first)
    total = float(bright.var())
    if total < 4.0:
        return 0.0
    classes = np.array_split(bright[np.argsort(dark, kind="stable")], LIGHT_BINS)
    within = sum(float(part.var()) * len(part) for part in classes) / len(bright)
    return 1.0 - within / total


def is_light_step(series: Series, frame: int) -> bool:
    """Whether only the light changed from the frame before."""
    before, after = series.looks[frame - 1 : frame + 1].astype(np.float32)
    return correlation_ratio(before, after) > LIGHT_MIN_RATIO


def is_flash(series: Series, frame: int) -> bool:
    """Whether the picture before `frame` comes back within `FLASH_S` of a change at or shortly before `frame`."""
    reach = max(1, series.length(FLASH_S))
    change = series.difference(frame - 1, frame)
    pairs = ((last, last + gap) for gap in range(2, reach + 2) for last in range(frame - gap, frame))
    return any(
        series.difference(last, back) < FLASH_RETURN * change
        for last, back in pairs
        if last >= 0 and back < len(series)
    )


def find_blazes(series: Series) -> list[tuple[int, int]]:
    """`[start, end)` of stretches of at most `BLAZE_S` that are brighter all over, between pictures that are alike."""
    padded = np.concatenate([series.luma, np.full(BLAZE_RISE_FRAMES, series.luma[-1])])
    ahead = np.lib.stride_tricks.sliding_window_view(padded, BLAZE_RISE_FRAMES + 1).max(axis=1)
    found: list[tuple[int, int]] = []
    for last in np.flatnonzero(ahead - series.luma > BLAZE_MIN_RISE).tolist():
        if (not found or last >= found[-1][1]) and (end := _blaze_end(series, last)) is not None:
            found.append((last + 1, end))
    return found


def _blaze_end(series: Series, last: int) -> int | None:
    """Where the picture `last` is back after it was brightened; None where it is not."""
    before = series.looks[last].astype(np.int16)
    step = series.looks[last + 1 : last + 2 + series.length(BLAZE_S)] - before
    distance = np.abs(step).mean(axis=1)
    darker = np.maximum(-step - BLAZE_TOLERANCE, 0).mean(axis=1)
    peak = np.maximum.accumulate(distance)
    is_light = np.logical_and.accumulate(darker < BLAZE_MAX_DARKER * peak + 1)
    is_back = is_light & (distance < FLASH_RETURN * peak)
    is_back[is_back] = [_is_alike(series, last, last + 1 + int(after)) for after in np.flatnonzero(is_back)]
    if not is_back.any():
        return None
    # The light dies away slowly: the stretch ends where it is as good as gone.
    gone = is_back & (distance <= 1.3 * distance[is_back].min() + 1)
    return min(last + 1 + int(np.argmax(gone)) + series.length(BLAZE_TAIL_S), len(series))


def _is_alike(series: Series, before: int, after: int) -> bool:
    """Whether two pictures have one structure, or nearly one structure and the same colours."""
    correlation = float(correlations(*series.looks[[[before], [after]]].astype(np.float32))[0])
    shared = float(np.minimum(series.histograms[before], series.histograms[after]).sum(dtype=np.float64))
    return any(correlation > least and shared > colours for least, colours in BLAZE_ALIKE)
