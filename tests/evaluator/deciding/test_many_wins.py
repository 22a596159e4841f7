"""A run that wins more of its tasks than was allowed for at first: what was not won by then is looked at again, and drawn again."""

from __future__ import annotations

import pytest

from genlevel.deciding import decider
from genlevel.v1 import evaluator_pb2 as ev
from scorer.certify.distributions import binomial_at_least
from tests.evaluator.deciding.worlds import World, asked_twice, jittery
from tests.evaluator.runs.asking import finish, specification

EACH, TASKS, STRONG = 60, 10, 8
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
