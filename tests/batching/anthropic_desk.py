"""Anthropic's message batches as a stand-in: all requests in one body, and no key of the caller's is kept.

Sources: the anthropic package's types, https://platform.claude.com/docs/en/build-with-claude/batch-processing, and recorded exchanges.
"""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from datetime import UTC, datetime

from aiohttp import web

from tests.batching.desk import OUTPUT_TOKENS, Desk, Item, Json, StoredBatch, submission, tokens, too_large

# Later versions refuse temperature: https://platform.claude.com/docs/en/api/versioning
SAMPLING_UNTIL = "2023-06-01"
_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class AnthropicDesk(Desk):
    """/v1/messages and /v1/messages/batches."""

    name = "anthropic"
    most_items = 100_000
    most_bytes = 256 * 1000 * 1000
    prefix = "/anthropic/v1"

    def __init__(self) -> None:
        super().__init__()
        self._numbers = itertools.count(1)

    def routes(self) -> list[web.RouteDef]:
        at = f"{self.prefix}/messages"
        return [
            web.post(at, self.single),
            web.post(f"{at}/batches", self.create),
            web.get(f"{at}/batches", self.list),
            web.get(f"{at}/batches/{{id}}", self.get),
            web.get(f"{at}/batches/{{id}}/results", self.results),
            web.post(f"{at}/batches/{{id}}/cancel", self.stop),
        ]

    def said(self, body: Json) -> str:
        content = body["messages"][-1]["content"]
        return content if isinstance(content, str) else "".join(block.get("text", "") for block in content)

    def answer(self, body: Json, text: str, *, refused: bool) -> Json:
        return {
            "id": f"msg_{next(self._numbers)}", "type": "message", "role": "assistant", "model": body["model"],
            "content": [] if refused else [{"type": "text", "text": self.spoken(text)}], "stop_sequence": None,
            "stop_reason": "refusal" if refused else "end_turn",
            "usage": {"input_tokens": tokens(text), "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
                      "output_tokens": OUTPUT_TOKENS, "service_tier": "batch"},
        }  # fmt: skip

    async def create(self, request: web.Request) -> web.StreamResponse:
        self.ledger.calls["submit"] += 1
        raw = await request.read()
        version = request.headers.get("anthropic-version", "")

        def take() -> Json | web.Response:
            requests = json.loads(raw)["requests"]
            if why := too_large(self, len(requests), len(raw)):
                return _error(413, "request_too_large", why)
            ids = [one["custom_id"] for one in requests]
            for number, item in enumerate(ids):
                if not _ID.fullmatch(item):
                    return _error(400, "invalid_request_error", f"requests.{number}.custom_id: String should match pattern")
            if repeated := [item for item, times in Counter(ids).items() if times > 1]:
                return _error(400, "invalid_request_error", f"requests: Duplicate custom_id: {repeated[0]}")
            if version > SAMPLING_UNTIL and any("temperature" in one["params"] for one in requests):
                return _error(400, "invalid_request_error", "temperature: Extra inputs are not permitted")
            if self.is_full(len(ids)):
                return _error(429, "rate_limit_error", "Too many batch requests in the processing queue")
            batch = StoredBatch(f"msgbatch_{next(self._numbers)}", [Item(one["custom_id"], one["params"]) for one in requests])
            return self._shown(self.submit(batch))

        return await submission(self, request, take)

    async def get(self, request: web.Request) -> web.StreamResponse:
        self.ledger.calls["get"] += 1
        batch = self.batches.get(request.match_info["id"])
        if batch is None:
            return _error(404, "not_found_error", "Message batch not found")
        return web.json_response(self._shown(self.look(batch)))

    async def stop(self, request: web.Request) -> web.StreamResponse:
        self.ledger.calls["cancel"] += 1
        batch = self.batches[request.match_info["id"]]
        if batch.state == "ended":
            return _error(400, "invalid_request_error", "Batch has already ended")
        return web.json_response(self._shown(self.cancel(batch)))

    async def list(self, request: web.Request) -> web.StreamResponse:
        self.ledger.calls["list"] += 1
        batches, after = self.listed(), request.query.get("after_id")
        begin = next((place + 1 for place, batch in enumerate(batches) if batch.id == after), 0)
        page = batches[begin : begin + int(request.query.get("limit", 20))]
        return web.json_response({
            "data": [self._shown(batch) for batch in page], "has_more": begin + len(page) < len(batches),
            "first_id": page[0].id if page else None, "last_id": page[-1].id if page else None,
        })  # fmt: skip

    async def results(self, request: web.Request) -> web.StreamResponse:
        self.ledger.calls["content"] += 1
        batch = self.batches[request.match_info["id"]]
        if batch.state != "ended":
            return _error(404, "not_found_error", "The batch has no results yet")
        other = Item("nobody-asked-this", {}, "answered", self.answer({"model": "m"}, "?", refused=False))
        return await self.send(request, self.lines(batch, [self._line(item) for item in self.ordered(batch)], self._line(other)))

    async def single(self, request: web.Request) -> web.StreamResponse:
        self.ledger.calls["call"] += 1
        if self.faults.single_errors:
            status, body = self.faults.single_errors.pop(0)
            return web.json_response(body, status=status)
        return web.json_response(self.call(await request.json()))

    def _line(self, item: Item) -> bytes:
        result: Json = {"type": {"answered": "succeeded", "failed": "errored", "cancelled": "canceled"}.get(item.outcome, item.outcome)}
        if item.outcome == "answered":
            result["message"] = item.answer
        elif item.outcome == "failed":
            error = {"type": self.faults.fail_error.get("type", "api_error"), "message": self.faults.fail_error["message"]}
            result["error"] = {"type": "error", "error": error, "request_id": "req_1"}
        return json.dumps({"custom_id": item.id, "result": result}).encode()

    def _shown(self, batch: StoredBatch) -> Json:
        ended = batch.state == "ended"
        ended_at = _time(batch.created) if ended else None
        url = f"https://api.anthropic.com/v1/messages/batches/{batch.id}/results"
        counts = {
            "succeeded": batch.count("answered", "lost"), "errored": batch.count("failed"), "canceled": batch.count("cancelled"),
            "expired": batch.count("expired"),
        }  # fmt: skip
        return {
            "id": batch.id, "type": "message_batch",
            "processing_status": "ended" if ended else "canceling" if batch.state == "cancelling" else "in_progress",
            "request_counts": {"processing": 0 if ended else len(batch.items), **(counts if ended else dict.fromkeys(counts, 0))},
            "created_at": _time(batch.created), "expires_at": _time(batch.created + 86_400), "ended_at": ended_at,
            "archived_at": None, "cancel_initiated_at": None, "results_url": url if ended else None,
        }  # fmt: skip


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _error(status: int, kind: str, message: str) -> web.Response:
    return web.json_response({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}, status=status)
