"""Every recorded stream of chat completions, messages and responses: asked for as it was, passed on in pieces that add up to the answer,
and read as the provider's SDK reads its events.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from genlevel.runtime import settings
from genlevel.runtime.errors import CallFailed
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw
from tests.gateway.streams.cutting import Kind, outcome, read, wrong_cuts
from tests.gateway.streams.test_cut_streams import CHAT, MESSAGES, RESPONSES
from tests.gateway.wire import (
    asking_chat,
    asking_messages,
    asking_responses,
    reading_streams,
    test_wire_chat,
    test_wire_messages,
    test_wire_responses,
)
from tests.gateway.wire.comparing import Reading, body_differences, differences, reading_of, reading_of_failure, vanished
from tests.gateway.wire.conftest import Place, Player
from tests.gateway.wire.recordings import Recording, calls

FAILURES: tuple[tuple[str, str], ...] = (
    ("model_not_found", "MODEL_GONE"),
    ("tool_use_failed|Token limit reached", "CALLER_FAULT"),
)
SHORT_BYTES = [4_000, pytest.param(10_000, marks=pytest.mark.soak)]  # each byte is a stream to read: twice as long takes four times
"""Streams up to here are cut at every byte, which takes time that grows with its square."""


def failure(recording: Recording) -> Reading:
    """What a recorded failure means."""
    said = recording.body.decode()
    return next((Reading(error=kind) for words, kind in FAILURES if re.search(words, said)), Reading(error="one that FAILURES lacks"))


class Pieces(list[ct.Part]):
    """What was passed on."""

    async def __call__(self, pieces: Sequence[ct.Part]) -> None:
        self.extend(pieces)


async def problems(recording: Recording, api: Api, player: Player, request: gw.GenerateRequest) -> list[str]:
    """What is wrong with how one stream was read, a line each."""
    player.replay.plays(recording)
    expected = api.reading(recording.body) if recording.status < 300 else None
    pieces = Pieces()
    try:
        response = await player.gateway.stream(request, pieces)
    except CallFailed as failed:
        return (
            differences(expected or failure(recording), reading_of_failure(failed))
            if player.replay.asked
            else [f"not sent: {failed.message}"]
        )
    if response.usage_estimated:
        response.ClearField("usage")
    found = differences(expected or failure(recording), reading_of(response))
    found += [f"vanished: {text}" for text in vanished(read(api.kind, recording.body)[1], response, api.of_the_call)]
    for name in ("text", "reasoning"):
        passed_on = "".join(_text(piece, name) for piece in pieces)
        if passed_on != "".join(_text(part, name) for part in response.parts):
            found.append(f"the pieces of {name} are not those of the answer: {passed_on[-80:]!r}")
    called = [[part.tool_call for part in parts if part.HasField("tool_call")] for parts in (pieces, response.parts)]
    if called[0] != called[1]:
        found.append(f"the tool calls that were passed on are not those of the answer: {called}")
    return found


def _text(part: ct.Part, name: str) -> str:
    return part.reasoning.text if name == "reasoning" else part.text


def asked_wrongly(sent: dict[str, Any], place: Place) -> list[str]:
    """What is wrong with how a stream was asked for. Takes that out of the body."""
    options = sent.pop("stream_options", None)
    wanted = {"include_usage": True} if place.api is settings.Api.CHAT and place.provider != "mistral" else None
    return [] if sent.pop("stream", None) is True and options == wanted else [f"asked for a stream with {options}"]


def chat_request(place: Place, asked: dict[str, Any]) -> gw.GenerateRequest:
    capabilities = place.adapter.capabilities
    return asking_chat.request_of(place.route, asked, capabilities.parameters, capabilities.special)


def message_request(place: Place, asked: dict[str, Any]) -> gw.GenerateRequest:
    return asking_messages.request_of(place.route, asked, place.adapter.capabilities.parameters)


def response_request(place: Place, asked: dict[str, Any]) -> gw.GenerateRequest:
    capabilities = place.adapter.capabilities
    return asking_responses.request_of(place.route, asked, capabilities.parameters, capabilities.special)


class Api(NamedTuple):
    """How the recordings of an API are asked and read.

    adds: what the gateway's bodies have that a recorded one may lack. of_the_call: fields of an answer that say nothing of what the model
    said.
    """

    place_of: Callable[[Recording], Place]
    request_of: Callable[[Place, dict[str, Any]], gw.GenerateRequest]
    plain: Callable[[dict[str, Any]], dict[str, Any]]
    reading: Callable[[bytes], Reading | None]
    adds: Callable[[Place], dict[str, Any]]
    kind: Kind
    of_the_call: Collection[str]


APIS = {
    "chat": Api(
        test_wire_chat.place_of,
        chat_request,
        asking_chat.plain,
        reading_streams.chat,
        lambda place: {"model": place.model},
        CHAT,
        test_wire_chat.OF_THE_CALL,
    ),
    "messages": Api(
        lambda recording: Place("anthropic", recording.request["model"], settings.Api.MESSAGES),
        message_request,
        asking_messages.plain,
        reading_streams.messages,
        lambda place: {},
        MESSAGES,
        test_wire_messages.OF_THE_CALL,
    ),
    "responses": Api(
        test_wire_responses.place_of,
        response_request,
        asking_responses.plain,
        reading_streams.responses,
        lambda place: {"store": False},
        RESPONSES,
        test_wire_responses.OF_THE_CALL,
    ),
}


@pytest.mark.full
@pytest.mark.parametrize("endpoint", APIS)
async def test_recorded_streams_are_asked_and_read_as_their_sdk_does(
    wire: Path, player: Callable[[Iterable[Place]], Player], endpoint: str
) -> None:
    api = APIS[endpoint]
    recorded = calls(wire, {endpoint}, streamed=True)
    places = {recording: api.place_of(recording) for recording in recorded}
    playing = player(places.values())
    wrong = {}
    for recording, place in places.items():
        asked = {name: value for name, value in recording.request.items() if name not in ("stream", "stream_options")}
        found = await problems(recording, api, playing, api.request_of(place, asked))
        if playing.replay.asked:
            sent = playing.replay.asked[0].body
            found += asked_wrongly(sent, place)
            kept = {"store": True} if asked.get("background") else {}  # what is answered in the background is fetched again
            found += body_differences(api.plain({**api.adds(place), **kept, **asked}), api.plain(sent), "request")
        if found:
            wrong[recording.name] = found
    print(f"{len(recorded)} streams of {endpoint}, {len(wrong)} of them wrong")
    assert recorded
    assert not wrong, "\n".join(f"{name}\n    " + "\n    ".join(found) for name, found in wrong.items())


@pytest.mark.full
@pytest.mark.parametrize("shorter_than", SHORT_BYTES)
@pytest.mark.parametrize("endpoint", APIS)
def test_a_recorded_stream_cut_off_at_any_byte_is_a_failure_or_the_whole_answer(wire: Path, endpoint: str, *, shorter_than: int) -> None:
    kind = APIS[endpoint].kind
    streams = [one for one in calls(wire, {endpoint}, streamed=True) if one.status < 300 and not isinstance(outcome(kind, one.body), str)]
    whole = [one for one in streams if len(one.body) < shorter_than] or [min(streams, key=lambda one: len(one.body))]
    wrong = {one.name: found for one in whole if (found := wrong_cuts(kind, one.body))}
    print(f"{len(whole)} streams of {endpoint}, cut at {sum(len(one.body) for one in whole)} bytes")
    assert not wrong
