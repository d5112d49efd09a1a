"""Chains of reasoning from what is seen to the answer of a question, each step with time, frame, place and evidence.

Here: the request, the answer's form, and reading it. Not here: the words of the prompt (`prompts/reasoning.j2`), or a
judge's opinion of a chain.

After VideoEspresso: the model is given question and answer and lays out the evidence, with boxes and times matched back
to frames. After Keye-VL-1.5: reasoning in five steps. The names of the steps, that a chain stands or falls as a whole,
how often a step may come and how a conclusion is held against the answer are ours.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import get_args

from pydantic import Field

from annotators.annotator import Abstention, Annotator, Reading, Request
from annotators.answers import Answer, SeenBox, SeenEvidence
from annotators.facts import measured_facts
from annotators.likeness import contains, likeness, words
from annotators.pictures import pictures
from annotators.subject import TIME_TOLERANCE_S, ClipSubject, UnsoundError, box_of, sound_text
from annotators.told import captions_told, evidence_told
from schemas.asking import ReasoningConfig
from schemas.evidence import Evidence
from schemas.label import Label, QAItem, ReasoningRole, ReasoningStep
from schemas.provenance import Provenance

ROLES: tuple[ReasoningRole, ...] = get_args(ReasoningRole)
"""In the order in which they come."""
NEEDED: tuple[ReasoningRole, ...] = ("observe", "conclude")
"""Without these a chain neither looks nor answers. Ours."""
MOST_OF_A_ROLE = 2
"""How often a role may come, one after the other; `conclude` comes once. Ours."""
MOST_STEPS = MOST_OF_A_ROLE * (len(ROLES) - 1) + 1
MOST_STEP_CHARS = 1000
"""Ours."""
AGREEMENT = 0.8
"""Likeness of the right option from which a conclusion names it (`annotators.likeness`). Ours."""

_LETTER = re.compile(
    r"\(([A-H])\)|\b([A-H])\)|\b(?:[Oo]ption|[Cc]hoice) \(?([A-H])\b|^\W*([A-H])\W*$"
    r"|\b[Aa]nswer(?: is|:)? ([A-H])(?=\W*$|[.,:;])"
)
"""`(B)`, `option B`, `the answer is B`, or `B` alone; not the article of `The answer is A dog`."""


class StepAnswer(Answer):
    """One step."""

    role: ReasoningRole = Field(description="observe, locate, relate, infer, conclude: in this order")
    text: str = Field(description="one or two sentences")
    start_s: float = Field(description="what the step looks at: seconds from the clip's start")
    end_s: float = Field(description="seconds from the clip's start")
    frame: int | None = Field(description="number of the shown frame that the step rests on, null where it is none")
    box: SeenBox | None = Field(description="where on that frame to look, null where it is the whole picture")
    known_evidence: list[int] = Field(description="numbers of the listed evidence that the step rests on", max_length=8)
    new_evidence: list[SeenEvidence] = Field(description="what it rests on beyond that", max_length=3)


class ReasoningAnswer(Answer):
    """What a model says of how the answer is found."""

    steps: list[StepAnswer] = Field(min_length=1, max_length=MOST_STEPS)


def request(subject: ClipSubject, config: ReasoningConfig) -> Request | Abstention:
    """The question, its right answer and the evidence it has, with pictures, facts and captions."""
    label = subject.about
    if label is None or label.qa is None:
        return Abstention("the label asks nothing")
    if label.qa.reasoning:
        return Abstention("the question has its reasoning already")
    values = {
        "duration_s": subject.duration_s,
        "question": label.qa.question,
        "options": _listed(label.qa),
        "answer": label.qa.answer,
        "letter": label.qa.answer_letter if len(label.qa.options) > 1 else "",
        "evidence": evidence_told(subject, label.evidence),
        "captions": captions_told(subject, config.token_budget),
        "most_of_a_role": MOST_OF_A_ROLE,
    }
    facts = measured_facts(subject) if config.facts else ()
    return Request(values=values, pictures=pictures(subject, config), facts=facts)


def read(subject: ClipSubject, answer: ReasoningAnswer, config: ReasoningConfig, provenance: Provenance) -> Reading:
    """The label with its chain where every step can stand; else none, with everything that is wrong with the chain."""
    label = subject.about
    if label is None or label.qa is None:
        return Reading((), ("there is no question to reason about",))
    frames = {picture.number: picture.pts for picture in pictures(subject, config) if picture.pts is not None}
    problems = [*_order([step.role for step in answer.steps]), *_conclusion(answer.steps, label.qa)]
    evidence = _Evidence(subject, label, provenance.model)
    steps: list[ReasoningStep] = []
    for number, step in enumerate(answer.steps, 1):
        try:
            steps.append(_step(subject, step, f"step {number}", frames, evidence))
        except UnsoundError as error:
            problems.append(str(error))
    if problems:
        return Reading((), tuple(problems))
    item = label.qa.replace(reasoning=tuple(steps))
    revisions = (*label.revisions, provenance)
    return Reading((label.replace(qa=item, evidence=evidence.pieces, revisions=revisions),))


def agrees(conclusion: str, item: QAItem) -> bool:
    """Whether a conclusion comes to the right option.

    Where it names letters, the right one must be among them, and it may not spell out a wrong option alone. Where it
    names none, it must hold the right option, word by word apart from case, punctuation and articles, or a stretch that
    resembles it by at least `AGREEMENT` and resembles no wrong option more. An open question has no letters.
    """
    said, right = words(conclusion), words(item.answer)
    wrong = [words(option) for index, option in enumerate(item.options) if index != item.answer_index]
    letters = {letter for found in _LETTER.findall(conclusion) for letter in found if letter} if wrong else set()
    spells_right = contains(said, right) if right else item.answer in conclusion  # signs alone have no words
    if letters:
        return item.answer_letter in letters and (spells_right or not any(contains(said, one) for one in wrong))
    likest_wrong = max((likeness(said, one) for one in wrong), default=0.0)
    return spells_right or likeness(said, right) >= max(AGREEMENT, likest_wrong)


def _listed(item: QAItem) -> str:
    """The options, one a line with its letter; empty where the question is open."""
    if len(item.options) == 1:
        return ""
    return "\n".join(f"({chr(ord('A') + index)}) {option}" for index, option in enumerate(item.options))


def _order(roles: Sequence[ReasoningRole]) -> Iterator[str]:
    for role in NEEDED:
        if role not in roles:
            yield f"there is no step {role}"
    for number, (earlier, role) in enumerate(pairwise(roles), 2):
        if ROLES.index(role) < ROLES.index(earlier):
            yield f"step {number} ({role}) comes after {earlier}; the order is {', '.join(ROLES)}"
    for role in ROLES:
        most = 1 if role == "conclude" else MOST_OF_A_ROLE
        if roles.count(role) > most:
            yield f"{roles.count(role)} steps {role}; {most} at most"


def _conclusion(steps: Sequence[StepAnswer], item: QAItem) -> Iterator[str]:
    for step in steps:
        if step.role == "conclude" and step.text.strip() and not agrees(step.text, item):
            yield f"the conclusion does not name the right answer, which is {_right(item)}"


def _right(item: QAItem) -> str:
    return f"({item.answer_letter}) {item.answer}" if len(item.options) > 1 else item.answer


def _step(
    subject: ClipSubject, step: StepAnswer, what: str, frames: Mapping[int, int], evidence: "_Evidence"
) -> ReasoningStep:
    """The step; evidence that is new is added to `evidence`. Raises UnsoundError where it cannot stand."""
    text = sound_text(step.text, f"the text of {what}", MOST_STEP_CHARS)
    span = subject.span(step.start_s, step.end_s, f"the span of {what}", may_be_empty=True)
    frame_pts = _frame(subject, step, what, frames)
    cited = evidence.cited(step, what)
    box = box_of(step.box, f"the box of {what}") if step.box else None
    if box and frame_pts is None:
        raise UnsoundError(f"{what} has a box, but names no frame that it lies on")
    return ReasoningStep(role=step.role, text=text, span=span, evidence=cited, frame_pts=frame_pts, box=box)


def _frame(subject: ClipSubject, step: StepAnswer, what: str, frames: Mapping[int, int]) -> int | None:
    """The pts of the frame that a step names."""
    if step.frame is None:
        return None
    if not frames:
        raise UnsoundError(f"{what} names frame {step.frame}, but no frames were shown: it must be null")
    if step.frame not in frames:
        raise UnsoundError(f"{what} names frame {step.frame}; the frames are {', '.join(map(str, frames))}")
    time_s = subject.seconds(frames[step.frame])
    if not step.start_s - TIME_TOLERANCE_S <= time_s <= step.end_s + TIME_TOLERANCE_S:
        stretch = f"{step.start_s:g} s to {step.end_s:g} s"
        raise UnsoundError(f"{what} names frame {step.frame}, which is at {time_s:.2f} s, outside its {stretch}")
    return frames[step.frame]


class _Evidence:
    """What a chain rests on: the evidence that its label has, and then what its steps add."""

    def __init__(self, subject: ClipSubject, label: Label, source: str) -> None:
        self._subject, self._source, self._n_known = subject, source, len(label.evidence)
        self._pieces = list(label.evidence)

    @property
    def pieces(self) -> tuple[Evidence, ...]:
        """The label's own first."""
        return tuple(self._pieces)

    def cited(self, step: StepAnswer, what: str) -> tuple[int, ...]:
        """Positions of what a step rests on, each once. Raises UnsoundError where there is nothing or no such piece."""
        for number in step.known_evidence:
            if not 1 <= number <= self._n_known:
                raise UnsoundError(f"{what} cites evidence {number}; the listed evidence is 1 to {self._n_known}")
        seen = [
            self._subject.evidence(piece, self._source, f"new evidence {number} of {what}")
            for number, piece in enumerate(step.new_evidence, 1)
        ]
        positions = [number - 1 for number in step.known_evidence] + [self._position(piece) for piece in seen]
        if not positions:
            raise UnsoundError(f"{what} rests on no evidence")
        return tuple(dict.fromkeys(positions))

    def _position(self, piece: Evidence) -> int:
        if piece not in self._pieces:
            self._pieces.append(piece)
        return self._pieces.index(piece)


ANNOTATOR = Annotator(
    name="reasoning", version="1", unit="label", kind="qa", answer=ReasoningAnswer, request=request, read=read,
    after=("qa", "dense_text", "distractors", "caption", "names"), revises=True,
)  # fmt: skip
