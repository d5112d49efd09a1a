"""SV6D values that a number decides, held against the signals of their segment.

Here: one check per attribute, as lenient as the borders between its words are a matter of opinion. Not here: who writes
values, or attributes that only a viewer can tell. All borders are ours; a value that is not among them is left open.
"""

from collections.abc import Callable, Mapping

import numpy as np

from schemas.evidence import Claim
from schemas.label import SV6DValue
from schemas.time import Span
from stages.evidence.claims import CHECKS
from stages.evidence.measurements import Finding, Measurements

Range = tuple[float, float]

BORDER_SLACK = 0.1
"""Ours: how far beyond a border, as a share of it, a figure may lie before its word is contradicted."""
ASPECT_SLACK = 0.03
"""Ours: the same for the shape of the picture, which is known exactly."""
FIGURES: Mapping[str, tuple[str, Mapping[str, Range]]] = {
    "brightness": ("luma_mean", {"dark": (0.0, 0.25), "medium": (0.25, 0.6), "bright": (0.6, 1.0)}),
    "contrast": ("luma_spread", {"low": (0.0, 0.12), "medium": (0.12, 0.24), "high": (0.24, 0.5)}),
    "saturation": ("saturation_mean", {"muted": (0.0, 0.2), "medium": (0.2, 0.5), "vivid": (0.5, 1.0)}),
    "sharpness": ("sharpness", {"soft": (0.0, 150.0), "medium": (150.0, 1500.0), "sharp": (1500.0, float("inf"))}),
}
"""Frame series and range of each word for how the picture looks."""
SHOT_LENGTHS: Mapping[str, Range] = {"short": (0.0, 2.5), "medium": (2.5, 8.0), "long": (8.0, float("inf"))}
"""Seconds of a shot."""
PACES: Mapping[str, Range] = {"fast": (0.0, 2.5), "moderate": (2.5, 6.0), "slow": (6.0, float("inf"))}
"""Mean seconds of the shots of a clip."""
ASPECTS: Mapping[str, Range] = {"portrait": (0.0, 0.92), "square": (0.92, 1.08), "landscape": (1.08, float("inf"))}
"""Display width over height."""
POSITIONS: Mapping[str, Range] = {"top": (0.0, 1 / 3), "middle": (1 / 3, 2 / 3), "bottom": (2 / 3, 1.0)}
"""Height of the middle of a text, 0 top to 1 bottom."""


def value_finding(value: SV6DValue, span: Span, measurements: Measurements) -> Finding | None:
    """What the signals say of a value of the segment `span`; None where no number decides it."""
    check = CHECKED.get((value.dimension, value.attribute))
    return check(value.value, span, measurements) if check else None


def _in_range(
    word: str, ranges: Mapping[str, Range], measured: float, what: str, border_slack: float = BORDER_SLACK
) -> Finding | None:
    if word not in ranges or not np.isfinite(measured):
        return None
    low, high = ranges[word]
    reason = f"{what} is {measured:.3g}, and {word} lies between {low:.3g} and {high:.3g}"
    if low <= measured <= high:
        return Finding("confirmed", reason, measured, threshold=low if measured < (low + high) / 2 else high)
    slack = border_slack * (low if measured < low else high)
    is_near = low - slack <= measured <= high + slack
    return Finding(
        "unchecked" if is_near else "contradicted", reason, measured, threshold=low if measured < low else high
    )


def _figure(attribute: str) -> Callable[[str, Span, Measurements], Finding | None]:
    series, ranges = FIGURES[attribute]

    def check(word: str, span: Span, measurements: Measurements) -> Finding | None:
        if measurements.crossed_by(span):
            return None
        values = np.asarray(getattr(measurements.scan.frames, series)[measurements.frames(span)], np.float64)
        return _in_range(word, ranges, float(values.mean()), f"mean {series}") if values.size else None

    return check


def _palette(word: str, span: Span, measurements: Measurements) -> Finding | None:
    """The colour that covers most; contradicted where another covers clearly more."""
    if measurements.crossed_by(span):
        return None
    shot = max(measurements.description.shots, key=lambda s: s.span.overlap_s(span), default=None)
    if shot is None or not shot.palette or shot.span.overlap_s(span) <= 0:
        return None
    shares: dict[str, float] = {}
    for colour in shot.palette:
        shares[colour.name] = shares.get(colour.name, 0.0) + colour.share
    best = max(shares, key=lambda name: shares[name])
    lead = shares[best] - shares.get(word, 0.0)
    limit = measurements.config.colour_share_tolerance
    reason = f"{best} covers {shares[best]:.2f} of the picture, {word} {shares.get(word, 0.0):.2f}"
    if best == word:
        return Finding("confirmed", reason, shares[best], best, limit)
    return Finding("contradicted" if lead >= limit else "unchecked", reason, lead, best, limit)


