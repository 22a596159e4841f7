"""Server-sent events, as the HTML standard has them: https://html.spec.whatwg.org/multipage/server-sent-events.html

One thing is otherwise: an event whose empty line has not come by the end of the stream is an event all the same, because its data say
themselves whether they are whole.
"""

from __future__ import annotations

import codecs

from gateway.streams.assembler import MAX_EVENT_BYTES, Event
from gateway.streams.lines import Lines


class ServerSentEvents:
    """A framing. most: bytes of one event's data."""

    __slots__ = ("_begun", "_data", "_lines", "_most", "_name", "_size")

    def __init__(self, most: int = MAX_EVENT_BYTES) -> None:
        self._lines = Lines(most)
        self._most = most
        self._begun = False
        self._name = ""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[Event]:
        """The events whose empty line has come. Events without data, comments and other fields say nothing."""
        return [event for line in self._lines.feed(data) if (event := self._line(line)) is not None]

    def end(self) -> list[Event]:
        """The event that lacks its empty line."""
        if rest := self._lines.end():
            self._line(rest)
        event = self._line(b"")
        return [] if event is None else [event]

    def _line(self, line: bytes) -> Event | None:
        if not self._begun:
            self._begun = True
            line = line.removeprefix(codecs.BOM_UTF8)
        if not line:
            name, found, self._name, self._data, self._size = self._name, self._data, "", [], 0
            return Event(name, found[0] if len(found) == 1 else b"\n".join(found)) if found else None
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
            self._size += len(value)
            if self._size > self._most:
                raise ValueError(f"an event of the stream has more than {self._most >> 20} MiB")
        elif field == b"event":
            self._name = value.decode("utf-8", "replace")
        return None
