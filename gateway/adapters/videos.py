"""OpenAI's videos API, and the same format as other servers speak it: a job that is begun once, asked about, and fetched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import quote

from gateway.adapters.base import Capabilities, check_error, error_of, name_of
from gateway.adapters.blocks import Turn
from gateway.adapters.making import File, Job, JobFailed, Made, Reply, Request, asked_texts, file_name, form_request, pictures
from gateway.adapters.openai_chat import put_parameters
from gateway.bodies import Json
from genlevel.runtime.settings import Api, RouteMedia
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

# A status that ends a job without a video -> the code of its error if the job has none.
ENDED = {
    "failed": "video_failed",
    "cancelled": "job_cancelled",
    "canceled": "job_cancelled",
    "expired": "job_expired",
}
POLL_S = 1.0
LONGEST_POLL_S = 30.0


class OpenAIVideos:
    """POST /videos, GET /videos/ID until it is completed, GET /videos/ID/content. Source: the openai package's videos resource."""

    api = Api.VIDEO
    modality = ct.MODALITY_VIDEO
    capabilities = Capabilities(parameters={}, image_types=frozenset({"image/png", "image/jpeg", "image/webp"}), image_count=1)

    def request(self, model: str, turns: Sequence[Turn], parameters: gw.GenerationParameters, media: RouteMedia) -> Request:
        """Begins a job. A picture is the video's first frame."""
        body: Json = {"model": model, "prompt": "\n\n".join(asked_texts(turns))}
        if media.size:
            body["size"] = media.size
        if media.seconds:
            body["seconds"] = f"{media.seconds:g}"
        put_parameters(body, parameters, self.capabilities)
        files = [
            File("input_reference", file_name(str(number), image.mime_type), image.mime_type, image.data)
            for number, image in enumerate(pictures(turns))
        ]
        return form_request("videos", body | media.extra, files)

    def answer(self, reply: Reply, job: Job | None) -> Made | Job:
        """The job as it stands, or the video if its content was asked for."""
        if job is not None and job.made is not None:
            claimed = reply.headers.get("content-type", "")
            return Made([(reply.body, claimed)], seconds=job.made.seconds, model=job.made.model, response_id=job.id)
        if reply.json is None:
            raise ValueError("not a JSON object")
        body, status = reply.json, name_of(reply.json.get("status")).lower()
        if status not in ENDED:
            check_error(body, "status")
        name = name_of(body.get("id")) or (job.id if job is not None else "")
        if not name:
            raise ValueError("a job without an id")
        if status in ENDED:
            error = error_of(200, {"error": body.get("error") or {}}, {})
            raise JobFailed(
                replace(error, code=error.code or ENDED[status], message=error.message or f"the job {name} ended as {status}"),
                lost=ENDED[status] != "video_failed",
            )
        path = f"videos/{quote(name, safe='')}"
        if status in ("completed", "succeeded"):
            made = Made((), seconds=_seconds(body.get("seconds")), model=name_of(body.get("model")))
            return Job(name, Request("GET", f"{path}/content"), 0.0, status, made)
        if status not in ("queued", "pending", "in_progress", "processing", "running"):
            raise ValueError(f"job {name} has the status {status!r}")
        return Job(name, Request("GET", path), poll_delay_s(reply.headers), status)


class CompatibleVideos(OpenAIVideos):
    """Other servers' videos API (vLLM-Omni, SGLang), with a seed if the run sets one."""

    capabilities = Capabilities(parameters={"seed": "seed"}, image_types=OpenAIVideos.capabilities.image_types, image_count=1)


def poll_delay_s(headers: Mapping[str, str]) -> float:
    """How long to wait before a job is asked about again: as long as the provider says, within bounds."""
    try:
        asked_ms = int(headers.get("openai-poll-after-ms", ""))
    except ValueError:
        return POLL_S
    return min(max(asked_ms / 1000, 0.05), LONGEST_POLL_S)


def _seconds(value: object) -> float:
    try:
        seconds = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return 0.0
    return seconds if 0 < seconds < 86_400 else 0.0
