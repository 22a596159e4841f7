"""A law of all conversations: what a model has said, read and sent back, is what it was."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.anthropic_messages import AnthropicMessages
from gateway.adapters.base import Adapter
from gateway.adapters.blocks import Ask
from gateway.adapters.openai_chat import OpenAIChat
from gateway.adapters.openai_responses import OpenAIResponses
from gateway.asking.parts import turns_of
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20)
NAMES = st.from_regex(r"[a-z]{1,8}", fullmatch=True)
VALUES = st.recursive(
    TEXTS | st.integers(-(2**60), 2**60) | st.booleans() | st.floats(-1e6, 1e6),
    lambda inner: st.lists(inner, min_size=1, max_size=3),
    max_leaves=4,
)
FIELDS = st.dictionaries(NAMES.map("x_{}".format), VALUES, max_size=2)
ARGUMENTS = st.sampled_from(['{"a": 1}', '{"big": 12345678901234567890}', "{}", '{"deep": {"a": [1, {"b": null}]}}'])


def optional(name: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.just({}) | values.map(lambda value: {name: value})


def merged(*pieces: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(*pieces).map(lambda found: {name: value for piece in found for name, value in piece.items()})


async def no_blob(reference: ct.BlobReference) -> bytes:
    raise AssertionError(reference)


def sent_back(adapter: Adapter, body: dict[str, Any]) -> dict[str, Any]:
    """The body of a request that has what an answer says as its only message."""
    message = ct.Message(role=ct.ROLE_ASSISTANT, parts=adapter.answer(body).parts)
    travelled = ct.Message.FromString(message.SerializeToString())
    turns = asyncio.run(turns_of([travelled], adapter.capabilities, frozenset({ct.MODALITY_TEXT}), no_blob, "m"))
    return adapter.request("m", Ask(turns, gw.GenerationParameters()))


CALLS = merged(
    st.fixed_dictionaries(
        {"id": NAMES, "type": st.just("function"), "function": st.fixed_dictionaries({"name": NAMES, "arguments": ARGUMENTS})}
    ),
    FIELDS,
)
CHAT = merged(
    st.fixed_dictionaries({"role": st.just("assistant"), "content": st.none() | TEXTS}),
    optional("tool_calls", st.lists(CALLS, min_size=1, max_size=2)),
    optional("reasoning_content", TEXTS),
    optional(
        "reasoning_details",
        st.lists(st.fixed_dictionaries({"type": st.just("reasoning.encrypted"), "data": TEXTS}), min_size=1, max_size=2),
    ),
    FIELDS,
).filter(lambda message: len(message) > 2 or message["content"])


@given(CHAT)
def test_chat(message: dict[str, Any]) -> None:
    [sent] = sent_back(OpenAIChat(), {"choices": [{"message": message, "finish_reason": "stop"}]})["messages"]  # type: ignore[misc]
    assert sent == message


BLOCKS = (
    merged(st.fixed_dictionaries({"type": st.just("text"), "text": TEXTS}), FIELDS)
    | st.fixed_dictionaries({"type": st.just("thinking"), "thinking": st.just("") | TEXTS, "signature": TEXTS})
    | merged(st.fixed_dictionaries({"type": st.just("redacted_thinking"), "data": TEXTS}))
    | merged(st.fixed_dictionaries({"type": st.just("server_tool_use"), "id": NAMES, "name": NAMES, "input": FIELDS}))
    | merged(
        st.fixed_dictionaries({"type": st.just("tool_use"), "id": NAMES, "name": NAMES, "input": st.just({}) | st.just({"a": 2**60})}),
        FIELDS,
    )
)


@given(st.lists(BLOCKS, min_size=1, max_size=4), FIELDS)
def test_messages(blocks: list[dict[str, Any]], beside: dict[str, Any]) -> None:
    [sent] = sent_back(AnthropicMessages(), {"content": blocks, "stop_reason": "end_turn", **beside})["messages"]  # type: ignore[misc]
    content = sent["content"]
    assert ([{"type": "text", "text": content}] if isinstance(content, str) else content) == blocks


def said(*content: dict[str, Any], **beside: Any) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": list(content), **beside}


ITEMS = (
    merged(st.fixed_dictionaries({"type": st.just("output_text"), "text": TEXTS}), FIELDS).map(lambda text: said(text, phase="commentary"))
    | merged(
        st.fixed_dictionaries({"type": st.just("function_call"), "call_id": NAMES, "name": NAMES, "arguments": ARGUMENTS}),
        optional("namespace", NAMES),
    )
    | st.fixed_dictionaries({"type": st.just("custom_tool_call"), "call_id": NAMES, "name": NAMES, "input": TEXTS})
    | merged(
        st.fixed_dictionaries({"type": st.just("reasoning")}),
        st.lists(st.fixed_dictionaries({"type": st.just("summary_text"), "text": TEXTS}), max_size=2).map(lambda texts: {"summary": texts}),
        st.fixed_dictionaries({"encrypted_content": TEXTS}),
    )
    | merged(st.fixed_dictionaries({"type": st.sampled_from(["web_search_call", "mcp_call", "compaction"]), "id": NAMES}), FIELDS)
)


@given(st.lists(ITEMS, min_size=1, max_size=4), FIELDS)
def test_responses(items: list[dict[str, Any]], beside: dict[str, Any]) -> None:
    """Two texts of one phase that follow each other become one message of two."""
    sent = sent_back(OpenAIResponses(), {"status": "completed", "output": items, **beside})["input"]
    joined: list[dict[str, Any]] = []
    for item in items:
        if item["type"] == "message" and joined and joined[-1]["type"] == "message":
            joined[-1] = {**joined[-1], "content": [*joined[-1]["content"], *item["content"]]}
        else:
            joined.append(item)
    assert sent == joined
