"""What judging may cost, and how it is stopped."""

from __future__ import annotations

import asyncio

import pytest

from evaluator.runs import judging
from genlevel.documents.progress_line import progress_line
from genlevel.runtime.errors import CallFailed, ConfigurationError, UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from tests.evaluator.runs.judging.bench import score_of, start
from tests.waiting import until


def _over(progress):
    return progress.run.status == ev.RUN_STATUS_FINISHED


async def test_judging_is_within_the_budget_of_the_run(services, bench, suite):
    evaluator, scorer, _ = services()
    for name in ("m", "j"):
        bench.models[name].price.CopyFrom(gw.Price(input="1", output="10"))
        bench.models[name].charges = True
        bench.cost[name] = 1_000_000
    folder = suite(20)
    run = await start(evaluator, folder, budget_nano_usd=30_000_000)
    assert run.status == ev.RUN_STATUS_BUDGET
    assert run.reason.startswith("judging: $0.001 is left of --budget-usd $0.03, too little for 11 answers to be judged, which may cost")
    assert run.counts.answered == 20
    assert run.cost_nano_usd == 20_000_000
    assert 0 < run.judging.cost_nano_usd <= 10_000_000
    assert "not judged yet" in (await score_of(scorer, run)).note
    judged = bench.judged.total()
    same = await start(evaluator, folder, budget_nano_usd=30_000_000)
    assert (same.status, bench.judged.total()) == (ev.RUN_STATUS_BUDGET, judged), "what was spent on judging stays spent"
    more = await start(evaluator, folder, budget_nano_usd=100_000_000)
    assert (more.status, more.judging.judged, more.judging.cost_nano_usd) == (ev.RUN_STATUS_FINISHED, 20, 20_000_000)
    assert (bench.asked.total(), bench.judged.total()) == (20, 20)


async def test_judgements_of_unknown_cost_are_counted(services, bench, suite):
    evaluator, _, _ = services()
    for name in ("m", "j"):
        bench.models[name].price.CopyFrom(gw.Price(input="1", output="10"))
    bench.cost["m"] = 1_000
    run = await start(evaluator, suite(3))
    assert (run.cost_nano_usd, run.unknown_costs) == (3_000, 0)
    assert (run.judging.HasField("cost_nano_usd"), run.judging.unknown_costs) == (False, 3)
    bench.judge = lambda text, calls: CallFailed(
        gw.ERROR_CLASS_CONTENT_REFUSED, "no", usage=gw.Usage(input_tokens=40), cost_nano_usd=700, may_be_charged=True
    )
    bench.cost["m"] = 2_000
    other = await start(evaluator, suite(4))
    assert (other.judging.failed, other.judging.cost_nano_usd, other.judging.unknown_costs) == (4, 2_800, 0)
    assert other.judging.usage.input_tokens == 160


@pytest.mark.parametrize("gone", [True, False])
async def test_judgements_without_a_price_before_or_after_others_have_an_unknown_cost(services, bench, suite, gone):
    evaluator, _, _ = services()

    def price(there):
        bench.cost["j"] = 100_000 if there else None
        bench.models["j"].ClearField("price")
        if there:
            bench.models["j"].price.CopyFrom(gw.Price(input="1", output="10"))

    def stop(text, calls):
        return "Rating: 7" if "sound 0." in text or "sound 1." in text else CallFailed(gw.ERROR_CLASS_QUOTA, "enough")

    price(gone)
    bench.judge = stop
    run = await start(evaluator, suite(6), concurrency=1, unpriced_ok=True)
    assert run.judging.HasField("cost_nano_usd") == gone
    assert run.judging.unknown_calls == 0
    price(not gone)
    bench.judge = lambda text, calls: "Rating: 7"
    run = await start(evaluator, suite(6), concurrency=1, unpriced_ok=True)
    known, unknown = (2, 4) if gone else (4, 2)
    assert (run.judging.judged, run.judging.cost_nano_usd, run.judging.unknown_calls) == (6, known * 100_000, unknown)
    assert not run.judging.HasField("most_cost_nano_usd")
    told = f"the judge: 60 tokens in, 12 out, at least $0.000{known}, at most unknown"
    assert progress_line(ev.WatchRunResponse(run=run)).endswith(told)


async def test_a_judge_without_price_that_charges_is_refused_before_anything_is_asked(services, bench, suite):
    evaluator, _, _ = services()
    bench.models["j"].charges = True
    with pytest.raises(UsageError, match="--unpriced-ok"):
        await start(evaluator, suite(2))
    with pytest.raises(ConfigurationError, match="nobody"):
        await start(evaluator, suite(2), judge="nobody")
    bench.models["k"].ready = False
    bench.models["k"].problem = "no key for k"
    with pytest.raises(ConfigurationError, match="no key for k"):
        await start(evaluator, suite(2), judge="k")
    assert bench.asked.total() == 0


async def test_the_judge_has_the_limiter_of_its_own_account(services, bench, suite):
    evaluator, _, _ = services()
    bench.latency_s = 0.01
    bench.models["j"].limits.concurrency = 3
    await start(evaluator, suite(30), concurrency=9)
    assert (bench.most_at_once["m"], bench.most_at_once["j"]) == (9, 3)


