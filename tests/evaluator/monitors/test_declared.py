"""What stands in genlevel.yaml is what runs, after each start of a service."""

from __future__ import annotations

import asyncio

import pytest

from evaluator.monitors import declared as declared_module
from genlevel.runtime.errors import UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import monitor_pb2 as mo
from tests.evaluator.monitors.watched import HOUR, add, idle, look, seen, tick


@pytest.fixture
def declared(watchers, suite):
    """Sets what the file says of the monitor "one"; None: nothing."""

    def declare(**fields):
        monitor = {"model": "m", "suite": str(suite[0]), "every": "6h", "sample": 50, "pool": 6, "baseline_repeats": 2, **fields}
        watchers.settings["monitors"] = {"one": monitor}

    return declare


async def names(evaluator):
    return [monitor.name for monitor in (await evaluator.monitors.list_monitors(mo.ListMonitorsRequest())).monitors]


async def restarted(watchers, evaluator):
    await watchers.stop(evaluator)
    evaluator = watchers.start()
    await look(evaluator)
    return evaluator


async def test_a_monitor_of_the_file_is_added_and_watches(watchers, declared):
    declared()
    evaluator = watchers.start()
    await look(evaluator)
    assert await names(evaluator) == ["one"]
    await idle(evaluator)
    monitor = await tick(watchers, evaluator)
    assert (monitor.declared, monitor.ticks) == (True, 1)


async def test_commands_do_not_change_what_stands_in_the_file(watchers, declared):
    declared()
    evaluator = watchers.start()
    await look(evaluator)
    await idle(evaluator)
    for ask, request in (
        (evaluator.monitors.remove_monitor, mo.RemoveMonitorRequest(name="one")),
        (evaluator.monitors.pause_monitor, mo.PauseMonitorRequest(name="one", paused=True)),
        (evaluator.monitors.rebase_monitor, mo.RebaseMonitorRequest(name="one", baseline_repeats=3)),
    ):
        with pytest.raises(UsageError, match=r"genlevel\.yaml"):
            await ask(request)


async def test_a_restart_asks_nothing_again_and_what_is_no_longer_in_the_file_does_not_run(watchers, declared, scripted):
    declared()
    evaluator = watchers.start()
    await look(evaluator)
    await idle(evaluator)
    await tick(watchers, evaluator, 2)
    calls = scripted.calls.total()
    evaluator = await restarted(watchers, evaluator)
    await tick(watchers, evaluator)
    assert scripted.calls.total() - calls == 50
    del watchers.settings["monitors"]
    evaluator = await restarted(watchers, evaluator)
    monitor = await tick(watchers, evaluator, 2)
    assert (monitor.state, monitor.ticks, monitor.declared) == (mo.MONITOR_STATE_PAUSED, 3, False)
    declared()
    evaluator = await restarted(watchers, evaluator)
    monitor = await tick(watchers, evaluator)
    assert (monitor.state, monitor.ticks, monitor.declared) == (mo.MONITOR_STATE_WATCHING, 4, True)
    assert scripted.calls.total() - calls == 100


async def test_other_rules_keep_the_baseline_and_another_question_asks_a_new_one(watchers, declared, scripted):
    scripted.info.price.CopyFrom(gw.Price(input="1", output="1"))
    scripted.cost = 1000
    declared()
    evaluator = watchers.start()
    await look(evaluator)
    await idle(evaluator)
    await tick(watchers, evaluator, 2)
    before = (await seen(evaluator)).groups[0].checks[0]
    calls, cost = scripted.calls.total(), (await seen(evaluator)).monitor.cost_nano_usd
    declared(tolerance=3, alpha=0.01)
    evaluator = await restarted(watchers, evaluator)
    monitor = await idle(evaluator)
    found = await seen(evaluator)
    assert (scripted.calls.total(), monitor.cost_nano_usd, monitor.specification.tolerance) == (calls, cost, 3)
    assert cost == calls * 1000
    check = found.groups[0].checks[0]
    assert check.log_threshold > before.log_threshold
    assert not check.HasField("log_evidence"), "what had gathered was by other rules"
    assert "rules" in {event.kind for event in found.events}
    declared(tolerance=3, alpha=0.01, sample=40)
    evaluator = await restarted(watchers, evaluator)
    await idle(evaluator)
    assert scripted.calls.total() - calls == 40 * 6 * 2
    assert (await seen(evaluator)).monitor.ticks == 2


