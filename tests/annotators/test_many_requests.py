import asyncio
from pathlib import Path

import pytest

from annotators.budget import Ledger
from annotators.chat import AskingError, Reply
from annotators.replies import Replies
from pipeline.store import Store
from schemas.asking import EndpointConfig
from tests.annotators.chat_builders import client, config, question
from tests.endpoint import Log, Plan, endpoint

N_REQUESTS = 10_000
FAULTS = {
    "rate_limited": 0.03, "server_error": 0.03, "unavailable": 0.01, "hang": 0.002, "cut_body": 0.02, "dropped": 0.02,
    "broken_off": 0.01, "not_json": 0.01, "no_choices": 0.01, "slow": 0.018, "refused": 0.01, "filtered": 0.01,
    "truncated": 0.01, "invalid": 0.01,
}  # fmt: skip


@pytest.mark.slow
def test_ten_thousand_requests_with_faults_of_all_kinds_are_all_accounted_for(tmp_path: Path) -> None:
    assert sum(FAULTS.values()) == pytest.approx(0.2)
    ledger = Ledger()
    plan = Plan(faults=FAULTS, latency_s=0.002, retry_after="0.01", slow_s=0.1, seed=7)
    with endpoint(plan, own_process=True) as server:
        replies = asyncio.run(_ask_all(tmp_path, config(server, timeout_s=2.0), ledger, N_REQUESTS))
        first = server.log
        again = asyncio.run(_ask_all(tmp_path, config(server), Ledger(), N_REQUESTS))
        second = server.log

    assert len(replies) == N_REQUESTS
    assert all(isinstance(reply, Reply) for reply in replies)
    _assert_all_counted(ledger, first, tmp_path)
    assert set(first.faults) == set(FAULTS)

    assert again == replies
    assert second.n_tries == first.n_tries, "a second run asks nothing"


def _assert_all_counted(ledger: Ledger, log: Log, folder: Path) -> None:
    total = ledger.snapshot().total
    assert log.asked_after_success == []
    assert set(log.successes.values()) <= {0, 1}
    assert log.n_successes == total.requests == N_REQUESTS
    assert (total.input_tokens, total.output_tokens) == (log.input_tokens, log.output_tokens)
    assert total.cost_usd == pytest.approx(log.cost_usd, rel=1e-9)
    assert (total.in_flight, total.failed, total.reserved_tokens, total.reserved_usd) == (0, 0, 0, 0.0)
    kept = Replies(Store(str(folder))).tallies()["caption"]
    assert (kept.requests, kept.tokens) == (total.requests, total.tokens)
    assert kept.cost_usd == pytest.approx(log.cost_usd, rel=1e-9)


@pytest.mark.parametrize("fault", ["server_error", "cut_body"])
def test_what_fails_for_good_is_accounted_for_too(tmp_path: Path, fault: str) -> None:
    ledger = Ledger()
    with endpoint(Plan(faults={fault: 0.5}, most_failures=99)) as server:
        outcomes = asyncio.run(_ask_all(tmp_path, config(server, max_attempts=2), ledger, 200))
    failed = [outcome for outcome in outcomes if isinstance(outcome, AskingError)]
    total = ledger.snapshot().total
    assert 20 < len(failed) < 80
    assert (total.failed, total.requests) == (len(failed), 200 - len(failed))
    assert total.lost == (server.log.faults[fault] if fault == "cut_body" else 0)
    assert total.cost_usd == pytest.approx(server.log.cost_usd)


async def _ask_all(folder: Path, settings: EndpointConfig, ledger: Ledger, n: int) -> list[Reply | AskingError]:
    async with client(folder, settings, ledger) as chat:

        async def one(number: int) -> Reply | AskingError:
            try:
                return (await chat.reply(question(number)))[0]
            except AskingError as error:
                return error

        return await asyncio.gather(*(one(number) for number in range(n)))
