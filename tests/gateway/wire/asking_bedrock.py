"""A recorded request of Bedrock's Converse API in the contract's terms; and made plain, to be compared."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from gateway.adapters.bedrock_request import AUDIO_FORMATS, DOCUMENT_FORMATS, IMAGE_FORMATS, VIDEO_FORMATS
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw
from tests.gateway.wire.asking import call, function, set_extra, set_parameters, text, vendor, vendor_tool, with_fields
from tests.gateway.wire.comparing import without_nothing

VENDOR = "bedrock"
NAMES = {"temperature": "temperature", "max_output_tokens": "maxTokens", "top_p": "topP", "stop": "stopSequences"}
ROLES = {"system": ct.ROLE_SYSTEM, "user": ct.ROLE_USER, "assistant": ct.ROLE_ASSISTANT}
MEDIA = {
    "image": (ct.MODALITY_IMAGE, IMAGE_FORMATS),
    "document": (ct.MODALITY_DOCUMENT, DOCUMENT_FORMATS),
    "video": (ct.MODALITY_VIDEO, VIDEO_FORMATS),
    "audio": (ct.MODALITY_AUDIO, AUDIO_FORMATS),
}
# Fields that a request may have without saying anything by them.
EMPTY_ALLOWED = ("system", "inferenceConfig", "additionalModelRequestFields")


def request_of(route: str, recorded: Mapping[str, Any]) -> gw.GenerateRequest:
    """The request."""
    body = dict(without_nothing(recorded))
    request = gw.GenerateRequest(route=route)
    if system := body.pop("system", None):
        request.messages.add(role=ct.ROLE_SYSTEM, parts=_parts(system))
    for message in body.pop("messages"):
        request.messages.add(role=ROLES[message["role"]], parts=_parts(message["content"]))
    inference = dict(body.pop("inferenceConfig", {}))
    set_parameters(request, inference, NAMES)
    assert not inference
    tools = body.pop("toolConfig", {})
    request.tools.extend(_tool(tool) for tool in tools.get("tools", ()))
    _choose(request, tools.get("toolChoice") or {})
    written = body.get("outputConfig", {}).get("textFormat", {}).get("structure", {}).get("jsonSchema", {})
    if written and "description" not in written and json.loads(written["schema"]).get("type") == "object":
        request.parameters.response_schema_json = written["schema"]
        del body["outputConfig"]
    if not body.get("additionalModelRequestFields"):
        body.pop("additionalModelRequestFields", None)
    set_extra(request, body, ())
    return request


def plain(recorded: Mapping[str, Any]) -> dict[str, Any]:
    """A body in which the same meaning is written in one way."""
    body: dict[str, Any] = {name: value for name, value in without_nothing(recorded).items() if value or name not in EMPTY_ALLOWED}
    written = body.get("outputConfig", {}).get("textFormat", {}).get("structure", {}).get("jsonSchema", {})
    if written:
        written["schema"] = json.loads(written["schema"])
        if "description" not in written:
            written["name"] = "answer"
    for message in body["messages"]:
        for block in message["content"]:
            if "toolResult" in block:
                block["toolResult"].setdefault("status", "success")
    for tool in body.get("toolConfig", {}).get("tools", ()):
        if not tool.get("toolSpec", {}).get("description", "x"):
            del tool["toolSpec"]["description"]
    return {name: _number(value) for name, value in body.items()}


def _number(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _number(inner) for name, inner in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _parts(blocks: Any) -> list[ct.Part]:
    parts: list[ct.Part] = []
    for block in blocks:
        if "cachePoint" in block and parts and not parts[-1].HasField("vendor"):
            with_fields(parts[-1], {"cachePoint": block["cachePoint"]})
        else:
            parts.append(_part(block))
    return parts


def _part(block: Mapping[str, Any]) -> ct.Part:
    ((kind, value),) = block.items()
    if kind == "text":
        return text(value)
    if kind == "toolUse" and "type" not in value:
        return call(value["toolUseId"], value["name"], value["input"])
    if kind == "toolResult" and "type" not in value:
        return _result(value)
    if kind == "reasoningContent" and "reasoningText" in value:
        thought = dict(value["reasoningText"])
        return with_fields(ct.Part(reasoning=ct.Reasoning(text=thought.pop("text"))), thought)
    if kind in MEDIA and "text" not in value["source"]:
        beside = {name: inner for name, inner in value.items() if name not in ("format", "name", "source")}
        return with_fields(ct.Part(media=_media(kind, value)), beside)
    return vendor(VENDOR, block)


def _media(kind: str, value: Mapping[str, Any]) -> ct.Media:
    modality, formats = MEDIA[kind]
    mime_type = next(known for known, name in formats.items() if name == value["format"])
    made = ct.Media(modality=modality, mime_type=mime_type, name=value.get("name", ""))
    source = value["source"]
    if "bytes" in source:
        made.inline = base64.b64decode(source["bytes"])
    else:
        made.uri = source["s3Location"]["uri"]
    return made


def _result(value: Mapping[str, Any]) -> ct.Part:
    content = value["content"]
    kinds = [next(iter(block)) for block in content]
    result = ct.ToolResult(call_id=value["toolUseId"], is_error=value.get("status") == "error")
    texts = [block["text"] for block in content if "text" in block]
    simple = kinds[: len(texts)] == ["text"] * len(texts) and len(texts) <= 1 and set(kinds[len(texts) :]) <= {"image", "document", "video"}
    if not simple or not content:
        return with_fields(ct.Part(tool_result=result), {"content": content})
    result.text = "".join(texts)
    result.media.extend(_media(kind, block[kind]) for kind, block in zip(kinds, content, strict=True) if kind != "text")
    return ct.Part(tool_result=result)


def _tool(tool: Mapping[str, Any]) -> gw.Tool:
    if "toolSpec" not in tool:
        return vendor_tool(VENDOR, tool)
    described = dict(tool["toolSpec"])
    described["parameters"] = described.pop("inputSchema")["json"]
    return function(described)


def _choose(request: gw.GenerateRequest, choice: Mapping[str, Any]) -> None:
    for mode, value in choice.items():
        if mode == "tool":
            request.tool_choice.mode, request.tool_choice.name = gw.ToolChoice.MODE_NAMED, value["name"]
        else:
            request.tool_choice.mode = {"auto": gw.ToolChoice.MODE_AUTO, "any": gw.ToolChoice.MODE_REQUIRED}[mode]
