"""Runs that several evaluators share: every instance is asked once, whoever asks it, and the run ends as it would with one."""

from __future__ import annotations

import asyncio
from collections import Counter
from types import SimpleNamespace
from unittest.mock import AsyncMock

import pytest
from prometheus_client import generate_latest
from sqlalchemy import text

from evaluator.journal.records import Answer
from evaluator.runs.crew import Ending
from evaluator.sharing import shared_pass
from evaluator.sharing.endings import written_ending
from evaluator.sharing.work import Notice, WorkState, asks_of
from evaluator.sharing.work_table import Claim
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import ErrorClass, QueueError, StorageError
from genlevel.runtime.room import open_room
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc
from tests.evaluator.runs.places import reaches, seen
from tests.evaluator.sharing.crowd import BOTH, LOCAL, members_of
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


@BOTH
async def test_several_work_on_a_run(crowd, suite_folder):
    first, second, run = await two_at_it(crowd, suite_folder(96))
    run = await reaches(second, run.run_id, DONE)
    assert run.counts.answered == 96
    assert run.calls == 96
    assert set(crowd.gateway.calls.values()) == {1}
    assert len(crowd.gateway.calls) == 96
    rows = members_of(second, run.run_id)
    assert len(rows) >= 2
    assert not second._sharing._shop.work.rows(run.run_id, *WorkState)
    assert (await seen(first, run.run_id)).usage.input_tokens == 960


def wish(run, wanted=0, now=False, **traffic):
    return ev.UpdateRunRequest(run_id=run.run_id, wanted=wanted, now=now, traffic=ev.TrafficSettings(**traffic))


async def two_at_it(crowd, folder, latency_s=0.03, calls=12, **traffic):
    """Two evaluators that both ask a run: no call is answered before both have some."""
    first, second = crowd.start(), crowd.start()
    both, crowd.gateway.latency_s = held(crowd.gateway), latency_s
    run = (await first.start_run(request_of(folder, **traffic))).run
    await until(lambda: all(one.going and one.going.in_flight() for each in (first, second) for one in working(each)))
    both.set()
    await until(lambda: crowd.gateway.calls.total() >= calls)
    return first, second, run


def held(gateway):
    """Has calls wait from now on until the event is set that is returned."""
    released, generate = asyncio.Event(), gateway.generate

    async def answered_later(request, *, timeout_s):
        await released.wait()
        return await generate(request, timeout_s=timeout_s)

    gateway.generate = answered_later
    return released


def working(evaluator):
    """What an evaluator works on; a thing that does nothing if that is nothing."""
    return list(evaluator._sharing.going.values()) or [SimpleNamespace(going=None)]


async def test_a_budget_holds_over_all_and_is_used_up(crowd, suite_folder):
    crowd.gateway.info.price.CopyFrom(gw.Price(input="1", output="10"))
    crowd.gateway.cost, crowd.gateway.latency_s = 500_000, 0.01
    first, second = crowd.start(), crowd.start()
    run = (await first.start_run(request_of(suite_folder(72), budget_nano_usd=30_000_000))).run
    run = await reaches(second, run.run_id, ev.RUN_STATUS_BUDGET)
    calls = crowd.gateway.calls.total()
    assert 56 <= calls <= 60, "the least call may take up to 2 million"
    assert (run.counts.answered, run.cost_nano_usd) == (calls, calls * 500_000)
    assert "left of --budget-usd $0.03, too little for" in run.reason
    assert f"{72 - calls} instances" in run.reason
    assert set(crowd.gateway.calls.values()) == {1}


async def test_a_run_is_paused_and_goes_on_wherever_a_person_asks(crowd, suite_folder):
    first, second, run = await two_at_it(crowd, suite_folder(72))
    await second.update_run(wish(run, ev.RUN_WANTED_PAUSED))
    paused = await reaches(second, run.run_id, ev.RUN_STATUS_PAUSED)
    assert paused.reason == "paused by request"
    await until(lambda: not first._sharing.going and not second._sharing.going)
    calls = crowd.gateway.calls.total()
    assert calls < 72
    await second.update_run(wish(run, ev.RUN_WANTED_GO_ON))
    run = await reaches(second, run.run_id, DONE)
    assert run.counts.answered == 72
    assert set(crowd.gateway.calls.values()) == {1}


