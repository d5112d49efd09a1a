import asyncio
import json
import logging
import socket
from pathlib import Path
from typing import Any

import pytest

from annotators.budget import Ledger, Limits, Tally
from annotators.chat import BudgetReachedError, ChatRequest, EndpointUnusableError, Reply, ReplyFailedError
from schemas.asking import EndpointConfig
from tests.annotators.chat_builders import SCHEMA, client, config, question
from tests.endpoint import FAILING, Log, Plan, endpoint

KEY = "sk-test-0123456789abcdef"


def ask(folder: Path, plan: Plan, request: ChatRequest | None = None, **changes: Any) -> tuple[Reply, Log]:
    """Ask once; the reply, and what the server saw."""

    async def main(settings: EndpointConfig) -> Reply:
        async with client(folder, settings) as chat:
            return (await chat.reply(request or question()))[0]

    with endpoint(plan) as server:
        reply = asyncio.run(main(config(server, **changes)))
        return reply, server.log


@pytest.mark.parametrize("stream", [False, True])
def test_a_reply_says_what_came_and_what_it_took(tmp_path: Path, stream: bool) -> None:
    reply, log = ask(tmp_path, Plan(), question(n_pictures=2), stream=stream)
    assert set(json.loads(reply.text)) == set(SCHEMA["properties"])
    assert (reply.outcome, reply.finish_reason, reply.attempts, reply.model) == ("success", "stop", 1, "stand-in")
    assert (reply.input_tokens, reply.output_tokens) == (log.input_tokens, log.output_tokens)
    assert reply.cost_usd == pytest.approx(log.cost_usd)
    assert log.n_pictures == 2
    assert not reply.usage_is_estimated


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", FAILING)
def test_what_may_pass_is_tried_again(tmp_path: Path, fault: str, stream: bool) -> None:
    reply, log = ask(tmp_path, Plan(script=(fault,)), stream=stream, timeout_s=1.0)
    assert (reply.outcome, reply.attempts) == ("success", 2)
    assert log.faults[fault] == 1
    assert log.n_successes == 1


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 529])
def test_statuses_that_may_pass_are_tried_as_often_as_allowed(tmp_path: Path, status: int) -> None:
    with pytest.raises(ReplyFailedError, match=f"status {status}.*tried 3 times"):
        ask(tmp_path, Plan(always=f"status:{status}"), max_attempts=3)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_statuses_that_stay_are_not_tried_again(tmp_path: Path, status: int) -> None:
    with endpoint(Plan(always=f"status:{status}")) as server:
        with pytest.raises(ReplyFailedError, match=f"status {status}: the server has its reasons"):
            _ask_at(tmp_path, config(server))
        assert server.log.n_tries == 1


def test_a_content_policy_ends_one_request_only(tmp_path: Path) -> None:
    with pytest.raises(ReplyFailedError, match="refused, status 403"):
        ask(tmp_path, Plan(always="status:403", message="flagged by moderation"))


@pytest.mark.parametrize(
    ("plan", "look_at"),
    [
        (Plan(always="status:401"), "OPENAI_API_KEY"),
        (Plan(always="status:403"), "OPENAI_API_KEY"),
        (Plan(always="status:400", message="API key not valid. Please pass a valid API key."), "OPENAI_API_KEY"),
        (Plan(always="status:429", error={"code": "insufficient_quota"}), "the account"),
        (Plan(always="status:402"), "the account"),
        (Plan(knows_all_models=False, models=("other",)), "endpoints.default.model"),
    ],
)
def test_what_no_request_can_get_past_says_what_to_look_at(tmp_path: Path, plan: Plan, look_at: str) -> None:
    with endpoint(plan) as server:
        with pytest.raises(EndpointUnusableError, match=look_at) as caught:
            _ask_at(tmp_path, config(server))
        assert "\n" not in str(caught.value)
        assert server.log.n_tries == 1


def test_a_model_that_sees_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(EndpointUnusableError, match=r"endpoints\.default\.sees"):
        ask(tmp_path, Plan(sees=False), question(n_pictures=1))


