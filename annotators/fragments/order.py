"""Fragments in a row: whether one is out of place, and which order puts shuffled ones right.

Here: disorder detection and rearrangement, `ClipFacts` in, a draft or an abstention out. Not here: fragments by
themselves (`single`).

Fragments at times stand beside fragments at changes of shot. Who has not seen the clip can sort the first by their
times and the second by their numbers, but not one kind among the other: every option that is offered is in keeping with
what can be sorted that way.
"""

from collections.abc import Iterator, Sequence
from math import comb

from annotators.fragments import pieces
from annotators.fragments.pieces import Fragment
from annotators.measured.draft import Abstention, Draft
from annotators.measured.draw import Draw
from annotators.measured.facts import ClipFacts
from schemas.evidence import Evidence

IN_ORDER = "none: they are played in the clip's order"
N_BESIDE = 2
"""Fragments at times that are played before the one in question, and as many after it. With two on each side, no other
fragment could be moved in its place to put things right, and where it stands tells nothing."""
MAX_FRAGMENTS = 5
"""Ours: more fragments than this are hard to keep in mind."""
ATTEMPTS = 6
"""Ours: how often fragments are drawn anew before a place is given up."""

_NO_ROOM = "the clip has no change of shot with room for enough fragments about it"


def disorder_detection(facts: ClipFacts, draw: Draw) -> Draft | Abstention:
    """Which of five fragments that are played one after the other is out of place, if any is."""
    for wanted in draw.shuffled(("in order", "too early", "too late")):
        for anchor in draw.shuffled(pieces.joints(facts, draw)):
            found = _about(facts, draw, anchor, wanted)
            if found:
                return _disorder(facts, draw, found, anchor, wanted)
    return Abstention(_NO_ROOM)


def _about(facts: ClipFacts, draw: Draw, anchor: Fragment, wanted: str) -> list[Fragment] | None:
    """Fragments before and after the place at which the anchor is played, with the anchor where it belongs.

    Where that is another place, room for it is left where it is played: a gap too small for it would give it away.
    """
    if wanted == "in order":
        return pieces.timed_between(facts, draw, (anchor,), (N_BESIDE, N_BESIDE))
    is_early = wanted == "too early"
    for _ in range(ATTEMPTS):
        alone = pieces.timed_between(facts, draw, (anchor,), (1, 0) if is_early else (0, 1))
        if alone is None:
            return None
        room = alone[0 if is_early else 1]
        counts = (N_BESIDE, N_BESIDE, 0) if is_early else (0, N_BESIDE, N_BESIDE)
        found = pieces.timed_between(facts, draw, alone, counts)
        if found:
            return [fragment for fragment in found if fragment is not room]
    return None


def _disorder(facts: ClipFacts, draw: Draw, in_order: list[Fragment], anchor: Fragment, wanted: str) -> Draft:
    """The fragment at the change of shot is always played third; what varies is where it belongs."""
    rest = [fragment for fragment in in_order if fragment is not anchor]
    played = [*rest[:N_BESIDE], anchor, *rest[N_BESIDE:]]
    name = f"fragment {pieces.letter(N_BESIDE)}"
    outcomes = {"in order": IN_ORDER} | {how: f"{name} is played {how}" for how in ("too early", "too late")}
    answer = outcomes.pop(wanted)
    others = [f"fragment {x} is played too {how}" for x, how in (("A", "early"), ("B", "early"), ("B", "late"),
              ("D", "early"), ("D", "late"), ("E", "late"))]  # fmt: skip
    n_wrong = facts.config.n_options - 1
    wrong = draw.sample(list(outcomes.values()), n_wrong)
    wrong += draw.sample(others, n_wrong - len(wrong))
    reasoning = pieces.placed(facts, played)
    reasoning.step("relate", _along(facts, played), facts.span, *_cited(in_order))
    said = "They are played in the clip's order." if wanted == "in order" else f"Of the five, {answer}."
    reasoning.step("conclude", said, facts.span, *_cited([anchor]))
    question = draw.choice(
        (
            "These fragments of the clip are played one after the other: {}. Which one, if any, is out of the clip's "
            "order?",
            "Somebody plays fragments of the clip in this order: {}. Is one of them at the wrong place, and which?",
            "In this row of fragments of the clip, which one is not where the clip has it? {}.",
        )
    ).format(pieces.listed(played))
    return Draft(question, answer, tuple(wrong), facts.span, reasoning)


