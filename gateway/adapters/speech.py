"""OpenAI's speech API, and the same format as other servers speak it: text read aloud."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.adapters.base import Capabilities, check_error
from gateway.adapters.blocks import Turn
from gateway.adapters.images import json_of
from gateway.adapters.making import Job, Made, Reply, Request, asked_texts, beside, json_request
from gateway.adapters.openai_chat import put_parameters
from gateway.bodies import Json
from gateway.media import decoded
from genlevel.runtime.settings import Api, RouteMedia
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

# Has a header that says what it is, loses nothing, and every decoder reads it.
FORMAT = "wav"
VOICE = "alloy"
HOW = "instructions"
"""What says how a text is to be read: the name of what is left out if an API takes none."""


class OpenAISpeech:
    """POST /audio/speech; the reply is the sound itself, without usage. Source: the openai package's types.audio."""

    api = Api.SPEECH
    modality = ct.MODALITY_AUDIO
    format = FORMAT
    capabilities = Capabilities(parameters={}, image_types=frozenset())

    def request(self, model: str, turns: Sequence[Turn], parameters: gw.GenerationParameters, media: RouteMedia) -> Request:
        """The first text is what is read; further ones say how."""
        texts = asked_texts(turns)
        body: Json = {"model": model, "input": texts[0], "voice": media.voice or VOICE, "response_format": media.format or self.format}
        if texts[1:]:
            body[HOW] = "\n\n".join(texts[1:])
        put_parameters(body, parameters, self.capabilities)
        return json_request("audio/speech", body | media.extra, characters=len(texts[0]))

    def answer(self, reply: Reply, job: Job | None) -> Made:
        """The sound. A JSON object is not a sound, whatever its status."""
        if reply.json is not None:
            check_error(reply.json, "audio")
            raise ValueError(f"a JSON object with {', '.join(sorted(reply.json)[:5]) or 'nothing'}, not audio")
        return Made([(reply.body, reply.headers.get("content-type", ""))])


class OpenRouterSpeech(OpenAISpeech):
    """The same; the reply's id is a header. Not all that it leads to makes WAV.
    Source: https://openrouter.ai/docs/guides/overview/multimodal/tts."""

    format = "mp3"

    def answer(self, reply: Reply, job: Job | None) -> Made:
        """The sound."""
        made = super().answer(reply, job)
        return Made(made.media, response_id=reply.headers.get("x-generation-id", ""))


class MistralSpeech(OpenAISpeech):
    """POST /audio/speech; the reply is JSON with the sound in base64. Source: https://docs.mistral.ai/studio/audio/text-to-speech
    (voice_id there; the API takes OpenAI's name for it, too)."""

    def request(self, model: str, turns: Sequence[Turn], parameters: gw.GenerationParameters, media: RouteMedia) -> Request:
        """The first text is what is read; how, the voice says."""
        texts = asked_texts(turns)
        body: Json = {"model": model, "input": texts[0], "response_format": media.format or FORMAT}
        if media.voice:
            body["voice"] = media.voice
        put_parameters(body, parameters, self.capabilities)
        dropped = (HOW,) if texts[1:] else ()
        return json_request("audio/speech", body | media.extra, dropped=dropped, characters=len(texts[0]))

    def answer(self, reply: Reply, job: Job | None) -> Made:
        """The sound."""
        body = json_of(reply)
        check_error(body, "audio_data")
        sound = body["audio_data"]
        if not isinstance(sound, str):
            raise ValueError("audio_data is not a text")
        return Made([(decoded(sound), "")], vendor=beside(body, ("audio_data",)))
