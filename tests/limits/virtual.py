"""Virtual time: an event loop whose clock jumps to the next timer, so that minutes of traffic take a moment, and are the same each time."""

from __future__ import annotations

import asyncio
import contextvars
import math
import random
import selectors
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar
from unittest import mock

T = TypeVar("T")


@dataclass(frozen=True)
class Machine:
    """How a real machine differs from an ideal one.

    tick_s: what timers are rounded to (uvloop: a millisecond, the loop's own time rounded down to it). late_s: how late callbacks run
    beyond that, on average. stall_every_s, stall_s: how often the whole process stands still (garbage collection, a busy machine), and how
    long; 0 = never. held, held_s: this part of all callbacks waits up to so long for the processor or the interpreter's lock, which others
    have.
    """

    tick_s: float = 0.001
    late_s: float = 0.0002
    stall_every_s: float = 0.0
    stall_s: float = 0.0
    held: float = 0.0
    held_s: float = 0.005


IDEAL = Machine(tick_s=0.0, late_s=0.0)
USUAL = Machine()
SHARED = Machine(held=0.1)
BUSY = Machine(late_s=0.002, stall_every_s=3.0, stall_s=0.15)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Sleeps by setting its clock ahead. Raises RuntimeError if nothing is left to wait for."""

    def __init__(self, machine: Machine, chance: random.Random) -> None:
        self._now = 1000.0  # like a monotonic clock, it does not begin at 0
        self._machine, self._chance = machine, chance
        self._next_stall = self._now + machine.stall_every_s if machine.stall_every_s else math.inf
        super().__init__(_Jumping(self))
        self._clock_resolution = 1e-9

    def time(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds
        if self._now >= self._next_stall:
            self._now = max(self._now, self._next_stall + self._machine.stall_s)
            self._next_stall += self._machine.stall_every_s

    def call_at(
        self, when: float, callback: Callable[..., object], *args: object, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        if tick := self._machine.tick_s:
            when = (math.floor(self._now / tick) + round(max(0.0, when - self._now) / tick)) * tick
        if late := self._machine.late_s:
            when += self._chance.expovariate(1 / late)
        if (held := self._machine.held) and self._chance.random() < held:
            when += self._chance.uniform(0.0, self._machine.held_s)
        return super().call_at(when, callback, *args, context=context)


class _Jumping(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("nothing is left to wait for")
        if timeout > 0:
            self._loop.advance(timeout)
        return super().select(0)


def run_virtual(main: Callable[[], Coroutine[object, None, T]], *, seed: int = 0, machine: Machine = USUAL) -> T:
    """Runs a coroutine in virtual time.

    Meanwhile ``time.monotonic`` is the loop's clock, and what is drawn by ``random`` depends on the seed.
    """
    loop = VirtualLoop(machine, random.Random(f"machine {seed}"))
    with _seeded(seed), mock.patch.object(time, "monotonic", loop.time), asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main())


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)
