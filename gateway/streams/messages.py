"""Streams of Anthropic's messages API. Source: the anthropic package's types (RawMessageStreamEvent) and
https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.adapters.base import AnswerError, error_of, tool_call
from gateway.bodies import Json, read_json
from gateway.streams.assembler import CUT, Event, json_of, reasoning_piece, text_piece
from genlevel.v1 import content_pb2 as ct


class MessagesAssembler:
    """Events of one message. It is whole once ``message_stop`` has come."""

    def __init__(self) -> None:
        self._message: Json | None = None
        self._blocks: dict[int, _Block] = {}
        self._done = False

    def feed(self, event: Event) -> Sequence[ct.Part]:
        """Pieces of text and thinking, and tool calls when they are whole. Kinds of events that are not known yet say nothing."""
        if self._done:
            return ()
        found = json_of(event)
        match found.get("type") or event.name:
            case "content_block_delta":
                return self._block(found).add(_object(found.get("delta")))
            case "content_block_start":
                index = _index(found)
                self._blocks[index] = block = _Block(_object(found.get("content_block")))
                return block.begin()
            case "content_block_stop":
                return self._block(found).end()
            case "message_start":
                self._message = _object(found.get("message"))
            case "message_delta":
                message = self._begun()
                message.update({name: value for name, value in _object(found.get("delta")).items() if value is not None})
                usage = {name: value for name, value in _object(found.get("usage")).items() if value is not None}
                message["usage"] = {**_object(message.get("usage")), **usage}  # totals until now
                message.update({name: value for name, value in found.items() if name not in ("type", "delta", "usage")})
            case "message_stop":
                self._begun()
                self._done = True
            case "error":
                raise AnswerError(error_of(200, found, {}))
            case _ if found.get("error"):
                raise AnswerError(error_of(200, found, {}))
        return ()

    def body(self) -> Json:
        """The message with its blocks of content."""
        if not self._done or self._message is None:
            raise ValueError(CUT)
        return {**self._message, "content": [self._blocks[index].body() for index in sorted(self._blocks)]}

    def _begun(self) -> Json:
        if self._message is None:
            raise ValueError("a stream of events that does not begin with message_start")
        return self._message

    def _block(self, found: Json) -> _Block:
        block = self._blocks.get(_index(found))
        if block is None:
            raise ValueError("an event of a block of content that has not begun")
        return block


class _Block:
    """A block of content as far as it has come."""

    def __init__(self, block: Json) -> None:
        self._block = block
        self._pieces: dict[str, list[str]] = {}
        self._json: list[str] = []

    def begin(self) -> Sequence[ct.Part]:
        """What the block has from its beginning: nothing, nearly always."""
        found: list[ct.Part] = []
        for name, piece in (("text", text_piece), ("thinking", reasoning_piece)):
            if isinstance(value := self._block.get(name), str) and self._block.get("type") == name:
                self._pieces[name] = [value]
                found += [piece(value)] if value else []
        return found

    def add(self, delta: Json) -> Sequence[ct.Part]:
        match delta.get("type"):
            case "text_delta":
                return [text_piece(text)] if (text := self._more(delta, "text")) else ()
            case "thinking_delta":
                return [reasoning_piece(text)] if (text := self._more(delta, "thinking")) else ()
            case "signature_delta":
                self._block["signature"] = delta.get("signature")
            case "input_json_delta":
                self._json.append(str(delta.get("partial_json") or ""))
            case "citations_delta":
                citations = self._block.get("citations")
                self._block["citations"] = [*(citations if isinstance(citations, list) else ()), delta.get("citation")]
            case "compaction_delta":  # types.beta.BetaCompactionContentBlockDelta
                self._block.update({name: value for name, value in delta.items() if name != "type" and value is not None})
        return ()

    def _more(self, delta: Json, name: str) -> str:
        piece = delta.get(name)
        if not isinstance(piece, str):
            raise ValueError(f"a delta of {name} without its text")
        self._pieces.setdefault(name, []).append(piece)
        return piece

    def end(self) -> Sequence[ct.Part]:
        if self._block.get("type") != "tool_use":
            return ()
        body = self.body()
        return [tool_call(body.get("id"), body.get("name"), body.get("input"))]

    def body(self) -> Json:
        block = {**self._block, **{name: "".join(pieces) for name, pieces in self._pieces.items()}}
        if written := "".join(self._json):
            found = read_json(written.encode())
            block["input"] = written if found is None else found  # cut off at the limit of tokens, it is no JSON
        return block


def _index(found: Json) -> int:
    index = found.get("index")
    if not isinstance(index, int):
        raise ValueError("an event of a block of content without its index")
    return index


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}
