"""The units of annotators that ask a model: clips, labels or slices, with what earlier annotators said of them.

Here: reading and joining cells into subjects. Not here: units of all other steps (`pipeline.units`), or what a subject
is (`annotators.subject`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from annotators.annotator import Annotator
from annotators.subject import ClipSubject, SliceSubject
from annotators.table import ASKING
from pipeline.attempt import Unit
from pipeline.grid import Inputs
from pipeline.units import clip_subject, label_subject, latest_labels
from pipeline.walk import Walk
from schemas.asking import AskConfig
from schemas.label import Label
from schemas.media import FrameSample
from schemas.signals import ClipDescription, SliceScan

_MAKERS_OF_QUESTIONS = frozenset(one.name for one in ASKING if one.kind == "qa" and not one.revises)


def takes(annotator: Annotator[Any]) -> str | tuple[str, ...]:
    """The tables that hand an annotator its units."""
    if annotator.unit == "label":
        return tuple(f"annotate.{name}" for name in annotator.after if name in _MAKERS_OF_QUESTIONS)
    return "split" if annotator.unit == "slice" else "dedup"


def subjects(annotator: Annotator[Any]) -> Callable[[Inputs], Iterator[Unit]]:
    """What yields an annotator's units."""
    made: Mapping[str, Callable[[Inputs], Iterator[Unit]]] = {
        "clip": _clips, "label": lambda inputs: _labels(inputs, annotator), "slice": _slices,
    }  # fmt: skip
    return made[annotator.unit]


def _clips(inputs: Inputs) -> Iterator[Unit]:
    """The clips that `dedup` let through."""
    for subject in clip_subjects(inputs):
        yield Unit(subject.clip.clip_id, clip_subject(subject.clip), subject)


def _labels(inputs: Inputs, annotator: Annotator[Any]) -> Iterator[Unit]:
    """The questions of the annotators before it, clip by clip, each with its clip."""
    makers = [name for name in annotator.after if name in _MAKERS_OF_QUESTIONS]
    for subject in clip_subjects(inputs):
        for label in (label for name in makers for label in subject.labels.get(name, ())):
            about = ClipSubject(subject.description, subject.samples, subject.labels, label)
            yield Unit(label.label_id, label_subject(subject.clip, label), about)


def _slices(inputs: Inputs) -> Iterator[Unit]:
    """Slices, each with its labelled clips; they have no pictures."""
    by_slice: dict[str, list[ClipSubject]] = {}
    for subject in clip_subjects(inputs, with_pictures=False):
        by_slice.setdefault(subject.clip.slice_id, []).append(subject)
    for split in inputs.results("split"):
        clips = tuple(by_slice.get(split.slice_id, ()))
        name = clips[0].clip.name if clips else split.slice_id
        yield Unit(split.slice_id, name, SliceSubject(split.slice_id, clips))


Said = Mapping[str, tuple[Label, ...]]
"""What was said of a clip, by who made it."""


def clip_subjects(
    inputs: Inputs,
    *,
    with_pictures: bool = True,
    said: Callable[[ClipDescription], Said] | None = None,
    asking: str | None = None,
) -> Iterator[ClipSubject]:
    """Clips in order, with the labels that the step reads, or with what `said` makes up in their place.

    Pictures are read where they are shown: by the section of the step, or by the one that `asking` names.
    """
    section = inputs.run.config.section(asking or inputs.step.name)
    shown = section.pictures if with_pictures and isinstance(section, AskConfig) else "none"
    without: tuple[str, ...] = () if with_pictures else ("keyframes",)
    without = without if shown in ("keyframes", "contact_sheet") else (*without, "contact_sheet")
    descriptions: Walk[ClipDescription] = Walk(
        lambda: inputs.results("describe", without=without), lambda found: found.clip.clip_id
    )
    needs_samples = with_pictures and (shown == "samples" or inputs.step.name in _READS_SAMPLES)
    scans: Walk[SliceScan] = Walk(lambda: inputs.results("scan"), lambda scan: scan.slice_id)
    labels = _labels_by_clip(inputs) if said is None else {}
    for unique in inputs.results("dedup"):
        clip = unique.clip
        samples = _inside(scans.to(clip.slice_id), clip.span.start_pts, clip.span.end_pts) if needs_samples else ()
        description = descriptions.to(clip.clip_id)
        yield ClipSubject(description, samples, said(description) if said else labels.get(clip.clip_id, {}))


_READS_SAMPLES = frozenset({"annotate.tool_traces"})
"""Steps that read when frames were sampled, though they show a model none of them."""


def _inside(scan: SliceScan, start_pts: int, end_pts: int) -> tuple[FrameSample, ...]:
    return tuple(sample for sample in scan.frame_samples if start_pts <= sample.pts < end_pts)


def _labels_by_clip(inputs: Inputs) -> dict[str, dict[str, tuple[Label, ...]]]:
    """What the annotators that the step reads said, by clip and by who made it, each label in its latest state."""
    names: Sequence[str] = [name for name in inputs.step.reads if name.startswith("annotate.")]
    found: dict[str, dict[str, list[Label]]] = {}
    for label in latest_labels(inputs, names):
        found.setdefault(label.clip_id, {}).setdefault(label.provenance.annotator, []).append(label)
    return {clip: {who: tuple(labels) for who, labels in said.items()} for clip, said in found.items()}
