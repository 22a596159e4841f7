"""Converters of every provider API, without a network, checked against the SDKs' own types."""

from __future__ import annotations

import json
from typing import Any

import pytest
from anthropic.types import Message as AnthropicMessage
from anthropic.types import OutputConfigParam
from openai.types.chat import ChatCompletion
from openai.types.responses import Response as OpenAIResponse
from openai.types.responses import ResponseTextConfigParam
from openai.types.shared_params import ResponseFormatJSONSchema
from pydantic import TypeAdapter

from gateway.adapters import ADAPTERS
from gateway.adapters.anthropic_messages import AnthropicMessages
from gateway.adapters.base import AnswerError, Refused, usage_of
from gateway.adapters.blocks import Ask, Image, Turn
from gateway.adapters.compatible import Compatible
from gateway.adapters.openai_chat import OpenAIChat
from gateway.adapters.openai_responses import OpenAIResponses
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

TURNS = [
    Turn("system", ["Be brief."]),
    Turn("user", ["What is this?", Image("image/png", base64="QUJD")]),
    Turn("assistant", ["A cat."]),
    Turn("user", ["Sure?"]),
]
PARAMETERS = gw.GenerationParameters(temperature=0, max_output_tokens=9, top_p=0.5)
NONE = gw.GenerationParameters()


def chat_answer(**changes: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": "Paris", **changes.pop("message", {})}
    choice = {"index": 0, "finish_reason": changes.pop("finish_reason", "stop"), "message": message, "logprobs": None}
    answer = {"id": "c1", "object": "chat.completion", "created": 1, "model": "gpt-x", "choices": [choice]}
    return {**answer, "usage": {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}, **changes}


def responses_answer(*output: dict[str, Any], **changes: Any) -> dict[str, Any]:
    answer = {
        "id": "r1",
        "object": "response",
        "created_at": 1.0,
        "model": "gpt-x",
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "output": list(output),
        "usage": {
            "input_tokens": 50,
            "input_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 5},
            "output_tokens": 40,
            "output_tokens_details": {"reasoning_tokens": 25},
            "total_tokens": 90,
        },
    }
    return {**answer, **changes}


def message_answer(*blocks: dict[str, Any], **changes: Any) -> dict[str, Any]:
    usage = {"input_tokens": 7, "output_tokens": 30, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 20}
    answer = {"id": "m1", "type": "message", "role": "assistant", "model": "claude-x", "stop_reason": "end_turn", "stop_sequence": None}
    return {**answer, "content": list(blocks), "usage": {**usage, "output_tokens_details": {"thinking_tokens": 12}}, **changes}


def said(text: str) -> dict[str, Any]:
    block = {"type": "output_text", "text": text, "annotations": []}
    return {"type": "message", "id": "msg", "role": "assistant", "status": "completed", "content": [block]}


def test_chat_sends_messages_images_and_its_own_names() -> None:
    body = OpenAIChat().request(
        "gpt-x", Ask(TURNS, gw.GenerationParameters(temperature=0, max_output_tokens=9, top_p=0.5, seed=3, stop=["\n"]))
    )
    assert body == {
        "model": "gpt-x",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
                ],
            },
            {"role": "assistant", "content": "A cat."},
            {"role": "user", "content": "Sure?"},
        ],
        "temperature": 0,
        "max_completion_tokens": 9,
        "top_p": 0.5,
        "seed": 3,
        "stop": ["\n"],
    }


SCHEMA = {"type": "object", "properties": {"answer": {"type": "number"}}, "required": ["answer"], "additionalProperties": False}


