"""The stand-in endpoint is what other tests rest on: it must speak the protocol, and count what it says."""

import asyncio
import importlib
from typing import Any

import openai
import pytest

from annotators.answers import Answer
from tests.endpoint import Log, Plan, endpoint
from tests.endpoint_answers import Filler

MODULES = ("caption", "names", "qa", "distractors", "reasoning", "sv6d", "counterfactual", "checklist", "editing",
           "dense_text", "key_moments", "tool_traces")  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_made_up_answers_fit_the_schema_of_every_annotator(name: str) -> None:
    found = pytest.importorskip(f"annotators.{name}").ANNOTATOR.answer
    assert issubclass(found, Answer)
    for seed in range(50):
        made = Filler(found.model_json_schema(), str(seed), duration_s=3.0).answer()
        found.model_validate(made)


def test_made_up_times_lie_within_the_clip() -> None:
    schema = importlib.import_module("annotators.caption").CaptionAnswer.model_json_schema()
    for seed in range(50):
        for event in Filler(schema, str(seed), duration_s=3.0).answer()["events"]:
            assert 0 <= event["start_s"] < event["end_s"] <= 3.0


def _ask(base_url: str, n: int, **fields: Any) -> None:
    async def main() -> None:
        async with openai.AsyncOpenAI(api_key="key", base_url=base_url, max_retries=0) as client:
            asked = [
                client.chat.completions.create(
                    model="stand-in", messages=[{"role": "user", "content": f"question {number}"}], **fields
                )
                for number in range(n)
            ]
            await asyncio.gather(*asked, return_exceptions=True)

    asyncio.run(main())


def test_the_same_seed_gives_the_same_faults() -> None:
    seen: list[Log] = []
    for _ in range(2):
        with endpoint(Plan(faults={"server_error": 0.3, "refused": 0.3}, seed=3)) as server:
            _ask(server.base_url, 100)
            seen.append(server.log)
    assert seen[0].faults == seen[1].faults
    assert 15 < seen[0].faults["server_error"] < 45
    assert seen[0].n_successes == 100 - seen[0].faults["server_error"]


def test_it_notices_what_is_asked_after_success() -> None:
    with endpoint() as server:
        _ask(server.base_url, 3)
        assert server.log.asked_after_success == []
        _ask(server.base_url, 2)
    assert len(server.log.asked_after_success) == 2


def test_it_says_429_beyond_what_it_takes() -> None:
    with endpoint(Plan(max_in_flight=4, latency_s=0.2)) as server:
        _ask(server.base_url, 12)
    assert server.log.n_successes == 4
    assert server.log.faults["too_many"] == 8


def test_in_a_process_of_its_own_it_tells_its_log() -> None:
    with endpoint(Plan(script=("status:418",)), own_process=True) as server:
        _ask(server.base_url, 2)
        _ask(server.base_url, 2)
    assert server.log.n_tries == 4
    assert server.log.n_successes == 2
    assert server.log.faults == {"status:418": 2}


def test_it_lists_its_models_to_who_has_the_key() -> None:
    with endpoint(Plan(key="key", models=("one", "two"))) as server:
        listed = openai.OpenAI(api_key="key", base_url=server.base_url).models.list()
        assert [model.id for model in listed] == ["one", "two"]
        with pytest.raises(openai.AuthenticationError):
            openai.OpenAI(api_key="other", base_url=server.base_url, max_retries=0).models.list()
