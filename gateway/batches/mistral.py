"""Mistral's batch jobs: a file of lines is uploaded, a job is made of it, and what becomes of the lines is in two files.

Sources: the mistralai package's models.BatchJob, https://docs.mistral.ai/capabilities/batch, and
https://docs.mistral.ai/resources/known-limitations (100,000 requests, 512 MB; results are there for 24 hours).
"""

from __future__ import annotations

from gateway.adapters.base import ProviderError, name_of
from gateway.batches.base import (
    CLOCK_S,
    METADATA,
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
from gateway.batches.openai import line_result
from gateway.bodies import Json
from genlevel.v1 import gateway_pb2 as gw

STATES: dict[str, int] = {
    "QUEUED": gw.BATCH_STATE_WAITING,
    "RUNNING": gw.BATCH_STATE_RUNNING,
    "CANCELLATION_REQUESTED": gw.BATCH_STATE_CANCELLING,
    "SUCCESS": gw.BATCH_STATE_ENDED,
    "TIMEOUT_EXCEEDED": gw.BATCH_STATE_ENDED,
    "CANCELLED": gw.BATCH_STATE_ENDED,
    "FAILED": gw.BATCH_STATE_FAILED,
}
CUT_SHORT = {"TIMEOUT_EXCEEDED": "expired", "CANCELLED": "cancelled"}
HOURS = 24


class MistralBatches:
    """/files and /batch/jobs."""

    limits = Limits(100_000, 512_000_000)
    framing = Framing()

    def before(self, key: str, item: str, path: str) -> bytes:
        """The job says where its lines are asked."""
        return f'{{"custom_id":"{item}","body":'.encode()

    def submit(self, batch: Submission) -> Steps[gw.Batch]:
        """Uploads the file, and makes a job of it."""
        file = yield upload("files", {"purpose": "batch"}, f"{batch.key}.jsonl")
        body: Json = {
            "input_files": [told_id(file.json.get("id"))],
            "endpoint": f"/v1/{batch.path}",
            "model": batch.model,
            "metadata": {METADATA: batch.key},
            "timeout_hours": HOURS,
        }
        return batch_of((yield making("batch/jobs", body)).json)

    def get(self, batch: str) -> Steps[gw.Batch]:
        """GET /batch/jobs/ID."""
        return batch_of((yield Request("GET", f"batch/jobs/{batch_id(batch)}")).json)

    def cancel(self, batch: str) -> Steps[gw.Batch]:
        """POST to its place, and /cancel."""
        return (yield from cancelling(Request("POST", f"batch/jobs/{batch_id(batch)}/cancel"), batch_of, self.get(batch)))

    def find(self, key: str, since_s: float) -> Steps[list[gw.Batch]]:
        """Looks through the list, whose newest come first."""
        found = list[gw.Batch]()
        for number in range(MOST_PAGES):
            page = (yield Request("GET", f"batch/jobs?page={number}&page_size={PAGE}&order_by=-created")).json
            batches = [batch_of(one) for one in entries(page, "data")]
            found += [batch for batch in batches if batch.key == key]
            if len(batches) < PAGE or batches[-1].created_s < since_s - CLOCK_S:
                break
        return found

    def results(self, batch: str) -> Steps[tuple[gw.Batch, Results]]:
        """The files of a job: of answers, and of errors."""
        body = (yield Request("GET", f"batch/jobs/{batch_id(batch)}")).json
        files = [name_of(body.get(name)) for name in ("output_file", "error_file")]
        found = batch_of(body)
        return found, Results([Request("GET", f"files/{told_id(file)}/content") for file in files if file], answers=found.answered)

    def result(self, line: Json) -> Result:
        """Lines are those of OpenAI's form."""
        return line_result(line)


def batch_of(body: Json) -> gw.Batch:
    """A batch as the API tells it. Raises ValueError if it is none. The job says for how long it may take, not when it was over."""
    status = name_of(body.get("status"))
    if status not in STATES:
        raise ValueError(f"a batch job with the status {status or 'none'!r}")
    created_s = seconds_of(body.get("created_at"))
    batch = gw.Batch(
        id=told_id(body.get("id")),
        key=name_of(in_body(body, "metadata").get(METADATA)),
        state=STATES[status],  # type: ignore[arg-type]
        total=counted(body, "total_requests"),
        answered=counted(body, "succeeded_requests"),
        failed=counted(body, "failed_requests"),
        created_s=created_s,
        expires_s=created_s + HOURS * 3600 if created_s else 0.0,
        cut_short=CUT_SHORT.get(status, ""),
    )
    if batch.state == gw.BATCH_STATE_FAILED:
        said = "; ".join(dict.fromkeys(filter(None, (name_of(fault.get("message")) for fault in entries(body, "errors")))))
        failed(batch, ProviderError(400, type="invalid_request_error", message=said))
    return batch
