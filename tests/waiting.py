"""Waiting for what happens soon, on a busy machine a little later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

LONG_S = 60.0
"""What has not happened by then does not."""


async def until(condition: Callable[[], object], timeout_s: float = LONG_S) -> None:
    """Waits until something is so. Raises TimeoutError if it never comes to pass."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
