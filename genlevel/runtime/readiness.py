"""Whether a service can do its work now: its storage answers, has the schema that the code expects, and its neighbours answer.

A check is a coroutine function that returns "" if all is well, else why not. ``Readiness`` is a check made of several, cheap enough to be
asked by anybody at any time; /readyz (genlevel.runtime.http) and gRPC health (genlevel.runtime.rpc) ask the same one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

from genlevel.runtime.threads import in_thread

Check = Callable[[], Awaitable[str]]

FRESH_S = 1.0
TIMEOUT_S = 2.0


async def fine() -> str:
    """A check that always passes."""
    return ""


async def problem_of(check: Check) -> str:
    """What a check finds. If the check itself fails, how: that is not a sign of health."""
    try:
        return await check()
    except Exception as error:
        return str(error) or type(error).__name__


async def looked(look: Callable[[], str]) -> str:
    """What a function finds that blocks, such as one that asks a database; in a thread of its own."""
    try:
        return await in_thread(look, name="readiness")
    except Exception as error:
        return str(error) or type(error).__name__


class Life:
    """A process's readiness over its life, as a check: it starts, then ``ready`` says, then it stops."""

    def __init__(self) -> None:
        self._now: Check = _starting

    def begin(self, ready: Check) -> None:
        """Everything is served now."""
        self._now = ready

    def stop(self) -> None:
        """From now on it stops."""
        self._now = _stopping

    async def __call__(self) -> str:
        return await self._now()


async def _starting() -> str:
    return "starting"


async def _stopping() -> str:
    return "stopping"


class Readiness:
    """Several checks as one; says of those that fail which they are and why.

    They are asked together. What one found is good for ``fresh_s``; one that takes longer than ``timeout_s`` has failed, and is not asked
    again before it has ended, so that what hangs does not pile up.

    Args:
        checks: by what they look at, such as "storage".
        fresh_s: seconds.
        timeout_s: seconds.
    """

    def __init__(self, checks: Mapping[str, Check], *, fresh_s: float = FRESH_S, timeout_s: float = TIMEOUT_S) -> None:
        self._asked = {name: _Asked(check, fresh_s, timeout_s) for name, check in checks.items()}

    async def __call__(self) -> str:
        found = await asyncio.gather(*(asked.problem() for asked in self._asked.values()))
        return "; ".join(f"{name}: {problem}" for name, problem in zip(self._asked, found, strict=True) if problem)


class _Asked:
    """One check, and what it found last."""

    def __init__(self, check: Check, fresh_s: float, timeout_s: float) -> None:
        self._check = check
        self._fresh_s = fresh_s
        self._timeout_s = timeout_s
        self._found = ""
        self._found_at = float("-inf")
        self._going: asyncio.Task[None] | None = None
        self._began = 0.0

    async def problem(self) -> str:
        if self._going is None:
            if time.monotonic() - self._found_at < self._fresh_s:
                return self._found
            self._began = time.monotonic()
            self._going = asyncio.create_task(self._ask(), name="readiness")
        going, remaining_s = self._going, self._began + self._timeout_s - time.monotonic()
        await asyncio.wait((going,), timeout=max(0.0, remaining_s))
        return self._found if going.done() else f"no answer within {self._timeout_s:g} s"

    async def _ask(self) -> None:
        try:
            self._found = await problem_of(self._check)
        finally:
            self._found_at = time.monotonic()
            self._going = None
