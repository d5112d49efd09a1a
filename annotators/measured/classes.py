"""Where one measured word ends and the next begins, and how far from that border nothing is said.

Here: the borders and margins of every SV6D value that a number decides; all of them are ours. Not here: the numbers.
"""

from dataclasses import dataclass

from schemas.signals import ClipDescription, PaletteColour


@dataclass(frozen=True)
class Borders:
    """Three words for low, middle and high figures. Within `margin` of a border there is no word."""

    low: str
    middle: str
    high: str
    lower: float
    upper: float
    margin: float
    """Share of the border, so that 0.1 leaves out 10 % below and above it."""

    def word(self, value: float) -> str | None:
        """The word for `value`; None near a border, where a small error of measurement would change it."""
        if any(abs(value - border) <= self.margin * border for border in (self.lower, self.upper)):
            return None
        if value < self.lower:
            return self.low
        return self.middle if value < self.upper else self.high


BRIGHTNESS = Borders("dark", "medium", "bright", lower=0.25, upper=0.6, margin=0.1)
"""Of mean luma, 0 to 1."""
CONTRAST = Borders("low", "medium", "high", lower=0.12, upper=0.24, margin=0.1)
"""Of luma spread, 0 to 0.5."""
SATURATION = Borders("muted", "medium", "vivid", lower=0.2, upper=0.5, margin=0.1)
"""Of mean HSV saturation, 0 to 1."""
SHARPNESS = Borders("soft", "medium", "sharp", lower=150.0, upper=1500.0, margin=0.2)
"""Of the variance of the Laplacian of the luma proxy."""
STABILITY = Borders("steady", "slightly_shaky", "shaky", lower=0.03, upper=0.08, margin=0.2)
"""Of shake, picture widths per second."""
SHOT_LENGTH = Borders("short", "medium", "long", lower=2.5, upper=8.0, margin=0.1)
"""Of a shot's seconds."""
PACE = Borders("fast", "moderate", "slow", lower=2.5, upper=6.0, margin=0.1)
"""Of the mean length of a clip's shots, seconds."""
TEXT_POSITION = Borders("top", "middle", "bottom", lower=1 / 3, upper=2 / 3, margin=0.12)
"""Of the middle of a text, 0 top to 1 bottom."""
ASPECT = Borders("portrait", "square", "landscape", lower=0.92, upper=1.08, margin=0.04)
"""Of display width over height."""

MIN_UNCUT_S = 10.0
"""A clip of one shot is said to have a pace, a slow one, from this length on."""
MIN_MAIN_SHARE = 0.35
"""A colour is the main one where it covers at least this share of the picture …"""
MIN_MAIN_LEAD = 0.1
"""… and at least this much more than the next."""
MIN_SEGMENT_SHARE = 0.8
"""A camera segment speaks for its shot where it covers at least this share of it."""


def main_colour(palette: tuple[PaletteColour, ...]) -> tuple[str, float] | None:
    """Name and share of the colour that clearly covers most of the picture; None where none does."""
    ranked = sorted(colour_shares(palette).items(), key=lambda item: (-item[1], item[0]))
    if not ranked or ranked[0][1] < MIN_MAIN_SHARE:
        return None
    second = ranked[1][1] if len(ranked) > 1 else 0.0
    return ranked[0] if ranked[0][1] - second >= MIN_MAIN_LEAD else None


def colour_shares(palette: tuple[PaletteColour, ...]) -> dict[str, float]:
    """Share of each named colour; entries of one name are added."""
    shares: dict[str, float] = {}
    for colour in palette:
        shares[colour.name] = shares.get(colour.name, 0.0) + colour.share
    return shares


def largest_share(palette: tuple[PaletteColour, ...], name: str) -> float:
    """The most that a colour can cover: its share, or what the palette leaves unnamed, which no listed one exceeds."""
    shares = colour_shares(palette)
    if name in shares:
        return shares[name]
    if not shares:
        return 1.0
    return min(max(0.0, 1.0 - sum(shares.values())), min(colour.share for colour in palette))


def shape(description: ClipDescription) -> str | None:
    """`landscape`, `square` or `portrait`; None where the shape is between."""
    return ASPECT.word(description.display_width / description.display_height)
