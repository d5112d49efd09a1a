"""Editing questions: an entry of the ontology of editing, put by a model into the words of one video.

Here: the request, the answer's form, and reading it. Not here: the words of the prompt (`prompts/editing.j2`), which
entries a clip offers (`annotators.editing_entries`), or how a term is recognised (`annotators.editing_words`).

After VEU-Bench: ten dimensions on three levels, and answers rewritten from an ontology entry to the video's specifics.
That colour, motion, speed and transition are measured first, so that the right option has to name the measured term and
no wrong one may, is ours.
"""

from collections.abc import Iterator, Sequence

from pydantic import Field

from annotators.annotator import Abstention, Annotator, Reading, Request
from annotators.answers import Answer, SeenEvidence
from annotators.editing_entries import Entry, entries, has_pictures
from annotators.editing_words import affirms, names
from annotators.facts import measured_facts
from annotators.measured.draw import Draw
from annotators.pictures import pictures
from annotators.subject import ClipSubject, UnsoundError, sound_text
from schemas.asking import EditingConfig
from schemas.evidence import Evidence, Modality
from schemas.label import Label, QAItem
from schemas.provenance import Provenance
from schemas.taxonomy import EditingValue

MAX_QUESTION_CHARS = 400
"""Longest question. Ours."""
MAX_OPTION_CHARS = 300
"""Longest option. Ours."""


MOST_EVIDENCE = 4
"""Pieces of evidence of one question. Ours, like the other lengths below: a small model must come to an end."""


class ItemAnswer(Answer):
    """The question on one entry."""

    number: int = Field(description="number of the entry, as listed")
    value: str = Field(description="the entry's measured value, or the listed one that is seen where none is measured")
    question: str
    right: str = Field(description="the right option")
    wrong: list[str] = Field(description="the wrong options", max_length=10)
    evidence: list[SeenEvidence] = Field(
        description="what is seen that shows the right option to be right", max_length=MOST_EVIDENCE
    )


class EditingAnswer(Answer):
    """What a model writes about a clip's editing."""

    items: list[ItemAnswer] = Field(max_length=24)


def request(subject: ClipSubject, config: EditingConfig) -> Request | Abstention:
    """The clip's pictures and facts, and the entries with what the ontology says of each in general."""
    if not config.tasks.names(config.family):
        return Abstention(f"the task list has no task of the family {config.family!r}")
    chosen = entries(subject, config, config.ontology)
    if not chosen:
        what = "there are tasks for" if has_pictures(subject, config) else "there are tasks for, and no picture shows,"
        return Abstention(f"nothing {what} was measured beyond doubt of the clip's editing")
    return Request(
        values={
            "duration_s": subject.duration_s,
            "entries": [_told(subject, number, entry) for number, entry in enumerate(chosen, 1)],
            "n_wrong": config.n_options - 1,
        },
        pictures=pictures(subject, config),
        facts=measured_facts(subject) if config.facts else (),
    )


def read(subject: ClipSubject, answer: EditingAnswer, config: EditingConfig, provenance: Provenance) -> Reading:
    """One label an entry whose question can stand. An entry that nothing measures may be left out."""
    labels: list[Label] = []
    problems: list[str] = []
    waiting = dict(enumerate(entries(subject, config, config.ontology), 1))
    for item in answer.items:
        entry = waiting.pop(item.number, None)
        if entry is None:
            problems.append(f"there is no entry {item.number} left to write about")
            continue
        label, wrong = _label(subject, entry, item, config, provenance)
        labels += [label] if label else []
        problems += wrong
    problems += [f"entry {number} is not written about" for number, entry in waiting.items() if entry.gold]
    return Reading(tuple(labels), tuple(problems))


def _told(subject: ClipSubject, number: int, entry: Entry) -> dict[str, object]:
    """An entry as the template is given it."""
    return {
        "number": number,
        "level": entry.level,
        "title": entry.dimension.title,
        "description": entry.dimension.description,
        "start_s": subject.seconds(entry.span.start_pts),
        "end_s": subject.seconds(entry.span.end_pts),
        "measured": [piece.observation for piece in entry.evidence],
        "gold": entry.gold,
        "choices": entry.dimension.values,
    }


def _label(
    subject: ClipSubject, entry: Entry, item: ItemAnswer, config: EditingConfig, provenance: Provenance
) -> tuple[Label | None, list[str]]:
    """The label, or None where it cannot stand, and what is wrong."""
    who = f"entry {item.number}"
    task = entry.task(config.family)
    qa, problems = _question(entry, item, task, config, Draw(config.seed, subject.clip.clip_id, task, item.number))
    seen, unsound = _seen(subject, item.evidence, provenance.model, who)
    stated: tuple[Evidence, ...] = ()
    if not entry.gold:
        try:
            stated = (_stated(entry, _seen_value(entry, item.value, who), provenance.model),)
        except UnsoundError as error:
            unsound.append(str(error))
        if not seen:
            unsound.append(f"{who} needs evidence: nothing measures it")
    problems += unsound
    if qa is None or not (entry.gold or (stated and seen)):
        return None, problems
    label = Label(
        label_id="", clip_id=subject.clip.clip_id, kind="qa", span=entry.span, qa=qa,
        evidence=(*entry.evidence, *stated, *seen), provenance=provenance,
    )  # fmt: skip
    return label, problems


