"""Tools, their results, earlier reasoning, documents and what is the vendor's, in the request of each API: as its SDK's types have them."""

from __future__ import annotations

from typing import Any

import pytest
from anthropic.types import MessageParam, ToolChoiceParam, ToolUnionParam
from anthropic.types import ThinkingConfigParam as Thinking
from openai.types.chat import (
    ChatCompletionMessageParam,
    ChatCompletionToolChoiceOptionParam,
    ChatCompletionToolUnionParam,
)
from openai.types.responses import ResponseInputItemParam, ToolParam
from openai.types.responses.response_create_params import ToolChoice as ResponsesToolChoice
from pydantic import TypeAdapter

from gateway.adapters.anthropic_messages import AnthropicMessages
from gateway.adapters.anthropic_vertex import VertexMessages
from gateway.adapters.base import Adapter
from gateway.adapters.blocks import Ask, Audio, Called, Choice, Document, Function, Image, Result, Thought, Turn, Vendor, Video
from gateway.adapters.chat_dialects import Groq, Mistral, OpenRouter, Perplexity, Together, XAIResponses
from gateway.adapters.compatible import Compatible
from gateway.adapters.openai_chat import OpenAIChat
from gateway.adapters.openai_compact import OpenAICompact
from gateway.adapters.openai_responses import OpenAIResponses
from genlevel.v1 import gateway_pb2 as gw

NONE = gw.GenerationParameters()
SCHEMA: dict[str, object] = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = Function("weather", "Tells the weather.", SCHEMA, True)
PLAIN = Function("now", "", None)
ARGUMENTS = '{"city": "Paris"}'
PNG, PDF = Image("image/png", "QUJD"), Document("application/pdf", "UERG", name="a.pdf")
FAR_PDF, NOTES = Document("application/pdf", uri="https://x/y.pdf"), Document("text/markdown", "IyBI", name="", text="# H")
CONVERSATION = [
    Turn("user", ["What is the weather?", PDF], {0: {"cache_control": {"type": "ephemeral"}}}),
    Turn("assistant", [Thought("Hm."), "I look.", Called("c1", "weather", ARGUMENTS)], {0: {"signature": "sig"}}),
    Turn("tool", [Result("c1", "weather", "Rain", media=[PNG]), Result("c2", "now", "no clock", is_error=True)]),
]


def body(adapter: Adapter, turns: list[Turn], **ask: Any) -> dict[str, Any]:
    return adapter.request("m", Ask(turns, ask.pop("parameters", NONE), **ask))


def fits(type_: Any, value: Any) -> None:
    TypeAdapter(type_).validate_python(value)


def test_chat_has_results_as_messages_and_calls_beside_the_content() -> None:
    messages = body(OpenAIChat(), CONVERSATION)["messages"]
    assert messages == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is the weather?", "cache_control": {"type": "ephemeral"}},
                {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,UERG"}},
            ],
        },
        {
            "role": "assistant",
            "content": "I look.",
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "weather", "arguments": ARGUMENTS}}],
            "reasoning_content": "Hm.",
            "signature": "sig",
        },
        {
            "role": "tool",
            "tool_call_id": "c1",
            "content": [{"type": "text", "text": "Rain"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}],
        },
        {"role": "tool", "tool_call_id": "c2", "content": "no clock"},
    ]
    fits(ChatCompletionMessageParam, messages[1])
    fits(ChatCompletionMessageParam, messages[3])


