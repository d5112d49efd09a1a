"""Questions about the camera: what it does during a stretch, and when it does something.

Here: one maker per task, `ClipFacts` in, drafts or an abstention out. Not here: options (`options`), evidence words.
"""

from annotators.measured import observations, options
from annotators.measured.draft import Abstention, Draft, Drafts, Reasoning
from annotators.measured.draw import Draw
from annotators.measured.facts import CLEAR_TERMS, MIN_MOTION_S, MOVING_TERMS, ClipFacts, lower_first, say_tenths
from schemas.signals import CameraSegment

EDGE_TENTHS = 4
"""Ours: a moment that stands for a motion, or against it, is this far from the segment's ends, tenths of a second."""
STATIC_SHARE = 3
"""Ours: where the camera never moves, one clip in this many is asked about, or `static` would be right too often."""


def camera_motion(facts: ClipFacts, draw: Draw) -> Drafts:
    """What the camera does during a stretch."""
    if facts.config.n_options > len(CLEAR_TERMS):
        return Abstention("there are not enough camera motions for so many options")
    segments = [(i, s) for i, s in _asked(facts) if s.span.duration_s >= MIN_MOTION_S]
    moving = [(i, s) for i, s in segments if s.term in MOVING_TERMS]
    if not segments:
        return Abstention("no stretch has one clear camera motion")
    if not moving and not draw.one_in(STATIC_SHARE):
        return Abstention(f"the camera never moves, and only one such clip in {STATIC_SHARE} is asked about")
    return tuple(_motion(facts, draw, index, segment) for index, segment in draw.shuffled(moving or segments))


def motion_time(facts: ClipFacts, draw: Draw) -> Drafts:
    """When a camera motion happens."""
    clear = _asked(facts)
    moving = [(i, s) for i, s in clear if s.term in MOVING_TERMS and s.span.duration_s >= MIN_MOTION_S]
    if not moving:
        return Abstention("no stretch has one clear camera motion")
    drafts = [_when(facts, draw, index, segment) for index, segment in draw.shuffled(moving)]
    made = tuple(draft for draft in drafts if draft)
    return made or Abstention("the camera does not clearly do something else for long enough")


def _asked(facts: ClipFacts) -> list[tuple[int, CameraSegment]]:
    """Segments of one clear motion over a living picture; what a still or black picture does is no camera motion."""
    still = (*facts.description.frozen_spans, *facts.description.black_spans)
    return [(i, s) for i, s in facts.camera if s.term in CLEAR_TERMS and not facts.touches(s.span, still)]


def _motion(facts: ClipFacts, draw: Draw, index: int, segment: CameraSegment) -> Draft:
    shot, seen = observations.shot_seen(facts, index), observations.camera_seen(facts, segment)
    stretch, answer = facts.stretch(segment.span), observations.CAMERA_PHRASES[segment.term]
    reasoning = Reasoning()
    reasoning.step("locate", f"{shot.observation[:-1]}, and the stretch asked about lies in it.", shot.span, shot)
    reasoning.step("observe", seen.observation, segment.span, seen)
    reasoning.step("infer", _means(segment), segment.span, seen)
    reasoning.step("conclude", f"So {answer}.", segment.span, seen)
    question = draw.choice(
        (
            f"What does the camera do {stretch}?",
            f"How does the camera move {stretch}, if at all?",
            f"Which camera motion, if any, is seen {stretch}?",
        )
    )
    others = [observations.CAMERA_PHRASES[term] for term in CLEAR_TERMS if term != segment.term]
    wrong = draw.sample(others, facts.config.n_options - 1)
    return Draft(question, answer, tuple(wrong), segment.span, reasoning)


def _means(segment: CameraSegment) -> str:
    """What the picture's content does, which is how a viewer sees the camera's motion."""
    pan, tilt, zoom = segment.pan_widths_per_s, segment.tilt_heights_per_s, segment.zoom_per_s
    roll = segment.roll_degrees_per_s
    sentences = {
        "static": "The background keeps its place in the picture throughout.",
        "pan_left": f"The background drifts to the right by {-pan:.2f} picture widths per second.",
        "pan_right": f"The background drifts to the left by {pan:.2f} picture widths per second.",
        "tilt_up": f"The background drifts down by {tilt:.2f} picture heights per second.",
        "tilt_down": f"The background drifts up by {-tilt:.2f} picture heights per second.",
        "zoom_in": f"Everything grows from the middle outwards, by {zoom:.0%} per second.",
        "zoom_out": f"Everything shrinks towards the middle, by {-zoom:.0%} per second.",
        "roll_clockwise": f"The background turns clockwise by {roll:.1f} degrees per second.",
        "roll_counterclockwise": f"The background turns counterclockwise by {-roll:.1f} degrees per second.",
    }
    return sentences[segment.term]


def _when(facts: ClipFacts, draw: Draw, index: int, segment: CameraSegment) -> Draft | None:
    inside = _inside(facts, segment)
    if inside[0] > inside[1]:
        return None
    others = [s for _, s in facts.camera if s.term in CLEAR_TERMS and s.term != segment.term]
    truth = inside[0] + draw.below(inside[1] - inside[0] + 1)
    allowed = tuple(_inside(facts, other) for other in others)
    wrong = options.moment_options(truth, allowed, facts.config.n_options - 1, draw)
    if wrong is None:
        return None
    ruled_out = [s for s, (low, high) in zip(others, allowed, strict=True) if any(low <= w <= high for w in wrong)]
    phrase = observations.CAMERA_PHRASES[segment.term]
    question = draw.choice((f"At which of these moments can one see that {phrase}?", f"When is it that {phrase}?"))
    reasoning = _when_reasoning(facts, index, segment, ruled_out, truth)
    return Draft(question, say_tenths(truth), tuple(map(say_tenths, wrong)), segment.span, reasoning)


def _when_reasoning(
    facts: ClipFacts, index: int, segment: CameraSegment, ruled_out: list[CameraSegment], truth: int
) -> Reasoning:
    shot, seen = observations.shot_seen(facts, index), observations.camera_seen(facts, segment)
    reasoning = Reasoning()
    reasoning.step("observe", shot.observation, shot.span, shot)
    reasoning.step("locate", seen.observation, segment.span, seen)
    for other in ruled_out:
        instead = observations.camera_seen(facts, other)
        reasoning.step("relate", f"By contrast, {lower_first(instead.observation)}", other.span, instead)
    conclusion = (
        f"Of the moments offered, only {say_tenths(truth)} lies where {observations.CAMERA_PHRASES[segment.term]}."
    )
    reasoning.step("conclude", conclusion, segment.span, seen)
    return reasoning


def _inside(facts: ClipFacts, segment: CameraSegment) -> tuple[int, int]:
    """The moments of a segment that are far enough from its ends."""
    return facts.tenths(segment.span.start_pts) + EDGE_TENTHS, facts.tenths(segment.span.end_pts) - EDGE_TENTHS
