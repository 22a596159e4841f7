"""Every recorded chat completion: its request goes out as it did, and its answer is read as OpenAI's SDK reads it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from gateway.providers import PROVIDERS
from genlevel.runtime.errors import CallFailed
from genlevel.runtime.settings import Api
from tests.gateway.wire import reading_chat
from tests.gateway.wire.asking_chat import plain, request_of
from tests.gateway.wire.comparing import Reading, body_differences, differences, reading_of, reading_of_failure, vanished
from tests.gateway.wire.conftest import Place, Player, compatible_url
from tests.gateway.wire.recordings import Recording, calls

# What each failure means: words of the recorded body -> class.
FAILURES: tuple[tuple[str, str], ...] = (
    ("does not exist or you do not have access|has been deprecated", "MODEL_GONE"),
    ("Invalid API [Kk]ey|invalid subscription key|Unauthorized", "CREDENTIAL"),
    ("RateLimitReached", "RATE_LIMIT"),
    ("maximum context length is", "CONTEXT_TOO_LONG"),
    ("[Cc]ontent management policy", "CONTENT_REFUSED"),
    ("tool_use_failed|invalid_value|unsupported_value|invalid_image_format", "CALLER_FAULT"),
)


# What an answer says of the call, and not of what the model said.
OF_THE_CALL = {
    "object",
    "usage",
    "usage_breakdown",
    "x_groq",
    "request_id",
    "prompt_filter_results",
    "native_finish_reason",
    "service_tier",
}
# Who answers under several paths: with and without a version, or one for each company behind it.
OTHER_PATHS = {"deepseek", "huggingface"}
# Asked at an address of one's own: a deployment, a region, a server.
OF_OWN_ADDRESS = frozenset({"azure", "bedrock", "gemini", "local"})


def place_of(recording: Recording) -> Place:
    """Who answers a recording: the provider's row, else its server by its address."""
    model = recording.request.get("model") or recording.url_path.split("/")[3]
    row = PROVIDERS.get(recording.provider)
    if row is not None and Api.CHAT in row.apis and recording.provider not in OF_OWN_ADDRESS:
        return Place(recording.provider, model, Api.CHAT)
    return Place("compatible", model, Api.CHAT, compatible_url(recording, "chat/completions"))


def expected(recording: Recording) -> Reading:
    """What the recorded answer says."""
    if recording.status < 300 and not recording.response.get("error"):
        return reading_chat.reading(recording.response)
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
    asked = player.replay.asked[0]
    if asked.path != recording.url_path and recording.provider not in OTHER_PATHS:
        found.append(f"path: wanted {recording.url_path}, asked {asked.path}")
    wanted = {"model": place.model, **recording.request}
    found += body_differences(plain(wanted), plain(asked.body), "request")
    return found


@pytest.mark.full
async def test_recorded_chat_completions_are_asked_and_read_as_their_sdk_does(
    wire: Path, player: Callable[[Iterable[Place]], Player]
) -> None:
    recorded = calls(wire, {"chat"}, streamed=False)
    places = {recording: place_of(recording) for recording in recorded}
    playing = player(places.values())
    wrong = {recording.name: found for recording in recorded if (found := await problems(recording, places[recording], playing))}
    print(f"{len(recorded)} chat completions, {len(wrong)} of them wrong")
    assert not wrong, "\n".join(f"{name}\n    " + "\n    ".join(found) for name, found in wrong.items())
