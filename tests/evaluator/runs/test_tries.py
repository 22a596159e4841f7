"""Calls that fail: what is tried again, what waits, and what ends a run."""

from __future__ import annotations

import asyncio

from genlevel.documents.progress_line import progress_line
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc
from tests.evaluator.runs.asking import answers, finish, specification, start, watched
from tests.waiting import until


async def test_a_transient_error_is_repeated_up_to_the_attempts_then_failed(make_evaluator, scripted, suite_folder, failing_script):
    evaluator, scorer = make_evaluator(attempts=2)
    scripted.script = failing_script(gw.ERROR_CLASS_TRANSIENT)
    run = await start(evaluator, suite_folder(2))
    assert run.counts.failed == 2
    assert set(scripted.calls.values()) == {2}
    score = (await scorer.get_verdict(sc.GetVerdictRequest(run_id=run.run_id))).tasks[0]
    assert not score.HasField("score")
    assert (score.bounds.lower, score.bounds.upper) == (0, 100)
    failed = await answers(evaluator, run, outcomes=[sc.OUTCOME_FAILED])
    assert {answer.error for answer in failed} == {"as scripted; tried 2 times (runs.attempts)"}


async def test_a_run_of_which_no_call_succeeded_has_failed_also_when_it_is_small(make_evaluator, scripted, suite_folder, failing_script):
    evaluator, _ = make_evaluator(attempts=1)
    folder = suite_folder(2)
    scripted.script = failing_script(gw.ERROR_CLASS_DENIED)
    run = await start(evaluator, folder)
    assert run.status == ev.RUN_STATUS_FAILED
    assert run.reason.startswith("no call succeeded: 2 of 2 instances failed; the last one said: as scripted")
    again = await start(evaluator, folder)  # which asks nothing
    assert (again.status, again.reason) == (ev.RUN_STATUS_FAILED, "no call succeeded: 2 of 2 instances failed")
    assert set(scripted.calls.values()) == {1}
    scripted.script = lambda question, calls: "A" if question == "Question 0?" else failing_script(gw.ERROR_CLASS_DENIED)(question, calls)
    some = await finish(evaluator, ev.StartRunRequest(run_id=run.run_id, retry_failed=True))
    assert (some.status, some.counts.answered, some.counts.failed) == (ev.RUN_STATUS_FINISHED, 1, 1)


async def test_rate_limits_use_up_no_attempts(make_evaluator, scripted, suite_folder, failing_script):
    evaluator, _ = make_evaluator(attempts=1)
    scripted.script = failing_script(gw.ERROR_CLASS_RATE_LIMIT, 2, retry_after_s=0.01)
    run = await start(evaluator, suite_folder(3))
    assert run.counts.answered == 3
    assert run.retries == 6
    assert run.calls == 9


async def test_a_repeated_call_goes_before_first_ones_where_requests_are_few(
    make_evaluator, scripted, suite_folder, failing_script, monkeypatch
):
    monkeypatch.setattr("evaluator.traffic.policy.random.random", lambda: 0.2)
    evaluator, _ = make_evaluator()
    fails = failing_script(gw.ERROR_CLASS_TRANSIENT, 1)
    scripted.script = lambda question, calls: fails(question, calls) if question == "Question 0?" else "A"
    run = await start(evaluator, suite_folder(30), ev.TrafficSettings(requests_per_minute=600))  # ten at once, then ten a second
    assert (run.counts.answered, run.retries) == (30, 1)
    asked = [request.messages[0].parts[-1].text.splitlines()[0] for request in scripted.requests]
    again = asked.index("Question 0?", asked.index("Question 0?") + 1)
    assert again < 20, "it waits for its own time alone, not for all that wait"


async def test_a_repeated_call_that_cannot_start_in_time_is_given_up_without_a_call(make_evaluator, scripted, suite_folder, failing_script):
    evaluator, _ = make_evaluator(deadline_s=1)
    scripted.script = failing_script(gw.ERROR_CLASS_TRANSIENT, 1)
    run = await start(evaluator, suite_folder(1), ev.TrafficSettings(requests_per_minute=6))
    assert (run.counts.failed, run.calls, scripted.calls.total()) == (1, 1, 1)
    (failed,) = await answers(evaluator, run)
    assert failed.error == "as scripted; no further try could start before its deadline (runs.deadline_s: 1)"


