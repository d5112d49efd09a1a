"""MVBench's questions: `video, question, candidates[], answer`, the answer in words.

Here: questions with options. Not here: shared words (`words`).
"""

from data_cards.exports import words
from data_cards.exports.item import ExportItem, Format, LabelJson, Row, by_kind

_NO_QUESTION = "it is no question"


def _question(item: ExportItem, label: LabelJson) -> Row | str:
    qa = label["qa"]
    if words.is_open(qa):
        return words.OPEN_QUESTION
    return {
        "video": item.video,
        "question": qa["question"],
        "candidates": list(qa["options"]),
        "answer": qa["answer"],
    }


FORMAT = Format(
    name="mvbench",
    file_kind="json",
    about="the questions of MVBench",
    left_out="tasks, evidence, reasoning and provenance; start and end too, since the clip is cut already and every "
    "question is about all of it",
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
