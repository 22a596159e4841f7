"""What a server says of its health: one state per RPC service, and "" for all.

The reference implementation holds a lock while it writes to whoever watches, which needs not be known: one who takes no bytes would keep
all others from being told, and the server from stopping.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc]
    """grpc.health.v1.Health. Those who watch are told of the last state, not of each that there was while they took nothing."""

    def __init__(self) -> None:
        self._states: dict[str, int] = {"": _SERVING}
        self._watching: set[asyncio.Event] = set()
        self._stops = False

    async def Check(self, request: health_pb2.HealthCheckRequest, context: grpc.aio.ServicerContext) -> health_pb2.HealthCheckResponse:
        state = self._states.get(request.service)
        if state is None:
            await context.abort(grpc.StatusCode.NOT_FOUND)
        return health_pb2.HealthCheckResponse(status=state)

    async def Watch(
        self, request: health_pb2.HealthCheckRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        changed, last = asyncio.Event(), None
        self._watching.add(changed)
        try:
            while True:
                changed.clear()
                state = self._states.get(request.service, _UNKNOWN)
                if state != last:
                    last = state
                    yield health_pb2.HealthCheckResponse(status=state)
                await changed.wait()
        finally:
            self._watching.discard(changed)

    def set(self, service: str, *, serving: bool) -> None:
        """Says whether a service takes calls, unless the server stops."""
        if not self._stops:
            self._set(service, _SERVING if serving else _NOT_SERVING)

    def stop(self) -> None:
        """From now on none does."""
        self._stops = True
        for service in self._states:
            self._set(service, _NOT_SERVING)

    def _set(self, service: str, state: int) -> None:
        self._states[service] = state
        for changed in self._watching:
            changed.set()
