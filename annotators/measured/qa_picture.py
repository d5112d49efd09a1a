"""Questions about the picture: how brightness changes, which shot is brightest, whether and when it stands still.

Here: one maker per task, `ClipFacts` in, drafts or an abstention out. Not here: options (`options`), evidence words.
"""

import itertools

from annotators.measured import classes, observations, options
from annotators.measured.draft import Abstention, Draft, Drafts, Reasoning
from annotators.measured.draw import Draw
from annotators.measured.facts import MOVING_TERMS, ClipFacts, ordinal, say_tenths
from schemas.label import ReasoningRole
from schemas.signals import ShotFigures

SAME_SHARE = 0.25
"""Ours: shots are equally bright where they differ by less than this share of `min_brightness_change`."""
OTHER_LEVEL_PERCENT = 25
"""Ours: how far a made-up level of brightness lies from the measured ones, in percent of full white."""
ALL_EQUAL = "they are all equally bright"
NEVER_STILL = "at none of them: it never stands still"
NEVER_SHARE = 5
"""Ours: one clip without a freeze in this many is asked about, or that answer would be right too often."""
FREEZE_EDGE_TENTHS = 2
"""Ours: a moment that stands for a freeze is this far from its ends, in tenths of a second."""


def brightness_change(facts: ClipFacts, draw: Draw) -> Drafts:
    """How the brightness differs between two shots."""
    if len(facts.shots) < 2:
        return Abstention("the clip is a single shot")
    pairs = [pair for pair in itertools.pairwise(range(len(facts.shots))) if _is_clear(facts, *pair)]
    if not pairs:
        return Abstention("no two neighbouring shots clearly differ in brightness or clearly agree")
    return tuple(_change(facts, draw, *pair) for pair in draw.shuffled(pairs))


def brightest_shot(facts: ClipFacts, draw: Draw) -> Drafts:
    """Which shot is the brightest."""
    if len(facts.shots) < 2:
        return Abstention("the clip is a single shot")
    lumas = [shot.luma_mean for shot in facts.shots]
    ranked = sorted(range(len(lumas)), key=lambda index: -lumas[index])
    if max(lumas) - min(lumas) <= SAME_SHARE * facts.config.min_brightness_change:
        truth = -1
    elif lumas[ranked[0]] - lumas[ranked[1]] >= facts.config.min_brightness_change:
        truth = ranked[0]
    else:
        return Abstention("no shot is clearly the brightest, and they are not clearly equal")
    wrong = options.shot_options(len(facts.shots), truth, ALL_EQUAL, facts.config.n_options, draw)
    if wrong is None:
        return Abstention("the clip has too few shots for so many options")
    answer = f"the {ordinal(truth)} shot" if truth >= 0 else ALL_EQUAL
    question = draw.choice(
        ("Which shot of the clip is the brightest?", "Which of the clip's shots has the brightest picture on average?")
    )
    return (Draft(question, answer, wrong, facts.span, _brightest_reasoning(facts, truth)),)


def freeze(facts: ClipFacts, draw: Draw) -> Drafts:
    """Whether and when the picture stands still."""
    if any(facts.touches(span, facts.description.black_spans) for span in facts.description.frozen_spans):
        return Abstention("the picture stands still where it is black")
    if facts.description.frozen_spans:
        return _frozen(facts, draw)
    if not all(_is_moving(facts, shot) for shot in facts.shots):
        return Abstention("the picture is not held, but may look still where neither camera nor subject moves")
    if not draw.one_in(NEVER_SHARE):
        return Abstention(f"the picture never stands still, and only one such clip in {NEVER_SHARE} is asked about")
    wrong = options.spaced_moments(((0, facts.tenths(facts.span.end_pts)),), facts.config.n_options - 1, draw)
    if wrong is None:
        return Abstention("the clip is too short for so many moments")
    seen, counted = observations.no_freeze_seen(facts), observations.transition_count_seen(facts)
    reasoning = Reasoning()
    reasoning.step("observe", "From each frame to the next, something in the picture changes.", facts.span, seen)
    reasoning.step(
        "relate", f"{counted.observation[:-1]}, and within no shot is one frame held.", facts.span, counted, seen
    )
    reasoning.step("conclude", seen.observation, facts.span, seen)
    return (Draft(_freeze_question(draw), NEVER_STILL, tuple(map(say_tenths, wrong)), facts.span, reasoning),)


def _is_moving(facts: ClipFacts, shot: ShotFigures) -> bool:
    """Whether the camera moves nearly throughout a shot, so that nobody could take it for a still."""
    moving = (*MOVING_TERMS, "handheld", "mixed")
    moving_s = sum(segment.span.duration_s for segment in shot.camera if segment.term in moving)
    return moving_s >= classes.MIN_SEGMENT_SHARE * shot.span.duration_s and not facts.touches(
        shot.span, facts.description.black_spans
    )


def _is_clear(facts: ClipFacts, first: int, second: int) -> bool:
    difference = abs(facts.shots[first].luma_mean - facts.shots[second].luma_mean)
    least = facts.config.min_brightness_change
    return difference >= least or difference <= SAME_SHARE * least


