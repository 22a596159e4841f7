"""What a client that watches makes of services that refuse it, stay away or come back; the services are scripted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import pytest

from genlevel.client import following
from genlevel.client.async_runs import AsyncRun
from genlevel.errors import CallerUnknown, NotFoundError, Unavailable
from genlevel.v1 import evaluator_pb2 as ev

AWAY = Unavailable("the evaluator at 127.0.0.1:1 cannot be reached")
RUNNING = ev.Run(run_id="r", status=ev.RUN_STATUS_RUNNING, wanted=ev.RUN_WANTED_GO_ON)
FINISHED = ev.Run(run_id="r", status=ev.RUN_STATUS_FINISHED, wanted=ev.RUN_WANTED_FINISHED)


@dataclass
class Scripted:
    """Services elsewhere, as a connection has them: each stream of a watched run is a list of states and of errors that end it."""

    streams: list[list[ev.Run | Exception]]
    elsewhere: bool = True

    @property
    def evaluator(self) -> Self:
        return self

    def using(self) -> Self:
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Nothing is open."""

    async def watch_run(self, request: ev.WatchRunRequest) -> AsyncIterator[ev.WatchRunResponse]:
        for item in self.streams.pop(0) if len(self.streams) > 1 else self.streams[0]:
            if isinstance(item, Exception):
                raise item
            yield ev.WatchRunResponse(run=item)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_PAUSES_S", (0.01,))
    monkeypatch.setattr(following, "AWAY_S", 0.1)


def run_over(*streams: list[Any]) -> AsyncRun:
    return AsyncRun(Scripted(list(streams)), RUNNING)  # type: ignore[arg-type]


async def test_a_service_that_comes_back_is_watched_on() -> None:
    run = run_over([RUNNING, AWAY], [AWAY], [RUNNING, FINISHED])
    assert [progress.run.status.value async for progress in run.watch()] == ["running", "running", "finished"]
    assert run.last.status == "finished"


async def test_a_service_that_stays_away_is_told_after_a_while() -> None:
    with pytest.raises(Unavailable, match=r"nothing has gone on for .*cannot be reached"):
        await run_over([RUNNING, AWAY], [AWAY]).wait()


async def test_a_caller_who_is_refused_meanwhile_gets_that_error() -> None:
    refused = CallerUnknown("the evaluator at 127.0.0.1:1: the token of me has expired")
    with pytest.raises(CallerUnknown, match="has expired"):
        await run_over([RUNNING, refused]).wait()


async def test_a_run_that_is_deleted_meanwhile_is_told() -> None:
    with pytest.raises(NotFoundError, match="no run r here"):
        await run_over([RUNNING, AWAY], [NotFoundError("no run r here")]).wait()
