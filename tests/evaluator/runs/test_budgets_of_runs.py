"""What runs spend, over a gateway in memory and the real journal: budgets that change, bounds, and what is said of them."""

from __future__ import annotations

import asyncio
import json

import pytest

from genlevel.runtime.errors import CallFailed, UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from tests.evaluator.runs.asking import specification, start, watched

PRICE = gw.Price(input="1", output="10")


@pytest.fixture
def priced(scripted):
    scripted.info.price.CopyFrom(PRICE)
    scripted.cost = 100_000
    return scripted


@pytest.fixture
def uneven(tmp_path):
    """A suite of short questions and, every other one, long ones."""
    folder = tmp_path / "uneven" / "nlp" / "Causal-Reasoning"
    folder.mkdir(parents=True)
    data = [
        {
            "id": f"q{number}",
            "input": {"question": f"Question {number}? {'long ' * (3_000 if number % 2 else 0)}", "options": ["yes", "no"]},
            "output": {"answer": "A"},
        }
        for number in range(20)
    ]
    (folder / "annotation.json").write_text(json.dumps({"task": "Causal-Reasoning", "type": "MultipleChoiceQA", "data": data}))
    return tmp_path / "uneven"


async def test_what_did_not_fit_is_asked_when_the_budget_is_raised_while_the_run_goes_on(make_evaluator, priced, uneven):
    evaluator, _ = make_evaluator()
    priced.latency_s = 0.15
    traffic = ev.TrafficSettings(budget_nano_usd=10_000_000, concurrency=1)
    run = (await evaluator.start_run(ev.StartRunRequest(specification=specification(uneven), traffic=traffic))).run
    async with asyncio.timeout(60):
        while len(priced.calls) < 4:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert not any("long" in question for question in priced.calls)
    more = ev.UpdateRunRequest(run_id=run.run_id, traffic=ev.TrafficSettings(budget_nano_usd=1_000_000_000))
    await evaluator.update_run(more)
    ended = await watched(evaluator, run)
    assert (ended.status, ended.counts.answered, priced.calls.total()) == (ev.RUN_STATUS_FINISHED, 20, 20)
    assert (ended.cost_nano_usd, ended.most_cost_nano_usd, ended.unknown_calls) == (2_000_000, 2_000_000, 0)


async def test_failed_calls_that_may_be_billed_are_not_forgotten_when_an_answer_comes(
    make_evaluator, priced, suite_folder, failing_script, monkeypatch
):
    monkeypatch.setattr("evaluator.traffic.policy.FIRST_BACKOFF_S", 0.001)
    evaluator, _ = make_evaluator(attempts=9)
    priced.script = failing_script(gw.ERROR_CLASS_TRANSIENT, 2, may_be_charged=True)
    run = await start(evaluator, suite_folder(40))
    assert (run.counts.answered, run.cost_nano_usd) == (40, 4_000_000)
    assert (run.unknown_costs, run.unknown_calls) == (40, 80)
    worst = (run.most_cost_nano_usd - run.cost_nano_usd) / 80
    assert 200_000 < worst < 2_000_000, "its bytes at a dollar and its output at ten"


async def test_a_model_of_wrong_bills_stops_itself_and_not_its_judge(make_evaluator, priced, suite_folder):
    evaluator, _ = make_evaluator()
    priced.cost, priced.latency_s = 80_000_000, 0.02
    run = await start(evaluator, suite_folder(200), ev.TrafficSettings(budget_nano_usd=100_000_000, concurrency=16))
    assert run.status == ev.RUN_STATUS_BUDGET
    assert priced.calls.total() <= 16
    assert run.reason.startswith(f"--budget-usd $0.10 was exceeded by ${priced.calls.total() * 0.08 - 0.1:.2f}"), run.reason
    again = await watched(evaluator, (await evaluator.start_run(ev.StartRunRequest(run_id=run.run_id))).run)
    assert (again.status, again.cost_nano_usd) == (ev.RUN_STATUS_BUDGET, run.cost_nano_usd)
    assert "is used up" in again.reason


