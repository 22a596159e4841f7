"""What is wanted of a run holds over restarts and across processes: it goes on, stays paused or stopped, and follows new limits."""

from __future__ import annotations

import asyncio
import json

import pytest

from evaluator.runs import control
from genlevel.runtime.errors import CallerUnknown, NotFoundError, Unavailable, UsageError
from genlevel.runtime.limits import Share
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from tests.evaluator.runs.places import CANNOT, GO_ON, PAUSED, STOPPED, begun, priced, reaches, request_of, rows_of, seen, wish
from tests.next_version import migrate_to_next
from tests.waiting import until


async def test_a_run_that_a_stopped_service_left_goes_on_by_itself(place, suite_folder):
    first = place.start()
    run = await begun(place, first, suite_folder(20))
    assert (await seen(first, run.run_id)).wanted == GO_ON
    await place.stop(first)
    asked = place.gateway.calls.total()
    assert asked < 20
    second = place.start()
    ended = await reaches(second, run.run_id, ev.RUN_STATUS_FINISHED)
    assert (ended.counts.answered, ended.wanted) == (20, ev.RUN_WANTED_FINISHED)
    assert set(place.gateway.calls.values()) == {1}, "nothing is asked twice"
    await place.stop(second)
    third = place.start()
    await asyncio.sleep(0.2)
    assert not third._control.active


async def test_a_run_of_a_killed_process_goes_on(place, suite_folder):
    first = place.start()
    run = await begun(place, first, suite_folder(20))
    await place.stop(first)
    place.change(status=ev.RUN_STATUS_RUNNING, reason="")  # as a kill leaves it
    second = place.start()
    assert (await reaches(second, run.run_id, ev.RUN_STATUS_FINISHED)).counts.answered == 20


async def test_a_run_of_a_command_is_not_continued_by_a_service(place, suite_folder):
    command = place.start(continues=False, going=False)
    run = await begun(place, command, suite_folder(20))
    await place.stop(command)
    place.change(status=ev.RUN_STATUS_RUNNING)
    service = place.start()
    await asyncio.sleep(0.3)
    assert (await seen(service, run.run_id)).status == ev.RUN_STATUS_INTERRUPTED
    assert not service._control.active


async def test_a_command_does_not_continue_a_services_run(place, suite_folder):
    service = place.start()
    run = await begun(place, service, suite_folder(20))
    await place.stop(service)
    command = place.start(continues=False, going=False)
    *_, last = [progress.run async for progress in command.watch_run(ev.WatchRunRequest(run_id=run.run_id))]
    assert (last.status, last.wanted) == (ev.RUN_STATUS_INTERRUPTED, GO_ON)


@pytest.mark.parametrize(("wanted", "status"), [(PAUSED, ev.RUN_STATUS_PAUSED), (STOPPED, ev.RUN_STATUS_INTERRUPTED)])
async def test_what_a_person_holds_stays_held_over_restarts(place, suite_folder, wanted, status):
    first = place.start()
    run = await begun(place, first, suite_folder(30))
    await first.update_run(wish(run, wanted))
    held = await reaches(first, run.run_id, status)
    assert held.wanted == wanted
    asked = place.gateway.calls.total()
    await asyncio.sleep(0.2)
    assert place.gateway.calls.total() == asked, "no further call begins"
    assert not first._control.active, "it holds no slot and no money"
    await place.stop(first)
    second = place.start()
    await asyncio.sleep(0.3)
    assert (await seen(second, run.run_id)).status == status
    assert place.gateway.calls.total() == asked
    await second.update_run(wish(run, GO_ON))
    assert (await reaches(second, run.run_id, ev.RUN_STATUS_FINISHED)).counts.answered == 30
    assert set(place.gateway.calls.values()) == {1}


async def test_a_stop_that_a_kill_followed_at_once_holds(place, suite_folder):
    first = place.start()
    run = await begun(place, first, suite_folder(20))
    await place.stop(first)
    place.change(status=ev.RUN_STATUS_RUNNING, wanted=STOPPED)
    second = place.start()
    assert (await reaches(second, run.run_id, ev.RUN_STATUS_INTERRUPTED)).reason == "stopped by request"


async def test_cancelling_is_a_stop_that_is_kept(place, suite_folder):
    first = place.start()
    run = await begun(place, first, suite_folder(20))
    await first.cancel_run(ev.CancelRunRequest(run_id=run.run_id))
    assert (await reaches(first, run.run_id, ev.RUN_STATUS_INTERRUPTED)).wanted == STOPPED


