"""The critic: marks a label on five axes, rejects the poor ones, and says which training set each other one suits.

Here: `CriticJudge`, its thresholds and routes. Not here: the axes (`annotators.judges.critique`), or wording a label
better (`annotators.judges.reflection`).

After ReAgent-V: a high score routes a label to the SFT set, importance below 5 of 10 to the GRPO set, and a reflection
that is preferred makes a pair for DPO. Ours: several critics and their plain mean, `min_score`, that `sft_score` is
asked first, that what is between and has no preferred reflection goes to GRPO, and that whoever reflects does not judge
the outcome.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from annotators.annotator import Request
from annotators.endpoint.chat import Chat, ChatRequest
from annotators.inquiry import AnswerError
from annotators.judges.critique import (
    AXES,
    MOST_IMPORTANCE,
    CriticAnswer,
    Criticism,
    critic_request,
    criticism_of,
)
from annotators.judges.hearing import Answered, Round, counted, hear
from annotators.judges.judge import JudgeSubject
from annotators.judges.panel import NotIndependentError, Panel, single_prompt
from annotators.judges.reflection import ReflectionAnswer, bettered, changeable, reflection_request
from annotators.prompts import prompt_sha256
from annotators.subject import ClipSubject, UnsoundError
from schemas.asking import AskConfig, EndpointConfig
from schemas.judging import CriticConfig
from schemas.label import Label, Route, VerifiedLabel
from schemas.provenance import Provenance
from schemas.verdict import Opinion, Verdict

VERSION = "1"
"""Raised when the same answers would be read differently."""
RULE = "verify.critic"
REFLECTED_SHARE = 1 / 3
"""Share of labels that are reflected on, for the dry run. Ours."""
BETTERED = "bettered: "
"""Before the axis in opinions about the new words."""

_WHY: Mapping[Route, str] = {
    "sft": "good enough to imitate",
    "grpo": "of little importance",
    "dpo": "its bettered words are preferred",
}


@dataclass(frozen=True)
class _Reflected:
    """What came of a reflection: a label that is preferred, or why there is none."""

    reason: str
    label: Label | None = None
    score: float = 0.0
    opinions: tuple[Opinion, ...] = ()
    judges: tuple[str, ...] = ()
    cost_usd: float = 0.0
    """Of what led to no label; what led to one stands in its provenance."""


class CriticJudge:
    """See the module. Holds nothing of any label."""

    def __init__(self, config: CriticConfig, endpoints: Mapping[str, EndpointConfig], code_version: str) -> None:
        """`config.prompt` must be there."""
        prompt = single_prompt(config, "critic")
        self.config, self._code_version = config, code_version
        self._panel: Panel[CriticAnswer] = Panel("critic", CriticAnswer, prompt, config, endpoints)
        self._reflecting: Panel[ReflectionAnswer] = Panel("critic", ReflectionAnswer, prompt, config, endpoints)

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Names of the endpoints that may be asked."""
        return self.config.endpoints

    def concerns(self, kept: VerifiedLabel) -> bool:  # noqa: ARG002 - the interface of judges
        """Every label is marked."""
        return True

    async def judged(
        self, subject: JudgeSubject, chats: Mapping[str, Chat], *, afresh: bool
    ) -> VerifiedLabel | Verdict:
        """See `annotators.judges.judge.Judge`."""
        label = subject.kept.label
        heard, criticism = await self._criticised(
            subject.clip, label, self._panel.independent(label), chats, afresh=afresh
        )
        if criticism.score < self.config.min_score:
            told = f"{_marked(criticism, heard)}; {self.config.min_score:g} is the least"
            return self._verdict(label, "reject", f"{RULE}.min_score", criticism, heard, told)
        route = self._route(criticism)
        if route is not None:
            reason = f"{_marked(criticism, heard)}: {route}, {_WHY[route]}"
            return subject.kept.judged(self._verdict(label, "keep", RULE, criticism, heard, reason), route=route)
        found = await self._reflected(subject.clip, label, criticism, chats, afresh=afresh)
        return self._after_reflection(subject.kept, heard, criticism, found)

    def likely(self, subject: JudgeSubject) -> Iterator[tuple[ChatRequest, float]]:
        """See `annotators.judges.judge.Judge`. A reflection is counted at a usual share, with its new criticism."""
        label = subject.kept.label
        try:
            free = self._panel.independent(label)
        except NotIndependentError:
            return
        others = self._other_models(free[0], free)
        may_reflect = self.config.reflect and bool(others and changeable(label))
        for endpoint in free:
            again = REFLECTED_SHARE if may_reflect and endpoint in others else 0.0
            try:
                yield self._panel.request(endpoint, self._request(subject.clip, label, endpoint)), 1.0 + again
            except AnswerError:
                continue  # the model stays silent without being asked
        if may_reflect:
            made_up = Criticism({free[0]: self.config.sft_score}, MOST_IMPORTANCE, len(AXES), ())
            made = reflection_request(subject.clip, label, made_up, self._settings(free[0]))
            try:
                yield self._reflecting.request(free[0], made), REFLECTED_SHARE
            except AnswerError:
                return

    def _settings(self, endpoint: str) -> AskConfig:
        """The section as it is for one model: one that does not see is shown no pictures."""
        return self._panel.inquiries[endpoint].config

    def _request(self, clip: ClipSubject, label: Label, endpoint: str) -> Request:
        return critic_request(clip, label, self._settings(endpoint))

    def _other_models(self, reflector: str, endpoints: Sequence[str]) -> list[str]:
        """Those of the endpoints whose model is another than the one that reflects: none judges its own words."""
        models = {name: self._panel.inquiries[name].endpoint.model for name in (reflector, *endpoints)}
        return [name for name in endpoints if models[name] != models[reflector]]

    async def _criticised(
        self, clip: ClipSubject, label: Label, endpoints: Sequence[str], chats: Mapping[str, Chat], *, afresh: bool
    ) -> tuple[Round[CriticAnswer], Criticism]:
        requests = {name: self._request(clip, label, name) for name in endpoints}
        heard = await hear(self._panel, requests, chats, afresh=afresh)
        return heard, criticism_of(label, heard)

    def _route(self, criticism: Criticism) -> Route | None:
        """Where a label goes by its marks alone; None for what is between."""
        if criticism.score >= self.config.sft_score:
            return "sft"
        return "grpo" if criticism.importance < self.config.grpo_importance else None

    async def _reflected(
        self, clip: ClipSubject, label: Label, criticism: Criticism, chats: Mapping[str, Chat], *, afresh: bool
    ) -> _Reflected:
        """The label in the words of the first critic, where the others prefer them."""
        if not self.config.reflect:
            return _Reflected("between the two")
        if not changeable(label):
            return _Reflected("between the two, and none of its words may change")
        reflector, *others = criticism.scores
        others = self._other_models(reflector, others)
        if not others:
            return _Reflected("between the two, and nobody else could judge better words")
        requests = {reflector: reflection_request(clip, label, criticism, self._settings(reflector))}
        try:
            said = await hear(self._reflecting, requests, chats, afresh=afresh)
        except AnswerError as error:
            return _Reflected(f"between the two, and not reflected on: {error}")
        (one,) = said.answered
        try:
            new = bettered(label, one.heard.answer)
        except UnsoundError as error:
            why = f"between the two, and what {one.heard.model} made of it cannot stand: {error}"
            return _Reflected(why, cost_usd=said.cost_usd)
        try:
            again, newly = await self._criticised(clip, new, others, chats, afresh=afresh)
        except AnswerError as error:
            return _Reflected(f"between the two, and its better words are not judged: {error}", cost_usd=said.cost_usd)
        return self._preferred(new, one, criticism, again, newly, said.cost_usd)

    def _preferred(
        self, new: Label, one: Answered[ReflectionAnswer], criticism: Criticism, again: Round[CriticAnswer],
        newly: Criticism, cost_usd: float,
    ) -> _Reflected:  # fmt: skip
        """Whether the same critics like the new words more than the old ones."""
        before, after = fmean(criticism.scores[name] for name in newly.scores), newly.score
        opinions = tuple(opinion.replace(about=f"{BETTERED}{opinion.about}") for opinion in newly.opinions)
        compared = f"{after:.2f} after reflection by {one.heard.model}, {before:.2f} before"
        if after <= before:
            why = f"between the two, and not better: {compared}"
            return _Reflected(why, opinions=opinions, judges=again.judges, cost_usd=cost_usd + again.cost_usd)
        revised = new.replace(revisions=(*new.revisions, self._provenance(one)))
        return _Reflected(compared, revised, after, opinions, again.judges, again.cost_usd)

    def _after_reflection(
        self, kept: VerifiedLabel, heard: Round[CriticAnswer], criticism: Criticism, found: _Reflected
    ) -> VerifiedLabel:
        route: Route = "grpo" if found.label is None else "dpo"
        reason = f"{_marked(criticism, heard)}: {route}, {found.reason}"
        verdict = self._verdict(kept.label, "keep", RULE, criticism, heard, reason)
        verdict = verdict.replace(
            judges=tuple(dict.fromkeys((*verdict.judges, *found.judges))),
            opinions=(*verdict.opinions, *found.opinions),
            cost_usd=verdict.cost_usd + found.cost_usd,
        )
        if found.label is None:
            return kept.judged(verdict, route=route)
        return kept.judged(
            verdict.replace(score=found.score), label=found.label, route=route, preferred_over=_old_part(kept.label)
        )

    def _verdict(
        self, label: Label, decision: Literal["keep", "reject"], rule: str, criticism: Criticism,
        heard: Round[CriticAnswer], reason: str,
    ) -> Verdict:  # fmt: skip
        return Verdict(
            subject_id=label.label_id, decision=decision, rule=rule, score=criticism.score,
            threshold=self.config.min_score, reason=reason, looked_at=heard.looked_at, judges=heard.judges,
            opinions=criticism.opinions, cost_usd=heard.cost_usd,
        )  # fmt: skip

    def _provenance(self, one: Answered[ReflectionAnswer]) -> Provenance:
        """Of who reflected."""
        inquiry = self._reflecting.inquiries[one.heard.endpoint]
        return Provenance(
            annotator="critic", annotator_version=VERSION, code_version=self._code_version, model=one.heard.model,
            model_revision=inquiry.endpoint.revision, prompt_name=f"{inquiry.prompt.name}/{inquiry.prompt.version}",
            prompt_sha256=prompt_sha256(inquiry.prompt), temperature=self.config.temperature, top_p=self.config.top_p,
            seed=self.config.seed, max_tokens=self.config.max_tokens, reply_key=one.replies[-1].key,
            repairs=len(one.replies) - 1, input_tokens=sum(reply.input_tokens for reply in one.replies),
            output_tokens=sum(reply.output_tokens for reply in one.replies), cost_usd=one.heard.cost_usd,
        )  # fmt: skip


def _marked(criticism: Criticism, heard: Round[CriticAnswer]) -> str:
    """The marks in words."""
    axes = f"{criticism.n_axes} {'axis' if criticism.n_axes == 1 else 'axes'}"
    who = counted(len(heard.judges), "critic")
    return f"{criticism.score:.2f} of 5 on {axes} by {who}, importance {criticism.importance:g} of {MOST_IMPORTANCE:g}"


def _old_part(label: Label) -> str:
    """What a label says, as JSON."""
    part = label.caption or label.qa
    if part is None:
        raise ValueError(f"{label.kind} has no words that could have changed")
    return part.model_dump_json(exclude_none=True)
