"""Question and answer in free words, as VideoChatGPT and VideoGPT+ (VCGBench) hold them: `video_name, Q, A`.

Here: captions and questions. Not here: shared words (`words`).
"""

from data_cards.exports import words
from data_cards.exports.item import ExportItem, Format, LabelJson, Row, by_kind

_SPEAKS_OF_OPTIONS = ("of these", "do these", "are these", "the following", "the options", "which option")


def _row(item: ExportItem, asked: str, answered: str) -> Row:
    return {"video_name": item.clip_id, "Q": asked, "A": answered}


def _caption(item: ExportItem, label: LabelJson) -> Row:
    return _row(item, words.describe(item, label), label["caption"]["text"])


def _question(item: ExportItem, label: LabelJson) -> Row | str:
    if not words.is_open(label["qa"]) and _needs_options(label["qa"]["question"]):
        return "the question makes no sense without its options"
    return _row(item, label["qa"]["question"], label["qa"]["answer"])


def _needs_options(question: str) -> bool:
    """Whether a question speaks of its options."""
    folded = question.casefold()
    return any(phrase in folded for phrase in _SPEAKS_OF_OPTIONS)


FORMAT = Format(
    name="vcgplus",
    file_kind="json",
    about="free questions and answers of VideoChatGPT and VideoGPT+",
    left_out="wrong options, evidence, reasoning and provenance; the video is videos/<video_name>.mp4",
    rows=by_kind(
        {
            "caption": _caption,
            "qa": _question,
            "sv6d": "values of a taxonomy are no answer in free words",
            "checklist": "a checklist has no answer to learn from",
            "moments": "spans are no answer in free words",
            "trace": "its question is exported by the label that it was made for",
        }
    ),
)