def test_every_api_is_told_of_a_schema_in_its_own_place() -> None:
    held = gw.GenerationParameters(max_output_tokens=9, response_schema_json=json.dumps(SCHEMA))
    named = {"name": "answer", "strict": True, "schema": SCHEMA}
    for chat in (OpenAIChat(), Compatible()):
        body = chat.request("m", Ask(TURNS[3:], held))
        assert body["response_format"] == {"type": "json_schema", "json_schema": named}
        TypeAdapter(ResponseFormatJSONSchema).validate_python(body["response_format"])
    responses = OpenAIResponses().request("m", Ask(TURNS[3:], held))
    assert responses["text"] == {"format": {"type": "json_schema", **named}}
    TypeAdapter(ResponseTextConfigParam).validate_python(responses["text"])
    messages = AnthropicMessages().request("m", Ask(TURNS[3:], held))
    assert messages["output_config"] == {"format": {"type": "json_schema", "schema": SCHEMA}}
    TypeAdapter(OutputConfigParam).validate_python(messages["output_config"])
    for adapter in ADAPTERS.values():
        body = adapter.request("m", Ask(TURNS[3:], gw.GenerationParameters(max_output_tokens=9)))
        assert not {"response_format", "text", "output_config"} & set(body)


def test_a_compatible_server_gets_the_older_name_of_the_limit() -> None:
    body = Compatible().request("m", Ask(TURNS[3:], PARAMETERS))
    assert body["max_tokens"] == 9
    assert "max_completion_tokens" not in body


def test_responses_sends_typed_parts_and_stores_nothing_unless_asked() -> None:
    assert OpenAIResponses().capabilities.defaults == {"store": False}
    body = OpenAIResponses().request("gpt-x", Ask(TURNS, PARAMETERS))
    assert body == {
        "model": "gpt-x",
        "input": [
            {"role": "system", "content": [{"type": "input_text", "text": "Be brief."}]},
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "What is this?"},
                    {"type": "input_image", "image_url": "data:image/png;base64,QUJD", "detail": "auto"},
                ],
            },
            {"role": "assistant", "content": [{"type": "output_text", "text": "A cat."}]},
            {"role": "user", "content": [{"type": "input_text", "text": "Sure?"}]},
        ],
        "temperature": 0,
        "max_output_tokens": 9,
        "top_p": 0.5,
    }


def test_anthropic_sends_the_system_message_apart() -> None:
    parameters = gw.GenerationParameters(max_output_tokens=9, stop=["END"])
    body = AnthropicMessages().request(
        "claude-x", Ask([*TURNS[:2], Turn("user", [Image("image/png", uri="https://x.org/a.png")])], parameters)
    )
    assert body == {
        "model": "claude-x",
        "system": "Be brief.",
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}},
                ],
            },
            {"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": "https://x.org/a.png"}}]},
        ],
        "max_tokens": 9,
        "stop_sequences": ["END"],
    }


def test_anthropic_sends_a_late_system_message_where_it_stands() -> None:
    body = AnthropicMessages().request("claude-x", Ask([*TURNS, Turn("system", ["Now rhyme."])], NONE))
    assert body["system"] == "Be brief."
    assert body["messages"][-1] == {"role": "system", "content": "Now rhyme."}


def test_anthropic_asks_for_the_version_that_has_sampling_only_where_it_samples() -> None:
    adapter = AnthropicMessages()
    assert adapter.headers(adapter.request("m", Ask(TURNS[3:], PARAMETERS))) == {"anthropic-version": "2023-06-01"}
    assert adapter.headers(adapter.request("m", Ask(TURNS[3:], gw.GenerationParameters(max_output_tokens=9)))) is None


def test_a_parameter_that_was_not_asked_is_not_sent() -> None:
    for adapter in ADAPTERS.values():
        body = adapter.request("m", Ask(TURNS[3:], NONE))
        assert not set(body) & set(adapter.capabilities.parameters.values())


def test_temperature_0_is_sent_and_not_taken_for_nothing() -> None:
    for adapter in ADAPTERS.values():
        body = adapter.request("m", Ask(TURNS[3:], gw.GenerationParameters(temperature=0)))
        places = [body, *(value for value in body.values() if isinstance(value, dict))]  # some APIs have an object of parameters
        assert [place["temperature"] for place in places if "temperature" in place] == [0] * adapter.capabilities.takes("temperature")


