"""Streams of OpenAI's responses API, whose last event has the whole response. Source: the openai package's types.responses
(ResponseStreamEvent).
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.adapters.base import AnswerError, error_of, tool_call
from gateway.bodies import Json
from gateway.streams.assembler import CUT, Event, json_of, reasoning_piece, text_piece
from genlevel.v1 import content_pb2 as ct

_LAST = frozenset({"response.completed", "response.incomplete", "response.failed", "response.cancelled"})
_REASONING = frozenset({"response.reasoning_text.delta", "response.reasoning_summary_text.delta"})


class ResponsesAssembler:
    """Events of one response."""

    def __init__(self) -> None:
        self._response: Json | None = None
        self._items: dict[int, object] = {}

    def feed(self, event: Event) -> Sequence[ct.Part]:
        """Pieces of text and reasoning, and tool calls when they are whole."""
        if self._response is not None or event.data.strip() == b"[DONE]":  # OpenRouter's, behind the last event
            return ()
        found = json_of(event)
        kind, delta = found.get("type") or event.name, found.get("delta")
        if kind == "response.output_text.delta":
            return [text_piece(delta)] if delta and isinstance(delta, str) else ()
        if kind in _REASONING:
            return [reasoning_piece(delta)] if delta and isinstance(delta, str) else ()
        if kind == "response.reasoning_summary_part.added" and found.get("summary_index"):
            return [reasoning_piece("\n")]
        if kind == "response.output_item.done":
            index, item = found.get("output_index"), found.get("item")
            self._items[index if isinstance(index, int) else len(self._items)] = item
            if isinstance(item, dict) and item.get("type") == "function_call":
                return [tool_call(item.get("call_id"), item.get("name"), item.get("arguments"))]
        elif kind in _LAST:
            response = found.get("response")
            if not isinstance(response, dict):
                raise ValueError(f"the event {kind} has no response")
            self._response = response
        elif kind == "error" or ("error" in found and "response" not in found):
            raise AnswerError(error_of(200, {name: value for name, value in found.items() if name != "type"}, {}))
        return ()

    def body(self) -> Json:
        """The response that the last event has, with the items that came before it if it names none."""
        if self._response is None:
            raise ValueError(CUT)
        if not self._response.get("output") and self._items:
            return {**self._response, "output": [self._items[index] for index in sorted(self._items)]}
        return self._response
