"""Ticks come once, when they are due, whatever happens: none twice, none lost without a word, and evidence as without the fault."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from evaluator.monitors.scheduler import Scheduler
from genlevel.runtime.errors import UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import monitor_pb2 as mo
from tests.evaluator.conftest import failing
from tests.evaluator.monitors.watched import HOUR, Deployed, Watchers, add, idle, look, make_suite, seen, specification, tick
from tests.waiting import until


async def evidence(evaluator, name="one"):
    """What has gathered of each check, by its name."""
    return {
        (group.group, check.signal, check.direction): check.log_evidence
        for group in (await seen(evaluator, name)).groups
        for check in group.checks
    }


async def numbers(evaluator, name="one"):
    return sorted(one.number for one in (await seen(evaluator, name, ticks=1000)).ticks)


async def asked_of(evaluator):
    """How many calls each run with an occasion made, by that."""
    runs = (await evaluator.list_runs(ev.ListRunsRequest(ticks=True))).runs
    return {run.specification.occasion: run.calls for run in runs}


def more_than(calls, count):
    return calls.total() > count


class Always(Deployed):
    """Answers the same to the same question: what a tick finds depends on its draws alone."""

    def __call__(self, question, calls):
        label = self.labels[question]
        return label if self.known[question] > 0.5 else ("A" if label == "B" else "B")


@pytest.fixture
def twin(tmp_path, suite):
    """Makes evaluators over another folder, with a model that answers alike, and where nothing goes wrong."""
    from tests.evaluator.conftest import ScriptedGateway

    made = []

    def make():
        gateway = ScriptedGateway()
        gateway.script = Always(suite[1])
        made.append(Watchers(tmp_path / f"twin{len(made)}", gateway))
        return made[-1]

    return make


async def same_draws(watchers, evaluator):
    """Gives the monitor the id that another one's draws are made of."""
    store = evaluator._journal.monitors
    record = store.find("one")
    from dataclasses import replace

    from evaluator.journal.monitor_tables import monitors

    with store.engine.begin() as connection:
        connection.execute(monitors.update().values(uid="same"))
    return replace(record, uid="same")


async def test_a_restart_between_and_within_ticks_asks_nothing_twice_and_leaves_the_evidence_as_it_would_be(
    watchers, suite, scripted, twin
):
    scripted.script = Always(suite[1])
    scripted.latency_s = 0.02
    evaluator = watchers.start()
    await evaluator.monitors.add_monitor(mo.AddMonitorRequest(name="one", specification=specification(suite[0], pool=6)))
    await same_draws(watchers, evaluator)
    await idle(evaluator)
    before = scripted.calls.total()
    await tick(watchers, evaluator, 2)
    for _ in range(3):
        watchers.clock.now += 6 * HOUR
        await look(evaluator)
        await until(partial(more_than, scripted.calls, before + 5))
        await watchers.stop(evaluator)  # calls in flight end, the rest is for whoever goes on
        evaluator = watchers.start()
        evaluator._going_on = asyncio.create_task(evaluator._continuing.run())
        await idle(evaluator)
        before = scripted.calls.total()
    found = await evidence(evaluator)
    assert await numbers(evaluator) == [1, 2, 3, 4, 5]
    assert set((await asked_of(evaluator)).values()) <= {50, 300 * 2}

    other = twin()
    quiet = other.start()
    await quiet.monitors.add_monitor(mo.AddMonitorRequest(name="one", specification=specification(suite[0], pool=6)))
    await same_draws(other, quiet)
    await idle(quiet)
    await tick(other, quiet, 5)
    assert await evidence(quiet) == found
    await other.close()


