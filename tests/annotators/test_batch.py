import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from annotators.batch import BatchChat, BatchClient, Outcome
from annotators.budget import Ledger, Limits
from annotators.chat import BudgetReachedError, ChatRequest, EndpointUnusableError, Reply, ReplyFailedError
from annotators.replies import Replies
from pipeline.store import Store
from schemas.asking import EndpointConfig
from tests.annotators.chat_builders import client, config, question
from tests.endpoint import Plan, Server, endpoint

Told = Callable[[Any], None]


def settings(server: Server, **changes: Any) -> EndpointConfig:
    return config(server, way="batch", **changes)


def ask(
    folder: Path, endpoint_config: EndpointConfig, requests: Sequence[ChatRequest], ledger: Ledger | None = None,
    told: Told = lambda _: None,
) -> dict[str, Outcome]:  # fmt: skip
    """Ask a set, looking after its job without pause."""

    async def main() -> dict[str, Outcome]:
        chat = BatchClient(
            "default", endpoint_config, Replies(Store(str(folder))), ledger or Ledger(), (0.01, 0.02), told
        )  # fmt: skip
        try:
            return await chat.replies_to(requests)
        finally:
            await chat.aclose()

    return asyncio.run(main())


def questions(n: int, start: int = 0) -> list[ChatRequest]:
    return [question(number, n_pictures=1) for number in range(start, start + n)]


class CrashError(Exception):
    """The process ends here."""


def crash(_batch: Any) -> None:
    """A run that dies while its job lives."""
    raise CrashError


def test_a_set_is_asked_in_one_job_at_half_the_price(tmp_path: Path) -> None:
    ledger = Ledger()
    with endpoint(Plan(batch_polls=3)) as server:
        outcomes = ask(tmp_path, settings(server), questions(20), ledger)
    replies = [outcome[0] for outcome in outcomes.values() if isinstance(outcome, tuple)]
    assert len(replies) == 20
    assert (server.log.batches, server.log.n_tries, server.log.n_pictures) == (1, 20, 20)
    total = ledger.snapshot().total
    assert total.cost_usd == pytest.approx(server.log.cost_usd)
    assert total.cost_usd == pytest.approx((total.input_tokens * 1.0 + total.output_tokens * 4.0) / 2e6)
    assert (total.requests, total.in_flight, total.reserved_usd) == (20, 0, 0)
    assert {reply.annotator for reply in replies} == {"caption"}


def test_kept_replies_are_not_asked_for_whichever_way_they_came(tmp_path: Path) -> None:
    with endpoint() as server:
        first = ask(tmp_path, settings(server), questions(5))

        async def one_by_one() -> list[tuple[Reply, bool]]:
            async with client(tmp_path, config(server)) as chat:
                return [await chat.reply(request) for request in questions(5)]

        assert all(is_kept for _, is_kept in asyncio.run(one_by_one()))
        again = ask(tmp_path, settings(server), questions(7))
    assert [outcome[1] for outcome in again.values() if isinstance(outcome, tuple)] == [True] * 5 + [False] * 2
    assert len(first) == 5
    assert server.log.n_tries == 7


@pytest.mark.parametrize("n_later", [10, 14])
def test_a_job_that_outlives_its_run_is_waited_for_by_the_next(tmp_path: Path, n_later: int) -> None:
    """Also by one that asks more."""
    with endpoint(Plan(batch_polls=4)) as server:
        with pytest.raises(CrashError):
            ask(tmp_path, settings(server), questions(10), told=crash)
        ledger = Ledger()
        outcomes = ask(tmp_path, settings(server), questions(n_later), ledger)
    assert all(isinstance(outcome, tuple) for outcome in outcomes.values())
    assert server.log.batches == (1 if n_later == 10 else 2)
    assert server.log.n_tries == n_later
    assert server.log.asked_after_success == []
    assert ledger.snapshot().total.cost_usd == pytest.approx(server.log.cost_usd)


def test_a_job_whose_name_was_not_yet_written_down_is_found(tmp_path: Path) -> None:
    with endpoint(Plan(batch_polls=4)) as server:
        with pytest.raises(CrashError):
            ask(tmp_path, settings(server), questions(6), told=crash)
        path = next((tmp_path / "replies" / "batches").glob("*.json"))
        written = json.loads(path.read_text())
        path.write_text(
            json.dumps(written | {"batch_id": "", "state": "submitting", "submitted_at": "1970-01-01T00:00:00+00:00"})
        )
        outcomes = ask(tmp_path, settings(server), questions(6))
    assert all(isinstance(outcome, tuple) for outcome in outcomes.values())
    assert server.log.batches == 1


def test_a_job_that_was_never_submitted_is_submitted(tmp_path: Path) -> None:
    with endpoint() as server:
        with pytest.raises(CrashError):
            ask(tmp_path, settings(server), questions(2), told=crash)
        path = next((tmp_path / "replies" / "batches").glob("*.json"))
        written = json.loads(path.read_text())
        path.write_text(json.dumps(written | {"batch_id": "", "state": "submitting"}))
    with endpoint() as other, pytest.MonkeyPatch.context():
        path.write_text(path.read_text().replace(written["address"], other.base_url))
        outcomes = ask(tmp_path, settings(other), questions(2))
    assert all(isinstance(outcome, tuple) for outcome in outcomes.values())
    assert other.log.batches == 1


