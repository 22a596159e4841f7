"""Waits for answers that a provider makes in the background: it has said that it begins, and is asked again until it has ended.

Source: https://platform.openai.com/docs/guides/background
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from gateway.adapters.base import Answer, Pending
from gateway.answering.replies import answer_of
from gateway.calls import Call
from gateway.resolved import ResolvedRoute
from gateway.upstream import Upstream
from genlevel.runtime.errors import CallFailed, ErrorClass

WAITING_S = (0.5, 1.0, 2.0, 2.0, 5.0)
MOST_FAILURES = 8
CANCELLING_S = 1.0
# It goes on all the same if it cannot be asked about just now.
_PASSING = frozenset({ErrorClass.TRANSIENT, ErrorClass.TIMEOUT, ErrorClass.RATE_LIMIT})


async def awaited(route: ResolvedRoute, upstream: Upstream, pending: Pending, call: Call) -> tuple[Answer, Mapping[str, str], float]:
    """The answer once it is there, with its headers and the seconds with a request open.

    Raises CallFailed, which may be charged. If it is cancelled, so is the answer at its provider.
    """
    open_s, rounds, failures = 0.0, 0, 0
    try:
        while True:
            await asyncio.sleep(WAITING_S[min(rounds, len(WAITING_S) - 1)])
            rounds, status = rounds + 1, 0
            try:
                status, headers, raw, seconds = await upstream.send("GET", pending.path, b"", call=call)
                open_s += seconds
                return answer_of(route, upstream, status, headers, raw), headers, open_s
            except Pending as still:
                pending, failures = still, 0
            except CallFailed as failure:
                failure.may_be_charged = True
                failures += 1
                ended = 200 <= status < 300
                if ended or failure.error_class not in _PASSING or failures > MOST_FAILURES:
                    raise
                await asyncio.sleep(failure.retry_after_s or 0.0)
    except asyncio.CancelledError:
        with suppress(CallFailed, TimeoutError):
            async with asyncio.timeout(CANCELLING_S):
                await upstream.post(f"{pending.path}/cancel", b"{}")
        raise