def _question(
    entry: Entry, item: ItemAnswer, task: str, config: EditingConfig, draw: Draw
) -> tuple[QAItem | None, list[str]]:
    """The question with its options in an order that `draw` decides, or None, and what is wrong."""
    who, n_wrong = f"entry {item.number}", config.n_options - 1
    misnamed = list(_misnamed(entry, item, who))
    try:
        question = sound_text(item.question, f"the question of {who}", MAX_QUESTION_CHARS)
        right = sound_text(item.right, f"the right option of {who}", MAX_OPTION_CHARS)
    except UnsoundError as error:
        return None, [*misnamed, str(error)]
    wrong, refused = _wrong_options(item.wrong, right, entry.gold, who)
    if len(wrong) < n_wrong:
        refused.append(f"{who} has {len(wrong)} wrong options that can stand, and {n_wrong} are needed")
    if misnamed or len(wrong) < n_wrong:
        return None, [*misnamed, *refused]
    options = tuple(draw.shuffled((right, *wrong[:n_wrong])))
    return QAItem(task=task, question=question, options=options, answer_index=options.index(right)), refused


def _misnamed(entry: Entry, item: ItemAnswer, who: str) -> Iterator[str]:
    """Where the right option does not name the measured term, or the question gives it away."""
    if entry.gold is None:
        return
    if not affirms(item.right, entry.gold):
        yield f"the right option of {who} must name the measured value: {_words(entry.gold)}"
    if names(item.question, entry.gold):
        yield f"the question of {who} gives the answer away: it must not name {_words(entry.gold)}"
    if not entry.dimension.exclusive:
        return
    for other in entry.dimension.values:
        if other != entry.gold and affirms(item.right, other):
            yield f"the right option of {who} names another value too, {_plain(other.name)}: say it in other words"


def _seen_value(entry: Entry, value: str, who: str) -> EditingValue:
    """The value that a model sees where none was measured. Raises UnsoundError where the ontology has none such."""
    folded = _plain(value.casefold())
    known = next((one for one in entry.dimension.values if _plain(one.name) == folded), None)
    if known is None:
        allowed = ", ".join(one.name for one in entry.dimension.values)
        raise UnsoundError(f"the value of {who} must be one of {allowed}")
    return known


def _wrong_options(
    given: Sequence[str], right: str, gold: EditingValue | None, who: str
) -> tuple[list[str], list[str]]:
    """The wrong options that can stand, and why others cannot."""
    sound: list[str] = []
    problems: list[str] = []
    taken = {right.casefold()}
    for number, option in enumerate(given, 1):
        what = f"wrong option {number} of {who}"
        try:
            text = sound_text(option, what, MAX_OPTION_CHARS)
        except UnsoundError as error:
            problems.append(str(error))
            continue
        if text.casefold() in taken:
            problems.append(f"{what} repeats another option")
        elif gold and names(text, gold):
            problems.append(f"{what} names the measured value, {_plain(gold.name)}: it must name another")
        else:
            taken.add(text.casefold())
            sound.append(text)
    return sound, problems


def _seen(
    subject: ClipSubject, given: Sequence[SeenEvidence], source: str, who: str
) -> tuple[list[Evidence], list[str]]:
    """The model's evidence that can stand, and why other pieces cannot."""
    sound: list[Evidence] = []
    problems: list[str] = []
    for number, piece in enumerate(given, 1):
        try:
            sound.append(subject.evidence(piece, source, f"evidence {number} of {who}"))
        except UnsoundError as error:
            problems.append(str(error))
    return sound, problems


def _stated(entry: Entry, value: EditingValue, source: str) -> Evidence:
    """What the model says a value is that nothing measures, so that the label keeps the term and its meaning."""
    observation = f"The {entry.dimension.title} is: {_plain(value.name)}. {value.description}"
    modality: Modality = "cut" if entry.dimension.name == "cut_type" else "frame"
    return Evidence(span=entry.span, modality=modality, observation=observation, claim=None, source=source)


def _words(value: EditingValue) -> str:
    return " or ".join(f"“{word}”" for word in value.words)


def _plain(name: str) -> str:
    """A name with spaces in place of what joins its words."""
    return " ".join(name.replace("_", " ").replace("-", " ").split())


ANNOTATOR = Annotator(
    name="editing",
    version="1",
    unit="clip",
    kind="qa",
    answer=EditingAnswer,
    request=request,
    read=read,
    most=lambda config: {"items": config.items_per_clip},
)
