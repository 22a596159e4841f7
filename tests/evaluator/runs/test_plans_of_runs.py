"""The number of a run's plan, from the start that decides it to the verdict that uses it."""

from __future__ import annotations

import pytest

from genlevel.runtime.errors import ErrorClass
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc
from tests.evaluator.runs.asking import finish, specification, start


@pytest.fixture
def suite(suite_folder):
    suite_folder(4, "Causal-Reasoning")
    return suite_folder(4, "Medical-Reasoning")


async def told(scorer, run):
    return (await scorer.get_verdict(sc.GetVerdictRequest(run_id=run.run_id))).plan


async def test_every_other_way_to_ask_the_same_tasks_is_another_plan(make_evaluator, suite):
    evaluator, scorer = make_evaluator()
    parameters = gw.GenerationParameters(max_output_tokens=9)
    others = [{}, {"limit": 2}, {"limit": 2, "seed": 1}, {"parameters": parameters}, {"tasks": "*Causal*"}, {"tasks": "*Medical*"}]
    runs = [await start(evaluator, suite, **fields) for fields in others]
    assert [run.plan for run in runs] == [1, 2, 3, 4, 5, 5], "the last two share no task with each other"
    fresh = await finish(evaluator, ev.StartRunRequest(specification=specification(suite), fresh=True))
    assert (fresh.plan, fresh.run_id) == (6, f"{runs[0].run_id}-1")
    assert [await told(scorer, run) for run in (*runs, fresh)] == [1, 2, 3, 4, 5, 5, 6]
    assert {run.run_id: run.plan for run in (await evaluator.list_runs(ev.ListRunsRequest())).runs}[fresh.run_id] == 6


async def test_a_run_that_is_asked_for_again_retried_or_scored_again_is_the_same_plan(make_evaluator, suite, scripted, failing_script):
    evaluator, scorer = make_evaluator(attempts=1)
    failing = failing_script(ErrorClass.TRANSIENT)
    scripted.script = lambda question, calls: failing(question, calls) if question == "Question 1?" else "A"
    run = await start(evaluator, suite)
    await start(evaluator, suite, limit=1)
    scripted.script = lambda question, calls: "A"
    again = await finish(evaluator, ev.StartRunRequest(run_id=run.run_id, retry_failed=True))
    assert (again.plan, again.counts.failed, (await start(evaluator, suite)).plan) == (1, 0, 1)
    await evaluator.rescore_run(ev.RescoreRunRequest(run_id=run.run_id))
    assert await told(scorer, run) == 1


async def test_the_number_is_that_of_the_start_whatever_was_expected_before(make_evaluator, suite, monkeypatch):
    evaluator, scorer = make_evaluator()
    monkeypatch.setattr(evaluator._journal, "expected_number", lambda run_id: 7)  # others have started, or ended, meanwhile
    run = await start(evaluator, suite)
    assert (run.plan, await told(scorer, run)) == (1, 1)


async def test_what_never_had_an_answer_is_no_try(make_evaluator, suite, scripted, failing_script):
    evaluator, scorer = make_evaluator(attempts=1)
    scripted.script = failing_script(ErrorClass.CREDENTIAL)
    vain = await start(evaluator, suite)
    assert (vain.status, vain.plan) == (ev.RUN_STATUS_FAILED, 1)
    scripted.script = lambda question, calls: "A"
    assert (await start(evaluator, suite, limit=1)).plan == 1
    again = await finish(evaluator, ev.StartRunRequest(run_id=vain.run_id, retry_failed=True))
    assert (again.plan, await told(scorer, vain)) == (2, 2), "now it has answers, after those of the other one"


async def test_a_dry_run_tells_the_number_that_a_start_gets(make_evaluator, suite):
    evaluator, _ = make_evaluator()

    async def planned(*, fresh=False, **fields):
        return (await evaluator.plan_run(ev.PlanRunRequest(specification=specification(suite, **fields), fresh=fresh))).plan

    assert await planned() == 1
    await start(evaluator, suite)
    assert [await planned(), await planned(limit=1), await planned(fresh=True)] == [1, 2, 2]
    assert (await start(evaluator, suite, limit=1)).plan == 2


async def test_a_copy_of_a_suite_under_other_names_is_the_same_tasks(make_evaluator, suite, tmp_path):
    """By what the benchmark calls them, whatever their folders are called."""
    evaluator, _ = make_evaluator()
    await start(evaluator, suite)
    copy = tmp_path / "copy" / "other" / "Causal-Reasoning"
    copy.mkdir(parents=True)
    (copy / "annotation.json").write_text((suite / "nlp" / "Causal-Reasoning" / "annotation.json").read_text())
    assert (await start(evaluator, tmp_path / "copy")).plan == 2
