"""Evidence from a scored task: its instances' statistics as the store keeps them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from genlevel.benchmark.model import TaskMetric
from scorer.certify.evidence import Ends, Estimate
from scorer.certify.intervals import cluster_sums, clustered_standard_error, effective_degrees, scaled_skewness
from scorer.certify.rows import BEST, WORST, Clusters, Statistics, is_complete, is_measured, named, rows_at
from scorer.metrics import Metric, Value, create
from scorer.metrics.base import RatioMetric

DRAWS = 1000
"""Bootstrap draws behind the standard error of a clustered score that is not a mean: its own error is then about 2 % off."""

_ROUNDING = 1e-12


def evidence_from_statistics(asked: TaskMetric, statistics: Statistics, clusters: Clusters | None = None) -> Ends | None:
    """What a task's answers say of its score; None if it was not measured.

    clusters: if some answers share one, units are clusters, and the standard error is the clustered one for a mean of one number per
    instance, else that of a cluster bootstrap.
    """
    metric = create(asked.id, dict(asked.parameters), measuring=False)
    if metric is None or not is_measured(statistics):
        return None
    names = named(clusters or {})
    ends = [_estimate(metric, rows_at(statistics, end), names) for end in ((WORST,) if is_complete(statistics) else (WORST, BEST))]
    return Ends(ends[0], ends[-1])


def _estimate(metric: Metric[object], rows: Sequence[tuple[str, object]], clusters: Mapping[str, Hashable]) -> Estimate:
    value = metric.compute(rows)
    groups = [clusters.get(key, ("alone", key)) for key, _row in rows]
    shared = len(set(groups)) < len(rows)
    if metric.nature.is_share and not shared:
        return Estimate(value.score, value.standard_error, len(rows), binary=True)
    numbers = [row for _key, row in rows if isinstance(row, int | float)]
    if len(numbers) < len(rows):
        return _pooled_estimate(metric, rows, clusters, value, shared=shared)
    sums = cluster_sums(numbers, groups)
    if not shared:
        return _shaped(Estimate(value.score, value.standard_error, len(rows)), sums)
    clustered = clustered_standard_error(numbers, groups)
    if clustered is None:
        return Estimate(value.score, None, 1, clustered=True)
    return _shaped(Estimate(value.score, 100.0 * clustered[0], clustered[1], clustered=True), sums)


def _pooled_estimate(
    metric: Metric[Any], rows: Sequence[tuple[str, Any]], clusters: Mapping[str, Hashable], value: Value, *, shared: bool
) -> Estimate:
    """Of a score that is not a mean of one number per instance."""
    from scorer.certify.resample import cluster_numbers, generator_of, weighted

    influences = metric.influences(rows)
    if influences is not None:
        # To draw it again would take a decomposition a draw: its instances' first-order shares are known.
        shares = cluster_sums(influences, cluster_numbers([key for key, _row in rows], clusters))
        return _shaped(Estimate(value.score, RatioMetric.delta_error(shares), len(shares), clustered=shared), shares)
    found = weighted(metric, rows, clusters)
    if found is None:
        return Estimate(value.score, None if shared else value.standard_error, len(rows), clustered=shared)
    error = value.standard_error
    if shared:
        error = float(found.draws(DRAWS, generator_of("")).std(ddof=1)) if found.clusters > 1 else None
    return _shaped(Estimate(value.score, error, found.clusters, clustered=shared), found.influences())


def _shaped(estimate: Estimate, deviations: Sequence[float]) -> Estimate:
    """With the skewness and the degrees of freedom of its units' shares in the score, if these are known."""
    if estimate.standard_error is not None and estimate.standard_error <= _ROUNDING * max(1.0, abs(estimate.value)):
        # All alike but for the last digits of a mean, which say nothing.
        return replace(estimate, standard_error=0.0)
    if not deviations:
        return estimate
    return replace(estimate, skewness=scaled_skewness(deviations), degrees=effective_degrees(deviations))