@BOTH
@pytest.mark.parametrize("stops", [True, False])
async def test_a_leader_that_stops_or_cannot_store_anything_costs_nothing(crowd, suite_folder, stops):
    first, second, run = await two_at_it(crowd, suite_folder(96))
    members = members_of(second, run.run_id)
    if stops:
        await crowd.stop(first)
    else:
        first._control.active[run.run_id].execution._look = out_of_reach
        await until(lambda: run.run_id not in first._control.active)
    run = await reaches(second, run.run_id, DONE)
    assert run.counts.answered == 96
    assert run.calls == 96
    assert set(crowd.gateway.calls.values()) == {1}
    assert len(members_of(second, run.run_id)) == len(members), "they went on as the same members"


async def out_of_reach():
    raise StorageError("the database is away", passes=True)


async def test_a_member_that_slept_past_its_lease_and_has_it_again_does_not_end_the_run(crowd, suite_folder):
    first, second, run = await two_at_it(crowd, suite_folder(96))
    [slept] = working(second)
    going, holder = slept.going, slept.going._log._lock
    holder._valid_until -= 1000.0
    await until(lambda: going._stopping)
    holder._valid_until += 1000.0
    run = await reaches(first, run.run_id, DONE, timeout_s=20.0)
    assert run.counts.answered == 96


async def test_failures_in_a_row_end_the_whole_run(crowd, suite_folder, failing_script):
    crowd.gateway.script = failing_script(ErrorClass.CALLER_FAULT)
    first, second, run = await two_at_it(crowd, suite_folder(96))
    run = await reaches(second, run.run_id, ev.RUN_STATUS_FAILED)
    assert "instances all failed; the last one said: as scripted" in run.reason
    await until(lambda: not first._sharing.going and not second._sharing.going)


@BOTH
async def test_messages_that_are_lost_are_told_again(crowd, suite_folder):
    first, second, run = await two_at_it(crowd, suite_folder(96))
    await first.workers.queue.drop(asks_of(run.run_id))
    run = await reaches(second, run.run_id, DONE)
    assert set(crowd.gateway.calls.values()) == {1}
    assert len(crowd.gateway.calls) == 96


@LOCAL
async def test_a_run_says_that_the_queue_takes_no_messages(crowd, suite_folder, monkeypatch):
    evaluator = crowd.start()
    publish, refuses = crowd.local.publish, ["ask."]

    async def refused(to, body, *, key):
        if refuses and to.startswith(*refuses):
            raise QueueError("the queue at nats://queue has no room")
        return await publish(to, body, key=key)

    monkeypatch.setattr(crowd.local, "publish", refused)
    run = (await evaluator.start_run(request_of(suite_folder(4)))).run
    await until(lambda: evaluator._control.active[run.run_id].progress().waits_for == "the queue: nats://queue has no room")
    refuses.clear()
    assert (await reaches(evaluator, run.run_id, DONE)).counts.answered == 4


@LOCAL
async def test_a_run_is_paused_while_the_queue_is_away(crowd, suite_folder, monkeypatch):
    away, publish = [], crowd.local.publish

    async def not_there(to, body, *, key):
        if away:
            raise QueueError(*away)
        return await publish(to, body, key=key)

    monkeypatch.setattr(shared_pass, "UNTOLD_S", 0.2)
    monkeypatch.setattr(crowd.local, "publish", not_there)
    monkeypatch.setattr(type(crowd.local), "waits_for", property(lambda queue: "".join(away)))
    _, second, run = await two_at_it(crowd, suite_folder(72))
    away.append("the queue at nats://queue is away")
    (member,) = working(second)
    assert member.going.waits_for() == ("" if member.going.shards else "the queue: nats://queue is away")
    await second.update_run(wish(run, ev.RUN_WANTED_PAUSED))
    await reaches(second, run.run_id, ev.RUN_STATUS_PAUSED)
    away.clear()
    await second.update_run(wish(run, ev.RUN_WANTED_GO_ON))
    run = await reaches(second, run.run_id, DONE)
    verdict = await crowd.made[0][1].get_verdict(sc.GetVerdictRequest(run_id=run.run_id))
    assert [task.counts.answered for task in verdict.tasks] == [72]


