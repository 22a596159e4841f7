"""The evaluator over gRPC: a thin shell over ``evaluator.service.Evaluator``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from typing import Any, TypeVar

import grpc

from evaluator.service import Evaluator
from genlevel.runtime.errors import GenlevelError, NotFoundError, UsageError
from genlevel.runtime.rpc import RpcServer
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import evaluator_pb2_grpc

SERVICE = "genlevel.v1.EvaluatorService"

Message = TypeVar("Message")


class EvaluatorServicer(evaluator_pb2_grpc.EvaluatorServiceServicer):
    """Errors of the tree become statuses: what the caller can mend is INVALID_ARGUMENT, the rest is INTERNAL."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator

    async def PlanRun(self, request: ev.PlanRunRequest, context: Any) -> ev.PlanRunResponse:
        """See the contract."""
        return await _answer(context, self._evaluator.plan_run(request))

    async def StartRun(self, request: ev.StartRunRequest, context: Any) -> ev.StartRunResponse:
        """See the contract."""
        return await _answer(context, self._evaluator.start_run(request))

    async def WatchRun(self, request: ev.WatchRunRequest, context: Any) -> AsyncIterator[ev.WatchRunResponse]:
        """See the contract."""
        async for response in _stream(context, self._evaluator.watch_run(request)):
            yield response

    async def GetRun(self, request: ev.GetRunRequest, context: Any) -> ev.GetRunResponse:
        """See the contract."""
        return await _answer(context, self._evaluator.get_run(request))

    async def ListRuns(self, request: ev.ListRunsRequest, context: Any) -> ev.ListRunsResponse:
        """See the contract."""
        return await _answer(context, self._evaluator.list_runs(request))

    async def CancelRun(self, request: ev.CancelRunRequest, context: Any) -> ev.CancelRunResponse:
        """See the contract."""
        return await _answer(context, self._evaluator.cancel_run(request))

    async def RescoreRun(self, request: ev.RescoreRunRequest, context: Any) -> ev.RescoreRunResponse:
        """See the contract."""
        return await _answer(context, self._evaluator.rescore_run(request))

    async def ListAnswers(self, request: ev.ListAnswersRequest, context: Any) -> AsyncIterator[ev.ListAnswersResponse]:
        """See the contract."""
        async for response in _stream(context, self._evaluator.list_answers(request)):
            yield response


async def _answer(context: Any, work: Awaitable[Message]) -> Message:
    try:
        return await work
    except GenlevelError as error:
        await _abort(context, error)
        raise  # abort itself raises


async def _stream(context: Any, source: AsyncIterator[Message]) -> AsyncIterator[Message]:
    try:
        async for item in source:
            yield item
    except GenlevelError as error:
        await _abort(context, error)


async def _abort(context: Any, error: GenlevelError) -> None:
    if isinstance(error, NotFoundError):
        code = grpc.StatusCode.NOT_FOUND
    else:
        code = grpc.StatusCode.INVALID_ARGUMENT if isinstance(error, UsageError) else grpc.StatusCode.INTERNAL
    await context.abort(code, str(error))


def add_to_server(server: RpcServer, evaluator: Evaluator) -> None:
    """Adds EvaluatorService to a server; health and reflection know it by its full name."""
    server.add(evaluator_pb2_grpc.add_EvaluatorServiceServicer_to_server, EvaluatorServicer(evaluator), SERVICE)
