"""Mistral's batch jobs as a stand-in: files of lines like OpenAI's, jobs of their own form.

Sources: the mistralai package's types, https://docs.mistral.ai/capabilities/batch
"""

from __future__ import annotations

import json

from aiohttp import web

from tests.batching.desk import Item, Json, StoredBatch, submission, too_large
from tests.batching.openai_desk import OpenAIDesk

_STATUSES = {"validating": "QUEUED", "running": "RUNNING", "cancelling": "CANCELLATION_REQUESTED", "invalid": "FAILED"}


class MistralDesk(OpenAIDesk):
    """/files, /batch/jobs and /chat/completions below /v1."""

    name = "mistral"
    most_items = 100_000
    most_bytes = 512 * 1000 * 1000
    prefix = "/mistral/v1"

    def routes(self) -> list[web.RouteDef]:
        at = self.prefix
        return [
            web.post(f"{at}/files", self.upload),
            web.get(f"{at}/files/{{id}}/content", self.content),
            web.post(f"{at}/batch/jobs", self.create),
            web.get(f"{at}/batch/jobs", self.list),
            web.get(f"{at}/batch/jobs/{{id}}", self.get),
            web.post(f"{at}/batch/jobs/{{id}}/cancel", self.stop),
            web.post(f"{at}/chat/completions", self.single),
        ]

    def told(self, file: str, size: int) -> Json:
        return {**super().told(file, size), "sample_type": "batch_request", "num_lines": None, "source": "upload", "signature": None}

    async def create(self, request: web.Request) -> web.StreamResponse:
        self.ledger.calls["submit"] += 1
        asked = await request.json()

        def take() -> Json | web.Response:
            items, size = [], 0
            for name in asked["input_files"]:
                if name not in self.files:
                    return _error("no such input file", 422)
                lines = [json.loads(line) for line in self.files[name].splitlines()]
                items += [Item(line["custom_id"], {"model": asked["model"], **line["body"]}) for line in lines]
                size += len(self.files[name])
            if why := too_large(self, len(items), size):
                return _error(why, 422)
            if self.is_full(len(items)):
                return _error("Too many pending requests", 429)
            key = (asked.get("metadata") or {}).get("genlevel", "")
            batch = StoredBatch(f"00000000-0000-4000-8000-{next(self._numbers):012d}", items, key, asked["model"], asked["endpoint"])
            batch.source = asked["input_files"][0]
            return self._shown(self.submit(batch))

        return await submission(self, request, take)

    async def list(self, request: web.Request) -> web.StreamResponse:
        self.ledger.calls["list"] += 1
        batches, page, size = self.listed(), int(request.query.get("page", 0)), int(request.query.get("page_size", 100))
        return web.json_response(
            {"object": "list", "total": len(batches), "data": [self._shown(batch) for batch in batches[page * size : (page + 1) * size]]}
        )

    def _shown(self, batch: StoredBatch) -> Json:
        status = _STATUSES.get(batch.state) or {"": "SUCCESS", "expired": "TIMEOUT_EXCEEDED", "cancelled": "CANCELLED"}[batch.cut_short]
        good = [item for item in self.ordered(batch) if item.outcome == "answered"]
        bad = [item for item in self.ordered(batch) if item.outcome == "failed"]
        output = error = None
        if batch.state == "ended":
            output = self._file(batch, "output", [self._line(item) for item in good]) if good else None
            error = self._file(batch, "error", [self._line(item) for item in bad]) if bad else None
        done = batch.count("answered", "lost", "failed")
        return {
            "id": batch.id, "object": "batch", "input_files": [batch.source], "metadata": {"genlevel": batch.key} if batch.key else {},
            "endpoint": batch.endpoint, "model": batch.model, "output_file": output, "error_file": error, "status": status,
            "errors": [{"message": batch.error["message"], "count": 1}] if batch.state == "invalid" and batch.error else [],
            "created_at": int(batch.created), "total_requests": len(batch.items), "completed_requests": done,
            "succeeded_requests": done - batch.count("failed"), "failed_requests": batch.count("failed"),
        }  # fmt: skip


def _error(message: str, status: int) -> web.Response:
    return web.json_response({"object": "error", "message": message, "type": "invalid_request_error", "code": None}, status=status)