@pytest.mark.parametrize(
    ("blocks", "fields", "message"),
    [
        (
            [Called("c1", "f", "{}")],
            {},
            {"content": None, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        ),
        (
            [Called("c1", "f", "{}")],
            {0: {"extra_content": {"google": {"thought_signature": "s"}}}},
            {
                "content": None,
                "tool_calls": [
                    {
                        "id": "c1",
                        "type": "function",
                        "function": {"name": "f", "arguments": "{}"},
                        "extra_content": {"google": {"thought_signature": "s"}},
                    }
                ],
            },
        ),
        (
            [Called("c1", "f", "any text")],
            {0: {"type": "custom", "custom": {"name": "f", "input": "any text"}}},
            {"content": None, "tool_calls": [{"id": "c1", "type": "custom", "custom": {"name": "f", "input": "any text"}}]},
        ),
        ([Called("", "f", "{}")], {0: {"type": "function_call"}}, {"content": None, "function_call": {"name": "f", "arguments": "{}"}}),
        ([Thought("a"), Thought("b"), "c"], {}, {"content": "c", "reasoning_content": "a\nb"}),
        (
            [Thought("")],
            {0: {"reasoning_details": [{"type": "reasoning.encrypted"}]}},
            {"content": None, "reasoning_details": [{"type": "reasoning.encrypted"}]},
        ),
        (["x"], {0: {"annotations": [{"type": "url_citation"}]}}, {"content": "x", "annotations": [{"type": "url_citation"}]}),
        (["Yes.", Audio("audio/wav", "QUJD")], {1: {"audio": {"id": "a"}}}, {"content": "Yes.", "audio": {"id": "a"}}),
        (["x", PNG], {}, {"content": "x", "images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}]}),
        (["x", Vendor({"message": {"name": "Ada"}, "citations": ["a"]})], {}, {"content": "x", "name": "Ada"}),
        (
            ["x", Vendor({"type": "file", "file": {"file_id": "f"}})],
            {},
            {"content": [{"type": "text", "text": "x"}, {"type": "file", "file": {"file_id": "f"}}]},
        ),
    ],
)
def test_what_an_assistant_has_said_goes_back_where_it_was(blocks: list[Any], fields: dict[int, Any], message: dict[str, Any]) -> None:
    [sent] = body(OpenAIChat(), [Turn("assistant", blocks, fields)])["messages"]
    assert sent == {"role": "assistant", **message}


def test_a_result_of_a_call_without_an_id_is_that_of_a_function() -> None:
    [sent] = body(OpenAIChat(), [Turn("tool", [Result("", "f", "42")])])["messages"]
    assert sent == {"role": "function", "name": "f", "content": "42"}


def test_what_stands_before_results_is_a_message_of_its_own() -> None:
    sent = body(OpenAIChat(), [Turn("user", ["before", Result("c1", "f", "42"), "after"])])["messages"]
    assert sent == [
        {"role": "user", "content": "before"},
        {"role": "tool", "tool_call_id": "c1", "content": "42"},
        {"role": "user", "content": "after"},
    ]


def test_mistral_thinks_in_blocks_and_takes_documents_by_address() -> None:
    sent = body(Mistral(), [Turn("user", [FAR_PDF, PDF]), Turn("assistant", [Thought("Hm."), "Yes."])])["messages"]
    assert sent[0]["content"] == [
        {"type": "document_url", "document_url": "https://x/y.pdf"},
        {"type": "document_url", "document_url": "data:application/pdf;base64,UERG", "document_name": "a.pdf"},
    ]
    assert sent[1] == {
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "text", "text": "Yes."}],
    }


def test_perplexity_takes_documents_by_address_or_as_bare_base64() -> None:
    [sent] = body(Perplexity(), [Turn("user", [FAR_PDF, PDF])])["messages"]
    assert sent["content"] == [
        {"type": "file_url", "file_url": {"url": "https://x/y.pdf"}},
        {"type": "file_url", "file_url": {"url": "UERG"}, "file_name": "a.pdf"},
    ]


def test_chat_has_sounds_and_videos_of_servers_that_take_them() -> None:
    [sent] = body(OpenRouter(), [Turn("user", [Audio("audio/flac", "Zmw="), Video("video/mp4", uri="https://x/v")])])["messages"]
    assert sent["content"] == [
        {"type": "input_audio", "input_audio": {"data": "Zmw=", "format": "flac"}},
        {"type": "video_url", "video_url": {"url": "https://x/v"}},
    ]


def test_responses_have_an_item_for_each_thing() -> None:
    items = body(OpenAIResponses(), CONVERSATION)["input"]
    assert items == [
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "What is the weather?", "cache_control": {"type": "ephemeral"}},
                {"type": "input_file", "file_data": "data:application/pdf;base64,UERG", "filename": "a.pdf"},
            ],
        },
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}], "signature": "sig"},
        {"role": "assistant", "content": [{"type": "output_text", "text": "I look."}]},
        {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": ARGUMENTS},
        {
            "type": "function_call_output",
            "call_id": "c1",
            "output": [
                {"type": "input_text", "text": "Rain"},
                {"type": "input_image", "image_url": "data:image/png;base64,QUJD", "detail": "auto"},
            ],
        },
        {"type": "function_call_output", "call_id": "c2", "output": "no clock"},
    ]
    for item in items[3:]:
        fits(ResponseInputItemParam, item)


