"""Readers who are slow, or take nothing, hold little memory: what is on its way to all of them is bounded, and who waits longest ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import httpx2
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import Response

from genlevel.runtime.http import HttpServer
from genlevel.web import guard, unsent
from genlevel.web.door import Door
from genlevel.web.guard import Guard
from genlevel.web.unsent import PIECE_BYTES, GivenUp, OnItsWay, Unsent
from tests.waiting import until
from tests.web.test_bounds import scope

BODY = bytes(range(256)) * 40_000
"""About 10 MB: more than the system takes for a reader who reads nothing."""


async def page(_scope: Any, receive: Any, send: Any) -> None:
    await Response(BODY)(_scope, receive, send)


def guarded(app: Callable[..., Awaitable[None]] = page) -> Guard:
    return Guard(cast(Any, app), Door(), lambda _scope, status, line: Response(line, status))


async def never() -> dict[str, Any]:
    return await asyncio.Future[dict[str, Any]]()


async def test_a_large_answer_is_sent_in_pieces() -> None:
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    await guarded()(scope("/x"), never, send)
    bodies = messages[1:]
    assert max(len(message["body"]) for message in bodies) == PIECE_BYTES
    assert b"".join(message["body"] for message in bodies) == BODY
    assert [message["more_body"] for message in bodies] == [True] * (len(bodies) - 1) + [False]


@pytest.mark.parametrize("taken", [1, 5])
async def test_a_reader_who_stops_in_the_middle_is_given_up(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unsent, "TAKES_S", 0.05)
    messages: list[Any] = []

    async def send(message: Any) -> None:
        if len(messages) > taken:
            await never()
        messages.append(message)

    await asyncio.wait_for(guarded()(scope("/x"), never, send), 30)
    assert len(messages) == taken + 1


async def test_of_too_many_the_one_that_has_waited_longest_ends() -> None:
    room, sent = Unsent(100), []

    async def held(number: int) -> None:
        answer = OnItsWay()
        room.hold(answer, 40)
        try:
            await answer.takes(lambda: asyncio.sleep(0))
            await answer.takes(lambda: cast(Awaitable[None], never()))
        except GivenUp:
            sent.append(number)
        finally:
            room.release(answer)

    readers = []
    for number in range(5):
        readers.append(asyncio.create_task(held(number)))
        await asyncio.sleep(0.02)
    assert sent == [0, 1, 2]
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 150)), max_size=40))
def test_together_they_hold_no_more_than_there_is_room_for(steps: list[tuple[int, int]]) -> None:
    async def follow() -> None:
        room, there = Unsent(100), dict[int, OnItsWay]()
        for number, size in steps:
            if number in there:
                room.release(there.pop(number))
                continue
            there[number] = OnItsWay()
            room.hold(there[number], size)
            held = [answer.held for answer in there.values() if not answer.is_given_up]
            assert sum(held) <= 100 or held == [size]

    asyncio.run(follow())


async def test_whoever_reads_gets_all_while_others_take_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "Unsent", lambda: Unsent(3 * len(BODY)))
    ended: list[int] = []
    whole = guarded()

    async def app(of: Any, receive: Any, send: Any) -> None:
        try:
            await whole(of, receive, send)
        finally:
            ended.append(1)

    async with HttpServer(cast(FastAPI, app), "127.0.0.1:0", asks=True) as server:
        stalled = [await asyncio.open_connection("127.0.0.1", server.port, limit=1024) for _ in range(6)]
        for _reader, writer in stalled:
            writer.write(b"GET /x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await until(lambda: len(ended) >= 3)
        async with httpx2.AsyncClient() as client:
            answer = await client.get(f"http://127.0.0.1:{server.port}/x")
        assert answer.content == BODY
        for _reader, writer in stalled:
            writer.transport.abort()
