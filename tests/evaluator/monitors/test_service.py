"""What callers ask of monitors, and what they are told."""

from __future__ import annotations

import asyncio

import pytest

from genlevel.runtime.errors import NotFoundError, UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import monitor_pb2 as mo
from tests.evaluator.conftest import failing
from tests.evaluator.monitors.watched import Deployed, Watchers, add, idle, look, make_suite, seen, specification, tick


@pytest.fixture
def evaluator(watchers):
    return watchers.start()


async def plan(evaluator, suite, **fields):
    return await evaluator.monitors.plan_monitor(mo.PlanMonitorRequest(name="one", specification=specification(suite, **fields)))


async def test_a_plan_says_what_it_costs_how_often_it_is_wrong_and_how_soon_it_tells(evaluator, suite, scripted):
    scripted.info.price.CopyFrom(gw.Price(input="1", output="1"))
    found = await plan(evaluator, suite[0], sample=50, pool=6, budget_nano_usd=10**9)
    assert (found.ticks_a_year, found.horizon_ticks, found.sample, found.pool, found.baseline_calls) == (1460, 1460, 50, 300, 600)
    assert found.false_alarms_a_year == pytest.approx(0.05)
    assert [group.instances for group in found.groups] == [25, 25]
    assert found.year_nano_usd == pytest.approx(found.tick_nano_usd * 1460, rel=1e-6)
    assert found.day_nano_usd == pytest.approx(found.tick_nano_usd * 4, rel=1e-6)
    assert found.baseline_nano_usd == pytest.approx(found.tick_nano_usd * 6 * 2, rel=1e-3)
    whole = {delay.drop: delay.ticks for delay in found.delays if delay.group == "all" and delay.HasField("ticks")}
    assert whole[10] >= whole[20] >= 1
    smallest = {delay.drop: delay.ticks for delay in found.delays if delay.group != "all" and delay.HasField("ticks")}
    assert smallest[20] > whole[20]
    assert not scripted.calls, "no model is asked"


async def test_a_plan_of_a_model_without_a_price_says_no_cost(evaluator, suite, scripted):
    found = await plan(evaluator, suite[0], unpriced_ok=True)
    assert not found.HasField("year_nano_usd")
    scripted.info.charges = True
    with pytest.raises(UsageError, match="price"):
        await plan(evaluator, suite[0], budget_nano_usd=10**9)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"every": "soon"}, "is no schedule"),
        ({"time_zone": "Mars/Base"}, "no time zone"),
        ({"sample": 2}, "a sample of 2"),
        ({"pool": 5000}, "a pool of 5,000"),
        ({"alpha": 0.9}, "alpha is 0.9"),
        ({"tolerance": 60.0}, "a tolerance of 60 points"),
        ({"horizon_s": 5}, "a horizon"),
        ({"panel": True, "pool": 20}, "a panel"),
        ({"panel": True, "baseline_repeats": 2}, "at least 5 repeats"),
        ({"baseline": "nosuchrun"}, "no run 'nosuchrun'"),
        ({"baseline": "x", "baseline_repeats": 3}, "leave out baseline"),
        ({"destinations": ["nowhere"]}, "no destination 'nowhere'"),
        ({"budget_nano_usd": -1}, "above 0"),
    ],
)
async def test_what_cannot_be_watched_is_said_in_one_line(evaluator, suite, fields, said):
    with pytest.raises(UsageError, match=said) as raised:
        await evaluator.monitors.add_monitor(mo.AddMonitorRequest(name="one", specification=specification(suite[0], **fields)))
    assert "\n" not in str(raised.value)
    assert not (await evaluator.monitors.list_monitors(mo.ListMonitorsRequest())).monitors


@pytest.mark.parametrize(
    "asked", [{"limit": 5}, {"repeats": 2}, {"occasion": "x"}, {"base_url": "http://x"}, {"suite": ""}, {"model": " "}]
)
async def test_a_monitor_asks_what_it_chooses_of_configured_routes(evaluator, suite, asked):
    wanted = specification(suite[0])
    wanted.asked.MergeFrom(ev.RunSpecification(**asked))
    if "suite" in asked:
        wanted.asked.suite = ""
    if "model" in asked:
        wanted.asked.model = " "
    with pytest.raises(UsageError):
        await evaluator.monitors.add_monitor(mo.AddMonitorRequest(name="one", specification=wanted))


