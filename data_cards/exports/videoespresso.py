"""VideoEspresso's test set: `video_path, question, options["(A): …"], correct_answer "(A)", evidence, task`.

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
        "video_path": item.video,
        "question": qa["question"],
        "options": words.lettered(qa, "({}): {}"),
        "correct_answer": f"({qa['answer_letter']})",
        "evidence": _evidence(item, label),
        "task": qa["task"],
    }


def _evidence(item: ExportItem, label: LabelJson) -> str:
    """What is seen, piece by piece with its times, then where a step of the reasoning points at a frame."""
    seen = []
    for piece in label["evidence"]:
        start_s, end_s = item.seconds(piece["span"])
        seen.append(f"{start_s:.2f} s to {end_s:.2f} s: {piece['observation']}")
    pointed = [f"{s['text']}{words.place(item, s)}" for s in label["qa"].get("reasoning", ()) if words.place(item, s)]
    return "\n".join((*seen, *pointed))


FORMAT = Format(
    name="videoespresso",
    file_kind="json",
    about="the test set of VideoEspresso",
    left_out="checks and provenance, and reasoning but for where it points at a frame: evidence is one text, and boxes "
    "in it are left, top, right, bottom, shares of 1",
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
