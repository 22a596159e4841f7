"""Monitors under faults, races and the doings of people: money and evidence are as without them, and no run of theirs goes on alone."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial

import pytest

from evaluator.journal.tables import answers
from evaluator.monitors.asking import is_over, most_cost
from evaluator.runs.starting import Starter
from genlevel.runtime.errors import NotFoundError, StorageError, Unavailable, UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import monitor_pb2 as mo
from tests.evaluator.conftest import failing
from tests.evaluator.monitors.watched import HOUR, Deployed, Watchers, add, idle, look, make_suite, seen, specification, tick
from tests.waiting import until

COST = 100_000


@pytest.fixture
def priced(scripted, tmp_path):
    """A suite of 100 instances and a model whose calls cost 100,000 nano-dollars each."""
    scripted.script = Deployed(make_suite(tmp_path / "priced", {"Causal-Reasoning": 100}))
    scripted.info.price.CopyFrom(gw.Price(input="1", output="1"))
    scripted.cost = COST
    return tmp_path / "priced"


async def runs_of(evaluator):
    return {run.specification.occasion: run for run in (await evaluator.list_runs(ev.ListRunsRequest(ticks=True))).runs}


def more_than(calls, count):
    return calls.total() > count


def stored(evaluator, name="one"):
    return evaluator._journal.monitors.find(name)


async def begun(evaluator, suite, name="one", **fields):
    await evaluator.monitors.add_monitor(mo.AddMonitorRequest(name=name, specification=specification(suite, **fields)))


# -- money ---------------------------------------------------------------------------------------------------------


def test_what_a_judge_costs_is_a_part_of_what_a_run_costs():
    run = ev.Run(most_cost_nano_usd=5, judging=ev.Judging(judge="j", cost_nano_usd=2, most_cost_nano_usd=3))
    assert most_cost(run) == 8
    run.judging.ClearField("most_cost_nano_usd")
    assert most_cost(run) is None, "nobody can tell"
    run.judging.ClearField("cost_nano_usd")
    assert most_cost(run) == 5, "it has no price"
    run.ClearField("most_cost_nano_usd")
    assert most_cost(run) is None


async def test_what_a_run_spends_on_a_day_counts_on_that_day_however_late_somebody_looks(watchers, scripted, priced):
    """Nobody schedules over midnight, while the run goes on elsewhere."""
    evaluator = watchers.start()
    await add(evaluator, priced, sample=20, pool=5, baseline_repeats=2, budget_nano_usd=1000 * COST)
    scripted.latency_s = 1.0
    watchers.clock.now += 6 * HOUR
    await look(evaluator)
    scripted.latency_s = 0.0
    await evaluator.ended()
    run_id = evaluator._journal.monitors.tick("one", 1).run_id
    midnight = (watchers.clock.now // 86_400 + 1) * 86_400
    ours = answers.update().where(answers.c.run_id == run_id)
    with evaluator._journal.monitors.engine.begin() as connection:
        connection.execute(ours.values(created=midnight - 1.0))
        late = [row.instance_id for row in connection.execute(answers.select().where(answers.c.run_id == run_id).limit(7))]
        connection.execute(ours.where(answers.c.instance_id.in_(late)).values(created=midnight + 1.0))
    watchers.clock.now = midnight + 2.0
    monitor = await idle(evaluator)
    assert monitor.spent_today_nano_usd == 7 * COST


async def test_a_tick_whose_run_begins_a_day_late_is_paid_by_that_day(watchers, scripted, priced, monkeypatch):
    evaluator = watchers.start()
    await add(evaluator, priced, sample=20, pool=5, baseline_repeats=2, every="1d", budget_nano_usd=1000 * COST)
    start = Starter.start

    async def away(self, request, **named):
        raise Unavailable("the gateway is away")

    monkeypatch.setattr(Starter, "start", away)
    watchers.clock.now += 24 * HOUR
    await look(evaluator)
    assert stored(evaluator).open_tick == 1
    watchers.clock.now += 20 * HOUR
    monkeypatch.setattr(Starter, "start", start)
    evaluator.watching.scheduler.wake()
    monitor = await idle(evaluator)
    assert (monitor.ticks, monitor.spent_today_nano_usd) == (1, 20 * COST)


async def test_what_a_baseline_had_cost_that_ended_early_is_spent(watchers, scripted, priced):
    evaluator = watchers.start()
    scripted.latency_s = 0.02
    await begun(evaluator, priced, sample=20, pool=5, baseline_repeats=2, budget_nano_usd=1000 * COST)
    await look(evaluator)
    await until(partial(more_than, scripted.calls, 10))
    (run,) = (await runs_of(evaluator)).values()
    await evaluator.cancel_run(ev.CancelRunRequest(run_id=run.run_id))
    await evaluator.ended()
    for _ in range(2):
        monitor = await idle(evaluator)
    assert monitor.state == mo.MONITOR_STATE_FAILED
    assert monitor.spent_today_nano_usd == monitor.cost_nano_usd == scripted.calls.total() * COST
    await evaluator.monitors.rebase_monitor(mo.RebaseMonitorRequest(name="one"))
    monitor = await idle(evaluator)
    assert monitor.spent_today_nano_usd == monitor.cost_nano_usd == scripted.calls.total() * COST


async def test_no_new_baseline_begins_while_one_is_asked(watchers, scripted, priced):
    evaluator = watchers.start()
    scripted.latency_s = 0.02
    await begun(evaluator, priced, sample=20, pool=5, baseline_repeats=2)
    await look(evaluator)
    with pytest.raises(UsageError, match="is being asked"):
        await evaluator.monitors.rebase_monitor(mo.RebaseMonitorRequest(name="one", baseline_repeats=1))
    monitor = await idle(evaluator)
    assert (monitor.state, scripted.calls.total()) == (mo.MONITOR_STATE_WATCHING, 200)


async def test_a_new_baseline_after_one_that_waits_for_the_next_day_has_what_is_left_of_this_one(watchers, scripted, priced):
    evaluator = watchers.start()
    await begun(evaluator, priced, sample=20, pool=5, baseline_repeats=2, budget_nano_usd=60 * COST)
    for _ in range(3):
        await look(evaluator)
        await evaluator.ended()
    await evaluator.monitors.rebase_monitor(mo.RebaseMonitorRequest(name="one", baseline_repeats=1))
    for _ in range(3):
        await look(evaluator)
        await evaluator.ended()
    assert scripted.calls.total() <= 60
    assert (await seen(evaluator)).monitor.cost_nano_usd == scripted.calls.total() * COST


async def test_a_baseline_that_waits_for_the_next_day_is_not_begun_again_and_again(watchers, scripted, priced, monkeypatch):
    starts = []
    start = Starter.start
    monkeypatch.setattr(Starter, "start", lambda self, request, **named: starts.append(request) or start(self, request, **named))
    evaluator = watchers.start()
    await begun(evaluator, priced, sample=20, pool=5, baseline_repeats=2, budget_nano_usd=int(60.5 * COST))
    for _ in range(10):
        await look(evaluator)
        await evaluator.ended()
    assert len(starts) == 1
    watchers.clock.now += 24 * HOUR
    for _ in range(10):
        await look(evaluator)
        await evaluator.ended()
    assert len(starts) == 2
    assert scripted.calls.total() <= 120


# -- runs of monitors ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", ["baseline", "tick"])
async def test_the_run_of_a_monitor_that_is_removed_while_it_begins_does_not_go_on(watchers, scripted, suite, monkeypatch, phase):
    evaluator = watchers.start()
    begins, goes_on = asyncio.Event(), asyncio.Event()
    start = Starter.start

    async def slowly(self, request, **named):
        begins.set()
        await goes_on.wait()
        return await start(self, request, **named)

    if phase == "tick":
        await add(evaluator, suite[0], pool=6, baseline_repeats=1)
        watchers.clock.now += 6 * HOUR
    else:
        await begun(evaluator, suite[0], pool=6, baseline_repeats=1)
    monkeypatch.setattr(Starter, "start", slowly)
    scripted.latency_s = 0.3
    calls = scripted.calls.total()
    looking = asyncio.create_task(look(evaluator))
    await begins.wait()
    await evaluator.monitors.remove_monitor(mo.RemoveMonitorRequest(name="one"))
    goes_on.set()
    await looking
    await evaluator.ended()
    assert scripted.calls.total() - calls < 50


async def test_a_tick_goes_on_with_the_run_that_was_begun_before_its_process_was_killed(watchers, scripted, suite, monkeypatch):
    """Killed after the run was begun, before the tick knew of it; then nothing new can begin until the next tick is due."""
    evaluator = watchers.start()
    await add(evaluator, suite[0], pool=6, baseline_repeats=1)
    store = evaluator._journal.monitors
    change = type(store).change

    def killed(self, seen, record, beside, lease=None):
        if beside.tick is not None and beside.tick.run_id and not beside.tick.ended:
            raise asyncio.CancelledError
        return change(self, seen, record, beside, lease)

    monkeypatch.setattr(type(store), "change", killed)
    watchers.clock.now += 6 * HOUR
    await look(evaluator)
    await evaluator.ended()
    monkeypatch.setattr(type(store), "change", change)
    assert stored(evaluator).open_tick == 1
    assert store.tick("one", 1).run_id == ""
    start = Starter.start

    async def away(self, request, **named):
        raise Unavailable("the gateway is away")

    monkeypatch.setattr(Starter, "start", away)
    watchers.clock.now += 7 * HOUR
    await look(evaluator)
    monkeypatch.setattr(Starter, "start", start)
    monitor = await idle(evaluator)
    (first,) = [one for one in (await seen(evaluator)).ticks if one.number == 1]
    assert (first.outcome, first.instances, monitor.missed) == (mo.TICK_OUTCOME_COMPLETE, 50, 1)


async def test_a_tick_waits_for_a_run_that_goes_on_by_itself_after_a_service_was_away(watchers, scripted, suite, monkeypatch):
    evaluator = watchers.start()
    await add(evaluator, suite[0], pool=6, baseline_repeats=1)
    scorer = watchers.made[-1][1]
    score = type(scorer).score_task

    async def away(self, requests):
        raise Unavailable("the scorer is away")

    monkeypatch.setattr(type(scorer), "score_task", away)
    watchers.clock.now += 6 * HOUR
    for _ in range(3):
        await look(evaluator)
        await evaluator.ended()
    found = await seen(evaluator)
    assert (found.monitor.open_tick, list(found.alarms)) == (1, [])
    monkeypatch.setattr(type(scorer), "score_task", score)
    evaluator._going_on = asyncio.create_task(evaluator._continuing.run())
    await idle(evaluator)
    found = await seen(evaluator)
    assert (found.ticks[0].outcome, found.ticks[0].failed, list(found.alarms)) == (mo.TICK_OUTCOME_COMPLETE, 0, [])


@pytest.mark.parametrize("away", ["scorer", "storage"])
async def test_what_is_away_when_a_tick_ends_holds_it_up_and_changes_nothing(tmp_path, scripted, suite, monkeypatch, away):
    scripted.script = Deployed(suite[1])
    watchers = Watchers(tmp_path / "data", scripted, storage={"patience_s": 0.1})
    evaluator = watchers.start()
    await add(evaluator, suite[0], pool=6, baseline_repeats=1)
    watchers.clock.now += 6 * HOUR
    await look(evaluator)
    await evaluator.ended()
    before = stored(evaluator)
    if away == "scorer":
        kind, name, error = type(watchers.made[-1][1]), "list_instances", Unavailable("the scorer is away")
    else:
        kind, name, error = type(evaluator._journal.monitors), "change", StorageError("the disk is full", passes=True)

    def fails(self, *arguments):
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(kind, name, fails)
        for _ in range(3):
            evaluator.watching.scheduler.wake()
            await look(evaluator)
        assert str(error) in (await seen(evaluator)).monitor.reason
    assert stored(evaluator) == before
    evaluator.watching.scheduler.wake()
    monitor = await idle(evaluator)
    (one,) = (await seen(evaluator)).ticks
    assert (one.outcome, monitor.ticks, monitor.missed, monitor.reason) == (mo.TICK_OUTCOME_COMPLETE, 1, 0, "")
    await watchers.close()


async def test_a_tick_that_cannot_begin_until_the_next_is_due_has_failed_and_the_next_begins(watchers, scripted, suite, monkeypatch):
    evaluator = watchers.start()
    await add(evaluator, suite[0], pool=6, baseline_repeats=1)
    calls = scripted.calls.total()

    async def away(self, request, **named):
        raise Unavailable("the gateway is away")

    with monkeypatch.context() as broken:
        broken.setattr(Starter, "start", away)
        for _ in range(4):
            watchers.clock.now += 6 * HOUR
            evaluator.watching.scheduler.wake()
            await look(evaluator)
            await look(evaluator)
    evaluator.watching.scheduler.wake()
    monitor = await idle(evaluator)
    ticks = (await seen(evaluator)).ticks
    assert {one.outcome for one in ticks[1:]} == {mo.TICK_OUTCOME_FAILED}
    assert (ticks[0].outcome, ticks[1].reason) == (mo.TICK_OUTCOME_COMPLETE, "the gateway is away")
    assert (len(ticks) + monitor.missed, scripted.calls.total() - calls) == (4, 50)


async def test_who_has_lost_the_lock_stores_nothing_and_looks_whether_it_still_schedules(watchers, suite):
    evaluator = watchers.start()
    await add(evaluator, suite[0], pool=6, baseline_repeats=1)
    scheduler, before = evaluator.watching.scheduler, stored(evaluator)
    scheduler._lock.lost.set()
    watchers.clock.now += 6 * HOUR
    await scheduler.look()
    await scheduler.settled()
    assert stored(evaluator) == before
    scheduler._lock.lost.clear()
    assert (await idle(evaluator)).ticks == 1


# -- doings of people ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "wanted", "over"),
    [
        ("FINISHED", "FINISHED", True),
        ("FINISHED", "GO_ON", True),  # somebody changed its limits at its last moment
        ("FAILED", "CANNOT_SUCCEED", True),
        ("FAILED", "GO_ON", False),
        ("FAILED", "UNSPECIFIED", True),
        ("BUDGET", "CANNOT_SUCCEED", True),
        ("BUDGET", "GO_ON", False),  # a person has raised it
        ("INTERRUPTED", "STOPPED", True),
        ("RUNNING", "STOPPED", False),  # calls in flight may end
        ("INTERRUPTED", "GO_ON", False),
        ("INTERRUPTED", "UNSPECIFIED", False),
        ("PAUSED", "PAUSED", False),
    ],
)
def test_a_run_is_over_if_nobody_goes_on_with_it(status, wanted, over):
    assert is_over(ev.Run(status=f"RUN_STATUS_{status}", wanted=f"RUN_WANTED_{wanted}")) is over


async def test_a_run_of_a_tick_that_a_person_stops_ends_the_tick_and_one_that_is_paused_waits(watchers, scripted, suite):
    evaluator = watchers.start()
    await add(evaluator, suite[0], pool=6, baseline_repeats=1)
    for wanted, ends in ((ev.RUN_WANTED_PAUSED, False), (ev.RUN_WANTED_STOPPED, True)):
        scripted.latency_s = 0.05
        calls = scripted.calls.total()
        watchers.clock.now += 6 * HOUR
        await look(evaluator)
        await until(partial(more_than, scripted.calls, calls + 2))
        number = stored(evaluator).open_tick
        run_id = evaluator._journal.monitors.tick("one", number).run_id
        await evaluator.update_run(ev.UpdateRunRequest(run_id=run_id, wanted=wanted))
        await evaluator.ended()
        for _ in range(3):
            await look(evaluator)
        assert (stored(evaluator).open_tick == 0) is ends
        if not ends:
            scripted.latency_s = 0.0
            await evaluator.update_run(ev.UpdateRunRequest(run_id=run_id, wanted=ev.RUN_WANTED_GO_ON))
            await evaluator._continuing.look()
            await idle(evaluator)
    last, first = (await seen(evaluator, ticks=2)).ticks
    assert (first.outcome, last.outcome) == (mo.TICK_OUTCOME_COMPLETE, mo.TICK_OUTCOME_PARTIAL)
    scripted.latency_s = 0.0
    assert (await tick(watchers, evaluator)).ticks == 3


async def test_what_was_due_while_a_monitor_was_paused_was_not_missed_though_a_tick_went_on(watchers, scripted, suite):
    evaluator = watchers.start()
    await add(evaluator, suite[0], pool=6, baseline_repeats=1)
    scripted.latency_s = 0.1
    watchers.clock.now += 6 * HOUR
    await look(evaluator)
    await evaluator.monitors.pause_monitor(mo.PauseMonitorRequest(name="one", paused=True))
    watchers.clock.now += 24 * HOUR
    await look(evaluator)
    await evaluator.monitors.pause_monitor(mo.PauseMonitorRequest(name="one"))
    monitor = await idle(evaluator)
    assert (monitor.ticks, monitor.missed) == (1, 0)


async def test_people_who_change_a_monitor_while_its_tick_ends_neither_lose_nor_double_anything(watchers, scripted, suite):
    """A storm of pauses, and two who acknowledge at once, while ticks begin and end."""
    evaluator = watchers.start()
    await add(evaluator, suite[0], pool=6, baseline_repeats=1)
    scripted.script.drop = 0.6
    ask = evaluator.monitors
    acknowledged, ended = [], asyncio.Event()

    async def storm():
        while not ended.is_set():
            await ask.pause_monitor(mo.PauseMonitorRequest(name="one", paused=True))
            await ask.pause_monitor(mo.PauseMonitorRequest(name="one"))
            await asyncio.sleep(0.4)

    async def acknowledge():
        while not ended.is_set():
            if (await seen(evaluator)).monitor.alarms:
                acknowledged.extend((await ask.acknowledge_alarms(mo.AcknowledgeAlarmsRequest(name="one"))).acknowledged)
            await asyncio.sleep(0.02)

    others = [asyncio.create_task(work()) for work in (storm, acknowledge, acknowledge)]
    for number in range(1, 7):
        watchers.clock.now += 6 * HOUR
        async with asyncio.timeout(30):
            while (monitor := (await seen(evaluator)).monitor).ticks < number or monitor.open_tick:
                await ask.pause_monitor(mo.PauseMonitorRequest(name="one"))
                if monitor.ticks < number:
                    with contextlib.suppress(UsageError):  # it is paused again
                        await ask.run_monitor(mo.RunMonitorRequest(name="one"))
                await look(evaluator)
                await evaluator.ended()
    ended.set()
    await asyncio.gather(*others)
    found = await seen(evaluator, ticks=100)
    assert [one.number for one in found.ticks] == [6, 5, 4, 3, 2, 1]
    assert len(acknowledged) >= len(set(acknowledged)) > 0
    assert {alarm.id for alarm in found.alarms} >= set(acknowledged)
    assert scripted.calls.total() == 300 + 6 * 50


@pytest.mark.full
async def test_texts_that_postgresql_does_not_take_are_no_names_and_are_left_out_of_notes(tmp_path, scripted, suite, postgresql):
    scripted.script = Deployed(suite[1])
    watchers = Watchers(tmp_path / "shared", scripted, storage={"url": postgresql})
    evaluator = watchers.start()
    for name in ("a\0b", "\U0001f600" * 100_000, "one' OR 1=1 --", "%", ""):
        with pytest.raises(NotFoundError):
            await seen(evaluator, name)
    await add(evaluator, suite[0], pool=6, baseline_repeats=1)
    scripted.script = failing(gw.ERROR_CLASS_TRANSIENT)
    await tick(watchers, evaluator)
    await evaluator.monitors.acknowledge_alarms(mo.AcknowledgeAlarmsRequest(name="one", note="they\0 said sorry"))
    assert [alarm.note for alarm in (await seen(evaluator)).alarms] == ["they said sorry"]
    await watchers.close()
