"""Providers that limit: what they admit, what they say of it, and what their answers look like. Pure: the time is an argument, in seconds.

Written from what providers document and from how limiters in front of servers work, not from what genlevel's own limiter expects.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Protocol

WALL = 1_900_000_000.0
"""UNIX time at time 0 of the clock."""


@dataclass(frozen=True)
class Said:
    """What a limit can say of itself: how much in what time, what remains of it, and when all of it is there again."""

    limit: float
    window_s: float
    remaining: float
    reset_s: float
    dimension: str = "requests"


class Rule(Protocol):
    """What is admitted."""

    def wait_s(self, now: float, tokens: float) -> float:
        """0 if a call of so many tokens may begin now; else when it might. Asked once a call."""
        ...

    def take(self, now: float, tokens: float) -> None:
        """It begins."""
        ...

    def refuse(self, now: float) -> None:
        """It was turned away."""
        ...

    def end(self, now: float) -> None:
        """It ended."""
        ...

    def said(self, now: float) -> Said: ...

    def admits(self, start: float, end: float) -> float:
        """How many calls it admits from start to end if there are always more: what a client can use at most, bursts aside."""
        ...


class _Plain:
    """Most limits know nothing of calls that end or are turned away."""

    def refuse(self, now: float) -> None: ...

    def end(self, now: float) -> None: ...


class TokenBucket(_Plain):
    """``capacity`` calls at once, and ``rate`` a second from then on."""

    def __init__(self, rate: float, capacity: float) -> None:
        self.rate, self.capacity = rate, capacity
        self._level, self._at = capacity, -math.inf

    def _refill(self, now: float) -> None:
        self._level = min(self.capacity, self._level + (now - self._at) * self.rate)
        self._at = now

    def wait_s(self, now: float, tokens: float) -> float:
        self._refill(now)
        return max(0.0, (1.0 - self._level - 1e-9) / self.rate)

    def take(self, now: float, tokens: float) -> None:
        self._refill(now)
        self._level -= 1.0

    def said(self, now: float) -> Said:
        self._refill(now)
        return Said(self.rate * 60, 60.0, max(0.0, math.floor(self._level)), (self.capacity - self._level) / self.rate)

    def admits(self, start: float, end: float) -> float:
        return self.rate * (end - start)


class Gcra(_Plain):
    """The generic cell rate algorithm (ITU-T I.371), as nginx's limit_req with ``nodelay`` and Redis-cell have it: no counter, one time."""

    def __init__(self, rate: float, burst: int) -> None:
        self.rate, self._step, self._slack = rate, 1.0 / rate, (burst - 1) / rate
        self._expected = -math.inf

    def wait_s(self, now: float, tokens: float) -> float:
        return max(0.0, self._expected - self._slack - now - 1e-9)

    def take(self, now: float, tokens: float) -> None:
        self._expected = max(now, self._expected) + self._step

    def said(self, now: float) -> Said:
        ahead = max(0.0, self._expected - now)
        return Said(self.rate * 60, 60.0, max(0.0, math.floor((self._slack - ahead) * self.rate + 1)), ahead)

    def admits(self, start: float, end: float) -> float:
        return self.rate * (end - start)


class FixedWindow(_Plain):
    """``limit`` calls in each window of the clock; ``offset_s``: when the first one began."""

    def __init__(self, limit: int, window_s: float, offset_s: float = 0.0) -> None:
        self.limit, self.window_s, self._offset = limit, window_s, offset_s
        self._window, self._count = -1, 0

    def _roll(self, now: float) -> None:
        if (window := math.floor((now - self._offset) / self.window_s)) != self._window:
            self._window, self._count = window, 0

    def _left_s(self, now: float) -> float:
        return self.window_s - (now - self._offset) % self.window_s

    def wait_s(self, now: float, tokens: float) -> float:
        self._roll(now)
        return self._left_s(now) if self._count >= self.limit else 0.0

    def take(self, now: float, tokens: float) -> None:
        self._count += 1

    def said(self, now: float) -> Said:
        self._roll(now)
        return Said(self.limit, self.window_s, self.limit - self._count, self._left_s(now))

    def admits(self, start: float, end: float) -> float:
        return self.limit / self.window_s * (end - start)


