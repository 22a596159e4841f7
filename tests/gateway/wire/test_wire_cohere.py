"""Every recorded exchange of Cohere's chat API: its request goes out as it did, and its answer is read as the cohere package reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from genlevel.runtime.errors import CallFailed
from genlevel.runtime.settings import Api
from tests.gateway.wire import reading_cohere
from tests.gateway.wire.asking_cohere import older_request_of, plain, request_of
from tests.gateway.wire.comparing import body_differences, differences, reading_of, vanished
from tests.gateway.wire.conftest import Place, Player
from tests.gateway.wire.recordings import Recording, calls
from tests.gateway.wire.streaming import Pieces


def place_of(recording: Recording) -> Place:
    """Version 1 of the API is another."""
    return Place("cohere", recording.request["model"], Api.GENERATE if recording.url_path.startswith("/v1/") else Api.CHAT)


async def problems(recording: Recording, place: Place, player: Player) -> list[str]:
    """What is wrong with one exchange, a line each."""
    player.replay.plays(recording)
    older = place.api is Api.GENERATE
    request, pieces = (older_request_of if older else request_of)(place.route, recording.request), Pieces()
    try:
        response = await (player.gateway.stream(request, pieces) if recording.streamed else player.gateway.generate(request))
    except CallFailed as failure:
        return [f"failed: {failure.message}"]
    if older:
        found = differences(reading_cohere.older_reading(recording.body, streamed=recording.streamed), reading_of(response))
    elif recording.streamed:
        found = differences(reading_cohere.stream_reading(recording.body), reading_of(response))
    else:
        found = differences(reading_cohere.reading(recording.response), reading_of(response))
        found += [f"vanished: {text}" for text in vanished(recording.response, response, {"finish_reason"})]
    if recording.streamed:
        found += pieces.differences(response)
    (asked,) = player.replay.asked
    if asked.body.get("stream", False) is not recording.streamed:
        found.append("asked for a stream, or not for one")
    found += body_differences(plain(recording.request), plain(asked.body), "request")
    return found if asked.path == recording.url_path else [*found, f"path: {asked.path}"]


@pytest.mark.full
async def test_recorded_chats_are_asked_and_read_as_their_sdk_does(wire: Path, player: Callable[[Iterable[Place]], Player]) -> None:
    recorded = [one for streamed in (False, True) for one in calls(wire, {"cohere.native"}, streamed=streamed, providers={"cohere"})]
    places = {recording: place_of(recording) for recording in recorded}
    playing = player(places.values())
    wrong = {recording.name: found for recording in recorded if (found := await problems(recording, places[recording], playing))}
    print(f"{len(recorded)} calls of Cohere's chat, {len(wrong)} of them wrong")
    assert not wrong, "\n".join(f"{name}\n    " + "\n    ".join(found) for name, found in wrong.items())
