"""Runs that ask in batches, ended at every step as a crash ends them, stopped, paused, and gone on with: nothing is paid twice or lost."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from contextlib import closing

import pytest

from evaluator.batches.keeping import Keeper
from evaluator.journal.batch_table import BatchTable
from genlevel.runtime.errors import CallFailed, ErrorClass, StorageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from tests.evaluator.batches.gateway import COST
from tests.evaluator.runs.asking import finish, specification, watched
from tests.waiting import until

STEPS = ["filling", "handed over", "accepted", "looked at", "collecting", "collected"]


def started(folder, **traffic):
    return ev.StartRunRequest(specification=specification(folder), traffic=ev.TrafficSettings(batch=True, **traffic))


def once(step, at, then):
    """A hook that does something the so-manieth time that a step is reached."""
    seen = []

    def on(reached):
        if reached == step:
            seen.append(reached)
            if len(seen) == at:
                then()

    return on


@pytest.mark.parametrize("at", [1, 2])
@pytest.mark.parametrize("step", STEPS)
async def test_a_crash_at_any_step_pays_nothing_twice_and_loses_nothing(make_evaluator, scripted, suite_folder, step, at):
    scripted.info.batch.items = 120
    first, _ = make_evaluator(batch_look_s=0.02)
    scripted.on = once(step, at, first.cut)
    run = await finish(first, started(suite_folder(200)))
    assert run.status == ev.RUN_STATUS_INTERRUPTED
    await first.close()
    scripted.on = lambda step: None
    second, _ = make_evaluator(batch_look_s=0.02)
    run = await finish(second, ev.StartRunRequest(run_id=run.run_id))
    assert (run.status, run.counts.answered) == (ev.RUN_STATUS_FINISHED, 200), run.reason
    assert (len(scripted.paid), set(scripted.paid.values())) == (200, {1})
    assert (run.cost_nano_usd, run.most_cost_nano_usd, run.unknown_calls) == (200 * COST, 200 * COST, 0)


async def test_a_crash_while_a_batch_is_looked_for_is_one_as_any(make_evaluator, scripted, suite_folder):
    first, _ = make_evaluator(batch_look_s=0.02)
    scripted.on = once("accepted", 1, first.cut)
    run = await finish(first, started(suite_folder(3)))
    await first.close()
    second, _ = make_evaluator(batch_look_s=0.02)
    scripted.on = once("looked for", 1, second.cut)
    run = await finish(second, ev.StartRunRequest(run_id=run.run_id))
    await second.close()
    assert (run.status, run.batches.batches, run.batches.instances) == (ev.RUN_STATUS_INTERRUPTED, 1, 3)
    third, _ = make_evaluator(batch_look_s=0.02)
    run = await finish(third, ev.StartRunRequest(run_id=run.run_id))
    assert (run.counts.answered, set(scripted.paid.values()), len(scripted.stored)) == (3, {1}, 1)


async def test_what_failed_in_a_batch_keeps_its_tries_over_a_crash(make_evaluator, scripted, suite_folder, failing_script):
    scripted.script = failing_script(gw.ERROR_CLASS_TRANSIENT)
    first, _ = make_evaluator(batch_look_s=0.02, attempts=3)
    scripted.on = once("accepted", 2, first.cut)
    run = await finish(first, started(suite_folder(2)))
    assert run.status == ev.RUN_STATUS_INTERRUPTED
    await first.close()
    scripted.on = lambda step: None
    second, _ = make_evaluator(batch_look_s=0.02, attempts=3)
    run = await finish(second, ev.StartRunRequest(run_id=run.run_id))
    assert (run.counts.failed, scripted.sizes) == (2, [2, 2, 2])


async def test_a_run_that_is_stopped_leaves_its_batches_and_collects_them_when_it_goes_on(make_evaluator, scripted, suite_folder):
    scripted.held = True
    first, _ = make_evaluator(batch_look_s=0.02)
    run = (await first.start_run(started(suite_folder(4)))).run
    await until(lambda: scripted.stored and scripted.stored["batch-1"].looks > 1)
    await first.cancel_run(ev.CancelRunRequest(run_id=run.run_id))
    run = await watched(first, run)
    assert (run.status, run.counts.pending, scripted.cancelled) == (ev.RUN_STATUS_INTERRUPTED, 4, [])
    assert (run.batches.provider, run.batches.batches, run.batches.instances, run.batches.expires_s) == ("compatible", 1, 4, 2e9)
    assert (run.cost_nano_usd, run.unknown_calls) == (0, 4)
    assert run.most_cost_nano_usd > 4 * COST
    scripted.held = False
    run = await finish(first, ev.StartRunRequest(run_id=run.run_id))
    assert (run.counts.answered, scripted.sizes, run.cost_nano_usd) == (4, [4], 4 * COST)


async def test_what_waits_in_batches_is_shown_while_the_run_goes_on(make_evaluator, scripted, suite_folder):
    scripted.held = True
    evaluator, _ = make_evaluator(batch_look_s=0.02)
    run = (await evaluator.start_run(started(suite_folder(4)))).run
    async for progress in evaluator.watch_run(ev.WatchRunRequest(run_id=run.run_id)):
        if progress.run.batches.batches:
            break
    assert progress.waiting["batch"] == 4
    scripted.held = False
    run = await watched(evaluator, run)
    assert run.counts.answered == 4


async def test_a_run_that_is_told_to_stop_has_its_batches_cancelled_and_pays_for_what_was_answered(make_evaluator, scripted, suite_folder):
    scripted.held = True
    evaluator, _ = make_evaluator(batch_look_s=0.02)
    run = (await evaluator.start_run(started(suite_folder(4)))).run
    await until(lambda: scripted.stored and scripted.stored["batch-1"].looks > 1)
    await evaluator.update_run(ev.UpdateRunRequest(run_id=run.run_id, wanted=ev.RUN_WANTED_STOPPED))
    run = await watched(evaluator, run)
    assert (run.status, run.counts.answered, run.counts.pending) == (ev.RUN_STATUS_INTERRUPTED, 2, 2)
    assert (scripted.cancelled, run.HasField("batches"), run.cost_nano_usd, run.unknown_calls) == (["batch-1"], False, 2 * COST, 0)
    scripted.held = False
    run = await finish(evaluator, ev.StartRunRequest(run_id=run.run_id))
    assert (run.counts.answered, set(scripted.paid.values()), scripted.sizes) == (4, {1}, [4, 2])


async def test_batches_of_a_run_that_nobody_works_on_are_cancelled_when_it_is_told_to_stop(make_evaluator, scripted, suite_folder):
    scripted.held = True
    evaluator, _ = make_evaluator(batch_look_s=0.02)
    run = (await evaluator.start_run(started(suite_folder(4)))).run
    await until(lambda: scripted.stored and scripted.stored["batch-1"].looks > 1)
    await evaluator.cancel_run(ev.CancelRunRequest(run_id=run.run_id))
    await watched(evaluator, run)
    await evaluator.close()
    other, _ = make_evaluator(batch_look_s=0.02)
    told = await other.update_run(ev.UpdateRunRequest(run_id=run.run_id, wanted=ev.RUN_WANTED_STOPPED))
    run = await watched(other, told.run)
    assert (run.status, run.counts.answered, run.HasField("batches")) == (ev.RUN_STATUS_INTERRUPTED, 2, False)
    assert (scripted.cancelled, run.reason) == (["batch-1"], "stopped by request")


async def test_what_is_left_can_be_asked_call_by_call(make_evaluator, scripted, suite_folder):
    scripted.info.batch.items, scripted.looks = 2, 3
    first, _ = make_evaluator(batch_look_s=0.02)
    scripted.on = once("looked at", 2, first.cut)
    run = await finish(first, started(suite_folder(3)))
    await first.close()
    scripted.info.ClearField("batch")
    second, _ = make_evaluator(batch_look_s=0.02)
    run = await finish(second, ev.StartRunRequest(run_id=run.run_id, traffic=ev.TrafficSettings(batch=False), retry_failed=True))
    assert run.counts.answered == 3
    assert sum(scripted.paid.values()) + scripted.single == 3


async def test_items_and_batches_are_all_closed_at_the_end(run_in_batches, suite_folder, scripted, tmp_path):
    scripted.most = 2
    run, *_ = await run_in_batches(suite_folder(5))
    with sqlite3.connect(tmp_path / "data" / "genlevel.db") as database:
        assert database.execute("select distinct state from evaluator_batches").fetchall() == [(3,)]
        states = dict(database.execute("select state, count(*) from evaluator_batch_items group by state").fetchall())
    database.close()
    assert set(states) == {1}
    assert run.counts.answered == 5


async def test_a_run_whose_lock_is_lost_writes_nothing_more_and_says_so(make_evaluator, scripted, suite_folder):
    """What another process may be doing by now is left to it; the batch that was handed over is found by its key."""
    evaluator, _ = make_evaluator(batch_look_s=0.02)

    def lose():
        for active in evaluator._control.active.values():
            active.log._lock.held = False

    scripted.on = once("accepted", 1, lose)
    run = await finish(evaluator, started(suite_folder(3)))
    assert (run.status, "its lock was lost" in run.reason, run.batches.batches) == (ev.RUN_STATUS_INTERRUPTED, True, 1)
    scripted.on = lambda step: None
    run = await finish(evaluator, ev.StartRunRequest(run_id=run.run_id))
    assert (run.counts.answered, set(scripted.paid.values()), scripted.sizes) == (3, {1}, [3])


async def test_a_full_disk_ends_the_run_in_one_line_and_nothing_is_paid_twice(make_evaluator, scripted, suite_folder, monkeypatch):
    evaluator, _ = make_evaluator(batch_look_s=0.02)
    end, full = BatchTable.end, [True]

    def ended(table, ends, lease=None):
        if not full:
            return end(table, ends, lease)
        writing = asyncio.get_running_loop().create_future()
        writing.set_exception(StorageError("the disk is full"))
        return writing

    monkeypatch.setattr(BatchTable, "end", ended)
    run = await finish(evaluator, started(suite_folder(3)))
    assert (run.status, run.reason, run.counts.pending) == (ev.RUN_STATUS_FAILED, "the disk is full", 3)
    full.clear()
    run = await finish(evaluator, ev.StartRunRequest(run_id=run.run_id))
    assert (run.counts.answered, set(scripted.paid.values()), run.cost_nano_usd) == (3, {1}, 3 * COST)


@pytest.mark.parametrize("times", [1, 2])
async def test_what_failed_and_is_in_a_batch_again_is_counted_once_after_a_crash(
    make_evaluator, scripted, suite_folder, failing_script, times
):
    scripted.script = failing_script(gw.ERROR_CLASS_TRANSIENT, times=times)
    first, _ = make_evaluator(batch_look_s=0.02, attempts=4)
    scripted.on = once("accepted", 2, first.cut)
    run = await finish(first, started(suite_folder(3)))
    await first.close()
    scripted.on = lambda step: None
    second, _ = make_evaluator(batch_look_s=0.02, attempts=4)
    run = await finish(second, ev.StartRunRequest(run_id=run.run_id))
    assert (run.status, run.counts.answered, run.counts.failed) == (ev.RUN_STATUS_FINISHED, 3, 0), run.reason
    assert (set(scripted.paid.values()), run.cost_nano_usd) == ({1}, 3 * COST)


async def test_what_expired_without_an_answer_is_counted_once_after_a_crash(make_evaluator, scripted, suite_folder):
    scripted.most = 1
    first, _ = make_evaluator(batch_look_s=0.02, attempts=9)
    scripted.on = once("filling", 2, first.cut)
    run = await finish(first, started(suite_folder(4)))
    await first.close()
    scripted.on = lambda step: None
    second, _ = make_evaluator(batch_look_s=0.02, attempts=9)
    run = await finish(second, ev.StartRunRequest(run_id=run.run_id))
    assert (run.status, run.counts.answered, run.counts.failed) == (ev.RUN_STATUS_FINISHED, 4, 0), run.reason


async def test_a_crash_before_it_is_stored_what_the_gateway_did_not_take_leaves_no_unknown_cost(make_evaluator, scripted, suite_folder):
    scripted.rejects = ("Question 1?", "Question 2?")
    first, _ = make_evaluator(batch_look_s=0.02)
    end = Keeper.end

    async def cut(keeper, waiting, came):
        first.cut()
        await asyncio.sleep(3600)

    Keeper.end = cut
    try:
        run = await finish(first, started(suite_folder(4)))
    finally:
        Keeper.end = end
    await first.close()
    second, _ = make_evaluator(batch_look_s=0.02)
    run = await finish(second, ev.StartRunRequest(run_id=run.run_id))
    assert (run.counts.answered, run.counts.unsupported, run.unknown_calls) == (2, 2, 0)
    assert (run.cost_nano_usd, run.most_cost_nano_usd) == (2 * COST, 2 * COST)


async def test_what_failed_and_was_lost_on_its_way_to_the_provider_is_asked_again(make_evaluator, scripted, suite_folder, failing_script):
    """It was in a batch of which nobody knows whether it was taken, and which turns out never to have been."""
    scripted.script = failing_script(gw.ERROR_CLASS_TRANSIENT, times=1)
    first, _ = make_evaluator(batch_look_s=0.02)
    scripted.on = once("handed over", 2, first.cut)
    run = await finish(first, started(suite_folder(3)))
    await first.close()
    assert (run.status, run.counts.failed, run.batches.instances) == (ev.RUN_STATUS_INTERRUPTED, 3, 3)
    scripted.stored.pop("batch-2", None)
    scripted.on = lambda step: None
    second, _ = make_evaluator(batch_look_s=0.02)
    run = await finish(second, ev.StartRunRequest(run_id=run.run_id))
    assert (run.counts.answered, run.counts.failed, run.counts.pending) == (3, 0, 0)


@pytest.mark.parametrize("seed", [*range(3), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(3, 60))])
async def test_whatever_goes_wrong_each_instance_is_paid_once_and_the_cost_is_exact(make_evaluator, scripted, suite_folder, seed):
    """Crashes, connections that break, full queues, expiry and failures at random, again and again, until all is done."""
    chance = random.Random(seed)
    scripted.info.batch.items = chance.choice([3, 7, 1000])
    scripted.keyless = chance.random() < 0.3
    scripted.looks = chance.randrange(1, 4)
    folder, run_id, starts = suite_folder(25), "", 0
    troubles = [ErrorClass.RATE_LIMIT, ErrorClass.TRANSIENT, ErrorClass.TIMEOUT]

    def script(question, calls):
        if calls < 4 and chance.random() < 0.2:
            raise CallFailed(chance.choice(troubles), "it fails at times")
        return "A"

    scripted.script = script
    while True:
        evaluator, _ = make_evaluator(batch_look_s=0.01, attempts=100)
        cuts = evaluator.cut if starts < 8 else (lambda: None)
        scripted.most = chance.choice([None, None, 2])
        scripted.failed_with = [(gw.ERROR_CLASS_RATE_LIMIT, "full")] * chance.choice([0, 0, 1])

        def on(step, cuts=cuts):
            if chance.random() < 0.06:
                cuts()
            elif step in ("handed over", "accepted") and chance.random() < 0.2:
                raise CallFailed(ErrorClass.TRANSIENT, "the connection broke", may_be_charged=True)
            elif step in ("filling", "looked at", "looked for", "collecting") and chance.random() < 0.1:
                raise CallFailed(chance.choice(troubles), "not now")

        scripted.on = on
        request = ev.StartRunRequest(run_id=run_id) if run_id else started(folder)
        run = await finish(evaluator, request)
        await evaluator.close()
        run_id, starts = run.run_id, starts + 1
        assert starts < 100
        if run.status == ev.RUN_STATUS_FINISHED:
            break
    assert (run.counts.answered, run.counts.failed, set(scripted.paid.values()), len(scripted.paid)) == (25, 0, {1}, 25)
    assert (run.cost_nano_usd, run.most_cost_nano_usd, run.unknown_calls) == (25 * COST, 25 * COST, 0)


@pytest.mark.parametrize("expires", [2e9, 1.0])
async def test_a_key_that_does_not_know_the_batches_of_a_run_loses_none(make_evaluator, scripted, suite_folder, tmp_path, expires):
    """It may be another project's: then what is there is paid, and is not to be asked again. What is over for long is given up."""
    scripted.held = True
    first, _ = make_evaluator(batch_look_s=0.02)
    run = (await first.start_run(started(suite_folder(2)))).run
    await until(lambda: scripted.stored and scripted.stored["batch-1"].looks > 1)
    first.cut()
    await watched(first, run)
    await first.close()
    with closing(sqlite3.connect(tmp_path / "data" / "genlevel.db")) as database, database:
        database.execute("update evaluator_batches set expires = ?", (expires,))
    elsewhere, scripted.stored, scripted.held = scripted.stored, {}, False
    second, _ = make_evaluator(batch_look_s=0.02)
    run = await finish(second, ev.StartRunRequest(run_id=run.run_id))
    if expires == 1.0:
        assert (run.status, run.counts.failed, run.unknown_calls) == (ev.RUN_STATUS_FAILED, 2, 2)
        return
    assert (run.status, run.counts.pending, run.batches.batches) == (ev.RUN_STATUS_FAILED, 2, 1)
    assert "is the key, or the address, another than it was submitted with?" in run.reason
    scripted.stored = elsewhere
    run = await finish(second, ev.StartRunRequest(run_id=run.run_id))
    assert (run.status, run.counts.answered, scripted.sizes) == (ev.RUN_STATUS_FINISHED, 2, [2]), run.reason


async def test_a_batch_that_is_gone_is_given_up(make_evaluator, scripted, suite_folder):
    scripted.held = True
    evaluator, _ = make_evaluator(batch_look_s=0.02)
    run = (await evaluator.start_run(started(suite_folder(2)))).run
    await until(lambda: scripted.stored and scripted.stored["batch-1"].looks > 1)
    scripted.stored.clear()
    run = await watched(evaluator, run)
    assert (run.counts.failed, run.unknown_calls) == (2, 2)
