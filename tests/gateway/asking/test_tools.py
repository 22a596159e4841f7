"""Tools, results and earlier reasoning: what can be sent is sent, and what cannot is refused by its path."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.adapters.base import Capabilities
from gateway.adapters.blocks import Called, Choice, Function, Thought, Vendor
from gateway.asking.extras import extra_of, put_extra
from gateway.asking.parts import turns_of
from gateway.asking.tools import choice_of, tools_of
from genlevel.runtime.errors import CallFailed
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

CAPABLE = Capabilities(
    parameters={},
    tools=True,
    thoughts=True,
    vendors=frozenset({"acme"}),
    result_media=frozenset({ct.MODALITY_IMAGE}),
    document_types=frozenset({"application/pdf", "text/plain"}),
)
PLAIN = Capabilities(parameters={})
ALL = frozenset({ct.MODALITY_TEXT, ct.MODALITY_IMAGE, ct.MODALITY_DOCUMENT})
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
Mode = gw.ToolChoice


async def no_blobs(reference: ct.BlobReference) -> bytes:
    raise AssertionError(reference)


async def turns(*messages: ct.Message, capabilities: Capabilities = CAPABLE) -> Any:
    return await turns_of(messages, capabilities, ALL, no_blobs, "acme/m")


def message(role: int, *parts: ct.Part) -> ct.Message:
    return ct.Message(role=role, parts=parts)  # type: ignore[arg-type]


def call(name: str = "add", **fields: Any) -> ct.Part:
    return ct.Part(tool_call=ct.ToolCall(id="c1", name=name, **fields))


async def test_a_conversation_with_tools_keeps_every_part_and_its_order() -> None:
    said = message(ct.ROLE_ASSISTANT, ct.Part(reasoning=ct.Reasoning(text="hm")), ct.Part(text="I add."), call(arguments_json='{"a": 1e2}'))
    given = ct.Media(modality=ct.MODALITY_IMAGE, mime_type="image/png", inline=PNG)
    back = message(ct.ROLE_TOOL, ct.Part(tool_result=ct.ToolResult(call_id="c1", text="100", is_error=True, media=[given])))
    assistant, tool = await turns(said, back)
    assert assistant.blocks == [Thought("hm"), "I add.", Called("c1", "add", '{"a": 1e2}')]
    assert assistant.blocks[2].arguments == {"a": 100.0}
    (result,) = tool.blocks
    assert (tool.role, result.call_id, result.text, result.is_error) == ("tool", "c1", "100", True)
    assert result.name == "add", "a result that does not say its tool's name has that of the call"
    assert result.media[0].mime_type == "image/png"


async def test_arguments_that_are_a_struct_are_written_as_json() -> None:
    part = call()
    part.tool_call.arguments.update({"n": 3, "x": [1.5, None]})
    (turn,) = await turns(message(ct.ROLE_ASSISTANT, part))
    assert turn.blocks[0].arguments == {"n": 3, "x": [1.5, None]}


async def test_arguments_that_are_no_object_are_kept_as_text() -> None:
    (turn,) = await turns(message(ct.ROLE_ASSISTANT, call(arguments_json="not json")))
    assert turn.blocks[0].arguments == {"text": "not json"}
    assert turn.blocks[0].arguments_json == "not json"


async def test_a_vendors_parts_and_fields_go_with_their_block() -> None:
    vendor = ct.Part(vendor=ct.VendorPart(vendor="acme"))
    vendor.vendor.value.update({"type": "cache_point"})
    text = ct.Part(text="long")
    text.vendor_fields.update({"cache_control": {"type": "ephemeral"}})
    (turn,) = await turns(message(ct.ROLE_USER, vendor, text))
    assert turn.blocks == [Vendor({"type": "cache_point"}), "long"]
    assert turn.fields == {1: {"cache_control": {"type": "ephemeral"}}}


async def test_a_document_of_text_has_its_text_too() -> None:
    media = ct.Media(modality=ct.MODALITY_DOCUMENT, mime_type="text/plain", inline=b"Gr\xc3\xbc\xc3\x9fe", name="note.txt")
    (turn,) = await turns(message(ct.ROLE_USER, ct.Part(media=media)))
    assert (turn.blocks[0].text, turn.blocks[0].name) == ("Grüße", "note.txt")


RESULT = ct.Part(tool_result=ct.ToolResult(call_id="c1", text="3"))
THOUGHT = ct.Part(reasoning=ct.Reasoning(text="hm"))
OTHERS = ct.Part(vendor=ct.VendorPart(vendor="other"))
MARKED = ct.Part(text="x")
MARKED.vendor_fields.update({"a": 1})
SOUND = ct.Media(modality=ct.MODALITY_AUDIO, mime_type="audio/wav", inline=b"x")


@pytest.mark.parametrize(
    ("role", "part", "capabilities", "reason", "path"),
    [
        (ct.ROLE_USER, call(), CAPABLE, "CALLER_FAULT", "messages[0].parts[0]"),
        (ct.ROLE_ASSISTANT, call(), PLAIN, "UNSUPPORTED", "messages[0].parts[0]"),
        (ct.ROLE_USER, THOUGHT, CAPABLE, "CALLER_FAULT", "messages[0].parts[0]"),
        (ct.ROLE_ASSISTANT, THOUGHT, PLAIN, "UNSUPPORTED", "messages[0].parts[0]"),
        (ct.ROLE_ASSISTANT, RESULT, CAPABLE, "CALLER_FAULT", "messages[0].parts[0]"),
        (ct.ROLE_USER, RESULT, PLAIN, "UNSUPPORTED", "messages[0].parts[0]"),
        (ct.ROLE_TOOL, RESULT, PLAIN, "UNSUPPORTED", "messages[0]"),
        (ct.ROLE_TOOL, ct.Part(text="3"), CAPABLE, "CALLER_FAULT", "messages[0].parts[0]"),
        (ct.ROLE_USER, OTHERS, CAPABLE, "UNSUPPORTED", "messages[0].parts[0]"),
        (ct.ROLE_USER, MARKED, PLAIN, "UNSUPPORTED", "messages[0].parts[0]"),
        (
            ct.ROLE_TOOL,
            ct.Part(tool_result=ct.ToolResult(call_id="c", media=[SOUND])),
            CAPABLE,
            "UNSUPPORTED",
            "messages[0].parts[0].media[0]",
        ),
    ],
)
async def test_what_cannot_be_sent_is_refused_by_its_path(
    role: int, part: ct.Part, capabilities: Capabilities, reason: str, path: str
) -> None:
    with pytest.raises(CallFailed) as caught:
        await turns(message(role, part), capabilities=capabilities)
    assert (caught.value.reason, caught.value.part) == (reason, path)
    assert path in caught.value.message


def test_tools_are_functions_and_a_providers_own() -> None:
    own = gw.Tool(vendor=ct.VendorPart(vendor="acme"))
    own.vendor.value.update({"type": "web_search"})
    add = gw.Tool(name="add", description="adds", parameters_json='{"type": "object"}', strict=False)
    found = tools_of(gw.GenerateRequest(tools=[add, own, gw.Tool(name="now")]), CAPABLE, "acme/m")
    assert found == [Function("add", "adds", {"type": "object"}, False), Vendor({"type": "web_search"}), Function("now", "", None)]


@pytest.mark.parametrize(
    ("tools", "capabilities", "reason", "path"),
    [
        ([gw.Tool(name="add")], PLAIN, "UNSUPPORTED", "tools[0]"),
        ([gw.Tool(name="add"), gw.Tool()], CAPABLE, "CALLER_FAULT", "tools[1]"),
        ([gw.Tool(name="add"), gw.Tool(name="add")], CAPABLE, "CALLER_FAULT", "tools[1]"),
        ([gw.Tool(name="add", parameters_json="[]")], CAPABLE, "CALLER_FAULT", "tools[0]"),
        ([gw.Tool(name="add", parameters_json="{")], CAPABLE, "CALLER_FAULT", "tools[0]"),
        ([gw.Tool(vendor=ct.VendorPart(vendor="other"))], CAPABLE, "UNSUPPORTED", "tools[0]"),
    ],
)
def test_a_tool_that_cannot_be_sent_is_refused_by_its_path(
    tools: list[gw.Tool], capabilities: Capabilities, reason: str, path: str
) -> None:
    with pytest.raises(CallFailed) as caught:
        tools_of(gw.GenerateRequest(tools=tools), capabilities, "acme/m")
    assert (caught.value.reason, caught.value.part) == (reason, path)


def test_a_choice_is_read_or_refused() -> None:
    tools = [Function("add", "", None)]

    def choice(**fields: Any) -> Choice:
        return choice_of(gw.GenerateRequest(tool_choice=gw.ToolChoice(**fields)), tools)

    assert choice_of(gw.GenerateRequest(), tools) == Choice()
    assert choice(mode=Mode.MODE_REQUIRED, parallel=False) == Choice("required", "", False)
    assert choice(mode=Mode.MODE_NAMED, name="add") == Choice("named", "add", None)
    for wrong in ({"mode": Mode.MODE_NAMED}, {"mode": Mode.MODE_AUTO, "name": "add"}):
        with pytest.raises(CallFailed, match="MODE_NAMED"):
            choice(**wrong)
    with pytest.raises(CallFailed, match="no tools"):
        choice_of(gw.GenerateRequest(tool_choice=gw.ToolChoice(mode=Mode.MODE_REQUIRED)), [])


def test_a_providers_own_fields_are_added_and_replace_nothing() -> None:
    body: dict[str, Any] = {"model": "m", "config": {"a": 1, "deep": {"x": 1}}}
    put_extra(body, extra_of(gw.GenerateRequest(extra_json='{"tier": "flex", "config": {"b": 2, "deep": {"y": 2}}}')))
    assert body == {"model": "m", "tier": "flex", "config": {"a": 1, "b": 2, "deep": {"x": 1, "y": 2}}}


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ('{"config": {"deep": {"x": 2}}}', "the request has config.deep.x already"),
        ('{"config": 1}', "the request has config already"),
        ('{"stream": true}', "stream cannot be set here"),
        ('{"model": "dearer"}', "model cannot be set here"),
        ("[1]", "not a JSON object"),
        ("{", "not a JSON object"),
    ],
)
def test_a_field_that_is_there_already_is_refused_by_name(extra: str, said: str) -> None:
    body: dict[str, Any] = {"model": "m", "config": {"deep": {"x": 1}}}
    with pytest.raises(CallFailed, match=said) as caught:
        put_extra(body, extra_of(gw.GenerateRequest(extra_json=extra)))
    assert (caught.value.reason, caught.value.part) == ("CALLER_FAULT", "extra_json")
