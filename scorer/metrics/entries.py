"""What labels and answers consist of, before anybody has checked it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

Entry: TypeAlias = Mapping[str, Any]
"""Reading one may raise what ``scorer.metrics.faults`` puts in words."""


def entries_of(value: object) -> list[Entry]:
    """The entries of a label or answer. Raises TypeError if it has none."""
    return list(iterated(value))


def iterated(value: object) -> Iterable[Any]:
    """What a value consists of. Raises TypeError if it cannot be iterated over."""
    if not isinstance(value, Iterable):
        raise TypeError(f"{type(value).__name__!r} object is not iterable")
    return value


def files_in(value: object) -> list[str]:
    """The paths of all {"file": path} in a value in normal form, in its order."""
    if isinstance(value, dict):
        if isinstance(value.get("file"), str):
            return [value["file"]]
        return [path for entry in value.values() for path in files_in(entry)]
    return [path for entry in value for path in files_in(entry)] if isinstance(value, list) else []
