"""A recorded request of Cohere's chat API in the contract's terms; and made plain, to be compared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gateway.adapters.cohere import CohereChat
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw
from tests.gateway.wire.asking import call, function, media, set_extra, set_parameters, text, vendor, with_fields
from tests.gateway.wire.comparing import canonical, without_nothing

VENDOR = "cohere"
NAMES = CohereChat.capabilities.parameters
ROLES = {"system": ct.ROLE_SYSTEM, "user": ct.ROLE_USER, "assistant": ct.ROLE_ASSISTANT, "tool": ct.ROLE_TOOL}
MODES = {"REQUIRED": gw.ToolChoice.MODE_REQUIRED, "NONE": gw.ToolChoice.MODE_NONE}


def request_of(route: str, recorded: Mapping[str, Any]) -> gw.GenerateRequest:
    """The request."""
    body = dict(without_nothing(recorded))
    request = gw.GenerateRequest(route=route)
    request.messages.extend(_message(message) for message in body.pop("messages"))
    set_parameters(request, body, NAMES)
    request.tools.extend(function(tool["function"]) for tool in body.pop("tools", ()))
    if "tool_choice" in body:
        request.tool_choice.mode = MODES[body.pop("tool_choice")]
    if "json_schema" in body.get("response_format", {}):
        request.parameters.response_schema_json = json.dumps(body.pop("response_format")["json_schema"])
    if (thinking := body.get("thinking", {})).get("type") == "disabled" or "token_budget" in thinking:
        request.parameters.reasoning_tokens = body.pop("thinking").get("token_budget", 0)
    set_extra(request, body, ("model", "stream"))
    return request


def older_request_of(route: str, recorded: Mapping[str, Any]) -> gw.GenerateRequest:
    """The request of version 1 of the API."""
    body = dict(without_nothing(recorded))
    request = gw.GenerateRequest(route=route)
    request.messages.add(role=ct.ROLE_USER, parts=[text(body.pop("message"))])
    set_parameters(request, body, NAMES)
    set_extra(request, body, ("model", "stream"))
    return request


def plain(recorded: Mapping[str, Any]) -> dict[str, Any]:
    """A body in which the same meaning is written in one way."""
    body = without_nothing(recorded)
    body.pop("stream", None)
    for message in body.get("messages", ()):
        if isinstance(message.get("content"), str):
            message["content"] = [{"type": "text", "text": message["content"]}]
        for tool_call in message.get("tool_calls", ()):
            tool_call["function"]["arguments"] = canonical(tool_call["function"]["arguments"])
    return {name: int(value) if isinstance(value, float) and value.is_integer() else value for name, value in body.items()}


def _message(message: Mapping[str, Any]) -> ct.Message:
    made = ct.Message(role=ROLES[message["role"]])
    content = message.get("content", [])
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if message["role"] == "tool":
        texts = [block["text"] for block in blocks if block["type"] == "text"]
        part = ct.Part(tool_result=ct.ToolResult(call_id=message["tool_call_id"], text="".join(texts)))
        made.parts.append(with_fields(part, None if len(texts) == len(blocks) == 1 else {"content": blocks}))
        return made
    made.parts.extend(_part(block) for block in blocks)
    for one in message.get("tool_calls", ()):
        made.parts.append(call(one["id"], one["function"]["name"], one["function"]["arguments"]))
    if beside := {name: message[name] for name in ("tool_plan", "citations") if name in message}:
        made.parts.append(vendor(VENDOR, beside))
    return made


def _part(block: Mapping[str, Any]) -> ct.Part:
    match block:
        case {"type": "text", "text": str(said)}:
            return text(said)
        case {"type": "thinking", "thinking": str(said)}:
            return ct.Part(reasoning=ct.Reasoning(text=said))
        case {"type": "image_url", "image_url": {"url": str(url), **beside}}:
            return ct.Part(media=media(url, modality=ct.MODALITY_IMAGE, detail=beside.get("detail") or ""))
        case _:
            return vendor(VENDOR, block)
