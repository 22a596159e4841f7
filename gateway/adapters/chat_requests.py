"""Messages and tools as OpenAI's chat completions take them, and as other servers that speak the format do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.adapters.blocks import Ask, Audio, Block, Called, Document, Function, Image, Result, Thought, Turn, Vendor, Video
from gateway.bodies import Json

# Names of sounds' formats: openai.types.chat.chat_completion_content_part_input_audio_param; beyond wav and mp3, OpenRouter's.
_SOUNDS = {
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/flac": "flac",
    "audio/ogg": "ogg",
    "audio/mp4": "m4a",
    "audio/aac": "aac",
}
FILE_NAME = "document.pdf"
"""OpenAI wants a file to have a name."""
OLDER_CALL = "function_call"
"""The form of calls before there were tools: without an id, one to a message."""
# Of a text of an earlier answer: they stand beside its message's content.
_BESIDE_CONTENT = frozenset({"annotations"})


@dataclass(frozen=True, slots=True)
class Form:
    """What servers write differently. thought: the field of a message that has earlier reasoning; "" = a block of the kind "thinking".
    document: the kind of block that has a document: "file", "document_url" (Mistral) or "file_url" (Perplexity).
    """

    thought: str = "reasoning_content"
    document: str = "file"


def messages_of(turns: Sequence[Turn], form: Form) -> list[Json]:
    """The messages. One text alone is sent as a string. A result of a tool is a message of its own."""
    messages: list[Json] = []
    for turn in turns:
        blocks = turn.blocks
        if len(blocks) == 1 and isinstance(blocks[0], str) and not turn.fields:
            messages.append({"role": turn.role, "content": blocks[0]})
        else:
            messages += _messages(turn, form)
    return messages


def put_tools(body: Json, ask: Ask) -> None:
    """Writes the tools into a body, and whether one has to be called."""
    if ask.tools:
        body["tools"] = [_tool(tool) for tool in ask.tools]
    choice = ask.choice
    if choice.mode:
        named = choice.mode == "named"
        body["tool_choice"] = {"type": "function", "function": {"name": choice.name}} if named else choice.mode
    if choice.parallel is not None:
        body["parallel_tool_calls"] = choice.parallel


def _tool(tool: Function | Vendor) -> Json:
    if isinstance(tool, Vendor):
        return tool.value
    described: Json = {"name": tool.name}
    if tool.description:
        described["description"] = tool.description
    if tool.parameters is not None:
        described["parameters"] = tool.parameters
    if tool.strict is not None:
        described["strict"] = tool.strict
    return {"type": "function", "function": described}


def _messages(turn: Turn, form: Form) -> list[Json]:
    """The messages of one turn: its results, in order, and what stands between them."""
    messages: list[Json] = []
    message = _Message(turn.role, form)
    for number, block in enumerate(turn.blocks):
        fields = turn.fields.get(number, {})
        if isinstance(block, Result):
            messages += [*message.written(), _result(block, fields, form)]
            message = _Message(turn.role, form)
        else:
            message.add(block, fields)
    return [*messages, *message.written()]


class _Message:
    """One message, as far as its blocks were added."""

    def __init__(self, role: str, form: Form) -> None:
        self._role = role
        self._form = form
        self._content: list[Json] = []
        self._calls: list[Json] = []
        self._fields: Json = {}
        self._is_empty = True

    def add(self, block: Block, fields: Mapping[str, object]) -> None:
        """Adds a block. fields: what goes beside it."""
        self._is_empty = False
        match block:
            case Called() if "custom" in fields:  # of a tool that takes any text
                self._calls.append({"id": block.id, **fields})
            case Called():
                function: Json = {"name": block.name, "arguments": block.arguments_json}
                if fields.get("type") == OLDER_CALL:
                    self._fields[OLDER_CALL] = function
                else:
                    self._calls.append({"id": block.id, "type": "function", "function": function, **fields})
            case Thought() if self._form.thought:
                if block.text:
                    before = self._fields.get(self._form.thought)
                    self._fields[self._form.thought] = f"{before}\n{block.text}" if before else block.text
                self._fields |= fields
            case Vendor() if "type" not in block.value:  # of the message; what is of an answer as a whole is not sent back
                own = block.value.get("message")
                self._fields |= own if isinstance(own, dict) else {}
            case Audio() if self._role == "assistant":  # that the model has spoken; its server remembers it for a while
                self._fields |= fields or {"audio": {"data": block.base64}}
            case Image() if self._role == "assistant":  # that it has drawn
                drawn = self._fields.setdefault("images", [])
                assert isinstance(drawn, list)
                drawn.append({**_block(block, self._form), **fields})
            case str() if self._role == "assistant" and fields.keys() & _BESIDE_CONTENT:
                self._fields |= {name: value for name, value in fields.items() if name in _BESIDE_CONTENT}
                self.add(block, {name: value for name, value in fields.items() if name not in _BESIDE_CONTENT})
            case _:
                self._content.append({**_block(block, self._form), **fields})

    def written(self) -> list[Json]:
        """The message; none if nothing was added."""
        if self._is_empty:
            return []
        content: object = self._content or None
        if len(self._content) == 1 and self._content[0].keys() == {"type", "text"} and self._content[0]["type"] == "text":
            content = self._content[0]["text"]
        message: Json = {"role": self._role, "content": content}
        if self._calls:
            message["tool_calls"] = self._calls
        return [message | self._fields]


def _result(result: Result, fields: Mapping[str, object], form: Form) -> Json:
    content: object = result.text
    if result.media:
        texts = [{"type": "text", "text": result.text}] if result.text else []
        content = [*texts, *(_block(block, form) for block in result.media)]
    if not result.call_id and result.name:
        return {"role": "function", "name": result.name, "content": content, **fields}
    return {"role": "tool", "tool_call_id": result.call_id, "content": content, **fields}


def _block(block: Block, form: Form) -> Json:
    match block:
        case str():
            return {"type": "text", "text": block}
        case Image():
            url: Json = {"url": block.url}
            if block.detail:
                url["detail"] = block.detail
            return {"type": "image_url", "image_url": url}
        case Audio():
            return {
                "type": "input_audio",
                "input_audio": {"data": block.uri or block.base64, "format": _SOUNDS.get(block.mime_type, "wav")},
            }
        case Video():
            return {"type": "video_url", "video_url": {"url": block.url}}
        case Document() if form.document == "document_url":
            named = {"document_name": block.name} if block.name else {}
            return {"type": "document_url", "document_url": block.url, **named}
        case Document() if form.document == "file_url":
            named = {"file_name": block.name} if block.name else {}
            return {"type": "file_url", "file_url": {"url": block.uri or block.base64}, **named}
        case Document():
            return {"type": "file", "file": {"filename": block.name or FILE_NAME, "file_data": block.url}}
        case Thought():
            return {"type": "thinking", "thinking": [{"type": "text", "text": block.text}]}
        case Vendor():
            return block.value
        case _:
            raise TypeError(f"{type(block).__name__} is no block of a message")
