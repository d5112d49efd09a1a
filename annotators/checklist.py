"""Checklists: a task for whoever is shown the clip or makes another, and the points that its answer is marked by.

Here: the request, the answer's form, and reading it. Not here: the words of the prompt (`prompts/checklist.j2`), or
marking answers.

After RULER-Bench: a judge marks each point of a checklist good (2), medium (1) or poor (0). Which points are refused
(two sentences, said before, only the prompt again) is ours.
"""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from pydantic import Field

from annotators.annotator import Abstention, Annotator, Reading, Request
from annotators.answers import Answer, SeenEvidence
from annotators.cited import CitedEvidence
from annotators.facts import measured_facts
from annotators.measured.draw import Draw
from annotators.pictures import pictures
from annotators.subject import ClipSubject, UnsoundError, sound_text
from schemas.asking import ChecklistConfig
from schemas.label import Checklist, ChecklistItem, Label
from schemas.provenance import Provenance

MAX_CHECKLISTS = 2
"""Checklists of one clip. Ours."""
MAX_PROMPT_CHARS = 600
"""Longest prompt. Ours."""
MAX_POINT_CHARS = 300
"""Longest point. Ours."""
MOST_EVIDENCE = 6
"""Pieces of evidence of one checklist. Ours, like the other lengths below: a small model must come to an end."""
SAME_POINT = 0.9
"""Points at least this alike, apart from case and punctuation, are the same one (Ratcliff and Obershelp). Ours."""

_WORD = re.compile(r"[^\W_]+")
_ABBREVIATIONS = frozenset({"mr", "mrs", "ms", "dr", "st", "vs", "e.g", "i.e", "etc", "approx", "cf"})
_END = re.compile(r"(\S*?)[.!?][\"')\]”’]*\s+[\"'(\[“‘]*(\S)")  # noqa: RUF001 (quotation marks that models write)
_FULL_WIDTH_END = re.compile(r"[。！？]\s*\S")  # noqa: RUF001
_FRAME_WORDS = frozenset(
    {"a", "an", "and", "answer", "are", "as", "at", "be", "by", "clip", "contains", "describes", "does", "explains",
     "for", "from", "has", "have", "in", "into", "is", "it", "its", "mentions", "must", "names", "of", "on", "or",
     "output", "response", "says", "shall", "should", "shows", "states", "that", "the", "their", "there", "they",
     "this", "to", "video", "was", "were", "which", "who", "whose", "will", "with"}
)  # fmt: skip
"""Words that make a point of a prompt's words without adding anything."""


class PointAnswer(Answer):
    """One point."""

    text: str = Field(description="one sentence that an answer fulfils wholly, in part or not at all")
    evidence: list[int] = Field(
        description="numbers of the checklist's evidence that show it; the first is 1", max_length=MOST_EVIDENCE
    )


class TaskAnswer(Answer):
    """One task with its points."""

    task: str = Field(description="name of the task, as listed")
    prompt: str = Field(description="what whoever is judged is asked to do")
    evidence: list[SeenEvidence] = Field(min_length=1, max_length=MOST_EVIDENCE)
    points: list[PointAnswer] = Field(min_length=1, max_length=24)


class ChecklistAnswer(Answer):
    """What a model writes about a clip."""

    checklists: list[TaskAnswer] = Field(max_length=2 * MAX_CHECKLISTS)


def request(subject: ClipSubject, config: ChecklistConfig) -> Request | Abstention:
    """The clip's pictures and facts, and the tasks, in another order for each clip so that none is always first."""
    tasks = [task for task in config.tasks.tasks if task.family == config.family]
    if not tasks:
        return Abstention(f"the task list has no task of the family {config.family!r}")
    return Request(
        values={
            "duration_s": subject.duration_s,
            "tasks": Draw(config.seed, subject.clip.clip_id, "checklist").shuffled(tasks),
            "max_checklists": min(MAX_CHECKLISTS, len(tasks)),
            "max_items": config.max_items,
        },
        pictures=pictures(subject, config),
        facts=measured_facts(subject) if config.facts else (),
    )


