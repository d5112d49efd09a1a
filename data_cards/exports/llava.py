"""LLaVA's and ShareGPT's conversations: `id, video, conversations[{from, value}]`, `<video>` first.

Here: captions, questions, SV6D segments and key moments as one exchange each. Not here: shared words (`words`).
"""

from data_cards.exports import words
from data_cards.exports.item import ExportItem, Format, LabelJson, Row, by_kind


def _row(item: ExportItem, label: LabelJson, asked: str, answered: str) -> Row:
    said = words.turns(f"<video>\n{asked}", answered)
    return {"id": label["label_id"], "video": item.video, "conversations": said}


def _caption(item: ExportItem, label: LabelJson) -> Row:
    return _row(item, label, words.describe(item, label), label["caption"]["text"])


def _question(item: ExportItem, label: LabelJson) -> Row:
    qa = label["qa"]
    return _row(item, label, words.asked(qa), "\n".join((*words.steps(item, qa), words.answered(qa))))


def _segment(item: ExportItem, label: LabelJson) -> Row:
    start_s, end_s = item.seconds(label["span"])
    asked = f"How is this video made from {start_s:.2f} s to {end_s:.2f} s? Name one attribute a line."
    said = [f"{v['dimension']} / {v['attribute']}: {v['value']}" for v in label["sv6d"]["values"]]
    return _row(item, label, asked, "\n".join(said))


def _moments(item: ExportItem, label: LabelJson) -> Row:
    spans = (item.seconds(moment["span"]) for moment in label["moments"]["moments"])
    return _row(item, label, words.find(label), ", ".join(f"{a:.2f} s to {b:.2f} s" for a, b in sorted(spans)))


FORMAT = Format(
    name="llava",
    file_kind="json",
    about="conversations of LLaVA and ShareGPT",
    left_out="checks, claims and provenance; boxes stand in the text, as left, top, right, bottom, shares of 1",
    rows=by_kind(
        {
            "caption": _caption,
            "qa": _question,
            "sv6d": _segment,
            "moments": _moments,
            "checklist": "a checklist has no answer to learn from",
            "trace": "the frames between its turns are not packaged",
        }
    ),
)
