"""The open clients of a gateway, made on first use and shared by all calls that can."""

from __future__ import annotations

import asyncio

from gateway.resolved import ResolvedRoute
from gateway.upstream import MOST_ADDRESSES, Upstream


class Upstreams:
    """The open clients, one for each account's address and key. Where a model has an address of its own, its account's connections go."""

    def __init__(self) -> None:
        self._open: dict[tuple[object, ...], Upstream] = {}
        self._accounts: dict[tuple[object, ...], Upstream] = {}
        self._opening = asyncio.Lock()

    async def of(self, route: ResolvedRoute, *, base_url: str = "") -> Upstream:
        """The client of a route, made on first use. Raises CallFailed if its key is missing."""
        name = (route.provider, base_url) if base_url else route.client
        upstream = self._open.get(name)
        if upstream is None:
            async with self._opening:
                upstream = self._open.get(name)
                if upstream is None:
                    upstream = await self._of_account(route, base_url)
                    if len(self._open) >= MOST_ADDRESSES:
                        self._open.clear()
                    self._open[name] = upstream
        return upstream

    async def _of_account(self, route: ResolvedRoute, base_url: str) -> Upstream:
        name = (route.provider, base_url) if base_url else route.connections
        known = self._accounts.get(name)
        if known is None:
            known = self._accounts[name] = await Upstream.open(route, base_url=base_url)
            return known
        return await Upstream.open(route, base_url=base_url, beside=known)

    async def close(self) -> None:
        """Closes them all."""
        opened, self._accounts, self._open = list(self._accounts.values()), {}, {}
        await asyncio.gather(*(upstream.close() for upstream in opened))
