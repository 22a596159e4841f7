"""A provider's recorded request in the contract's terms: what the APIs have in common."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any

from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

MODALITIES = {
    "image": ct.MODALITY_IMAGE,
    "audio": ct.MODALITY_AUDIO,
    "video": ct.MODALITY_VIDEO,
    "application": ct.MODALITY_DOCUMENT,
    "text": ct.MODALITY_DOCUMENT,
}
MODES = {
    "auto": gw.ToolChoice.MODE_AUTO,
    "none": gw.ToolChoice.MODE_NONE,
    "required": gw.ToolChoice.MODE_REQUIRED,
    "any": gw.ToolChoice.MODE_REQUIRED,
}


def text(said: str, fields: Mapping[str, Any] | None = None) -> ct.Part:
    """A text. fields: what its block has beside it."""
    return with_fields(ct.Part(text=said), fields)


def vendor(name: str, value: Mapping[str, Any]) -> ct.Part:
    """A block that the contract has no part for."""
    part = ct.Part(vendor=ct.VendorPart(vendor=name))
    _fill(part.vendor.value, value)
    return part


def with_fields(part: ct.Part, fields: Mapping[str, Any] | None) -> ct.Part:
    """The part with what its block has beside it."""
    if fields:
        _fill(part.vendor_fields, fields)
    return part


def media(url: str, *, mime_type: str = "", modality: int = 0, detail: str = "", name: str = "") -> ct.Media:
    """Media by a data URI or an address. mime_type, modality: of an address, or of bare base64."""
    if url.startswith("data:"):
        mime_type, _, written = url.removeprefix("data:").partition(";base64,")
    else:
        written = ""
    kind = modality or MODALITIES[mime_type.partition("/")[0]]
    made = ct.Media(modality=kind, mime_type=mime_type, options=ct.MediaOptions(detail=detail) if detail else None, name=name)
    if written:
        made.inline = base64.b64decode(written)
    else:
        made.uri = url
    return made


def call(call_id: str, name: str, arguments: Any) -> ct.Part:
    """A tool call of an earlier answer, its arguments as the model wrote them."""
    written = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return ct.Part(tool_call=ct.ToolCall(id=call_id, name=name, arguments_json=written))


def function(described: Mapping[str, Any], schema: str = "parameters") -> gw.Tool:
    """A function that the model may call. schema: the name of its arguments' schema."""
    tool = gw.Tool(name=described["name"], description=described.get("description") or "")
    if described.get(schema) is not None:
        tool.parameters_json = json.dumps(described[schema])
    if described.get("strict") is not None:
        tool.strict = described["strict"]
    return tool


def vendor_tool(name: str, described: Mapping[str, Any]) -> gw.Tool:
    """A tool that is described to its provider alone."""
    tool = gw.Tool(vendor=ct.VendorPart(vendor=name))
    _fill(tool.vendor.value, described)
    return tool


def set_parameters(request: gw.GenerateRequest, body: dict[str, Any], names: Mapping[str, str]) -> None:
    """Takes out of the body what the contract has a parameter for. names: ours -> the provider's, of those that are written as they are."""
    for ours, theirs in names.items():
        value = body.get(theirs)
        if value is None:
            continue
        if ours == "stop":
            request.parameters.stop.extend([value] if isinstance(value, str) else value)
        else:
            setattr(request.parameters, ours, value)
        del body[theirs]


def set_extra(request: gw.GenerateRequest, body: Mapping[str, Any], known: Iterable[str]) -> None:
    """All that is left of the body goes as it is. known: fields that were read already, or that the gateway decides."""
    left = {name: value for name, value in body.items() if value is not None and name not in set(known)}
    if left:
        request.extra_json = json.dumps(left)


def _fill(struct: Any, value: Mapping[str, Any]) -> None:
    """As the gateway does with what a Struct cannot hold exactly."""
    whole = {"json": json.dumps(value)} if _is_deep(value) else value
    struct.update(whole)


def _is_deep(value: Any, depth: int = 0) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return depth > 14 or any(_is_deep(one, depth + 1) for one in inner)