@pytest.mark.parametrize("address", ["nowhere", "ftp://127.0.0.1/v1", "http://", "http://a:b/v1"])
def test_an_address_that_is_none_is_named(tmp_path: Path, address: str) -> None:
    with pytest.raises(EndpointUnusableError, match=r"endpoints\.default\.base_url"):
        _ask_at(tmp_path, EndpointConfig(model="m", base_url=address))


def test_a_host_that_nobody_knows_is_named_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    address = "https://no-such-host.invalid/v1"
    with pytest.raises(EndpointUnusableError, match=r"cannot be resolved.*endpoints\.default\.base_url"):
        _ask_at(tmp_path, EndpointConfig(model="m", base_url=address, max_wait_s=0.05))


def test_a_port_where_nobody_listens_is_named(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        with pytest.raises(EndpointUnusableError, match=r"no connection.*endpoints\.default\.base_url"):
            _ask_at(tmp_path, EndpointConfig(model="m", base_url=address, max_wait_s=0.05))


def test_without_a_key_a_local_server_is_sent_a_placeholder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    _, log = ask(tmp_path, Plan())
    assert dict(log.keys) == {"none": 1}


def test_without_a_key_another_server_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MY_KEY", raising=False)
    settings = EndpointConfig(model="m", base_url="https://example.com/v1", api_key_variable="MY_KEY")
    with pytest.raises(EndpointUnusableError, match="environment variable MY_KEY, which is not set"):
        _ask_at(tmp_path, settings)


def test_the_key_comes_from_the_variable_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", f" {KEY}\n")
    _, log = ask(tmp_path, Plan(key=KEY), api_key_variable="MY_KEY")
    assert log.n_successes == 1


@pytest.mark.parametrize("key", ["sk-good\nbad", "schlüssel"])
def test_a_key_that_no_header_can_hold_is_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(EndpointUnusableError, match="OPENAI_API_KEY") as caught:
        ask(tmp_path, Plan())
    assert key not in str(caught.value)


@pytest.mark.parametrize("status", [400, 401, 404, 500])
def test_a_key_that_the_server_repeats_is_told_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    secret = "no-usual-form-of-key"  # noqa: S105
    monkeypatch.setenv("OPENAI_API_KEY", secret)
    caplog.set_level(logging.DEBUG)
    plan = Plan(always=f"status:{status}", message="you sent {key} and Bearer {key}")
    with pytest.raises((ReplyFailedError, EndpointUnusableError), match="you sent") as caught:
        ask(tmp_path, plan, max_attempts=2)
    chain: list[BaseException | None] = [caught.value]
    while chain[-1] is not None:
        chain.append(chain[-1].__cause__ or chain[-1].__context__)
    assert not any(secret in repr(error) for error in chain)
    assert secret not in caplog.text
    assert not any(secret in str(vars(record)) for record in caplog.records)


def test_a_key_in_an_answer_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    ask(tmp_path, Plan(answer=_tells_key))
    kept = next(tmp_path.glob("replies/*/*.json")).read_text()
    assert KEY not in kept
    assert "the key is [key]" in kept


def _tells_key(_body: Any) -> str:
    return f"the key is {KEY}"


@pytest.mark.parametrize(
    ("fault", "outcome", "finish_reason"),
    [("refused", "refused", "stop"), ("filtered", "refused", "content_filter"), ("truncated", "truncated", "length")],
)
@pytest.mark.parametrize("stream", [False, True])
def test_answers_that_are_none_are_told_apart(
    tmp_path: Path, fault: str, outcome: str, finish_reason: str, stream: bool
) -> None:
    reply, log = ask(tmp_path, Plan(always=fault), stream=stream)
    assert (reply.outcome, reply.finish_reason) == (outcome, finish_reason)
    assert log.n_tries == 1
    if fault == "refused":
        assert reply.text == "I cannot help with that."


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("thoughts", ["tags", "field"])
def test_thoughts_are_counted_and_cut_off(tmp_path: Path, thoughts: str, stream: bool) -> None:
    reply, _ = ask(tmp_path, Plan(thoughts=thoughts), stream=stream)
    assert set(json.loads(reply.text)) == set(SCHEMA["properties"])
    assert 0 < reply.reasoning_tokens < reply.output_tokens


def test_settings_that_a_model_refuses_are_left_out_from_then_on(tmp_path: Path) -> None:
    plan = Plan(refused_settings=("max_tokens", "temperature", "top_p", "seed"), keep_bodies=True)

    async def main(settings: EndpointConfig) -> list[Reply]:
        async with client(tmp_path, settings) as chat:
            return [(await chat.reply(question(number)))[0] for number in range(3)]

    with endpoint(plan) as server:
        replies = asyncio.run(main(config(server)))
    assert [reply.attempts for reply in replies] == [1, 1, 1]
    assert server.log.n_tries == 4 + 3
    assert server.log.bodies[-1]["max_completion_tokens"] == 200
    assert set(server.log.bodies[-1]).isdisjoint(plan.refused_settings)


def test_many_at_once_find_out_together_what_is_refused(tmp_path: Path) -> None:
    async def main(settings: EndpointConfig) -> list[Reply]:
        async with client(tmp_path, settings) as chat:
            return [reply for reply, _ in await asyncio.gather(*(chat.reply(question(n)) for n in range(20)))]

    with endpoint(Plan(refused_settings=("max_tokens", "temperature"), latency_s=0.02)) as server:
        replies = asyncio.run(main(config(server)))
    assert {(reply.outcome, reply.attempts) for reply in replies} == {("success", 1)}


def test_tokens_that_a_server_does_not_count_are_estimated_and_marked(tmp_path: Path) -> None:
    reply, _ = ask(tmp_path, Plan(with_usage=False), question(n_pictures=1))
    assert reply.usage_is_estimated
    assert reply.input_tokens > 256
    assert reply.output_tokens > len(reply.text) / 5
    assert reply.cost_usd > 0


def test_a_reply_is_paid_once(tmp_path: Path) -> None:
    ledger = Ledger()

    async def main(settings: EndpointConfig) -> list[tuple[Reply, bool]]:
        async with client(tmp_path, settings, ledger) as chat:
            first = await chat.reply(question())
            return [first, await chat.reply(question(annotator="qa"))]

    with endpoint() as server:
        (first, was_kept), (second, is_kept) = asyncio.run(main(config(server)))
    assert (was_kept, is_kept) == (False, True)
    assert first == second
    assert server.log.n_tries == 1
    snapshot = ledger.snapshot()
    assert snapshot.by_annotator["caption"].requests == 1
    assert snapshot.by_annotator["qa"] == Tally(kept=1)
    assert snapshot.total.cost_usd == pytest.approx(server.log.cost_usd)


def test_kept_replies_need_no_server_and_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reply, _ = ask(tmp_path, Plan())
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert _ask_at(tmp_path, EndpointConfig(base_url="https://example.com/v1")) == reply


def test_a_reply_that_is_of_no_use_is_asked_for_afresh_and_stays_paid(tmp_path: Path) -> None:
    async def main(settings: EndpointConfig) -> bool:
        async with client(tmp_path, settings) as chat:
            await chat.reply(question())
            return (await chat.reply(question(), afresh=True))[1]

    with endpoint() as server:
        assert not asyncio.run(main(config(server)))
    assert server.log.n_tries == 2
    assert len(list(tmp_path.glob("replies/*/*.json"))) == 2


def test_equal_requests_at_once_are_sent_once(tmp_path: Path) -> None:
    async def main(settings: EndpointConfig) -> list[bool]:
        async with client(tmp_path, settings) as chat:
            return [kept for _, kept in await asyncio.gather(*(chat.reply(question()) for _ in range(8)))]

    with endpoint(Plan(latency_s=0.1)) as server:
        kept = asyncio.run(main(config(server)))
    assert server.log.n_tries == 1
    assert sorted(kept) == [False] + [True] * 7


def test_who_stops_waiting_stops_nobody_else(tmp_path: Path) -> None:
    async def main(settings: EndpointConfig) -> Reply:
        async with client(tmp_path, settings) as chat:
            first = asyncio.create_task(chat.reply(question()))
            second = asyncio.create_task(chat.reply(question()))
            await asyncio.sleep(0.05)
            first.cancel()
            return (await second)[0]

    with endpoint(Plan(latency_s=0.2)) as server:
        assert asyncio.run(main(config(server))).outcome == "success"
    assert server.log.n_tries == 1


def test_a_request_that_nobody_waits_for_holds_no_budget(tmp_path: Path) -> None:
    ledger = Ledger(Limits(max_tokens=1000))

    async def main(settings: EndpointConfig) -> None:
        async with client(tmp_path, settings, ledger) as chat:
            task = asyncio.create_task(chat.reply(question()))
            await asyncio.sleep(0.1)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await asyncio.sleep(0.05)
            assert chat.limiter.in_flight == 0

    with endpoint(Plan(always="hang")) as server:
        asyncio.run(main(config(server)))
    total = ledger.snapshot().total
    assert (total.in_flight, total.reserved_tokens, total.requests, total.failed) == (0, 0, 0, 1)


def test_the_budget_ends_a_run_before_it_is_exceeded(tmp_path: Path) -> None:
    ledger = Ledger(Limits(max_cost_usd=0.005))

    async def main(settings: EndpointConfig) -> list[Any]:
        async with client(tmp_path, settings, ledger) as chat:
            return await asyncio.gather(*(chat.reply(question(n)) for n in range(200)), return_exceptions=True)

    with endpoint() as server:
        results = asyncio.run(main(config(server)))
    stopped = [result for result in results if isinstance(result, BudgetReachedError)]
    assert 0 < len(stopped) < 200
    assert len(stopped) + server.log.n_successes == 200
    assert server.log.cost_usd <= 0.005
    assert ledger.snapshot().total.cost_usd == pytest.approx(server.log.cost_usd)


def test_a_limit_to_the_money_needs_a_price(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    settings = EndpointConfig(model="my-own", base_url="https://example.com/v1")
    with pytest.raises(EndpointUnusableError, match=r"price of the model is unknown.*input_usd_per_million"):
        _ask_at(tmp_path, settings, Ledger(Limits(max_cost_usd=1.0)))


def test_a_retry_after_stops_everybody(tmp_path: Path) -> None:
    async def main(settings: EndpointConfig) -> float:
        async with client(tmp_path, settings) as chat:
            started = asyncio.get_running_loop().time()
            await chat.reply(question(1))
            return asyncio.get_running_loop().time() - started

    with endpoint(Plan(script=("rate_limited",), retry_after="0.4")) as server:
        assert asyncio.run(main(config(server, max_wait_s=60.0))) >= 0.4


def test_the_servers_own_windows_are_kept_to(tmp_path: Path) -> None:
    async def main(settings: EndpointConfig) -> None:
        async with client(tmp_path, settings) as chat:
            for number in range(12):
                await chat.reply(question(number))

    with endpoint(Plan(window=(4, 0.3))) as server:
        asyncio.run(main(config(server, max_wait_s=5.0)))
    assert server.log.n_successes == 12
    assert server.log.faults["window"] == 0


def test_half_characters_in_an_answer_can_be_kept(tmp_path: Path) -> None:
    reply, _ = ask(tmp_path, Plan(answer=_half_character))
    assert reply.text == '{"text": "?"}'


def _half_character(_body: Any) -> str:
    return '{"text": "\ud83d"}'


def _ask_at(folder: Path, settings: EndpointConfig, ledger: Ledger | None = None) -> Reply:
    async def main() -> Reply:
        async with client(folder, settings, ledger) as chat:
            return (await chat.reply(question()))[0]

    return asyncio.run(main())