@pytest.mark.parametrize("name", ["", "a b", "../x", "x" * 65, ".x", "é", "a\n"])
async def test_a_name_that_cannot_be_is_said(evaluator, suite, name):
    with pytest.raises(UsageError, match="cannot name a monitor"):
        await evaluator.monitors.add_monitor(mo.AddMonitorRequest(name=name, specification=specification(suite[0])))
    with pytest.raises(UsageError, match="cannot name a monitor"):
        await evaluator.monitors.plan_monitor(mo.PlanMonitorRequest(name=name, specification=specification(suite[0])))


@pytest.mark.parametrize(("budget", "said"), [(0.5, "one tick may cost"), (1.5, "a day's ticks may cost"), (4.5, None)])
async def test_a_plan_says_whether_a_day_pays_its_ticks_and_what_to_do(evaluator, suite, scripted, budget, said):
    scripted.info.price.CopyFrom(gw.Price(input="1", output="1"))
    tick = (await plan(evaluator, suite[0], sample=50, pool=6)).tick_nano_usd
    found = await plan(evaluator, suite[0], sample=50, pool=6, budget_nano_usd=int(budget * tick))
    notes = [note for note in found.problems if "may cost" in note]
    assert len(notes) == (said is not None)
    assert all(note.startswith(said) and "a higher budget" in note for note in notes)
    assert not any(note.startswith("all: ") for note in found.problems)


async def test_a_name_is_there_once_and_again_after_it_was_removed(watchers, evaluator, suite, scripted):
    await add(evaluator, suite[0], pool=6)
    with pytest.raises(UsageError, match="already"):
        await evaluator.monitors.add_monitor(mo.AddMonitorRequest(name="one", specification=specification(suite[0])))
    await tick(watchers, evaluator)
    await evaluator.monitors.remove_monitor(mo.RemoveMonitorRequest(name="one"))
    with pytest.raises(NotFoundError):
        await seen(evaluator)
    calls = scripted.calls.total()
    await add(evaluator, suite[0], pool=6)
    await tick(watchers, evaluator)
    assert scripted.calls.total() - calls == 600 + 50, "it is another monitor: nothing of the first one serves it"


async def test_a_monitor_that_is_removed_while_it_asks_stops_asking(watchers, evaluator, suite, scripted):
    scripted.latency_s = 0.05
    await evaluator.monitors.add_monitor(mo.AddMonitorRequest(name="one", specification=specification(suite[0], pool=6)))
    await look(evaluator)
    await asyncio.sleep(0.2)
    await evaluator.monitors.remove_monitor(mo.RemoveMonitorRequest(name="one"))
    async with asyncio.timeout(20):
        await evaluator.ended()
    assert scripted.calls.total() < 1000


async def test_a_run_that_is_there_can_be_the_baseline_and_one_of_something_else_cannot(watchers, evaluator, suite, scripted):
    asked = ev.RunSpecification(model="m", suite=str(suite[0]))
    run = (await evaluator.start_run(ev.StartRunRequest(specification=asked))).run
    await evaluator.ended()
    calls = scripted.calls.total()
    monitor = await add(evaluator, suite[0], baseline=run.run_id[:8])
    assert (monitor.baseline_run, scripted.calls.total() - calls) == (run.run_id, 0)
    await tick(watchers, evaluator, 2)
    assert [one.instances for one in (await seen(evaluator)).ticks] == [50, 50]
    hot = specification(suite[0], baseline=run.run_id)
    hot.asked.parameters.temperature = 1.0
    with pytest.raises(UsageError, match="other parameters"):
        await evaluator.monitors.add_monitor(mo.AddMonitorRequest(name="other", specification=hot))


