"""Claims of a label as judges are shown them and mark them, and what the marks of all judges come to.

Here: the request, the answer's form, reading it, and the vote. Not here: which claims are judged and what follows for
the label (`annotators.judges.veracity`).

After Cinéaste's contextual-veracity filter in its purpose. Marks with a cited frame, that a mark which cites nothing
that was shown counts as absent, and how judges who disagree are counted are ours.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from pydantic import Field

from annotators.annotator import Request
from annotators.answers import Answer
from annotators.facts import measured_facts, stretch
from annotators.judges.hearing import Answered, Shown
from annotators.pictures import pictures
from annotators.subject import ClipSubject
from schemas.asking import AskConfig
from schemas.time import Span
from schemas.verdict import Opinion

Mark = Literal["supported", "contradicted", "absent"]

_STRICTEST: Mapping[str, int] = {"contradicted": 2, "absent": 1, "supported": 0}
"""Which of several marks counts that as many judges gave. Ours."""
MOST_CLAIMS = 40


class Claimed(Protocol):
    """One statement of a label."""

    @property
    def text(self) -> str:
        """Its words."""
        ...

    @property
    def place(self) -> str:
        """Where it stands in the label."""
        ...

    @property
    def span(self) -> Span:
        """What it speaks of."""
        ...

    @property
    def evidence(self) -> tuple[int, ...]:
        """Positions in the label's evidence that it rests on."""
        ...


class MarkAnswer(Answer):
    """What a judge says of one claim."""

    number: int = Field(description="of the claim")
    seen: str = Field(description="what is seen or read that decides it, a few words")
    frame: int | None = Field(description="number of the shown frame that decides it, null where none does")
    fact: int | None = Field(description="number of the measured fact that decides it, null where none does")
    mark: Mark


class VeracityAnswer(Answer):
    """What a judge says of a label."""

    marks: list[MarkAnswer] = Field(min_length=1, max_length=MOST_CLAIMS)


def marking_request(subject: ClipSubject, claims: Sequence[Claimed], config: AskConfig) -> Request:
    """The claims by number, with numbered pictures and numbered facts."""
    told = [
        {"number": number, "when": stretch(subject, claim.span), "text": claim.text}
        for number, claim in enumerate(claims, 1)
    ]
    return Request(
        values={"duration_s": subject.duration_s, "claims": told},
        pictures=pictures(subject, config),
        facts=numbered_facts(subject) if config.facts else (),
    )


def numbered_facts(subject: ClipSubject) -> tuple[str, ...]:
    """The measured facts, each with the number that it is cited by, from 1."""
    return tuple(f"Fact {number}: {fact}" for number, fact in enumerate(measured_facts(subject), 1))


def opinions_of(one: Answered[VeracityAnswer], claims: Sequence[Claimed]) -> tuple[Opinion, ...]:
    """One opinion for each claim, in order."""
    given: dict[int, list[MarkAnswer]] = {}
    for mark in one.heard.answer.marks:
        given.setdefault(mark.number, []).append(mark)
    return tuple(
        _opinion(one.heard.model, claim, given.get(number, ()), one.shown) for number, claim in enumerate(claims, 1)
    )


def vote(opinions: Sequence[Opinion]) -> str:
    """The mark that most judges gave a claim.

    Of marks that as many gave, contradicted counts before absent, and absent before supported.
    """
    counts = Counter(opinion.outcome for opinion in opinions)
    return max(counts, key=lambda mark: (counts[mark], _STRICTEST[mark]))


def _opinion(model: str, claim: Claimed, marks: Sequence[MarkAnswer], shown: Shown) -> Opinion:
    """What a judge says of one claim; whatever cannot be followed to what was shown is absent."""

    def opinion(outcome: Mark, reason: str, pts: int | None = None) -> Opinion:
        return Opinion(judge=model, about=claim.text, outcome=outcome, pts=pts, reason=" ".join(reason.split()))

    if len({mark.mark for mark in marks}) != 1:
        return opinion("absent", "gives it no mark" if not marks else "marks it in more than one way")
    mark = marks[0]
    if mark.mark == "absent":
        return opinion("absent", mark.seen)
    frames = {picture.number: picture for picture in shown.pictures}
    if mark.frame is not None:
        if mark.frame not in frames:
            return opinion("absent", f"{mark.mark}, but cites frame {mark.frame}, which it was not shown: {mark.seen}")
        return opinion(mark.mark, f"frame {mark.frame}: {mark.seen}", frames[mark.frame].pts)
    if mark.fact is None:
        return opinion("absent", f"{mark.mark}, but cites no {'frame' if frames else 'fact'}: {mark.seen}")
    if not 1 <= mark.fact <= len(shown.facts):
        return opinion("absent", f"{mark.mark}, but cites fact {mark.fact}, which it was not shown: {mark.seen}")
    return opinion(mark.mark, f"fact {mark.fact}: {mark.seen}")
