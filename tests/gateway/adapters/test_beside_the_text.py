"""What answers say beside their text: in the part that it belongs to, in one vendor part at the end, or nowhere if it says nothing."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import json_format

from gateway.adapters.anthropic_messages import AnthropicMessages
from gateway.adapters.base import Adapter, AnswerError, Refused
from gateway.adapters.chat_dialects import Mistral
from gateway.adapters.openai_chat import OpenAIChat
from gateway.adapters.openai_responses import OpenAIResponses
from genlevel.v1 import gateway_pb2 as gw


def chat(message: dict[str, Any] | None = None, choice: dict[str, Any] | None = None, **body: Any) -> dict[str, Any]:
    said = {"role": "assistant", "content": "Paris", **(message or {})}
    return {"id": "i", "model": "m", "choices": [{"index": 0, "message": said, "finish_reason": "stop", **(choice or {})}], **body}


def responses(*output: dict[str, Any], **body: Any) -> dict[str, Any]:
    return {"id": "i", "model": "m", "status": "completed", "output": list(output), **body}


def said(*content: dict[str, Any], **item: Any) -> dict[str, Any]:
    return {"type": "message", "id": "msg", "role": "assistant", "status": "completed", "content": list(content), **item}


def messages(*content: dict[str, Any], **body: Any) -> dict[str, Any]:
    return {"id": "i", "type": "message", "role": "assistant", "model": "m", "content": list(content), "stop_reason": "end_turn", **body}


def parts(adapter: Adapter, body: dict[str, Any]) -> list[dict[str, Any]]:
    """The parts as plain objects, tool calls without their arguments as objects."""
    found = [json_format.MessageToDict(part, preserving_proto_field_name=True) for part in adapter.answer(body).parts]
    for part in found:
        part.get("tool_call", {}).pop("arguments", None)
    return found


TEXT = {"text": "Paris"}
CITED = [{"type": "url_citation", "url": "u"}]
VENDOR = "openai"


def end(value: dict[str, Any], vendor: str = VENDOR) -> dict[str, Any]:
    return {"vendor": {"vendor": vendor, "value": value}}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (chat(), [TEXT]),
        # what says nothing, or nothing of the answer
        (
            chat(
                {
                    "refusal": None,
                    "annotations": [],
                    "audio": {"id": "", "data": "", "transcript": ""},
                    "tool_calls": None,
                    "function_call": None,
                },
                {
                    "logprobs": None,
                    "native_finish_reason": "stop",
                    "content_filter_results": {"hate": {"filtered": False, "severity": "safe"}},
                },
                service_tier="default",
                prompt_filter_results=[
                    {"prompt_index": 0, "content_filter_results": {"jailbreak": {"filtered": False, "detected": False}}}
                ],
                x_groq={"id": "r"},
                time_info={"queue_time": 0.1},
                citations=[],
            ),
            [TEXT],
        ),
        (chat({"annotations": CITED}), [{**TEXT, "vendor_fields": {"annotations": CITED}}]),
        (chat({"content": None, "annotations": CITED}), [end({"message": {"annotations": CITED}})]),
        (chat({"executed_tools": [{"type": "search"}]}), [TEXT, end({"message": {"executed_tools": [{"type": "search"}]}})]),
        (chat(citations=["u"], search_results=[{"title": "t"}]), [TEXT, end({"citations": ["u"], "search_results": [{"title": "t"}]})]),
        (chat(service_tier="flex"), [TEXT, end({"service_tier": "flex"})]),
        (chat(choice={"seed": 7}), [TEXT, end({"seed": 7.0})]),
        (chat(choice={"finish_reason": "odd", "native_finish_reason": "ODD"}), [TEXT, end({"native_finish_reason": "ODD"})]),
        (
            chat(choice={"content_filter_results": {"hate": {"filtered": False, "severity": "low"}}}),
            [TEXT, end({"content_filter_results": {"hate": {"filtered": False, "severity": "low"}}})],
        ),
        (
            chat(prompt_filter_results=[{"content_filter_results": {"jailbreak": {"filtered": False, "detected": True}}}]),
            [TEXT, end({"prompt_filter_results": [{"content_filter_results": {"jailbreak": {"filtered": False, "detected": True}}}]})],
        ),
        (
            {**chat(), "choices": [*chat()["choices"], {"index": 1, "message": {"content": "Rome"}}]},
            [TEXT, end({"choices": [{"index": 1.0, "message": {"content": "Rome"}}]})],
        ),
        # reasoning, in its four places
        (chat({"reasoning_content": "Hm."}), [{"reasoning": {"text": "Hm."}}, TEXT]),
        (chat({"reasoning": "Hm."}), [{"reasoning": {"text": "Hm."}}, TEXT]),
        (chat({"reasoning_content": "Hm.", "reasoning": "Hm."}), [{"reasoning": {"text": "Hm."}}, TEXT]),
        (
            chat({"reasoning_details": [{"type": "reasoning.text", "text": "a"}, {"type": "reasoning.summary", "summary": "b"}]}),
            [
                {
                    "reasoning": {"text": "a\nb"},
                    "vendor_fields": {
                        "reasoning_details": [{"type": "reasoning.text", "text": "a"}, {"type": "reasoning.summary", "summary": "b"}]
                    },
                },
                TEXT,
            ],
        ),
        (
            chat({"reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}]}),
            [{"reasoning": {}, "vendor_fields": {"reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}]}}, TEXT],
        ),
        (
            chat(
                {
                    "content": [
                        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}], "closed": True},
                        {"type": "text", "text": "Paris"},
                    ]
                }
            ),
            [{"reasoning": {"text": "Hm."}}, TEXT],
        ),
        (
            chat({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]}),
            [{"reasoning": {"text": "ab"}, "vendor_fields": {"thinking": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}}],
        ),
        (
            chat({"content": [{"type": "thinking", "thinking": [{"type": "reference", "reference_ids": [1]}]}]}),
            [end({"type": "thinking", "thinking": [{"type": "reference", "reference_ids": [1.0]}]})],
        ),
        # calls
        (
            chat({"content": None, "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}]}),
            [{"tool_call": {"id": "c", "name": "f", "arguments_json": '{"a": 1}'}}],
        ),
        (
            chat(
                {
                    "content": None,
                    "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}, "extra_content": {"google": {"s": "t"}}}],
                }
            ),
            [{"tool_call": {"id": "c", "name": "f", "arguments_json": "{}"}, "vendor_fields": {"extra_content": {"google": {"s": "t"}}}}],
        ),
        (
            chat({"content": None, "tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "f", "input": "SELECT 1"}}]}),
            [
                {
                    "tool_call": {"id": "c", "name": "f", "arguments_json": "SELECT 1"},
                    "vendor_fields": {"type": "custom", "custom": {"name": "f", "input": "SELECT 1"}},
                }
            ],
        ),
        (
            chat({"content": None, "function_call": {"name": "f", "arguments": "{}"}}),
            [{"tool_call": {"name": "f", "arguments_json": "{}"}, "vendor_fields": {"type": "function_call"}}],
        ),
        (chat({"function_call": {"name": "", "arguments": ""}}), [TEXT]),
        (
            chat({"images": [{"image_url": {"url": "https://x/y.png"}}]}),
            [TEXT, end({"type": "image_url", "image_url": {"url": "https://x/y.png"}})],
        ),
    ],
)
def test_chat(body: dict[str, Any], expected: list[Any]) -> None:
    assert parts(OpenAIChat(), body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (responses(said({"type": "output_text", "text": "Paris", "annotations": [], "logprobs": []})), [TEXT]),
        (
            responses(said({"type": "output_text", "text": "Paris", "annotations": CITED}, phase="final_answer")),
            [{**TEXT, "vendor_fields": {"annotations": CITED, "message": {"phase": "final_answer"}}}],
        ),
        (responses({"type": "reasoning", "id": "rs", "summary": []}), []),
        (
            responses({"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "Hm."}]}),
            [{"reasoning": {"text": "Hm."}}],
        ),
        (
            responses({"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "e"}),
            [{"reasoning": {}, "vendor_fields": {"encrypted_content": "e"}}],
        ),
        (
            responses({"type": "reasoning", "id": "rs", "summary": [{"text": "a"}, {"text": "b"}]}),
            [{"reasoning": {"text": "a\nb"}, "vendor_fields": {"summary": [{"text": "a"}, {"text": "b"}]}}],
        ),
        (
            responses({"type": "reasoning", "id": "rs", "summary": [], "content": [{"type": "reasoning_text", "text": "a"}]}),
            [{"reasoning": {"text": "a"}, "vendor_fields": {"content": [{"type": "reasoning_text", "text": "a"}]}}],
        ),
        (
            responses(
                {
                    "type": "function_call",
                    "id": "fc",
                    "call_id": "c",
                    "name": "f",
                    "arguments": "{}",
                    "status": "completed",
                    "namespace": "n",
                }
            ),
            [{"tool_call": {"id": "c", "name": "f", "arguments_json": "{}"}, "vendor_fields": {"namespace": "n"}}],
        ),
        (
            responses({"type": "custom_tool_call", "id": "ct", "call_id": "c", "name": "sql", "input": "SELECT 1"}),
            [{"tool_call": {"id": "c", "name": "sql", "arguments_json": "SELECT 1"}, "vendor_fields": {"type": "custom_tool_call"}}],
        ),
        (responses({"type": "web_search_call", "id": "ws"}), [end({"type": "web_search_call", "id": "ws"})]),
        (responses({"type": "message", "role": "user", "content": []}), [end({"type": "message", "role": "user", "content": []})]),
        (responses(said({"type": "output_audio", "data": "x"})), [end({"type": "output_audio", "data": "x"})]),
        (
            responses(
                service_tier="flex",
                tool_usage={"web_search": {"num_requests": 2}},
                usage={
                    "input_tokens": 1,
                    "output_tokens": 1,
                    "num_sources_used": 3,
                    "server_side_tool_usage_details": {"x_search_calls": 0},
                },
                moderation={"flagged": False},
            ),
            [
                end(
                    {
                        "moderation": {"flagged": False},
                        "service_tier": "flex",
                        "tool_usage": {"web_search": {"num_requests": 2.0}},
                        "usage": {"num_sources_used": 3.0},
                    }
                )
            ],
        ),
        (
            responses(
                instructions="Be brief.",
                tools=[{"type": "web_search"}],
                tool_usage={"web_search": {"num_requests": 0}},
                content_filters=[{"blocked": False, "content_filter_results": {"hate": {"filtered": False, "severity": "safe"}}}],
            ),
            [],
        ),
    ],
)
def test_responses(body: dict[str, Any], expected: list[Any]) -> None:
    assert parts(OpenAIResponses(), body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (messages({"type": "text", "text": "Paris", "citations": None}), [TEXT]),
        (
            messages({"type": "text", "text": "Paris", "citations": [{"url": "u"}]}),
            [{**TEXT, "vendor_fields": {"citations": [{"url": "u"}]}}],
        ),
        (
            messages({"type": "thinking", "thinking": "Hm.", "signature": "s"}),
            [{"reasoning": {"text": "Hm."}, "vendor_fields": {"signature": "s"}}],
        ),
        (messages({"type": "thinking", "thinking": "", "signature": "s"}), [{"reasoning": {}, "vendor_fields": {"signature": "s"}}]),
        (messages({"type": "thinking", "thinking": "", "signature": ""}, {"type": "text", "text": ""}), []),
        (
            messages({"type": "redacted_thinking", "data": "x"}),
            [end({"type": "redacted_thinking", "data": "x"}, "anthropic")],
        ),
        (
            messages({"type": "tool_use", "id": "c", "name": "f", "input": {}, "caller": {"type": "direct"}}),
            [{"tool_call": {"id": "c", "name": "f", "arguments_json": "{}"}}],
        ),
        (
            messages({"type": "tool_use", "id": "c", "name": "f", "input": {}, "caller": {"type": "code_execution_20260120"}}),
            [
                {
                    "tool_call": {"id": "c", "name": "f", "arguments_json": "{}"},
                    "vendor_fields": {"caller": {"type": "code_execution_20260120"}},
                }
            ],
        ),
        (
            messages(
                stop_sequence="END",
                container={"id": "c"},
                context_management={"applied_edits": [{"type": "x"}]},
                usage={
                    "input_tokens": 1,
                    "output_tokens": 1,
                    "server_tool_use": {"web_search_requests": 2},
                    "service_tier": "batch",
                    "speed": "fast",
                },
            ),
            [
                end(
                    {
                        "stop_sequence": "END",
                        "container": {"id": "c"},
                        "context_management": {"applied_edits": [{"type": "x"}]},
                        "usage": {"server_tool_use": {"web_search_requests": 2.0}, "service_tier": "batch", "speed": "fast"},
                    },
                    "anthropic",
                )
            ],
        ),
        (
            messages(
                stop_sequence=None,
                context_management={"applied_edits": []},
                usage={"server_tool_use": {"web_search_requests": 0}, "service_tier": "standard", "speed": "standard"},
            ),
            [],
        ),
    ],
)
def test_messages(body: dict[str, Any], expected: list[Any]) -> None:
    assert parts(AnthropicMessages(), body) == expected


def test_a_vendor_part_says_whose_it_is() -> None:
    [_, last] = Mistral().answer(chat(odd={"x": 1})).parts
    assert last.vendor.vendor == "mistral"


@pytest.mark.parametrize("finish", ["content_filter", "sensitive"])
@pytest.mark.parametrize("message", [{"content": "Par"}, None])
def test_what_a_filter_has_withheld_is_refused_whether_a_message_is_there_or_not(finish: str, message: Any) -> None:
    body = {"choices": [{"finish_reason": finish, **({"message": message} if message else {})}]}
    with pytest.raises(Refused):
        OpenAIChat().answer(body)


@pytest.mark.parametrize("finish", ["error", "insufficient_system_resource", "network_error"])
def test_an_answer_that_broke_off_is_none(finish: str) -> None:
    with pytest.raises(AnswerError):
        OpenAIChat().answer(chat(choice={"finish_reason": finish}))


@pytest.mark.parametrize(
    ("said", "reason"),
    [("eos", "STOP"), ("end_turn", "STOP"), ("model_length", "LENGTH"), ("function_call", "TOOL_CALLS"), ("odd", "OTHER"), (None, "OTHER")],
)
def test_why_servers_say_that_they_ended(said: Any, reason: str) -> None:
    found = OpenAIChat().answer(chat(choice={"finish_reason": said})).finish_reason
    assert gw.FinishReason.Name(found) == f"FINISH_REASON_{reason}"


@pytest.mark.parametrize("kind", ["computer_call", "mcp_approval_request", "function_call", "custom_tool_call"])
def test_a_response_that_waits_for_its_caller_ended_for_that(kind: str) -> None:
    assert OpenAIResponses().answer(responses({"type": kind})).finish_reason == gw.FINISH_REASON_TOOL_CALLS


TOP = [{"token": "Paris", "logprob": -0.1}, {"token": "Rome", "logprob": -2.5}]


@pytest.mark.parametrize(
    ("adapter", "body"),
    [
        (OpenAIChat(), chat(choice={"logprobs": {"content": [{"token": "Paris", "logprob": -0.1, "bytes": [80], "top_logprobs": TOP}]}})),
        (
            OpenAIChat(),
            chat(choice={"logprobs": {"tokens": ["Paris"], "token_logprobs": [-0.1], "top_logprobs": [{"Paris": -0.1, "Rome": -2.5}]}}),
        ),
        (
            OpenAIResponses(),
            responses(
                said({"type": "output_text", "text": "Paris", "logprobs": [{"token": "Paris", "logprob": -0.1, "top_logprobs": TOP}]})
            ),
        ),
    ],
)
def test_log_probabilities_are_those_of_the_tokens(adapter: Adapter, body: dict[str, Any]) -> None:
    [found] = adapter.answer(body).logprobs
    assert (found.token, found.logprob) == ("Paris", -0.1)
    assert [(one.token, one.logprob) for one in found.top] == [("Paris", -0.1), ("Rome", -2.5)]
    assert not found.top[0].top


@pytest.mark.parametrize(
    ("usage", "buckets", "known"),
    [
        # Mistral's, Moonshot's and DeepSeek's names of what was cached
        ({"prompt_tokens": 50, "completion_tokens": 5, "num_cached_tokens": 32}, (18, 32, 0, 5, 0), True),
        ({"prompt_tokens": 50, "completion_tokens": 5, "cached_tokens": 32}, (18, 32, 0, 5, 0), True),
        ({"prompt_tokens": 50, "completion_tokens": 5, "prompt_cache_hit_tokens": 32}, (18, 32, 0, 5, 0), True),
        (
            {"prompt_tokens": 50, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 32}, "cached_tokens": 32},
            (18, 32, 0, 5, 0),
            True,
        ),
        # Voxtral's sound beside its prompt; hidden reasoning beside its answer
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 201,
                "total_tokens": 585,
                "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 375},
            },
            (384, 0, 0, 201, 0),
            True,
        ),
        ({"prompt_tokens": 35, "completion_tokens": 12, "total_tokens": 109}, (35, 0, 0, 12, 62), True),
        # read and written at once, by way of OpenRouter: counted once, and its price is not known
        (
            {"prompt_tokens": 2168, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 2161, "cache_write_tokens": 2161}},
            (7, 2161, 0, 100, 0),
            False,
        ),
        (
            {"prompt_tokens": 2649, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 2569, "cache_write_tokens": 79}},
            (1, 2569, 79, 100, 0),
            True,
        ),
    ],
)
def test_tokens_of_servers_that_count_them_otherwise(usage: dict[str, Any], buckets: tuple[int, ...], *, known: bool) -> None:
    used, is_known = OpenAIChat().usage(chat(usage=usage))
    names = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
    assert tuple(getattr(used, name) for name in names) == buckets
    assert is_known is known


@pytest.mark.parametrize(("kind", "known"), [("message", True), ("compaction", False), ("advisor_message", False)])
def test_tokens_of_other_rounds_are_not_in_anthropics_totals(kind: str, *, known: bool) -> None:
    usage = {"input_tokens": 9, "output_tokens": 4, "iterations": [{"type": kind, "input_tokens": 9, "output_tokens": 4}]}
    assert AnthropicMessages().usage(messages(usage=usage)) == (gw.Usage(input_tokens=9, output_tokens=4), known)
    found = parts(AnthropicMessages(), messages(usage=usage))
    assert bool(found) is not known, "they are kept as they came"
