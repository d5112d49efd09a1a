"""Questions about the editing: how many shots, which transition and when, which shot is longest, how long one lasts.

Here: one maker per task, `ClipFacts` in, drafts or an abstention out. Not here: options (`options`), evidence words.
"""

from annotators.measured import observations, options
from annotators.measured.draft import Abstention, Draft, Drafts, Reasoning
from annotators.measured.draw import Draw
from annotators.measured.facts import ClipFacts, lower_first, ordinal, say_tenths

NO_TRANSITION = "no transition: the shot simply goes on"
ASKED_KINDS = ("cut", "dissolve", "fade_out_in", "wipe")
MIN_DISTANCE_TENTHS = 10
"""Ours: a moment that is said to lie inside a shot is this far from its ends, in tenths of a second."""
MAX_EQUAL_RATIO = 1.04
"""Ours: shots whose lengths differ by less than this are equally long to a viewer."""
MIN_SEEN_S = 0.5
"""Ours: where a shot is shorter, shots are not counted or named by order, for a viewer may miss it."""
MIN_ASKED_S = 0.8
"""Ours: shorter shots are not asked about, as a tenth of a second would matter."""
SINGLE_SHOT_SHARE = 4
"""Ours: one clip of a single shot in this many is asked about, or its answer would be right too often."""


def shot_count(facts: ClipFacts, draw: Draw) -> Drafts:
    """How many shots the clip has."""
    if doubt := _doubt(facts):
        return Abstention(doubt)
    count = len(facts.shots)
    if count == 1 and not draw.one_in(SINGLE_SHOT_SHARE):
        return Abstention(f"the clip is a single shot, and only one such clip in {SINGLE_SHOT_SHARE} is asked about")
    reasoning = Reasoning()
    counted = observations.transition_count_seen(facts)
    reasoning.step("observe", "Go through the whole clip and look for changes of shot.", facts.span, counted)
    for number, transition in enumerate(facts.transitions):
        seen = observations.transition_seen(facts, number)
        reasoning.step("locate", f"{seen.observation[:-1]}, where a new shot begins.", transition.span, seen)
    if not facts.transitions:
        seen = observations.shot_seen(facts, 0)
        reasoning.step("locate", f"{seen.observation[:-1]}, with nothing in between.", facts.span, seen)
    relation = "Every change of shot begins one more shot than there was before, and the clip begins with one."
    reasoning.step("relate", relation, facts.span, counted)
    reasoning.step("conclude", f"The clip has {count} shot{'s' if count > 1 else ''}.", facts.span, counted)
    question = draw.choice(
        (
            "How many shots does this clip have?",
            "Counting every shot once, how many shots is the clip made of?",
            "Into how many shots is this clip cut?",
        )
    )
    wrong = options.count_options(count, facts.config.n_options, draw)
    return (Draft(question, str(count), tuple(map(str, wrong)), facts.span, reasoning),)


def transition_kind(facts: ClipFacts, draw: Draw) -> Drafts:
    """How one shot gives way to the next at a given time, or that it does not."""
    if doubt := _doubt(facts):
        return Abstention(doubt)
    if facts.config.n_options > len(ASKED_KINDS) + 1:
        return Abstention("there are not enough kinds of transition for so many options")
    if not facts.transitions and not draw.one_in(SINGLE_SHOT_SHARE):
        return Abstention("the clip has no transition")
    found = {kind: [n for n, t in enumerate(facts.transitions) if t.kind == kind] for kind in ASKED_KINDS}
    moments = _moments_inside_shots(facts)
    available = [kind for kind in ASKED_KINDS if found[kind]] + (["none"] if moments else [])
    if not available:
        return Abstention("the clip has no transition of a kind that is asked about")
    drafts = []
    for kind in draw.shuffled(available):
        draft = _no_transition(facts, draw, moments) if kind == "none" else _transition(facts, draw, found[kind])
        drafts.append(draft)
    return tuple(drafts)


def transition_time(facts: ClipFacts, draw: Draw) -> Drafts:
    """When a transition happens."""
    if doubt := _doubt(facts):
        return Abstention(doubt)
    if not facts.transitions:
        return Abstention("the clip has no transition")
    drafts = [_when(facts, draw, number) for number in draw.shuffled(range(len(facts.transitions)))]
    made = tuple(draft for draft in drafts if draft)
    return made or Abstention("the clip is too short for other moments that could be meant")


