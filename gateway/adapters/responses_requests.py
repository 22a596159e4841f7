"""Items and tools as OpenAI's responses API takes them. Source: the openai package's types.responses (ResponseInputParam, ToolParam)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.adapters.blocks import Ask, Block, Called, Document, Function, Image, Result, Thought, Turn, Vendor
from gateway.bodies import Json

CUSTOM_CALL = "custom_tool_call"


def items_of(turns: Sequence[Turn]) -> list[Json]:
    """The items of an input: a message for texts and media, and one each for calls, their results, reasoning and what is the vendor's."""
    items: list[Json] = []
    for turn in turns:
        blocks = turn.blocks
        if len(blocks) == 1 and isinstance(blocks[0], str) and not turn.fields:
            items.append({"role": turn.role, "content": [{"type": _text_type(turn.role), "text": blocks[0]}]})
        else:
            items += _items(turn)
    return items


def put_tools(body: Json, ask: Ask) -> None:
    """Writes the tools into a body, and whether one has to be called."""
    if ask.tools:
        body["tools"] = [_tool(tool) for tool in ask.tools]
    choice = ask.choice
    if choice.mode:
        body["tool_choice"] = _named(choice.name, ask.tools) if choice.mode == "named" else choice.mode
    if choice.parallel is not None:
        body["parallel_tool_calls"] = choice.parallel


def _named(name: str, tools: Sequence[Function | Vendor]) -> Json:
    """A function, or a tool of the provider's own by its type."""
    own = any(isinstance(tool, Vendor) and tool.value.get("type") == name for tool in tools)
    return {"type": name} if own else {"type": "function", "name": name}


def _tool(tool: Function | Vendor) -> Json:
    if isinstance(tool, Vendor):
        return tool.value
    described: Json = {"type": "function", "name": tool.name, "parameters": tool.parameters}
    if tool.description:
        described["description"] = tool.description
    if tool.strict is not None:
        described["strict"] = tool.strict
    return described


def _items(turn: Turn) -> list[Json]:
    items: list[Json] = []
    content: list[Json] = []
    beside: Json = {}  # of the message that the content makes

    def end() -> None:
        nonlocal content, beside
        if content:
            items.append({**({"type": "message"} if beside else {}), "role": turn.role, "content": content, **beside})
        content, beside = [], {}

    for number, block in enumerate(turn.blocks):
        fields = dict(turn.fields.get(number, {}))
        of_message = fields.pop("message", {})
        item = _item(block, fields, turn.role)
        if item is None:
            if content and of_message != beside:
                end()
            beside = of_message if isinstance(of_message, dict) else {}
            content.append({**_content(block, turn.role), **fields})
        elif item:
            end()
            items.append(item)
    end()
    return items


def _item(block: Block, fields: Json, role: str) -> Json | None:
    """What is an item of its own; None for what is in a message, {} for what is not sent back."""
    match block:
        case Called() if fields.get("type") == CUSTOM_CALL:
            return {"call_id": block.id, "name": block.name, "input": block.arguments_json, **fields}
        case Called():
            return {"type": "function_call", "call_id": block.id, "name": block.name, "arguments": block.arguments_json, **fields}
        case Result():
            return {"type": "function_call_output", "call_id": block.call_id, "output": _output(block), **fields}
        case Thought():
            summary = [{"type": "summary_text", "text": block.text}] if block.text and "content" not in fields else []
            return {"type": "reasoning", "summary": summary, **fields}
        case Image() if role == "assistant":  # that the model has drawn
            return {"type": "image_generation_call", "result": block.base64, "status": "completed", **fields}
        case Vendor():
            kind = block.value.get("type")
            if not isinstance(kind, str):
                return {}  # of an answer as a whole
            return None if kind.startswith(("input_", "output_")) or kind == "refusal" else {**block.value, **fields}
        case _:
            return None


def _output(result: Result) -> str | list[Json]:
    if not result.media:
        return result.text
    texts: list[Json] = [{"type": "input_text", "text": result.text}] if result.text else []
    return [*texts, *(_content(block, "user") for block in result.media)]


def _content(block: Block, role: str) -> Json:
    match block:
        case str():
            return {"type": _text_type(role), "text": block}
        case Image():
            return {"type": "input_image", "image_url": block.url, "detail": block.detail or "auto"}
        case Document():
            where = {"file_url": block.uri} if block.uri else {"file_data": block.url}
            named = {"filename": block.name or ("" if block.uri else "document.pdf")}
            return {"type": "input_file", **where, **{name: value for name, value in named.items() if value}}
        case Vendor():
            return block.value
        case _:
            raise TypeError(f"{type(block).__name__} is no block of a message")


def _text_type(role: str) -> str:
    return "output_text" if role == "assistant" else "input_text"


def message_fields(item: Mapping[str, object]) -> Json:
    """What a message of an answer says beside its content, and wants back: its phase."""
    return {"phase": item["phase"]} if item.get("phase") else {}
