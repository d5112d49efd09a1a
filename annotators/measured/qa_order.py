"""Questions about order: which of several events comes first or last, and which of several described frames.

Here: one maker per task, `ClipFacts` in, drafts or an abstention out. Where too few things occur, things that are
known not to occur fill the options. Not here: options (`options`), evidence words.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from annotators.measured import classes, observations
from annotators.measured.draft import Abstention, Draft, Drafts, Reasoning
from annotators.measured.draw import Draw
from annotators.measured.facts import MIN_MOTION_S, MOVING_TERMS, ClipFacts
from annotators.measured.qa_text import SAME_TEXT, similarity
from schemas.evidence import Evidence
from schemas.label import ReasoningRole

MIN_GAP_S = 0.5
"""Ours: things whose order is asked for lie at least this far apart, doubt about when they begin included."""
CAMERA_DOUBT_S = 0.5
"""Ours: how far off the start of a camera motion may be."""
MIN_LOOK_SHARE = 0.5
"""Ours: a frame described by a colour belongs to a shot that the colour covers at least this much of …"""
MAX_OTHER_SHARE = 0.2
"""… while it covers at most this much of every other shot."""

MIN_LOOK_LUMA = 0.15
"""Ours: a frame described as dark or bright belongs to a shot whose mean luma differs this much from every other's."""
N_IN_SEQUENCE = 3
"""Things whose whole order is asked for."""
MAX_SEQUENCES = 6
"""Orders that so many things can have."""

COLOURS = ("black", "white", "grey", "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown")


@dataclass(frozen=True)
class Occurrence:
    """Something that occurs once in the clip, with the first and last pts at which it may begin."""

    phrase: str
    earliest_pts: int
    latest_pts: int
    seen: tuple[Evidence, ...]


class Wording(NamedTuple):
    """Ways to ask for the first or last of several things, and for the order of three."""

    extreme: tuple[str, ...]
    sequence: tuple[str, ...]


EVENT_WORDING = Wording(
    ("Which of these comes {} in the clip?", "Of these events, which is the {} in the clip?"),
    ("In which order do these events come in the clip?", "Which of these sequences of events does the clip show?"),
)
FRAME_WORDING = Wording(
    ("Which of these frames comes {} in the clip?", "Which of these frames does the clip show {}?"),
    ("In which order do these frames come in the clip?", "Which of these sequences of frames does the clip show?"),
)


def event_order(facts: ClipFacts, draw: Draw) -> Drafts:
    """Which of several measured events comes first."""
    if not facts.joints_fit:
        return Abstention("the shots and transitions of the clip do not meet exactly, or a shot is black")
    events = [*_transitions(facts), *_camera_motions(facts), *_freezes(facts)]
    apart = _apart(facts, draw, events, MIN_GAP_S)
    return _ask(facts, draw, apart, _absent_events(facts), EVENT_WORDING)


def frame_order(facts: ClipFacts, draw: Draw) -> Drafts:
    """Which described frame comes first."""
    if not facts.joints_fit:
        return Abstention("the shots and transitions of the clip do not meet exactly, or a shot is black")
    frames = [look for index in range(len(facts.shots)) for look in _look(facts, draw, index)]
    absent = [
        f"a mostly {name} frame"
        for name in COLOURS
        if all(classes.largest_share(shot.palette, name) <= MAX_OTHER_SHARE for shot in facts.shots)
    ]
    return _ask(facts, draw, _apart(facts, draw, frames, 0.0), absent, FRAME_WORDING)


def _ask(facts: ClipFacts, draw: Draw, apart: Sequence[Occurrence], absent: Sequence[str], wording: Wording) -> Drafts:
    """Which comes first or last, or the order of three of them, as there are enough things for it."""
    n_options = facts.config.n_options
    if len(apart) < 2:
        return Abstention("fewer than two things lie clearly apart in time")
    n_fillers = max(0, n_options - len(apart))
    has_fillers = len(absent) >= n_fillers
    if len(apart) >= N_IN_SEQUENCE and n_options <= MAX_SEQUENCES and (not has_fillers or draw.one_in(2)):
        return (_sequence(facts, draw, draw.sample(apart, N_IN_SEQUENCE), wording),)
    if not has_fillers:
        return Abstention("there are not enough things that surely occur or surely do not")
    return (_extreme(facts, draw, draw.sample(apart, n_options), draw.sample(absent, n_fillers), wording),)