def longest_shot(facts: ClipFacts, draw: Draw) -> Drafts:
    """Which shot lasts longest."""
    if doubt := _doubt(facts):
        return Abstention(doubt)
    if len(facts.shots) < 2:
        return Abstention("the clip is a single shot")
    longest = _longest(facts)
    if longest is None:
        return Abstention("no shot is clearly the longest, and they are not clearly equal")
    reasoning = Reasoning()
    for index, shot in enumerate(facts.shots):
        seen = observations.shot_seen(facts, index)
        lasts = observations.duration_seen(shot.span, f"the {ordinal(index)} shot")
        reasoning.step(
            "locate" if index else "observe", f"{seen.observation} {lasts.observation}", shot.span, seen, lasts
        )
    cited = [observations.duration_seen(s.span, f"the {ordinal(i)} shot") for i, s in enumerate(facts.shots)]
    reasoning.step("relate", "Compare the lengths of the shots.", facts.span, *cited)
    answer = "they all last equally long" if longest < 0 else f"the {ordinal(longest)} shot"
    conclusion = "No shot lasts longer than the others." if longest < 0 else f"The longest is {answer}."
    reasoning.step("conclude", conclusion, facts.span, *cited)
    question = draw.choice(
        ("Which shot of the clip lasts longest?", "Which of the clip's shots stays on screen for the longest time?")
    )
    wrong = options.shot_options(len(facts.shots), longest, "they all last equally long", facts.config.n_options, draw)
    if wrong is None:
        return Abstention("the clip has too few shots for so many options")
    return (Draft(question, answer, wrong, facts.span, reasoning),)


def shot_duration(facts: ClipFacts, draw: Draw) -> Drafts:
    """How long a given shot lasts."""
    if doubt := _doubt(facts):
        return Abstention(doubt)
    if len(facts.shots) < 2:
        return Abstention("the clip is a single shot")
    sharp = [
        index
        for index, shot in enumerate(facts.shots)
        if facts.has_sharp_edges(index) and shot.span.duration_s >= MIN_ASKED_S
    ]
    if not sharp:
        return Abstention("every shot begins or ends in a slow transition, or is too short")
    return tuple(_duration(facts, draw, index) for index in draw.shuffled(sharp))


def _doubt(facts: ClipFacts) -> str | None:
    """Why the clip's shots cannot be spoken of with certainty; None where they can."""
    if not facts.joints_fit:
        return "the shots and transitions of the clip do not meet exactly, or a shot is black"
    if min(shot.span.duration_s for shot in facts.shots) < MIN_SEEN_S:
        return "a shot is so short that it may pass for a flash"
    return "the kind of a slow change could not be told" if facts.has_unnamed_transition else None


def _moments_inside_shots(facts: ClipFacts) -> list[tuple[int, int]]:
    """Shot and tenths of a second of every moment well inside a moving picture."""
    still = (*facts.description.frozen_spans, *facts.description.black_spans)
    return [
        (index, tenths)
        for index, shot in enumerate(facts.shots)
        if not facts.touches(shot.span, still)
        for tenths in range(
            facts.tenths(shot.span.start_pts) + MIN_DISTANCE_TENTHS,
            facts.tenths(shot.span.end_pts) - MIN_DISTANCE_TENTHS + 1,
        )
    ]


def _kind_question(draw: Draw, when: str) -> str:
    return draw.choice(
        (
            f"What kind of transition, if any, is there at {when}?",
            f"How, if at all, does one shot give way to another at {when}?",
            f"Which transition, if any, does the edit use at {when}?",
        )
    )


def _kind_draft(facts: ClipFacts, draw: Draw, answer: str, pts: int, reasoning: Reasoning) -> Draft:
    kinds = [observations.TRANSITION_PHRASES[kind] for kind in ASKED_KINDS]
    others = [phrase for phrase in (*kinds, NO_TRANSITION) if phrase != answer]
    wrong = draw.sample(others, facts.config.n_options - 1)
    return Draft(_kind_question(draw, facts.time(pts)), answer, tuple(wrong), facts.span, reasoning)


def _transition(facts: ClipFacts, draw: Draw, numbers: list[int]) -> Draft:
    number = draw.choice(numbers)
    transition = facts.transitions[number]
    seen = observations.transition_seen(facts, number)
    middle = (transition.span.start_pts + transition.span.end_pts) // 2
    before, after = observations.shot_seen(facts, number), observations.shot_seen(facts, number + 1)
    answer = observations.TRANSITION_PHRASES[transition.kind]
    reasoning = Reasoning()
    reasoning.step("observe", before.observation, before.span, before)
    reasoning.step("locate", seen.observation, transition.span, seen)
    reasoning.step("relate", f"After it, {lower_first(after.observation)}", after.span, after)
    reasoning.step("conclude", f"The two shots are joined by {answer}.", transition.span, seen)
    return _kind_draft(facts, draw, answer, middle, reasoning)


