"""What batches need of a gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol, runtime_checkable

from genlevel.v1 import gateway_pb2 as gw


@runtime_checkable
class BatchPort(Protocol):
    """Hands batches to providers. Each method raises CallFailed, or GenlevelError if the gateway is away."""

    async def submit_batch(self, requests: AsyncIterator[gw.SubmitBatchRequest]) -> gw.SubmitBatchResponse:
        """Hands over a batch once all of its items have come, and not before.

        An error that may be charged says that the provider may have taken it; of another it surely has not.
        """
        ...

    async def get_batch(self, request: gw.GetBatchRequest) -> gw.GetBatchResponse:
        """How a batch stands."""
        ...

    async def find_batches(self, request: gw.FindBatchesRequest) -> gw.FindBatchesResponse:
        """The batches that surely or possibly have a key."""
        ...

    def collect_batch(self, request: gw.CollectBatchRequest) -> AsyncIterator[gw.CollectBatchResponse]:
        """The results of a batch that has ended."""
        ...

    async def cancel_batch(self, request: gw.CancelBatchRequest) -> gw.CancelBatchResponse:
        """Has the provider cancel a batch."""
        ...
