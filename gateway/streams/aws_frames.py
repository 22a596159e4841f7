"""The binary framing of AWS's event streams: messages with headers and two checksums.

Source: https://smithy.io/2.0/aws/amazon-eventstream.html
"""

from __future__ import annotations

import struct
import zlib

import orjson

from gateway.streams.assembler import MAX_EVENT_BYTES, Event

_PRELUDE = struct.Struct(">III")
"""Length of the message, length of its headers, and the checksum of these two."""
_CHECKSUM = struct.Struct(">I")
_LEAST = _PRELUDE.size + _CHECKSUM.size
# The bytes that a header's value of each type has, but for those (6, 7) that say their length.
_SIZES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
_BYTES, _TEXT = 6, 7
FAILED = "!"
"""Begins the name of an event that tells of an error."""


class AwsFraming:
    """Events by name, with their JSON; the name of an error begins with "!"."""

    def __init__(self) -> None:
        self._left = bytearray()

    def feed(self, data: bytes) -> list[Event]:
        """The events that these bytes complete. Raises ValueError for bytes that are no such stream, or were changed on their way."""
        left = self._left
        left += data
        events, start = list[Event](), 0
        while len(left) - start >= _PRELUDE.size:
            length, headers, checksum = _PRELUDE.unpack_from(left, start)
            if zlib.crc32(left[start : start + 8]) != checksum or headers + _LEAST > length:
                raise ValueError("the stream is not one of AWS's event streams")
            if length > MAX_EVENT_BYTES:
                raise ValueError(f"an event of the stream has {length:,} bytes")
            if len(left) - start < length:
                break
            message = bytes(left[start : start + length])
            if zlib.crc32(message[: -_CHECKSUM.size]) != _CHECKSUM.unpack_from(message, length - _CHECKSUM.size)[0]:
                raise ValueError("an event of the stream has another checksum than it says")
            body = _PRELUDE.size + headers
            events.append(_event(_texts(message[_PRELUDE.size : body]), message[body : -_CHECKSUM.size]))
            start += length
        del left[:start]
        return events

    def end(self) -> list[Event]:
        """Nothing: a message has its length before it."""
        return []


def _event(headers: dict[str, str], payload: bytes) -> Event:
    match headers.get(":message-type"):
        case "error":
            return Event(f"{FAILED}{headers.get(':error-code', '')}", orjson.dumps({"message": headers.get(":error-message", "")}))
        case "exception":
            return Event(f"{FAILED}{headers.get(':exception-type', '')}", payload)
        case _:
            return Event(headers.get(":event-type", ""), payload)


def _texts(raw: bytes) -> dict[str, str]:
    """The headers whose values are texts. Raises ValueError for what are no headers."""
    texts, place = dict[str, str](), 0
    try:
        while place < len(raw):
            begin = place + 1
            name = raw[begin : begin + raw[place]]
            kind, place = raw[begin + raw[place]], begin + raw[place] + 1
            if kind in (_BYTES, _TEXT):
                size, place = int.from_bytes(raw[place : place + 2], "big"), place + 2
            else:
                size = _SIZES[kind]
            if kind == _TEXT:
                texts[name.decode()] = raw[place : place + size].decode()
            place += size
    except (LookupError, UnicodeDecodeError):
        raise ValueError("an event of the stream has headers that cannot be read") from None
    return texts
