"""A recorded request of Gemini's API in the contract's terms; and made plain, to be compared."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw
from tests.gateway.wire.asking import MODALITIES, MODES, call, function, set_extra, set_parameters, text, vendor, vendor_tool, with_fields
from tests.gateway.wire.comparing import without_nothing

VENDOR = "gemini"
SCHEMA = "parametersJsonSchema"
MADE = {"TEXT": ct.MODALITY_TEXT, "IMAGE": ct.MODALITY_IMAGE, "AUDIO": ct.MODALITY_AUDIO}
# What is below them is a caller's own, whatever its names.
FREE = frozenset({"args", "response", SCHEMA, "responseJsonSchema", "parameters", "responseSchema", "labels"})
SOURCES = ("inlineData", "fileData")


def request_of(route: str, recorded: Mapping[str, Any], names: Mapping[str, str], special: Collection[str]) -> gw.GenerateRequest:
    """The request. names: our parameters -> the provider's; special: those of ours that the adapter writes itself."""
    body = plain(recorded)
    request = gw.GenerateRequest(route=route)
    if "systemInstruction" in body:
        parts = [_part(part) for part in body.pop("systemInstruction")["parts"]]
        request.messages.append(ct.Message(role=ct.ROLE_SYSTEM, parts=parts))
    request.messages.extend(_message(content) for content in body.pop("contents"))
    for tool in body.pop("tools", ()):
        declared = tool.get("functionDeclarations", ())
        if declared and not any(one.keys() - {"name", "description", SCHEMA} for one in declared):
            request.tools.extend(function(one, SCHEMA) for one in declared)
        else:
            request.tools.append(vendor_tool(VENDOR, tool))
    _choose(request, body.get("toolConfig", {}))
    config = body.get("generationConfig", {})
    set_parameters(request, config, names)
    if "logprobs" in special and config.pop("responseLogprobs", False):
        request.parameters.logprobs = config.pop("logprobs", 0)
    thinking = config.get("thinkingConfig", {})
    set_parameters(request, thinking, {"reasoning_effort": "thinkingLevel", "reasoning_tokens": "thinkingBudget"})
    if _is_usual_schema(config):
        request.parameters.response_schema_json = json.dumps(config.pop("responseJsonSchema"))
        del config["responseMimeType"]
    request.output_modalities.extend(MADE[name] for name in config.pop("responseModalities", ()))
    set_extra(request, _without_empty(body), ("model",))
    return request


def plain(recorded: Mapping[str, Any]) -> dict[str, Any]:
    """A body in which the same meaning is written in one way."""
    body: dict[str, Any] = _spelled(without_nothing(recorded))
    body.pop("model", None)
    body.get("systemInstruction", {}).pop("role", None)
    contents: list[dict[str, Any]] = []
    for content in body["contents"]:
        content.setdefault("role", "user")
        if contents and _is_results(content) and _is_results(contents[-1]):  # of one round of calls
            contents[-1]["parts"] += content["parts"]
        else:
            contents.append(content)
    body["contents"] = contents
    body.get("tools", []).sort(key=sorted)
    for tool in body.get("tools", ()):
        for declared in tool.get("functionDeclarations", ()):
            if declared.get("description") == "":
                del declared["description"]
    calling = body.get("toolConfig", {}).get("functionCallingConfig", {})
    if "mode" in calling:
        calling["mode"] = calling["mode"].upper()
    if calling.get("allowedFunctionNames") == []:
        del calling["allowedFunctionNames"]
    config = body.get("generationConfig", {})
    if config.get("responseModalities") == ["TEXT"]:  # as if nothing was asked
        del config["responseModalities"]
    if config.get("stopSequences") == []:
        del config["stopSequences"]
    return {name: value for name, value in body.items() if value or name == "contents"}


def _spelled(value: Any) -> Any:
    """Names in lower camel case, of which Google's APIs take both, base64 in its usual letters, and whole numbers as such."""
    if isinstance(value, list):
        return [_spelled(inner) for inner in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, dict):
        return value
    made = {re.sub(r"_([a-z])", lambda found: found[1].upper(), name): inner for name, inner in value.items()}
    if isinstance(made.get("data"), str) and "mimeType" in made:
        written = made["data"].replace("-", "+").replace("_", "/").rstrip("=")
        written = written[: len(written) // 4 * 4]  # long ones are cut
        made["data"] = base64.b64encode(base64.b64decode(written)).decode()
    return {name: inner if name in FREE else _spelled(inner) for name, inner in made.items()}


def _is_results(content: Mapping[str, Any]) -> bool:
    return all("functionResponse" in part for part in content["parts"])


def _choose(request: gw.GenerateRequest, config: dict[str, Any]) -> None:
    """Takes out of the configuration what the contract can say."""
    calling = config.get("functionCallingConfig", {})
    allowed = calling.get("allowedFunctionNames", [])
    mode = calling.get("mode", "").lower()
    if mode not in MODES or len(allowed) > 1:
        return
    request.tool_choice.mode = gw.ToolChoice.MODE_NAMED if allowed else MODES[mode]
    request.tool_choice.name = "".join(allowed)
    del config["functionCallingConfig"]


def _is_usual_schema(config: Mapping[str, Any]) -> bool:
    schema = config.get("responseJsonSchema")
    return config.get("responseMimeType") == "application/json" and isinstance(schema, dict) and schema.get("type") == "object"


def _without_empty(body: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: _without_empty(value) if isinstance(value, dict) else value for name, value in body.items()}
    return {name: value for name, value in kept.items() if value != {}}


def _message(content: Mapping[str, Any]) -> ct.Message:
    role = ct.ROLE_TOOL if _is_results(content) else ct.ROLE_USER
    if content["role"] == "model":
        role = ct.ROLE_ASSISTANT
    return ct.Message(role=role, parts=[_part(part) for part in content["parts"]])


def _part(part: Mapping[str, Any]) -> ct.Part:
    known = next((name for name in ("functionCall", "functionResponse", *SOURCES, "text", "thought") if name in part), "")
    beside = {name: value for name, value in part.items() if name not in (known, "thought")}
    match known:
        case "functionCall":
            asked = part[known]
            return with_fields(call(asked.get("id", ""), asked["name"], asked["args"]), beside)
        case "functionResponse":
            return with_fields(ct.Part(tool_result=_result(part[known])), beside)
        case "inlineData" | "fileData":
            return with_fields(ct.Part(media=_media(part)), beside)
        case "text" if not part.get("thought"):
            return text(part["text"], beside)
        case "text" | "thought":
            return with_fields(ct.Part(reasoning=ct.Reasoning(text=part.get("text", ""))), beside)
    return vendor(VENDOR, part)


def _media(part: Mapping[str, Any]) -> ct.Media:
    source = next(part[name] for name in SOURCES if name in part)
    media = ct.Media(mime_type=source["mimeType"], modality=MODALITIES[source["mimeType"].partition("/")[0]])
    if "fileUri" in source:
        media.uri = source["fileUri"]
    else:
        media.inline = base64.b64decode(source["data"])
    return media


def _result(response: Mapping[str, Any]) -> ct.ToolResult:
    return ct.ToolResult(
        call_id=response.get("id", ""),
        name=response["name"],
        text=json.dumps(response["response"]),
        media=[_media(part) for part in response.get("parts", ())],
    )
