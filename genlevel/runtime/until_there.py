"""Asking a service again that has stopped or died, and is started again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from genlevel.runtime.errors import Unavailable

PAUSES_S = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0)
"""Seconds between the tries of ``until_there``: longer in all than a service takes to stop (``grace_s``)."""
_LONG_S = 300.0

Response = TypeVar("Response")


async def until_there(ask: Callable[[], Awaitable[Response]]) -> Response:
    """What a service answers, which may stop or die meanwhile, and be started again: it is asked again, some 24 s long.

    ask: makes a call, which bears being made twice. One that failed only after minutes is not made again. Raises as it does.
    """
    for pause_s in PAUSES_S:
        began = time.monotonic()
        try:
            return await ask()
        except Unavailable:
            if time.monotonic() - began > _LONG_S:
                raise
        await asyncio.sleep(pause_s)
    return await ask()
