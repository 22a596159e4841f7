"""Runs that are stopped by request, and start again."""

from __future__ import annotations

import asyncio

import pytest

from evaluator.journal.records import Answer
from evaluator.rpc import add_to_server
from evaluator.runs import execution
from genlevel.benchmark.folder_task import FolderTask
from genlevel.runtime.errors import CallFailed, StorageError
from genlevel.runtime.rpc import RpcServer, connect
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import evaluator_pb2_grpc
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc
from tests.evaluator.runs.asking import finish, specification, start, watched
from tests.waiting import until


async def test_stopping_keeps_answers_and_the_next_start_continues(make_evaluator, scripted, suite_folder):
    evaluator, _ = make_evaluator()
    scripted.latency_s = 0.02
    folder = suite_folder(100)
    request = ev.StartRunRequest(specification=specification(folder), traffic=ev.TrafficSettings(concurrency=4))
    run = (await evaluator.start_run(request)).run
    await until(lambda: scripted.calls.total() > 8)  # some of them have their answers
    await evaluator.cancel_run(ev.CancelRunRequest(run_id=run.run_id))
    stopped = await watched(evaluator, run)
    assert stopped.status == ev.RUN_STATUS_INTERRUPTED
    assert stopped.counts.answered == scripted.calls.total(), "every call that was made has its answer in the journal"
    done = await finish(evaluator, request)
    assert done.counts.answered == 100
    assert scripted.calls.total() == 100


@pytest.mark.parametrize("waits", [(gw.ERROR_CLASS_TRANSIENT, ["retry"]), (gw.ERROR_CLASS_RATE_LIMIT, ["pace", "provider"])])
async def test_stopping_ends_waits_for_retries(make_evaluator, scripted, suite_folder, failing_script, waits):
    evaluator, _ = make_evaluator(attempts=9, deadline_s=600)
    error_class, reasons = waits
    scripted.script = failing_script(error_class, retry_after_s=60)
    request = ev.StartRunRequest(specification=specification(suite_folder(3)))
    run = (await evaluator.start_run(request)).run
    await until(lambda: sum(evaluator._control.active[run.run_id].execution.waiting().get(reason, 0) for reason in reasons) == 3)
    await evaluator.cancel_run(ev.CancelRunRequest(run_id=run.run_id))
    assert (await asyncio.wait_for(watched(evaluator, run), 60)).status == ev.RUN_STATUS_INTERRUPTED


async def test_stopping_at_once_over_grpc_ends_calls_in_flight(make_evaluator, scripted, suite_folder):
    evaluator, _ = make_evaluator()
    scripted.latency_s = 60
    run = (await evaluator.start_run(ev.StartRunRequest(specification=specification(suite_folder(3))))).run
    await until(lambda: scripted.calls.total() == 3)
    server = RpcServer("127.0.0.1:0", grace_s=0.0)
    add_to_server(server, evaluator)
    async with server, connect(f"127.0.0.1:{server.port}") as channel:
        stub = evaluator_pb2_grpc.EvaluatorServiceStub(channel)
        await stub.CancelRun(ev.CancelRunRequest(run_id=run.run_id), timeout=60)
        await asyncio.sleep(0.1)
        assert (await anext(evaluator.watch_run(ev.WatchRunRequest(run_id=run.run_id)))).in_flight == 3, "calls in flight may end"
        await stub.CancelRun(ev.CancelRunRequest(run_id=run.run_id, now=True), timeout=60)
        stopped = await asyncio.wait_for(watched(evaluator, run), 60)
    assert (stopped.status, stopped.counts.pending) == (ev.RUN_STATUS_INTERRUPTED, 3)


async def test_tasks_that_a_stopped_run_has_not_come_to_are_pending_in_its_verdict(make_evaluator, scripted, suite_folder):
    suite_folder(6)
    folder = suite_folder(6, "Commonsense-Reasoning")
    evaluator, scorer = make_evaluator()

    def script(question, calls):
        if calls > 1:  # the second task's questions are the first one's
            raise CallFailed(gw.ERROR_CLASS_CREDENTIAL, "no such key")
        return "A"

    scripted.script = script
    run = await start(evaluator, folder, ev.TrafficSettings(concurrency=1))
    assert (run.status, run.counts.pending) == (ev.RUN_STATUS_FAILED, 6)
    verdict = await scorer.get_verdict(sc.GetVerdictRequest(run_id=run.run_id))
    assert sorted((score.counts.answered, score.counts.pending) for score in verdict.tasks) == [(0, 6), (6, 0)]
    assert verdict.incomplete
    scripted.script = lambda question, calls: "A"
    await finish(evaluator, ev.StartRunRequest(run_id=run.run_id))
    verdict = await scorer.get_verdict(sc.GetVerdictRequest(run_id=run.run_id))
    assert [score.counts.answered for score in verdict.tasks] == [6, 6]
    assert not verdict.incomplete