@pytest.mark.parametrize(
    ("blocks", "fields", "items"),
    [
        ([Thought("")], {0: {"encrypted_content": "e"}}, [{"type": "reasoning", "summary": [], "encrypted_content": "e"}]),
        (
            [Thought("a\nb")],
            {0: {"summary": [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}]}},
            [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}]}],
        ),
        (
            [Thought("a")],
            {0: {"content": [{"type": "reasoning_text", "text": "a"}]}},
            [{"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "a"}]}],
        ),
        (
            ["a", "b"],
            {0: {"message": {"phase": "commentary"}}, 1: {"message": {"phase": "final_answer"}, "annotations": [{"type": "url_citation"}]}},
            [
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "a"}], "phase": "commentary"},
                {
                    "type": "message",
                    "role": "assistant",
                    "content": [{"type": "output_text", "text": "b", "annotations": [{"type": "url_citation"}]}],
                    "phase": "final_answer",
                },
            ],
        ),
        (
            [Called("c1", "sql", "SELECT 1")],
            {0: {"type": "custom_tool_call"}},
            [{"type": "custom_tool_call", "call_id": "c1", "name": "sql", "input": "SELECT 1"}],
        ),
        ([PNG], {0: {"id": "ig"}}, [{"type": "image_generation_call", "result": "QUJD", "status": "completed", "id": "ig"}]),
        (
            [Vendor({"type": "web_search_call", "id": "ws"}), Vendor({"service_tier": "flex"})],
            {},
            [{"type": "web_search_call", "id": "ws"}],
        ),
        ([Vendor({"type": "refusal", "refusal": "No."})], {}, [{"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}]),
    ],
)
def test_items_of_a_response_go_back_as_they_were(blocks: list[Any], fields: dict[int, Any], items: list[Any]) -> None:
    assert body(OpenAIResponses(), [Turn("assistant", blocks, fields)])["input"] == items


def test_messages_have_a_block_for_each_thing() -> None:
    sent = body(AnthropicMessages(), [Turn("system", ["Be brief."]), *CONVERSATION])
    assert sent["system"] == "Be brief."
    assert sent["messages"] == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is the weather?", "cache_control": {"type": "ephemeral"}},
                {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "UERG"}, "title": "a.pdf"},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "sig"},
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Paris"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "c1",
                    "content": [
                        {"type": "text", "text": "Rain"},
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}},
                    ],
                },
                {"type": "tool_result", "tool_use_id": "c2", "content": "no clock", "is_error": True},
            ],
        },
    ]
    for message in sent["messages"]:
        fits(MessageParam, message)


def test_messages_take_documents_by_address_and_as_text() -> None:
    [sent] = body(AnthropicMessages(), [Turn("user", [FAR_PDF, NOTES, Vendor({"container": {"id": "c"}})])])["messages"]
    assert sent["content"] == [
        {"type": "document", "source": {"type": "url", "url": "https://x/y.pdf"}},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "# H"}},
    ]


def test_several_system_texts_stay_apart() -> None:
    sent = body(AnthropicMessages(), [Turn("system", ["a", "b"], {1: {"cache_control": {"type": "ephemeral"}}}), Turn("user", ["c"])])
    assert sent["system"] == [{"type": "text", "text": "a"}, {"type": "text", "text": "b", "cache_control": {"type": "ephemeral"}}]


OWN_TOOL = Vendor({"type": "web_search"})