async def test_a_later_start_knows_what_an_earlier_one_has_learnt(make_evaluator, priced, suite_folder):
    evaluator, _ = make_evaluator()

    def stop():
        raise CallFailed(gw.ERROR_CLASS_QUOTA, "enough")

    priced.script = lambda question, calls: "A" if question == "Question 0?" else stop()
    priced.cost = 60_000_000
    folder = suite_folder(50)
    run = await start(evaluator, folder, ev.TrafficSettings(concurrency=1))
    assert (run.status, run.counts.answered) == (ev.RUN_STATUS_FAILED, 1)
    calls = priced.calls.total()
    priced.script = lambda question, calls: "A"
    again = await start(evaluator, folder, ev.TrafficSettings(concurrency=1, budget_nano_usd=170_000_000))
    assert (again.status, again.counts.answered, priced.calls.total()) == (ev.RUN_STATUS_BUDGET, 1, calls), (
        "the next may cost twice as much"
    )
    more = await start(evaluator, folder, ev.TrafficSettings(concurrency=1, budget_nano_usd=190_000_000))
    assert (more.status, more.counts.answered) == (ev.RUN_STATUS_BUDGET, 2)


async def test_tokens_are_capped_without_a_price(make_evaluator, scripted, suite_folder):
    evaluator, _ = make_evaluator()
    scripted.usage = gw.Usage(input_tokens=50, cache_read_tokens=10, output_tokens=5, reasoning_tokens=5)
    run = await start(evaluator, suite_folder(100), ev.TrafficSettings(budget_tokens=2_000, concurrency=4))
    used = run.usage.input_tokens + run.usage.cache_read_tokens + run.usage.output_tokens + run.usage.reasoning_tokens
    assert run.status == ev.RUN_STATUS_BUDGET
    assert 1_500 < used <= 2_000
    assert "--budget-tokens 2,000 tokens" in run.reason
    more = await start(evaluator, suite_folder(100), ev.TrafficSettings(budget_tokens=100_000, concurrency=4))
    assert (more.status, scripted.calls.total()) == (ev.RUN_STATUS_FINISHED, 100)


async def test_a_dry_run_says_which_instances_a_budget_does_not_allow(make_evaluator, priced, uneven):
    evaluator, _ = make_evaluator()

    async def problems(**traffic):
        plan = ev.PlanRunRequest(specification=specification(uneven), traffic=ev.TrafficSettings(**traffic))
        return list((await evaluator.plan_run(plan)).problems)

    assert await problems() == await problems(budget_nano_usd=10**9, budget_tokens=10**9) == []
    some, tokens = await problems(budget_nano_usd=10_000_000, budget_tokens=5_000)
    assert some.startswith("--budget-usd $0.01 does not allow 10 of 20 instances; the least of them may cost $0.0")
    assert tokens.startswith("--budget-tokens 5,000 does not allow 10 of 20 instances; the least of them may take 1")
    (every,) = await problems(budget_nano_usd=1_000)
    assert "20 of 20" in every


def answering(first, last):
    """A script: questions from number ``first`` to before ``last`` are answered; at others, the run stops."""

    def script(question, calls):
        if first <= int(question.split()[1].rstrip("?")) < last:
            return "A"
        raise CallFailed(gw.ERROR_CLASS_QUOTA, "enough")

    return script


def bounds(run):
    known = run.cost_nano_usd if run.HasField("cost_nano_usd") else None
    return known, run.most_cost_nano_usd if run.HasField("most_cost_nano_usd") else None, run.unknown_calls


async def begun(evaluator, gateway, folder, traffic=None):
    """A run of which five instances are answered."""
    gateway.script = answering(0, 5)
    run = await start(evaluator, folder, traffic or ev.TrafficSettings(concurrency=1))
    assert (run.status, run.counts.answered) == (ev.RUN_STATUS_FAILED, 5)
    gateway.script = answering(0, 50)
    return run


