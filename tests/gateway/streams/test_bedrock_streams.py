"""AWS's framing, and streams of the Converse API."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.base import AnswerError
from gateway.adapters.bedrock import BedrockConverse
from gateway.answering.errors import error_class
from gateway.streams.assembler import Event
from gateway.streams.aws_frames import AwsFraming
from gateway.streams.bedrock import BedrockAssembler
from genlevel.runtime.errors import ErrorClass
from tests.gateway.streams.cutting import Kind, outcome, read, wrong_cuts

KIND = Kind(AwsFraming, BedrockAssembler, BedrockConverse())


def frame(headers: dict[str, object], payload: bytes) -> bytes:
    """One message. Headers are texts, whole numbers of 64 bits, or true."""
    written = b""
    for name, value in headers.items():
        written += bytes([len(name)]) + name.encode()
        if value is True:
            written += b"\0"
        elif isinstance(value, int):
            written += b"\5" + struct.pack(">q", value)
        else:
            text = str(value).encode()
            written += b"\7" + struct.pack(">H", len(text)) + text
    prelude = struct.pack(">II", 16 + len(written) + len(payload), len(written))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + written + payload
    return message + struct.pack(">I", zlib.crc32(message))


def event(name: str, value: dict[str, Any]) -> bytes:
    headers: dict[str, object] = {":event-type": name, "n": 7, ":content-type": "application/json", "on": True, ":message-type": "event"}
    return frame(headers, json.dumps({**value, "p": "abc"}).encode())


def failure(name: str, message: str) -> bytes:
    return frame({":exception-type": name, ":message-type": "exception"}, json.dumps({"message": message}).encode())


def delta(number: int, value: dict[str, Any]) -> bytes:
    return event("contentBlockDelta", {"contentBlockIndex": number, "delta": value})


USED = {"inputTokens": 5, "outputTokens": 7, "totalTokens": 12}
CITATION = {"title": "facts", "location": {"documentChar": {"documentIndex": 0, "start": 0, "end": 3}}}
CALL = {"toolUse": {"toolUseId": "a", "name": "weather", "input": {"city": "Bern"}}}
WHOLE = {
    "output": {
        "message": {
            "role": "assistant",
            "content": [
                {"reasoningContent": {"reasoningText": {"text": "hm, so", "signature": "sig"}}},
                {"reasoningContent": {"redactedContent": base64.b64encode(b"hidden").decode()}},
                {"text": "Zürich 🌍"},
                {"citationsContent": {"content": [{"text": "Matz"}], "citations": [CITATION]}},
                CALL,
                {"toolResult": {"toolUseId": "r", "status": "success", "type": "x_result", "content": [{"json": {"exitCode": 0}}]}},
            ],
        }
    },
    "stopReason": "tool_use",
    "usage": USED,
    "metrics": {"latencyMs": 9},
}
STREAM = b"".join(
    (
        event("messageStart", {"role": "assistant"}),
        delta(0, {"reasoningContent": {"text": "hm,"}}),
        delta(0, {"reasoningContent": {"text": " so"}}),
        delta(0, {"reasoningContent": {"signature": "sig"}}),
        event("contentBlockStop", {"contentBlockIndex": 0}),
        delta(1, {"reasoningContent": {"redactedContent": base64.b64encode(b"hid").decode()}}),
        delta(1, {"reasoningContent": {"redactedContent": base64.b64encode(b"den").decode()}}),
        event("contentBlockStop", {"contentBlockIndex": 1}),
        delta(2, {"text": "Zürich "}),
        delta(2, {"text": "🌍"}),
        event("contentBlockStop", {"contentBlockIndex": 2}),
        delta(3, {"text": "Matz"}),
        delta(3, {"citation": CITATION}),
        event("contentBlockStop", {"contentBlockIndex": 3}),
        event("contentBlockStart", {"contentBlockIndex": 4, "start": {"toolUse": {"toolUseId": "a", "name": "weather"}}}),
        delta(4, {"toolUse": {"input": '{"city": '}}),
        delta(4, {"toolUse": {"input": '"Bern"}'}}),
        event("contentBlockStop", {"contentBlockIndex": 4}),
        event(
            "contentBlockStart",
            {"contentBlockIndex": 5, "start": {"toolResult": {"toolUseId": "r", "status": "success", "type": "x_result"}}},
        ),
        delta(5, {"toolResult": [{"json": {"exitCode": 0}}]}),
        event("contentBlockStop", {"contentBlockIndex": 5}),
        event("messageStop", {"stopReason": "tool_use"}),
        event("metadata", {"usage": USED, "metrics": {"latencyMs": 9}}),
    )
)


def test_a_stream_is_the_body_that_would_have_come_whole() -> None:
    pieces, body = read(KIND, STREAM)
    assert body == WHOLE
    texts = "".join(piece.text for piece in pieces)
    assert (texts, "".join(piece.reasoning.text for piece in pieces)) == ("Zürich 🌍Matz", "hm, so")
    assert [piece.tool_call.arguments_json for piece in pieces if piece.HasField("tool_call")] == ['{"city":"Bern"}']


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_a_stream_in_parts_of_any_size_reads_the_same(size: int) -> None:
    assert read(KIND, STREAM, size)[1] == WHOLE


def test_a_stream_that_is_cut_at_any_byte_is_no_answer() -> None:
    assert wrong_cuts(KIND, STREAM) == []


def test_what_comes_behind_the_end_says_nothing() -> None:
    assert read(KIND, STREAM + event("messageStop", {"stopReason": "max_tokens"}))[1] == WHOLE


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("throttlingException", ErrorClass.RATE_LIMIT),
        ("modelStreamErrorException", ErrorClass.TRANSIENT),
        ("internalServerException", ErrorClass.TRANSIENT),
        ("serviceUnavailableException", ErrorClass.TRANSIENT),
        ("validationException", ErrorClass.CALLER_FAULT),
    ],
)
def test_an_exception_in_a_stream_is_that_failure(name: str, expected: ErrorClass) -> None:
    with pytest.raises(AnswerError, match="too much") as caught:
        read(KIND, event("messageStart", {"role": "assistant"}) + failure(name, "too much"))
    assert error_class(caught.value.error) == expected


def test_an_error_without_a_body_says_its_code() -> None:
    broken = frame({":message-type": "error", ":error-code": "InternalFailure", ":error-message": "oh"}, b"")
    with pytest.raises(AnswerError, match="oh") as caught:
        read(KIND, broken)
    assert caught.value.error.code == "InternalFailure"


def test_a_call_whose_arguments_are_no_json_keeps_them() -> None:
    stream = (
        event("contentBlockStart", {"contentBlockIndex": 0, "start": {"toolUse": {"toolUseId": "a", "name": "f"}}})
        + delta(0, {"toolUse": {"input": '{"x": tru'}})
        + event("messageStop", {"stopReason": "max_tokens"})
        + event("metadata", {"usage": USED})
    )
    answer = outcome(KIND, stream)
    assert not isinstance(answer, str)
    assert answer.parts[0].tool_call.arguments_json == '{"x": tru'


@given(place=st.integers(0, len(STREAM) - 1), bit=st.integers(0, 7))
def test_a_bit_that_flips_on_the_way_is_seen(place: int, bit: int) -> None:
    changed = bytearray(STREAM)
    changed[place] ^= 1 << bit
    assert outcome(KIND, bytes(changed)) == "cut"


@given(st.binary(max_size=200))
def test_other_bytes_are_no_stream(data: bytes) -> None:
    assert outcome(KIND, data) == "cut"


def test_a_length_that_cannot_be_is_refused_before_it_is_waited_for() -> None:
    prelude = struct.pack(">II", 1 << 31, 0)
    with pytest.raises(ValueError, match="has 2,147,483,648 bytes"):
        AwsFraming().feed(prelude + struct.pack(">I", zlib.crc32(prelude)))


def test_the_framing_gives_names_and_payloads() -> None:
    assert AwsFraming().feed(frame({":event-type": "e", ":message-type": "event"}, b"{}")) == [Event("e", b"{}")]