class SlidingWindow:
    """``limit`` calls in any ``window_s`` seconds.

    counts_refused: calls that are turned away count too, so that hammering shuts one out.
    """

    def __init__(self, limit: int, window_s: float, *, counts_refused: bool = False) -> None:
        self.limit, self.window_s, self._counts_refused = limit, window_s, counts_refused
        self._log: deque[float] = deque()

    def _roll(self, now: float) -> None:
        while self._log and self._log[0] <= now - self.window_s:
            self._log.popleft()

    def wait_s(self, now: float, tokens: float) -> float:
        self._roll(now)
        excess = len(self._log) - self.limit
        return 0.0 if excess < 0 else self._log[excess] + self.window_s - now

    def take(self, now: float, tokens: float) -> None:
        self._log.append(now)

    def refuse(self, now: float) -> None:
        if self._counts_refused:
            self._log.append(now)

    def end(self, now: float) -> None: ...

    def said(self, now: float) -> Said:
        self._roll(now)
        last = self._log[-1] + self.window_s - now if self._log else 0.0
        return Said(self.limit, self.window_s, max(0, self.limit - len(self._log)), last)

    def admits(self, start: float, end: float) -> float:
        return self.limit / self.window_s * (end - start)


class SlidingCounter(_Plain):
    """The last window's count, weighted by how much of it is still in sight, and this one's: the approximation of large edge networks."""

    def __init__(self, limit: int, window_s: float) -> None:
        self.limit, self.window_s = limit, window_s
        self._window, self._before, self._count = -1, 0, 0

    def _roll(self, now: float) -> None:
        window = math.floor(now / self.window_s)
        if window != self._window:
            self._before = self._count if window == self._window + 1 else 0
            self._window, self._count = window, 0

    def _used(self, now: float) -> float:
        self._roll(now)
        return self._before * (1 - (now % self.window_s) / self.window_s) + self._count

    def wait_s(self, now: float, tokens: float) -> float:
        over = self._used(now) + 1 - self.limit
        if over <= 0:
            return 0.0
        return min(self.window_s - now % self.window_s, over * self.window_s / max(1, self._before)) if self._before else self.window_s

    def take(self, now: float, tokens: float) -> None:
        self._count += 1

    def said(self, now: float) -> Said:
        return Said(self.limit, self.window_s, max(0.0, math.floor(self.limit - self._used(now))), self.window_s - now % self.window_s)

    def admits(self, start: float, end: float) -> float:
        return self.limit / self.window_s * (end - start)


NEVER = math.inf, 0


class Concurrent:
    """``limit`` calls at the same time. service_s: how long one takes, for what it admits. later: (from when, limit)."""

    def __init__(self, limit: int, service_s: float, *, later: tuple[float, int] = NEVER) -> None:
        self.limit, self._service_s, self._later = limit, service_s, later
        self.open = 0

    def wait_s(self, now: float, tokens: float) -> float:
        if now >= self._later[0]:
            self.limit = self._later[1]
        return self._service_s / self.limit if self.open >= self.limit else 0.0

    def take(self, now: float, tokens: float) -> None:
        self.open += 1

    def refuse(self, now: float) -> None: ...

    def end(self, now: float) -> None:
        self.open -= 1

    def said(self, now: float) -> Said:
        return Said(self.limit, 0.0, self.limit - self.open, self._service_s, "concurrency")

    def admits(self, start: float, end: float) -> float:
        at, limit = self._later
        return (self.limit * max(0.0, min(end, at) - start) + limit * max(0.0, end - max(start, at))) / self._service_s


class Tokens(_Plain):
    """So many tokens a minute, ``burst_s`` seconds' worth at once. usual: tokens of a call, for what it admits."""

    def __init__(self, per_minute: float, burst_s: float, usual: float) -> None:
        self.rate, self.capacity, self._usual = per_minute / 60, max(usual, per_minute / 60 * burst_s), usual
        self._level, self._at = self.capacity, -math.inf

    def _refill(self, now: float) -> None:
        self._level = min(self.capacity, self._level + (now - self._at) * self.rate)
        self._at = now

    def wait_s(self, now: float, tokens: float) -> float:
        self._refill(now)
        return max(0.0, (min(tokens, self.capacity) - self._level - 1e-9) / self.rate)

    def take(self, now: float, tokens: float) -> None:
        self._refill(now)
        self._level -= tokens

    def said(self, now: float) -> Said:
        self._refill(now)
        return Said(self.rate * 60, 60.0, max(0.0, math.floor(self._level)), (self.capacity - self._level) / self.rate, "tokens")

    def admits(self, start: float, end: float) -> float:
        return self.rate / self._usual * (end - start)


class Free(_Plain):
    """No limit, but ``unlucky`` of all calls are turned away at random (a shard that is full, a balancer's whim).

    rate: what it is said to admit a second.
    """

    def __init__(self, unlucky: float = 0.0, *, seed: int = 0, rate: float = math.inf) -> None:
        self._unlucky, self._rate, self._chance = unlucky, rate, random.Random(f"unlucky {seed}")

    def wait_s(self, now: float, tokens: float) -> float:
        return 0.05 if self._unlucky and self._chance.random() < self._unlucky else 0.0

    def take(self, now: float, tokens: float) -> None: ...

    def said(self, now: float) -> Said:
        return Said(1e6, 60.0, 1e6, 0.0)

    def admits(self, start: float, end: float) -> float:
        return self._rate * (end - start)


