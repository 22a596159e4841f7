"""Evidence from a scored task: its instances' statistics as the store keeps them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from genlevel.benchmark.model import TaskMetric
from scorer.certify.ends import Ends, Estimate
from scorer.certify.intervals import cluster_sums, clustered_standard_error, effective_degrees, scaled_skewness
from scorer.certify.rows import BEST, WORST, Clusters, Statistics, is_complete, is_measured, rows_at
from scorer.certify.samples import Ranked, Sample, Sizes
from scorer.metrics import Metric, Value, create
from scorer.metrics.base import RatioMetric
from scorer.metrics.nature import RANKED, Proof

DRAWS = 1000
"""Bootstrap draws behind the standard error of a clustered score that is not a mean: its own error is then about 2 % off."""
DIGITS = 7
"""Digits behind the point that are kept of a unit's numbers, which are between 0 and 1."""

_ROUNDING = 1e-12

Rows = Sequence[tuple[str, Any]]


def evidence_from_statistics(asked: TaskMetric, statistics: Statistics, clusters: Clusters | None = None) -> Ends | None:
    """What a task's answers say of its score; None if it was not measured.

    An instance that was asked several times, in repeats or variants of its prompt, is one unit. clusters: if some instances share one,
    units are clusters, and the standard error is the clustered one for a mean of one number per instance, else that of a cluster bootstrap.
    """
    metric = create(asked.id, dict(asked.parameters), measuring=False)
    if metric is None or not is_measured(statistics):
        return None
    owners = _Owners.of(statistics, clusters or {})
    ends = [_estimate(metric, rows_at(statistics, end), owners) for end in ((WORST,) if is_complete(statistics) else (WORST, BEST))]
    return Ends(ends[0], ends[-1])


@dataclass(frozen=True, slots=True)
class _Owners:
    """To which instance and to which unit each answer belongs, by the names of rows. shared: some units are of several instances."""

    instances: Mapping[str, str]
    units: Mapping[str, Hashable]
    shared: bool

    @classmethod
    def of(cls, statistics: Statistics, clusters: Clusters) -> _Owners:
        instances = {str(key): key.instance for key in statistics}
        cluster_of = {key.instance: cluster for key, cluster in clusters.items()}
        units: dict[str, Hashable] = {
            name: (True, cluster_of[instance]) if instance in cluster_of else (False, instance) for name, instance in instances.items()
        }
        pairs = {(units[name], instance) for name, instance in instances.items()}
        return cls(instances, units, shared=len({unit for unit, _instance in pairs}) < len(pairs))

    @property
    def repeated(self) -> bool:
        return len(set(self.instances.values())) < len(self.instances)

    @property
    def alone(self) -> bool:
        """Whether every answer is a unit of its own."""
        return not self.shared and not self.repeated


def _estimate(metric: Metric[object], rows: Rows, owners: _Owners) -> Estimate:
    value = metric.compute(rows)
    if metric.nature.is_share and owners.alone:
        return Estimate(value.score, value.standard_error, len(rows), binary=True)
    found = replace(_spread(metric, rows, owners, value), things=things_in(metric, rows))
    if metric.nature.proof is Proof.PAIR_BETTING:
        return _with_ranking(metric, rows, owners, found)
    return _with_sample(metric, rows, owners, found)


def things_in(metric: Metric[Any], rows: Rows) -> int:
    """How many things there are to find, of an average precision; 0 of other metrics."""
    if metric.nature is not RANKED:
        return 0
    from scorer.metrics.regions.precision import AveragePrecision
    from scorer.metrics.signals.ranking import AnomalyPrecision

    if isinstance(metric, AnomalyPrecision):
        return sum(positives for _key, triples in rows for _score, _negatives, positives in triples)
    if isinstance(metric, AveragePrecision):
        return sum(things for _key, row in rows for things, _detections in row.values())
    return 0


def _spread(metric: Metric[object], rows: Rows, owners: _Owners, value: Value) -> Estimate:
    """The score with its standard error over units."""
    numbers = [row for _key, row in rows if isinstance(row, int | float)]
    groups = [owners.units[key] for key, _row in rows]
    if len(numbers) < len(rows):
        return _pooled_estimate(metric, rows, owners, value)
    sums = cluster_sums(numbers, groups)
    if owners.alone:
        return _shaped(Estimate(value.score, value.standard_error, len(rows)), sums)
    clustered = clustered_standard_error(numbers, groups)
    if clustered is None:
        return Estimate(value.score, None, 1, clustered=owners.shared)
    return _shaped(Estimate(value.score, 100.0 * clustered[0], clustered[1], clustered=owners.shared), sums)


