"""What calls cost that failed, were refused, or whose price or fate is not known."""

from __future__ import annotations

from collections import Counter

import pytest

from genlevel.runtime.errors import UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc
from tests.evaluator.runs.asking import answers, finish, specification, start, watched


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
