"""Anthropic's message batches: all items in one request, their results in one file.

Sources: the anthropic package's types.messages, https://platform.claude.com/docs/en/build-with-claude/batch-processing (100,000 requests,
256 MB; nothing is billed for what errored, expired or was cancelled; results are there for 29 days).

No key of the caller's is kept with a batch. So each item's id begins with a digest of it, by which a batch that has ended is known.
"""

from __future__ import annotations

import hashlib

from gateway.adapters.base import name_of
from gateway.batches.base import (
    CLOCK_S,
    JSON_CONTENT,
    MOST_PAGES,
    NOT_FOUND,
    PAGE,
    Framing,
    Limits,
    Request,
    Result,
    Results,
    Steps,
    Submission,
    batch_id,
    cancelling,
    counted,
    entries,
    in_body,
    seconds_of,
    told_id,
)
from gateway.bodies import Json
from genlevel.runtime.errors import CallFailed
from genlevel.v1 import gateway_pb2 as gw

STATES: dict[str, int] = {
    "in_progress": gw.BATCH_STATE_RUNNING,
    "canceling": gw.BATCH_STATE_CANCELLING,
    "ended": gw.BATCH_STATE_ENDED,
}
UNASKED = {"expired": "expired", "canceled": "cancelled"}
# The statuses of errors of single calls: https://platform.claude.com/docs/en/api/errors
STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
DIGEST = 16
_BATCHES = "v1/messages/batches"


class AnthropicBatches:
    """/v1/messages/batches."""

    limits = Limits(100_000, 256_000_000)
    framing = Framing(b'{"requests":[', b",", b"}", b"]}")

    def before(self, key: str, item: str, path: str) -> bytes:
        """The digest of the key goes before the item's id."""
        return f'{{"custom_id":"{_mark(key)}{item}","params":'.encode()

    def submit(self, batch: Submission) -> Steps[gw.Batch]:
        """One request with all items."""
        headers = {**batch.headers, **JSON_CONTENT}
        made = yield Request("POST", _BATCHES, with_items=True, headers=headers, makes=True)
        found = batch_of(made.json)
        found.key = batch.key
        return found

    def get(self, batch: str) -> Steps[gw.Batch]:
        """GET /v1/messages/batches/ID."""
        return batch_of((yield Request("GET", f"{_BATCHES}/{batch_id(batch)}")).json)

    def cancel(self, batch: str) -> Steps[gw.Batch]:
        """POST to its place, and /cancel."""
        return (yield from cancelling(Request("POST", f"{_BATCHES}/{batch_id(batch)}/cancel"), batch_of, self.get(batch)))

    def find(self, key: str, since_s: float) -> Steps[list[gw.Batch]]:
        """Looks through the list, whose newest come first: at the first result of each that has ended. The others may have the key."""
        found, after = list[gw.Batch](), ""
        for _ in range(MOST_PAGES):
            page = (yield Request("GET", f"{_BATCHES}?limit={PAGE}" + (f"&after_id={after}" if after else ""))).json
            batches = [batch_of(one) for one in entries(page, "data")]
            for batch in batches:
                if batch.created_s < since_s - CLOCK_S:
                    continue
                if batch.state == gw.BATCH_STATE_ENDED:
                    try:
                        first = (yield Request("GET", f"{_BATCHES}/{batch.id}/results", first_line=True)).json
                    except CallFailed as failure:
                        if failure.provider_code != NOT_FOUND:
                            raise
                        continue  # they are there for 29 days, or until somebody deletes them
                    if not name_of(first.get("custom_id")).startswith(_mark(key)):
                        continue
                    batch.key = key
                found.append(batch)
            if page.get("has_more") is not True or not batches or batches[-1].created_s < since_s - CLOCK_S:
                break
            after = batches[-1].id
        return found

    def results(self, batch: str) -> Steps[tuple[gw.Batch, Results]]:
        """The one file of a batch, at its documented place: an address in an answer would be given the key."""
        body = (yield Request("GET", f"{_BATCHES}/{batch_id(batch)}")).json
        found = batch_of(body)
        return found, Results([Request("GET", f"{_BATCHES}/{batch}/results")], answers=found.answered)

    def result(self, line: Json) -> Result:
        """A line has a message, an error, or why it was not asked."""
        marked, result = told_id(line.get("custom_id")), in_body(line, "result")
        item, kind = marked[DIGEST + 1 :] if marked[DIGEST : DIGEST + 1] == "-" else marked, name_of(result.get("type"))
        if kind == "succeeded":
            return Result(item, 200, in_body(result, "message"))
        if kind in UNASKED:
            return Result(item, unasked=UNASKED[kind])
        error = in_body(result, "error")
        inner = in_body(error, "error") or error
        return Result(item, STATUSES.get(name_of(inner.get("type")), 500), {"type": "error", "error": inner})


def batch_of(body: Json) -> gw.Batch:
    """A batch as the API tells it. Raises ValueError if it is none. Its counts are told once it has ended; until then all is processing."""
    status = name_of(body.get("processing_status"))
    if status not in STATES:
        raise ValueError(f"a message batch with the status {status or 'none'!r}")
    counts = in_body(body, "request_counts")
    batch = gw.Batch(
        id=told_id(body.get("id")),
        state=STATES[status],  # type: ignore[arg-type]
        total=counted(counts, "processing", "succeeded", "errored", "canceled", "expired"),
        answered=counted(counts, "succeeded"),
        failed=counted(counts, "errored", "canceled", "expired"),
        created_s=seconds_of(body.get("created_at")),
        expires_s=seconds_of(body.get("expires_at")),
    )
    if batch.state == gw.BATCH_STATE_ENDED:
        batch.cut_short = "cancelled" if counted(counts, "canceled") else "expired" if counted(counts, "expired") else ""
    return batch


def _mark(key: str) -> str:
    return f"{hashlib.sha256(key.encode()).hexdigest()[:DIGEST]}-"
