"""Fades: ramps of brightness down to black, up from black, and both with black between them.

Here: our rule, a run of black frames beside a linear ramp of brightness. Not here: which frames are black
(`stages.similarity`), cuts to and from black (`stages.transitions`), or dissolves (`stages.blends`).
"""

import math

import numpy as np
import numpy.typing as npt

from schemas.config import ScanConfig
from schemas.media import TransitionKind
from stages.series import MIN_RAMP_FRAMES, Floats, Found, Series

RAMP_MAX_ERROR = 0.08
"""Root mean square deviation of a fade's brightness from a ramp, as a share of its height."""


def find_fades(series: Series, cuts: list[int], config: ScanConfig) -> list[Found]:
    """Ramps of brightness down to and up from runs of black frames; none reaches across a cut (frame numbers)."""
    longest = max(MIN_RAMP_FRAMES, series.length(config.max_dissolve_s))
    found: list[Found] = []
    for start, end in _runs(series.is_black):
        down = _ramp(series.level, start, end, max([0, *(cut for cut in cuts if cut < start), start - longest]))
        limit = min([len(series.level), *(cut for cut in cuts if cut > end), end + longest])
        # The same search on reversed time.
        mirrored = _ramp(series.level[::-1], *(len(series.level) - at for at in (end, start, limit)))
        up = (len(series.level) - mirrored[0], len(series.level) - mirrored[1]) if mirrored else None
        floor = max(found[-1].end if found else 0, 0)
        found += [fade for fade in _fades_of_run(series, start, end, down, up, longest) if fade.start >= floor]
    return found


def _fades_of_run(
    series: Series, start: int, end: int, down: tuple[int, int] | None, up: tuple[int, int] | None, longest: int
) -> list[Found]:
    """What a run of black frames `[start, end)` with these ramps amounts to; a ramp is its first and its end frame."""
    last = len(series.level)
    is_short = end - start <= longest
    spans: list[tuple[TransitionKind, int, int]] = []
    if down and up and is_short:
        spans = [("fade_out_in", down[0], up[0])]
    else:
        if down:
            # A short black after the ramp belongs to it: what follows then is the cut to the new shot.
            spans.append(("fade_out", down[0], end if is_short else down[1]))
        if up:
            spans.append(("fade_in", start if is_short else up[1], up[0]))
    level = [max(series.level[max(0, first - 1)], series.level[min(after, last - 1)]) for _, first, after in spans]
    named = zip(spans, level, strict=True)
    return [Found(*span, score=255 * float(height), detector="reelproof.fade") for span, height in named]


def _ramp(level: Floats, start: int, end: int, limit: int) -> tuple[int, int] | None:
    """The linear fall of `level` into the dark run `[start, end)`, not before `limit`: its first frame and its end.

    Fits a plateau, a straight line and darkness by least squares over every place of the two corners.
    """
    dark = float(level[start:end].min())
    values = level[limit:end] - dark
    at = np.arange(len(values))
    best = (math.inf, 0, 0, 0.0)
    for bottom in range(start - limit, min(end, start + (start - limit)) - limit):
        for top in range(bottom - MIN_RAMP_FRAMES):
            shape = np.clip((bottom - at) / (bottom - top), 0.0, 1.0)
            height = float(values @ shape) / float(shape @ shape)
            inside = slice(max(0, top - (bottom - top)), bottom + 1)
            error = float(np.mean((values[inside] - height * shape[inside]) ** 2))
            if height > 0 and error / height**2 < best[0]:
                best = (error / height**2, top, bottom, height)
    error, top, bottom, height = best
    if math.sqrt(error) > RAMP_MAX_ERROR or height < 2 * dark:
        return None
    return limit + top + 1, limit + bottom


def _runs(flags: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """`[start, end)` of each run of true flags."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]
