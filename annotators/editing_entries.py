"""Which things about a clip's editing are asked about: where they are, and their measured value where there is one.

Here: `Entry` and choosing entries, the same ones every time. Not here: what a model writes about them
(`annotators.editing`), or the ontology's words (`schemas/taxonomies/editing.yaml`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar, get_args

from annotators.measured import classes, observations
from annotators.measured.draw import Draw
from annotators.measured.facts import CLEAR_TERMS, MIN_MOTION_S, ClipFacts
from annotators.subject import ClipSubject
from schemas.asking import EditingConfig
from schemas.config import MeasuredConfig
from schemas.evidence import Evidence
from schemas.taxonomy import EditingDimension, EditingOntology, EditingValue
from schemas.time import Span

T = TypeVar("T")

Level = Literal["recognise", "reason", "judge"]
"""VEU-Bench's three levels: which value it is, what shows it, and what it does for the video."""

MIN_SHOT_S = 0.8
"""Shorter shots are not asked about: a viewer may miss them. Ours."""
PACE_NAMES = {"short": "quick", "medium": "moderate", "long": "lingering"}
"""What the ontology calls the speed of a shot of each length. That a shot's length is its speed is ours."""


@dataclass(frozen=True)
class Entry:
    """One thing to ask about."""

    level: Level
    dimension: EditingDimension
    span: Span
    """Where it is; empty at a hard cut."""
    evidence: tuple[Evidence, ...]
    """What was measured of it: the value, or at least where the shot or cut is."""
    gold: EditingValue | None
    """Its measured value; None where only a viewer can tell."""

    def task(self, family: str) -> str:
        """Name of the task."""
        return _task(family, self.level, self.dimension)


@dataclass(frozen=True)
class _Place:
    """Where a dimension can be asked about, and what was measured there."""

    span: Span
    evidence: tuple[Evidence, ...]
    gold: str | None = None


def entries(subject: ClipSubject, config: EditingConfig, ontology: EditingOntology) -> tuple[Entry, ...]:
    """At most `items_per_clip` entries, as many dimensions among them as can be, measured ones and others in turn.

    Dimensions that nothing measures are left out where there are no pictures to tell them by. The same subject and
    settings give the same entries.
    """
    facts = ClipFacts(subject.description, MeasuredConfig())
    draw = Draw(config.seed, subject.clip.clip_id, "editing")
    wanted = set(config.tasks.names(config.family))
    measured = [_queue(d, MEASURED[d.name](facts), wanted, config, draw) for d in _named(ontology, MEASURED)]
    seen = [_queue(d, SEEN[d.name](facts), wanted, config, draw) for d in _named(ontology, SEEN)]
    if not has_pictures(subject, config):
        seen = []
    in_turn = _in_turn([draw.shuffled([queue for queue in kind if queue]) for kind in (measured, seen)])
    return tuple(_in_turn(in_turn))[: config.items_per_clip]


def _in_turn(queues: Sequence[Sequence[T]]) -> list[T]:
    """The first of each queue, then the second of each, until all are empty."""
    longest = max(map(len, queues), default=0)
    return [queue[turn] for turn in range(longest) for queue in queues if turn < len(queue)]


def has_pictures(subject: ClipSubject, config: EditingConfig) -> bool:
    """Whether the settings leave anything to be seen of the clip."""
    description = subject.description
    there = {
        "none": False,
        "contact_sheet": description.contact_sheet is not None,
        "samples": bool(subject.samples),
        "keyframes": bool(description.keyframes),
    }
    return there[config.pictures]


def _named(ontology: EditingOntology, makers: Mapping[str, object]) -> list[EditingDimension]:
    return [dimension for dimension in ontology.dimensions if dimension.name in makers]


