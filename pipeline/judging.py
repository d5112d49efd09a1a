"""A judge that asks models, as a step sees it: whom it does not concern passes, and a person's decision stands.

Here: `Judging`. Not here: what judges ask and decide (`annotators.judges`), or attempts (`pipeline.asking`).
"""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Literal

from annotators.endpoint.chat import Chat, ChatRequest
from annotators.inquiry import AnswerError
from annotators.judges.judge import Judge, JudgeSubject
from annotators.judges.panel import NotIndependentError
from schemas.label import VerifiedLabel
from schemas.verdict import Verdict


class Judging:
    """What asks on behalf of a `verify` step."""

    def __init__(self, name: str, judge: Judge, unjudged: Literal["fail", "keep"]) -> None:
        self.judge = judge
        self._rule, self._unjudged = f"verify.{name}", unjudged

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Names of the endpoints that may be asked."""
        return self.judge.endpoints

    def concerns(self, kept: VerifiedLabel) -> bool:
        """Whether anybody is asked about a label."""
        return not kept.is_reviewed and self.judge.concerns(kept)

    def likely(self, subject: JudgeSubject) -> Iterator[tuple[ChatRequest, float]]:
        """Requests that a label is likely to take, each with how often one like it is sent; for the dry run."""
        if self.concerns(subject.kept):
            with contextlib.suppress(AnswerError):  # fails without being sent
                yield from self.judge.likely(subject)

    async def answered(
        self, payload: JudgeSubject, chats: Mapping[str, Chat], *, afresh: bool
    ) -> VerifiedLabel | Verdict:
        """The label with one more verdict, the verdict that rejects it, or the label as it came."""
        if not self.concerns(payload.kept):
            return payload.kept
        try:
            return await self.judge.judged(payload, chats, afresh=afresh)
        except NotIndependentError as error:
            if self._unjudged == "fail":
                raise
            verdict = Verdict(
                subject_id=payload.kept.label.label_id, decision="keep", rule=self._rule, score=None, threshold=None,
                reason=f"not judged: {error}", looked_at="who wrote the label",
            )  # fmt: skip
            return payload.kept.judged(verdict)
