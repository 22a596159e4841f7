"""A message is in a member's hands until what it tells of is stored, given back or given up, and none is lost on the way."""

from __future__ import annotations

import asyncio
import time

import pytest

from evaluator.sharing import member_pass, taking
from evaluator.sharing.taking import Taking
from evaluator.sharing.work import Notice, WorkKind, WorkRow, WorkState
from evaluator.sharing.work_table import Claim, Claimed
from tests.evaluator.runs.places import reaches
from tests.evaluator.sharing.test_shared_runs import DONE, request_of
from tests.runtime.queue.local import LocalQueue

TOPIC = "ask.run"


def row(number: int) -> WorkRow:
    return WorkRow("run", number, 1, WorkKind.ASK, "t", 0, 4, "", WorkState.TAKEN, 1, 0, "")


@pytest.fixture
async def queue(monkeypatch):
    """Three messages, and a clock that a test may move on."""
    monkeypatch.setattr(taking, "PULL_S", 0.05)
    made = LocalQueue(clock=lambda: made.ahead_s + time.monotonic())
    made.ahead_s = 0.0
    for number in (1, 2, 3):
        await made.publish(TOPIC, Notice("run", 1, number).body(), key=f"{number}")
    yield made
    await made.close()


def taker(queue, claims=None):
    """A member that is told ``claims`` in turn, and then that all is its own."""
    told = iter(claims or ())

    async def claim(notice):
        return Claimed(next(told, Claim.TAKEN), row(notice.number))

    return Taking(queue, TOPIC, claim)


async def left(queue):
    depth = await queue.depth(TOPIC)
    return depth.waiting, depth.in_hand


async def test_a_message_is_gone_once_its_part_is_stored(queue):
    member = taker(queue)
    taken = await member.next()
    assert taken.row.number == 1
    assert await left(queue) == (2, 1)
    await member.done(taken)
    assert await left(queue) == (2, 0)
    await member.close()
    assert await left(queue) == (2, 0)


async def test_who_leaves_gives_back_what_it_has_at_once(queue):
    member = taker(queue)
    taken = [await member.next(), await member.next()]
    await member.close()
    other = taker(queue)
    again = sorted([(await other.next()).row.number for _ in range(3)])
    assert [one.row.number for one in taken] == [1, 2]
    assert again == [1, 2, 3]
    await other.close()


async def test_what_is_void_is_forgotten_and_what_another_has_comes_again(queue):
    member = taker(queue, [Claim.VOID, Claim.BUSY])
    assert (await member.next()).row.number == 3
    queue.ahead_s += taking.BUSY_S + 0.1
    assert (await member.next()).row.number == 2
    assert await left(queue) == (0, 2)
    await member.close()


async def test_a_part_that_is_in_these_hands_already_is_not_taken_twice(queue):
    member = taker(queue)
    first = await member.next()
    await queue.publish(TOPIC, Notice("run", 1, 1).body(), key="1 again")
    numbers = [(await member.next()).row.number for _ in range(2)]
    waits = asyncio.create_task(member.next())
    await asyncio.sleep(0.02)
    assert not waits.done()
    assert await left(queue) == (0, 3), "the second message of part 1 is gone"
    waits.cancel()
    await member.done(first)
    assert numbers == [2, 3]
    await member.close()


async def test_one_that_is_closed_takes_nothing_and_keeps_nothing(queue):
    member = taker(queue, [Claim.LOST])
    assert await member.next() is None
    await member.close()
    assert sum(await left(queue)) == 3
    other = taker(queue)
    assert sorted([(await other.next()).row.number for _ in range(3)]) == [1, 2, 3]
    await other.close()


async def test_a_message_that_comes_while_nobody_waits_any_more_is_not_lost(queue):
    await queue.drop(TOPIC)
    member = taker(queue)
    waits = asyncio.create_task(member.next())
    await asyncio.sleep(0)
    waits.cancel()
    await queue.publish(TOPIC, Notice("run", 1, 9).body(), key="9")
    await member.close()
    assert (await taker(queue).next()).row.number == 9


async def test_what_is_no_message_of_a_run_is_dropped_with_a_line(queue, caplog):
    await queue.drop(TOPIC)
    await queue.publish(TOPIC, b"{}", key="odd")
    await queue.publish(TOPIC, Notice("run", 1, 4).body(), key="4")
    assert (await taker(queue).next()).row.number == 4
    assert "is not of a run's work" in caplog.text
    assert await left(queue) == (0, 1)


async def test_a_message_is_done_only_after_its_answers_and_its_part_are_durable(crowd, suite_folder, monkeypatch):
    evaluator, seen = crowd.start(), []
    done = Taking.done

    async def checked(self, taken):
        shop = evaluator._sharing._shop
        states = {one.number: one.state for one in shop.work.rows(taken.row.run_id)}
        answers = shop.context.journal.outcome_counts(taken.row.run_id, taken.row.task)
        seen.append((states[taken.row.number], sum(answers.values())))
        await done(self, taken)

    monkeypatch.setattr(member_pass.Taking, "done", checked)
    run = (await evaluator.start_run(request_of(suite_folder(24)))).run
    await reaches(evaluator, run.run_id, DONE)
    assert {state for state, _ in seen} == {WorkState.DONE}
    assert all(answers >= number for number, (_, answers) in enumerate(seen, start=1))