def test_chat_usage_falls_into_disjoint_buckets() -> None:
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 30,
        "total_tokens": 130,
        "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10},
        "completion_tokens_details": {"reasoning_tokens": 20},
    }
    answer = OpenAIChat().answer(ChatCompletion.model_validate(chat_answer(usage=usage)).model_dump())
    assert answer.usage == gw.Usage(input_tokens=30, cache_read_tokens=60, cache_write_tokens=10, output_tokens=10, reasoning_tokens=20)
    assert answer.has_usage


def test_reasoning_that_a_server_counts_beside_the_completion_is_not_subtracted() -> None:
    details = {"reasoning_tokens": 25}
    for visible in (5, 30):
        usage = {"prompt_tokens": 10, "completion_tokens": visible, "total_tokens": 35 + visible, "completion_tokens_details": details}
        answer = Compatible().answer(chat_answer(usage=usage))
        assert (answer.usage.output_tokens, answer.usage.reasoning_tokens) == (visible, 25)


def test_what_a_total_has_beside_its_parts_is_reasoning() -> None:
    """Gemini's own server says nowhere else how much was thought."""
    usage = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 512}
    answer = Compatible().answer(chat_answer(usage=usage))
    assert answer.usage == gw.Usage(input_tokens=10, output_tokens=2, reasoning_tokens=500)
    cached = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 42, "prompt_tokens_details": {"cached_tokens": 30}}
    answer = Compatible().answer(chat_answer(usage=cached))
    assert answer.usage == gw.Usage(input_tokens=10, cache_read_tokens=30, output_tokens=2), "cached ones beside the prompt count once"


@pytest.mark.parametrize(
    ("odd", "name"),
    [
        (None, ""),
        (7, "7"),
        (1.5, "1.5"),
        (True, ""),
        ("", ""),
        ("a\nb\x00c", "abc"),
        ("x" * 10_000, "x" * 200),
        (["a"], ""),
        ({"a": 1}, ""),
    ],
)
@pytest.mark.parametrize(
    ("adapter", "body"),
    [(Compatible(), chat_answer()), (OpenAIResponses(), responses_answer(said("Paris"))), (AnthropicMessages(), message_answer())],
)
def test_names_and_ids_of_any_type_become_short_lines(adapter: Any, body: dict[str, Any], odd: Any, name: str) -> None:
    fingerprint = {"system_fingerprint": odd}
    answer = adapter.answer({**body, "id": odd, "model": odd, **fingerprint, "metadata": fingerprint})
    says_one = not isinstance(adapter, AnthropicMessages)
    assert (answer.model, answer.response_id, answer.fingerprint) == (name, name, name if says_one else "")


@pytest.mark.parametrize("metadata", [None, {}, [], "fp", 7])
def test_a_provider_that_says_no_fingerprint_has_none(metadata: Any) -> None:
    assert Compatible().answer(chat_answer()).fingerprint == ""
    assert OpenAIResponses().answer({**responses_answer(said("Paris")), "metadata": metadata}).fingerprint == ""


@pytest.mark.parametrize("odd", [1e30, 10**30, -5, 2.5, "many", True, [], {"n": 1}, "9" * 4000, "\u0663"])
@pytest.mark.parametrize(
    ("adapter", "body", "name"),
    [
        (Compatible(), chat_answer(), "prompt_tokens"),
        (Compatible(), chat_answer(), "completion_tokens"),
        (OpenAIResponses(), responses_answer(said("Paris")), "input_tokens"),
        (OpenAIResponses(), responses_answer(said("Paris")), "output_tokens"),
        (AnthropicMessages(), message_answer(), "output_tokens"),
        (AnthropicMessages(), message_answer(), "cache_read_input_tokens"),
    ],
)
def test_a_count_that_cannot_be_read_makes_the_usage_unknown(adapter: Any, body: dict[str, Any], name: str, odd: Any) -> None:
    answer = adapter.answer({**body, "usage": {**body["usage"], name: odd}})
    assert not answer.has_usage
    assert sum(getattr(answer.usage, field) for field in ("input_tokens", "output_tokens", "cache_read_tokens")) < 1000


