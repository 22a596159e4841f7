"""ScorerService over gRPC: a thin shell that turns the core's errors into statuses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, NoReturn

import grpc

from genlevel.runtime.errors import GenlevelError, UsageError
from genlevel.v1 import scorer_pb2 as pb
from genlevel.v1 import scorer_pb2_grpc
from scorer.service import Scorer, UnknownRun

SERVICE_NAME = "genlevel.v1.ScorerService"


class ScorerServicer(scorer_pb2_grpc.ScorerServiceServicer):
    """Give it to ``add_ScorerServiceServicer_to_server``.

    Statuses: NOT_FOUND for an unknown run, INVALID_ARGUMENT for a request that cannot be used, INTERNAL for storage.
    """

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer

    async def BeginRun(self, request: pb.BeginRunRequest, context: grpc.aio.ServicerContext[Any, Any]) -> pb.BeginRunResponse:
        try:
            return await self._scorer.begin_run(request)
        except GenlevelError as error:
            await _abort(context, error)

    async def ScoreTask(
        self, request_iterator: AsyncIterator[pb.ScoreTaskRequest], context: grpc.aio.ServicerContext[Any, Any]
    ) -> pb.ScoreTaskResponse:
        try:
            return await self._scorer.score_task(request_iterator, from_network=True)
        except GenlevelError as error:
            await _abort(context, error)

    async def GetVerdict(self, request: pb.GetVerdictRequest, context: grpc.aio.ServicerContext[Any, Any]) -> pb.GetVerdictResponse:
        try:
            return await self._scorer.get_verdict(request)
        except GenlevelError as error:
            await _abort(context, error)

    async def Compare(self, request: pb.CompareRequest, context: grpc.aio.ServicerContext[Any, Any]) -> pb.CompareResponse:
        try:
            return await self._scorer.compare(request)
        except GenlevelError as error:
            await _abort(context, error)

    async def ListInstances(
        self, request: pb.ListInstancesRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[pb.ListInstancesResponse]:
        try:
            async for instance in self._scorer.list_instances(request):
                yield instance
        except GenlevelError as error:
            await _abort(context, error)


async def _abort(context: grpc.aio.ServicerContext[Any, Any], error: GenlevelError) -> NoReturn:
    if isinstance(error, UnknownRun):
        code = grpc.StatusCode.NOT_FOUND
    else:
        code = grpc.StatusCode.INVALID_ARGUMENT if isinstance(error, UsageError) else grpc.StatusCode.INTERNAL
    await context.abort(code, str(error))
    raise AssertionError("abort returned")  # pragma: no cover
