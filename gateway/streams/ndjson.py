"""JSON objects, a line each."""

from __future__ import annotations

from gateway.streams.assembler import MAX_EVENT_BYTES, Event
from gateway.streams.lines import Lines


class JsonLines:
    """A framing. most: bytes of one line."""

    __slots__ = ("_lines",)

    def __init__(self, most: int = MAX_EVENT_BYTES) -> None:
        self._lines = Lines(most)

    def feed(self, data: bytes) -> list[Event]:
        """The objects whose line has ended."""
        return [Event("", line) for line in self._lines.feed(data) if line.strip()]

    def end(self) -> list[Event]:
        """The last one, which may have no end of its line."""
        rest = self._lines.end()
        return [Event("", rest)] if rest.strip() else []
