"""What a form says, read within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from genlevel.runtime.errors import RequestTooLarge, UsageError

if TYPE_CHECKING:
    from starlette.requests import Request

MOST_BYTES = 256 << 10
MOST_FIELDS = 1000
ARRIVES_S = 30.0


def fields_of(query: str) -> Mapping[str, Sequence[str]]:
    """The fields of an address or a form. Raises UsageError if there are too many."""
    try:
        return parse_qs(query, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise UsageError(f"there are more than {MOST_FIELDS} values in the address or form; leave some out") from None


async def read_form(request: Request) -> Mapping[str, Sequence[str]]:
    """The fields of a posted form. Raises RequestTooLarge, or UsageError if it does not arrive or is no form."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise UsageError("this takes a form: send application/x-www-form-urlencoded")
    body = bytearray()
    try:
        async with asyncio.timeout(ARRIVES_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise RequestTooLarge(f"this form is larger than {MOST_BYTES >> 10} KiB; write less")
    except TimeoutError:
        raise UsageError(f"the form did not arrive within {ARRIVES_S:.0f} s; send it again") from None
    return fields_of(body.decode("utf-8", "replace"))
