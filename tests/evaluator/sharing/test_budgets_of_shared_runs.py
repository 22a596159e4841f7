"""Budgets of runs that several evaluators share: kept, told of, raised and lowered while the run goes on, and used up at its end."""

from __future__ import annotations

import pytest

from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from tests.evaluator.runs.places import reaches
from tests.evaluator.sharing.test_given_up import give_up_one
from tests.waiting import until

COST = 500_000
"""Of a call, in nano-dollars; it may take up to 2 million."""
BUDGET, DONE = ev.RUN_STATUS_BUDGET, ev.RUN_STATUS_FINISHED


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("evaluator.sharing.purse.LOOK_S", 0.1)
    monkeypatch.setattr("evaluator.sharing.purse._SOONEST_S", 0.02)


@pytest.fixture
def begin(crowd, suite_folder):
    """Two evaluators that both ask a run of a model with a price."""

    async def start(instances, *, cost=COST, **traffic):
        crowd.gateway.info.price.CopyFrom(gw.Price(input="1", output="10"))
        crowd.gateway.cost, crowd.gateway.latency_s = cost, 0.02
        first, second = crowd.start(), crowd.start()
        specification = ev.RunSpecification(model="m", suite=str(suite_folder(instances)))
        settings = ev.TrafficSettings(concurrency=4, **traffic)
        run = (await first.start_run(ev.StartRunRequest(specification=specification, traffic=settings))).run
        await until(lambda: first._sharing.going and second._sharing.going)
        return first, second, run.run_id

    return start


async def tune(evaluator, run_id, **traffic):
    await evaluator.update_run(ev.UpdateRunRequest(run_id=run_id, traffic=ev.TrafficSettings(**traffic)))


async def test_a_run_says_by_how_much_bills_of_any_member_exceeded_its_budget(begin, crowd):
    _first, second, run_id = await begin(60, cost=50_000_000, budget_nano_usd=60_000_000)
    run = await reaches(second, run_id, BUDGET)
    calls = crowd.gateway.calls.total()
    assert calls <= 8 + 4, "what is in flight at both when the first bill comes, and what one begins before it knows"
    assert f"--budget-usd $0.06 was exceeded by ${(calls * 50_000_000 - 60_000_000) / 1e9:g}" in run.reason
    assert f"({calls} calls were billed too high)" in run.reason


async def test_a_run_that_is_short_of_money_says_what_was_given_up_too(begin):
    first, second, run_id = await begin(80, budget_nano_usd=12_000_000)
    give_up_one(first, run_id)
    run = await reaches(second, run_id, BUDGET)
    assert "--budget-usd $0.01" in run.reason
    assert "they died of it" in run.reason


async def test_a_raised_budget_lets_all_go_on(begin, crowd):
    first, second, run_id = await begin(80, budget_nano_usd=12_000_000)
    await until(lambda: crowd.gateway.calls.total() > 8)
    await tune(second, run_id, budget_nano_usd=200_000_000)
    run = await reaches(first, run_id, DONE)
    assert (run.counts.answered, run.cost_nano_usd) == (80, 80 * COST)


async def test_a_budget_that_is_set_later_counts_what_all_have_spent(begin, crowd):
    first, second, run_id = await begin(400)
    await until(lambda: crowd.gateway.calls.total() > 20)
    await tune(second, run_id, budget_nano_usd=60 * COST)
    run = await reaches(first, run_id, BUDGET)
    calls = crowd.gateway.calls.total()
    assert run.cost_nano_usd == calls * COST
    assert 56 <= calls <= 60 + 30, "what began before all had seen it ends"


async def test_tokens_are_a_budget_too(begin, crowd):
    _first, second, run_id = await begin(200, budget_tokens=900)
    run = await reaches(second, run_id, BUDGET)
    spent = crowd.gateway.calls.total() * 12
    assert 0 < spent <= 900
    assert "--budget-tokens" in run.reason