@pytest.mark.parametrize(
    ("adapter", "tools", "tool_type"),
    [
        (
            OpenAIChat(),
            [
                {
                    "type": "function",
                    "function": {"name": "weather", "description": "Tells the weather.", "parameters": SCHEMA, "strict": True},
                },
                {"type": "function", "function": {"name": "now"}},
            ],
            ChatCompletionToolUnionParam,
        ),
        (
            OpenAIResponses(),
            [
                {"type": "function", "name": "weather", "description": "Tells the weather.", "parameters": SCHEMA, "strict": True},
                {"type": "function", "name": "now", "parameters": None},
            ],
            None,
        ),
        (
            AnthropicMessages(),
            [
                {"name": "weather", "description": "Tells the weather.", "input_schema": SCHEMA, "strict": True},
                {"name": "now", "input_schema": {"type": "object"}},
            ],
            ToolUnionParam,
        ),
    ],
)
def test_tools_are_described_as_each_api_has_them(adapter: Adapter, tools: list[Any], tool_type: Any) -> None:
    sent = body(adapter, [Turn("user", ["x"])], tools=[WEATHER, PLAIN, OWN_TOOL])
    assert sent["tools"] == [*tools, {"type": "web_search"}]
    assert "tool_choice" not in sent
    for tool in tools if tool_type else ():
        fits(tool_type, tool)
    if tool_type is None:
        fits(ToolParam, {**tools[0]})


NAMED_CHAT = {"type": "function", "function": {"name": "weather"}}


@pytest.mark.parametrize(
    ("adapter", "choice", "expected"),
    [
        (OpenAIChat(), Choice("auto"), {"tool_choice": "auto"}),
        (OpenAIChat(), Choice("none"), {"tool_choice": "none"}),
        (OpenAIChat(), Choice("required", parallel=False), {"tool_choice": "required", "parallel_tool_calls": False}),
        (OpenAIChat(), Choice("named", "weather"), {"tool_choice": NAMED_CHAT}),
        (OpenAIChat(), Choice(parallel=True), {"parallel_tool_calls": True}),
        (OpenAIResponses(), Choice("required"), {"tool_choice": "required"}),
        (OpenAIResponses(), Choice("named", "weather"), {"tool_choice": {"type": "function", "name": "weather"}}),
        (OpenAIResponses(), Choice("named", "web_search"), {"tool_choice": {"type": "web_search"}}),
        (OpenAIResponses(), Choice("auto", parallel=False), {"tool_choice": "auto", "parallel_tool_calls": False}),
        (AnthropicMessages(), Choice("auto"), {"tool_choice": {"type": "auto"}}),
        (AnthropicMessages(), Choice("none", parallel=True), {"tool_choice": {"type": "none"}}),
        (AnthropicMessages(), Choice("required", parallel=False), {"tool_choice": {"type": "any", "disable_parallel_tool_use": True}}),
        (AnthropicMessages(), Choice("named", "weather"), {"tool_choice": {"type": "tool", "name": "weather"}}),
        (AnthropicMessages(), Choice(parallel=True), {"tool_choice": {"type": "auto", "disable_parallel_tool_use": False}}),
    ],
)
def test_whether_a_tool_has_to_be_called_is_said_in_each_apis_words(adapter: Adapter, choice: Choice, expected: dict[str, Any]) -> None:
    sent = body(adapter, [Turn("user", ["x"])], tools=[WEATHER, OWN_TOOL], choice=choice)
    assert {name: sent[name] for name in ("tool_choice", "parallel_tool_calls") if name in sent} == expected
    kinds = {OpenAIChat: ChatCompletionToolChoiceOptionParam, OpenAIResponses: ResponsesToolChoice, AnthropicMessages: ToolChoiceParam}
    if "tool_choice" in expected and choice.name != "web_search":
        fits(kinds[type(adapter)], expected["tool_choice"])  # type: ignore[index]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"reasoning_effort": "high"}, {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}),
        ({"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}}),
        ({"reasoning_tokens": 2048}, {"thinking": {"type": "enabled", "budget_tokens": 2048}}),
        ({"reasoning_tokens": 0}, {"thinking": {"type": "disabled"}}),
        (
            {"reasoning_tokens": 2048, "reasoning_effort": "low"},
            {"thinking": {"type": "enabled", "budget_tokens": 2048}, "output_config": {"effort": "low"}},
        ),
        ({}, {}),
    ],
)
def test_anthropic_thinks_by_effort_or_by_tokens(parameters: dict[str, Any], expected: dict[str, Any]) -> None:
    sent = body(AnthropicMessages(), [Turn("user", ["x"])], parameters=gw.GenerationParameters(**parameters))
    assert {name: sent[name] for name in ("thinking", "output_config") if name in sent} == expected
    if "thinking" in expected:
        fits(Thinking, expected["thinking"])


