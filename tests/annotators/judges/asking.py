"""Judges that ask stand-in endpoints through the real client, and labels for them to judge.

Here: settings, subjects and one decision. Not here: what models answer (`tests.judge_answers_blind`), or what is
expected of judges.
"""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotators.judges.judge import Judge, JudgeSubject
from annotators.prompts import shipped
from annotators.subject import ClipSubject
from schemas.asking import EndpointConfig
from schemas.config import RunConfig
from schemas.judging import JudgeConfig, VerifyConfig
from schemas.label import Label, VerifiedLabel
from schemas.verdict import Verdict
from tests.annotators.chat_builders import client, config
from tests.annotators.questions import qa_label, subject
from tests.endpoint import Server

OPTIONS = ("a kettle", "the long rope", "two geese", "an oak", "his brother", "no bread", "red paint", "the hill")

WORLD_KNOWLEDGE = {
    "Which planet is the largest of the solar system?": ("Mars", "Jupiter", "Venus", "Saturn"),
    "How many legs does a spider have?": ("six", "eight"),
    "What do bees make in their hive?": ("honey", "silk", "wool"),
    "What is frozen water called?": ("steam", "sand", "ice", "salt", "glass"),
}
"""Questions that nobody needs a video for."""
KNOWN = {
    "Which planet is the largest of the solar system?": "Jupiter", "How many legs does a spider have?": "eight",
    "What do bees make in their hive?": "honey", "What is frozen water called?": "ice",
}  # fmt: skip
NEEDS_THE_VIDEO = "What does the man take from the shelf?"


def planted(question: str) -> Label:
    """One of the questions of world knowledge, with its right option."""
    options = WORLD_KNOWLEDGE[question]
    return qa_label(question, options, options.index(KNOWN[question]))


def kept(label: Label) -> VerifiedLabel:
    """A label as the judges before leave it."""
    verdict = Verdict(
        subject_id=label.label_id, decision="keep", rule="verify.evidence", score=0.0, threshold=0.0, reason="sound"
    )
    return VerifiedLabel(label=label, checks=(), verdicts=(verdict,))


def judging(label: Label, **of_clip: Any) -> JudgeSubject:
    """What a judge is given: the label, and a clip of three shots with keyframes."""
    return JudgeSubject(kept(label), subject(about=label, **of_clip))


def with_keyframes(given: JudgeSubject, *jpegs: bytes) -> JudgeSubject:
    """The same with other pictures, as many as there are, a second apart."""
    first = given.clip.description.keyframes[0]
    frames = tuple(
        first.replace(sample=first.sample.replace(pts=given.clip.pts(float(place)), jpeg=jpeg))
        for place, jpeg in enumerate(jpegs)
    )
    clip = ClipSubject(given.clip.description.replace(keyframes=frames), (), given.clip.labels, given.clip.about)
    return JudgeSubject(given.kept, clip)


def settings(servers: Mapping[str, Server], section: str, *, sees: bool = True, **changes: Any) -> RunConfig:
    """A run whose endpoints are these servers, all of which the judge asks; each is a model of its own."""
    endpoints = {name: config(server, model=name, sees=sees) for name, server in servers.items()}
    return run_config(endpoints, section, **changes)


def run_config(endpoints: Mapping[str, EndpointConfig], section: str, **changes: Any) -> RunConfig:
    """A run with these endpoints, all of which the judge asks."""
    judge: JudgeConfig = getattr(VerifyConfig(), section)
    own = judge.replace(enabled=True, prompt=shipped(section), endpoints=tuple(endpoints), **changes)
    return RunConfig(endpoints=dict(endpoints), verify=VerifyConfig(**{section: own}))


@dataclass(frozen=True)
class Decided:
    """What came of a label that was kept or rejected."""

    outcome: VerifiedLabel | Verdict

    @property
    def verdict(self) -> Verdict:
        """The last one, whichever it was."""
        return self.outcome if isinstance(self.outcome, Verdict) else self.outcome.verdicts[-1]

    @property
    def kept(self) -> VerifiedLabel:
        """The label, which must have been kept."""
        assert isinstance(self.outcome, VerifiedLabel), self.outcome
        return self.outcome


def decide(judge: Judge, run: RunConfig, given: JudgeSubject, folder: Path, *, afresh: bool = False) -> Decided:
    """What a judge says of a label, asking through the client; replies are kept in the folder."""

    async def main() -> VerifiedLabel | Verdict:
        async with AsyncExitStack() as stack:
            chats = {
                name: await stack.enter_async_context(client(folder, run.endpoints[name])) for name in judge.endpoints
            }
            return await judge.judged(given, chats, afresh=afresh)

    return Decided(asyncio.run(main()))