def _queue(
    dimension: EditingDimension, places: Iterable[_Place], wanted: set[str], config: EditingConfig, draw: Draw
) -> list[Entry]:
    """Every entry of a dimension in the order in which they are taken: all places, then the places at another level."""
    known = [place for place in places if place.gold is None or dimension.value(place.gold)]
    levels = draw.shuffled([level for level in get_args(Level) if _task(config.family, level, dimension) in wanted])
    shuffled = draw.shuffled(known)
    return [
        Entry(levels[(number + turn) % len(levels)], dimension, place.span, place.evidence,
              dimension.value(place.gold) if place.gold else None)
        for turn in range(len(levels))
        for number, place in enumerate(shuffled)
    ]  # fmt: skip


def _task(family: str, level: Level, dimension: EditingDimension) -> str:
    return f"{family}_{level}_{dimension.name}"


def _visible(facts: ClipFacts) -> list[int]:
    """Positions of shots that are long and bright enough to be looked at."""
    return [
        index
        for index, shot in enumerate(facts.shots)
        if shot.span.duration_s >= MIN_SHOT_S and not facts.is_mostly(shot.span, facts.description.black_spans)
    ]


def _colours(facts: ClipFacts) -> Iterator[_Place]:
    for index in _visible(facts):
        main = classes.main_colour(facts.shots[index].palette)
        if main:
            seen = observations.shot_seen(facts, index), observations.colour_seen(facts, index, *main)
            yield _Place(facts.shots[index].span, seen, main[0])


def _motions(facts: ClipFacts) -> Iterator[_Place]:
    """Stretches of one clear motion over a living picture, as the measured annotator asks about."""
    still = (*facts.description.frozen_spans, *facts.description.black_spans)
    for _, segment in facts.camera:
        is_long = segment.span.duration_s >= MIN_MOTION_S
        if segment.term in CLEAR_TERMS and is_long and not facts.touches(segment.span, still):
            yield _Place(segment.span, (observations.camera_seen(facts, segment),), segment.term)


def _speeds(facts: ClipFacts) -> Iterator[_Place]:
    """Freezes, and whole shots without one whose length has a word."""
    frozen = facts.description.frozen_spans
    for span in frozen:
        if not facts.touches(span, facts.description.black_spans):
            yield _Place(span, (observations.frozen_seen(facts, span),), "freeze")
    if facts.has_unnamed_transition:
        return
    for index in _visible(facts):
        span = facts.shots[index].span
        word = classes.SHOT_LENGTH.word(span.duration_s)
        if word and not facts.is_cut_off(index) and not facts.touches(span, frozen):
            seen = observations.shot_seen(facts, index), observations.duration_seen(span, "the shot")
            yield _Place(span, seen, PACE_NAMES[word])


def _transitions(facts: ClipFacts) -> Iterator[_Place]:
    """Transitions whose kind could be told."""
    for number, transition in enumerate(facts.transitions):
        if transition.kind != "gradual":
            yield _Place(transition.span, (observations.transition_seen(facts, number),), transition.kind)


def _shots(facts: ClipFacts) -> Iterator[_Place]:
    for index in _visible(facts):
        yield _Place(facts.shots[index].span, (observations.shot_seen(facts, index),))


def _cuts(facts: ClipFacts) -> Sequence[_Place]:
    """Hard cuts between two shots that can both be looked at."""
    if not facts.joints_fit:
        return ()
    visible = set(_visible(facts))
    return [
        _Place(transition.span, (observations.transition_seen(facts, number),))
        for number, transition in enumerate(facts.transitions)
        if transition.kind == "cut" and {number, number + 1} <= visible
    ]


_Maker = Callable[[ClipFacts], Iterable[_Place]]

MEASURED: Mapping[str, _Maker] = {
    "shot_colour": _colours,
    "shot_motion": _motions,
    "shot_speed": _speeds,
    "transition": _transitions,
}
"""Where each dimension with a measured value is."""
SEEN: Mapping[str, _Maker] = {
    "shot_subject": _shots,
    "shot_size": _shots,
    "shot_angle": _shots,
    "shot_location": _shots,
    "shot_type": _shots,
    "cut_type": _cuts,
}
"""Where each dimension is that only a viewer can tell."""
