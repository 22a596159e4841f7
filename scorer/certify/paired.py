"""Two runs' answers to the same instances of one task: draws of both scores, and the tests and errors of their difference.

Sources: McNemar 1947; Fisher 1935 for sign flips; Hoeffding 1963 for their tail; Bonett and Price 2012 for the interval of paired shares.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scorer.certify.distributions import binomial_at_least
from scorer.certify.resample import MOST_WEIGHTS, SEED, Weighted, cluster_weights, generator_of, weighted
from scorer.metrics import Metric

if TYPE_CHECKING:
    from scorer.certify.resample import Floats

MCNEMAR, SIGN_FLIP = "exact McNemar", "sign-flip permutation"
NORMAL = 10**6
"""Degrees of freedom at which Student's t is the normal distribution."""
TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Difference:
    """a minus b. interval, smallest_detectable: None if one instance or cluster says nothing. test: the name of what p_value is of.

    smallest_detectable: the true difference that a two-sided test at alpha would find with a power of 0.8.
    """

    score_a: float
    score_b: float
    interval: tuple[float, float] | None
    p_value: float | None
    smallest_detectable: float | None
    test: str

    @property
    def difference(self) -> float:
        return self.score_a - self.score_b


@dataclass(frozen=True, slots=True)
class PairedDraws:
    """A task's score in both runs: as it is (one entry), bootstrapped, and with answers swapped at random. units: instances or clusters."""

    units: int
    seen: tuple[Floats, Floats]
    drawn: tuple[Floats, Floats]
    swapped: tuple[Floats, Floats]


def mcnemar(only_a: int, only_b: int) -> float:
    """Two-sided exact p-value from the instances that only a, and only b, has right.

    >>> round(mcnemar(8, 2), 6)
    0.109375
    """
    discordant = only_a + only_b
    return min(1.0, 2.0 * binomial_at_least(max(only_a, only_b), discordant, 0.5)) if discordant else 1.0


@dataclass(frozen=True, slots=True)
class PairedRows:
    """A task's shared instances: (id, statistic) of both runs in the same order, and clusters of those that share one."""

    metric: Metric[object]
    a: Sequence[tuple[str, object]]
    b: Sequence[tuple[str, object]]
    clusters: Mapping[str, Hashable]

    @property
    def units(self) -> int:
        return len({(0, self.clusters[key]) if key in self.clusters else (1, key) for key, _row in self.a})

    def differences(self) -> list[float] | None:
        """Per instance, if the score is a mean of one number each and no two instances share a cluster."""
        rows = zip(self.a, self.b, strict=True)
        numbers = [(a, b) for (_key, a), (_same, b) in rows if isinstance(a, int | float) and isinstance(b, int | float)]
        return [a - b for a, b in numbers] if len(numbers) == len(self.a) == self.units else None


def drawn(rows: PairedRows, draws: int, name: str, seed: int) -> PairedDraws | None:
    import numpy as np

    one, other = weighted(rows.metric, rows.a, rows.clusters), weighted(rows.metric, rows.b, rows.clusters)
    # The two answers of an instance keep its place in the order of ids, by which equal confidences rank.
    sides = [[(f"{key}\0{side}", row) for key, row in entries] for side, entries in (("a", rows.a), ("b", rows.b))]
    owned = {f"{key}\0{side}": (side, cluster) for key, cluster in rows.clusters.items() for side in "ab"}
    mixed = weighted(rows.metric, [*sides[0], *sides[1]], owned)
    if one is None or other is None or mixed is None:
        return None
    generator = generator_of(name, SEED + seed)
    count = one.clusters
    ones = np.ones((1, count))
    parts: list[list[Floats]] = [[], [], [], []]
    step = max(1, MOST_WEIGHTS // (2 * count))
    for start in range(0, draws, step):
        size = min(step, draws - start)
        weights = cluster_weights(generator, count, size)
        swap = generator.integers(0, 2, size=(size, count)).astype(np.float64)
        scores = (one.score(weights), other.score(weights), *_swapped(mixed, swap))
        for part, score in zip(parts, scores, strict=True):
            part.append(score)
    joined = [np.concatenate(part) for part in parts]
    return PairedDraws(count, (one.score(ones), other.score(ones)), (joined[0], joined[1]), (joined[2], joined[3]))


def _swapped(mixed: Weighted, swap: Floats) -> tuple[Floats, Floats]:
    import numpy as np

    return mixed.score(np.hstack([1.0 - swap, swap])), mixed.score(np.hstack([swap, 1.0 - swap]))


def difference_error(
    seen: float, differences: Sequence[float] | None, drawn: tuple[Floats, Floats], units: int
) -> tuple[float, float, int]:
    """(centre, standard error, degrees of freedom) of the difference; an error of 0 if it is not known.

    Shares, and means that differ by the same everywhere, get one pseudo-pair in each direction (Bonett and Price 2012): that nothing
    differed here does not prove that nothing ever would.
    """
    import numpy as np

    if units < 2:
        return seen, 0.0, 1
    if differences is not None and (set(differences) <= {-1.0, 0.0, 1.0} or len(set(differences)) == 1):
        padded = np.array([*differences, 1.0, -1.0])
        return 100.0 * float(padded.mean()), 100.0 * float(padded.std()) / math.sqrt(len(padded)), NORMAL
    if differences is not None:
        return seen, 100.0 * float(np.std(differences, ddof=1)) / math.sqrt(units), units - 1
    return seen, float(np.std(drawn[0] - drawn[1], ddof=1)) * math.sqrt(units / (units - 1)), units - 1


def permutation_p(seen: float, swapped: tuple[Floats, Floats]) -> float:
    import numpy as np

    extreme = int(np.sum(np.abs(swapped[0] - swapped[1]) >= abs(seen) - TINY))
    return (1 + extreme) / (1 + len(swapped[0]))


def tail(seen: float, swapped: tuple[Floats, Floats]) -> float:
    """A bound of the permutation test's p-value if no draw was as extreme, so that corrections for many tasks can be met; else 1.

    A sum of numbers with random signs exceeds z times its root mean square with a chance of at most exp(-z^2 / 2) (Hoeffding 1963, theorem
    2), which is exact for means and of the first order for other scores. The root mean square is known from n draws alone: averaged over
    its (chi-squared) error the bound is (1 + z^2 / n)^(-n / 2).
    """
    import numpy as np

    differences = swapped[0] - swapped[1]
    square = float(np.mean(differences**2))
    if square <= 0.0 or float(np.max(np.abs(differences))) >= abs(seen) - TINY:
        return 1.0
    draws = len(differences)
    return min(1.0, 2.0 * math.exp(-draws / 2.0 * math.log1p(seen * seen / square / draws)))
