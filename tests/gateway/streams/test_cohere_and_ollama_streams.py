"""Streams of Cohere's and Ollama's own APIs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.adapters.base import AnswerError
from gateway.adapters.cohere import CohereChat
from gateway.adapters.ollama import OllamaChat, OllamaGenerate
from gateway.streams.cohere import CohereAssembler
from gateway.streams.ndjson import JsonLines
from gateway.streams.ollama import OllamaAssembler
from gateway.streams.sse import ServerSentEvents
from tests.gateway.streams.cutting import Kind, read, wrong_cuts

COHERE = Kind(ServerSentEvents, CohereAssembler, CohereChat())
CHAT = Kind(JsonLines, OllamaAssembler, OllamaChat())
GENERATE = Kind(JsonLines, OllamaAssembler, OllamaGenerate())


def sse(*events: dict[str, Any]) -> bytes:
    return "".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in events).encode() + b"data: [DONE]\n\n"


def lines(*objects: dict[str, Any]) -> bytes:
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in objects).encode()


def content(index: int, value: dict[str, Any], kind: str = "content-delta") -> dict[str, Any]:
    return {"type": kind, "index": index, "delta": {"message": {"content": value}}}


def call(kind: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "index": 0, "delta": {"message": {"tool_calls": value}}}


CITATION = {"start": 0, "end": 4, "text": "Matz", "sources": [], "content_index": 1}
USED = {"billed_units": {"input_tokens": 5, "output_tokens": 7}}
COHERE_STREAM = sse(
    {"type": "message-start", "id": "r", "delta": {"message": {"role": "assistant", "content": [], "tool_plan": "", "citations": []}}},
    {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "I "}}},
    {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "look."}}},
    content(0, {"type": "thinking", "thinking": ""}, "content-start"),
    content(0, {"thinking": "hm"}),
    {"type": "content-end", "index": 0},
    content(1, {"type": "text", "text": ""}, "content-start"),
    {**content(1, {"text": "Matz 🌍"}), "logprobs": {"text": "Matz", "logprobs": [-0.5]}},
    {"type": "citation-start", "index": 0, "delta": {"message": {"citations": CITATION}}},
    {"type": "citation-end", "index": 0},
    {"type": "content-end", "index": 1},
    call("tool-call-start", {"id": "a", "type": "function", "function": {"name": "weather", "arguments": ""}}),
    call("tool-call-delta", {"function": {"arguments": '{"city":'}}),
    call("tool-call-delta", {"function": {"arguments": '"Bern"}'}}),
    {"type": "tool-call-end", "index": 0},
    {"type": "message-end", "delta": {"finish_reason": "TOOL_CALL", "usage": USED}},
)
COHERE_BODY = {
    "id": "r",
    "message": {
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Matz 🌍"}],
        "tool_plan": "I look.",
        "tool_calls": [{"id": "a", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Bern"}'}}],
        "citations": [CITATION],
    },
    "finish_reason": "TOOL_CALL",
    "usage": USED,
    "logprobs": [{"text": "Matz", "logprobs": [-0.5]}],
}
END = {"model": "llama3", "created_at": "2026", "done": True, "done_reason": "stop", "prompt_eval_count": 5, "eval_count": 7}
CALLED = {"function": {"name": "weather", "arguments": {"city": "Bern"}}}
CHAT_STREAM = lines(
    {"model": "llama3", "message": {"role": "assistant", "content": "", "thinking": "h"}, "done": False},
    {"model": "llama3", "message": {"role": "assistant", "content": "", "thinking": "m"}, "done": False},
    {
        "model": "llama3",
        "message": {"role": "assistant", "content": "Zürich "},
        "done": False,
        "logprobs": [{"token": "Z", "logprob": -0.5}],
    },
    {"model": "llama3", "message": {"role": "assistant", "content": "🌍", "tool_calls": [CALLED]}, "done": False},
    {**END, "message": {"role": "assistant", "content": ""}},
)
CHAT_BODY = {
    **END,
    "message": {"role": "assistant", "content": "Zürich 🌍", "thinking": "hm", "tool_calls": [CALLED]},
    "logprobs": [{"token": "Z", "logprob": -0.5}],
}
GENERATE_STREAM = lines({"model": "llama3", "response": "Zür", "done": False}, {**END, "response": "ich", "context": [1]})
GENERATE_BODY = {**END, "response": "Zürich", "context": [1]}
STREAMS = [(COHERE, COHERE_STREAM, COHERE_BODY), (CHAT, CHAT_STREAM, CHAT_BODY), (GENERATE, GENERATE_STREAM, GENERATE_BODY)]
NAMES = ["cohere", "ollama chat", "ollama generate"]


@pytest.mark.parametrize(("kind", "stream", "body"), STREAMS, ids=NAMES)
@pytest.mark.parametrize("size", [0, 1, 2, 5, 7])
def test_a_stream_is_the_body_that_would_have_come_whole(kind: Kind, stream: bytes, body: Any, size: int) -> None:
    assert read(kind, stream, size)[1] == body


@pytest.mark.parametrize(("kind", "stream", "body"), STREAMS, ids=NAMES)
def test_a_stream_that_is_cut_at_any_byte_is_no_answer(kind: Kind, stream: bytes, body: Any) -> None:
    assert wrong_cuts(kind, stream) == []


@pytest.mark.parametrize(("kind", "stream", "body"), STREAMS[:2], ids=NAMES[:2])
def test_texts_and_reasoning_are_passed_on_and_calls_when_they_are_whole(kind: Kind, stream: bytes, body: Any) -> None:
    pieces, _ = read(kind, stream)
    assert "".join(piece.text for piece in pieces) == ("Matz 🌍" if kind is COHERE else "Zürich 🌍")
    assert "".join(piece.reasoning.text for piece in pieces) == "hm"
    assert [piece.tool_call.arguments_json for piece in pieces if piece.HasField("tool_call")] == ['{"city":"Bern"}']


def test_errors_in_a_stream() -> None:
    with pytest.raises(AnswerError, match="broke"):
        read(CHAT, lines({"model": "m", "message": {"content": "a"}, "done": False}, {"error": "it broke"}))
    with pytest.raises(AnswerError, match="broke"):
        read(COHERE, b'data: {"message": "it broke"}\n\n')
    with pytest.raises(ValueError, match="not begun"):
        read(COHERE, sse(call("tool-call-delta", {"function": {"arguments": "{"}})))