async def test_calls_after_a_price_is_gone_have_an_unknown_cost(make_evaluator, priced, suite_folder):
    evaluator, _ = make_evaluator()
    folder = suite_folder(12)
    run = await begun(evaluator, priced, folder)
    assert bounds(run) == (500_000, 500_000, 0)
    priced.info.ClearField("price")
    priced.cost = None
    capped = ev.TrafficSettings(concurrency=1, budget_nano_usd=10**9)
    again = ev.StartRunRequest(specification=specification(folder), traffic=capped)
    started = await evaluator.start_run(again)
    assert "no price, so --budget-usd cannot cap its cost" in started.problems[0]
    active = evaluator._control.active[run.run_id]
    ended = await watched(evaluator, run)
    assert (ended.status, bounds(ended)) == (ev.RUN_STATUS_FINISHED, (500_000, None, 7))
    assert bounds(active.progress().run) == bounds(ended)
    assert "it may have cost more than that" in ended.reason


async def test_a_call_that_is_open_when_its_process_dies_has_no_bound_once_the_price_is_gone(make_evaluator, priced, suite_folder):
    evaluator, _ = make_evaluator()
    folder = suite_folder(12)
    run = await begun(evaluator, priced, folder)
    priced.info.ClearField("price")
    priced.latency_s = 30.0
    await evaluator.start_run(ev.StartRunRequest(specification=specification(folder), traffic=ev.TrafficSettings(concurrency=1)))
    async with asyncio.timeout(60):
        while priced.calls["Question 5?"] < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    cost = evaluator._journal.totals(run.run_id).cost
    assert (cost.nano_usd, cost.most_nano_usd) == (500_000, None)
    assert cost.unknown_calls
    evaluator.cut()


async def test_a_price_that_is_gone_is_refused_for_a_budget_if_a_key_goes_with_calls(make_evaluator, priced, suite_folder):
    evaluator, _ = make_evaluator()
    folder = suite_folder(12)
    run = await begun(evaluator, priced, folder, ev.TrafficSettings(concurrency=1, budget_nano_usd=10**9))
    priced.info.ClearField("price")
    priced.info.charges = True
    calls = priced.calls.total()
    for traffic in (ev.TrafficSettings(), ev.TrafficSettings(unpriced_ok=True)):
        with pytest.raises(UsageError, match="--budget-usd cannot be kept"):
            await evaluator.start_run(ev.StartRunRequest(run_id=run.run_id, traffic=traffic))
    assert priced.calls.total() == calls


async def test_calls_before_there_was_a_price_have_an_unknown_cost(make_evaluator, scripted, suite_folder):
    evaluator, _ = make_evaluator()
    folder = suite_folder(12)
    run = await begun(evaluator, scripted, folder)
    assert bounds(run) == (None, None, 0)
    with pytest.raises(UsageError, match="has no price, or had none yet"):
        await evaluator.update_run(ev.UpdateRunRequest(run_id=run.run_id, traffic=ev.TrafficSettings(budget_nano_usd=10**9)))
    scripted.info.price.CopyFrom(PRICE)
    scripted.cost, scripted.latency_s = 100_000, 0.1
    await evaluator.start_run(ev.StartRunRequest(specification=specification(folder), traffic=ev.TrafficSettings(concurrency=1)))
    active = evaluator._control.active[run.run_id]
    await evaluator.update_run(ev.UpdateRunRequest(run_id=run.run_id, traffic=ev.TrafficSettings(budget_nano_usd=10**9)))
    ended = await watched(evaluator, run)
    assert (ended.status, bounds(ended)) == (ev.RUN_STATUS_FINISHED, (700_000, None, 5))
    assert bounds(active.progress().run) == bounds(ended)
    assert "it may have cost more than that" in ended.reason


async def test_tokens_that_are_known_are_counted_once_whatever_becomes_of_a_price(make_evaluator, scripted, suite_folder):
    evaluator, _ = make_evaluator()
    run = await begun(evaluator, scripted, suite_folder(12))
    scripted.info.price.CopyFrom(PRICE)
    scripted.cost = 100_000
    scripted.script = answering(0, 6)
    await start(evaluator, suite_folder(12), ev.TrafficSettings(concurrency=1))
    (spent,) = evaluator._journal.spending(run.run_id, "m", "")
    assert (spent.known, spent.calls, spent.worst) == ((100_000, 72), (5, 0), (0, 0))
