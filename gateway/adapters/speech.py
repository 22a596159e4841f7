"""OpenAI's speech API, and the same format as other servers speak it: text read aloud."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.adapters.base import Capabilities, check_error
from gateway.adapters.blocks import Turn
from gateway.adapters.making import Job, Made, Reply, Request, asked_texts, json_request
from gateway.adapters.openai_chat import put_parameters
from gateway.bodies import Json
from genlevel.runtime.settings import Api, RouteMedia
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

# Has a header that says what it is, loses nothing, and every decoder reads it.
FORMAT = "wav"
VOICE = "alloy"


class OpenAISpeech:
    """POST /audio/speech; the reply is the sound itself, without usage. Source: the openai package's types.audio."""

    api = Api.SPEECH
    modality = ct.MODALITY_AUDIO
    capabilities = Capabilities(parameters={}, image_types=frozenset())

    def request(self, model: str, turns: Sequence[Turn], parameters: gw.GenerationParameters, media: RouteMedia) -> Request:
        """The first text is what is read; further ones say how."""
        texts = asked_texts(turns)
        body: Json = {"model": model, "input": texts[0], "voice": media.voice or VOICE, "response_format": media.format or FORMAT}
        if texts[1:]:
            body["instructions"] = "\n\n".join(texts[1:])
        put_parameters(body, parameters, self.capabilities)
        return json_request("audio/speech", body | media.extra)

    def answer(self, reply: Reply, job: Job | None) -> Made:
        """The sound. A JSON object is not a sound, whatever its status."""
        if reply.json is not None:
            check_error(reply.json, "audio")
            raise ValueError(f"a JSON object with {', '.join(sorted(reply.json)[:5]) or 'nothing'}, not audio")
        return Made([(reply.body, reply.headers.get("content-type", ""))])