def test_a_count_that_is_missing_makes_the_usage_unknown_but_a_missing_detail_is_none() -> None:
    assert not Compatible().answer(chat_answer(usage={"prompt_tokens": 10})).has_usage
    assert not Compatible().answer(chat_answer(usage={})).has_usage
    assert not OpenAIResponses().answer(responses_answer(said("x"), usage={"output_tokens": 3})).has_usage
    assert not AnthropicMessages().answer(message_answer(usage={"input_tokens": 3})).has_usage
    answer = Compatible().answer(chat_answer(usage={"prompt_tokens": 10, "completion_tokens": 0, "prompt_tokens_details": None}))
    assert (answer.usage, answer.has_usage) == (gw.Usage(input_tokens=10), True)


def test_counts_written_as_floats_or_digits_are_counts() -> None:
    details = {"cached_tokens": "4", "cache_write_tokens": 0.0}
    usage = {"prompt_tokens": "10", "completion_tokens": 2.0, "total_tokens": "12", "prompt_tokens_details": details}
    answer = Compatible().answer(chat_answer(usage=usage))
    assert (answer.usage, answer.has_usage) == (gw.Usage(input_tokens=6, cache_read_tokens=4, output_tokens=2), True)


def test_counts_of_zero_for_what_took_tokens_are_not_known() -> None:
    def known(prompt: int, completion: int, **changes: Any) -> bool:
        return Compatible().answer(chat_answer(usage={"prompt_tokens": prompt, "completion_tokens": completion}, **changes)).usage_is_known

    silent = [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": ""}}]
    assert [known(10, 2), known(0, 0), known(0, 2), known(10, 0), known(10, 0, choices=silent)] == [True, False, False, False, True]


@pytest.mark.parametrize("usage", [None, 5, "much", []])
def test_no_usage_is_said_not_counted_as_nothing(usage: Any) -> None:
    for adapter, body in ((Compatible(), chat_answer()), (OpenAIResponses(), responses_answer()), (AnthropicMessages(), message_answer())):
        assert not adapter.answer({**body, "usage": usage}).has_usage  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("value", "texts", "others"),
    [
        (
            ["a", {"type": "text", "text": "b"}, {"text": "c"}, {"type": "output_text", "text": "d"}, {"type": "text", "text": None}],
            "abcd",
            0,
        ),
        ({"type": "text", "text": "one"}, "one", 0),
        ([], "", 0),
        ([{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "b"}], "b", 0),
        ([{"type": "reference", "reference_ids": [1]}, {"type": "text", "text": "b"}], "b", 1),
    ],
)
def test_an_answer_in_blocks_is_an_answer_and_what_is_not_known_of_it_is_kept(value: Any, texts: str, others: int) -> None:
    parts = Compatible().answer(chat_answer(message={"content": value})).parts
    assert "".join(part.text for part in parts) == texts
    assert [part.vendor.vendor for part in parts if part.HasField("vendor")] == ["compatible"] * others


@pytest.mark.parametrize(
    ("changes", "said_of_it"),
    [
        ({"choices": None}, "choices is missing or null"),
        ({"choices": []}, "choices is an empty list"),
        ({"choices": {}}, "choices is an object"),
        ({"choices": ["Paris"]}, r"choices\[0\] is a text"),
        ({"choices": [{"message": None}]}, r"choices\[0\] has no message"),
        ({"choices": [{"delta": {"content": "Par"}}]}, "only a piece of a stream"),
        ({"choices": [{"message": {"content": 7}}]}, "content is neither text nor blocks"),
        ({"choices": [{"message": {"content": [7]}}]}, "neither text nor an object"),
    ],
)
def test_what_is_wrong_with_a_body_is_said_in_words(changes: dict[str, Any], said_of_it: str) -> None:
    with pytest.raises(ValueError, match=said_of_it):
        Compatible().answer({**chat_answer(), **changes})


