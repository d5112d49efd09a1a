"""Blind answering: whether a question can be answered without the video (after Cinéaste's context independence).

Here: who is asked what, until the test has seen enough, and the verdict. Not here: the statistics, which the judge is
given (`BlindTest`), or reading an answer (`annotators.judges.choosing`).

The idea of the filter is the paper's. Trials over rotated options, the sequential test, the further rungs and every
figure are ours.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, Protocol

from annotators.endpoint.chat import Chat, ChatRequest
from annotators.judges.choosing import (
    Choosing,
    Question,
    Shown,
    Trial,
    Tried,
    judges_of,
    require_answers,
    together,
)
from annotators.judges.judge import JudgeSubject
from annotators.pictures import evenly, numbered
from annotators.subject import ClipSubject
from annotators.told import captions_told
from schemas.asking import EndpointConfig
from schemas.judging import LeakageConfig
from schemas.label import Label, VerifiedLabel
from schemas.verdict import Opinion, Verdict

VERSION = "1"
"""Raised when the same answers would lead to another verdict."""

RULE = "verify.leakage"
"""Of answering from question and options alone; those of the rungs are `verify.leakage.caption` and `.frame`."""

MOST_FAILED_SHARE = 0.5
"""Trials that may come to nothing, as a share of `max_trials` and beside those that count; with more the label is a
failure. Ours."""

Rung = Literal["nothing", "caption", "frame"]
"""What a model is shown beside the question and its options."""

_FROM: Mapping[Rung, str] = {
    "nothing": "without the video", "caption": "from captions alone", "frame": "from one frame alone",
}  # fmt: skip


@dataclass(frozen=True)
class Outcomes:
    """What trials came to, in their order."""

    right: tuple[bool, ...]
    """Of those that count, up to a look of the test."""
    opinions: tuple[Opinion, ...]
    """Of all trials."""
    judges: tuple[str, ...]
    """Models that answered."""
    cost_usd: float


class BlindTest(Protocol):
    """The statistics of blind answering, bound to the settings."""

    def trials(self, n_options: int, endpoints: Sequence[str], count: int) -> Sequence[Trial]:
        """The first `count` trials of a question, in the order in which they are made."""
        ...

    def next_look(self, n_options: int, n_counted: int) -> int:
        """After how many trials that count the test looks next, where it has seen `n_counted`; more than those."""
        ...

    def verdict(self, label_id: str, n_options: int, outcomes: Outcomes, rung: Rung) -> Verdict | None:
        """What the trials up to a look prove; None where more are wanted. The last look always decides."""
        ...

    def expected_trials(self, n_options: int) -> float:
        """Trials that a question takes on average where it is answered by guessing."""
        ...

    def is_right(self, said: str, answer: str) -> bool:
        """Whether an answer to an open-ended question means the same as the right one."""
        ...


class LeakageJudge:
    """See `annotators.judges.judge.Judge`.

    Args:
        config: the judge's section, prompt written out.
        endpoints: all endpoints of the run.
        test: which trials are made, and what follows from their outcomes.
    """

    def __init__(self, config: LeakageConfig, endpoints: Mapping[str, EndpointConfig], test: BlindTest) -> None:
        self._config, self._test = config, test
        self._choosing = Choosing("leakage", config, endpoints, test.is_right)

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
        """The label with the verdict of blind answering and of each rung that could be tried, or the one that rejects.

        A rung without anything to show (no caption was kept, no model takes pictures) is left out. Raises AnswerError
        where too many trials came to nothing or every model wrote the label, and AskingError.
        """
        label = subject.kept.label
        question = Question.of(label)
        if question is None:
            return subject.kept
        kept = subject.kept
        for rung, endpoints, shown in self._rungs(subject.clip, label):
            verdict = await self._verdict(rung, label, question, endpoints, shown, chats, afresh=afresh)
            if verdict.decision == "reject":
                return verdict
            kept = kept.judged(verdict)
        return kept

    def likely(self, subject: JudgeSubject) -> Iterator[tuple[ChatRequest, float]]:
        """The first trials of each rung, as many as guessing takes on average; the last one perhaps in part.

        Raises AnswerError where none could be sent.
        """
        label = subject.kept.label
        question = Question.of(label)
        if question is None:
            return
        n_options = len(question.options)
        expected = min(self._test.expected_trials(n_options), float(self._config.max_trials))
        for _, endpoints, shown in self._rungs(subject.clip, label):
            for number, trial in enumerate(self._trials(question, endpoints)):
                share = min(1.0, expected - number)
                if share <= 0:
                    break
                yield self._choosing.request(trial, question, shown), share

    def _rungs(self, clip: ClipSubject, label: Label) -> Iterator[tuple[Rung, tuple[str, ...], Shown]]:
        """What is tried, by whom, and what they are shown: nothing first, then as the settings say."""
        endpoints = self._choosing.independent(label)
        nothing = {"captions": ""}
        yield "nothing", endpoints, Shown(nothing)
        for rung in dict.fromkeys(self._config.rungs):
            if rung == "caption":
                captions = captions_told(clip, self._config.token_budget)
                if captions:
                    yield rung, endpoints, Shown({"captions": captions})
                continue
            seeing = tuple(name for name in endpoints if self._choosing.takes_pictures(name))
            samples = [keyframe.sample for keyframe in clip.description.keyframes]
            middle = evenly(sorted(samples, key=lambda sample: sample.pts), 1)
            if seeing and middle:
                frames = tuple(frame.without_time() for frame in numbered(clip, middle, self._config))
                yield rung, seeing, Shown(nothing, frames)

    def _trials(self, question: Question, endpoints: Sequence[str]) -> Sequence[Trial]:
        """As many trials as could be needed where the most that may come to nothing did."""
        most = self._config.max_trials + self._most_failed
        return self._test.trials(len(question.options), endpoints, most)

    @property
    def _most_failed(self) -> int:
        return int(self._config.max_trials * MOST_FAILED_SHARE)

    async def _verdict(
        self, rung: Rung, label: Label, question: Question, endpoints: Sequence[str], shown: Shown,
        chats: Mapping[str, Chat], *, afresh: bool,
    ) -> Verdict:  # fmt: skip
        """What comes of one rung: trials together up to each look of the test, until it has seen enough."""
        n_options = len(question.options)
        trials = iter(self._trials(question, endpoints))
        tried: list[Tried] = []
        n_counted = 0
        while True:
            look = self._test.next_look(n_options, n_counted)
            while n_counted < look:
                # Who gives no answer is replaced, so that the test sees as many as its error rates rest on.
                group = islice(trials, look - n_counted)
                tried += await together(
                    self._choosing.tried(trial, question, shown, chats, afresh=afresh) for trial in group
                )
                require_answers(tried, self._most_failed, _FROM[rung])
                n_counted = sum(one.outcome != "none" for one in tried)
            verdict = self._test.verdict(label.label_id, n_options, _outcomes(tried, question), rung)
            if verdict is not None:
                return verdict


def _outcomes(tried: Sequence[Tried], question: Question) -> Outcomes:
    return Outcomes(
        right=tuple(one.outcome == "right" for one in tried if one.outcome != "none"),
        opinions=tuple(one.opinion(_about(one.trial, question)) for one in tried),
        judges=judges_of(tried),
        cost_usd=sum(one.cost_usd for one in tried),
    )


def _about(trial: Trial, question: Question) -> str:
    rotated = "" if question.is_open else f"options rotated by {trial.rotation}, "
    return f"{rotated}seed {trial.seed}"
