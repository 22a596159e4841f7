"""Reads one stream: its bytes in, pieces out, and at its end the body that the API would have answered whole."""

from __future__ import annotations

from contextlib import suppress

from gateway.bodies import Json
from gateway.streams.assembler import Assembler, Framing
from genlevel.v1 import content_pb2 as ct


class Reading:
    """A framing and an assembler at work. began: some of the answer has come. held: bytes of the event that has not come whole, about.

    Both methods raise AnswerError for an error that the stream tells of, and ValueError (also LookupError, TypeError, AttributeError) for
    what is no stream of this API.
    """

    def __init__(self, framing: Framing, assembler: Assembler) -> None:
        self._framing = framing
        self._assembler = assembler
        self.began = False
        self.held = 0

    def feed(self, data: bytes) -> list[ct.Part]:
        """The pieces that these bytes complete."""
        pieces: list[ct.Part] = []
        events = self._framing.feed(data)
        self.held = len(data) if events else self.held + len(data)
        for event in events:
            if found := self._assembler.feed(event):
                self.began = True
                pieces += found
        return pieces

    def end(self) -> Json:
        """The body, if the stream ends here. Raises ValueError if it is cut."""
        for event in self._framing.end():
            with suppress(ValueError):  # half an event
                self._assembler.feed(event)
        return self._assembler.body()
