"""Answers about camera, light, text and stillness, held against the signals.

Here: one reader per task. Not here: the table (`stages.spoken.answers`), answers about editing and order. Each reader
measures for itself what the answer says; a form that it does not know gives None.
"""

import re

import numpy as np

from schemas.signals import TextDetection
from schemas.time import Span
from stages.camera.terms import CameraMeans, camera_term, mean_camera
from stages.evidence.claims import text_similarity
from stages.evidence.measurements import Finding, Measurements
from stages.spoken.answer_words import SAID_S, Asked, found, ordinals, quotation, term_named, times

MOMENT_S = 0.3
"""Ours: how much about a moment the camera's motion is measured, where no single segment decides."""
READ_NEAR_S = 0.1
"""Ours: how far from a moment a reading of text still speaks for it, besides rounding."""
_PERCENT = re.compile(r"(\d{1,3}) %")
_EQUAL = "equally"


def camera_motion(asked: Asked) -> Finding | None:
    """What the camera does during a stretch."""
    when, term = times(asked.question), term_named(asked.answer)
    if len(when) != 2 or term is None:
        return None
    # The stretch is said in tenths: its very ends may lie in another shot.
    inset = min(asked.slack_s, (when[1] - when[0]) / 4)
    return _does(term, asked.measurements.between(when[0] + inset, when[1] - inset), asked.measurements)


def motion_time(asked: Asked) -> Finding | None:
    """When the camera does something."""
    term, when = term_named(asked.question), times(asked.answer)
    if term is None or len(when) != 1:
        return None
    measurements = asked.measurements
    shot = next((shot for shot in measurements.shots if asked.shows(shot, when[0])), None)
    if shot is None:
        return found(False, f"no shot shows at {when[0]:.1f} s", when[0])
    there = [s.term for shot in measurements.camera for s in shot if asked.shows(s.span, when[0])]
    reason = f"{', '.join(there) or 'nothing'} is measured of the camera at {when[0]:.1f} s"
    if term in there:
        return found(True, reason, when[0])
    about = measurements.between(when[0] - MOMENT_S, when[0] + MOMENT_S).clamp(shot)
    return _does(term, about, measurements) if about else Finding("unchecked", reason)


def _does(term: str, span: Span, measurements: Measurements) -> Finding:
    """Whether the camera's mean motion over a span is the term's; near the borders of terms nothing is decided."""
    means = mean_camera(measurements.scan.motion, span)
    if means is None:
        return Finding("unchecked", "no motion was measured there")
    measured = camera_term(means, measurements.describe)
    strength = _strength(term, means, measurements)
    reason = f"the camera's mean motion is {measured}; {term} has {strength:.2f} times its threshold"
    if measured == term:
        return found(True, reason, strength, 1.0)
    is_trusted = means.inlier_ratio >= measurements.describe.min_inlier_ratio
    # A motion that counts as none is no motion; a picture that clearly moves is not still.
    is_other = strength < 0.5 if term != "static" else strength > 1.0
    is_wrong = is_trusted and (is_other or measured not in ("unclear", "mixed", "handheld"))
    return found(False, reason, strength, 1.0) if is_wrong else Finding("unchecked", reason, strength, measured)


def _strength(term: str, means: CameraMeans, measurements: Measurements) -> float:
    """How strong a motion is in a term's direction, as a multiple of its moving threshold; of `static`, any motion."""
    config = measurements.describe
    limits = {
        "pan": (means.pan_widths_per_s, config.moving_widths_per_s),
        "tilt": (means.tilt_heights_per_s, config.moving_widths_per_s),
        "zoom": (means.zoom_per_s, config.moving_zoom_per_s),
        "roll": (means.roll_degrees_per_s, config.moving_roll_degrees_per_s),
    }
    strengths = {kind: value / max(limit, 1e-6) for kind, (value, limit) in limits.items()}
    if term == "static":
        return max(map(abs, strengths.values()))
    sign = 1.0 if term in ("pan_right", "tilt_up", "zoom_in", "roll_clockwise") else -1.0
    return sign * strengths[term.partition("_")[0]]


def shot_lumas(measurements: Measurements) -> list[float]:
    """Mean luma of each shot over its frames, 0 to 1; not a number where a shot has none."""
    series = np.asarray(measurements.scan.frames.luma_mean, np.float64)
    lumas = [series[measurements.frames(shot)] for shot in measurements.shots]
    return [float(values.mean()) if values.size else float("nan") for values in lumas]


