"""Bedrock's Converse API: requests and answers without a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.adapters.base import AnswerError, Refused
from gateway.adapters.bedrock import BedrockConverse
from gateway.adapters.bedrock_errors import aws_error
from gateway.adapters.bedrock_request import vendor_of
from gateway.adapters.blocks import Ask, Called, Choice, Document, Function, Image, Result, Thought, Turn, Vendor
from gateway.answering.errors import error_class
from gateway.service import Gateway
from gateway.structs import plain
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.runtime.settings import Account, Settings
from genlevel.v1 import gateway_pb2 as gw

CONVERSE = BedrockConverse()
CLAUDE, NOVA = "us.anthropic.claude-sonnet-4-6", "us.amazon.nova-2-lite-v1:0"
NONE = gw.GenerationParameters()
WEATHER = Function("weather", "Tells it.", {"type": "object", "properties": {"city": {"type": "string"}}})


def asked(*turns: Turn, model: str = CLAUDE, parameters: gw.GenerationParameters = NONE, **more: Any) -> Any:
    return CONVERSE.request(model, Ask(turns or (Turn("user", ["Hi"]),), parameters, **more))


def answered(*content: dict[str, Any], stop: str = "end_turn", **more: Any) -> Any:
    usage = {"inputTokens": 5, "outputTokens": 7, "totalTokens": 12}
    return CONVERSE.answer(
        {"output": {"message": {"role": "assistant", "content": list(content)}}, "stopReason": stop, "usage": usage, **more}
    )


def test_a_model_is_one_segment_of_the_path() -> None:
    assert CONVERSE.path(NOVA, streamed=False) == "model/us.amazon.nova-2-lite-v1%3A0/converse"
    arn = "arn:aws:bedrock:us-east-1:1:inference-profile/us.x"
    assert CONVERSE.path(arn, streamed=True) == "model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.x/converse-stream"


def test_parameters_go_where_converse_has_them_and_else_where_the_models_vendor_does() -> None:
    said = gw.GenerationParameters(temperature=0, max_output_tokens=9, top_p=0.5, stop=["\n"], top_k=3)
    body = asked(parameters=said)
    assert body["inferenceConfig"] == {"temperature": 0, "maxTokens": 9, "topP": 0.5, "stopSequences": ["\n"]}
    assert body["additionalModelRequestFields"] == {"top_k": 3}
    assert asked(model=NOVA, parameters=said)["additionalModelRequestFields"] == {"inferenceConfig": {"topK": 3}}
    assert asked().keys() == {"messages"}, "what is not asked is not sent"


@pytest.mark.parametrize(
    ("model", "parameters", "expected"),
    [
        (CLAUDE, {"reasoning_tokens": 1024}, {"thinking": {"type": "enabled", "budget_tokens": 1024}}),
        (CLAUDE, {"reasoning_tokens": 0}, {"thinking": {"type": "disabled"}}),
        (CLAUDE, {"reasoning_effort": "high"}, {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}),
        (
            CLAUDE,
            {"reasoning_tokens": 1024, "reasoning_effort": "high"},
            {"thinking": {"type": "enabled", "budget_tokens": 1024}, "output_config": {"effort": "high"}},
        ),
        (CLAUDE, {"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}}),
        (NOVA, {"reasoning_effort": "low"}, {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}}),
        ("openai.gpt-oss-120b-1:0", {"reasoning_effort": "medium"}, {"reasoning_effort": "medium"}),
    ],
)
def test_thinking_is_asked_for_in_the_vendors_words(model: str, parameters: dict[str, Any], expected: dict[str, Any]) -> None:
    assert asked(model=model, parameters=gw.GenerationParameters(**parameters))["additionalModelRequestFields"] == expected


@pytest.mark.parametrize(
    ("model", "parameters", "part"),
    [
        (NOVA, {"reasoning_tokens": 5}, "parameters.reasoning_tokens"),
        ("us.meta.llama4-x", {"reasoning_effort": "low"}, "parameters.reasoning_effort"),
        ("arn:aws:bedrock:us-east-1:1:application-inference-profile/abc", {"top_k": 5}, "parameters.top_k"),
    ],
)
def test_what_a_model_is_not_known_to_take_is_refused_by_name(model: str, parameters: dict[str, Any], part: str) -> None:
    with pytest.raises(CallFailed, match="additionalModelRequestFields") as caught:
        asked(model=model, parameters=gw.GenerationParameters(**parameters))
    assert (caught.value.error_class, caught.value.part) == (ErrorClass.CALLER_FAULT, part)


def test_whose_model_it_is_shows_in_its_id() -> None:
    names = [
        "eu.anthropic.claude-x",
        "amazon.nova-micro-v1:0",
        "arn:aws:bedrock:eu-west-1::foundation-model/cohere.command-r-v1:0",
        "custom",
    ]
    assert [vendor_of(name) for name in names] == ["anthropic", "amazon", "cohere", ""]


def test_system_messages_before_all_others_are_apart_and_later_ones_stay_where_they_are() -> None:
    body = asked(
        Turn("system", ["Be brief."], {0: {"cachePoint": {"type": "default"}}}), Turn("user", ["Hi"]), Turn("system", ["Now loud."])
    )
    assert body["system"] == [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}]
    assert [message["role"] for message in body["messages"]] == ["user", "system"]


def test_results_of_tools_and_what_the_user_says_next_are_one_message() -> None:
    image = Image("image/png", base64="QUJD")
    body = asked(
        Turn("assistant", [Thought("hm"), Called("a", "weather", '{"city": "Bern"}'), Called("b", "weather", "")], {0: {"signature": "s"}}),
        Turn("tool", [Result("a", "weather", "12 C")]),
        Turn("tool", [Result("b", "weather", "no city", is_error=True, media=[image])]),
        Turn("user", ["So?"]),
        Turn("user", ["Well?"]),
    )
    assistant, results, last = body["messages"]
    assert assistant["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
        {"toolUse": {"toolUseId": "a", "name": "weather", "input": {"city": "Bern"}}},
        {"toolUse": {"toolUseId": "b", "name": "weather", "input": {}}},
    ]
    picture = {"image": {"format": "png", "source": {"bytes": "QUJD"}}}
    assert results == {
        "role": "user",
        "content": [
            {"toolResult": {"toolUseId": "a", "content": [{"text": "12 C"}], "status": "success"}},
            {"toolResult": {"toolUseId": "b", "content": [{"text": "no city"}, picture], "status": "error"}},
            {"text": "So?"},
        ],
    }
    assert last == {"role": "user", "content": [{"text": "Well?"}]}


def test_documents_have_names_that_bedrock_takes_and_no_two_the_same() -> None:
    names = ["", "report_v2.final.pdf", "", "report v2 final pdf", "  a\tb  "]
    blocks = [Document("application/pdf", base64="QUJD", name=name) for name in names]
    (message,) = asked(Turn("user", blocks, {0: {"citations": {"enabled": True}}}))["messages"]
    documents = [block["document"] for block in message["content"]]
    assert [one["name"] for one in documents] == [
        "Document 1",
        "report v2 final pdf",
        "Document 2",
        "report v2 final pdf 2",
        "a b",
    ]
    assert documents[0] == {"format": "pdf", "name": "Document 1", "source": {"bytes": "QUJD"}, "citations": {"enabled": True}}


def test_media_in_s3_are_named_and_their_format_may_follow_from_the_address() -> None:
    (message,) = asked(Turn("user", [Image("", uri="s3://bucket/cat.JPEG")]))["messages"]
    assert message["content"] == [{"image": {"format": "jpeg", "source": {"s3Location": {"uri": "s3://bucket/cat.JPEG"}}}}]
    with pytest.raises(CallFailed, match="give its MIME type"):
        asked(Turn("user", [Image("", uri="s3://bucket/cat")]))


def test_tools_and_choices() -> None:
    body = asked(tools=[WEATHER, Function("now", "", None, strict=True), Vendor({"systemTool": {"name": "x"}})], choice=Choice("required"))
    described, bare, own = body["toolConfig"]["tools"]
    assert described["toolSpec"] == {"name": "weather", "description": "Tells it.", "inputSchema": {"json": WEATHER.parameters}}
    assert bare["toolSpec"] == {"name": "now", "inputSchema": {"json": {"type": "object", "properties": {}}}, "strict": True}
    assert own == {"systemTool": {"name": "x"}}
    assert body["toolConfig"]["toolChoice"] == {"any": {}}
    named = asked(tools=[WEATHER], choice=Choice("named", "weather"))
    assert named["toolConfig"]["toolChoice"] == {"tool": {"name": "weather"}}
    assert "toolChoice" not in asked(tools=[WEATHER])["toolConfig"]


def test_no_tool_is_to_be_called() -> None:
    assert "toolConfig" not in asked(tools=[WEATHER], choice=Choice("none"))
    with pytest.raises(CallFailed, match="tool_choice none"):
        asked(Turn("assistant", [Called("a", "weather", "{}")]), tools=[WEATHER], choice=Choice("none"))
    with pytest.raises(CallFailed, match="one tool at a time"):
        asked(tools=[WEATHER], choice=Choice("auto", parallel=False))


def test_an_answer_comes_back_as_it_was_when_it_is_sent_again() -> None:
    citation = {"title": "facts", "location": {"documentChar": {"documentIndex": 0, "start": 0, "end": 3}}}
    answer = answered(
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
        {"reasoningContent": {"redactedContent": "QUJD"}},
        {"citationsContent": {"content": [{"text": "Ma"}, {"text": "tz"}], "citations": [citation]}},
        {"toolUse": {"toolUseId": "a", "name": "python", "input": {"x": 1}, "type": "server_tool_use"}},
        {"toolUse": {"toolUseId": "b", "name": "weather", "input": {"n": 12.5}, "type": "tool_use"}},
        stop="tool_use",
        metrics={"latencyMs": 9},
    )
    thought, hidden, text, run, called, beside = answer.parts
    assert (thought.reasoning.text, plain(thought.vendor_fields)) == ("hm", {"signature": "s"})
    assert (text.text, plain(text.vendor_fields)) == ("Matz", {"citations": [citation]})
    assert (called.tool_call.id, called.tool_call.name, called.tool_call.arguments_json) == ("b", "weather", '{"n":12.5}')
    assert not called.HasField("vendor_fields")
    assert plain(beside.vendor.value) == {"metrics": {"latencyMs": 9}}
    assert answer.finish_reason == gw.FINISH_REASON_TOOL_CALLS
    (message,) = asked(
        Turn(
            "assistant",
            [Thought("hm"), Vendor(plain(hidden.vendor.value)), "Matz", Vendor(plain(run.vendor.value))],
            {0: {"signature": "s"}, 2: {"citations": [citation]}},
        )
    )["messages"]
    assert message["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
        {"reasoningContent": {"redactedContent": "QUJD"}},
        {"citationsContent": {"content": [{"text": "Matz"}], "citations": [citation]}},
        {"toolUse": {"toolUseId": "a", "name": "python", "input": {"x": 1}, "type": "server_tool_use"}},
    ]


def test_tokens_of_the_cache_are_beside_those_that_went_in() -> None:
    usage = {"inputTokens": 3, "outputTokens": 121, "totalTokens": 2072, "cacheReadInputTokens": 1712, "cacheWriteInputTokens": 236}
    counted, known = CONVERSE.usage(
        {"usage": {**usage, "cacheDetails": [{"ttl": "1h", "inputTokens": 200}, {"ttl": "5m", "inputTokens": 36}]}}
    )
    assert known
    assert (counted.input_tokens, counted.cache_read_tokens, counted.cache_write_tokens, counted.output_tokens) == (3, 1712, 236, 121)
    assert counted.details.cache_write_hour_tokens == 200
    assert CONVERSE.usage({"usage": {"outputTokens": 1}})[1] is False
    assert CONVERSE.usage({"usage": {**usage, "cacheDetails": 5}})[1] is True


@pytest.mark.parametrize(
    ("stop", "finish"),
    [
        ("max_tokens", gw.FINISH_REASON_LENGTH),
        ("model_context_window_exceeded", gw.FINISH_REASON_LENGTH),
        ("stop_sequence", gw.FINISH_REASON_STOP),
        ("malformed_tool_use", gw.FINISH_REASON_OTHER),
    ],
)
def test_reasons_to_stop(stop: str, finish: int) -> None:
    answer = answered({"text": "a"}, stop=stop)
    assert answer.finish_reason == finish
    assert len(answer.parts) == (2 if finish == gw.FINISH_REASON_OTHER else 1), "an unusual one is kept"


@pytest.mark.parametrize("stop", ["guardrail_intervened", "content_filtered"])
def test_a_guardrails_answer_is_a_refusal_with_its_words(stop: str) -> None:
    with pytest.raises(Refused, match="Sorry"):
        answered({"text": "Sorry, no."}, stop=stop)


def test_the_model_that_a_router_chose_is_told() -> None:
    assert answered({"text": "a"}, trace={"promptRouter": {"invokedModelId": "arn:x"}}).model == "arn:x"


def test_bodies_that_are_no_answer() -> None:
    for body in ({}, {"output": {}}, {"output": {"message": {"content": "text"}}}, {"output": {"message": {"content": [3]}}}):
        with pytest.raises(ValueError, match=r"output|content"):
            CONVERSE.answer(body)
    with pytest.raises(AnswerError):
        CONVERSE.answer({"message": "no such operation"})


VALIDATION = {"x-amzn-errortype": "ValidationException:http://internal.amazon.com/coral/com.amazon.bedrock/"}


@pytest.mark.parametrize(
    ("status", "body", "headers", "expected"),
    [
        (400, {"message": "The provided model identifier is invalid."}, VALIDATION, ErrorClass.MODEL_GONE),
        (400, {"message": "The provided model identifier is invalid."}, {}, ErrorClass.MODEL_GONE),
        (400, {"message": "Invocation of model ID x with on-demand throughput isn’t supported."}, {}, ErrorClass.MODEL_GONE),
        (400, {"message": "Input is too long for requested model."}, VALIDATION, ErrorClass.CONTEXT_TOO_LONG),
        (
            400,
            {"message": "The model returned the following errors: prompt is too long: 9 tokens > 8 maximum"},
            {},
            ErrorClass.CONTEXT_TOO_LONG,
        ),
        (400, {"message": "The maximum tokens you requested exceeds the model limit of 4096."}, {}, ErrorClass.CALLER_FAULT),
        (400, {"message": "Malformed input request: #/messages: extraneous key"}, VALIDATION, ErrorClass.CALLER_FAULT),
        (400, {"message": "This model doesn't support the video content block that you provided."}, {}, ErrorClass.UNSUPPORTED),
        (403, {"message": "The security token included in the request is invalid."}, {}, ErrorClass.CREDENTIAL),
        (403, {"message": "x"}, {"x-amzn-errortype": "UnrecognizedClientException"}, ErrorClass.CREDENTIAL),
        (403, {"Message": "Authentication failed: Please make sure your API Key is valid."}, {}, ErrorClass.CREDENTIAL),
        (403, {"message": "You don't have access to the model with the specified model ID."}, {}, ErrorClass.MODEL_ACCESS),
        (400, {"__type": "com.amazon.coral.service#ExpiredTokenException", "message": "expired"}, {}, ErrorClass.CREDENTIAL),
        (429, {"message": "Too many requests"}, {"x-amzn-errortype": "ThrottlingException"}, ErrorClass.RATE_LIMIT),
        (429, {"message": "not ready"}, {"x-amzn-errortype": "ModelNotReadyException"}, ErrorClass.TRANSIENT),
        (400, {"message": "quota"}, {"x-amzn-errortype": "ServiceQuotaExceededException"}, ErrorClass.QUOTA),
        (404, {"message": "This model version has reached the end of its life."}, {}, ErrorClass.MODEL_GONE),
        (408, {"message": "slow"}, {"x-amzn-errortype": "ModelTimeoutException"}, ErrorClass.TIMEOUT),
        (424, {"message": "broke"}, {"x-amzn-errortype": "ModelErrorException"}, ErrorClass.TRANSIENT),
        (503, {}, {}, ErrorClass.TRANSIENT),
        (502, "Bad Gateway", {}, ErrorClass.TRANSIENT),
    ],
)
def test_errors_by_the_name_that_aws_gives_them(status: int, body: object, headers: dict[str, str], expected: ErrorClass) -> None:
    assert error_class(aws_error(status, body, headers)) == expected


async def test_what_only_some_models_take_may_be_left_out_by_name(
    stub: Any, make_gateway: Callable[[Settings], Gateway], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "a-key-of-bedrock")
    message = {"role": "assistant", "content": [{"text": "Bern"}]}
    stub.replies({"output": {"message": message}, "stopReason": "end_turn", "usage": {"inputTokens": 1, "outputTokens": 1}})
    gateway = make_gateway(Settings(accounts={"bedrock": Account(provider="bedrock", base_url=stub.url, api_key_env="MY_KEY")}))
    parameters = gw.GenerationParameters(top_k=3, reasoning_effort="low", temperature=0)
    request = gw.GenerateRequest(route="bedrock/us.meta.llama4-x", messages=[{"role": "ROLE_USER", "parts": [{"text": "Hi"}]}])
    request.parameters.CopyFrom(parameters)
    try:
        with pytest.raises(CallFailed, match="top_k"):
            await gateway.generate(request)
        request.droppable.extend(["top_k", "reasoning_effort"])
        answer = await gateway.generate(request)
    finally:
        await gateway.close()
    ((_, _, body),) = stub.requests
    assert body.keys() == {"messages", "inferenceConfig"}
    assert list(answer.dropped_parameters) == ["reasoning_effort", "top_k"]
    assert answer.applied_parameters == gw.GenerationParameters(temperature=0)
