"""Gemini's batches: items in the request that makes the batch, or, if they are many, in a file that is uploaded before.

Sources: https://ai.google.dev/api/batch-api, https://ai.google.dev/gemini-api/docs/batch-api (a request below 20 MB or a file of at most
2 GB; after 48 hours a batch expires, and has no results then; cached tokens cost what they cost at once), https://ai.google.dev/api/files
(uploads in two steps), the google-genai package, and recorded exchanges. How many items a file may have is not
said: no more than elsewhere.
"""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import parse_qs, quote, urlsplit

import orjson

from gateway.adapters.base import count, error_of, name_of
from gateway.batches.base import (
    JSON_CONTENT,
    MOST_PAGES,
    PAGE,
    Framing,
    Limits,
    Request,
    Result,
    Results,
    Steps,
    Submission,
    batch_id,
    counted,
    entries,
    failed,
    in_body,
    making,
    seconds_of,
    told_id,
)
from gateway.bodies import Json
from genlevel.v1 import gateway_pb2 as gw

_STATES: dict[str, int] = {
    "UNSPECIFIED": gw.BATCH_STATE_WAITING,
    "QUEUED": gw.BATCH_STATE_WAITING,
    "PENDING": gw.BATCH_STATE_WAITING,
    "RUNNING": gw.BATCH_STATE_RUNNING,
    "UPDATING": gw.BATCH_STATE_RUNNING,
    "PAUSED": gw.BATCH_STATE_RUNNING,
    "CANCELLING": gw.BATCH_STATE_CANCELLING,
    "SUCCEEDED": gw.BATCH_STATE_ENDED,
    "PARTIALLY_SUCCEEDED": gw.BATCH_STATE_ENDED,
    "EXPIRED": gw.BATCH_STATE_ENDED,
    "CANCELLED": gw.BATCH_STATE_ENDED,
    "FAILED": gw.BATCH_STATE_FAILED,
}
_CUT_SHORT = {"EXPIRED": "expired", "CANCELLED": "cancelled"}
_LIFE_S = 48 * 3600
INLINE_BYTES, INLINE_ITEMS = 15_000_000, 100
"""So many items of so many bytes go into the request, which may have 20 MB. Their answers, which may have pictures, come with the batch."""
# google.rpc.Code as HTTP's statuses: https://cloud.google.com/apis/design/errors
_STATUSES = {1: 499, 3: 400, 4: 504, 5: 404, 7: 403, 8: 429, 9: 400, 13: 500, 14: 503, 16: 401}
_KEY, _REQUEST = b'{"key":"', b'","request":'


