"""One of the two things that a run spends, money or tokens: what is billed, what calls of unknown fate count as, what bills have taught."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from evaluator.journal.records import Spent

CAUTION = 2
"""A model that billed one call at r times its worst case may bill the next one at more than r times: its worst cases are raised by more."""


@dataclass(slots=True)
class _Kind:
    """Calls of one model and task. most: the highest bill. counts: what those of unknown fate count as."""

    most: int | None = None
    calls: int = 0
    worst: int = 0

    @property
    def counts(self) -> int:
        return self.worst if self.most is None else self.calls * self.most


class Excess(NamedTuple):
    """How a model's bills exceeded worst cases: in how many times, and the highest such bill."""

    ratio: float
    most: int


Excesses = tuple[Excess | None, Excess | None]
"""Of a model, in money and in tokens; None: no bill was above the worst case."""


class Purse:
    """One of the two things that are spent. limit: None = no cap; all is counted the same.

    If others spend of the same cap, the limit is what they leave to this one for now. ceiling: what it could be if none of their calls in
    flight cost anything; None = as the limit. final: whether none of theirs is in flight.
    """

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.ceiling: int | None = None
        self.final = True
        self.spent = 0
        self.uncertain = 0
        self.held = 0
        self.begun = 0
        self.excesses: dict[str, Excess] = {}
        self._kinds: dict[tuple[str, str], _Kind] = {}

    @property
    def left(self) -> int:
        """What may still be spent if no call is in flight; only of a purse with a cap."""
        assert self.limit is not None
        return self.limit - self.committed

    @property
    def committed(self) -> int:
        """What is spent, and what calls of unknown fate count as."""
        return self.spent + self.uncertain

    @property
    def is_exhausted(self) -> bool:
        """Whether nothing is left. Calls of unknown fate may turn out cheaper as long as others of their task are in flight."""
        most = self.limit if self.ceiling is None else self.ceiling
        return most is not None and self.final and self.spent + (0 if self.begun else self.uncertain) >= most

    def could_allow(self, amount: int) -> bool:
        """Whether an amount fits if no call in flight costs anything."""
        most = self.limit if self.ceiling is None else self.ceiling
        return most is None or amount <= most - self.committed

    def allows(self, amount: int, beside: int) -> bool:
        """Whether an amount fits beside what is spent and so much more."""
        return self.limit is None or amount <= self.left - beside

    def raised(self, model: str, worst: int) -> int:
        """A worst case by what the model's bills have taught."""
        if (excess := self.excesses.get(model)) is None:
            return worst
        return CAUTION * max(math.ceil(worst * excess.ratio), excess.most)

    def settle(self, model: str, task: str, worst: int, held: int, bill: int | None) -> bool:
        """Counts what a call took. Returns whether that has taught something of its model."""
        kind = self._kind(model, task)
        if bill is None:
            self._change(kind, calls=1, worst=held)
            return False
        self.spent += bill
        if kind.most is None or bill > kind.most:
            self._change(kind, most=bill)
        return bill > worst and self.exceeded(model, bill / worst if worst else 1.0, bill)

    def exceeded(self, model: str, ratio: float, bill: int) -> bool:
        """Takes note of a bill above the worst case. Returns whether it is the highest so far."""
        known = self.excesses.get(model, Excess(0.0, 0))
        self.excesses[model] = learned = Excess(max(known.ratio, ratio), max(known.most, bill))
        return learned != known

    def count(self, earlier: Spent, *, known: int, most: int | None, calls: int, worst: int) -> None:
        """Counts calls of earlier starts."""
        self.spent += known
        self._change(self._kind(earlier.model, earlier.task), most=most, calls=calls, worst=worst)
        if earlier.excess:
            self.exceeded(earlier.model, earlier.excess, most or 0)

    def _kind(self, model: str, task: str) -> _Kind:
        if (kind := self._kinds.get((model, task))) is None:
            kind = self._kinds[model, task] = _Kind()
        return kind

    def _change(self, kind: _Kind, *, most: int | None = None, calls: int = 0, worst: int = 0) -> None:
        before = kind.counts
        if most is not None:
            kind.most = max(kind.most or 0, most)
        kind.calls += calls
        kind.worst += worst
        self.uncertain += kind.counts - before
