"""Attempts that wait for a model: many units under way at once, their records in order.

Here: `AskingAttempts`, the event loop they run in, and what ends a run. Not here: what is asked (`annotators.ask`), or
how a reply comes (`annotators.endpoint.client`).
"""

import asyncio
import threading
import traceback
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from concurrent.futures import Future
from functools import cache
from typing import Any, Protocol, TypeVar

from annotators.endpoint.batch import MOST_REQUESTS, BatchChat, BatchClient
from annotators.endpoint.budget import Accounts, Ledger, Snapshot, Tally
from annotators.endpoint.chat import BudgetReachedError, Chat, EndpointUnusableError
from annotators.endpoint.client import ChatClient
from annotators.endpoint.replies import Files, Replies
from annotators.inquiry import AnswerError
from pipeline.attempt import Known, Unit, WorkerStartError, error_kind, failure, record_of
from schemas.arrow import StepRecord
from schemas.asking import EndpointConfig
from schemas.base import Record
from schemas.config import RunConfig
from schemas.verdict import Verdict

T = TypeVar("T")

AHEAD = 2
"""Units that are begun for each request that may be in flight: one slow reply holds up none of the others. Ours."""


class Asking(Protocol):
    """Whoever asks models on behalf of a step: an annotator's `Asker`, or a judge."""

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Names of the endpoints that may be asked."""
        ...

    async def answered(self, payload: Any, chats: Mapping[str, Chat], *, afresh: bool) -> Record | Verdict:
        """What comes of a unit.

        `afresh` asks again where a reply was kept: for a unit that failed before and is retried. Raises AnswerError
        where nothing does, and AskingError where no reply comes.
        """
        ...


class AskingAttempts:
    """Attempts of the units of one step that asks models. Made once per process."""

    def __init__(
        self,
        factory: Callable[[RunConfig], Asking],
        config: RunConfig,
        files: Files,
        budget: Accounts | None,
        *,
        afresh: bool,
    ) -> None:
        """Without a budget nothing is limited. Raises WorkerStartError where the endpoint cannot be asked at all."""
        try:
            self._asker = factory(config)
            endpoints = {name: config.endpoints[name] for name in self._asker.endpoints}
        except Exception as error:
            raise WorkerStartError(f"worker {factory.__name__!r} cannot start: {error}") from error
        self._afresh = afresh
        self._most = sum(_most_under_way(endpoint) for endpoint in endpoints.values())
        self._replies, self._budget = Replies(files), budget or Ledger()
        self._loop = _event_loop()
        connected = {name: self._run(self._connected(name, endpoint)) for name, endpoint in endpoints.items()}
        self._clients = [client for client, _ in connected.values()]
        self._chats = {name: chat for name, (_, chat) in connected.items()}

    def __call__(self, unit: Unit) -> StepRecord:
        """The unit's record. Raises BudgetReachedError or EndpointUnusableError, which end the run."""
        return self._begin(unit).result()

    def many(self, units: Iterable[Unit], known: Known) -> Iterator[StepRecord]:
        """The units' records in order, with as many under way as the endpoint allows.

        Raises BudgetReachedError or EndpointUnusableError, once what is under way has been answered and kept.
        """
        under_way: deque[Future[StepRecord]] = deque()
        try:
            for unit in units:
                record = known(unit)
                under_way.append(_settled(record) if record is not None else self._begin(unit))
                while len(under_way) >= self._most or (under_way and under_way[0].done()):
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        except (BudgetReachedError, EndpointUnusableError):
            # What was sent is paid for: its replies are kept before the run ends.
            _wait(under_way)
            raise

    def snapshot(self) -> Snapshot:
        """How asking goes, over all steps that share the budget."""
        return self._run(self._take_snapshot())

    async def _take_snapshot(self) -> Snapshot:
        return self._budget.snapshot() if isinstance(self._budget, Ledger) else Snapshot(0.0, Tally(), {})

    def close(self) -> None:
        """Close the connections."""
        for client in self._clients:
            self._run(client.aclose())

    async def _connected(self, name: str, endpoint: EndpointConfig) -> tuple[ChatClient | BatchClient, Chat]:
        """Who sends, and who is asked; they differ in the batch way, where single requests are gathered into sets."""
        named = name, endpoint, self._replies, self._budget
        if endpoint.way == "batch":
            client = BatchClient(*named)
            return client, BatchChat(client)
        chat = ChatClient(*named)
        return chat, chat

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def _begin(self, unit: Unit) -> Future[StepRecord]:
        return asyncio.run_coroutine_threadsafe(self._attempt(unit), self._loop)

    async def _attempt(self, unit: Unit) -> StepRecord:
        try:
            value = await self._asker.answered(unit.payload, self._chats, afresh=self._afresh)
        except (BudgetReachedError, EndpointUnusableError):
            raise
        except AnswerError as error:
            return failure(unit, error.kind, str(error))
        except Exception as error:  # noqa: BLE001 - one bad unit must cost nobody else anything; it becomes a row
            return failure(unit, error_kind(error), str(error) or "no message", traceback.format_exc())
        return record_of(unit, value)


def _most_under_way(endpoint: EndpointConfig) -> int:
    return MOST_REQUESTS if endpoint.way == "batch" else AHEAD * endpoint.max_in_flight


@cache
def _event_loop() -> asyncio.AbstractEventLoop:
    """The process's own loop, in a thread beside the one that drives the cells: all steps share it, and the ledger."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="asking", daemon=True).start()
    return loop


def _settled(record: StepRecord) -> Future[StepRecord]:
    future: Future[StepRecord] = Future()
    future.set_result(record)
    return future


def _wait(under_way: Iterable[Future[StepRecord]]) -> None:
    for future in under_way:
        future.exception()
