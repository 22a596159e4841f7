"""A deployed model, watched: its baseline, its ticks, and what is said if it changes."""

from __future__ import annotations

from genlevel.v1 import monitor_pb2 as mo
from tests.evaluator.monitors.watched import add, seen, tick


async def test_a_model_that_does_not_change_raises_no_alarm_and_one_that_falls_does(watchers, suite, deployed):
    evaluator = watchers.start()
    monitor = await add(evaluator, suite[0], pool=6)
    assert (monitor.state, monitor.ticks) == (mo.MONITOR_STATE_WATCHING, 0)
    await tick(watchers, evaluator, 20)
    found = await seen(evaluator)
    assert (found.monitor.ticks, found.monitor.missed, list(found.alarms)) == (20, 0, [])
    assert {one.outcome for one in found.ticks} == {mo.TICK_OUTCOME_COMPLETE}
    deployed.drop = 0.3
    await tick(watchers, evaluator, 12)
    found = await seen(evaluator, ticks=40)
    raised = [alarm for alarm in found.alarms if alarm.kind == "regression" and alarm.group == "all"]
    (alarm,) = raised
    assert 21 <= alarm.since_tick <= 23
    assert alarm.low < 30 < alarm.high