def _no_transition(facts: ClipFacts, draw: Draw, moments: list[tuple[int, int]]) -> Draft:
    index, tenths = draw.choice(moments)
    pts = facts.pts_at(tenths)
    shot, counted = observations.shot_seen(facts, index), observations.transition_count_seen(facts)
    reasoning = Reasoning()
    reasoning.step("observe", counted.observation, facts.span, counted)
    reasoning.step("locate", shot.observation, shot.span, shot)
    reasoning.step("relate", f"{facts.time(pts)} lies inside this shot, far from both its ends.", shot.span, shot)
    reasoning.step("conclude", "There is no transition at that time.", shot.span, shot, counted)
    return _kind_draft(facts, draw, NO_TRANSITION, pts, reasoning)


def _when(facts: ClipFacts, draw: Draw, number: int) -> Draft | None:
    """When one transition happens: the moment of a cut, a moment within a slow transition."""
    transition = facts.transitions[number]
    same = [n for n, other in enumerate(facts.transitions) if other.kind == transition.kind]
    name = observations.TRANSITION_PHRASES[transition.kind].removeprefix("a ")
    name = name if len(same) == 1 else f"{ordinal(same.index(number))} {name}"
    is_cut = transition.kind == "cut"
    start, end = facts.tenths(transition.span.start_pts), facts.tenths(transition.span.end_pts)
    truth, margin = (start + end) // 2, 0 if is_cut else options.MOMENT_GAP_TENTHS
    slow = [t.span for t in facts.transitions if t.kind == transition.kind and not is_cut]
    taken = [(facts.tenths(span.start_pts) - margin, facts.tenths(span.end_pts) + margin) for span in slow]
    allowed = options.without(((5, facts.tenths(facts.span.end_pts) - 5),), taken)
    wrong = options.moment_options(truth, allowed, facts.config.n_options - 1, draw)
    if wrong is None:
        return None
    asked = "When does the {} come?" if is_cut else "At which of these moments is the {} under way?"
    also = "At what time is the {}?" if is_cut else "Which of these moments falls into the {}?"
    return Draft(
        draw.choice((asked, also)).format(name), say_tenths(truth), tuple(map(say_tenths, wrong)), facts.span,
        _when_reasoning(facts, number, name, truth),
    )  # fmt: skip


def _when_reasoning(facts: ClipFacts, number: int, name: str, truth: int) -> Reasoning:
    seen = observations.transition_seen(facts, number)
    before, after = observations.shot_seen(facts, number), observations.shot_seen(facts, number + 1)
    reasoning = Reasoning()
    reasoning.step("observe", before.observation, before.span, before)
    reasoning.step("locate", seen.observation, seen.span, seen)
    reasoning.step("relate", f"{after.observation[:-1]}, so the change lies before it.", after.span, after)
    reasoning.step("conclude", f"Of the moments offered, {say_tenths(truth)} is that of the {name}.", seen.span, seen)
    return reasoning


def _longest(facts: ClipFacts) -> int | None:
    """Position of the longest shot, -1 where all are equally long, None where neither is clear.

    A slow transition belongs to neither shot or to both: it is counted against the answer.
    """
    least = [shot.span.duration_s for shot in facts.shots]
    most = list(least)
    for number, transition in enumerate(facts.transitions):
        most[number] += transition.span.duration_s
        most[number + 1] += transition.span.duration_s
    if max(most) <= MAX_EQUAL_RATIO * min(least):
        return -1
    best = max(range(len(least)), key=least.__getitem__)
    others = max(length for index, length in enumerate(most) if index != best)
    return best if least[best] >= facts.config.min_shot_length_ratio * others else None


def _duration(facts: ClipFacts, draw: Draw, index: int) -> Draft:
    shot = facts.shots[index]
    tenths = round(shot.span.duration_s * 10)
    which = f"{ordinal(index)} shot"
    seen, lasts = observations.shot_seen(facts, index), observations.duration_seen(shot.span, f"the {which}")
    reasoning = Reasoning()
    reasoning.step("observe", observations.transition_count_seen(facts).observation, facts.span,
                   observations.transition_count_seen(facts))  # fmt: skip
    reasoning.step("locate", seen.observation, shot.span, seen)
    start, end = facts.time(shot.span.start_pts), facts.time(shot.span.end_pts)
    reasoning.step("infer", f"From {start} to {end} it is {say_tenths(tenths)}.", shot.span, seen, lasts)
    reasoning.step("conclude", lasts.observation, shot.span, lasts)
    question = draw.choice((f"How long does the {which} of the clip last?", f"How long is the {which} on screen?"))
    wrong = options.duration_options(tenths, facts.config.n_options, draw)
    return Draft(question, say_tenths(tenths), tuple(map(say_tenths, wrong)), shot.span, reasoning)
