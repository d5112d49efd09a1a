"""The client: asks one endpoint, keeps the replies, stays within budget and limits, and tries again where that helps.

Here: `ChatClient`, one for each endpoint and event loop. Not here: one exchange (`annotators.exchange`), telling
failures apart (`annotators.faults`), concurrency (`annotators.limiter`), money (`annotators.budget`).
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import stamina

from annotators.budget import Accounts, PriceUnknownError
from annotators.chat import AskingError, BudgetReachedError, ChatRequest, Reply
from annotators.completion import Completion
from annotators.exchange import Exchange, endpoint_names
from annotators.faults import EndpointNames, PassingError
from annotators.headers import window_wait_s
from annotators.limiter import Limiter, Slot
from annotators.prices import Usage, tariff
from annotators.replies import Replies
from annotators.tokens import Estimate, estimate
from schemas.asking import EndpointConfig

_FIRST_WAIT_S = 0.5
_CONNECT_S = 10.0
_UNREACHED_TRIES = 4
"""Tries of an address where nobody ever answered."""
_FILE_THREADS = 16

T = TypeVar("T")


@dataclass
class _Flight:
    """A request under way, and how many wait for its reply."""

    task: "asyncio.Task[tuple[Reply, bool]]"
    waiting: int = 0


class ChatClient:
    """See `annotators.chat.Chat`. Make it anywhere; use and close it in one event loop.

    Args:
        name: of the endpoint in the configuration, for messages.
        config: of the endpoint.
        replies: kept from before, and where new ones are kept.
        ledger: asked before anything is sent.
    """

    def __init__(self, name: str, config: EndpointConfig, replies: Replies, ledger: Accounts) -> None:
        self.config = config
        self.tariff = tariff(config)
        self.limiter = Limiter(config.max_in_flight)
        self._names = endpoint_names(name, config)
        self._replies = replies
        self._ledger = ledger
        self._exchange = Exchange(self._names, config, self._heed)
        self._flights: dict[tuple[str, bool], _Flight] = {}
        self._threads = ThreadPoolExecutor(_FILE_THREADS, thread_name_prefix="replies")
        # Retries are normal; without a handler Python would print each of them.
        logging.getLogger("stamina").addHandler(logging.NullHandler())

    async def reply(self, request: ChatRequest, *, afresh: bool = False) -> tuple[Reply, bool]:
        """The reply, and whether it was kept from before or comes from an equal request that was under way.

        It is kept before it is returned. Raises ReplyFailedError, EndpointUnusableError or BudgetReachedError.
        """
        key = request.key
        flight = self._flights.get((key, afresh))
        is_first = flight is None
        if flight is None:
            flight = _Flight(asyncio.create_task(self._reply(request, key, afresh=afresh)))
            self._flights[key, afresh] = flight
            flight.task.add_done_callback(lambda _: self._flights.pop((key, afresh), None))
        flight.waiting += 1
        try:
            reply, is_kept = await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if not flight.waiting:
                flight.task.cancel()
        if not is_first:
            await self._ledger.count_kept(request.annotator)
        return reply, is_kept or not is_first

    def prepare(self) -> None:
        """Check what can be checked without sending. Raises EndpointUnusableError that says what to set."""
        self._exchange.connected()

    async def aclose(self) -> None:
        """End what is under way, and close all connections."""
        tasks = [flight.task for flight in self._flights.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._exchange.aclose()
        self._threads.shutdown(wait=True)

    async def _reply(self, request: ChatRequest, key: str, *, afresh: bool) -> tuple[Reply, bool]:
        if not afresh:
            kept = await self._with_files(lambda: self._replies.get(key))
            if kept is not None:
                await self._ledger.count_kept(request.annotator)
                return kept, True
        self._exchange.connected()
        expected = estimate(request, self.tariff)
        ticket = await self._reserved(request, expected)
        usage, cost_usd = None, None
        try:
            reply = await self._asked(request, key, expected, ticket)
            usage = usage_of(reply)
            cost_usd = self.tariff.cost_usd(usage)
            await self._with_files(lambda: self._replies.put(reply))
        finally:
            await self._ledger.settle(ticket, usage, cost_usd)
        return reply, False

    async def _reserved(self, request: ChatRequest, expected: Estimate) -> int:
        try:
            return await self._ledger.reserve(request.annotator, expected)
        except PriceUnknownError as error:
            raise unpriced(self._names, error) from None

    async def _asked(self, request: ChatRequest, key: str, expected: Estimate, ticket: int) -> Reply:
        """Try until a reply comes, as often as is allowed."""
        failures: list[PassingError] = []
        tries = stamina.retry_context(
            on=lambda error: self._wait_after(error, failures), attempts=self.config.max_attempts, timeout=None,
            wait_initial=_FIRST_WAIT_S, wait_max=self.config.max_wait_s, wait_jitter=_FIRST_WAIT_S,
        )  # fmt: skip
        try:
            async for attempt in tries:
                with attempt:
                    if attempt.num > 1:
                        await self._ledger.renew(ticket)
                    return await self._one_try(request, key, expected, ticket, attempt.num)
        except PassingError as error:
            last = error
        raise self._given_up(last, len(failures))

    def _wait_after(self, error: Exception, failures: list[PassingError]) -> bool | float:
        """Whether another try may help, and how long to wait before where the server said so."""
        if not isinstance(error, PassingError):
            return False
        failures.append(error)
        if (
            error.is_unreached
            and not self._exchange.was_reached
            and (error.is_unresolved or len(failures) >= _UNREACHED_TRIES)
        ):
            return False
        return True if error.wait_s is None else min(error.wait_s, self.config.max_wait_s)

    def _given_up(self, error: PassingError, n_tries: int) -> AskingError:
        if error.is_unreached and not self._exchange.was_reached:
            return self._names.unusable(f"{error} at {self._names.address}", self._names.setting("base_url"))
        return self._names.failed(f"{error}; tried {n_tries} time{'' if n_tries == 1 else 's'}")

    async def _one_try(
        self, request: ChatRequest, key: str, expected: Estimate, ticket: int, number: int
    ) -> Reply:  # fmt: skip
        slot = await self.limiter.acquire()
        try:
            started_at = time.monotonic()
            completion = await self._exchange.complete(request.body, expected)
            latency_s = time.monotonic() - started_at
            self.limiter.succeeded(slot, completion.usage.output_tokens)
        except PassingError as error:
            self._slow_down(slot, error)
            if error.is_lost:
                await self._ledger.lose(ticket)
            raise
        finally:
            self.limiter.release()
        return made_reply(request, key, completion, self._names, self.tariff.cost_usd(completion.usage),
                          latency_s=latency_s, attempts=number)  # fmt: skip

    def _slow_down(self, slot: Slot, error: PassingError) -> None:
        if error.is_overload:
            self.limiter.overloaded(slot)
            if error.wait_s is not None:
                self.limiter.pause(min(error.wait_s, self.config.max_wait_s))

    def _heed(self, headers: Mapping[str, str], expected: Estimate) -> None:
        """Wait where the server's own limits leave no room for another request like this."""
        wait_s = window_wait_s(headers, expected.tokens)
        if wait_s > 0:
            self.limiter.pause(min(wait_s, self.config.max_wait_s))

    async def _with_files(self, work: Callable[[], T]) -> T:
        """Do something with files in a thread; it is done to its end even where nobody waits any more."""
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._threads, work))


