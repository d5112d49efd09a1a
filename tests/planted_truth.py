"""What a film's truth says of labels and claims about it, whatever was measured.

Here: whether a question's answer is true, and whether a claim is surely false. Not here: the films
(`tests.planted_films`), or the errors that are planted (`tests.planted_errors`).
"""

import re
from collections.abc import Callable

from schemas.evidence import Claim
from schemas.label import Label
from tests.annotators.truth import Stretch as ClipStretch
from tests.annotators.truth import TrueShot, Truth, true_options
from tests.planted_films import FPS, Measured, Stretch

SURE_FRAMES = 8
"""How much of a stretch must be of another kind for a claim about all of it to be surely false."""


def clip_truth(made: Measured) -> Truth:
    """What is true of a clip, as `tests.annotators.truth` has it; colours from the specification's tints alone."""
    first, end = made.frames(made.description.clip.span)
    truth = made.truth

    def stretch(one: Stretch) -> ClipStretch:
        return ClipStretch(one.what, (one.start - first) / FPS, (one.end - first) / FPS)

    shots = []
    for a, b in truth.shots:
        if b > first and a < end:
            start, stop = max(a, first), min(b, end)
            camera = tuple(stretch(Stretch(m.what, max(m.start, start), min(m.end, stop)))
                           for m in truth.camera if m.overlap(start, stop) > 0 and m.overlap(a, b) > 0)  # fmt: skip
            lumas = truth.lumas[start:stop]
            tint = made.film.shots[truth.shots.index((a, b))].tint
            shots.append(TrueShot((start - first) / FPS, (stop - first) / FPS, sum(lumas) / len(lumas),
                                  {tint: 1.0}, camera))  # fmt: skip
    return Truth(
        tuple(shots),
        tuple(stretch(join) for join in truth.joins if first < join.start < end),
        tuple(stretch(text) for text in truth.texts if text.overlap(first, end) > 2),
        tuple(stretch(held) for held in truth.held if held.overlap(first, end) > 2),
    )


def is_true(label: Label, made: Measured) -> bool | None:
    """Whether the question of a label has exactly the given answer by the truth; None where the truth does not say."""
    if label.qa is None:
        return None
    if label.qa.task == "frame_order" and re.search(r"mostly|dark|bright", " ".join(label.qa.options)):
        return None
    expected = [index == label.qa.answer_index for index in range(len(label.qa.options))]
    return true_options(label.qa, clip_truth(made)) == expected


def is_false(claim: Claim, start: int, end: int, made: Measured) -> bool:
    """Whether a claim about these frames of the film is surely false by the film's truth alone.

    Of light, colour, shake and shape the truth says nothing sure: claims about them are never false here.
    """
    judge = _FALSE.get(claim.quantity)
    return bool(judge and judge(claim, start, end, made))


def _false_transition(claim: Claim, start: int, end: int, made: Measured) -> bool:
    same = [join for join in made.truth.joins if claim.text in (None, join.what)]
    if claim.text in (None, "cut"):
        return all(abs(join.start - start) > SURE_FRAMES for join in same)
    return all(join.overlap(start, end) <= 0.25 * max(join.end - join.start, end - start) for join in same)


def _false_shot(claim: Claim, start: int, end: int, made: Measured) -> bool:
    first, last = made.frames(made.description.clip.span)
    shots = [(max(a, first), min(b, last)) for a, b in made.truth.shots if b > first and a < last]
    alike = [n for n, (a, b) in enumerate(shots, 1) if max(abs(a - start), abs(b - end)) <= SURE_FRAMES]
    return not alike or (claim.value is not None and claim.value not in alike)


def _false_camera(claim: Claim, start: int, end: int, made: Measured) -> bool:
    """False where the camera does something else for long enough, or the stretch crosses a join."""
    others = [m for m in made.truth.camera if m.what != claim.text and m.overlap(start, end) > SURE_FRAMES]
    joined = [j for j in made.truth.joins if start + SURE_FRAMES < j.start and j.end < end - SURE_FRAMES]
    return (bool(others) and max(m.overlap(start, end) for m in others) > (end - start) / 2) or bool(joined)


def _false_text(claim: Claim, start: int, end: int, made: Measured) -> bool:
    shown = [text for text in made.truth.texts if text.overlap(start, end) > -SURE_FRAMES]
    return claim.text not in {text.what for text in shown}


def _false_held(_claim: Claim, start: int, end: int, made: Measured) -> bool:
    return max((held.overlap(start, end) for held in made.truth.held), default=0) < (end - start) - SURE_FRAMES


def _false_count(claim: Claim, start: int, end: int, made: Measured) -> bool:
    inside = [join for join in made.truth.joins if start < join.start and join.end < end]
    near = any(
        abs(edge - e) <= SURE_FRAMES for j in made.truth.joins for e in (j.start, j.end) for edge in (start, end)
    )
    return len(inside) != claim.value and not near


_FALSE: dict[str, Callable[[Claim, int, int, Measured], bool]] = {
    "transition": _false_transition,
    "shot": _false_shot,
    "camera_motion": _false_camera,
    "text": _false_text,
    "frozen": _false_held,
    "transition_count": _false_count,
}
