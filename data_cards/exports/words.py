"""Words that several shapes share: questions with lettered options, reasoning, stretches of time, places in a frame.

Here: text made from a sample's JSON. Not here: the fields of any shape. Every wording is ours.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from data_cards.exports.item import ExportItem, LabelJson

OPEN_QUESTION = "the question has no options"
DESCRIBE_CLIP = (
    "Describe this video in detail.",
    "What happens in this video? Describe it closely.",
    "Give a full description of what this video shows.",
)
DESCRIBE_EVENT = (
    "What happens from {} to {} in this video?",
    "Describe what this video shows from {} to {}.",
    "Between {} and {}, what can be seen in this video?",
)
DESCRIBE_TRANSITION = (
    "What changes in the picture from {} to {}?",
    "Describe how one shot gives way to the next from {} to {}.",
)
FIND_MOMENTS = (
    "When does this video show the following? {}",
    "Find every stretch of this video that fits: {}",
    "At which times can this be seen in the video: {}",
)


def pick(wordings: Sequence[str], key: str) -> str:
    """One of the wordings, the same for the same key on every machine."""
    return wordings[int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") % len(wordings)]


def letter(index: int) -> str:
    """Letter of an option, A for the first."""
    return chr(ord("A") + index)


def is_open(qa: Mapping[str, Any]) -> bool:
    """Whether a question has its answer alone in place of options."""
    return len(qa["options"]) < 2


def lettered(qa: Mapping[str, Any], form: str) -> list[str]:
    """The options, each by `form` with the letter and the text, for example `({}) {}`."""
    return [form.format(letter(index), text) for index, text in enumerate(qa["options"])]


def asked(qa: Mapping[str, Any]) -> str:
    """A question as one message: its options below it, where it has any."""
    if is_open(qa):
        return str(qa["question"])
    return "\n".join((qa["question"], *lettered(qa, "({}) {}"), "Answer with the letter of the right option."))


def answered(qa: Mapping[str, Any]) -> str:
    """The right answer as the end of a message."""
    return str(qa["answer"]) if is_open(qa) else f"The answer is ({qa['answer_letter']}) {qa['answer']}"


def describe(item: ExportItem, label: LabelJson) -> str:
    """What somebody is asked whose answer a caption is."""
    level = label["caption"].get("level", "clip")
    if level == "clip" and item.is_whole(label["span"]):
        return pick(DESCRIBE_CLIP, label["label_id"])
    wordings = DESCRIBE_TRANSITION if level == "transition" else DESCRIBE_EVENT
    start_s, end_s = item.seconds(label["span"])
    return pick(wordings, label["label_id"]).format(f"{start_s:.2f} s", f"{end_s:.2f} s")


def find(label: LabelJson) -> str:
    """What somebody is asked whose answer the moments are. The query is no format string: it may hold braces."""
    before, after = pick(FIND_MOMENTS, label["label_id"]).split("{}")
    return f"{before}{label['moments']['query']}{after}"


def steps(item: ExportItem, qa: Mapping[str, Any]) -> list[str]:
    """The reasoning of a question, a line a step, each with the place that it rests on where it names one."""
    return [f"{step['text']}{place(item, step)}" for step in qa.get("reasoning", ())]


def place(item: ExportItem, step: Mapping[str, Any]) -> str:
    """Where a step looks, in words: the time of its frame, and the box as left, top, right, bottom, shares of 1."""
    if step.get("frame_pts") is None:
        return ""
    when = f"{item.instant(step['frame_pts']):.2f} s"
    box = step.get("box")
    if not box:
        return f" (frame at {when})"
    edges = ", ".join(f"{box[edge]:.3f}" for edge in ("left", "top", "right", "bottom"))
    return f" (frame at {when}, box [{edges}])"


def turns(*said: str) -> list[dict[str, str]]:
    """A conversation, the human first."""
    return [{"from": ("human", "gpt")[index % 2], "value": text} for index, text in enumerate(said)]
