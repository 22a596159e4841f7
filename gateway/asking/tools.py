"""The tools of a request: checked, and made ready to convert."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from gateway.adapters.base import Capabilities
from gateway.adapters.blocks import NO_CHOICE, Choice, Function, Vendor
from gateway.asking.own_servers import refuse_addresses
from gateway.bodies import Json
from gateway.faults import fault, unsupported
from gateway.structs import plain
from genlevel.v1 import gateway_pb2 as gw

MODES: dict[int, str] = {
    gw.ToolChoice.MODE_UNSPECIFIED: "",
    gw.ToolChoice.MODE_AUTO: "auto",
    gw.ToolChoice.MODE_NONE: "none",
    gw.ToolChoice.MODE_REQUIRED: "required",
    gw.ToolChoice.MODE_NAMED: "named",
}


def tools_of(request: gw.GenerateRequest, capabilities: Capabilities, taker: str) -> list[Function | Vendor]:
    """The tools, in order. taker: who takes them, for messages.

    Raises CallFailed: CALLER_FAULT for one that is wrong, UNSUPPORTED for one that cannot be sent; each with its path.
    """
    tools: list[Function | Vendor] = []
    names = set[str]()
    for number, tool in enumerate(request.tools):
        where = f"tools[{number}]"
        if tool.HasField("vendor"):
            if tool.vendor.vendor not in capabilities.vendors:
                raise unsupported(where, f"a tool of {tool.vendor.vendor or 'nobody'}'s own", taker)
            value = plain(tool.vendor.value)
            if not capabilities.fetches:
                refuse_addresses(value, where)
            tools.append(Vendor(value))
            continue
        if not capabilities.tools:
            raise unsupported(where, "tools", taker)
        if not tool.name:
            raise fault(where, f"{where} has no name")
        if tool.name in names:
            raise fault(where, f"{where}: there are two tools named {tool.name}")
        names.add(tool.name)
        strict = tool.strict if tool.HasField("strict") else None
        tools.append(Function(tool.name, tool.description, _schema(tool.parameters_json, where), strict))
    return tools


def choice_of(request: gw.GenerateRequest, tools: Sequence[Function | Vendor]) -> Choice:
    """Whether a tool has to be called. Raises CallFailed (CALLER_FAULT) for a choice that cannot be meant."""
    if not request.HasField("tool_choice"):
        return NO_CHOICE
    asked = request.tool_choice
    mode = MODES.get(asked.mode)
    if mode is None:
        raise fault("tool_choice", f"tool_choice.mode {asked.mode} is not known")
    if (mode == "named") != bool(asked.name):
        raise fault("tool_choice", "tool_choice: a name goes with MODE_NAMED, and MODE_NAMED with a name")
    if not tools and mode in ("required", "named"):
        raise fault("tool_choice", "tool_choice asks for a call, but there are no tools")
    return Choice(mode, asked.name, asked.parallel if asked.HasField("parallel") else None)


def _schema(written: str, where: str) -> Json | None:
    if not written:
        return None
    try:
        schema = orjson.loads(written)
    except orjson.JSONDecodeError:
        schema = None
    if not isinstance(schema, dict):
        raise fault(where, f"{where}.parameters_json is not a JSON schema of an object")
    return schema
