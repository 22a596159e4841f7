"""Lists of runs: what they are filtered by, and what of large ones is read again."""

from __future__ import annotations

import pytest

from evaluator.journal.journal import Journal
from genlevel.v1 import evaluator_pb2 as ev
from tests.evaluator.runs.asking import finish, specification, start


async def listed(evaluator, **request):
    return [run.run_id for run in (await evaluator.list_runs(ev.ListRunsRequest(**request))).runs]


async def test_runs_are_found_by_all_that_tells_them_apart(make_evaluator, suite_folder):
    evaluator, _ = make_evaluator()
    folder = suite_folder(2)
    first, second = [(await start(evaluator, folder, limit=limit)) for limit in (1, 0)]
    await evaluator.describe_run(ev.DescribeRunRequest(run_id=first.run_id, name="Straße", add_tags=["a", "keep"]))
    both, one, other = [second.run_id, first.run_id], [first.run_id], [second.run_id]
    assert (second.tasks, second.name) == (1, "")
    for request, expected in (
        ({}, both),
        ({"model": "m"}, both),
        ({"model": "n*"}, []),
        ({"suite": str(folder)}, both),
        ({"statuses": [ev.RUN_STATUS_FINISHED]}, both),
        ({"statuses": [ev.RUN_STATUS_RUNNING, ev.RUN_STATUS_FAILED]}, []),
        ({"tags": ["keep"]}, one),
        ({"tags": ["keep", "other"]}, []),
        ({"text": "STRASSE"}, one),
        ({"text": second.run_id[3:9]}, other),
        ({"since_s": second.created.ToMilliseconds() / 1000}, other),
        ({"limit": 1}, other),
    ):
        assert await listed(evaluator, **request) == expected, request
    page = await evaluator.list_runs(ev.ListRunsRequest(limit=1))
    assert (page.found, await listed(evaluator, limit=1, after=page.next)) == (2, one)
    assert (await evaluator.list_runs(ev.ListRunsRequest(limit=1, after=page.next))).next == ""


async def test_a_run_whose_process_was_killed_is_listed_as_interrupted(make_evaluator, suite_folder):
    evaluator, _ = make_evaluator()
    run = await start(evaluator, suite_folder(1))
    evaluator._journal.update_run(run.run_id, status=ev.RUN_STATUS_RUNNING)
    assert await listed(evaluator, statuses=[ev.RUN_STATUS_RUNNING]) == []
    assert await listed(evaluator, statuses=[ev.RUN_STATUS_INTERRUPTED]) == [run.run_id]


async def test_what_an_ended_run_adds_up_to_is_read_once_and_again_when_it_has_gone_on(make_evaluator, suite_folder, monkeypatch):
    evaluator, _ = make_evaluator()
    folder = suite_folder(3)
    run = await start(evaluator, folder)
    asked = []
    totals = Journal.totals
    monkeypatch.setattr(Journal, "totals", lambda self, run_id, **options: asked.append(run_id) or totals(self, run_id, **options))
    first = (await evaluator.list_runs(ev.ListRunsRequest())).runs[0]
    await evaluator._journal.written()
    before = len(asked)
    assert (await evaluator.list_runs(ev.ListRunsRequest())).runs[0] == first
    assert (await evaluator.get_run(ev.GetRunRequest(run_id=run.run_id))).run == run
    assert len(asked) == before <= 1
    fresh = await finish(evaluator, ev.StartRunRequest(specification=specification(folder), fresh=True))
    evaluator._journal.update_run(run.run_id, status=ev.RUN_STATUS_FINISHED)
    await evaluator.get_run(ev.GetRunRequest(run_id=run.run_id))
    assert asked[-1] == run.run_id != fresh.run_id


@pytest.mark.full
async def test_a_thousand_runs_are_listed_within_half_a_second_of_cpu(make_evaluator, suite_folder):
    import time
    from dataclasses import replace

    evaluator, _ = make_evaluator()
    run = await start(evaluator, suite_folder(2))
    record = evaluator._journal.run(run.run_id)
    for number in range(1000):
        evaluator._journal.create_run(replace(record, run_id=f"{number:012x}", identity=f"{number:012x}", created=record.created + number))
    await evaluator.list_runs(ev.ListRunsRequest())
    await evaluator._journal.written()
    began = time.process_time()
    assert len((await evaluator.list_runs(ev.ListRunsRequest(text="m", limit=100))).runs) == 100
    filtered = time.process_time() - began
    assert (await evaluator.list_runs(ev.ListRunsRequest())).found == 1001
    assert filtered < 0.5
    assert time.process_time() - began < 1.5
