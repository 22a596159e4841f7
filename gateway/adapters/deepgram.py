"""Deepgram's transcription: the sound is the body, all else is in the address.

Source: https://developers.deepgram.com/docs/pre-recorded-audio; its errors: https://developers.deepgram.com/docs/errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from gateway.adapters.base import Capabilities, check_error, name_of
from gateway.adapters.blocks import Turn
from gateway.adapters.images import json_of
from gateway.adapters.making import Job, Made, Reply, Request, json_request
from gateway.adapters.transcription import PROMPT, SOUNDS, heard, milliseconds
from gateway.bodies import Json
from genlevel.runtime.settings import Api, RouteMedia
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

# It reads more than a hundred formats (https://developers.deepgram.com/docs/supported-audio-formats).
_MORE = frozenset(f"audio/{kind}" for kind in ("aiff", "x-aiff", "amr", "basic", "x-caf", "3gpp"))


class DeepgramTranscription:
    """POST /listen."""

    api = Api.TRANSCRIPTION
    modality = ct.MODALITY_TEXT
    capabilities = Capabilities(parameters={}, image_types=frozenset(), audio_types=SOUNDS | _MORE, uris=frozenset({ct.MODALITY_AUDIO}))

    def request(self, model: str, turns: Sequence[Turn], parameters: gw.GenerationParameters, media: RouteMedia) -> Request:
        """Punctuated and with numbers as digits (smart_format) unless the route says otherwise; a text has no place."""
        sound, text = heard(turns)
        query = {"model": model, "smart_format": True, **media.extra}
        path = f"listen?{urlencode({name: _said(value) for name, value in query.items()}, doseq=True)}"
        dropped = (PROMPT,) if text else ()
        if sound.uri:
            return json_request(path, {"url": sound.uri}, dropped=dropped)
        return Request("POST", path, [sound.data], sound.mime_type, dropped)

    def answer(self, reply: Reply, job: Job | None) -> Made:
        """The first transcript of each channel, a line each."""
        body = json_of(reply)
        check_error(body, "results")
        results, metadata = body["results"], body.get("metadata")
        texts = [channel["alternatives"][0]["transcript"] for channel in results["channels"]]  # type: ignore[index]
        said: Json = metadata if isinstance(metadata, dict) else {}
        usage = gw.Usage()
        if length := milliseconds(said.get("duration")):
            usage.details.input_milliseconds = length
        return Made((), ["\n".join(texts)], usage=usage, model=_model(said), response_id=name_of(said.get("request_id")), vendor=body)


def _model(metadata: Json) -> str:
    """The models' names and versions: the names of its requests lead to other ones over time."""
    found = metadata.get("model_info")
    models = found.values() if isinstance(found, dict) else ()
    names = [f"{name_of(one.get('name'))} {name_of(one.get('version'))}".strip() for one in models if isinstance(one, dict)]
    return ", ".join(filter(None, names))


def _said(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value
