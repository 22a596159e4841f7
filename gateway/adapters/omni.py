"""Gemini Omni's videos by Google's Interactions API, which other models of Gemini's need not: a job that is begun once and asked about.

Sources: google.genai's interactions resource, https://ai.google.dev/gemini-api/docs/interactions
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar
from urllib.parse import quote, urlsplit

from gateway.adapters.base import Capabilities, ProviderError, check_error, count, error_of, name_of, usage_of
from gateway.adapters.blocks import Image, Turn, Video
from gateway.adapters.making import Job, JobFailed, Made, Reply, Request, asked_texts, json_request
from gateway.bodies import Json
from gateway.media import decoded
from genlevel.runtime.settings import Api, RouteMedia
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

GOES_ON = frozenset({"queued", "in_progress"})
# Statuses that end one without a video -> the code of its error if it has none.
ENDED = {"failed": "video_failed", "cancelled": "job_cancelled", "budget_exceeded": "insufficient_quota"}
POLL_S = 5.0
_FILES = "/files/"


class OmniVideos:
    """POST interactions in the background, GET interactions/ID until it is completed."""

    api = Api.VIDEO
    modality: ClassVar[int] = ct.MODALITY_VIDEO
    # https://docs.cloud.google.com/gemini-enterprise-agent-platform/models/gemini/omni-flash-preview
    capabilities = Capabilities(
        parameters={},
        image_types=frozenset({"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"}),
        image_count=10,
        video_types=frozenset(f"video/{kind}" for kind in ("mp4", "mpeg", "mpg", "quicktime", "mov", "x-flv", "webm", "wmv", "3gpp")),
    )

    def request(self, model: str, turns: Sequence[Turn], parameters: gw.GenerationParameters, media: RouteMedia) -> Request:
        """Begins a job. media: size is an aspect ratio ("16:9") or a resolution ("720p")."""
        asked_texts(turns)
        wanted: Json = {"type": "video"}
        if media.size:
            wanted["aspect_ratio" if ":" in media.size else "resolution"] = media.size
        if media.seconds:
            wanted["duration"] = f"{media.seconds:g}s"
        asked = [{"type": "user_input", "content": [_block(block) for turn in turns for block in turn.blocks]}]
        body: Json = {"model": model, "input": asked, "response_format": wanted, "background": True, "store": True}
        return json_request("interactions", body | media.extra)

    def answer(self, reply: Reply, job: Job | None) -> Made | Job:
        """The interaction as it stands, or the file that it names."""
        if job is not None and job.made is not None:
            return _fetched(reply, job, job.made)
        if reply.json is None:
            raise ValueError("not a JSON object")
        body, status = reply.json, name_of(reply.json.get("status"))
        if not status:
            check_error(body, "status")
        name = name_of(body.get("id")) or (job.id if job is not None else "")
        if not name:
            raise ValueError("an interaction without an id")
        if status in GOES_ON:
            return Job(name, Request("GET", f"interactions/{quote(name, safe='')}"), POLL_S, status)
        outputs = [block for block in _outputs(body) if block.get("type") == "video"]
        if status in ENDED or not outputs:
            said = f"the interaction {name} ended as {status or 'nothing'}, without a video"
            raise JobFailed(_error(body, status, said), lost=status != "failed")
        return _made(body, name, outputs[-1])


def fetch_of(url: str) -> str:
    """The path of a file of the API itself, below its version, which its key opens; "" for another address.

    Example:
        >>> fetch_of("https://generativelanguage.googleapis.com/v1beta/files/abc:download?alt=media")
        'files/abc:download?alt=media'
    """
    parts = urlsplit(url)
    if not (parts.hostname or "").endswith(".googleapis.com") or _FILES not in parts.path:
        return ""
    name = parts.path.rpartition(_FILES)[2]
    return f"files/{name if ':' in name else f'{name}:download'}?alt=media"


def _made(body: Json, name: str, video: Json) -> Made | Job:
    usage = body.get("usage")
    inputs, tools = count(usage, "total_input_tokens", None), count(usage, "total_tool_use_tokens")
    written, thought = count(usage, "total_output_tokens", None), count(usage, "total_thought_tokens")
    used, known = usage_of(
        total_input=None if inputs is None or tools is None else inputs + tools,
        cache_read=count(usage, "total_cached_tokens"),
        total_output=None if written is None or thought is None else written + thought,
        reasoning=thought,
    )
    model, data, url = name_of(body.get("model")), video.get("data"), video.get("uri")
    if isinstance(data, str) and data:
        return Made([(decoded(data), name_of(video.get("mime_type")))], usage=used, has_usage=known, model=model, response_id=name)
    if not isinstance(url, str) or not url:
        raise ValueError("a video with neither data nor uri")
    if path := fetch_of(url):
        made = Made((), usage=used, has_usage=known, model=model, response_id=name)
        return Job(name, Request("GET", path), 0.0, "completed", made)
    return Made([url], usage=used, has_usage=known, model=model, response_id=name)


def _fetched(reply: Reply, job: Job, made: Made) -> Made:
    claimed = reply.headers.get("content-type", "")
    return Made([(reply.body, claimed)], usage=made.usage, has_usage=made.has_usage, model=made.model, response_id=job.id)


def _block(block: object) -> Json:
    match block:
        case Image() | Video():
            kind = "image" if isinstance(block, Image) else "video"
            return {"type": kind, "data": block.base64, "mime_type": block.mime_type}
        case _:
            return {"type": "text", "text": block}


def _outputs(body: Json) -> list[Json]:
    """The blocks of what the model put out."""
    steps = body.get("steps")
    found: list[Json] = []
    for step in steps if isinstance(steps, list) else ():
        content = step.get("content") if isinstance(step, dict) and step.get("type") == "model_output" else None
        found += [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []
    return found


def _error(body: Json, status: str, said: str) -> ProviderError:
    """Why there is no video: the error of the interaction or of its last step, else its status."""
    steps, errors = body.get("steps"), body.get("errors")
    told = [one for one in (errors if isinstance(errors, list) else ()) if isinstance(one, dict)]
    told += [step["error"] for step in (steps if isinstance(steps, list) else ()) if isinstance(step, dict) and step.get("error")]
    found = error_of(200, {"error": told[-1] if told else {}}, {})
    return replace(found, code=found.code or ENDED.get(status, "video_failed"), message=found.message or said)
