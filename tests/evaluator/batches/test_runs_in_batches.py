"""Runs that ask in batches, over a gateway in memory and the real journal and scorer."""

from __future__ import annotations

import pytest

from genlevel.runtime.errors import CallFailed, Unavailable, UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc
from tests.evaluator.batches.gateway import COST, BatchGateway
from tests.evaluator.runs.asking import answers, specification


async def test_each_instance_is_asked_once_in_a_batch_and_scored(run_in_batches, scripted, suite_folder):
    run, evaluator, scorer = await run_in_batches(suite_folder(10))
    assert run.status == ev.RUN_STATUS_FINISHED, run.reason
    assert (run.counts.answered, run.counts.pending, scripted.single) == (10, 0, 0)
    assert (set(scripted.paid.values()), scripted.sizes) == ({1}, [10])
    assert (run.cost_nano_usd, run.most_cost_nano_usd, run.unknown_calls, run.calls) == (10 * COST, 10 * COST, 0, 10)
    assert not run.HasField("batches")
    verdict = await scorer.get_verdict(sc.GetVerdictRequest(run_id=run.run_id))
    assert verdict.tasks[0].score == 50
    assert (await evaluator.get_run(ev.GetRunRequest(run_id=run.run_id))).run.cost_nano_usd == 10 * COST


async def test_batches_are_as_large_as_the_provider_takes(run_in_batches, scripted, suite_folder):
    scripted.info.batch.items = 4
    run, *_ = await run_in_batches(suite_folder(10))
    assert (run.counts.answered, scripted.sizes) == (10, [4, 4, 2])


async def test_batches_have_no_more_bytes_than_the_provider_takes(run_in_batches, scripted, suite_folder):
    scripted.info.batch.bytes = 3_000
    run, *_ = await run_in_batches(suite_folder(6))
    assert run.counts.answered == 6
    assert len(scripted.sizes) > 1
    for stored in scripted.stored.values():
        assert sum(item.ByteSize() for item in stored.items) < 3_000


async def test_a_provider_without_batches_is_named_before_anything_starts(run_in_batches, scripted, suite_folder):
    scripted.info.ClearField("batch")
    with pytest.raises(UsageError, match="--batch cannot be kept for m: no batch API is known"):
        await run_in_batches(suite_folder(2))
    assert not scripted.calls


async def test_what_is_billed_is_settled_at_the_price_of_a_batch(run_in_batches, scripted, suite_folder):
    """A budget that call by call would not allow a single instance allows many at half the price."""
    run, evaluator, _ = await run_in_batches(suite_folder(4), budget_nano_usd=4 * COST)
    assert run.status == ev.RUN_STATUS_BUDGET
    plan = ev.PlanRunRequest(specification=specification(suite_folder(4)), traffic=ev.TrafficSettings(batch=True))
    planned = await evaluator.plan_run(plan)
    halved = planned.tasks[0].estimated_nano_usd
    assert (planned.model.price.input, planned.model.price.output) == ("1", "4"), "at the prices that it counts with"
    plan.traffic.ClearField("batch")
    assert (await evaluator.plan_run(plan)).tasks[0].estimated_nano_usd == 2 * halved


