"""Coordinates whose meaning follows from all answers of a task, in a run that asks only until something is decided."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from evaluator.runs.deciding import FARTHEST
from evaluator.runs.settling import EXPLAINED
from genlevel.deciding.values import Aim
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import evaluator_pb2 as ev
from tests.evaluator.runs.asking import finish

WINS = ev.UntilDecided(aim=ev.UntilDecided.AIM_WINS)
CLIPS = 48
SIDE = 64


@pytest.fixture
def films(tmp_path: Path, scripted: Any) -> Path:
    """Balls in clips of two frames, whose boxes are given in pixels. Specialists reach 66.6."""
    place = tmp_path / "bench" / "video" / "comprehension" / "Ball Tracking"
    data = []
    for number in range(CLIPS):
        frames = place / "videos" / str(number)
        frames.mkdir(parents=True)
        for frame in range(2):
            Image.new("RGB", (SIDE, SIDE), (number, frame, 30)).save(frames / f"{frame}.png")
        boxes = [box_of(number, frame) for frame in range(2)]
        data.append(
            {"id": f"q{number}", "input": {"video_file": f"videos/{number}", "prompt": f"Where {number}?"}, "output": {"bbox": boxes}}
        )
    (place / "annotation.json").write_text(json.dumps({"task": "Ball Tracking", "data": data}))
    scripted.info.input_modalities.append(ct.MODALITY_VIDEO)
    scripted.info.video_frames = 2
    return tmp_path / "bench"


def box_of(number: int, frame: int) -> list[float]:
    return [30.0 + number % 5, 30.0 + frame, 20.0, 25.0]


def right(question: str, _calls: int) -> str:
    number = int("".join(filter(str.isdigit, question)))
    return json.dumps([box_of(number, frame) for frame in range(2)])


async def decide(evaluator: Any, suite: Path, concurrency: int) -> ev.Run:
    traffic = ev.TrafficSettings(concurrency=concurrency, until_decided=WINS)
    asked = ev.RunSpecification(model="m", suite=str(suite))
    found: ev.Run = await finish(evaluator, ev.StartRunRequest(specification=asked, traffic=traffic))
    return found


@pytest.mark.parametrize("concurrency", [1, 16])
async def test_boxes_that_are_wrong_however_they_are_meant_are_decided_early(
    make_evaluator: Any, scripted: Any, films: Path, concurrency: int
) -> None:
    scripted.script = lambda _question, _calls: json.dumps([[26.0, 26.0, 10.0, 10.0]] * 2)
    evaluator, _ = make_evaluator()
    run = await decide(evaluator, films, concurrency)
    [task] = run.decision.tasks
    assert (run.status, task.state, task.note) == (ev.RUN_STATUS_DECIDED, ev.DecidedTask.STATE_NOT_WON, "")
    assert task.decided_at < CLIPS / 2
    assert task.decided_at <= task.asked <= task.decided_at + FARTHEST[Aim.WINS] * concurrency


@pytest.mark.parametrize("concurrency", [1, 16])
async def test_boxes_that_are_right_as_all_of_them_say_are_told_once_all_are_there(
    make_evaluator: Any, scripted: Any, films: Path, concurrency: int
) -> None:
    scripted.script = lambda question, _calls: json.dumps(
        [box_of(int("".join(filter(str.isdigit, question))), frame) for frame in range(2)]
    )
    evaluator, _ = make_evaluator()
    run = await decide(evaluator, films, concurrency)
    [task] = run.decision.tasks
    assert (run.status, task.state, task.note) == (ev.RUN_STATUS_FINISHED, ev.DecidedTask.STATE_WON, EXPLAINED)
    assert (task.asked, task.decided_at) == (CLIPS, CLIPS)
    assert run.decision.complete


async def test_a_scorer_that_takes_its_time_to_tell_the_last_task_is_waited_for(make_evaluator: Any, scripted: Any, films: Path) -> None:
    scripted.script = right
    evaluator, scorer = make_evaluator()
    verdict = scorer.get_verdict

    async def slow(request: Any) -> Any:
        await asyncio.sleep(0.4)
        return await verdict(request)

    scorer.get_verdict = slow
    run = await decide(evaluator, films, 1)
    assert [task.state for task in run.decision.tasks] == [ev.DecidedTask.STATE_WON]
