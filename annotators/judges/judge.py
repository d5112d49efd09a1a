"""What a judge that asks models is: from a label with its clip to the label with a verdict, or a rejection.

Here: the interface. Not here: who asks how (`annotators.judges.panel`), or which judges there are (`pipeline.plan`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from annotators.endpoint.chat import Chat, ChatRequest
from annotators.subject import ClipSubject
from schemas.label import VerifiedLabel
from schemas.verdict import Verdict


@dataclass(frozen=True)
class JudgeSubject:
    """One label with all that is known of its clip."""

    kept: VerifiedLabel
    """As the judges before left it."""
    clip: ClipSubject
    """`about` is the label; `labels` are those of the clip that are kept so far, by annotator."""


class Judge(Protocol):
    """Whoever judges labels by asking models."""

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Names of the endpoints that may be asked."""
        ...

    def concerns(self, kept: VerifiedLabel) -> bool:
        """Whether the judge has anything to say about such a label; others pass as they are."""
        ...

    async def judged(
        self, subject: JudgeSubject, chats: Mapping[str, Chat], *, afresh: bool
    ) -> VerifiedLabel | Verdict:
        """The label with one more verdict, or the verdict that rejects it.

        Raises AnswerError where no judge's answer can be read, AskingError where no reply comes.
        """
        ...

    def likely(self, subject: JudgeSubject) -> Iterator[tuple[ChatRequest, float]]:
        """Requests that a label is likely to take, each with how often one like it is sent; for the dry run."""
        ...
