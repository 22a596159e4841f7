"""Requests of Amazon Bedrock's Converse API: messages, tools, and the fields that each vendor's models have beyond it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import orjson

from gateway.adapters.base import Capabilities, response_schema
from gateway.adapters.blocks import Ask, Audio, Block, Called, Choice, Document, Function, Image, Result, Thought, Turn, Vendor, Video
from gateway.adapters.messages_requests import put_thinking
from gateway.adapters.openai_chat import SCHEMA_NAME, put_parameters
from gateway.bodies import Json
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.v1 import gateway_pb2 as gw

VENDOR = "bedrock"
# ImageFormat, DocumentFormat, VideoFormat and AudioFormat of botocore's model, by MIME type
IMAGE_FORMATS = {"image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
DOCUMENT_FORMATS = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
}
VIDEO_FORMATS = {
    "video/x-matroska": "mkv",
    "video/quicktime": "mov",
    "video/mp4": "mp4",
    "video/webm": "webm",
    "video/x-flv": "flv",
    "video/mpeg": "mpeg",
    "video/x-ms-wmv": "wmv",
    "video/3gpp": "three_gp",
}
AUDIO_FORMATS = {
    "audio/mpeg": "mp3",
    "audio/opus": "opus",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/aac": "aac",
    "audio/flac": "flac",
    "audio/mp4": "mp4",
    "audio/ogg": "ogg",
    "audio/x-matroska": "mka",
    "audio/webm": "webm",
}
_NO_ARGUMENTS: Json = {"type": "object", "properties": {}}
# The name of a document: letters, digits, single spaces, hyphens, parentheses, square brackets (DocumentBlock); 200 at most.
_UNNAMEABLE = re.compile(r"[^A-Za-z0-9\s()\[\]-]+")
_SPACES = re.compile(r"\s+")


def converse_body(model: str, ask: Ask, capabilities: Capabilities) -> Json:
    """The body of a request, without fields that say nothing. Raises CallFailed for what it cannot say to this model."""
    leading = next((number for number, turn in enumerate(ask.turns) if turn.role != "system"), len(ask.turns))
    names = _Names()
    body: Json = {"messages": _messages(ask.turns[leading:], names)}
    if leading:
        body["system"] = [block for turn in ask.turns[:leading] for block in _content(turn, names)]
    inference: Json = {}
    put_parameters(inference, ask.parameters, capabilities)
    if inference:
        body["inferenceConfig"] = inference
    if (tools := _tools(ask)) is not None:
        body["toolConfig"] = tools
    if (schema := response_schema(ask.parameters)) is not None:
        written = {"name": SCHEMA_NAME, "schema": orjson.dumps(schema).decode()}
        body["outputConfig"] = {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": written}}}
    if further := _further(model, ask.parameters):
        body["additionalModelRequestFields"] = further
    return body


def vendor_of(model: str) -> str:
    """Whose model it is by its id, inference profile or ARN; "" if that does not say.

    >>> [vendor_of(name) for name in ("us.amazon.nova-lite-v1:0", "openai.gpt-oss-120b-1:0", "arn:aws:bedrock:x:1:profile/eu.meta.l4")]
    ['amazon', 'openai', 'meta']
    """
    name = model.rpartition("/")[2]
    words = name.split(".")[:-1]
    return words[-1] if words else ""


class _Names:
    """Names of the documents of one request, of which no two are the same."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def of(self, document: Document) -> str:
        """The document's name as far as it may be one, else the next number."""
        plain = _SPACES.sub(" ", _UNNAMEABLE.sub(" ", document.name)).strip()[:190]
        number = 0
        while True:
            number += 1
            name = f"{plain} {number}" if plain and number > 1 else plain or f"Document {number}"
            if name not in self._taken:
                self._taken.add(name)
                return name


def _messages(turns: Sequence[Turn], names: _Names) -> list[Json]:
    """Results of tools are the user's, and all of them have to be in the one message that follows the calls."""
    messages: list[Json] = []
    open_ended = False  # the last message has results of tools: what the user says next belongs to it
    for turn in turns:
        content = _content(turn, names)
        if open_ended and turn.role in ("tool", "user"):
            blocks = messages[-1]["content"]
            assert isinstance(blocks, list)
            blocks += content
        else:
            messages.append({"role": "user" if turn.role == "tool" else turn.role, "content": content})
        open_ended = turn.role == "tool"
    return messages


def _content(turn: Turn, names: _Names) -> list[Json]:
    if not turn.fields:
        return [_block(block, {}, names) for block in turn.blocks]
    content: list[Json] = []
    for number, block in enumerate(turn.blocks):
        fields = dict(turn.fields.get(number, {}))
        cached = fields.pop("cachePoint", None)  # a block of its own here, which says what is before it
        content.append(_block(block, fields, names))
        if cached is not None:
            content.append({"cachePoint": cached})
    return content


