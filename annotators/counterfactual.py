"""Counterfactual captions: the clip's own caption among others that tell of another action.

Here: the request, the answer's form, and checking it. Not here: the words of the prompt (`prompts/counterfactual.j2`),
or the caption itself (`annotators.caption`, `annotators.names`).

After Feint6K: edits of the action make hard negatives, six captions a video of which the first as written is true. The
order that readers see, and all checks, are ours. Whether a word is a verb is not checked: what is checked is that a
caption keeps most words of the true one, does not deny it, and that the words for its action are not in the true one.
"""

from collections.abc import Iterator
from difflib import SequenceMatcher

from pydantic import Field

from annotators.annotator import Abstention, Annotator, Reading, Request
from annotators.answers import Answer
from annotators.facts import measured_facts
from annotators.likeness import Words, contains, words
from annotators.measured.draw import Draw
from annotators.pictures import pictures
from annotators.subject import ClipSubject, UnsoundError, latest, sound_text
from schemas.asking import CounterfactualConfig
from schemas.label import Caption, Label, QAItem
from schemas.provenance import Provenance

TASK = "counterfactual_caption"
QUESTION = "Which of these captions is true of the clip?"
MIN_KEPT = 0.5
"""Least likeness of the words with those of the true caption, 0 to 1 (Ratcliff and Obershelp's ratio). Ours."""
MAX_LENGTH_RATIO = 1.5
"""How many times longer or shorter than the true caption another may be, in characters. Ours."""
SHORT_CHARS = 12
"""Differences of fewer characters than this are never too long. Ours."""
_MAX_CHARS = 2000
_NEGATIONS = frozenset({"not", "never", "cannot", "doesn", "don", "isn", "aren", "didn", "wasn", "weren"})


class CounterfactualItem(Answer):
    """A caption that is not true."""

    text: str = Field(description="the whole caption, with another action")
    action: str = Field(description="the words of this text that say what is done instead, copied exactly")


class CounterfactualAnswer(Answer):
    """What a model makes of a caption."""

    captions: list[CounterfactualItem]


def request(subject: ClipSubject, config: CounterfactualConfig) -> Request | Abstention:
    """The clip's caption, with its pictures and facts."""
    true = _true(subject)
    if true is None:
        return Abstention("the clip has no caption to change")
    return Request(
        values={
            "duration_s": subject.duration_s,
            "caption": true[1].text,
            "n_wrong": config.n_captions - 1,
            "max_length_ratio": MAX_LENGTH_RATIO,
        },
        pictures=pictures(subject, config),
        facts=measured_facts(subject) if config.facts else (),
    )


def read(
    subject: ClipSubject, answer: CounterfactualAnswer, config: CounterfactualConfig, provenance: Provenance
) -> Reading:
    """One label where there are as many captions as asked for; those beyond are left out."""
    true = _true(subject)
    if true is None:
        return Reading((), ("the clip has no caption to change",))
    label, caption = true
    wrong: list[str] = []
    problems: list[str] = []
    for is_sound, said in _judged(answer, caption.text):
        (wrong if is_sound else problems).append(said)
    n_wrong = config.n_captions - 1
    if len(wrong) < n_wrong:
        return Reading((), (*problems, f"{len(wrong)} captions can stand; {n_wrong} are needed"))
    return Reading((_label(subject, label, (caption.text, *wrong[:n_wrong]), config, provenance),))


def _true(subject: ClipSubject) -> tuple[Label, Caption] | None:
    """The caption of the whole clip in its latest state."""
    said = latest((*subject.labels.get("caption", ()), *subject.labels.get("names", ())))
    whole = [(label, label.caption) for label in said if label.caption and label.caption.level == "clip"]
    return whole[-1] if whole else None


def _judged(answer: CounterfactualAnswer, true: str) -> Iterator[tuple[bool, str]]:
    """Each caption with True, or what is wrong with it with False."""
    taken: dict[Words, str] = {words(true): "the true caption"}
    for number, item in enumerate(answer.captions, 1):
        what = f"caption {number}"
        try:
            text = _sound(item, true, taken, what)
        except UnsoundError as error:
            yield False, str(error)
            continue
        taken[words(text)] = what
        yield True, text


def _sound(item: CounterfactualItem, true: str, taken: dict[Words, str], what: str) -> str:
    """The text of a caption that can stand. Raises UnsoundError."""
    text = sound_text(item.text, what, max(_MAX_CHARS, 2 * len(true)))
    own, action, truth = words(text), words(item.action), words(true)
    if own in taken:
        raise UnsoundError(f"{what} says the same as {taken[own]}")
    if not contains(own, action):
        raise UnsoundError(f"the action {item.action[:80]!r} of {what} does not stand in its text")
    if contains(truth, action):
        raise UnsoundError(f"the action {item.action[:80]!r} of {what} is in the true caption as well")
    if _NEGATIONS & (set(own) - set(truth)):
        raise UnsoundError(f"{what} denies the action instead of telling of another")
    kept = SequenceMatcher(None, truth, own, autojunk=False).ratio()
    if kept < MIN_KEPT:
        raise UnsoundError(f"{what} changes more than the action: {kept:.2f} alike, {MIN_KEPT:g} is the least")
    shorter, longer = sorted((len(text), len(true)))
    if longer - shorter >= SHORT_CHARS and longer > MAX_LENGTH_RATIO * shorter:
        raise UnsoundError(f"{what} has {len(text)} characters and the true one {len(true)}: that gives it away")
    return text


def _label(
    subject: ClipSubject,
    caption: Label,
    as_written: tuple[str, ...],
    config: CounterfactualConfig,
    provenance: Provenance,
) -> Label:
    """The captions in an order that the seed and the clip decide, on the evidence of the true one."""
    clip_id = subject.clip.clip_id
    order = Draw(TASK, config.seed, clip_id).shuffled(range(len(as_written)))
    item = QAItem(
        task=TASK,
        question=QUESTION,
        options=tuple(as_written[position] for position in order),
        answer_index=order.index(0),
    )
    return Label(
        label_id="", clip_id=clip_id, kind="qa", span=caption.span, qa=item, evidence=caption.evidence,
        provenance=provenance,
    )  # fmt: skip


ANNOTATOR = Annotator(
    name="counterfactual",
    version="1",
    unit="clip",
    kind="qa",
    answer=CounterfactualAnswer,
    request=request,
    read=read,
    most=lambda config: {"captions": config.n_captions - 1},
    after=("names", "caption"),
)