async def test_a_new_baseline_compares_with_the_model_as_it_is_and_acknowledges_what_was_raised(watchers, evaluator, suite, deployed):
    await add(evaluator, suite[0], pool=6)
    deployed.drop = 0.4
    await tick(watchers, evaluator, 5)
    assert (await seen(evaluator)).monitor.alarms
    await evaluator.monitors.rebase_monitor(mo.RebaseMonitorRequest(name="one"))
    monitor = await idle(evaluator)
    assert (monitor.state, monitor.alarms) == (mo.MONITOR_STATE_WATCHING, 0)
    await tick(watchers, evaluator, 5)
    found = await seen(evaluator)
    assert (found.monitor.alarms, found.monitor.ticks) == (0, 10)
    assert "rebased" in {event.kind for event in found.events}
    assert abs(found.groups[0].drop) < 25


async def check_sequence(evaluator, alarm):
    """Ticks tell of each group how its evidence grew, to where it stands now; the alarm came with the first one above the threshold."""
    found = await evaluator.monitors.get_monitor(mo.GetMonitorRequest(name="one", groups=True))
    falls = {
        tick.number: check
        for tick in found.ticks
        for check in tick.groups[0].checks
        if (check.signal, check.direction) == ("score", "down")
    }
    assert alarm.tick == min(number for number, check in falls.items() if check.log_evidence >= check.log_threshold)
    assert alarm.tick == 1 or falls[1].log_evidence < falls[alarm.tick].log_evidence
    newest = found.ticks[0]
    assert (newest.groups[0].group, newest.groups[0].score) == ("all", newest.score)
    now = {(group.group, check.signal, check.direction): check.log_evidence for group in found.groups for check in group.checks}
    told = {(group.group, check.signal, check.direction): check.log_evidence for group in newest.groups for check in group.checks}
    assert told == {place: pytest.approx(now[place], abs=1e-3) for place in told}
    assert not any(tick.groups for tick in (await seen(evaluator)).ticks), "only if they are asked for"


async def test_an_alarm_latches_until_it_is_acknowledged_and_comes_again_if_the_drop_stays(watchers, evaluator, suite, deployed):
    await add(evaluator, suite[0], pool=6)
    deployed.drop = 0.4
    await tick(watchers, evaluator, 10)
    regressions = [alarm for alarm in (await seen(evaluator)).alarms if alarm.kind == "regression" and alarm.group == "all"]
    assert len(regressions) == 1, "once, however long it lasts"
    await check_sequence(evaluator, regressions[0])
    told = await evaluator.monitors.acknowledge_alarms(mo.AcknowledgeAlarmsRequest(name="one", alarms=[regressions[0].id], note="known"))
    assert list(told.acknowledged) == [regressions[0].id]
    with pytest.raises(NotFoundError):
        await evaluator.monitors.acknowledge_alarms(mo.AcknowledgeAlarmsRequest(name="one", alarms=[regressions[0].id]))
    await tick(watchers, evaluator, 10)
    again = [alarm for alarm in (await seen(evaluator)).alarms if alarm.kind == "regression" and alarm.group == "all"]
    assert [alarm.HasField("acknowledged") for alarm in again] == [False, True]
    assert again[0].since_tick > 10, "of what was before nothing counts"
    assert (again[1].acknowledged_by, again[1].note) == ("this process", "known")


async def test_a_model_by_another_name_is_told_at_once_and_once(watchers, evaluator, suite, scripted, monkeypatch):
    await add(evaluator, suite[0], pool=6)
    await tick(watchers, evaluator)
    original = scripted.generate

    async def other(request, *, timeout_s):
        response = await original(request, timeout_s=timeout_s)
        response.model, response.provider_fingerprint = "m-2027-01", "fp_2"
        return response

    monkeypatch.setattr(scripted, "generate", other)
    await tick(watchers, evaluator, 3)
    found = await seen(evaluator)
    assert [(alarm.kind, alarm.tick) for alarm in found.alarms] == [("model", 2)]
    assert "m-2027-01" in found.alarms[0].what
    assert [event.kind for event in found.events].count("model") == 1