def _sequence(facts: ClipFacts, draw: Draw, kept: list[Occurrence], wording: Wording) -> Draft:
    kept.sort(key=lambda occurrence: occurrence.earliest_pts)
    orders = [", then ".join(order) for order in itertools.permutations(one.phrase for one in kept)]
    wrong = draw.sample(orders[1:], facts.config.n_options - 1)
    reasoning = _order_reasoning(facts, kept)
    cited = [seen for occurrence in kept for seen in occurrence.seen]
    reasoning.step("conclude", f"So the order is: {orders[0]}.", facts.span, *cited)
    return Draft(draw.choice(wording.sequence), orders[0], tuple(wrong), facts.span, reasoning)


def _extreme(facts: ClipFacts, draw: Draw, kept: list[Occurrence], fillers: list[str], wording: Wording) -> Draft:
    kept.sort(key=lambda occurrence: occurrence.earliest_pts)
    word = draw.choice(("first", "last"))
    answer = kept[0] if word == "first" else kept[-1]
    others = [occurrence.phrase for occurrence in kept if occurrence is not answer]
    reasoning = _order_reasoning(facts, kept)
    reasoning.step("conclude", f"Of what is offered, {answer.phrase} comes {word}.", facts.span, *answer.seen)
    question = draw.choice(wording.extreme).format(word)
    return Draft(question, answer.phrase, (*others, *fillers), facts.span, reasoning)


def _order_reasoning(facts: ClipFacts, kept: Sequence[Occurrence]) -> Reasoning:
    reasoning = Reasoning()
    for number, occurrence in enumerate(kept):
        role: ReasoningRole = "locate" if number else "observe"
        text = " ".join(seen.observation for seen in occurrence.seen)
        reasoning.step(role, text, occurrence.seen[-1].span, *occurrence.seen)
    cited = [seen for occurrence in kept for seen in occurrence.seen]
    times = ", ".join(f"{one.phrase} ({facts.time(one.seen[-1].span.start_pts)})" for one in kept)
    reasoning.step("relate", f"Along the clip's timeline: {times}.", facts.span, *cited)
    return reasoning


def _apart(facts: ClipFacts, draw: Draw, occurrences: Sequence[Occurrence], gap_s: float) -> list[Occurrence]:
    """Those of the occurrences, taken in a drawn order, that lie apart whatever the doubt about their starts."""
    gap = facts.span.time_base.ticks(gap_s)
    kept: list[Occurrence] = []
    for one in draw.shuffled(occurrences):
        if all(one.earliest_pts - k.latest_pts >= gap or k.earliest_pts - one.latest_pts >= gap for k in kept):
            kept.append(one)
    return kept


def _transitions(facts: ClipFacts) -> list[Occurrence]:
    """Transitions of a kind that occurs once."""
    found = []
    kinds = [transition.kind for transition in facts.transitions]
    for number, transition in enumerate(facts.transitions):
        # A slow change of unknown kind could be a second dissolve, fade or wipe, but never a second cut.
        is_sure = transition.kind == "cut" or not facts.has_unnamed_transition
        if transition.kind != "gradual" and kinds.count(transition.kind) == 1 and is_sure:
            seen = observations.transition_seen(facts, number)
            start = transition.span.start_pts
            found.append(
                Occurrence(observations.TRANSITION_PHRASES[transition.kind], start, transition.span.end_pts, (seen,))
            )
    return found


