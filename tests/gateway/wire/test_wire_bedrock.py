"""Every recorded exchange of Bedrock's Converse API: its request goes out as it did, and its answer is read as botocore reads it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import unquote

import pytest

from genlevel.runtime.errors import CallFailed
from genlevel.runtime.settings import Api
from tests.gateway.wire import reading_bedrock
from tests.gateway.wire.asking_bedrock import plain, request_of
from tests.gateway.wire.comparing import Reading, body_differences, differences, reading_of, reading_of_failure, vanished
from tests.gateway.wire.conftest import Place, Player
from tests.gateway.wire.recordings import Recording, calls
from tests.gateway.wire.streaming import Pieces

# What each failure means: words of the recorded body -> class. The recordings lack the header with the name of the error.
FAILURES: tuple[tuple[str, str], ...] = (
    ("security token included in the request is invalid", "CREDENTIAL"),
    ("Input Tokens Exceeded", "CONTEXT_TOO_LONG"),
    ("model identifier is invalid", "MODEL_GONE"),
    ("doesn't support the (video content block|s3Uri field)", "UNSUPPORTED"),
    ("Malformed input request", "CALLER_FAULT"),
)


def place_of(recording: Recording) -> Place:
    model = unquote(recording.url_path).removeprefix("/model/").rpartition("/")[0]
    return Place("bedrock", model, Api.CONVERSE)


def expected(recording: Recording) -> Reading:
    """What the recorded answer says."""
    if recording.status < 300:
        return reading_bedrock.stream_reading(recording.body) if recording.streamed else _whole(recording)
    said = recording.body.decode()
    return next((Reading(error=kind) for words, kind in FAILURES if re.search(words, said)), Reading(error="one that FAILURES lacks"))


def _whole(recording: Recording) -> Reading:
    return reading_bedrock.reading(recording.body, recording.headers)


async def problems(recording: Recording, place: Place, player: Player) -> list[str]:
    """What is wrong with one exchange, a line each."""
    player.replay.plays(recording)
    found: list[str] = []
    request, pieces = request_of(place.route, recording.request), Pieces()
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
            found += [f"vanished: {text}" for text in vanished(recording.response, response, {"stopReason"})]
    (asked,) = player.replay.asked
    found += body_differences(plain(recording.request), plain(asked.body), "request")
    if unquote(asked.path) != unquote(recording.url_path):
        found.append(f"path: wanted {recording.url_path}, asked {asked.path}")
    return found


@pytest.mark.full
async def test_recorded_converse_calls_are_asked_and_read_as_botocore_does(
    wire: Path, player: Callable[[Iterable[Place]], Player], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    found = [one for streamed in (False, True) for one in calls(wire, {"bedrock.native"}, streamed=streamed)]
    recorded = [one for one in found if isinstance(one.request, dict)]
    places = {recording: place_of(recording) for recording in recorded}
    playing = player(places.values())
    wrong = {recording.name: found for recording in recorded if (found := await problems(recording, places[recording], playing))}
    print(f"{len(recorded)} calls of Converse, {len(wrong)} of them wrong")
    assert not wrong, "\n".join(f"{name}\n    " + "\n    ".join(found) for name, found in wrong.items())