async def test_cancelling_a_run_that_has_ended_leaves_it_as_it_is(place, suite_folder):
    service = place.start()
    run = (await service.start_run(request_of(suite_folder(4)))).run
    ended = await reaches(service, run.run_id, ev.RUN_STATUS_FINISHED)
    await service.cancel_run(ev.CancelRunRequest(run_id=run.run_id))
    left = await seen(service, run.run_id)
    assert (left.status, left.wanted, left.reason) == (ended.status, ev.RUN_WANTED_FINISHED, "")


async def test_a_wish_that_comes_while_the_run_pauses_is_not_lost(place, suite_folder):
    service = place.start()
    run = await begun(place, service, suite_folder(20))
    await service.update_run(wish(run, PAUSED))
    await service.update_run(wish(run, GO_ON))
    assert (await reaches(service, run.run_id, ev.RUN_STATUS_FINISHED)).counts.answered == 20


@pytest.mark.parametrize("by", ["run", "specification"])
async def test_a_run_that_is_started_while_it_is_being_stopped_goes_on(place, suite_folder, by):
    service, folder = place.start(), suite_folder(20)
    run = await begun(place, service, folder)
    place.gateway.latency_s = 1.0
    await asyncio.sleep(0.1)
    await service.cancel_run(ev.CancelRunRequest(run_id=run.run_id))
    assert run.run_id in service._control.active, "calls in flight end first"
    await service.start_run(ev.StartRunRequest(run_id=run.run_id) if by == "run" else request_of(folder))
    place.gateway.latency_s = 0.0
    assert (await reaches(service, run.run_id, ev.RUN_STATUS_FINISHED)).counts.answered == 20
    assert set(place.gateway.calls.values()) == {1}


async def test_whoever_works_on_a_run_follows_what_another_process_was_told(place, suite_folder, monkeypatch):
    monkeypatch.setattr(control, "LOOK_S", 1.0)
    worker = place.start()
    other = place.start(continues=False, going=False)
    run = await begun(place, worker, suite_folder(400))
    told = await other.update_run(wish(run, PAUSED))
    assert told.run.status == ev.RUN_STATUS_RUNNING, "it has not seen it yet"
    await reaches(worker, run.run_id, ev.RUN_STATUS_PAUSED)
    told = await other.update_run(wish(run, GO_ON))
    assert any("a service over this storage goes on with it" in note for note in told.problems)
    await reaches(worker, run.run_id, ev.RUN_STATUS_RUNNING)
    await other.cancel_run(ev.CancelRunRequest(run_id=run.run_id, now=True))
    assert (await reaches(worker, run.run_id, ev.RUN_STATUS_INTERRUPTED)).wanted == STOPPED


async def test_a_stop_at_once_that_another_process_was_told_ends_calls_in_flight(place, suite_folder):
    worker, other = place.start(), place.start(continues=False, going=False)
    run = await begun(place, worker, suite_folder(20))
    place.gateway.latency_s = 60.0
    await asyncio.sleep(0.1)
    await other.cancel_run(ev.CancelRunRequest(run_id=run.run_id, now=True))
    await reaches(worker, run.run_id, ev.RUN_STATUS_INTERRUPTED)


async def test_a_run_that_the_scorer_left_alone_goes_on_when_it_is_back(place, suite_folder):
    service = place.start()
    scorer, away = place.made[0][1], [True]
    there = scorer.score_task

    async def score_task(requests):
        if away[0]:
            raise Unavailable("the scorer cannot be reached")
        return await there(requests)

    scorer.score_task = score_task
    run = (await service.start_run(request_of(suite_folder(6)))).run
    await until(lambda: place.gateway.calls.total() == 6)
    await reaches(service, run.run_id, ev.RUN_STATUS_FAILED)
    waits = await seen(service, run.run_id)
    assert waits.wanted == GO_ON
    away[0] = False
    assert (await reaches(service, run.run_id, ev.RUN_STATUS_FINISHED)).counts.answered == 6
    assert set(place.gateway.calls.values()) == {1}


