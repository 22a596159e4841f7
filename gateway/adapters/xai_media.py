"""xAI's own APIs of media: pictures, videos, speech and transcription. Its conversations have the compatible format.

Source: https://docs.x.ai/developers/model-capabilities (images, video, audio).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote

from gateway.adapters.base import Capabilities, Refused, check_error, error_of, name_of
from gateway.adapters.blocks import Turn, Video
from gateway.adapters.images import json_of, pictures_of, said_of
from gateway.adapters.making import Job, JobFailed, Made, Reply, Request, asked_texts, beside, json_request, pictures
from gateway.adapters.speech import FORMAT, HOW, OpenAISpeech
from gateway.adapters.transcription import SOUNDS, OpenAITranscription, milliseconds
from gateway.adapters.videos import poll_delay_s
from gateway.bodies import Json
from genlevel.runtime.settings import Api, RouteMedia
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

_PICTURES = frozenset({"image/png", "image/jpeg", "image/webp"})
# "One US dollar equals 10,000,000,000 ticks."
_TICKS_PER_NANO_USD = 10
USUAL_TRANSCRIBER = "grok-stt"
"""The name of the API: asked without a model's name, it takes the one that is usual there."""


class XaiImages:
    """POST /images/generations, or /images/edits with up to three pictures; both answer with addresses unless bytes are asked for."""

    api = Api.IMAGES
    modality = ct.MODALITY_IMAGE
    capabilities = Capabilities(parameters={}, image_types=_PICTURES, image_count=3, uris=frozenset({ct.MODALITY_IMAGE}))

    def request(self, model: str, turns: Sequence[Turn], parameters: gw.GenerationParameters, media: RouteMedia) -> Request:
        """One picture. Of a route, ``size`` is an aspect ratio ("16:9") or a resolution ("2k")."""
        body: Json = {"model": model, "prompt": "\n\n".join(asked_texts(turns)), **_size(media)}
        if media.quality:
            body["quality"] = media.quality
        given: list[Json] = [{"url": image.url, "type": "image_url"} for image in pictures(turns)]
        if len(given) == 1:
            body["image"] = given[0]
        elif given:
            body["images"] = given
        return json_request("images/edits" if given else "images/generations", body | media.extra)

    def answer(self, reply: Reply, job: Job | None) -> Made:
        """The pictures; what they cost, the answer says."""
        body = json_of(reply)
        check_error(body, "data")
        for entry in body["data"] if isinstance(body["data"], list) else ():
            if isinstance(entry, dict) and entry.get("respect_moderation") is False:
                raise Refused("the picture was withheld by the provider's moderation")
        return Made(pictures_of(body), usage=billed(body), model=name_of(body.get("model")), vendor=said_of(body))


class XaiVideos:
    """POST /videos/generations (of a video: /videos/edits), then GET /videos/ID until it is done; the video is at an address."""

    api = Api.VIDEO
    modality = ct.MODALITY_VIDEO
    capabilities = Capabilities(
        parameters={},
        image_types=_PICTURES,
        image_count=7,
        video_types=frozenset({"video/mp4"}),
        uris=frozenset({ct.MODALITY_IMAGE, ct.MODALITY_VIDEO}),
    )

    def request(self, model: str, turns: Sequence[Turn], parameters: gw.GenerationParameters, media: RouteMedia) -> Request:
        """Begins a job. One picture is the first frame, several are what the video is to show; a video is changed."""
        body: Json = {"model": model, "prompt": "\n\n".join(asked_texts(turns)), **_size(media)}
        if media.seconds:
            body["duration"] = round(media.seconds)
        given = pictures(turns)
        if len(given) == 1:
            body["image"] = {"url": given[0].url}
        elif given:
            body["reference_images"] = [{"url": image.url} for image in given]
        videos = [block for turn in turns for block in turn.blocks if isinstance(block, Video)]
        for video in videos:
            body["video"] = {"url": video.url}
        return json_request("videos/edits" if videos else "videos/generations", body | media.extra)

    def answer(self, reply: Reply, job: Job | None) -> Made | Job:
        """The job as it stands, or where its video is."""
        body = json_of(reply)
        video, status = body.get("video"), name_of(body.get("status")).lower()
        if status not in ("failed", "expired"):
            check_error(body, "status" if job is not None else "request_id")
        name = name_of(body.get("request_id")) or (job.id if job is not None else "")
        if not name:
            raise ValueError("a job without a request_id")
        if status in ("failed", "expired"):
            error = error_of(200, {"error": body.get("error") or {}}, {})
            said = error.message or f"the job {name} ended as {status}"
            raise JobFailed(replace(error, code=error.code or f"job_{status}", message=said), lost=status == "expired")
        if isinstance(video, dict) and status in ("done", ""):
            return _finished(body, video, name)
        if status != "pending" and (status or job is not None):
            raise ValueError(f"job {name} has the status {status!r}")
        return Job(name, Request("GET", f"videos/{quote(name, safe='')}"), poll_delay_s(reply.headers), status or "pending")


class XaiSpeech(OpenAISpeech):
    """POST /tts, of which there is one model; the reply is the sound itself."""

    def request(self, model: str, turns: Sequence[Turn], parameters: gw.GenerationParameters, media: RouteMedia) -> Request:
        """The first text is what is read; how, tags in it say."""
        texts = asked_texts(turns)
        body: Json = {"text": texts[0], "language": "auto", "output_format": {"codec": media.format or FORMAT}}
        if media.voice:
            body["voice_id"] = media.voice
        return json_request("tts", body | media.extra, dropped=(HOW,) if texts[1:] else (), characters=len(texts[0]))


class XaiTranscription(OpenAITranscription):
    """POST /stt, a form whose file comes last."""

    path = "stt"
    takes_prompt = False
    capabilities = Capabilities(parameters={}, image_types=frozenset(), audio_types=SOUNDS, uris=frozenset({ct.MODALITY_AUDIO}))

    def _fields(self, model: str) -> Json:
        return {} if model == USUAL_TRANSCRIBER else {"model": model}

    def usage(self, body: Json) -> tuple[gw.Usage, bool]:
        """The sound's length."""
        usage = billed(body)
        if length := milliseconds(body.get("duration")):
            usage.details.input_milliseconds = length
        return usage, False


def billed(body: Json) -> gw.Usage:
    """What an answer says that it costs."""
    said, usage = body.get("usage"), gw.Usage()
    ticks = said.get("cost_in_usd_ticks") if isinstance(said, dict) else None
    if type(ticks) is int and ticks >= 0:
        usage.details.billed_nano_usd = round(ticks / _TICKS_PER_NANO_USD)
    return usage


def _size(media: RouteMedia) -> Json:
    if not media.size:
        return {}
    return {"aspect_ratio" if ":" in media.size or media.size == "auto" else "resolution": media.size}


def _finished(body: Json, video: Json, name: str) -> Made:
    if video.get("respect_moderation") is False:
        raise JobFailed(error_of(200, {"error": {"code": "moderation_blocked", "message": "the video was withheld"}}, {}), lost=True)
    url = video.get("url")
    if not isinstance(url, str) or not url:
        raise ValueError(f"job {name} is done and has no video")
    length = milliseconds(video.get("duration")) / 1000
    vendor = beside(body, ("video", "status", "usage", "model", "request_id", "progress"))
    return Made([url], usage=billed(body), seconds=length, model=name_of(body.get("model")), response_id=name, vendor=vendor)