async def test_tasks_whose_answers_have_no_score_of_their_own_are_left_out_and_said(tmp_path, scripted):
    labels = make_suite(tmp_path / "bench", {"Causal-Reasoning": 100})
    scripted.script = Deployed(labels)
    watchers = Watchers(tmp_path / "data", scripted)
    evaluator = watchers.start()
    await evaluator.monitors.add_monitor(
        mo.AddMonitorRequest(name="one", specification=specification(tmp_path / "bench", sample=20, pool=2))
    )
    monitor = await idle(evaluator)
    assert monitor.state == mo.MONITOR_STATE_WATCHING
    await watchers.close()


async def test_a_suite_that_has_changed_is_said_and_no_tick_compares_with_what_is_no_longer_there(watchers, evaluator, suite):
    await add(evaluator, suite[0], pool=6)
    await tick(watchers, evaluator)
    annotation = suite[0] / "nlp" / "Sentiment" / "annotation.json"
    annotation.write_text(annotation.read_text().replace('"q7"', '"other"'))
    monitor = await tick(watchers, evaluator)
    assert monitor.state == mo.MONITOR_STATE_FAILED
    assert "has changed" in monitor.reason
    assert "rebase" in monitor.reason
    annotation.write_text(annotation.read_text().replace('"other"', '"q7"'))
    await evaluator.monitors.pause_monitor(mo.PauseMonitorRequest(name="one"))
    monitor = await tick(watchers, evaluator)
    assert (monitor.state, monitor.ticks) == (mo.MONITOR_STATE_WATCHING, 3)


async def test_what_a_command_of_this_machine_added_by_a_path_is_watched_by_a_service_that_takes_names_alone(watchers, suite):
    command = watchers.start()
    await command.monitors.add_monitor(mo.AddMonitorRequest(name="one", specification=specification(suite[0], pool=6)))
    await watchers.stop(command)
    service = watchers.start(named=True)
    with pytest.raises(UsageError, match="is a name"):
        await service.monitors.add_monitor(mo.AddMonitorRequest(name="two", specification=specification(suite[0])))
    await idle(service)
    monitor = await tick(watchers, service)
    assert (monitor.state, monitor.ticks) == (mo.MONITOR_STATE_WATCHING, 1)
    await service.monitors.rebase_monitor(mo.RebaseMonitorRequest(name="one", baseline_repeats=1))
    assert (await idle(service)).state == mo.MONITOR_STATE_WATCHING


async def test_a_baseline_whose_calls_fail_is_said_to_fail_and_goes_on_once_the_provider_is_back(
    watchers, evaluator, suite, scripted, deployed
):
    scripted.info.price.CopyFrom(gw.Price(input="1", output="1"))
    scripted.cost = 1000
    broken = failing(gw.ERROR_CLASS_TRANSIENT)
    scripted.script = lambda question, calls: deployed(question, calls) if scripted.calls.total() <= 100 else broken(question, calls)
    await evaluator.monitors.add_monitor(mo.AddMonitorRequest(name="one", specification=specification(suite[0], pool=6)))
    for _ in range(2):
        monitor = await idle(evaluator)
        assert monitor.state == mo.MONITOR_STATE_FAILED
        assert "it goes on in 10 minutes" in monitor.reason
        assert monitor.cost_nano_usd > 0
        watchers.clock.now += 601
        await look(evaluator)
        await evaluator.ended()
    with pytest.raises(UsageError, match="cannot tick now"):
        await evaluator.monitors.run_monitor(mo.RunMonitorRequest(name="one"))
    scripted.script = deployed
    await idle(evaluator)
    watchers.clock.now += 601
    await look(evaluator)
    await evaluator.ended()
    await idle(evaluator)
    monitor = await tick(watchers, evaluator)
    assert (monitor.state, monitor.ticks) == (mo.MONITOR_STATE_WATCHING, 1)
    runs = (await evaluator.list_runs(ev.ListRunsRequest(ticks=True))).runs
    assert len(runs) == 2
    assert monitor.cost_nano_usd == sum(run.most_cost_nano_usd for run in runs), "each run counts once"
    assert [event.kind for event in (await seen(evaluator)).events].count("failed") == 1
