"""Files and batches of the stand-in endpoint, as OpenAI's Batch API has them.

Here: uploading, creating, polling, downloading. Not here: what each request is answered (`tests.endpoint_server`).
"""

import hashlib
import json
import random
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from tests.endpoint import Log, Plan
from tests.endpoint_completions import completion_of, count

DISCOUNT = 0.5


class Batches:
    """The routes, and what was uploaded.

    Args:
        plan: how batches end.
        log: counts uploads, batches, and answered requests at half the price.
    """

    def __init__(self, plan: Plan, log: Log) -> None:
        self._plan = plan
        self._log = log
        self._files: dict[str, bytes] = {}
        self._batches: dict[str, dict[str, Any]] = {}
        self._polls: dict[str, int] = {}

    async def upload(self, request: web.Request) -> web.Response:
        """A file comes as a form."""
        if self._plan.key not in (None, request.headers.get("Authorization", "").removeprefix("Bearer ")):
            return web.json_response({"error": {"message": "Incorrect API key provided"}}, status=401)
        form = await request.post()
        upload = form["file"]
        if not isinstance(upload, web.FileField):
            return web.json_response({"error": {"message": "no file"}}, status=400)
        self._log.uploads += 1
        content = upload.file.read()
        return web.json_response(self._filed(content, str(form["purpose"]), upload.filename))

    async def content(self, request: web.Request) -> web.Response:
        """What is in a file."""
        content = self._files.get(request.match_info["id"])
        if content is None:
            return web.json_response({"error": {"message": "no such file"}}, status=404)
        return web.Response(body=content, content_type="application/octet-stream")

    async def create(self, request: web.Request) -> web.Response:
        """A batch begins."""
        wanted = await request.json()
        self._log.batches += 1
        batch_id = f"batch_{self._log.batches}"
        lines = self._files[wanted["input_file_id"]].splitlines()
        self._batches[batch_id] = {
            "id": batch_id, "object": "batch", "endpoint": wanted["endpoint"], "errors": None,
            "input_file_id": wanted["input_file_id"], "completion_window": wanted["completion_window"],
            "status": "validating", "output_file_id": None, "error_file_id": None, "created_at": 1,
            "request_counts": {"total": len(lines), "completed": 0, "failed": 0},
            "metadata": wanted.get("metadata"),
        }  # fmt: skip
        return web.json_response(self._batches[batch_id])

    async def get(self, request: web.Request) -> web.Response:
        """The state of a batch, a little further each time."""
        batch = self._batches.get(request.match_info["id"])
        if batch is None:
            return web.json_response({"error": {"message": "no such batch"}}, status=404)
        polls = self._polls[batch["id"]] = self._polls.get(batch["id"], 0) + 1
        if batch["status"] in ("validating", "in_progress"):
            batch["status"] = "in_progress"
            if polls > self._plan.batch_polls:
                self._end(batch)
        return web.json_response(batch)

    async def list(self, _request: web.Request) -> web.Response:
        """All batches, latest first."""
        batches = list(reversed(self._batches.values()))
        return web.json_response({"object": "list", "data": batches, "has_more": False})

    def _end(self, batch: dict[str, Any]) -> None:
        batch["status"] = self._plan.batch_end
        if self._plan.batch_end == "failed":
            batch["errors"] = {"object": "list", "data": [{"code": "invalid_request", "message": "line 1 is no JSON"}]}
            return
        good: list[bytes] = []
        bad: list[bytes] = []
        for line in self._files[batch["input_file_id"]].splitlines():
            wanted = json.loads(line)
            draw = random.Random(f"{self._plan.seed} {wanted['custom_id']}").random()  # noqa: S311
            (good if draw < self._plan.batch_served else bad).append(self._line(wanted, draw))
        batch["output_file_id"] = self._filed(b"\n".join(good), "batch_output", "out.jsonl")["id"] if good else None
        batch["error_file_id"] = self._filed(b"\n".join(bad), "batch_output", "err.jsonl")["id"] if bad else None
        batch["request_counts"] |= {"completed": len(good), "failed": len(bad)}

    def _line(self, wanted: Mapping[str, Any], draw: float) -> bytes:
        line: dict[str, Any] = {"id": "request", "custom_id": wanted["custom_id"], "response": None, "error": None}
        key = hashlib.sha256(json.dumps(wanted["body"], sort_keys=True).encode()).hexdigest()
        if self._log.successes[key]:
            self._log.asked_after_success.append(key)
        self._log.tries[key] += 1
        refused = [name for name in self._plan.refused_settings if name in wanted["body"]]
        if refused:
            message = f"Unsupported parameter: '{refused[0]}'"
            error = {"message": message, "param": refused[0], "code": "unsupported_parameter"}
            line["response"] = {"status_code": 400, "request_id": "r", "body": {"error": error}}
            return json.dumps(line).encode()
        if draw >= self._plan.batch_served:
            line["error"] = {"code": "batch_expired", "message": "This request could not be executed in time."}
            return json.dumps(line).encode()
        completion = completion_of(self._plan, wanted["body"], "")
        line["response"] = {"status_code": 200, "request_id": "r", "body": completion.body}
        count(self._plan, self._log, key, completion, DISCOUNT)
        return json.dumps(line).encode()

    def _filed(self, content: bytes, purpose: str, name: str) -> dict[str, Any]:
        file_id = f"file-{len(self._files) + 1}"
        self._files[file_id] = content
        return {
            "id": file_id, "object": "file", "bytes": len(content), "created_at": 1, "filename": name,
            "purpose": purpose, "status": "processed",
        }  # fmt: skip
