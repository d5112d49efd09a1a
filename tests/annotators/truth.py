"""What is true of a clip, written down apart from any measurement, and which options of a question it makes true.

Here: `Truth` and `true_options`, which knows nothing of how questions are made. Not here: clips (`builders`).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from schemas.label import QAItem

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
KINDS = {
    "a hard cut": "cut",
    "a dissolve": "dissolve",
    "a fade through black": "fade_out_in",
    "a wipe": "wipe",
}
TERMS = {
    "the camera stays still": "static",
    "the camera pans to the left": "pan_left",
    "the camera pans to the right": "pan_right",
    "the camera tilts up": "tilt_up",
    "the camera tilts down": "tilt_down",
    "the camera zooms in": "zoom_in",
    "the camera zooms out": "zoom_out",
    "the picture rotates clockwise": "roll_clockwise",
    "the picture rotates counterclockwise": "roll_counterclockwise",
}
SAYING_S = 0.051
"""Times are said in tenths of a second."""
FRAMES_S = 0.08
"""A measured cut may be two frames off."""


@dataclass(frozen=True)
class Stretch:
    """Something that lasts, in seconds from the clip's start."""

    what: str
    start_s: float
    end_s: float

    def shows(self, when_s: float, slack_s: float = 0.0) -> bool:
        """Whether it is there at a moment."""
        return self.start_s - slack_s <= when_s <= self.end_s + slack_s


@dataclass(frozen=True)
class TrueShot:
    """One shot, in seconds from the clip's start."""

    start_s: float
    end_s: float
    luma: float
    colours: Mapping[str, float]
    camera: tuple[Stretch, ...]

    @property
    def length_s(self) -> float:
        """Seconds that it lasts."""
        return self.end_s - self.start_s


@dataclass(frozen=True)
class Truth:
    """All that is true of a clip."""

    shots: tuple[TrueShot, ...]
    transitions: tuple[Stretch, ...]
    texts: tuple[Stretch, ...]
    freezes: tuple[Stretch, ...]

    @property
    def camera(self) -> tuple[Stretch, ...]:
        """Every camera motion in order."""
        return tuple(motion for shot in self.shots for motion in shot.camera)


def true_options(item: QAItem, truth: Truth) -> list[bool]:
    """Which of the item's options are true."""
    return JUDGES[item.task](item.question, item.options, truth)


Judge = Callable[[str, Sequence[str], Truth], list[bool]]


def _times(text: str) -> list[float]:
    return [float(found) for found in re.findall(r"(\d+\.\d) s", text)]


def _ordinals(text: str) -> list[int]:
    return [ORDINALS.index(word) for word in re.findall(r"[a-z]+", text) if word in ORDINALS]


def _shot_count(_question: str, options: Sequence[str], truth: Truth) -> list[bool]:
    return [int(option) == len(truth.shots) for option in options]


def _transition_kind(question: str, options: Sequence[str], truth: Truth) -> list[bool]:
    (when,) = _times(question)
    there = {t.what for t in truth.transitions if t.shows(when, SAYING_S + FRAMES_S)}
    return [KINDS[option] in there if option in KINDS else not there for option in options]


def _transition_time(question: str, options: Sequence[str], truth: Truth) -> list[bool]:
    name = next(name for name in KINDS if name.removeprefix("a ") in question)
    same = [t for t in truth.transitions if t.what == KINDS[name]]
    number = next(iter(_ordinals(question)), 0)
    assert len(same) == 1 or _ordinals(question)
    return [same[number].shows(time, SAYING_S + FRAMES_S) for option in options for time in _times(option)]


def _camera_motion(question: str, options: Sequence[str], truth: Truth) -> list[bool]:
    start, end = _times(question)
    seen = {m.what for m in truth.camera if min(end, m.end_s) - max(start, m.start_s) > 0.25}
    return [{TERMS[option]} == seen for option in options]


def _motion_time(question: str, options: Sequence[str], truth: Truth) -> list[bool]:
    term = next(term for phrase, term in TERMS.items() if phrase in question)
    return [any(m.what == term and m.shows(time) for m in truth.camera) for o in options for time in _times(o)]


def _one_shot(values: Sequence[float], equal: bool) -> Callable[[str], bool]:
    def judge(option: str) -> bool:
        if "equally" in option:
            return equal
        (index,) = _ordinals(option)
        return not equal and index < len(values) and values[index] == max(values)

    return judge