def _change(facts: ClipFacts, draw: Draw, first: int, second: int) -> Draft:
    before, after = (round(facts.shots[index].luma_mean * 100) for index in (first, second))
    if abs(after - before) < round(facts.config.min_brightness_change * 100):
        before = after = round((before + after) / 2)
    wrong = draw.sample(
        [
            pair
            for pair in itertools.product(_levels(before, after, facts.config.n_options, draw), repeat=2)
            if pair != (before, after)
        ],
        facts.config.n_options - 1,
    )
    seen = [observations.luma_seen(facts, index) for index in (first, second)]
    shots = [observations.shot_seen(facts, index) for index in (first, second)]
    span = facts.span.replace(start_pts=shots[0].span.start_pts, end_pts=shots[1].span.end_pts)
    reasoning = Reasoning()
    reasoning.step("observe", f"{shots[0].observation} {seen[0].observation}", shots[0].span, shots[0], seen[0])
    reasoning.step("locate", f"{shots[1].observation} {seen[1].observation}", shots[1].span, shots[1], seen[1])
    relation = f"{before} % in the one stands against {after} % in the other."
    relation = "The difference is too small to be seen." if before == after else relation
    reasoning.step("relate", relation, span, *seen)
    reasoning.step("conclude", observations.sentence(f"the brightness {_level_phrase(before, after)}"), span, *seen)
    scale = "On a scale from 0 % (black) to 100 % (white)"
    question = draw.choice(
        (
            f"{scale}, how does the mean brightness change from the {ordinal(first)} shot to the {ordinal(second)}?",
            f"{scale}, what does the mean brightness do between the {ordinal(first)} shot and the {ordinal(second)}?",
        )
    )
    phrases = tuple(f"it {_level_phrase(*pair)}" for pair in wrong)
    return Draft(question, f"it {_level_phrase(before, after)}", phrases, span, reasoning)


def _levels(before: int, after: int, n_options: int, draw: Draw) -> list[int]:
    """The two levels, and as many made-up ones as it takes to have enough pairs of them."""
    levels = sorted({before, after})
    while len(levels) ** 2 < n_options:
        distances = {level: min(abs(level - known) for known in levels) for level in range(3, 98)}
        asked = min(OTHER_LEVEL_PERCENT, max(distances.values()))
        levels.append(draw.choice([level for level, gap in distances.items() if asked <= gap <= asked + 5]))
    return levels


def _level_phrase(before: int, after: int) -> str:
    if before == after:
        return f"stays at about {before} %"
    return f"{'rises' if after > before else 'falls'} from about {before} % to about {after} %"


def _brightest_reasoning(facts: ClipFacts, truth: int) -> Reasoning:
    reasoning = Reasoning()
    seen = [observations.luma_seen(facts, index) for index in range(len(facts.shots))]
    for index, luma in enumerate(seen):
        shot = observations.shot_seen(facts, index)
        role: ReasoningRole = "locate" if index else "observe"
        reasoning.step(role, f"{shot.observation} {luma.observation}", shot.span, shot, luma)
    reasoning.step("relate", "Compare the mean brightness of the shots.", facts.span, *seen)
    conclusion = (
        f"The brightest is the {ordinal(truth)} shot." if truth >= 0 else "No shot is brighter than the others."
    )
    reasoning.step("conclude", conclusion, facts.span, *seen)
    return reasoning


def _freeze_question(draw: Draw) -> str:
    return draw.choice(
        (
            "At which of these moments does the picture stand still?",
            "At which of these moments is one and the same frame held?",
        )
    )


def _frozen(facts: ClipFacts, draw: Draw) -> Drafts:
    frozen = facts.description.frozen_spans
    taken = [
        (facts.tenths(s.start_pts) - options.MOMENT_GAP_TENTHS, facts.tenths(s.end_pts) + options.MOMENT_GAP_TENTHS)
        for s in frozen
    ]
    allowed = options.without(((0, facts.tenths(facts.span.end_pts)),), taken)
    drafts = []
    for span in draw.shuffled(frozen):
        low, high = facts.tenths(span.start_pts) + FREEZE_EDGE_TENTHS, facts.tenths(span.end_pts) - FREEZE_EDGE_TENTHS
        index = facts.shot_at(span.start_pts)
        if low > high or index is None:
            continue
        truth = low + draw.below(high - low + 1)
        wrong = options.moment_options(truth, allowed, facts.config.n_options - 2, draw)
        if wrong is not None:
            phrases = (*map(say_tenths, wrong), NEVER_STILL)
            seen, shot = observations.frozen_seen(facts, span), observations.shot_seen(facts, index)
            reasoning = Reasoning()
            reasoning.step("observe", shot.observation, shot.span, shot)
            reasoning.step("locate", seen.observation, span, seen)
            reasoning.step("infer", "From one frame to the next, nothing changes in this stretch.", span, seen)
            reasoning.step("conclude", f"{say_tenths(truth)} lies in it, and no other moment offered does.", span, seen)
            drafts.append(Draft(_freeze_question(draw), say_tenths(truth), phrases, span, reasoning))
    return tuple(drafts) or Abstention("no freeze stands clear of other moments")
