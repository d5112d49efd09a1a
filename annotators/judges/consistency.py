"""Self-consistency of SV6D: the author is asked again, and a label stays as far as the further samples bear it out.

Here: `ConsistencyJudge`, which asks for the samples and decides. Not here: how samples are compared (`stages`), or what
the author is asked (`annotators.sv6d`).

Aligning samples by the agreement measure follows the idea of Leum-VL's objective. That a model's own samples are the
judge, how many there are, and the thresholds are ours.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from annotators import sv6d
from annotators.annotator import Abstention
from annotators.ask import Asker
from annotators.endpoint.chat import Chat, ChatRequest, Reply
from annotators.inquiry import AnswerError
from annotators.judges.hearing import SILENT, Listener, counted
from annotators.judges.judge import JudgeSubject
from annotators.subject import ClipSubject
from schemas.asking import EndpointConfig, SV6DConfig
from schemas.judging import ConsistencyConfig
from schemas.label import Label, VerifiedLabel
from schemas.time import Span
from schemas.verdict import Opinion, Verdict

VERSION = "1"
"""Raised when the same answers would be read differently."""
RULE = "verify.consistency"
AUTHOR = sv6d.ANNOTATOR.name
FURTHER_TEMPERATURE = 0.7
"""Of the further samples where the author's own temperature is 0: they would be the first one again. Ours."""


class Agreed(Protocol):
    """How far further samples bear out a label."""

    @property
    def agreement(self) -> float:
        """Mean over the further samples, 0 to 1."""
        ...

    @property
    def scores(self) -> tuple[float, ...]:
        """Agreement with its partner in each of them; 0 where it has none."""
        ...

    @property
    def votes(self) -> tuple[int, ...]:
        """For each value, how many samples share it, its own among them."""
        ...

    @property
    def kept(self) -> tuple[int, ...]:
        """Positions of the values that enough samples share."""
        ...


Compare = Callable[[Label, Sequence[Label], Sequence[Sequence[Label]], Span], Agreed]
"""From a label, its own sample, the further samples and the clip's span to how far they bear it out."""
Trim = Callable[[Label, Sequence[int]], Label]
"""From a label and positions of values to the label with those alone."""


@dataclass(frozen=True)
class _Sample:
    """What the author said once more."""

    number: int
    """From 2; the labels themselves are the first."""
    labels: tuple[Label, ...]
    replies: tuple[Reply, ...]
    error: AnswerError | None = None
    """Why its answer cannot be read; there are no labels then."""


class _Counted(Listener):
    """A chat whose requests are counted under the judge's name, not under its author's."""

    async def reply(self, request: ChatRequest, *, afresh: bool = False) -> tuple[Reply, bool]:
        return await super().reply(replace(request, annotator=RULE), afresh=afresh)


