"""Runs from plan to verdict, over a gateway in memory and the real journal and scorer."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3

import pytest
from google.protobuf import json_format

from evaluator.journal.journal import Journal
from evaluator.runs import execution
from genlevel.benchmark.folder_task import FolderTask
from genlevel.documents.progress_line import progress_line
from genlevel.runtime.errors import StorageError, UsageError
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc
from tests.evaluator.runs.asking import answers, finish, specification, start, watched
from tests.waiting import until


async def test_a_run_asks_each_instance_once_and_is_scored(make_evaluator, scripted, suite_folder):
    evaluator, scorer = make_evaluator()
    run = await start(evaluator, suite_folder(10))
    assert run.status == ev.RUN_STATUS_FINISHED
    assert run.counts.answered == run.counts.total == 10
    assert set(scripted.calls.values()) == {1}
    assert run.usage.input_tokens == 100
    verdict = await scorer.get_verdict(sc.GetVerdictRequest(run_id=run.run_id))
    assert verdict.tasks[0].score == 50
    assert verdict.benchmark == "general-bench"


async def test_how_a_run_stands_is_told_in_detail_if_that_is_asked_for(make_evaluator, scripted, suite_folder, failing_script, tmp_path):
    scripted.script = failing_script(gw.ERROR_CLASS_TRANSIENT, times=1)
    evaluator, _ = make_evaluator(attempts=1)
    run = await start(evaluator, suite_folder(3), ev.TrafficSettings(concurrency=2, budget_tokens=10**6))
    found = await evaluator.get_run(ev.GetRunRequest(run_id=run.run_id, details=True))
    (task,), (failure,) = found.details.tasks, found.details.failures
    assert (task.counts.total, task.counts.answered, task.counts.failed) == (3, run.counts.answered, run.counts.failed)
    assert (failure.error_class, failure.answers, len(failure.examples)) == (gw.ERROR_CLASS_TRANSIENT, run.counts.failed, 1)
    assert (found.run.traffic.concurrency, found.run.traffic.budget_tokens) == (2, 10**6)
    assert not (await evaluator.get_run(ev.GetRunRequest(run_id=run.run_id))).HasField("details")
    less = await evaluator.get_run(ev.GetRunRequest(run_id=run.run_id, details=True, not_added_up=True))
    assert (less.details, less.run.traffic, less.run.HasField("counts")) == (found.details, found.run.traffic, False)
    assert not less.run.HasField("cost_nano_usd")


@pytest.mark.parametrize(("most_kept", "times", "asked"), [(4 << 20, 1, 0), (10_000, 1, 1), (5_000, 2, 0), (3_000, 2, 1)])
async def test_a_small_task_is_read_once_and_scored_alike(make_evaluator, scripted, suite_folder, monkeypatch, *, most_kept, times, asked):
    """Its questions, its answers, both or none of them come from memory."""
    read, instances, said, said_to = [], FolderTask.instances, [], Journal.said_to
    monkeypatch.setattr(Journal, "said_to", lambda journal, *of: (said.append(of), said_to(journal, *of))[1])
    monkeypatch.setattr(FolderTask, "instances", lambda task, positions=None: (read.append(task.key), instances(task, positions))[1])
    monkeypatch.setattr(execution, "MOST_KEPT", most_kept)
    evaluator, scorer = make_evaluator()
    run = await start(evaluator, suite_folder(10))
    assert (len(read), len(said)) == (times, asked)
    verdict = await scorer.get_verdict(sc.GetVerdictRequest(run_id=run.run_id))
    assert (verdict.tasks[0].score, verdict.tasks[0].counts.answered) == (50, 10)


async def test_a_verdict_is_asked_for_only_of_a_run_that_has_answers(make_evaluator, scripted, suite_folder, failing_script, monkeypatch):
    scripted.script = failing_script(gw.ERROR_CLASS_TRANSIENT, times=1)
    evaluator, scorer = make_evaluator(attempts=1)
    asked, verdict = [], scorer.get_verdict
    monkeypatch.setattr(scorer, "get_verdict", lambda request: (asked.append(request.run_id), verdict(request))[1])
    run = await start(evaluator, suite_folder(2))
    assert (run.counts.failed, asked) == (2, [])
    await finish(evaluator, ev.StartRunRequest(run_id=run.run_id, retry_failed=True))
    assert asked == [run.run_id]


async def test_an_answer_that_cannot_be_stored_is_not_counted(make_evaluator, scripted, suite_folder, monkeypatch):
    def refused(self, answer, lease=None, *, closes=None):
        writing = asyncio.get_running_loop().create_future()
        writing.set_exception(StorageError("the disk is full"))
        return writing

    counted = []
    monkeypatch.setattr(Journal, "record", refused)
    monkeypatch.setattr(execution.Execution, "_count", lambda self, item, answer: counted.append(answer))
    evaluator, _ = make_evaluator()
    run = await start(evaluator, suite_folder(3))
    assert run.status == ev.RUN_STATUS_FAILED
    assert "the disk is full" in run.reason
    assert "could not be stored and are asked again" in run.reason
    assert counted == []


async def test_a_prompt_carries_question_options_and_format_at_temperature_zero(make_evaluator, scripted, suite_folder):
    evaluator, _ = make_evaluator()
    await start(evaluator, suite_folder(1))
    request = scripted.requests[0]
    text = request.messages[0].parts[0].text
    assert "Question 0?" in text
    assert "A. yes\nB. no" in text
    assert request.parameters.temperature == 0
    assert request.parameters.HasField("max_output_tokens")


async def test_what_a_user_sets_replaces_the_default_parameters(make_evaluator, scripted, suite_folder):
    evaluator, _ = make_evaluator()
    await start(evaluator, suite_folder(1), parameters=gw.GenerationParameters(temperature=0.5, max_output_tokens=7))
    assert scripted.requests[0].parameters == gw.GenerationParameters(temperature=0.5, max_output_tokens=7)


async def test_reasoning_that_a_user_allows_comes_on_top_of_the_answers_own_length(make_evaluator, scripted, suite_folder):
    evaluator, _ = make_evaluator()
    scripted.info.extra_output_tokens = 300
    folder, most = suite_folder(1), []
    for fields in ({}, {"reasoning_tokens": 200}, {"reasoning_tokens": 5000}, {"reasoning_tokens": 5000, "max_output_tokens": 9}):
        await start(evaluator, folder, parameters=gw.GenerationParameters(reasoning_effort="low", **fields))
        most.append(scripted.requests[-1].parameters.max_output_tokens)
        assert scripted.requests[-1].parameters.reasoning_effort == "low"
    assert most[1] == most[0]
    assert most[2] == most[0] - 300 + 5000
    assert most[3] == 9


async def test_what_may_be_left_out_goes_with_each_call_and_what_was_is_kept(make_evaluator, scripted, suite_folder, monkeypatch):
    answered = scripted.generate

    async def without_seed(request, *, timeout_s):
        response = await answered(request, timeout_s=timeout_s)
        response.applied_parameters.temperature = 0
        response.dropped_parameters.append("seed")
        return response

    monkeypatch.setattr(scripted, "generate", without_seed)
    evaluator, _ = make_evaluator()
    run = await start(evaluator, suite_folder(2), parameters=gw.GenerationParameters(seed=3), droppable=["seed"])
    assert [list(request.droppable) for request in scripted.requests] == [["seed"], ["seed"]]
    kept = [one async for one in evaluator.list_answers(ev.ListAnswersRequest(run_id=run.run_id, whole=True))]
    assert [one.call.parameters_json for one in kept] == ['{"dropped":["seed"],"temperature":0.0}'] * 2


async def test_a_parameter_that_each_call_would_be_refused_for_is_told_before_the_first(make_evaluator, scripted, suite_folder):
    evaluator, _ = make_evaluator()
    scripted.info.parameters.extend(["temperature", "max_output_tokens", "seed"])
    asked = gw.GenerationParameters(temperature=0.5, reasoning_tokens=5)
    with pytest.raises(UsageError, match="--reasoning-tokens: m has no such parameter in its API; leave it out, or add --droppable"):
        await start(evaluator, suite_folder(1), parameters=asked)
    assert not scripted.requests
    run = await start(evaluator, suite_folder(1), parameters=asked, droppable=["reasoning_tokens"])
    assert run.counts.answered == 1


async def test_a_parameter_that_there_is_not_cannot_be_left_out(make_evaluator, scripted, suite_folder):
    evaluator, _ = make_evaluator()
    with pytest.raises(UsageError, match=r"--droppable: 'sede' is no parameter; they are temperature, "):
        await start(evaluator, suite_folder(1), droppable=["sede"])
    assert not scripted.requests


async def test_a_route_that_means_something_else_now_is_another_run(make_evaluator, scripted, suite_folder):
    evaluator, _ = make_evaluator()
    folder = suite_folder(2)
    runs = []
    for fingerprint in ("", "a" * 16, "b" * 16, ""):
        scripted.info.fingerprint = fingerprint
        runs.append((await start(evaluator, folder)).run_id)
    assert len(set(runs)) == 3
    assert runs[0] == runs[3]
    with pytest.raises(UsageError, match="the model's route have changed"):
        await evaluator.start_run(ev.StartRunRequest(run_id=runs[1], retry_failed=True))


async def test_resume_asks_again_only_what_failed(make_evaluator, scripted, suite_folder, failing_script):
    evaluator, scorer = make_evaluator(attempts=1)

    def script(question, calls):
        return failing_script(gw.ERROR_CLASS_TRANSIENT)(question, calls) if question == "Question 1?" else "A"

    scripted.script = script
    folder = suite_folder(5)
    run = await start(evaluator, folder)
    assert (run.counts.answered, run.counts.failed) == (4, 1)
    again = await start(evaluator, folder)
    assert scripted.calls.total() == 5, "the same command asks nothing again that has its outcome"
    scripted.script = lambda question, calls: "A"
    resumed = await finish(evaluator, ev.StartRunRequest(run_id=run.run_id, retry_failed=True))
    assert (resumed.counts.answered, resumed.counts.failed) == (5, 0)
    assert scripted.calls.total() == 6
    assert again.run_id == resumed.run_id
    assert (await scorer.get_verdict(sc.GetVerdictRequest(run_id=run.run_id))).tasks[0].HasField("score")


async def test_concurrency_is_kept(make_evaluator, scripted, suite_folder):
    evaluator, _ = make_evaluator()
    scripted.latency_s = 0.01
    await start(evaluator, suite_folder(60), traffic=ev.TrafficSettings(concurrency=7))
    assert scripted.most_at_once == 7


async def test_the_budget_is_never_exceeded_and_ends_the_run(make_evaluator, scripted, suite_folder):
    evaluator, _ = make_evaluator()
    scripted.info.price.CopyFrom(gw.Price(input="1", output="10"))
    scripted.info.charges = True
    scripted.cost = 500_000
    scripted.latency_s = 0.002
    traffic = ev.TrafficSettings(concurrency=8, budget_nano_usd=10_000_000)
    run = await start(evaluator, suite_folder(200), traffic)
    assert run.status == ev.RUN_STATUS_BUDGET
    assert 0 < run.cost_nano_usd <= 10_000_000
    assert run.counts.pending == 200 - run.counts.answered > 0
    more = await start(evaluator, suite_folder(200), ev.TrafficSettings(concurrency=8, budget_nano_usd=1_000_000_000))
    assert more.run_id == run.run_id
    assert more.status == ev.RUN_STATUS_FINISHED
    assert scripted.calls.total() == 200


async def test_a_run_goes_on_under_new_limits_and_a_new_budget_as_the_same_run(make_evaluator, scripted, suite_folder):
    evaluator, _ = make_evaluator()
    scripted.info.price.CopyFrom(gw.Price(input="1", output="10"))
    scripted.cost, scripted.latency_s = 500_000, 0.005
    run = await start(evaluator, suite_folder(40), ev.TrafficSettings(concurrency=3, budget_nano_usd=5_000_000, unpriced_ok=True))
    assert run.status == ev.RUN_STATUS_BUDGET
    again = await finish(evaluator, ev.StartRunRequest(run_id=run.run_id))
    assert (again.status, again.cost_nano_usd) == (ev.RUN_STATUS_BUDGET, run.cost_nano_usd)
    more = ev.TrafficSettings(budget_nano_usd=1_000_000_000, concurrency=5)
    done = await finish(evaluator, ev.StartRunRequest(run_id=run.run_id, traffic=more))
    assert (done.run_id, done.status, done.counts.answered) == (run.run_id, ev.RUN_STATUS_FINISHED, 40)
    assert scripted.most_at_once == 5
    kept = json_format.Parse(evaluator._journal.run(run.run_id).traffic, ev.TrafficSettings())
    assert kept == ev.TrafficSettings(concurrency=5, budget_nano_usd=1_000_000_000, unpriced_ok=True)


async def test_new_limits_of_a_run_that_goes_on_are_not_taken_in_silence(make_evaluator, scripted, suite_folder):
    evaluator, _ = make_evaluator()
    scripted.latency_s = 0.2
    run = (await evaluator.start_run(ev.StartRunRequest(specification=specification(suite_folder(3))))).run
    told = await evaluator.start_run(ev.StartRunRequest(run_id=run.run_id, traffic=ev.TrafficSettings(requests_per_minute=5)))
    assert ["`genlevel tune` changes them" in problem for problem in told.problems] == [True], "they are not kept for later"
    assert not (await evaluator.start_run(ev.StartRunRequest(run_id=run.run_id))).problems


async def test_notes_are_of_the_tasks_that_are_asked(make_evaluator, suite_folder):
    evaluator, _ = make_evaluator()
    suite_folder(1, task="No-Such-Task")
    asked = specification(suite_folder(1), tasks="*causal*")
    assert not (await evaluator.plan_run(ev.PlanRunRequest(specification=asked))).problems
    started = await evaluator.start_run(ev.StartRunRequest(specification=asked))
    assert not started.problems
    await watched(evaluator, started.run)
    assert not (await evaluator.start_run(ev.StartRunRequest(run_id=started.run.run_id))).problems
    whole = await evaluator.plan_run(ev.PlanRunRequest(specification=specification(suite_folder(1))))
    assert "nlp/No-Such-Task" in whole.problems[0]


async def test_two_evaluators_cannot_work_on_one_run(make_evaluator, scripted, suite_folder):
    first, _ = make_evaluator()
    second, _ = make_evaluator()
    scripted.latency_s = 0.05
    request = ev.StartRunRequest(specification=specification(suite_folder(40)), traffic=ev.TrafficSettings(concurrency=2))
    run = (await first.start_run(request)).run
    with pytest.raises(UsageError, match="another process"):
        await second.start_run(request)
    seen = (await second.get_run(ev.GetRunRequest(run_id=run.run_id))).run
    assert seen.status == ev.RUN_STATUS_RUNNING
    await first.cancel_run(ev.CancelRunRequest(run_id=run.run_id))


async def test_a_run_started_twice_at_the_same_time_is_one_run(make_evaluator, scripted, suite_folder):
    evaluator, _ = make_evaluator()
    request = ev.StartRunRequest(specification=specification(suite_folder(20)))
    runs = [started.run for started in await asyncio.gather(*(evaluator.start_run(request) for _ in range(4)))]
    assert len({run.run_id for run in runs}) == 1
    assert {(await watched(evaluator, run)).status for run in runs} == {ev.RUN_STATUS_FINISHED}
    assert scripted.calls.total() == 20


async def test_a_run_started_by_two_processes_at_the_same_time_is_one_run(make_evaluator, scripted, suite_folder, monkeypatch):
    (first, _), (second, _) = make_evaluator(), make_evaluator()
    scripted.latency_s = 0.05
    monkeypatch.setattr(second._journal, "latest", lambda identity: None)  # it looked before the first one had begun
    request = ev.StartRunRequest(specification=specification(suite_folder(20)), traffic=ev.TrafficSettings(concurrency=2))
    run = (await first.start_run(request)).run
    with pytest.raises(UsageError, match="another process"):
        await second.start_run(request)
    assert (await watched(first, run)).counts.answered == 20
    assert (await finish(second, request)).run_id == run.run_id
    assert scripted.calls.total() == 20


async def test_runs_started_together_share_the_limits_of_their_account(make_evaluator, scripted, suite_folder):
    evaluator, _ = make_evaluator()
    scripted.latency_s = 0.01
    folder = suite_folder(40)
    traffic = ev.TrafficSettings(concurrency=3)
    runs = await asyncio.gather(*(start(evaluator, folder, traffic, seed=seed, limit=30) for seed in range(3)))
    assert [run.counts.answered for run in runs] == [30, 30, 30]
    assert scripted.most_at_once == 3


async def test_a_run_that_weighs_more_gets_more_of_its_account(make_evaluator, scripted, suite_folder):
    evaluator, _ = make_evaluator()
    scripted.latency_s = 0.01  # else reading is what limits
    folder = suite_folder(160)
    one, other = [
        (await evaluator.start_run(ev.StartRunRequest(specification=specification(folder, seed=seed, limit=150), traffic=traffic))).run
        for seed, traffic in enumerate((ev.TrafficSettings(concurrency=8), ev.TrafficSettings(concurrency=8, weight=3)))
    ]
    active = evaluator._control.active
    answered = {run.run_id: active[run.run_id].execution.state.outcomes for run in (one, other)}
    await until(lambda: answered[one.run_id].total() > 1 and answered[other.run_id].total() > 1)
    before = {run_id: outcomes.total() for run_id, outcomes in answered.items()}
    await until(lambda: answered[other.run_id].total() - before[other.run_id] >= 60)
    more, fewer = (answered[run.run_id].total() - before[run.run_id] for run in (other, one))
    assert more > 1.4 * fewer > 0
    for run in (one, other):
        await evaluator.cancel_run(ev.CancelRunRequest(run_id=run.run_id, now=True))


async def test_a_dry_run_calls_nothing_and_estimates_cost_by_task(make_evaluator, scripted, suite_folder):
    evaluator, _ = make_evaluator()
    scripted.info.price.CopyFrom(gw.Price(input="2", output="8"))
    plan = await evaluator.plan_run(ev.PlanRunRequest(specification=specification(suite_folder(30), limit=12)))
    assert scripted.calls.total() == 0
    task = plan.tasks[0]
    assert task.instances == 12
    assert task.estimated_nano_usd == task.estimated_input_tokens * 2000 + task.max_output_tokens * 8000


async def test_an_unknown_task_pattern_names_what_is_near(make_evaluator, suite_folder):
    evaluator, _ = make_evaluator()
    with pytest.raises(UsageError, match="Causal-Reasoning"):
        await start(evaluator, suite_folder(1), tasks="Casual-Reasoning")


async def test_a_changed_suite_is_another_run_and_cannot_be_resumed_under_the_old_id(make_evaluator, scripted, suite_folder):
    evaluator, _ = make_evaluator()
    run = await start(evaluator, suite_folder(3))
    changed = await start(evaluator, suite_folder(4))
    assert changed.run_id != run.run_id
    with pytest.raises(UsageError, match="changed"):
        await evaluator.start_run(ev.StartRunRequest(run_id=run.run_id))


async def test_rescoring_reads_the_journal_and_calls_nothing(make_evaluator, scripted, suite_folder):
    evaluator, scorer = make_evaluator()
    run = await start(evaluator, suite_folder(6))
    before = (await scorer.get_verdict(sc.GetVerdictRequest(run_id=run.run_id))).tasks[0]
    calls = scripted.calls.total()
    scripted.info.ready = False
    await evaluator.rescore_run(ev.RescoreRunRequest(run_id=run.run_id))
    after = (await scorer.get_verdict(sc.GetVerdictRequest(run_id=run.run_id))).tasks[0]
    assert scripted.calls.total() == calls
    assert before == after


async def test_one_instance_is_shown_with_its_prompt_and_label(make_evaluator, suite_folder):
    evaluator, _ = make_evaluator()
    run = await start(evaluator, suite_folder(4))
    (shown,) = await answers(evaluator, run, instance="nlp/Causal-Reasoning/q1")
    assert (shown.raw_answer, shown.label_json) == ("A", '"A"')
    assert "Question 1?" in shown.prompt


async def test_a_finished_run_is_shown_again_without_a_key_and_a_new_one_is_refused_without_leaving_a_trace(
    make_evaluator, scripted, suite_folder
):
    evaluator, _ = make_evaluator()
    folder = suite_folder(2)
    run = await start(evaluator, folder)
    scripted.info.ready, scripted.info.problem = False, "set A_KEY"
    assert (await start(evaluator, folder)).run_id == run.run_id
    with pytest.raises(UsageError, match="set A_KEY"):
        await start(evaluator, folder, limit=1)
    assert len((await evaluator.list_runs(ev.ListRunsRequest())).runs) == 1


async def test_a_limit_below_one_request_is_said_at_once(make_evaluator, scripted, suite_folder):
    evaluator, _ = make_evaluator()
    folder = suite_folder(1)
    for tokens, said in ((50, True), (5000, False)):
        request = ev.StartRunRequest(specification=specification(folder), traffic=ev.TrafficSettings(tokens_per_minute=tokens), fresh=True)
        started = await evaluator.start_run(request)
        notes = [note for note in started.problems if "--tpm" in note]
        assert bool(notes) is said
        await finish(evaluator, ev.StartRunRequest(run_id=started.run.run_id))


async def test_an_end_that_cannot_be_stored_is_told(make_evaluator, scripted, suite_folder, monkeypatch):
    """A full disk takes the state of the run, not the reason of its end."""
    evaluator, _ = make_evaluator()

    def end_run(run_id, **facts):
        raise StorageError("cannot use the database: the disk is full")

    monkeypatch.setattr(evaluator._journal, "end_run", end_run)
    run = await start(evaluator, suite_folder(3))
    assert run.status == ev.RUN_STATUS_FAILED
    assert run.reason == "every instance has its outcome; this could not be stored: cannot use the database: the disk is full"
    monkeypatch.undo()
    again = await finish(evaluator, ev.StartRunRequest(run_id=run.run_id))
    assert (again.status, again.reason) == (ev.RUN_STATUS_FINISHED, "")
    assert sum(scripted.calls.values()) == 3


async def test_the_reason_of_a_failure_outlives_the_disk(make_evaluator, scripted, suite_folder, failing_script, monkeypatch):
    evaluator, _ = make_evaluator()
    scripted.script = failing_script(gw.ERROR_CLASS_CREDENTIAL)

    def end_run(run_id, **facts):
        raise StorageError("the disk is full")

    monkeypatch.setattr(evaluator._journal, "end_run", end_run)
    run = await start(evaluator, suite_folder(2))
    assert run.status == ev.RUN_STATUS_FAILED
    assert run.reason == "as scripted; this could not be stored: the disk is full"


async def test_a_text_with_the_name_of_a_picture_is_a_problem_of_the_data(make_evaluator, scripted, tmp_path):
    folder = tmp_path / "bench" / "image" / "comprehension" / "Pictures"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "a.png").write_text("404: not found")
    data = [{"id": "p", "input": {"image_file": "images/a.png", "question": "What is it?"}, "output": {"answer": "a cat"}}]
    (folder / "annotation.json").write_text(json.dumps({"task": "Pictures", "type": "OpenQA", "data": data}))
    scripted.info.input_modalities.append(ct.MODALITY_IMAGE)
    evaluator, _ = make_evaluator()
    run = await start(evaluator, tmp_path / "bench")
    assert (run.counts.failed, run.counts.unsupported) == (1, 0)
    (answer,) = await answers(evaluator, run)
    assert "a.png" in answer.error
    assert "picture" in answer.error
    assert not scripted.calls


async def test_what_a_run_waits_for_is_said(make_evaluator, scripted, suite_folder, tmp_path):
    evaluator, _ = make_evaluator()
    evaluator._journal.writes.seconds = 20.0
    scripted.latency_s = 0.05
    started = await evaluator.start_run(ev.StartRunRequest(specification=specification(suite_folder(40))))
    await until(lambda: scripted.calls.total() > 5)
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "genlevel.db", isolation_level=None)) as other:
        other.execute("begin immediate")
        active = evaluator._control.active[started.run.run_id]
        await until(lambda: active.progress().waits_for)
        progress = active.progress()
        assert progress.waiting["storage"] >= 1
        line = progress_line(progress)
        assert " on storage" in line
        assert "waiting for storage: " in line
        other.execute("commit")
    done = await watched(evaluator, started.run)
    assert (done.status, done.counts.answered) == (ev.RUN_STATUS_FINISHED, 40)
    assert set(scripted.calls.values()) == {1}