async def test_a_provider_that_does_not_say_its_tokens_is_taken_at_the_estimate(make_evaluator, scripted, suite_folder):
    evaluator, _ = make_evaluator()
    folder = suite_folder(3)
    traffic = ev.TrafficSettings(tokens_per_minute=1200)  # 200 at once
    parameters = gw.GenerationParameters(max_output_tokens=200)
    assert (await asyncio.wait_for(start(evaluator, folder, traffic, parameters=parameters), 5)).counts.answered == 3
    scripted.usage = gw.Usage()
    request = ev.StartRunRequest(specification=specification(folder, parameters=parameters), traffic=traffic, fresh=True)
    run = (await evaluator.start_run(request)).run
    async with asyncio.timeout(60):
        while True:
            progress = await anext(evaluator.watch_run(ev.WatchRunRequest(run_id=run.run_id)))
            if (progress.waiting["tokens"], progress.run.counts.answered) == (2, 1):
                break
            await asyncio.sleep(0.05)
    await evaluator.cancel_run(ev.CancelRunRequest(run_id=run.run_id))


async def test_a_wait_beyond_every_deadline_stops_the_run_and_a_shorter_one_is_shown(
    make_evaluator, scripted, suite_folder, failing_script
):
    evaluator, _ = make_evaluator(deadline_s=600)
    scripted.script = failing_script(gw.ERROR_CLASS_RATE_LIMIT, retry_after_s=3600)
    folder = suite_folder(3)
    run = await start(evaluator, folder)
    assert (run.status, run.counts.failed, run.counts.pending) == (ev.RUN_STATUS_FAILED, 0, 3)
    assert "as scripted; the provider asks to wait 3600 s, longer than what an instance may take" in run.reason
    scripted.script = failing_script(gw.ERROR_CLASS_RATE_LIMIT, retry_after_s=300)
    request = ev.StartRunRequest(specification=specification(folder))
    await evaluator.start_run(request)
    await until(evaluator._control.active[run.run_id].execution.provider_wait_s)
    progress = await anext(evaluator.watch_run(ev.WatchRunRequest(run_id=run.run_id)))
    assert 290 < progress.provider_wait_s <= 300
    assert "(the provider asks for " in progress_line(progress)
    await evaluator.cancel_run(ev.CancelRunRequest(run_id=run.run_id))
    scripted.script = lambda question, calls: "A"
    assert (await watched(evaluator, run)).status == ev.RUN_STATUS_INTERRUPTED
    done = await finish(evaluator, request)
    assert (done.status, done.counts.answered) == (ev.RUN_STATUS_FINISHED, 3)


async def test_a_refusal_counts_as_wrong_and_apart(make_evaluator, scripted, suite_folder, failing_script):
    evaluator, scorer = make_evaluator()
    scripted.script = failing_script(gw.ERROR_CLASS_CONTENT_REFUSED)
    run = await start(evaluator, suite_folder(4))
    assert (run.counts.refused, run.status) == (4, ev.RUN_STATUS_FINISHED)
    score = (await scorer.get_verdict(sc.GetVerdictRequest(run_id=run.run_id))).tasks[0]
    assert score.score == 0


async def test_a_quota_stops_the_run_and_keeps_what_was_answered(make_evaluator, scripted, suite_folder):
    evaluator, _ = make_evaluator()

    def script(question, calls):
        if question == "Question 3?":
            from genlevel.runtime.errors import CallFailed

            raise CallFailed(gw.ERROR_CLASS_QUOTA, "the quota is used up")
        return "A"

    scripted.script = script
    run = await start(evaluator, suite_folder(50), traffic=ev.TrafficSettings(concurrency=1))
    assert run.status == ev.RUN_STATUS_FAILED
    assert "quota" in run.reason
    assert run.counts.answered >= 3
    assert run.counts.failed == 0
    assert run.counts.pending == 50 - run.counts.answered


async def test_one_request_that_is_denied_is_that_instances_failure_and_many_in_a_row_stop_the_run(
    make_evaluator, scripted, suite_folder, failing_script
):
    evaluator, _ = make_evaluator()
    denied = failing_script(gw.ERROR_CLASS_DENIED)
    scripted.script = lambda question, calls: denied(question, calls) if question == "Question 1?" else "A"
    run = await start(evaluator, suite_folder(40), ev.TrafficSettings(concurrency=1))
    assert (run.status, run.counts.answered, run.counts.failed) == (ev.RUN_STATUS_FINISHED, 39, 1)
    assert set(scripted.calls.values()) == {1}
    scripted.script = denied
    run = await start(evaluator, suite_folder(40), ev.TrafficSettings(concurrency=1), seed=1, limit=39)
    assert (run.status, run.counts.failed < 35) == (ev.RUN_STATUS_FAILED, True)
    assert "instances all failed" in run.reason
