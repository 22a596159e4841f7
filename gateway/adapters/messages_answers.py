"""What a message of Anthropic's API says. Source: the anthropic package's types (Message, BetaMessage)."""

from __future__ import annotations

from gateway.adapters.base import add_fields, tool_call, vendor_part
from gateway.adapters.beside import beside, counts_something, says_something
from gateway.bodies import Json
from genlevel.v1 import content_pb2 as ct

VENDOR = "anthropic"

_TOP = frozenset({"content", "id", "model", "role", "stop_details", "stop_reason", "type", "usage", "context_management"})
_TEXT = frozenset({"type", "text"})
_THINKING = frozenset({"type", "thinking"})
_CALL = frozenset({"type", "id", "name", "input"})
_DIRECT = {"type": "direct"}
"""Who called a tool: the model itself, as ever."""
_USUAL_TIERS = frozenset({"standard", "default"})


def parts_of(blocks: list[object]) -> list[ct.Part]:
    """The parts of a message's content. Raises ValueError for a block that is none."""
    return [part for block in blocks for part in _parts(block)]


def left_of(body: Json) -> Json:
    """What a message says beyond what the contract has a place for; mostly nothing."""
    left = beside(body, _TOP)
    managed = body.get("context_management")
    if isinstance(managed, dict) and managed.get("applied_edits"):
        left["context_management"] = managed
    usage = body.get("usage")
    if isinstance(usage, dict) and (more := _left_of_usage(usage)):
        left["usage"] = more
    return left


def is_whole(usage: Json) -> bool:
    """Whether the counts on top are of all that is billed.

    A compaction, or an advisor that was asked, has tokens of its own: https://platform.claude.com/docs/en/build-with-claude/compaction
    """
    iterations = usage.get("iterations")
    return not isinstance(iterations, list) or all(isinstance(one, dict) and one.get("type") == "message" for one in iterations)


def _left_of_usage(usage: Json) -> Json:
    left: Json = {}
    if counts_something(tools := usage.get("server_tool_use")):
        left["server_tool_use"] = tools
    if not is_whole(usage):
        left["iterations"] = usage["iterations"]
    for name in ("service_tier", "speed"):
        if (value := usage.get(name)) and value not in _USUAL_TIERS:
            left[name] = value
    return left


def _parts(block: object) -> list[ct.Part]:
    if not isinstance(block, dict):
        raise ValueError("content has a block that is not an object")
    match block.get("type"):
        case "text":
            part, left = ct.Part(text=block["text"]), beside(block, _TEXT)
        case "thinking":
            part, left = ct.Part(reasoning=ct.Reasoning(text=block["thinking"])), beside(block, _THINKING)
        case "tool_use":
            part, left = tool_call(block.get("id"), block.get("name"), block.get("input")), beside(block, _CALL)
            if left.get("caller") == _DIRECT:
                del left["caller"]
            return [add_fields(part, left) if left else part]
        case _:
            return [vendor_part(VENDOR, block)]
    if says_something(left):
        return [add_fields(part, left)]
    return [part] if part.text or part.reasoning.text else []