async def test_a_task_that_is_scored_already_takes_no_room_from_those_that_are_not(make_evaluator, scripted, suite_folder, monkeypatch):
    suite_folder(6)
    folder = suite_folder(6, "Commonsense-Reasoning")
    evaluator, _ = make_evaluator()
    questions = []

    def script(question, calls):
        questions.append(question)
        if len(questions) > 6:
            raise CallFailed(gw.ERROR_CLASS_CREDENTIAL, "no such key")
        return "A"

    scripted.script = script
    run = await start(evaluator, folder, ev.TrafficSettings(concurrency=1))
    assert (run.counts.answered, run.counts.pending) == (6, 6)
    scripted.script = lambda question, calls: "A"
    read, instances = [], FolderTask.instances
    monkeypatch.setattr(FolderTask, "instances", lambda task, positions=None: (read.append(task.key), instances(task, positions))[1])
    monkeypatch.setattr(execution, "MOST_KEPT", 5_000)  # for the questions of one task
    assert (await finish(evaluator, ev.StartRunRequest(run_id=run.run_id))).status == ev.RUN_STATUS_FINISHED
    assert sorted(read) == ["nlp/Causal-Reasoning", "nlp/Commonsense-Reasoning"]


class SlowScorer:
    """Scores tasks once it may."""

    def __init__(self, scorer):
        self._scorer = scorer
        self.takes_paths = scorer.takes_paths
        self.asked, self.may_score = asyncio.Event(), asyncio.Event()

    async def begin_run(self, request):
        return await self._scorer.begin_run(request)

    async def score_task(self, requests):
        self.asked.set()
        await self.may_score.wait()
        return await self._scorer.score_task(requests)

    async def get_verdict(self, request):
        return await self._scorer.get_verdict(request)

    def list_instances(self, request):
        return self._scorer.list_instances(request)


async def test_stopping_while_only_scoring_is_left_ends_it_and_the_next_start_scores(make_evaluator, scripted, suite_folder):
    evaluator, scorer = make_evaluator()
    slow = evaluator._context.scorer = SlowScorer(scorer)
    request = ev.StartRunRequest(specification=specification(suite_folder(4)))
    run = (await evaluator.start_run(request)).run
    await asyncio.wait_for(slow.asked.wait(), 60)
    await asyncio.sleep(0.1)
    await evaluator.cancel_run(ev.CancelRunRequest(run_id=run.run_id))
    stopped = await asyncio.wait_for(watched(evaluator, run), 60)
    assert (stopped.status, stopped.reason, stopped.counts.answered) == (ev.RUN_STATUS_INTERRUPTED, "stopped by request", 4)
    slow.may_score.set()
    assert (await finish(evaluator, request)).status == ev.RUN_STATUS_FINISHED
    assert scripted.calls.total() == 4
    assert (await scorer.get_verdict(sc.GetVerdictRequest(run_id=run.run_id))).tasks[0].score == 50


async def test_stopping_again_and_at_once_ends_the_scoring_of_what_was_begun(make_evaluator, scripted, suite_folder):
    evaluator, scorer = make_evaluator()
    slow = evaluator._context.scorer = SlowScorer(scorer)
    scripted.latency_s = 0.02
    request = ev.StartRunRequest(specification=specification(suite_folder(100)), traffic=ev.TrafficSettings(concurrency=4))
    run = (await evaluator.start_run(request)).run
    await until(lambda: scripted.calls.total() > 8)  # some of them have their answers
    for _ in range(2):  # the second one, without ``now``, changes nothing
        await evaluator.cancel_run(ev.CancelRunRequest(run_id=run.run_id))
        await asyncio.wait_for(slow.asked.wait(), 60)
    await asyncio.sleep(0.1)
    assert (await evaluator.get_run(ev.GetRunRequest(run_id=run.run_id))).run.status == ev.RUN_STATUS_RUNNING
    await evaluator.cancel_run(ev.CancelRunRequest(run_id=run.run_id, now=True))
    assert (await asyncio.wait_for(watched(evaluator, run), 60)).status == ev.RUN_STATUS_INTERRUPTED


