"""How the units of each step come out of the cells before it, one generator a step.

Here: reading and joining cells. Not here: the work on a unit (`pipeline.work`).
"""

from collections.abc import Iterator, Sequence
from typing import Any

from pipeline.attempt import Unit
from pipeline.grid import Inputs
from pipeline.reviews import decisions, standing
from pipeline.walk import Walk
from schemas.base import Record
from schemas.dataset import ShardAssignment, UniqueClip
from schemas.label import ClipLabels, Label, VerifiedLabel
from schemas.media import Clip, ListedSource, PartSlice, SliceSplit, Source
from schemas.signals import ClipDescription, SliceScan

_PICTURES = ("frame_samples",)
_KEYFRAMES = ("keyframes", "contact_sheet")


def clip_subject(clip: Clip) -> str:
    """What a person calls a clip."""
    return f"{clip.name} [{clip.span.start_s:.2f} s, {clip.span.end_s:.2f} s)"


def listed_sources(inputs: Inputs) -> Iterator[Unit]:
    """A page's sources, for `probe`."""
    for source in inputs.listed(ListedSource):
        yield Unit(source.source_id, source.name, source)


def part_slices(inputs: Inputs) -> Iterator[Unit]:
    """A part's slices, for `scan`."""
    for member in inputs.listed(PartSlice):
        span = member.slice.span
        subject = f"{member.slice.name} [{span.start_s:.2f} s, {span.end_s:.2f} s)"
        yield Unit(member.slice.slice_id, subject, member)


def scanned_slices(inputs: Inputs) -> Iterator[Unit]:
    """Slices with their signals, for `split`."""
    members = {member.slice.slice_id: member.slice for member in inputs.listed(PartSlice)}
    split = inputs.run.config.split
    reads_pictures = split.unit == "scene" and split.embedder != "none"
    for scan in inputs.results("scan", without=() if reads_pictures else _PICTURES):
        slice_ = members[scan.slice_id]
        yield Unit(scan.slice_id, slice_.name, (slice_, scan))


def split_clips(inputs: Inputs) -> Iterator[Unit]:
    """Clips with their slice's signals and frame samples, for `describe`."""
    splits: dict[str, SliceSplit] = {split.slice_id: split for split in inputs.results("split")}
    for scan in inputs.results("scan"):
        split = splits.get(scan.slice_id)
        for clip in split.clips if split else ():
            yield Unit(clip.clip_id, clip_subject(clip), (clip, scan))


def described_clips(inputs: Inputs) -> Iterator[Unit]:
    """Clips of this row, for `dedup`."""
    for description in inputs.results("describe", without=_KEYFRAMES, only_row=inputs.row):
        yield Unit(description.clip.clip_id, clip_subject(description.clip), description.clip)


def unique_clips(inputs: Inputs) -> Iterator[Unit]:
    """Descriptions of the clips that `dedup` let through, for annotators."""
    descriptions = _descriptions(inputs, without=_KEYFRAMES)
    for unique in inputs.results("dedup"):
        yield Unit(unique.clip.clip_id, clip_subject(unique.clip), descriptions[unique.clip.clip_id])


def labels(inputs: Inputs) -> Iterator[Unit]:
    """Labels in their latest state, with the description and the signals of their clip, and what people decided."""
    known = decisions(inputs.run.store, inputs.row)
    descriptions = _descriptions(inputs, without=_KEYFRAMES)
    scans: Walk[SliceScan] = Walk(lambda: inputs.results("scan", without=_PICTURES), lambda scan: scan.slice_id)
    for label in latest_labels(inputs, [name for name in inputs.step.reads if name.startswith("annotate.")]):
        description = descriptions[label.clip_id]
        decision = standing(known.get(label.label_id), label)
        payload = (label, description, scans.to(description.clip.slice_id), decision)
        yield Unit(label.label_id, label_subject(description.clip, label), payload)


def label_subject(clip: Clip, label: Label) -> str:
    """What a person calls a label."""
    return f"{clip_subject(clip)} {label.label_id}"


def latest_labels(inputs: Inputs, annotators: Sequence[str]) -> Iterator[Label]:
    """Every label of these annotate steps once: by step, clip by clip, as the last of them that changed it left it."""
    revisers = [name for name in annotators if inputs.run.step(name).hands_on is count_nothing]
    revised = {label.label_id: label for name in revisers for found in inputs.results(name) for label in found.labels}
    for name in (name for name in annotators if name not in revisers):
        for found in inputs.results(name):
            for label in found.labels:
                yield revised.get(label.label_id, label)


def corpus_clips(inputs: Inputs) -> Iterator[tuple[int, UniqueClip]]:
    """Every clip of the corpus with the number of its part, in order, for `plan`."""
    for row in inputs.rows_of("dedup"):
        for unique in inputs.results("dedup", only_row=row):
            yield row, unique


def shard_clips(inputs: Inputs) -> Iterator[Unit]:
    """A shard's clips with everything known of them, for `package`. Reads one part at a time.

    Steps that `package` reads beside descriptions and verdicts give figures: their results go into the sample.
    """
    others = [name for name in inputs.step.reads if name != "describe" and not name.startswith("verify.")]
    part: int | None = None
    descriptions: dict[str, ClipDescription] = {}
    verified: dict[str, list[VerifiedLabel]] = {}
    figures: dict[str, dict[str, Record]] = {}
    for assignment in inputs.listed(ShardAssignment):
        if assignment.part != part:
            part = assignment.part
            descriptions = _descriptions(inputs, only_row=part)
            verified = _verified_by_clip(inputs, part)
            figures = {name: {r.clip_id: r for r in inputs.results(name, only_row=part)} for name in others}
        clip_id = assignment.clip.clip_id
        known = {name: by_clip[clip_id] for name, by_clip in figures.items() if clip_id in by_clip}
        payload = (assignment, descriptions[clip_id], tuple(verified.get(clip_id, ())), known)
        yield Unit(clip_id, clip_subject(assignment.clip), payload)


def _descriptions(inputs: Inputs, **reading: Any) -> dict[str, ClipDescription]:
    return {found.clip.clip_id: found for found in inputs.results("describe", **reading)}


def _verified_by_clip(inputs: Inputs, part: int) -> dict[str, list[VerifiedLabel]]:
    by_clip: dict[str, list[VerifiedLabel]] = {}
    for name in (name for name in inputs.step.reads if name.startswith("verify.")):
        for found in inputs.results(name, only_row=part):
            by_clip.setdefault(found.label.clip_id, []).append(found)
    return by_clip


def count_slices(source: Source) -> int:
    """Slices that a source hands on."""
    return len(source.slices)


def count_labels(found: ClipLabels) -> int:
    """Labels that an annotator hands to the judges."""
    return len(found.labels)


def count_nothing(found: ClipLabels) -> int:
    """What an annotator hands on that changes labels of others, which those have handed on."""
    del found
    return 0


def count_clips(split: SliceSplit) -> int:
    """Clips that a split hands on."""
    return len(split.clips)
