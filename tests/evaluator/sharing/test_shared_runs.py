"""Runs that several evaluators share: every instance is asked once, whoever asks it, and the run ends as it would with one."""

from __future__ import annotations

from collections import Counter

from evaluator.sharing.work import WorkState
from genlevel.v1 import evaluator_pb2 as ev
from tests.evaluator.runs.places import reaches, seen
from tests.waiting import until

DONE = ev.RUN_STATUS_FINISHED


def request_of(folder, **traffic):
    return ev.StartRunRequest(
        specification=ev.RunSpecification(model="m", suite=str(folder)), traffic=ev.TrafficSettings(concurrency=4, **traffic)
    )


async def answers_of(evaluator, run_id):
    return Counter([one.instance_id async for one in evaluator.list_answers(ev.ListAnswersRequest(run_id=run_id))])


async def test_one_evaluator_leads_a_run_and_asks_it(crowd, suite_folder):
    evaluator = crowd.start()
    run = (await evaluator.start_run(request_of(suite_folder(40)))).run
    run = await reaches(evaluator, run.run_id, DONE)
    assert run.counts.answered == 40
    assert run.calls == 40
    assert set(crowd.gateway.calls.values()) == {1}
    assert len(crowd.gateway.calls) == 40
    assert (await answers_of(evaluator, run.run_id)).total() == 40


async def test_several_work_on_a_run(crowd, suite_folder):
    first, second = crowd.start(), crowd.start()
    crowd.gateway.latency_s = 0.02
    run = (await first.start_run(request_of(suite_folder(200)))).run
    await until(lambda: second._sharing.going and first._sharing.going)
    run = await reaches(second, run.run_id, DONE)
    assert run.counts.answered == 200
    assert run.calls == 200
    assert set(crowd.gateway.calls.values()) == {1}
    assert len(crowd.gateway.calls) == 200
    rows = second._sharing._shop.members.counts(run.run_id)
    assert len(rows) >= 2
    assert not second._sharing._shop.work.rows(run.run_id, *WorkState)
    assert (await seen(first, run.run_id)).usage.input_tokens == 2000