async def test_a_monitor_that_was_added_by_hand_becomes_the_files(watchers, declared, suite):
    evaluator = watchers.start()
    await add(evaluator, suite[0], pool=6, baseline_repeats=2)
    declared()
    evaluator = await restarted(watchers, evaluator)
    monitor = await idle(evaluator)
    assert (monitor.declared, monitor.specification.sample) == (True, 50)


async def test_what_cannot_be_is_said_and_the_others_run(watchers, declared, suite, caplog):
    declared()
    watchers.settings["monitors"]["other"] = {**watchers.settings["monitors"]["one"], "suite": "/nowhere"}
    evaluator = watchers.start()
    await look(evaluator)
    await look(evaluator)
    assert await names(evaluator) == ["one"]
    assert len([line for line in caplog.messages if "monitors.other" in line]) == 1


async def test_another_question_waits_for_a_tick_that_goes_on_and_stops_a_baseline_that_does(watchers, declared, scripted, monkeypatch):
    monkeypatch.setattr(declared_module, "AGAIN_S", 0.0)
    declared()
    evaluator = watchers.start()
    await look(evaluator)
    await idle(evaluator)
    scripted.latency_s = 0.05
    watchers.clock.now += 6 * HOUR
    await look(evaluator)
    run_id = evaluator._journal.monitors.tick("one", 1).run_id
    await evaluator.update_run(ev.UpdateRunRequest(run_id=run_id, wanted=ev.RUN_WANTED_PAUSED))
    declared(sample=40)
    evaluator = await restarted(watchers, evaluator)
    await look(evaluator)
    assert (await seen(evaluator)).monitor.specification.sample == 50, "its tick goes on"
    await evaluator.update_run(ev.UpdateRunRequest(run_id=run_id, wanted=ev.RUN_WANTED_GO_ON))
    await evaluator._continuing.look()
    await evaluator.ended()
    calls = scripted.calls.total()
    async with asyncio.timeout(30):
        while not evaluator._journal.monitors.find("one").baseline_run or (await seen(evaluator)).monitor.specification.sample == 50:
            await look(evaluator)
    (first,) = (await seen(evaluator)).ticks
    assert (first.outcome, first.instances) == (mo.TICK_OUTCOME_COMPLETE, 50)
    declared(sample=30)
    evaluator = await restarted(watchers, evaluator)
    scripted.latency_s = 0.0
    async with asyncio.timeout(30):
        while (await seen(evaluator)).monitor.specification.sample != 30:
            await look(evaluator)
            await evaluator.ended()
    monitor = await idle(evaluator)
    assert (monitor.state, monitor.specification.sample) == (mo.MONITOR_STATE_WATCHING, 30)
    assert scripted.calls.total() - calls < 40 * 6 * 2 + 30 * 6 * 2, "the baseline that nobody wants any more was not asked to its end"


async def test_what_was_due_while_the_file_paused_a_monitor_was_not_missed_and_another_schedule_holds_at_once(watchers, declared):
    declared(every="30d")
    evaluator = watchers.start()
    await look(evaluator)
    await idle(evaluator)
    declared(every="6h")
    evaluator = await restarted(watchers, evaluator)
    await idle(evaluator)
    monitor = await tick(watchers, evaluator)
    assert monitor.ticks == 1
    declared(every="6h", paused=True)
    evaluator = await restarted(watchers, evaluator)
    await tick(watchers, evaluator, 4)
    declared(every="6h")
    evaluator = await restarted(watchers, evaluator)
    monitor = await tick(watchers, evaluator)
    assert (monitor.ticks, monitor.missed) == (2, 0)