def test_effort_and_a_schema_are_one_configuration() -> None:
    held = gw.GenerationParameters(reasoning_effort="low", response_schema_json='{"type": "object"}')
    sent = body(AnthropicMessages(), [Turn("user", ["x"])], parameters=held)
    assert sent["output_config"] == {"effort": "low", "format": {"type": "json_schema", "schema": {"type": "object"}}}


@pytest.mark.parametrize(
    ("adapter", "parameters", "expected"),
    [
        (OpenAIChat(), {"logprobs": 3}, {"logprobs": True, "top_logprobs": 3}),
        (OpenAIChat(), {"logprobs": 0}, {"logprobs": True}),
        (OpenAIChat(), {"reasoning_effort": "low"}, {"reasoning_effort": "low"}),
        (OpenAIResponses(), {"logprobs": 2}, {"include": ["message.output_text.logprobs"], "top_logprobs": 2}),
        (OpenAIResponses(), {"reasoning_effort": "low"}, {"reasoning": {"effort": "low"}}),
        (OpenRouter(), {"reasoning_effort": "low"}, {"reasoning": {"effort": "low"}}),
        (OpenRouter(), {"reasoning_tokens": 9}, {"reasoning": {"max_tokens": 9}}),
        (OpenRouter(), {"reasoning_tokens": 0}, {"reasoning": {"enabled": False}}),
        (Mistral(), {"seed": 7}, {"random_seed": 7}),
        (Together(), {"logprobs": 0}, {"logprobs": 1}),
        (Together(), {"logprobs": 5}, {"logprobs": 5}),
        (Groq(), {"max_output_tokens": 9}, {"max_completion_tokens": 9}),
        (XAIResponses(), {"logprobs": 2}, {"logprobs": True, "top_logprobs": 2}),
        (
            Compatible(),
            {"top_k": 5, "presence_penalty": 0.5, "frequency_penalty": 0},
            {"top_k": 5, "presence_penalty": 0.5, "frequency_penalty": 0},
        ),
    ],
)
def test_parameters_are_written_as_each_api_has_them(adapter: Adapter, parameters: dict[str, Any], expected: dict[str, Any]) -> None:
    sent = body(adapter, [Turn("user", ["x"])], parameters=gw.GenerationParameters(**parameters))
    assert {name: value for name, value in sent.items() if name not in ("model", "messages", "input")} == expected


def test_beta_features_are_a_header_or_where_vertex_wants_them() -> None:
    asked: dict[str, Any] = {"betas": ["a", "b"], "temperature": 0}
    assert AnthropicMessages().headers(asked) == {"anthropic-version": "2023-06-01", "anthropic-beta": "a,b"}
    assert asked == {"temperature": 0}
    asked = {"betas": ["a"]}
    assert AnthropicMessages().headers(asked) == {"anthropic-beta": "a"}
    asked = {"betas": ["a"]}
    assert VertexMessages().headers(asked) is None
    assert asked["anthropic_beta"] == ["a"]
    assert "betas" not in asked


def test_a_conversation_is_compacted_into_items_that_go_on_in_its_place() -> None:
    adapter = OpenAICompact()
    assert adapter.path("m", streamed=False) == "responses/compact"
    assert body(adapter, []) == {"model": "m", "input": []}
    said = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}
    compacted = {"type": "compaction", "id": "cmp", "encrypted_content": "e"}
    answer = adapter.answer(
        {"object": "response.compaction", "output": [said, compacted], "usage": {"input_tokens": 9, "output_tokens": 4}}
    )
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (9, 4)
    items = [dict(part.vendor.value) for part in answer.parts]
    assert [item["type"] for item in items] == ["message", "compaction"]
