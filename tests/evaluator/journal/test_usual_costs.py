"""What calls of a model have cost so far, and what a dry run makes of it."""

from __future__ import annotations

import pytest

from evaluator.journal.usual_costs import usual_nano_usd
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from tests.evaluator.runs.asking import finish, specification


@pytest.fixture
def evaluator(make_evaluator, scripted):
    scripted.info.price.CopyFrom(gw.Price(input="1", output="2"))
    return make_evaluator()[0]


async def planned(evaluator, suite, *, fresh=False, batch=False, **fields):
    traffic = ev.TrafficSettings(batch=batch, until_decided=ev.UntilDecided(aim=ev.UntilDecided.AIM_WINS))
    asked = ev.PlanRunRequest(specification=specification(suite, **fields), fresh=fresh)
    if not batch:
        asked.traffic.CopyFrom(traffic)
    else:
        asked.traffic.batch = True
    return await evaluator.plan_run(asked)


async def test_a_dry_run_says_what_it_costs_at_what_calls_cost_so_far(evaluator, scripted, suite_folder):
    suite_folder(40, "Causal-Reasoning")
    suite = suite_folder(60, "Medical-Reasoning")
    first = await planned(evaluator, suite)
    assert not any(task.HasField("usual_nano_usd") for task in first.tasks)
    assert not first.expected.HasField("usual_median_nano_usd")
    assert not first.called
    scripted.cost = 5000
    asked = specification(suite, tasks="*Causal*")
    await finish(evaluator, ev.StartRunRequest(specification=asked))
    then = await planned(evaluator, suite)
    known, other = sorted(then.tasks, key=lambda task: task.calls)
    assert known.usual_nano_usd == 40 * 5000
    assert other.usual_nano_usd == pytest.approx(60 * 5000 * (other.estimated_nano_usd / 60) / (known.estimated_nano_usd / 40), abs=1)
    assert 0 < then.expected.usual_median_nano_usd <= then.expected.usual_worst_nano_usd <= known.usual_nano_usd + other.usual_nano_usd
    assert (then.called, (await planned(evaluator, suite, tasks="*Causal*")).called) == (0, 40)
    assert (await planned(evaluator, suite, fresh=True, tasks="*Causal*")).called == 0


async def test_calls_that_were_asked_in_another_way_tell_nothing(evaluator, scripted, suite_folder):
    scripted.cost, suite = 5000, suite_folder(10, "Causal-Reasoning")
    await finish(evaluator, ev.StartRunRequest(specification=specification(suite)))
    longer = gw.GenerationParameters(max_output_tokens=999)
    for fields in ({"parameters": longer}, {"batch": True}):
        (task,) = (await planned(evaluator, suite, **fields)).tasks
        assert not task.HasField("usual_nano_usd")
    (task,) = (await planned(evaluator, suite, limit=5)).tasks
    assert task.usual_nano_usd == 5 * 5000


def test_without_a_task_that_was_asked_nothing_is_said():
    assert usual_nano_usd({"z": (10, 1)}, {"a": (1000, 2)}) == {}
    assert usual_nano_usd({"a": (0, 0)}, {"a": (1000, 2)}) == {}