@pytest.mark.parametrize(("refusals", "ends"), [(1, ev.RUN_STATUS_FINISHED), (2, ev.RUN_STATUS_FAILED)])
async def test_a_token_that_is_replaced_while_a_task_is_sent_to_the_scorer_ends_no_run(place, suite_folder, refusals, ends):
    service = place.start()
    scorer, sent = place.made[0][1], []
    there = scorer.score_task

    async def score_task(requests):
        sent.append([request async for request in requests])
        if len(sent) <= refusals:
            raise CallerUnknown("the scorer: this token is not known")

        async def again():
            for request in sent[-1]:
                yield request

        return await there(again())

    scorer.score_task = score_task
    run = (await service.start_run(request_of(suite_folder(6)))).run
    assert (await reaches(service, run.run_id, ends)).counts.answered == 6
    assert len(sent) == 2
    assert sent[0] == sent[1]


@pytest.mark.parametrize("latency_s", [0.0, 0.2], ids=["", "before its start is told"])
async def test_a_run_that_ends_at_once_again_and_again_is_continued_ever_more_rarely(place, suite_folder, monkeypatch, latency_s):
    service = place.start()
    begins, message = [], service._records.message

    async def slow_message(*arguments):
        await asyncio.sleep(latency_s)
        return await message(*arguments)

    monkeypatch.setattr(service._records, "message", slow_message)

    async def score_task(requests):
        begins.append(asyncio.get_running_loop().time())
        raise Unavailable("the scorer cannot be reached")

    place.made[0][1].score_task = score_task
    run = (await service.start_run(request_of(suite_folder(6)))).run
    await until(lambda: len(begins) == 6, timeout_s=30)
    assert begins[-1] - begins[0] >= 0.7, "0.05, 0.1, 0.2 and 0.4 s between the times at which it was continued"
    assert service._continuing._waiting[run.run_id].tries >= 4
    assert place.gateway.calls.total() == 6


async def test_a_run_of_a_command_stops_if_another_process_is_told(place, suite_folder):
    command, other = place.start(continues=False, going=False), place.start(going=False)
    run = await begun(place, command, suite_folder(60))
    await other.cancel_run(ev.CancelRunRequest(run_id=run.run_id))
    assert (await reaches(command, run.run_id, ev.RUN_STATUS_INTERRUPTED)).reason == "stopped by request"


async def test_limits_hold_at_once_and_after_a_restart(place, suite_folder):
    service = place.start()
    run = await begun(place, service, suite_folder(400))
    assert place.gateway.most_at_once == 2
    await service.update_run(wish(run, concurrency=16))
    await until(lambda: place.gateway.most_at_once == 16)
    await service.update_run(wish(run, concurrency=3))
    await asyncio.sleep(0.1)
    place.gateway.most_at_once = 0
    await until(lambda: place.gateway.most_at_once == 3)
    await asyncio.sleep(0.1)
    assert place.gateway.most_at_once == 3
    await until(lambda: len(service._control.active[run.run_id].execution._workers) == 8)
    await place.stop(service)
    place.gateway.most_at_once = 0
    again = place.start()
    await until(lambda: place.gateway.most_at_once >= 3)
    await again.update_run(wish(run, STOPPED, now=True))
    assert place.gateway.most_at_once == 3


async def test_a_run_that_goes_on_gets_another_weight_and_goes_first(place, suite_folder):
    service = place.start()
    run = await begun(place, service, suite_folder(500))
    await service.update_run(wish(run, weight=7, interactive=True))
    execution = service._control.active[run.run_id].execution
    await until(lambda: execution._traffic.share == Share(run.run_id, 7, interactive=True))
    await service.update_run(wish(run, interactive=False))
    await until(lambda: execution._traffic.share == Share(run.run_id, 7))
    with pytest.raises(UsageError, match="1 to 100"):
        await service.update_run(wish(run, weight=101))
    await service.update_run(wish(run, STOPPED, now=True))


async def test_limits_of_a_run_that_does_not_go_on_hold_when_it_does(place, suite_folder):
    service = place.start()
    run = await begun(place, service, suite_folder(100))
    await service.update_run(wish(run, PAUSED))
    await reaches(service, run.run_id, ev.RUN_STATUS_PAUSED)
    await service.update_run(wish(run, concurrency=7))
    place.gateway.most_at_once = 0
    await service.update_run(wish(run, GO_ON))
    await reaches(service, run.run_id, ev.RUN_STATUS_FINISHED)
    assert place.gateway.most_at_once == 7


