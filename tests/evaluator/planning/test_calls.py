"""How many calls a run makes is known before it begins, and is what a decision says of it."""

from __future__ import annotations

import json

import pytest

from evaluator.planning.calls import calls_of
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import evaluator_pb2 as ev
from tests.evaluator.deciding.worlds import PNG, World
from tests.evaluator.runs.asking import finish, specification

PICTURES = "image/comprehension/Human-Action-Recognition"


@pytest.fixture
def world(tmp_path, scripted):
    there = World(tmp_path / "bench")
    scripted.script = there.script
    there.task("nlp/Causal-Reasoning", 120, 0.95)
    there.task(PICTURES, 60, 0.9, picture_each=1)
    return there


async def calls(evaluator, world, **fields):
    plan = await evaluator._planner.resolve(specification(world.root, **fields))
    return {planned.task.key.split("/")[0]: calls_of(plan, planned) for planned in plan.tasks}


async def positions(evaluator, world):
    plan = await evaluator._planner.resolve(specification(world.root, limit=20))
    return next(planned.positions for planned in plan.tasks if planned.task.key == PICTURES)


async def test_what_a_model_does_not_take_is_not_called_for(make_evaluator, scripted, world):
    evaluator, _ = make_evaluator()
    assert await calls(evaluator, world) == {"nlp": 120, "image": 0}
    assert await calls(evaluator, world, limit=20, repeats=2) == {"nlp": 40, "image": 0}
    scripted.info.input_modalities.append(ct.MODALITY_IMAGE)
    assert await calls(evaluator, world, limit=20) == {"nlp": 20, "image": 20}


def without_media(world, positions):
    annotation = world.root / PICTURES / "annotation.json"
    told = json.loads(annotation.read_text())
    for position in positions:
        del told["data"][position]["input"]["image_file"]
    annotation.write_text(json.dumps(told))


async def test_of_a_task_of_another_modality_that_which_has_no_medium_is(make_evaluator, world):
    without_media(world, [*range(7), 40, 50])
    evaluator, _ = make_evaluator()
    assert await calls(evaluator, world) == {"nlp": 120, "image": 9}
    assert await calls(evaluator, world, repeats=3) == {"nlp": 360, "image": 27}
    asked = [position < 7 or position in (40, 50) for position in await positions(evaluator, world)]
    assert await calls(evaluator, world, limit=20) == {"nlp": 20, "image": sum(asked)}


async def test_what_a_model_does_not_make_is_not_called_for(make_evaluator, scripted, world):
    folder = world.root / "image" / "generation" / "Image-Deraining"
    (folder / "images").mkdir(parents=True)
    for name in ("rain", "clean"):
        (folder / "images" / f"{name}.png").write_bytes(PNG)
    item = {"input": {"image_file": "images/rain.png", "prompt": "Remove the rain."}, "output": {"image_file": "images/clean.png"}}
    envelope = {"task": folder.name, "type": "image generation", "modality": {"in": ["image", "text"], "out": ["image"]}}
    (folder / "annotation.json").write_text(json.dumps({**envelope, "data": [{"id": f"d{number}", **item} for number in range(3)]}))
    evaluator, _ = make_evaluator()
    scripted.info.input_modalities.append(ct.MODALITY_IMAGE)
    asked = specification(world.root, tasks="image/generation/*")
    for called in (0, 3):
        (planned,) = (plan := await evaluator._planner.resolve(asked)).tasks
        assert calls_of(plan, planned) == called
        scripted.info.output_modalities.append(ct.MODALITY_IMAGE)


async def test_a_dry_run_expects_no_more_calls_than_are_made(make_evaluator, world):
    without_media(world, [5])
    evaluator, _ = make_evaluator()
    traffic = ev.TrafficSettings(until_decided=ev.UntilDecided(aim=ev.UntilDecided.AIM_WINS))
    asked = specification(world.root, tasks="image/*")
    expected = (await evaluator.plan_run(ev.PlanRunRequest(specification=asked, traffic=traffic))).expected
    assert (expected.note, expected.total) == ("", 1)
    assert expected.worst <= 1


async def test_a_decision_counts_calls_and_prices_those_that_a_full_run_would_make(make_evaluator, scripted, world):
    scripted.cost = 1000
    scripted.info.price.input, scripted.info.price.output = "1", "1"
    evaluator, _ = make_evaluator()
    traffic = ev.TrafficSettings(concurrency=4, until_decided=ev.UntilDecided(aim=ev.UntilDecided.AIM_WINS))
    run = await finish(evaluator, ev.StartRunRequest(specification=specification(world.root), traffic=traffic))
    assert run.status == ev.RUN_STATUS_DECIDED
    assert run.counts.unsupported > 0
    assert (run.decision.asked, run.decision.total) == (sum(scripted.calls.values()), 120)
    assert run.decision.saved_nano_usd == 1000 * (120 - run.decision.asked)
