"""Fragments by themselves: how many shots one shows, which one is of another shot, where one lies.

Here: counting, consistency and localisation, `ClipFacts` in, a draft or an abstention out. Not here: order (`order`).
"""

from collections.abc import Sequence

from annotators.fragments import pieces
from annotators.fragments.pieces import Fragment
from annotators.measured import observations, options
from annotators.measured.draft import Abstention, Draft, Reasoning
from annotators.measured.draw import Draw
from annotators.measured.facts import ClipFacts, ordinal
from schemas.evidence import Claim, Evidence
from schemas.time import Span

MIN_SEEN_S = 0.5
"""Ours: where a shot is shorter, shots are not counted or named by order, for a viewer may miss it."""
EDGE_TENTHS = 5
"""Ours: a fragment whose shots are counted begins and ends this far from a change of shot, in tenths of a second."""
N_COMPARED = 3
"""Ours: least number of fragments of which one may be of another shot."""
SAME_SHOT = "none: they are all from one shot"


def counting(facts: ClipFacts, draw: Draw) -> Draft | Abstention:
    """How many shots a longer fragment shows."""
    n_shots, n_options = len(facts.shots), facts.config.n_options
    if n_shots == 1 and not draw.one_in(n_options):
        return Abstention(f"the clip is a single shot, and only one such clip in {n_options} is asked about")
    several = draw.shuffled(range(2, n_shots + 1))
    # One shot has no smaller number beside it among the options: it is asked for seldom.
    counts = [1, *several] if draw.one_in(n_options) else [*several, 1]
    roomy = {n for n in range(n_shots) if facts.shots[n].span.duration_s >= EDGE_TENTHS / 5}
    for count in counts:
        for first in draw.shuffled([n for n in sorted(roomy) if n + count - 1 in roomy]):
            span = _over(facts, draw, first, first + count - 1)
            if span:
                return _counted(facts, draw, span, first, count)
    return Abstention("the shots are too short to begin and end a fragment in")


def _over(facts: ClipFacts, draw: Draw, first: int, last: int) -> Span | None:
    """A drawn stretch that begins in one shot and ends in another, well away from every change of shot."""
    begin, end = facts.shots[first].span, facts.shots[last].span
    low, high = facts.tenths(begin.start_pts) + EDGE_TENTHS, facts.tenths(end.end_pts) - EDGE_TENTHS
    latest = min(facts.tenths(begin.end_pts) - EDGE_TENTHS, high - pieces.TENTHS)
    if latest < low:
        return None
    start = low + draw.below(latest - low + 1)
    earliest = max(facts.tenths(end.start_pts) + EDGE_TENTHS, start + pieces.TENTHS)
    if high < earliest:
        return None
    stop = earliest + draw.below(high - earliest + 1)
    return facts.span.replace(start_pts=facts.pts_at(start), end_pts=facts.pts_at(stop))


def _counted(facts: ClipFacts, draw: Draw, span: Span, first: int, count: int) -> Draft:
    where = facts.stretch(span)
    counted = _transitions_in(facts, span, count - 1)
    reasoning = Reasoning()
    begin = observations.shot_seen(facts, first)
    reasoning.step("observe", f"{begin.observation[:-1]}, and the fragment begins in it.", begin.span, begin)
    for number in range(first, first + count - 1):
        seen = observations.transition_seen(facts, number)
        reasoning.step("locate", f"{seen.observation[:-1]}, where a new shot begins.", seen.span, seen)
    reasoning.step("relate", "Every change of shot in the fragment adds a shot to the first.", span, counted)
    reasoning.step("conclude", f"The fragment shows {count} shot{'s' if count > 1 else ''}.", span, counted)
    question = draw.choice(
        (
            f"How many shots does the fragment of the clip {where} show, shots that are cut off by its ends included?",
            f"Count the shots of which anything is seen in the fragment {where}. How many are there?",
            f"Of how many different shots does the fragment {where} show something?",
        )
    )
    wrong = options.count_options(count, facts.config.n_options, draw)
    return Draft(question, str(count), tuple(map(str, wrong)), span, reasoning)


def _transitions_in(facts: ClipFacts, span: Span, count: int) -> Evidence:
    text = f"the fragment {facts.stretch(span)} holds {count or 'no'} transition{'' if count == 1 else 's'}"
    claim = Claim(quantity="transition_count", value=count)
    return Evidence(
        span=span, modality="cut", observation=observations.sentence(text), claim=claim, source=observations.SOURCE
    )


