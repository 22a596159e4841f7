"""Runs from plan to verdict, over a gateway in memory and the real journal and scorer."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections import Counter

import pytest
from google.protobuf import json_format

from evaluator.rpc import add_to_server
from genlevel.cli.progress import progress_line
from genlevel.runtime.errors import CallFailed, StorageError, UsageError
from genlevel.runtime.rpc import RpcServer, connect
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import evaluator_pb2_grpc
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc
from tests.waiting import until


def specification(folder, **fields):
    return ev.RunSpecification(model="m", suite=str(folder), **fields)


async def finish(evaluator, request):
    return await watched(evaluator, (await evaluator.start_run(request)).run)


async def watched(evaluator, run):
    """The run, when it has ended."""
    async with asyncio.timeout(60):
        async for progress in evaluator.watch_run(ev.WatchRunRequest(run_id=run.run_id)):
            last = progress
    return last.run


async def start(evaluator, folder, traffic=None, **fields):
    return await finish(evaluator, ev.StartRunRequest(specification=specification(folder, **fields), traffic=traffic))


async def answers(evaluator, run, **filters):
    return [answer async for answer in evaluator.list_answers(ev.ListAnswersRequest(run_id=run.run_id, **filters))]


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
    folder = suite_folder(40)
    run = await start(evaluator, folder)
    assert (run.status, run.counts.failed, run.counts.pending) == (ev.RUN_STATUS_FAILED, 0, 40)
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
    assert (done.status, done.counts.answered) == (ev.RUN_STATUS_FINISHED, 40)


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


async def test_a_call_of_unknown_fate_stays_reserved_for_later_starts(make_evaluator, scripted, suite_folder, failing_script):
    evaluator, _ = make_evaluator(attempts=1)
    scripted.info.price.CopyFrom(gw.Price(input="1", output="10"))
    scripted.cost = 1_000
    scripted.script = failing_script(gw.ERROR_CLASS_TIMEOUT, 1, may_be_charged=True)
    run = await start(evaluator, suite_folder(1), ev.TrafficSettings(budget_nano_usd=1_000_000))
    assert run.counts.failed == 1
    resumed = await finish(
        evaluator,
        ev.StartRunRequest(run_id=run.run_id, retry_failed=True, traffic=ev.TrafficSettings(budget_nano_usd=1_000_000)),
    )
    assert resumed.status == ev.RUN_STATUS_BUDGET, "two worst cases do not fit if the first may have been billed"
    assert scripted.calls.total() == 1


REFUSAL = {"usage": gw.Usage(input_tokens=40, output_tokens=2), "cost_nano_usd": 700_000, "may_be_charged": True}


async def test_what_a_refusal_cost_counts_and_is_known_to_the_budget(make_evaluator, scripted, suite_folder, failing_script):
    evaluator, _ = make_evaluator()
    scripted.info.price.CopyFrom(gw.Price(input="1", output="10"))
    scripted.cost = 100_000
    scripted.script = lambda question, calls: (
        failing_script(gw.ERROR_CLASS_CONTENT_REFUSED, **REFUSAL)(question, calls) if question == "Question 1?" else "A"
    )
    run = await start(evaluator, suite_folder(3), ev.TrafficSettings(concurrency=1, budget_nano_usd=20_000_000))
    assert (run.counts.refused, run.cost_nano_usd, run.unknown_costs, run.usage.input_tokens) == (1, 900_000, 0, 60)
    assert (run.most_cost_nano_usd, run.unknown_calls) == (900_000, 0)
    (refused,) = await answers(evaluator, run, outcomes=[sc.OUTCOME_REFUSED] * 300_000)
    assert (refused.cost_nano_usd, refused.usage.input_tokens) == (700_000, 40)


async def test_what_failed_tries_cost_counts_once_and_also_where_the_run_stops_before_an_answer(
    make_evaluator, scripted, suite_folder, failing_script
):
    evaluator, _ = make_evaluator(attempts=9)
    scripted.info.price.CopyFrom(gw.Price(input="1", output="10"))
    scripted.cost = 100_000
    scripted.script = failing_script(gw.ERROR_CLASS_TRANSIENT, 2, **REFUSAL)
    folder = suite_folder(1)
    traffic = ev.TrafficSettings(budget_nano_usd=10**9)
    run = (await evaluator.start_run(ev.StartRunRequest(specification=specification(folder), traffic=traffic))).run
    budget = evaluator._control.active[run.run_id].execution._traffic._budget
    async for progress in evaluator.watch_run(ev.WatchRunRequest(run_id=run.run_id)):
        run = progress.run
    assert (run.cost_nano_usd, budget.spent.nano_usd, budget.held) == (1_500_000, 1_500_000, (0, 0))
    assert (run.most_cost_nano_usd, run.unknown_calls) == (1_500_000, 0)

    def stops(question, calls):
        failing_script(gw.ERROR_CLASS_TRANSIENT, 1, **REFUSAL)(question, calls)
        return failing_script(gw.ERROR_CLASS_QUOTA)(question, calls)

    scripted.script, scripted.calls = stops, Counter()
    run = await start(evaluator, folder, traffic, parameters=gw.GenerationParameters(temperature=1))
    assert (run.status, run.counts.pending) == (ev.RUN_STATUS_FAILED, 1)
    assert (run.most_cost_nano_usd, run.unknown_calls) == (700_000, 1), "what the first try cost stays spent"


async def test_what_a_failed_try_cost_stays_spent_beside_an_answer_of_unknown_cost(make_evaluator, scripted, suite_folder, failing_script):
    evaluator, _ = make_evaluator()
    scripted.info.price.CopyFrom(gw.Price(input="1", output="10"))
    scripted.script = failing_script(gw.ERROR_CLASS_TRANSIENT, 1, **REFUSAL)
    run = await start(evaluator, suite_folder(1), ev.TrafficSettings(budget_nano_usd=10**9))
    assert (run.counts.answered, run.cost_nano_usd, run.unknown_costs, run.unknown_calls) == (1, 700_000, 1, 1)
    scripted.script = lambda question, calls: "A"
    once = await start(
        evaluator, suite_folder(1), ev.TrafficSettings(budget_nano_usd=10**9), parameters=gw.GenerationParameters(temperature=1)
    )
    assert (once.HasField("cost_nano_usd"), once.unknown_calls) == (False, 1)
    assert run.most_cost_nano_usd == 700_000 + once.most_cost_nano_usd > 700_000, "the one that is known, and the other's worst case"


async def test_what_failed_tries_cost_is_added_to_the_answer(make_evaluator, scripted, suite_folder, failing_script):
    evaluator, _ = make_evaluator()
    scripted.info.price.CopyFrom(gw.Price(input="1", output="10"))
    scripted.cost = 100_000
    scripted.script = failing_script(gw.ERROR_CLASS_TRANSIENT, 1, **REFUSAL)
    run = await start(evaluator, suite_folder(1))
    assert (run.counts.answered, run.cost_nano_usd, run.usage.input_tokens) == (1, 800_000, 50)


async def test_a_cost_that_is_not_known_is_not_shown_as_none(make_evaluator, scripted, suite_folder, failing_script):
    evaluator, _ = make_evaluator(attempts=1)
    scripted.info.price.CopyFrom(gw.Price(input="1", output="10"))
    run = await start(evaluator, suite_folder(2))
    assert (run.HasField("cost_nano_usd"), run.unknown_costs) == (False, 2)
    scripted.cost = 100_000
    scripted.script = lambda question, calls: (
        failing_script(gw.ERROR_CLASS_TIMEOUT, may_be_charged=True)(question, calls)
        if question == "Question 1?"
        else failing_script(gw.ERROR_CLASS_CALLER_FAULT)(question, calls)
        if question == "Question 0?"
        else "A"
    )
    run = await start(evaluator, suite_folder(3), parameters=gw.GenerationParameters(temperature=1))
    assert (run.cost_nano_usd, run.unknown_costs, run.counts.failed) == (100_000, 1, 2)


async def test_a_model_that_charges_and_has_no_price_needs_consent(make_evaluator, scripted, suite_folder):
    evaluator, _ = make_evaluator()
    scripted.info.charges = True
    with pytest.raises(UsageError, match="--unpriced-ok"):
        await start(evaluator, suite_folder(1))
    with pytest.raises(UsageError, match="--budget-usd"):
        await start(evaluator, suite_folder(1), ev.TrafficSettings(budget_nano_usd=1, unpriced_ok=True))
    run = await start(evaluator, suite_folder(1), ev.TrafficSettings(unpriced_ok=True))
    assert not run.HasField("cost_nano_usd")


async def test_a_cap_on_a_model_without_price_is_refused_where_a_key_goes_with_calls_and_else_said_to_cap_nothing(
    make_evaluator, scripted, suite_folder
):
    evaluator, _ = make_evaluator()
    capped = ev.TrafficSettings(budget_nano_usd=10**9)

    async def notes(traffic):
        planned = await evaluator.plan_run(ev.PlanRunRequest(specification=specification(suite_folder(1)), traffic=traffic))
        started = await evaluator.start_run(ev.StartRunRequest(specification=specification(suite_folder(1)), traffic=traffic, fresh=True))
        await watched(evaluator, started.run)
        assert started.problems == planned.problems, "a dry run says the same"
        return list(started.problems)

    assert not await notes(ev.TrafficSettings())
    (said,) = await notes(capped)
    assert "no price, so --budget-usd cannot cap its cost" in said
    assert "compatible/m" in said
    scripted.info.keyed = True
    with pytest.raises(UsageError, match=r"--budget-usd cannot be kept.*--unpriced-ok") as refused:
        await start(evaluator, suite_folder(1), capped, limit=1)
    planned = await evaluator.plan_run(ev.PlanRunRequest(specification=specification(suite_folder(1)), traffic=capped))
    assert list(planned.problems) == [str(refused.value)]
    assert not await notes(ev.TrafficSettings())
    assert await notes(ev.TrafficSettings(budget_nano_usd=10**9, unpriced_ok=True)) == [said]


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


async def test_stopping_ends_waits_for_retries(make_evaluator, scripted, suite_folder, failing_script):
    evaluator, _ = make_evaluator(attempts=9, deadline_s=600)
    scripted.script = failing_script(gw.ERROR_CLASS_RATE_LIMIT, retry_after_s=60)
    request = ev.StartRunRequest(specification=specification(suite_folder(3)))
    run = (await evaluator.start_run(request)).run
    await until(lambda: evaluator._control.active[run.run_id].execution.waiting().get("retry") == 3)
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
