"""A task that the money ends of: what was asked of it before counts, though it came only after that."""

from __future__ import annotations

import asyncio
import json

import pytest

from evaluator.deciding.units import units_of
from evaluator.planning.plans import TaskPlan
from genlevel.benchmark.suites import load_suite
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from tests.evaluator.deciding.test_runs_until_decided import CAUSAL, WON, decide, place_of, states, world  # noqa: F401 - fixtures


@pytest.mark.parametrize(("concurrency", "answers_s", "measured_s"), [(1, 0.0, 0.0), (8, 0.02, 0.0), (8, 0.0, 0.02)])
async def test_what_was_under_way_before_the_dear_question_decides_its_task(place_of, world, concurrency, answers_s, measured_s):  # noqa: F811
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
