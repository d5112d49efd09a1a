"""Errors planted in true labels: evidence shifted; directions, counts, texts, orders, answers and times changed.

Here: every variant of a label that the film's truth makes false, by kind of error. Not here: the films
(`tests.planted_films`), what is true of them (`tests.planted_truth`), or how many errors are found
(`tests.benchmarks.planted_errors`).

What counts as an error is decided by the film's truth alone, never by what is measured: evidence of a static camera
that is moved within its shot is still true, and is no variant. Each variant changes one thing; all else stays true.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.evidence import Claim, Evidence
from schemas.label import Label, QAItem
from schemas.time import Span
from tests.planted_films import FPS, Measured
from tests.planted_truth import is_false

SHIFTS_S = (-1.0, 1.0)
"""How far evidence is moved; inside the clip, and only where that makes it false."""
WORD_SHIFTS_S = (-1.5, 1.5)
"""How far times in sentences are moved."""
OPPOSITES = {
    "pan_left": "pan_right", "pan_right": "pan_left", "tilt_up": "tilt_down", "tilt_down": "tilt_up",
    "zoom_in": "zoom_out", "zoom_out": "zoom_in", "roll_clockwise": "roll_counterclockwise",
    "roll_counterclockwise": "roll_clockwise",
}  # fmt: skip
PHRASES = {
    "pans to the left": "pan_left", "pans to the right": "pan_right", "tilts up": "tilt_up", "tilts down": "tilt_down",
    "zooms in": "zoom_in", "zooms out": "zoom_out", "rotates clockwise": "roll_clockwise",
    "rotates counterclockwise": "roll_counterclockwise",
}  # fmt: skip
OTHER_TEXTS = ("BLUE LAGOON CAFE", "SEVEN WINDOWS", "HAPPY BIRTHDAY MUM")
"""On no film's screen, and like nothing that is."""


@dataclass(frozen=True)
class Planted:
    """A label with one error in it."""

    kind: str
    label: Label
    what: str
    """What was changed, for a person."""


def planted(label: Label, made: Measured) -> Iterator[Planted]:
    """Every variant of a label with one error."""
    for plant in PLANTERS:
        yield from plant(label, made)


def _with_piece(label: Label, index: int, **changes: Any) -> Label:
    pieces = list(label.evidence)
    pieces[index] = pieces[index].replace(**changes)
    return label.replace(evidence=tuple(pieces))


def _claims(label: Label) -> Iterator[tuple[int, Evidence, Claim]]:
    for index, piece in enumerate(label.evidence):
        if piece.claim:
            yield index, piece, piece.claim


def _shifted(label: Label, made: Measured) -> Iterator[Planted]:
    """One piece of evidence moved, within the clip."""
    for index, piece, claim in _claims(label):
        for shift_s in SHIFTS_S:
            moved = piece.span.shift(shift_s)
            if made.description.clip.span.covers(moved) and is_false(claim, *made.frames(moved), made):
                what = f"evidence {index} ({claim.quantity}) moved by {shift_s:g} s"
                yield Planted("evidence shifted", _with_piece(label, index, span=moved), what)


def _flipped_evidence(label: Label, made: Measured) -> Iterator[Planted]:
    for index, piece, claim in _claims(label):
        if claim.quantity == "camera_motion" and claim.text in OPPOSITES:
            flipped = claim.replace(text=OPPOSITES[claim.text])
            if is_false(flipped, *made.frames(piece.span), made):
                yield Planted(
                    "direction flipped: evidence", _with_piece(label, index, claim=flipped), f"evidence {index}"
                )


def _flipped_value(label: Label, made: Measured) -> Iterator[Planted]:
    for number, value in enumerate(label.sv6d.values if label.sv6d else ()):
        if value.attribute == "motion" and value.value in OPPOSITES:
            flipped = Claim(quantity="camera_motion", text=OPPOSITES[value.value])
            if label.sv6d and is_false(flipped, *made.frames(label.span), made):
                yield Planted(
                    "direction flipped: SV6D value", _with_value(label, number, OPPOSITES[value.value]), value.value
                )


def _with_value(label: Label, number: int, text: str) -> Label:
    assert label.sv6d
    values = list(label.sv6d.values)
    values[number] = values[number].replace(value=text)
    return label.replace(sv6d=label.sv6d.replace(values=tuple(values)))


