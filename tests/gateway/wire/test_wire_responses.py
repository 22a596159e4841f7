"""Every recorded response of OpenAI's responses API: its request goes out as it did, and its answer is read as OpenAI's SDK reads it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from openai.types.responses import Response

from gateway.providers import PROVIDERS
from genlevel.runtime.errors import CallFailed
from genlevel.runtime.settings import Api
from tests.gateway.wire import reading_responses
from tests.gateway.wire.asking_responses import plain, request_of
from tests.gateway.wire.comparing import Reading, body_differences, differences, reading_of, reading_of_failure, vanished
from tests.gateway.wire.conftest import Place, Player
from tests.gateway.wire.recordings import Recording, calls

# What only repeats the request, or says something of the call and not of what the model said.
OF_THE_CALL = {
    *Response.model_fields.keys() - {"output", "moderation"},
    "billing",
    "content_filters",
    "frequency_penalty",
    "presence_penalty",
}
FAILURES: tuple[tuple[str, str], ...] = (
    ("Incorrect API key", "CREDENTIAL"),
    ("does not exist", "MODEL_GONE"),
    ("context_length_exceeded", "CONTEXT_TOO_LONG"),
    ("Invalid file data", "CALLER_FAULT"),
)


def place_of(recording: Recording) -> Place:
    """Who answers a recording: the provider's row if it has this API, else OpenAI's."""
    row = PROVIDERS.get(recording.provider)
    provider = recording.provider if row is not None and row.implied and Api.RESPONSES in row.apis else "openai"
    return Place(provider, recording.request["model"], Api.RESPONSES)


def expected(recording: Recording) -> Reading:
    """What the recorded answer says."""
    if recording.status < 300:
        return reading_responses.reading(recording.response)
    said = recording.body.decode()
    return next((Reading(error=kind) for words, kind in FAILURES if re.search(words, said)), Reading(error="one that FAILURES lacks"))


async def problems(recording: Recording, place: Place, player: Player) -> list[str]:
    """What is wrong with one exchange, a line each."""
    player.replay.plays(recording)
    capabilities = place.adapter.capabilities
    request = request_of(place.route, recording.request, capabilities.parameters, capabilities.special)
    found: list[str] = []
    try:
        response = await player.gateway.generate(request)
    except CallFailed as failure:
        found += differences(expected(recording), reading_of_failure(failure))
        if not player.replay.asked:
            return [f"not sent: {failure.message}"]
    else:
        found += differences(expected(recording), reading_of(response))
        found += [f"vanished: {text}" for text in vanished(recording.response, response, OF_THE_CALL)]
    wanted = {"store": False, **recording.request}  # nobody's conversations are kept unless the request says so
    found += body_differences(plain(wanted), plain(player.replay.asked[0].body), "request")
    return found


@pytest.mark.full
async def test_recorded_responses_are_asked_and_read_as_their_sdk_does(wire: Path, player: Callable[[Iterable[Place]], Player]) -> None:
    recorded = calls(wire, {"responses"}, streamed=False)
    places = {recording: place_of(recording) for recording in recorded}
    playing = player(places.values())
    wrong = {recording.name: found for recording in recorded if (found := await problems(recording, places[recording], playing))}
    print(f"{len(recorded)} responses, {len(wrong)} of them wrong")
    assert not wrong, "\n".join(f"{name}\n    " + "\n    ".join(found) for name, found in wrong.items())
