"""Requests, and clients that ask a stand-in endpoint, for the tests of asking.

Here: builders. Not here: the endpoint (`tests.endpoint`).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from annotators.budget import Ledger
from annotators.chat import ChatRequest
from annotators.client import ChatClient
from annotators.replies import Replies
from pipeline.store import Store
from schemas.asking import EndpointConfig
from tests.endpoint import Server

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"text": {"type": "string"}, "start_s": {"type": "number"}, "end_s": {"type": "number"}},
    "required": ["text", "start_s", "end_s"],
    "additionalProperties": False,
}
PICTURE_URL = "data:image/jpeg;base64,/9j/4AAQSkZJRgABAQ=="


def question(number: int = 0, *, annotator: str = "caption", n_pictures: int = 0, **fields: Any) -> ChatRequest:
    """A request that differs from those with other numbers."""
    content: list[dict[str, Any]] = [{"type": "text", "text": f"The clip lasts 3.00 seconds. Question {number}."}]
    content += [{"type": "image_url", "image_url": {"url": PICTURE_URL}}] * n_pictures
    schema = {"name": "answer", "strict": True, "schema": SCHEMA}
    body: dict[str, Any] = {
        "model": "stand-in", "messages": [{"role": "user", "content": content}], "temperature": 0.2, "top_p": 1.0,
        "max_tokens": 200, "seed": 0, "response_format": {"type": "json_schema", "json_schema": schema}, **fields,
    }  # fmt: skip
    return ChatRequest(annotator, "default", body, n_pictures, ((64, 48),) * n_pictures)


def config(server: Server, **changes: Any) -> EndpointConfig:
    """Settings for a stand-in endpoint, at its prices, impatient."""
    wishes: dict[str, Any] = {
        "model": "stand-in", "base_url": server.base_url, "max_wait_s": 0.05, "timeout_s": 5.0,
        "input_usd_per_million": 1.0, "output_usd_per_million": 4.0,
    }  # fmt: skip
    return EndpointConfig(**(wishes | changes))


@asynccontextmanager
async def client(
    folder: Path, endpoint: EndpointConfig, ledger: Ledger | None = None
) -> AsyncIterator[ChatClient]:  # fmt: skip
    """A client that keeps its replies in a folder; closed when the block ends."""
    made = ChatClient("default", endpoint, Replies(Store(str(folder))), ledger or Ledger())
    try:
        yield made
    finally:
        await made.aclose()