async def test_ticks_that_are_due_while_one_goes_on_are_missed_and_counted_and_do_not_pile_up(watchers, suite, scripted):
    evaluator = watchers.start()
    await add(evaluator, suite[0], pool=6)
    scripted.latency_s = 0.2
    watchers.clock.now += 6 * HOUR
    await look(evaluator)
    for hours in (6, 1, 12):
        watchers.clock.now += hours * HOUR
        await look(evaluator)
    monitor = (await seen(evaluator)).monitor
    assert (monitor.open_tick, monitor.ticks, monitor.missed) == (1, 1, 3)
    scripted.latency_s = 0.0
    monitor = await idle(evaluator)
    assert (monitor.ticks, monitor.missed) == (1, 3)
    monitor = await tick(watchers, evaluator)
    assert (monitor.ticks, monitor.missed) == (2, 3)


async def test_ticks_that_nobody_scheduled_are_counted_and_one_of_them_is_asked(watchers, suite):
    evaluator = watchers.start()
    await add(evaluator, suite[0], pool=6)
    await watchers.stop(evaluator)
    watchers.clock.now += 48 * HOUR + 60
    evaluator = watchers.start()
    monitor = await idle(evaluator)
    assert (monitor.ticks, monitor.missed) == (1, 7)
    assert monitor.next_tick.seconds == watchers.clock.now - 60 + 6 * HOUR


async def test_a_clock_that_goes_back_neither_repeats_a_tick_nor_stops_them(watchers, suite):
    evaluator = watchers.start()
    await add(evaluator, suite[0], pool=6)
    await tick(watchers, evaluator, 3)
    watchers.clock.now -= 5.0
    monitor = await idle(evaluator)
    assert (monitor.ticks, monitor.missed) == (3, 0)
    watchers.clock.now -= 48 * HOUR
    monitor = await idle(evaluator)
    assert monitor.ticks == 3
    assert monitor.next_tick.seconds <= watchers.clock.now + 6 * HOUR
    monitor = await tick(watchers, evaluator, 3)
    assert (monitor.ticks, monitor.missed) == (6, 0)
    assert await numbers(evaluator) == [1, 2, 3, 4, 5, 6]


async def test_a_clock_that_jumps_ahead_is_ticks_that_were_missed(watchers, suite):
    evaluator = watchers.start()
    await add(evaluator, suite[0], pool=6)
    watchers.clock.now += 365 * 24 * HOUR
    monitor = await idle(evaluator)
    assert (monitor.ticks, monitor.missed) == (1, 1459)


async def test_two_evaluators_over_one_storage_have_one_scheduler_and_the_other_takes_over(watchers, suite, scripted):
    one, other = watchers.start(), watchers.start()
    await add(one, suite[0], pool=6)
    assert not await other.watching.scheduler.lead()
    await tick(watchers, one, 2)
    calls = scripted.calls.total()
    await watchers.stop(one)
    assert await other.watching.scheduler.lead()
    monitor = await tick(watchers, other)
    assert (monitor.ticks, scripted.calls.total() - calls) == (3, 50)


async def test_two_that_both_believe_to_schedule_ask_each_tick_once(watchers, suite, scripted, monkeypatch):
    """A scheduler that was paused and woke up, on a storage whose lock was lost."""
    one, other = watchers.start(), watchers.start()

    async def always(self: Scheduler) -> bool:
        return True

    monkeypatch.setattr(Scheduler, "lead", always)
    await add(one, suite[0], pool=6)
    calls = scripted.calls.total()
    for _ in range(4):
        watchers.clock.now += 6 * HOUR
        await asyncio.gather(*(idle(evaluator) for evaluator in (one, other, one, other)))
    assert await numbers(one) == [1, 2, 3, 4]
    assert scripted.calls.total() - calls == 200
    assert {check: state for check, state in (await evidence(one)).items()} == await evidence(other)


