"""What a worker of each step does to one unit: the stage or annotator, bound to its settings and its state.

Here: one factory a step, each returning a function of one payload. Not here: where units come from (`pipeline.units`).
A factory imports its stage itself, so that a worker process loads no decoder or model that its step does not need.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.attempt import Worker
from pipeline.grid import CODE_VERSION
from pipeline.local_copy import LastCopy, local_copy
from pipeline.reviews import decided
from schemas.base import Record
from schemas.config import RunConfig
from schemas.dataset import UniqueClip
from schemas.label import ClipLabels, Label, VerifiedLabel
from schemas.media import Clip, ListedSource, PartSlice, Slice, SliceSplit, Source
from schemas.review import ReviewDecision
from schemas.signals import ClipDescription, SliceScan
from schemas.verdict import Verdict

if TYPE_CHECKING:
    from annotators.annotator import Annotator
    from annotators.ask import Asker
    from annotators.judges.judge import Judge
    from pipeline.judging import Judging


def probe(config: RunConfig) -> Worker:
    """Facts about a listed source, read from a local copy; one that is too large is not even fetched."""
    from stages.media.probe import probe_source, refuse_size

    def work(listed: ListedSource) -> Source | Verdict:
        refusal = refuse_size(listed, listed.size_bytes, config.probe)
        if refusal is not None:
            return refusal
        with local_copy(listed.uri) as path:
            return probe_source(listed, path, config.probe)

    return work


def scan(config: RunConfig) -> Worker:
    """The one full decode of a slice. A slice's threads are those that decode it: no library starts more of them.

    The network that hears speech is loaded once.
    """
    import cv2
    import torch

    from stages.allocator import share_one_pool
    from stages.scan.scoring import resolve_device
    from stages.scan.slice_scan import scan_slice
    from stages.speech.voice import make_voice

    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    share_one_pool()
    threads, device = config.grid.threads_per_slice, resolve_device(config.grid.device)
    decode_on = resolve_device(config.grid.decode_on, "grid.decode_on")
    voice = make_voice(config.scan)

    copies = LastCopy()

    def work(member: PartSlice) -> SliceScan:
        path = copies.path(member.slice.uri)
        return scan_slice(
            member.slice, member.video, path, config.scan,
            threads=threads, device=device, decode_on=decode_on, voice=voice,
        )  # fmt: skip

    return work


def split(config: RunConfig) -> Worker:
    """Clips from a slice's transitions; what compares shots for scenes is loaded once, where it is asked for."""
    from stages.clips.split import split_slice
    from stages.pictures.embedding import make_embedder

    name = config.split.embedder if config.split.unit == "scene" else "none"
    embedder = make_embedder(name, config.grid.device, "split.embedder")

    def work(payload: tuple[Slice, SliceScan]) -> SliceSplit:
        return split_slice(*payload, config.split, embedder)

    return work


def describe(config: RunConfig) -> Worker:
    """Figures, keyframes and text of a clip; the text reader and the embedder are loaded once."""
    from stages.allocator import return_large_buffers
    from stages.describe import describe_clip
    from stages.errors import StageError
    from stages.pictures.embedding import make_embedder
    from stages.pictures.text import make_reader

    return_large_buffers()
    reader = make_reader(config.describe)
    embedder = make_embedder(config.describe.embedder, config.grid.device, "describe.embedder")

    def work(payload: tuple[Clip, SliceScan]) -> ClipDescription:
        clip, scan = payload
        description = describe_clip(clip, scan, config.describe, reader, embedder)
        if not description.keyframes:
            stretch = f"from {clip.span.start_s:.2f} s to {clip.span.end_s:.2f} s"
            raise StageError(f"{clip.name}: no frame was sampled {stretch}: raise scan.sample_fps")
        return description

    return work


def pass_through(config: RunConfig) -> Worker:
    """Every clip, for as long as no method of finding duplicates is chosen."""

    def work(clip: Clip) -> UniqueClip:
        return UniqueClip(clip=clip, method=config.dedup.method)

    return work


