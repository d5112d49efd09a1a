"""The units of judges: the labels that the judge before kept, with their clip where a model is asked.

Here: reading and joining cells, and what passes without being judged. Not here: units of all other steps
(`pipeline.units`), or what judges do (`stages`, `annotators.judges`).
"""

from collections.abc import Iterator
from dataclasses import replace

from annotators.judges.judge import JudgeSubject
from pipeline.annotated_units import clip_subjects
from pipeline.attempt import Unit
from pipeline.grid import Inputs
from pipeline.units import label_subject
from schemas.asking import AskConfig
from schemas.judging import LeakageConfig
from schemas.label import Label, VerifiedLabel
from schemas.media import Clip


def kept_labels(inputs: Inputs) -> Iterator[Unit]:
    """The labels themselves, for judges that look at words, clip by clip."""
    by_clip = _by_clip(inputs)
    for clip in _clips(inputs):
        for kept in by_clip.get(clip.clip_id, ()):
            yield Unit(kept.label.label_id, label_subject(clip, kept.label), kept)


def judge_subjects(inputs: Inputs) -> Iterator[Unit]:
    """The labels with all that is known of their clip, for judges that ask models."""
    by_clip = _by_clip(inputs)
    # A judge that asks authors again shows what they were shown.
    asking = inputs.step.settings[-1]
    is_shown = _needs_pictures(inputs.run.config.section(asking))
    subjects = clip_subjects(inputs, with_pictures=is_shown, said=lambda _: {}, asking=asking)
    for subject in subjects:
        found = by_clip.get(subject.clip.clip_id, [])
        labels: dict[str, list[Label]] = {}
        for kept in found:
            labels.setdefault(kept.label.provenance.annotator, []).append(kept.label)
        said = {who: tuple(ones) for who, ones in labels.items()}
        for kept in found:
            about = replace(subject, labels=said, about=kept.label)
            yield Unit(kept.label.label_id, label_subject(subject.clip, kept.label), JudgeSubject(kept, about))


def previous_judge(inputs: Inputs) -> str:
    """The judge whose labels a step goes on from."""
    return next(name for name in reversed(inputs.step.reads) if name.startswith("verify."))


def _by_clip(inputs: Inputs) -> dict[str, list[VerifiedLabel]]:
    found: dict[str, list[VerifiedLabel]] = {}
    for kept in inputs.results(previous_judge(inputs)):
        found.setdefault(kept.label.clip_id, []).append(kept)
    return found


def _clips(inputs: Inputs) -> Iterator[Clip]:
    for unique in inputs.results("dedup"):
        yield unique.clip


def _needs_pictures(section: object) -> bool:
    if isinstance(section, LeakageConfig) and "frame" in section.rungs:
        return True
    return isinstance(section, AskConfig) and section.pictures != "none"