async def test_a_provider_that_is_down_for_a_day_raises_one_alarm_and_moves_no_evidence(watchers, suite, scripted, deployed):
    evaluator = watchers.start()
    await add(evaluator, suite[0], pool=6)
    await tick(watchers, evaluator, 2)
    before = await evidence(evaluator)
    scripted.script = failing(gw.ERROR_CLASS_TRANSIENT)
    await tick(watchers, evaluator, 4)
    found = await seen(evaluator)
    assert [(alarm.kind, alarm.tick) for alarm in found.alarms] == [("outage", 3)]
    assert [one.outcome for one in found.ticks][:4] == [mo.TICK_OUTCOME_OUTAGE] * 4
    assert await evidence(evaluator) == before
    scripted.script = deployed
    await tick(watchers, evaluator)
    assert (await seen(evaluator)).ticks[0].outcome == mo.TICK_OUTCOME_COMPLETE
    await evaluator.monitors.acknowledge_alarms(mo.AcknowledgeAlarmsRequest(name="one", note="they said sorry"))
    assert (await seen(evaluator)).monitor.alarms == 0


async def test_a_days_budget_is_kept_and_what_was_not_asked_is_said(tmp_path, scripted):
    """Its baseline takes days; then a day pays two ticks, and the others are missed."""
    labels = make_suite(tmp_path / "bench", {"Causal-Reasoning": 100})
    scripted.script = Deployed(labels)
    scripted.info.price.CopyFrom(gw.Price(input="1", output="1"))
    scripted.cost = cost = 100_000
    daily = 50 * cost
    watchers = Watchers(tmp_path / "data", scripted)
    evaluator = watchers.start()
    wanted = specification(tmp_path / "bench", sample=20, pool=5, baseline_repeats=2, budget_nano_usd=daily)
    await evaluator.monitors.add_monitor(mo.AddMonitorRequest(name="one", specification=wanted))
    spent: dict[int, int] = {}
    for _ in range(4 * 7):
        calls = scripted.calls.total()
        for _ in range(6):
            await look(evaluator)
            await evaluator.ended()
        day = int(watchers.clock.now // 86_400)
        spent[day] = spent.get(day, 0) + (scripted.calls.total() - calls) * cost
        monitor = (await seen(evaluator)).monitor
        assert monitor.spent_today_nano_usd == spent[day]
        watchers.clock.now += 6 * HOUR
    found = await seen(evaluator, ticks=100)
    assert daily - 5 * cost < max(spent.values()) <= daily
    assert found.monitor.cost_nano_usd == scripted.calls.total() * cost
    assert {one.outcome for one in found.ticks} == {mo.TICK_OUTCOME_COMPLETE}, "a tick that the day cannot pay is not begun"
    assert found.monitor.missed
    assert "budget" in {event.kind for event in found.events}
    await watchers.close()


async def test_a_pause_begins_no_tick_and_what_was_due_meanwhile_was_not_missed(watchers, suite):
    evaluator = watchers.start()
    await add(evaluator, suite[0], pool=6)
    await evaluator.monitors.pause_monitor(mo.PauseMonitorRequest(name="one", paused=True))
    monitor = await tick(watchers, evaluator, 4)
    assert (monitor.ticks, monitor.state) == (0, mo.MONITOR_STATE_PAUSED)
    with pytest.raises(UsageError, match="is paused"):
        await evaluator.monitors.run_monitor(mo.RunMonitorRequest(name="one"))
    await evaluator.monitors.pause_monitor(mo.PauseMonitorRequest(name="one"))
    monitor = await tick(watchers, evaluator)
    assert (monitor.ticks, monitor.missed) == (1, 0)


async def test_a_tick_that_is_asked_for_comes_at_once_and_the_next_one_when_it_is_due(watchers, suite):
    evaluator = watchers.start()
    await add(evaluator, suite[0], pool=6)
    watchers.clock.now += HOUR
    asked = await evaluator.monitors.run_monitor(mo.RunMonitorRequest(name="one"))
    assert asked.tick == (await evaluator.monitors.run_monitor(mo.RunMonitorRequest(name="one"))).tick == 1
    monitor = await idle(evaluator)
    assert (monitor.ticks, monitor.missed) == (1, 0)
    assert monitor.next_tick.seconds == watchers.clock.now + 5 * HOUR
