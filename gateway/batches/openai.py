"""OpenAI's batches: a file of lines is uploaded, a batch is made of it, and what becomes of the lines is in two files.

Sources: the openai package's types.batch, https://platform.openai.com/docs/guides/batch (50,000 lines and 200 MB; a key in metadata; what
expires is in the file of errors and not billed; the queue's limit is told after the batch was made).
"""

from __future__ import annotations

from gateway.adapters.base import ProviderError, count, error_of, name_of
from gateway.batches.base import (
    CLOCK_S,
    METADATA,
    MOST_PAGES,
    NO_ANSWER,
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
    failed,
    in_body,
    making,
    seconds_of,
    told_id,
    upload,
)
from gateway.bodies import Json
from genlevel.v1 import gateway_pb2 as gw

STATES: dict[str, int] = {
    "validating": gw.BATCH_STATE_WAITING,
    "in_progress": gw.BATCH_STATE_RUNNING,
    "finalizing": gw.BATCH_STATE_RUNNING,
    "cancelling": gw.BATCH_STATE_CANCELLING,
    "completed": gw.BATCH_STATE_ENDED,
    "expired": gw.BATCH_STATE_ENDED,
    "cancelled": gw.BATCH_STATE_ENDED,
    "failed": gw.BATCH_STATE_FAILED,
}
UNASKED = {"batch_expired": "expired", "batch_cancelled": "cancelled"}
# What is uploaded goes away by itself after a week: a batch takes a day.
KEPT_S = 7 * 86_400
# A line that fails without an answer: https://platform.openai.com/docs/guides/error-codes
SERVER_ERROR = 500


class OpenAIBatches:
    """/files and /batches."""

    limits = Limits(50_000, 200_000_000)
    framing = Framing()

    def before(self, key: str, item: str, path: str) -> bytes:
        """A line says of each item where it would be asked."""
        return f'{{"custom_id":"{item}","method":"POST","url":"/v1/{path}","body":'.encode()

    def submit(self, batch: Submission) -> Steps[gw.Batch]:
        """Uploads the file, and makes a batch of it."""
        kept = {"expires_after[anchor]": "created_at", "expires_after[seconds]": str(KEPT_S)}
        file = yield upload("files", {"purpose": "batch", **kept}, f"{batch.key}.jsonl")
        body: Json = {
            "input_file_id": told_id(file.json.get("id")),
            "endpoint": f"/v1/{batch.path}",
            "completion_window": "24h",
            "metadata": {METADATA: batch.key},
        }
        made = yield making("batches", body)
        return batch_of(made.json)

    def get(self, batch: str) -> Steps[gw.Batch]:
        """GET /batches/ID."""
        return batch_of((yield Request("GET", f"batches/{batch_id(batch)}")).json)

    def cancel(self, batch: str) -> Steps[gw.Batch]:
        """POST to its place, and /cancel."""
        return (yield from cancelling(Request("POST", f"batches/{batch_id(batch)}/cancel"), batch_of, self.get(batch)))

    def find(self, key: str, since_s: float) -> Steps[list[gw.Batch]]:
        """Looks through the list, whose newest come first."""
        found, after = list[gw.Batch](), ""
        for _ in range(MOST_PAGES):
            page = (yield Request("GET", f"batches?limit={PAGE}" + (f"&after={after}" if after else ""))).json
            batches = [batch_of(one) for one in entries(page, "data")]
            found += [batch for batch in batches if batch.key == key]
            if page.get("has_more") is not True or not batches or batches[-1].created_s < since_s - CLOCK_S:
                break
            after = batches[-1].id
        return found

    def results(self, batch: str) -> Steps[tuple[gw.Batch, Results]]:
        """The files of a batch: of answers, and of errors."""
        body = (yield Request("GET", f"batches/{batch_id(batch)}")).json
        files = [name_of(body.get(name)) for name in ("output_file_id", "error_file_id")]
        found = batch_of(body)
        return found, Results([Request("GET", f"files/{told_id(file)}/content") for file in files if file], answers=found.answered)

    def result(self, line: Json) -> Result:
        """A line has the answer with its status, or an error without."""
        return line_result(line)


def line_result(line: Json) -> Result:
    """What a line of OpenAI's form, which others use, says of an item."""
    item, response, error = told_id(line.get("custom_id")), in_body(line, "response"), line.get("error")
    if (body := response.get("body")) and isinstance(body, dict):
        return Result(item, count(response, "status_code") or 200, body)
    if not error:
        return Result(item, NO_ANSWER, {"error": {"message": "the item has no answer"}})
    error = error if isinstance(error, dict) else {"message": str(error)}
    if unasked := UNASKED.get(name_of(error.get("code"))):
        return Result(item, unasked=unasked)
    return Result(item, count(response, "status_code") or SERVER_ERROR, {"error": error})


def batch_of(body: Json) -> gw.Batch:
    """A batch as the API tells it. Raises ValueError if it is none."""
    status = name_of(body.get("status"))
    if status not in STATES:
        raise ValueError(f"a batch with the status {status or 'none'!r}")
    counts = in_body(body, "request_counts")
    batch = gw.Batch(
        id=told_id(body.get("id")),
        key=name_of(in_body(body, "metadata").get(METADATA)),
        state=STATES[status],  # type: ignore[arg-type]
        total=counted(counts, "total"),
        answered=counted(counts, "completed"),
        failed=counted(counts, "failed"),
        created_s=seconds_of(body.get("created_at")),
        expires_s=seconds_of(body.get("expires_at")),
        cut_short=status if status in ("expired", "cancelled") else "",
    )
    if batch.state == gw.BATCH_STATE_FAILED:
        faults = entries(in_body(body, "errors"), "data") or [{}]
        error = error_of(400, {"error": faults[0]}, {})
        line = count(faults[0], "line", None)
        message = error.message + (f" (line {line})" if line is not None else "")
        failed(batch, ProviderError(error.status, error.code, error.type or "invalid_request_error", message))
    return batch
