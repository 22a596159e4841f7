"""Cohere's own chat API: requests and answers without a network, checked against the cohere package's types."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.adapters.base import AnswerError, Refused
from gateway.adapters.blocks import Ask, Called, Choice, Document, Function, Image, Result, Thought, Turn, Vendor
from gateway.adapters.cohere import CohereChat, cohere_error
from gateway.answering.errors import error_class
from gateway.structs import plain
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.v1 import gateway_pb2 as gw

COHERE = CohereChat()
NONE = gw.GenerationParameters()
WEATHER = Function("weather", "Tells it.", {"type": "object", "properties": {"city": {"type": "string"}}})
USED = {
    "billed_units": {"input_tokens": 10, "output_tokens": 66},
    "tokens": {"input_tokens": 505, "output_tokens": 91, "reasoning_tokens": 58},
}


def asked(*turns: Turn, parameters: gw.GenerationParameters = NONE, **more: Any) -> Any:
    return COHERE.request("command-a", Ask(turns or (Turn("user", ["Hi"]),), parameters, **more))


def answered(message: object, finish: str = "COMPLETE", **more: Any) -> Any:
    return COHERE.answer({"id": "r", "message": message, "finish_reason": finish, "usage": USED, **more})


def test_parameters_have_coheres_names() -> None:
    said = gw.GenerationParameters(
        temperature=0, max_output_tokens=9, top_p=0.5, top_k=3, seed=7, stop=["\n"], presence_penalty=0.5, logprobs=0, reasoning_tokens=100
    )
    body = asked(parameters=said)
    body.pop("messages")
    assert body == {
        "model": "command-a",
        "temperature": 0,
        "max_tokens": 9,
        "p": 0.5,
        "k": 3,
        "seed": 7,
        "stop_sequences": ["\n"],
        "presence_penalty": 0.5,
        "logprobs": True,
        "thinking": {"type": "enabled", "token_budget": 100},
    }
    assert asked(parameters=gw.GenerationParameters(reasoning_tokens=0))["thinking"] == {"type": "disabled"}
    with pytest.raises(CallFailed, match="alternatives"):
        asked(parameters=gw.GenerationParameters(logprobs=3))
    schema = gw.GenerationParameters(response_schema_json='{"type": "object"}')
    assert asked(parameters=schema)["response_format"] == {"type": "json_object", "json_schema": {"type": "object"}}


def test_messages_documents_and_results_of_tools() -> None:
    body = asked(
        Turn("system", ["Be brief."]),
        Turn(
            "user",
            ["What?", Image("image/png", base64="QUJD", detail="low"), Document("text/plain", name="facts.txt", text="Ruby is old.")],
        ),
        Turn("assistant", [Vendor({"tool_plan": "I look.", "usage": {}}), Thought("hm"), Called("a", "weather", '{"city":"Bern"}')]),
        Turn(
            "tool",
            [Result("a", "weather", "12 C"), Result("b", "weather", "")],
            {1: {"content": [{"type": "document", "document": {"id": "x"}}]}},
        ),
        Turn("assistant", ["12 C"], {0: {"citations": [{"start": 0, "end": 2, "text": "12"}]}}),
        Turn("user", [Result("c", "weather", "13 C"), "So?"]),
    )
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD", "detail": "low"}}
    call = {"id": "a", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Bern"}'}}
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "What?"}, picture]},
        {"role": "assistant", "tool_plan": "I look.", "content": [{"type": "thinking", "thinking": "hm"}], "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "a", "content": "12 C"},
        {"role": "tool", "tool_call_id": "b", "content": [{"type": "document", "document": {"id": "x"}}]},
        {"role": "assistant", "citations": [{"start": 0, "end": 2, "text": "12"}], "content": "12 C"},
        {"role": "tool", "tool_call_id": "c", "content": "13 C"},
        {"role": "user", "content": "So?"},
    ]
    assert body["documents"] == [{"data": {"title": "facts.txt", "text": "Ruby is old."}}]


def test_tools_and_choices() -> None:
    body = asked(tools=[WEATHER, Function("now", "", None)], choice=Choice("required"))
    assert body["tools"][0] == {
        "type": "function",
        "function": {"name": "weather", "description": "Tells it.", "parameters": WEATHER.parameters},
    }
    assert body["tools"][1]["function"] == {"name": "now", "parameters": {"type": "object", "properties": {}}}
    assert (body["tool_choice"], "strict_tools" in body) == ("REQUIRED", False)
    strict = Function("now", "", None, strict=True)
    assert asked(tools=[strict], choice=Choice("none"))["strict_tools"] is True
    assert asked(tools=[strict], choice=Choice("none"))["tool_choice"] == "NONE"
    for wrong in ({"tools": [WEATHER, strict]}, {"choice": Choice("named", "weather")}, {"choice": Choice("auto", parallel=False)}):
        with pytest.raises(CallFailed) as caught:
            asked(**{"tools": [WEATHER], **wrong})
        assert caught.value.error_class == ErrorClass.CALLER_FAULT


def test_an_answer_has_its_citations_at_the_text_that_they_are_of() -> None:
    cited = {"start": 0, "end": 4, "text": "Matz", "sources": [], "type": "TEXT_CONTENT", "content_index": 1}
    planned = {"start": 0, "end": 1, "text": "I", "sources": [], "type": "PLAN"}
    content = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Matz did."}]
    answer = answered({"role": "assistant", "content": content, "citations": [cited, planned], "tool_plan": "I look."})
    thought, text, beside = answer.parts
    assert (thought.reasoning.text, text.text, plain(text.vendor_fields)) == ("hm", "Matz did.", {"citations": [cited]})
    assert plain(beside.vendor.value) == {"tool_plan": "I look.", "citations": [planned], "usage": USED}
    assert (answer.response_id, answer.finish_reason) == ("r", gw.FINISH_REASON_STOP)


def test_a_citation_that_does_not_say_of_what_is_of_the_first_text() -> None:
    cited = {"start": 0, "end": 4, "text": "Matz"}
    answer = answered({"content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Matz"}], "citations": [cited]})
    assert plain(answer.parts[1].vendor_fields) == {"citations": [cited]}
    without = answered({"content": [], "citations": [cited]})
    assert plain(without.parts[0].vendor.value)["citations"] == [cited], "no citation is lost"


def test_calls_logprobs_and_what_is_billed() -> None:
    call = {"id": "a", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Bern"}'}}
    logprobs = [{"text": "Bern", "token_ids": [1, 2], "logprobs": [-0.25, -0.5]}]
    answer = answered({"role": "assistant", "tool_calls": [call]}, "TOOL_CALL", logprobs=logprobs)
    assert (answer.parts[0].tool_call.id, answer.parts[0].tool_call.arguments_json) == ("a", '{"city":"Bern"}')
    assert answer.finish_reason == gw.FINISH_REASON_TOOL_CALLS
    assert [(one.token, one.logprob) for one in answer.logprobs] == [("Bern", -0.75)]
    assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.reasoning_tokens) == (10, 8, 58)
    unbilled, known = COHERE.usage({"usage": {"tokens": {"input_tokens": 5, "output_tokens": 2}}})
    assert (unbilled.input_tokens, unbilled.output_tokens, known) == (5, 2, True)
    assert COHERE.usage({})[1] is False


def test_answers_that_failed() -> None:
    with pytest.raises(AnswerError, match="ended with an error") as caught:
        answered({"content": []}, "ERROR")
    assert error_class(caught.value.error) == ErrorClass.TRANSIENT
    with pytest.raises(AnswerError) as caught:
        answered({"content": []}, "TIMEOUT")
    assert error_class(caught.value.error) == ErrorClass.TIMEOUT
    with pytest.raises(Refused):
        answered({"content": []}, "ERROR_TOXIC")
    for message in ("text", None, {"content": 3}, {"content": [3]}, {"tool_calls": [{}]}):
        with pytest.raises((ValueError, AnswerError)):
            answered(message)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, {"message": "invalid api token"}, ErrorClass.CREDENTIAL),
        (400, {"message": "too many tokens: size limit exceeded by 9 tokens."}, ErrorClass.CONTEXT_TOO_LONG),
        (400, {"message": "invalid request: temperature must be between 0 and 1.0 inclusive."}, ErrorClass.CALLER_FAULT),
        (404, {"message": "model 'x' not found"}, ErrorClass.MODEL_GONE),
        (422, {"message": "no"}, ErrorClass.CALLER_FAULT),
        (429, {"message": "You are using a Trial key, which is limited to 20 API calls / minute."}, ErrorClass.RATE_LIMIT),
        (498, {"message": "invalid token"}, ErrorClass.CREDENTIAL),
        (503, "upstream", ErrorClass.TRANSIENT),
    ],
)
def test_errors(status: int, body: object, expected: ErrorClass) -> None:
    assert error_class(cohere_error(status, body, {})) == expected
