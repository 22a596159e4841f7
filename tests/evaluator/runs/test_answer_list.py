"""Single answers are looked up by key: what is read does not grow with the run."""

from __future__ import annotations

import sqlite3

import pytest

from genlevel.benchmark.last_tasks import LastTasks
from genlevel.runtime.errors import NotFoundError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

KEY = "nlp/Causal-Reasoning"


async def finished(evaluator, folder):
    run = (await evaluator.start_run(ev.StartRunRequest(specification=ev.RunSpecification(model="m", suite=str(folder))))).run
    async for progress in evaluator.watch_run(ev.WatchRunRequest(run_id=run.run_id)):
        run = progress.run
    assert run.status == ev.RUN_STATUS_FINISHED
    return run


async def asked(evaluator, run, **which):
    return [answer async for answer in evaluator.list_answers(ev.ListAnswersRequest(run_id=run.run_id, **which))]


async def test_instances_come_with_their_questions_by_id_by_task_and_id_and_many_at_once(make_evaluator, suite_folder):
    evaluator, _ = make_evaluator()
    suite_folder(6, "Commonsense-Reasoning")
    run = await finished(evaluator, suite_folder(6))
    both = await asked(evaluator, run, instance="q3")
    assert [answer.task for answer in both] == [KEY, "nlp/Commonsense-Reasoning"]
    (one,) = await asked(evaluator, run, instance=f"{KEY}/q3")
    assert (one.run_id, one.answer_type, list(one.options), one.label_json) == (run.run_id, "choice", ["yes", "no"], '"A"')
    assert "Question 3?" in one.prompt
    assert one == both[0]
    within = [ev.TaskInstances(task=KEY, ids=["q1", "q5", "never asked"]), ev.TaskInstances(task="nlp/Commonsense-Reasoning", ids=["q0"])]
    many = await asked(evaluator, run, within=within)
    assert [(answer.task, answer.instance_id, bool(answer.prompt)) for answer in many] == [
        (KEY, "q1", True), (KEY, "q5", True), ("nlp/Commonsense-Reasoning", "q0", True),
    ]  # fmt: skip
    assert await asked(evaluator, run, within=within, outcomes=[sc.OUTCOME_REFUSED]) == []
    with pytest.raises(NotFoundError, match="no answer to an instance 'q9'"):
        await asked(evaluator, run, instance="q9")
    assert len(await asked(evaluator, run)) == 12


async def test_the_suite_is_read_once_for_all_and_only_if_somebody_asks(make_evaluator, suite_folder, monkeypatch):
    evaluator, _ = make_evaluator()
    run = await finished(evaluator, suite_folder(30))
    read = []
    usual = LastTasks.find
    monkeypatch.setattr(LastTasks, "find", lambda last, suite, wanted: (read.append(wanted), usual(last, suite, wanted))[1])
    await asked(evaluator, run)
    assert read == []
    await asked(evaluator, run, within=[ev.TaskInstances(task=KEY, ids=[f"q{n}" for n in range(20)])])
    assert [len(ids) for wanted in read for ids in wanted.values()] == [20]


async def test_an_instance_is_found_by_the_index_of_the_table(make_evaluator, suite_folder, tmp_path, monkeypatch):
    evaluator, _ = make_evaluator()
    run = await finished(evaluator, suite_folder(5))
    said = []
    usual = sqlite3.Connection.execute
    engine = evaluator._journal._engine
    from sqlalchemy import event

    event.listen(engine, "before_cursor_execute", lambda c, cursor, statement, parameters, *rest: said.append((statement, parameters)))
    await asked(evaluator, run, instance=f"{KEY}/q3")
    with sqlite3.connect(tmp_path / "data" / "genlevel.db") as database:
        plans = [
            usual(database, f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
            for statement, parameters in said
            if "FROM evaluator_answers" in statement and "instance_id IN" in statement
        ]
    assert len(plans) == 2  # the name as an id, and as a task and an id
    for plan in plans:
        assert any("(run_id=? AND task=? AND instance_id=?)" in row[-1] for row in plan), plan


async def test_an_answer_is_shown_though_the_suite_has_moved(make_evaluator, suite_folder):
    evaluator, _ = make_evaluator()
    folder = suite_folder(3)
    run = await finished(evaluator, folder)
    folder.rename(folder.with_name("elsewhere"))
    (one,) = await asked(evaluator, run, instance="q1")
    assert (one.raw_answer, one.prompt, one.answer_type) == ("A", "", "")


async def test_what_the_provider_said_of_its_system_is_kept_with_the_answer_and_told_whole(make_evaluator, suite_folder, scripted):
    evaluator, _ = make_evaluator()
    scripted.fingerprint = "fp_44709d6fcb"
    run = await finished(evaluator, suite_folder(1))
    (whole,) = await asked(evaluator, run, whole=True)
    assert whole.call.fingerprint == "fp_44709d6fcb"
    (kept,) = evaluator._journal.list_answers(run.run_id)
    assert kept.fingerprint == "fp_44709d6fcb"
