"""Judges that ask stand-in endpoints through the real client: one server a model.

Here: servers, settings, labels as the evidence check leaves them, one decision. Not here: what is expected of judges.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, contextmanager
from pathlib import Path
from typing import Any

from annotators.judges.judge import Judge, JudgeSubject
from schemas.asking import EndpointConfig
from schemas.evidence import EvidenceCheck
from schemas.label import Label, VerifiedLabel
from schemas.verdict import Verdict
from tests.annotators.chat_builders import client, config
from tests.annotators.questions import subject
from tests.answerer import prompt_of
from tests.endpoint import Plan, Server, endpoint

Says = Callable[[str], Any]
"""From the words of a prompt to an answer."""


@contextmanager
def models(says: Mapping[str, Says | Plan]) -> Iterator[dict[str, Server]]:
    """A server for each model; it keeps what it is sent."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(endpoint(_plan(one))) for name, one in says.items()}


def _plan(says: Says | Plan) -> Plan:
    return says if isinstance(says, Plan) else Plan(answer=lambda body: says(prompt_of(body)), keep_bodies=True)


def endpoints_of(servers: Mapping[str, Server], *, blind: tuple[str, ...] = ()) -> dict[str, EndpointConfig]:
    """Settings of the servers, each a model of its own name; those of `blind` take no pictures."""
    return {name: config(server, model=name, sees=name not in blind) for name, server in servers.items()}


def checked(label: Label, *outcomes: str) -> VerifiedLabel:
    """A label as the evidence check leaves it; evidence is unchecked where no outcome is given."""
    checks = tuple(
        EvidenceCheck.model_validate({
            "evidence_index": index, "outcome": outcome, "measured": 0.5 if outcome == "confirmed" else None,
            "measured_text": None, "threshold": None, "reason": f"evidence {index} is {outcome}",
        })
        for index, outcome in enumerate((*outcomes, *["unchecked"] * (len(label.evidence) - len(outcomes))))
    )  # fmt: skip
    verdict = Verdict(
        subject_id=label.label_id, decision="keep", rule="verify.evidence", score=0.0, threshold=0.0, reason="It holds."
    )
    return VerifiedLabel(label=label, checks=checks, verdicts=(verdict,))


def judging(label: Label, *outcomes: str, **of_clip: Any) -> JudgeSubject:
    """What a judge is given: the label, and a clip of three shots with keyframes at 1, 4 and 7 s."""
    return JudgeSubject(checked(label, *outcomes), subject(about=label, **of_clip))


def decide(
    judge: Judge, endpoints: Mapping[str, EndpointConfig], given: JudgeSubject, folder: Path, *, afresh: bool = False
) -> VerifiedLabel | Verdict:
    """What a judge says of a label; replies are kept in the folder."""

    async def main() -> VerifiedLabel | Verdict:
        async with AsyncExitStack() as stack:
            chats = {n: await stack.enter_async_context(client(folder, endpoints[n])) for n in judge.endpoints}
            return await judge.judged(given, chats, afresh=afresh)

    return asyncio.run(main())


def last(outcome: VerifiedLabel | Verdict) -> Verdict:
    """The verdict that a judge gave."""
    return outcome if isinstance(outcome, Verdict) else outcome.verdicts[-1]
