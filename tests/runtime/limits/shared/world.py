"""Processes that share an account, a database and a network, in virtual time: they join, die, stand still; messages are late or lost."""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from genlevel.runtime.limits.feedback import Waiting
from genlevel.runtime.limits.shared import Account, Ask, Grant, HeldSlice, Slice, renew

STEP_S = 0.02
RENEWED_S = 1.0
GIVES_UP_S = 2.0


@dataclass(frozen=True)
class Life:
    """Of one process. stops: when it stands still and goes on. ends_s: it dies then; gives_back: it says so. calls_per_s: that it wants.
    clock_s: what its own clock is ahead."""

    begins_s: float = 0.0
    ends_s: float = math.inf
    gives_back: bool = False
    stops: Sequence[tuple[float, float]] = ()
    calls_per_s: float = math.inf
    tokens: int = 0
    takes_s: float = 0.0
    clock_s: float = 0.0
    requests_per_minute: float = 0.0
    tokens_per_minute: float = 0.0
    slots: float = 0.0


@dataclass(frozen=True)
class Network:
    """How long a message takes at most, which part of them is lost, and when the database is away."""

    late_s: float = 0.02
    lost: float = 0.0
    away: Sequence[tuple[float, float]] = ()


@dataclass
class Database:
    """The rows of one account."""

    account: Account = field(default_factory=Account)
    slices: dict[str, Slice] = field(default_factory=dict)

    def renew(self, owner: str, ask: Ask, now: float) -> Grant | None:
        renewal = renew(self.account, list(self.slices.values()), owner, ask, now)
        if renewal is None:
            return None
        self.account, self.slices[owner] = renewal.account, renewal.slice
        return renewal.grant


class Process:
    """One process that makes calls as its slice allows."""

    def __init__(self, name: str, life: Life) -> None:
        self.name, self.life = name, life
        self.held = HeldSlice(
            life.begins_s + life.clock_s,
            requests_per_minute=life.requests_per_minute,
            tokens_per_minute=life.tokens_per_minute,
            slots=life.slots,
        )
        self.calls: list[float] = []
        self.ends: deque[float] = deque()
        self.waits: Waiting | None = None
        self.next_ask_s = life.begins_s
        self.asked_s: float | None = None
        self.inbox: list[Grant] = []
        self._wanted = 1.0

    def lives(self, now: float) -> bool:
        return self.life.begins_s <= now < self.life.ends_s

    def moves(self, now: float) -> bool:
        return self.lives(now) and not any(start <= now < end for start, end in self.life.stops)

    def clock(self, now: float) -> float:
        return now + self.life.clock_s

    def in_flight(self, now: float) -> int:
        while self.ends and self.ends[0] <= now:
            self.ends.popleft()
        return len(self.ends)

    def call(self, now: float) -> None:
        """Makes the calls that it wants and may make now."""
        life, held, clock = self.life, self.held, self.clock(now)
        self._wanted = min(1000.0, self._wanted + (life.calls_per_s * STEP_S if life.calls_per_s < math.inf else 1000.0))
        while self._wanted >= 1.0:
            self.waits = held.blocked(self.in_flight(now), clock)
            if self.waits is None and held.requests.delay(1, clock):
                self.waits = Waiting.REQUESTS
            if self.waits is None and held.tokens.delay(life.tokens, clock):
                self.waits = Waiting.TOKENS
            if self.waits is not None:
                return
            held.requests.take(1, clock)
            held.tokens.take(life.tokens, clock)
            self.calls.append(now)
            self._wanted -= 1.0
            if life.takes_s:
                self.ends.append(now + life.takes_s)

    def waiting(self) -> int:
        return int(self._wanted)


class World:
    """Runs it. ``database`` renews at once what reaches it; ``watch`` sees every step."""

    def __init__(self, lives: Sequence[Life], network: Network | None = None, *, seed: int = 0) -> None:
        self.processes = [Process(f"p{place}", life) for place, life in enumerate(lives)]
        self.database = Database()
        self.renewals = 0
        self._network = network or Network()
        self._chance = random.Random(seed)
        self._mail: list[tuple[float, int, Callable[[float], None]]] = []

    def run(self, seconds: float, watch: Callable[[float, list[Process]], None] | None = None) -> None:
        for step in range(round(seconds / STEP_S)):
            now = 1000.0 + step * STEP_S
            due = sorted((each for each in self._mail if each[0] <= now), key=lambda each: each[:2])
            self._mail = [each for each in self._mail if each[0] > now]
            for _, _, arrive in due:
                arrive(now)
            for process in self._chance.sample(self.processes, len(self.processes)):
                if process.moves(now - 1000.0):
                    self._step(process, now)
                elif process.life.gives_back and now - 1000.0 >= process.life.ends_s:
                    self.database.slices.pop(process.name, None)
            if watch is not None:
                watch(now, [process for process in self.processes if process.lives(now - 1000.0)])

    def _step(self, process: Process, now: float) -> None:
        clock = process.clock(now)
        for grant in process.inbox:
            process.asked_s = None
            if process.held.grant(grant, clock):
                process.next_ask_s = now
        process.inbox = []
        if process.asked_s is not None and now - process.asked_s > GIVES_UP_S:
            process.asked_s = None
            process.held.unanswered()
        if process.asked_s is None and now >= process.next_ask_s:
            self._ask(process, now)
        process.call(now)

    def _ask(self, process: Process, now: float) -> None:
        ask = process.held.ask(process.clock(now), in_flight=process.in_flight(now), waiting=process.waiting())
        process.asked_s = now
        process.next_ask_s = now + RENEWED_S * self._chance.uniform(0.9, 1.0)

        def arrive(at: float) -> None:
            if any(start <= at - 1000.0 < end for start, end in self._network.away):
                return
            self.renewals += 1
            grant = self.database.renew(process.name, ask, at)
            if grant is not None:
                self._send(lambda _: process.inbox.append(grant), at)

        self._send(arrive, now)

    def _send(self, arrive: Callable[[float], None], now: float) -> None:
        if self._chance.random() >= self._network.lost:
            self._mail.append((now + self._chance.uniform(0.0, self._network.late_s), len(self._mail), arrive))


def most_in(window_s: float, calls: Sequence[float]) -> int:
    """The most calls in any window."""
    ordered, start, most = sorted(calls), 0, 0
    for end, at in enumerate(ordered):
        while ordered[start] <= at - window_s:
            start += 1
        most = max(most, end - start + 1)
    return most
