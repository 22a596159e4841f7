"""Objects of JSON in messages of protobuf, there and back: a Struct has doubles alone, and cannot be nested deeply."""

from __future__ import annotations

import orjson
from google.protobuf import struct_pb2

from gateway.bodies import Json

# Deeper than any tool's arguments; a message nested more than about 100 deep cannot be read on the other side.
_DEEPEST = 16
_EXACT = 1 << 53
"""Whole numbers below this are the same as doubles."""


def fill(struct: struct_pb2.Struct, value: object) -> None:
    """Writes an object into a message as it is.

    Anything else, and an object that a Struct does not hold exactly (nested too deeply, or with whole numbers beyond a double's), is
    written as JSON in the field "json"; so is one that has this field alone.
    """
    fits = isinstance(value, dict) and value.keys() != {"json"} and _fits(value)
    struct.update(value if isinstance(value, dict) and fits else {"json": orjson.dumps(value).decode()})


def plain(struct: struct_pb2.Struct) -> Json:
    """The object in a message: what ``fill`` was given. Whole numbers come back as such."""
    if len(struct.fields) == 1 and "json" in struct.fields and struct.fields["json"].HasField("string_value"):
        try:
            written = orjson.loads(struct.fields["json"].string_value)
        except orjson.JSONDecodeError:
            written = None
        if isinstance(written, dict):
            return written
    return {name: _value(value) for name, value in struct.fields.items()}


def _value(value: struct_pb2.Value) -> object:
    kind = value.WhichOneof("kind")
    if kind == "number_value":
        number: float = value.number_value
        return int(number) if number.is_integer() and abs(number) < _EXACT else number
    if kind == "struct_value":
        return {name: _value(inner) for name, inner in value.struct_value.fields.items()}
    if kind == "list_value":
        return [_value(inner) for inner in value.list_value.values]
    if kind == "string_value":
        return value.string_value
    return value.bool_value if kind == "bool_value" else None


def _fits(value: object) -> bool:
    """Whether a Struct holds it exactly."""
    level, depth = [value], 0
    while level:
        if depth > _DEEPEST:
            return False
        inner: list[object] = []
        for one in level:
            if isinstance(one, dict):
                inner += one.values()
            elif isinstance(one, list):
                inner += one
            elif type(one) is int and abs(one) >= _EXACT:
                return False
        level, depth = inner, depth + 1
    return True
