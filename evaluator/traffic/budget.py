"""Money that a run may spend: reserved before each call at its worst case, settled after it, never exceeded.

Amounts are integer nano-dollars. A call whose answer never came may have been billed: its reservation stays spent.
"""

from __future__ import annotations

import asyncio


class Budget:
    """A cap with reservations. limit None = no cap (amounts are still counted).

    Args:
        spent: what earlier work of the run has cost, calls of unknown fate included.
    """

    def __init__(self, limit: int | None, spent: int = 0) -> None:
        self.limit = limit
        self.spent = spent
        self._reserved = 0
        self._freed = asyncio.Event()

    @property
    def reserved(self) -> int:
        """Nano-dollars that calls in flight may still cost."""
        return self._reserved

    async def reserve(self, amount: int) -> bool:
        """Waits until ``amount`` fits beside all that is spent and in flight; False when it never will."""
        while self.limit is not None and self.spent + self._reserved + amount > self.limit:
            if self._reserved == 0:
                return False
            self._freed.clear()
            await self._freed.wait()
        self._reserved += amount
        return True

    def retune(self, limit: int | None) -> None:
        """Changes the cap while calls are in flight; who waits for money looks again."""
        self.limit = limit
        self._freed.set()

    def settle(self, reserved: int, cost: int) -> None:
        """Replaces a reservation by what the call cost (0 = surely nothing)."""
        self._reserved -= reserved
        self.spent += cost
        self._freed.set()