def usage_of(reply: Reply) -> Usage:
    """The tokens of a reply."""
    return Usage(
        input_tokens=reply.input_tokens, cached_input_tokens=reply.cached_input_tokens,
        output_tokens=reply.output_tokens, reasoning_tokens=reply.reasoning_tokens,
    )  # fmt: skip


def made_reply(
    request: ChatRequest, key: str, completion: Completion, names: EndpointNames, cost_usd: float | None,
    *, latency_s: float, attempts: int,
) -> Reply:  # fmt: skip
    """The record of a completion; where the price is unknown the cost is 0, and the ledger says so."""
    usage = completion.usage
    model = names.without_key(completion.model) or names.model
    return Reply(
        key=key, annotator=request.annotator, endpoint=names.name, model=model,
        outcome=completion.outcome, text=names.without_key(completion.text), finish_reason=completion.finish_reason,
        input_tokens=usage.input_tokens, cached_input_tokens=usage.cached_input_tokens,
        output_tokens=usage.output_tokens, reasoning_tokens=usage.reasoning_tokens,
        usage_is_estimated=completion.usage_is_estimated, cost_usd=cost_usd or 0.0, latency_s=latency_s,
        attempts=attempts, received_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
    )  # fmt: skip


def unpriced(names: EndpointNames, error: BudgetReachedError) -> AskingError:
    """The cost is limited, and the price unknown."""
    settings = f"{names.setting('input_usd_per_million')} and {names.setting('output_usd_per_million')}"
    return names.unusable(f"{error} ({names.model})", settings)
