"""What a question needs: no video, frames in any order, frames in order, or none of these (after VBenchComp).

Here: who is asked what, and the verdict. Not here: which orders frames are shown in and what class follows, which the
judge is given (`Orders`), or reading an answer (`annotators.judges.choosing`).

The four classes and what each rests on are the paper's. Ours: each order is asked several times with the options at
other places, the same ones for every order, so that nothing but the frames differs and who always takes the first
option is right in none; the majority counts; frames out of order are shown without times and numbers.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from annotators.endpoint.chat import Chat, ChatRequest
from annotators.inquiry import AnswerError, TooLargeError
from annotators.judges.choosing import (
    Choosing,
    IsRight,
    Question,
    Shown,
    Trial,
    Tried,
    judges_of,
    require_answers,
    together,
)
from annotators.judges.judge import JudgeSubject
from annotators.judges.leakage import RULE as LEAKAGE_RULE
from annotators.pictures import Picture, evenly, pictures
from schemas.asking import EndpointConfig
from schemas.judging import QuestionClassConfig
from schemas.label import QuestionClass, VerifiedLabel
from schemas.verdict import Verdict

VERSION = "1"
"""Raised when the same answers would lead to another verdict."""

RULE = "verify.question_class"

ORDERED_PICTURES = ("keyframes", "samples")
"""What may be shown: single frames, which have an order."""

Way = Literal["blind", "ordered", "shuffled"]

_IN_WORDS: Mapping[Way, str] = {
    "blind": "without frames", "ordered": "with frames in order", "shuffled": "with frames shuffled",
}  # fmt: skip


class UnseeingError(AnswerError):
    """Nobody who could be asked takes pictures, or there is no picture to show."""

    kind = "unseeing"


@dataclass(frozen=True)
class Order:
    """An order in which frames are shown."""

    seed: int
    """That it was drawn with."""
    places: tuple[int, ...]
    """Place in time of the frame that is shown first, second and so on."""


class Orders(Protocol):
    """Orders of frames, and the class that follows from the answers, bound to the settings."""

    def shuffled(self, label_id: str, n_frames: int) -> Sequence[Order]:
        """Seeded orders other than that of time, at least one; none where there are fewer than two frames."""
        ...

    def class_of(self, *, blind: bool, ordered: bool, shuffled: Sequence[bool]) -> QuestionClass:
        """The class of a question: whether it is answered right in each way; of shuffled frames, each time."""
        ...


@dataclass(frozen=True)
class _Ask:
    """One question to one model."""

    way: Way
    about: str
    trial: Trial
    shown: Shown


@dataclass(frozen=True)
class _Votes:
    """How often a question was answered right in one way."""

    n_right: int
    n_counted: int

    @classmethod
    def of(cls, way: Way, asks: Sequence[_Ask], tried: Sequence[Tried]) -> "_Votes":
        """Those of the trials in one way. Raises an AnswerError where more than half of them came to nothing."""
        own = [one for ask, one in zip(asks, tried, strict=True) if ask.way == way]
        require_answers(own, len(own) // 2, _IN_WORDS[way])
        return cls(sum(one.outcome == "right" for one in own), sum(one.outcome != "none" for one in own))

    @property
    def is_right(self) -> bool:
        """What the majority says; an even split is not right."""
        return 2 * self.n_right > self.n_counted

    @property
    def each(self) -> tuple[bool, ...]:
        """The single outcomes, right ones first."""
        return (True,) * self.n_right + (False,) * (self.n_counted - self.n_right)

    def told(self, way: Way) -> str:
        """In words."""
        return f"{self.n_right} of {self.n_counted} {_IN_WORDS[way]}"


class QuestionClassJudge:
    """See `annotators.judges.judge.Judge`.

    Args:
        config: the judge's section, prompt written out.
        endpoints: all endpoints of the run; those that take no pictures are left out.
        orders: in which frames are shown, and what class follows.
        is_right: judges answers to open-ended questions.
    """

    def __init__(
        self, config: QuestionClassConfig, endpoints: Mapping[str, EndpointConfig], orders: Orders, is_right: IsRight
    ) -> None:
        """Raises ValueError where the settings show no single frames."""
        if config.pictures not in ORDERED_PICTURES:
            raise ValueError(f"{RULE}.pictures must be {' or '.join(ORDERED_PICTURES)}, which have an order")
        self._config, self._orders = config, orders
        self._choosing = Choosing("question_class", config, endpoints, is_right)

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Names of the endpoints that may be asked."""
        return self._config.endpoints

    def concerns(self, kept: VerifiedLabel) -> bool:
        """Questions and tool traces, which ask one; no label that a person decided about."""
        return not kept.is_reviewed and Question.of(kept.label) is not None

    async def judged(
        self, subject: JudgeSubject, chats: Mapping[str, Chat], *, afresh: bool
    ) -> VerifiedLabel | Verdict:  # fmt: skip
        """The label with its class and a verdict, or the verdict that rejects it since its class is not wanted.

        Raises UnseeingError where nobody can look, another AnswerError where more than half of the answers in one way
        come to nothing or every model wrote the label, and AskingError.
        """
        kept = subject.kept
        question = Question.of(kept.label)
        if question is None:
            return kept
        asks = self._asks(subject, question)
        tried = await together(
            self._choosing.tried(ask.trial, question, ask.shown, chats, afresh=afresh) for ask in asks
        )
        ordered, shuffled = (_Votes.of(way, asks, tried) for way in ("ordered", "shuffled"))
        before = _leakage(kept)
        if before is None:
            blind = _Votes.of("blind", asks, tried)
            is_blind_right = blind.is_right
        else:
            # Its test weighs guessing, which a majority does not: of two options guessing gets half.
            blind = _votes_in(before)
            is_blind_right = before.decision == "reject"
        found = self._orders.class_of(blind=is_blind_right, ordered=ordered.is_right, shuffled=shuffled.each)
        told = ", ".join((blind.told("blind"), ordered.told("ordered"), shuffled.told("shuffled")))
        verdict = self._verdict(kept, found, told, asks, tried)
        return verdict if verdict.decision == "reject" else kept.judged(verdict, question_class=found)

    def likely(self, subject: JudgeSubject) -> Iterator[tuple[ChatRequest, float]]:
        """Every request that a label takes. Raises AnswerError where none could be sent."""
        question = Question.of(subject.kept.label)
        if question is not None:
            for ask in self._asks(subject, question):
                yield self._choosing.request(ask.trial, question, ask.shown), 1.0

    def _asks(self, subject: JudgeSubject, question: Question) -> list[_Ask]:
        """All that is asked of one label, by each model that can see and did not write it."""
        frames = pictures(subject.clip, self._config)
        if not frames:
            raise UnseeingError(f"{subject.clip.clip.name}: there is no frame to show")
        return [
            ask for endpoint in self._seeing(subject) for ask in self._of_one(endpoint, subject.kept, question, frames)
        ]

    def _seeing(self, subject: JudgeSubject) -> tuple[str, ...]:
        independent = self._choosing.independent(subject.kept.label)
        seeing = tuple(name for name in independent if self._choosing.takes_pictures(name))
        if not seeing:
            raise UnseeingError(
                f"no model of {', '.join(independent)} takes pictures: name one that does in {RULE}.endpoints"
            )
        return seeing

    def _of_one(
        self, endpoint: str, kept: VerifiedLabel, question: Question, frames: tuple[Picture, ...]
    ) -> Iterator[_Ask]:  # fmt: skip
        frames = self._that_fit(endpoint, question, frames)
        orders = self._orders.shuffled(kept.label.label_id, len(frames))
        is_answered_blind = _leakage(kept) is not None
        for number in range(self._config.permutations):
            rotation = number % len(question.options)
            trial = Trial(endpoint, rotation, self._config.permutation_seed + number)
            rotated = "" if question.is_open else f", options rotated by {rotation}"
            if not is_answered_blind:
                yield _Ask("blind", f"no frames{rotated}", trial, _shown())
            yield _Ask("ordered", f"frames in order{rotated}", trial, _shown(frames, is_in_order=True))
            if orders:
                order = orders[number % len(orders)]
                mixed = tuple(frames[place].without_time() for place in order.places)
                about = f"frames shuffled with seed {order.seed}{rotated}"
                yield _Ask("shuffled", about, trial, _shown(mixed))

    def _that_fit(self, endpoint: str, question: Question, frames: tuple[Picture, ...]) -> tuple[Picture, ...]:
        """As many frames as the budget has room for, so that every order shows the same ones."""
        shown = _shown(frames, is_in_order=True)
        n_frames = self._choosing.request(Trial(endpoint, 0, 0), question, shown).n_pictures
        if not n_frames:
            raise TooLargeError(f"{RULE}.token_budget ({self._config.token_budget}) has no room for a frame")
        return tuple(evenly(frames, n_frames))

    def _verdict(
        self, kept: VerifiedLabel, found: QuestionClass, told: str, asks: Sequence[_Ask], tried: Sequence[Tried]
    ) -> Verdict:
        is_unwanted = found in self._config.reject
        reason = f"{found}: right in {told}"
        most = max(len(ask.shown.pictures) for ask in asks)
        return Verdict(
            subject_id=kept.label.label_id,
            decision="reject" if is_unwanted else "keep",
            rule=RULE,
            score=None,
            threshold=None,
            reason=f"{reason}; {RULE}.reject names this class" if is_unwanted else reason,
            looked_at=f"question and options, with {most} frame{'' if most == 1 else 's'} in order and shuffled",
            judges=judges_of(tried),
            trials=sum(one.outcome != "none" for one in tried),
            opinions=tuple(one.opinion(ask.about) for ask, one in zip(asks, tried, strict=True)),
            cost_usd=sum(one.cost_usd for one in tried),
        )


def _shown(frames: tuple[Picture, ...] = (), *, is_in_order: bool = False) -> Shown:
    return Shown({"is_in_order": is_in_order}, frames)


def _leakage(kept: VerifiedLabel) -> Verdict | None:
    """What blind answering found before, so that it is not asked again."""
    return next((verdict for verdict in reversed(kept.verdicts) if verdict.rule == LEAKAGE_RULE), None)


def _votes_in(verdict: Verdict) -> _Votes:
    """The trials that a verdict rests on."""
    n_trials = verdict.trials or 0
    return _Votes(round((verdict.score or 0.0) * n_trials), n_trials)