def _camera_motions(facts: ClipFacts) -> list[Occurrence]:
    """Camera motions that occur once, where no stretch of the clip leaves the camera in doubt."""
    if not facts.camera_is_clear:
        return []
    terms = [segment.term for _, segment in facts.camera]
    doubt = facts.span.time_base.ticks(CAMERA_DOUBT_S)
    found = []
    for index, segment in facts.camera:
        is_long = segment.span.duration_s >= MIN_MOTION_S
        if is_long and segment.term in MOVING_TERMS and terms.count(segment.term) == 1:
            before = facts.transition_before(index)
            earliest = segment.span.start_pts - doubt
            if before is not None and earliest <= before.span.end_pts:
                # The shot fades in while the motion may already be under way.
                earliest = before.span.start_pts
            seen = (observations.shot_seen(facts, index), observations.camera_seen(facts, segment))
            phrase = observations.CAMERA_PHRASES[segment.term]
            found.append(Occurrence(phrase, earliest, segment.span.start_pts + doubt, seen))
    return found


def _freezes(facts: ClipFacts) -> list[Occurrence]:
    if len(facts.description.frozen_spans) != 1:
        return []
    span = facts.description.frozen_spans[0]
    index = facts.shot_at(span.start_pts)
    if index is None or facts.touches(span, facts.description.black_spans):
        return []
    seen = (observations.shot_seen(facts, index), observations.frozen_seen(facts, span))
    return [Occurrence("the picture freezes", span.start_pts, span.start_pts, seen)]


def _absent_events(facts: ClipFacts) -> list[str]:
    """Events that surely do not occur."""
    absent = []
    if not facts.has_unnamed_transition:
        kinds = {transition.kind for transition in facts.transitions}
        absent += [observations.TRANSITION_PHRASES[kind] for kind in ("dissolve", "fade_out_in") if kind not in kinds]
    if facts.camera_is_clear:
        terms = {segment.term for _, segment in facts.camera}
        absent += [observations.CAMERA_PHRASES[term] for term in MOVING_TERMS if term not in terms]
    if not facts.description.frozen_spans:
        absent.append("the picture freezes")
    return absent


def _look(facts: ClipFacts, draw: Draw, index: int) -> list[Occurrence]:
    """One way to describe a frame of a shot that fits no frame of another shot; none where there is none."""
    looks = [*_by_text(facts, index), *_by_colour(facts, index), *_by_brightness(facts, index)]
    if not looks:
        return []
    phrase, seen = draw.choice(looks)
    shot = facts.shots[index].span
    return [Occurrence(phrase, shot.start_pts, shot.end_pts, (observations.shot_seen(facts, index), seen))]


Look = tuple[str, Evidence]


def _by_colour(facts: ClipFacts, index: int) -> list[Look]:
    shares = classes.colour_shares(facts.shots[index].palette)
    others = [shot for other, shot in enumerate(facts.shots) if other != index]
    return [
        (f"a mostly {name} frame", observations.colour_seen(facts, index, name, share))
        for name, share in shares.items()
        if share >= MIN_LOOK_SHARE
        and all(classes.largest_share(other.palette, name) <= MAX_OTHER_SHARE for other in others)
    ]


def _by_brightness(facts: ClipFacts, index: int) -> list[Look]:
    lumas = [shot.luma_mean for shot in facts.shots]
    word = classes.BRIGHTNESS.word(lumas[index])
    is_alone = all(abs(luma - lumas[index]) >= MIN_LOOK_LUMA for other, luma in enumerate(lumas) if other != index)
    is_sure = word in (classes.BRIGHTNESS.low, classes.BRIGHTNESS.high) and is_alone
    return [(f"a {word} frame", observations.luma_seen(facts, index))] if is_sure else []


def _by_text(facts: ClipFacts, index: int) -> list[Look]:
    sure = [text for text in facts.sure_texts if text in facts.texts_in(index)]
    elsewhere = [text for other in range(len(facts.shots)) if other != index for text in facts.texts_in(other)]
    return [
        (f"a frame with the text {observations.quoted(text.text)}", observations.text_seen(facts, text))
        for text in sure[:1]
        if all(similarity(text.text, other.text) < SAME_TEXT for other in elsewhere)
    ]
