"""Events of OpenAI's responses amount to the response that the last one has."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.adapters.base import AnswerError, Refused
from gateway.adapters.openai_responses import OpenAIResponses
from gateway.streams.reading import Reading
from gateway.streams.responses import ResponsesAssembler
from gateway.streams.sse import ServerSentEvents
from genlevel.v1 import content_pb2 as ct

CALL = {"type": "function_call", "id": "fc", "call_id": "c", "name": "weather", "arguments": '{"city":"Berlin"}', "status": "completed"}
SAID = {"type": "message", "id": "msg", "role": "assistant", "content": [{"type": "output_text", "text": "Paris", "annotations": []}]}
USAGE = {"input_tokens": 9, "output_tokens": 3, "total_tokens": 12}
RESPONSE = {"id": "resp_1", "object": "response", "model": "m", "status": "completed", "output": [SAID, CALL], "usage": USAGE}
PIECES = [
    {"type": "response.created", "response": {**RESPONSE, "status": "in_progress", "output": [], "usage": None}},
    {"type": "response.reasoning_summary_text.delta", "delta": "Let me", "output_index": 0},
    {"type": "response.reasoning_text.delta", "delta": " see", "output_index": 0},
    {"type": "response.output_text.delta", "delta": "Par", "output_index": 0},
    {"type": "response.output_text.delta", "delta": "is", "output_index": 0},
    {"type": "response.output_item.done", "item": SAID, "output_index": 0},
    {"type": "response.function_call_arguments.delta", "delta": "{", "output_index": 1},
    {"type": "response.output_item.done", "item": CALL, "output_index": 1},
]
COMPLETED = {"type": "response.completed", "response": RESPONSE}


def sse(*events: Any) -> bytes:
    return "".join(f"data: {event if isinstance(event, str) else json.dumps(event)}\n\n" for event in events).encode()


def read(*events: Any) -> tuple[list[ct.Part], dict[str, Any]]:
    reading = Reading(ServerSentEvents(), ResponsesAssembler())
    pieces = reading.feed(sse(*events))
    body: dict[str, Any] = reading.end()
    return pieces, body


def test_the_last_event_has_the_response_and_the_others_its_pieces() -> None:
    pieces, body = read(*PIECES, COMPLETED, "[DONE]", {"type": "error", "message": "late"})
    assert body == RESPONSE
    assert [piece.reasoning.text for piece in pieces[:2]] == ["Let me", " see"]
    assert [piece.text for piece in pieces[2:4]] == ["Par", "is"]
    assert pieces[4:] == [part for part in OpenAIResponses().answer(body).parts if part.HasField("tool_call")]


def test_parts_of_a_summary_are_lines_as_in_the_answer() -> None:
    thought = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "one"}, {"type": "summary_text", "text": "two"}]}
    events: list[dict[str, Any]] = []
    for index, text in enumerate(("one", "two")):
        events.append(
            {"type": "response.reasoning_summary_part.added", "summary_index": index, "part": {"type": "summary_text", "text": ""}}
        )
        events.append({"type": "response.reasoning_summary_text.delta", "summary_index": index, "delta": text})
    pieces, body = read(*events, {**COMPLETED, "response": {**RESPONSE, "output": [thought]}})
    assert "".join(piece.reasoning.text for piece in pieces) == OpenAIResponses().answer(body).parts[0].reasoning.text == "one\ntwo"


def test_a_last_event_without_items_has_those_that_came_before() -> None:
    assert read(*PIECES, {**COMPLETED, "response": {**RESPONSE, "output": []}})[1] == RESPONSE


def test_a_response_that_failed_or_stopped_at_its_limit_is_read_as_such() -> None:
    failed = {**RESPONSE, "status": "failed", "output": [], "error": {"code": "server_error", "message": "it died"}}
    with pytest.raises(AnswerError):
        OpenAIResponses().answer(read({"type": "response.failed", "response": failed})[1])
    filtered = {**RESPONSE, "status": "incomplete", "incomplete_details": {"reason": "content_filter"}}
    with pytest.raises(Refused):
        OpenAIResponses().answer(read({"type": "response.incomplete", "response": filtered})[1])


@pytest.mark.parametrize(
    "event",
    [
        {"type": "error", "code": "rate_limit_exceeded", "message": "slow down", "param": None, "sequence_number": 3},
        {"type": "error", "error": {"code": "rate_limit_exceeded", "message": "slow down"}},
        {"error": {"code": "rate_limit_exceeded", "message": "slow down"}},
    ],
)
def test_an_error_is_that_of_the_call(event: dict[str, Any]) -> None:
    with pytest.raises(AnswerError) as caught:
        read(*PIECES, event)
    assert (caught.value.error.code, caught.value.error.message) == ("rate_limit_exceeded", "slow down")


@pytest.mark.parametrize("count", range(len(PIECES) + 1))
def test_without_its_last_event_it_is_cut(count: int) -> None:
    with pytest.raises(ValueError, match="ended before"):
        read(*PIECES[:count])
