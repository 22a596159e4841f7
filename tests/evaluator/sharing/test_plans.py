"""A process works on a run only with the data that the run began with."""

from __future__ import annotations

import asyncio

import pytest

from evaluator.sharing import members
from genlevel.runtime.errors import SuiteChanged
from genlevel.v1 import evaluator_pb2 as ev
from tests.evaluator.runs.places import reaches
from tests.evaluator.sharing.test_shared_runs import request_of
from tests.waiting import until

DONE = ev.RUN_STATUS_FINISHED


async def planned(crowd, evaluator, folder):
    """A stored run of a suite that nobody works on, and the plans of an evaluator."""
    run = (await evaluator.start_run(request_of(folder))).run
    await reaches(evaluator, run.run_id, DONE)
    record = await asyncio.to_thread(evaluator._journal.run, run.run_id)
    return record, evaluator._sharing._plans


async def test_files_that_are_others_here_are_said(crowd, suite_folder):
    folder = suite_folder(4)
    record, plans = await planned(crowd, crowd.start(), folder)
    (folder / "nlp" / "Causal-Reasoning" / "picture.png").write_bytes(b"of another machine")
    assert await plans.of(record, 1)
    with pytest.raises(SuiteChanged, match=r"^the files of bench are others here: their content is \w+, and the run began with \w+$"):
        await plans.of(record, 2)
    plans._resumed_here = {record.run_id}.__contains__
    assert await plans.of(record, 3)


async def test_a_plan_is_made_once_for_a_start(crowd, suite_folder, monkeypatch):
    record, plans = await planned(crowd, crowd.start(), suite_folder(4))
    first = await plans.of(record, 7)
    assert await plans.of(record, 7) is first
    assert await plans.of(record, 8) is not first


async def test_coordinates_are_read_as_the_route_said_when_the_run_began(crowd, suite_folder):
    crowd.gateway.info.boxes = "xyxy_1000"
    record, plans = await planned(crowd, crowd.start(), suite_folder(4))
    crowd.gateway.info.boxes = "xyxy_pixels"
    plan = await plans.of(record, 9)
    assert {task.boxes for task in plan.tasks} == {"xyxy_1000"}


async def test_an_evaluator_with_other_files_leaves_a_run_to_the_others(crowd, suite_folder, monkeypatch, caplog):
    monkeypatch.setattr(members, "AGAIN_S", 0.1)
    folder = suite_folder(40)
    other = crowd.start()
    other._sharing._plans._content = lambda suite: "0" * 64
    leader = crowd.start()
    crowd.gateway.latency_s = 0.02
    run = (await leader.start_run(request_of(folder))).run
    await until(lambda: f"cannot work on run {run.run_id} now: the files of bench are others here" in caplog.text)
    run = await reaches(leader, run.run_id, DONE)
    assert run.counts.answered == 40
    rows = leader._sharing._shop.members.counts(run.run_id)
    assert len(rows) == 1
