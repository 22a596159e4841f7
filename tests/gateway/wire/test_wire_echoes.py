"""What a model has said can be sent back to it: an answer's parts, as a message of the next request, become the message that they were."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from genlevel.runtime.errors import CallFailed
from genlevel.runtime.settings import Api
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw
from tests.gateway.wire import test_wire_chat, test_wire_responses
from tests.gateway.wire.asking_chat import plain_message
from tests.gateway.wire.comparing import body_differences, canonical, without_nothing
from tests.gateway.wire.conftest import Place, Player
from tests.gateway.wire.recordings import Recording, calls

USER = ct.Message(role=ct.ROLE_USER, parts=[ct.Part(text="Hello")])
Differences = Callable[[Any, Any], list[str]]


def of_chat(answer: Any, body: Any) -> list[str]:
    """The message of the first choice, less what only answers have."""
    said = without_nothing(answer["choices"][0]["message"])
    for name in ("refusal", "audio"):
        said.pop(name, None)
    said = {name: value for name, value in said.items() if value not in ("", [], {}, {"name": "", "arguments": ""})}
    if "function_call" in said:
        said["function_call"]["arguments"] = canonical(said["function_call"]["arguments"])
    for call in said.get("tool_calls", ()):
        call.pop("custom", None)
    for block in said.get("content", ()) if isinstance(said.get("content"), list) else ():
        block.pop("closed", None)
    sent = body["messages"][1]
    if "function_call" in sent:
        sent["function_call"]["arguments"] = canonical(sent["function_call"]["arguments"])
    if "reasoning_details" in said and "reasoning" not in said:
        sent.pop("reasoning", None)
        sent.pop("reasoning_content", None)
    return body_differences(plain_message(said), plain_message(without_nothing(sent)))


def of_messages(answer: Any, body: Any) -> list[str]:
    """The blocks."""
    said = [without_nothing(block) for block in answer["content"]]
    for block in said:
        if block["type"] == "tool_use" and block.get("caller") == {"type": "direct"}:
            del block["caller"]
    said = [block for block in said if block.get("text") != ""]
    sent = without_nothing(body["messages"][1]["content"])
    return body_differences(said, [{"type": "text", "text": sent}] if isinstance(sent, str) else sent)


def of_responses(answer: Any, body: Any) -> list[str]:
    """The items, less their ids and states, which only a conversation that is stored has."""
    said = [item for item in map(_plain_item, answer["output"]) if item != {"type": "reasoning", "summary": []}]
    sent = list(map(_plain_item, body["input"][1:-1]))
    return body_differences([item for item in said if item["type"] != "message" or item.get("content")], sent)


def _plain_item(item: Any) -> dict[str, Any]:
    plain = without_nothing(item)
    if plain.get("type", "message") == "message":
        plain["type"] = "message"
        plain["content"] = [
            {name: value for name, value in block.items() if name != "logprobs" and value != []}
            for block in plain["content"]
            if block.get("text") != ""
        ]
    if "arguments" in plain:
        plain["arguments"] = canonical(plain["arguments"])
    known = ("function_call", "message", "reasoning", "image_generation_call")
    beside = ("id", "status", "item_id", "output_index") if plain["type"] in known else ()
    return {name: value for name, value in plain.items() if (name not in beside and value != []) or name == "summary"}


async def problems(recording: Recording, place: Place, player: Player, differences: Differences) -> list[str]:
    """What is wrong with one answer that is sent back."""
    player.replay.plays(recording)
    try:
        answer = await player.gateway.generate(gw.GenerateRequest(route=place.route, messages=[USER]))
    except CallFailed:
        return []
    if not answer.parts:
        return []
    said = ct.Message(role=ct.ROLE_ASSISTANT, parts=answer.parts)
    player.replay.plays(recording)
    try:
        await player.gateway.generate(gw.GenerateRequest(route=place.route, messages=[USER, said, USER]))
    except CallFailed as failure:
        return [f"not sent: {failure.message}"]
    return differences(recording.response, player.replay.asked[0].body)


@pytest.mark.full
@pytest.mark.parametrize("endpoint", ["chat", "messages", "responses"])
async def test_what_was_said_is_sent_back_as_it_was(endpoint: str, wire: Path, player: Callable[[Iterable[Place]], Player]) -> None:
    said = [one for one in calls(wire, {endpoint}, streamed=False) if one.status < 300]
    recorded = [one for one in said if one.response.get("status") != "queued"]
    place_of: Callable[[Recording], Place] = {
        "chat": test_wire_chat.place_of,
        "responses": test_wire_responses.place_of,
        "messages": lambda one: Place("anthropic", one.request["model"], Api.MESSAGES),
    }[endpoint]
    differences: Differences = {"chat": of_chat, "messages": of_messages, "responses": of_responses}[endpoint]
    places = {recording: place_of(recording) for recording in recorded}
    playing = player(places.values())
    wrong = {one.name: found for one in recorded if (found := await problems(one, places[one], playing, differences))}
    print(f"{len(recorded)} answers, {len(wrong)} of them not sent back as they were")
    assert not wrong, "\n".join(f"{name}\n    " + "\n    ".join(found) for name, found in wrong.items())
