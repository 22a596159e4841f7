"""Runs at the configured services and, beside them, those that a command made by itself in its folder (``--base-url``)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

from genlevel.connection.services import RunsPort, VerdictPort
from genlevel.runtime.errors import GenlevelError, NotFoundError, UsageError

if TYPE_CHECKING:
    from genlevel.v1 import evaluator_pb2 as ev
    from genlevel.v1 import scorer_pb2 as sc

Request = TypeVar("Request")
Response = TypeVar("Response")
Ask = Callable[[Request], Awaitable[Response]]
AskForMany = Callable[[Request], AsyncIterator[Response]]


class RunsOfBoth:
    """RunsPort: asks the services first, and the folder for what they do not have, or if they do not answer."""

    def __init__(self, there: RunsPort, here: RunsPort) -> None:
        self._there = there
        self._here = here

    async def get_run(self, request: ev.GetRunRequest) -> ev.GetRunResponse:
        return await _either(self._there.get_run, self._here.get_run, request)

    async def watch_run(self, request: ev.WatchRunRequest) -> AsyncIterator[ev.WatchRunResponse]:
        async for progress in _either_of_many(self._there.watch_run, self._here.watch_run, request):
            yield progress

    async def list_runs(self, request: ev.ListRunsRequest) -> ev.ListRunsResponse:
        """The services' alone."""
        return await self._there.list_runs(request)

    async def describe_run(self, request: ev.DescribeRunRequest) -> ev.DescribeRunResponse:
        return await _either(self._there.describe_run, self._here.describe_run, request)

    async def delete_run(self, request: ev.DeleteRunRequest) -> ev.DeleteRunResponse:
        return await _either(self._there.delete_run, self._here.delete_run, request)

    async def update_run(self, request: ev.UpdateRunRequest) -> ev.UpdateRunResponse:
        return await _either(self._there.update_run, self._here.update_run, request)

    async def list_answers(self, request: ev.ListAnswersRequest) -> AsyncIterator[ev.ListAnswersResponse]:
        async for answer in _either_of_many(self._there.list_answers, self._here.list_answers, request):
            yield answer

    async def search_answers(self, request: ev.SearchAnswersRequest) -> ev.SearchAnswersResponse:
        return await _either(self._there.search_answers, self._here.search_answers, request)

    async def read_media(self, request: ev.ReadMediaRequest) -> AsyncIterator[ev.ReadMediaResponse]:
        async for part in _either_of_many(self._there.read_media, self._here.read_media, request):
            yield part

    async def get_traffic(self, request: ev.GetTrafficRequest) -> ev.GetTrafficResponse:
        return await _either(self._there.get_traffic, self._here.get_traffic, request)

    async def list_workers(self, request: ev.ListWorkersRequest) -> ev.ListWorkersResponse:
        """The services' alone."""
        return await self._there.list_workers(request)

    async def change_dead_letter(self, request: ev.ChangeDeadLetterRequest) -> ev.ChangeDeadLetterResponse:
        """The services' alone."""
        return await self._there.change_dead_letter(request)


class VerdictsOfBoth:
    """VerdictPort: the same of the scorer."""

    def __init__(self, there: VerdictPort, here: VerdictPort) -> None:
        self._there = there
        self._here = here

    async def get_verdict(self, request: sc.GetVerdictRequest) -> sc.GetVerdictResponse:
        return await _either(self._there.get_verdict, self._here.get_verdict, request)

    async def compare(self, request: sc.CompareRequest) -> sc.CompareResponse:
        return await _either(self._there.compare, self._here.compare, request)

    async def list_standings(self, request: sc.ListStandingsRequest) -> AsyncIterator[sc.ListStandingsResponse]:
        """Those of the services, then those of the folder that they do not have."""
        missing, there = dict.fromkeys(request.run_ids), False
        try:
            async for standing in self._there.list_standings(request):
                there = True
                missing.pop(standing.run_id, None)
                yield standing
        except GenlevelError as error:
            if there or not _may_be_here(error):
                raise
        async for standing in self._here.list_standings(_of_these(request, missing)):
            yield standing

    async def list_instances(self, request: sc.ListInstancesRequest) -> AsyncIterator[sc.ListInstancesResponse]:
        async for instance in _either_of_many(self._there.list_instances, self._here.list_instances, request):
            yield instance


def _of_these(request: sc.ListStandingsRequest, run_ids: Iterable[str]) -> sc.ListStandingsRequest:
    from genlevel.v1 import scorer_pb2 as sc

    return sc.ListStandingsRequest(run_ids=run_ids, references=request.references, kept=request.kept)


def _may_be_here(error: GenlevelError) -> bool:
    """Whether the services do not have it, or do not answer; what they refuse is refused."""
    return isinstance(error, NotFoundError) or not isinstance(error, UsageError)


async def _either(there: Ask[Request, Response], here: Ask[Request, Response], request: Request) -> Response:
    try:
        return await there(request)
    except GenlevelError as error:
        if not _may_be_here(error):
            raise
        try:
            return await here(request)
        except NotFoundError:
            raise error from None


async def _either_of_many(
    there: AskForMany[Request, Response], here: AskForMany[Request, Response], request: Request
) -> AsyncIterator[Response]:
    begun = False
    try:
        async for response in there(request):
            begun = True
            yield response
        return
    except GenlevelError as error:
        if begun or not _may_be_here(error):
            raise
        missed = error
    try:
        async for response in here(request):
            yield response
    except NotFoundError:
        raise missed from None
