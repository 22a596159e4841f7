"""Messages and tools as Anthropic's messages API takes them. Source: the anthropic package's types (MessageParam, ToolParam)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.adapters.blocks import Ask, Block, Called, Document, Function, Image, Result, Thought, Turn, Vendor
from gateway.bodies import Json
from genlevel.v1 import gateway_pb2 as gw

_MODES = {"auto": "auto", "none": "none", "required": "any", "named": "tool"}
_ROLES = {"tool": "user"}


def put_messages(body: Json, turns: Sequence[Turn]) -> None:
    """Writes the messages into a body: system messages before all others apart, later ones where they stand."""
    start = next((number for number, turn in enumerate(turns) if turn.role != "system"), len(turns))
    if start:
        first = turns[0]
        if start == 1 and len(first.blocks) == 1 and isinstance(first.blocks[0], str) and not first.fields:
            body["system"] = first.blocks[0]
        else:
            body["system"] = [block for turn in turns[:start] for block in _blocks(turn)]
    body["messages"] = [{"role": _ROLES.get(turn.role, turn.role), "content": _content(turn)} for turn in turns[start:]]


def put_tools(body: Json, ask: Ask) -> None:
    """Writes the tools into a body, and whether one has to be called."""
    if ask.tools:
        body["tools"] = [_tool(tool) for tool in ask.tools]
    choice = ask.choice
    if choice.mode or choice.parallel is not None:
        asked: Json = {"type": _MODES.get(choice.mode, "auto")}
        if choice.name:
            asked["name"] = choice.name
        if choice.parallel is not None and choice.mode != "none":
            asked["disable_parallel_tool_use"] = not choice.parallel
        body["tool_choice"] = asked


def put_thinking(body: Json, parameters: gw.GenerationParameters) -> None:
    """Writes how much the model is to think: by effort, as the newer models are asked, or by tokens, as those before are.

    Source: https://platform.claude.com/docs/en/build-with-claude/thinking
    """
    effort = parameters.reasoning_effort
    if parameters.HasField("reasoning_tokens") and parameters.reasoning_tokens:
        body["thinking"] = {"type": "enabled", "budget_tokens": parameters.reasoning_tokens}
    elif effort == "none" or parameters.HasField("reasoning_tokens"):
        body["thinking"] = {"type": "disabled"}
    elif effort:
        body["thinking"] = {"type": "adaptive"}
    if effort and effort != "none":
        body["output_config"] = {"effort": effort}


def _tool(tool: Function | Vendor) -> Json:
    if isinstance(tool, Vendor):
        return tool.value
    described: Json = {"name": tool.name, "input_schema": tool.parameters or {"type": "object"}}
    if tool.description:
        described["description"] = tool.description
    if tool.strict is not None:
        described["strict"] = tool.strict
    return described


def _content(turn: Turn) -> str | list[Json]:
    blocks = turn.blocks
    if len(blocks) == 1 and isinstance(blocks[0], str) and not turn.fields:
        return blocks[0]
    return _blocks(turn)


def _blocks(turn: Turn) -> list[Json]:
    """The blocks of a turn. What a vendor says of an answer as a whole is not sent back."""
    numbered = enumerate(turn.blocks)
    kept = [(number, block) for number, block in numbered if not isinstance(block, Vendor) or "type" in block.value]
    return [{**_block(block), **_fields(turn.fields, number)} for number, block in kept]


def _fields(fields: Mapping[int, Json], number: int) -> Json:
    return fields.get(number, {})


def _block(block: Block) -> Json:
    match block:
        case str():
            return {"type": "text", "text": block}
        case Image():
            return {"type": "image", "source": _source(block)}
        case Document():
            named = {"title": block.name} if block.name else {}
            return {"type": "document", "source": _source(block), **named}
        case Called():
            return {"type": "tool_use", "id": block.id, "name": block.name, "input": block.arguments}
        case Result():
            return _result(block)
        case Thought():
            return {"type": "thinking", "thinking": block.text, "signature": ""}
        case Vendor():
            return block.value
        case _:
            raise TypeError(f"{type(block).__name__} is no block of a message")


def _result(result: Result) -> Json:
    content: object = result.text
    if result.media:
        texts = [{"type": "text", "text": result.text}] if result.text else []
        content = [*texts, *(_block(block) for block in result.media)]
    failed = {"is_error": True} if result.is_error else {}
    return {"type": "tool_result", "tool_use_id": result.call_id, "content": content, **failed}


def _source(media: Image | Document) -> Json:
    if media.uri:
        return {"type": "url", "url": media.uri}
    if isinstance(media, Document) and media.text:
        return {"type": "text", "media_type": "text/plain", "data": media.text}
    return {"type": "base64", "media_type": media.mime_type, "data": media.base64}