async def test_a_run_that_its_budget_ended_goes_on_with_a_higher_one(place, scripted, suite_folder):
    priced(scripted, 400_000)
    service = place.start()
    run = (await service.start_run(request_of(suite_folder(20), budget_nano_usd=3_000_000))).run
    ended = await reaches(service, run.run_id, ev.RUN_STATUS_BUDGET)
    assert ended.wanted == CANNOT
    await asyncio.sleep(0.2)
    assert not service._control.active, "nothing goes on by itself"
    await service.update_run(wish(run, budget_nano_usd=1_000_000_000))
    assert (await reaches(service, run.run_id, ev.RUN_STATUS_FINISHED)).counts.answered == 20


async def test_a_budget_that_is_raised_in_time_is_spent(place, scripted, suite_folder):
    priced(scripted, 400_000)
    service = place.start()
    run = await begun(place, service, suite_folder(20), calls=2, budget_nano_usd=3_000_000)
    await service.update_run(wish(run, budget_nano_usd=1_000_000_000))
    assert (await reaches(service, run.run_id, ev.RUN_STATUS_FINISHED)).counts.answered == 20


async def test_a_budget_that_is_lowered_ends_the_run(place, scripted, suite_folder):
    priced(scripted, 400_000)
    service = place.start()
    run = await begun(place, service, suite_folder(40), calls=4, budget_nano_usd=1_000_000_000)
    await service.update_run(wish(run, budget_nano_usd=1_600_000))
    await reaches(service, run.run_id, ev.RUN_STATUS_BUDGET)
    assert scripted.calls.total() < 12


async def test_a_watcher_follows_a_run_that_is_paused_and_goes_on(place, suite_folder):
    service = place.start()
    run = await begun(place, service, suite_folder(20))
    states = []

    async def watch():
        async for progress in service.watch_run(ev.WatchRunRequest(run_id=run.run_id)):
            states.append(progress.run.status)

    watching = asyncio.create_task(watch())
    await service.update_run(wish(run, PAUSED))
    await until(lambda: ev.RUN_STATUS_PAUSED in states)
    await service.update_run(wish(run, GO_ON))
    await asyncio.wait_for(watching, 60)
    assert states[-1] == ev.RUN_STATUS_FINISHED


async def test_a_run_that_another_process_works_on_can_be_watched(place, suite_folder):
    worker, other = place.start(), place.start(going=False)
    run = await begun(place, worker, suite_folder(20))
    *_, last = [progress.run async for progress in other.watch_run(ev.WatchRunRequest(run_id=run.run_id))]
    assert (last.status, last.counts.answered) == (ev.RUN_STATUS_FINISHED, 20)


async def test_a_run_that_another_service_works_on_is_not_begun_twice(place, suite_folder):
    worker, other = place.start(), place.start()
    folder = suite_folder(40)
    run = await begun(place, worker, folder)
    started = await other.start_run(request_of(folder))
    assert started.run.status == ev.RUN_STATUS_RUNNING
    assert ["is being worked on by" in problem for problem in started.problems] == [True]
    await reaches(other, run.run_id, ev.RUN_STATUS_FINISHED)
    assert set(place.gateway.calls.values()) == {1}


async def test_a_run_that_is_stopped_while_it_is_planned_again_makes_no_call(place, scripted, suite_folder):
    first = place.start()
    run = await begun(place, first, suite_folder(20))
    await place.stop(first)
    asked, there, planning = scripted.calls.total(), scripted.list_models, asyncio.Event()

    async def slow(request):
        planning.set()
        await asyncio.sleep(0.3)
        return await there(request)

    scripted.list_models = slow
    second = place.start()
    await planning.wait()
    await second.update_run(wish(run, STOPPED))
    await asyncio.sleep(0.6)
    assert (await seen(second, run.run_id)).wanted == STOPPED
    assert scripted.calls.total() == asked


async def test_what_was_to_be_asked_again_still_is_after_a_restart(place, scripted, suite_folder, failing_script):
    first = place.start()
    scripted.script = failing_script(gw.ERROR_CLASS_CALLER_FAULT)
    run = (await first.start_run(request_of(suite_folder(20)))).run
    await reaches(first, run.run_id, ev.RUN_STATUS_FAILED)
    scripted.script, scripted.latency_s = (lambda question, calls: "A"), 0.05
    await first.start_run(ev.StartRunRequest(run_id=run.run_id, retry_failed=True))
    await until(lambda: scripted.calls.total() >= 24)
    await place.stop(first)
    assert (await reaches(place.start(), run.run_id, ev.RUN_STATUS_FINISHED)).counts.answered == 20