def rearrangement(facts: ClipFacts, draw: Draw) -> Draft | Abstention:
    """Which order puts shuffled fragments right."""
    n_options = facts.config.n_options
    anchors = pieces.joints(facts, draw)
    for n_fixed, n_timed in draw.shuffled(list(_mixtures(n_options, len(anchors)))):
        fixed = sorted(draw.sample(anchors, n_fixed), key=lambda fragment: fragment.span.start_pts)
        for counts in draw.shuffled(list(_shares(n_timed, n_fixed + 1))):
            for _ in range(ATTEMPTS):
                found = pieces.timed_between(facts, draw, fixed, counts)
                orders = list(_possible(facts, found, fixed)) if found else []
                if found and len(orders) >= n_options:
                    return _rearranged(facts, draw, found, orders)
    return Abstention(_NO_ROOM)


def _mixtures(n_options: int, n_anchors: int) -> Iterator[tuple[int, int]]:
    """How many fragments at changes of shot and at times: few, but in as many orders as there are options."""
    for n_fixed in range(1, min(2, n_anchors) + 1):
        for n_timed in range(2, MAX_FRAGMENTS - n_fixed + 1):
            if comb(n_fixed + n_timed, n_fixed) >= n_options:
                yield n_fixed, n_timed
                break


def _shares(n: int, parts: int) -> Iterator[tuple[int, ...]]:
    """Every way to share `n` among so many parts."""
    if parts == 1:
        yield (n,)
        return
    for first in range(n + 1):
        for rest in _shares(n - first, parts - 1):
            yield (first, *rest)


def _rearranged(facts: ClipFacts, draw: Draw, in_order: list[Fragment], orders: Sequence[Sequence[Fragment]]) -> Draft:
    shuffled = draw.shuffled(in_order)
    answer, *wrong = (_said(order, shuffled) for order in (in_order, *orders))
    wrong = draw.sample([order for order in wrong if order != answer], facts.config.n_options - 1)
    reasoning = pieces.placed(facts, shuffled)
    reasoning.step("relate", _along(facts, shuffled), facts.span, *_cited(in_order))
    reasoning.step("conclude", f"So the order is {answer}.", facts.span, *_cited(in_order))
    question = draw.choice(
        (
            "These fragments of the clip are shuffled: {}. In which order does the clip show them?",
            "Put these fragments into the order in which the clip has them: {}.",
            "Which order of these fragments is that of the clip? {}.",
        )
    ).format(pieces.listed(shuffled))
    return Draft(question, answer, tuple(wrong), facts.span, reasoning)


def _said(order: Sequence[Fragment], lettered: Sequence[Fragment]) -> str:
    return ", ".join(pieces.letter(lettered.index(fragment)) for fragment in order)


def _possible(facts: ClipFacts, in_order: Sequence[Fragment], fixed: Sequence[Fragment]) -> Iterator[list[Fragment]]:
    """Every order in which each of the two kinds keeps its own, and times leave room for what stands between them."""
    timed = [fragment for fragment in in_order if fragment not in fixed]
    ends = [facts.span.start_pts, *(fragment.span.end_pts for fragment in timed)]
    starts = [*(fragment.span.start_pts for fragment in timed), facts.span.end_pts]
    room = [
        (start - end) // facts.span.time_base.ticks(pieces.TENTHS / 10) for end, start in zip(ends, starts, strict=True)
    ]
    for shares in _shares(len(fixed), len(timed) + 1):
        if all(share <= there for share, there in zip(shares, room, strict=True)):
            rest = iter(fixed)
            order = [next(rest) for _ in range(shares[0])]
            for fragment, share in zip(timed, shares[1:], strict=True):
                order += [fragment, *(next(rest) for _ in range(share))]
            yield order


def _along(facts: ClipFacts, fragments: Sequence[Fragment]) -> str:
    starts = sorted((fragment.span.start_pts, pieces.letter(position)) for position, fragment in enumerate(fragments))
    return f"Along the clip's timeline: {', '.join(f'{letter} ({facts.time(pts)})' for pts, letter in starts)}."


def _cited(fragments: Sequence[Fragment]) -> list[Evidence]:
    return list(dict.fromkeys(seen for fragment in fragments for seen in fragment.seen))