def brightness_change(asked: Asked) -> Finding | None:
    """How the brightness changes from one shot to another: both levels and the direction."""
    which, levels = ordinals(asked.question), [float(level) for level in _PERCENT.findall(asked.answer)]
    stays = "stays" in asked.answer
    if len(which) != 2 or len(levels) != (1 if stays else 2):
        return None
    lumas = shot_lumas(asked.measurements)
    if max(which) > len(lumas):
        return found(False, f"the clip has {len(lumas)} shots", float(len(lumas)))
    measured = [100 * lumas[number - 1] for number in which]
    said = levels * 2 if stays else levels
    apart = max(abs(a - b) for a, b in zip(measured, said, strict=True))
    if not np.isfinite(apart):
        return Finding("unchecked", "a shot has no frame")
    # A percent is half of its rounding, and two shots that hardly differ are told by what lies between them.
    limit = 100 * asked.measurements.config.luma_tolerance + 1.0
    is_that_way = stays or ("rises" in asked.answer) == (said[1] > said[0])
    reason = f"brightness goes from {measured[0]:.1f} % to {measured[1]:.1f} %, {apart:.1f} away from what is said"
    return found(apart <= limit and is_that_way, reason, apart, limit)


def brightest_shot(asked: Asked) -> Finding | None:
    """Which shot is the brightest, or that all are alike."""
    lumas, limit = shot_lumas(asked.measurements), asked.measurements.config.luma_tolerance
    if len(lumas) < 2 or not np.isfinite(lumas).all():
        return None
    if _EQUAL in asked.answer:
        spread = max(lumas) - min(lumas)
        reason = f"the shots' brightness differs by {spread:.3f}"
        return found(spread <= limit + 1e-6, reason, spread, limit)
    which = ordinals(asked.answer)
    if len(which) != 1 or which[0] > len(lumas):
        return found(False, f"the clip has {len(lumas)} shots", float(len(lumas))) if len(which) == 1 else None
    lead = lumas[which[0] - 1] - max(luma for number, luma in enumerate(lumas, 1) if number != which[0])
    return found(lead > limit, f"shot {which[0]} is brighter than all others by {lead:.3f}", lead, limit)


def on_screen_text(asked: Asked) -> Finding | None:
    """What is written on the screen at a time."""
    when, said = times(asked.question), quotation(asked.answer)
    if len(when) != 1 or said is None or not asked.measurements.description.text_is_measured:
        return None
    near = [t for t in asked.measurements.description.text if _is_near(t, when[0], asked)]
    return _reads(said, near, asked.measurements)


def text_time(asked: Asked) -> Finding | None:
    """When a text is on the screen: a moment at which it is read, not one in a shot in which it is not."""
    said, when = quotation(asked.question), times(asked.answer)
    measurements = asked.measurements
    if said is None or len(when) != 1 or not measurements.description.text_is_measured:
        return None
    near = [t for t in measurements.description.text if _is_near(t, when[0], asked)]
    if _reads(said, near, measurements).outcome == "confirmed":
        return _reads(said, near, measurements)
    shots = [shot for shot in measurements.shots if asked.shows(shot, when[0])]
    if not shots:
        return Finding("unchecked", f"a slow transition is under way at {when[0]:.1f} s")
    in_shot = [t for t in measurements.description.text if any(shot.holds(t.pts) for shot in shots)]
    finding = _reads(said, in_shot, measurements)
    if finding.outcome == "confirmed":
        return Finding("unchecked", "it is read in the same shot, but not at that time", finding.measured)
    return finding


def _is_near(text: TextDetection, when_s: float, asked: Asked) -> bool:
    return abs(asked.measurements.seconds(text.pts) - when_s) <= SAID_S + READ_NEAR_S


def _reads(said: str, texts: list[TextDetection], measurements: Measurements) -> Finding:
    """Whether one of the texts is what is said."""
    limit = measurements.config.text_min_similarity
    score, best = max(((text_similarity(said, t.text), t.text) for t in texts), default=(0.0, ""))
    reason = f"{best!r} is read there, similarity {score:.2f}" if texts else "no text is read there"
    return found(score >= limit, reason, score, limit)


def freeze(asked: Asked) -> Finding | None:
    """When the picture stands still, or that it never does."""
    held, when = asked.measurements.held, times(asked.answer)
    if not when and "never" in asked.answer:
        return found(not held, f"one picture is held {len(held)} times", float(len(held)), 0.0)
    if len(when) != 1:
        return None
    is_there = any(asked.shows(span, when[0]) for span in held)
    return found(is_there, f"a picture is {'' if is_there else 'not '}held at {when[0]:.1f} s", when[0])
