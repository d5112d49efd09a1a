"""Veracity: every claim of a label is confirmed by measurement or marked by independent judges who cite what they see.

Here: `VeracityJudge`, which claims are judged and what follows. Not here: splitting labels into claims and measuring
them (`stages`), or one claim's marks (`annotators.judges.marking`).

After Cinéaste's contextual-veracity filter in its purpose. Ours: accepted is what has no contradicted claim and a share
of supported ones of at least `min_supported`; measured claims count as supported and are shown to nobody.

A check says that evidence is true, or something in a sentence, which is not yet that the words say no more than that.
So what a model wrote is judged also where measurement confirms it, unless `judge_confirmed` is off.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from annotators.annotator import Request
from annotators.endpoint.chat import Chat, ChatRequest
from annotators.inquiry import AnswerError
from annotators.judges.hearing import Round, counted, hear
from annotators.judges.judge import JudgeSubject
from annotators.judges.marking import Claimed, VeracityAnswer, marking_request, opinions_of, vote
from annotators.judges.panel import NotIndependentError, Panel, single_prompt
from annotators.pictures import evenly
from annotators.subject import ClipSubject
from schemas.asking import EndpointConfig
from schemas.evidence import EvidenceCheck
from schemas.judging import VeracityConfig
from schemas.label import Label, VerifiedLabel
from schemas.verdict import Opinion, Verdict

VERSION = "1"
"""Raised when the same answers would be read differently."""
RULE = "verify.veracity"
MEASURED = "measured"
"""Who judged what measurement confirmed."""
NOBODY = "none"
"""Model of annotators that ask none."""
_LEAVES_WORDS = "distractors"
"""Adds wrong options to a question, which no claim is made of."""

Split = Callable[[Label], Sequence[Claimed]]
"""From a label to what it says, each statement true or false by itself."""


@dataclass(frozen=True)
class _Claims:
    """The claims of one label."""

    measured: tuple[tuple[Claimed, tuple[EvidenceCheck, ...]], ...]
    """With the checks that confirm them."""
    open: tuple[Claimed, ...]
    """Those that judges are shown."""
    n_left_out: int
    """Claims beyond `max_claims`, which nobody judges."""


class VeracityJudge:
    """See the module. Holds nothing of any label."""

    def __init__(self, config: VeracityConfig, endpoints: Mapping[str, EndpointConfig], split: Split) -> None:
        """`config.prompt` must be there. Raises ValueError where a model would be shown nothing."""
        self.config, self._split = config, split
        most = {"marks": config.max_claims}
        prompt = single_prompt(config, "veracity")
        self._panel: Panel[VeracityAnswer] = Panel("veracity", VeracityAnswer, prompt, config, endpoints, most=most)
        for name in config.endpoints:
            if not config.facts and not self._panel.sees(name):
                raise ValueError(f"{name!r} would be shown neither pictures nor facts: set verify.veracity.facts=true")

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Names of the endpoints that may be asked."""
        return self.config.endpoints

    def concerns(self, kept: VerifiedLabel) -> bool:
        """Every label that says something."""
        return bool(self._split(kept.label))

    async def judged(
        self, subject: JudgeSubject, chats: Mapping[str, Chat], *, afresh: bool
    ) -> VerifiedLabel | Verdict:
        """See `annotators.judges.judge.Judge`. A label that measurement confirms altogether passes unasked."""
        kept = subject.kept
        claims = self._claims(kept)
        if not claims.open:
            return kept.judged(self._confirmed(kept.label, claims))
        free = self._panel.independent(kept.label)
        requests = {name: self._request(subject.clip, claims, name) for name in free}
        heard = await hear(self._panel, requests, chats, afresh=afresh)
        verdict = self._verdict(kept.label, claims, heard)
        return kept.judged(verdict) if verdict.decision == "keep" else verdict

    def likely(self, subject: JudgeSubject) -> Iterator[tuple[ChatRequest, float]]:
        """See `annotators.judges.judge.Judge`."""
        claims = self._claims(subject.kept)
        if not claims.open:
            return
        try:
            free = self._panel.independent(subject.kept.label)
        except NotIndependentError:
            return
        for name in free:
            try:
                yield self._panel.request(name, self._request(subject.clip, claims, name)), 1.0
            except AnswerError:
                continue  # the model stays silent without being asked

    def _request(self, clip: ClipSubject, claims: _Claims, endpoint: str) -> Request:
        return marking_request(clip, claims.open, self._panel.inquiries[endpoint].config)

    def _claims(self, kept: VerifiedLabel) -> _Claims:
        """The label's claims, sorted by who has to judge them."""
        needs_judge = self.config.judge_confirmed and _is_written_by_model(kept.label)
        said = [(claim, () if needs_judge else _confirming(claim, kept)) for claim in self._split(kept.label)]
        unmeasured = [claim for claim, checks in said if not checks]
        judged = evenly(unmeasured, self.config.max_claims)
        measured = tuple((claim, checks) for claim, checks in said if checks)
        return _Claims(measured, tuple(judged), len(unmeasured) - len(judged))

    def _confirmed(self, label: Label, claims: _Claims) -> Verdict:
        """Of a label that needs no judge."""
        reason = f"measurement confirms {counted(len(claims.measured), 'claim')}, which is all that it says"
        return Verdict(
            subject_id=label.label_id, decision="keep", rule=RULE, score=1.0, threshold=self.config.min_supported,
            reason=reason, looked_at="the checks of the evidence", opinions=_measured_opinions(claims),
        )  # fmt: skip

    def _verdict(self, label: Label, claims: _Claims, heard: Round[VeracityAnswer]) -> Verdict:
        opinions = [opinions_of(one, claims.open) for one in heard.answered]
        by_claim: list[tuple[Opinion, ...]] = list(zip(*opinions, strict=True))
        marks = [vote(of_claim) for of_claim in by_claim]
        n_claims, n_supported = len(claims.measured) + len(marks), len(claims.measured) + marks.count("supported")
        share = n_supported / n_claims
        rule, reason = RULE, f"{n_supported} of {counted(n_claims, 'claim')} supported, none contradicted"
        if "contradicted" in marks:
            reason = f"contradicted: {_decisive(by_claim[marks.index('contradicted')], 'contradicted')}"
        elif share < self.config.min_supported:
            rule = f"{RULE}.min_supported"
            reason += f"; absent: {_decisive(by_claim[marks.index('absent')], 'absent')}"
        if claims.n_left_out:
            reason += f"; {claims.n_left_out} more were not judged (max_claims)"
        is_kept = "contradicted" not in marks and share >= self.config.min_supported
        return Verdict(
            subject_id=label.label_id, decision="keep" if is_kept else "reject", rule=rule, score=share,
            threshold=self.config.min_supported, reason=reason, looked_at=heard.looked_at, judges=heard.judges,
            opinions=(*_measured_opinions(claims), *(one for of in opinions for one in of), *heard.silent),
            cost_usd=heard.cost_usd,
        )  # fmt: skip


