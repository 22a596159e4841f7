"""Every recorded message of Anthropic's API: its request goes out as it did, and its answer is read as Anthropic's SDK reads it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from genlevel.runtime.errors import CallFailed
from genlevel.runtime.settings import Api
from tests.gateway.wire import reading_messages
from tests.gateway.wire.asking_messages import plain, request_of
from tests.gateway.wire.comparing import Reading, body_differences, differences, reading_of, reading_of_failure, vanished
from tests.gateway.wire.conftest import Place, Player
from tests.gateway.wire.recordings import Recording, calls

# What an answer says of the call, and not of what the model said.
OF_THE_CALL = {"usage", "stop_reason"}
FAILURES: tuple[tuple[str, str], ...] = (
    ("authentication_error", "CREDENTIAL"),
    ("not_found_error", "MODEL_GONE"),
    ("does not support effort level", "CALLER_FAULT"),
)


def expected(recording: Recording) -> Reading:
    """What the recorded answer says."""
    if recording.status < 300:
        return reading_messages.reading(recording.response)
    said = recording.body.decode()
    return next((Reading(error=kind) for words, kind in FAILURES if re.search(words, said)), Reading(error="one that FAILURES lacks"))


async def problems(recording: Recording, place: Place, player: Player) -> list[str]:
    """What is wrong with one exchange, a line each."""
    player.replay.plays(recording)
    request = request_of(place.route, recording.request, place.adapter.capabilities.parameters)
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
    asked = player.replay.asked[0]
    if not recording.url_path.endswith(asked.path):
        found.append(f"path: wanted {recording.url_path}, asked {asked.path}")
    found += body_differences(plain(recording.request), plain(asked.body), "request")
    return found


@pytest.mark.full
async def test_recorded_messages_are_asked_and_read_as_their_sdk_does(wire: Path, player: Callable[[Iterable[Place]], Player]) -> None:
    recorded = calls(wire, {"messages"}, streamed=False)
    places = {recording: Place("anthropic", recording.request["model"], Api.MESSAGES) for recording in recorded}
    playing = player(places.values())
    wrong = {recording.name: found for recording in recorded if (found := await problems(recording, places[recording], playing))}
    print(f"{len(recorded)} messages, {len(wrong)} of them wrong")
    assert not wrong, "\n".join(f"{name}\n    " + "\n    ".join(found) for name, found in wrong.items())
