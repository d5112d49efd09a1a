import asyncio
import tracemalloc
from itertools import pairwise

import pytest

from annotators.limiter import Limiter, Slot


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def a_round(limiter: Limiter, clock: Clock, latency_s: float, n: int = 0) -> None:
    """As many good replies as are under way at once, all sent together, all as slow."""
    slots = [Slot(clock()) for _ in range(n or max(16, limiter.limit))]
    limiter._in_flight = limiter.limit  # all slots are taken while replies come
    clock.now += latency_s
    for slot in slots:
        limiter.succeeded(slot, output_tokens=100)
    limiter._in_flight = 0


def test_it_starts_at_the_most_and_lets_no_more_through() -> None:
    async def main() -> int:
        limiter = Limiter(3)
        tasks = [asyncio.create_task(limiter.acquire()) for _ in range(10)]
        await asyncio.sleep(0.01)
        under_way = sum(task.done() for task in tasks)
        for _ in range(10):
            limiter.release()
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)
        assert limiter.in_flight == 0
        return under_way

    assert asyncio.run(main()) == 3


def test_who_waits_longest_goes_first() -> None:
    async def main() -> list[int]:
        limiter = Limiter(1)
        order: list[int] = []

        async def one(number: int) -> None:
            await limiter.acquire()
            order.append(number)
            await asyncio.sleep(0)
            limiter.release()

        await asyncio.gather(*(one(number) for number in range(20)))
        return order

    assert asyncio.run(main()) == list(range(20))


def test_a_burst_of_refusals_is_one_sign() -> None:
    clock = Clock()
    limiter = Limiter(64, clock)
    burst = [Slot(clock()) for _ in range(64)]
    clock.now += 1
    for slot in burst:
        limiter.overloaded(slot)
    assert limiter.limit == 44
    clock.now += 1
    limiter.overloaded(Slot(clock()))
    assert limiter.limit == 31


def test_refusals_never_stop_it_altogether() -> None:
    clock = Clock()
    limiter = Limiter(8, clock)
    for _ in range(50):
        clock.now += 1
        limiter.overloaded(Slot(clock()))
    assert limiter.limit == 1


def test_it_grows_by_one_a_round_until_the_most() -> None:
    clock = Clock()
    limiter = Limiter(20, clock)
    for _ in range(20):
        clock.now += 1
        limiter.overloaded(Slot(clock()))
    limits = []
    for _ in range(40):
        a_round(limiter, clock, 1.0, n=limiter.limit)
        limits.append(limiter.limit)
    assert limits[-1] == 20
    assert all(later - earlier in (0, 1) for earlier, later in pairwise(limits))


def test_it_does_not_grow_on_replies_that_nobody_waited_for() -> None:
    clock = Clock()
    limiter = Limiter(64, clock)
    limiter.overloaded(Slot(clock()))
    before = limiter.limit
    for _ in range(200):
        limiter.succeeded(Slot(clock()), output_tokens=10)
    assert limiter.limit == before


def test_replies_that_become_much_slower_lower_it_but_not_to_nothing() -> None:
    clock = Clock()
    limiter = Limiter(64, clock)
    a_round(limiter, clock, 2.0)
    a_round(limiter, clock, 2.5)
    assert limiter.limit == 64
    for latency_s in (6.0, 18.0, 54.0, 162.0, 486.0, 1458.0, 4374.0):
        a_round(limiter, clock, latency_s)
    assert 16 <= limiter.limit <= 18  # it grows by one a round all the same


def test_slowness_that_lasts_is_accepted() -> None:
    clock = Clock()
    limiter = Limiter(64, clock)
    a_round(limiter, clock, 2.0)
    a_round(limiter, clock, 6.0)
    assert limiter.limit < 64
    for _ in range(80):
        a_round(limiter, clock, 6.0)
    assert limiter.limit == 64


def test_quick_replies_are_never_slow() -> None:
    clock = Clock()
    limiter = Limiter(64, clock)
    for latency_s in (0.001, 0.02, 0.4, 0.9):
        a_round(limiter, clock, latency_s)
    assert limiter.limit == 64


@pytest.mark.parametrize("pauses", [(0.2,), (0.2, 0.05)])
def test_a_pause_stops_everybody_until_its_end(pauses: tuple[float, ...]) -> None:
    async def main() -> list[float]:
        limiter = Limiter(4)
        loop = asyncio.get_running_loop()
        started = loop.time()
        for seconds in pauses:
            limiter.pause(seconds)
        waited: list[float] = []

        async def one() -> None:
            await limiter.acquire()
            waited.append(loop.time() - started)
            limiter.release()

        await asyncio.gather(*(one() for _ in range(10)))
        return waited

    waited = asyncio.run(main())
    assert len(waited) == 10
    assert min(waited) >= 0.199
    assert max(waited) < 2.0


def test_a_pause_that_grows_while_it_is_waited_for_is_waited_for() -> None:
    async def main() -> float:
        limiter = Limiter(1)
        loop = asyncio.get_running_loop()
        started = loop.time()
        limiter.pause(0.1)
        waiting = asyncio.create_task(limiter.acquire())
        await asyncio.sleep(0.05)
        limiter.pause(0.2)
        await waiting
        return loop.time() - started

    assert asyncio.run(main()) >= 0.245


def test_who_gives_up_waiting_takes_no_slot() -> None:
    async def main() -> None:
        limiter = Limiter(1)
        await limiter.acquire()
        waiting = [asyncio.create_task(limiter.acquire()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        limiter.release()  # gives its slot to the second just as that one is cancelled
        waiting[1].cancel()
        await asyncio.wait(waiting[:2])
        await asyncio.wait_for(waiting[2], 1)
        assert limiter.in_flight == 1

    asyncio.run(main())


def test_memory_does_not_grow_with_requests() -> None:
    async def main() -> int:
        limiter = Limiter(16)

        async def worker(n: int) -> None:
            for number in range(n):
                slot = await limiter.acquire()
                await asyncio.sleep(0)
                limiter.succeeded(slot, output_tokens=number % 50)
                limiter.release()

        await asyncio.gather(*(worker(20) for _ in range(32)))
        tracemalloc.start()
        await asyncio.gather(*(worker(600) for _ in range(32)))
        grown = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        return grown

    assert asyncio.run(main()) < 100_000
