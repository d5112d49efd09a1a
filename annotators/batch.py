"""The second way to ask: OpenAI's Batch API, at half the price and within a day.

Here: `BatchClient`, which asks a set of requests, and `BatchChat`, which makes sets of single requests. Not here: the
calls and what is remembered of them (`annotators.batch_jobs`).

A set is remembered before it is submitted, and what lives of it is waited for by whoever asks next, also with another
set: no request is in two jobs. Each reply is kept like any other, so that a job's death costs only what it had not
answered.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import openai
from openai.types import Batch

from annotators.batch_jobs import Job, JobCalls, JobFiles, JobItem, now, pauses, problems_of
from annotators.budget import Accounts, PriceUnknownError
from annotators.chat import AskingError, BudgetReachedError, ChatRequest, EndpointUnusableError, Reply
from annotators.client import made_reply, unpriced, usage_of
from annotators.completion import BrokenReplyError, WrittenError, read_completion
from annotators.exchange import connection, endpoint_names, fitted
from annotators.faults import RefusedSettingError, Trouble, written_trouble
from annotators.prices import tariff
from annotators.replies import Replies
from annotators.tokens import estimate
from schemas.asking import EndpointConfig

MOST_REQUESTS = 50_000
MOST_BYTES = 150_000_000
"""Of one job: OpenAI takes 50,000 requests and 200 MB."""
_ROUNDS = 6
"""Jobs in a row for settings that a model refuses one after the other."""

Outcome = tuple[Reply, bool] | AskingError
"""A reply and whether it was kept from before, or why there is none."""


@dataclass
class _Set:
    """What is asked, and what has come of it."""

    requests: dict[str, ChatRequest]
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    tickets: dict[str, int] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()
    """Settings that the requests were submitted without."""
    again: set[str] = field(default_factory=set)
    """Keys whose requests hold a setting that the model turned out to refuse."""

    def open(self) -> dict[str, ChatRequest]:
        """What has no outcome yet."""
        return {key: request for key, request in self.requests.items() if key not in self.outcomes}


class BatchClient:
    """Asks sets of requests. Make it anywhere; use and close it in one event loop.

    Args:
        name: of the endpoint in the configuration, for messages.
        config: of the endpoint; prices are halved where its `way` is `batch`.
        replies: kept from before, and where new ones are kept; jobs are remembered beside them.
        ledger: asked before anything is submitted.
        poll_s: first and longest pause between two looks at a job.
        told: told the state of a job at each look.
    """

    def __init__(
        self, name: str, config: EndpointConfig, replies: Replies, ledger: Accounts,
        poll_s: tuple[float, float] = (5.0, 300.0), told: Callable[[Batch], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self.tariff = tariff(config)
        self._names = endpoint_names(name, config)
        self._config = config
        self._replies = replies
        self._jobs = JobFiles(replies.files)
        self._ledger = ledger
        self._poll_s = poll_s
        self._told = told
        self._connection: openai.AsyncOpenAI | None = None
        self._calls = JobCalls(self._connected, self._names, config)
        self._refused: set[str] = set()

    async def replies_to(self, requests: Iterable[ChatRequest], *, afresh: bool = False) -> dict[str, Outcome]:
        """What came of each request, by its key; replies that came are kept.

        `afresh` asks again where the kept replies are known to be of no use. Raises EndpointUnusableError.
        """
        asked = _Set({request.key: request for request in requests})
        if not afresh:
            await self._take_kept(asked)
        for _ in range(_ROUNDS):
            for key in asked.again:
                del asked.outcomes[key]
            asked.again.clear()
            if not asked.open():
                break
            await self._resume(asked)
            await self._ask_anew(asked)
        return asked.outcomes

    async def aclose(self) -> None:
        """Close all connections; jobs go on without."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _take_kept(self, asked: _Set) -> None:
        for key, request in asked.requests.items():
            kept = await asyncio.to_thread(self._replies.get, key)
            if kept is not None:
                asked.outcomes[key] = kept, True
                await self._ledger.count_kept(request.annotator)

    async def _resume(self, asked: _Set) -> None:
        """Wait for jobs of earlier runs that hold any of the requests."""
        living = await asyncio.to_thread(self._jobs.living, self._names.address)
        wanted = [job for job in living if any(item.key in asked.open() for item in job.items)]
        for job in wanted:
            known = job
            if not job.batch_id:
                found = await self._calls.tried(partial(self._calls.found, job))
                known = job.replace(batch_id=found or "", state="living" if found else "ended")
                await asyncio.to_thread(self._jobs.write, known)
            if known.batch_id:
                keys = [item.key for item in job.items if item.key in asked.open()]
                await self._reserve(asked, keys, must=False)
                await self._finish(known, keys, asked)

    async def _ask_anew(self, asked: _Set) -> None:
        reserved = await self._reserve(asked, list(asked.open()), must=True)
        asked.left_out = frozenset(self._refused)
        chunks = self._chunks({key: asked.requests[key] for key in reserved})
        ended = await asyncio.gather(*(self._submit(chunk, asked) for chunk in chunks), return_exceptions=True)
        for error in ended:
            if error is not None:
                raise error

    async def _reserve(self, asked: _Set, keys: Sequence[str], *, must: bool) -> list[str]:
        """Reserve what the requests may take, and say for which there was room.

        Where it is not a must, because they were submitted already, they are waited for all the same.
        """
        reserved = []
        for key in keys:
            request = asked.requests[key]
            try:
                ticket = await self._ledger.reserve(request.annotator, estimate(request, self.tariff), wait=False)
            except PriceUnknownError as error:
                raise unpriced(self._names, error) from None
            except BudgetReachedError as error:
                if must:
                    asked.outcomes[key] = error
                continue
            asked.tickets[key] = ticket
            reserved.append(key)
        return reserved

    def _chunks(self, requests: dict[str, ChatRequest]) -> Iterator[dict[str, ChatRequest]]:
        """The requests in sets that one job takes."""
        chunk: dict[str, ChatRequest] = {}
        size = 0
        for key, request in requests.items():
            weight = _weight(request)
            if chunk and (len(chunk) >= MOST_REQUESTS or size + weight > MOST_BYTES):
                yield chunk
                chunk, size = {}, 0
            chunk[key] = request
            size += weight
        if chunk:
            yield chunk

    async def _submit(self, chunk: dict[str, ChatRequest], asked: _Set) -> None:
        job = Job(
            name=hashlib.sha256("".join(sorted(chunk)).encode()).hexdigest(), state="submitting",
            address=self._names.address, model=self._config.model, submitted_at=now(),
            items=tuple(JobItem(key=key, annotator=request.annotator) for key, request in chunk.items()),
        )  # fmt: skip
        bodies = ((key, fitted(request.body, asked.left_out)) for key, request in chunk.items())
        try:
            self._connected()
            await asyncio.to_thread(self._jobs.write, job)
            job = job.replace(batch_id=await self._calls.submit(job, bodies), state="living")
            await asyncio.to_thread(self._jobs.write, job)
        except AskingError as error:
            await self._fail(list(chunk), error, asked)
            return
        await self._finish(job, list(chunk), asked)

    async def _fail(self, keys: Sequence[str], error: AskingError, asked: _Set) -> None:
        """Nothing stays reserved for what is not waited for. Raises the error where no request can succeed."""
        for key in keys:
            await self._settle_failed(key, asked)
            asked.outcomes.setdefault(key, error)
        if isinstance(error, EndpointUnusableError):
            raise error

    async def _finish(self, job: Job, keys: Sequence[str], asked: _Set) -> None:
        """Wait for a job's end; where that fails it lives on, and the next run waits for it."""
        try:
            await self._fetch(job, asked)
        except AskingError as error:
            await self._fail(keys, error, asked)

    async def _fetch(self, job: Job, asked: _Set) -> None:
        """Keep all replies of a job, also those that nobody asks for now."""
        batch = await self._calls.ended(job.batch_id, pauses(*self._poll_s), self._told)
        latency_s = max(0.0, time.time() - datetime.fromisoformat(job.submitted_at).timestamp())
        items = {item.key: item for item in job.items}
        for file_id in (batch.output_file_id, batch.error_file_id):
            if file_id:
                async for line in self._calls.lines(file_id):
                    item = items.pop(str(line.get("custom_id")), None)
                    if item is not None:
                        await self._take(item, line, latency_s, asked)
        for key in items:
            await self._take_failure(key, self._names.failed(problems_of(batch)), asked)
        await asyncio.to_thread(self._jobs.write, job.replace(state="ended"))

    async def _take(self, item: JobItem, line: Any, latency_s: float, asked: _Set) -> None:
        """One line of a result file."""
        request = asked.requests.get(item.key) or ChatRequest(item.annotator, self._names.name, {}, 0, ())
        try:
            completion = read_completion(_body_of(line), estimate(request, self.tariff).input_tokens)
        except WrittenError as error:
            await self._take_failure(item.key, written_trouble(error.status, error.body, {}, self._names), asked)
            return
        except BrokenReplyError as error:
            await self._take_failure(item.key, self._names.failed(error), asked)
            return
        cost_usd = self.tariff.cost_usd(completion.usage)
        reply = made_reply(
            request, item.key, completion, self._names, cost_usd, latency_s=latency_s, attempts=1
        )  # fmt: skip
        await asyncio.to_thread(self._replies.put, reply)
        ticket = asked.tickets.pop(item.key, None)
        if ticket is None:
            await self._ledger.record(item.annotator, usage_of(reply), cost_usd)
        else:
            await self._ledger.settle(ticket, usage_of(reply), cost_usd)
        asked.outcomes[item.key] = reply, False

    async def _take_failure(self, key: str, trouble: Trouble, asked: _Set) -> None:
        await self._settle_failed(key, asked)
        if key not in asked.requests:
            return
        if isinstance(trouble, RefusedSettingError) and trouble.setting not in asked.left_out:
            self._refused.add(trouble.setting)
            asked.again.add(key)
        asked.outcomes[key] = trouble if isinstance(trouble, AskingError) else self._names.failed(trouble)

    async def _settle_failed(self, key: str, asked: _Set) -> None:
        ticket = asked.tickets.pop(key, None)
        if ticket is not None:
            await self._ledger.settle(ticket, None, None)

    def _connected(self) -> openai.AsyncOpenAI:
        if self._connection is None:
            self._connection = connection(self._names, self._config)
        return self._connection


