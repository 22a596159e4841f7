"""Every recorded request for media and for the text of a sound: it goes out as it did, and its answer is read as the SDK reads it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from openai._models import construct_type
from openai.types import ImagesResponse
from openai.types.audio import Transcription, TranscriptionTextDoneEvent

from gateway import generating
from genlevel.runtime.errors import CallFailed
from genlevel.runtime.settings import Api, Route, RouteMedia
from tests.gateway.wire.asking_media import fields_of, fields_sent, request_of
from tests.gateway.wire.comparing import Reading, Used, body_differences, differences, reading_of, reading_of_failure, vanished
from tests.gateway.wire.conftest import Place, Player
from tests.gateway.wire.recordings import Recording, calls

APIS = {"images": Api.IMAGES, "images.edit": Api.IMAGES, "speech": Api.SPEECH, "transcription": Api.TRANSCRIPTION}
# Of an answer that is a sound: what the gateway asks for where recordings leave it to the provider.
FORM_OF_SOUND = ("response_format", "output_format")
USUAL = {("xai", "transcription"): "grok-stt", ("xai", "speech"): "grok-tts"}
"""Models of APIs that were asked without a name."""


@dataclass(frozen=True)
class MediaPlace(Place):
    """A place whose route fixes a voice."""

    voice: str = ""

    def route_settings(self) -> Route:
        fields = {"media": RouteMedia(voice=self.voice), "input_modalities": ["text", "image", "audio"]}
        return Route.model_validate({"account": self.account, "model": self.model, "api": self.api, **fields})


def place_of(recording: Recording) -> MediaPlace:
    asked = fields_of(recording)
    model = asked.get("model") or USUAL[recording.provider, recording.endpoint]
    return MediaPlace(recording.provider, "nova-3" if recording.provider == "deepgram" else model, APIS[recording.endpoint])


def expected(recording: Recording) -> Reading:
    """What the recorded answer says."""
    if recording.status >= 300:
        return Reading(error="CALLER_FAULT")
    if recording.endpoint == "transcription":
        return Reading(text=transcript(recording), finish="STOP", used=tokens_heard(recording))
    if recording.endpoint == "speech":
        return Reading(media=1, finish="STOP")
    answer: Any = construct_type(type_=ImagesResponse, value=recording.response)
    tokens = getattr(answer.usage, "input_tokens", None)
    return Reading(media=len(answer.data), finish="STOP", used=Used(input=tokens, output=answer.usage.output_tokens) if tokens else None)


def transcript(recording: Recording) -> str:
    if recording.provider == "deepgram":
        return str(recording.response["results"]["channels"][0]["alternatives"][0]["transcript"])
    if recording.streamed:
        return str(done(recording).text)
    if recording.provider == "openai":
        answer: Any = construct_type(type_=Transcription, value=recording.response)
        return str(answer.text)
    return str(recording.response["text"])


def done(recording: Recording) -> Any:
    """The last event of a stream, as OpenAI's SDK has it."""
    events = [json.loads(line.removeprefix("data: ")) for line in recording.response.splitlines() if line.startswith("data: {")]
    event: Any = construct_type(type_=TranscriptionTextDoneEvent, value=events[-1])
    return event


def tokens_heard(recording: Recording) -> Used | None:
    if recording.streamed:
        return Used(input=done(recording).usage.input_tokens, output=done(recording).usage.output_tokens)
    usage = recording.response.get("usage") or {}
    if "input_tokens" in usage:
        return Used(input=usage["input_tokens"], output=usage["output_tokens"])
    if "total_tokens" in usage:  # Mistral's: those of the sound are in the total alone
        return Used(input=usage["total_tokens"] - usage["completion_tokens"], output=usage["completion_tokens"])
    return None


def length_ms(recording: Recording) -> int:
    """The length of a sound that went in, as the answer says it."""
    if recording.streamed:
        return 0
    body = recording.response
    usage = body.get("usage") or {}
    said = body.get("duration") or body.get("metadata", {}).get("duration") or usage.get("seconds") or usage.get("prompt_audio_seconds")
    return round((said or 0) * 1000)


async def problems(recording: Recording, place: MediaPlace, player: Player) -> list[str]:
    """What is wrong with one exchange, a line each."""
    player.replay.plays(recording)
    request = request_of(place.route, recording)
    found: list[str] = []
    try:
        response = await player.gateway.generate(request)
    except CallFailed as failure:
        found += differences(expected(recording), reading_of_failure(failure))
        if not player.replay.asked:
            return [f"not sent: {failure.message}"]
    else:
        found += differences(expected(recording), reading_of(response))
        found += [f"vanished: {text}" for text in vanished(beside_media(recording), response)]
        if recording.endpoint == "transcription" and response.usage.details.input_milliseconds != length_ms(recording):
            found.append(f"length: wanted {length_ms(recording)}, got {response.usage.details.input_milliseconds}")
    asked = player.replay.asked[0]
    if asked.path != recording.url_path:
        found.append(f"path: wanted {recording.url_path}, got {asked.path}")
    sent = fields_sent(asked.headers, asked.body, asked.query)
    wanted = fields_of(recording)
    left = [name for name in FORM_OF_SOUND if name in sent and name not in wanted]
    return found + body_differences(wanted, {name: value for name, value in sent.items() if name not in left}, "request")


def beside_media(recording: Recording) -> Any:
    """What an answer says in words."""
    if not isinstance(recording.response, dict):
        return {}
    body = {name: value for name, value in recording.response.items() if name not in ("data", "audio_data")}
    return body | {"data": [entry.get("revised_prompt") for entry in recording.response.get("data", [])]}


@pytest.mark.full
async def test_recorded_media_are_asked_and_read_as_their_sdk_does(
    wire: Path, player: Callable[[Iterable[Place]], Player], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def download(url: str, *_: object, **__: object) -> tuple[bytes, str]:
        return b"\x89PNG\r\n\x1a\n" + url.encode(), "image/png"

    monkeypatch.setattr(generating, "download", download)
    recorded = [one for streamed in (False, True) for one in calls(wire, set(APIS), streamed=streamed)]
    assert len(recorded) >= 20
    places = {recording: place_of(recording) for recording in recorded}
    places |= {one: MediaPlace(one.provider, places[one].model, Api.SPEECH, voice=one.request["voice"]) for one in recorded if voiced(one)}
    playing = player(places.values())
    wrong = {recording.name: found for recording in recorded if (found := await problems(recording, places[recording], playing))}
    print(f"{len(recorded)} requests for media and transcripts, {len(wrong)} of them wrong")
    assert not wrong, "\n".join(f"{name}\n    " + "\n    ".join(found) for name, found in wrong.items())


def voiced(recording: Recording) -> bool:
    return recording.endpoint == "speech" and "voice" in recording.request
