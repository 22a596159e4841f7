"""Names, tags and notes of runs: kept beside what a run asks, and no part of it."""

from __future__ import annotations

import pytest

from genlevel.runtime.errors import NotFoundError, UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc
from tests.evaluator.runs.asking import specification, start


async def describe(evaluator, run, **fields):
    return (await evaluator.describe_run(ev.DescribeRunRequest(run_id=run, **fields))).run


async def test_a_run_is_called_so_and_found_by_it(make_evaluator, suite_folder):
    evaluator, _ = make_evaluator()
    run = await start(evaluator, suite_folder(2))
    said = await describe(evaluator, run.run_id, name="first try", add_tags=["a", "b", "a"], notes="looks\ngood")
    assert (said.name, list(said.tags), said.notes) == ("first try", ["a", "b"], "looks\ngood")
    changed = await describe(evaluator, "first try", add_tags=["c"], remove_tags=["a", "never"])
    assert (changed.run_id, changed.name, list(changed.tags)) == (run.run_id, "first try", ["b", "c"])
    assert (await evaluator.get_run(ev.GetRunRequest(run_id="first try"))).run == changed
    assert (await describe(evaluator, run.run_id, name="", notes="")).name == ""
    with pytest.raises(NotFoundError, match="no run 'first try' here"):
        await describe(evaluator, "first try", notes="x")


async def test_an_id_wins_over_a_name_and_a_name_of_several_runs_means_none(make_evaluator, suite_folder):
    evaluator, _ = make_evaluator()
    folder = suite_folder(2)
    runs = [await start(evaluator, folder), await start(evaluator, folder, limit=1)]
    await describe(evaluator, runs[0].run_id, name=runs[1].run_id)
    assert (await evaluator.get_run(ev.GetRunRequest(run_id=runs[1].run_id))).run.run_id == runs[1].run_id
    for run in runs:
        await describe(evaluator, run.run_id, name="twice")
    with pytest.raises(UsageError, match=f"^2 runs are called 'twice': {runs[1].run_id}, {runs[0].run_id}; name one by its id$"):
        await evaluator.get_run(ev.GetRunRequest(run_id="twice"))


async def test_what_people_say_changes_neither_what_a_run_asks_nor_what_it_is_scored_by(make_evaluator, suite_folder):
    evaluator, scorer = make_evaluator()
    folder = suite_folder(2)
    before = await start(evaluator, folder)
    verdict = await scorer.get_verdict(sc.GetVerdictRequest(run_id=before.run_id))
    await describe(evaluator, before.run_id, name="n", add_tags=["t"], notes="s")
    again = await start(evaluator, folder)
    assert (again.run_id, again.facts, again.updated) == (before.run_id, before.facts, before.updated)
    assert await scorer.get_verdict(sc.GetVerdictRequest(run_id=before.run_id)) == verdict


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "a\nb"}, "one line"),
        ({"name": "x" * 201}, "at most 200"),
        ({"notes": "x" * 10_001}, "10,001 characters"),
        ({"notes": "a\x1b[2J"}, "cannot be shown"),
        ({"add_tags": ["two words"]}, "one word"),
        ({"add_tags": [""]}, "one word"),
        ({"add_tags": ["a,b"]}, "comma"),
        ({"add_tags": [f"t{number}" for number in range(51)]}, "at most 50 tags"),
    ],
)
async def test_what_cannot_be_said_is_refused_and_nothing_is_changed(make_evaluator, suite_folder, fields, said):
    evaluator, _ = make_evaluator()
    run = await start(evaluator, suite_folder(1))
    with pytest.raises(UsageError, match=said):
        await describe(evaluator, run.run_id, **fields)
    assert (await evaluator.get_run(ev.GetRunRequest(run_id=run.run_id))).run == run


async def test_a_run_that_goes_on_shows_its_new_name(make_evaluator, suite_folder, scripted, monkeypatch):
    monkeypatch.setattr("evaluator.service.WATCH_INTERVAL_S", 0.02)
    scripted.latency_s = 0.4
    evaluator, _ = make_evaluator()
    run = (await evaluator.start_run(ev.StartRunRequest(specification=specification(suite_folder(1))))).run
    watching = evaluator.watch_run(ev.WatchRunRequest(run_id=run.run_id))
    assert (await anext(watching)).run.name == ""
    await describe(evaluator, run.run_id, name="now")
    said = await anext(watching)
    assert (said.run.name, said.run.status) == ("now", ev.RUN_STATUS_RUNNING)
    last = [progress.run async for progress in watching][-1]
    assert (last.name, last.status) == ("now", ev.RUN_STATUS_FINISHED)
