"""Room for so much at once: in all, for one caller, and in which order those are let in who wait."""

from __future__ import annotations

import asyncio

import pytest

from genlevel.runtime.admission.room import Room


async def test_one_caller_gets_its_share_and_another_still_finds_room() -> None:
    room = Room(100, 0.75)
    assert room.take("anna", 75) is not None
    assert room.take("anna", 1) is None
    assert room.take("ben", 25) is not None
    assert room.take("ben", 1) is None, "all of it is taken"


async def test_who_wants_more_than_a_share_gets_the_share() -> None:
    hold = Room(100, 0.5).take("anna", 1000)
    assert hold is not None
    assert hold.size == 50


async def test_the_first_in_line_is_let_in_first_but_nobody_waits_behind_a_caller_with_its_share() -> None:
    room = Room(100, 0.5)
    first = await room.enter("anna", 50)
    order: list[str] = []

    async def enter(caller: str, size: int) -> None:
        await room.enter(caller, size)
        order.append(f"{caller} {size}")

    waiting = [asyncio.create_task(enter(*one)) for one in (("anna", 10), ("ben", 40), ("carl", 30), ("dora", 5))]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert order == ["ben 40"], "anna has its share; carl does not fit, and dora, who would, came after him"
    first.leave()
    await asyncio.gather(*waiting)
    assert order == ["ben 40", "anna 10", "carl 30", "dora 5"]


async def test_who_gives_up_waiting_holds_nothing_and_lets_the_next_one_in() -> None:
    room = Room(10, 1.0)
    hold = await room.enter("anna", 8)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await room.enter("ben", 5)
    assert room.take("carl", 2) is not None, "nobody is in line any more"
    hold.leave()
    assert room.used == 2


async def test_a_place_given_while_its_owner_is_cancelled_is_given_back() -> None:
    room = Room(10, 1.0)
    hold = await room.enter("anna", 10)
    waiting = asyncio.create_task(room.enter("ben", 10))
    await asyncio.sleep(0)
    hold.leave()  # ben is let in now, and hears of it in the next turn of the loop
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert room.used == 0


async def test_what_is_held_can_grow_over_the_limit_and_others_wait_for_it() -> None:
    room = Room(10, 1.0)
    hold = await room.enter("anna", 5)
    hold.resize(20)
    assert room.take("ben", 1) is None
    hold.leave()
    hold.leave()
    assert room.used == 0


async def test_somebody_can_be_let_in_by_force() -> None:
    room = Room(10, 1.0)
    await room.enter("anna", 10)
    waiting = room.wait("ben", 4)
    room.force(waiting)
    assert (await waiting.let_in).size == 4
    assert room.used == 14