@pytest.mark.parametrize("finish", [None, 7, ["stop"], {"a": 1}])
def test_a_finish_reason_of_any_type_does_not_cost_the_answer(finish: Any) -> None:
    assert Compatible().answer(chat_answer(finish_reason=finish)).finish_reason == gw.FINISH_REASON_OTHER
    assert AnthropicMessages().answer(message_answer({"type": "text", "text": "Paris"}, stop_reason=finish)).parts[0].text == "Paris"


@pytest.mark.parametrize("arguments", ["{", "[1]", "look", 7, [1], None, json.loads("[" * 100 + "]" * 100), {"a": {"b": [[[[[]]]]]}}])
def test_a_tool_call_with_any_arguments_is_one_that_can_travel(arguments: Any) -> None:
    deep: dict[str, Any] = {}
    for _ in range(60):
        deep = {"a": deep}
    for given in (arguments, deep, json.dumps(deep)):
        call = {"id": 7, "function": {"name": "look", "arguments": given}}
        answer = Compatible().answer(chat_answer(message={"content": None, "tool_calls": [call, {}]}))
        part = ct.Part.FromString(answer.parts[0].SerializeToString())
        assert (part.tool_call.id, part.tool_call.name) == ("7", "look")
    unknown = AnthropicMessages().answer(message_answer({"type": "new", "deep": deep}))
    assert ct.Part.FromString(unknown.parts[0].SerializeToString()).vendor.value["json"].count("{") == 62


def test_responses_usage_and_reasoning() -> None:
    reasoning = {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "think"}]}
    body = OpenAIResponse.model_validate(
        responses_answer(reasoning, said("Paris"), parallel_tool_calls=True, tool_choice="auto", tools=[])
    ).model_dump()
    answer = OpenAIResponses().answer(body)
    assert [part.WhichOneof("part") for part in answer.parts] == ["reasoning", "text"]
    assert (answer.parts[0].reasoning.text, answer.parts[1].text) == ("think", "Paris")
    assert answer.usage == gw.Usage(input_tokens=15, cache_read_tokens=30, cache_write_tokens=5, output_tokens=15, reasoning_tokens=25)
    assert (answer.model, answer.response_id, answer.finish_reason) == ("gpt-x", "r1", gw.FINISH_REASON_STOP)


def test_anthropic_usage_and_thinking() -> None:
    thinking = {"type": "thinking", "thinking": "hm", "signature": "s"}
    redacted = {"type": "redacted_thinking", "data": "xyz"}
    body = AnthropicMessage.model_validate(
        message_answer(thinking, redacted, {"type": "text", "text": "Paris", "citations": None})
    ).model_dump()
    answer = AnthropicMessages().answer(body)
    assert [part.WhichOneof("part") for part in answer.parts] == ["reasoning", "vendor", "text"]
    assert answer.parts[1].vendor.vendor == "anthropic"
    assert answer.usage == gw.Usage(input_tokens=7, cache_read_tokens=100, cache_write_tokens=20, output_tokens=18, reasoning_tokens=12)


def test_a_part_as_large_as_its_total_leaves_nothing_beside_it() -> None:
    used, known = usage_of(total_input=64, cache_read=60, cache_write=4, total_output=9, reasoning=9)
    assert used == gw.Usage(cache_read_tokens=60, cache_write_tokens=4, reasoning_tokens=9), "a cached prompt is not billed twice"
    assert known
    beside, _ = usage_of(total_input=63, cache_read=60, cache_write=4, total_output=8, reasoning=9)
    assert (beside.input_tokens, beside.output_tokens) == (63, 8), "what is larger than its total was counted beside it"


def test_anthropics_thinking_is_never_more_than_the_output_that_it_is_part_of() -> None:
    body = {"usage": {"input_tokens": 1, "output_tokens": 5, "output_tokens_details": {"thinking_tokens": 9}}}
    assert AnthropicMessages().usage(body) == (gw.Usage(input_tokens=1, reasoning_tokens=5), True)


def test_chat_keeps_reasoning_of_compatible_servers() -> None:
    answer = Compatible().answer(chat_answer(message={"reasoning_content": "let me see"}))
    assert answer.parts[0].reasoning.text == "let me see"
    assert answer.parts[1].text == "Paris"