def _pooled_estimate(metric: Metric[Any], rows: Rows, owners: _Owners, value: Value) -> Estimate:
    """Of a score that is not a mean of one number per instance."""
    from scorer.certify.resample import cluster_numbers, generator_of, weighted

    influences = metric.influences(rows)
    if influences is not None:
        # To draw it again would take a decomposition a draw: its instances' first-order shares are known.
        shares = cluster_sums(influences, cluster_numbers([key for key, _row in rows], owners.units))
        return _shaped(Estimate(value.score, RatioMetric.delta_error(shares), len(shares), clustered=owners.shared), shares)
    found = weighted(metric, rows, owners.units)
    if found is None:
        return Estimate(value.score, value.standard_error if owners.alone else None, len(rows), clustered=owners.shared)
    error = value.standard_error
    if not owners.alone:
        error = float(found.draws(DRAWS, generator_of("")).std(ddof=1)) if found.clusters > 1 else None
    return _shaped(Estimate(value.score, error, found.clusters, clustered=owners.shared), found.influences())


def _with_sample(metric: Metric[object], rows: Rows, owners: _Owners, found: Estimate) -> Estimate:
    """With the units that a test bets on, if there is one."""
    from scorer.metrics.parts import bounds_of, parts_of

    parts = parts_of(metric, rows)
    if parts is None:
        return found if metric.nature.proof is Proof.NONE else replace(found, flaw="a number is outside the bounds of its metric")
    answers: dict[str, list[tuple[float, float]]] = {}
    unit_of: dict[str, Hashable] = {}
    for (key, _row), part in zip(rows, parts, strict=True):
        answers.setdefault(owners.instances[key], []).append(part)
        unit_of[owners.instances[key]] = owners.units[key]
    units: dict[Hashable, tuple[float, float]] = {}
    for instance, listed in answers.items():
        above, below = (sum(side) / len(listed) for side in zip(*listed, strict=True))
        before = units.get(unit_of[instance], (0.0, 0.0))
        units[unit_of[instance]] = before[0] + above, before[1] + below
    kept = [(min(round(above, DIGITS), round(below, DIGITS)), round(below, DIGITS)) for above, below in units.values() if below > 0.0]
    if not kept:
        return replace(found, flaw="no instance counts")
    sizes = Sizes.PLANNED if owners.shared else Sizes.ONE
    if metric.nature.proof is Proof.POOLED_BETTING:
        sizes = Sizes.ANSWERED
    return replace(found, sample=Sample.of(kept, sizes, bounds_of(metric)))


def _with_ranking(metric: Metric[object], rows: Rows, owners: _Owners, found: Estimate) -> Estimate:
    """With the ranking that pairs are drawn from."""
    from scorer.metrics.signals.ranking import RocArea

    if not owners.alone:
        return replace(found, flaw="answers share a medium or an instance, so that pairs are not independent")
    placed = metric.placed(rows) if isinstance(metric, RocArea) else []
    if not placed or sum(negatives + positives for _owner, _place, negatives, positives in placed) > len(rows):
        return replace(found, flaw="an answer ranks many things, which are not independent of each other")
    levels = {place: level for level, place in enumerate(sorted({place for _owner, place, *_counts in placed}))}
    lows = tuple(levels[place] for _owner, place, negatives, _positives in placed if negatives)
    highs = tuple(levels[place] for _owner, place, _negatives, positives in placed if positives)
    return replace(found, sample=Ranked(lows, highs))


def _shaped(estimate: Estimate, deviations: Sequence[float]) -> Estimate:
    """With the skewness and the degrees of freedom of its units' shares in the score, if these are known."""
    if estimate.standard_error is not None and estimate.standard_error <= _ROUNDING * max(1.0, abs(estimate.value)):
        # All alike but for the last digits of a mean, which say nothing.
        return replace(estimate, standard_error=0.0)
    if not deviations:
        return estimate
    return replace(estimate, skewness=scaled_skewness(deviations), degrees=effective_degrees(deviations))
