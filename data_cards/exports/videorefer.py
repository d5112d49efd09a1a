"""VideoRefer's regions: `id, video, conversations, annotation[{frame_idx: {segmentation}}]`, `<region>` in the text.

Here: questions whose reasoning points at boxes. Not here: shared words (`words`).

A box becomes the polygon of its corners in pixels of the clip as it is shown, a form that VideoRefer reads beside
masks: nobody drew the outline.
"""

from collections.abc import Mapping
from typing import Any

from data_cards.exports import words
from data_cards.exports.item import ExportItem, Format, LabelJson, Row, by_kind
from data_cards.exports.qvhighlights import number_of

_NO_REGION = "it points at no region"


def _question(item: ExportItem, label: LabelJson) -> Row | str:
    qa = label["qa"]
    pointing = [s for s in qa.get("reasoning", ()) if s.get("box") and s.get("frame_pts") is not None]
    if not pointing:
        return _NO_REGION
    regions = ", ".join("<region>" for _ in pointing)
    asked = f"<video>\nWith an eye to {regions}: {words.asked(qa)}"
    return {
        "id": number_of(label["label_id"]),
        "video": item.video,
        "conversations": words.turns(asked, "\n".join((*(s["text"] for s in qa["reasoning"]), words.answered(qa)))),
        "annotation": [_region(item, step) for step in pointing],
    }


def _region(item: ExportItem, step: Mapping[str, Any]) -> dict[str, Any]:
    """One region on the frame that its step rests on; frames are numbered from 0 in the packaged clip."""
    n_frames = item.sample["n_frames"]
    index = int(item.instant(step["frame_pts"]) / max(item.duration_s, 1e-9) * n_frames + 1e-3)
    return {str(min(max(index, 0), max(n_frames - 1, 0))): {"segmentation": _polygon(item, step["box"])}}


def _polygon(item: ExportItem, box: Mapping[str, float]) -> list[list[float]]:
    signals = item.sample["signals"]
    left, right = (round(box[edge] * signals["display_width"], 1) for edge in ("left", "right"))
    top, bottom = (round(box[edge] * signals["display_height"], 1) for edge in ("top", "bottom"))
    return [[left, top, right, top, right, bottom, left, bottom]]


FORMAT = Format(
    name="videorefer",
    file_kind="json",
    about="the regions of VideoRefer",
    left_out="labels without boxes, evidence and provenance; outlines are boxes, as polygons in pixels; frame numbers "
    "are exact where the frame rate is constant",
    rows=by_kind(
        {
            "qa": _question,
            "caption": _NO_REGION,
            "sv6d": _NO_REGION,
            "checklist": _NO_REGION,
            "moments": _NO_REGION,
            "trace": _NO_REGION,
        }
    ),
)