async def test_a_judge_goes_on_where_it_was(place, scripted, suite_folder):
    """A pass of the judge alone asks the run's own model nothing, when it goes on, too."""
    service = place.start()
    run = await begun(place, service, suite_folder(20))
    await service.update_run(wish(run, STOPPED))
    await reaches(service, run.run_id, ev.RUN_STATUS_INTERRUPTED)
    await place.stop(service)
    asked = scripted.calls.total()
    place.change(status=ev.RUN_STATUS_RUNNING, wanted=GO_ON, judge_only=1)
    again = place.start()
    aside = await reaches(again, run.run_id, ev.RUN_STATUS_FAILED)
    assert "judge" in aside.reason
    assert scripted.calls.total() == asked


async def test_what_makes_no_sense_is_refused_in_a_line(place, scripted, suite_folder):
    service = place.start()
    run = await begun(place, service, suite_folder(20))
    with pytest.raises(UsageError, match="judge cannot be changed"):
        await service.update_run(wish(run, judge="m"))
    with pytest.raises(UsageError, match="its model has no price"):
        await service.update_run(wish(run, budget_nano_usd=5))
    with pytest.raises(UsageError, match="at most 4,096 calls are in flight"):
        await service.update_run(wish(run, concurrency=4_000_000_000))
    with pytest.raises(UsageError, match="at most 4,096 calls are in flight"):
        await service.start_run(ev.StartRunRequest(run_id=run.run_id, traffic=ev.TrafficSettings(concurrency=4_000_000_000)))
    with pytest.raises(UsageError, match="--budget-tokens is below 0"):
        await service.update_run(wish(run, budget_tokens=-1))
    with pytest.raises(NotFoundError, match="no run '' here"):
        await service.update_run(ev.UpdateRunRequest(wanted=STOPPED))
    with pytest.raises(NotFoundError, match=r"no run 'x+…' here"):
        await service.get_run(ev.GetRunRequest(run_id="x" * 1_000_000))
    with pytest.raises(UsageError, match="the rest is for the evaluator to say"):
        await service.update_run(wish(run, ev.RUN_WANTED_FINISHED))
    await reaches(service, run.run_id, ev.RUN_STATUS_FINISHED)
    with pytest.raises(UsageError, match="has finished"):
        await service.update_run(wish(run, PAUSED))


async def test_the_settings_are_kept_as_one(place, suite_folder):
    service = place.start()
    run = await begun(place, service, suite_folder(40), requests_per_minute=5000)
    await service.update_run(wish(run, tokens_per_minute=9_000_000))
    (row,) = rows_of(place)
    assert json.loads(row["traffic"]) == {"concurrency": 2, "requestsPerMinute": 5000, "tokensPerMinute": 9_000_000}


@pytest.mark.parametrize("what", ["a field of its specification", "how it was planned"])
async def test_a_run_that_a_newer_version_began_waits_for_one_and_is_not_set_aside(place, suite_folder, what):
    first = place.start()
    run = await begun(place, first, suite_folder(20))
    await place.stop(first)
    [row] = rows_of(place)
    specification, facts = json.loads(row["specification"]), json.loads(row["facts"])
    if what == "how it was planned":
        place.change(facts=json.dumps(facts | {"version": "1000.0"}), identity="planned otherwise")
    else:
        place.change(specification=json.dumps(specification | {"ofTomorrow": True}))
    second = place.start()
    await until(lambda: second._control.waiting)
    waits = await seen(second, run.run_id)
    assert (waits.wanted, "and an evaluator of that version goes on with it" in waits.reason) == (GO_ON, True)
    place.change(specification=row["specification"], facts=row["facts"], identity=row["identity"])
    assert (await reaches(second, run.run_id, ev.RUN_STATUS_FINISHED)).counts.answered == 20


async def test_a_run_goes_on_over_the_tables_of_the_next_version_which_then_is_rolled_back(place, suite_folder, tmp_path):
    first = place.start()
    run = await begun(place, first, suite_folder(24), calls=2)
    await asyncio.to_thread(migrate_to_next, f"sqlite:///{place.folder / 'genlevel.db'}", tmp_path / "next")
    asked = place.gateway.calls.total()
    await until(lambda: place.gateway.calls.total() >= asked + 4)
    assert await first.readiness() == ""
    await place.stop(first)
    second = place.start()
    assert (await reaches(second, run.run_id, ev.RUN_STATUS_FINISHED)).counts.answered == 24
    assert (set(place.gateway.calls.values()), await second.readiness()) == ({1}, "")
