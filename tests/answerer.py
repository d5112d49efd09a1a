"""A model that answers every annotator and judge soundly, from what the prompt says: tests see what follows from it.

Here: `sound_answer`, a `Plan.answer` for the stand-in endpoint. It reads prompts as a model does, by their words; it
knows nothing of the clip beyond them.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.judge_answers_blind import BLIND_MAKERS
from tests.judge_answers_critic import CRITIC_MAKERS

Made = dict[str, Any]


def sound_answer(body: Mapping[str, Any]) -> Made:
    """An answer that fits the schema in the request and that the annotator's checks accept."""
    name = body["response_format"]["json_schema"]["name"]
    told = prompt_of(body)
    found = re.search(r"The clip lasts ([\d.]+) seconds", told)
    makers = {**_MAKERS, **BLIND_MAKERS, **CRITIC_MAKERS}
    return makers[name](told, float(found[1]) if found else 0.0)


def prompt_of(body: Mapping[str, Any]) -> str:
    """The words of the user's first message."""
    content = next(message["content"] for message in body["messages"] if message["role"] == "user")
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if part["type"] == "text")


def _seen(start_s: float, end_s: float, words: str = "a meadow") -> Made:
    return {"start_s": round(start_s, 2), "end_s": round(end_s, 2), "modality": "frame", "observation": f"There is {words}.", "claim": None}  # noqa: E501 # fmt: skip


def _number(told: str, pattern: str, otherwise: int) -> int:
    found = re.search(pattern, told)
    return int(found[1]) if found else otherwise


def _fenced(told: str, before: str) -> str:
    """The first fenced text after some words."""
    found = re.search(re.escape(before) + r".*?<data \w+>\n(.*?)\n</data", told, re.DOTALL)
    return found[1] if found else ""


def _caption(told: str, duration_s: float) -> Made:
    numbers = re.findall(r"^  (\d+): .* at [\d.]+ s$", told, re.MULTILINE)
    half = duration_s / 2
    events = [
        {"start_s": 0.0, "end_s": round(half, 2), "text": "A rabbit sits in the meadow.", "evidence": [_seen(0, half)]},
        {"start_s": round(half, 2), "end_s": duration_s, "text": "The rabbit runs into the wood.",
         "evidence": [_seen(half, duration_s)]},
    ]  # fmt: skip
    return {
        "summary": "A rabbit sits in the meadow and then runs into the wood while leaves fall.",
        "summary_evidence": [_seen(0, duration_s)],
        "events": events[: _number(told, r"at most (\d+) events", 2)],
        "transitions": [{"number": int(n), "text": f"A meadow gives way to wood number {n}."} for n in numbers],
    }


def _names(told: str, _duration_s: float) -> Made:
    found = re.findall(r"[Cc]aption (\d+).*?\n?<data \w+>\n(.*?)\n</data", told, re.DOTALL)
    mentions = [
        {"caption": int(number), "phrase": phrase}
        for number, text in found
        for phrase in ("A rabbit", "The rabbit")
        if phrase in text
    ]
    rabbit = {"kind": "person", "description": "A grey rabbit.", "name": "the grey rabbit", "mentions": mentions}
    return {"entities": [rabbit] if mentions else []}


def _qa(told: str, duration_s: float) -> Made:
    tasks = re.findall(r"^  (\w+): ", told[told.index("- `task`") :], re.MULTILINE)
    count = _number(told, r"Write `items`: (\d+)", 1)
    half = duration_s / 2
    return {
        "items": [
            {
                "task": tasks[number % len(tasks)],
                "question": f"Which place number {number + 1} does the animal reach from {0.0} s to {duration_s} s?",
                "answer": f"the old wood with {('oaks', 'firs', 'elms', 'limes', 'pines')[number % 5]}",
                "start_s": 0.0,
                "end_s": duration_s,
                "evidence": [_seen(0, half * 0.9), _seen(half * 1.05, duration_s, "a wood")],
            }
            for number in range(count)
        ]
    }


def _distractors(told: str, _duration_s: float) -> Made:
    count = _number(told, r"Write `options`: (\d+)", 3)
    answer = _fenced(told, "Its right answer")
    others = ("the dry river with stones", "the tall house of brick", "the open road by night", "the small boat at sea",
              "the busy market at noon", "the cold barn on a hill", "the steep path in snow")  # fmt: skip
    return {"options": [_as_long(text, answer) for text in others[:count]]}


def _as_long(text: str, answer: str) -> str:
    """The text with words put to it until it is about as long as the answer."""
    while len(text) * 1.3 < len(answer):
        text += " and more"
    return text[: max(12, round(len(answer) * 1.4))].strip()


def _reasoning(told: str, duration_s: float) -> Made:
    answer = _fenced(told, "The right answer")
    steps: list[Made] = [
        {"role": role, "text": text, "start_s": 0.0, "end_s": duration_s, "frame": None, "box": None,
         "known_evidence": [1], "new_evidence": []}
        for role, text in (("observe", "A meadow is seen."), ("locate", "The wood comes later."),
                           ("infer", "The animal left the meadow."), ("conclude", f"So it is: {answer}"))
    ]  # fmt: skip
    if re.search(r"^Frame 1 is at", told, re.MULTILINE):
        steps[0] |= {"frame": 1, "box": {"left": 0.1, "top": 0.2, "right": 0.6, "bottom": 0.9}}
    return {"steps": steps}


