"""A model that answers `verify.veracity` and `verify.critic` soundly, from what the prompt says.

Here: `CRITIC_MAKERS` for the dispatch of `tests.answerer`. They read prompts as a model does, by their words.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

Made = dict[str, Any]

AXES = ("visual_alignment", "temporal_accuracy", "option_disambiguation", "reasoning_specificity",
        "linguistic_precision")  # fmt: skip


def all_supported(told: str, _duration_s: float) -> Made:
    """Every claim is supported by the first frame or, without frames, by the first fact."""
    frames = re.findall(r"^(?:Frame|Picture) (\d+) is", told, re.MULTILINE)
    frame = int(frames[0]) if frames else None
    claims = [int(number) for number in re.findall(r"^Claim (\d+), of ", told, re.MULTILINE)]
    fact = None if frames else 1
    return {"marks": [marked(number, "supported", frame=frame, fact=fact) for number in claims]}


def marked(number: int, mark: str, *, frame: int | None = None, fact: int | None = None, seen: str = "") -> Made:
    """One mark."""
    return {"number": number, "seen": seen or f"what claim {number} says", "frame": frame, "fact": fact, "mark": mark}


def good_marks(told: str, _duration_s: float) -> Made:
    """A critic that finds everything good and important; asked to reflect, it words texts a little otherwise."""
    return reworded(told) if "Critics said of it:" in told else criticism(told, 4.5, 7.0)


def criticism(told: str, score: float, importance: float) -> Made:
    """The same mark on each axis that is asked for, null on the others."""
    asked = re.findall(r"^- `(\w+)`: ", told, re.MULTILINE)
    marks = {axis: score if axis in asked else None for axis in AXES}
    reasons = {f"{axis}_reason": f"{axis} is so." if axis in asked else "" for axis in AXES}
    return {**reasons, **marks, "importance_reason": "It takes the whole clip.", "importance": importance}


def reworded(told: str) -> Made:
    """The label's texts with other words before them, as far as they are asked for."""
    found = re.search(r"It says:\n<data (\w+)>\n(.*?)\n</data \1>", told, re.DOTALL)
    said = found[2] if found else ""
    answer = re.search(r"^Answer: (.*)$", said, re.MULTILINE)
    steps = re.findall(r"^Reasoning step (\d+) [^:]*: (.*)$", said, re.MULTILINE)
    return {
        "caption": None if "`caption` is null" in told else f"Clearly, {said}",
        "answer": None if "`answer` is null" in told or not answer else f"{answer[1]} now",
        "steps": [] if "`steps` is empty" in told else [
            {"number": int(number), "text": f"As can be seen: {text}"} for number, text in steps
        ],
    }  # fmt: skip


CRITIC_MAKERS: Mapping[str, Callable[[str, float], Made]] = {"veracity": all_supported, "critic": good_marks}
"""By the name of the schema in the request."""
