"""Streams of every API with something odd in them: each is read, or it is said what is wrong, in a way that is known."""

from __future__ import annotations

import copy
import json
import random
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.adapters import ADAPTERS
from gateway.adapters.base import Answer
from gateway.answering.replies import UNREAD
from gateway.providers import Dialect
from gateway.streams.assembler import Event
from gateway.streams.reading import Reading
from gateway.streams.table import STREAMS
from genlevel.runtime.settings import Api
from tests.gateway.streams.test_cut_streams import CALLED, MESSAGE, RESPONDED, SAID, USAGE, chunk

Key = tuple[Dialect, Api]

TOKEN = {"token": "a", "logprob": -0.5, "bytes": None, "top_logprobs": [{"token": "a", "logprob": -0.5}]}
LAST = {"finish_reason": "stop", "logprobs": {"content": [TOKEN]}, "error": None, "content_filter_results": {}}
CHAT = [
    *SAID,
    *CALLED,
    chunk({"reasoning_content": "hm", "reasoning_details": [{"type": "reasoning.text", "text": "hm", "index": 0, "signature": "s"}]}),
    chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "b"}]}),
    chunk({"function_call": {"name": "one", "arguments": "{}"}, "refusal": None, "annotations": [{"type": "url_citation"}]}),
    chunk({"images": [{"image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}], "audio": {"id": "a", "data": "", "transcript": "c"}}),
    chunk({"executed_tools": [{"index": 0, "type": "search", "output": "o"}]}),
    {**chunk(None), "choices": [{"index": 0, "delta": {}, **LAST}], "citations": ["https://a"], "x_groq": {"usage": USAGE}},
    chunk(None, usage={**USAGE, "prompt_tokens_details": {"cached_tokens": 1}}),
]
GEMINI = [
    {"candidates": [{"content": {"parts": [{"text": "hm", "thought": True, "thoughtSignature": "c2ln"}], "role": "model"}, "index": 0}]},
    {"candidates": [{"content": {"parts": [{"text": "Par"}, {"functionCall": {"name": "one", "args": {"x": 1}}}]}, "safetyRatings": []}]},
    {
        "candidates": [{"content": {"parts": [{"text": "is"}]}, "finishReason": "STOP", "citationMetadata": {"citationSources": [{}]}}],
        "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 3, "totalTokenCount": 12},
        "promptFeedback": {"safetyRatings": []},
        "modelVersion": "m",
    },
]
BEDROCK: list[tuple[str, Any]] = [
    ("messageStart", {"role": "assistant"}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "hm"}}}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": "s"}}}),
    ("contentBlockStop", {"contentBlockIndex": 0}),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": "Paris"}}),
    ("contentBlockStop", {"contentBlockIndex": 1}),
    ("contentBlockStart", {"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "t", "name": "one"}}}),
    ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"toolUse": {"input": '{"x":1}'}}}),
    ("contentBlockStop", {"contentBlockIndex": 2}),
    ("messageStop", {"stopReason": "tool_use", "additionalModelResponseFields": {}}),
    ("metadata", {"usage": {"inputTokens": 9, "outputTokens": 3, "totalTokens": 12}, "metrics": {"latencyMs": 5}}),
]
COHERE = [
    {"type": "message-start", "id": "c", "delta": {"message": {"role": "assistant", "content": [], "tool_calls": [], "citations": []}}},
    {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "hm"}}},
    {"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}},
    {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "Paris"}}}, "logprobs": {"text": "a", "logprobs": [1]}},
    {"type": "citation-start", "index": 0, "delta": {"message": {"citations": {"start": 0, "end": 1, "text": "P", "sources": []}}}},
    {"type": "content-end", "index": 0},
    {
        "type": "tool-call-start",
        "index": 1,
        "delta": {"message": {"tool_calls": {"id": "t", "function": {"name": "one", "arguments": ""}}}},
    },
    {"type": "tool-call-delta", "index": 1, "delta": {"message": {"tool_calls": {"function": {"arguments": "{}"}}}}},
    {"type": "tool-call-end", "index": 1},
    {
        "type": "message-end",
        "delta": {
            "finish_reason": "COMPLETE",
            "usage": {"billed_units": {"input_tokens": 9, "output_tokens": 3}, "tokens": {"input_tokens": 9, "output_tokens": 3}},
        },
    },
]
COHERE_OLDER = [
    {"is_finished": False, "event_type": "text-generation", "text": "Par"},
    {"is_finished": False, "event_type": "text-generation", "text": "is"},
    {
        "is_finished": True,
        "event_type": "stream-end",
        "finish_reason": "COMPLETE",
        "response": {
            "response_id": "c",
            "text": "Paris",
            "meta": {"billed_units": {"input_tokens": 9, "output_tokens": 3}, "tokens": {"input_tokens": 9, "output_tokens": 3}},
        },
    },
]
OLLAMA = [
    {"model": "m", "message": {"role": "assistant", "content": "", "thinking": "hm"}, "done": False},
    {"model": "m", "message": {"content": "Par", "tool_calls": [{"function": {"name": "one", "arguments": {"x": 1}}}]}, "done": False},
    {"model": "m", "response": "is", "done": False, "logprobs": [TOKEN]},
    {"model": "m", "message": {"content": ""}, "done": True, "done_reason": "stop", "prompt_eval_count": 9, "eval_count": 3},
]
BY_KEY: dict[Key, list[Any]] = {(Dialect.COHERE, Api.GENERATE): COHERE_OLDER}
BY_API: dict[Api, list[Any]] = {Api.RESPONSES: RESPONDED, Api.MESSAGES: MESSAGE, Api.CONVERSE: BEDROCK}
BY_DIALECT: dict[str, list[Any]] = {"cohere": COHERE, "ollama": OLLAMA, "gemini": GEMINI, "vertex": GEMINI}
ODD: list[Any] = [
    None,
    True,
    -1,
    7,
    1e300,
    "",
    "text",
    "[DONE]",
    [],
    {},
    [None],
    ["text"],
    [[{}]],
    {"type": "text"},
    {"index": "x"},
    {"text": 7},
]


