"""Labels as rows of a table that a person reads and decides in.

Here: what a label says, and what became of it, in columns of text. Not here: the file (`jobs.review_file`).
"""

from collections.abc import Iterator

from data_cards.wording import figure, term
from pipeline.fates import part_fates
from pipeline.grid import Inputs, Run
from pipeline.reviews import decisions
from schemas.label import Label, QAItem, ToolTrace
from schemas.media import Clip
from schemas.review import LabelFate, ReviewDecision, label_version

_OUTCOMES = {"pending": "not judged yet"}


def table_rows(run: Run) -> Iterator[dict[str, str]]:
    """One row a label of the run, whatever became of it, part by part and clip by clip; columns left out are empty."""
    for row in run.rows(run.step("verify.evidence")):
        decided = decisions(run.store, row)
        clips = _clips(run, row)
        for fate in part_fates(run, row):
            yield _row(fate, clips.get(fate.label.clip_id), decided.get(fate.label.label_id))


def _clips(run: Run, row: int) -> dict[str, Clip]:
    if run.store.info("dedup", row) is None:
        return {}
    found = Inputs(run, run.step("card"), 0).results("dedup", only_row=row)
    return {unique.clip.clip_id: unique.clip for unique in found}


def _row(fate: LabelFate, clip: Clip | None, decision: ReviewDecision | None) -> dict[str, str]:
    label, last = fate.label, fate.verdicts[-1] if fate.verdicts else None
    by = f" by {decision.reviewer}" if decision and decision.reviewer else ""
    return {
        "clip_id": label.clip_id,
        "label_id": label.label_id,
        "label_version": label_version(label),
        "source": clip.name if clip else "",
        "start_s": f"{label.span.start_s:.3f}",
        "end_s": f"{label.span.end_s:.3f}",
        "kind": label.kind,
        "task": label.qa.task if label.qa else label.checklist.task if label.checklist else "",
        **said(label),
        "outcome": _OUTCOMES.get(fate.outcome, fate.outcome),
        "rule": last.rule if last else "",
        "reason": fate.failure or (last.reason if last else ""),
        "score": figure(last.score) if last and last.score is not None else "",
        "threshold": figure(last.threshold) if last and last.threshold is not None else "",
        "question_class": fate.question_class or "",
        "route": fate.route or "",
        "decided": f"{decision.decision}{by}" if decision else "",
    }


def said(label: Label) -> dict[str, str]:
    """What a label says: `question`, `options`, `answer` and `text`, those that it has."""
    asked = label.qa or label.trace
    if asked:
        return _asked(asked) | {"text": _lines(_steps(label))}
    if label.caption:
        return {"text": label.caption.text}
    if label.sv6d:
        values = (f"{value.dimension} {term(value.attribute)}: {term(value.value)}" for value in label.sv6d.values)
        return {"text": _lines(values)}
    if label.checklist:
        return {"question": label.checklist.prompt, "text": _lines(item.text for item in label.checklist.items)}
    if label.moments:
        spans = (f"{one.span.start_s:.2f} s to {one.span.end_s:.2f} s" for one in label.moments.moments)
        return {"question": label.moments.query, "text": _lines(spans)}
    return {}


def _asked(asked: QAItem | ToolTrace) -> dict[str, str]:
    answer = asked.options[asked.answer_index]
    if len(asked.options) == 1:
        return {"question": asked.question, "answer": answer}
    lettered = [f"{chr(ord('A') + index)}. {option}" for index, option in enumerate(asked.options)]
    return {"question": asked.question, "options": _lines(lettered), "answer": lettered[asked.answer_index]}


def _steps(label: Label) -> Iterator[str]:
    for step in label.qa.reasoning if label.qa else ():
        yield f"{step.role}: {step.text}"
    for turn in label.trace.turns if label.trace else ():
        yield f"{term(turn.tool)}: {turn.thought}"


def _lines(texts: Iterator[str] | list[str]) -> str:
    return "\n".join(texts)
