"""A run that wins more of its tasks than was allowed for at first: what was not won by then is looked at again, and drawn again."""

from __future__ import annotations

import asyncio
import random

import pytest

from evaluator.deciding.units import units_of
from evaluator.planning.plans import TaskPlan
from genlevel.benchmark.suites import load_suite
from genlevel.deciding import decider
from genlevel.v1 import evaluator_pb2 as ev
from scorer.certify.distributions import binomial_at_least
from tests.evaluator.deciding.worlds import World, asked_twice, jittery
from tests.evaluator.runs.asking import finish, specification

EACH, TASKS, STRONG = 60, 10, 8
SLOW = 10
SHARE = 0.0405
WINS = ev.UntilDecided(aim=ev.UntilDecided.AIM_WINS)


@pytest.fixture
def world(tmp_path, scripted):
    """Tasks that are well won, and two that only the last steps of Holm's procedure certify."""
    there = World(tmp_path / "bench")
    scripted.script = there.script
    barely = next(count for count in range(EACH) if SHARE / (TASKS // 2) < binomial_at_least(count, EACH, 0.6) <= SHARE / 2)
    lines = ["name: many", "tasks:"]
    for number in range(TASKS):
        there.task(f"nlp/Task-{number}", EACH, 1.0)
        lines.append(f"  nlp/Task-{number}: {{metric: ACC, reference: 60}}")
        if number >= STRONG:
            there.right -= {f"Task-{number} {place}?" for place in range(EACH - barely)}
    (there.root / "suite.yaml").write_text("\n".join(lines))
    return there


@pytest.mark.parametrize("slots", [1, 16])
async def test_wins_are_those_of_the_full_run_however_many_they_are(make_evaluator, world, scripted, monkeypatch, slots):
    monkeypatch.setattr(decider, "FEW", 2)
    jittery(scripted, slots, 0.001)
    evaluator, _ = make_evaluator()
    traffic = ev.TrafficSettings(concurrency=slots, until_decided=WINS)
    run = await finish(evaluator, ev.StartRunRequest(specification=specification(world.root), traffic=traffic))
    assert run.decision.complete
    assert [task.state for task in run.decision.tasks] == [ev.DecidedTask.STATE_WON] * TASKS
    assert all(task.decided_at == EACH for task in run.decision.tasks[STRONG:])
    assert not asked_twice(scripted.calls)


async def test_what_is_under_way_of_a_task_that_is_looked_at_again_is_asked_once(make_evaluator, world, scripted, monkeypatch):
    """The last answers of two tasks are right, and on the way when it is known that their first mark does not certify them."""
    monkeypatch.setattr(decider, "FEW", 2)
    late = set()
    for task in load_suite(world.root).tasks[STRONG:]:
        units = units_of(TaskPlan(task, None, EACH), 0)
        questions = [f"{task.name} {position}?" for unit in range(EACH) for position in units.of(unit)]
        right = sum(question in world.right for question in questions)
        first = questions[:-SLOW]
        wrong = random.Random(1).sample(first, EACH - right)
        world.right = (world.right | set(questions)) - set(wrong)
        late |= set(questions[-SLOW:])

    async def generate(request, *, timeout_s, answer=scripted.generate):
        if any(question in request.messages[0].parts[-1].text for question in late):
            await asyncio.sleep(0.2)
        return await answer(request, timeout_s=timeout_s)

    scripted.generate = generate
    evaluator, _ = make_evaluator()
    traffic = ev.TrafficSettings(concurrency=64, until_decided=WINS)
    run = await finish(evaluator, ev.StartRunRequest(specification=specification(world.root), traffic=traffic))
    assert [task.state for task in run.decision.tasks] == [ev.DecidedTask.STATE_WON] * TASKS
    assert not asked_twice(scripted.calls)