def _with_step(label: Label, number: int, **changes: Any) -> Label:
    assert label.qa
    steps = list(label.qa.reasoning)
    steps[number] = steps[number].replace(**changes)
    return label.replace(qa=label.qa.replace(reasoning=tuple(steps)))


_STRETCH = re.compile(r"from (\d+\.\d) s to (\d+\.\d) s")


def _flipped_words(label: Label, made: Measured) -> Iterator[Planted]:
    """A direction in a step that simply says it, where the camera nowhere goes the other way in the step's time."""
    for number, step in enumerate(label.qa.reasoning if label.qa else ()):
        found = [phrase for phrase in PHRASES if phrase in step.text]
        is_plain = re.match(r"(?:So |By contrast, )?[Tt]he (?:camera|picture) ", step.text)
        if len(found) != 1 or not is_plain:
            continue
        other = OPPOSITES[PHRASES[found[0]]]
        words = next(phrase for phrase, term in PHRASES.items() if term == other)
        start, end = made.frames(step.span)
        if all(m.overlap(start - 12, end + 12) <= 0 for m in made.truth.camera if m.what == other):
            text = step.text.replace(found[0], words)
            yield Planted("direction flipped: words", _with_step(label, number, text=text), text)


def _counted(label: Label, _made: Measured) -> Iterator[Planted]:
    """A count or number of evidence, or of a sentence, one off."""
    for index, _piece, claim in _claims(label):
        if claim.quantity in ("transition_count", "shot", "transition") and claim.value is not None:
            for step in (-1, 1):
                if claim.value + step >= (0 if claim.quantity == "transition_count" else 1):
                    changed = claim.replace(value=claim.value + step)
                    what = f"evidence {index} ({claim.quantity}) {claim.value:g} is now {changed.value:g}"
                    yield Planted("count changed: evidence", _with_piece(label, index, claim=changed), what)
    for number, reasoning in enumerate(label.qa.reasoning if label.qa else ()):
        found = re.search(r"\b[Tt]he clip (?:has|holds) (no|\d+)(?= (?:shot|transition))", reasoning.text)
        if found:
            count = 0 if found[1] == "no" else int(found[1])
            text = f"{reasoning.text[: found.start(1)]}{count + 1}{reasoning.text[found.end(1) :]}"
            yield Planted("count changed: words", _with_step(label, number, text=text), text)


def _altered_text(label: Label, made: Measured) -> Iterator[Planted]:
    for index, _piece, claim in _claims(label):
        if claim.quantity == "text":
            changed = claim.replace(text=OTHER_TEXTS[index % len(OTHER_TEXTS)])
            yield Planted("text altered: evidence", _with_piece(label, index, claim=changed), f"evidence {index}")
    for number, step in enumerate(label.qa.reasoning if label.qa else ()):
        found = re.match("(The text “)([^”]+)(” is on the screen at)", step.text)
        if found and made.description.text_is_measured:
            text = step.text.replace(found[2], OTHER_TEXTS[0])
            yield Planted("text altered: words", _with_step(label, number, text=text), text)


def _swapped(label: Label, _made: Measured) -> Iterator[Planted]:
    """The order in the answer turned round, or the first asked for as the last."""
    qa = label.qa
    if qa is None or not qa.task.endswith("_order"):
        return
    if ", then " in qa.answer:
        parts = qa.answer.split(", then ")
        for other in ([parts[1], parts[0], *parts[2:]], parts[::-1]):
            yield Planted("order swapped", _answered(label, qa, ", then ".join(other)), "the answer's order")
    else:
        word, other_word = ("first", "last") if "first" in qa.question else ("last", "first")
        asked = qa.replace(question=qa.question.replace(word, other_word))
        yield Planted("order swapped", label.replace(qa=asked), f"asked for the {other_word}")


def _answered(label: Label, qa: QAItem, answer: str) -> Label:
    """The label with another answer, in place of an option of the same words where there is one."""
    if answer in qa.options:
        return label.replace(qa=qa.replace(answer_index=qa.options.index(answer)))
    options = list(qa.options)
    options[qa.answer_index] = answer
    return label.replace(qa=qa.replace(options=tuple(options)))


