"""The two sides of `reelproof agreement`: a run's SV6D labels, or a person's file, clip by clip.

Here: reading a run, and bringing both onto the same clips. Not here: the file of a person (`jobs.person_labels`), or
comparing (`jobs.agreement`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import ValidationError

from jobs.agreement_errors import AgreementError
from jobs.person_labels import ENDINGS, MICROSECONDS, LabelFile, labels_of, read_label_file
from jobs.status import open_run
from pipeline.grid import Inputs, Run
from pipeline.units import latest_labels
from schemas.label import Label
from schemas.taxonomy import SV6DTaxonomy, sv6d_taxonomy
from schemas.time import Span

Known = Mapping[str, object]
"""Clips that a side has something to say of, by their ids."""

_SHOWN = 5


@dataclass(frozen=True)
class SideRequest:
    """One side, as the command line names it."""

    place: str
    """Folder of a run, local or a URL, or a file of a person's labels."""
    annotator: str | None = None
    """Of a run: whose labels alone are taken."""
    unverified: bool = False
    """Of a run: what annotators said, instead of what the judges kept."""

    @property
    def is_file(self) -> bool:
        """Whether it names a person's file."""
        return self.place.lower().endswith(ENDINGS) and not Path(self.place).is_dir()


@dataclass(frozen=True)
class RunSide:
    """What a run says."""

    request: SideRequest
    clips: Mapping[str, Span]
    """Every clip of the run."""
    labels: Mapping[str, tuple[Label, ...]]
    taxonomy: SV6DTaxonomy
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sides:
    """Two sides over the clips that both know."""

    clips: Mapping[str, Span]
    a: Mapping[str, tuple[Label, ...]]
    b: Mapping[str, tuple[Label, ...]]
    taxonomy: SV6DTaxonomy
    notes: tuple[str, ...] = field(default=())
    """What a person should know: clips and values that one side does not have."""


def read_sides(a: SideRequest, b: SideRequest) -> Sides:
    """Both sides. A person's file stands for the clips that it names, a run for all of its own.

    Raises AgreementError or GridError.
    """
    file_a, file_b = _file(a), _file(b)
    run_a, run_b = (None if file else read_run(one) for file, one in ((file_a, a), (file_b, b)))
    runs = [run for run in (run_a, run_b) if run]
    taxonomy = runs[0].taxonomy if runs else sv6d_taxonomy()
    spans = runs[0].clips if runs else _spans_told(file_a, file_b)
    known_a, known_b = _known(run_a, file_a), _known(run_b, file_b)
    clips = {clip_id: span for clip_id, span in spans.items() if clip_id in known_a and clip_id in known_b}
    if not clips:
        raise AgreementError(f"{a.place} and {b.place} have no clip in common{_example(known_a, known_b)}")
    notes = [note for run in runs for note in run.notes]
    notes += _alone(a, known_a, b, known_b)
    if len(runs) == len((a, b)) and runs[0].taxonomy != runs[1].taxonomy:
        notes.append(f"the runs have different taxonomies: values are compared by that of {a.place}")
    labels = []
    for run, file in ((run_a, file_a), (run_b, file_b)):
        of_file, told = _of_file(file, clips, taxonomy) if file else ({}, [])
        notes += told
        labels.append(run.labels if run else of_file)
    return Sides(clips=clips, a=labels[0], b=labels[1], taxonomy=taxonomy, notes=tuple(dict.fromkeys(notes)))


def _known(run: RunSide | None, file: LabelFile | None) -> Known:
    if run:
        return run.clips
    return file.by_clip if file else {}


def _file(request: SideRequest) -> LabelFile | None:
    if not request.is_file:
        return None
    if request.annotator:
        raise AgreementError(f"{request.place} is a person's file: only a run has annotators to choose from")
    return read_label_file(request.place)


