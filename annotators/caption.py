"""Captions: of the whole clip, of its events with their times, and of what changes at each transition.

Here: the request, the answer's form, and reading it. Not here: the words of the prompt (`prompts/caption.j2`).

After MR.Video: a dense caption per clip which also tells what its transitions join. That each event is a label of its
own, so that one wrong event does not cost the others, is ours.
"""

from collections.abc import Iterator

from pydantic import Field

from annotators.annotator import Annotator, Reading, Request
from annotators.answers import Answer, SeenEvidence
from annotators.facts import measured_facts, transition_words
from annotators.pictures import pictures
from annotators.subject import ClipSubject, UnsoundError, sound_text
from schemas.asking import CaptionConfig
from schemas.evidence import Claim, Evidence
from schemas.label import Caption, Label
from schemas.provenance import Provenance
from schemas.time import Span


class EventAnswer(Answer):
    """One event."""

    start_s: float = Field(description="seconds from the clip's start")
    end_s: float = Field(description="seconds from the clip's start")
    text: str
    evidence: list[SeenEvidence] = Field(min_length=1)


class TransitionAnswer(Answer):
    """What a change of shot joins."""

    number: int = Field(description="number of the transition, as listed")
    text: str


class CaptionAnswer(Answer):
    """What a model says of a clip."""

    summary: str
    summary_evidence: list[SeenEvidence] = Field(min_length=1)
    events: list[EventAnswer]
    transitions: list[TransitionAnswer]


def request(subject: ClipSubject, config: CaptionConfig) -> Request:
    """The clip's pictures and facts, and its numbered transitions."""
    transitions = [
        {"number": number, "kind": transition_words(t.kind), "time_s": subject.seconds(t.span.start_pts)}
        for number, t in enumerate(subject.clip.transitions, 1)
    ]
    return Request(
        values={"duration_s": subject.duration_s, "max_events": config.max_events, "transitions": transitions},
        pictures=pictures(subject, config),
        facts=measured_facts(subject) if config.facts else (),
    )


def read(subject: ClipSubject, answer: CaptionAnswer, config: CaptionConfig, provenance: Provenance) -> Reading:
    """One label for the clip, one an event, one a transition that was described."""
    labels: list[Label] = []
    problems: list[str] = []
    for make in (_summary, _events, _transitions):
        for found in make(subject, answer, config, provenance):
            (problems if isinstance(found, str) else labels).append(found)  # type: ignore[arg-type]
    return Reading(tuple(labels), tuple(problems))


def _summary(
    subject: ClipSubject, answer: CaptionAnswer, _config: CaptionConfig, provenance: Provenance
) -> Iterator[Label | str]:
    try:
        text = sound_text(answer.summary, "the summary")
        seen = [subject.evidence(e, provenance.model, f"evidence {n} of the summary") for n, e in
                enumerate(answer.summary_evidence, 1)]  # fmt: skip
    except UnsoundError as error:
        yield str(error)
        return
    yield _label(subject, subject.clip.span, Caption(text=text, level="clip"), seen, provenance)


def _events(
    subject: ClipSubject, answer: CaptionAnswer, config: CaptionConfig, provenance: Provenance
) -> Iterator[Label | str]:
    if len(answer.events) > config.max_events:
        yield f"{len(answer.events)} events; {config.max_events} are the most"
    told: dict[tuple[Span, str], int] = {}
    for number, event in enumerate(answer.events[: config.max_events], 1):
        what = f"event {number}"
        try:
            text = sound_text(event.text, f"the text of {what}")
            span = subject.span(event.start_s, event.end_s, what)
            seen = [subject.evidence(e, provenance.model, f"evidence {n} of {what}") for n, e in
                    enumerate(event.evidence, 1)]  # fmt: skip
        except UnsoundError as error:
            yield str(error)
            continue
        earlier = told.setdefault((span, text.casefold()), number)
        if earlier != number:
            yield f"{what} repeats event {earlier}"
            continue
        yield _label(subject, span, Caption(text=text, level="event"), seen, provenance)


def _transitions(
    subject: ClipSubject, answer: CaptionAnswer, _config: CaptionConfig, provenance: Provenance
) -> Iterator[Label | str]:
    """The evidence of a described transition is the measured one: the model was told where it is."""
    known = dict(enumerate(subject.clip.transitions, 1))
    for described in answer.transitions:
        transition = known.pop(described.number, None)
        if transition is None:
            yield f"there is no transition {described.number} left to describe"
            continue
        try:
            text = sound_text(described.text, f"the text of transition {described.number}")
        except UnsoundError as error:
            yield str(error)
            continue
        claim = Claim(quantity="transition", text=transition.kind, value=float(described.number))
        evidence = Evidence(
            span=transition.span, modality="cut", observation=text, claim=claim, source=provenance.model
        )
        yield _label(subject, transition.span, Caption(text=text, level="transition"), [evidence], provenance)


def _label(
    subject: ClipSubject, span: Span, caption: Caption, evidence: list[Evidence], provenance: Provenance
) -> Label:
    return Label(
        label_id="", clip_id=subject.clip.clip_id, kind="caption", span=span, caption=caption,
        evidence=tuple(evidence), provenance=provenance,
    )  # fmt: skip


ANNOTATOR = Annotator(
    name="caption",
    version="1",
    unit="clip",
    kind="caption",
    answer=CaptionAnswer,
    request=request,
    read=read,
    most=lambda config: {"events": config.max_events},
)
