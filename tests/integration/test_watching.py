"""What a command that watches a run makes of what it sees: when it waits, when it ends, and when it gives up."""

from __future__ import annotations

import asyncio

import pytest

from genlevel.cli import progress
from genlevel.cli.watching import watch
from genlevel.client import following
from genlevel.client.following import patiently
from genlevel.runtime.errors import CallerUnknown, NotFoundError, StorageError, Unavailable
from genlevel.v1 import evaluator_pb2 as ev

RUNNING, PAUSED, INTERRUPTED = ev.RUN_STATUS_RUNNING, ev.RUN_STATUS_PAUSED, ev.RUN_STATUS_INTERRUPTED
GO_ON = ev.RUN_WANTED_GO_ON


def state(status, wanted=GO_ON, reason="", answered=3):
    run = ev.Run(run_id="r", status=status, wanted=wanted, reason=reason)
    run.counts.total, run.counts.answered, run.counts.pending = 10, answered, 10 - answered
    return run


class Scripted:
    """An evaluator whose streams are scripted: states, and errors that break them. The last stream is repeated."""

    def __init__(self, *streams):
        self.streams, self.opened, self.cancelled = streams, 0, []

    async def watch_run(self, request):
        stream = self.streams[min(self.opened, len(self.streams) - 1)]
        self.opened += 1
        for item in stream:
            if isinstance(item, Exception):
                raise item
            yield ev.WatchRunResponse(run=item)

    async def cancel_run(self, request):
        self.cancelled.append(request.now)
        return ev.CancelRunResponse()


AWAY = Unavailable("the evaluator at 127.0.0.1:1 cannot be reached")
END = state(ev.RUN_STATUS_FINISHED, ev.RUN_WANTED_FINISHED, answered=10)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(following, "_PAUSES_S", (0.01,))
    monkeypatch.setattr(following, "AWAY_S", 0.2)


async def watched(*streams, elsewhere=True):
    async with asyncio.timeout(60):
        return await watch(Scripted(*streams), state(RUNNING), elsewhere=elsewhere)


async def test_a_stream_that_breaks_is_opened_again(capsys):
    done = await watched([state(RUNNING), AWAY], [AWAY], [state(RUNNING), END])
    assert (done.run.status, done.stopped, done.left) == (ev.RUN_STATUS_FINISHED, False, "")
    said = capsys.readouterr().err
    assert said.count("the evaluator is away, waiting for it (the evaluator at 127.0.0.1:1 cannot be reached)") == 1, "said once"


async def test_a_service_that_stops_in_order_is_waited_for():
    done = await watched([state(RUNNING), state(INTERRUPTED, reason="the evaluator stopped")], [AWAY], [END])
    assert done.run.status == ev.RUN_STATUS_FINISHED


@pytest.mark.parametrize(
    "streams",
    [
        [[AWAY]],
        [[state(INTERRUPTED, reason="set OPENAI_API_KEY")]],
        [[*[state(INTERRUPTED, reason="set OPENAI_API_KEY")] * 3, AWAY]],
        [[state(ev.RUN_STATUS_FAILED, reason="the scorer cannot be reached")]],
    ],
)
async def test_it_gives_up_when_nothing_has_gone_on_for_too_long(streams):
    done = await watched(*streams)
    assert "nothing has gone on for" in done.left
    assert any(why in done.left for why in ("127.0.0.1:1", "OPENAI_API_KEY", "the scorer cannot be reached"))


async def test_a_run_that_goes_on_in_between_has_its_whole_patience_again():
    slow = [[AWAY]] * 8 + [[state(RUNNING), AWAY]] + [[AWAY]] * 8 + [[END]]
    assert (await watched(*slow)).run.status == ev.RUN_STATUS_FINISHED


async def test_a_paused_run_is_watched_for_as_long_as_it_takes(capsys):
    evaluator = Scripted([state(PAUSED, ev.RUN_WANTED_PAUSED)])
    watcher = asyncio.create_task(watch(evaluator, state(RUNNING), elsewhere=True))
    await asyncio.sleep(0.5)
    assert not watcher.done()
    evaluator.streams = ([END],)
    assert (await asyncio.wait_for(watcher, 60)).run.status == ev.RUN_STATUS_FINISHED
    assert "3/10 | paused; `genlevel tune r --resume` lets it go on" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        (INTERRUPTED, ev.RUN_WANTED_STOPPED),
        (INTERRUPTED, ev.RUN_WANTED_UNSPECIFIED),
        (ev.RUN_STATUS_BUDGET, ev.RUN_WANTED_CANNOT_SUCCEED),
        (ev.RUN_STATUS_FAILED, ev.RUN_WANTED_CANNOT_SUCCEED),
        (ev.RUN_STATUS_FINISHED, ev.RUN_WANTED_FINISHED),
    ],
)
async def test_a_run_of_which_nothing_more_comes_is_at_its_end(status, wanted):
    done = await watched([state(RUNNING), state(status, wanted)], [AssertionError("it was at its end")])
    assert (done.run.status, done.left) == (status, "")


@pytest.mark.parametrize("status", [PAUSED, INTERRUPTED])
async def test_a_command_of_its_own_process_waits_for_nobody(status):
    done = await watched([state(RUNNING), state(status)], [AssertionError("it was at its end")], elsewhere=False)
    assert (done.run.status, done.left) == (status, "")
    with pytest.raises(Unavailable):
        await watched([AWAY], elsewhere=False)


async def test_a_run_that_another_process_works_on_in_the_same_folder_is_watched_to_its_end():
    done = await watched([state(RUNNING)], [state(RUNNING)], [END], elsewhere=False)
    assert (done.run.status, done.left) == (ev.RUN_STATUS_FINISHED, "")


async def test_other_errors_are_told():
    with pytest.raises(NotFoundError):
        await watched([state(RUNNING), NotFoundError("no run 'r' here")])


async def test_who_is_refused_from_now_on_is_told_that_the_run_goes_on():
    done = await watched([state(RUNNING), CallerUnknown("the evaluator: this token is not known")])
    assert (done.run.status, done.left) == (RUNNING, "the evaluator: this token is not known")


async def test_a_storage_that_is_away_is_waited_for_too(capsys):
    assert (await watched([state(RUNNING), StorageError("the database cannot be reached")], [END])).run.status == ev.RUN_STATUS_FINISHED
    assert "the evaluator's storage is away, waiting for it (the database cannot be reached)" in capsys.readouterr().err
    with pytest.raises(StorageError):
        await watched([state(RUNNING), StorageError("the database cannot be reached")], elsewhere=False)


async def test_an_absence_is_said_once_however_long_it_lasts(capsys, monkeypatch):
    monkeypatch.setattr(progress, "PLAIN_INTERVAL_S", 0.02)
    gone = [StorageError("the database cannot be reached")]
    await watched([state(RUNNING)], *[gone] * 9, [state(RUNNING)], *[gone] * 9, [END])
    assert capsys.readouterr().err.count("the evaluator's storage is away") == 2, "once for each absence"


async def test_calls_are_made_again_while_a_service_is_away(monkeypatch):
    tries = []

    async def call():
        tries.append(1)
        if len(tries) < 4:
            raise AWAY
        return "verdict"

    assert await patiently(call, elsewhere=True) == "verdict"
    tries.clear()
    with pytest.raises(Unavailable):
        await patiently(call, elsewhere=False)
    monkeypatch.setattr(following, "_CALLS_AWAY_S", 0.0)
    with pytest.raises(Unavailable):
        await patiently(call, elsewhere=True)
