"""Fades: ramps of brightness down to black, up from black, and both with black between them; the same with white.

Here: our rule, a run of plain frames beside a linear ramp of brightness. Not here: which frames are black
(`stages.scan.scoring`), cuts to and from black (`stages.transitions.cuts`), or dissolves (`stages.transitions.blends`).
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.config import ScanConfig
from schemas.media import TransitionKind
from stages.scan.scoring import BLACK_MAX_SPREADS
from stages.transitions.series import MIN_RAMP_FRAMES, Flags, Floats, Found, Series, runs

Indices = npt.NDArray[np.int64]

RAMP_MAX_ERROR = 0.08
"""Root mean square deviation of a fade's brightness from a ramp, as a share of its height."""
CONTRAST_MAX_CHANGE = 0.3
"""Natural logarithm of how much contrast over brightness may change on the way, in the median: a fade takes both down
together, a picture that merely moves on to something dark does not."""
MIN_HEIGHT = 0.05
"""Least height of a ramp, root mean square luma: below it the shot is as plain as what it fades to."""
PLAIN_MAX_SPREAD = 0.04
"""Standard deviation of luma (0 to 1) above which a dark or bright frame shows too much to be the foot of a fade. Wider
than what a frame may show that is black: many a fade turns before it gets there."""
LEAST = 0.004
"""A level, 0 to 1, below which brightness is rounding."""
BOTTOM_FRAMES = 8
"""Frames of a plain run in which the ramp's foot may lie."""


@dataclass(frozen=True)
class _Plain:
    """Black or white, as the search reads them: `level` is the distance from it, root mean square luma, 0 to 1."""

    is_plain: Flags
    level: Floats
    is_white: bool


def find_fades(series: Series, cuts: list[int], config: ScanConfig) -> list[Found]:
    """Ramps of brightness to and from runs of black or white frames; none reaches across a cut (frame numbers)."""
    is_flat = series.spread < PLAIN_MAX_SPREAD
    is_dark, is_white = is_flat & (series.luma < config.black_luma), is_flat & (series.luma > 1 - config.black_luma)
    black = _Plain(is_dark, np.hypot(series.luma, series.spread), False)
    white = _Plain(is_white, np.hypot(1 - series.luma, series.spread), True)
    found = sorted(_fades_of(series, black, cuts, config) + _fades_of(series, white, cuts, config), key=_start)
    kept: list[Found] = []
    for fade in found:
        if not kept or fade.start >= kept[-1].end:
            kept.append(fade)
    return kept


def _start(found: Found) -> int:
    return found.start


def _fades_of(series: Series, plain: _Plain, cuts: list[int], config: ScanConfig) -> list[Found]:
    longest = max(MIN_RAMP_FRAMES, series.length(config.max_dissolve_s))
    found: list[Found] = []
    n = len(series)
    for start, end in runs(plain.is_plain):
        if end - start > BOTTOM_FRAMES and series.looks[start:end].std(axis=1).min() > 255 * BLACK_MAX_SPREADS[1]:
            # A shot in the dark: longer than a fade turns, and no frame of it shows nothing.
            continue
        floor = max([found[-1].end if found else 0, *(cut for cut in cuts if cut < start), start - longest])
        ceiling = min([n, *(cut for cut in cuts if cut > end), end + longest])
        down = _ramp(series, plain, range(floor, end), start - floor)
        # The same search on reversed time.
        mirrored = _ramp(series, plain, range(ceiling - 1, start - 1, -1), ceiling - end)
        up = (ceiling - mirrored[0], ceiling - mirrored[1]) if mirrored else None
        down = (floor + down[0], floor + down[1]) if down else None
        found += _fades_of_run(plain, start, end, down, up, longest)
    return found


def _fades_of_run(
    plain: _Plain, start: int, end: int, down: tuple[int, int] | None, up: tuple[int, int] | None, longest: int
) -> list[Found]:
    """What a run of plain frames `[start, end)` with these ramps amounts to; a ramp is its first and its end frame."""
    last = len(plain.level)
    is_short = end - start <= longest
    spans: list[tuple[TransitionKind, int, int]] = []
    if down and up and is_short:
        spans = [("fade_out_in", down[0], up[0])]
    else:
        if down:
            # A short run after the ramp belongs to it: what follows then is the cut to the new shot.
            spans.append(("fade_out", down[0], end if is_short else down[1]))
        if up:
            spans.append(("fade_in", start if is_short else up[1], up[0]))
    height = [max(plain.level[max(0, first - 1)], plain.level[min(after, last - 1)]) for _, first, after in spans]
    named = zip(spans, height, strict=True)
    return [
        Found(
            "fade_white" if plain.is_white else kind,
            first,
            after,
            255 * float(level),
            "reelproof.fade",
            kind == "fade_out",
        )
        for (kind, first, after), level in named
    ]


def _ramp(series: Series, plain: _Plain, frames: range, n_before: int) -> tuple[int, int] | None:
    """The linear fall of the level into plain frames, as offsets into `frames`: its first frame and its end.

    Fits a plateau, a straight line and a floor by least squares over every place of the two corners.

    Args:
        series: the slice.
        plain: what it falls to.
        frames: the frames searched, in either direction.
        n_before: how many of them come before the plain ones.
    """
    at = np.asarray(frames)
    floor = float(plain.level[at[n_before:]].min())
    values = plain.level[at] - floor
    bottoms = np.arange(n_before, min(len(at), n_before + min(BOTTOM_FRAMES, n_before)))
    tops, bottoms = (grid.ravel() for grid in np.meshgrid(np.arange(n_before), bottoms, indexing="ij"))
    tops, bottoms = tops[bottoms - tops > MIN_RAMP_FRAMES], bottoms[bottoms - tops > MIN_RAMP_FRAMES]
    if not len(tops):
        return None
    errors, heights = _fit(values, tops, bottoms)
    best = int(np.argmin(np.where(heights > max(MIN_HEIGHT, 2 * floor), errors, math.inf)))
    if errors[best] > RAMP_MAX_ERROR or heights[best] <= max(MIN_HEIGHT, 2 * floor):
        return None
    top, bottom = int(tops[best]), int(bottoms[best])
    return (top + 1, bottom) if _keeps_contrast(series, plain, at[: bottom + 1], top) else None


def _keeps_contrast(series: Series, plain: _Plain, frames: Indices, top: int) -> bool:
    """Whether contrast and brightness fall together in these frames, from offset `top` to the last."""
    distance = 1 - series.luma[frames] if plain.is_white else series.luma[frames]
    contrast = np.log((series.spread[frames] + LEAST) / (distance + LEAST))
    length = len(frames) - 1 - top
    middle = contrast[top + 1 + length // 5 : top + 1 + max(length // 5 + 1, 4 * length // 5)]
    return bool(np.median(np.abs(middle - np.median(contrast[max(0, top - 2) : top + 1]))) < CONTRAST_MAX_CHANGE)


def _fit(values: Floats, tops: Indices, bottoms: Indices) -> tuple[Floats, Floats]:
    """Error, as a share of the height, and height of the best ramp for each pair of corners."""
    at, lengths = np.arange(len(values)), (bottoms - tops)[:, None]
    shape = np.clip((bottoms[:, None] - at) / lengths, 0.0, 1.0)
    inside = (at >= tops[:, None] - lengths) & (at <= bottoms[:, None])
    heights = (values * shape * inside).sum(axis=1) / (shape**2 * inside).sum(axis=1)
    squares = ((values - heights[:, None] * shape) ** 2 * inside).sum(axis=1) / inside.sum(axis=1)
    return np.sqrt(squares) / np.maximum(heights, 1e-6), heights
