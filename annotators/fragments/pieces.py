"""Fragments: where they may lie in a clip, and how they are spoken of.

Here: `Fragment`, those at given times and those at a change of shot, and their evidence. Not here: questions.
All lengths and margins are ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from annotators.measured import observations, options
from annotators.measured.draft import Reasoning
from annotators.measured.draw import Draw
from annotators.measured.facts import ClipFacts, ordinal, say_tenths
from schemas.evidence import Claim, Evidence
from schemas.time import Span

TENTHS = 6
"""How long a fragment lasts, in tenths of a second: less than moments among options lie apart, so that none meet."""
MARGIN_TENTHS = 2
"""How far from a change of shot, and from fragments at one, a fragment at a given time stays."""

MAX_JOINTS = 12
"""Changes of shot that are tried, so that a clip of very many takes no longer than others."""


@dataclass(frozen=True)
class Fragment:
    """A short stretch of the clip."""

    span: Span
    phrase: str
    """Where it is, as a question says it: `from 1.2 s to 1.8 s`, `the 0.6 s right after the second hard cut`."""
    seen: tuple[Evidence, ...]
    """What pins it to the clip's shots."""


def starts_in(facts: ClipFacts, index: int) -> tuple[int, int]:
    """First and last tenth of a second at which a fragment well inside a shot may start; the last may come first."""
    span = facts.shots[index].span
    return facts.tenths(span.start_pts) + MARGIN_TENTHS, facts.tenths(span.end_pts) - MARGIN_TENTHS - TENTHS


def at_time(facts: ClipFacts, tenths: int) -> Fragment:
    """The fragment that starts at a time, which lies in `starts_in` of a shot."""
    span = facts.span.replace(start_pts=facts.pts_at(tenths), end_pts=facts.pts_at(tenths + TENTHS))
    index = facts.shot_at(span.start_pts)
    seen = () if index is None else (observations.shot_seen(facts, index),)
    return Fragment(span, say_span(tenths, TENTHS), seen)


def at_joint(facts: ClipFacts, number: int, *, after: bool) -> Fragment | None:
    """The fragment right after or right before a transition; None where the shot there is too short for it."""
    joint, ticks = facts.transitions[number], facts.span.time_base.ticks(TENTHS / 10)
    shot = facts.shots[number + 1 if after else number].span
    start = joint.span.end_pts if after else joint.span.start_pts - ticks
    if start < shot.start_pts or start + ticks > shot.end_pts:
        return None
    span = facts.span.replace(start_pts=start, end_pts=start + ticks)
    phrase = f"the {say_tenths(TENTHS)} right {'after' if after else 'before'} {joint_name(facts, number)}"
    return Fragment(span, phrase, (observations.transition_seen(facts, number),))


def joints(facts: ClipFacts, draw: Draw) -> list[Fragment]:
    """Fragments at drawn transitions that have room for one, before or after it; one each, in order of time."""
    found = []
    for number in sorted(draw.sample(range(len(facts.transitions)), MAX_JOINTS)):
        first = draw.one_in(2)
        fragment = at_joint(facts, number, after=first) or at_joint(facts, number, after=not first)
        if fragment:
            found.append(fragment)
    return found


def joint_name(facts: ClipFacts, number: int) -> str:
    """What a transition is called among those of its kind: `the dissolve`, `the second hard cut`."""
    kind = facts.transitions[number].kind
    same = [n for n, other in enumerate(facts.transitions) if other.kind == kind]
    name = observations.TRANSITION_PHRASES[kind].removeprefix("a ")
    return f"the {name}" if len(same) == 1 else f"the {ordinal(same.index(number))} {name}"


def timed_between(
    facts: ClipFacts, draw: Draw, fixed: Sequence[Fragment], counts: Sequence[int]
) -> list[Fragment] | None:
    """Fragments at drawn times, so many before, between and after the fixed ones, with these, in order of time.

    `counts` has one number more than there are fixed fragments, which come in order. None where they do not fit.
    """
    edges = [
        facts.span.start_pts,
        *(pts for f in fixed for pts in (f.span.start_pts, f.span.end_pts)),
        facts.span.end_pts,
    ]
    found: list[Fragment] = []
    for gap, count in enumerate(counts):
        low, high = (facts.tenths(pts) for pts in edges[2 * gap : 2 * gap + 2])
        low, high = low + MARGIN_TENTHS, high - MARGIN_TENTHS - TENTHS
        inside = [(max(low, a), min(high, b)) for a, b in (starts_in(facts, n) for n in range(len(facts.shots)))]
        starts = options.spaced_moments(tuple((a, b) for a, b in inside if a <= b), count, draw)
        if starts is None:
            return None
        found += [at_time(facts, start) for start in sorted(starts)]
        found += fixed[gap : gap + 1]
    return found


def fragment_seen(facts: ClipFacts, name: str, fragment: Fragment) -> Evidence:
    """Exactly where a fragment lies; the claim is how long it lasts."""
    text = observations.sentence(f"{name} runs {facts.stretch(fragment.span)}")
    claim = Claim(quantity="duration", value=round(fragment.span.duration_s, 4))
    return Evidence(span=fragment.span, modality="frame", observation=text, claim=claim, source=observations.SOURCE)


def placed(facts: ClipFacts, fragments: Sequence[Fragment]) -> Reasoning:
    """The beginning of a chain: where each fragment lies, one step each, by the letters of their order."""
    reasoning = Reasoning()
    for position, fragment in enumerate(fragments):
        seen = fragment_seen(facts, f"fragment {letter(position)}", fragment)
        text = " ".join(piece.observation for piece in (seen, *fragment.seen))
        reasoning.step("locate" if position else "observe", text, fragment.span, seen, *fragment.seen)
    return reasoning


def say_span(start_tenths: int, length_tenths: int) -> str:
    """A stretch in words: `from 1.2 s to 1.8 s`."""
    return f"from {say_tenths(start_tenths)} to {say_tenths(start_tenths + length_tenths)}"


def letter(position: int) -> str:
    """The letter that a fragment is called by: A for the first."""
    return chr(ord("A") + position)


def listed(fragments: Sequence[Fragment]) -> str:
    """Fragments with their letters, as a question lists them."""
    return "; ".join(f"fragment {letter(n)}: {fragment.phrase}" for n, fragment in enumerate(fragments))
