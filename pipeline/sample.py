"""The `.json` of a packaged sample: everything a reader may need beside the video, with times that fit the clip.

Here: assembling and rendering. Not here: writing it into a shard (`stages.shards`).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from schemas.base import Record
from schemas.dataset import ShardAssignment
from schemas.label import VerifiedLabel
from schemas.signals import ClipDescription
from schemas.time import Span
from schemas.verdict import Verdict

PROGRAM = "reelproof"
"""Who judged where no model and no person did."""

_SCHEMA = "reelproof-sample/1"
_CLIP_FIGURES = {
    "display_width", "display_height", "luma_mean", "luma_spread", "saturation_mean", "sharpness", "text_is_measured",
    "speech_is_measured",
}  # fmt: skip


def sample_json(
    assignment: ShardAssignment,
    description: ClipDescription,
    verified: Sequence[VerifiedLabel],
    figures: Mapping[str, Record],
) -> bytes:
    """The sample as UTF-8 JSON with sorted keys.

    Every span holds its exact place on the source's timeline (`start_pts`, `end_pts`, `time_base`, `start_s`, `end_s`)
    and where that is in the packaged clip (`start_in_clip_s`, `end_in_clip_s`, 0 at its first frame). `figures` are the
    results of further steps, by step. Where the source lay when it was read is left out: only its name is published.
    """
    clip = description.clip
    values = {
        "schema": _SCHEMA,
        "clip_id": clip.clip_id,
        "split": assignment.split,
        "source": {"source_id": clip.source_id, "name": clip.name, "slice_id": clip.slice_id},
        "span": clip.span.model_dump(mode="json"),
        "n_frames": clip.n_frames,
        "signals": description.model_dump(mode="json", include=_CLIP_FIGURES),
        "shots": [shot.model_dump(mode="json", exclude={"camera"}) for shot in description.shots],
        "timeline": [
            {"kind": kind, "value": value, **span.model_dump(mode="json")} for kind, value, span in _events(description)
        ],
        "figures": {step: record.model_dump(mode="json") for step, record in figures.items()},
        "keyframes": [_keyframe(clip.span, description, index) for index in range(len(description.keyframes))],
        "labels": [_label(kept) for kept in verified],
    }
    return json.dumps(_with_clip_times(values, clip.span), sort_keys=True, ensure_ascii=False).encode()


def _events(description: ClipDescription) -> Iterator[tuple[str, str, Span]]:
    """Everything that has a time, as one list of equal rows: there is always a shot, so the list is never empty.

    `datasets` guesses the columns of nested JSON from a few samples; lists that are mostly empty would mislead it.
    """
    clip = description.clip
    for shot in clip.shots:
        yield "shot", f"{shot.starts_with} to {shot.ends_with}", shot.span
    for transition in clip.transitions:
        yield "transition", transition.kind, transition.span
    for segment in (segment for shot in description.shots for segment in shot.camera):
        yield "camera", segment.term, segment.span
    for span in description.frozen_spans:
        yield "freeze", "still picture", span
    for span in description.black_spans:
        yield "black", "black picture", span
    for span in description.speech:
        yield "speech", "somebody speaks", span
    for text in description.text:
        yield "text", text.text, clip.span.replace(start_pts=text.pts, end_pts=text.pts)


def _label(kept: VerifiedLabel) -> dict[str, Any]:
    label = kept.label.model_dump(mode="json", exclude_none=True)
    if kept.label.qa:
        label["qa"] |= {"answer": kept.label.qa.answer, "answer_letter": kept.label.qa.answer_letter}
    checks = [check.model_dump(mode="json") for check in kept.checks]
    judged = {name: getattr(kept, name) or "" for name in ("question_class", "route", "preferred_over")}
    return label | {"checks": checks, "verdicts": [_verdict(verdict) for verdict in kept.verdicts], **judged}


def _verdict(verdict: Verdict) -> dict[str, Any]:
    """A verdict whose fields have one type wherever `datasets` first meets it: what is not there is 0 or empty."""
    values = verdict.model_dump(mode="json")
    values |= {name: values[name] or 0 for name in ("trials", "interval_low", "interval_high")}
    return values | {
        "judges": values["judges"] or [PROGRAM],
        "interval_low": float(values["interval_low"]),
        "interval_high": float(values["interval_high"]),
    }


def _keyframe(span: Span, description: ClipDescription, index: int) -> dict[str, Any]:
    keyframe = description.keyframes[index]
    return {
        "member": f"{index:02d}.jpg",
        "pts": keyframe.sample.pts,
        "time_in_clip_s": span.time_base.seconds(keyframe.sample.pts - span.start_pts),
        "width": keyframe.sample.width,
        "height": keyframe.sample.height,
        "strategy": keyframe.strategy,
    }


def _with_clip_times(value: Any, clip: Span) -> Any:
    if isinstance(value, list):
        return [_with_clip_times(item, clip) for item in value]
    if not isinstance(value, dict):
        return value
    inner = {key: _with_clip_times(item, clip) for key, item in value.items()}
    if "start_pts" in inner and "time_base" in inner:
        base = Fraction(inner["time_base"]["numerator"], inner["time_base"]["denominator"])
        inner["start_in_clip_s"] = float((inner["start_pts"] - clip.start_pts) * base)
        inner["end_in_clip_s"] = float((inner["end_pts"] - clip.start_pts) * base)
    return inner
