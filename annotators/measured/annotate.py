"""Labels of one clip: its SV6D segments, then at most so many questions of each measured task.

Here: which maker answers to which task, and how segments and drafts become labels. Not here: what they say.
"""

from collections.abc import Callable, Mapping

from annotators.measured import qa_camera, qa_editing, qa_order, qa_picture, qa_text
from annotators.measured.draft import Abstention, Drafts, numbered
from annotators.measured.draw import Draw
from annotators.measured.facts import ClipFacts
from annotators.measured.sv6d import Segment, sv6d_segments
from schemas.config import MeasuredConfig
from schemas.label import ClipLabels, Label
from schemas.provenance import Provenance
from schemas.signals import ClipDescription

ANNOTATOR = "measured"
ANNOTATOR_VERSION = "1"
"""Changes whenever the same measurements lead to other labels."""

MAKERS: Mapping[str, Callable[[ClipFacts, Draw], Drafts]] = {
    "shot_count": qa_editing.shot_count,
    "transition_kind": qa_editing.transition_kind,
    "transition_time": qa_editing.transition_time,
    "event_order": qa_order.event_order,
    "camera_motion": qa_camera.camera_motion,
    "motion_time": qa_camera.motion_time,
    "longest_shot": qa_editing.longest_shot,
    "shot_duration": qa_editing.shot_duration,
    "brightness_change": qa_picture.brightness_change,
    "brightest_shot": qa_picture.brightest_shot,
    "on_screen_text": qa_text.on_screen_text,
    "text_time": qa_text.text_time,
    "frame_order": qa_order.frame_order,
    "freeze": qa_picture.freeze,
}
"""Who makes the questions of each task of the family `measured`."""


def annotate_clip(description: ClipDescription, config: MeasuredConfig, code_version: str) -> ClipLabels:
    """Everything that the measurements of one clip prove, each label with evidence that `stages.evidence` can check.

    The same description, settings and code version give the same labels, on every machine. Where a task has no answer
    beyond doubt, `abstentions` says why. Raises KeyError where the task list names a measured task without a maker.
    """
    facts = ClipFacts(description, config)
    provenance = Provenance(
        annotator=ANNOTATOR, annotator_version=ANNOTATOR_VERSION, code_version=code_version, seed=config.seed
    )
    labels = [_segment_label(facts, segment, provenance) for segment in sv6d_segments(facts)]
    abstentions = []
    for task in config.tasks.names(ANNOTATOR):
        draw = Draw(config.seed, description.clip.clip_id, task)
        made = MAKERS[task](facts, draw)
        if isinstance(made, Abstention):
            abstentions.append(f"{task}: {made.reason}")
        else:
            drafts = made[: config.max_items_per_task]
            labels += [draft.label(description.clip.clip_id, task, draw, provenance) for draft in drafts]
    found = numbered(labels, ANNOTATOR)
    return ClipLabels(clip_id=description.clip.clip_id, labels=found, abstentions=tuple(abstentions))


def _segment_label(facts: ClipFacts, segment: Segment, provenance: Provenance) -> Label:
    return Label(
        label_id="",
        clip_id=facts.description.clip.clip_id,
        kind="sv6d",
        span=segment.span,
        sv6d=segment.record(),
        evidence=tuple(segment.evidence),
        provenance=provenance,
    )
