"""Calls within their time: one timer for all, and each ends at its own."""

from __future__ import annotations

import asyncio
import time

import pytest

from gateway.calls import Calls
from genlevel.runtime.errors import CallFailed, ErrorClass


async def lasts(calls: Calls, limit_s: float, seconds: float = 60.0) -> float:
    """How long a call of that limit was open that would take so many seconds."""
    began = time.monotonic()
    try:
        with calls.call(limit_s):
            await asyncio.sleep(seconds)
    except TimeoutError:
        pass
    else:
        return 0.0
    return time.monotonic() - began


@pytest.mark.parametrize("limits", [(0.1, 0.3, 0.5), (0.5, 0.3, 0.1), (0.3, 0.1, 0.5)])
async def test_each_call_ends_at_its_own_time_whichever_began_first(limits):
    calls = Calls()
    lasted = await asyncio.gather(*(lasts(calls, limit) for limit in limits))
    assert all(limit - 0.01 <= seconds for seconds, limit in zip(lasted, limits, strict=True))
    assert sorted(lasted) == [lasted[limits.index(limit)] for limit in sorted(limits)]
    assert not calls.open


async def test_a_call_that_begins_after_others_have_ended_in_time_has_its_whole_time():
    calls = Calls()
    assert await lasts(calls, 0.2, 0.0) == 0.0
    await asyncio.sleep(0.1)
    assert await lasts(calls, 0.3) >= 0.29


async def test_calls_of_one_limit_share_a_timer(monkeypatch):
    calls, armed, arm = Calls(), [], Calls._look_next
    monkeypatch.setattr(Calls, "_look_next", lambda self, when: armed.append(when) or arm(self, when))
    for _ in range(100):
        assert await lasts(calls, 60.0, 0.0) == 0.0
    assert len(armed) == 1


async def test_a_call_that_others_cancel_as_its_time_ends_is_cancelled():
    calls = Calls()
    task = asyncio.create_task(lasts(calls, 60.0))
    await asyncio.sleep(0)
    task.cancel()
    for call in calls.open:
        call.end()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_goes_wrong_as_the_time_ends_is_told():
    calls = Calls()

    async def one() -> None:
        with calls.call(60.0) as call:
            call.end()
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                raise ValueError("another") from None

    with pytest.raises(ValueError, match="another"):
        await one()
    assert asyncio.current_task().cancelling() == 0


@pytest.mark.parametrize("begun", [False, True])
async def test_a_call_that_is_cut_says_whether_it_may_be_charged(begun):
    calls = Calls()

    async def one() -> None:
        with calls.call(60.0) as call:
            if begun:
                call.begin()
            await asyncio.sleep(60)

    task = asyncio.create_task(one())
    await asyncio.sleep(0)
    calls.cut()
    with pytest.raises(CallFailed) as failed:
        await task
    assert failed.value.may_be_charged is begun
    assert failed.value.error_class == (ErrorClass.TRANSIENT if begun else ErrorClass.NOT_SENT)
    with pytest.raises(CallFailed), calls.call(60.0):
        pass