def _sv6d(told: str, duration_s: float) -> Made:
    del told
    values = [
        {"dimension": "subject", "attribute": "main_subject", "value": "a rabbit", "evidence": [1]},
        {"dimension": "camera", "attribute": "angle", "value": "eye_level", "evidence": [1]},
        {"dimension": "narrative", "attribute": "tension", "value": "rising", "evidence": [1]},
        {"dimension": "narrative", "attribute": "function", "value": "hook", "evidence": [1]},
        {"dimension": "editing", "attribute": "cut_rationale", "value": "to follow the animal", "evidence": [1]},
        {"dimension": "dissemination", "attribute": "packaging_cue", "value": "a big face", "evidence": [1]},
    ]
    return {"segments": [{"start_s": 0.0, "end_s": duration_s, "evidence": [_seen(0, duration_s)], "values": values}]}


def _counterfactual(told: str, _duration_s: float) -> Made:
    true = _fenced(told, "This caption of the clip is true:")
    count = _number(told, r"Write `captions`: (\d+)", 5)
    actions = ("sleeps", "digs", "dances", "swims", "hides", "eats", "falls")
    written = re.search(r"\bsits\b|\bruns\b", true)
    old = written[0] if written else true.split()[1]
    return {"captions": [{"text": true.replace(old, action, 1), "action": action} for action in actions[:count]]}


def _checklist(told: str, duration_s: float) -> Made:
    task = re.findall(r"^- (\w+): ", told[told.index("Tasks to choose from") :], re.MULTILINE)[0]
    points = [
        {"text": "The animal is called a rabbit.", "evidence": [1]},
        {"text": "The wood is named as the place where it ends.", "evidence": [1]},
    ]
    made = {"task": task, "prompt": "Say what the animal does and where.", "evidence": [_seen(0, duration_s)]}
    return {"checklists": [made | {"points": points}]}


def _editing(told: str, _duration_s: float) -> Made:
    items = []
    for entry in re.split(r"^Entry ", told, flags=re.MULTILINE)[1:]:
        number, gold = int(entry.split(",")[0]), re.search(r"which is right: (\w+)\. .*?one of these: ([^.\n]+)", entry)
        if not gold:
            continue
        word = gold[2].split(",")[0].strip()
        items.append({
            "number": number, "value": gold[1], "question": f"How is the place of entry {number} shown here?",
            "right": f"with {word} over the meadow of the rabbit",
            "wrong": ["in some other manner, near the old mill", "by what the farmer does to his fence",
                      "as the children would draw it at home"],
            "evidence": [],
        })  # fmt: skip
    return {"items": items}


def _dense_text(told: str, _duration_s: float) -> Made:
    texts = re.findall(r"^Text (\d+), read at ([\d.]+) s.*?\n<data \w+>\n(.*?)\n</data", told, re.MULTILINE | re.DOTALL)
    return {
        "items": [
            {"task": "dense_text_content", "texts": [int(number)],
             "question": f"What is written on the screen at {time} s?", "answer": f'"{text}"'}
            for number, time, text in texts[: _number(told, r"at most (\d+) questions", 1)]
        ]
    }  # fmt: skip


def _key_moments(_told: str, duration_s: float) -> Made:
    moments = [
        {"start_s": 0.0, "end_s": round(duration_s / 3, 2), "saliency": 5, "evidence": [_seen(0, duration_s / 3)]},
        {"start_s": round(duration_s / 2, 2), "end_s": round(duration_s * 0.8, 2), "saliency": 3,
         "evidence": [_seen(duration_s / 2, duration_s * 0.8)]},
    ]  # fmt: skip
    return {"queries": [{"query": "the rabbit in the meadow", "moments": moments}]}


def _tool_traces(_told: str, duration_s: float) -> Made:
    part = round(duration_s * 0.6, 2)
    turns = [
        {"thought": "Nothing is known yet: look at everything.", "tool": "overview", "start_s": 0.0,
         "end_s": duration_s, "finding": "There is a meadow and later a wood."},
        {"thought": "The wood matters: look closer.", "tool": "zoom_in", "start_s": 0.0, "end_s": part,
         "finding": "The animal goes towards trees."},
        {"thought": "That settles it.", "tool": "answer", "start_s": 0.0, "end_s": part,
         "finding": "It ends among the trees."},
    ]  # fmt: skip
    return {"turns": turns, "answer": "A"}


_MAKERS: Mapping[str, Callable[[str, float], Made]] = {
    "caption": _caption, "names": _names, "qa": _qa, "distractors": _distractors, "reasoning": _reasoning,
    "sv6d": _sv6d, "counterfactual": _counterfactual, "checklist": _checklist, "editing": _editing,
    "dense_text": _dense_text, "key_moments": _key_moments, "tool_traces": _tool_traces,
}  # fmt: skip
