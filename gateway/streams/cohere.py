"""Streams of Cohere's chat API. Source: the cohere package's V2ChatStreamResponse."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.adapters.base import AnswerError, error_of, tool_call
from gateway.bodies import Json
from gateway.streams.assembler import CUT, Event, json_of, reasoning_piece, text_piece
from genlevel.v1 import content_pb2 as ct

DONE = b"[DONE]"


class CohereAssembler:
    """Events of one message. It is whole once ``message-end`` has come."""

    def __init__(self) -> None:
        self._top: Json = {}
        self._message: Json = {"role": "assistant"}
        self._blocks: dict[int, Json] = {}
        self._texts: dict[int, list[str]] = {}
        self._plan: list[str] = []
        self._calls: dict[int, _Call] = {}
        self._citations: list[object] = []
        self._logprobs: list[object] = []
        self._end: Json | None = None

    def feed(self, event: Event) -> Sequence[ct.Part]:
        """Pieces of text and thinking, and tool calls when they are whole."""
        if self._end is not None or event.data.strip() == DONE:
            return ()
        said = json_of(event)
        index = said.get("index")
        number = index if isinstance(index, int) else 0
        delta = _object(said.get("delta"))
        message = _object(delta.get("message"))
        if isinstance(logprobs := said.get("logprobs"), dict):
            self._logprobs.append(logprobs)
        match said.get("type") or event.name:
            case "message-start":
                self._top = {"id": said.get("id")}
                self._message |= {name: value for name, value in message.items() if value}
            case "content-start" | "content-delta":
                return self._write(number, _object(message.get("content")))
            case "tool-plan-delta" if isinstance(plan := message.get("tool_plan"), str):
                self._plan.append(plan)
            case "tool-call-start":
                self._calls[number] = _Call(_object(message.get("tool_calls")))
            case "tool-call-delta":
                self._call(number).add(_object(message.get("tool_calls")))
            case "tool-call-end":
                call = self._call(number)
                return [tool_call(call.entry.get("id"), call.name, "".join(call.arguments))]
            case "citation-start":
                self._citations.append(message.get("citations"))
            case "message-end":
                self._end = delta
            case None | "":
                raise AnswerError(error_of(200, said, {}))
        return ()

    def body(self) -> Json:
        """A V2ChatResponse."""
        if self._end is None:
            raise ValueError(CUT)
        message = self._message
        if self._blocks:
            message["content"] = [self._block(number) for number in sorted(self._blocks)]
        if self._plan:
            message["tool_plan"] = "".join(self._plan)
        if self._calls:
            message["tool_calls"] = [self._calls[number].body() for number in sorted(self._calls)]
        if self._citations:
            message["citations"] = self._citations
        body = {**self._top, "message": message, **self._end}
        return {**body, "logprobs": self._logprobs} if self._logprobs else body

    def _write(self, number: int, content: Json) -> Sequence[ct.Part]:
        block = self._blocks.setdefault(number, {})
        for name, value in content.items():
            if name not in ("text", "thinking") or not isinstance(value, str):
                block[name] = value
                continue
            block.setdefault("type", name)
            self._texts.setdefault(number, []).append(value)
            if value:
                return [text_piece(value) if name == "text" else reasoning_piece(value)]
        return ()

    def _block(self, number: int) -> Json:
        block = self._blocks[number]
        kind = block.get("type")
        return {**block, kind: "".join(self._texts.get(number, ()))} if isinstance(kind, str) else block

    def _call(self, number: int) -> _Call:
        if number not in self._calls:
            raise ValueError("the stream has a piece of a tool call that has not begun")
        return self._calls[number]


class CohereOlderAssembler:
    """Version 1 of the API: an object a line, the last of which has the whole answer. Source: the cohere package's StreamedChatResponse."""

    def __init__(self) -> None:
        self._whole: Json | None = None

    def feed(self, event: Event) -> Sequence[ct.Part]:
        """Pieces of text, and tool calls, which come whole. Raises AnswerError for an error."""
        if self._whole is not None:
            return ()
        said = json_of(event)
        match said.get("event_type"):
            case "text-generation" if isinstance(text := said.get("text"), str) and text:
                return [text_piece(text)]
            case "tool-calls-generation" if isinstance(calls := said.get("tool_calls"), list):
                return [tool_call("", call["name"], call.get("parameters")) for call in calls]
            case "stream-end":
                self._whole = {"finish_reason": said.get("finish_reason"), **_object(said.get("response"))}
            case None:
                raise AnswerError(error_of(200, said, {}))
        return ()

    def body(self) -> Json:
        """A NonStreamedChatResponse."""
        if self._whole is None:
            raise ValueError(CUT)
        return self._whole


class _Call:
    """One tool call, as far as it has come."""

    def __init__(self, entry: Json) -> None:
        self.entry = entry
        function = _object(entry.get("function"))
        self.name = function.get("name")
        self.arguments: list[str] = []
        self.add(entry)

    def add(self, entry: Json) -> None:
        arguments = _object(entry.get("function")).get("arguments")
        if isinstance(arguments, str):
            self.arguments.append(arguments)

    def body(self) -> Json:
        return {**self.entry, "function": {"name": self.name, "arguments": "".join(self.arguments)}}


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}