class BatchChat:
    """Makes sets of single requests, for whoever asks one at a time from many tasks. See `annotators.chat.Chat`.

    Args:
        client: asks the sets. It stays open.
        gather_s: a set is closed when no request has come for so long.
    """

    def __init__(self, client: BatchClient, gather_s: float = 2.0) -> None:
        self._client = client
        self._gather_s = gather_s
        self._waiting: dict[bool, list[tuple[ChatRequest, asyncio.Future[tuple[Reply, bool]]]]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def reply(self, request: ChatRequest, *, afresh: bool = False) -> tuple[Reply, bool]:
        """The reply, and whether it was kept from before. Raises AskingError."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[tuple[Reply, bool]] = loop.create_future()
        self._waiting.setdefault(afresh, []).append((request, answer))
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_later(self._gather_s, self._close_set)
        return await answer

    def _close_set(self) -> None:
        self._timer = None
        for afresh, waiting in self._waiting.items():
            task = asyncio.ensure_future(self._ask(waiting, afresh=afresh))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._waiting = {}

    async def _ask(
        self, waiting: list[tuple[ChatRequest, "asyncio.Future[tuple[Reply, bool]]"]], *, afresh: bool
    ) -> None:
        try:
            outcomes = await self._client.replies_to([request for request, _ in waiting], afresh=afresh)
        except AskingError as error:
            outcomes = {request.key: error for request, _ in waiting}
        for request, answer in waiting:
            outcome = outcomes[request.key]
            if answer.done():  # who asked waits no more; the reply is kept
                continue
            if isinstance(outcome, AskingError):
                answer.set_exception(outcome)
            else:
                answer.set_result(outcome)


def _weight(request: ChatRequest) -> int:
    """About how many bytes a request takes in the file."""
    texts = 0
    for message in request.body.get("messages", ()):
        content = message.get("content")
        parts = content if isinstance(content, list) else [{"text": content or ""}]
        texts += sum(len(str(part.get("text", ""))) + len(str(part.get("image_url", ""))) for part in parts)
    return texts + len(str(request.body.get("response_format", ""))) + 1000


def _body_of(line: Any) -> Any:
    """The chat completion in a line. Raises WrittenError or BrokenReplyError where there is none."""
    response = line.get("response")
    if not isinstance(response, dict):
        raise WrittenError(500, line.get("error") or {"message": "no response"})
    status, body = response.get("status_code"), response.get("body")
    if not isinstance(body, dict):
        raise BrokenReplyError("no body in the result")
    if status != 200:
        raise WrittenError(status if isinstance(status, int) else 500, body)
    return body
