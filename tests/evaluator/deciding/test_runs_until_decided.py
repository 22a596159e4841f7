"""Runs that ask only until something is decided: what they ask, what they decide, and how they are completed."""

from __future__ import annotations

import random

import pytest

from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import evaluator_pb2 as ev
from tests.evaluator.conftest import ScriptedGateway
from tests.evaluator.deciding.worlds import World, asked_twice, jittery, settled_of
from tests.evaluator.runs.asking import finish, specification
from tests.evaluator.runs.places import Place, seen
from tests.waiting import until

WON, NOT_WON, UNDECIDED = ev.DecidedTask.STATE_WON, ev.DecidedTask.STATE_NOT_WON, ev.DecidedTask.STATE_UNDECIDED
WINS = ev.UntilDecided(aim=ev.UntilDecided.AIM_WINS)
VERDICT = ev.UntilDecided(aim=ev.UntilDecided.AIM_VERDICT)
CAUSAL, COMMON = "nlp/Causal-Reasoning", "nlp/Commonsense-Reasoning"  # references 65, 83.33
HUMAN, SPORTS = "image/comprehension/Human-Action-Recognition", "image/comprehension/Sports-Image-Classification"  # 82.3, 49.8


@pytest.fixture
def world(tmp_path, scripted):
    there = World(tmp_path / "bench")
    scripted.script = there.script
    scripted.info.input_modalities.append(ct.MODALITY_IMAGE)
    return there


@pytest.fixture
async def place_of(tmp_path, world):
    """Makes data folders, each with a gateway of its own."""
    made = []

    def make(name):
        gateway = ScriptedGateway()
        gateway.script = world.script
        gateway.info.input_modalities.append(ct.MODALITY_IMAGE)
        made.append(Place(tmp_path / name, gateway))
        return made[-1]

    yield make
    for place in made:
        for evaluator, _ in list(place.made):
            await place.stop(evaluator)


def request_of(world, until=WINS, concurrency=8, **fields):
    traffic = ev.TrafficSettings(concurrency=concurrency, until_decided=until, **fields)
    return ev.StartRunRequest(specification=specification(world.root), traffic=traffic)


async def decide(evaluator, world, until=WINS, concurrency=8, **fields):
    return await finish(evaluator, request_of(world, until, concurrency, **fields))


async def cut_after(place, evaluator, calls):
    """Ends an evaluator's run with its calls in flight once so many were made; or returns when the run has ended."""
    await until(lambda: place.gateway.calls.total() >= calls or not evaluator._control.active)
    if evaluator._control.active:
        evaluator.begin_nothing()
        evaluator.cut()


def states(run):
    return {task.task: task.state for task in run.decision.tasks}


async def test_wins_are_decided_and_the_rest_is_asked_when_the_run_is_completed(make_evaluator, world, scripted):
    world.task(CAUSAL, 300, 0.95)
    world.task(COMMON, 300, 0.5)
    evaluator, _ = make_evaluator()
    run = await decide(evaluator, world)
    assert (run.status, run.reason) == (ev.RUN_STATUS_DECIDED, "")
    assert states(run) == {CAUSAL: WON, COMMON: NOT_WON}
    asked = sum(scripted.calls.values())
    assert run.decision.asked == run.counts.answered == asked < 300
    assert (run.decision.total, run.decision.complete, run.wanted) == (600, True, ev.RUN_WANTED_FINISHED)
    again = await evaluator.start_run(request_of(world))
    assert (again.nothing_left, again.run.status) == (True, ev.RUN_STATUS_DECIDED)
    whole = await finish(evaluator, ev.StartRunRequest(specification=specification(world.root)))
    assert (whole.run_id, whole.status, whole.counts.answered) == (run.run_id, ev.RUN_STATUS_FINISHED, 600)
    assert not asked_twice(scripted.calls)
    assert whole.decision == run.decision


@pytest.fixture
def mixed(world):
    """Tasks of several kinds: alone, with pictures that several questions share, won, lost and close."""
    world.task(CAUSAL, 120, 0.95)
    world.task(COMMON, 120, 0.85)
    world.task(HUMAN, 90, 0.6, kind="classification", picture_each=3)
    world.task(SPORTS, 90, 0.9, kind="classification", picture_each=2)
    return world


@pytest.mark.parametrize("sought", [WINS, VERDICT])
async def test_what_is_decided_depends_neither_on_latencies_nor_on_how_many_calls_are_in_flight(place_of, mixed, sought):
    found = []
    for concurrency, seed in ((1, 0), (4, 1), (64, 2)):
        place = place_of(f"data{concurrency}")
        jittery(place.gateway, seed)
        run = await decide(place.start(going=False), mixed, sought, concurrency)
        assert run.status in (ev.RUN_STATUS_DECIDED, ev.RUN_STATUS_FINISHED)
        assert not asked_twice(place.gateway.calls)
        found.append(settled_of(run.decision))
    assert str(found[0]) == str(found[1]) == str(found[2])
    assert found[0].complete


@pytest.mark.parametrize("seed", range(2))
async def test_a_run_that_is_interrupted_anywhere_decides_as_one_that_is_not(place_of, mixed, seed):
    whole = (await decide(place_of("whole").start(going=False), mixed)).decision
    place, chance = place_of("cut"), random.Random(seed)
    jittery(place.gateway, seed)
    run_id, starts = "", 0
    for stop_after in (*sorted(chance.sample(range(5, whole.asked), 3)), 10**9):
        evaluator = place.start(going=False)
        run = (await evaluator.start_run(request_of(mixed))).run
        run_id, starts = run.run_id, starts + 1
        await cut_after(place, evaluator, stop_after)
        run = await seen(evaluator, run_id)
        await place.stop(evaluator)
        if run.status == ev.RUN_STATUS_DECIDED:
            break
    assert starts > 1
    assert str(settled_of(run.decision)) == str(settled_of(whole))
