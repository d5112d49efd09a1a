import asyncio
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotators.endpoint.budget import Ledger, Limits, PriceUnknownError, Tally
from annotators.endpoint.chat import BudgetReachedError
from annotators.endpoint.prices import Usage
from annotators.endpoint.tokens import Estimate

ONE_CENT = Estimate(input_tokens=600, output_tokens=400, cost_usd=0.01)


def run(main: Any) -> Any:
    return asyncio.run(main)


def test_what_is_settled_is_counted_by_annotator() -> None:
    async def main() -> Ledger:
        ledger = Ledger()
        first = await ledger.reserve("caption", ONE_CENT)
        await ledger.reserve("qa", ONE_CENT)
        await ledger.settle(first, Usage(input_tokens=500, output_tokens=90, reasoning_tokens=40), 0.004)
        await ledger.count_kept("qa")
        return ledger

    snapshot = run(main()).snapshot()
    assert snapshot.by_annotator["caption"] == Tally(
        requests=1, input_tokens=500, output_tokens=90, reasoning_tokens=40, cost_usd=0.004
    )
    assert snapshot.by_annotator["qa"] == Tally(kept=1, in_flight=1, reserved_tokens=1000, reserved_usd=0.01)
    assert snapshot.total.tokens == 590


def test_a_request_that_could_exceed_the_limit_is_refused() -> None:
    async def main() -> None:
        ledger = Ledger(Limits(max_cost_usd=0.025))
        for _ in range(2):
            await ledger.settle(await ledger.reserve("caption", ONE_CENT), Usage(input_tokens=1), 0.01)
        with pytest.raises(BudgetReachedError, match=r"0\.0200 of 0\.025 USD spent.*may take 0\.0100"):
            await ledger.reserve("caption", ONE_CENT)

    run(main())


def test_tokens_are_limited_too() -> None:
    async def main() -> None:
        ledger = Ledger(Limits(max_tokens=1500))
        await ledger.settle(await ledger.reserve("caption", ONE_CENT), Usage(input_tokens=501), 0.0)
        with pytest.raises(BudgetReachedError, match="501 of 1,500 tokens spent, the next request may take 1,000"):
            await ledger.reserve("caption", ONE_CENT)

    run(main())


def test_what_earlier_runs_spent_counts() -> None:
    async def main() -> None:
        ledger = Ledger(Limits(max_cost_usd=0.05), earlier=Tally(requests=9, cost_usd=0.045))
        with pytest.raises(BudgetReachedError):
            await ledger.reserve("caption", ONE_CENT)
        assert ledger.snapshot().earlier.requests == 9

    run(main())


def test_a_ledger_that_goes_on_from_another_counts_all_that_was_spent() -> None:
    async def main() -> None:
        first = Ledger(earlier=Tally(requests=9, cost_usd=0.02))
        await first.settle(await first.reserve("caption", ONE_CENT), Usage(input_tokens=500), 0.01)
        lost = await first.reserve("caption", ONE_CENT)
        await first.lose(lost)
        await first.settle(lost, None, None)
        second = Ledger(Limits(max_cost_usd=0.045))
        second.go_on_from(first.snapshot())
        assert second.snapshot().by_annotator == first.snapshot().by_annotator
        assert second.snapshot().earlier == first.snapshot().earlier
        with pytest.raises(BudgetReachedError, match=r"0\.0400 of 0\.045 USD spent"):
            await second.reserve("qa", ONE_CENT)

    run(main())


def test_requests_under_way_are_waited_for_rather_than_given_up() -> None:
    async def main() -> None:
        ledger = Ledger(Limits(max_cost_usd=0.015))
        first = await ledger.reserve("caption", ONE_CENT)
        second = asyncio.create_task(ledger.reserve("caption", ONE_CENT))
        await asyncio.sleep(0.01)
        assert not second.done()
        with pytest.raises(BudgetReachedError):
            await ledger.reserve("caption", ONE_CENT, wait=False)
        await ledger.settle(first, Usage(input_tokens=100), 0.001)
        await asyncio.wait_for(second, 1)

    run(main())


def test_who_waits_is_told_when_nothing_more_fits() -> None:
    async def main() -> None:
        ledger = Ledger(Limits(max_cost_usd=0.015))
        first = await ledger.reserve("caption", ONE_CENT)
        waiting = [asyncio.create_task(ledger.reserve("caption", ONE_CENT)) for _ in range(50)]
        await asyncio.sleep(0.01)
        await ledger.settle(first, Usage(input_tokens=100), 0.01)
        results = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 1)
        assert all(isinstance(result, BudgetReachedError) for result in results)

    run(main())


