"""Events of Anthropic's messages amount to the message."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.adapters.anthropic_messages import AnthropicMessages
from gateway.adapters.base import AnswerError
from gateway.streams.messages import MessagesAssembler
from gateway.streams.reading import Reading
from gateway.streams.sse import ServerSentEvents
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

START = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-x",
        "content": [],
        "stop_reason": None,
        "usage": {"input_tokens": 20, "cache_read_input_tokens": 5, "output_tokens": 1, "service_tier": "standard"},
    },
}
END = [
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None, "container": None},
        "usage": {"input_tokens": 30, "cache_read_input_tokens": None, "output_tokens": 9},
        "context_management": {"applied_edits": []},
    },
    {"type": "message_stop"},
]


def block(index: int, start: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def sse(*events: dict[str, Any]) -> bytes:
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()


def read(*events: dict[str, Any]) -> tuple[list[ct.Part], dict[str, Any]]:
    reading = Reading(ServerSentEvents(), MessagesAssembler())
    pieces = reading.feed(sse(*events))
    body: dict[str, Any] = reading.end()
    return pieces, body


def test_blocks_of_every_kind_come_together_in_their_order() -> None:
    citation = {"type": "char_location", "cited_text": "x"}
    result = {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"url": "https://a"}]}
    pieces, body = read(
        START,
        {"type": "ping"},
        *block(
            0,
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": "Let me"},
            {"type": "thinking_delta", "thinking": " see"},
            {"type": "signature_delta", "signature": "sig"},
        ),
        *block(
            1,
            {"type": "text", "text": "", "citations": []},
            {"type": "text_delta", "text": "Par"},
            {"type": "citations_delta", "citation": citation},
            {"type": "text_delta", "text": "is"},
            {"type": "citations_delta", "citation": citation},
        ),
        *block(
            2,
            {"type": "tool_use", "id": "t", "name": "weather", "input": {}},
            {"type": "input_json_delta", "partial_json": ""},
            {"type": "input_json_delta", "partial_json": '{"city": "Ber'},
            {"type": "input_json_delta", "partial_json": 'lin"}'},
        ),
        *block(3, {"type": "tool_use", "id": "u", "name": "now", "input": {}}, {"type": "input_json_delta", "partial_json": ""}),
        *block(
            4,
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
            {"type": "input_json_delta", "partial_json": '{"query": "q"}'},
        ),
        *block(5, result),
        *block(6, {"type": "redacted_thinking", "data": "xyz"}),
        {"type": "something_new", "index": 9},
        *END,
    )
    assert body["content"] == [
        {"type": "thinking", "thinking": "Let me see", "signature": "sig"},
        {"type": "text", "text": "Paris", "citations": [citation, citation]},
        {"type": "tool_use", "id": "t", "name": "weather", "input": {"city": "Berlin"}},
        {"type": "tool_use", "id": "u", "name": "now", "input": {}},
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}},
        result,
        {"type": "redacted_thinking", "data": "xyz"},
    ]
    assert body["usage"] == {"input_tokens": 30, "cache_read_input_tokens": 5, "output_tokens": 9, "service_tier": "standard"}
    assert (body["stop_reason"], body["id"], body["context_management"]) == ("end_turn", "msg_1", {"applied_edits": []})
    assert [piece.reasoning.text for piece in pieces[:2]] == ["Let me", " see"]
    assert [piece.text for piece in pieces[2:4]] == ["Par", "is"]
    assert [piece.tool_call.name for piece in pieces[4:]] == ["weather", "now"]
    answer = AnthropicMessages().answer(body)
    assert [part for part in answer.parts if part.HasField("tool_call")] == pieces[4:]
    assert answer.finish_reason == gw.FINISH_REASON_STOP


def test_input_of_a_tool_that_is_cut_at_the_limit_of_tokens_is_kept_as_it_was_written() -> None:
    start = {"type": "tool_use", "id": "t", "name": "weather", "input": {}}
    _, body = read(START, *block(0, start, {"type": "input_json_delta", "partial_json": '{"city": "Ber'}), *END)
    assert body["content"][0]["input"] == '{"city": "Ber'


def test_an_error_is_that_of_the_call() -> None:
    overloaded = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    with pytest.raises(AnswerError) as caught:
        read(START, overloaded)
    assert caught.value.error.type == "overloaded_error"


@pytest.mark.parametrize(
    "events", [[], [START], [START, *block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Par"})], [START, END[0]]]
)
def test_without_its_end_it_is_cut(events: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match="ended before"):
        read(*events)


@pytest.mark.parametrize(
    "events",
    [
        [END[1]],
        [END[0]],
        [START, {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a"}}],
        [START, {"type": "content_block_start", "content_block": {"type": "text", "text": ""}}],
        [START, *block(0, {"type": "text", "text": ""}, {"type": "text_delta"})],
    ],
)
def test_events_out_of_order_are_no_answer(events: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError):
        read(*events, *END)


def test_what_follows_the_end_says_nothing() -> None:
    assert read(START, *END, {"type": "error", "error": {"message": "late"}})[1]["content"] == []
