"""Runs in batches through the whole program, against stand-ins of each provider that keep a ledger: what is asked, lost and paid."""

from __future__ import annotations

import asyncio

import pytest

from gateway.providers import PROVIDERS
from genlevel.embedded import embedded_services
from genlevel.runtime.settings import RunDefaults
from genlevel.v1 import evaluator_pb2 as ev
from tests.batching.serving import INPUT_NANO_USD, KEY, MODELS, OUTPUT_NANO_USD, providers

NAMES = [name for name in MODELS if name in PROVIDERS]
INSTANCES = 30
LOOK_S = 0.02
PATIENCE_S = 15.0


@pytest.fixture
async def served(monkeypatch):
    monkeypatch.setenv(KEY, "sk-test-key-that-is-hidden")
    async with providers() as served:
        yield served


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def desk(served, name):
    return served.desk(name)


@pytest.fixture
def run_in_batches(served, name, choice_suite, tmp_path):
    """Runs in batches to its end; what earlier starts in the folder left goes on."""

    async def make(instances=INSTANCES, attempts=4, **traffic):
        settings = served.settings(name).model_copy(update={"runs": RunDefaults(batch_look_s=LOOK_S, attempts=attempts)})
        suite = tmp_path / "bench"
        if not suite.exists():
            choice_suite(instances)
        specification = ev.RunSpecification(model=f"{name}/{MODELS[name]}", suite=str(suite))
        async with asyncio.timeout(PATIENCE_S), embedded_services(settings, tmp_path / "data") as services:
            request = ev.StartRunRequest(specification=specification, traffic=ev.TrafficSettings(batch=True, **traffic))
            run = (await services.evaluator.start_run(request)).run
            async for progress in services.evaluator.watch_run(ev.WatchRunRequest(run_id=run.run_id)):
                run = progress.run
            return (await services.evaluator.get_run(ev.GetRunRequest(run_id=run.run_id))).run

    return make


def paid(desk):
    return desk.ledger.nano_usd(INPUT_NANO_USD, OUTPUT_NANO_USD)


def holds(run, desk, *, answered=INSTANCES, failed=0, refused=0):
    """Each instance has its outcome, none was billed twice, and the cost is what was billed to the nano-dollar."""
    assert run.status == ev.RUN_STATUS_FINISHED, run.reason
    assert (run.counts.answered, run.counts.failed, run.counts.refused, run.counts.pending) == (answered, failed, refused, 0)
    assert desk.ledger.more_than_once() == []
    assert (run.cost_nano_usd, run.most_cost_nano_usd, run.unknown_calls) == (paid(desk), paid(desk), 0)


async def test_a_run_costs_half_of_what_its_calls_would(run_in_batches, desk):
    run = await run_in_batches()
    holds(run, desk)
    assert paid(desk) * 2 == desk.ledger.nano_usd(INPUT_NANO_USD, OUTPUT_NANO_USD, batched=1)
    assert len(desk.ledger.submitted) == 1
    (parameters,) = run.facts.parameters
    assert ('"temperature":0.0' in parameters.text, parameters.answers) == (True, INSTANCES)


async def test_what_has_failed_at_the_provider_is_asked_again(run_in_batches, desk):
    desk.faults.fail_every = 3
    run = await run_in_batches(attempts=6)
    holds(run, desk, answered=run.counts.answered, failed=run.counts.failed)
    assert (run.counts.answered > 25, run.retries > 9) == (True, True)


async def test_refusals_are_outcomes(run_in_batches, desk):
    desk.faults.refuse_every = 5
    run = await run_in_batches()
    assert run.counts.answered + run.counts.refused == INSTANCES
    assert run.cost_nano_usd == paid(desk)


async def test_what_expired_is_asked_again(run_in_batches, desk):
    desk.faults.answered_at_most = 12
    run = await run_in_batches()
    if desk.name == "gemini":  # which gives no results of a batch that expired: nobody knows what of it was billed
        assert run.counts.answered <= INSTANCES
        assert run.cost_nano_usd <= paid(desk) <= run.most_cost_nano_usd
        return
    holds(run, desk)
    assert len(desk.ledger.submitted) == 3


async def test_results_that_belong_to_nothing_change_nothing(run_in_batches, desk):
    desk.faults.twice = desk.faults.unknown = True
    run = await run_in_batches()
    if desk.name != "gemini" or run.counts.answered == INSTANCES:
        holds(run, desk)


@pytest.mark.parametrize("fault", ["cut_results", "short_results"])
async def test_results_that_break_off_are_collected_again(run_in_batches, desk, fault):
    setattr(desk.faults, fault, 2)
    holds(await run_in_batches(), desk)


async def test_results_that_never_come_are_of_unknown_cost(run_in_batches, desk):
    desk.faults.lose_every = 10
    run = await run_in_batches(attempts=2)
    assert run.counts.answered + run.counts.failed == INSTANCES
    assert run.cost_nano_usd < paid(desk) <= run.most_cost_nano_usd
    assert run.unknown_calls >= 3


async def _going_on(desk):
    """Has batches go on although nobody asks for them: at a provider that keeps no key they are known once they have ended."""
    while True:
        await asyncio.sleep(LOOK_S)
        for batch in desk.batches.values():
            desk.look(batch)


@pytest.mark.parametrize("fault", ["cut_unread", "cut_accepted", "cut_uploads"])
async def test_a_connection_that_breaks_while_a_batch_is_handed_over_leaves_no_second_one(run_in_batches, desk, fault):
    setattr(desk.faults, fault, 1)
    going = asyncio.create_task(_going_on(desk))
    run = await run_in_batches()
    going.cancel()
    holds(run, desk)
    assert len(desk.ledger.submitted) == 1


async def test_a_queue_that_is_full_is_waited_for(run_in_batches, desk):
    desk.faults.queued_items = 10
    holds(await run_in_batches(), desk)


async def test_a_rate_limit_is_waited_for(run_in_batches, desk):
    error = {"error": {"type": "rate_limit_error", "code": "rate_limit_exceeded", "status": "RESOURCE_EXHAUSTED", "message": "slow down"}}
    desk.faults.submit_errors = [[429, error]] * 2
    holds(await run_in_batches(), desk)


async def test_limits_of_the_provider_that_are_smaller_than_they_should_be_are_found(run_in_batches, desk):
    desk.faults.items = 8
    holds(await run_in_batches(), desk)