def test_replies_that_nobody_asks_for_any_more_are_kept_too(tmp_path: Path) -> None:
    ledger = Ledger()
    with endpoint(Plan(batch_polls=2)) as server:
        with pytest.raises(CrashError):
            ask(tmp_path, settings(server), questions(6), told=crash)
        ask(tmp_path, settings(server), questions(1), ledger)
    assert len(list(Replies(Store(str(tmp_path))))) == 6
    assert ledger.snapshot().total.cost_usd == pytest.approx(server.log.cost_usd)


@pytest.mark.parametrize("end", ["completed", "expired"])
def test_what_a_job_did_not_answer_fails_alone_and_can_be_asked_again(tmp_path: Path, end: str) -> None:
    ledger = Ledger()
    with endpoint(Plan(batch_served=0.5, batch_end=end)) as server:
        outcomes = ask(tmp_path, settings(server), questions(40), ledger)
        failed = [outcome for outcome in outcomes.values() if isinstance(outcome, ReplyFailedError)]
        assert 5 < len(failed) < 35
        assert "could not be executed" in str(failed[0])
        total = ledger.snapshot().total
        assert (total.requests, total.failed, total.in_flight) == (40 - len(failed), len(failed), 0)
        assert total.cost_usd == pytest.approx(server.log.cost_usd)
    with endpoint() as later:
        again = ask(tmp_path, settings(later), questions(40))
    assert all(isinstance(outcome, tuple) for outcome in again.values())
    assert later.log.n_tries == len(failed)


def test_a_job_that_fails_says_why(tmp_path: Path) -> None:
    with endpoint(Plan(batch_end="failed")) as server:
        outcomes = ask(tmp_path, settings(server), questions(3))
    assert {str(outcome) for outcome in outcomes.values()} == {
        "endpoint default: the batch ended as failed: line 1 is no JSON"
    }


def test_only_what_the_budget_allows_is_submitted(tmp_path: Path) -> None:
    ledger = Ledger(Limits(max_cost_usd=0.005))
    with endpoint() as server:
        outcomes = ask(tmp_path, settings(server), questions(30), ledger)
    stopped = [outcome for outcome in outcomes.values() if isinstance(outcome, BudgetReachedError)]
    assert 0 < len(stopped) < 30
    assert server.log.n_tries == 30 - len(stopped)
    assert server.log.cost_usd < 0.005


def test_settings_that_a_model_refuses_are_left_out(tmp_path: Path) -> None:
    with endpoint(Plan(refused_settings=("max_tokens", "temperature"))) as server:
        outcomes = ask(tmp_path, settings(server), questions(3))
    assert all(isinstance(outcome, tuple) for outcome in outcomes.values())
    assert server.log.batches == 3


def test_a_large_set_goes_in_several_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annotators.batch.MOST_REQUESTS", 4)
    with endpoint() as server:
        outcomes = ask(tmp_path, settings(server), questions(10))
    assert all(isinstance(outcome, tuple) for outcome in outcomes.values())
    assert server.log.batches == 3


def test_a_wrong_key_ends_it_with_nothing_reserved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-wrong-wrong-wrong")
    ledger = Ledger()
    with endpoint(Plan(key="sk-right")) as server, pytest.raises(EndpointUnusableError, match="OPENAI_API_KEY"):
        ask(tmp_path, settings(server), questions(3), ledger)
    total = ledger.snapshot().total
    assert (total.in_flight, total.reserved_usd, total.failed) == (0, 0, 3)


def test_an_empty_set_asks_nothing(tmp_path: Path) -> None:
    with endpoint() as server:
        assert ask(tmp_path, settings(server), []) == {}
    assert server.log.batches == 0


def test_single_requests_become_one_set(tmp_path: Path) -> None:
    async def main(server: Server) -> list[Any]:
        asked = BatchClient("default", settings(server), Replies(Store(str(tmp_path))), Ledger(), (0.01, 0.02))
        chat = BatchChat(asked, gather_s=0.1)
        requests = [*questions(12), *questions(3)]
        found = await asyncio.gather(*(chat.reply(request) for request in requests))
        afresh = await chat.reply(questions(1)[0], afresh=True)
        await asked.aclose()
        return [*found, afresh]

    with endpoint() as server:
        found = asyncio.run(main(server))
    assert all(reply.outcome == "success" for reply, _ in found)
    assert server.log.batches == 2
    assert server.log.n_tries == 13


def test_a_failure_reaches_who_asked(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        asked = BatchClient("default", settings(server), Replies(Store(str(tmp_path))), Ledger(), (0.01, 0.02))
        await BatchChat(asked, gather_s=0.05).reply(question())

    with endpoint(Plan(batch_end="failed")) as server, pytest.raises(ReplyFailedError, match="no JSON"):
        asyncio.run(main(server))
