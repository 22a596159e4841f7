"""When to ask again, in all headers in which providers say so with a call that they turn away.

Retry-After speaks of this call. A reset header speaks of a whole limit (requests, tokens), which is there again by then at the latest, and
applies if that limit is used up, if what remains of it is not said, or if the error names it. Nothing here raises: headers are the
provider's, and a header that cannot be read is as good as none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from gateway.answering.limit_headers import LIMITS, resets_in
from genlevel.runtime.header_values import LONGEST_S, clock_of, number, seconds

# Azure sends x-ms-retry-after-ms beside retry-after-ms.
_IN_MILLISECONDS = ("retry-after-ms", "x-ms-retry-after-ms")
_BETWEEN = re.compile(r"(?<!Mon)(?<!Tue)(?<!Wed)(?<!Thu)(?<!Fri)(?<!Sat)(?<!Sun)(?<!day),")


class Times(NamedTuple):
    """Seconds from now; None: not said.

    wait_s: what Retry-After asks for, at least 0; the longest time if such headers contradict each other. shorter_s: the shortest one.
    reset_s: until limits that are used up are there again as a whole, above 0.
    """

    wait_s: float | None = None
    shorter_s: float | None = None
    reset_s: float | None = None


NO_TIMES = Times()


def times_of(headers: Mapping[str, str], *, dimension: str = "", now: float | None = None) -> Times:
    """The times that a provider names.

    headers: lower-case names. dimension: the limit that the error names ("requests", "tokens"), if it does.
    now: UNIX time in seconds, for tests; the server's own Date header goes before it if a date has to be compared.
    """
    clock = clock_of(headers, now)
    waits = {max(0.0, wait) for wait in (*_milliseconds(headers), *_asked(headers, clock)) if wait is not None}
    resets = [seconds(said.reset, clock) for said in resets_in(headers) if said.dimension == dimension or _used_up(said.remaining)]
    return Times(
        max(waits, default=None),
        min(waits) if len(waits) > 1 else None,
        max((reset for reset in resets if reset is not None and reset > 0.0), default=None),
    )


def exhausted_dimension(headers: Mapping[str, str]) -> str:
    """The limit of which the provider says that nothing remains: "requests", "tokens", or "" if it is none or unclear."""
    empty = {limit.dimension for limit in LIMITS if limit.remaining in headers and _used_up(headers[limit.remaining])}
    return empty.pop() if len(empty) == 1 else ""


def _used_up(remaining: str | None) -> bool:
    if remaining is None:
        return True
    value = number(remaining)
    return value is not None and value <= 0


def _milliseconds(headers: Mapping[str, str]) -> list[float | None]:
    values = [number(one) for name in _IN_MILLISECONDS if name in headers for one in headers[name].split(",")]
    return [None if value is None or value > LONGEST_S * 1000 else value / 1000 for value in values]


def _asked(headers: Mapping[str, str], clock: float) -> list[float | None]:
    """The times in Retry-After. A proxy adds its own to the server's: they come as one line with commas, and dates have commas too."""
    text = headers.get("retry-after")
    return [] if text is None else [seconds(one, clock) for one in _BETWEEN.split(text)]
