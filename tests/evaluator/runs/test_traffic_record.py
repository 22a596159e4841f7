"""What a run's calls were like is recorded while it goes on, kept over restarts, and told to whoever asks."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from evaluator.journal.journal import Journal
from evaluator.journal.spans import Spans
from evaluator.reading import RunReader
from evaluator.runs.limits import Limiters
from evaluator.runs.traffic_record import TrafficRecorder
from genlevel.runtime.errors import ErrorClass, StorageError
from genlevel.runtime.limits import AccountLimiter, Learnt, LimiterState
from genlevel.runtime.settings import Settings
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from tests.evaluator.runs.asking import start
from tests.evaluator.runs.places import GO_ON, PAUSED, begun, reaches, wish


async def traffic_of(evaluator, run):
    return await evaluator.get_traffic(ev.GetTrafficRequest(run_id=run.run_id))


def calls_of(told):
    return sum(span.calls for span in told.spans)


async def test_a_run_tells_of_its_calls_what_was_rejected_and_what_failed(make_evaluator, scripted, failing_script, suite_folder):
    evaluator, _ = make_evaluator()
    scripted.latency_s = 0.01
    limited = failing_script(ErrorClass.RATE_LIMIT, times=1, retry_after_s=0.01)
    wrong = failing_script(ErrorClass.TRANSIENT, times=1)
    scripted.script = lambda question, calls: (wrong if "3" in question else limited)(question, calls)
    run = await start(evaluator, suite_folder(10), ev.TrafficSettings(concurrency=3, requests_per_minute=6000))
    told = await traffic_of(evaluator, run)
    assert (told.run_id, calls_of(told)) == (run.run_id, 20)
    assert sum(span.limited for span in told.spans) == 9
    assert sum(span.failures for span in told.spans) == 1
    assert {span.account for span in told.spans} == {"acct"}
    assert all(span.pace > 0 and 0 < span.concurrency <= 3 for span in told.spans)
    assert set().union(*(span.waits_s for span in told.spans)) & {"retry", "concurrency", "requests", "pace", "provider"}


async def test_a_record_goes_on_after_a_restart_and_is_told_while_the_run_goes_on(place, suite_folder):
    first = place.start()
    run = await begun(place, first, suite_folder(30), calls=6)
    assert 0 < calls_of(await traffic_of(first, run)) < 30
    await first.update_run(wish(run, PAUSED))
    await reaches(first, run.run_id, ev.RUN_STATUS_PAUSED)
    before = calls_of(await traffic_of(first, run))
    await place.stop(first)
    second = place.start()
    await second.update_run(wish(run, GO_ON))
    await reaches(second, run.run_id, ev.RUN_STATUS_FINISHED)
    assert 0 < before < calls_of(await traffic_of(second, run)) == 30
    reader = RunReader(Settings(), data_folder=place.folder, scorer=place.made[-1][1])
    assert calls_of(await traffic_of(reader, run)) == 30
    await reader.close()


async def test_what_was_learnt_of_an_account_is_kept_for_the_next_run_in_any_process(place, suite_folder, monkeypatch):
    """Whatever a limiter learns: the limiter of the next run is given the newest, from this process or from the storage."""
    learnt = Learnt(rate=49.0, concurrency=9, at=time.time())
    given = []

    class Learning(AccountLimiter):
        def __init__(self, **arguments):
            super().__init__(**arguments)
            given.append(arguments["learnt"])

        def learnt(self):
            return replace(learnt, rate=49.0 + len(given))

    monkeypatch.setattr("genlevel.runtime.slices.accounts.AccountLimiter", Learning)
    monkeypatch.setattr("evaluator.runs.traffic_record._TRIED_S", 0.0)
    first = place.start()
    run = await start(first, suite_folder(3))
    told = await traffic_of(first, run)
    assert (told.kept.account, told.kept.rate, told.kept.concurrency) == ("acct", 50.0, 9.0)
    await start(first, suite_folder(4))
    await place.stop(first)
    await start(place.start(), suite_folder(5))
    assert given == [None, replace(learnt, rate=50.0), replace(learnt, rate=51.0)]


async def test_what_a_clock_that_was_ahead_has_stored_gives_way(place):
    journal = Journal(f"sqlite:///{place.folder / 'genlevel.db'}")
    now = time.time()
    for at, kept in ((now - 10, now - 10), (now - 20, now - 10), (now + 1e7, now + 1e7), (now, now)):
        await journal.traffic.keep_learnt("acct", Learnt(rate=1.0, concurrency=0, at=at))
        assert journal.traffic.learnt("acct").at == kept
    journal.close()


class Going:
    """A pass that stands as it is told to."""

    account, calls = "acct", 3

    def __init__(self):
        self.flying, self.failures = 4, {ErrorClass.RATE_LIMIT: 1, ErrorClass.NOT_SENT: 5}

    def failed_calls(self):
        return self.failures

    def in_flight(self):
        return self.flying

    def waiting(self):
        return {"pace": 2, "retry": 0}

    def limits(self):
        return LimiterState(50.0, False, 8, 4, 1, 2)

    def learnt(self):
        return None


class Log:
    """Stores nothing until it is told to. stored: what it was given."""

    def __init__(self):
        self.stored, self.away = [], True

    def traffic(self, spans, *, whole):
        future = asyncio.get_running_loop().create_future()
        if self.away:
            future.set_exception(StorageError("it is away"))
        else:
            self.stored.append((spans, whole))
            future.set_result(None)
        return future


async def test_what_was_seen_before_the_end_holds_to_the_end_and_what_could_not_be_stored_is_stored_later():
    going, log = Going(), Log()
    recorder = TrafficRecorder(log, Spans(), lambda: going)
    await asyncio.sleep(0.001)
    recorder.look()
    recorder._store()
    await asyncio.sleep(0.001)
    log.away, going.flying, going.calls = False, 0, 4
    recorder.end()
    ((spans, whole),) = log.stored
    assert whole
    assert sum(span.calls for span in spans) == 4
    assert sum(span.limited for span in spans) == 1
    assert sum(span.failures for span in spans) == 0
    assert all(span.in_flight_s == pytest.approx(4 * span.seen_s) and set(span.waits_s) == {"pace"} for span in spans)


async def test_a_few_calls_leave_what_is_kept_of_an_account_and_its_age_as_they_were():
    going, log, kept = Going(), Log(), []
    log.away, log.learnt = False, lambda account, learnt: kept.append((account, learnt))
    found = going.learnt = lambda: Learnt(rate=25.0, concurrency=0, at=1.0)
    going.failures = {}
    recorder = TrafficRecorder(log, Spans(), lambda: going)
    await asyncio.sleep(0.001)
    recorder.end()
    assert not kept
    recorder._at -= 11.0  # calls waited for the pace all that time
    recorder.end()
    assert kept == [("acct", found())]
    recorder.end()
    assert len(kept) == 1
    going.failures = {ErrorClass.RATE_LIMIT: 1}
    await asyncio.sleep(0.001)
    recorder.end()
    assert len(kept) == 2


def test_a_limiter_that_is_made_begins_with_what_is_stored_and_one_that_is_in_use_goes_on():
    given = Learnt(rate=5.0, concurrency=0, at=time.time())
    model, limiters = gw.ModelInfo(account="acct"), Limiters(0)
    first = limiters.of(model, ev.TrafficSettings(), set(), learnt=given)
    assert 0 < first.learnt().rate <= 5.0
    assert limiters.of(model, ev.TrafficSettings(), {"acct"}, learnt=None) is first
    again = limiters.of(model, ev.TrafficSettings(), set(), learnt=None)
    assert (again is first, again.learnt()) == (False, None)