def read_run(request: SideRequest) -> RunSide:
    """The SV6D labels of a run, as far as it has come. Raises AgreementError or GridError."""
    run = open_run(request.place)
    try:
        clips = dict(_clips(run))
        found, behind = _unverified(run) if request.unverified else _verified(run)
    except (OSError, KeyError, pa.ArrowInvalid, ValidationError) as error:
        raise AgreementError(f"{request.place} cannot be read: {' '.join(str(error).split())[:300]}") from error
    if not found:
        later = "" if request.unverified else ": no judge has kept any; --unverified takes what annotators said"
        raise AgreementError(f"{request.place} has no sv6d labels{later}")
    chosen = [label for label in found if request.annotator in (None, label.provenance.annotator)]
    if not chosen:
        there = ", ".join(sorted({label.provenance.annotator for label in found}))
        raise AgreementError(f"{request.place} has no sv6d labels by {request.annotator!r}, only by {there}")
    by_clip: dict[str, list[Label]] = {}
    for label in chosen:
        by_clip.setdefault(label.clip_id, []).append(label)
    config = run.config.annotate
    notes = (f"{request.place}: {behind} parts are not labelled yet",) if behind else ()
    return RunSide(
        request=request, clips=clips, labels={clip_id: tuple(labels) for clip_id, labels in by_clip.items()},
        taxonomy=config.sv6d.taxonomy if config.sv6d.enabled else config.measured.taxonomy, notes=notes,
    )  # fmt: skip


def _clips(run: Run) -> Iterator[tuple[str, Span]]:
    columns = ["outcome", "result.clip.clip_id", "result.clip.span"]
    for row in run.rows(run.step("dedup")):
        for found in _results(run, "dedup", row, columns):
            yield found["clip"]["clip_id"], Span.model_validate(found["clip"]["span"])


def _verified(run: Run) -> tuple[list[Label], int]:
    """What the last judge kept, and the parts that it has not judged yet."""
    step = [step for step in run.steps if step.name.startswith("verify.")][-1]
    rows = run.rows(step)
    there = [row for row in rows if run.store.info(step.name, row)]
    found = (one["label"] for row in there for one in _results(run, step.name, row, ["outcome", "result.label"]))
    return [Label.model_validate(label) for label in found if label["kind"] == "sv6d"], len(rows) - len(there)


def _unverified(run: Run) -> tuple[list[Label], int]:
    """What annotators said, in its latest state, and the parts that none has labelled yet."""
    steps = [step for step in run.steps if step.name.startswith("annotate.")]
    found: list[Label] = []
    behind = 0
    for row in run.rows(steps[0]) if steps else ():
        there = [step.name for step in steps if run.store.info(step.name, row)]
        found += [label for label in latest_labels(Inputs(run, steps[0], row), there) if label.kind == "sv6d"]
        behind += not there
    return found, behind


def _results(run: Run, step: str, row: int, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The results in a cell; none where there is no such cell."""
    if run.store.info(step, row) is None:
        return
    for found in run.store.read(step, row, columns):
        if found["outcome"] == "result":
            yield found["result"]


def _spans_told(*files: LabelFile | None) -> dict[str, Span]:
    """Clips as two files tell of them: as long as `duration_s` says, or up to the largest end."""
    read = [file for file in files if file]
    spans = {}
    for clip_id in dict.fromkeys(clip_id for file in read for clip_id in file.by_clip):
        told = [file.longest_s(clip_id) for file in read]
        durations = [duration for duration, _ in told if duration is not None]
        end_s = durations[0] if durations else max(end for _, end in told)
        spans[clip_id] = Span(start_pts=0, end_pts=MICROSECONDS.ticks(end_s), time_base=MICROSECONDS)
    return spans


def _of_file(
    file: LabelFile, clips: Mapping[str, Span], taxonomy: SV6DTaxonomy
) -> tuple[dict[str, tuple[Label, ...]], list[str]]:
    """A person's labels of these clips, and what is to be said of their values."""
    labels, unknown = {}, list[str]()
    for clip_id in (clip_id for clip_id in file.by_clip if clip_id in clips):
        labels[clip_id], told = labels_of(file, clip_id, clips[clip_id], taxonomy)
        unknown += told
    if not unknown:
        return labels, []
    note = f"{file.path}: {len(unknown)} values are not in the taxonomy, and differ from every other; {unknown[0]}"
    return labels, [note]


def _alone(a: SideRequest, known_a: Known, b: SideRequest, known_b: Known) -> Iterator[str]:
    """What to say of clips that one side alone knows. A run is not expected to have no more than a person labelled."""
    for one, own, other, others in ((a, known_a, b, known_b), (b, known_b, a, known_a)):
        alone = [clip_id for clip_id in own if clip_id not in others]
        if alone and (one.is_file or not other.is_file):
            more = f" and {len(alone) - _SHOWN} more" if len(alone) > _SHOWN else ""
            yield f"{len(alone)} clips of {one.place} are not on the other side: {', '.join(alone[:_SHOWN])}{more}"


def _example(known_a: Known, known_b: Known) -> str:
    first = [next(iter(known), None) for known in (known_a, known_b)]
    return "" if None in first else f": one names {first[0]!r}, the other {first[1]!r}"
