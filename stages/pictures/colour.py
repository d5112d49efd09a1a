"""Colours as people name them: Berlin and Kay's eleven basic terms, and how much of a picture each covers.

Here: naming pixels and summing them up over frame samples. Not here: which samples are looked at (`stages.describe`).
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from schemas.media import FrameSample
from schemas.signals import PaletteColour
from stages.pictures.samples import decode_sample

BASIC_TERMS = ("black", "white", "grey", "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown")
"""The eleven basic colour terms of English (Berlin and Kay 1969, "Basic Color Terms")."""

MIN_SHARE = 0.03
"""Share of pixels below which a colour is not part of the palette."""

_HUE_EDGES = (48.0, 76.0, 106.0, 190.0, 309.0, 345.0)
_HUE_TERMS = ("red", "orange", "yellow", "green", "blue", "purple", "red")
"""Terms between the edges of the CIELAB hue angle, in degrees; red lies on both sides of 0."""


def palette(samples: Sequence[FrameSample], name: str) -> tuple[PaletteColour, ...]:
    """The basic colours that cover the samples, largest share first; empty where there is no sample.

    Shares are of all pixels; terms below `MIN_SHARE` are left out. The RGB value is the mean of the term's pixels.
    `name` is the file's, for errors. Raises MediaError where a sample is no JPEG.
    """
    if not samples:
        return ()
    # The JPEG decoder averages 4x4 pixels for nothing; noise and dithering go, areas of colour stay.
    pictures = [decode_sample(sample, name, cv2.IMREAD_REDUCED_COLOR_4) for sample in samples]
    pixels = np.concatenate([picture.reshape(-1, 3) for picture in pictures])
    terms = basic_terms(pixels)
    counts = np.bincount(terms, minlength=len(BASIC_TERMS))
    order = sorted(range(len(BASIC_TERMS)), key=lambda term: (-counts[term], term))
    return tuple(
        _colour(BASIC_TERMS[term], pixels[terms == term], len(pixels))
        for term in order
        if counts[term] >= MIN_SHARE * len(pixels)
    )


def basic_terms(pixels: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Positions in `BASIC_TERMS` of sRGB pixels, shape (n, 3), values 0 to 255; returns shape (n,).

    The boundaries are ours, in CIELAB (D65): lightness L 0 to 100, chroma, and hue angle in degrees.
    """
    lab = cv2.cvtColor(pixels[None].astype(np.float32) / 255, cv2.COLOR_RGB2Lab)[0]
    lightness, chroma = lab[:, 0], np.hypot(lab[:, 1], lab[:, 2])
    hue = np.degrees(np.arctan2(lab[:, 2], lab[:, 1])) % 360
    by_hue = np.array([BASIC_TERMS.index(term) for term in _HUE_TERMS])
    terms = np.asarray(by_hue[np.searchsorted(_HUE_EDGES, hue, side="right")], np.intp)

    def rename(where: NDArray[np.bool_], term: str) -> None:
        terms[where] = BASIC_TERMS.index(term)

    is_reddish = (hue >= 309) | (hue < 48)
    # Dark or dull orange and ochre are what people call brown, and so is a dull, but not a pure, dark red.
    is_dull_orange = (hue >= 48) & (hue < 92) & ((lightness < 52) | (chroma < 42)) & (lightness < 78)
    is_dull_red = (hue >= 25) & (hue < 48) & (chroma < 40) & (lightness < 60)
    rename(is_dull_orange | is_dull_red, "brown")
    # Dark yellow beyond ochre is olive, a green.
    rename((hue >= 92) & (hue < 106) & (lightness < 62), "green")
    # Light red and light purple are pink; so is a light, weak orange (salmon).
    rename(is_reddish & (lightness >= 60), "pink")
    rename(((hue >= 330) | (hue < 15)) & (lightness >= 50), "pink")
    rename((hue < 48) & (hue >= 36) & (lightness >= 60) & (chroma >= 60), "orange")
    # Colour shows less in the dark and in the light, so that more chroma is needed there.
    is_grey = chroma < np.select([lightness > 90, lightness > 80, lightness < 25], [18, 11, 10], 8)
    rename(is_grey, "grey")
    rename(is_grey & (lightness >= 85), "white")
    rename((is_grey & (lightness < 19)) | (lightness < 9), "black")
    return terms


def _colour(term: str, pixels: NDArray[np.uint8], n_pixels: int) -> PaletteColour:
    red, green, blue = (round(float(mean)) for mean in pixels.mean(axis=0))
    return PaletteColour(name=term, red=red, green=green, blue=blue, share=len(pixels) / n_pixels)
