"""Answers that have come together go on a few at a time; whoever is alone goes on at once."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from evaluator.traffic.turns import Turns
from tests.evaluator.traffic.test_unstored import Rig


class Line:
    """Tasks that take a turn each. went: who went on, and in which round of the loop. ``turns`` is asked in the order of the numbers."""

    def __init__(self):
        self.turns, self.went, self.round, self.tasks = Turns(), [], 0, []

    async def one(self, number):
        await self.turns.turn()
        self.went.append((number, self.round))

    def ask(self, *numbers):
        self.tasks += [asyncio.create_task(self.one(number)) for number in numbers]

    async def rounds(self, count):
        for _ in range(count):
            await asyncio.sleep(0)
            self.round += 1

    def numbers(self):
        return [number for number, _round in self.went]


async def test_whoever_is_alone_goes_on_at_once():
    turns = Turns()
    for _ in range(3):
        with pytest.raises(StopIteration):  # it did not wait for anything
            turns.turn().send(None)
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_rounds_end_once_nobody_asks_so_that_the_loop_may_sleep():
    line = Line()
    line.ask(*range(9))
    await line.rounds(20)
    assert len(line.went) == 9
    assert not asyncio.get_running_loop()._ready


async def test_a_few_go_on_in_each_round_in_the_order_of_asking():
    line = Line()
    line.ask(*range(40))
    await line.rounds(30)
    assert line.numbers() == list(range(40))
    by_round = [[round_ for _number, round_ in line.went].count(number) for number in range(30)]
    assert max(by_round) == 9, "a quarter of the 38 that waited"
    assert [count for count in by_round if count][-3:] == [2, 2, 2]
    assert sum(1 for count in by_round if count) <= 12


async def test_who_comes_later_does_not_go_before_those_that_wait():
    line = Line()
    line.ask(*range(8))
    await line.rounds(2)
    line.ask("late")
    await line.rounds(10)
    assert line.numbers() == [*range(8), "late"]


async def test_the_turns_of_those_that_are_cancelled_are_the_others():
    line = Line()
    line.ask(*range(12))
    await asyncio.sleep(0)
    for task in line.tasks[2:10]:
        task.cancel()
    await line.rounds(4)
    assert line.numbers() == [0, 1, 10, 11]
    line.ask("next")
    await line.rounds(2)
    assert line.numbers()[-1] == "next"


async def test_nobody_is_left_behind_when_all_are_cancelled_or_one_is_in_its_turn():
    line = Line()
    line.ask(*range(5))
    await asyncio.sleep(0)
    line.tasks[2].cancel()
    await asyncio.sleep(0)  # the turn of 3 and 4 has come, but they have not gone on
    line.tasks[3].cancel()
    await line.rounds(3)
    assert line.numbers() == [0, 1, 4]
    line.ask(*range(5, 9))
    await asyncio.sleep(0)
    for task in line.tasks:
        task.cancel()
    await line.rounds(3)
    line.ask("after")
    await line.rounds(2)
    assert line.numbers() == [0, 1, 4, 5, 6, "after"]


async def test_a_permit_is_held_until_the_answers_turn_so_that_its_successor_is_sent_then(tmp_path):
    it = Rig(tmp_path, slots=16)
    it.ask(32)
    await it.settled()
    assert it.gateway.calls == 16
    for _ in range(16):
        it.gateway.answer()
    sent = []
    for _ in range(30):
        await asyncio.sleep(0)
        assert it.traffic.in_flight <= it.limiter.in_flight <= 16
        assert it.limiter.in_flight + it.unstored.count <= 32
        sent.append(it.gateway.calls)
    new = [later - earlier for earlier, later in itertools.pairwise(sent)]
    assert sent[-1] >= 31
    assert max(new) <= 4, "not all at once"
    for task in it.asking:
        task.cancel()


async def test_an_answer_that_waits_for_its_turn_is_kept_by_a_stop_and_is_a_call_in_flight_to_a_cut(tmp_path):
    it = Rig(tmp_path, slots=8)
    it.ask(8)
    await it.settled()
    for _ in range(8):
        it.gateway.answer()
    await asyncio.sleep(0)
    waiting = [task for task in it.asking if not task.done()]
    assert len(waiting) > 2
    assert it.traffic.busy >= set(waiting), "a stop does not cancel them"
    waiting[-1].cancel()
    await asyncio.wait(it.asking)
    assert [task.cancelled() for task in it.asking].count(True) == 1
    assert (len(it.log.writing), it.unstored.count, it.limiter.in_flight, it.traffic.busy) == (7, 7, 0, set())