async def test_a_run_that_is_stopped_before_it_has_begun_ends(make_evaluator, scripted, suite_folder, monkeypatch):
    evaluator, _ = make_evaluator()
    begin = evaluator._control.begin

    async def stopped_at_once(work):
        await begin(work)
        evaluator._control.active[work.record.run_id].stop(ev.RUN_STATUS_INTERRUPTED, "stopped by request")

    monkeypatch.setattr(evaluator._control, "begin", stopped_at_once)
    run = (await evaluator.start_run(ev.StartRunRequest(specification=specification(suite_folder(100))))).run
    assert (await asyncio.wait_for(watched(evaluator, run), 60)).status == ev.RUN_STATUS_INTERRUPTED
    assert not scripted.calls


class AwayStorage:
    """Writes nothing once the first answer has come, and says so after ``fail``."""

    def __init__(self, journal, monkeypatch):
        self.answers, self._writing, self._failed = 0, [], False
        submit = journal.submit

        def submitted(work, lease=None, closes=None):
            self.answers += isinstance(work, Answer)
            if not self.answers:
                return submit(work, lease, closes)
            self._writing.append(asyncio.get_running_loop().create_future())
            if self._failed:
                self.fail()
            return self._writing[-1]

        monkeypatch.setattr(journal, "submit", submitted)

    def fail(self):
        self._failed = True
        for writing in self._writing:
            if not writing.done():
                writing.set_exception(StorageError("the database is away"))
                writing.exception()  # noticed


class SlowAnswers:
    """Holds the futures of answers, which are written at once, until ``go_on``."""

    def __init__(self, journal, monkeypatch):
        self.held = []
        submit = journal.submit

        def submitted(work, lease=None, closes=None):
            writing = submit(work, lease, closes)
            if not isinstance(work, Answer):
                return writing
            self.held.append(asyncio.get_running_loop().create_future())
            return self.held[-1]

        monkeypatch.setattr(journal, "submit", submitted)

    def go_on(self):
        for held in self.held:
            held.set_result(None)


async def test_a_run_has_not_finished_before_its_answers_are_durable(make_evaluator, scripted, suite_folder, monkeypatch):
    evaluator, _ = make_evaluator()
    storage = SlowAnswers(evaluator._journal, monkeypatch)
    request = ev.StartRunRequest(specification=specification(suite_folder(4)), traffic=ev.TrafficSettings(concurrency=4))
    run = (await evaluator.start_run(request)).run
    await until(lambda: len(storage.held) == 4)
    await asyncio.sleep(0.2)
    going = (await evaluator.get_run(ev.GetRunRequest(run_id=run.run_id))).run.status == ev.RUN_STATUS_RUNNING
    storage.go_on()
    done = await asyncio.wait_for(watched(evaluator, run), 60)
    assert (going, done.status, done.counts.answered) == (True, ev.RUN_STATUS_FINISHED, 4)


@pytest.mark.parametrize("now", [False, True])
async def test_answers_that_could_not_be_stored_are_told_however_a_run_is_stopped(make_evaluator, scripted, suite_folder, monkeypatch, now):
    evaluator, _ = make_evaluator()
    scripted.latency_s = 0.1  # so that as many calls as slots have begun before the first answer comes
    storage = AwayStorage(evaluator._journal, monkeypatch)
    request = ev.StartRunRequest(specification=specification(suite_folder(20)), traffic=ev.TrafficSettings(concurrency=4))
    run = (await evaluator.start_run(request)).run
    await until(lambda: storage.answers >= 4)
    active = evaluator._control.active[run.run_id]
    (limiter,) = evaluator._control.limiters._by_account.values()
    unstored = evaluator._context.unstored.of(limiter)
    active.stop(ev.RUN_STATUS_INTERRUPTED, "stopped by request", now=now)
    await asyncio.sleep(0.1)
    not_durable = unstored.count
    storage.fail()
    await until(active.task.done)
    assert (not_durable, unstored.count) == (storage.answers, 0), "other runs of the account have to know"
    ending = evaluator._control.unstored[run.run_id]
    told = f"stopped by request; {storage.answers} answers that had come could not be stored and are asked again"
    assert ending == (ev.RUN_STATUS_INTERRUPTED, f"{told}; this could not be stored: the database is away", False)


async def test_an_error_while_an_answer_is_counted_ends_the_run_for_whoever_watches_it(make_evaluator, scripted, suite_folder, monkeypatch):
    scripted.latency_s = 0.5  # so that it is watched before that

    def broken(_execution):
        raise RuntimeError("broken")

    monkeypatch.setattr(execution.Execution, "_finished", broken)
    evaluator, _ = make_evaluator()
    with pytest.raises(RuntimeError, match="broken"):
        await start(evaluator, suite_folder(10))
