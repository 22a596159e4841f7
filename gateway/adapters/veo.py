"""Veo's videos at Vertex AI: an operation that is begun once and asked about. Source: google.genai's generate_videos, and
https://docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/veo-video-generation
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar
from urllib.parse import quote

from gateway.adapters.base import ProviderError, Refused, check_error, count, error_of, name_of
from gateway.adapters.blocks import Turn, Video
from gateway.adapters.gemini import vertex_name
from gateway.adapters.making import Job, JobFailed, Made, Reply, Request, asked_texts, json_request, pictures
from gateway.adapters.omni import OmniVideos
from gateway.adapters.paths import in_path
from gateway.bodies import Json
from gateway.media import decoded
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.runtime.settings import Api, RouteMedia
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

POLL_S = 5.0
# google.rpc.Code -> the status that Google's APIs answer with: https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
STATUSES = {1: 499, 3: 400, 4: 504, 5: 404, 7: 403, 8: 429, 9: 400, 13: 500, 14: 503, 16: 401}


class VertexVideos:
    """Veo's and Gemini Omni's videos, each by its own API.

    POST MODEL:predictLongRunning, then POST MODEL:fetchPredictOperation until it is done.
    """

    api = Api.VIDEO
    modality: ClassVar[int] = ct.MODALITY_VIDEO
    capabilities = OmniVideos.capabilities

    def __init__(self) -> None:
        self._omni = OmniVideos()

    def request(self, model: str, turns: Sequence[Turn], parameters: gw.GenerationParameters, media: RouteMedia) -> Request:
        """Begins an operation. A picture is the video's first frame. media: size is an aspect ratio ("16:9") or a resolution ("1080p")."""
        name = vertex_name(model)
        if "/veo-" not in f"/{name}":
            return self._omni.request(model, turns, parameters, media)
        asked: Json = {"prompt": "\n\n".join(asked_texts(turns))}
        given = pictures(turns)
        if len(given) > 1 or any(isinstance(block, Video) for turn in turns for block in turn.blocks):
            said = f"messages: vertex/{model} takes one picture, the video's first frame, and no videos"
            raise CallFailed(ErrorClass.UNSUPPORTED, said, part="messages")
        for image in given:
            asked["image"] = {"bytesBase64Encoded": image.base64, "mimeType": image.mime_type}
        how: Json = {"sampleCount": 1}
        if media.size:
            how["aspectRatio" if ":" in media.size else "resolution"] = media.size
        if media.seconds:
            how["durationSeconds"] = int(media.seconds) if media.seconds == int(media.seconds) else media.seconds
        return json_request(f"{in_path(name, '/@._-')}:predictLongRunning", {"instances": [asked], "parameters": how | media.extra})

    def answer(self, reply: Reply, job: Job | None) -> Made | Job:
        """The operation as it stands, or the interaction."""
        body = reply.json
        if body is None or not {"name", "done"} & body.keys():
            return self._omni.answer(reply, job)
        name = name_of(body.get("name")) or (job.id if job is not None else "")
        if not name:
            raise ValueError("an operation without a name")
        if body.get("done") is not True:
            return Job(name, _asking(name), POLL_S, "running")
        if body.get("error"):
            raise JobFailed(_error(body))
        check_error(body, "response")
        response = body.get("response")
        if not isinstance(response, dict):
            raise ValueError(f"the operation {name} is done without a response")
        return Made([_video(response)], response_id=name)


def _asking(name: str) -> Request:
    """What asks about an operation. name: projects/P/locations/L/publishers/google/models/M/operations/ID."""
    model = "publishers/" + name.partition("/publishers/")[2].partition("/operations/")[0]
    return json_request(f"{quote(model, safe='/@._-')}:fetchPredictOperation", {"operationName": name})


def _video(response: Json) -> tuple[bytes, str] | str:
    """The one that was asked for. Raises Refused if it was filtered."""
    videos = response.get("videos")
    found = next((one for one in videos if isinstance(one, dict)), None) if isinstance(videos, list) else None
    if found is None:
        reasons = response.get("raiMediaFilteredReasons")
        said = "; ".join(name_of(reason) for reason in reasons) if isinstance(reasons, list) else ""
        if said or count(response, "raiMediaFilteredCount"):
            raise Refused(said or "the video was filtered, without a reason")
        raise ValueError("a response without videos")
    data, url = found.get("bytesBase64Encoded"), found.get("gcsUri")
    if isinstance(data, str) and data:
        return decoded(data), name_of(found.get("mimeType"))
    if isinstance(url, str) and url:
        return url
    raise ValueError("a video with neither bytes nor address")


def _error(body: Json) -> ProviderError:
    error = body["error"]
    found = error_of(200, {"error": {**error, "code": ""} if isinstance(error, dict) else error}, {})
    return replace(found, status=STATUSES.get(count(error, "code") or 0, 200), code=found.code or "video_failed")
