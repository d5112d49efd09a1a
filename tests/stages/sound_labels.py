"""Labels that nothing speaks against: the measured ones of many clips, and those of every annotator that asks a model.

Here: making them. Not here: what judges say of them.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np

from annotators.annotator import Abstention, Annotator
from annotators.answer_schema import parse_answer
from annotators.fragments import annotate_fragments
from annotators.measured import annotate_clip
from annotators.prompts import render, shipped
from annotators.subject import ClipSubject, SliceSubject
from annotators.table import ASKING
from schemas.asking import FragmentsConfig
from schemas.config import AnnotateConfig, MeasuredConfig
from schemas.label import Label
from schemas.media import FrameSample
from schemas.provenance import Provenance
from schemas.signals import Keyframe
from tests.annotators.builders import ShotSpec, TextSpec, build_clip, varied_clip
from tests.answerer import sound_answer

N_OPTIONS = (2, 3, 4, 5, 8)
_ANNOTATE = AnnotateConfig()

_SHOTS = (
    ShotSpec(n_frames=90, texts=(TextSpec("HARVEST TIME"),), camera=("pan_left",)),
    ShotSpec(n_frames=110, luma=0.7, colours=(("red", 0.6), ("black", 0.2)), joint="dissolve", joint_frames=12),
    ShotSpec(n_frames=80, luma=0.15, texts=(TextSpec("Grand Hotel"),), camera=("zoom_in",)),
)


def measured_labels(seeds: Sequence[int]) -> Iterator[Label]:
    """What the measured annotators say of varied clips, with few and many options."""
    for seed in seeds:
        description = varied_clip(seed)[1]
        for n_options in N_OPTIONS:
            measured = MeasuredConfig(n_options=n_options, max_items_per_task=2)
            fragments = FragmentsConfig(enabled=True, n_options=n_options, max_items_per_task=2)
            yield from annotate_clip(description, measured, code_version="1").labels
            yield from annotate_fragments(description, fragments, code_version="1").labels


def answered_labels() -> dict[str, list[Label]]:
    """By annotator, the labels that come of sound answers, each annotator seeing what those before it said."""
    made: dict[str, list[Label]] = {}
    for annotator in ASKING:
        subjects = list(_subjects(annotator, _subject(made), made))
        made[annotator.name] = [label for subject in subjects for label in _asked(annotator, subject)]
    return made


def _subject(made: dict[str, list[Label]]) -> ClipSubject:
    description, _ = build_clip(_SHOTS)
    _, packed = cv2.imencode(".jpg", np.full((72, 128, 3), 90, np.uint8))
    bare = ClipSubject(description)
    keyframes = tuple(
        Keyframe(
            sample=FrameSample(pts=bare.pts(time_s), width=128, height=72, jpeg=packed.tobytes()),
            strategy="middle_sharpest",
            sharpness=1.0,
        )
        for time_s in (1.0, 5.0, 9.0)
    )
    return ClipSubject(
        description.replace(keyframes=keyframes), (), {name: tuple(found) for name, found in made.items()}
    )


def _subjects(annotator: Annotator[Any], clip: ClipSubject, made: dict[str, list[Label]]) -> Iterator[Any]:
    if annotator.unit == "clip":
        yield clip
    elif annotator.unit == "slice":
        yield SliceSubject(clip.clip.slice_id, (clip,))
    else:
        latest = {label.label_id: label for found in made.values() for label in found if label.kind == "qa"}
        for label in latest.values():
            # With tools, the stand-in always answers with the first option.
            if label.qa and (annotator.name != "tool_traces" or label.qa.answer_index == 0):
                yield ClipSubject(clip.description, (), clip.labels, label)


def _asked(annotator: Annotator[Any], subject: Any) -> Iterator[Label]:
    """The labels of one request; those that the annotator does not ask about are none."""
    config = getattr(_ANNOTATE, annotator.name)
    request = annotator.request(subject, config)
    if isinstance(request, Abstention):
        return
    values = {**request.values, "pictures": request.pictures, "facts": request.facts}
    _, told = render(shipped(annotator.name), values)
    said = "\n".join([told, *(f"Frame {p.number} is at {p.time_s} s" for p in request.pictures)])
    body = {
        "response_format": {"json_schema": {"name": annotator.name}},
        "messages": [{"role": "user", "content": said}],
    }
    answer = parse_answer(json.dumps(sound_answer(body)), annotator.answer)
    reading = annotator.read(subject, answer, config, _provenance(annotator.name))
    assert not reading.problems, (annotator.name, reading.problems)
    about = getattr(subject, "about", None)
    for number, label in enumerate(reading.labels):
        name = f"{annotator.name}-{about.label_id}" if about else annotator.name
        yield label if label.label_id else label.replace(label_id=f"{label.clip_id}-{name}-{number:03d}")


def _provenance(name: str) -> Provenance:
    return Provenance(annotator=name, annotator_version="1", code_version="0", model="some-model")