class ConsistencyJudge:
    """See the module. Holds nothing of any label; `config.endpoints` is not asked, the author is.

    Args:
        config: the judge's section.
        author: the section of the author, `annotate.sv6d`; its prompt must be there.
        endpoint: that of the author.
        code_version: of this package.
        compare: see `Compare`.
        trim: see `Trim`.
    """

    def __init__(
        self, config: ConsistencyConfig, author: SV6DConfig, endpoint: EndpointConfig, code_version: str,
        compare: Compare, trim: Trim,
    ) -> None:  # fmt: skip
        self.config, self._author = config, author
        self._compare, self._trim = compare, trim
        self._askers = {
            number: Asker(sv6d.ANNOTATOR, further(author, number), endpoint, code_version)
            for number in range(2, config.samples + 1)
        }

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Name of the author's endpoint."""
        return (self._author.endpoint,)

    def concerns(self, kept: VerifiedLabel) -> bool:
        """Labels of the author."""
        return kept.label.kind == "sv6d" and kept.label.provenance.annotator == AUTHOR

    async def judged(
        self, subject: JudgeSubject, chats: Mapping[str, Chat], *, afresh: bool
    ) -> VerifiedLabel | Verdict:
        """See `annotators.judges.judge.Judge`.

        A sample that cannot be read says nothing; one without segments bears out no label. Raises AnswerError where no
        sample can be read.
        """
        clip = replace(subject.clip, labels={}, about=None)
        chat = chats[self._author.endpoint]
        asked = (self._sample(number, clip, chat, afresh=afresh) for number in self._askers)
        came = await asyncio.gather(*asked, return_exceptions=True)
        samples: list[_Sample] = []
        for one in came:
            if isinstance(one, BaseException):
                raise one
            samples.append(one)
        errors = [sample.error for sample in samples if sample.error is not None]
        if len(errors) == len(samples):
            raise errors[0]
        own = _own(subject)
        further_ones = [sample.labels for sample in samples if sample.error is None]
        found = self._compare(subject.kept.label, own, further_ones, subject.clip.clip.span)
        return self._decided(subject.kept, samples, found, n_labels=len(own))

    def likely(self, subject: JudgeSubject) -> Iterator[tuple[ChatRequest, float]]:
        """See `annotators.judges.judge.Judge`. The labels of one clip share its samples, so that each has a part."""
        share = 1 / len(_own(subject))
        for asker in self._askers.values():
            try:
                request = asker.first_request(replace(subject.clip, labels={}, about=None))
            except AnswerError:
                continue  # the author is not asked either
            if not isinstance(request, Abstention):
                yield replace(request, annotator=RULE), share

    async def _sample(self, number: int, clip: ClipSubject, chat: Chat, *, afresh: bool) -> _Sample:
        counted_chat = _Counted(chat)
        try:
            found = await self._askers[number].labels(clip, counted_chat, afresh=afresh)
        except AnswerError as error:
            return _Sample(number, (), tuple(counted_chat.replies), error)
        return _Sample(number, found.labels, tuple(counted_chat.replies))

    def _decided(
        self, kept: VerifiedLabel, samples: Sequence[_Sample], found: Agreed, *, n_labels: int
    ) -> VerifiedLabel | Verdict:  # fmt: skip
        label, least = kept.label, self.config.min_agreement
        left_out = (
            [place for place in range(len(_values(label))) if place not in found.kept] if self.config.trim else []
        )
        told = f"agreement {found.agreement:.2f} with {counted(len(found.scores), 'further sample')} of its author"
        decision: Literal["keep", "reject"] = "keep"
        rule, reason = RULE, told
        if found.agreement < least:
            decision, rule, reason = "reject", f"{RULE}.min_agreement", f"{told}; {least:g} is the least"
        elif left_out and len(left_out) == len(_values(label)):
            decision, rule, reason = "reject", f"{RULE}.trim", f"{told}, and they share none of its values"
        elif left_out:
            reason = f"{told}; left out: {', '.join(_values(label)[place] for place in left_out)}"
        replies = [reply for sample in samples for reply in sample.replies]
        verdict = Verdict(
            subject_id=label.label_id, decision=decision, rule=rule, score=found.agreement, threshold=least,
            reason=reason, looked_at="its author's further answers on the same clip",
            judges=tuple(dict.fromkeys(reply.model for reply in replies)), trials=1 + len(found.scores),
            opinions=(*_scored(samples, found), *_voted(label, found, samples)),
            cost_usd=sum(reply.cost_usd for reply in replies) / n_labels,
        )  # fmt: skip
        if decision == "reject":
            return verdict
        return kept.judged(verdict, label=self._trim(label, found.kept) if left_out else label)


def further(author: SV6DConfig, number: int) -> SV6DConfig:
    """The author's settings for its sample `number`, from 2: another seed, and a temperature at which that matters."""
    seed = (author.seed or 0) + number - 1
    return author.replace(seed=seed, temperature=author.temperature or FURTHER_TEMPERATURE)


def _own(subject: JudgeSubject) -> tuple[Label, ...]:
    """The labels of the first sample that are kept so far; the one that is judged is always among them."""
    label = subject.kept.label
    said = subject.clip.labels.get(AUTHOR, ())
    if all(one.label_id != label.label_id for one in said):
        return (*said, label)
    return tuple(label if one.label_id == label.label_id else one for one in said)


def _values(label: Label) -> list[str]:
    """The values of a segment in words."""
    return [f"{value.dimension}.{value.attribute} {value.value!r}" for value in label.sv6d.values] if label.sv6d else []


def _scored(samples: Sequence[_Sample], found: Agreed) -> Iterator[Opinion]:
    """What each further sample makes of the label."""
    scores = iter(found.scores)
    for sample in samples:
        model = sample.replies[-1].model if sample.replies else AUTHOR
        about = f"sample {sample.number}"
        if sample.error is not None:
            yield Opinion(judge=model, about=about, outcome=SILENT, reason=str(sample.error))
            continue
        score = next(scores)
        reason = "" if score else "no segment of it is like this one"
        yield Opinion(judge=model, about=about, outcome="scored", score=score, reason=reason)


def _voted(label: Label, found: Agreed, samples: Sequence[_Sample]) -> Iterator[Opinion]:
    """How many samples share each value."""
    model = next((reply.model for sample in samples for reply in sample.replies), AUTHOR)
    n_samples = 1 + len(found.scores)
    for place, (value, votes) in enumerate(zip(_values(label), found.votes, strict=True)):
        outcome = "supported" if place in found.kept else "absent"
        reason = f"{votes} of {n_samples} samples share it"
        yield Opinion(judge=model, about=value, outcome=outcome, score=float(votes), reason=reason)