def _is_written_by_model(label: Label) -> bool:
    """Whether a model chose any of the label's words that claims are made of."""
    revisions = (author for author in label.revisions if author.annotator != _LEAVES_WORDS)
    return any(author.model != NOBODY for author in (label.provenance, *revisions))


def _confirming(claim: Claimed, kept: VerifiedLabel) -> tuple[EvidenceCheck, ...]:
    """The checks by which measurement confirms a claim: those of its own words, or of all evidence that it rests on."""
    words = tuple(check for check in kept.checks if check.statement == f"{claim.place}: {claim.text}")
    if any(check.outcome == "confirmed" for check in words):
        return words
    by_index = {check.evidence_index: check for check in kept.checks if check.evidence_index is not None}
    checks = [by_index.get(index) for index in claim.evidence]
    confirmed = tuple(check for check in checks if check is not None and check.outcome == "confirmed")
    return confirmed if len(confirmed) == len(checks) else ()


def _measured_opinions(claims: _Claims) -> tuple[Opinion, ...]:
    """One for each measured claim, with the number where one decided it."""
    return tuple(
        Opinion(
            judge=MEASURED, about=claim.text, outcome="supported",
            score=next((check.measured for check in checks if check.measured is not None), None),
            reason="; ".join(dict.fromkeys(check.reason for check in checks)),
        )
        for claim, checks in claims.measured
    )  # fmt: skip


def _decisive(opinions: Sequence[Opinion], mark: str) -> str:
    """A claim, and what the first judge who gave it the mark says of it."""
    one = next(opinion for opinion in opinions if opinion.outcome == mark)
    return f"{one.about} ({one.judge}: {one.reason or 'no reason given'})"