def _motion(word: str, span: Span, measurements: Measurements) -> Finding:
    return CHECKS["camera_motion"](Claim(quantity="camera_motion", text=word), span, measurements)


def _transition(word: str, span: Span, measurements: Measurements) -> Finding | None:
    """How the segment ends; one that ends inside a shot or with the clip ends in nothing that can be seen."""
    limit = measurements.config.cut_tolerance_frames
    ends = [t for t in measurements.transitions if measurements.frames_between(t.span.start_pts, span.end_pts) <= limit]
    if word == "none":
        inside = [t for t in ends if t.span.end_pts < measurements.clip_span.end_pts]
        kind = inside[0].kind if inside else "nothing"
        return Finding("contradicted" if inside else "confirmed", f"the segment ends in {kind}", float(len(inside)))
    if not ends:
        nearest = min(
            (measurements.frames_between(t.span.start_pts, span.end_pts) for t in measurements.transitions), default=-1
        )
        return Finding(
            "contradicted",
            f"no transition begins where the segment ends, nearest {nearest} frames off",
            float(nearest),
            None,
            float(limit),
        )
    kinds = {transition.kind for transition in ends}
    if word not in kinds and "gradual" in kinds and word != "cut":
        return None
    reason = f"the segment ends in a {', '.join(sorted(kinds))}"
    return Finding("confirmed" if word in kinds else "contradicted", reason, 0.0, sorted(kinds)[0], float(limit))


def _shot_length(word: str, span: Span, _measurements: Measurements) -> Finding | None:
    return _in_range(word, SHOT_LENGTHS, span.duration_s, "the shot's length in seconds")


def _pace(word: str, span: Span, measurements: Measurements) -> Finding | None:
    if span != measurements.clip_span:
        return None
    mean_s = span.duration_s / max(1, len(measurements.shots))
    return _in_range(word, PACES, mean_s, "the mean length of the shots in seconds")


def _text(word: str, span: Span, measurements: Measurements) -> Finding | None:
    """Whether text is shown; not every frame is read, so that no reading proves little against `present`."""
    if not measurements.description.text_is_measured or word not in ("present", "absent"):
        return None
    finding = CHECKS["no_text"](Claim(quantity="no_text"), span, measurements)
    n_read = finding.measured or 0.0
    if word == "present":
        return Finding("confirmed" if n_read else "unchecked", finding.reason, n_read)
    if n_read == 1:
        # A single reading may be a texture that looks like letters.
        return Finding("unchecked", finding.reason, n_read)
    return finding


def _position(word: str, span: Span, measurements: Measurements) -> Finding | None:
    """Where text stands; contradicted where no text that was read stands near there."""
    read = [text for text in measurements.description.text if span.holds(text.pts)]
    findings = [_in_range(word, POSITIONS, (t.top + t.bottom) / 2, "the height of the text's middle") for t in read]
    known = [finding for finding in findings if finding]
    return min(known, key=lambda f: ("confirmed", "unchecked", "contradicted").index(f.outcome), default=None)


def _aspect(word: str, _span: Span, measurements: Measurements) -> Finding | None:
    ratio = measurements.scan.display_width / measurements.scan.display_height
    return _in_range(word, ASPECTS, ratio, "width over height", ASPECT_SLACK)


CHECKED: Mapping[tuple[str, str], Callable[[str, Span, Measurements], Finding | None]] = {
    **{("aesthetics", attribute): _figure(attribute) for attribute in FIGURES},
    ("aesthetics", "palette"): _palette,
    ("camera", "motion"): _motion,
    ("editing", "transition"): _transition,
    ("editing", "shot_length"): _shot_length,
    ("editing", "pace"): _pace,
    ("dissemination", "on_screen_text"): _text,
    ("dissemination", "text_position"): _position,
    ("dissemination", "aspect"): _aspect,
}
"""How the value of each measured attribute is checked, by dimension and attribute."""
