"""The three training sets that the critic routes labels to: `sft`, `grpo` and `dpo`, one format each.

Here: the rows of each set. Not here: who is routed where (`verify.critic`), or the words of conversations (`llava`).

The sets are ReAgent-V's. SFT rows have the shape of LLaVA's conversations; DPO rows have the columns `prompt`, `chosen`
and `rejected` that trainers of preferences take. What a GRPO row holds is ours: a gold answer, and the name of the
reward that a program computes from it. A label that no critic routed is in none of the sets.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from data_cards.exports import llava, words
from data_cards.exports.item import ExportItem, Express, Format, LabelJson, Row, Skipped, by_kind
from schemas.label import LabelKind, Route

CRITIC = "verify.critic"
NOT_ROUTED = f"no critic routed it: only labels that {CRITIC} saw are in one of the sets sft, grpo and dpo"
NO_REWARD = "it has no answer that a program can check"
NO_PAIR = "what it is preferred over is not recorded"
CHOICE, TEXT, SPANS = "choice", "text", "spans"
"""Rewards: for the gold letter; for words that are like the gold ones; for overlap in time with the gold spans."""


def _routed(route: Route, rows: Callable[[ExportItem], Iterator[Row | Skipped]]) -> Callable[[ExportItem], Any]:
    """Rows of the labels of one route; the others are skipped, each with where it is."""

    def of(item: ExportItem) -> Iterator[Row | Skipped]:
        for label in item.labels:
            found = label.get("route")
            if found == route:
                yield from rows(_alone(item, label))
            else:
                yield Skipped(label["kind"], NOT_ROUTED if not found else f"it is routed to {found}")

    return of


def _alone(item: ExportItem, label: LabelJson) -> ExportItem:
    """The sample with one label."""
    return replace(item, sample={**item.sample, "labels": [label]})


def _exchange(item: ExportItem, label: LabelJson) -> tuple[str, str] | str:
    """What is asked and what is answered, as LLaVA's conversations have it; or why that cannot be said."""
    (made,) = llava.FORMAT.rows(_alone(item, label))
    if isinstance(made, Skipped):
        return made.reason
    asked, answered = (turn["value"] for turn in made["conversations"])
    return asked, answered


def _pair(item: ExportItem, label: LabelJson) -> Row | str:
    kind = label["kind"]
    old = _part(label.get("preferred_over"))
    if old is None:
        return NO_PAIR
    try:
        exchange, rejected = _exchange(item, label), _exchange(item, {**label, kind: _completed(kind, old)})
    except (KeyError, IndexError, TypeError):
        return NO_PAIR
    if isinstance(exchange, str) or isinstance(rejected, str):
        return NO_PAIR
    asked, chosen = exchange
    row = {"id": label["label_id"], "video": item.video, "prompt": asked, "chosen": chosen, "rejected": rejected[1]}
    return row if chosen != rejected[1] else "both of its versions read the same"


def _part(text: object) -> dict[str, Any] | None:
    """What a label said before, from its JSON."""
    try:
        part = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return part if isinstance(part, dict) else None


def _completed(kind: str, part: Mapping[str, Any]) -> dict[str, Any]:
    """The old part with what a sample's JSON has beside it."""
    if kind != "qa":
        return dict(part)
    index = part["answer_index"]
    return {**part, "answer": part["options"][index], "answer_letter": words.letter(index)}


def _task(item: ExportItem, label: LabelJson, asked: str) -> Row:
    return {"id": label["label_id"], "video": item.video, "question": asked, **_judged(label)}


def _question(item: ExportItem, label: LabelJson) -> Row:
    qa = label["qa"]
    is_open = words.is_open(qa)
    gold = qa["answer"] if is_open else qa["answer_letter"]
    return _task(item, label, qa["question"]) | {
        "options": [] if is_open else list(qa["options"]),
        "answer": str(gold),
        "answer_text": qa["answer"],
        "answer_spans": [],
        "reward": TEXT if is_open else CHOICE,
    }


def _moments(item: ExportItem, label: LabelJson) -> Row:
    spans = sorted(item.seconds(moment["span"]) for moment in label["moments"]["moments"])
    told = ", ".join(f"{start_s:.2f} s to {end_s:.2f} s" for start_s, end_s in spans)
    return _task(item, label, words.find(label)) | {
        "options": [],
        "answer": told,
        "answer_text": told,
        "answer_spans": [list(span) for span in spans],
        "reward": SPANS,
    }


def _judged(label: LabelJson) -> dict[str, float | None]:
    """The critic's figures: mean of the axes, 0 to 5, and importance, 0 to 10."""
    verdict = next((one for one in label.get("verdicts", ()) if one["rule"].startswith(CRITIC)), None)
    opinions = verdict.get("opinions", ()) if verdict else ()
    importance = [one["score"] for one in opinions if one["about"] == "importance" and one["score"] is not None]
    return {
        "critic_score": verdict["score"] if verdict else None,
        "importance": sum(importance) / len(importance) if importance else None,
    }


_GRPO: Mapping[LabelKind, Express | str] = {
    "qa": _question,
    "moments": _moments,
    "caption": NO_REWARD,
    "sv6d": NO_REWARD,
    "checklist": "a judge marks its answers, not a program",
    "trace": "its question is exported by the label that it was made for",
}
_UNCHANGED = "no reflection words it anew"
_DPO: Mapping[LabelKind, Express | str] = {
    "qa": _pair,
    "caption": _pair,
    "sv6d": _UNCHANGED,
    "checklist": _UNCHANGED,
    "moments": _UNCHANGED,
    "trace": _UNCHANGED,
}
_LEFT_OUT = f"labels of other routes, and labels that no critic routed ({CRITIC} is off, or came later)"

SFT_FORMAT = Format(
    name="sft",
    file_kind="json",
    about="labels that the critic routed to supervised fine-tuning, as conversations of LLaVA",
    left_out=f"{_LEFT_OUT}; {llava.FORMAT.left_out}",
    rows=_routed("sft", llava.FORMAT.rows),
)
GRPO_FORMAT = Format(
    name="grpo",
    file_kind="jsonl",
    about="labels that the critic routed to GRPO, as questions with a gold answer that a program can reward",
    left_out=f"{_LEFT_OUT}; evidence, reasoning and provenance; spans are seconds from the clip's start",
    rows=_routed("grpo", by_kind(_GRPO)),
)
DPO_FORMAT = Format(
    name="dpo",
    file_kind="jsonl",
    about="labels that the critic prefers after reflection, each with what it said before",
    left_out=f"{_LEFT_OUT}; evidence and provenance",
    rows=_routed("dpo", by_kind(_DPO)),
)
