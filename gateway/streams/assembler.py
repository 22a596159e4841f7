"""What reads a stream: a framing makes events of its bytes, an assembler makes of these the body that the API would have answered whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from gateway.bodies import Json, read_json
from genlevel.v1 import content_pb2 as ct

MAX_EVENT_BYTES = 64 << 20
"""One event; a picture that comes as text is the largest."""

CUT = "the stream ended before the answer did"


class Event(NamedTuple):
    """One event of a stream. name: its type where the framing has one, else "". data: its content, JSON in every API that is read here."""

    name: str
    data: bytes


class Framing(Protocol):
    """Makes events of bytes, however they are cut. What it raises is ValueError: an event that is too large, or a frame that is none."""

    def feed(self, data: bytes) -> list[Event]:
        """The events that these bytes complete."""
        ...

    def end(self) -> list[Event]:
        """What is left if the stream ends here: an event that lacks nothing but the mark of its end."""
        ...


class Assembler(Protocol):
    """Folds the events of one answer. Both methods raise what ``Adapter.answer`` raises, and ValueError for what is no event of the API."""

    def feed(self, event: Event) -> Sequence[ct.Part]:
        """What can be passed on by now: a text continues the last text, reasoning the last reasoning; a tool call comes whole.

        Raises AnswerError for an error that the stream tells of. What follows the API's own sign of the end says nothing.
        """
        ...

    def body(self) -> Json:
        """The body as if it had come whole. Raises ValueError if the API's own sign of the end has not come."""
        ...


def json_of(event: Event) -> Json:
    """The object that an event holds. Raises ValueError."""
    value = read_json(event.data)
    if not isinstance(value, dict):
        raise ValueError("an event of the stream is not a JSON object")
    return value


def text_piece(text: str) -> ct.Part:
    """A piece of text."""
    return ct.Part(text=text)


def reasoning_piece(text: str) -> ct.Part:
    """A piece of reasoning."""
    return ct.Part(reasoning=ct.Reasoning(text=text))
