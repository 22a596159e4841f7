"""What a run or its judging has cost so far: what is known, and the most that it may be."""

from __future__ import annotations

from dataclasses import dataclass

from evaluator.journal.records import Answer, Costs, Judgement
from evaluator.traffic.bills import plus


@dataclass(slots=True)
class RunningCost:
    """``Costs`` while calls are made.

    unknown_nano_usd: what calls without a known cost took at most; None = nobody can tell. exceeded: one took more than its worst case.
    """

    nano_usd: int | None = None
    unknown_costs: int = 0
    unknown_calls: int = 0
    unknown_nano_usd: int | None = 0
    exceeded: bool = False

    @classmethod
    def of(cls, costs: Costs) -> RunningCost:
        """The cost that a journal adds up to."""
        unknown = None if costs.most_nano_usd is None else costs.most_nano_usd - (costs.nano_usd or 0)
        return cls(costs.nano_usd, costs.unknown_costs, costs.unknown_calls, unknown)

    @property
    def most_nano_usd(self) -> int | None:
        """The most that all calls have cost; None = nobody can tell."""
        if self.unknown_nano_usd is None or (self.exceeded and self.unknown_calls):
            return None
        return (self.nano_usd or 0) + self.unknown_nano_usd

    def add(self, answer: Answer | Judgement) -> None:
        """Counts what an answer took."""
        if answer.cost_nano_usd is not None:
            self.nano_usd = (self.nano_usd or 0) + answer.cost_nano_usd
        if answer.unknown_calls:
            self.unknown_costs += 1
            self.unknown_calls += answer.unknown_calls
            self.unknown_nano_usd = plus(self.unknown_nano_usd, answer.unknown_nano_usd)
        self.exceeded |= answer.excess > 0

    def change(self, before: Judgement, after: Judgement) -> None:
        """Counts what a judgement took after it was counted before."""
        if before.cost_nano_usd is not None:
            self.nano_usd = (self.nano_usd or 0) - before.cost_nano_usd
        if before.unknown_calls:
            self.unknown_costs -= 1
            self.unknown_calls -= before.unknown_calls
            if before.unknown_nano_usd is not None:
                self.unknown_nano_usd = plus(self.unknown_nano_usd, -before.unknown_nano_usd)
        self.add(after)
