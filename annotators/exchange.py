"""One exchange with an endpoint: a request goes out, a completion comes back, or it is said what went wrong.

Here: the connection, and sending once. Not here: trying again, budgets or kept replies (`annotators.client`), reading
replies (`annotators.completion`), telling failures apart (`annotators.faults`).

The `openai` client does the talking: its connections, authentication, exceptions and streams. The body is encoded here
and the reply read here, through its method for endpoints that it has no types for: that spares it the copies and checks
of large messages, a third of its time for a page of text and two thirds with eight pictures.
"""

import asyncio
import json
import logging
import os
from collections.abc import Callable, Collection, Mapping
from contextlib import aclosing
from typing import Any
from urllib.parse import urlsplit

import httpx2
import openai

from annotators.completion import (
    BrokenReplyError,
    Completion,
    StreamedCompletion,
    WrittenError,
    parsed_body,
    read_completion,
)
from annotators.faults import (
    EndpointNames,
    PassingError,
    RefusedSettingError,
    Trouble,
    trouble_of,
    written_trouble,
)
from annotators.prices import address, is_local
from annotators.tokens import Estimate
from schemas.asking import EndpointConfig

PLACEHOLDER_KEY = "none"
"""Sent to servers on this machine where no key is set: the protocol wants one."""
_CONNECT_S = 10.0
_JSON: Any = {"headers": {"Content-Type": "application/json"}}

_log = logging.getLogger(__name__)


class Exchange:
    """The line to one endpoint, for one event loop.

    Args:
        names: of the endpoint.
        config: of the endpoint.
        heed: told the headers of every reply, and what its request was expected to take.
    """

    def __init__(
        self, names: EndpointNames, config: EndpointConfig, heed: Callable[[Mapping[str, str], Estimate], None]
    ) -> None:
        self.was_reached = False
        """Whether anybody ever answered."""
        self._names = names
        self._config = config
        self._heed = heed
        self._connection: openai.AsyncOpenAI | None = None
        self._refused: set[str] = set()

    def connected(self) -> openai.AsyncOpenAI:
        """The `openai` client. Raises EndpointUnusableError that says what to set."""
        if self._connection is None:
            self._connection = connection(self._names, self._config)
        return self._connection

    async def aclose(self) -> None:
        """Close all connections."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def complete(self, request: Mapping[str, Any], expected: Estimate) -> Completion:
        """Send once, or once more for each setting that the model turns out to refuse: that is no failure.

        Args:
            request: the body of the request.
            expected: for the server's own limits, and where it counts no tokens.

        Raises PassingError or AskingError.
        """
        while True:
            body = self._body(request)
            try:
                return await self._sent(body, expected)
            except RefusedSettingError as error:
                if error.setting not in body:
                    raise self._names.failed(error) from None
                if error.setting not in self._refused:
                    self._refused.add(error.setting)
                    _log.warning("endpoint %s takes no %s: it is left out", self._names.name, error.setting)

    def _body(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The request as this server takes it."""
        streaming = {"stream": True, "stream_options": {"include_usage": True}} if self._config.stream else {}
        return fitted({**request, **streaming}, self._refused)

    async def _sent(self, body: Mapping[str, Any], expected: Estimate) -> Completion:
        """One exchange. Raises one of `Trouble`, free of the exception it came from, which may hold the key."""
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        trouble: Trouble
        try:
            async with asyncio.timeout(self._config.timeout_s):
                if self._config.stream:
                    return await self._streamed(content, expected)
                return await self._whole(content, expected)
        except openai.APIError as error:
            if isinstance(error, openai.APIStatusError):
                self.was_reached = True
                self._heed(error.response.headers, expected)
            trouble = trouble_of(error, self._names)
        except WrittenError as error:
            trouble = written_trouble(error.status, error.body, {}, self._names)
        except BrokenReplyError as error:
            trouble = PassingError(self._names.clean(error), is_lost=True)
        except TimeoutError:
            trouble = PassingError(f"no reply within {self._config.timeout_s:g} s", is_overload=True, is_lost=True)
        except httpx2.HTTPError as error:
            trouble = PassingError(self._names.clean(f"the connection broke off ({error})"), is_lost=True)
        raise trouble

    async def _whole(self, content: bytes, expected: Estimate) -> Completion:
        response = await self.connected().post(
            "/chat/completions", content=content, cast_to=httpx2.Response, options=_JSON
        )
        self.was_reached = True
        self._heed(response.headers, expected)
        return read_completion(parsed_body(response.content), expected.input_tokens)

    async def _streamed(self, content: bytes, expected: Estimate) -> Completion:
        stream = await self.connected().post(
            "/chat/completions", content=content, cast_to=object, options=_JSON, stream=True,
            stream_cls=openai.AsyncStream[object],
        )  # fmt: skip
        self.was_reached = True
        self._heed(stream.response.headers, expected)
        streamed = StreamedCompletion()
        async with aclosing(stream):
            try:
                async for chunk in stream:
                    streamed.add(chunk)
            except ValueError:
                raise BrokenReplyError("a chunk of the stream is not JSON") from None
        return streamed.completion(expected.input_tokens)


def fitted(body: Mapping[str, Any], refused: Collection[str]) -> dict[str, Any]:
    """A request without the settings that its model refuses; `max_tokens` goes by its newer name then."""
    renamed = {"max_completion_tokens": body["max_tokens"]} if "max_tokens" in refused and "max_tokens" in body else {}
    return {name: value for name, value in body.items() if name not in refused} | renamed


def endpoint_names(name: str, config: EndpointConfig) -> EndpointNames:
    """The endpoint as messages speak of it, with its key from the environment."""
    key = os.environ.get(config.api_key_variable, "").strip()
    return EndpointNames(name, config.model, address(config), config.api_key_variable, key)


def connection(names: EndpointNames, config: EndpointConfig) -> openai.AsyncOpenAI:
    """The `openai` client of an endpoint. Raises EndpointUnusableError that says what to set."""
    try:
        parts = urlsplit(names.address)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_address = False
    if not is_address:
        raise names.unusable(f"{names.address!r} is no http address", names.setting("base_url"))
    local = is_local(names.address)
    if not config.model and not local:
        raise names.unusable("it is not said which model to ask", names.setting("model"))
    if not names.key and not local:
        raise names.unusable("no key", f"the environment variable {names.key_variable}, which is not set")
    if not (names.key.isascii() and names.key.isprintable()):
        raise names.unusable(
            "the key holds characters that no key has", f"the environment variable {names.key_variable}"
        )
    return openai.AsyncOpenAI(
        api_key=names.key or PLACEHOLDER_KEY, base_url=names.address, max_retries=0,
        timeout=openai.Timeout(config.timeout_s, connect=min(_CONNECT_S, config.timeout_s)),
        http_client=openai.DefaultAsyncHttpxClient(
            limits=httpx2.Limits(max_connections=config.max_in_flight, max_keepalive_connections=config.max_in_flight),
            trust_env=not local,  # a proxy would look for this machine's servers on its own
        ),
    )  # fmt: skip
