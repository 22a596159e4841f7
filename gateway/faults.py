"""Failures of a request that is wrong or cannot be sent, by the path of what is wrong."""

from __future__ import annotations

from genlevel.runtime.errors import CallFailed, ErrorClass


def fault(part: str, message: str) -> CallFailed:
    """The failure of a part that is wrong."""
    return CallFailed(ErrorClass.CALLER_FAULT, message, part=part)


def unsupported(part: str, what: str, taker: str) -> CallFailed:
    """The failure of a part that cannot be sent."""
    return CallFailed(ErrorClass.UNSUPPORTED, f"{part}: {taker} does not take {what}", part=part)


def too_large(part: str, what: str, taker: str) -> CallFailed:
    """The failure of a part over the provider's sizes."""
    return CallFailed(ErrorClass.CONTEXT_TOO_LONG, f"{part}: {taker} does not take {what}", part=part)
