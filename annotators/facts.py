"""What was measured of a clip, in words that a model can use: shots, text, speech, camera, light, colours.

Here: sentences from a description, most important first. Not here: measuring (`stages`), or which annotator shows them.
"""

from collections.abc import Iterator, Mapping

from annotators.prompts import fenced
from annotators.subject import ClipSubject
from schemas.media import TransitionKind
from schemas.signals import ClipDescription, ShotFigures
from schemas.time import Span

MAX_TEXTS = 24
"""Different texts of a clip that are told. Ours."""
MAX_TEXT_CHARS = 200
"""Longest text that is told in full. Ours."""
MAX_SPEECH_SPANS = 24
"""Spans of speech that are told. Ours."""
MAX_TIMES = 4
"""Times that are told of one text. Ours."""

_TRANSITIONS: Mapping[TransitionKind, str] = {
    "fade_in": "fade in from black (fade_in)",
    "fade_out": "fade out to black (fade_out)",
    "fade_out_in": "fade through black (fade_out_in)",
    "fade_white": "fade through white (fade_white)",
    "gradual": "slow transition of a kind that could not be told",
}
"""Where a kind's name does not explain itself; the name as claims have it stands beside the words."""


def measured_facts(subject: ClipSubject) -> tuple[str, ...]:
    """One sentence a fact, times from the clip's start. Text read on the screen is fenced as data."""
    description = subject.description
    return (
        *_shots(subject, description),
        *_transitions(subject),
        *_text(subject, description),
        *_speech(subject, description),
        *(sentence for shot in description.shots for sentence in _camera(subject, shot)),
        *_stillness(subject, description),
        *(_look(subject, shot) for shot in description.shots),
    )


def stretch(subject: ClipSubject, span: Span) -> str:
    """A span in words, from the clip's start."""
    return f"{subject.seconds(span.start_pts):.2f} s to {subject.seconds(span.end_pts):.2f} s"


def transition_words(kind: TransitionKind) -> str:
    """A kind of transition in words."""
    return _TRANSITIONS.get(kind, kind)


def _shots(subject: ClipSubject, description: ClipDescription) -> Iterator[str]:
    count = len(description.shots)
    if count == 1:
        yield "The clip is a single shot."
        return
    listed = ", ".join(f"{n}: {stretch(subject, shot.span)}" for n, shot in enumerate(description.shots, 1))
    yield f"The clip has {count} shots: {listed}."


def _transitions(subject: ClipSubject) -> Iterator[str]:
    for transition in subject.clip.transitions:
        where = f"at {subject.seconds(transition.span.start_pts):.2f} s"
        if transition.span.start_pts < transition.span.end_pts:
            where = f"from {stretch(subject, transition.span)}"
        yield f"There is a {transition_words(transition.kind)} {where}."


def _text(subject: ClipSubject, description: ClipDescription) -> Iterator[str]:
    if not description.text_is_measured:
        return
    if not description.text:
        yield "No text was found on the frames that were read."
    seen: dict[str, list[float]] = {}
    for detection in description.text:
        seen.setdefault(" ".join(detection.text.split()), []).append(subject.seconds(detection.pts))
    for text, times in list(seen.items())[:MAX_TEXTS]:
        when = ", ".join(f"{time:.2f} s" for time in times[:MAX_TIMES])
        yield f"On the screen at {when} this is written:\n{fenced(text, MAX_TEXT_CHARS)}"


def _speech(subject: ClipSubject, description: ClipDescription) -> Iterator[str]:
    if description.speech_is_measured and not description.speech:
        yield "No speech was found."
    for span in description.speech[:MAX_SPEECH_SPANS]:
        yield f"Somebody speaks from {stretch(subject, span)}."


def _camera(subject: ClipSubject, shot: ShotFigures) -> Iterator[str]:
    for segment in shot.camera:
        if segment.term != "unclear":
            yield f"From {stretch(subject, segment.span)} the camera motion is: {segment.term.replace('_', ' ')}."


def _stillness(subject: ClipSubject, description: ClipDescription) -> Iterator[str]:
    for span in description.frozen_spans:
        yield f"The picture stands still from {stretch(subject, span)}."
    for span in description.black_spans:
        yield f"The picture is black from {stretch(subject, span)}."


def _look(subject: ClipSubject, shot: ShotFigures) -> str:
    colours = ", ".join(f"{colour.name} {colour.share:.0%}" for colour in shot.palette[:4])
    return (
        f"From {stretch(subject, shot.span)} the mean brightness is {shot.luma_mean:.0%} of white and the main colours "
        f"are: {colours or 'not measured'}."
    )