async def test_prometheus_sees_the_queue_at_each_evaluator(crowd):
    evaluator, idle = crowd.start(), crowd.start(going=False)
    await until(lambda: b"genlevel_queue_up 1.0" in generate_latest(evaluator._registry))
    assert b"genlevel_queue" not in generate_latest(idle._registry)


@BOTH
async def test_what_a_dead_member_had_is_asked_by_another(crowd, suite_folder):
    leader = crowd.start(asks=False)
    shop = leader._sharing._shop
    shop.members._moment_s = 0.2
    run = (await leader.start_run(request_of(suite_folder(64)))).run
    await until(lambda: shop.work.rows(run.run_id))
    lease = shop.leases.acquire(f"member {run.run_id} dead", "dead", ttl_s=0.5)
    dead = shop.members.join(run.run_id, shop.work.start_of(run.run_id), "dead", lease)
    (first, *_) = shop.work.rows(run.run_id)
    assert shop.work.claim(Notice(run.run_id, first.start, first.number), dead).claim is Claim.TAKEN
    other = crowd.start()
    run = await reaches(other, run.run_id, DONE)
    assert run.counts.answered == 64
    assert set(crowd.gateway.calls.values()) == {1}
    assert not leader._sharing.going, "it leads, and asks nothing"


async def test_members_go_on_without_a_leader_and_the_next_one_ends_the_run(crowd, suite_folder):
    """The leader's process hangs: nothing is heard of it, and its leases expire."""
    first = crowd.start(asks=False)
    second = crowd.start(ttl_s=30.0)
    second._sharing._shop.members._moment_s = 0.2
    crowd.gateway.latency_s = 0.02
    run = (await first.start_run(request_of(suite_folder(100)))).run
    await until(lambda: crowd.gateway.calls.total() >= 8)
    hangs = asyncio.Event()
    first._control.active[run.run_id].execution._look = hangs.wait  # it sees and decides nothing any more
    await until(lambda: len(crowd.gateway.calls) == 100)
    await until(lambda: all(row.state is WorkState.DONE for row in second._sharing._shop.work.rows(run.run_id)))
    first.begin_nothing()
    hangs.set()
    await crowd.stop(first)
    run = await reaches(second, run.run_id, DONE)
    assert (run.counts.answered, run.calls) == (100, 100)
    assert set(crowd.gateway.calls.values()) == {1}


async def test_who_watches_elsewhere_sees_what_all_do(crowd, suite_folder):
    first, second, run = await two_at_it(crowd, suite_folder(72))
    seen = held(crowd.gateway)
    third = crowd.start(asks=False)
    pending = [gauge_of(one, "genlevel_evaluator_pending") for one in (first, second)]
    async for progress in third.watch_run(ev.WatchRunRequest(run_id=run.run_id)):
        if progress.in_flight > 4:  # more than one evaluator may have
            seen.set()
        last = progress
    assert seen.is_set()
    assert (last.run.status, last.run.counts.answered, last.run.calls) == (DONE, 72, 72)
    assert 0 < pending[0] <= 72, "as who leads it knows"
    assert pending[1] == 0


async def test_a_run_that_nobody_leads_just_now_goes_on_as_long_as_somebody_works_on_it(crowd, suite_folder):
    first, second, run = await two_at_it(crowd, suite_folder(40))
    waits = held(crowd.gateway)
    third = crowd.start(asks=False, going=False)
    third._control.is_orphaned = AsyncMock(return_value=True)
    assert (await seen(third, run.run_id)).status == ev.RUN_STATUS_RUNNING
    for evaluator in (first, second):
        evaluator.begin_nothing()
    waits.set()
    await until(lambda: not first._sharing.going and not second._sharing.going)
    assert (await seen(third, run.run_id)).status == ev.RUN_STATUS_INTERRUPTED