def consistency(facts: ClipFacts, draw: Draw) -> Draft | Abstention:
    """Which of several fragments is of another shot than the rest, if any is."""
    n_options = facts.config.n_options
    n_compared = max(N_COMPARED, n_options - 1)
    wants_same = draw.one_in(n_options)
    if len(facts.shots) == 1 and not wants_same:
        return Abstention(f"the clip is a single shot, and only one such clip in {n_options} is asked about")
    make = (_of_one_shot, _with_another) if wants_same else (_with_another,)
    for found in (attempt(facts, draw, n_compared) for attempt in make):
        if found:
            return _compared(facts, draw, *found)
    return Abstention("no shot has room for enough fragments beside another shot")


def _of_one_shot(facts: ClipFacts, draw: Draw, count: int) -> tuple[list[Fragment], Fragment | None] | None:
    for index in draw.shuffled(range(len(facts.shots))):
        starts = options.spaced_moments((pieces.starts_in(facts, index),), count, draw)
        if starts:
            return draw.shuffled([pieces.at_time(facts, start) for start in starts]), None
    return None


def _with_another(facts: ClipFacts, draw: Draw, count: int) -> tuple[list[Fragment], Fragment | None] | None:
    """All but one fragment of one shot, and one of a neighbour of it: farther ones would stand out by their times."""
    pairs = [(n, other) for n in range(len(facts.shots)) for other in (n - 1, n + 1) if 0 <= other < len(facts.shots)]
    for index, other in draw.shuffled(pairs):
        starts = options.spaced_moments((pieces.starts_in(facts, index),), count - 1, draw)
        odd = options.spaced_moments((pieces.starts_in(facts, other),), 1, draw)
        if starts and odd:
            stranger = pieces.at_time(facts, odd[0])
            return draw.shuffled([*(pieces.at_time(facts, start) for start in starts), stranger]), stranger
    return None


def _compared(facts: ClipFacts, draw: Draw, fragments: Sequence[Fragment], stranger: Fragment | None) -> Draft:
    names = [f"fragment {pieces.letter(position)}" for position in range(len(fragments))]
    answer = names[fragments.index(stranger)] if stranger else SAME_SHOT
    reasoning = pieces.placed(facts, fragments)
    cited = list(dict.fromkeys(seen for fragment in fragments for seen in fragment.seen))
    said = f"Only {answer} is of another shot." if stranger else "They are all of the same shot."
    reasoning.step("conclude", said, facts.span, *cited)
    question = draw.choice(
        (
            "Of these fragments, which one is from another shot than the others? {}.",
            "All of these fragments but at most one are from the same shot; which one is not? {}.",
            "Which of these fragments does not belong to the shot of the others, if any? {}.",
        )
    ).format(pieces.listed(fragments))
    n_wrong = facts.config.n_options - 1
    others = [name for name in names if name != answer]
    wrong = [*draw.sample(others, n_wrong - 1), SAME_SHOT] if stranger else draw.sample(others, n_wrong)
    return Draft(question, answer, tuple(wrong), facts.span, reasoning)


def localisation(facts: ClipFacts, draw: Draw) -> Draft | Abstention:
    """Where in the clip a fragment lies that is named by the edit: at a change of shot, or a whole shot."""
    candidates: list[tuple[str, Span, tuple[Evidence, ...]]] = [
        (fragment.phrase, fragment.span, fragment.seen) for fragment in pieces.joints(facts, draw)
    ]
    # Where the first shot begins, and the last ends, anybody knows.
    for index in range(1, len(facts.shots) - 1):
        seen = observations.shot_seen(facts, index)
        candidates.append((f"the {ordinal(index)} shot", seen.span, (seen,)))
    for phrase, span, seen_there in draw.shuffled(candidates):
        draft = _located(facts, draw, phrase, span, seen_there)
        if draft:
            return draft
    return Abstention("the clip has no change of shot, or is too short for other places that could be meant")


def _located(facts: ClipFacts, draw: Draw, phrase: str, span: Span, seen: tuple[Evidence, ...]) -> Draft | None:
    start, length = facts.tenths(span.start_pts), facts.tenths(span.end_pts) - facts.tenths(span.start_pts)
    last = facts.tenths(facts.span.end_pts) - length
    wrong = options.moment_options(start, ((0, last),), facts.config.n_options - 1, draw)
    if wrong is None:
        return None
    answer = pieces.say_span(start, length)
    where = pieces.fragment_seen(facts, "the fragment", Fragment(span, phrase, seen))
    reasoning = Reasoning()
    reasoning.step("observe", f"Look for {phrase}.", facts.span, observations.transition_count_seen(facts))
    reasoning.step("locate", seen[0].observation, seen[0].span, *seen)
    reasoning.step("conclude", where.observation, span, where, *seen)
    question = draw.choice(
        (
            f"Where in the clip does this fragment lie: {phrase}?",
            f"A fragment is cut out of the clip: {phrase}. From when to when was it?",
            f"Which of these stretches of the clip is {phrase}?",
        )
    )
    return Draft(question, answer, tuple(pieces.say_span(start, length) for start in wrong), facts.span, reasoning)
