"""Captions that a film's truth makes true or false: what anybody might write of camera, edit, text, colour and length.

Here: sentences from the truth of `tests.planted_films`. Not here: how they are read or checked, of which they know
nothing; wordings are several for each kind of fact.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from schemas.evidence import Evidence
from schemas.label import Caption, Label
from schemas.provenance import Provenance
from tests.planted_films import FPS, Measured, Stretch

VERBS = {
    "pan_left": ("pans left", "slowly pans to the left", "pans from right to left"),
    "pan_right": ("pans right", "pans to the right", "begins to pan towards the right"),
    "tilt_up": ("tilts up", "slowly tilts upwards", "is tilting up"),
    "tilt_down": ("tilts down", "tilts downwards", "gradually tilts down"),
    "zoom_in": ("zooms in", "slowly zooms in", "starts to zoom in"),
    "zoom_out": ("zooms out", "steadily zooms out", "is zooming out"),
}
OPPOSITE = {"left": "right", "right": "left", "up": "down", "down": "up", "in": "out", "out": "in"}
FAR_COLOURS = {"red": "green", "green": "red", "blue": "yellow", "yellow": "blue"}
"""For each tint a colour that nobody would call it."""
NOTHING_LIKE = {
    "green": {"red"}, "red": {"green", "blue"}, "yellow": {"red", "blue"}, "blue": {"red", "yellow"},
}  # fmt: skip
"""Tints that are nothing like a colour."""
KINDS = {"cut": "a hard cut", "dissolve": "a dissolve", "fade_out_in": "a fade through black"}
MIN_S = 1.2
"""Shorter motions are not spoken of."""
NEAR_FRAMES = 15


@dataclass(frozen=True)
class Said:
    """A caption with what the truth says of it."""

    kind: str
    is_true: bool
    label: Label


def captions(made: Measured) -> Iterator[Said]:
    """True and false captions of a clip that is its whole film; none of any other."""
    if made.description.clip.span != made.scan.span:
        return
    for kind, sentences in (
        ("camera", _camera(made)), ("camera at a time", _timed_camera(made)), ("count", _counts(made)),
        ("transition", _joins(made)), ("order", _orders(made)), ("colour", _colours(made)), ("text", _texts(made)),
        ("length and time", _lengths(made)), ("speech", _speech()), ("stillness and black", _stillness(made)),
    ):  # fmt: skip
        for is_true, text in sentences:
            yield Said(kind, is_true, _caption(text, made))


def _caption(text: str, made: Measured) -> Label:
    span = made.description.clip.span
    seen = Evidence(span=span, modality="caption", observation="It is so.", claim=None, source="somebody")
    provenance = Provenance(annotator="somebody", annotator_version="1", code_version="1.2.3")
    return Label(
        label_id="said", clip_id=made.description.clip.clip_id, kind="caption", span=span, evidence=(seen,),
        caption=Caption(text=f"A small crowd walks by. {text}"), provenance=provenance,
    )  # fmt: skip


def _moves(made: Measured) -> list[Stretch]:
    long = [m for m in made.truth.camera if m.what in VERBS and m.end - m.start >= MIN_S * FPS]
    # What is under way in a slow join is seen only in part: the middle of a motion is spoken of.
    return [Stretch(m.what, *_clear_of_joins(m, made)) for m in long]


def _clear_of_joins(move: Stretch, made: Measured) -> tuple[int, int]:
    start, end = move.start, move.end
    for join in made.truth.joins:
        if join.overlap(start, end) > 0 or join.start == join.end in (start, end):
            start, end = (join.end, end) if join.start <= start else (start, join.start)
    return start, end


def _turned(verb: str) -> str:
    """The verb phrase the other way."""
    words = verb.split()
    return " ".join(OPPOSITE.get(w.removesuffix("wards"), w.removesuffix("wards")) + "wards" * w.endswith("wards")
                    if w.removesuffix("wards") in OPPOSITE else w for w in words)  # fmt: skip


def _other_way(term: str) -> str:
    kind, way = term.split("_")
    return f"{kind}_{OPPOSITE[way]}"


def _camera(made: Measured) -> Iterator[tuple[bool, str]]:
    there = {move.what for move in made.truth.camera}
    for move in _moves(made):
        for verb in VERBS[move.what]:
            yield True, f"The camera {verb}."
            yield True, f"While people talk, the camera {verb}."
    for term in sorted({_other_way(term) for term in there if term in VERBS} - there):
        for verb in VERBS[term]:
            yield False, f"The camera {verb} over the scene."


def _timed_camera(made: Measured) -> Iterator[tuple[bool, str]]:
    for move in _moves(made):
        start, end = move.start / FPS + 0.2, move.end / FPS - 0.2
        for verb in VERBS[move.what]:
            yield True, f"From {start:.1f} s to {end:.1f} s, the camera {verb}."
            yield True, f"The camera {verb} at {(start + end) / 2:.1f} s."
            other = [m for m in made.truth.camera if m.what == _other_way(move.what)]
            if all(m.overlap(move.start - NEAR_FRAMES, move.end + NEAR_FRAMES) <= 0 for m in other):
                yield False, f"From {start:.1f} s to {end:.1f} s, the camera {_turned(verb)}."


def _counts(made: Measured) -> Iterator[tuple[bool, str]]:
    n_joins, n_shots = len(made.truth.joins), len(made.truth.shots)
    words = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    for count in range(max(0, n_joins - 2), n_joins + 3):
        yield count == n_joins, f"There are {count} transitions in the clip."
        yield count == n_joins, f"The clip has {words[count + 1]} shot{'s' if count else ''}."
        yield count == n_joins, f"The video consists of {count + 1} shot{'s' if count else ''}."
    yield n_shots == 1, "The clip is a single continuous shot."


def _joins(made: Measured) -> Iterator[tuple[bool, str]]:
    for join in made.truth.joins:
        if join.what not in KINDS:
            continue
        middle = (join.start + join.end) / 2 / FPS
        yield True, f"There is {KINDS[join.what]} at {middle:.1f} s."
        yield True, f"At {middle:.1f} s there is {KINDS[join.what]}, and people turn round."
        for kind, words in KINDS.items():
            if kind != join.what:
                yield False, f"There is {words} at {middle:.1f} s."
        for moved in (middle - 1.5, middle + 1.5):
            near = [j for j in made.truth.joins if j.overlap(round(moved * FPS) - 15, round(moved * FPS) + 15) >= 0]
            if not near and 0 < moved < made.description.clip.span.duration_s:
                yield False, f"There is {KINDS[join.what]} at {moved:.1f} s."
    there = {join.what for join in made.truth.joins}
    for kind, words in KINDS.items():
        yield kind in there, f"The clip shows {words}."


def _orders(made: Measured) -> Iterator[tuple[bool, str]]:
    moves = _moves(made)
    unique = [move for move in moves if sum(m.what == move.what for m in made.truth.camera) == 1]
    for first, second in itertools.pairwise(unique):
        one, other = VERBS[first.what][0], VERBS[second.what][0]
        yield True, f"The camera {one}, then {other}."
        yield True, f"The camera {one} and then the camera {other}."
        yield False, f"The camera {other}, then {one}."
        yield False, f"The camera {other} and then {one}."


def _colours(made: Measured) -> Iterator[tuple[bool, str]]:
    tints = {shot.tint for shot in made.film.shots}
    plain = tints & {"red", "green", "blue", "yellow"}
    for tint in sorted(plain):
        yield True, f"The picture is mostly {tint}."
    if tints != plain:
        # What is dark, grey or white has a tinge of any colour.
        return
    for colour in sorted(plain):
        if FAR_COLOURS[colour] not in tints and tints <= NOTHING_LIKE[FAR_COLOURS[colour]]:
            yield False, f"The picture is mostly {FAR_COLOURS[colour]}."


def _texts(made: Measured) -> Iterator[tuple[bool, str]]:
    for text in made.truth.texts:
        middle = (text.start + text.end) / 2 / FPS
        yield True, f"The text “{text.what}” is on the screen at {middle:.1f} s."
        yield True, f"A title reads '{text.what.title()}'."
        for read in made.description.text:
            yield False, f"The text “SEVEN DWARFS” is on the screen at {made.frame(read.pts) / FPS:.1f} s."


def _lengths(made: Measured) -> Iterator[tuple[bool, str]]:
    length = made.description.clip.span.duration_s
    yield True, f"The clip lasts {length:.1f} seconds."
    yield True, f"The video is about {round(length)} seconds long."
    yield True, f"A woman waves at {length - 1:.1f} s."
    yield False, f"The clip lasts {length * 1.5:.1f} seconds."
    yield False, f"The video is {round(length / 2)} seconds long."
    yield False, f"A woman waves at {length + 3:.1f} s."


def _speech() -> Iterator[tuple[bool, str]]:
    """The films have no sound."""
    yield True, "Nobody speaks."
    yield True, "A man speaks to the crowd."
    yield False, "A voice is heard."


def _stillness(made: Measured) -> Iterator[tuple[bool, str]]:
    for held in made.truth.held:
        yield True, "The picture freezes."
        yield True, f"The picture stands still from {held.start / FPS:.1f} s to {held.end / FPS:.1f} s."
    fades = [join for join in made.truth.joins if join.what == "fade_out_in"]
    for fade in fades:
        yield True, f"The picture goes black at {(fade.start + fade.end) / 2 / FPS:.1f} s."
        yield True, "The scene fades to black."
    if not fades and "dark" not in {shot.tint for shot in made.film.shots}:
        yield False, "The picture goes black."
        yield False, "The scene fades to black."