def gauge_of(evaluator, name):
    return sum(sample.value for family in evaluator._registry.collect() for sample in family.samples if sample.name == name)


async def test_one_process_that_has_a_run_alone_ends_what_others_do(crowd, suite_folder):
    first, second, run = await two_at_it(crowd, suite_folder(72))
    await crowd.stop(first)
    await crowd.stop(second)
    assert await work_left(crowd, run.run_id)
    alone = crowd.start(going=False)
    await alone.start_run(ev.StartRunRequest(run_id=run.run_id))
    run = await reaches(alone, run.run_id, DONE)
    assert run.counts.answered == 72
    assert set(crowd.gateway.calls.values()) == {1}
    assert not await work_left(crowd, run.run_id)


async def test_what_others_spend_until_they_are_ended_counts_for_who_goes_on_alone(crowd, suite_folder):
    alone = crowd.start(going=False)
    end_others = alone._control.alone

    async def spent_meanwhile(run_id, lease):
        answer = Answer(run_id, "Causal-Reasoning", "of-a-member", Outcome.ANSWERED, cost_nano_usd=7, created=1.0, member=1)
        await alone._journal.record(answer)
        await end_others(run_id, lease)

    alone._control.alone = spent_meanwhile
    run = (await alone.start_run(request_of(suite_folder(8)))).run
    active = alone._control.active[run.run_id]
    assert (active.budget.spent.nano_usd, active.totals.outcomes[Outcome.ANSWERED]) == (7, 1)


async def test_why_a_run_was_to_end_before_a_person_lets_it_go_on_does_not_end_it_again(crowd, suite_folder):
    """A member has said so, and the leader was killed before it could end the run."""
    *both, run = await two_at_it(crowd, suite_folder(72))
    for evaluator in both:
        await crowd.stop(evaluator)
    engine = open_room(crowd.url)
    ending = written_ending(Ending(ev.RUN_STATUS_FAILED, "a key was refused"))
    with engine.begin() as connection:
        connection.execute(text("update evaluator_members set ending = :ending where number = 1"), {"ending": ending})
        connection.execute(text("update evaluator_runs set wanted = :wanted"), {"wanted": ev.RUN_WANTED_CANNOT_SUCCEED})
    engine.dispose()
    again = crowd.start()
    await again.start_run(ev.StartRunRequest(run_id=run.run_id))
    run = await reaches(again, run.run_id, DONE)
    assert run.counts.answered == 72
    assert set(crowd.gateway.calls.values()) == {1}


async def work_left(crowd, run_id):
    """Rows of work that a run has."""
    engine = open_room(crowd.url)
    with engine.connect() as connection:
        found = connection.execute(text("select count(*) from evaluator_work where run_id = :run"), {"run": run_id}).scalar_one()
    engine.dispose()
    return found


async def test_nothing_is_written_of_a_run_that_is_deleted_while_members_end_their_calls(crowd, suite_folder):
    """Nobody leads it any more, so it can be deleted as soon as it is stopped."""
    leader = crowd.start(asks=False)
    run = (await leader.start_run(request_of(suite_folder(40)))).run
    crowd.gateway.latency_s = 0.5
    member = crowd.start()
    member._continuing.look = asyncio.Event().wait
    await until(lambda: crowd.gateway.calls.total() >= 8)
    await crowd.stop(leader)
    await member.cancel_run(ev.CancelRunRequest(run_id=run.run_id))
    await member.delete_run(ev.DeleteRunRequest(run_id=run.run_id))
    await until(lambda: not member._sharing.going)
    engine = open_room(crowd.url)
    with engine.connect() as connection:
        for table in ("answers", "work", "members", "member_spending", "purses", "reservations"):
            assert connection.execute(text(f"select count(*) from evaluator_{table}")).scalar_one() == 0, table
    engine.dispose()
