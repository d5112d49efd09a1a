"""Answers about order, held against the signals: of events, of described frames, of fragments.

Here: one reader per task. Not here: the table (`stages.spoken.answers`). Each reader measures for itself what the
answer says; a form that it does not know gives None.
"""

import itertools
import re
from collections.abc import Callable, Sequence

from stages.evidence.claims import text_similarity
from stages.evidence.measurements import Finding, Measurements
from stages.spoken.answer_words import SAID_S, Asked, found, kind_named, of_kind, ordinals, quotation, term_named, times
from stages.spoken.answers_picture import shot_lumas

MIN_LOOK_SHARE = 0.35
"""Ours: a frame that is mostly of a colour belongs to a shot of which the colour covers so much."""
DARK_BELOW, BRIGHT_ABOVE = 0.25, 0.6
"""Ours: mean luma of shots whose frames are dark or bright."""
LEAST_SHOT_S = 0.3
"""Ours: how much a shot must show inside a fragment's place to be told."""

_THEN = ", then "
_LETTERED = re.compile(
    r"fragment ([A-Z]): (from \d+\.\d s to \d+\.\d s|the \d+\.\d s right (?:after|before) the [a-z0-9 ]+?)"
    r"(?=; fragment|\.|$|\?)"
)
_RIGHT_AT = re.compile(r"the (\d+\.\d) s right (after|before) the ([a-z0-9 ]+)")
_LATE = re.compile(r"fragment ([A-Z]) is played too (early|late)")

Starts = Callable[[str, Measurements], list[float]]
"""When something begins, in seconds from the clip's start; empty where it does not occur."""


def event_order(asked: Asked) -> Finding | None:
    """Which of several events comes first or last, or the order of three."""
    return _order(asked, _event_starts)


def frame_order(asked: Asked) -> Finding | None:
    """Which of several described frames comes first or last, or the order of three."""
    return _order(asked, _frame_starts)


def _order(asked: Asked, starts_of: Starts) -> Finding | None:
    if _THEN in asked.answer:
        starts = [starts_of(phrase, asked.measurements) for phrase in asked.answer.split(_THEN)]
        if any(len(found_at) != 1 for found_at in starts):
            return Finding("unchecked", "not everything named occurs exactly once")
        firsts = [found_at[0] for found_at in starts]
        said = ", ".join(f"{start:.2f} s" for start in firsts)
        return found(firsts == sorted(firsts), f"in the order that is said, they begin at {said}", firsts[0])
    is_first = "first" in asked.question
    if is_first == ("last" in asked.question):
        return None
    own = starts_of(asked.answer, asked.measurements)
    if not own:
        return found(False, f"{asked.answer} does not occur", None)
    pick = min if is_first else max
    others = [time for other in asked.others for time in starts_of(other, asked.measurements)]
    others = [time for time in others if time not in own]
    if not others:
        return Finding("unchecked", "nothing else that is offered occurs")
    mine, theirs = pick(own), pick(others)
    reason = f"it begins at {mine:.2f} s, the {'first' if is_first else 'last'} of the others at {theirs:.2f} s"
    return found(mine < theirs if is_first else mine > theirs, reason, mine)


def _event_starts(phrase: str, measurements: Measurements) -> list[float]:
    if phrase == "the picture freezes":
        return [measurements.seconds(span.start_pts) for span in measurements.held]
    term, kind = term_named(phrase), kind_named(phrase)
    if term:
        segments = [s for shot in measurements.camera for s in shot]
        return [measurements.seconds(s.span.start_pts) for s in segments if s.term == term]
    return [measurements.seconds(t.span.start_pts) for t in of_kind(kind[0], measurements)] if kind else []


def _frame_starts(phrase: str, measurements: Measurements) -> list[float]:
    """Starts of the shots whose frames fit a description."""
    starts = [measurements.seconds(shot.start_pts) for shot in measurements.shots]
    return [start for start, fits in zip(starts, _fitting(phrase, measurements), strict=True) if fits]


def _fitting(phrase: str, measurements: Measurements) -> list[bool]:
    """Which shots have frames that fit a description."""
    if said := quotation(phrase):
        limit = measurements.config.text_min_similarity
        alike = [t for t in measurements.description.text if text_similarity(said, t.text) >= limit]
        return [any(shot.holds(text.pts) for text in alike) for shot in measurements.shots]
    word = phrase.split()[-2] if len(phrase.split()) > 2 else ""
    if word in ("dark", "bright"):
        lumas = shot_lumas(measurements)
        return [luma < DARK_BELOW if word == "dark" else luma > BRIGHT_ABOVE for luma in lumas]
    fits = []
    for shot in measurements.shots:
        described = max(measurements.description.shots, key=lambda s: s.span.overlap_s(shot), default=None)
        palette = described.palette if described and described.span.overlap_s(shot) > 0 else ()
        fits.append(sum(colour.share for colour in palette if colour.name == word) >= MIN_LOOK_SHARE)
    return fits


