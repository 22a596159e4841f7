"""What a test needs of a task's answers beyond their mean: the numbers of the units that are independent of each other.

A unit is an instance, the repeats of one instance, or the instances that share a medium. Each adds something to a sum above and to a sum
below, and the score is the ratio of the sums: for a mean a unit adds its number and 1, a cluster the sum of its numbers and how many
they are, and a pooled score its items that are right and its items.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Sizes(Enum):
    """Where the sizes of units, what they add below, come from."""

    ONE = "one"
    """Each unit counts alike."""
    PLANNED = "planned"
    """How many instances share a medium: known before the answers, so that those that were asked are all there are."""
    ANSWERED = "answered"
    """How many items answers and labels have: units that were not seen may have more."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Units by how much they add: (above, below) each, and how many units do so; 0 <= above <= below.

    lowest, highest: the scores, in the metric's unit, of all units with nothing and with everything above.
    """

    above: tuple[float, ...]
    below: tuple[float, ...]
    counts: tuple[float, ...]
    sizes: Sizes = Sizes.ONE
    lowest: float = 0.0
    highest: float = 100.0

    @classmethod
    def of(cls, units: Iterable[tuple[float, float]], sizes: Sizes = Sizes.ONE, bounds: tuple[float, float] = (0.0, 100.0)) -> Sample:
        """Equal units are counted together, and kept in order, so that nothing tells in which order they came.

        >>> found = Sample.of([(0.5, 1.0), (1.0, 1.0), (0.5, 1.0)])
        >>> found.above, found.counts, found.units, round(found.ratio, 6)
        ((0.5, 1.0), (2, 1), 3, 0.666667)
        """
        found = sorted(Counter(units).items())
        return cls(
            above=tuple(above for (above, _below), _count in found),
            below=tuple(below for (_above, below), _count in found),
            counts=tuple(count for _unit, count in found),
            sizes=sizes,
            lowest=bounds[0],
            highest=bounds[1],
        )

    @property
    def units(self) -> float:
        return sum(self.counts)

    @property
    def largest(self) -> float:
        """The largest size of any unit seen."""
        return max(self.below, default=0.0)

    @property
    def total(self) -> float:
        """The sum of all sizes: of clusters, how many instances they hold."""
        return sum(below * count for below, count in zip(self.below, self.counts, strict=True))

    @property
    def ratio(self) -> float:
        """The score 0..1; 1 if there is nothing below."""
        whole = self.total
        return sum(above * count for above, count in zip(self.above, self.counts, strict=True)) / whole if whole else 1.0

    def share(self, score: float) -> float:
        """A score in the metric's unit as a ratio: 0 for the lowest, 1 for the highest."""
        return (score - self.lowest) / (self.highest - self.lowest)

    def score(self, share: float) -> float:
        """The inverse of ``share``."""
        return self.lowest + share * (self.highest - self.lowest)


@dataclass(frozen=True, slots=True)
class Ranked:
    """Answers of a ranking: the level of each negative and of each positive, 0 for the lowest confidence, in the order of their keys.

    That order is known before the answers, so that which of them are dealt to which does not follow from where they rank.

    >>> Ranked(negatives=(0, 1), positives=(1, 2)).area
    0.875
    """

    negatives: tuple[int, ...]
    positives: tuple[int, ...]

    @property
    def rarer(self) -> tuple[int, str]:
        """How many there are of the rarer kind, and its name: as many pairs can be made that share nothing."""
        negatives, positives = len(self.negatives), len(self.positives)
        return (positives, "positives") if positives <= negatives else (negatives, "negatives")

    @property
    def levels(self) -> list[tuple[int, int]]:
        """(negatives, positives) at each level, the lowest first."""
        negatives, positives = Counter(self.negatives), Counter(self.positives)
        return [(negatives[level], positives[level]) for level in sorted(negatives.keys() | positives.keys())]

    @property
    def area(self) -> float:
        """The share of pairs in the right order, ties half, 0..1; a half without pairs."""
        below, right = 0, 0.0
        for negatives, positives in self.levels:
            right += positives * (below + negatives / 2.0)
            below += negatives
        pairs = below * len(self.positives)
        return right / pairs if pairs else 0.5