def _wrong_option(label: Label, _made: Measured) -> Iterator[Planted]:
    for index in range(len(label.qa.options) if label.qa else 0):
        if label.qa and index != label.qa.answer_index:
            what = f"{label.qa.task}: {label.qa.question} {label.qa.options[index]}"
            yield Planted("wrong option marked right", label.replace(qa=label.qa.replace(answer_index=index)), what)


def _outside(label: Label, made: Measured) -> Iterator[Planted]:
    """Spans of evidence and steps moved beyond the clip's end, and times in sentences."""
    clip = made.description.clip.span
    beyond_s = clip.duration_s + 0.5
    for index, piece in enumerate(label.evidence):
        yield Planted(
            "time outside: evidence", _with_piece(label, index, span=piece.span.shift(beyond_s)), f"evidence {index}"
        )
    for number, step in enumerate(label.qa.reasoning if label.qa else ()):
        yield Planted("time outside: step", _with_step(label, number, span=step.span.shift(beyond_s)), f"step {number}")
        if re.match(r"(?:By contrast, )?[Tt](?:he|here) .*", step.text) and len(_STRETCH.findall(step.text)) == 1:
            text = _STRETCH.sub(lambda found: _said(found, beyond_s), step.text)
            yield Planted("time outside: words", _with_step(label, number, text=text), text)


def _said(found: "re.Match[str]", shift_s: float) -> str:
    return f"from {float(found[1]) + shift_s:.1f} s to {float(found[2]) + shift_s:.1f} s"


def _moved_words(label: Label, made: Measured) -> Iterator[Planted]:
    """Times in a step that repeats the observation of its evidence, where the truth makes them false."""
    clip = made.description.clip.span
    for number, step in enumerate(label.qa.reasoning if label.qa else ()):
        for index in step.evidence:
            piece = label.evidence[index]
            if piece.claim is None or piece.observation != step.text or not _STRETCH.search(step.text):
                continue
            for shift_s in WORD_SHIFTS_S:
                moved = piece.span.shift(shift_s)
                if clip.covers(moved) and _is_false_said(piece.claim, moved, made):
                    text = _STRETCH.sub(lambda found, by=shift_s: _said(found, by), step.text)  # type: ignore[misc]
                    yield Planted("time moved: words", _with_step(label, number, text=text), text)


def _is_false_said(claim: Claim, span: Span, made: Measured) -> bool:
    """A sentence says that something happens in a stretch: it is false where it does so nowhere in or near it."""
    start, end = made.frames(span)
    if claim.quantity == "camera_motion":
        return claim.text != "static" and all(
            m.overlap(start - 12, end + 12) <= 0 for m in made.truth.camera if m.what == claim.text
        )
    if claim.quantity == "transition":
        return all(j.overlap(start - 12, end + 12) < 0 for j in made.truth.joins if j.what == claim.text)
    return is_false(claim, start, end, made)


def _altered_value(label: Label, made: Measured) -> Iterator[Planted]:
    """SV6D values that the truth decides, replaced by ones that it makes false."""
    start, end = made.frames(label.span)
    for number, value in enumerate(label.sv6d.values if label.sv6d else ()):
        others: Sequence[str] = ()
        if value.attribute == "transition":
            others = [kind for kind in ("cut", "dissolve", "fade_out_in", "wipe", "none") if kind != value.value]
        elif value.attribute == "brightness":
            luma = sum(made.truth.lumas[start:end]) / max(1, end - start)
            others = ["bright"] if luma < 0.5 else ["dark"]
        elif value.attribute == "on_screen_text" and value.value == "present":
            others = ["absent"]
        elif value.attribute == "aspect":
            others = [word for word in ("landscape", "portrait", "square") if word != value.value]
        elif value.attribute == "shot_length":
            others = ["short"] if end - start > 3 * FPS else ["long"]
        for other in others:
            yield Planted("SV6D value altered", _with_value(label, number, other), f"{value.attribute}: {other}")


PLANTERS: tuple[Callable[[Label, Measured], Iterator[Planted]], ...] = (
    _shifted, _flipped_evidence, _flipped_value, _flipped_words, _counted, _altered_text, _swapped, _wrong_option,
    _outside, _moved_words, _altered_value,
)  # fmt: skip
