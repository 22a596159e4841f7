"""Coordinates from the prompt to the score: the size of what is sent is stated, and answers end in the label's pixels."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from rich.console import Console

from genlevel.cli.card import print_tasks
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc
from scorer.reports.documents import tasks_json

WIDTH, HEIGHT = 641, 481
BOXES = [[20.0 + 30 * index, 30.0 + 10 * index, 200.0, 150.0 + index] for index in range(8)]


def pictures(folder: Path) -> Path:
    """Raccoons in pictures of odd sides, whose boxes are given in pixels."""
    place = folder / "image" / "comprehension" / "Raccoon Detection"
    (place / "images").mkdir(parents=True)
    data = []
    for index, box in enumerate(BOXES):
        Image.new("RGB", (WIDTH, HEIGHT), (index, 90, 30)).save(place / "images" / f"{index}.png")
        data.append(
            {
                "id": f"q{index}",
                "input": {"image_file": f"images/{index}.png", "prompt": f"Where {index}?"},
                "output": {"bbox": {"raccoon": [box]}},
            }
        )
    (place / "annotation.json").write_text(json.dumps({"task": "Raccoon Detection", "data": data}))
    return folder


def film(folder: Path) -> Path:
    """A ball in a folder of frames of odd sides, which are sent as a video of even ones."""
    place = folder / "video" / "comprehension" / "Ball Tracking"
    (place / "videos" / "0").mkdir(parents=True)
    for frame in range(3):
        Image.new("RGB", (101, 75), (frame, 90, 30)).save(place / "videos" / "0" / f"{frame}.png")
    boxes = [[10.0 + frame, 20.0, 40.0, 50.0] for frame in range(3)]
    data = [{"id": "q0", "input": {"video_file": "videos/0", "prompt": "Where 0?"}, "output": {"bbox": boxes}}]
    (place / "annotation.json").write_text(json.dumps({"task": "Ball Tracking", "data": data}))
    return folder


async def score_of(evaluator: Any, scorer: Any, folder: Path) -> sc.TaskScore:
    started = (await evaluator.start_run(ev.StartRunRequest(specification=ev.RunSpecification(model="m", suite=str(folder))))).run
    async for _update in evaluator.watch_run(ev.WatchRunRequest(run_id=started.run_id)):
        pass
    (score,) = (await scorer.get_verdict(sc.GetVerdictRequest(run_id=started.run_id))).tasks
    return score


def takes_pictures(scripted: Any, *more: ct.Modality, boxes: str = "") -> None:
    scripted.info.input_modalities.extend([ct.MODALITY_IMAGE, *more])
    scripted.info.boxes = boxes


def answering(write: Callable[[Sequence[float]], dict[str, object]]) -> Callable[[str, int], str]:
    def script(question: str, _calls: int) -> str:
        number = int("".join(filter(str.isdigit, question)))
        return json.dumps([{"label": "raccoon", "score": 0.9 - number / 100, **write(BOXES[number])}])

    return script


def thousandths(box: Sequence[float]) -> list[float]:
    x, y, width, height = box
    return [1000 * x / WIDTH, 1000 * y / HEIGHT, 1000 * (x + width) / WIDTH, 1000 * (y + height) / HEIGHT]


@pytest.mark.parametrize(
    ("route", "write"),
    [
        ("", lambda box: {"box": list(box)}),
        ("", lambda box: {"bbox_2d": [box[0], box[1], box[0] + box[2], box[1] + box[3]]}),
        ("", lambda box: {"box_2d": [thousandths(box)[side] for side in (1, 0, 3, 2)]}),
        ("thousandths corners", lambda box: {"box": thousandths(box)}),
    ],
)
async def test_boxes_of_a_whole_run_are_read_as_they_are_meant(
    make_evaluator: Any, scripted: Any, tmp_path: Path, route: str, write: Callable[[Sequence[float]], dict[str, object]]
) -> None:
    evaluator, scorer = make_evaluator()
    takes_pictures(scripted, boxes=route)
    scripted.script = answering(write)
    score = await score_of(evaluator, scorer, pictures(tmp_path / "suite"))
    assert score.score == pytest.approx(100.0)
    assert not score.remarks
    text = scripted.requests[0].messages[0].parts[-1].text
    assert "which is 641 pixels wide and 481 pixels high" in text
    assert '"score": confidence from 0 to 1' in text


async def test_what_was_found_of_all_answers_is_said_on_the_card(make_evaluator: Any, scripted: Any, tmp_path: Path) -> None:
    evaluator, scorer = make_evaluator()
    takes_pictures(scripted)
    scripted.script = answering(lambda box: {"box": [box[0], box[1], box[0] + box[2], box[1] + box[3] + 140]})
    score = await score_of(evaluator, scorer, pictures(tmp_path / "suite"))
    assert len(score.remarks) == 1
    out = Console(width=300, record=True, file=io.StringIO())
    print_tasks(out, tasks_json([score]))
    assert f"Raccoon Detection: {score.remarks[0]}" in out.export_text()
    assert score.remarks[0].startswith("coordinates are read as two corners in pixels: so all of them lie in their pictures")


async def test_a_run_is_scored_again_with_what_its_route_declared(make_evaluator: Any, scripted: Any, tmp_path: Path) -> None:
    evaluator, scorer = make_evaluator()
    takes_pictures(scripted, boxes="thousandths corners")
    scripted.script = answering(lambda box: {"box": thousandths(box)})
    folder = pictures(tmp_path / "suite")
    await score_of(evaluator, scorer, folder)
    (run,) = (await evaluator.list_runs(ev.ListRunsRequest())).runs
    scripted.info.boxes = ""
    await evaluator.rescore_run(ev.RescoreRunRequest(run_id=run.run_id))
    (score,) = (await scorer.get_verdict(sc.GetVerdictRequest(run_id=run.run_id))).tasks
    assert score.score == pytest.approx(100.0)
    assert not score.remarks


async def test_a_run_that_goes_on_is_read_with_what_its_route_declared_when_it_began(
    make_evaluator: Any, scripted: Any, tmp_path: Path
) -> None:
    evaluator, scorer = make_evaluator()
    takes_pictures(scripted, boxes="thousandths corners")
    answer = answering(lambda box: {"box": thousandths(box)})

    def last_fails(question: str, calls: int) -> str:
        if "7" in question:
            raise CallFailed(ErrorClass.CALLER_FAULT, "as scripted")
        return answer(question, calls)

    scripted.script = last_fails
    await score_of(evaluator, scorer, pictures(tmp_path / "suite"))
    (run,) = (await evaluator.list_runs(ev.ListRunsRequest())).runs
    scripted.script, scripted.info.boxes = answer, "pixels"
    await evaluator.start_run(ev.StartRunRequest(run_id=run.run_id, retry_failed=True))
    async for _update in evaluator.watch_run(ev.WatchRunRequest(run_id=run.run_id)):
        pass
    (score,) = (await scorer.get_verdict(sc.GetVerdictRequest(run_id=run.run_id))).tasks
    assert score.score == pytest.approx(100.0)


async def test_answers_in_the_pixels_of_a_resized_video_end_in_those_of_the_label(
    make_evaluator: Any, scripted: Any, tmp_path: Path
) -> None:
    evaluator, scorer = make_evaluator()
    takes_pictures(scripted, ct.MODALITY_VIDEO)
    sent = [[(10.0 + frame) * 100 / 101, 20.0 * 74 / 75, 40.0 * 100 / 101, 50.0 * 74 / 75] for frame in range(3)]
    scripted.script = lambda question, calls: json.dumps(sent)
    score = await score_of(evaluator, scorer, film(tmp_path / "suite"))
    # An overlap above 1, the last of 21 thresholds, nothing has; .999999 is no exact match.
    assert score.score == pytest.approx(2000 / 21)
    assert "which is 100 pixels wide and 74 pixels high" in scripted.requests[0].messages[0].parts[-1].text


async def test_a_model_that_takes_frames_is_told_their_own_size(make_evaluator: Any, scripted: Any, tmp_path: Path) -> None:
    evaluator, scorer = make_evaluator()
    takes_pictures(scripted, ct.MODALITY_VIDEO)
    scripted.info.video_frames = 2
    scripted.script = lambda question, calls: json.dumps([[10.0 + frame, 20.0, 40.0, 50.0] for frame in range(3)])
    score = await score_of(evaluator, scorer, film(tmp_path / "suite"))
    assert score.score == pytest.approx(2000 / 21)
    assert "which is 101 pixels wide and 75 pixels high" in scripted.requests[0].messages[0].parts[-1].text