class Closed(_Plain):
    """Nothing until a time; ``Free`` after it."""

    def __init__(self, until: float) -> None:
        self._until = until

    def wait_s(self, now: float, tokens: float) -> float:
        return max(0.0, self._until - now)

    def take(self, now: float, tokens: float) -> None: ...

    def said(self, now: float) -> Said:
        return Said(0.0, 60.0, 0.0, max(0.0, self._until - now))

    def admits(self, start: float, end: float) -> float:
        return math.inf if end > self._until else 0.0


class All:
    """Every rule must admit a call; the tightest one speaks."""

    def __init__(self, *rules: Rule) -> None:
        self.rules = rules
        self._speaks = rules[0]

    def wait_s(self, now: float, tokens: float) -> float:
        waits = [rule.wait_s(now, tokens) for rule in self.rules]
        longest = max(waits)
        self._speaks = self.rules[waits.index(longest)]
        return longest

    def take(self, now: float, tokens: float) -> None:
        for rule in self.rules:
            rule.take(now, tokens)

    def refuse(self, now: float) -> None:
        for rule in self.rules:
            rule.refuse(now)

    def end(self, now: float) -> None:
        for rule in self.rules:
            rule.end(now)

    def said(self, now: float) -> Said:
        return self._speaks.said(now)

    def admits(self, start: float, end: float) -> float:
        return min(rule.admits(start, end) for rule in self.rules)


class Shards:
    """Each call comes to one of several servers at random, each of which keeps a limit of its own."""

    def __init__(self, rules: Sequence[Rule], *, seed: int = 0) -> None:
        self._rules, self._chance = rules, random.Random(f"shards {seed}")
        self._chosen = rules[0]

    def wait_s(self, now: float, tokens: float) -> float:
        self._chosen = self._chance.choice(self._rules)
        return self._chosen.wait_s(now, tokens)

    def take(self, now: float, tokens: float) -> None:
        self._chosen.take(now, tokens)

    def refuse(self, now: float) -> None:
        self._chosen.refuse(now)

    def end(self, now: float) -> None: ...

    def said(self, now: float) -> Said:
        return self._chosen.said(now)

    def admits(self, start: float, end: float) -> float:
        return sum(rule.admits(start, end) for rule in self._rules)


class Changing:
    """One rule after the other: (from when, rule), the first from the beginning. Calls of an earlier one end with it."""

    def __init__(self, *changes: tuple[float, Rule]) -> None:
        self._changes = changes

    def _now(self, now: float) -> Rule:
        return [rule for start, rule in self._changes if start <= now or (start, rule) == self._changes[0]][-1]

    def wait_s(self, now: float, tokens: float) -> float:
        return self._now(now).wait_s(now, tokens)

    def take(self, now: float, tokens: float) -> None:
        self._now(now).take(now, tokens)

    def refuse(self, now: float) -> None:
        self._now(now).refuse(now)

    def end(self, now: float) -> None:
        self._now(now).end(now)

    def said(self, now: float) -> Said:
        return self._now(now).said(now)

    def admits(self, start: float, end: float) -> float:
        total = 0.0
        for number, (begins, rule) in enumerate(self._changes):
            ends = self._changes[number + 1][0] if number + 1 < len(self._changes) else math.inf
            low, high = max(start, begins if number else -math.inf), min(end, ends)
            if low < high:
                total += rule.admits(low, high)
        return total


# -- what is said: (what the limit can say, true seconds to wait or 0 if admitted, now) -> headers -----------------------------------

Style = Callable[[Said, float, float], dict[str, str]]


def _none(said: Said, wait_s: float, now: float) -> dict[str, str]:
    return {}


def _seconds(said: Said, wait_s: float, now: float) -> dict[str, str]:
    return {"retry-after": str(max(1, math.ceil(wait_s)))} if wait_s else {}


def _milliseconds(said: Said, wait_s: float, now: float) -> dict[str, str]:
    return {"retry-after-ms": str(math.ceil(wait_s * 1000))} if wait_s else {}


def _both(said: Said, wait_s: float, now: float) -> dict[str, str]:
    return _seconds(said, wait_s, now) | _milliseconds(said, wait_s, now)


def _date(said: Said, wait_s: float, now: float) -> dict[str, str]:
    date = {"date": formatdate(WALL + now, usegmt=True)}
    return date | ({"retry-after": formatdate(WALL + now + math.ceil(wait_s), usegmt=True)} if wait_s else {})


def _wrong_clock(said: Said, wait_s: float, now: float) -> dict[str, str]:
    """A server whose clock jumps by an hour now and then, and whose Date and Retry-After come from different machines."""
    ahead = 3600.0 if int(now) % 20 < 5 else 0.0
    date = {"date": formatdate(WALL + now, usegmt=True)}
    return date | ({"retry-after": formatdate(WALL + now + ahead + math.ceil(wait_s), usegmt=True)} if wait_s else {})