def _longest_shot(_question: str, options: Sequence[str], truth: Truth) -> list[bool]:
    lengths = [shot.length_s for shot in truth.shots]
    return list(map(_one_shot(lengths, max(lengths) < 1.05 * min(lengths)), options))


def _brightest_shot(_question: str, options: Sequence[str], truth: Truth) -> list[bool]:
    lumas = [shot.luma for shot in truth.shots]
    return list(map(_one_shot(lumas, max(lumas) - min(lumas) < 0.04), options))


def _shot_duration(question: str, options: Sequence[str], truth: Truth) -> list[bool]:
    (index,) = _ordinals(question)
    length = truth.shots[index].length_s
    return [abs(time - length) <= SAYING_S + FRAMES_S for option in options for time in _times(option)]


def _brightness_change(question: str, options: Sequence[str], truth: Truth) -> list[bool]:
    actual = [100 * truth.shots[index].luma for index in _ordinals(question)]
    assert len(actual) == 2
    claims = [[float(level) for level in re.findall(r"(\d+) %", option)] for option in options]
    return [all(abs(a - b) < 3 for a, b in zip(actual, (c * 2)[:2], strict=True)) for c in claims]


def _on_screen_text(question: str, options: Sequence[str], truth: Truth) -> list[bool]:
    (when,) = _times(question)
    there = {text.what.casefold() for text in truth.texts if text.shows(when)}
    return [option.strip("“”").casefold() in there for option in options]


def _text_time(question: str, options: Sequence[str], truth: Truth) -> list[bool]:
    quoted = question.split("“")[1].split("”")[0].casefold()
    spans = [text for text in truth.texts if text.what.casefold() == quoted]
    return [any(span.shows(time) for span in spans) for option in options for time in _times(option)]


def _freeze(_question: str, options: Sequence[str], truth: Truth) -> list[bool]:
    return [
        any(freeze.shows(time) for freeze in truth.freezes) if _times(option) else not truth.freezes
        for option in options
        for time in (_times(option) or [0.0])
    ]


def _event_starts(phrase: str, truth: Truth) -> list[float]:
    if phrase == "the picture freezes":
        return [freeze.start_s for freeze in truth.freezes]
    if phrase in KINDS:
        return [t.start_s for t in truth.transitions if t.what == KINDS[phrase]]
    return [motion.start_s for motion in truth.camera if motion.what == TERMS[phrase]]


def _frame_starts(phrase: str, truth: Truth) -> list[float]:
    if "“" in phrase:
        quoted = phrase.split("“")[1].split("”")[0].casefold()
        return [text.start_s for text in truth.texts if text.what.casefold() == quoted]
    word = phrase.split()[-2]
    if word in ("dark", "bright"):
        return [s.start_s for s in truth.shots if (s.luma < 0.25 if word == "dark" else s.luma > 0.6)]
    return [shot.start_s for shot in truth.shots if shot.colours.get(word, 0.0) >= 0.45]


def _order(starts_of: Callable[[str, Truth], list[float]]) -> Judge:
    def judge(question: str, options: Sequence[str], truth: Truth) -> list[bool]:
        if ", then " in options[0]:
            sequences = [[starts_of(phrase, truth) for phrase in option.split(", then ")] for option in options]
            assert all(len(starts) == 1 for sequence in sequences for starts in sequence)
            return [sequence == sorted(sequence) for sequence in sequences]
        starts = [starts_of(option, truth) for option in options]
        assert all(len(found) <= 1 for found in starts)
        occurring = [found[0] for found in starts if found]
        asked = min(occurring) if "first" in question else max(occurring)
        return [found == [asked] for found in starts]

    return judge


JUDGES: Mapping[str, Judge] = {
    "shot_count": _shot_count,
    "transition_kind": _transition_kind,
    "transition_time": _transition_time,
    "event_order": _order(_event_starts),
    "camera_motion": _camera_motion,
    "motion_time": _motion_time,
    "longest_shot": _longest_shot,
    "shot_duration": _shot_duration,
    "brightness_change": _brightness_change,
    "brightest_shot": _brightest_shot,
    "on_screen_text": _on_screen_text,
    "text_time": _text_time,
    "frame_order": _order(_frame_starts),
    "freeze": _freeze,
}