def read(subject: ClipSubject, answer: ChecklistAnswer, config: ChecklistConfig, provenance: Provenance) -> Reading:
    """One label a task, with those of its points that can stand."""
    labels: list[Label] = []
    problems: list[str] = []
    if len(answer.checklists) > MAX_CHECKLISTS:
        problems.append(f"{len(answer.checklists)} checklists; {MAX_CHECKLISTS} are the most")
    open_tasks = list(config.tasks.names(config.family))
    for number, said in enumerate(answer.checklists[:MAX_CHECKLISTS], 1):
        what = f"checklist {number}"
        try:
            task = _task(said.task, open_tasks, what)
            prompt = sound_text(said.prompt, f"the prompt of {what}", MAX_PROMPT_CHARS)
        except UnsoundError as error:
            problems.append(str(error))
            continue
        seen = CitedEvidence(subject, said.evidence, provenance.model, what)
        items, refused = _items(said.points, prompt, seen, config.max_items, what)
        problems += [*seen.problems, *refused]
        if items:
            open_tasks.remove(task)
            labels.append(_label(subject, Checklist(task=task, prompt=prompt, items=items), seen, provenance))
        else:
            problems.append(f"{what} has no point that can stand")
    return Reading(tuple(labels), tuple(problems))


def _task(said: str, open_tasks: Sequence[str], what: str) -> str:
    """The task that is meant. Raises UnsoundError where there is none such, or it has its checklist already."""
    name = "_".join(said.casefold().replace("-", " ").replace("_", " ").split())
    known = next((task for task in open_tasks if task.casefold() == name), None)
    if known is None:
        left = ", ".join(open_tasks) or "none, so leave it out"
        raise UnsoundError(f"the task of {what} is not one of those that have no checklist yet: {left}")
    return known


def _items(
    points: Sequence[PointAnswer], prompt: str, seen: CitedEvidence, max_items: int, what: str
) -> tuple[tuple[ChecklistItem, ...], list[str]]:
    """The points that can stand, and why others cannot."""
    items: list[ChecklistItem] = []
    problems: list[str] = []
    if len(points) > max_items:
        problems.append(f"{what} has {len(points)} points; {max_items} are the most")
    for number, point in enumerate(points[:max_items], 1):
        who = f"point {number} of {what}"
        try:
            text = sound_text(point.text, who, MAX_POINT_CHARS)
            _require_point(text, prompt, [item.text for item in items], who)
            items.append(ChecklistItem(text=text, evidence=seen.cite(point.evidence, who)))
        except UnsoundError as error:
            problems.append(str(error))
    return tuple(items), problems


def _require_point(text: str, prompt: str, others: Sequence[str], who: str) -> None:
    """Raises UnsoundError where a point is not one sentence, or says nothing that was not said."""
    if _has_more_than_a_sentence(text):
        raise UnsoundError(f"{who} has more than one sentence: make it one, or two points")
    if not _words(text):
        raise UnsoundError(f"{who} holds no word")
    if any(_alike(text, other) for other in others):
        raise UnsoundError(f"{who} repeats an earlier point")
    if _alike(text, prompt) or set(_words(text)) - _FRAME_WORDS <= set(_words(prompt)):
        raise UnsoundError(f"{who} only repeats the prompt: say what a good answer has that the prompt does not tell")


def _has_more_than_a_sentence(text: str) -> bool:
    """Whether a sentence ends before the text does: an end mark, space, and then something that begins another."""
    ends = (end.groups() for end in _END.finditer(text))
    return bool(_FULL_WIDTH_END.search(text)) or any(
        not after.islower() and not _is_abbreviation(before.strip("(\"'")) for before, after in ends
    )


def _is_abbreviation(word: str) -> bool:
    """Whether a full stop after the word ends no sentence: `Dr`, `e.g`, an initial such as `J` or `U.S`."""
    last = word.rsplit(".", 1)[-1]
    return word.casefold() in _ABBREVIATIONS or (len(last) == 1 and last.isupper())


def _alike(first: str, second: str) -> bool:
    folded = " ".join(_words(first)), " ".join(_words(second))
    return SequenceMatcher(None, *folded, autojunk=False).ratio() >= SAME_POINT


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _label(subject: ClipSubject, checklist: Checklist, seen: CitedEvidence, provenance: Provenance) -> Label:
    return Label(
        label_id="", clip_id=subject.clip.clip_id, kind="checklist", span=subject.clip.span, checklist=checklist,
        evidence=seen.evidence, provenance=provenance,
    )  # fmt: skip


ANNOTATOR = Annotator(
    name="checklist",
    version="1",
    unit="clip",
    kind="checklist",
    answer=ChecklistAnswer,
    request=request,
    read=read,
    most=lambda config: {"points": config.max_items},
)
