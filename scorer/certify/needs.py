"""About how many units would decide: for planning, at a power of 0.8, if the true score is like the one seen.

A bet's logarithm grows by so much a unit, and has to reach that of 1 over alpha; as it is about z^2 / 2, a power of 0.8 takes (z + 0.84)^2
/ 2, and the mean over bets some more.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

from genlevel.benchmark.model import Task
from scorer.certify import ends, specialists
from scorer.certify.distributions import normal_quantile
from scorer.certify.ends import Estimate, Kind, kind_of
from scorer.certify.intervals import instances_needed, trials_needed
from scorer.certify.samples import Ranked, Sample

POWER = 0.8
MEAN_OVER_BETS = 1.0
"""What the mean over bets costs, in logarithms: a factor of some 3."""
_SHARES = (0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 0.999)
"""Bets tried, as shares of the largest."""
_PARTS = 24
_MOST = 1e9

Growth = Callable[[float], float]
"""What the best bet against a true share wins a unit, in logarithms; 0 if it wins nothing."""


@lru_cache(maxsize=4096)
def units_needed(end: Estimate, task: Task, reference: float, reference_units: int | None, alpha: float, *, above: bool) -> int | None:
    """How many units more a p-value of at most alpha takes, of "above (below) the reference", or the specialist's own; None: none do."""
    if end.binary and 0.0 < end.value < 100.0:
        return _trials_needed(end, reference, reference_units, alpha)
    growth, most, units = _growth(end, task, above=above)
    wanted = (math.sqrt(-2.0 * math.log(alpha)) + normal_quantile(POWER)) ** 2 / 2.0 + MEAN_OVER_BETS
    if kind_of(end) in (Kind.BINARY, Kind.BOUNDS):
        wanted = -math.log(alpha)
    if reference_units is None:
        found = _over(wanted, growth(_share(end, reference, above=above)))
    else:
        hard = _share(end, specialists.hardest(reference, better=above), above=above)
        theirs = specialists.specialist_wealth(hard, reference_units / most)
        points = [hard + (1.0 - hard) * part / _PARTS for part in range(_PARTS + 1)]
        found = max(_over(wanted - theirs(point), growth(point)) for point in points)
    if found > _MOST:
        return None
    # Of a ranking a unit of growth is a pair that shares nothing; the rest of the answers come with it.
    return max(1, math.ceil(found * end.units / units) - end.units)


def _over(wanted: float, growth: float) -> float:
    if wanted <= 0.0:
        return 0.0
    return wanted / growth if growth > 0.0 else math.inf


def _share(end: Estimate, score: float, *, above: bool) -> float:
    share = end.sample.share(score) if isinstance(end.sample, Sample) else score / 100.0
    share = min(max(share, 0.0), 1.0)
    return share if above else 1.0 - share


def _growth(end: Estimate, task: Task, *, above: bool) -> tuple[Growth, float, float]:
    """(growth, the largest unit, how many units there are), turned so that "above" is what is tested."""
    sample = end.sample
    if kind_of(end) in (Kind.BINARY, Kind.BOUNDS) or sample is None:
        found = end.value / 100.0 if above else 1.0 - end.value / 100.0
        return lambda at: _divergence(found, at), 1.0, end.units
    from scorer.certify.betting import largest_growth

    if isinstance(sample, Ranked):
        from scorer.certify.pairs import all_blocks

        units = all_blocks(sample)
        number = float(sample.rarer[0])
    else:
        units = ends.units_of(sample, ends.most_items(task))
        number = units.number
    units = units if above else units.mirrored()
    return lambda at: largest_growth(units, at, _SHARES), units.most, number


def _divergence(found: float, expected: float) -> float:
    """Kullback and Leibler's of shares, if the one found is the higher; else 0."""
    if found <= expected or expected <= 0.0:
        return math.inf if found > expected else 0.0
    rest = (1.0 - found) * math.log((1.0 - found) / (1.0 - expected)) if found < 1.0 else 0.0
    return found * math.log(found / expected) + rest


def _trials_needed(end: Estimate, reference: float, reference_units: int | None, alpha: float) -> int | None:
    """Of right and wrong answers, by the normal distribution with a continuity correction."""
    spread = math.sqrt(max(0.0, reference * (100.0 - reference)))
    error, distance = math.sqrt(end.value * (100.0 - end.value) / end.units), abs(end.value - reference)
    fixed = spread / math.sqrt(reference_units) if reference_units else 0.0
    more = instances_needed(end.units, distance, error, alpha, POWER, null_error=spread / math.sqrt(end.units), fixed_error=fixed)
    return None if more is None else max(1, trials_needed(end.units + more, distance / 100.0) - end.units)
