"""Requests of Cohere's chat API: messages, documents beside them, and tools."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.adapters.base import Capabilities, response_schema
from gateway.adapters.blocks import Ask, Block, Called, Choice, Document, Function, Image, Result, Thought, Turn, Vendor
from gateway.adapters.openai_chat import put_parameters
from gateway.bodies import Json
from genlevel.runtime.errors import CallFailed, ErrorClass

VENDOR = "cohere"
# A document is a text with a title: https://docs.cohere.com/docs/retrieval-augmented-generation-rag
DOCUMENT_TYPES = frozenset({"text/plain", "text/markdown", "text/csv", "text/html"})
# Fields of an assistant's message that come back from an answer.
_ECHOED = frozenset({"tool_plan", "citations"})
_NO_ARGUMENTS: Json = {"type": "object", "properties": {}}


def chat_body(model: str, ask: Ask, capabilities: Capabilities) -> Json:
    """The body of a request, without fields that say nothing. Raises CallFailed for what the API has no form for."""
    documents: list[Json] = []
    messages = [message for turn in ask.turns for message in _messages(turn, documents)]
    body: Json = {"model": model, "messages": messages}
    put_parameters(body, ask.parameters, capabilities)
    if documents:
        body["documents"] = documents
    if ask.parameters.HasField("reasoning_tokens"):
        tokens = ask.parameters.reasoning_tokens
        body["thinking"] = {"type": "enabled", "token_budget": tokens} if tokens else {"type": "disabled"}
    if ask.parameters.HasField("logprobs"):
        if ask.parameters.logprobs:
            raise _fault("cohere gives no alternatives of tokens; set logprobs to 0", "parameters.logprobs")
        body["logprobs"] = True
    if (schema := response_schema(ask.parameters)) is not None:
        body["response_format"] = {"type": "json_object", "json_schema": schema}
    if ask.tools:
        body["tools"] = [_tool(tool) for tool in ask.tools]
        if _strict(ask.tools):
            body["strict_tools"] = True
    if (choice := _choice(ask.choice)) is not None:
        body["tool_choice"] = choice
    return body


def _messages(turn: Turn, documents: list[Json]) -> list[Json]:
    """The messages of one turn: what each tool gave back is one of its own, and goes before what the user says beside it."""
    content: list[Json] = []
    calls: list[Json] = []
    results: list[Json] = []
    beside: Json = {}
    for number, block in enumerate(turn.blocks):
        fields = turn.fields.get(number, {})
        match block:
            case Called():
                function = {"name": block.name, "arguments": block.arguments_json or "{}"}
                calls.append({"id": block.id, "type": "function", "function": function, **fields})
            case Result():
                results.append({"role": "tool", "tool_call_id": block.call_id, "content": block.text, **fields})
            case Document():
                documents.append(_document(block, fields))
            case Vendor() if "type" not in block.value:
                beside |= {name: value for name, value in block.value.items() if name in _ECHOED}
            case _:
                if isinstance(block, str) and "citations" in fields:  # of the message, which says of which block
                    beside["citations"] = [*_entries(beside), *_entries(fields)]
                    fields = {name: value for name, value in fields.items() if name != "citations"}
                content.append(_block(block, fields))
    message: Json = {"role": turn.role, **beside}
    if content:
        message["content"] = content[0]["text"] if len(content) == 1 and content[0].keys() == {"type", "text"} else content
    if calls:
        message["tool_calls"] = calls
    return [*results, message] if len(message) > 1 else results


def _block(block: Block, fields: Json) -> Json:
    match block:
        case Image():
            url: Json = {"url": block.url}
            if block.detail:
                url["detail"] = block.detail
            return {"type": "image_url", "image_url": url, **fields}
        case Thought():
            return {"type": "thinking", "thinking": block.text, **fields}
        case Vendor():
            return block.value
        case _:
            return {"type": "text", "text": block, **fields}


def _document(document: Document, fields: Json) -> Json:
    data: Json = {"title": document.name} if document.name else {}
    return {"data": {**data, "text": document.text}, **fields}


def _entries(container: Json) -> Sequence[object]:
    value = container.get("citations")
    return value if isinstance(value, list) else ()


def _tool(tool: Function | Vendor) -> Json:
    if isinstance(tool, Vendor):
        return tool.value
    function: Json = {"name": tool.name, "parameters": _NO_ARGUMENTS if tool.parameters is None else tool.parameters}
    if tool.description:
        function["description"] = tool.description
    return {"type": "function", "function": function}


def _strict(tools: Sequence[Function | Vendor]) -> bool:
    """Whether arguments are held to their schemas: of all tools, or of none."""
    said = {bool(tool.strict) for tool in tools if isinstance(tool, Function)}
    if len(said) > 1:
        raise _fault("cohere holds all tools to their schemas, or none; set strict of all alike", "tools")
    return said == {True}


def _choice(choice: Choice) -> str | None:
    if choice.parallel is False:
        raise _fault("cohere cannot be told to call one tool at a time; leave parallel out", "tool_choice.parallel")
    match choice.mode:
        case "required":
            return "REQUIRED"
        case "none":
            return "NONE"
        case "named":
            raise _fault("cohere can be told to call a tool, but not which; give it that one alone, and MODE_REQUIRED", "tool_choice.name")
        case _:
            return None


def _fault(message: str, part: str) -> CallFailed:
    return CallFailed(ErrorClass.CALLER_FAULT, message, part=part)
