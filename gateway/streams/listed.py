"""What Gemini streams: events of a server, or one JSON list of what they hold, as it answers who does not get through with alt=sse."""

from __future__ import annotations

import re

from gateway.streams.assembler import MAX_EVENT_BYTES, Event
from gateway.streams.sse import ServerSentEvents

_TELLING = re.compile(rb'["\\\[\]{}]')


class EventsOrList:
    """A framing. A list is known by its first letter. most: bytes of one event, or of an object in the list."""

    __slots__ = ("_events", "_most", "_objects")

    def __init__(self, most: int = MAX_EVENT_BYTES) -> None:
        self._most = most
        self._events: ServerSentEvents | None = None
        self._objects: _Objects | None = None

    def feed(self, data: bytes) -> list[Event]:
        """The events that these bytes complete."""
        if self._events is None and self._objects is None:
            data = data.lstrip()
            if not data:
                return []
            if data.startswith(b"["):
                self._objects = _Objects(self._most)
            else:
                self._events = ServerSentEvents(self._most)
        if self._objects is not None:
            return [Event("", one) for one in self._objects.feed(data)]
        return self._events.feed(data) if self._events is not None else []

    def end(self) -> list[Event]:
        """What is left. An object of a list is whole or nothing."""
        return self._events.end() if self._events is not None else []


class _Objects:
    """Cuts a list into its objects, by brackets that are in no text. most: bytes of one."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._begun = bytearray()
        self._depth = 0
        self._in_text = False
        self._at = 0
        self._escaped = -1

    def feed(self, data: bytes) -> list[bytes]:
        """The objects that these bytes end. Raises ValueError for one that is too large."""
        found: list[bytes] = []
        start = 0
        for match in _TELLING.finditer(data):
            place, letter = match.start(), match[0]
            if self._at + place == self._escaped:
                continue
            if self._in_text:
                if letter == b"\\":
                    self._escaped = self._at + place + 1
                self._in_text = letter != b'"'
            elif letter == b'"':
                self._in_text = True
            elif letter in b"[{":
                self._depth += 1
                if self._depth == 2:
                    start = place
            elif letter in b"]}":
                self._depth -= 1
                if self._depth == 1:
                    found.append(bytes(self._begun) + data[start : place + 1])
                    self._begun.clear()
                    start = place + 1
        if self._depth > 1:
            self._begun += data[start:]
            if len(self._begun) > self._most:
                raise ValueError(f"an object of the stream has more than {self._most >> 20} MiB")
        self._at += len(data)
        return found
