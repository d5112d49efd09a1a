"""Answers about the editing, held against the signals: counts, kinds and times of transitions, lengths of shots.

Here: one reader per task. Not here: the table (`stages.spoken.answers`), answers about camera, picture and order.
Each reader measures for itself what the answer says; a form that it does not know gives None.
"""

from stages.evidence.measurements import Finding
from stages.spoken.answer_words import SAID_S, Asked, found, kind_named, of_kind, ordinals, times

SAME_RATIO = 1.04
"""Ours: shots whose lengths differ by less than this are equally long to a viewer."""
_EQUAL = "equally"


def shot_count(asked: Asked) -> Finding | None:
    """How many shots the clip has."""
    if not asked.answer.isdecimal():
        return None
    count = len(asked.measurements.shots)
    return found(int(asked.answer) == count, f"the clip has {count} shots", float(count), 0.0)


def transition_kind(asked: Asked) -> Finding | None:
    """What transition there is at a time, or that there is none."""
    when, named = times(asked.question), kind_named(asked.answer)
    if len(when) != 1 or (named is None and not asked.answer.startswith("no transition")):
        return None
    there = [t for t in asked.measurements.transitions if asked.shows(t.span, when[0])]
    kinds = sorted({transition.kind for transition in there})
    reason = f"{', '.join(kinds) or 'no transition'} is measured at {when[0]:.1f} s"
    if named is None:
        return found(not there, reason, float(len(there)), 0.0)
    if named[0] not in kinds and "gradual" in kinds and named[0] != "cut":
        return Finding("unchecked", reason, float(len(there)))
    return found(named[0] in kinds, reason, float(len(there)), 0.0)


def transition_time(asked: Asked) -> Finding | None:
    """When a transition, named by its kind and position among its kind, happens."""
    named, when = kind_named(asked.question), times(asked.answer)
    if named is None or len(when) != 1:
        return None
    same = of_kind(named[0], asked.measurements)
    meant = same if named[1] is None else same[named[1] - 1 : named[1]]
    if not meant:
        return found(False, f"the clip has {len(same)} transitions of the kind {named[0]}", float(len(same)))
    spans = [tuple(map(asked.measurements.seconds, (t.span.start_pts, t.span.end_pts))) for t in meant]
    apart = min(max(start - when[0], when[0] - end, 0.0) for start, end in spans)
    reason = f"the {named[0]} is {apart:.3f} s away from {when[0]:.1f} s"
    return found(apart <= asked.slack_s, reason, apart, asked.slack_s)


def shot_duration(asked: Asked) -> Finding | None:
    """How long a shot lasts."""
    which, said = ordinals(asked.question), times(asked.answer)
    if len(which) != 1 or len(said) != 1:
        return None
    shots = asked.measurements.shots
    if which[0] > len(shots):
        return found(False, f"the clip has {len(shots)} shots", float(len(shots)))
    length = shots[which[0] - 1].duration_s
    tolerance = SAID_S + asked.measurements.config.duration_tolerance_frames * asked.measurements.frame_s
    return found(abs(length - said[0]) <= tolerance, f"the shot lasts {length:.3f} s", length, tolerance)


def longest_shot(asked: Asked) -> Finding | None:
    """Which shot lasts longest, whatever slow transitions are counted to it; or that all last equally long."""
    shots = asked.measurements.shots
    least = [shot.duration_s for shot in shots]
    most = [length + _slow_at(number, asked) for number, length in enumerate(least)]
    if len(shots) < 2:
        return None
    if _EQUAL in asked.answer:
        ratio = max(least) / min(most)
        if max(most) <= SAME_RATIO * min(least):
            return found(True, "the longest shot is hardly longer than the shortest", ratio, SAME_RATIO)
        reason = f"the longest shot is {ratio:.2f} times as long as the shortest"
        return found(False, reason, ratio, SAME_RATIO) if ratio > SAME_RATIO else Finding("unchecked", reason, ratio)
    which = ordinals(asked.answer)
    if len(which) != 1 or which[0] > len(shots):
        return found(False, f"the clip has {len(shots)} shots", float(len(shots))) if len(which) == 1 else None
    index = which[0] - 1
    others_least = max(length for number, length in enumerate(least) if number != index)
    others_most = max(length for number, length in enumerate(most) if number != index)
    ratio = least[index] / others_most
    reason = f"shot {which[0]} lasts {ratio:.2f} times as long as the longest other"
    if ratio > SAME_RATIO:
        return found(True, reason, ratio, SAME_RATIO)
    if most[index] < SAME_RATIO * others_least:
        return found(False, reason, ratio, SAME_RATIO)
    return Finding("unchecked", reason, ratio, threshold=SAME_RATIO)


def _slow_at(number: int, asked: Asked) -> float:
    """Seconds of the slow transitions at either end of a shot, inside the clip."""
    shot = asked.measurements.shots[number]
    inside = asked.measurements.transitions_in(asked.measurements.clip_span)
    return sum(
        t.span.duration_s
        for t in inside
        if t.span.end_pts == shot.start_pts or t.span.start_pts == shot.end_pts
    )  # fmt: skip