def events_of(key: Key) -> list[tuple[str, Any]]:
    """A stream of an API that has all that it may have."""
    found = BY_KEY.get(key) or BY_API.get(key[1]) or BY_DIALECT.get(key[0]) or CHAT
    return [(event[0], copy.deepcopy(event[1])) if isinstance(event, tuple) else ("", copy.deepcopy(event)) for event in found]


def read(key: Key, events: list[tuple[str, Any]]) -> Answer:
    assembler = STREAMS[key].assembler()
    for name, data in events:
        assembler.feed(Event(name, json.dumps(data).encode()))
    if key[1] is Api.CHAT and key[0] not in BY_DIALECT:
        assembler.feed(Event("", b"[DONE]"))
    return ADAPTERS[key].answer(assembler.body())


def spoil(value: Any, chance: random.Random) -> Any:
    """The value with something odd in place of something in it, or without it."""
    inner = [*value] if isinstance(value, dict) else [*range(len(value))] if isinstance(value, list) else []
    if not inner or chance.random() < 0.15:
        return copy.deepcopy(chance.choice(ODD))
    name = chance.choice(inner)
    if chance.random() < 0.1:
        del value[name]
    else:
        value[name] = spoil(value[name], chance)
    return value


@pytest.mark.parametrize("key", STREAMS, ids="-".join)
def test_a_stream_that_has_all_that_it_may_have_is_an_answer(key: Key) -> None:
    answer = read(key, events_of(key))
    assert any(part.text for part in answer.parts)
    assert answer.usage.output_tokens > 0


@pytest.mark.parametrize("key", STREAMS, ids="-".join)
@settings(max_examples=300)
@given(chance=st.randoms(use_true_random=False))
def test_a_stream_with_something_odd_in_it_is_read_or_said_to_be_none(key: Key, chance: random.Random) -> None:
    events = events_of(key)
    for _ in range(chance.randint(1, 3)):
        number = chance.randrange(len(events))
        match chance.randrange(8):
            case 0:
                del events[number : number + 1]
            case 1:
                events.insert(number, copy.deepcopy(chance.choice(events)))
            case _:
                events[number] = events[number][0], spoil(events[number][1], chance)
        if not events:
            break
    with suppress(*UNREAD):
        read(key, events)


@pytest.mark.parametrize("key", STREAMS, ids="-".join)
@given(stream=st.binary(max_size=200))
def test_bytes_of_any_form_are_read_or_said_to_be_none(key: Key, stream: bytes) -> None:
    reading = Reading(STREAMS[key].framing(), STREAMS[key].assembler())
    with suppress(*UNREAD):
        reading.feed(stream)
        reading.end()
