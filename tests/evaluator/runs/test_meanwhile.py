"""What comes while a run is started, comes to its end, or is looked at: nothing of it is lost, or undone."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import threading

import pytest

from evaluator.runs.execution import Execution
from genlevel.runtime.errors import CallFailed, StorageError, UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from tests.evaluator.runs.places import CANNOT, GO_ON, PAUSED, STOPPED, begun, reaches, request_of, rows_of, seen, wish
from tests.waiting import until


async def test_a_run_that_ends_before_its_start_is_told_is_told_as_it_ended(place, suite_folder, monkeypatch):
    command = place.start(continues=False, going=False)
    begin = command._control.begin

    async def begin_and_end(work):
        await begin(work)
        await command._control.ended()

    monkeypatch.setattr(command._control, "begin", begin_and_end)
    folder = suite_folder(4)
    for nothing_left in (False, True):
        started = await command.start_run(request_of(folder))
        run = started.run
        assert (run.status, run.reason, run.counts.answered) == (ev.RUN_STATUS_FINISHED, "", 4)
        assert started.nothing_left == nothing_left


async def test_a_run_that_ends_elsewhere_while_it_is_looked_up_is_not_taken_for_one_whose_process_died(place, suite_folder, monkeypatch):
    worker, other = place.start(), place.start(continues=False, going=False)
    run = await begun(place, worker, suite_folder(8))
    is_orphaned = other._control.is_orphaned

    async def once_it_has_ended(run_id):
        await worker._control.ended()
        return await is_orphaned(run_id)

    monkeypatch.setattr(other._control, "is_orphaned", once_it_has_ended)
    for found in (await seen(other, run.run_id), (await other.list_runs(ev.ListRunsRequest())).runs[0]):
        assert (found.status, found.reason, found.counts.answered) == (ev.RUN_STATUS_FINISHED, "", 8)


@pytest.mark.parametrize("waits_for", ["calls in flight", "scoring", "its end to be stored"])
async def test_a_budget_that_is_raised_while_a_run_that_has_used_it_up_comes_to_its_end_holds(place, suite_folder, monkeypatch, waits_for):
    service = place.start()
    scorer, gateway, going = place.made[0][1], place.gateway, asyncio.Event()
    score_task, generate, written = scorer.score_task, gateway.generate, service._journal.written
    numbers, folder = itertools.count(1), suite_folder(20)
    annotation = folder / "nlp" / "Causal-Reasoning" / "annotation.json"
    annotation.write_text(annotation.read_text().replace("Question 19?", "Question 19? " + "long " * 3_000))

    async def slowly_scored(requests):
        await going.wait()
        return await score_task(requests)

    async def slowly_answered(request, *, timeout_s):
        number = next(numbers)
        response = await generate(request, timeout_s=timeout_s)
        if number == 5:
            response.usage.output_tokens = 20_000
        if number == 6:
            await going.wait()
        return response

    async def slowly_written():
        await going.wait()
        await written()

    if waits_for == "calls in flight":
        monkeypatch.setattr(gateway, "generate", slowly_answered)
    elif waits_for == "scoring":
        monkeypatch.setattr(scorer, "score_task", slowly_scored)
    else:
        monkeypatch.setattr(service._journal, "written", slowly_written)
    run = (await service.start_run(request_of(folder, budget_tokens=10_000))).run
    await until(lambda: run.run_id in service._control.active)
    active = service._control.active[run.run_id]
    try:
        await until(lambda: active.execution._left_out.count and not active.execution.asks)
        await service.update_run(wish(run, budget_tokens=10**12))
    finally:
        going.set()
    ended = await reaches(service, run.run_id, ev.RUN_STATUS_FINISHED)
    assert ended.counts.answered == 20
    assert set(gateway.calls.values()) == {1}


async def test_two_who_change_a_run_at_the_same_time_both_have_their_way(place, suite_folder, monkeypatch):
    service, other = place.start(), place.start(continues=False, going=False)
    run = await begun(place, service, suite_folder(60))
    message, both = service._records.message, asyncio.Barrier(2)

    async def together(record):
        told = await message(record)
        if both.n_waiting < 2 and not both.broken and not released:
            await both.wait()
            released.append(1)
        return told

    released = []
    for evaluator in (service, other):
        monkeypatch.setattr(evaluator._records, "message", together)
    await asyncio.gather(service.update_run(wish(run, budget_tokens=10**9)), other.update_run(wish(run, requests_per_minute=50_000)))
    (row,) = rows_of(place)
    assert json.loads(row["traffic"]) == {"concurrency": 2, "requestsPerMinute": 50_000, "budgetTokens": str(10**9)}


@pytest.mark.parametrize("told", ["update", "cancel"])
async def test_a_stop_that_is_stored_once_the_run_has_finished_leaves_it_finished(place, suite_folder, monkeypatch, told):
    worker, other = place.start(continues=False, going=False), place.start(continues=False, going=False)
    run = await begun(place, worker, suite_folder(8))
    writes = other._journal.writes

    async def once_it_has_ended(*work):
        await worker._control.ended()
        return await writes(*work)

    monkeypatch.setattr(other._journal, "writes", once_it_has_ended)
    if told == "update":
        await other.update_run(wish(run, PAUSED))
    else:
        await other.cancel_run(ev.CancelRunRequest(run_id=run.run_id))
    found = await seen(other, run.run_id)
    assert (found.status, found.wanted, found.reason) == (ev.RUN_STATUS_FINISHED, ev.RUN_WANTED_FINISHED, "")


async def planned_again(place, service, run, meanwhile, **traffic):
    """A start of a run that is there, with what a person does while it is planned (or told to the scorer, if ``late``)."""
    begin_run = service._context.scorer.begin_run

    async def begin(request):
        await meanwhile()
        return await begin_run(request)

    service._context.scorer.begin_run = begin
    return await service.start_run(ev.StartRunRequest(run_id=run.run_id, traffic=ev.TrafficSettings(**traffic)))


async def test_limits_that_are_changed_while_a_start_is_planned_hold(place, suite_folder):
    service = place.start(going=False)
    run = await begun(place, service, suite_folder(20))
    await service.update_run(wish(run, PAUSED))
    await reaches(service, run.run_id, ev.RUN_STATUS_PAUSED)

    async def tuned():
        await service.update_run(wish(run, budget_tokens=10**9))

    await planned_again(place, service, run, tuned, requests_per_minute=50_000)
    assert service._control.active[run.run_id].budget.limits == (None, 10**9)
    (row,) = rows_of(place)
    assert json.loads(row["traffic"]) == {"concurrency": 2, "requestsPerMinute": 50_000, "budgetTokens": str(10**9)}


@pytest.mark.parametrize("by", ["a person", "itself"])
async def test_a_run_that_is_stopped_while_its_start_is_under_way_makes_no_call(place, suite_folder, by):
    service = place.start(going=False)
    run = await begun(place, service, suite_folder(20))
    await service.update_run(wish(run, PAUSED))
    await reaches(service, run.run_id, ev.RUN_STATUS_PAUSED)
    asked = place.gateway.calls.total()
    if by == "itself":
        await service.update_run(wish(run, GO_ON))

    async def stopped():
        await service.update_run(wish(run, STOPPED))

    if by == "itself":
        begin_run = service._context.scorer.begin_run

        async def begin(request):
            await stopped()
            return await begin_run(request)

        service._context.scorer.begin_run = begin
        await service._continuing.look()
    else:
        with pytest.raises(UsageError, match="was stopped by request while"):
            await planned_again(place, service, run, stopped)
    await asyncio.sleep(0.2)
    found = await seen(service, run.run_id)
    assert (found.status, found.wanted, found.reason) == (ev.RUN_STATUS_INTERRUPTED, STOPPED, "stopped by request")
    assert place.gateway.calls.total() == asked


async def test_a_run_that_another_process_has_finished_is_told_so_also_by_who_could_not_store_its_own_end(place, suite_folder, monkeypatch):
    first, other = place.start(going=False), place.start(going=False)

    def end_run(run_id, **facts):
        raise StorageError("the disk is full")

    monkeypatch.setattr(first._journal, "end_run", end_run)
    run = (await first.start_run(request_of(suite_folder(4)))).run
    await first._control.ended()
    assert "could not be stored" in (await seen(first, run.run_id)).reason
    await other._continuing.look()
    await reaches(other, run.run_id, ev.RUN_STATUS_FINISHED)
    assert (await seen(first, run.run_id)).status == ev.RUN_STATUS_FINISHED


async def test_a_pause_that_is_seen_between_a_look_and_its_end_is_not_undone_by_going_on(place, suite_folder):
    service = place.start(going=False)
    run = await begun(place, service, suite_folder(20))
    record = await service._records.find(run.run_id)
    place.gateway.latency_s = 0.3
    await asyncio.sleep(0.1)
    find, service._records.find = service._records.find, None

    async def before(run_id):
        return record

    service._records.find = find
    await service.update_run(wish(run, PAUSED))
    service._records.find = before
    assert service._control.active
    await service._starter.go_on(record)
    service._records.find = find
    assert (await reaches(service, run.run_id, ev.RUN_STATUS_PAUSED)).wanted == PAUSED


def held_answers(gateway, monkeypatch):
    """From now on answers come once the event is set that this returns."""
    generate, going = gateway.generate, asyncio.Event()

    async def later(request, *, timeout_s):
        response = await generate(request, timeout_s=timeout_s)
        await going.wait()
        return response

    monkeypatch.setattr(gateway, "generate", later)
    return going


async def test_a_task_of_which_something_did_not_fit_at_first_is_scored_once_all_of_it_is_asked(place, suite_folder, monkeypatch):
    service, folder, scored = place.start(), suite_folder(100), []
    annotation = folder / "nlp" / "Causal-Reasoning" / "annotation.json"
    long = "long " * 3_000
    annotation.write_text(annotation.read_text().replace("?", f"? {long}").replace(f"Question 0? {long}", "Question 0?"))
    next_chunk, score_task = Execution._next_chunk, place.made[0][1].score_task

    async def slowly(self, key, iterator):
        await asyncio.sleep(0.05)
        return await next_chunk(self, key, iterator)

    async def counted(requests):
        scored.append(place.gateway.calls.total())
        return await score_task(requests)

    monkeypatch.setattr(Execution, "_next_chunk", slowly)
    monkeypatch.setattr(place.made[0][1], "score_task", counted)
    answer = held_answers(place.gateway, monkeypatch)
    run = (await service.start_run(request_of(folder, budget_tokens=10_000))).run
    await until(lambda: place.gateway.calls.total() == 1)
    await service.update_run(wish(run, budget_tokens=10**12))
    answer.set()
    await reaches(service, run.run_id, ev.RUN_STATUS_FINISHED)
    assert scored == [100]


@pytest.mark.parametrize("by", ["run", "specification"])
async def test_a_start_that_comes_while_the_end_before_it_is_stored_is_made_after_it(place, suite_folder, failing_script, monkeypatch, by):
    command, folder, going, written = place.start(continues=False, going=False), suite_folder(4), asyncio.Event(), asyncio.Event()
    store = command._journal.written

    async def slowly_written():
        written.set()
        await going.wait()
        await store()

    monkeypatch.setattr(command._journal, "written", slowly_written)
    place.gateway.script = failing_script(gw.ERROR_CLASS_CREDENTIAL)
    run = (await command.start_run(request_of(folder))).run
    await written.wait()
    place.gateway.script = lambda question, calls: "A"
    starting = asyncio.create_task(command.start_run(ev.StartRunRequest(run_id=run.run_id) if by == "run" else request_of(folder)))
    await asyncio.sleep(0.1)
    going.set()
    assert not (await starting).problems
    assert (await reaches(command, run.run_id, ev.RUN_STATUS_FINISHED)).counts.answered == 4


async def test_a_run_whose_start_is_given_up_while_it_is_stored_is_nobodys_only_once_that_is_done(place, suite_folder, monkeypatch):
    """Else what is stored late would be stored over what another process has made of the run meanwhile."""
    first, other = place.start(going=False), place.start(going=False)
    run = await begun(place, first, suite_folder(20))
    await first.update_run(wish(run, STOPPED))
    await reaches(first, run.run_id, ev.RUN_STATUS_INTERRUPTED)
    start_run, storing, may_store = first._journal.start_run, threading.Event(), threading.Event()

    def slowly_stored(*arguments, **named):
        storing.set()
        may_store.wait(5)
        return start_run(*arguments, **named)

    monkeypatch.setattr(first._journal, "start_run", slowly_stored)
    starting = asyncio.create_task(first.start_run(ev.StartRunRequest(run_id=run.run_id)))
    await until(storing.is_set)
    starting.cancel()
    await asyncio.sleep(0.1)
    was_free = await other._control.is_orphaned(run.run_id)
    may_store.set()
    with contextlib.suppress(asyncio.CancelledError):
        await starting
    assert not was_free
    assert await other._control.is_orphaned(run.run_id)


@pytest.mark.parametrize("raised", [True, False])
async def test_what_failed_and_did_not_fit_when_asked_again_is_asked_once_the_budget_is_raised(place, suite_folder, monkeypatch, raised):
    service, folder, long = place.start(), suite_folder(10), "long " * 3_000
    annotation = folder / "nlp" / "Causal-Reasoning" / "annotation.json"
    annotation.write_text(annotation.read_text().replace("Question 9?", f"Question 9? {long}"))

    def failing(question, calls):
        if question[9] in "89" and calls == 1:
            raise CallFailed(gw.ERROR_CLASS_CALLER_FAULT, "as scripted")
        return "A"

    place.gateway.script = failing
    run = (await service.start_run(request_of(folder))).run
    assert (await reaches(service, run.run_id, ev.RUN_STATUS_FINISHED)).counts.failed == 2
    answer = held_answers(place.gateway, monkeypatch)
    traffic = ev.TrafficSettings(budget_tokens=10_000)
    await service.start_run(ev.StartRunRequest(run_id=run.run_id, retry_failed=True, traffic=traffic))
    await until(lambda: place.gateway.calls.total() == 11)
    if raised:
        await service.update_run(wish(run, budget_tokens=10**12))
    answer.set()
    ended = await reaches(service, run.run_id, ev.RUN_STATUS_FINISHED if raised else ev.RUN_STATUS_BUDGET)
    assert (ended.counts.answered, ended.counts.failed) == ((10, 0) if raised else (9, 1))
    assert place.gateway.calls.total() == (12 if raised else 11)


async def test_a_run_that_cannot_succeed_as_another_process_has_found_meanwhile_is_not_continued(place, suite_folder):
    service = place.start(going=False)
    run = await begun(place, service, suite_folder(20))
    await place.stop(service)
    asked, again = place.gateway.calls.total(), place.start(going=False)
    begin_run = again._context.scorer.begin_run

    async def begin(request):
        place.change(wanted=CANNOT, status=ev.RUN_STATUS_FAILED, reason="the last 25 instances all failed")
        return await begin_run(request)

    again._context.scorer.begin_run = begin
    await again._continuing.look()
    await again._control.ended()
    found = await seen(again, run.run_id)
    assert (found.status, found.wanted, found.reason) == (ev.RUN_STATUS_FAILED, CANNOT, "the last 25 instances all failed")
    assert place.gateway.calls.total() == asked
