"""What a run's calls were like is recorded while it goes on, kept over restarts, and told to whoever asks."""

from __future__ import annotations

import time
from dataclasses import replace

from evaluator.journal.journal import Journal
from evaluator.reading import RunReader
from genlevel.runtime.errors import ErrorClass
from genlevel.runtime.limits import AccountLimiter, Learnt
from genlevel.runtime.settings import Settings
from genlevel.v1 import evaluator_pb2 as ev
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
    reader = RunReader(Settings(), data_folder=place.folder)
    assert calls_of(await traffic_of(reader, run)) == 30
    await reader.close()


async def test_what_was_learnt_of_an_account_is_kept_for_the_next_run_in_any_process(place, suite_folder, monkeypatch):
    """Whatever a limiter learns: the limiter of the next run is given the newest, from this process or from the storage."""
    learnt = Learnt(rate=49.0, burst=2.0, concurrency=9, headers_held=None, at=time.time())
    given = []

    class Learning(AccountLimiter):
        def __init__(self, **arguments):
            super().__init__(**arguments)
            given.append(arguments["learnt"])

        def learnt(self):
            return replace(learnt, rate=49.0 + len(given))

    monkeypatch.setattr("evaluator.runs.limits.AccountLimiter", Learning)
    first = place.start()
    run = await start(first, suite_folder(3))
    told = await traffic_of(first, run)
    assert (told.kept.account, told.kept.rate, told.kept.burst, told.kept.concurrency) == ("acct", 50.0, 2.0, 9.0)
    await start(first, suite_folder(4))
    await place.stop(first)
    await start(place.start(), suite_folder(5))
    assert given == [None, replace(learnt, rate=50.0), replace(learnt, rate=51.0)]


async def test_what_a_clock_that_was_ahead_has_stored_gives_way(place):
    journal = Journal(f"sqlite:///{place.folder / 'genlevel.db'}")
    now = time.time()
    for at, kept in ((now - 10, now - 10), (now - 20, now - 10), (now + 1e7, now + 1e7), (now, now)):
        await journal.traffic.keep_learnt("acct", Learnt(rate=1.0, burst=0.0, concurrency=0, headers_held=None, at=at))
        assert journal.traffic.learnt("acct").at == kept
    journal.close()
