"""Video-MME's questions: `video_id, duration, domain, …, question, options["A. …"], answer`, the answer a letter.

Here: questions with options. Not here: shared words (`words`).
"""

from data_cards.exports import words
from data_cards.exports.item import ExportItem, Format, LabelJson, Row, by_kind

SHORT_S = 120.0
"""Longer videos are `medium` …"""
MEDIUM_S = 900.0
"""… and still longer ones `long`; where the classes end is ours."""
_NO_QUESTION = "it is no question"


def _question(item: ExportItem, label: LabelJson) -> Row | str:
    qa = label["qa"]
    if words.is_open(qa):
        return words.OPEN_QUESTION
    return {
        "video_id": item.clip_id,
        "duration": _length(item.duration_s),
        "domain": "",
        "sub_category": "",
        "url": "",
        "videoID": item.clip_id,
        "question_id": label["label_id"],
        "task_type": qa["task"],
        "question": qa["question"],
        "options": words.lettered(qa, "{}. {}"),
        "answer": qa["answer_letter"],
    }


def _length(duration_s: float) -> str:
    if duration_s <= SHORT_S:
        return "short"
    return "medium" if duration_s <= MEDIUM_S else "long"


FORMAT = Format(
    name="videomme",
    file_kind="json",
    about="the questions of Video-MME",
    left_out="evidence, reasoning and provenance; domain, sub_category and url are empty, for nobody says what a video "
    "is about and where it lay is never published; the video is videos/<videoID>.mp4",
    rows=by_kind(
        {
            "qa": _question,
            "caption": _NO_QUESTION,
            "sv6d": _NO_QUESTION,
            "checklist": _NO_QUESTION,
            "moments": _NO_QUESTION,
            "trace": "its question is exported by the label that it was made for",
        }
    ),
)