def _block(block: Block, fields: Json, names: _Names) -> Json:
    """One block. fields: what goes into it beside what we know."""
    match block:
        case str():
            if "citations" in fields:
                return {"citationsContent": {"content": [{"text": block}], **fields}}
            return {"text": block, **fields}
        case Called():
            return {"toolUse": {"toolUseId": block.id, "name": block.name, "input": block.arguments, **fields}}
        case Result():
            return {"toolResult": {**_result(block, names), **fields}}
        case Thought():
            return {"reasoningContent": {"reasoningText": {"text": block.text, **fields}}}
        case Vendor():
            return {**block.value, **fields}
        case _:
            return _media(block, fields, names)


def _media(block: Image | Audio | Video | Document, fields: Json, names: _Names) -> Json:
    source = {"s3Location": {"uri": block.uri}} if block.uri else {"bytes": block.base64}
    match block:
        case Image():
            return {"image": {"format": _format(block, IMAGE_FORMATS), "source": source, **fields}}
        case Audio():
            return {"audio": {"format": _format(block, AUDIO_FORMATS), "source": source, **fields}}
        case Video():
            return {"video": {"format": _format(block, VIDEO_FORMATS), "source": source, **fields}}
        case Document():
            kind = _format(block, DOCUMENT_FORMATS)
            return {"document": {"format": kind, "name": names.of(block), "source": source, **fields}}


def _format(block: Image | Audio | Video | Document, formats: dict[str, str]) -> str:
    """The name of its format: by its MIME type, which was checked before unless it is in S3; else as its address ends."""
    found = formats.get(block.mime_type) or block.uri.rpartition(".")[2].lower()
    if found not in formats.values():
        taken = ", ".join(sorted(set(formats.values())))
        raise CallFailed(ErrorClass.UNSUPPORTED, f"{block.uri}: give its MIME type; bedrock takes {taken}", part="messages")
    return found


def _result(result: Result, names: _Names) -> Json:
    content: list[Json] = [{"text": result.text}] if result.text or not result.media else []
    content += [_media(block, {}, names) for block in result.media]
    return {"toolUseId": result.call_id, "content": content, "status": "error" if result.is_error else "success"}


def _tools(ask: Ask) -> Json | None:
    choice = ask.choice
    if choice.parallel is False:
        raise _fault("bedrock cannot be told to call one tool at a time; leave parallel out", "tool_choice.parallel")
    if not ask.tools:
        return None
    if choice.mode == "none":
        if any(isinstance(block, (Called, Result)) for turn in ask.turns for block in turn.blocks):
            raise _fault("bedrock has no tool_choice none for messages with calls of tools; leave it out", "tool_choice")
        return None  # it knows of no tool, so it calls none
    config: Json = {"tools": [_tool(tool) for tool in ask.tools]}
    if (chosen := _choice(choice)) is not None:
        config["toolChoice"] = chosen
    return config


def _tool(tool: Function | Vendor) -> Json:
    if isinstance(tool, Vendor):
        return tool.value
    spec: Json = {"name": tool.name, "inputSchema": {"json": _NO_ARGUMENTS if tool.parameters is None else tool.parameters}}
    if tool.description:
        spec["description"] = tool.description
    if tool.strict is not None:
        spec["strict"] = tool.strict
    return {"toolSpec": spec}


def _choice(choice: Choice) -> Json | None:
    match choice.mode:
        case "auto":
            return {"auto": {}}
        case "required":
            return {"any": {}}
        case "named":
            return {"tool": {"name": choice.name}}
        case _:
            return None


def _further(model: str, parameters: gw.GenerationParameters) -> Json:
    """Parameters that Converse leaves to each vendor's own names. Raises CallFailed for those whose name is not known."""
    vendor = vendor_of(model)
    further: Json = {}
    if parameters.HasField("top_k"):
        if (written := _top_k(vendor, parameters.top_k)) is None:
            raise _unknown(model, "top_k")
        further |= written
    if vendor == "anthropic":  # https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-adaptive-thinking.html
        put_thinking(further, parameters)
        return further
    if parameters.HasField("reasoning_tokens"):
        raise _unknown(model, "reasoning_tokens")
    if parameters.reasoning_effort:
        if (written := _effort(vendor, parameters.reasoning_effort)) is None:
            raise _unknown(model, "reasoning_effort")
        further |= written
    return further


def _top_k(vendor: str, top_k: int) -> Json | None:
    match vendor:
        case "anthropic" | "mistral":
            return {"top_k": top_k}
        case "amazon":  # https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html
            return {"inferenceConfig": {"topK": top_k}}
        case "cohere":
            return {"k": top_k}
        case _:
            return None


def _effort(vendor: str, effort: str) -> Json | None:
    match vendor:
        case "amazon":  # https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html
            return {"reasoningConfig": {"type": "disabled"} if effort == "none" else {"type": "enabled", "maxReasoningEffort": effort}}
        case "openai":  # https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-openai.html
            return {"reasoning_effort": effort}
        case "qwen":
            return {"reasoning_config": effort}
        case _:
            return None


def _unknown(model: str, name: str) -> CallFailed:
    said = f"bedrock has no {name} that {model} is known to take; leave it out, or write additionalModelRequestFields into extra_json"
    return _fault(said, f"parameters.{name}")


def _fault(message: str, part: str) -> CallFailed:
    return CallFailed(ErrorClass.CALLER_FAULT, message, part=part)
