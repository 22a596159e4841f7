"""What an answer's headers say of limits that are nearly used up, for whoever decides when the next call is made."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.answering.limit_headers import resets_in
from genlevel.runtime.header_values import clock_of, number, seconds
from genlevel.v1 import gateway_pb2 as gw

_NEARLY = 0.25
"""No more than this part of a limit remains."""
_MOST = 2.0**53


def nearly_used_up(headers: Mapping[str, str], now: float | None = None) -> list[gw.ProviderLimit]:
    """Limits of which a quarter or less remains, or which do not say how much they are. Never raises: what cannot be read is left out.

    headers: lower-case names. now: UNIX time in seconds, for tests.
    """
    found = []
    for said in resets_in(headers):
        remaining, limit = number(said.remaining), number(said.limit)
        if remaining is None or remaining > (_MOST if limit is None else min(_MOST, _NEARLY * limit)):
            continue
        reset_s = seconds(said.reset, clock_of(headers, now))
        if reset_s is not None and reset_s > 0.0:
            found.append(gw.ProviderLimit(dimension=said.dimension, remaining=int(max(0.0, remaining)), reset_s=reset_s))
    return found
