"""Version 1 of Cohere's chat API: requests, answers and streams without a network."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.adapters.base import AnswerError, Refused
from gateway.adapters.blocks import Ask, Turn
from gateway.adapters.cohere_v1 import CohereOlderChat
from gateway.streams.cohere import CohereOlderAssembler
from gateway.streams.ndjson import JsonLines
from gateway.structs import plain
from genlevel.runtime.errors import CallFailed
from genlevel.v1 import gateway_pb2 as gw
from tests.gateway.streams.cutting import Kind, read, wrong_cuts

OLDER = CohereOlderChat()
CITED = {"start": 0, "end": 4, "text": "Matz", "document_ids": ["a"]}
ANSWER = {
    "response_id": "r",
    "generation_id": "g",
    "text": "Matz",
    "chat_history": [{"role": "USER", "message": "Who?"}, {"role": "CHATBOT", "message": "Matz"}],
    "finish_reason": "COMPLETE",
    "citations": [CITED],
    "documents": [{"id": "a"}],
    "meta": {"billed_units": {"input_tokens": 3, "output_tokens": 2}, "tokens": {"input_tokens": 69, "output_tokens": 2}},
}


def test_what_was_said_before_is_apart() -> None:
    turns = [Turn("system", ["Be brief."]), Turn("user", ["Hi"]), Turn("assistant", ["Hello"]), Turn("user", ["Who", "made Ruby?"])]
    assert OLDER.request("command", Ask(turns, gw.GenerationParameters(temperature=0, top_p=0.5))) == {
        "model": "command",
        "message": "Who\n\nmade Ruby?",
        "preamble": "Be brief.",
        "chat_history": [{"role": "USER", "message": "Hi"}, {"role": "CHATBOT", "message": "Hello"}],
        "temperature": 0,
        "p": 0.5,
    }
    for turns in ([Turn("user", ["Hi"]), Turn("assistant", ["Hello"])], [Turn("system", ["Be brief."])]):
        with pytest.raises(CallFailed, match="user message last"):
            OLDER.request("command", Ask(turns, gw.GenerationParameters()))


def test_an_answer() -> None:
    answer = OLDER.answer({**ANSWER, "tool_calls": [{"name": "weather", "parameters": {"city": "Bern"}}]})
    text, call, beside = answer.parts
    assert (text.text, plain(text.vendor_fields)) == ("Matz", {"citations": [CITED]})
    assert (call.tool_call.name, call.tool_call.arguments_json) == ("weather", '{"city":"Bern"}')
    assert plain(beside.vendor.value) == {"documents": [{"id": "a"}]}
    assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.response_id) == (3, 2, "r")
    with pytest.raises(AnswerError):
        OLDER.answer({**ANSWER, "finish_reason": "ERROR"})
    with pytest.raises(Refused):
        OLDER.answer({**ANSWER, "finish_reason": "ERROR_TOXIC"})
    with pytest.raises(ValueError, match="not a text"):
        OLDER.answer({"text": None})


def test_a_stream_ends_with_the_whole_answer() -> None:
    events: list[dict[str, Any]] = [
        {"is_finished": False, "event_type": "stream-start", "generation_id": "g"},
        {"is_finished": False, "event_type": "text-generation", "text": "Ma"},
        {"is_finished": False, "event_type": "text-generation", "text": "tz"},
        {"is_finished": True, "event_type": "stream-end", "finish_reason": "COMPLETE", "response": ANSWER},
    ]
    kind = Kind(JsonLines, CohereOlderAssembler, OLDER)
    stream = "".join(f"{json.dumps(event)}\n" for event in events).encode()
    pieces, body = read(kind, stream, 3)
    assert ("".join(piece.text for piece in pieces), body) == ("Matz", ANSWER)
    assert wrong_cuts(kind, stream) == []
    with pytest.raises(AnswerError, match="broke"):
        read(kind, b'{"message": "it broke"}\n')
