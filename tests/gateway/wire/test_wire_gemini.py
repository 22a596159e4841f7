"""Every recorded call of Gemini, at AI Studio and Vertex AI: it goes out as it did, and its answer is read as google-genai reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.streams.gemini import GeminiAssembler
from gateway.streams.listed import EventsOrList
from gateway.streams.reading import Reading as Stream
from genlevel.runtime.errors import CallFailed
from genlevel.runtime.settings import Account, Api, Route
from tests.gateway.wire import reading_gemini
from tests.gateway.wire.asking_gemini import plain, request_of
from tests.gateway.wire.comparing import Reading, body_differences, differences, reading_of, reading_of_failure, vanished
from tests.gateway.wire.conftest import KEY, Place, Player
from tests.gateway.wire.recordings import Recording, calls
from tests.gateway.wire.streaming import Pieces

# What each failure means: words of the recorded body -> class.
FAILURES: tuple[tuple[str, str], ...] = (
    ("API key not valid", "CREDENTIAL"),
    ("Resource exhausted", "RATE_LIMIT"),
    ("exceeds the maximum number of tokens", "CONTEXT_TOO_LONG"),
    ("temperature value|Cannot fetch content from the provided URL", "CALLER_FAULT"),
)
# What says nothing: when, and that calls were made.
SAY_NOTHING = ("createTime", "finishMessage")
RAW_SOUND = "audio/L16"  # which becomes a WAV file


@dataclass(frozen=True)
class GooglePlace(Place):
    """A model at AI Studio, or in a project's location."""

    project: str = ""
    region: str = ""
    version: str = ""

    @property
    def account(self) -> str:
        return f"{self.provider} {self.project} {self.region} {self.version}".strip()

    def account_settings(self) -> Account:
        return Account(provider=self.provider, api_key_env=KEY, project=self.project, region=self.region, api_version=self.version)

    def route_settings(self) -> Route:
        return super().route_settings().model_copy(update={"output_modalities": ["text", "image", "audio"]})


def place_of(recording: Recording) -> GooglePlace:
    """Who answers a recording."""
    model = recording.url_path.rpartition("/")[2].partition(":")[0]
    if recording.provider == "gemini":
        return GooglePlace("gemini", model, Api.GENERATE)
    version, *parts = _path(recording).strip("/").split("/")
    project, region = (parts[1], parts[3]) if parts[0] == "projects" else ("", "")
    return GooglePlace("vertex", model, Api.GENERATE, project=project, region=region, version=version)


def _path(recording: Recording) -> str:
    """With what stands for the names of projects and regions."""
    return re.sub("[<>]", "", recording.url_path)


def expected(recording: Recording) -> Reading:
    """What the recorded answer says."""
    if recording.status < 300:
        return reading_gemini.reading(chunks_of(recording))
    said = recording.body.decode()
    return next((Reading(error=kind) for words, kind in FAILURES if re.search(words, said)), Reading(error="one that FAILURES lacks"))


def chunks_of(recording: Recording) -> list[dict[str, Any]]:
    """The body, or the chunks of a stream, which some clients asked for as one JSON list."""
    if isinstance(recording.response, str):
        return [json.loads(line.removeprefix("data:")) for line in recording.response.splitlines() if line.startswith("data:")]
    return recording.response if isinstance(recording.response, list) else [recording.response]


def telling(answer: Any) -> Any:
    """An answer without what says nothing, or is put in another form."""
    if isinstance(answer, list):
        return [telling(one) for one in answer]
    if not isinstance(answer, dict):
        return answer
    if str(answer.get("mimeType", "")).startswith(RAW_SOUND):
        return {}
    told = {name: telling(value) for name, value in answer.items() if name not in SAY_NOTHING}
    return told if answer.get("finishReason") == "STOP" else told | {"finishMessage": answer.get("finishMessage")}


async def problems(recording: Recording, place: GooglePlace, player: Player) -> list[str]:
    """What is wrong with one exchange, a line each."""
    player.replay.plays(recording)
    capabilities = place.adapter.capabilities
    request, pieces = request_of(place.route, recording.request, capabilities.parameters, capabilities.special), Pieces()
    found: list[str] = []
    try:
        response = await (player.gateway.stream(request, pieces) if recording.streamed else player.gateway.generate(request))
    except CallFailed as failure:
        found += differences(expected(recording), reading_of_failure(failure))
        if not player.replay.asked:
            return [f"not sent: {failure.message}"]
    else:
        found += differences(expected(recording), reading_of(response))
        if recording.streamed:
            found += pieces.differences(response)
        else:
            found += [f"vanished: {text}" for text in vanished(telling(recording.response), response)]
    asked = player.replay.asked[0]
    found += body_differences(plain(recording.request), plain(asked.body), "request")
    if asked.path != _path(recording):
        found.append(f"path: wanted {_path(recording)}, sent {asked.path}")
    if asked.query != ({"alt": "sse"} if recording.streamed else {}):
        found.append(f"query: {asked.query}")
    if "x-goog-api-key" not in asked.headers or "authorization" in asked.headers:
        found.append(f"headers: {sorted(asked.headers)}")
    return found


@pytest.mark.full
@pytest.mark.parametrize("streamed", [False, True])
async def test_recorded_calls_of_gemini_are_asked_and_read_as_its_sdk_does(
    *, streamed: bool, wire: Path, player: Callable[[Iterable[Place]], Player]
) -> None:
    recorded = calls(wire, {"gemini"}, streamed=streamed)
    places = {recording: place_of(recording) for recording in recorded}
    playing = player(places.values())
    wrong = {recording.name: found for recording in recorded if (found := await problems(recording, places[recording], playing))}
    print(f"{len(recorded)} {'streams' if streamed else 'calls'} of Gemini, {len(wrong)} of them wrong")
    assert not wrong, "\n".join(f"{name}\n    " + "\n    ".join(found) for name, found in wrong.items())


def assembled(stream: bytes) -> dict[str, Any]:
    """The body that a stream amounts to. Raises ValueError if it is cut."""
    found = Stream(EventsOrList(), GeminiAssembler())
    found.feed(stream)
    body: dict[str, Any] = found.end()
    return body


@pytest.mark.full
def test_a_stream_of_gemini_that_is_cut_at_any_byte_is_whole_or_no_answer(wire: Path) -> None:
    shortest = sorted(calls(wire, {"gemini"}, streamed=True), key=lambda recording: len(recording.body))[:16]
    for recording in shortest:
        whole = assembled(recording.body)
        for end in range(len(recording.body)):
            try:
                assert assembled(recording.body[:end]) == whole, f"{recording.name} cut at {end}"
            except ValueError:
                continue