class GeminiBatches:
    """models/MODEL:batchGenerateContent and batches/ID."""

    limits = Limits(100_000, 2_000_000_000, Decimal("0.5"), cached_at_full_price=True)
    framing = Framing()

    def before(self, key: str, item: str, path: str) -> bytes:
        """A line of a file has the item's key and request."""
        return _KEY + item.encode() + _REQUEST

    def submit(self, batch: Submission) -> Steps[gw.Batch]:
        """Uploads the file if it is large, and makes a batch of it."""
        source: Json
        if batch.size <= INLINE_BYTES and batch.count <= INLINE_ITEMS:
            source = {"requests": {"requests": [_inlined(line) for line in batch.read().splitlines()]}}
        else:
            source = {"fileName": (yield from self._upload(batch))}
        path = batch.path.rpartition(":")[0] + ":batchGenerateContent"
        made = yield making(path, {"batch": {"displayName": batch.key, "inputConfig": source}})
        return batch_of(made.json)

    def _upload(self, batch: Submission) -> Steps[str]:
        """The name of the uploaded file. The second step goes to the API's own place, whatever address the first one tells."""
        kind = {"x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start"}
        size = {"x-goog-upload-header-content-length": str(batch.size), "x-goog-upload-header-content-type": "application/jsonl"}
        body = orjson.dumps({"file": {"display_name": batch.key}})
        begun = yield Request("POST", "../upload/v1beta/files", body, headers={**JSON_CONTENT, **kind, **size})
        told = parse_qs(urlsplit(begun.headers.get("x-goog-upload-url", "")).query)
        if "upload_id" not in told:
            raise ValueError("the upload of a file has no id")
        path = f"../upload/v1beta/files?upload_id={quote(told['upload_id'][0], safe='')}&upload_protocol=resumable"
        command = {"x-goog-upload-offset": "0", "x-goog-upload-command": "upload, finalize", "content-type": "application/jsonl"}
        done = yield Request("POST", path, with_items=True, headers=command)
        return f"files/{told_id(name_of(in_body(done.json, 'file').get('name')).removeprefix('files/'))}"

    def get(self, batch: str) -> Steps[gw.Batch]:
        """GET batches/ID."""
        return batch_of((yield _look(batch)).json)

    def cancel(self, batch: str) -> Steps[gw.Batch]:
        """batches/ID:cancel answers with nothing, and does nothing to one that has ended."""
        yield Request("POST", f"batches/{_id(batch)}:cancel", b"{}", headers=JSON_CONTENT)
        return (yield from self.get(batch))

    def find(self, key: str, since_s: float) -> Steps[list[gw.Batch]]:
        """Looks through the whole list, which comes in no order that is promised."""
        found, token = list[gw.Batch](), ""
        for _ in range(MOST_PAGES):
            page = (yield Request("GET", f"batches?pageSize={PAGE}" + (f"&pageToken={quote(token, safe='')}" if token else ""))).json
            batches = [batch_of(one) for one in entries(page, "operations")]
            found += [batch for batch in batches if batch.key == key]
            token = name_of(page.get("nextPageToken"))
            if not token:
                break
        return sorted(found, key=lambda batch: batch.created_s, reverse=True)

    def results(self, batch: str) -> Steps[tuple[gw.Batch, Results]]:
        """The results in a batch, or the file that it names."""
        body = (yield _look(batch)).json
        found = batch_of(body)
        output = in_body(body, "response") or in_body(in_body(body, "metadata"), "output")
        if file := name_of(output.get("responsesFile")):
            place = f"files/{told_id(file.removeprefix('files/'))}:download?alt=media"
            return found, Results([Request("GET", place)], answers=found.answered)
        inline = output.get("inlinedResponses")
        if isinstance(inline, dict):
            inline = inline.get("inlinedResponses")
        return found, Results(inline=inline, answers=found.answered) if isinstance(inline, list) else Results()

    def result(self, line: Json) -> Result:
        """A line, or an entry of a list, has an answer or a google.rpc.Status, and the item's key."""
        metadata = in_body(line, "metadata")
        item = told_id(line.get("key") or metadata.get("key") or metadata.get("custom_id"))
        if response := in_body(line, "response"):
            return Result(item, 200, response)
        error = in_body(line, "error")
        status = _STATUSES.get(count(error, "code") or 0, 500)
        if status == 499:
            return Result(item, unasked="cancelled")
        return Result(item, status, {"error": {**error, "code": status}})


def batch_of(body: Json) -> gw.Batch:
    """A batch as the API tells it, an operation. Raises ValueError if it is none."""
    metadata = in_body(body, "metadata") or body
    state = name_of(metadata.get("state")).rpartition("STATE_")[2]
    if state not in _STATES:
        raise ValueError(f"a batch in the state {state or 'none'!r}")
    stats, created_s = in_body(metadata, "batchStats"), seconds_of(metadata.get("createTime"))
    batch = gw.Batch(
        id=told_id(name_of(body.get("name") or metadata.get("name")).removeprefix("batches/")),
        key=name_of(metadata.get("displayName")),
        state=_STATES[state],  # type: ignore[arg-type]
        total=counted(stats, "requestCount"),
        answered=counted(stats, "successfulRequestCount"),
        failed=counted(stats, "failedRequestCount"),
        created_s=created_s,
        expires_s=created_s + _LIFE_S if created_s else 0.0,
        cut_short=_CUT_SHORT.get(state, ""),
    )
    if batch.state == gw.BATCH_STATE_FAILED:
        error = in_body(body, "error")
        status = _STATUSES.get(count(error, "code") or 0, 500)
        failed(batch, error_of(status, {"error": {**error, "code": status}}, {}))
    return batch


def _look(batch: str) -> Request:
    return Request("GET", f"batches/{_id(batch)}")


def _id(name: str) -> str:
    return batch_id(name.removeprefix("batches/"))


def _inlined(line: bytes) -> Json:
    """A line of the file as it stands in a request. What an item asks is not read: it may be large."""
    item, _, request = line[len(_KEY) : -1].partition(_REQUEST)
    return {"request": orjson.Fragment(request), "metadata": {"key": item.decode()}}