def annotate_measured(config: RunConfig) -> Worker:
    """Labels straight from the measurements."""
    from annotators.measured import annotate_clip

    def work(description: ClipDescription) -> ClipLabels:
        return annotate_clip(description, config.annotate.measured, CODE_VERSION)

    return work


def annotate_fragments(config: RunConfig) -> Worker:
    """Questions on fragments of the clip, with gold answers."""
    from annotators.fragments import annotate_fragments as annotate

    def work(description: ClipDescription) -> ClipLabels:
        return annotate(description, config.annotate.fragments, CODE_VERSION)

    return work


def asker(name: str) -> "Callable[[RunConfig], Asker]":
    """A factory of who asks a model on behalf of an annotator."""

    def make(config: RunConfig) -> "Asker":
        from annotators.ask import Asker
        from annotators.table import ASKING

        annotator = next(one for one in ASKING if one.name == name)
        section = config.annotate.asking()[name]
        return Asker(annotator, section, config.endpoints[section.endpoint], CODE_VERSION)

    make.__name__ = f"annotate_{name}"
    return make


def asker_version(annotator: "Annotator[Any]") -> str:
    """The annotator's version with that of the rules that all prompts share."""
    from annotators.prompts import RULES_SHA256

    return f"{annotator.version}-{RULES_SHA256[:8]}"


def verify_evidence(config: RunConfig) -> Worker:
    """A label's evidence held against the signals; a person's decision wins."""
    from stages.evidence.check import verify_label

    def work(payload: tuple[Label, ClipDescription, SliceScan, ReviewDecision | None]) -> VerifiedLabel | Verdict:
        label, description, scan, decision = payload
        found = verify_label(label, description, scan, config.describe, config.verify.evidence)
        return found if decision is None else decided(label, found, decision)

    return work


def judge(name: str) -> "Callable[[RunConfig], Judging]":
    """A factory of who judges labels by asking models."""

    def make(config: RunConfig) -> "Judging":
        from pipeline import judges
        from pipeline.judging import Judging

        made: Judge = getattr(judges, name)(config)
        return Judging(name, made, config.verify.asking()[name].unjudged)

    make.__name__ = f"verify_{name}"
    return make


JUDGED_BY_AUTHORS: Mapping[str, tuple[str, ...]] = {"consistency": ("annotate.sv6d",)}
"""Judges that ask the author of a label again, with the author's section."""


def judge_version(name: str) -> str:
    """The judge's version with that of the rules that all prompts share."""
    from annotators.prompts import RULES_SHA256

    module = import_module(f"annotators.judges.{name}")
    return f"{module.VERSION}-{RULES_SHA256[:8]}"


def wording_version() -> str:
    """The judge's version with that of the lists that it holds words against."""
    from schemas.word_lists import word_lists_sha256

    return f"2-{word_lists_sha256()[:8]}"


def verify_wording(config: RunConfig) -> Worker:
    """The words of a label."""
    from stages.wording.judge import make_wording_judge

    judged = make_wording_judge(config.verify.wording)

    def work(kept: VerifiedLabel) -> VerifiedLabel | Verdict:
        return kept if kept.is_reviewed else judged(kept)

    return work


class CutFile(Record):
    """A clip cut into a file of its own, on the machine that packs its shard."""

    path: str
    n_frames: int
    is_stream_copy: bool


def cut(config: RunConfig) -> Worker:
    """A clip as a playable file, from a local copy of its source."""
    from stages.cutting.cut import cut_clip

    def work(payload: tuple[Clip, str, str]) -> CutFile:
        clip, source, destination = payload
        made = cut_clip(clip, Path(source), Path(destination), config.package)
        return CutFile(path=destination, n_frames=made.n_frames, is_stream_copy=made.is_stream_copy)

    return work


def hand_over(config: RunConfig) -> Worker:
    """For units that are complete as they come."""
    del config

    def work(payload: Record) -> Record:
        return payload

    return work
