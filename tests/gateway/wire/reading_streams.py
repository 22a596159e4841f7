"""What the providers' own SDKs read in a stream: its events by their decoder, put together by their accumulator, as a reading."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
from anthropic._models import construct_type as construct_anthropic
from anthropic.lib.streaming._beta_messages import accumulate_event
from anthropic.types.beta import BetaRawMessageStreamEvent
from openai._models import construct_type
from openai._streaming import SSEDecoder
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk
from openai.types.responses import ResponseStreamEvent

from tests.gateway.wire import reading_chat, reading_messages, reading_responses
from tests.gateway.wire.comparing import Reading

# What the accumulator knows, and what it joins as texts; of the rest it cannot read some.
JOINED = frozenset({"role", "content", "refusal", "tool_calls", "function_call", "reasoning", "reasoning_content"})


def events(body: bytes) -> Iterator[dict[str, Any]]:
    """The data of each event, up to ``[DONE]``."""
    for event in SSEDecoder().iter_bytes(iter([body])):
        if event.data.startswith("[DONE]"):
            return
        if event.data:
            yield json.loads(event.data)


def chat(body: bytes) -> Reading | None:
    """The reading of a chat completion; None if its stream tells of an error."""
    state, usage, fields = ChatCompletionStreamState(), None, dict[str, Any]()
    for event in events(body):
        if event.get("error"):
            return None
        usage = event.get("usage") or (event.get("x_groq") or {}).get("usage") or usage
        chunk = {**event, "choices": [_plain(choice) for choice in event["choices"] if choice.get("index", 0) == 0]}
        fields = {name: chunk.get(name) or fields.get(name) for name in ("id", "model")}
        state.handle_chunk(construct_type(type_=ChatCompletionChunk, value=chunk))  # type: ignore[arg-type]
    completion = state.current_completion_snapshot.to_dict()
    return reading_chat.reading({**completion, **fields, "usage": usage})


def _plain(choice: dict[str, Any]) -> dict[str, Any]:
    """A choice as OpenAI writes it. Mistral's blocks of text and of thinking become texts."""
    delta = {name: value for name, value in choice["delta"].items() if name in JOINED and value is not None}
    if isinstance(blocks := delta.get("content"), list):
        delta["content"] = "".join(block["text"] for block in blocks if block["type"] == "text")
        thoughts = [piece["text"] for block in blocks if block["type"] == "thinking" for piece in block["thinking"]]
        delta["reasoning_content"] = "".join(thoughts)
    delta.pop("role", None)
    return {"index": 0, "finish_reason": choice.get("finish_reason"), "delta": delta}


def messages(body: bytes) -> Reading | None:
    """The reading of a message; None if its stream tells of an error."""
    message: Any = None
    pieces: dict[int, bytes] = {}
    for event in events(body):
        if event["type"] == "error":
            return None
        if event["type"] != "ping":
            made: Any = construct_anthropic(type_=BetaRawMessageStreamEvent, value=event)
            message = accumulate_event(event=made, current_snapshot=message, json_bufs=pieces, request_headers=httpx2.Headers())
    return reading_messages.reading(message.to_dict())


def responses(body: bytes) -> Reading | None:
    """The reading of a response; None if its stream tells of an error. What its pieces of text say is what it says."""
    said, whole = "", None
    for found in events(body):
        event: Any = construct_type(type_=ResponseStreamEvent, value=found)
        if event.type == "error":
            return None
        if event.type == "response.output_text.delta":
            said += event.delta
        elif event.type in ("response.completed", "response.incomplete", "response.failed"):
            whole = event.response.to_dict()
    assert whole is not None
    reading = reading_responses.reading(whole)
    assert reading.error or reading.text == said
    return reading