def fragment_counting(asked: Asked) -> Finding | None:
    """How many shots a fragment shows something of."""
    when = times(asked.question)
    if len(when) != 2 or not asked.answer.isdecimal():
        return None
    count = len(asked.measurements.transitions_in(asked.measurements.between(*when))) + 1
    return found(int(asked.answer) == count, f"the fragment shows {count} shots", float(count), 0.0)


def fragment_consistency(asked: Asked) -> Finding | None:
    """Which of several fragments is of another shot than the others, or that none is."""
    pieces = _lettered(asked)
    if pieces is None or len(pieces) < 2:
        return None
    shots = {letter: _shot_at((start + end) / 2, asked.measurements) for letter, (start, end) in pieces.items()}
    if None in shots.values():
        return Finding("unchecked", "a fragment lies in a slow transition")
    same = len(set(shots.values())) == 1
    told = ", ".join(f"{letter} shot {number}" for letter, number in shots.items())
    if asked.answer.startswith("none"):
        return found(same, told, float(len(set(shots.values()))), 1.0)
    letter = asked.answer.removeprefix("fragment ")
    if letter not in shots:
        return None
    rest = {number for other, number in shots.items() if other != letter}
    return found(len(rest) == 1 and shots[letter] not in rest, told, float(len(set(shots.values()))), 2.0)


def fragment_localisation(asked: Asked) -> Finding | None:
    """From when to when a fragment that is named by the edit lies."""
    said, at_edit = times(asked.answer), _RIGHT_AT.search(asked.question)
    if len(said) != 2:
        return None
    if at_edit:
        place = _at_edit(at_edit, asked.measurements)
    else:
        number = next(iter(ordinals(asked.question)), 0)
        shots = asked.measurements.shots[number - 1 : number] if number else ()
        place = (asked.measurements.seconds(shots[0].start_pts),) * 2 if shots else None
    if place is None:
        return found(False, "the clip has no such place", None)
    apart, limit = abs(place[0] - said[0]), asked.slack_s
    return found(apart <= limit, f"it begins at {place[0]:.3f} s, {apart:.3f} s away", apart, limit)


def fragment_disorder_detection(asked: Asked) -> Finding | None:
    """Which of the fragments that are played is too early or too late, if any."""
    pieces, late = _lettered(asked), _LATE.search(asked.answer)
    if pieces is None or len(pieces) < 2 or not (late or asked.answer.startswith("none")):
        return None
    starts = [pieces[letter][0] for letter in sorted(pieces)]
    told = ", ".join(f"{start:.1f} s" for start in starts)
    if late is None:
        return found(starts == sorted(starts), f"they are played from {told}", starts[0])
    place = sorted(pieces).index(late[1]) if late[1] in pieces else -1
    rest = [start for number, start in enumerate(starts) if number != place]
    belongs = sum(start < starts[place] for start in rest)
    is_right = place >= 0 and rest == sorted(rest) and (belongs > place if late[2] == "early" else belongs < place)
    return found(is_right, f"they are played from {told}", starts[place])


def fragment_rearrangement(asked: Asked) -> Finding | None:
    """Which order puts shuffled fragments right."""
    pieces = _lettered(asked)
    letters = asked.answer.split(", ")
    if pieces is None or sorted(letters) != sorted(pieces):
        return None
    starts = [pieces[letter][0] for letter in letters]
    told = ", ".join(f"{start:.1f} s" for start in starts)
    return found(all(a < b for a, b in itertools.pairwise(starts)), f"in that order they begin at {told}", starts[0])


def _lettered(asked: Asked) -> dict[str, tuple[float, float]] | None:
    """Where each lettered fragment of the question lies, seconds from the clip's start; None where one is nowhere."""
    pieces: dict[str, tuple[float, float]] = {}
    for letter, phrase in _LETTERED.findall(asked.question):
        at_edit = _RIGHT_AT.match(phrase)
        place = _at_edit(at_edit, asked.measurements) if at_edit else _said_place(times(phrase))
        if place is None:
            return None
        pieces[letter] = place
    return pieces or None


def _said_place(said: Sequence[float]) -> tuple[float, float] | None:
    return (said[0], said[1]) if len(said) == 2 else None


def _at_edit(phrase: re.Match[str], measurements: Measurements) -> tuple[float, float] | None:
    """The stretch right after or before a transition."""
    length, named = float(phrase[1]), kind_named(phrase[3])
    same = of_kind(named[0], measurements) if named else ()
    number = (named[1] or 1) if named else 1
    if number > len(same):
        return None
    joint = same[number - 1].span
    start = (
        measurements.seconds(joint.end_pts) if phrase[2] == "after" else measurements.seconds(joint.start_pts) - length
    )
    return start, start + length


def _shot_at(when_s: float, measurements: Measurements) -> int | None:
    slack = SAID_S
    for number, shot in enumerate(measurements.shots, 1):
        if measurements.seconds(shot.start_pts) - slack <= when_s < measurements.seconds(shot.end_pts) + slack:
            return number
    return None
