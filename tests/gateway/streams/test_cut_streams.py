"""A stream that is cut off at any byte is a failure or the whole answer, and one that comes in parts of any size reads the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.adapters.anthropic_messages import AnthropicMessages
from gateway.adapters.openai_chat import OpenAIChat
from gateway.adapters.openai_responses import OpenAIResponses
from gateway.streams.chat import ChatAssembler
from gateway.streams.messages import MessagesAssembler
from gateway.streams.responses import ResponsesAssembler
from gateway.streams.sse import ServerSentEvents
from tests.gateway.streams.cutting import Kind, outcome, read, wrong_cuts

CHAT = Kind(ServerSentEvents, ChatAssembler, OpenAIChat())
MESSAGES = Kind(ServerSentEvents, MessagesAssembler, AnthropicMessages())
RESPONSES = Kind(ServerSentEvents, ResponsesAssembler, OpenAIResponses())


def sse(*events: Any, end: str = "\n", named: bool = False) -> bytes:
    """named: with the events' types."""
    lines = []
    for event in events:
        lines += [f"event: {event['type']}"] if named else []
        lines += [f"data: {event if isinstance(event, str) else json.dumps(event, ensure_ascii=False)}", ""]
    return (end.join(lines) + end).encode()


def chunk(delta: dict[str, Any] | None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "m", "choices": choices, **more}


USAGE = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
SAID = [chunk({"role": "assistant", "content": ""}), chunk({"content": "Zürich 🌍"}), chunk({"content": "\r\n\\u0041"})]
CALLED = [
    chunk({"tool_calls": [{"index": 0, "id": "a", "type": "function", "function": {"name": "one", "arguments": '{"x"'}}]}),
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]}),
]
MESSAGE = [
    {"type": "message_start", "message": {"id": "m", "type": "message", "model": "c", "content": [], "usage": {"input_tokens": 9}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Zürich 🌍"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "t", "name": "one", "input": {}}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '{"x":1}'}},
    {"type": "content_block_stop", "index": 1},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 3}},
    {"type": "message_stop"},
]
ITEM = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Zürich 🌍"}]}
RESPONSE = {"id": "r", "model": "m", "status": "completed", "output": [ITEM], "usage": {"input_tokens": 9, "output_tokens": 3}}
RESPONDED = [
    {"type": "response.created", "response": {**RESPONSE, "status": "in_progress", "output": [], "usage": None}},
    {"type": "response.output_text.delta", "delta": "Zürich ", "output_index": 0},
    {"type": "response.output_text.delta", "delta": "🌍", "output_index": 0},
    {"type": "response.output_item.done", "item": ITEM, "output_index": 0},
    {"type": "response.completed", "response": RESPONSE},
]
STREAMS: dict[str, tuple[Kind, bytes]] = {
    "chat": (CHAT, sse(*SAID, chunk({}, "stop"), chunk(None, usage=USAGE), "[DONE]")),
    "chat without usage": (CHAT, sse(*SAID, chunk({}, "stop"), "[DONE]")),
    "chat with usage at its end": (CHAT, sse(*SAID, *CALLED, chunk({}, "tool_calls", usage=USAGE), "[DONE]", end="\r\n")),
    "chat with usage all along": (CHAT, sse(*({**said, "usage": USAGE} for said in SAID), chunk({}, "stop", usage=USAGE))),
    "chat whose finish is not said": (CHAT, sse(*SAID, *CALLED, chunk(None, usage=USAGE), "[DONE]")),
    "messages": (MESSAGES, sse(*MESSAGE, named=True)),
    "responses": (RESPONSES, sse(*RESPONDED, named=True)),
    "responses with CR": (RESPONSES, sse(*RESPONDED, "[DONE]", end="\r")),
}


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_cut_off_at_any_byte_is_a_failure_or_the_whole_answer(name: str) -> None:
    kind, stream = STREAMS[name]
    assert wrong_cuts(kind, stream) == []
    assert outcome(kind, stream[: len(stream) * 2 // 3]) == "cut"


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("size", range(1, 8))
def test_a_stream_in_parts_of_any_size_reads_the_same(name: str, size: int) -> None:
    kind, stream = STREAMS[name]
    assert read(kind, stream, size) == read(kind, stream)


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("more", [b"data: [DONE]\n\n", b"data: {half", b"\x00\xff garbage\n\n", b"data: {}\n\ndata: 7\n\n"])
def test_what_follows_the_end_changes_nothing(name: str, more: bytes) -> None:
    kind, stream = STREAMS[name]
    if b"[DONE]" in stream or kind is not CHAT:
        assert outcome(kind, stream + more) == outcome(kind, stream)


@pytest.mark.parametrize("name", STREAMS)
def test_the_pieces_are_the_answers_texts_and_calls(name: str) -> None:
    kind, stream = STREAMS[name]
    pieces, body = read(kind, stream)
    parts = kind.adapter.answer(body).parts
    assert "".join(piece.text for piece in pieces) == "".join(part.text for part in parts)
    assert [piece for piece in pieces if piece.HasField("tool_call")] == [part for part in parts if part.HasField("tool_call")]
