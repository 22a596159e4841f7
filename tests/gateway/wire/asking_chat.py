"""A recorded request of the chat completions format in the contract's terms; and made plain, to be compared."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw
from tests.gateway.wire.asking import (
    MODES,
    call,
    function,
    media,
    set_extra,
    set_parameters,
    text,
    vendor,
    vendor_tool,
    with_fields,
)
from tests.gateway.wire.comparing import canonical, without_nothing

VENDOR = "openai"
ROLES = {
    "system": ct.ROLE_SYSTEM,
    "developer": ct.ROLE_SYSTEM,
    "user": ct.ROLE_USER,
    "assistant": ct.ROLE_ASSISTANT,
    "tool": ct.ROLE_TOOL,
}
SOUNDS = {"wav": "audio/wav", "mp3": "audio/mpeg"}
THOUGHTS = ("reasoning_content", "reasoning")


def request_of(route: str, recorded: Mapping[str, Any], names: Mapping[str, str], special: Collection[str]) -> gw.GenerateRequest:
    """The request. names: our parameters -> the provider's; special: those of ours that the adapter writes itself."""
    body = dict(without_nothing(recorded))
    request = gw.GenerateRequest(route=route)
    request.messages.extend(_message(message) for message in body.pop("messages"))
    set_parameters(request, body, names)
    if "logprobs" in special and body.pop("logprobs", False):
        request.parameters.logprobs = body.pop("top_logprobs", 0)
    for tool in body.pop("tools", ()):
        plain = tool.get("type", "function") == "function" and not tool.keys() - {"type", "function"}
        known = plain and not tool["function"].keys() - {"name", "description", "parameters", "strict"}
        request.tools.append(function(tool["function"]) if known else vendor_tool(VENDOR, tool))
    choice = body.pop("tool_choice", None)
    if isinstance(choice, str):
        request.tool_choice.mode = MODES[choice]
    elif choice:
        request.tool_choice.mode, request.tool_choice.name = gw.ToolChoice.MODE_NAMED, choice["function"]["name"]
    if "parallel_tool_calls" in body:
        request.tool_choice.parallel = body.pop("parallel_tool_calls")
    if _is_usual_schema(body.get("response_format")):
        request.parameters.response_schema_json = json.dumps(body.pop("response_format")["json_schema"]["schema"])
    set_extra(request, body, ("model", "stream"))
    return request


def plain(recorded: Mapping[str, Any]) -> dict[str, Any]:
    """A body in which the same meaning is written in one way."""
    body = without_nothing(recorded)
    body.pop("stream", None)
    body["messages"] = [plain_message(message) for message in body["messages"]]
    if body.get("tools") == []:
        del body["tools"]
    for tool in body.get("tools", ()):
        if "function" in tool:
            tool.setdefault("type", "function")
            tool["function"] = {name: value for name, value in tool["function"].items() if value != ""}
    choice = body.get("tool_choice")
    if isinstance(choice, dict):
        choice.setdefault("type", "function")
    elif choice == "any":
        body["tool_choice"] = "required"
    if isinstance(body.get("stop"), str):
        body["stop"] = [body["stop"]]
    if body.get("stop") == []:
        del body["stop"]
    if _is_usual_schema(body.get("response_format")):
        body["response_format"]["json_schema"]["name"] = "answer"
    return {name: _number(value) for name, value in body.items()}


