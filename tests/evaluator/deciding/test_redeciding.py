"""What was decided of a run comes to the same from its stored answers alone, while it is decided early and once it is complete."""

from __future__ import annotations

import pytest
from google.protobuf import json_format
from sqlalchemy import delete

from evaluator.journal.tables import answers
from evaluator.planning.planner import offline_plan
from evaluator.planning.suites import AnySuites
from evaluator.runs.redeciding import decided_again
from genlevel.runtime.errors import UsageError
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import evaluator_pb2 as ev
from tests.evaluator.deciding.worlds import World
from tests.evaluator.runs.asking import finish, specification

AIMS = {"wins": ev.UntilDecided.AIM_WINS, "verdict": ev.UntilDecided.AIM_VERDICT}


@pytest.fixture
def world(tmp_path, scripted):
    there = World(tmp_path / "bench")
    scripted.script = there.script
    scripted.info.input_modalities.append(ct.MODALITY_IMAGE)
    there.task("nlp/Causal-Reasoning", 200, 0.95)  # reference 65
    there.task("nlp/Commonsense-Reasoning", 200, 0.5)  # 83.33
    there.task("image/comprehension/Human-Action-Recognition", 200, 0.98, picture_each=2)
    return there


async def decided(evaluator, world, aim):
    traffic = ev.TrafficSettings(concurrency=8, until_decided=ev.UntilDecided(aim=AIMS[aim]))
    return await finish(evaluator, ev.StartRunRequest(specification=specification(world.root), traffic=traffic))


async def again(evaluator, run):
    record = evaluator._journal.run(run.run_id)
    plan = await offline_plan(AnySuites(), json_format.MessageToJson(run.specification), run.run_id)
    return await decided_again(evaluator._context, plan, record, run.decision.until)


def told(decision):
    """What follows from the answers alone, and not from how many calls were under way."""
    levels = [(level.level, level.state, level.by, level.decided_at) for level in decision.levels]
    return [(task.task, task.state, task.decided_at, task.total) for task in decision.tasks], levels, decision.verdict


@pytest.mark.parametrize("aim", AIMS)
async def test_the_answers_alone_decide_the_same_also_once_all_are_there(make_evaluator, world, aim):
    evaluator, _ = make_evaluator()
    run = await decided(evaluator, world, aim)
    assert run.status == ev.RUN_STATUS_DECIDED
    redecided = await again(evaluator, run)
    early = redecided.decision
    assert not redecided.set_aside
    assert told(early) == told(run.decision)
    assert (early.asked, early.total, early.complete) == (run.decision.asked, 600, True)
    whole = await finish(evaluator, ev.StartRunRequest(specification=specification(world.root)))
    assert told((await again(evaluator, whole)).decision) == told(run.decision)


async def test_without_the_answers_that_decide_nothing_is_decided(make_evaluator, world):
    evaluator, _ = make_evaluator()
    run = await decided(evaluator, world, "wins")
    with evaluator._journal.engine.begin() as connection:
        connection.execute(delete(answers).where(answers.c.task == "nlp/Causal-Reasoning", answers.c.instance_id.like("%1")))
    with pytest.raises(UsageError, match="units without all of their answers are needed to decide it"):
        await again(evaluator, run)


async def test_a_task_that_was_short_of_money_does_not_hold_up_a_verdict(make_evaluator, world):
    short = "image/comprehension/Sports-Image-Cls"
    world.task(short, 200, 0.3, picture_each=2)
    evaluator, _ = make_evaluator()
    run = await decided(evaluator, world, "verdict")
    assert run.decision.verdict == 3
    with evaluator._journal.engine.begin() as connection:
        half = [f"q{number}" for number in range(0, 200, 2)]
        connection.execute(delete(answers).where(answers.c.task == short, answers.c.instance_id.in_(half)))
    redecided = await again(evaluator, run)
    assert (redecided.set_aside, redecided.decision.verdict) == ({short}, 3)
