"""Jobs of the Batch API that were submitted: remembered in the run's folder, so that no crash submits them twice.

Here: `Job`, its file `replies/batches/<hash>.json`, and the calls that submit, watch and fetch it. Not here: which
requests are asked, and what becomes of the replies (`annotators.batch`).
"""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

import httpx2
import openai
import stamina
from openai.types import Batch
from pydantic import ValidationError

from annotators.faults import EndpointNames, PassingError, RefusedSettingError, Trouble, trouble_of
from annotators.replies import FOLDER, Files
from schemas.asking import EndpointConfig
from schemas.base import Record

MARK = "reelproof"
"""Name of the metadata by which a job is found again whose id was not yet written down."""
_ENDED = ("completed", "failed", "expired", "cancelled")
_JOBS = f"{FOLDER}/batches"
_URL: Literal["/v1/chat/completions"] = "/v1/chat/completions"
_SEARCHED = 500
"""Latest jobs of an account that are searched for one of ours."""

T = TypeVar("T")


class JobItem(Record):
    """One request of a job."""

    key: str
    annotator: str


class Job(Record):
    """A set of requests that was, or is about to be, submitted."""

    name: str
    """Hash of the keys of its requests."""
    state: Literal["submitting", "living", "ended"]
    address: str
    """Of the endpoint."""
    model: str
    items: tuple[JobItem, ...]
    submitted_at: str
    """UTC, ISO 8601."""
    batch_id: str = ""
    """The endpoint's own name; empty until it is known."""

    @property
    def path(self) -> str:
        """Below the run's folder."""
        return f"{_JOBS}/{self.name}.json"


class JobFiles:
    """The files of jobs."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def write(self, job: Job) -> None:
        """Keep the job in its present state."""
        self._files.write_bytes(job.path, (job.model_dump_json(indent=2) + "\n").encode())

    def living(self, address: str) -> list[Job]:
        """Jobs at that address whose replies have not all been fetched. A file that cannot be read is passed over."""
        jobs = (self._read(f"{_JOBS}/{name}") for name in self._files.names(_JOBS))
        return [job for job in jobs if job is not None and job.state != "ended" and job.address == address]

    def _read(self, path: str) -> Job | None:
        try:
            return Job.model_validate_json(self._files.read_bytes(path))
        except (FileNotFoundError, ValidationError):
            return None


class JobCalls:
    """The calls of the Batch API, each tried again where that helps.

    Args:
        client: makes the connection.
        names: of the endpoint.
        config: of the endpoint.
    """

    def __init__(self, client: Callable[[], openai.AsyncOpenAI], names: EndpointNames, config: EndpointConfig) -> None:
        self._client = client
        self._names = names
        self._config = config

    async def submit(self, job: Job, bodies: Iterable[tuple[str, Mapping[str, Any]]]) -> str:
        """Upload the requests and start the job; its id. Raises AskingError."""
        with tempfile.TemporaryFile() as file:
            for key, body in bodies:
                line = {"custom_id": key, "method": "POST", "url": _URL, "body": body}
                file.write(json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n")

            async def upload() -> str:
                file.seek(0)
                name = f"{job.name}.jsonl"
                return (await self._client().files.create(file=(name, file), purpose="batch")).id

            file_id = await self.tried(upload)

        async def create() -> str:
            found = await self.found(job)  # a try whose reply was lost may have started it
            if found is not None:
                return found
            made = await self._client().batches.create(
                input_file_id=file_id, endpoint=_URL, completion_window="24h", metadata={MARK: job.name}
            )
            return made.id

        return await self.tried(create)

    async def found(self, job: Job) -> str | None:
        """The id of a job that may have been submitted before its id could be written down."""
        number = 0
        async for batch in self._client().batches.list(limit=100):
            number += 1
            began = datetime.fromisoformat(job.submitted_at).timestamp() - 60 <= batch.created_at
            is_ours = (batch.metadata or {}).get(MARK) == job.name and batch.status not in ("failed", "cancelled")
            if is_ours and began:
                return batch.id
            if number >= _SEARCHED:
                break
        return None

    async def ended(self, batch_id: str, pauses_s: Iterable[float], told: Callable[[Batch], None]) -> Batch:
        """Wait for the job's end, looking after each of the pauses. Raises AskingError."""
        for pause_s in pauses_s:
            batch = await self.tried(lambda: self._client().batches.retrieve(batch_id))
            told(batch)
            if batch.status in _ENDED:
                return batch
            await asyncio.sleep(pause_s)
        raise self._names.failed(f"batch {batch_id} has not ended")

    async def lines(self, file_id: str) -> AsyncIterator[Mapping[str, Any]]:
        """The lines of a result file; after a break of the connection it begins again. Raises AskingError."""
        with tempfile.TemporaryFile() as file:

            async def fetch() -> None:
                file.seek(0)
                file.truncate()
                async with self._client().files.with_streaming_response.content(file_id) as response:
                    async for chunk in response.iter_bytes():
                        file.write(chunk)

            await self.tried(fetch)
            file.seek(0)
            for line in file:
                try:
                    parsed = json.loads(line)
                except ValueError:
                    continue  # its request ends as one without a result
                if isinstance(parsed, Mapping):
                    yield parsed

    async def tried(self, call: Callable[[], Awaitable[T]]) -> T:
        """What the call returns, tried as often as is allowed. Raises AskingError."""
        waits = stamina.retry_context(
            on=self._wait_after, attempts=self._config.max_attempts, timeout=None, wait_max=self._config.max_wait_s,
            wait_initial=0.5,
        )  # fmt: skip
        try:
            async for attempt in waits:
                with attempt:
                    return await self._once(call)
        except (PassingError, RefusedSettingError) as error:
            what = str(error)
        raise self._names.failed(what)

    def _wait_after(self, error: Exception) -> bool | float:
        if not isinstance(error, PassingError):
            return False
        return True if error.wait_s is None else min(error.wait_s, self._config.max_wait_s)

    async def _once(self, call: Callable[[], Awaitable[T]]) -> T:
        trouble: Trouble
        try:
            return await call()
        except openai.APIStatusError as error:
            trouble = trouble_of(error, self._names)
            if error.status_code == 404:
                trouble = self._names.unusable("no Batch API there, or no such job", self._names.setting("way"))
        except openai.APIError as error:
            trouble = trouble_of(error, self._names)
        except httpx2.HTTPError as error:
            trouble = PassingError(self._names.clean(f"the connection broke off ({error})"))
        raise trouble


def now() -> str:
    """This moment, as jobs and replies write it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def pauses(first_s: float, longest_s: float) -> Iterable[float]:
    """Half as long again each time, without end."""
    pause_s = first_s
    while True:
        yield min(pause_s, longest_s)
        pause_s *= 1.5


def problems_of(batch: Batch) -> str:
    """Why a job ended as it did, as far as it says."""
    messages: Sequence[str] = [error.message or "" for error in (batch.errors.data or [])] if batch.errors else []
    return f"the batch ended as {batch.status}" + (f": {'; '.join(messages[:3])}" if messages else "")
