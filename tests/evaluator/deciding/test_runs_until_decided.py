"""Runs that ask only until something is decided: what they ask, what they decide, and how they are completed."""

from __future__ import annotations

import pytest

from genlevel.v1 import evaluator_pb2 as ev
from tests.evaluator.deciding.worlds import World, asked_twice
from tests.evaluator.runs.asking import finish, specification

WON, NOT_WON = ev.DecidedTask.STATE_WON, ev.DecidedTask.STATE_NOT_WON
WINS = ev.UntilDecided(aim=ev.UntilDecided.AIM_WINS)


@pytest.fixture
def world(tmp_path, scripted):
    there = World(tmp_path / "bench")
    scripted.script = there.script
    return there


async def decide(evaluator, world, until=WINS, concurrency=8, **fields):
    traffic = ev.TrafficSettings(concurrency=concurrency, until_decided=until, **fields)
    return await finish(evaluator, ev.StartRunRequest(specification=specification(world.root), traffic=traffic))


def states(run):
    return {task.task: task.state for task in run.decision.tasks}


async def test_wins_are_decided_and_the_rest_is_asked_when_the_run_is_completed(make_evaluator, world, scripted):
    world.task("nlp/Causal-Reasoning", 300, 0.95)  # reference 65
    world.task("nlp/Commonsense-Reasoning", 300, 0.5)  # 83.33
    evaluator, _ = make_evaluator()
    run = await decide(evaluator, world)
    assert (run.status, run.reason) == (ev.RUN_STATUS_DECIDED, "")
    assert states(run) == {"nlp/Causal-Reasoning": WON, "nlp/Commonsense-Reasoning": NOT_WON}
    asked = sum(scripted.calls.values())
    assert run.decision.asked == run.counts.answered == asked < 300
    assert (run.decision.total, run.decision.complete, run.wanted) == (600, True, ev.RUN_WANTED_FINISHED)
    same = ev.StartRunRequest(specification=specification(world.root), traffic=ev.TrafficSettings(until_decided=WINS))
    again = await evaluator.start_run(same)
    assert again.nothing_left
    whole = await finish(evaluator, ev.StartRunRequest(specification=specification(world.root)))
    assert (whole.run_id, whole.status, whole.counts.answered) == (run.run_id, ev.RUN_STATUS_FINISHED, 600)
    assert not asked_twice(scripted.calls)
    assert whole.decision == run.decision
