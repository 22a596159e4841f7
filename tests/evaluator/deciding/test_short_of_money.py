"""Tasks that the money ends of: what was asked of them before counts, others go on, and more money goes on with them."""

from __future__ import annotations

import asyncio
import json

import pytest

from evaluator.deciding.units import units_of
from evaluator.planning.plans import TaskPlan
from genlevel.benchmark.suites import load_suite
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from tests.evaluator.deciding.worlds import CAUSAL, COMMON, UNDECIDED, WON, asked_twice, decide, request_of, settled_of, states
from tests.evaluator.runs.places import reaches
from tests.waiting import until


@pytest.mark.parametrize(("concurrency", "answers_s", "measured_s"), [(1, 0.0, 0.0), (8, 0.02, 0.0), (8, 0.0, 0.02)])
async def test_what_was_under_way_before_the_dear_question_decides_its_task(place_of, world, concurrency, answers_s, measured_s):
    """The first question that is not needed any more is too dear, and is reached while those before it are asked or measured."""
    world.task(CAUSAL, 60, 1.0)
    (task,) = (await decide(place_of("whole").start(going=False), world)).decision.tasks
    assert 8 < task.decided_at < 60
    folder = load_suite(world.root).tasks[0]
    (dear,) = units_of(TaskPlan(folder, None, 60), 0).of(task.decided_at)
    path = world.root / CAUSAL / "annotation.json"
    content = json.loads(path.read_text())
    content["data"][dear]["input"]["options"][1] = "no" + " never" * 1000
    path.write_text(json.dumps(content))
    place = place_of("data")
    place.gateway.latency_s = answers_s
    place.gateway.info.price.CopyFrom(gw.Price(input="1", output="1"))
    place.gateway.cost = 1_000
    evaluator = place.start(going=False)
    scorer = place.made[-1][1]

    async def measured(request, measure=scorer.measure_answers):
        await asyncio.sleep(measured_s)
        return await measure(request)

    scorer.measure_answers = measured
    run = await decide(evaluator, world, concurrency=concurrency, budget_nano_usd=3_000_000)
    assert (run.status, states(run)) == (ev.RUN_STATUS_DECIDED, {CAUSAL: WON})
    assert run.decision.tasks[0].decided_at == run.decision.asked == task.decided_at


async def test_a_budget_leaves_it_undecided_and_more_money_goes_on(place_of, world):
    world.task(CAUSAL, 200, 0.95)
    world.task(COMMON, 200, 0.8)
    place = place_of("data")
    evaluator = place.start(going=False)
    place.gateway.info.price.CopyFrom(gw.Price(input="1", output="1"))
    place.gateway.cost = 20_000
    whole = place_of("whole").start(going=False)
    free = await decide(whole, world)
    run = await decide(evaluator, world, budget_nano_usd=500_000)
    assert run.status == ev.RUN_STATUS_BUDGET
    assert run.cost_nano_usd <= 500_000
    assert not run.decision.complete
    asked = place.gateway.calls.total()
    assert 0 < asked < free.decision.asked
    more = await decide(evaluator, world, budget_nano_usd=50_000_000)
    assert more.status == ev.RUN_STATUS_DECIDED
    assert str(settled_of(more.decision)) == str(settled_of(free.decision))
    assert not asked_twice(place.gateway.calls)
    assert more.decision.saved_nano_usd == 20_000 * (400 - more.decision.asked)


@pytest.fixture
def one_is_dear(place_of, world):
    """A place whose second task asks so long questions that a budget allows only calls of the first."""
    world.task(CAUSAL, 200, 0.95)
    world.task(COMMON, 200, 0.5)
    path = world.root / COMMON / "annotation.json"
    content = json.loads(path.read_text())
    for item in content["data"]:
        item["input"]["options"][1] = "no" + " never" * 1000
    path.write_text(json.dumps(content))
    place = place_of("data")
    place.gateway.info.price.CopyFrom(gw.Price(input="1", output="1"))
    place.gateway.cost = 1_000
    return place


async def test_a_task_whose_calls_are_too_dear_does_not_hold_up_the_others(one_is_dear, world):
    place = one_is_dear
    async with asyncio.timeout(30):
        run = await decide(place.start(going=False), world, concurrency=1, budget_nano_usd=3_000_000)
    assert run.status == ev.RUN_STATUS_BUDGET
    assert states(run) == {CAUSAL: WON, COMMON: UNDECIDED}


async def test_more_money_while_it_goes_on_reaches_what_was_short_of_it(one_is_dear, place_of, world):
    place, whole = one_is_dear, await decide(place_of("whole").start(going=False), world)
    place.gateway.latency_s = 0.002
    evaluator = place.start(going=False)
    run = (await evaluator.start_run(request_of(world, concurrency=2, budget_nano_usd=3_000_000))).run
    await until(lambda: place.gateway.calls.total() >= 20)
    await evaluator.update_run(ev.UpdateRunRequest(run_id=run.run_id, traffic=ev.TrafficSettings(budget_nano_usd=10**9)))
    ended = await reaches(evaluator, run.run_id, ev.RUN_STATUS_DECIDED)
    assert str(settled_of(ended.decision)) == str(settled_of(whole.decision))
    assert not asked_twice(place.gateway.calls)
