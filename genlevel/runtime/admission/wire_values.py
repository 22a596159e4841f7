"""How many values a message holds, counted on its bytes before it is parsed: that skips over texts and files by their lengths.

Encoding: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from google.protobuf.descriptor import Descriptor, FieldDescriptor

_VARINT, _FIXED64, _BYTES, _GROUP, _END_GROUP, _FIXED32 = range(6)
_SIZES = {
    FieldDescriptor.TYPE_DOUBLE: 8,
    FieldDescriptor.TYPE_FIXED64: 8,
    FieldDescriptor.TYPE_SFIXED64: 8,
    FieldDescriptor.TYPE_FLOAT: 4,
    FieldDescriptor.TYPE_FIXED32: 4,
    FieldDescriptor.TYPE_SFIXED32: 4,
}


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What is inside the length-delimited fields of a message: by number, a message's plan, or the bytes of one number of a packed list."""

    fields: dict[int, Plan | int]


@cache
def plan_of(message: Descriptor) -> Plan:
    """The plan of a kind of message."""
    return _planned(message, {})


def _planned(message: Descriptor, known: dict[str, Plan]) -> Plan:
    found = known.get(message.full_name)
    if found is None:
        found = known[message.full_name] = Plan({})
        for field in message.fields:
            if field.message_type is not None:
                found.fields[field.number] = _planned(field.message_type, known)
            elif field.is_packed:
                found.fields[field.number] = _SIZES.get(field.type, 1)
    return found


def count_values(raw: bytes, plan: Plan, most: int) -> int:
    """The values in a message, those of the messages within included; ``most + 1`` if there are more than ``most``.

    Of bytes that are no message the count is any: whoever parses them says so.
    """
    count = 0
    inside = [(0, len(raw), plan)]
    try:
        while inside:
            at, end, here = inside.pop()
            fields = here.fields
            while at < end:
                tag = raw[at]
                at += 1
                if tag > 127:
                    number, at = _varint(raw, at - 1)
                    tag = number
                count += 1
                if count > most:
                    return most + 1
                kind = tag & 7
                if kind == _BYTES:
                    length = raw[at]
                    at += 1
                    if length > 127:
                        length, at = _varint(raw, at - 1)
                    within = fields.get(tag >> 3)
                    if within is None:
                        pass
                    elif isinstance(within, int):
                        count += length // within
                    elif length:
                        inside.append((at, min(at + length, end), within))
                    at += length
                elif kind == _VARINT:
                    while raw[at] > 127:
                        at += 1
                    at += 1
                elif kind == _FIXED64:
                    at += 8
                elif kind == _FIXED32:
                    at += 4
                elif kind not in (_GROUP, _END_GROUP):
                    return count
    except IndexError:
        return count
    return min(count, most + 1)


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    """The number that begins there, and what comes behind it."""
    value = shift = 0
    while True:
        byte = raw[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
        if shift > 63:
            raise IndexError("a number of more than ten bytes")
