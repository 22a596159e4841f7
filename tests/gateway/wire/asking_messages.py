"""A recorded request of Anthropic's messages API in the contract's terms; and made plain, to be compared."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw
from tests.gateway.wire.asking import call, function, media, set_extra, set_parameters, text, vendor, vendor_tool, with_fields
from tests.gateway.wire.comparing import without_nothing

VENDOR = "anthropic"
ROLES = {"system": ct.ROLE_SYSTEM, "user": ct.ROLE_USER, "assistant": ct.ROLE_ASSISTANT}
MODES = {
    "auto": gw.ToolChoice.MODE_AUTO,
    "any": gw.ToolChoice.MODE_REQUIRED,
    "none": gw.ToolChoice.MODE_NONE,
    "tool": gw.ToolChoice.MODE_NAMED,
}
FUNCTION = {"name", "description", "input_schema", "strict"}


def request_of(route: str, recorded: Mapping[str, Any], names: Mapping[str, str]) -> gw.GenerateRequest:
    """The request. names: our parameters -> the provider's."""
    body = dict(without_nothing(recorded))
    request = gw.GenerateRequest(route=route)
    system = body.pop("system", [])
    if system:
        request.messages.add(role=ct.ROLE_SYSTEM).parts.extend(_part(block) for block in _blocks(system))
    for message in body.pop("messages"):
        request.messages.add(role=ROLES[message["role"]]).parts.extend(_part(block) for block in _blocks(message["content"]))
    set_parameters(request, body, names)
    for tool in body.pop("tools", ()):
        known = "input_schema" in tool and not tool.keys() - FUNCTION
        request.tools.append(function(tool, "input_schema") if known else vendor_tool(VENDOR, tool))
    choice = body.pop("tool_choice", None)
    if choice:
        request.tool_choice.mode, request.tool_choice.name = MODES[choice["type"]], choice.get("name", "")
        if "disable_parallel_tool_use" in choice:
            request.tool_choice.parallel = not choice["disable_parallel_tool_use"]
    thinking = body.get("thinking", {})
    if thinking.keys() == {"type", "budget_tokens"} and thinking["type"] == "enabled":
        request.parameters.reasoning_tokens = body.pop("thinking")["budget_tokens"]
    wanted = body.get("output_config", {})
    if wanted.keys() == {"format"} and wanted["format"].keys() == {"type", "schema"}:
        request.parameters.response_schema_json = json.dumps(body.pop("output_config")["format"]["schema"])
    set_extra(request, body, ("model", "stream"))
    return request


def plain(recorded: Mapping[str, Any]) -> dict[str, Any]:
    """A body in which the same meaning is written in one way."""
    body = without_nothing(recorded)
    body.pop("stream", None)
    if "system" in body:
        body["system"] = _blocks(body["system"])
    for message in body["messages"]:
        message["content"] = [_plain_block(block) for block in _blocks(message["content"])]
    for tool in body.get("tools", ()):
        if tool.get("description") == "":
            del tool["description"]
    for name in ("tools", "stop_sequences"):
        if body.get(name) == []:
            del body[name]
    return {name: int(value) if isinstance(value, float) and value.is_integer() else value for name, value in body.items()}


def _blocks(content: Any) -> list[Any]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _plain_block(block: dict[str, Any]) -> dict[str, Any]:
    if block["type"] == "tool_result":
        block = {**block, "content": [_plain_block(one) for one in _blocks(block.get("content", []))]}
        if block.get("is_error") is False:
            del block["is_error"]
    return block


def _part(block: Mapping[str, Any]) -> ct.Part:
    kind = block["type"]
    beside = {name: value for name, value in block.items() if name not in ("type", kind)}
    if kind == "text":
        return text(block["text"], beside)
    if kind == "thinking":
        return with_fields(ct.Part(reasoning=ct.Reasoning(text=block["thinking"])), beside)
    if kind == "tool_use":
        for name in ("id", "name", "input"):
            del beside[name]
        return with_fields(call(block["id"], block["name"], block["input"]), beside)
    if kind == "tool_result":
        return _result(block, beside)
    if kind in ("image", "document") and block["source"]["type"] in ("base64", "url", "text"):
        made = _media(kind, block["source"])
        made.name = beside.pop("title", "")
        del beside["source"]
        return with_fields(ct.Part(media=made), beside)
    return vendor(VENDOR, block)


def _media(kind: str, source: Mapping[str, Any]) -> ct.Media:
    modality = ct.MODALITY_IMAGE if kind == "image" else ct.MODALITY_DOCUMENT
    if source["type"] == "url":
        return media(source["url"], modality=modality)
    written = source["data"]
    if source["type"] == "text":
        written = base64.b64encode(written.encode()).decode()
    return media(f"data:{source['media_type']};base64,{written}", modality=modality)


def _is_image(block: Mapping[str, Any]) -> bool:
    return block["type"] == "image" and block["source"]["type"] in ("base64", "url")


def _result(block: Mapping[str, Any], beside: dict[str, Any]) -> ct.Part:
    result = ct.ToolResult(call_id=beside.pop("tool_use_id"), is_error=beside.pop("is_error", False))
    content = _blocks(beside.pop("content", []))
    texts = [one for one in content if one["type"] == "text"]
    others = content[len(texts) :]
    if len(texts) > 1 or any(not _is_image(one) for one in others) or content[: len(texts)] != texts:
        beside["content"] = content  # what a result's text and media cannot say
    else:
        result.text = "".join(one["text"] for one in texts)
        result.media.extend(_media("image", one["source"]) for one in others)
    return with_fields(ct.Part(tool_result=result), beside)