def _is_usual_schema(wanted: Any) -> bool:
    """Whether an answer's form is asked for as the gateway asks for it: strictly, and of an object."""
    described = wanted.get("json_schema") if isinstance(wanted, dict) and wanted.get("type") == "json_schema" else None
    return (
        isinstance(described, dict)
        and described.keys() == {"name", "strict", "schema"}
        and described["strict"] is True
        and described["schema"].get("type") == "object"
    )


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def plain_message(message: dict[str, Any]) -> dict[str, Any]:
    if message["role"] == "developer":
        message["role"] = "system"
    content = message.get("content")
    if isinstance(content, str):
        message["content"] = [{"type": "text", "text": content}]
    if content in ("", []) and message["role"] == "assistant":
        del message["content"]
    for block in message.get("content", ()):
        if isinstance(block.get("image_url"), str):
            block["image_url"] = {"url": block["image_url"]}
    if not message.get("tool_call_id", "x"):
        del message["tool_call_id"]
    for tool_call in message.get("tool_calls", ()):
        if not tool_call.get("id", "x"):  # Writer takes calls without one
            del tool_call["id"]
        tool_call["type"] = "function"
        tool_call.pop("index", None)
        tool_call["function"]["arguments"] = canonical(tool_call["function"].get("arguments"))
    if message.get("tool_calls") == []:
        del message["tool_calls"]
    thoughts = [message.pop(name) for name in THOUGHTS if name in message]
    if thoughts:
        message["reasoning"] = thoughts[0]
    return message


def _message(message: Mapping[str, Any]) -> ct.Message:
    role = message["role"]
    made = ct.Message(role=ROLES[role])
    known = {"role", "content", "tool_calls", "tool_call_id", *THOUGHTS}
    beside = {name: value for name, value in message.items() if name not in known}
    if role == "tool":
        made.parts.append(with_fields(_result(message), beside))
        return made
    thoughts = [message[name] for name in THOUGHTS if message.get(name)]
    if thoughts:
        made.parts.append(ct.Part(reasoning=ct.Reasoning(text=thoughts[0])))
    content = message.get("content")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}] if content or role != "assistant" else []
    made.parts.extend(_part(block) for block in content or ())
    for tool_call in message.get("tool_calls") or ():
        asked = tool_call["function"]
        beside_call = {name: value for name, value in tool_call.items() if name not in ("id", "type", "function", "index")}
        made.parts.append(with_fields(call(tool_call.get("id", ""), asked["name"], asked["arguments"]), beside_call))
    if beside:
        made.parts.append(vendor(VENDOR, {"message": beside}))
    return made


def _result(message: Mapping[str, Any]) -> ct.Part:
    result = ct.ToolResult(call_id=message.get("tool_call_id", ""))
    content = message.get("content") or ""
    if isinstance(content, str):
        result.text = content
        return ct.Part(tool_result=result)
    whole = any(block.keys() - {"type", block["type"]} for block in content)
    for block in content:
        if block["type"] == "text":
            result.text += block["text"]
        else:
            result.media.append(_part(block).media)
    return with_fields(ct.Part(tool_result=result), {"content": content} if whole else None)


def _part(block: Mapping[str, Any]) -> ct.Part:
    kind = block["type"]
    beside = {name: value for name, value in block.items() if name not in ("type", kind)}
    if kind == "text":
        return text(block["text"], beside)
    if kind == "thinking" and len(block["thinking"]) == 1 and block["thinking"][0]["type"] == "text":
        return with_fields(ct.Part(reasoning=ct.Reasoning(text=block["thinking"][0]["text"])), beside)
    if kind == "image_url":
        image = block["image_url"]
        image = {"url": image} if isinstance(image, str) else image
        made = media(image["url"], modality=ct.MODALITY_IMAGE, detail=image.get("detail") or "")
        return with_fields(ct.Part(media=made), beside)
    if kind == "input_audio":
        sound = block["input_audio"]
        mime_type = SOUNDS[sound["format"]]
        return with_fields(ct.Part(media=media(f"data:{mime_type};base64,{sound['data']}")), beside)
    if kind == "file" and "file_data" in block["file"]:
        file = block["file"]
        made = media(file["file_data"], modality=ct.MODALITY_DOCUMENT, name=file.get("filename") or "")
        return with_fields(ct.Part(media=made), beside)
    if kind == "document_url":
        return with_fields(ct.Part(media=media(block["document_url"], modality=ct.MODALITY_DOCUMENT)), beside)
    if kind == "video_url":
        return with_fields(ct.Part(media=media(block["video_url"]["url"], modality=ct.MODALITY_VIDEO)), beside)
    return vendor(VENDOR, block)
