"""SV6D segments from measurements: one for each shot, one for each motion of a shot with several, one for the clip.

Here: which measured attributes are said of which stretch. Not here: the borders between values (`classes`).
"""

from dataclasses import dataclass, field

from annotators.measured import classes, observations
from annotators.measured.facts import ClipFacts
from schemas.evidence import Evidence
from schemas.label import SV6DSegment, SV6DValue
from schemas.signals import CameraSegment, TextDetection
from schemas.taxonomy import SV6DTaxonomy
from schemas.time import Span


@dataclass
class Segment:
    """One SV6D segment while it is being filled."""

    span: Span
    taxonomy: SV6DTaxonomy
    evidence: list[Evidence] = field(default_factory=list)
    values: list[SV6DValue] = field(default_factory=list)

    def say(self, dimension: str, attribute: str, value: str | None, *seen: Evidence) -> None:
        """Adds a value with what it rests on; nothing where there is no value, or the taxonomy does not know it."""
        if value is None or not self.taxonomy.allows(dimension, attribute, value):
            return
        cited = tuple(self._cite(evidence) for evidence in seen)
        self.values.append(SV6DValue(dimension=dimension, attribute=attribute, value=value, evidence=cited))

    def _cite(self, evidence: Evidence) -> int:
        if evidence not in self.evidence:
            self.evidence.append(evidence)
        return self.evidence.index(evidence)

    def record(self) -> SV6DSegment:
        """The finished segment. Asks for at least one value."""
        return SV6DSegment(values=tuple(self.values))


def sv6d_segments(facts: ClipFacts) -> tuple[Segment, ...]:
    """Every segment with something to say, shots first, the clip last."""
    segments: list[Segment] = []
    for index, shot in enumerate(facts.shots):
        segments.append(_shot_segment(facts, index))
        if len(shot.camera) > 1:
            segments += [_motion_segment(facts, index, segment) for segment in shot.camera]
    segments.append(_clip_segment(facts))
    return tuple(segment for segment in segments if segment.values)


def _shot_segment(facts: ClipFacts, index: int) -> Segment:
    segment = Segment(facts.shots[index].span, facts.config.taxonomy)
    _say_aesthetics(facts, index, segment)
    camera = facts.shots[index].camera
    if len(camera) == 1 and camera[0].span.duration_s >= classes.MIN_SEGMENT_SHARE * segment.span.duration_s:
        _say_camera(facts, index, camera[0], segment)
    _say_editing(facts, index, segment)
    return segment


def _say_aesthetics(facts: ClipFacts, index: int, segment: Segment) -> None:
    shot, pin = facts.shots[index], observations.shot_seen(facts, index)
    figures = (
        ("brightness", classes.BRIGHTNESS.word(shot.luma_mean), observations.luma_seen),
        ("contrast", classes.CONTRAST.word(shot.luma_spread), observations.luma_spread_seen),
        ("saturation", classes.SATURATION.word(shot.saturation_mean), observations.saturation_seen),
        ("sharpness", classes.SHARPNESS.word(shot.sharpness), observations.sharpness_seen),
    )
    for attribute, value, seen in figures:
        segment.say("aesthetics", attribute, value, pin, seen(facts, index))
    main = classes.main_colour(shot.palette)
    if main:
        segment.say("aesthetics", "palette", main[0], pin, observations.colour_seen(facts, index, *main))


def _say_camera(facts: ClipFacts, index: int, camera: CameraSegment, segment: Segment) -> None:
    if camera.term == "unclear":
        return
    pin = observations.shot_seen(facts, index)
    segment.say("camera", "motion", camera.term, pin, observations.camera_seen(facts, camera))
    stability = classes.STABILITY.word(camera.shake)
    segment.say("camera", "stability", stability, pin, observations.shake_seen(facts, camera))


def _say_editing(facts: ClipFacts, index: int, segment: Segment) -> None:
    """How the shot ends, where the next one is in the clip to be seen, and how long it is, where it is all there."""
    pin = observations.shot_seen(facts, index)
    if facts.joints_fit and index < len(facts.transitions) and facts.transitions[index].kind != "gradual":
        seen = observations.transition_seen(facts, index)
        segment.say("editing", "transition", facts.transitions[index].kind, pin, seen)
    if not facts.is_cut_off(index) and not facts.has_unnamed_transition:
        length = classes.SHOT_LENGTH.word(segment.span.duration_s)
        segment.say("editing", "shot_length", length, pin, observations.duration_seen(segment.span, "the shot"))


def _motion_segment(facts: ClipFacts, index: int, camera: CameraSegment) -> Segment:
    segment = Segment(camera.span, facts.config.taxonomy)
    _say_camera(facts, index, camera, segment)
    return segment


def _clip_segment(facts: ClipFacts) -> Segment:
    segment = Segment(facts.span, facts.config.taxonomy)
    segment.say("editing", "pace", _pace(facts), *_pace_evidence(facts))
    _say_text(facts, segment)
    segment.say("dissemination", "aspect", classes.shape(facts.description), observations.aspect_seen(facts))
    return segment


def _pace(facts: ClipFacts) -> str | None:
    if not facts.joints_fit or facts.has_unnamed_transition:
        return None
    if len(facts.shots) == 1 and facts.span.duration_s < classes.MIN_UNCUT_S:
        return None
    return classes.PACE.word(facts.span.duration_s / len(facts.shots))


def _pace_evidence(facts: ClipFacts) -> tuple[Evidence, Evidence]:
    return observations.transition_count_seen(facts), observations.duration_seen(facts.span, "the clip")


def _say_text(facts: ClipFacts, segment: Segment) -> None:
    """Whether there is text and where; every text cited stands with the shot that it was read in."""
    if not facts.description.text_is_measured:
        return
    if not facts.description.text:
        segment.say("dissemination", "on_screen_text", "absent", observations.no_text_seen(facts))
        return
    sure = [text for text in facts.sure_texts if facts.shot_at(text.pts) is not None]
    if not sure:
        return
    seen = _text_evidence(facts, max(sure, key=lambda text: (text.score, -text.pts)))
    segment.say("dissemination", "on_screen_text", "present", *seen)
    positions = {classes.TEXT_POSITION.word((text.top + text.bottom) / 2) for text in facts.description.text}
    if len(positions) == 1:
        segment.say("dissemination", "text_position", positions.pop(), *seen)


def _text_evidence(facts: ClipFacts, text: TextDetection) -> tuple[Evidence, ...]:
    index = facts.shot_at(text.pts)
    pin = () if index is None else (observations.shot_seen(facts, index),)
    return (*pin, observations.text_seen(facts, text))
