"""A stand-in for a vision endpoint: speaks the real protocol over HTTP, fails as it is told to, and counts everything.

Here: `Plan`, and starting a server in a thread or a process of its own. Not here: what it replies
(`tests.endpoint_server`), how answers are made up (`tests.endpoint_answers`).

    with endpoint(Plan(faults={"rate_limited": 0.1})) as server:
        ask(EndpointConfig(base_url=server.base_url, model="stand-in"))
    assert server.log.asked_after_success == []
"""

import asyncio
import contextlib
import json
import multiprocessing
import threading
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from aiohttp import web

Answer = str | Mapping[str, Any]

FAILING = ("rate_limited", "server_error", "unavailable", "hang", "cut_body", "dropped", "broken_off", "not_json",
           "no_choices")  # fmt: skip
"""Faults after which there is no reply: 429, 500, 503, no answer at all, half a JSON body whose length is right, a
connection closed before or in the middle of the reply, HTML, and a reply without choices."""
ANSWERING = ("slow", "refused", "filtered", "truncated", "invalid")
"""Faults of replies that come and are paid: late, `message.refusal`, finish_reason `content_filter` and `length`, and
an answer that does not fit the schema."""


@dataclass(frozen=True)
class Plan:
    """How the server behaves. `status:418` is a fault too, with any status."""

    latency_s: float = 0.0
    """From a request's last byte to its reply."""
    faults: Mapping[str, float] = field(default_factory=dict)
    """Share of tries that meet each fault; drawn from the seed, the request and the number of the try."""
    script: tuple[str, ...] = ()
    """Faults of each request's first tries, in order; empty text is none."""
    always: str = ""
    """Fault of every try."""
    most_failures: int = 4
    """Failing tries of one request after which it is served, unless by `script` or `always`."""
    seed: int = 0
    retry_after: str | None = "0.05"
    """Value of the header with 429 and 503."""
    slow_s: float = 0.3
    message: str = "the server has its reasons"
    """Of error bodies; `{key}` is replaced by the key that the client sent."""
    error: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of error bodies, such as `code`."""
    key: str | None = None
    """The only key that is taken."""
    models: tuple[str, ...] = ("stand-in",)
    knows_all_models: bool = True
    sees: bool = True
    refused_settings: tuple[str, ...] = ()
    """Fields that are answered with status 400, as newer models do with `max_tokens`."""
    max_in_flight: int | None = None
    """Requests beyond it get 429."""
    window: tuple[int, float] | None = None
    """So many requests in so many seconds; told in rate-limit headers, and 429 beyond it."""
    answer: Callable[[Mapping[str, Any]], Answer] | None = None
    """Makes the answer from the request's body; without it the schema in the request is filled in."""
    duration_s: float = 2.0
    """Times in answers lie within it, unless the prompt says how long the clip lasts."""
    with_usage: bool = True
    thoughts: str = ""
    """`tags`: thoughts before the answer in its text; `field`: in `reasoning_content`."""
    cached_share: float = 0.0
    """Share of input tokens that count as cached."""
    input_usd_per_million: float = 1.0
    output_usd_per_million: float = 4.0
    keep_bodies: bool = False
    batch_polls: int = 2
    """How often a batch is still in progress when it is asked for."""
    batch_end: str = "completed"
    """`completed`, `expired` or `failed`."""
    batch_served: float = 1.0
    """Share of a batch's requests that are answered; the others end as errors, or expire."""


@dataclass
class Log:
    """What a server saw. Requests are told apart by the hash of their body."""

    tries: Counter[str] = field(default_factory=Counter)
    """By request."""
    successes: Counter[str] = field(default_factory=Counter)
    """Whole and paid replies, by request."""
    faults: Counter[str] = field(default_factory=Counter)
    """Tries that met each fault."""
    keys: Counter[str] = field(default_factory=Counter)
    """Tries by the key that was sent."""
    asked_after_success: list[str] = field(default_factory=list)
    """Requests that came again although they had been answered."""
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    n_pictures: int = 0
    """In answered requests."""
    in_flight: int = 0
    most_in_flight: int = 0
    bodies: list[Any] = field(default_factory=list)
    """Of all tries, with `Plan.keep_bodies`."""
    batches: int = 0
    """Batches that were created."""
    uploads: int = 0

    @property
    def n_tries(self) -> int:
        """Requests that came."""
        return sum(self.tries.values())

    @property
    def n_successes(self) -> int:
        """Requests that were answered and paid."""
        return sum(self.successes.values())

    @classmethod
    def from_json(cls, text: str) -> "Log":
        """As a server in another process tells it."""
        values: dict[str, Any] = json.loads(text)
        counters = ("tries", "successes", "faults", "keys")
        return cls(**{**values, **{name: Counter(values[name]) for name in counters}})

    def to_json(self) -> str:
        """For a reader in another process."""
        return json.dumps(vars(self))


class Server:
    """A server that runs."""

    def __init__(self, base_url: str, log: Log | None) -> None:
        self.base_url = base_url
        self._log = log

    @property
    def log(self) -> Log:
        """What it saw so far."""
        if self._log is not None:
            return self._log
        with urllib.request.urlopen(self.base_url.removesuffix("/v1") + "/log") as response:  # noqa: S310
            return Log.from_json(response.read().decode())


@contextlib.contextmanager
def endpoint(plan: Plan | None = None, *, own_process: bool = False, port: int = 0) -> Iterator[Server]:
    """A server on 127.0.0.1 while the block lasts, in a thread, or in a process of its own where time is measured."""
    with _in_process(plan or Plan(), port) if own_process else _in_thread(plan or Plan(), port) as server:
        yield server
        server._log = server.log  # a server that has ended can still be asked what it saw


@contextlib.contextmanager
def _in_thread(plan: Plan, port: int) -> Iterator[Server]:
    log = Log()
    loop = asyncio.new_event_loop()
    started: asyncio.Future[int] = loop.create_future()
    stop = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(_serve(plan, log, started, stop, port),))
    thread.start()
    try:
        chosen = asyncio.run_coroutine_threadsafe(_wait_for(started), loop).result(timeout=30)
        yield Server(f"http://127.0.0.1:{chosen}/v1", log)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


@contextlib.contextmanager
def _in_process(plan: Plan, port: int) -> Iterator[Server]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_process_main, args=(plan, theirs, port), daemon=True)
    process.start()
    try:
        if not ours.poll(60):
            raise TimeoutError("the stand-in endpoint did not start within a minute")
        yield Server(f"http://127.0.0.1:{ours.recv()}/v1", None)
    finally:
        process.terminate()
        process.join()


def _process_main(plan: Plan, started: Connection, port: int) -> None:
    async def main() -> None:
        ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        ready.add_done_callback(lambda future: started.send(future.result()))
        await _serve(plan, Log(), ready, asyncio.Event(), port)

    asyncio.run(main())


async def _serve(plan: Plan, log: Log, started: "asyncio.Future[int]", stop: asyncio.Event, port: int) -> None:
    from tests.endpoint_server import application

    runner = web.AppRunner(application(plan, log), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, backlog=4096)
    await site.start()
    started.set_result(runner.addresses[0][1])
    await stop.wait()
    await runner.cleanup()


async def _wait_for(future: "asyncio.Future[int]") -> int:
    return await future