async def test_what_does_not_fit_waits_for_batches_that_turn_out_cheaper(run_in_batches, scripted, suite_folder):
    """Of six instances three fit at their worst cases; once those are settled, the others do."""
    run, evaluator, _ = await run_in_batches(suite_folder(1))
    bounds = (await evaluator.plan_run(ev.PlanRunRequest(specification=specification(suite_folder(1))))).tasks[0]
    worst = (bounds.estimated_input_tokens + 250) * 1_000 + bounds.max_output_tokens * 4_000
    scripted.stored.clear()
    scripted.sizes.clear()
    scripted.looks = 2
    run, *_ = await run_in_batches(suite_folder(7), budget_nano_usd=3 * worst + worst // 2 + COST)
    assert (run.status, run.counts.answered) == (ev.RUN_STATUS_FINISHED, 7), run.reason
    assert len(scripted.sizes) > 1
    assert set(scripted.paid.values()) == {1, 2}  # q0 is of both suites


async def test_failures_that_may_pass_are_asked_again_in_a_further_batch(run_in_batches, scripted, suite_folder, failing_script):
    scripted.script = failing_script(gw.ERROR_CLASS_TRANSIENT, times=2)
    run, evaluator, _ = await run_in_batches(suite_folder(3), attempts=3)
    assert (run.status, run.counts.answered, run.counts.failed) == (ev.RUN_STATUS_FINISHED, 3, 0)
    assert (scripted.sizes, run.retries) == ([3, 3, 3], 6)
    assert [answer.attempts for answer in await answers(evaluator, run)] == [3, 3, 3]
    assert run.cost_nano_usd == 3 * COST


async def test_failures_end_after_as_many_attempts_as_calls_have(run_in_batches, scripted, suite_folder, failing_script):
    scripted.script = failing_script(gw.ERROR_CLASS_TRANSIENT)
    run, evaluator, _ = await run_in_batches(suite_folder(3), attempts=2)
    assert (run.counts.failed, run.counts.answered, scripted.sizes) == (3, 0, [3, 3])
    assert {answer.error for answer in await answers(evaluator, run)} == {"as scripted; tried 2 times (runs.attempts)"}
    run, *_ = await _resumed(evaluator, run)
    assert (run.counts.failed, scripted.sizes) == (3, [3, 3, 3, 3])


async def _resumed(evaluator, run):
    from tests.evaluator.runs.asking import finish

    return await finish(evaluator, ev.StartRunRequest(run_id=run.run_id, retry_failed=True)), evaluator


@pytest.mark.parametrize(
    ("error_class", "outcome"),
    [(gw.ERROR_CLASS_CONTENT_REFUSED, "refused"), (gw.ERROR_CLASS_CALLER_FAULT, "failed"), (gw.ERROR_CLASS_UNSUPPORTED, "unsupported")],
)
async def test_what_a_provider_refuses_is_an_outcome(run_in_batches, scripted, suite_folder, error_class, outcome):
    def script(question, calls):
        if question == "Question 1?":
            raise CallFailed(error_class, "no")
        return "A"

    scripted.script = script
    run, *_ = await run_in_batches(suite_folder(4))
    assert (run.counts.answered, getattr(run.counts, outcome), scripted.sizes) == (3, 1, [4])


async def test_what_the_gateway_cannot_ask_is_not_in_the_batch_and_has_its_outcome(run_in_batches, scripted, suite_folder):
    scripted.rejects = ("Question 1?", "Question 2?")
    run, *_ = await run_in_batches(suite_folder(4))
    assert (run.counts.answered, run.counts.unsupported, scripted.sizes) == (2, 2, [2])
    assert run.unknown_calls == 0


async def test_a_batch_of_which_nothing_can_be_asked_is_none(run_in_batches, scripted, suite_folder):
    scripted.rejects = ("Question 0?", "Question 1?")
    run, *_ = await run_in_batches(suite_folder(2))
    assert (run.counts.unsupported, scripted.stored) == (2, {})


async def test_what_expired_is_asked_again_and_nothing_else(run_in_batches, scripted, suite_folder):
    scripted.most = 4
    run, *_ = await run_in_batches(suite_folder(10))
    assert (run.status, run.counts.answered) == (ev.RUN_STATUS_FINISHED, 10), run.reason
    assert (set(scripted.paid.values()), scripted.sizes) == ({1}, [10, 6, 2])
    assert (run.cost_nano_usd, run.unknown_calls) == (10 * COST, 0)


async def test_what_expires_again_and_again_has_failed(run_in_batches, scripted, suite_folder):
    scripted.most = 0
    run, evaluator, _ = await run_in_batches(suite_folder(2), attempts=2)
    assert (run.counts.failed, run.cost_nano_usd, scripted.sizes) == (2, 0, [2, 2])
    assert {answer.error for answer in await answers(evaluator, run)} == {"the batch expired; tried 2 times (runs.attempts)"}


async def test_a_batch_that_somebody_cancelled_at_the_provider_stops_the_run(run_in_batches, scripted, suite_folder):
    scripted.most, scripted.cut_short = 1, "cancelled"
    run, evaluator, _ = await run_in_batches(suite_folder(3))
    assert (run.status, run.counts.answered, run.counts.pending) == (ev.RUN_STATUS_FAILED, 1, 2)
    assert "batch batch-1 was cancelled at compatible" in run.reason
    scripted.most = None
    run, _ = await _resumed(evaluator, run)
    assert (run.counts.answered, set(scripted.paid.values()), run.cost_nano_usd) == (3, {1}, 3 * COST)


async def test_results_without_a_place_change_nothing_and_what_has_none_is_asked_again(run_in_batches, scripted, suite_folder):
    """An id that nobody asked, one that comes twice, and one that never comes."""
    other = gw.BatchResult(id="999", response=scripted._answer("B"))
    scripted.extra_results = [
        other,
        gw.BatchResult(id="2", response=scripted._answer("B")),
        gw.BatchResult(id="x y", response=scripted._answer("B")),
    ]
    scripted.lose = ("Question 0?",)
    run, evaluator, _ = await run_in_batches(suite_folder(3), attempts=2)
    assert (run.counts.answered, run.counts.failed) == (2, 1)
    said = {answer.instance_id: answer for answer in await answers(evaluator, run)}
    assert said["q0"].error == "batch batch-2 ended without a result of it; tried 2 times (runs.attempts)"
    assert (run.unknown_calls, run.cost_nano_usd) == (2, 2 * COST)
    assert run.most_cost_nano_usd > 2 * COST


async def test_bills_above_the_worst_case_are_told(run_in_batches, scripted, suite_folder):
    scripted.factor = 10_000
    run, *_ = await run_in_batches(suite_folder(3), budget_nano_usd=10_000 * COST)
    assert (run.status, run.cost_nano_usd) == (ev.RUN_STATUS_FINISHED, 30_000 * COST)
    assert "--budget-usd $0.18 was exceeded by $0.36" in run.reason
    assert "it ignores the output limit, or counts or charges differently" in run.reason


async def test_a_provider_without_room_is_asked_later_and_one_batch_after_the_other(run_in_batches, scripted, suite_folder):
    scripted.failed_with = [(gw.ERROR_CLASS_RATE_LIMIT, "Enqueued token limit reached")] * 2
    run, *_ = await run_in_batches(suite_folder(8))
    assert (run.status, run.counts.answered, set(scripted.paid.values())) == (ev.RUN_STATUS_FINISHED, 8, {1}), run.reason
    assert scripted.sizes == [8, 4, 2, 2, 2, 2]
    assert run.cost_nano_usd == 8 * COST


async def test_a_batch_that_is_not_valid_stops_the_run_and_costs_nothing(run_in_batches, scripted, suite_folder):
    scripted.failed_with = [(gw.ERROR_CLASS_MODEL_GONE, "The model does not exist")]
    run, *_ = await run_in_batches(suite_folder(3))
    assert (run.status, run.counts.pending, run.cost_nano_usd) == (ev.RUN_STATUS_FAILED, 3, 0)
    assert run.reason == "compatible takes no batch: The model does not exist"


async def test_one_instance_that_makes_its_batch_invalid_is_found_and_the_others_are_asked(run_in_batches, scripted, suite_folder):
    scripted.fault = "Question 11?"
    run, evaluator, _ = await run_in_batches(suite_folder(40))
    assert (run.status, run.counts.answered, run.counts.failed) == (ev.RUN_STATUS_FINISHED, 39, 1), run.reason
    (failed,) = await answers(evaluator, run, outcomes=[sc.OUTCOME_FAILED])
    assert (failed.instance_id, failed.error) == ("q11", "a line is not valid")
    assert (set(scripted.paid.values()), run.cost_nano_usd, run.unknown_calls) == ({1}, 39 * COST, 0)
    assert len(scripted.sizes) < 24


@pytest.mark.parametrize(
    ("error_class", "sizes"), [(gw.ERROR_CLASS_RATE_LIMIT, [6]), (gw.ERROR_CLASS_TRANSIENT, [6]), (gw.ERROR_CLASS_TOO_LARGE, [3, 3])]
)
async def test_a_submission_that_surely_failed_is_made_again(run_in_batches, scripted, suite_folder, error_class, sizes):
    failures = [CallFailed(error_class, "not now")]

    def on(step):
        if step == "handed over" and failures:
            raise failures.pop()

    scripted.on = on
    run, *_ = await run_in_batches(suite_folder(6))
    assert (run.counts.answered, set(scripted.paid.values())) == (6, {1}), run.reason
    if error_class != gw.ERROR_CLASS_RATE_LIMIT:
        assert scripted.sizes == sizes


async def test_a_key_that_is_refused_stops_the_run(run_in_batches, scripted, suite_folder):
    def on(step):
        if step == "handed over":
            raise CallFailed(gw.ERROR_CLASS_CREDENTIAL, "bad key")

    scripted.on = on
    run, *_ = await run_in_batches(suite_folder(2))
    assert (run.status, run.reason, run.counts.pending) == (ev.RUN_STATUS_FAILED, "compatible takes no batch: bad key", 2)


@pytest.mark.parametrize("step", ["handed over", "accepted"])
@pytest.mark.parametrize("keyless", [False, True])
async def test_whether_a_batch_was_taken_is_found_out_before_it_is_submitted_again(run_in_batches, scripted, suite_folder, step, keyless):
    failures = [CallFailed(gw.ERROR_CLASS_TRANSIENT, "the connection broke", may_be_charged=True)]

    def on(reached):
        if reached == step and failures:
            raise failures.pop()

    scripted.on, scripted.keyless = on, keyless
    run, *_ = await run_in_batches(suite_folder(3))
    assert (run.counts.answered, set(scripted.paid.values()), scripted.sizes) == (3, {1}, [3]), run.reason
    assert (run.cost_nano_usd, run.unknown_calls) == (3 * COST, 0)


async def test_answers_say_what_they_were_asked_with(run_in_batches, scripted, suite_folder):
    await run_in_batches(suite_folder(3))
    (request,) = scripted.asked
    (asked,) = request.asked
    assert len(asked.ids) == 3
    assert (asked.parameters.temperature, asked.parameters.max_output_tokens > 0) == (0.0, True)


def test_a_gateway_of_tests_is_a_gateway():
    from evaluator.ports import BatchPort

    assert isinstance(BatchGateway(), BatchPort)


async def test_a_batch_that_failed_after_answers_is_collected(run_in_batches, scripted, suite_folder):
    """Mistral's jobs, and Gemini's, may fail in the middle: what they have answered is billed."""
    shown = scripted._shown

    def failing(stored):
        batch = shown(stored)
        if stored.state == gw.BATCH_STATE_ENDED and stored.id == "batch-1":
            batch.state, batch.problem, batch.problem_class = gw.BATCH_STATE_FAILED, "it broke", gw.ERROR_CLASS_TRANSIENT
            batch.cut_short = ""
        return batch

    scripted._shown, scripted.most, scripted.cut_short = failing, 2, "expired"
    run, *_ = await run_in_batches(suite_folder(4))
    assert (run.status, run.counts.answered, set(scripted.paid.values())) == (ev.RUN_STATUS_FINISHED, 4, {1}), run.reason


async def test_results_that_are_counted_and_never_come_end_after_as_many_attempts(run_in_batches, scripted, suite_folder):
    async def nothing(request):
        scripted.asked.append(request)
        said = CallFailed(gw.ERROR_CLASS_TRANSIENT, "0 of 2 answers came", provider_code="results incomplete", may_be_charged=True)
        raise said
        yield

    scripted.collect_batch = nothing
    run, *_ = await run_in_batches(suite_folder(2), attempts=2)
    assert (run.counts.failed, run.unknown_calls, scripted.sizes) == (2, 4, [2, 2])
    assert run.most_cost_nano_usd >= 4 * COST


async def test_a_gateway_that_is_away_while_a_batch_is_filled_is_waited_for(run_in_batches, scripted, suite_folder):
    failures = [Unavailable("the gateway is away")] * 5

    def on(reached):
        if reached == "filling" and failures:
            raise failures.pop()

    scripted.on = on
    run, *_ = await run_in_batches(suite_folder(3), attempts=2)
    assert (run.status, run.counts.answered, scripted.sizes) == (ev.RUN_STATUS_FINISHED, 3, [3]), run.reason


async def test_a_batch_that_had_ended_and_has_not_any_more_is_waited_for(run_in_batches, scripted, suite_folder):
    collect, early = scripted.collect_batch, [True] * 5

    async def collected(request):
        if early:
            early.pop()
            raise CallFailed(gw.ERROR_CLASS_CALLER_FAULT, "it has not ended", part="id", provider_code="batch_not_ended")
        async for message in collect(request):
            yield message

    scripted.collect_batch = collected
    run, *_ = await run_in_batches(suite_folder(3))
    assert (run.status, run.counts.answered, scripted.sizes) == (ev.RUN_STATUS_FINISHED, 3, [3]), run.reason


async def test_items_that_are_cancelled_in_a_batch_that_is_not_are_not_asked_without_end(run_in_batches, scripted, suite_folder):
    def script(question, calls):
        raise CallFailed(gw.ERROR_CLASS_NOT_SENT, "cancelled", provider_code="batch_cancelled")

    scripted.script = script
    run, *_ = await run_in_batches(suite_folder(2), attempts=3)
    assert (run.counts.failed, scripted.sizes, run.cost_nano_usd) == (2, [2, 2, 2], 0)
