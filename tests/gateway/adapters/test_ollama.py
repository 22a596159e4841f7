"""Ollama's own APIs: requests and answers without a network."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.adapters.base import AnswerError
from gateway.adapters.blocks import Ask, Called, Choice, Function, Image, Result, Thought, Turn
from gateway.adapters.ollama import OllamaChat, OllamaGenerate
from gateway.structs import plain
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.v1 import gateway_pb2 as gw

CHAT, GENERATE = OllamaChat(), OllamaGenerate()
SAID = gw.GenerationParameters(temperature=0, max_output_tokens=9, top_k=3, seed=7, stop=["\n"], reasoning_effort="none", logprobs=2)
ANSWER = {
    "model": "llama3",
    "created_at": "2026",
    "done": True,
    "done_reason": "stop",
    "prompt_eval_count": 5,
    "eval_count": 7,
    "total_duration": 99,
}


def test_chat_has_parameters_as_options_and_asks_for_no_stream() -> None:
    picture = Image("image/png", base64="QUJD")
    body = CHAT.request("llama3", Ask([Turn("system", ["Be brief."]), Turn("user", ["What", picture, "is it?"])], SAID))
    assert body == {
        "model": "llama3",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What\n\nis it?", "images": ["QUJD"]}],
        "stream": False,
        "options": {"temperature": 0, "num_predict": 9, "top_k": 3, "seed": 7, "stop": ["\n"]},
        "think": False,
        "logprobs": True,
        "top_logprobs": 2,
    }


def test_chat_has_tools_and_what_they_gave_back() -> None:
    turns = [
        Turn("user", ["Hi"]),
        Turn("assistant", [Thought("hm"), Called("a", "weather", '{"city": "Bern"}')]),
        Turn("tool", [Result("a", "weather", "12 C")]),
    ]
    body: Any = CHAT.request("llama3", Ask(turns, gw.GenerationParameters(), [Function("weather", "Tells it.", None)], Choice("auto")))
    call = {"id": "a", "function": {"name": "weather", "arguments": {"city": "Bern"}}}
    assert body["messages"][1:] == [
        {"role": "assistant", "content": "", "thinking": "hm", "tool_calls": [call]},
        {"role": "tool", "content": "12 C", "tool_name": "weather", "tool_call_id": "a"},
    ]
    assert body["tools"] == [
        {
            "type": "function",
            "function": {"name": "weather", "description": "Tells it.", "parameters": {"type": "object", "properties": {}}},
        }
    ]
    with pytest.raises(CallFailed, match="which tool to call"):
        CHAT.request("llama3", Ask(turns, gw.GenerationParameters(), [Function("weather", "", None)], Choice("required")))


def test_a_schema_is_the_format() -> None:
    body = CHAT.request("m", Ask([Turn("user", ["Hi"])], gw.GenerationParameters(response_schema_json='{"type": "object"}')))
    assert body["format"] == {"type": "object"}


def test_a_chats_answer() -> None:
    called = {"function": {"name": "weather", "arguments": {"city": "Bern"}}}
    answer = CHAT.answer({**ANSWER, "message": {"role": "assistant", "content": "Hi", "thinking": "hm", "tool_calls": [called]}})
    thought, text, call, beside = answer.parts
    assert (thought.reasoning.text, text.text, call.tool_call.arguments_json) == ("hm", "Hi", '{"city":"Bern"}')
    assert plain(beside.vendor.value) == {"total_duration": 99}
    assert (answer.finish_reason, answer.model) == (gw.FINISH_REASON_TOOL_CALLS, "llama3")
    assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.has_usage) == (5, 7, True)
    cached = CHAT.answer({**ANSWER, "message": {"content": "Hi"}, "prompt_eval_count": None})
    assert not cached.has_usage


def test_a_prompts_request_and_answer() -> None:
    body = GENERATE.request("llama3", Ask([Turn("system", ["Be brief."]), Turn("user", ["Hi"])], gw.GenerationParameters()))
    assert body == {"model": "llama3", "prompt": "Hi", "system": "Be brief.", "stream": False}
    answer = GENERATE.answer({**ANSWER, "response": "Hello", "done_reason": "length", "context": [1, 2]})
    assert (answer.parts[0].text, answer.finish_reason) == ("Hello", gw.FINISH_REASON_LENGTH)
    assert plain(answer.parts[1].vendor.value) == {"context": [1, 2], "total_duration": 99}
    with pytest.raises(CallFailed) as caught:
        GENERATE.request("m", Ask([Turn("user", ["a"]), Turn("assistant", ["b"]), Turn("user", ["c"])], gw.GenerationParameters()))
    assert (caught.value.error_class, caught.value.part) == (ErrorClass.UNSUPPORTED, "messages[1]")


def test_bodies_that_are_no_answer() -> None:
    with pytest.raises(AnswerError, match="not found"):
        CHAT.answer({"error": "model 'x' not found"})
    for body in ({}, {"message": 3}, {"message": {"content": 3}}, {"message": {"tool_calls": [{}]}}):
        with pytest.raises(ValueError, match=r"message|content|function"):
            CHAT.answer(body)
    with pytest.raises(ValueError, match="response"):
        GENERATE.answer({"response": None})
