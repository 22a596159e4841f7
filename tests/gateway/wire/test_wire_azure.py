"""Every recorded exchange with Azure: asked where it was, of a deployment, of the API without versions or of Foundry's models."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from genlevel.runtime.settings import Api
from tests.gateway.wire import test_wire_chat, test_wire_responses, test_wire_streams
from tests.gateway.wire.conftest import Place, Player
from tests.gateway.wire.recordings import Recording, calls

VERSION = "2024-10-21"


def place_of(recording: Recording) -> Place:
    """The account's address as a person would write it."""
    resource, path = f"https://{recording.host}", recording.url_path
    if recording.endpoint == "responses":
        return Place("azure", recording.request["model"], Api.RESPONSES, resource)
    if path.startswith("/models/"):
        return Place("azure-ai", recording.request["model"], Api.CHAT, f"{resource}/models")
    return Place("azure", path.split("/")[3], Api.CHAT, resource, VERSION)


async def problems(recording: Recording, place: Place, player: Player) -> list[str]:
    """What is wrong with one exchange, a line each."""
    # The body has the deployment as its model, as that of OpenAI's SDK has the name that it was given.
    read = test_wire_responses.problems if place.api is Api.RESPONSES else test_wire_chat.problems
    found = [line for line in await read(recording, place, player) if not line.startswith("request.model:")]
    for asked in player.replay.asked:
        if asked.path != recording.url_path:
            found.append(f"path: wanted {recording.url_path}, asked {asked.path}")
        if asked.query.keys() != set(recording.query):
            found.append(f"query: wanted {recording.query}, asked {asked.query}")
        if "api-key" not in asked.headers or "authorization" in asked.headers:
            found.append("the key is not where Azure looks for it")
    return found


async def stream_problems(recording: Recording, place: Place, player: Player) -> list[str]:
    """What is wrong with one stream, a line each."""
    api = test_wire_streams.APIS[recording.endpoint]
    # The gateway asks for what was used by itself.
    said = {name: value for name, value in recording.request.items() if name != "stream_options"}
    found = await test_wire_streams.problems(recording, api, player, api.request_of(place, said))
    (asked,) = player.replay.asked
    return found if (asked.path, asked.body["stream"]) == (recording.url_path, True) else [*found, f"path: {asked.path}"]


@pytest.mark.full
async def test_recorded_calls_are_asked_where_azure_has_them(wire: Path, player: Callable[[Iterable[Place]], Player]) -> None:
    recorded = calls(wire, {"chat", "responses"}, streamed=False, providers={"azure"})
    places = {recording: place_of(recording) for recording in recorded}
    playing = player(places.values())
    wrong = {recording.name: found for recording in recorded if (found := await problems(recording, places[recording], playing))}
    print(f"{len(recorded)} calls of Azure, {len(wrong)} of them wrong")
    assert not wrong, "\n".join(f"{name}\n    " + "\n    ".join(found) for name, found in wrong.items())


@pytest.mark.full
async def test_recorded_streams_are_asked_where_azure_has_them(wire: Path, player: Callable[[Iterable[Place]], Player]) -> None:
    recorded = calls(wire, {"chat", "responses"}, streamed=True, providers={"azure"})
    places = {recording: place_of(recording) for recording in recorded}
    playing = player(places.values())
    wrong = {recording.name: found for recording in recorded if (found := await stream_problems(recording, places[recording], playing))}
    print(f"{len(recorded)} streams of Azure, {len(wrong)} of them wrong")
    assert not wrong, "\n".join(f"{name}\n    " + "\n    ".join(found) for name, found in wrong.items())
