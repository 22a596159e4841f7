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
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
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

Waiter = TypeVar("Waiter", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Share:
    """Whose call it is: the run, its weight (1..100) beside the other runs of the account, whether somebody waits for it."""

    run: str = ""
    weight: int = 1
    interactive: bool = False


NOBODYS = Share()


@dataclass(slots=True, eq=False)
class _Kind:
    """Interactive runs, or the others. passed: their virtual time. reached: where those of them that wait are."""

    weight: float
    passed: float = 0.0
    reached: float = 0.0


@dataclass(slots=True, eq=False)
class _Run(Generic[Waiter]):
    """One run. passed: its virtual time. held_s: how long its calls hold a slot; 0 = not known. again: those that go before ``first``."""

    share: Share
    kind: _Kind
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
        self._interactive, self._others = _Kind(_INTERACTIVE), _Kind(_OTHERS)
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
        run = self._joined(share)
        (run.again if again else run.first)[waiter] = None
        self._count += 1

    def remove(self, waiter: Waiter, share: Share) -> bool:
        """Takes out one that waits no more. Returns whether it was there."""
        run = self._runs.get(share.run)
        for queue in (run.again, run.first) if run is not None else ():
            if waiter in queue:
                del queue[waiter]
                self._count -= 1
                return True
        return False

    def reshare(self, share: Share) -> None:
        """Gives a run that is known another weight, from its next turn on."""
        if share.run in self._runs:
            self._shared(share)

    def head(self) -> Waiter | None:
        """Whose turn it is."""
        run = self._next()
        return run.head() if run is not None else None

    def granted(self, share: Share, scarce: Waiting, tokens: int) -> None:
        """Counts a turn of a run, whether the call has waited or not. scarce: what calls of the account wait for, if they wait."""
        run = self._joined(share)
        cost = self._cost(run, scarce, tokens)
        kind = run.kind
        kind.reached = max(kind.reached, run.passed)
        self._reached = max(self._reached, kind.passed)
        run.passed += cost / run.share.weight
        kind.passed += cost / kind.weight
        self._tokens += (tokens - self._tokens) * _LEARNS_UNIT if self._tokens else tokens

    def ended(self, share: Share, held_s: float) -> None:
        """Learns for how long a call of a run held its slot."""
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
        chosen: _Run[Waiter] | None = None
        for run in self._waiting():
            if chosen is None or self._place(run) < self._place(chosen):
                chosen = run
        return chosen

    def _place(self, run: _Run[Waiter]) -> tuple[float, bool, float]:
        kind = run.kind
        return kind.passed, kind is not self._interactive, run.passed

    def _waiting(self) -> Iterator[_Run[Waiter]]:
        return (run for run in self._runs.values() if run.again or run.first)

    def _joined(self, share: Share) -> _Run[Waiter]:
        """A run that is about to wait or to have a turn: if it did not wait, it begins where the others are."""
        run = self._shared(share)
        if not len(run):
            kind = run.kind
            if not any(other.kind is kind for other in self._waiting()):
                kind.passed = max(kind.passed, self._reached)
            run.passed = max(run.passed, kind.reached)
        return run

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
                run.kind, run.passed = kind, kind.reached
        return run

    def _forget(self) -> None:
        if len(self._runs) >= _MOST_IDLE:
            self._runs = {name: run for name, run in self._runs.items() if len(run)}
