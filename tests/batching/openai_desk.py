"""OpenAI's batch API as a stand-in, of chat completions and responses: files of lines in, files of lines out.

Sources: the openai package's types, https://platform.openai.com/docs/guides/batch, and recorded exchanges.
"""

from __future__ import annotations

import itertools
import json

from aiohttp import web

from tests.batching.desk import OUTPUT_TOKENS, Desk, Item, Json, StoredBatch, drop, submission, tokens, too_large

_STATUSES = {"validating": "validating", "running": "in_progress", "cancelling": "cancelling", "invalid": "failed"}


class OpenAIDesk(Desk):
    """/files, /batches, and the calls themselves, below /v1."""

    name = "openai"
    most_items = 50_000
    most_bytes = 200 * 1000 * 1000
    prefix = "/openai/v1"

    def __init__(self) -> None:
        super().__init__()
        self._numbers = itertools.count(1)

    def routes(self) -> list[web.RouteDef]:
        at = self.prefix
        return [
            web.post(f"{at}/files", self.upload),
            web.get(f"{at}/files/{{id}}/content", self.content),
            web.post(f"{at}/batches", self.create),
            web.get(f"{at}/batches", self.list),
            web.get(f"{at}/batches/{{id}}", self.get),
            web.post(f"{at}/batches/{{id}}/cancel", self.stop),
            web.post(f"{at}/chat/completions", self.single),
            web.post(f"{at}/responses", self.single),
        ]

    def said(self, body: Json) -> str:
        messages = body.get("messages") or body["input"]
        content = messages if isinstance(messages, str) else messages[-1]["content"]
        return content if isinstance(content, str) else "".join(block.get("text", "") for block in content)

    def answer(self, body: Json, text: str, *, refused: bool) -> Json:
        said = "I cannot help with that." if refused else self.spoken(text)
        number = next(self._numbers)
        if "input" in body:
            block = {"type": "refusal", "refusal": said} if refused else {"type": "output_text", "text": said, "annotations": []}
            output = [{"type": "message", "id": f"msg_{number}", "role": "assistant", "status": "completed", "content": [block]}]
            usage = {"input_tokens": tokens(text), "output_tokens": OUTPUT_TOKENS, "total_tokens": tokens(text) + OUTPUT_TOKENS}
            return {"id": f"resp_{number}", "object": "response", "status": "completed", "model": body["model"], "output": output,
                    "error": None, "usage": usage}  # fmt: skip
        message = {"role": "assistant", "content": None if refused else said, "refusal": said if refused else None}
        usage = {"prompt_tokens": tokens(text), "completion_tokens": OUTPUT_TOKENS, "total_tokens": tokens(text) + OUTPUT_TOKENS}
        return {"id": f"chatcmpl-{number}", "object": "chat.completion", "created": 1, "model": body["model"],
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage}  # fmt: skip

    async def upload(self, request: web.Request) -> web.StreamResponse:
        self.ledger.calls["upload"] += 1
        if self.faults.take("cut_uploads"):
            drop(request)
            return web.Response()
        form: dict[str, bytes] = {}
        async for part in await request.multipart():
            form[part.name] = bytes(await part.read())
        if form.get("purpose") != b"batch":
            return _error("purpose is not batch", 400)
        if why := too_large(self, 0, len(form["file"])):
            return _error(why, 400)
        number = f"file-{next(self._numbers)}"
        self.files[number] = form["file"]
        return web.json_response(self.told(number, len(form["file"])))

    def told(self, file: str, size: int) -> Json:
        """What is said of a file that was uploaded."""
        told = {"id": file, "object": "file", "bytes": size, "created_at": 1, "filename": "batch.jsonl", "purpose": "batch"}
        return {**told, "status": "processed", "expires_at": None}

    async def content(self, request: web.Request) -> web.StreamResponse:
        self.ledger.calls["content"] += 1
        number = request.match_info["id"]
        if number not in self.files:
            return _error(f"No such File object: {number}", 404)
        return await self.send(request, self.files[number])

    async def create(self, request: web.Request) -> web.StreamResponse:
        self.ledger.calls["submit"] += 1
        asked = await request.json()

        def take() -> Json | web.Response:
            content = self.files.get(asked["input_file_id"])
            if content is None:
                return _error(f"Invalid value: no file {asked['input_file_id']}", 400, "input_file_id")
            lines = [json.loads(line) for line in content.splitlines()]
            items = [Item(line["custom_id"], line["body"]) for line in lines]
            metadata = asked.get("metadata") or {}
            batch = StoredBatch(f"batch_{next(self._numbers)}", items, metadata.get("genlevel", ""), endpoint=asked["endpoint"])
            batch.source = asked["input_file_id"]
            wrong = [line for line in lines if line["url"] != asked["endpoint"] or line["method"] != "POST"]
            self.submit(batch)
            if wrong or asked["completion_window"] != "24h":
                batch.error = {"code": "mismatched_url", "message": "The URL of a line is not that of the batch", "line": 1}
            elif why := too_large(self, len(items), len(content)):
                batch.error = {"code": "too_many_tasks", "message": why}
            elif len({item.body["model"] for item in items}) != 1:
                batch.error = {"code": "mismatched_model", "message": "The lines name several models", "line": 1}
            return self._shown(batch)

        return await submission(self, request, take)

    async def get(self, request: web.Request) -> web.StreamResponse:
        self.ledger.calls["get"] += 1
        batch = self.batches.get(request.match_info["id"])
        return _error("No batch found", 404) if batch is None else web.json_response(self._shown(self.look(batch)))

    async def stop(self, request: web.Request) -> web.StreamResponse:
        self.ledger.calls["cancel"] += 1
        batch = self.batches[request.match_info["id"]]
        if batch.state in ("ended", "invalid"):
            return _error("Cannot cancel a batch that has ended", 409)
        return web.json_response(self._shown(self.cancel(batch)))

    async def list(self, request: web.Request) -> web.StreamResponse:
        self.ledger.calls["list"] += 1
        batches, after = self.listed(), request.query.get("after")
        begin = next((place + 1 for place, batch in enumerate(batches) if batch.id == after), 0)
        page = batches[begin : begin + min(int(request.query.get("limit", 20)), 100)]
        body = {"object": "list", "data": [self._shown(batch) for batch in page], "has_more": begin + len(page) < len(batches)}
        return web.json_response({**body, "first_id": page[0].id if page else None, "last_id": page[-1].id if page else None})

    async def single(self, request: web.Request) -> web.StreamResponse:
        self.ledger.calls["call"] += 1
        if self.faults.single_errors:
            status, body = self.faults.single_errors.pop(0)
            return web.json_response(body, status=status)
        return web.json_response(self.call(await request.json()))

    def _shown(self, batch: StoredBatch) -> Json:
        status = _STATUSES.get(batch.state) or {"": "completed"}.get(batch.cut_short, batch.cut_short)
        good = [item for item in self.ordered(batch) if item.outcome == "answered"]
        bad = [item for item in self.ordered(batch) if item.outcome in ("failed", "expired", "cancelled")]
        output = error = None
        if batch.state == "ended":
            output = self._file(batch, "output", [self._line(item) for item in good]) if good else None
            error = self._file(batch, "error", [self._line(item) for item in bad]) if bad else None
        return {
            "id": batch.id, "object": "batch", "endpoint": batch.endpoint, "input_file_id": batch.source, "completion_window": "24h",
            "status": status, "output_file_id": output, "error_file_id": error, "created_at": int(batch.created),
            "expires_at": int(batch.created) + 86_400, "metadata": {"genlevel": batch.key} if batch.key else None,
            "request_counts": {"total": len(batch.items) if batch.state != "validating" else 0, "completed": batch.count("answered"),
                               "failed": batch.count("failed", "expired", "cancelled")},
            "errors": {"object": "list", "data": [batch.error]} if batch.state == "invalid" else None,
        }  # fmt: skip

    def _file(self, batch: StoredBatch, kind: str, lines: list[bytes]) -> str:
        asked = {"model": "m", "messages": [{"content": "?"}]}
        other = self._line(Item("nobody-asked-this", asked, "answered", self.answer(asked, "?", refused=False)))
        name = f"file-{kind}-{batch.id}"
        self.files[name] = self.lines(batch, lines, other) if kind == "output" else b"".join(line + b"\n" for line in lines)
        return name

    def _line(self, item: Item) -> bytes:
        response: Json | None = {"status_code": 200, "request_id": f"req-{item.id}", "body": item.answer}
        error: Json | None = None
        if item.outcome == "failed":
            response = {"status_code": self.faults.fail_status, "request_id": "req", "body": {"error": self.faults.fail_error}}
        elif item.outcome in ("expired", "cancelled"):
            said = {"expired": "could not be executed before the completion window expired.", "cancelled": "was cancelled."}[item.outcome]
            response, error = None, {"code": f"batch_{item.outcome}", "message": f"This request {said}"}
        return json.dumps({"id": f"batch_req_{item.id}", "custom_id": item.id, "response": response, "error": error}).encode()


def _error(message: str, status: int, param: str | None = None) -> web.Response:
    return web.json_response({"error": {"message": message, "type": "invalid_request_error", "param": param, "code": None}}, status=status)
