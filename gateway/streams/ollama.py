"""Streams of Ollama's own API: an object a line, the last of which says that it is done."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.adapters.base import AnswerError, error_of, tool_call
from gateway.bodies import Json
from gateway.streams.assembler import CUT, Event, json_of, reasoning_piece, text_piece
from genlevel.v1 import content_pb2 as ct


class OllamaAssembler:
    """Objects of one answer, of the chat API or of that of a prompt."""

    def __init__(self) -> None:
        self._top: Json = {}
        self._message: Json | None = None
        self._texts: dict[str, list[str]] = {}
        self._calls: list[object] = []
        self._logprobs: list[object] = []
        self._done = False

    def feed(self, event: Event) -> Sequence[ct.Part]:
        """Pieces of text and thinking, and tool calls, which come whole. Raises AnswerError for an error."""
        if self._done:
            return ()
        said = json_of(event)
        if said.get("error"):
            raise AnswerError(error_of(200, said, {}))
        self._done = said.get("done") is True
        if isinstance(logprobs := said.pop("logprobs", None), list):
            self._logprobs += logprobs
        message = said.pop("message", None)
        if isinstance(message, dict):
            self._message = {**(self._message or {}), **message}
        pieces = [piece for name, text in _texts(message, said) for piece in self._write(name, text)]
        self._top |= said
        calls = message.get("tool_calls") if isinstance(message, dict) else None
        for call in calls if isinstance(calls, list) else ():
            self._calls.append(call)
            function = call.get("function") if isinstance(call, dict) else None
            if isinstance(function, dict):
                pieces.append(tool_call(call.get("id"), function.get("name"), function.get("arguments")))
        return pieces

    def body(self) -> Json:
        """The answer as one object."""
        if not self._done:
            raise ValueError(CUT)
        texts: Json = {name: "".join(pieces) for name, pieces in self._texts.items()}
        body = self._top
        if self._message is None:
            body |= texts
        else:
            body["message"] = {**self._message, **texts, **({"tool_calls": self._calls} if self._calls else {})}
        if self._logprobs:
            body["logprobs"] = self._logprobs
        return body

    def _write(self, name: str, text: str) -> Sequence[ct.Part]:
        self._texts.setdefault(name, []).append(text)
        if not text:
            return ()
        return [reasoning_piece(text) if name == "thinking" else text_piece(text)]


def _texts(message: object, said: Json) -> list[tuple[str, str]]:
    """The pieces of text in one object, by the names of their fields."""
    if isinstance(message, dict):
        found = [(name, message.get(name)) for name in ("thinking", "content")]
    else:
        found = [(name, said.get(name)) for name in ("thinking", "response")]
    return [(name, text) for name, text in found if isinstance(text, str)]