def test_who_stops_waiting_leaves_the_line() -> None:
    async def main() -> None:
        ledger = Ledger(Limits(max_cost_usd=0.015))
        first = await ledger.reserve("caption", ONE_CENT)
        gone, stays = (asyncio.create_task(ledger.reserve("caption", ONE_CENT)) for _ in range(2))
        await asyncio.sleep(0.01)
        gone.cancel()
        await asyncio.wait([gone])
        await ledger.settle(first, None, None)
        await asyncio.wait_for(stays, 1)

    run(main())


def test_a_lost_reply_counts_as_spent_in_full() -> None:
    async def main() -> None:
        ledger = Ledger(Limits(max_cost_usd=0.025))
        ticket = await ledger.reserve("caption", ONE_CENT)
        await ledger.lose(ticket)
        assert ledger.snapshot().total.reserved_usd == 0
        await ledger.renew(ticket)
        await ledger.renew(ticket)  # it holds what it needs already
        assert ledger.snapshot().total.reserved_usd == 0.01
        await ledger.lose(ticket)
        with pytest.raises(BudgetReachedError):
            await ledger.renew(ticket)
        await ledger.settle(ticket, None, None)
        total = ledger.snapshot().total
        assert (total.lost, total.lost_usd, total.lost_tokens, total.failed, total.cost_usd) == (2, 0.02, 2000, 1, 0)

    run(main())


def test_a_ticket_is_settled_once() -> None:
    async def main() -> Tally:
        ledger = Ledger()
        ticket = await ledger.reserve("caption", ONE_CENT)
        for _ in range(2):
            await ledger.settle(ticket, Usage(input_tokens=10), 0.1)
        return ledger.snapshot().total

    assert run(main()) == Tally(requests=1, input_tokens=10, cost_usd=0.1)


def test_money_without_a_price_cannot_be_limited() -> None:
    unpriced = Estimate(10, 10, None)

    async def main() -> None:
        with pytest.raises(PriceUnknownError):
            await Ledger(Limits(max_cost_usd=1.0)).reserve("caption", unpriced)
        ledger = Ledger(Limits(max_tokens=100))
        await ledger.settle(await ledger.reserve("caption", unpriced), Usage(input_tokens=5), None)
        assert ledger.snapshot().total.unpriced == 1

    run(main())


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), limit_cents=st.floats(0.5, 40))
def test_spent_and_reserved_never_exceed_the_limit(seed: int, limit_cents: float) -> None:
    """Many at once, each taking at most its estimate, some failing, some lost, some cancelled."""
    chance = random.Random(seed)  # noqa: S311
    limit_usd = limit_cents / 100

    async def main() -> None:
        ledger = Ledger(Limits(max_cost_usd=limit_usd, max_tokens=40_000))
        refused = 0

        def check() -> None:
            total = ledger.snapshot().total
            assert total.cost_usd + total.lost_usd + total.reserved_usd <= limit_usd + 1e-6
            assert total.tokens + total.lost_tokens + total.reserved_tokens <= 40_000

        async def one() -> None:
            nonlocal refused
            tokens, usd = chance.randint(1, 2000), chance.uniform(0, 0.02)
            try:
                ticket = await ledger.reserve("caption", Estimate(tokens, 0, usd))
            except BudgetReachedError:
                refused += 1
                return
            check()
            await asyncio.sleep(chance.choice((0, 0, 0.0005)))
            outcome = chance.random()
            try:
                if outcome < 0.2:
                    await ledger.lose(ticket)
                    await ledger.renew(ticket)
                    check()
                share = chance.random()
                used = Usage(input_tokens=int(tokens * share)) if outcome < 0.8 else None
                await ledger.settle(ticket, used, usd * share if used else None)
            except BudgetReachedError:
                await ledger.settle(ticket, None, None)
            check()

        await asyncio.wait_for(asyncio.gather(*(one() for _ in range(60))), 10)
        total = ledger.snapshot().total
        assert total.requests + total.failed + refused == 60
        assert (total.in_flight, total.reserved_tokens, total.reserved_usd) == (0, 0, 0.0)

    run(main())
