"""Well-formed messages with random contents: a real one, of which a few fields are changed as its descriptor allows."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from typing import Any

from google.protobuf import struct_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, EncodeError, Message

STRINGS = (
    *("", " ", "\x00", "a\x00b", "\n", "../../etc/passwd", "/etc/passwd", "~", "x" * 5000, "é" * 300, "\u202e\ufeff", "%s%n{0}"),
    *("0", "-1", "1e999", "NaN", "null", "[]", "{}", '{"a":' * 50, "[" * 2000, '"', "'; DROP TABLE runs", "*", "[!a", "**/*"),
    *("0" * 64, "f" * 64, "F" * 64, "g" * 64, "s3://a:b@c/d", "http://127.0.0.1:1/", "https://x/", "image/png"),
    *("choice", "boxes", "number", "accuracy", "miou", "fid", "image", "video", "comprehension", "judge", "people", "workbook", "appendix"),
)
NUMBERS = (0, 1, -1, 2, 3, 7, 100, 2**31 - 1, -(2**31), 2**32 - 1, 2**53, 2**63 - 1, -(2**63), 2**64 - 1)
FLOATS = (0.0, -0.0, 1.0, -1.0, 0.5, 1e-300, 1e308, -1e308, float("nan"), float("inf"), float("-inf"), 1e18)
_BOUNDS = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_ENUM: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}


class Mutator:
    """Changes messages. known: names and ids that mean something to the services."""

    def __init__(self, seed: int, known: Sequence[str]) -> None:
        self.chance = random.Random(seed)
        self.known = list(known)

    def mutated(self, message: Message) -> Message:
        """A copy with up to six changes somewhere within."""
        changed = type(message)()
        changed.CopyFrom(message)
        for _ in range(self.chance.choice((0, 1, 1, 1, 2, 3, 6))):
            self._change(self._somewhere(changed))
        try:
            return type(message).FromString(changed.SerializeToString())
        except (DecodeError, EncodeError):  # nested deeper than a message may be
            return self.mutated(message)

    def _somewhere(self, message: Message) -> Message:
        """The message, or one within."""
        while self.chance.random() < 0.75:
            inner: list[Message] = []
            for field, value in message.ListFields():
                if field.message_type is None:
                    continue
                if field.message_type.GetOptions().map_entry:
                    if field.message_type.fields_by_name["value"].message_type is not None:
                        inner += value.values()
                else:
                    inner += value if field.is_repeated else [value]
            if not inner:
                break
            message = self.chance.choice(inner)
        return message

    def _change(self, message: Message) -> None:
        fields = message.DESCRIPTOR.fields
        if not fields:
            return
        present = [field for field, _value in message.ListFields()]
        field = self.chance.choice(present if present and self.chance.random() < 0.6 else fields)
        if self.chance.random() < 0.12:
            message.ClearField(field.name)
        elif field.message_type is not None and field.message_type.GetOptions().map_entry:
            self._change_map(message, field)
        elif field.is_repeated:
            self._change_list(message, field)
        elif field.message_type is not None:
            inner = getattr(message, field.name)
            inner.SetInParent()
            self._fill(inner)
        else:
            setattr(message, field.name, self._value(field, getattr(message, field.name)))

    def _change_map(self, message: Message, field: FieldDescriptor) -> None:
        entries = getattr(message, field.name)
        key_field, value_field = (field.message_type.fields_by_name[name] for name in ("key", "value"))
        for _ in range(self.chance.choice((1, 1, 3, 200))):
            key = self._value(key_field, "")
            if value_field.message_type is not None:
                self._fill(entries[key])
            else:
                entries[key] = self._value(value_field, "")

    def _change_list(self, message: Message, field: FieldDescriptor) -> None:
        entries: Any = getattr(message, field.name)
        what = self.chance.random()
        if entries and what < 0.2:
            del entries[self.chance.randrange(len(entries)) :]
        elif entries and what < 0.5:
            many = self.chance.choice((1, 2, 10, 300)) if len(entries) < 1000 else 1
            entries.extend([self.chance.choice(list(entries))] * many)
        elif field.message_type is not None:
            self._fill(entries.add())
        elif entries and what < 0.8:
            entries[self.chance.randrange(len(entries))] = self._value(field, entries[0])
        else:
            entries.extend(self._value(field, "") for _ in range(self.chance.choice((1, 1, 2, 100))))

    def _fill(self, message: Message) -> None:
        if isinstance(message, struct_pb2.Struct):
            message.CopyFrom(self._nested())
            return
        for _ in range(self.chance.choice((0, 1, 2, 4))):
            self._change(message)

    def _nested(self) -> struct_pb2.Struct:
        """A struct in structs, about as deep as a message can be."""
        deepest = struct_pb2.Struct()
        for _ in range(self.chance.choice((1, 5, 20, 28))):
            outer = struct_pb2.Struct()
            outer.fields[self.chance.choice(("a", "", "\x00", "type"))].struct_value.CopyFrom(deepest)
            deepest = outer
        return deepest

    def _value(self, field: FieldDescriptor, now: object) -> object:
        kind = field.cpp_type
        if kind == FieldDescriptor.CPPTYPE_BOOL:
            return self.chance.random() < 0.5
        if kind == FieldDescriptor.CPPTYPE_STRING:
            return self._bytes(now) if field.type == FieldDescriptor.TYPE_BYTES else self._text(now)
        if kind in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
            if self.chance.random() < 0.2:
                return struct.unpack("d", self.chance.randbytes(8))[0]
            return self.chance.choice(FLOATS)
        low, high = _BOUNDS[kind]
        if field.enum_type is not None and self.chance.random() < 0.7:
            return self.chance.choice([value.number for value in field.enum_type.values])
        number = self.chance.choice(NUMBERS) if self.chance.random() < 0.8 else self.chance.randint(low, high)
        return min(high, max(low, number))

    def _text(self, now: object) -> str:
        what = self.chance.random()
        if what < 0.4:
            return self.chance.choice(self.known)
        if what < 0.8 or not isinstance(now, str) or not now:
            return self.chance.choice(STRINGS)
        at = self.chance.randrange(len(now))
        return now[:at] + self.chance.choice(STRINGS)[:50] + now[at + self.chance.randrange(4) :]

    def _bytes(self, now: object) -> bytes:
        if isinstance(now, bytes) and now and self.chance.random() < 0.5:
            at = self.chance.randrange(len(now))
            return now[:at] + self.chance.randbytes(4) + now[at + 4 :]
        return self.chance.choice((b"", b"\x00", self.chance.randbytes(100), self.chance.randbytes(200_000)))
