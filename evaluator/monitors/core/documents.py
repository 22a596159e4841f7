"""Values as JSON documents and back, numbers exactly: to be stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar, cast

from pydantic import TypeAdapter

Value = TypeVar("Value")


def document_of(value: object) -> dict[str, object]:
    """A dataclass of this room as plain dicts, lists, strings and numbers."""
    found: dict[str, object] = _adapter(type(value)).dump_python(value, mode="json")
    return found


def value_of(kind: type[Value], document: Mapping[str, object]) -> Value:
    """The dataclass again.

    Raises ValueError if the document is none of its.
    """
    return _adapter(kind).validate_python(document)


_adapters: dict[object, object] = {}


def _adapter(kind: type[Value]) -> TypeAdapter[Value]:
    """To make one takes some milliseconds."""
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return cast("TypeAdapter[Value]", _adapters[kind])
