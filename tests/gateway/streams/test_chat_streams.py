"""Chunks of a completion amount to the completion: whole, as each server writes them, or a typed failure."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest

from gateway.adapters.base import AnswerError
from gateway.adapters.openai_chat import OpenAIChat
from gateway.streams.chat import ChatAssembler
from gateway.streams.reading import Reading
from gateway.streams.sse import ServerSentEvents
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

USAGE = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **fields: Any) -> dict[str, Any]:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "m-1", "choices": choices, **fields}


def sse(*chunks: Any, done: bool = True) -> bytes:
    lines = [chunk if isinstance(chunk, str) else json.dumps(chunk) for chunk in chunks] + ["[DONE]"] * done
    return "".join(f"data: {line}\n\n" for line in lines).encode()


def read(stream: bytes) -> tuple[list[ct.Part], dict[str, Any]]:
    reading = Reading(ServerSentEvents(), ChatAssembler())
    pieces = reading.feed(stream)
    body: dict[str, Any] = reading.end()
    return pieces, body


def message(stream: bytes) -> dict[str, Any]:
    found: dict[str, Any] = read(stream)[1]["choices"][0]["message"]
    return found


def test_a_text_in_pieces_is_the_text_and_the_usage_comes_with_no_choices() -> None:
    stream = sse(
        {"id": "", "model": "", "object": "", "choices": [], "prompt_filter_results": [{"prompt_index": 0}]},  # Azure's first
        chunk({"role": "assistant", "content": "", "refusal": None}, obfuscation="xx", system_fingerprint="fp_7"),
        chunk({"content": "Par"}),
        chunk({"content": "is"}),
        chunk({}, "stop"),
        chunk(None, usage=USAGE),
    )
    pieces, body = read(stream)
    assert [piece.text for piece in pieces] == ["Par", "is"]
    assert body == {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "m-1",
        "prompt_filter_results": [{"prompt_index": 0}],
        "system_fingerprint": "fp_7",
        "usage": USAGE,
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Paris"}}],
    }
    answer = OpenAIChat().answer(body)
    assert (answer.parts[0].text, answer.finish_reason, answer.usage.output_tokens) == ("Paris", gw.FINISH_REASON_STOP, 3)
    assert (answer.model, answer.response_id, answer.fingerprint) == ("m-1", "chatcmpl-1", "fp_7")


@pytest.mark.parametrize(
    "calls",
    [
        [  # OpenAI
            [{"index": 0, "id": "a", "type": "function", "function": {"name": "one", "arguments": ""}}],
            [{"index": 0, "function": {"arguments": '{"x"'}}],
            [{"index": 0, "function": {"arguments": ":1}"}}],
            [{"index": 1, "id": "b", "type": "function", "function": {"name": "two", "arguments": "{}"}}],
        ],
        [  # whole calls in one chunk
            [
                {"index": 0, "id": "a", "type": "function", "function": {"name": "one", "arguments": '{"x":1}'}},
                {"index": 1, "id": "b", "type": "function", "function": {"name": "two", "arguments": "{}"}},
            ]
        ],
        [  # no index
            [{"id": "a", "function": {"name": "one", "arguments": '{"x"'}}],
            [{"function": {"arguments": ":1}"}}],
            [{"id": "b", "function": {"name": "two", "arguments": "{}"}}],
        ],
        [  # one index for all, as Gemini's compatible endpoint
            [{"index": 0, "id": "a", "function": {"name": "one", "arguments": '{"x":1}'}}],
            [{"index": 0, "id": "b", "function": {"name": "two", "arguments": "{}"}}],
        ],
        [  # the id first and alone, and the name twice
            [{"index": 0, "id": "a"}],
            [{"index": 0, "function": {"name": "one"}}],
            [{"index": 0, "id": "a", "function": {"name": "one", "arguments": '{"x":1}'}}],
            [{"index": 1, "id": "b", "function": {"name": "two", "arguments": "{}"}}],
        ],
    ],
)
def test_tool_calls_are_told_apart_however_they_come(calls: list[list[dict[str, Any]]]) -> None:
    pieces, body = read(sse(*(chunk({"tool_calls": call}) for call in calls), chunk({}, "tool_calls"), chunk(None, usage=USAGE)))
    found = body["choices"][0]["message"]["tool_calls"]
    assert found == [
        {"type": "function", "id": "a", "function": {"name": "one", "arguments": '{"x":1}'}},
        {"type": "function", "id": "b", "function": {"name": "two", "arguments": "{}"}},
    ]
    assert [(piece.tool_call.id, piece.tool_call.name, dict(piece.tool_call.arguments)) for piece in pieces] == [
        ("a", "one", {"x": 1}),
        ("b", "two", {}),
    ]
    assert pieces == OpenAIChat().answer(body).parts


def test_what_a_call_has_beside_is_kept() -> None:
    extra = {"google": {"thought_signature": "sig"}}
    call = {"index": 0, "id": "a", "function": {"name": "one", "arguments": "{}"}, "extra_content": extra}
    assert message(sse(chunk({"tool_calls": [call]}, "tool_calls")))["tool_calls"][0]["extra_content"] == extra


def test_the_older_function_call_is_one() -> None:
    stream = sse(
        chunk({"function_call": {"name": "one", "arguments": ""}}),
        chunk({"function_call": {"arguments": '{"x":1}'}}),
        chunk({}, "function_call"),
    )
    pieces, body = read(stream)
    assert body["choices"][0]["message"]["function_call"] == {"name": "one", "arguments": '{"x":1}'}
    assert [piece.tool_call.name for piece in pieces] == ["one"]


@pytest.mark.parametrize("names", [("reasoning_content",), ("reasoning",), ("reasoning", "reasoning_content")])
def test_reasoning_is_read_under_each_of_its_names_and_once(names: tuple[str, ...]) -> None:
    stream = sse(*(chunk(dict.fromkeys(names, text)) for text in ("Let me", " see")), chunk({"content": "4"}), chunk({}, "stop"))
    pieces, body = read(stream)
    assert [piece.reasoning.text for piece in pieces if piece.HasField("reasoning")] == ["Let me", " see"]
    parts = OpenAIChat().answer(body).parts
    assert (parts[0].reasoning.text, parts[-1].text) == ("Let me see", "4")


def test_details_of_reasoning_continue_one_another_until_they_are_signed() -> None:
    def details(*entries: dict[str, Any]) -> dict[str, Any]:
        return chunk({"content": "", "reasoning_details": list(entries)})

    text = {"type": "reasoning.text", "format": "f", "index": 0}
    stream = sse(
        details(),
        details({**text, "text": "a"}),
        details({**text, "text": "b"}),
        details({**text, "signature": "sig"}),
        details({**text, "text": "c"}),
        details({"type": "reasoning.encrypted", "data": "xyz", "index": 0}, {"type": "reasoning.encrypted", "data": "uvw", "index": 0}),
        chunk({}, "stop"),
    )
    assert message(stream)["reasoning_details"] == [
        {**text, "text": "ab", "signature": "sig"},
        {**text, "text": "c"},
        {"type": "reasoning.encrypted", "data": "xyz", "index": 0},
        {"type": "reasoning.encrypted", "data": "uvw", "index": 0},
    ]


def test_blocks_of_content_continue_one_another() -> None:
    thinking = [chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}]}) for text in ("Let", " me")]
    reference = {"type": "reference", "reference_ids": [1]}
    stream = sse(*thinking, chunk({"content": "It is"}), chunk({"content": " 4"}), chunk({"content": [reference]}), chunk({}, "stop"))
    pieces, body = read(stream)
    assert body["choices"][0]["message"]["content"] == [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Let me"}]},
        {"type": "text", "text": "It is 4"},
        reference,
    ]
    assert "".join(piece.reasoning.text for piece in pieces) == "Let me"
    assert "".join(piece.text for piece in pieces) == "It is 4"
    late = message(sse(chunk({"content": "a"}), chunk({"content": [{"type": "text", "text": "b"}, reference]}, "stop")))
    assert late["content"] == [{"type": "text", "text": "ab"}, reference]


def test_tools_that_the_provider_ran_are_there_once_with_what_came_of_them() -> None:
    begun = {"index": 0, "type": "search", "arguments": "{}", "search_results": {"results": []}}
    stream = sse(chunk({"executed_tools": [begun]}), chunk({"executed_tools": [{**begun, "output": "sunny"}]}), chunk({}, "stop"))
    assert message(stream)["executed_tools"] == [{**begun, "output": "sunny"}]


def test_refusals_logprobs_annotations_and_further_choices_are_kept() -> None:
    token = {"token": "a", "logprob": -0.5, "bytes": None, "top_logprobs": []}
    first = {"index": 0, "delta": {"refusal": "I can"}, "logprobs": {"content": [token], "refusal": None}, "finish_reason": None}
    second = {"index": 1, "delta": {"content": "other"}, "finish_reason": "stop"}
    stream = sse(
        chunk(choices=[second]),
        chunk(choices=[first]),
        chunk(choices=[{**first, "delta": {"refusal": "not", "annotations": [{"type": "url_citation"}]}, "finish_reason": "stop"}]),
        chunk(None, citations=["https://a"], usage=USAGE),
    )
    body = read(stream)[1]
    assert [choice["index"] for choice in body["choices"]] == [0, 1]
    assert body["choices"][0]["message"] == {
        "role": "assistant",
        "content": None,
        "refusal": "I cannot",
        "annotations": [{"type": "url_citation"}],
    }
    assert body["choices"][0]["logprobs"] == {"content": [token, token]}
    assert body["choices"][1]["message"]["content"] == "other"
    assert body["citations"] == ["https://a"]


def test_sound_comes_as_pieces_that_are_padded_each() -> None:
    stream = sse(
        chunk({"audio": {"id": "audio_1", "transcript": "He"}}),
        chunk({"audio": {"data": "YQ=="}}),
        chunk({"audio": {"transcript": "y", "data": "Yg=="}}),
        chunk({"audio": {"expires_at": 7}}, "stop"),
    )
    pieces, body = read(stream)
    assert body["choices"][0]["message"]["audio"] == {"id": "audio_1", "transcript": "Hey", "data": "YWI=", "expires_at": 7}
    assert "".join(piece.text for piece in pieces) == "Hey"


def test_usage_is_found_where_groq_has_it() -> None:
    stream = sse(chunk({"content": "a"}), chunk({}, "stop", x_groq={"id": "req", "usage": USAGE}))
    assert read(stream)[1]["usage"] == USAGE


def test_an_answer_that_comes_as_one_event_is_one() -> None:
    whole = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Paris"}, "finish_reason": "stop"}], "usage": USAGE}
    pieces, body = read(sse(whole, done=False))
    assert body["choices"][0]["message"]["content"] == "Paris"
    assert [piece.text for piece in pieces] == ["Paris"]


def test_an_answer_that_is_repeated_whole_at_the_end_is_there_once() -> None:
    whole = {"index": 0, "message": {"role": "assistant", "content": "Paris"}, "finish_reason": "stop"}
    assert (
        message(sse(chunk({"content": "Par"}), chunk({"content": "is"}), chunk(choices=[whole], usage=USAGE), done=False))["content"]
        == "Paris"
    )


@pytest.mark.parametrize(
    "error",
    [
        {"error": {"message": "Tool call validation failed", "type": "invalid_request_error", "code": "tool_use_failed"}},
        {**chunk({"content": ""}), "error": {"code": 400, "message": "Token limit reached"}},
        {"object": "error", "message": "the engine died", "code": 500},
        {**chunk({}), "x_groq": {"id": "req", "error": "over capacity"}},
    ],
)
def test_an_error_among_the_chunks_is_that_of_the_call(error: dict[str, Any]) -> None:
    reading = Reading(ServerSentEvents(), ChatAssembler())
    reading.feed(sse(chunk({"content": "Par"}), done=False))
    with pytest.raises(AnswerError):
        reading.feed(sse(error))


@pytest.mark.parametrize(
    ("chunks", "done", "whole"),
    [
        ([chunk({"content": "a"}), chunk({}, "stop", usage=USAGE)], False, True),  # Perplexity says no [DONE]
        ([chunk({"content": "a"}), chunk({}, "stop"), chunk(None, usage=USAGE)], False, False),  # more may come, OpenAI's moderation
        ([chunk({"content": "a"}), chunk({}, "stop")], False, False),
        ([chunk({"content": "a"}, usage=USAGE)], False, False),  # some count in every chunk
        ([chunk({"content": "a"}, usage=USAGE), chunk({}, "stop")], False, False),
        ([chunk({"content": "a"})], True, True),
        ([chunk(None, usage=USAGE)], False, False),
        ([], False, False),
    ],
)
def test_a_stream_is_whole_if_its_server_says_so(chunks: list[dict[str, Any]], done: bool, whole: bool) -> None:
    if whole:
        assert message(sse(*chunks, done=done))["content"] == "a"
    else:
        with pytest.raises(ValueError, match="ended before"):
            read(sse(*chunks, done=done))


def test_writers_streams_end_with_what_was_used() -> None:
    chunks = [chunk({"content": "a"}), chunk({}, "stop"), chunk(None, usage=USAGE)]
    for count in range(len(chunks) + 1):
        reading = Reading(ServerSentEvents(), ChatAssembler(ends_with_usage=True))
        reading.feed(sse(*chunks[:count], done=False))
        with contextlib.nullcontext() if count == len(chunks) else pytest.raises(ValueError, match="ended before"):
            assert reading.end()["usage"] == USAGE


def test_what_follows_the_end_says_nothing() -> None:
    stream = sse(chunk({"content": "a"}), chunk({}, "stop")) + sse(chunk({"content": "b"})) + b"data: {garbage\n\nmore"
    assert message(stream)["content"] == "a"


@pytest.mark.parametrize("event", ["[1]", "7", "{broken", '{"choices": [7]}', '{"choices": [{"delta": {"tool_calls": [7]}}]}'])
def test_what_is_no_chunk_is_said_to_be_none(event: str) -> None:
    with pytest.raises(ValueError):
        read(sse(event))
