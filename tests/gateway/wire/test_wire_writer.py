"""Every recorded chat of Writer, whole and in streams, which are OpenAI's chat completions at a path of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from genlevel.runtime.settings import Api
from tests.gateway.wire import reading_streams
from tests.gateway.wire.asking_chat import request_of
from tests.gateway.wire.comparing import Reading, differences, reading_of
from tests.gateway.wire.conftest import Place, Player
from tests.gateway.wire.recordings import Recording, calls
from tests.gateway.wire.streaming import Pieces
from tests.gateway.wire.test_wire_chat import problems


async def wrong_with(recording: Recording, place: Place, player: Player) -> list[str]:
    """What is wrong with one exchange, a line each."""
    if not recording.streamed:
        found = await problems(recording, place, player)
    else:
        player.replay.plays(recording)
        capabilities, pieces = place.adapter.capabilities, Pieces()
        request = request_of(place.route, recording.request, capabilities.parameters, capabilities.special)
        request.ClearField("extra_json")  # it asks for what was used, which the gateway does by itself, and for two answers
        response = await player.gateway.stream(request, pieces)
        found = differences((reading_streams.chat(recording.body) or Reading()), reading_of(response)) + pieces.differences(response)
    return found if player.replay.asked[0].path == recording.url_path else [*found, "asked elsewhere"]


@pytest.mark.full
async def test_recorded_chats_are_asked_and_read_as_openais_sdk_does(wire: Path, player: Callable[[Iterable[Place]], Player]) -> None:
    found = [one for streamed in (False, True) for one in calls(wire, {"cohere.native"}, streamed=streamed, providers={"writer"})]
    recorded = [one for one in found if isinstance(one.request, dict)]
    places = {recording: Place("writer", recording.request["model"], Api.CHAT) for recording in recorded}
    playing = player(places.values())
    wrong = {recording.name: found for recording in recorded if (found := await wrong_with(recording, places[recording], playing))}
    print(f"{len(recorded)} chats of Writer, {len(wrong)} of them wrong")
    assert not wrong, "\n".join(f"{name}\n    " + "\n    ".join(found) for name, found in wrong.items())
