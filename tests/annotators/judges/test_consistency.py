"""Self-consistency: an SV6D label stays as far as its author says the same again, on the pictures that it saw."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from annotators import sv6d
from annotators.ask import Asker
from annotators.endpoint.replies import Replies
from annotators.inquiry import InvalidAnswerError
from annotators.judges.consistency import FURTHER_TEMPERATURE, further
from annotators.judges.judge import JudgeSubject
from annotators.prompts import shipped
from pipeline.judges import consistency
from pipeline.store import Store
from schemas.asking import EndpointConfig, SV6DConfig
from schemas.config import AnnotateConfig, RunConfig
from schemas.judging import ConsistencyConfig, VerifyConfig
from schemas.label import Label, VerifiedLabel
from schemas.verdict import Verdict
from tests.annotators.chat_builders import client, config
from tests.annotators.judges.panels import checked, decide, last
from tests.annotators.questions import DURATION_S, caption_label, subject
from tests.endpoint import Plan, Server, endpoint

Segments = list[dict[str, Any]]

ANGLE = ("camera", "angle", "eye_level")
TENSION = ("narrative", "tension", "rising")
SUBJECT = ("subject", "main_subject", "a grey rabbit")


def segment(start_s: float, end_s: float, *values: tuple[str, str, str]) -> dict[str, Any]:
    seen = {"start_s": start_s, "end_s": end_s, "modality": "frame", "observation": "It is seen.", "claim": None}
    return {
        "start_s": start_s, "end_s": end_s, "evidence": [seen],
        "values": [{"dimension": d, "attribute": a, "value": v, "evidence": [1]} for d, a, v in values],
    }  # fmt: skip


WHOLE = [segment(0, DURATION_S, ANGLE, TENSION, SUBJECT)]


def by_seed(*samples: Segments | None) -> Plan:
    """An author who says something of its own for each seed; None is no answer."""

    def answer(body: Any) -> Any:
        said = samples[min(body["seed"], len(samples) - 1)]
        return {"segments": said} if said is not None else {"segments": "none"}

    return Plan(answer=answer, keep_bodies=True)


def run_of(server: Server, *, author: dict[str, Any] | None = None, **settings: Any) -> RunConfig:
    """A run whose author and whose judge are switched on."""
    section = SV6DConfig(enabled=True, prompt=shipped("sv6d"), max_repairs=0, **(author or {}))
    return RunConfig(
        endpoints={"default": config(server)},
        annotate=AnnotateConfig(sv6d=section),
        verify=VerifyConfig(consistency=ConsistencyConfig(enabled=True, **settings)),
    )


def first_sample(run: RunConfig, folder: Path) -> tuple[Label, ...]:
    """What the author says of the clip, as its own step asks it."""

    async def main() -> tuple[Label, ...]:
        asker = Asker(sv6d.ANNOTATOR, run.annotate.sv6d, run.endpoints["default"], "0")
        async with client(folder, run.endpoints["default"]) as chat:
            return (await asker.labels(subject(), chat)).labels

    return asyncio.run(main())


def given(label: Label, labels: Sequence[Label]) -> JudgeSubject:
    clip = replace(subject(about=label), labels={"sv6d": tuple(labels)})
    return JudgeSubject(checked(label), clip)


def judged(folder: Path, plan: Plan, place: int = 0, **settings: Any) -> tuple[VerifiedLabel | Verdict, list[Any]]:
    """What becomes of one label of the first sample, and what was sent after it."""
    with endpoint(plan) as server:
        run = run_of(server, **settings)
        labels = first_sample(run, folder)
        outcome = decide(consistency(run), run.endpoints, given(labels[place], labels), folder)
        return outcome, server.log.bodies[1:]


def test_a_label_that_its_author_gives_every_time_stays_as_it_is(tmp_path: Path) -> None:
    outcome, bodies = judged(tmp_path, by_seed(WHOLE))
    assert isinstance(outcome, VerifiedLabel)
    verdict = last(outcome)
    assert (verdict.decision, verdict.rule, verdict.score, verdict.threshold) == (
        "keep",
        "verify.consistency",
        1.0,
        0.5,
    )
    assert verdict.trials == 3
    assert verdict.judges == ("stand-in",)
    assert outcome.label.sv6d is not None
    assert len(outcome.label.sv6d.values) == 3
    assert sorted(body["seed"] for body in bodies) == [1, 2]
    assert [one.about for one in verdict.opinions][:2] == ["sample 2", "sample 3"]


def test_the_author_is_asked_the_same_with_other_seeds_and_at_its_own_temperature(tmp_path: Path) -> None:
    with endpoint(by_seed(WHOLE)) as server:
        run = run_of(server, samples=4, author={"temperature": 0.4, "seed": 10})
        labels = first_sample(run, tmp_path)
        decide(consistency(run), run.endpoints, given(labels[0], labels), tmp_path)
        first, *others = server.log.bodies
    assert sorted(body["seed"] for body in others) == [11, 12, 13]
    for body in others:
        assert {**body, "seed": 10} == first


@pytest.mark.parametrize(
    ("author", "seed", "temperature"),
    [
        (SV6DConfig(), 2, 0.2),
        (SV6DConfig(temperature=0.0), 2, FURTHER_TEMPERATURE),
        (SV6DConfig(seed=None, temperature=1.0), 2, 1.0),
        (SV6DConfig(seed=7), 9, 0.2),
    ],
)
def test_a_further_sample_could_always_be_another(author: SV6DConfig, seed: int, temperature: float) -> None:
    found = further(author, 3)
    assert (found.seed, found.temperature) == (seed, temperature)
    assert found.replace(seed=author.seed, temperature=author.temperature) == author


def test_a_label_that_no_other_sample_has_is_rejected(tmp_path: Path) -> None:
    first = [segment(0, 3, ANGLE, TENSION, SUBJECT)]
    other = [segment(6, 9, ("camera", "angle", "low"))]
    outcome, _ = judged(tmp_path, by_seed(first, other))
    assert isinstance(outcome, Verdict)
    assert (outcome.decision, outcome.rule, outcome.score) == ("reject", "verify.consistency.min_agreement", 0.0)
    assert "agreement 0.00 with 2 further samples of its author; 0.5 is the least" in outcome.reason
    assert [one.reason for one in outcome.opinions][:2] == ["no segment of it is like this one"] * 2


def test_values_that_the_other_samples_do_not_share_are_left_out(tmp_path: Path) -> None:
    other = [segment(0, DURATION_S, ANGLE, ("narrative", "tension", "falling"), SUBJECT)]
    outcome, _ = judged(tmp_path, by_seed(WHOLE, other))
    assert isinstance(outcome, VerifiedLabel)
    assert outcome.label.sv6d is not None
    assert [value.attribute for value in outcome.label.sv6d.values] == ["angle", "main_subject"]
    verdict = last(outcome)
    assert 0.5 <= (verdict.score or 0) < 1
    assert "left out: narrative.tension 'rising'" in verdict.reason
    votes = {one.about: (one.outcome, one.score) for one in verdict.opinions[2:]}
    assert votes["narrative.tension 'rising'"] == ("absent", 1.0)
    assert votes["camera.angle 'eye_level'"] == ("supported", 3.0)
    whole, _ = judged(tmp_path / "untrimmed", by_seed(WHOLE, other), trim=False)
    assert isinstance(whole, VerifiedLabel)
    assert whole.label.sv6d is not None
    assert len(whole.label.sv6d.values) == 3


def test_a_label_of_which_no_value_is_left_is_rejected(tmp_path: Path) -> None:
    first = [segment(0, DURATION_S, TENSION)]
    other = [segment(0, DURATION_S, ("narrative", "tension", "falling"))]
    outcome, _ = judged(tmp_path, by_seed(first, other), min_agreement=0.0)
    assert isinstance(outcome, Verdict)
    assert (outcome.decision, outcome.rule) == ("reject", "verify.consistency.trim")


def test_a_sample_that_cannot_be_read_says_nothing_and_all_of_them_are_a_failure(tmp_path: Path) -> None:
    outcome, _ = judged(tmp_path, by_seed(WHOLE, None, WHOLE))
    verdict = last(outcome)
    assert (verdict.decision, verdict.score, verdict.trials) == ("keep", 1.0, 2)
    assert [(one.about, one.outcome) for one in verdict.opinions[:2]] == [("sample 2", "none"), ("sample 3", "scored")]
    with pytest.raises(InvalidAnswerError):
        judged(tmp_path / "none", by_seed(WHOLE, None))


def test_the_labels_of_a_clip_share_its_samples_and_what_they_took(tmp_path: Path) -> None:
    halves = [segment(0, 4.5, ANGLE), segment(4.5, 9, ANGLE, TENSION)]
    with endpoint(by_seed(halves)) as server:
        run = run_of(server)
        labels = first_sample(run, tmp_path)
        before = server.log.cost_usd
        judge = consistency(run)

        async def main() -> list[VerifiedLabel | Verdict]:
            async with AsyncExitStack() as stack:
                chats = {"default": await stack.enter_async_context(client(tmp_path, run.endpoints["default"]))}
                asked = (judge.judged(given(one, labels), chats, afresh=False) for one in labels)
                return list(await asyncio.gather(*asked))

        outcomes = asyncio.run(main())
        assert len(labels) == 2
        assert server.log.n_tries == 3
        took = sum(last(outcome).cost_usd for outcome in outcomes)
        assert took == pytest.approx(server.log.cost_usd - before)
    kept = Replies(Store(str(tmp_path))).tallies()
    assert {name: tally.requests for name, tally in kept.items()} == {"sv6d": 1, "verify.consistency": 2}


def test_only_labels_of_that_author_are_judged(tmp_path: Path) -> None:
    with endpoint(by_seed(WHOLE)) as server:
        run = run_of(server)
        (label,) = first_sample(run, tmp_path)
        judge = consistency(run)
    assert judge.endpoints == ("default",)
    assert judge.concerns(checked(label))
    measured = label.replace(provenance=label.provenance.replace(annotator="measured"))
    assert not judge.concerns(checked(measured))
    assert not judge.concerns(checked(caption_label("A rabbit.")))


def test_a_label_that_is_not_among_those_of_its_clip_is_judged_all_the_same(tmp_path: Path) -> None:
    with endpoint(by_seed(WHOLE)) as server:
        run = run_of(server)
        (label,) = first_sample(run, tmp_path)
        outcome = decide(consistency(run), run.endpoints, given(label, ()), tmp_path)
    assert last(outcome).score == 1.0


def test_the_dry_run_counts_each_sample_once_a_clip(tmp_path: Path) -> None:
    halves = [segment(0, 4.5, ANGLE), segment(4.5, 9, ANGLE)]
    with endpoint(by_seed(halves)) as server:
        run = run_of(server, samples=4)
        labels = first_sample(run, tmp_path)
        likely = [one for label in labels for one in consistency(run).likely(given(label, labels))]
    assert sum(share for _, share in likely) == 3.0
    assert len({request.key for request, _ in likely}) == 3
    assert {request.annotator for request, _ in likely} == {"verify.consistency"}


def test_without_its_author_there_is_nothing_to_judge() -> None:
    with pytest.raises(ValueError, match=r"annotate\.sv6d wrote, which is off"):
        consistency(RunConfig(endpoints={"default": EndpointConfig(model="m")}))