@pytest.mark.parametrize(
    ("adapter", "body", "finish"),
    [
        (OpenAIChat(), chat_answer(), gw.FINISH_REASON_STOP),
        (OpenAIChat(), chat_answer(finish_reason="length", message={"content": None}), gw.FINISH_REASON_LENGTH),
        (OpenAIChat(), chat_answer(finish_reason="something_new"), gw.FINISH_REASON_OTHER),
        (
            OpenAIResponses(),
            responses_answer(said("Par"), status="incomplete", incomplete_details={"reason": "max_output_tokens"}),
            gw.FINISH_REASON_LENGTH,
        ),
        (AnthropicMessages(), message_answer(stop_reason="max_tokens"), gw.FINISH_REASON_LENGTH),
        (AnthropicMessages(), message_answer(stop_reason="stop_sequence"), gw.FINISH_REASON_STOP),
        (AnthropicMessages(), message_answer(stop_reason="model_context_window_exceeded"), gw.FINISH_REASON_LENGTH),
        (AnthropicMessages(), message_answer(stop_reason="pause_turn"), gw.FINISH_REASON_OTHER),
    ],
)
def test_finish_reasons(adapter: Any, body: dict[str, Any], finish: int) -> None:
    assert adapter.answer(body).finish_reason == finish


@pytest.mark.parametrize(
    ("adapter", "body"),
    [
        (OpenAIChat(), chat_answer(message={"content": None, "refusal": "I can't help with that."})),
        (OpenAIChat(), chat_answer(finish_reason="content_filter", message={"content": "half an ans"})),
        (OpenAIResponses(), responses_answer({**said(""), "content": [{"type": "refusal", "refusal": "No."}]})),
        (OpenAIResponses(), responses_answer(status="incomplete", incomplete_details={"reason": "content_filter"})),
        (AnthropicMessages(), message_answer(stop_reason="refusal", stop_details={"type": "refusal", "category": "bio"})),
        (AnthropicMessages(), message_answer(stop_reason="refusal")),
    ],
)
def test_a_refusal_is_not_an_answer(adapter: Any, body: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        adapter.answer(body)


def test_an_answer_that_ended_with_an_error_is_none() -> None:
    with pytest.raises(AnswerError, match="ended with an error") as ended:
        Compatible().answer(chat_answer(finish_reason="error", message={"content": "Par"}))
    assert ended.value.error.type == "server_error"


def test_tool_calls_of_a_model_are_kept() -> None:
    call = {"id": "t1", "type": "function", "function": {"name": "look", "arguments": '{"at": 3}'}}
    answer = OpenAIChat().answer(chat_answer(finish_reason="tool_calls", message={"content": None, "tool_calls": [call]}))
    assert answer.finish_reason == gw.FINISH_REASON_TOOL_CALLS
    assert answer.parts[0].tool_call.name == "look"
    assert answer.parts[0].tool_call.arguments["at"] == 3
    use = {"type": "tool_use", "id": "t2", "name": "look", "input": {"at": 4}}
    assert AnthropicMessages().answer(message_answer(use, stop_reason="tool_use")).parts[0].tool_call.arguments["at"] == 4


@pytest.mark.parametrize(
    ("adapter", "body"),
    [
        (Compatible(), {"error": {"code": 429, "type": "rate_limit_exceeded", "message": "later"}}),
        (
            Compatible(),
            {"choices": [{"error": {"code": 502, "message": "later"}, "finish_reason": "error", "message": {"content": "Par"}}]},
        ),
        (Compatible(), {"object": "error", "message": "later", "code": 40303}),
        (OpenAIResponses(), responses_answer(status="failed", error={"code": "server_error", "message": "later"})),
        (AnthropicMessages(), {"type": "error", "error": {"type": "overloaded_error", "message": "later"}}),
    ],
)
def test_an_error_under_a_good_status_is_still_an_error(adapter: Any, body: dict[str, Any]) -> None:
    with pytest.raises(AnswerError, match="later"):
        adapter.answer(body)
