"""The methods of batches of a gateway's core. What they stand on is loaded when one is first asked for: single calls need none of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from functools import cached_property
from typing import TYPE_CHECKING

from genlevel.v1 import gateway_pb2 as gw

if TYPE_CHECKING:
    from gateway.batches.service import Batches


class BatchCore(ABC):
    """SubmitBatch, GetBatch, FindBatches, CollectBatch and CancelBatch, as ``gateway.batches.service.Batches`` does them."""

    @cached_property
    def _batches(self) -> Batches:
        return self._batches_made()

    @abstractmethod
    def _batches_made(self) -> Batches:
        """What does them."""

    async def submit_batch(self, requests: AsyncIterator[gw.SubmitBatchRequest]) -> gw.SubmitBatchResponse:
        """Hands many requests of one route to its provider's batch API. A failure that may be charged: FindBatches tells if it is there."""
        return await self._batches.submit(requests)

    async def get_batch(self, request: gw.GetBatchRequest) -> gw.GetBatchResponse:
        """How a batch stands. Raises CallFailed."""
        return await self._batches.get(request)

    async def find_batches(self, request: gw.FindBatchesRequest) -> gw.FindBatchesResponse:
        """The batches that surely, or possibly, have a key, the newest first. Raises CallFailed."""
        return await self._batches.find(request)

    async def cancel_batch(self, request: gw.CancelBatchRequest) -> gw.CancelBatchResponse:
        """Has a batch cancelled; one that has ended is told as it stands. Raises CallFailed."""
        return await self._batches.cancel(request)

    def collect_batch(self, request: gw.CollectBatchRequest) -> AsyncIterator[gw.CollectBatchResponse]:
        """The results of a batch that has ended, in any order. Raises CallFailed."""
        return self._batches.collect(request)
