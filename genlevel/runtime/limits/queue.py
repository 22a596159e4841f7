"""Whose turn it is among the runs of one account: fair queueing by weight, interactive runs first.

Start-time fair queueing (P. Goyal, H. M. Vin, H. Cheng, "Start-time Fair Queuing", SIGCOMM 1996) on two levels. Each run has a virtual time
that a grant moves on by cost / weight; the run that is furthest behind is next. A run that did not wait begins where the others are: nobody
saves up turns, and a run that is alone has everything. Above it the same between interactive runs and the others, nine to one: what
is interactive goes first unless it has had nine tenths for a while, and the others always get their tenth.

What is shared is what is scarce: calls if a rate limits, tokens if tokens do, and the time in which a slot is held if calls in flight do,
so that a run of long calls does not take the slots of one of short calls.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Generic, TypeVar

from genlevel.runtime.limits.feedback import Waiting

MOST_WEIGHT = 100

_INTERACTIVE, _OTHERS = 9.0, 1.0
"""What interactive runs and the others weigh while both wait."""
_LEARNS, _LEARNS_UNIT = 0.1, 0.02
"""How much one call says of a run's calls, and of all calls of the account."""
_MOST_COST = 64.0
_MOST_IDLE = 64
"""Runs that wait for nothing and are still remembered."""

_PASSED = attrgetter("passed")

Waiter = TypeVar("Waiter", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Share:
    """Whose call it is: the run, its weight (1..100) beside the other runs of the account, whether somebody waits for it."""

    run: str = ""
    weight: int = 1
    interactive: bool = False


NOBODYS = Share()


@dataclass(slots=True, eq=False)
class _Kind(Generic[Waiter]):
    """Interactive runs, or the others. passed: their virtual time. reached: where those of them are that wait, which are in ``waiting``."""

    weight: float
    passed: float = 0.0
    reached: float = 0.0
    waiting: dict[_Run[Waiter], None] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class _Run(Generic[Waiter]):
    """One run. passed: its virtual time. held_s: how long its calls hold a slot; 0 = not known. again: those that go before ``first``."""

    share: Share
    kind: _Kind[Waiter]
    passed: float = 0.0
    held_s: float = 0.0
    again: OrderedDict[Waiter, None] = field(default_factory=OrderedDict)
    first: OrderedDict[Waiter, None] = field(default_factory=OrderedDict)

    def __len__(self) -> int:
        return len(self.again) + len(self.first)

    def head(self) -> Waiter:
        """The one that waits for the run's next turn."""
        return next(iter(self.again or self.first))


class FairQueue(Generic[Waiter]):
    """Those who wait, by run. A grant takes O(number of runs), whatever the number that waits."""

    def __init__(self) -> None:
        self._runs: dict[str, _Run[Waiter]] = {}
        self._interactive: _Kind[Waiter] = _Kind(_INTERACTIVE)
        self._others: _Kind[Waiter] = _Kind(_OTHERS)
        self._reached = 0.0  # where the kinds that wait are
        self._count = 0
        self._held_s = self._tokens = 0.0  # of a usual call of the account; 0 = not known

    def __len__(self) -> int:
        return self._count

    def waiting(self, run: str) -> int:
        """How many of one run's calls wait."""
        found = self._runs.get(run)
        return len(found) if found is not None else 0

    def push(self, waiter: Waiter, share: Share, *, again: bool = False) -> None:
        """Puts one at the end of its run's queue; again: behind those of the run that go before all others of it."""
        run = self._shared(share)
        self._join(run)
        (run.again if again else run.first)[waiter] = None
        run.kind.waiting[run] = None
        self._count += 1

    def remove(self, waiter: Waiter, share: Share) -> bool:
        """Takes out one that waits no more. Returns whether it was there."""
        if (run := self._runs.get(share.run)) is None:
            return False
        queue = run.first if waiter in run.first else run.again
        if waiter not in queue:
            return False
        del queue[waiter]
        self._count -= 1
        if not (run.first or run.again):
            del run.kind.waiting[run]
        return True

    def reshare(self, share: Share) -> None:
        """Gives a run that is known another weight, from its next turn on."""
        if share.run in self._runs:
            self._shared(share)

    def head(self) -> Waiter | None:
        """Whose turn it is."""
        run = self._next()
        return run.head() if run is not None else None

    def granted(self, share: Share, scarce: Waiting, tokens: int) -> None:
        """Counts a turn of a run, whether the call has waited or not. scarce: what calls of the account wait for, if they wait.

        share: as it was when the call began to wait. The run's may be another one since.
        """
        if (run := self._runs.get(share.run)) is None:
            run = self._shared(share)
        self._join(run)
        if len(self._runs) == 1:  # it has everything, and owes nobody a turn
            return
        cost = self._cost(run, scarce, tokens)
        kind = run.kind
        kind.reached = max(kind.reached, run.passed)
        self._reached = max(self._reached, kind.passed)
        run.passed += cost / run.share.weight
        kind.passed += cost / kind.weight
        self._tokens += (tokens - self._tokens) * _LEARNS_UNIT if self._tokens else tokens

    def ended(self, share: Share, held_s: float) -> None:
        """Learns for how long a call of a run held its slot."""
        if len(self._runs) == 1:
            return
        if (run := self._runs.get(share.run)) is not None:
            run.held_s += (held_s - run.held_s) * _LEARNS if run.held_s else held_s
        self._held_s += (held_s - self._held_s) * _LEARNS_UNIT if self._held_s else held_s

    def _cost(self, run: _Run[Waiter], scarce: Waiting, tokens: int) -> float:
        """What a call takes of what is scarce; 1 = what a usual call of the account takes."""
        cost = 1.0
        if scarce is Waiting.CONCURRENCY and run.held_s and self._held_s:
            cost = run.held_s / self._held_s
        elif scarce is Waiting.TOKENS and self._tokens:
            cost = tokens / self._tokens
        return min(_MOST_COST, max(1.0 / _MOST_COST, cost))

    def _next(self) -> _Run[Waiter] | None:
        first, second = self._interactive, self._others
        kind = second if not first.waiting or (second.waiting and second.passed < first.passed) else first
        if len(kind.waiting) > 1:
            return min(kind.waiting, key=_PASSED)
        return next(iter(kind.waiting), None)

    def _join(self, run: _Run[Waiter]) -> None:
        """Has a run that is about to wait or to have a turn, and did not wait, begin where the others are."""
        kind = run.kind
        if run not in kind.waiting:
            if not kind.waiting:
                kind.passed = max(kind.passed, self._reached)
            run.passed = max(run.passed, kind.reached)

    def _shared(self, share: Share) -> _Run[Waiter]:
        """A run with the weight that it has now."""
        kind = self._interactive if share.interactive else self._others
        run = self._runs.get(share.run)
        if run is None:
            self._forget()
            run = self._runs[share.run] = _Run(share, kind, kind.reached)
        elif run.share is not share:
            run.share = share
            if run.kind is not kind:
                if run.kind.waiting.pop(run, run) is None:
                    kind.passed = kind.passed if kind.waiting else max(kind.passed, self._reached)
                    kind.waiting[run] = None
                run.kind, run.passed = kind, kind.reached
        return run

    def _forget(self) -> None:
        if len(self._runs) >= _MOST_IDLE:
            self._runs = {name: run for name, run in self._runs.items() if len(run)}