def _duration(seconds: float) -> str:
    return f"{math.ceil(seconds * 1000)}ms" if seconds < 1 else f"{seconds:.3f}s"


def _openai(said: Said, wait_s: float, now: float) -> dict[str, str]:
    """https://platform.openai.com/docs/guides/rate-limits: on every answer."""
    name = "tokens" if said.dimension == "tokens" else "requests"
    return {
        f"x-ratelimit-limit-{name}": str(math.floor(said.limit)),
        f"x-ratelimit-remaining-{name}": str(math.floor(said.remaining)),
        f"x-ratelimit-reset-{name}": _duration(max(wait_s, said.reset_s)),
    } | _milliseconds(said, wait_s, now)


def _anthropic(said: Said, wait_s: float, now: float) -> dict[str, str]:
    """https://docs.anthropic.com/en/api/rate-limits: on every answer; a time in RFC 3339, and whole seconds on a 429."""
    from datetime import UTC, datetime

    name = "tokens" if said.dimension == "tokens" else "requests"
    reset = datetime.fromtimestamp(WALL + now + max(wait_s, said.reset_s), UTC).isoformat(timespec="seconds")
    return {
        "date": formatdate(WALL + now, usegmt=True),
        f"anthropic-ratelimit-{name}-limit": str(math.floor(said.limit)),
        f"anthropic-ratelimit-{name}-remaining": str(math.floor(said.remaining)),
        f"anthropic-ratelimit-{name}-reset": reset.replace("+00:00", "Z"),
    } | _seconds(said, wait_s, now)


def _scaled(factor: float) -> Style:
    def style(said: Said, wait_s: float, now: float) -> dict[str, str]:
        return _openai(said, wait_s, now) | {"x-ratelimit-limit-requests": str(max(1, math.floor(said.limit * factor)))}

    return style


def _always(**headers: str) -> Style:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda said, wait_s, now: named


def _limited(**headers: str) -> Style:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda said, wait_s, now: named if wait_s else {}


STYLES: Mapping[str, Style] = {
    "none": _none,
    "retry-after": _seconds,
    "retry-after-ms": _milliseconds,
    "both": _both,
    "date": _date,
    "openai": _openai,
    "anthropic": _anthropic,
    # What lies
    "hour": _limited(retry_after="3600"),
    "minute": _limited(retry_after="60"),
    "zero": _limited(retry_after="0"),
    "1 ms": _limited(retry_after_ms="1"),
    "1 ms beside seconds": lambda said, wait_s, now: {**_seconds(said, wait_s, now), **({"retry-after-ms": "1"} if wait_s else {})},
    "wrong clock": _wrong_clock,
    "nothing remains": _always(x_ratelimit_limit_requests="3000", x_ratelimit_remaining_requests="0", x_ratelimit_reset_requests="1s"),
    "much remains": _always(x_ratelimit_limit_requests="3000", x_ratelimit_remaining_requests="2999", x_ratelimit_reset_requests="20ms"),
    "reset in the past": _always(x_ratelimit_remaining_requests="0", x_ratelimit_reset_requests="1500000000"),
    "reset in a year": _always(x_ratelimit_remaining_requests="0", x_ratelimit_reset_requests="360d"),
    "limit x10": _scaled(10.0),
    "limit /10": _scaled(0.1),
    "garbage": _always(retry_after="soon", retry_after_ms="NaN", x_ratelimit_limit_requests="-1", x_ratelimit_remaining_requests="many"),
}


@dataclass(frozen=True)
class Reply:
    """A provider's decision on one call."""

    status: int
    headers: dict[str, str]
    dimension: str = ""


@dataclass
class Provider:
    """A rule, how it is told, and when the provider is out of order.

    headers: a name of ``STYLES``. names_dimension: the error says which limit was met. outages: (from, until) in which every call gets 503.
    """

    rule: Rule
    headers: str = "retry-after"
    names_dimension: bool = False
    outages: Sequence[tuple[float, float]] = field(default_factory=tuple)

    def ask(self, now: float, tokens: float = 0.0) -> Reply:
        """A call arrives. If it gets 200, ``end`` is called when it ends."""
        if any(start <= now < end for start, end in self.outages):
            return Reply(503, {})
        style = STYLES[self.headers]
        wait = self.rule.wait_s(now, tokens)
        if wait > 0:
            said = self.rule.said(now)
            self.rule.refuse(now)
            return Reply(429, style(said, wait, now), said.dimension if self.names_dimension else "")
        self.rule.take(now, tokens)
        return Reply(200, style(self.rule.said(now), 0.0, now))

    def end(self, now: float) -> None:
        """A call that was admitted has ended."""
        self.rule.end(now)
