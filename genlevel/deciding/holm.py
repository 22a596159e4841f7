"""What the full run's certificate holds p-values against: Holm's procedure, of which the fixed threshold of predictions is the first step.

With m tests and the share w of all certified wins, Holm (1979) takes the p-values in ascending order, and certifies the one after R others
if it is at most w / (m - R). A task is won if its p-value is at most w / m: whatever the others do, it is certified. It is not won if its
p-value is above w / ``divisor``: before the first such task that Holm's procedure came to there are only tasks that are won or lie between
these marks, and as long as these are at most m - divisor, what it is held against is at most w / divisor. Those that lie between are
*close*: once all of their answers are there, their p-values are known, and once all others are decided, so is Holm's procedure. If more
tasks are won than these marks allow for, which then is known, all steps are to be allowed for (``widest``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from genlevel.deciding.values import Criterion, Shares

FEW = 64
"""With fewer tests than this all of Holm's steps are allowed for; with more, those of as many wins as half of the tests, at first."""
FEW_FOR_LEVELS = 512
"""The same where not all wins are told, so that what is not won may not be looked at again."""
HALF, QUARTER = 2, 4
"""One over the part of the tests down to which steps are allowed for, at first. A quarter allows for more of them, and is sooner known to
suffice: once as many tasks are not won."""
_NEGLIGIBLE = 1e-17


@dataclass(frozen=True, slots=True)
class Holm:
    """tests: m. wins: the share w. divisor: of the most lenient step that is allowed for, 1 <= divisor <= tests."""

    tests: int
    wins: float
    divisor: int

    @classmethod
    def of(cls, shares: Shares, tasks: int, few: int | None = None, part: int = HALF) -> Holm:
        """tasks: how many of them this run may win; fewer than all leave fewer steps. few: None: ``FEW``. part: ``HALF`` or ``QUARTER``.

        >>> [Holm.of(Shares(516, 0.0405, 0.00225, 0.01), tasks).divisor for tasks in (1, 20, 516)]
        [516, 497, 258]
        """
        tests = max(1, shares.tests)
        return cls(tests, shares.wins, max(1, tests - max(tasks, 1) + 1, tests // part if tests >= (FEW if few is None else few) else 1))

    def marked(self, criterion: Criterion, units: int) -> Criterion:
        """The criterion with the mark below which no step certifies a win, if it has a test that is predicted.

        >>> Holm(516, 0.0405, 258).marked(Criterion(bar=0.5, critical=70), 100).low
        69
        """
        if criterion.obstacle or criterion.whole or not self.has_steps:
            return criterion
        if criterion.critical is not None:
            return replace(criterion, low=self._low(criterion.critical, units, criterion.bar))
        if criterion.bets is not None:
            lenient = criterion.bets.log_threshold - math.log(self.tests / self.divisor)
            return replace(criterion, bets=replace(criterion.bets, log_low=lenient))
        return criterion

    def suffices(self, won: int) -> bool:
        """Whether these steps are all that the procedure comes to, if so many tasks are won in all, or may still be."""
        return self.divisor == 1 or won <= self.tests - self.divisor

    def widest(self) -> Holm:
        """The same with all steps allowed for."""
        return replace(self, divisor=1)

    @property
    def has_steps(self) -> bool:
        """Whether any but the first step is allowed for."""
        return self.divisor < self.tests and self.wins > 0.0

    def is_won(self, p_value: float) -> bool:
        """Whether the first step certifies it, and so any."""
        return self.tests * p_value <= self.wins

    def may_certify(self, p_value: float) -> bool:
        """Whether any step that is allowed for does."""
        return self.divisor * p_value <= self.wins

    def certified(self, won: int, p_values: Mapping[str, float]) -> list[str]:
        """Holm's steps over further tasks, after so many that are won.

        >>> Holm(10, 0.04, 5).certified(5, {"close": 0.0075, "closer": 0.008, "far": 0.02})
        ['close', 'closer']
        """
        found: list[str] = []
        for task, p_value in sorted(p_values.items(), key=lambda entry: entry[1]):
            if (self.tests - won - len(found)) * p_value > self.wins:
                break
            found.append(task)
        return found

    def _low(self, critical: int, units: int, bar: float) -> int:
        if bar >= 1.0:
            return critical
        low = min(critical, units + 1)
        while low > 1 and low - 1 > bar * units and self.divisor * at_least(low - 1, units, bar) <= self.wins:
            low -= 1
        return low


def at_least(right: int, units: int, bar: float) -> float:
    """P(so many or more are right) of so many units, if a share of ``bar`` is on average; 1 if no more than that are.

    >>> round(at_least(70, 100, 0.5), 9), at_least(50, 100, 0.5), at_least(3, 2, 0.5)
    (3.9251e-05, 1.0, 0.0)
    """
    if right > units:
        return 0.0
    if right <= bar * units:
        return 1.0
    if bar <= 0.0:
        return 0.0
    chance = math.lgamma(units + 1) - math.lgamma(right + 1) - math.lgamma(units - right + 1)
    term = total = math.exp(chance + right * math.log(bar) + (units - right) * math.log1p(-bar))
    odds = bar / (1.0 - bar)
    for count in range(right, units):
        term *= (units - count) / (count + 1) * odds
        total += term
        if term <= _NEGLIGIBLE * total:
            break
    return min(1.0, total)
