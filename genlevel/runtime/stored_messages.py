"""Messages that are kept as JSON. A newer version may have written more into one than this version knows: both may work on one database."""

from __future__ import annotations

from typing import TypeVar

from google.protobuf import json_format
from google.protobuf.message import Message

M = TypeVar("M", bound=Message)


def stored_message(text: str, into: M) -> M:
    """What was stored, in a message that is empty; "" is nothing. What this version does not know of it is left out."""
    return json_format.Parse(text or "{}", into, ignore_unknown_fields=True)


def knows_all(text: str, kind: type[Message]) -> bool:
    """Whether this version knows all that was stored."""
    try:
        json_format.Parse(text or "{}", kind())
    except json_format.ParseError:
        return False
    return True
