"""Every recorded exchange of Ollama's own APIs, whole and in streams: asked as it was, and read as it is written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from genlevel.runtime.errors import CallFailed
from genlevel.runtime.settings import Api
from tests.gateway.wire.asking_ollama import plain, request_of
from tests.gateway.wire.comparing import Reading, Used, body_differences, canonical, differences, reading_of
from tests.gateway.wire.conftest import Place, Player
from tests.gateway.wire.recordings import Recording, calls
from tests.gateway.wire.streaming import Pieces

FINISHES = {"stop": "STOP", "length": "LENGTH"}


def expected(recording: Recording) -> Reading:
    """What an answer says: one object, or all of a stream's (https://docs.ollama.com/api)."""
    read: list[dict[str, Any]] = [json.loads(line) for line in recording.body.splitlines() if line.strip()]
    said = [one.get("message", {"content": one.get("response", ""), "thinking": one.get("thinking", "")}) for one in read]
    called = [call["function"] for message in said for call in message.get("tool_calls", ())]
    finish = FINISHES.get(read[-1]["done_reason"], "OTHER")
    used = Used(read[-1].get("prompt_eval_count", 0), 0, 0, read[-1].get("eval_count", 0), 0)
    return Reading(
        text="".join(message.get("content", "") for message in said),
        reasoning="".join(message.get("thinking", "") for message in said),
        calls=tuple(("", call["name"], canonical(call["arguments"])) for call in called),
        finish="TOOL_CALLS" if called and finish == "STOP" else finish,
        used=used,
    )


async def problems(recording: Recording, place: Place, player: Player) -> list[str]:
    """What is wrong with one exchange, a line each."""
    player.replay.plays(recording)
    request, pieces = request_of(place.route, recording.request), Pieces()
    try:
        response = await (player.gateway.stream(request, pieces) if recording.streamed else player.gateway.generate(request))
    except CallFailed as failure:
        return [f"failed: {failure.message}"]
    wanted = expected(recording)
    if response.usage_estimated:  # a prompt that came from the server's cache is not counted
        assert wanted.used
        wanted = wanted._replace(used=wanted.used._replace(input=response.usage.input_tokens))
    found = differences(wanted, reading_of(response))
    if recording.streamed:
        found += pieces.differences(response)
    (asked,) = player.replay.asked
    if asked.body["stream"] is not recording.streamed:
        found.append(f"asked for with stream {asked.body['stream']}")
    found += body_differences(plain(recording.request), plain(asked.body), "request")
    return found if asked.path == recording.url_path else [*found, f"path: {asked.path}"]


@pytest.mark.full
async def test_recorded_calls_are_asked_and_read_as_their_sdk_does(wire: Path, player: Callable[[Iterable[Place]], Player]) -> None:
    recorded = [one for streamed in (False, True) for one in calls(wire, {"ollama.native"}, streamed=streamed)]
    apis = {"/api/chat": Api.CHAT, "/api/generate": Api.GENERATE}
    places = {recording: Place("ollama-native", recording.request["model"], apis[recording.url_path]) for recording in recorded}
    playing = player(places.values())
    wrong = {recording.name: found for recording in recorded if (found := await problems(recording, places[recording], playing))}
    print(f"{len(recorded)} calls of Ollama's own APIs, {len(wrong)} of them wrong")
    assert not wrong, "\n".join(f"{name}\n    " + "\n    ".join(found) for name, found in wrong.items())
