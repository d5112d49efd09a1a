"""QVHighlights' queries: `qid, query, duration, vid, relevant_windows, relevant_clip_ids, saliency_scores`.

Here: key moments. Not here: finding them.

Published: clips of two seconds, three annotators' scores of 0 to 4 for each clip that a window meets. Ours: a clip
counts where the windows cover at least half of it, or where it is the one that a short window meets most; one score
stands in all three places, for there is one annotator.
"""

import hashlib
import math
from collections.abc import Sequence

from data_cards.exports.item import ExportItem, Format, LabelJson, Row, by_kind

CLIP_S = 2.0
BEST_SCORE = 4
N_ANNOTATORS = 3
_NO_QUERY = "it is no query"

Window = tuple[float, float, float]
"""Start and end in seconds, and saliency 0 to 1."""


def _moments(item: ExportItem, label: LabelJson) -> Row:
    moments = label["moments"]["moments"]
    windows = sorted((*item.seconds(moment["span"]), moment["saliency"]) for moment in moments)
    scores = clip_scores(windows, item.duration_s)
    return {
        "qid": number_of(label["label_id"]),
        "query": label["moments"]["query"],
        "duration": max(1, math.ceil(item.duration_s - 1e-6)),
        "vid": item.clip_id,
        "relevant_windows": [[start_s, end_s] for start_s, end_s, _ in windows],
        "relevant_clip_ids": list(scores),
        "saliency_scores": [[score] * N_ANNOTATORS for score in scores.values()],
    }


def clip_scores(windows: Sequence[Window], duration_s: float) -> dict[int, int]:
    """Score of each relevant two-second clip, 0 to 4, by its number from 0."""
    saliency: dict[int, float] = {}
    for start_s, end_s, how_salient in windows:
        met = {n: _met_s(n, start_s, end_s) for n in range(int(start_s // CLIP_S), math.ceil(end_s / CLIP_S))}
        most = max(met.values(), default=0.0)
        for number, met_s in met.items():
            lasts_s = min(CLIP_S, duration_s - number * CLIP_S)
            if met_s >= lasts_s / 2 or met_s == most > 0:
                saliency[number] = max(saliency.get(number, 0.0), how_salient)
    return {number: round(BEST_SCORE * saliency[number]) for number in sorted(saliency)}


def _met_s(number: int, start_s: float, end_s: float) -> float:
    return max(0.0, min(end_s, (number + 1) * CLIP_S) - max(start_s, number * CLIP_S))


def number_of(label_id: str) -> int:
    """A whole number that stands for a label, the same in every export: 48 bits of a hash, which JSON keeps exactly."""
    return int.from_bytes(hashlib.sha256(label_id.encode()).digest()[:6], "big")


FORMAT = Format(
    name="qvhighlights",
    file_kind="jsonl",
    about="the queries of QVHighlights",
    left_out="evidence and provenance; windows are exact and no multiples of two seconds, one score stands for three "
    "annotators; the video is videos/<vid>.mp4",
    rows=by_kind(
        {
            "moments": _moments,
            "caption": _NO_QUERY,
            "qa": _NO_QUERY,
            "sv6d": _NO_QUERY,
            "checklist": _NO_QUERY,
            "trace": _NO_QUERY,
        }
    ),
)
