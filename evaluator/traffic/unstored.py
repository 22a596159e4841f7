"""Answers that have come and are not durable yet: while there are as many as slots, no further call begins.

A slot is free again as soon as its call's answer has come: an answer becomes durable in a group with others, some milliseconds later, and a
provider should not be idle meanwhile. So at any time at most as many calls are open as there are slots, and a call begins only while fewer
answers than that are not durable: a crash repeats at most twice the slots, of which without any answer at most the slots.
"""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

from genlevel.runtime.limits import AccountLimiter


class Unstored:
    """Those of one account. count: how many there are now."""

    def __init__(self) -> None:
        self.count = 0
        self._waiting: list[asyncio.Future[None]] = []

    def came(self) -> None:
        """One has come."""
        self.count += 1

    def ended(self, _: object = None) -> None:
        """One is durable, or will not be."""
        self.count -= 1
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if not one.done():
                one.set_result(None)

    async def fewer(self) -> None:
        """Returns once one of those that there are now is durable, or will not be."""
        one: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(one)
        await one


class UnstoredAnswers:
    """Those of all accounts, each known by its limiter."""

    def __init__(self) -> None:
        self._by_limiter: WeakKeyDictionary[AccountLimiter, Unstored] = WeakKeyDictionary()

    def of(self, limiter: AccountLimiter) -> Unstored:
        """Those of the account that has this limiter."""
        return self._by_limiter.setdefault(limiter, Unstored())
