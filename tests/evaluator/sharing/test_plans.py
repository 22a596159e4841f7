"""A process works on a run only with the data that the run began with."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from evaluator.sharing import members, shared_pass
from genlevel.runtime.errors import DatasetError, SuiteChanged
from genlevel.v1 import evaluator_pb2 as ev
from tests.evaluator.runs.places import reaches
from tests.evaluator.sharing.crowd import members_of
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
    rows = members_of(leader, run.run_id)
    assert len(rows) == 1


class Unreadable:
    """A task whose files are gone since it was planned."""

    def __init__(self, task):
        self._task = task

    def __getattr__(self, name):
        return getattr(self._task, name)

    def instances(self, positions=None):
        raise DatasetError("nlp/Causal-Reasoning: its annotation cannot be read")


def loses_its_files(evaluator):
    """Has an evaluator find what is there when it plans, and nothing when it reads."""
    plans = evaluator._sharing._members._plan

    async def lost(record, start):
        plan = await plans(record, start)
        return replace(plan, tasks=tuple(replace(planned, task=Unreadable(planned.task)) for planned in plan.tasks))

    evaluator._sharing._members._plan = lost


async def test_an_evaluator_that_cannot_read_a_part_gives_it_back_and_the_others_go_on(crowd, suite_folder, caplog):
    lacking = crowd.start()
    loses_its_files(lacking)
    leader = crowd.start()
    crowd.gateway.latency_s = 0.02
    run = (await leader.start_run(request_of(suite_folder(60)))).run
    run = await reaches(leader, run.run_id, DONE)
    assert (run.counts.answered, run.calls) == (60, 60)
    said = f"cannot work on run {run.run_id} now: nlp/Causal-Reasoning: its annotation cannot be read"
    assert [line for line in caplog.messages if line.startswith("cannot work on")] == [said]


async def test_a_run_that_no_evaluator_can_read_ends_and_goes_on_once_a_person_starts_it_again(crowd, suite_folder, monkeypatch):
    monkeypatch.setattr(shared_pass, "_ALONE_S", 0.2)
    evaluator = crowd.start()
    plan = evaluator._sharing._members._plan
    loses_its_files(evaluator)
    run = (await evaluator.start_run(request_of(suite_folder(8)))).run
    run = await reaches(evaluator, run.run_id, ev.RUN_STATUS_FAILED)
    assert run.reason == "nlp/Causal-Reasoning: its annotation cannot be read"
    assert run.wanted == ev.RUN_WANTED_CANNOT_SUCCEED
    evaluator._sharing._members._plan = plan
    await evaluator.start_run(ev.StartRunRequest(run_id=run.run_id))
    await reaches(evaluator, run.run_id, DONE, timeout_s=20.0)
