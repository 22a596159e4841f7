"""Gemini's batches as a stand-in: requests in the body, or in a file that is uploaded in two steps.

Sources: https://ai.google.dev/api/batch-api, https://ai.google.dev/gemini-api/docs/batch-api, the google-genai package, recorded exchanges.
"""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime

from aiohttp import web

from tests.batching.desk import OUTPUT_TOKENS, Desk, Item, Json, StoredBatch, drop, submission, tokens, too_large

_STATES = {"validating": "PENDING", "running": "RUNNING", "cancelling": "RUNNING", "invalid": "FAILED"}
INLINE_BYTES = 20 * 1000 * 1000


class GeminiDesk(Desk):
    """models/M:batchGenerateContent and batches below /v1beta; uploads beside it."""

    name = "gemini"
    most_items = 100_000
    most_bytes = 2 * 1000**3
    prefix = "/gemini"

    def __init__(self) -> None:
        super().__init__()
        self._numbers = itertools.count(1)

    def routes(self) -> list[web.RouteDef]:
        at = f"{self.prefix}/v1beta"
        return [
            web.post(f"{at}/models/{{model}}:batchGenerateContent", self.create),
            web.post(f"{at}/models/{{model}}:generateContent", self.single),
            web.get(f"{at}/batches", self.list),
            web.get(f"{at}/batches/{{id}}", self.get),
            web.post(f"{at}/batches/{{id}}:cancel", self.stop),
            web.post(f"{self.prefix}/upload/v1beta/files", self.upload),
            web.get(f"{at}/files/{{id}}:download", self.content),
        ]

    def said(self, body: Json) -> str:
        return "".join(part.get("text", "") for part in body["contents"][-1]["parts"])

    def answer(self, body: Json, text: str, *, refused: bool) -> Json:
        usage = {"promptTokenCount": tokens(text), "candidatesTokenCount": OUTPUT_TOKENS, "totalTokenCount": tokens(text) + OUTPUT_TOKENS}
        identity = {"modelVersion": "gemini-stand-in", "responseId": f"response-{next(self._numbers)}", "usageMetadata": usage}
        if refused:
            return {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, **identity}
        content = {"parts": [{"text": self.spoken(text)}], "role": "model"}
        return {"candidates": [{"content": content, "finishReason": "STOP", "index": 0}], **identity}

    async def upload(self, request: web.Request) -> web.StreamResponse:
        self.ledger.calls["upload"] += 1
        command = request.headers.get("X-Goog-Upload-Command", "")
        if command == "start":
            number = f"u{next(self._numbers)}"
            where = f"{self.prefix}/upload/v1beta/files?upload_id={number}&upload_protocol=resumable"
            headers = {"X-Goog-Upload-URL": f"{request.url.origin()}{where}"}
            return web.Response(headers=headers)
        if self.faults.take("cut_uploads"):
            drop(request)
            return web.Response()
        if command != "upload, finalize" or request.headers.get("X-Goog-Upload-Offset") != "0" or "upload_id" not in request.query:
            return _error(400, "INVALID_ARGUMENT", "no upload was begun")
        name = f"files/f{next(self._numbers)}"
        self.files[name] = await request.read()
        told = {"name": name, "sizeBytes": str(len(self.files[name])), "state": "ACTIVE"}
        return web.json_response({"file": told}, headers={"X-Goog-Upload-Status": "final"})

    async def content(self, request: web.Request) -> web.StreamResponse:
        self.ledger.calls["content"] += 1
        name = f"files/{request.match_info['id']}"
        if name not in self.files or request.query.get("alt") != "media":
            return _error(404, "NOT_FOUND", "no such file")
        return await self.send(request, self.files[name])

    async def create(self, request: web.Request) -> web.StreamResponse:
        self.ledger.calls["submit"] += 1
        raw = await request.read()

        def take() -> Json | web.Response:
            asked = json.loads(raw)["batch"]
            source = asked["inputConfig"]
            if "fileName" in source:
                content = self.files.get(source["fileName"])
                if content is None:
                    return _error(400, "INVALID_ARGUMENT", "no such file")
                lines = [json.loads(line) for line in content.splitlines()]
                items = [Item(line["key"], line["request"]) for line in lines]
            else:
                if len(raw) > INLINE_BYTES:
                    return _error(400, "INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes.")
                items = [Item(one["metadata"]["key"], one["request"]) for one in source["requests"]["requests"]]
            if why := too_large(self, len(items), len(raw)):
                return _error(400, "INVALID_ARGUMENT", why)
            if self.is_full(len(items)):
                return _error(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota of enqueued tokens.")
            batch = StoredBatch(f"b{next(self._numbers)}", items, asked["displayName"], model=request.match_info["model"])
            batch.source = source.get("fileName", "")
            return self._shown(self.submit(batch))

        return await submission(self, request, take)

    async def get(self, request: web.Request) -> web.StreamResponse:
        self.ledger.calls["get"] += 1
        batch = self.batches.get(request.match_info["id"])
        return _error(404, "NOT_FOUND", "no such batch") if batch is None else web.json_response(self._shown(self.look(batch)))

    async def stop(self, request: web.Request) -> web.StreamResponse:
        self.ledger.calls["cancel"] += 1
        self.cancel(self.batches[request.match_info["id"]])
        return web.json_response({})

    async def list(self, request: web.Request) -> web.StreamResponse:
        self.ledger.calls["list"] += 1
        batches, begin = self.listed(), int(request.query.get("pageToken", 0))
        size = int(request.query.get("pageSize", 20))
        body: Json = {"operations": [self._shown(batch, whole=False) for batch in batches[begin : begin + size]]}
        if begin + size < len(batches):
            body["nextPageToken"] = str(begin + size)
        return web.json_response(body if body["operations"] else {})

    async def single(self, request: web.Request) -> web.StreamResponse:
        self.ledger.calls["call"] += 1
        if self.faults.single_errors:
            status, body = self.faults.single_errors.pop(0)
            return web.json_response(body, status=status)
        return web.json_response(self.call(await request.json()))

    def _shown(self, batch: StoredBatch, *, whole: bool = True) -> Json:
        state = _STATES.get(batch.state) or {"": "SUCCEEDED", "cancelled": "CANCELLED", "expired": "EXPIRED"}[batch.cut_short]
        ended = batch.state == "ended"
        stats: Json = {"requestCount": str(len(batch.items))}
        for name, outcomes in (("pending", ("",)), ("successful", ("answered", "lost")), ("failed", ("failed", "expired", "cancelled"))):
            if count := batch.count(*outcomes):
                stats[f"{name}RequestCount"] = str(count)
        metadata: Json = {
            "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch", "model": f"models/{batch.model}",
            "displayName": batch.key, "createTime": _time(batch.created), "updateTime": _time(batch.created), "batchStats": stats,
            "state": f"BATCH_STATE_{state}", "name": f"batches/{batch.id}",
        }  # fmt: skip
        shown: Json = {"name": f"batches/{batch.id}", "metadata": metadata}
        if batch.state == "invalid" and batch.error:
            shown |= {"done": True, "error": {"code": 3, "message": batch.error["message"]}}
        elif ended and batch.cut_short:  # nothing of it can be had: https://ai.google.dev/gemini-api/docs/batch-api
            shown |= {"done": True, "error": {"code": 1, "message": f"The batch {batch.cut_short}"}}
        elif ended and whole:
            output = self._output(batch)
            metadata["output"] = output
            shown |= {"done": True, "response": {"@type": metadata["@type"] + "Output", **output}}
        return shown

    def _output(self, batch: StoredBatch) -> Json:
        other = Item("nobody-asked-this", {}, "answered", self.answer({}, "?", refused=False))
        if batch.source:
            name = f"files/batch-{batch.id}"
            lines = [json.dumps({"key": item.id, **self._result(item)}).encode() for item in self.ordered(batch)]
            self.files[name] = self.lines(batch, lines, json.dumps({"key": other.id, **self._result(other)}).encode())
            return {"responsesFile": name}
        results = [{"metadata": {"key": item.id}, **self._result(item)} for item in self.ordered(batch)]
        if self.faults.twice and results:
            results.append(results[0])
        if self.faults.unknown:
            results.insert(0, {"metadata": {"key": other.id}, **self._result(other)})
        return {"inlinedResponses": {"inlinedResponses": results}}

    def _result(self, item: Item) -> Json:
        if item.outcome == "failed":
            return {"error": {"code": 13, "message": self.faults.fail_error["message"]}}
        return {"response": item.answer}


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "123Z")


def _error(code: int, status: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message, "status": status}}, status=code)