async def test_stopping_while_judging_keeps_judgements_and_the_next_start_continues(services, bench, suite):
    evaluator, _, _ = services()
    folder = suite(60)
    await start(evaluator, folder, judge="")
    bench.latency_s = 0.02
    bench.models["j"].limits.concurrency = 4
    specification = ev.RunSpecification(model="m", suite=str(folder))
    run = (await evaluator.start_run(ev.StartRunRequest(specification=specification, traffic=ev.TrafficSettings(judge="j")))).run
    await until(bench.judged.total)
    await evaluator.cancel_run(ev.CancelRunRequest(run_id=run.run_id))
    async for progress in evaluator.watch_run(ev.WatchRunRequest(run_id=run.run_id)):
        stopped = progress.run
    assert (stopped.status, stopped.reason) == (ev.RUN_STATUS_INTERRUPTED, "judging: stopped by request")
    assert 0 < stopped.judging.judged == bench.judged.total() < 60
    done = await start(evaluator, folder)
    assert (done.status, done.judging.judged, bench.judged.total(), bench.asked.total()) == (ev.RUN_STATUS_FINISHED, 60, 60, 60)


async def test_a_judge_is_not_reminded_after_the_stop(services, bench, suite):
    evaluator, _, _ = services()
    folder = suite(3)
    await start(evaluator, folder, judge="")
    bench.latency_s = 0.2
    bench.judge = lambda text, calls: "I like it."
    specification = ev.RunSpecification(model="m", suite=str(folder))
    run = (await evaluator.start_run(ev.StartRunRequest(specification=specification, traffic=ev.TrafficSettings(judge="j")))).run
    async with asyncio.timeout(60):
        while bench.open["j"] < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await evaluator.cancel_run(ev.CancelRunRequest(run_id=run.run_id))
    async for progress in evaluator.watch_run(ev.WatchRunRequest(run_id=run.run_id)):
        stopped = progress.run
    assert stopped.status == ev.RUN_STATUS_INTERRUPTED
    assert (stopped.judging.judged, stopped.judging.failed, bench.judged.total()) == (0, 0, 3)
    bench.latency_s, bench.judge = 0.0, lambda text, calls: "Rating: 7"
    done = await start(evaluator, folder)
    assert (done.status, done.judging.judged, bench.judged.total()) == (ev.RUN_STATUS_FINISHED, 3, 6)
    assert len(bench.requests[-1].messages) == 4, "it goes on with the reminder"


async def test_a_run_stopped_between_its_passes_asks_no_judge(services, bench, suite, monkeypatch):
    evaluator, _, _ = services()
    loop, totals, active = asyncio.get_running_loop(), evaluator._journal.judgements.totals, evaluator._control.active

    def stopping(run_id):
        if run_id in active and not active[run_id].execution.pending():  # read before the judge's pass begins
            loop.call_soon_threadsafe(active[run_id].stop, ev.RUN_STATUS_INTERRUPTED, "stopped by request")
        return totals(run_id)

    monkeypatch.setattr(evaluator._journal.judgements, "totals", stopping)
    run = await start(evaluator, suite(3))
    assert (run.status, run.reason) == (ev.RUN_STATUS_INTERRUPTED, "stopped by request")
    assert (bench.asked.total(), bench.judged.total()) == (3, 0)
    monkeypatch.undo()
    done = await start(evaluator, suite(3))
    assert (done.status, bench.asked.total(), bench.judged.total()) == (ev.RUN_STATUS_FINISHED, 3, 3)


async def test_stopping_while_the_judged_are_scored_ends_it(services, bench, suite, monkeypatch):
    evaluator, _, _ = services()
    scored, last = [], asyncio.Event()
    score_task = judging.score_task

    async def slow(*arguments):
        scored.append(arguments)
        if bench.judged.total():
            last.set()
            await asyncio.sleep(60)
        return await score_task(*arguments)

    monkeypatch.setattr(judging, "score_task", slow)
    specification = ev.RunSpecification(model="m", suite=str(suite(3)))
    run = (await evaluator.start_run(ev.StartRunRequest(specification=specification, traffic=ev.TrafficSettings(judge="j")))).run
    await asyncio.wait_for(last.wait(), 60)
    await asyncio.sleep(0.1)
    await evaluator.cancel_run(ev.CancelRunRequest(run_id=run.run_id))
    async with asyncio.timeout(60):
        async for progress in evaluator.watch_run(ev.WatchRunRequest(run_id=run.run_id)):
            stopped = progress.run
    assert (stopped.status, stopped.judging.judged) == (ev.RUN_STATUS_INTERRUPTED, 3)
    monkeypatch.undo()
    done = await start(evaluator, suite(3))
    assert (done.status, bench.judged.total()) == (ev.RUN_STATUS_FINISHED, 3)


async def test_a_judge_that_a_restart_has_cut_goes_on_by_itself_within_its_budget_and_the_model_is_not_asked(services, bench, suite):
    first, _, _ = services(continues=True)
    run = await start(first, suite(40), judge="")
    bench.latency_s, bench.models["j"].limits.concurrency = 0.05, 2
    bench.models["j"].price.CopyFrom(gw.Price(input="1", output="1"))
    bench.cost["j"] = 12
    budget = ev.TrafficSettings(budget_nano_usd=10**9)
    await first.start_run(ev.StartRunRequest(run_id=run.run_id, judge_only=True, judge="j", traffic=budget))
    async with asyncio.timeout(60):
        while bench.judged.total() < 6:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    first.begin_nothing()
    await first.ended()
    assert bench.judged.total() < 40
    second, _, _ = services(continues=True)
    second.go_on()
    async with asyncio.timeout(60):
        while not (active := second._control.active.get(run.run_id)):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert active.budget.limits == (10**9, None)
    done = (await anext(progress async for progress in second.watch_run(ev.WatchRunRequest(run_id=run.run_id)) if _over(progress))).run
    assert (done.judging.judged, done.wanted) == (40, ev.RUN_WANTED_FINISHED)
    assert (bench.asked.total(), set(bench.judged.values())) == (40, {1})
