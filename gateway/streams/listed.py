"""What Gemini streams: events of a server, or one JSON list of what they hold, as it answers who does not get through with alt=sse."""

from __future__ import annotations

import orjson

from gateway.bodies import read_json
from gateway.streams.assembler import MAX_EVENT_BYTES, Event
from gateway.streams.sse import ServerSentEvents


class EventsOrList:
    """A framing. A list is known by its first letter, and read when it has ended. most: bytes of one event, or of a list."""

    __slots__ = ("_events", "_is_list", "_list", "_most", "_size")

    def __init__(self, most: int = MAX_EVENT_BYTES) -> None:
        self._events = ServerSentEvents(most)
        self._most = most
        self._is_list: bool | None = None
        self._list: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[Event]:
        """The events that these bytes complete."""
        if self._is_list is None and (begun := data.lstrip()):
            self._is_list = begun.startswith(b"[")
        if not self._is_list:
            return self._events.feed(data)
        self._size += len(data)
        if self._size > self._most:
            raise ValueError(f"the stream is one list of more than {self._most >> 20} MiB")
        self._list.append(data)
        return []

    def end(self) -> list[Event]:
        """What is left. A list that is cut has nothing."""
        if not self._is_list:
            return self._events.end()
        found = read_json(b"".join(self._list))
        return [Event("", orjson.dumps(one)) for one in found] if isinstance(found, list) else []
