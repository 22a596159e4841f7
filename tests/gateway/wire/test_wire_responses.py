"""Every recorded response of OpenAI's responses API: its request goes out as it did, and its answer is read as OpenAI's SDK reads it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest
from openai.types.responses import Response

from gateway.answering import background
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
LONGEST_S = 1.0
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
    api = Api.COMPACT if recording.endpoint == "responses.compact" else Api.RESPONSES
    return Place(provider, recording.request["model"], api)


def series_of(recording: Recording, fetched: Iterable[Recording]) -> list[Recording]:
    """An answer that is made in the background, as it was asked for again and again; else the answer alone."""
    response_id = recording.response.get("id")
    return [recording, *(one for one in fetched if one.response.get("id") == response_id)]


def expected(recording: Recording) -> Reading:
    """What the recorded answer says."""
    if recording.status < 300:
        if recording.response.get("status") in ("queued", "in_progress"):
            return Reading(error="TIMEOUT")
        return reading_responses.reading(recording.response)
    said = recording.body.decode()
    return next((Reading(error=kind) for words, kind in FAILURES if re.search(words, said)), Reading(error="one that FAILURES lacks"))


async def problems(recording: Recording, place: Place, player: Player, later: Sequence[Recording] = ()) -> list[str]:
    """What is wrong with one exchange, a line each. later: what was fetched after it, while the answer was made in the background."""
    player.replay.plays(recording, *later)
    asked, recording = recording.request, [recording, *later][-1]
    capabilities = place.adapter.capabilities
    request = request_of(place.route, asked, capabilities.parameters, capabilities.special)
    found: list[str] = []
    try:
        response = await player.gateway.generate(request, timeout_s=LONGEST_S)
    except CallFailed as failure:
        found += differences(expected(recording), reading_of_failure(failure))
        if not player.replay.asked:
            return [f"not sent: {failure.message}"]
    else:
        found += differences(expected(recording), reading_of(response))
        found += [f"vanished: {text}" for text in vanished(recording.response, response, OF_THE_CALL)]
    # Nobody's conversations are kept unless the request says so, or could not be answered otherwise.
    kept = {} if place.api is Api.COMPACT else {"store": asked.get("background", False)}
    wanted = {**kept, **asked}
    found += body_differences(plain(wanted), plain(player.replay.asked[0].body), "request")
    return found


@pytest.mark.full
async def test_recorded_responses_are_asked_and_read_as_their_sdk_does(
    wire: Path, player: Callable[[Iterable[Place]], Player], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "WAITING_S", (0.01,))
    recorded = calls(wire, {"responses", "responses.compact"}, streamed=False)
    places = {recording: place_of(recording) for recording in recorded}
    playing, fetched = player(places.values()), calls(wire, {"responses.job"}, streamed=False)
    wrong, left = {}, set(fetched)
    for recording in recorded:
        _, *later = series_of(recording, fetched)
        left -= set(later)
        if found := await problems(recording, places[recording], playing, later):
            wrong[recording.name] = found
    for alone in left:  # whose first answer came as a stream
        playing.replay.plays(alone)
        response = await playing.gateway.generate(request_of(places[recorded[0]].route, {"input": "Hello"}, {}, ()))
        if found := differences(expected(alone), reading_of(response)):
            wrong[alone.name] = found
    print(f"{len(recorded)} responses, {len(wrong)} of them wrong")
    assert not wrong, "\n".join(f"{name}\n    " + "\n    ".join(found) for name, found in wrong.items())
