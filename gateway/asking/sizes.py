"""How large a request may be, whatever its model takes."""

from __future__ import annotations

from collections.abc import Sequence

from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.runtime.settings import CallLimits
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

MAX_REQUEST_BYTES = 64 << 20


def checked_size(request: gw.GenerateRequest, messages: Sequence[ct.Message], size: int, limits: CallLimits) -> int:
    """The request's bytes; size: about those, 0 = not known. Raises CallFailed (TOO_LARGE) for a request that no model is asked."""
    parts = sum([len(message.parts) for message in messages])
    most_bytes = max(limits.request_bytes, MAX_REQUEST_BYTES)
    if not 0 < size <= most_bytes:
        size = request.ByteSize()
    if size <= most_bytes and parts <= limits.parts and len(messages) <= limits.messages:
        return size
    for what, setting, found, most in (
        ("messages", "messages", len(messages), limits.messages),
        ("parts", "parts", parts, limits.parts),
        ("bytes", "request_bytes", size, most_bytes),
    ):
        if found > most:
            said = f"the request has {found:,} {what}; the gateway takes at most {most:,} (limits.{setting})"
            raise CallFailed(ErrorClass.TOO_LARGE, said, part="messages", provider_code="gateway limit")
    return size
