"""What the stand-in endpoint does with a request: models, chat completions, files and batches.

Here: the HTTP handlers. Not here: its plan and its log (`tests.endpoint`), its batches (`tests.endpoint_batches`),
the content of replies (`tests.endpoint_completions`).
"""

import asyncio
import hashlib
import json
import random
import time
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from tests.endpoint import ANSWERING, FAILING, Log, Plan
from tests.endpoint_batches import Batches
from tests.endpoint_completions import Completion, chunks, completion_of, count, pictures

_STATUS = {"rate_limited": 429, "server_error": 500, "unavailable": 503}


def application(plan: Plan, log: Log) -> web.Application:
    """The server."""
    handlers = Handlers(plan, log)
    batches = Batches(plan, log)
    app = web.Application(client_max_size=2**30)
    app.add_routes([
        web.get("/log", handlers.tell), web.get("/v1/models", handlers.models),
        web.post("/v1/chat/completions", handlers.chat), web.post("/v1/files", batches.upload),
        web.get("/v1/files/{id}/content", batches.content), web.post("/v1/batches", batches.create),
        web.get("/v1/batches", batches.list), web.get("/v1/batches/{id}", batches.get),
    ])  # fmt: skip
    return app


class Handlers:
    """One handler for each route of the chat protocol."""

    def __init__(self, plan: Plan, log: Log) -> None:
        self._plan = plan
        self._log = log
        self._failures: dict[str, int] = {}
        self._window_started = 0.0
        self._window_count = 0

    async def tell(self, _request: web.Request) -> web.Response:
        """The log."""
        return web.Response(text=self._log.to_json(), content_type="application/json")

    async def models(self, request: web.Request) -> web.StreamResponse:
        """The list of models."""
        refused = self._key_refused(request)
        if refused is not None:
            return refused
        listed = [{"id": name, "object": "model", "created": 0, "owned_by": "tests"} for name in self._plan.models]
        return web.json_response({"object": "list", "data": listed})

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """One try."""
        content = await request.read()
        key = hashlib.sha256(content).hexdigest()
        body = json.loads(content)
        self._note(request, key, body)
        self._log.in_flight += 1
        self._log.most_in_flight = max(self._log.most_in_flight, self._log.in_flight)
        try:
            return await self._replied(request, key, body)
        finally:
            self._log.in_flight -= 1

    def _note(self, request: web.Request, key: str, body: Any) -> None:
        log = self._log
        if log.successes[key]:
            log.asked_after_success.append(key)
        log.tries[key] += 1
        log.keys[_sent_key(request)] += 1
        if self._plan.keep_bodies:
            log.bodies.append(body)

    async def _replied(self, request: web.Request, key: str, body: Mapping[str, Any]) -> web.StreamResponse:
        refused = self._refused(request, body)
        if refused is not None:
            return refused
        fault = self._fault(key)
        if fault:
            self._log.faults[fault] += 1
        await asyncio.sleep(self._plan.latency_s)
        if fault in FAILING or fault.startswith("status:"):
            return await self._failed(request, fault, body)
        if fault == "slow":
            await asyncio.sleep(self._plan.slow_s)
        completion = completion_of(self._plan, body, fault)
        response = await (_stream if body.get("stream") else _whole)(request, body, completion, self._headers())
        count(self._plan, self._log, key, completion)
        return response

    def _refused(self, request: web.Request, body: Mapping[str, Any]) -> web.Response | None:
        """What is wrong with the request itself."""
        plan = self._plan
        if (refused := self._key_refused(request)) is not None:
            return refused
        if not plan.knows_all_models and body.get("model") not in plan.models:
            model = body.get("model")
            return self._error(404, f"The model `{model}` does not exist", {"code": "model_not_found"})
        for name in plan.refused_settings:
            if name in body:
                message = f"Unsupported parameter: '{name}' is not supported with this model."
                return self._error(400, message, {"code": "unsupported_parameter", "param": name})
        if not plan.sees and pictures(body):
            return self._error(500, "image input is not supported - hint: provide the mmproj", {})
        if plan.max_in_flight is not None and self._log.in_flight > plan.max_in_flight:
            self._log.faults["too_many"] += 1
            return self._error(429, "too many requests at once", {})
        return self._window_refused()

    def _key_refused(self, request: web.Request) -> web.Response | None:
        if self._plan.key is None or _sent_key(request) == self._plan.key:
            return None
        return self._error(401, f"Incorrect API key provided: {_sent_key(request)}", {"code": "invalid_api_key"})

    def _window_refused(self) -> web.Response | None:
        if self._plan.window is None:
            return None
        most, seconds = self._plan.window
        if time.monotonic() - self._window_started >= seconds:
            self._window_started, self._window_count = time.monotonic(), 0
        self._window_count += 1
        if self._window_count <= most:
            return None
        self._log.faults["window"] += 1
        return self._error(429, "too many requests in this window", {})

    def _headers(self) -> dict[str, str]:
        if self._plan.window is None:
            return {}
        most, seconds = self._plan.window
        left_s = max(0.0, seconds - (time.monotonic() - self._window_started))
        return {
            "x-ratelimit-remaining-requests": str(max(0, most - self._window_count)),
            "x-ratelimit-reset-requests": f"{left_s * 1000:.0f}ms",
        }

    def _fault(self, key: str) -> str:
        plan = self._plan
        number = self._log.tries[key]
        if plan.always:
            return plan.always
        if plan.script:
            return plan.script[number - 1] if number <= len(plan.script) else ""
        if not plan.faults:
            return ""
        draw = random.Random(f"{plan.seed} {key} {number}").random()  # noqa: S311
        for name, share in plan.faults.items():
            draw -= share
            if draw < 0:
                if name not in ANSWERING and self._failures.get(key, 0) >= plan.most_failures:
                    return ""
                self._failures[key] = self._failures.get(key, 0) + (name not in ANSWERING)
                return name
        return ""

    async def _failed(self, request: web.Request, fault: str, body: Mapping[str, Any]) -> web.StreamResponse:
        if fault == "hang":
            while request.transport is not None and not request.transport.is_closing():
                await asyncio.sleep(0.02)
            return web.Response()
        if fault == "dropped":
            _abort(request)
            return web.Response()
        if fault == "not_json":
            return web.Response(text="<html><body>Bad gateway?</body></html>", content_type="text/html")
        completion = completion_of(self._plan, body, "")
        if fault == "no_choices":
            return web.json_response({**completion.body, "choices": []})
        if fault in ("cut_body", "broken_off"):
            return await _half(request, completion, is_broken_off=fault == "broken_off")
        status = _STATUS.get(fault) or int(fault.removeprefix("status:"))
        return self._error(status, self._plan.message.replace("{key}", _sent_key(request)), self._plan.error)

    def _error(self, status: int, message: str, fields: Mapping[str, Any]) -> web.Response:
        headers = {}
        if status in (429, 503) and self._plan.retry_after is not None:
            headers["Retry-After"] = self._plan.retry_after
        body = {"error": {"message": message, "type": "stand_in", "param": None, "code": None, **fields}}
        return web.json_response(body, status=status, headers=headers)


async def _whole(
    request: web.Request, _body: Mapping[str, Any], completion: Completion, headers: Mapping[str, str]
) -> web.StreamResponse:
    response = web.Response(
        body=json.dumps(completion.body).encode(), content_type="application/json", headers=dict(headers)
    )
    await response.prepare(request)
    await response.write_eof()
    return response


async def _stream(
    request: web.Request, body: Mapping[str, Any], completion: Completion, headers: Mapping[str, str]
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", **headers})
    await response.prepare(request)
    for chunk in chunks(body, completion):
        await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
    await response.write(b"data: [DONE]\n\n")
    await response.write_eof()
    return response


async def _half(request: web.Request, completion: Completion, *, is_broken_off: bool) -> web.StreamResponse:
    """Half of a body: with the length of the half, or broken off in the middle."""
    content = json.dumps(completion.body).encode()
    half = content[: len(content) // 2]
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.content_length = len(content) if is_broken_off else len(half)
    await response.prepare(request)
    await response.write(half)
    if is_broken_off:
        _abort(request)
    else:
        await response.write_eof()
    return response


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def _sent_key(request: web.Request) -> str:
    return request.headers.get("Authorization", "").removeprefix("Bearer ")
