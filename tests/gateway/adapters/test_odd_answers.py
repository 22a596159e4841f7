"""Answers that are almost those of an API (a field that is missing, null or something else) are read, or fail as adapters may fail."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.base import Adapter, Answer, AnswerError, Refused
from gateway.adapters.bedrock import BedrockConverse
from gateway.adapters.bedrock_errors import aws_error
from gateway.adapters.cohere import CohereChat, cohere_error
from gateway.adapters.ollama import OllamaChat, OllamaGenerate
from gateway.answering.errors import classify
from genlevel.v1 import gateway_pb2 as gw
from tests.gateway.streams import test_bedrock_streams, test_cohere_and_ollama_streams
from tests.gateway.streams.cutting import Kind, read

FAILURES = (Refused, AnswerError, LookupError, TypeError, ValueError, AttributeError)
"""What gateway.adapters.base.Adapter says that converters raise."""
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 1 << 70),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.integers(0, 9), max_size=2),
    st.dictionaries(st.sampled_from(["type", "text", "content", "x"]), st.integers(0, 9), max_size=2),
)
CITED = {"start": 0, "end": 4, "text": "Matz", "content_index": 0}
BODIES: list[tuple[Adapter, dict[str, Any]]] = [
    (
        BedrockConverse(),
        {
            **test_bedrock_streams.WHOLE,
            "usage": {**test_bedrock_streams.USED, "cacheWriteInputTokens": 3, "cacheDetails": [{"ttl": "1h", "inputTokens": 3}]},
            "trace": {"promptRouter": {"invokedModelId": "m"}},
        },
    ),
    (
        CohereChat(),
        {**test_cohere_and_ollama_streams.COHERE_BODY, "message": {"content": [{"type": "text", "text": "Matz"}], "citations": [CITED]}},
    ),
    (CohereChat(), test_cohere_and_ollama_streams.COHERE_BODY),
    (OllamaChat(), test_cohere_and_ollama_streams.CHAT_BODY),
    (OllamaGenerate(), test_cohere_and_ollama_streams.GENERATE_BODY),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths to everything in a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return (
        [path, *(place for key, one in inner for place in places(one, (*path, key)))]
        if path
        else [place for key, one in inner for place in places(one, (key,))]
    )


@st.composite
def mutated(draw: st.DrawFn, whole: Any) -> Any:
    """The value with up to three things in it that are missing or something else."""
    value = copy.deepcopy(whole)
    for _ in range(draw(st.integers(1, 3))):
        found = places(value)
        if not found:
            break
        *path, last = draw(st.sampled_from(found))
        container = value
        for key in path:
            container = container[key]
        if draw(st.booleans()):
            container[last] = draw(ODD)
        else:
            del container[last]
    return value


@pytest.mark.parametrize(("adapter", "body"), BODIES, ids=lambda value: type(value).__name__)
@given(data=st.data())
def test_an_odd_body_is_read_or_fails_as_it_may(adapter: Adapter, body: dict[str, Any], data: st.DataObject) -> None:
    odd = data.draw(mutated(body))
    try:
        answer = adapter.answer(odd)
    except FAILURES:
        pass
    else:
        assert isinstance(answer, Answer)
        response = gw.GenerateResponse(parts=answer.parts)
        assert gw.GenerateResponse.FromString(response.SerializeToString()) == response
    usage, known = adapter.usage(odd)  # is asked after a failure too
    assert isinstance(usage, gw.Usage)
    assert isinstance(known, bool)


LINES = [json.loads(line) for line in test_cohere_and_ollama_streams.CHAT_STREAM.splitlines()]
EVENTS = [
    json.loads(line.removeprefix(b"data: "))
    for line in test_cohere_and_ollama_streams.COHERE_STREAM.splitlines()
    if line.startswith(b"data: {")
]
NAMED = [
    ("contentBlockStart", {"contentBlockIndex": 0, "start": {"toolUse": {"toolUseId": "a", "name": "f"}}}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"toolUse": {"input": "{}"}}}),
    ("contentBlockStop", {"contentBlockIndex": 0}),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"reasoningContent": {"text": "a", "signature": "s"}}}),
    ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"text": "a"}}),
    ("messageStop", {"stopReason": "end_turn"}),
    ("metadata", {"usage": test_bedrock_streams.USED}),
]


def frames(events: list[Any]) -> bytes:
    headers = [(name, {":event-type": name, ":message-type": "event"}) for name, _ in NAMED]
    return b"".join(
        test_bedrock_streams.frame(dict(head), json.dumps(event).encode()) for (_, head), event in zip(headers, events, strict=False)
    )


@pytest.mark.parametrize("kind", ["ollama", "cohere", "bedrock"])
@given(data=st.data())
def test_an_odd_stream_is_read_or_fails_as_it_may(kind: str, data: st.DataObject) -> None:
    whole: list[Any] = {"ollama": LINES, "cohere": EVENTS, "bedrock": [event for _, event in NAMED]}[kind]
    odd = data.draw(mutated(whole))
    streams = test_cohere_and_ollama_streams
    read_as: Kind = {"ollama": streams.CHAT, "cohere": streams.COHERE, "bedrock": test_bedrock_streams.KIND}[kind]
    match kind:
        case "ollama":
            stream = b"".join(json.dumps(one).encode() + b"\n" for one in odd)
        case "cohere":
            stream = b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in odd)
        case _:
            stream = frames(odd)
    try:
        _, body = read(read_as, stream)
        read_as.adapter.answer(body)
    except FAILURES:
        return


@given(status=st.sampled_from([400, 401, 403, 404, 429, 500, 503, 599]), body=ODD, named=st.text(max_size=9))
def test_an_odd_error_is_classified(status: int, body: object, named: str) -> None:
    for reader in (aws_error, cohere_error):
        for said in (body, {"message": body, "__type": body, "code": body}):
            failure = classify(reader(status, said, {"x-amzn-errortype": named}), provider="p", model="m")
            assert failure.message
